package html_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	stdhtml "html"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	xhtml "golang.org/x/net/html"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/html"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

var update = flag.Bool("update", false, "rewrite testdata: look at the pages before committing them")

func written(t testing.TB, d *document.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(t.Context(), &b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// parsed returns the elements of a page, in order.
func parsed(t testing.TB, page string) []*xhtml.Node {
	t.Helper()
	root, err := xhtml.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []*xhtml.Node
	for n := range root.Descendants() {
		if n.Type == xhtml.ElementNode {
			out = append(out, n)
		}
	}
	return out
}

func attribute(n *xhtml.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

var tags = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)

// seen is the text of a page.
func seen(page string) string { return stdhtml.UnescapeString(tags.ReplaceAllString(page, " ")) }

func TestTheReportIsWrittenAsItWas(t *testing.T) {
	const path = "testdata/report.html"
	got := written(t, report())
	if got != written(t, report()) {
		t.Fatal("the same document gives other bytes")
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page is not %s: when that is meant, run with -update and look at it in a browser", path)
	}
}

func TestEveryFigureStandsOnThePage(t *testing.T) {
	d := report()
	text := seen(written(t, d))
	n := 0
	for f := range d.Figures() {
		if f.Value.Number == nil {
			continue
		}
		n++
		if !strings.Contains(text, f.Value.Say()) && !strings.Contains(text, f.Value.Bare()) && !strings.Contains(text, f.Value.SayChange()) {
			t.Errorf("%s: neither %q nor %q is on the page", f.Where, f.Value.Say(), f.Value.Bare())
		}
	}
	if n < 90 {
		t.Errorf("only %d figures were looked for", n)
	}
	lost := *d.Sections[0].Blocks[1].(*document.Tiles)
	lost.Items = slices.Clone(lost.Items)
	lost.Items[0].Value.Number = number("123456.78")
	if strings.Contains(text, lost.Items[0].Value.Say()) {
		t.Error("a figure that the document does not have is on the page")
	}
}

func TestWarningsComeBeforeFigures(t *testing.T) {
	d := report()
	page := written(t, d)
	warning, figure := strings.Index(page, "Data is 9 days old"), strings.Index(page, "$1.842M")
	if warning < 0 || figure < 0 || warning > figure {
		t.Errorf("the warning is at %d, the first figure at %d", warning, figure)
	}
}

func TestHostileTextsStayTexts(t *testing.T) {
	page := written(t, report())
	allowed := map[string]bool{}
	for _, tag := range strings.Fields("html head meta title style body a div header span img h1 h2 h3 h4 p aside ul ol li dl dt dd nav main section article figure figcaption details summary table caption thead tbody tr th td small strong footer svg rect path circle text desc") {
		allowed[tag] = true
	}
	names := regexp.MustCompile(`^(class|id|href|lang|charset|http-equiv|content|name|alt|src|role|tabindex|scope|colspan|aria-[a-z]+|xmlns|width|height|viewBox|font-family|font-size|font-weight|text-anchor|textLength|lengthAdjust|x|y|cx|cy|r|d|fill|stroke|stroke-[a-z]+)$`)
	for _, n := range parsed(t, page) {
		if !allowed[n.Data] {
			t.Errorf("there is a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if !names.MatchString(a.Key) {
				t.Errorf("<%s> has the attribute %s", n.Data, a.Key)
			}
			if a.Key == "href" && !strings.HasPrefix(a.Val, "#") || a.Key == "src" && !strings.HasPrefix(a.Val, "data:image/png;base64,") {
				t.Errorf("<%s> leads to %.40s", n.Data, a.Val)
			}
			if a.Key == "class" && !regexp.MustCompile(`^[a-z_ ]*$`).MatchString(a.Val) {
				t.Errorf("<%s> is of the class %q", n.Data, a.Val)
			}
		}
	}
	text := seen(page)
	for _, name := range []string{`<script>alert("1")</script> & Sons`, `"><img src=x onerror=alert(1)>`, `</style><script>alert(2)</script>`} {
		if !strings.Contains(text, name) {
			t.Errorf("%s is not on the page as it is", name)
		}
	}
	for _, bad := range []string{"\x00", "\u202e"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is on the page", bad)
		}
	}
}

func TestThePolicyAllowsThePagesStyleOnly(t *testing.T) {
	page := written(t, report())
	_, rest, _ := strings.Cut(page, "<style>")
	css, _, _ := strings.Cut(rest, "</style>")
	hash := sha256.Sum256([]byte(css))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
	found := ""
	for _, n := range parsed(t, page) {
		if attribute(n, "http-equiv") != "" {
			found = attribute(n, "content")
		}
	}
	if found != want {
		t.Errorf("the policy is %q, want %q", found, want)
	}
	for _, outside := range []string{"url(http", "@import", "//fonts"} {
		if strings.Contains(css, outside) {
			t.Errorf("the style holds %s", outside)
		}
	}
}

func TestHeadingsNameTheirPartsAndLinksLeadToThem(t *testing.T) {
	ids, links, levels := map[string]int{}, []string{}, []string{}
	for _, n := range parsed(t, written(t, report())) {
		if id := attribute(n, "id"); id != "" {
			ids[id]++
		}
		if n.Data == "a" {
			links = append(links, strings.TrimPrefix(attribute(n, "href"), "#"))
		}
		if by := attribute(n, "aria-labelledby"); by != "" {
			links = append(links, by)
		}
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			levels = append(levels, n.Data)
		}
		if n.Data == "th" && attribute(n, "scope") == "" {
			t.Error("a head of a table does not say of what")
		}
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("%d elements have the id %s", n, id)
		}
	}
	for _, l := range links {
		if ids[l] == 0 {
			t.Errorf("a link leads to %q, which is not there", l)
		}
	}
	if levels[0] != "h1" || slices.Contains(levels[1:], "h1") {
		t.Errorf("headings are %v", levels)
	}
	for i, l := range levels[1:] {
		if l[1] > levels[i][1]+1 {
			t.Errorf("%s follows %s", l, levels[i])
		}
	}
}

func TestABrandColorsThePage(t *testing.T) {
	d := report()
	d.Brand.Primary, d.Brand.Footer, d.Layout.Paper, d.Layout.Landscape = "#335522", `Confidential"}</style>`, "letter", true
	page := written(t, d)
	for _, want := range []string{"--main:#335522", "@page{size:letter landscape", `Confidential\22 \7d \3c \2f style\3e `} {
		if !strings.Contains(page, want) {
			t.Errorf("the style lacks %s", want)
		}
	}
	if strings.Count(page, "</style>") != 1 {
		t.Error("the style ends more than once")
	}
	d.Brand.Primary = "red}*{display:none"
	if css, _, _ := strings.Cut(written(t, d), "</style>"); strings.Contains(css, "red}") || !strings.Contains(css, "--main:#000000;") {
		t.Error("what is no color came into the style")
	}
}

func TestFontsOfABrandAreInside(t *testing.T) {
	d := report()
	font, err := os.ReadFile("../fonts/NotoSansHebrew-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	d.Brand.Font, d.Brand.Regular = "Ours", font
	page := written(t, d)
	if !strings.Contains(page, "--font:Brand,") || !strings.Contains(page, "src:url(data:font/ttf;base64,"+base64.StdEncoding.EncodeToString(font)+")") {
		t.Error("the font is not in the page")
	}
}

// counted counts bytes, and asks now and then how much memory is held.
type counted struct {
	n, sinceLook, most uint64
}

func (c *counted) Write(b []byte) (int, error) {
	c.n += uint64(len(b))
	if c.sinceLook += uint64(len(b)); c.sinceLook > 4<<20 {
		c.sinceLook = 0
		c.most = max(c.most, held())
	}
	return len(b), nil
}

func held() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestALargeTableIsWrittenInLittleMemory(t *testing.T) {
	const rows = 200_000
	table := &document.Table{Title: "Time entries", Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "hours", Label: "Hours", Unit: quantity.Hours}}}
	for i := range rows {
		table.Rows = append(table.Rows, document.Row{Cells: []any{"Client", decimal.New(int64(i), -2)}})
	}
	d := &document.Document{Title: "Large", Sections: []document.Section{{Title: "All", Blocks: []document.Block{table}}}}
	before := held()
	out := &counted{}
	if err := html.Write(t.Context(), out, d); err != nil {
		t.Fatal(err)
	}
	if out.n < rows*40 {
		t.Errorf("only %d bytes were written", out.n)
	}
	if grown := int64(out.most) - int64(before); grown > 8<<20 {
		t.Errorf("%d MB more were held while writing", grown>>20)
	}
	runtime.KeepAlive(d)
}

func TestWritingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := html.Write(ctx, io.Discard, report()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	full := errors.New("disk full")
	if err := html.Write(t.Context(), broken{full}, report()); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestAnEmptyDocumentIsAPage(t *testing.T) {
	page := written(t, &document.Document{Title: "Nothing"})
	if !strings.Contains(page, "<h1>Nothing</h1>") || strings.Contains(page, "<nav") {
		t.Errorf("%.2000s", page)
	}
}
