package document

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-text/typesetting/font"
	ot "github.com/go-text/typesetting/font/opentype"

	"github.com/moatmetrics/moatmetrics/internal/document/internal/sfnt"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// The bundled fonts: TrueType outlines, so that a PDF can hold them. Their licenses are in
// fonts/LICENSES.md.
//
//go:embed fonts/*.ttf
var fontFiles embed.FS

// inter is the family of documents by itself.
const inter = "Inter"

// fallbacks are asked in this order for what the text's own font does not have.
var fallbacks = []string{
	"NotoSansHebrew-Regular", "NotoSansThai-Regular", "NotoSansDevanagari-Regular",
	"DejaVuSans",        // Arabic (a glyph each letter, so that it reads back), Armenian, Georgian, symbols
	"NotoEmoji-Regular", // in one color
	"DroidSansFallback", // Chinese, Japanese, Korean
}

// Font is one TrueType font.
type Font struct {
	Name string // as a file would name it: "Inter-Regular"
	Data []byte // the file
	// Own says that it is of the text's family, so that a bold text needs no help: of other
	// fonts there is one weight, and whoever paints makes it bolder.
	Own bool

	parsed *font.Font
	face   *font.Face // of this Fonts
}

// Fonts is what a text is written with. It belongs to one goroutine.
type Fonts struct {
	Family string
	own    [2]*Font // regular and bold
	others []*Font  // by fallbacks; nil until one is needed
	setter
}

// Fonts returns the fonts of a brand: its own files, or Inter. It returns an Invalid error,
// by field, when a file is no TrueType font that a PDF can hold, or a family is named that is
// not bundled and whose files are missing.
func (b Brand) Fonts() (*Fonts, error) {
	f := &Fonts{Family: inter, others: make([]*Font, len(fallbacks))}
	if b.Regular == nil && b.Bold == nil {
		if b.Font != "" && !strings.EqualFold(b.Font, inter) {
			return nil, fault.WithFields("this brand cannot be used", fault.Field{Path: "font", Message: fmt.Sprintf("the font %q is not bundled: give its regular TrueType file, too, or take %q", b.Font, inter)})
		}
		for i, name := range []string{"Inter-Regular", "Inter-SemiBold"} {
			own, err := bundled(name)
			if err != nil {
				return nil, err
			}
			own.Own = true
			f.own[i] = own
		}
		return f, nil
	}
	if b.Regular == nil {
		return nil, fault.WithFields("this brand cannot be used", fault.Field{Path: "regular", Message: "give the regular TrueType file, too: the bold one alone does not make a text"})
	}
	f.Family = b.Font
	if f.Family == "" {
		f.Family = "Own"
	}
	var fields []fault.Field
	for i, file := range []struct {
		path string
		data []byte
	}{{"regular", b.Regular}, {"bold", b.Bold}} {
		if file.data == nil {
			f.own[i] = f.own[0] // made bolder by whoever paints
			continue
		}
		parsed, err := parseFont(file.data)
		if err != nil {
			fields = append(fields, fault.Field{Path: file.path, Message: "this font cannot be used: " + err.Error()})
			continue
		}
		f.own[i] = &Font{Name: fontName(f.Family, file.path), Data: file.data, Own: true, parsed: parsed, face: font.NewFace(parsed)}
	}
	if len(fields) > 0 {
		return nil, fault.WithFields("this brand cannot be used", fields...)
	}
	return f, nil
}

// Font returns the font of the family itself.
func (f *Fonts) Font(bold bool) *Font {
	if bold {
		return f.own[1]
	}
	return f.own[0]
}

// Faux reports whether a bold text in a font must be made bolder by whoever paints it.
func (f *Fonts) Faux(of *Font, bold bool) bool {
	return bold && (!of.Own || f.own[0] == f.own[1])
}

// maxFont is how large a font of one's own may be, in bytes: it is embedded by parts only,
// but read whole.
const maxFont = 16 << 20

// parseFont checks a font before it is trusted: that it is one, that a document may carry it,
// and that it writes English and figures.
func parseFont(data []byte) (parsed *font.Font, err error) {
	defer func() {
		if p := recover(); p != nil { // hostile files; the reader is not ours
			parsed, err = nil, fmt.Errorf("the file is damaged (%v)", p)
		}
	}()
	if len(data) > maxFont {
		return nil, fmt.Errorf("it has %d MB; %d MB is the most", len(data)>>20, maxFont>>20)
	}
	tables, err := sfnt.Parse(data)
	if err != nil {
		return nil, err
	}
	if !tables.Embeddable() {
		return nil, errors.New("its license bits forbid that documents carry it: take another font, or a license for embedding")
	}
	if parsed, err = readFont(tables); err != nil {
		return nil, fmt.Errorf("the file is damaged (%w)", err)
	}
	var all, missing []rune
	for r := '!'; r <= '~'; r++ {
		all = append(all, r)
		if _, ok := parsed.NominalGlyph(r); !ok {
			missing = append(missing, r)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("it lacks %q, and documents are written in English: take a font with Latin letters and digits", string(missing))
	}
	trial := Font{parsed: parsed, face: font.NewFace(parsed), Own: true}
	var s setter
	for _, figures := range []bool{false, true} {
		for _, g := range s.shape(Run{Font: &trial, Text: string(all)}, figures) {
			if g.ID == 0 || int(g.ID) >= tables.Glyphs() {
				return nil, errors.New("the file is damaged (its letters lead to no glyph)")
			}
		}
	}
	return parsed, nil
}

// readFont reads what shaping asks for, and leaves out the outlines, which only PDF files
// need and which would take most of the time and memory.
func readFont(t sfnt.Tables) (*font.Font, error) {
	loader, err := ot.NewLoader(bytes.NewReader(t.Without("glyf", "loca", "cvt ", "fpgm", "prep", "gasp", "hdmx", "VDMX", "DSIG").File()))
	if err != nil {
		return nil, err
	}
	return font.NewFont(loader)
}

// bundledFonts holds each bundled font once it was needed: reading is safe from many
// goroutines, and the large ones take a while.
var bundledFonts = func() map[string]func() (*Font, error) {
	m := map[string]func() (*Font, error){}
	for _, name := range append([]string{"Inter-Regular", "Inter-SemiBold"}, fallbacks...) {
		m[name] = sync.OnceValues(func() (*Font, error) {
			data, err := fontFiles.ReadFile("fonts/" + name + ".ttf")
			if err != nil {
				return nil, err
			}
			tables, err := sfnt.Parse(data)
			if err != nil {
				return nil, fmt.Errorf("bundled font %s: %w", name, err)
			}
			parsed, err := readFont(tables)
			if err != nil {
				return nil, fmt.Errorf("bundled font %s: %w", name, err)
			}
			return &Font{Name: name, Data: data, parsed: parsed}, nil
		})
	}
	return m
}()

// bundled returns a bundled font with a face of its own: faces are not safe to share.
func bundled(name string) (*Font, error) {
	shared, err := bundledFonts[name]()
	if err != nil {
		return nil, err
	}
	own := *shared
	own.face = font.NewFace(own.parsed)
	return &own, nil
}

// other returns the nth fallback.
func (f *Fonts) other(n int) *Font {
	if f.others[n] == nil {
		own, err := bundled(fallbacks[n])
		if err != nil { // the files are in the program, and a test reads them all
			return f.own[0]
		}
		f.others[n] = own
	}
	return f.others[n]
}

// fontName makes a name of letters, digits and a hyphen, as fonts are named inside of files.
func fontName(family, weight string) string {
	keep := func(r rune) rune {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return r
		}
		return -1
	}
	name := strings.Map(keep, family)
	if name == "" {
		name = "Own"
	}
	return name + "-" + strings.ToUpper(weight[:1]) + weight[1:]
}

// Covers reports whether a font has a glyph for each of these characters.
func (f *Font) Covers(runes []rune) bool {
	return !slices.ContainsFunc(runes, func(r rune) bool {
		_, ok := f.face.NominalGlyph(r)
		return !ok
	})
}
