package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // logos are PNG or JPEG
	_ "image/png"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Brand is how a tenant's reports look and who signs them.
type Brand struct {
	Primary document.Color `json:"primary,omitempty" doc:"#RRGGBB, of titles and the first series; readable on white"`
	Accent  document.Color `json:"accent,omitempty" doc:"#RRGGBB, of what stands out"`
	Footer  string         `json:"footer,omitempty" maxLength:"200" doc:"on every page"`
	// Letter is the cover letter of reports for clients, a paragraph each, with placeholders.
	Letter []string `json:"letter,omitempty" doc:"paragraphs of the letter before reports for clients"`
	// Logo, Regular and Bold name kept files by their SHA-256.
	Logo    string `json:"logo,omitempty" doc:"SHA-256 of a kept PNG or JPEG"`
	Font    string `json:"font,omitempty" maxLength:"60" doc:"name of the own font"`
	Regular string `json:"regular,omitempty" doc:"SHA-256 of a kept TrueType font"`
	Bold    string `json:"bold,omitempty" doc:"SHA-256 of a kept TrueType font"`
}

// brandName is the one brand that a tenant has.
const brandName = "brand"

// Bounds of a brand's files.
const (
	maxLogo  = 1 << 20
	maxFont  = 8 << 20
	maxSide  = 6000    // pixels of a logo
	maxArea  = 8 << 20 // pixels in all: what is packed into 1 MB must not need hundreds to be looked at
	maxWords = 4000    // of the letter, in characters
)

// BrandOf returns the tenant's brand; the zero value until somebody sets one.
func (s *Service) BrandOf(ctx context.Context, scope tenant.Scope) (Brand, error) {
	book, err := s.Metrics.Definitions(ctx, scope)
	if err != nil {
		return Brand{}, err
	}
	d, ok := book.Get(definition.Brand, brandName)
	if !ok {
		return Brand{}, nil
	}
	var out Brand
	if err := json.Unmarshal(d.Body, &out); err != nil {
		return out, fmt.Errorf("brand: %w", err)
	}
	return out, nil
}

// PutBrand replaces the tenant's brand. Errors: Invalid with every wrong part, such as a color
// that cannot be read on paper, or a file that is not kept.
func (s *Service) PutBrand(ctx context.Context, scope tenant.Scope, to Brand) (Brand, error) {
	var wrong []fault.Field
	say := func(path, format string, args ...any) {
		wrong = append(wrong, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	var colors *fault.Error
	if err := (document.Brand{Primary: to.Primary, Accent: to.Accent}).Check(); errors.As(err, &colors) {
		wrong = append(wrong, colors.Fields...)
	}
	to.Footer, to.Font = strings.TrimSpace(document.Clean(to.Footer)), strings.TrimSpace(document.Clean(to.Font))
	if len([]rune(to.Footer)) > 200 {
		say("footer", "at most 200 characters")
	}
	if len(strings.Join(to.Letter, "")) > maxWords {
		say("letter", "at most %d characters in all", maxWords)
	}
	for _, p := range to.Letter {
		for _, name := range placeholder.FindAllStringSubmatch(p, -1) {
			if values := (&builder{in: &Inputs{}}).words(); !hasKey(values, name[1]) {
				say("letter", "{{%s}} is no placeholder: %s", name[1], strings.Join(placeholders, ", "))
			}
		}
	}
	for _, f := range []struct {
		path, hash string
		font       bool
	}{{"logo", to.Logo, false}, {"regular", to.Regular, true}, {"bold", to.Bold, true}} {
		if f.hash == "" {
			continue
		}
		content, err := s.asset(scope, f.hash)
		if err != nil {
			say(f.path, "%s", fault.Message(err))
			continue
		}
		if err := checkAsset(content, f.font); err != nil {
			say(f.path, "%s", fault.Message(err))
		}
	}
	if (to.Regular == "") != (to.Bold == "") {
		say("bold", "a font of one's own needs both files, regular and bold")
	}
	if len(wrong) > 0 {
		return to, fault.WithFields("this brand cannot be kept: "+wrong[0].Message, wrong...)
	}
	body, err := json.Marshal(to)
	if err != nil {
		return to, err
	}
	book, err := s.Metrics.Definitions(ctx, scope)
	if err != nil {
		return to, err
	}
	_, known := book.Get(definition.Brand, brandName)
	_, err = s.Definitions.Put(ctx, scope, definition.Change{Kind: definition.Brand, Name: brandName, Body: body, New: !known}, func(*definition.Book) error { return nil })
	return to, err
}

func hasKey(m map[string]string, key string) bool { _, ok := m[key]; return ok }

// KeepAsset keeps a logo or font for a brand and returns its SHA-256. Errors: Invalid for
// what is neither a PNG or JPEG of at most 1 MB nor a TrueType font of at most 8 MB.
func (s *Service) KeepAsset(_ context.Context, scope tenant.Scope, content []byte) (string, error) {
	if err := scope.Check(); err != nil {
		return "", err
	}
	if err := checkAsset(content, isFont(content)); err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:])
	return hash, writeOnce(s.assetPath(scope, hash), content)
}

func isFont(content []byte) bool {
	return bytes.HasPrefix(content, []byte{0, 1, 0, 0}) || bytes.HasPrefix(content, []byte("true")) || bytes.HasPrefix(content, []byte("OTTO")) || bytes.HasPrefix(content, []byte("ttcf"))
}

func checkAsset(content []byte, font bool) error {
	if font {
		if len(content) > maxFont {
			return fault.Newf(fault.TooLarge, "the font has %d kB: at most %d are kept", len(content)>>10, maxFont>>10)
		}
		return document.CheckFont(content)
	}
	if len(content) > maxLogo {
		return fault.Newf(fault.TooLarge, "the logo has %d kB: at most %d are kept", len(content)>>10, maxLogo>>10)
	}
	head, kind, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || kind != "png" && kind != "jpeg" {
		return fault.Newf(fault.Invalid, "a logo is a PNG or JPEG picture, a font a TrueType file (.ttf): this is neither")
	}
	if head.Width > maxSide || head.Height > maxSide {
		return fault.Newf(fault.TooLarge, "the logo has %d x %d pixels: at most %d a side", head.Width, head.Height, maxSide)
	}
	if head.Width*head.Height > maxArea {
		return fault.Newf(fault.TooLarge, "the logo has %d x %d pixels: at most %d million are kept, 3840 x 2160 for example", head.Width, head.Height, maxArea/1_000_000)
	}
	if !bytes.HasSuffix(content, ends[kind]) {
		return fault.Newf(fault.Invalid, "something stands behind the picture, or its end is missing: save it again as PNG or JPEG")
	}
	if _, _, err := image.Decode(bytes.NewReader(content)); err != nil {
		return fault.Newf(fault.Invalid, "the picture is damaged: %v", err)
	}
	return nil
}

// ends are what the files of a kind end with: what has more is also something else.
var ends = map[string][]byte{"png": []byte("\x00\x00\x00\x00IEND\xaeB\x60\x82"), "jpeg": []byte("\xff\xd9")}

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Asset returns a kept logo or font.
func (s *Service) Asset(_ context.Context, scope tenant.Scope, hash string) ([]byte, error) {
	return s.asset(scope, hash)
}

func (s *Service) asset(scope tenant.Scope, hash string) ([]byte, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if !hashForm.MatchString(hash) {
		return nil, fault.Newf(fault.NotFound, "there is no kept file %q: upload it first", hash)
	}
	content, err := os.ReadFile(s.assetPath(scope, hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Newf(fault.NotFound, "there is no kept file %q: upload it first", hash)
	}
	return content, err
}

func (s *Service) assetPath(scope tenant.Scope, hash string) string {
	return filepath.Join(s.opt.Dir, string(scope.Tenant), "assets", hash)
}

// brand is the look of a document as the inputs say.
func (s *Service) brand(_ context.Context, scope tenant.Scope, in *Inputs) (document.Brand, error) {
	b := in.Brand
	out := document.Brand{Firm: in.Firm, Primary: b.Primary, Accent: b.Accent, Footer: b.Footer}
	for _, f := range []struct {
		hash string
		into *[]byte
	}{{b.Logo, &out.Logo}, {b.Regular, &out.Regular}, {b.Bold, &out.Bold}} {
		if f.hash == "" {
			continue
		}
		content, err := s.asset(scope, f.hash)
		if err != nil {
			return out, fmt.Errorf("brand: %w", err)
		}
		*f.into = content
	}
	if b.Regular != "" {
		out.Font = b.Font
	}
	return out, nil
}
