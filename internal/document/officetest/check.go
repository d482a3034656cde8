package officetest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Fault is what the validator has against a file.
type Fault struct {
	Description string `json:"description"`
	Path        string `json:"path"` // of the part
	XPath       string `json:"xPath"`
	ID          string `json:"id"`
}

// Validate returns what Microsoft's OpenXmlValidator has against a file. The test fails when
// the validator cannot run: scripts/ooxml.sh installs it.
func Validate(t testing.TB, path string) []Fault {
	t.Helper()
	_, self, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(self), "../../../scripts/ooxml.sh")
	cmd := exec.Command(script, path)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	var answer struct {
		OK     *bool   `json:"ok"`
		Errors []Fault `json:"errors"`
	}
	if jsonErr := json.Unmarshal(out.Bytes(), &answer); jsonErr != nil || answer.OK == nil {
		t.Fatalf("the validator did not answer (scripts/ooxml.sh installs it): %v\n%s%s", err, out.String(), problems.String())
	}
	if *answer.OK != (len(answer.Errors) == 0) {
		t.Fatalf("the validator contradicts itself: %s", out.String())
	}
	return answer.Errors
}

// Valid fails the test when the validator has anything against a file's bytes.
func Valid(t testing.TB, file []byte, ext string) {
	t.Helper()
	for _, f := range Validate(t, Save(t, file, ext)) {
		t.Errorf("%s: %s at %s of %s", f.ID, f.Description, f.XPath, f.Path)
	}
}

// Save writes a file's bytes into the test's directory; with MOAT_LOOK=DIR also there, to be
// looked at.
func Save(t testing.TB, file []byte, ext string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file."+ext)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("MOAT_LOOK"); dir != "" {
		name := strings.NewReplacer("/", "-", " ", "_").Replace(t.Name()) + "." + ext
		if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// Changed is a copy of a zip with a part changed.
func Changed(t testing.TB, file []byte, part string, change func(string) string) []byte {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	found := false
	for _, f := range zr.File {
		text := Part(t, file, f.Name)
		if f.Name == part {
			found = true
			changed := change(text)
			if changed == text {
				t.Fatalf("%s was not changed", part)
			}
			text = changed
		}
		w, err := zw.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil || !found {
		t.Fatalf("part %s: found %v, %v", part, found, err)
	}
	return out.Bytes()
}

// Part reads a part of a zip.
func Part(t testing.TB, file []byte, name string) string {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := zr.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Parts lists the parts of a zip whose name begins and ends so.
func Parts(t testing.TB, file []byte, begin, end string) (names []string) {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range zr.File {
		if strings.HasPrefix(f.Name, begin) && strings.HasSuffix(f.Name, end) {
			names = append(names, f.Name)
		}
	}
	return names
}

// Page is a page as LibreOffice draws it: its size and words in points.
type Page struct {
	Width, Height float64
	Words         []Word
	Inked         float64 // share of pixels that are not paper
}

// Word is a word on a page with its box.
type Word struct {
	Text                   string
	Left, Top, Right, Down float64
}

// Pages opens a file in LibreOffice and returns its pages.
func Pages(t testing.TB, file []byte, ext string) []Page {
	t.Helper()
	path := Save(t, file, ext)
	dir := t.TempDir()
	cmd := exec.Command("soffice", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", "pdf", "--outdir", dir, path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("LibreOffice (scripts/test-deps.sh installs it): %v\n%s", err, out)
	}
	pdf := filepath.Join(dir, "file.pdf")
	if look := os.Getenv("MOAT_LOOK"); look != "" {
		if b, err := os.ReadFile(pdf); err == nil {
			os.WriteFile(filepath.Join(look, strings.NewReplacer("/", "-", " ", "_").Replace(t.Name())+"-"+ext+".pdf"), b, 0o600)
		}
	}
	out, err := exec.Command("pdftotext", "-bbox", pdf, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext: %v", err)
	}
	pages := boxes(t, string(out))
	if out, err := exec.Command("pdftoppm", "-png", "-r", "40", pdf, filepath.Join(dir, "page")).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v\n%s", err, out)
	}
	for i := range pages {
		pages[i].Inked = inked(t, dir, i+1, len(pages))
	}
	return pages
}

func boxes(t testing.TB, text string) (pages []Page) {
	t.Helper()
	attr := func(line, name string) float64 {
		_, rest, _ := strings.Cut(line, name+`="`)
		value, _, _ := strings.Cut(rest, `"`)
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%s in %q: %v", name, line, err)
		}
		return x
	}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "<page "):
			pages = append(pages, Page{Width: attr(line, "width"), Height: attr(line, "height")})
		case strings.HasPrefix(line, "<word "):
			_, word, _ := strings.Cut(line, ">")
			p := &pages[len(pages)-1]
			p.Words = append(p.Words, Word{strings.TrimSuffix(word, "</word>"), attr(line, "xMin"), attr(line, "yMin"), attr(line, "xMax"), attr(line, "yMax")})
		}
	}
	return pages
}

// inked returns the share of a page's pixels that are not white.
func inked(t testing.TB, dir string, page, of int) float64 {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, fmt.Sprintf("page-%0*d.png", len(strconv.Itoa(of)), page)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	n, box := 0, img.Bounds()
	for x := box.Min.X; x < box.Max.X; x++ {
		for y := box.Min.Y; y < box.Max.Y; y++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r < 0xf000 || g < 0xf000 || b < 0xf000 {
				n++
			}
		}
	}
	return float64(n) / float64(box.Dx()*box.Dy())
}
