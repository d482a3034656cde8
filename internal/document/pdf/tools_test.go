package pdf

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// tool runs a program that scripts/test-deps.sh installs, and returns what it prints.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed: scripts/test-deps.sh does it", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func fileOf(t *testing.T, d *document.Document) string {
	t.Helper()
	file, _ := laidOut(t, d)
	path := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// flat has one space between words, and no marks of direction, which extraction adds.
func flat(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 0x202A && r <= 0x202E || r == 0x200B {
			return -1
		}
		return r
	}, s)
	return norm.NFKC.String(strings.Join(strings.Fields(s), " "))
}

func TestQPDFFindsNothingWrong(t *testing.T) {
	for name, d := range map[string]*document.Document{"a board's report": board(t), "an empty one": {}, "a long table": {Title: "Long", Sections: []document.Section{{Title: "Rows", Blocks: []document.Block{long(2000)}}}}} {
		t.Run(name, func(t *testing.T) {
			if out := tool(t, "qpdf", "--check", fileOf(t, d)); !strings.Contains(out, "No syntax or stream encoding errors found") {
				t.Error(out)
			}
		})
	}
}

func TestEveryFigureIsInTheText(t *testing.T) {
	d := pages20(t)
	text := flat(tool(t, "pdftotext", "-layout", fileOf(t, d), "-"))
	n := 0
	for f := range d.Figures() {
		n++
		found := false
		for _, written := range []string{f.Value.Say(), f.Value.Bare(), f.Value.Short(), f.Value.SayChange()} {
			found = found || strings.Contains(text, flat(written))
		}
		if !found {
			t.Errorf("%s: neither %s nor %s is in the text", f.Where, f.Value.Say(), f.Value.Short())
		}
	}
	if n < 1000 {
		t.Errorf("only %d figures were looked for", n)
	}
}

func TestTextIsReadInOrder(t *testing.T) {
	path := fileOf(t, board(t))
	want := []string{"Executive summary", "What the year earned, why, and what to do next", "July 2025 to June 2026", "42, of July 3, 2026", "Dear Ms. Rivera,", "The year closed with $1.235M in revenue",
		"Before you read the figures", "Time entries of the last 3 days are missing", "Contents", "Margins by client", "The year earned $1.235M at a gross margin",
		"The year in five figures", "$1.235M", "$1,234,567.89", "+$84,200.00", "Gross margin", "42.1%", "How did the gross margin move?", "What to know", "Three things changed this year.", "Hours at Fabrikam Legal rose", "A limit of these figures",
		"Margins by client", "Managed services", "Contoso Manufacturing", "182,340.25", "Fabrikam Legal", "Northwind Dental", "Projects, 1 client", "All clients", "20 of 245 rows shown", "No time entries were imported for this client.",
		"Who earns the most?", "To be reviewed", "Fabrikam Legal earns 18.1%", "$21,400.00", "What moved it against the previous 12 months", "Hours worked", "−14.2 pp", "Raise the agreement", "What turned revenue into profit?", "Values of the charts", "Client A"}
	for name, text := range map[string]string{
		"as painted":              flat(tool(t, "pdftotext", "-raw", path, "-")),
		"as the structure has it": flat(tool(t, "pdfinfo", "-struct-text", path)),
	} {
		t.Run(name, func(t *testing.T) {
			at := 0
			for _, part := range want {
				i := strings.Index(text[at:], part)
				if i < 0 {
					t.Fatalf("%q does not come after %q", part, text[max(0, at-60):at])
				}
				at += i + len(part)
			}
		})
	}
}

func TestStructureIsReadByOthers(t *testing.T) {
	d := board(t)
	out := tool(t, "pdfinfo", "-struct", fileOf(t, d))
	count := func(kind string) int { return len(regexp.MustCompile(`(?m)^ *`+kind+`\b`).FindAllString(out, -1)) }
	rows, heads := 0, 0
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			if table, ok := b.(*document.Table); ok {
				rows, heads = rows+len(table.Rows)+1, heads+len(table.Columns)
			}
		}
	}
	if !strings.HasPrefix(out, "Document") {
		t.Errorf("the structure begins with %.40q", out)
	}
	for kind, least := range map[string]int{"H1": 8, "H2": 9, "P": 40, "Table": 2, "TR": rows, "TH": heads, "TD": 100, "Figure": 6, "L": 4, "LI": 15, "LBody": 15, "TOC": 1, "TOCI": 14, "Link": 14} {
		if got := count(kind); got < least {
			t.Errorf("there are %d elements %s, want %d at least", got, kind, least)
		}
	}
	if !strings.Contains(out, "/Scope /Column") {
		t.Error("heads of columns do not say that they are")
	}
}

func TestTheFileSaysWhatItIs(t *testing.T) {
	d := board(t)
	d.Title, d.Brand.Firm = "Résumé & <b>株式会社</b> 🚀", "Łódź (IT) \\ Partners"
	path := fileOf(t, d)
	info := tool(t, "pdfinfo", "-isodates", path)
	for _, want := range []string{"Title:           Résumé & <b>株式会社</b> 🚀", "Author:          Łódź (IT) \\ Partners", "CreationDate:    2026-07-03T08:30:00Z", "Tagged:          yes", "Page size:       595.28 x 841.89 pts (A4)", "JavaScript:      no"} {
		if !strings.Contains(info, want) {
			t.Errorf("%q is not in\n%s", want, info)
		}
	}
	plain := filepath.Join(t.TempDir(), "plain.pdf")
	tool(t, "qpdf", "--qdf", "--object-streams=disable", path, plain)
	file, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/DisplayDocTitle true", "/Lang (en-US)", "/Marked true", "/Outlines", "<pdfuaid:part>1</pdfuaid:part>", "<rdf:li xml:lang=\"x-default\">Résumé &amp; &lt;b&gt;株式会社&lt;/b&gt; 🚀</rdf:li>", "/Tabs /S"} {
		if !bytes.Contains(file, []byte(want)) {
			t.Errorf("the file has no %s", want)
		}
	}
	later := *d
	later.At = d.At.Add(time.Second)
	a, _ := laidOut(t, d)
	b, _ := laidOut(t, &later)
	if bytes.Equal(a, b) {
		t.Error("the date is not in the file")
	}
}

func TestHostileNamesReadBack(t *testing.T) {
	table := &document.Table{Title: "Names", Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}}}
	for _, name := range append(hostile, "شركة الاتصالات") {
		table.Rows = append(table.Rows, document.Row{Cells: []any{name}})
	}
	path := fileOf(t, &document.Document{Title: "Names", Sections: []document.Section{{Title: "All", Blocks: []document.Block{table}}}})
	text := flat(tool(t, "pdftotext", path, "-"))
	for _, want := range []string{"🚀 Rocket Managed IT 👨‍👩‍👧", "שלום טכנולוגיות", "شركة النور للتقنية", "شركة الاتصالات", "Nour", "株式会社テクノロジー", "주식회사 한빛기술", `<script>alert("x")</script>`, "=1+1", "=cmd|' /C calc'!A0", "tab and lineend",
		"Łódź & Ångström Śródmieście", "कंपनी लिमिटेड", "บริษัท ไทย จำกัด", "txt.exe", "[U+20BB7]野家", "and on until it ends"} {
		if !strings.Contains(text, flat(want)) {
			t.Errorf("%q is not in the text:\n%s", want, text)
		}
	}
	if got := strings.Count(strings.ReplaceAll(text, " ", ""), "x"); got < 292 {
		t.Errorf("of 292 letters x, %d are in the text", got)
	}
}

func TestBookmarksAndContentsLeadToTheirPages(t *testing.T) {
	d := pages20(t)
	path := fileOf(t, d)
	_, saw := laidOut(t, d)
	pageOf := func(text string, size float64) int {
		for _, b := range saw.texts {
			if b.text == text && b.size == size {
				return b.page
			}
		}
		return 0
	}
	pages := tool(t, "pdftotext", "-layout", path, "-")
	for _, want := range []struct {
		title string
		size  float64
	}{{"Clients", headline.size}, {"Margins by client", title.size}, {"170 time entries", title.size}, {"Findings", headline.size}} {
		page := pageOf(want.title, want.size)
		if line := regexp.MustCompile(regexp.QuoteMeta(want.title) + ` +` + fmt.Sprint(page) + `\n`); page == 0 || !line.MatchString(pages) {
			t.Errorf("contents do not lead %q to page %d", want.title, page)
		}
	}
	json := tool(t, "qpdf", "--json", "--json-key=outlines", path)
	for _, title := range []string{"Clients", "Margins by client", "170 time entries"} {
		if !strings.Contains(json, fmt.Sprintf("%q", title)) {
			t.Errorf("no bookmark is named %q", title)
		}
	}
	if !regexp.MustCompile(fmt.Sprintf(`"destpageposfrom1": %d,\s+"kids": \[\s*\],\s+"object": "[^"]+",\s+"open": true,\s+"title": "u?:?Margins by client"`, pageOf("Margins by client", title.size))).MatchString(json) && !strings.Contains(json, "destpageposfrom1") {
		t.Errorf("bookmarks lead nowhere:\n%.800s", json)
	}
}

// The file claims PDF/UA-1, so that what a machine can check of that is checked.
func TestVeraPDFFindsNothingAgainstPDFUA(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	jars := filepath.Join(root, ".cache", "verapdf")
	if _, err := os.Stat(jars); err != nil {
		t.Skip("veraPDF is not here: scripts/test-deps.sh gets it where Java and Maven are")
	}
	lying, plainly := board(t), board(t)
	lying.Layout.Landscape = true
	plainly.Layout = document.Layout{}
	plainly.Brand.Logo = nil
	house := ownFont(t)
	files := []string{fileOf(t, board(t)), fileOf(t, lying), fileOf(t, plainly), fileOf(t, house), fileOf(t, &document.Document{}),
		fileOf(t, &document.Document{Title: "Reasons", Sections: []document.Section{{Title: "Rows", Blocks: []document.Block{reasons(60)}}}})}
	out := tool(t, "java", append([]string{"-cp", filepath.Join(jars, "*"), filepath.Join(root, "scripts", "verapdf", "Check.java")}, files...)...)
	if n := strings.Count(out, "ok "); n != len(files) {
		t.Errorf("veraPDF says:\n%s", out)
	}
}

func TestLogosOfEveryKindAreShown(t *testing.T) {
	rect := image.Rect(0, 0, 40, 16)
	gray, deep, palette, alpha, rgb := image.NewGray(rect), image.NewNRGBA64(rect), image.NewPaletted(rect, []color.Color{color.White, color.NRGBA{R: 200, A: 255}}), image.NewNRGBA(rect), image.NewRGBA(rect)
	for x := range 40 {
		for y := range 16 {
			gray.SetGray(x, y, color.Gray{Y: uint8(6 * x)})
			deep.Set(x, y, color.NRGBA64{R: 0xFFFF, G: uint16(x * 1600), A: 0xFFFF})
			palette.SetColorIndex(x, y, uint8(x/20))
			alpha.Set(x, y, color.NRGBA{B: 200, A: uint8(6 * x)})
			rgb.Set(x, y, color.NRGBA{G: 120, A: 255})
		}
	}
	jpg := func(picture image.Image) []byte {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, picture, nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	pngOf := func(picture image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, picture); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		logo []byte
		want string // kinds of pictures in the file
	}{
		"PNG, gray": {pngOf(gray), "image rgb"}, "PNG, 16 bits": {pngOf(deep), "image rgb"}, "PNG, palette": {pngOf(palette), "image rgb"}, "PNG, see-through": {pngOf(alpha), "image rgb smask gray"},
		"JPEG": {jpg(rgb), "image rgb"}, "JPEG, gray": {jpg(gray), "image gray"},
	} {
		t.Run(name, func(t *testing.T) {
			d := board(t)
			d.Brand.Logo = c.logo
			path := fileOf(t, d)
			tool(t, "qpdf", "--check", path)
			var got []string
			for _, line := range strings.Split(tool(t, "pdfimages", "-list", path), "\n")[2:] {
				if f := strings.Fields(line); len(f) > 5 {
					got = append(got, f[2], f[5])
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("the pictures are %v, want %s", got, c.want)
			}
		})
	}
}

// Where others see the numbers is where they were put: their right ends are aligned.
func TestNumbersStandWhereTheyWerePut(t *testing.T) {
	d := board(t)
	path := fileOf(t, d)
	_, saw := laidOut(t, d)
	word := regexp.MustCompile(`<word xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)" yMax="[\d.]+">([^<]+)</word>|<page `)
	seen, page := map[string][2]float64{}, 0
	for _, m := range word.FindAllStringSubmatch(tool(t, "pdftotext", "-bbox", path, "-"), -1) {
		if m[3] == "" {
			page++
			continue
		}
		from, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		to, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		seen[fmt.Sprint(page, " ", m[3])] = [2]float64{from, to}
	}
	compared := 0
	for _, b := range saw.texts {
		at, ok := seen[fmt.Sprint(b.page, " ", b.text)]
		if !ok || strings.Count(fmt.Sprint(saw.texts), " "+b.text+" ") > 1 {
			continue
		}
		compared++
		if math.Abs(at[0]-b.x) > 0.6 || math.Abs(at[1]-b.x-b.w) > 0.6 {
			t.Errorf("page %d: %q was put from %.2f to %.2f, and is seen from %.2f to %.2f", b.page, b.text, b.x, b.x+b.w, at[0], at[1])
		}
	}
	if compared < 30 {
		t.Errorf("only %d words were compared", compared)
	}
}
