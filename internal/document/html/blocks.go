package html

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func (w *writer) block(b document.Block) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	switch b := b.(type) {
	case *document.Text:
		w.prose(b)
	case *document.Tiles:
		w.tiles(b)
	case *document.Table:
		w.raw(`<div class="block">` + "\n")
		if err := w.table(b, true); err != nil {
			return err
		}
		w.origin(b.Origin)
		w.raw("</div>\n")
	case *document.Chart:
		return w.chart(b)
	case *document.Finding:
		w.finding(b)
	default:
		return fmt.Errorf("html: there is no markup for a %T", b)
	}
	return nil
}

func (w *writer) prose(t *document.Text) {
	class := "block"
	switch t.Tone { // only known words become classes
	case document.Lead, document.Note, document.Warning:
		class += " " + string(t.Tone)
	}
	w.open("div", class)
	w.raw("\n")
	title := t.Title
	if t.Tone == document.Warning && title == "" {
		title = "Take care"
	}
	w.element("h3", "", title)
	w.paragraphs(t.Paragraphs)
	w.items("list", t.Items)
	w.origin(t.Origin)
	w.raw("</div>\n")
}

func (w *writer) tiles(t *document.Tiles) {
	w.raw(`<div class="block">` + "\n")
	w.element("h3", "", t.Title)
	w.raw("\n" + `<ul class="tiles">` + "\n")
	for _, tile := range t.Items {
		w.raw("<li>")
		w.element("p", "label", tile.Label)
		short, exact := tile.Value.Short(), tile.Value.Say()
		if len([]rune(exact)) <= 11 {
			short = exact
		}
		class := "value"
		if len([]rune(short)) > 9 {
			class += " long"
		}
		w.element("p", class, short)
		if exact != short {
			w.element("p", "small", exact)
		}
		if tile.Value.Number == nil {
			w.element("p", "small", tile.Value.Missing)
		}
		w.change(tile.Change)
		if i := tile.Interval; i != nil {
			w.element("p", "small", document.SayInterval(*i, tile.Value.Unit, tile.Value.Currency))
		}
		w.element("p", "small", tile.Period)
		w.element("p", "small", tile.Note)
		w.grade(tile.Grade)
		w.raw("</li>\n")
	}
	w.raw("</ul>\n")
	w.origin(t.Origin)
	w.raw("</div>\n")
}

// change writes a difference with an arrow: its color is never all that tells it.
func (w *writer) change(c *document.Change) {
	if c == nil {
		return
	}
	if c.Value.Number == nil {
		w.element("p", "small", join(" ", "No change to the", c.Versus, "is known."))
		return
	}
	class := "change"
	switch c.Good {
	case 1:
		class += " good"
	case -1:
		class += " bad"
	}
	arrow := map[int]string{1: "▲ ", -1: "▼ "}[c.Value.Number.Sign()]
	w.raw(`<p class="small">`)
	w.open("span", class)
	if arrow != "" {
		w.raw(`<span aria-hidden="true">` + arrow + "</span>")
	}
	w.text(c.Value.SayChange())
	w.raw("</span>")
	if c.Versus != "" {
		w.text(" vs " + c.Versus)
	}
	w.raw("</p>")
}

func (w *writer) grade(grade string) {
	words := document.SayGrade(grade)
	if words == "" {
		return
	}
	w.element("span", "grade "+grade, words) // the words are of a closed list
}

// region opens what scrolls sideways by itself when it is wider than the page; the keyboard
// reaches it, and no two have one name.
func (w *writer) region(label string) {
	if w.labels == nil {
		w.labels = map[string]int{}
	}
	if w.labels[label]++; w.labels[label] > 1 {
		label = fmt.Sprintf("%s (%d)", label, w.labels[label])
	}
	w.raw(`<div class="scroll" tabindex="0" role="region"`)
	w.attribute("aria-label", label)
	w.raw(">\n")
}

// rowsBetweenLooks is how many rows are written between looks at the context.
const rowsBetweenLooks = 1000

// table writes a table; titled says that its caption is seen and not only heard.
func (w *writer) table(t *document.Table, titled bool) error {
	w.region(join(" ", "Table:", t.Title))
	w.raw("<table>\n")
	if titled {
		w.raw("<caption>")
		w.text(t.Title)
		w.element("small", "", t.Note)
		w.raw("</caption>\n")
	}
	w.raw("<thead>\n<tr>")
	for _, c := range t.Columns {
		if c.Label == "" {
			w.raw("<td></td>")
			continue
		}
		w.raw(`<th scope="col"`)
		if document.IsNumber(c.Unit) {
			w.raw(` class="num"`)
		}
		w.raw(">")
		w.text(c.Label)
		if points := c.Change && c.Unit == quantity.Ratio; !points && (c.Currency != "" || !c.Unit.HasMoney()) {
			w.element("small", "", document.SayUnit(c.Unit, c.Currency))
		}
		w.raw("</th>")
	}
	w.raw("</tr>\n</thead>\n<tbody>\n")
	for i, r := range t.Rows {
		if i%rowsBetweenLooks == 0 {
			if err := w.ctx.Err(); err != nil {
				return err
			}
		}
		w.row(t, r)
	}
	w.raw("</tbody>\n</table>\n</div>\n")
	plain := 0
	for range t.Plain() {
		plain++
	}
	switch {
	case t.Of > plain:
		w.element("p", "small", fmt.Sprintf("The first %d of %d rows.", plain, t.Of))
	case len(t.Rows) == 0:
		w.element("p", "small", "No rows.")
	}
	return nil
}

// row writes a row. What drove it stands below it over the whole width, in a row of its own.
func (w *writer) row(t *document.Table, r document.Row) {
	class := ""
	switch r.Kind {
	case document.Group, document.Subtotal, document.Total:
		class = string(r.Kind)
	}
	if r.Why != "" && r.Kind != document.Group {
		class = join(" ", class, "whyed")
	}
	w.open("tr", class)
	if r.Kind == document.Group {
		fmt.Fprintf(w, `<th scope="rowgroup" colspan="%d">`, max(1, len(t.Columns)))
		if len(r.Cells) > 0 {
			w.text(t.Cell(r, 0))
		}
		w.element("small", "", r.Why)
		w.raw("</th></tr>\n")
		return
	}
	for j := range min(len(t.Columns), len(r.Cells)) {
		number := document.IsNumber(t.Columns[j].Unit)
		tag := "td"
		switch {
		case j == 0 && !number:
			tag = "th"
			w.raw(`<th scope="row">`)
		case number && r.Cells[j] == nil:
			w.raw(`<td class="num none">`)
		case number:
			w.raw(`<td class="num">`)
		default:
			w.raw("<td>")
		}
		if j == 0 && r.Kind != document.PlainRow && r.Cells[j] == nil {
			w.text(map[document.RowKind]string{document.Subtotal: "Subtotal", document.Total: "Total"}[r.Kind])
		} else if r.Cells[j] != nil || number || r.Kind == document.PlainRow {
			w.text(t.Cell(r, j))
		}
		w.raw("</" + tag + ">")
	}
	w.raw("</tr>\n")
	if r.Why != "" {
		fmt.Fprintf(w, `<tr class="why"><td colspan="%d">`, max(1, len(t.Columns)))
		w.element("small", "", r.Why)
		w.raw("</td></tr>\n")
	}
}

// Widths of charts, in points: of a page, and of a phone.
const wide, narrow = 654, 280

func (w *writer) chart(c *document.Chart) error {
	w.raw(`<div class="block">` + "\n<figure>\n<figcaption>")
	w.element("h3", "", c.Title)
	w.element("span", "small", join(" · ", c.Subtitle, unitWords(c)))
	w.raw("</figcaption>\n")
	for _, size := range []struct {
		width float64
		class string
	}{{wide, "wide"}, {narrow, "narrow"}} {
		picture := c.SVG(size.width, c.Height(size.width), w.d.Brand)
		w.raw(`<svg class="` + size.class + `"`)
		w.Write(bytes.TrimPrefix(picture, []byte("<svg")))
	}
	if !c.Empty() {
		w.raw("<details class=\"values\">\n<summary>Values</summary>\n")
		if err := w.table(c.AsTable(), false); err != nil {
			return err
		}
		w.raw("</details>\n")
	}
	w.raw("</figure>\n")
	w.origin(c.Origin)
	w.raw("</div>\n")
	return nil
}

// unitWords names the chart's unit where its subtitle does not.
func unitWords(c *document.Chart) string {
	unit := document.SayUnit(c.Unit, c.Currency)
	if unit == "" || strings.Contains(c.Subtitle, unit) || c.Unit == quantity.Ratio || c.Kind == document.Scatter {
		return ""
	}
	return unit
}

func (w *writer) finding(f *document.Finding) {
	w.raw(`<article class="block finding">` + "\n")
	w.element("h3", "", f.Headline)
	w.element("p", "small", join(" · ", f.Subject, f.Measure))
	if f.Review != "" {
		w.raw(`<p class="review"><strong>A person must look at it first:</strong> `)
		w.text(f.Review)
		w.raw("</p>\n")
	}
	w.raw("\n" + `<dl class="figures">`)
	interval := ""
	if f.Interval != nil {
		interval = document.SayInterval(*f.Interval, f.Value.Unit, f.Value.Currency)
	}
	w.figure(join(" ", f.Measure), f.Value, interval)
	if f.Stake.Number != nil || f.Stake.Missing != "" {
		w.figure("At stake in a year", f.Stake, "")
	}
	w.raw("</dl>\n")
	if len(f.Drivers) > 0 {
		w.element("h4", "", join(" ", "What moved it", against(f.Versus)))
		w.raw("<table>\n<thead><tr><th scope=\"col\">Driver</th><th scope=\"col\" class=\"num\">Effect</th></tr></thead>\n<tbody>\n")
		for _, d := range f.Drivers {
			w.raw(`<tr><th scope="row">`)
			w.text(d.Name)
			w.raw(`</th><td class="num">`)
			w.text(d.Value.SayChange())
			w.raw("</td></tr>\n")
		}
		w.raw("</tbody>\n</table>\n")
	}
	if f.Recommendation != "" {
		w.raw(`<div class="do"><h4>What to do</h4>`)
		w.element("p", "", f.Recommendation)
		w.raw("</div>\n")
	}
	if len(f.Assumptions) > 0 {
		w.raw("<h4>Assumptions</h4>\n")
		w.items("list", f.Assumptions)
	}
	reference := ""
	if f.Reference != "" {
		reference = "Finding " + f.Reference
	}
	w.origin(f.Origin, reference)
	w.raw("</article>\n")
}

func against(versus string) string {
	if versus == "" {
		return ""
	}
	return "against " + versus
}

func (w *writer) figure(label string, v document.Value, more string) {
	w.raw("<div>")
	w.element("dt", "", label)
	w.raw("<dd>")
	w.text(v.Say())
	if v.Number == nil {
		more = v.Missing
	}
	w.element("small", "", more)
	w.raw("</dd></div>\n")
}

// origin writes how to read a block, and where its figures come from.
func (w *writer) origin(o document.Origin, first ...string) {
	if len(o.Explain) > 0 {
		w.raw("<details>\n<summary>How to read this</summary>\n")
		w.paragraphs(o.Explain)
		w.raw("</details>\n")
	}
	parts := append(first, o.Period)
	if o.Snapshot > 0 {
		parts = append(parts, fmt.Sprintf("Snapshot %d", o.Snapshot))
	}
	if len(o.Sources) > 0 {
		parts = append(parts, "From "+strings.Join(o.Sources, ", "))
	}
	line := join(" · ", parts...)
	if line == "" && o.Grade == "" {
		return
	}
	w.raw(`<p class="origin">`)
	w.grade(o.Grade)
	reasons := strings.Join(o.Reasons, "; ")
	if o.Grade != "" && join("", reasons, line) != "" {
		w.raw(" ")
	}
	w.text(join(" · ", reasons, line))
	w.raw("</p>\n")
}
