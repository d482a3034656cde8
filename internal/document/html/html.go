// Package html writes a document as one HTML file that needs nothing else: its style, charts
// and logo are inside, there is no script, and a policy in the file forbids both scripts and
// requests. It reads on a phone and prints.
//
// It owns the markup. What a figure looks like in words is document's, and what a chart looks
// like is its painter's.
package html

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
)

//go:embed style.css
var style string

// Write writes the document. It streams: beyond the document itself it holds no more than a
// chart and a buffer. It ends early, with ctx's error, when ctx ends.
func Write(ctx context.Context, to io.Writer, d *document.Document) error {
	w := &writer{Writer: bufio.NewWriterSize(to, 64<<10), ctx: ctx, d: d}
	css := w.css()
	hash := sha256.Sum256([]byte(css))
	w.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	w.raw(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-` + base64.StdEncoding.EncodeToString(hash[:]) + `'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'">` + "\n")
	w.raw(`<meta name="viewport" content="width=device-width, initial-scale=1">` + "\n" + `<meta name="referrer" content="no-referrer">` + "\n")
	w.element("title", "", w.name())
	w.raw("\n<style>" + css + "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<div class=\"sheet\">\n")
	w.header()
	w.raw("<main id=\"content\">\n")
	w.letter()
	for i, s := range d.Sections {
		if err := w.section(i, s); err != nil {
			return err
		}
	}
	w.raw("</main>\n")
	w.footer()
	w.raw("</div>\n</body>\n</html>\n")
	return w.Flush()
}

// writer writes markup. Errors of writing stay in the buffer until the end.
type writer struct {
	*bufio.Writer
	ctx    context.Context
	d      *document.Document
	labels map[string]int // of regions, so that no two are called the same
}

func (w *writer) raw(markup string) { w.WriteString(markup) }

// text writes a text so that nothing of it is markup.
func (w *writer) text(s string) { w.WriteString(html.EscapeString(document.Clean(s))) }

// element writes a text in an element, with a class when there is one; nothing for no text.
func (w *writer) element(tag, class, text string) {
	if text == "" {
		return
	}
	w.open(tag, class)
	w.text(text)
	w.raw("</" + tag + ">")
}

func (w *writer) open(tag, class string) {
	w.raw("<" + tag)
	if class != "" {
		w.raw(` class="` + class + `"`)
	}
	w.raw(">")
}

func (w *writer) attribute(name, text string) {
	w.raw(" " + name + `="`)
	w.text(text)
	w.raw(`"`)
}

// name is what the window and the file's list of tabs show.
func (w *writer) name() string {
	parts := []string{w.d.Title}
	for _, p := range []string{w.d.Client, w.d.Period} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " · ")
}

// css is the style with the brand's colors, fonts and what each printed page says.
func (w *writer) css() string {
	var b strings.Builder
	brand := w.d.Brand
	family := `Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Noto Sans",sans-serif`
	for _, f := range []struct {
		data   []byte
		weight string
	}{{brand.Regular, "400 549"}, {brand.Bold, "550 900"}} {
		if f.data != nil {
			b.WriteString("@font-face{font-family:Brand;font-weight:" + f.weight + ";src:url(data:font/ttf;base64," + base64.StdEncoding.EncodeToString(f.data) + ")}\n")
		}
	}
	if brand.Regular != nil {
		family = "Brand," + family
	}
	// Mixing nothing into a color writes it as #RRGGBB whatever it was.
	solid := func(c document.Color) document.Color { return c.Mix(document.Paper, 0) }
	fmt.Fprintf(&b, ":root{--font:%s", family)
	for _, v := range []struct {
		name  string
		color document.Color
	}{
		{"main", solid(brand.Main())}, {"accent", solid(brand.Second())}, {"ink", document.Ink}, {"ink2", document.Ink2}, {"ink3", document.Ink3}, {"rule", document.Rule}, {"sunken", document.Sunken}, {"paper", document.Paper},
		{"good", document.Good}, {"bad", document.Bad}, {"caution", document.Caution}, {"caution-soft", "#FBF3E2"},
	} {
		fmt.Fprintf(&b, ";--%s:%s", v.name, v.color)
	}
	b.WriteString("}\n" + style)
	paper := "A4"
	if w.d.Layout.Paper == "letter" {
		paper = "letter"
	}
	if w.d.Layout.Landscape {
		paper += " landscape"
	}
	fmt.Fprintf(&b, "@page{size:%s;margin:18mm 16mm 20mm;@bottom-left{content:%s;font:8pt sans-serif;color:%s}@bottom-right{content:\"Page \" counter(page) \" of \" counter(pages);font:8pt sans-serif;color:%s}}\n",
		paper, quoted(join(" · ", brand.Firm, brand.Footer)), document.Ink3, document.Ink3)
	return b.String()
}

// quoted writes a text as a CSS string in which nothing can end the string or the style.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range document.Clean(s) {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == ' ' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\%x ", r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// join puts texts together, leaving out empty ones.
func join(by string, texts ...string) string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, by)
}

// header is the cover: who, what, what to know first, what it was made from, what follows.
func (w *writer) header() {
	d := w.d
	w.raw("<header>\n")
	if d.Brand.Firm != "" || d.Brand.Logo != nil {
		w.raw(`<div class="firm">`)
		if logo := d.Brand.Logo; logo != nil {
			w.raw(`<img src="data:` + picture(logo) + ";base64," + base64.StdEncoding.EncodeToString(logo) + `"`)
			w.attribute("alt", d.Brand.Firm)
			w.raw(">")
		} else {
			w.element("span", "", d.Brand.Firm)
		}
		w.raw("</div>\n")
	}
	w.element("h1", "", d.Title)
	w.element("p", "subtitle", d.Subtitle)
	w.element("p", "about", join(" · ", d.Client, d.Period))
	w.raw("\n")
	if len(d.Warnings) > 0 {
		w.raw(`<aside class="warnings" aria-labelledby="warnings">` + "\n" + `<h2 id="warnings">Before you read</h2>` + "\n")
		w.items("", d.Warnings)
		w.raw("</aside>\n")
	}
	w.raw(`<dl class="facts">` + "\n")
	if !slices.ContainsFunc(d.Facts, func(f document.Fact) bool { return f.Text == document.SayDay(d.At) }) {
		w.fact("As of", document.SayDay(d.At))
	}
	for _, f := range d.Facts {
		w.fact(f.Label, f.Text)
	}
	w.raw("</dl>\n")
	if len(d.Sections) > 1 {
		class := "contents"
		if !d.Layout.Contents {
			class += " unlisted"
		}
		w.raw(`<nav class="` + class + `" aria-labelledby="contents">` + "\n" + `<h2 id="contents">Contents</h2>` + "\n<ol>\n")
		for i, s := range d.Sections {
			fmt.Fprintf(w, `<li><a href="#section-%d">`, i+1)
			w.text(s.Title)
			w.raw("</a></li>\n")
		}
		w.raw("</ol>\n</nav>\n")
	}
	w.raw("</header>\n")
}

func (w *writer) fact(label, text string) {
	w.raw("<div>")
	w.element("dt", "", label)
	w.raw("<dd>")
	w.text(text)
	w.raw("</dd></div>\n")
}

// picture is the kind of a picture: JPEG, or otherwise PNG.
func picture(data []byte) string {
	if bytes.HasPrefix(data, []byte{0xFF, 0xD8, 0xFF}) {
		return "image/jpeg"
	}
	return "image/png"
}

func (w *writer) letter() {
	if len(w.d.Letter) == 0 {
		return
	}
	w.raw(`<section class="letter" aria-label="Cover letter">` + "\n" + "<h2>Cover letter</h2>\n")
	w.paragraphs(w.d.Letter)
	w.raw("</section>\n")
}

func (w *writer) section(i int, s document.Section) error {
	class := ""
	if s.NewPage || i == 0 && w.d.Layout.Cover {
		class = "page"
	}
	w.raw("<section")
	if class != "" {
		w.raw(` class="` + class + `"`)
	}
	fmt.Fprintf(w, ` aria-labelledby="section-%d">`+"\n"+`<h2 id="section-%d">`, i+1, i+1)
	w.text(s.Title)
	w.raw("</h2>\n")
	for _, b := range s.Blocks {
		if err := w.block(b); err != nil {
			return err
		}
	}
	w.raw("</section>\n")
	return nil
}

func (w *writer) footer() {
	snapshot := ""
	if w.d.Snapshot > 0 {
		snapshot = fmt.Sprintf("Snapshot %d", w.d.Snapshot)
	}
	w.raw(`<footer class="end">`)
	w.text(join(" · ", w.d.Brand.Firm, w.d.Title, w.d.Period, snapshot, w.d.Brand.Footer))
	w.raw("</footer>\n")
}

func (w *writer) paragraphs(texts []string) {
	for _, p := range texts {
		w.element("p", "", p)
		w.raw("\n")
	}
}

func (w *writer) items(class string, texts []string) {
	if len(texts) == 0 {
		return
	}
	w.open("ul", class)
	w.raw("\n")
	for _, t := range texts {
		w.element("li", "", t)
		w.raw("\n")
	}
	w.raw("</ul>\n")
}
