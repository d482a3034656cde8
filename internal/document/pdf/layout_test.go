package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// fataler is a test or a property.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// laidOut writes a document and checks the laws of every layout: nothing leaves the frame of
// its page, no text lies over another, no page is blank, no glyph is missing.
func laidOut(t fataler, d *document.Document) (file []byte, saw *spy) {
	t.Helper()
	saw = &spy{}
	var b bytes.Buffer
	if err := write(context.Background(), &b, d, saw); err != nil {
		t.Fatalf("write: %v", err)
	}
	if saw.blanks > 0 {
		t.Fatalf("%d glyphs are missing", saw.blanks)
	}
	if saw.missed != 0 {
		t.Fatalf("of the headings that contents list, %d more are listed than reached", saw.missed)
	}
	const hair = 0.75
	byPage := map[int][]box{}
	for _, text := range saw.texts {
		on := saw.pages[text.page]
		if text.x < side-hair || text.x+text.w > on.w-side+hair {
			t.Fatalf("page %d: %q from %.1f to %.1f leaves the frame of a page %.0f wide", text.page, text.text, text.x, text.x+text.w, on.w)
		}
		if text.y < 30 || text.y+text.h > on.h-30 || !on.bareheaded && text.y < above-8 && text.y > 45 {
			t.Fatalf("page %d: %q at %.1f leaves the frame of a page %.0f high", text.page, text.text, text.y, on.h)
		}
		byPage[text.page] = append(byPage[text.page], text)
	}
	for _, r := range saw.rects {
		on := saw.pages[r.page]
		if r.x < -hair || r.y < -hair || r.x+r.w > on.w+hair || r.y+r.h > on.h+hair {
			t.Fatalf("page %d: a rectangle at %.1f, %.1f of %.1f by %.1f leaves the page", r.page, r.x, r.y, r.w, r.h)
		}
	}
	filled := map[int]bool{}
	for _, p := range saw.pieces {
		on := saw.pages[p.page]
		foot := on.h - below
		if on.bareheaded {
			foot = on.h - bare
		}
		if p.y+p.h > foot+hair {
			t.Fatalf("page %d: a piece from %.1f to %.1f leaves the text's frame, which ends at %.1f", p.page, p.y, p.y+p.h, foot)
		}
		filled[p.page] = filled[p.page] || p.h > 5
	}
	for page, on := range saw.pages {
		texts := 0
		for _, b := range byPage[page] {
			if b.y > 50 && b.y < on.h-50 {
				texts++
			}
		}
		if !filled[page] || texts == 0 {
			t.Fatalf("page %d of %d is blank", page, len(saw.pages))
		}
	}
	for page, boxes := range byPage {
		slices.SortFunc(boxes, func(a, b box) int { return int(1000 * (a.y - b.y)) })
		for i, a := range boxes {
			for _, b := range boxes[i+1:] {
				if b.y >= a.y+a.h-hair {
					break
				}
				if across := min(a.x+a.w, b.x+b.w) - max(a.x, b.x); across > hair && a.size == b.size {
					t.Fatalf("page %d: %q lies over %q", page, a.text, b.text)
				}
			}
		}
	}
	return b.Bytes(), saw
}

func TestEveryLayoutKeepsTheLaws(t *testing.T) {
	landscape := func(d *document.Document) *document.Document { d.Layout.Landscape = true; return d }
	letter := func(d *document.Document) *document.Document { d.Layout.Paper = "letter"; return d }
	plainly := func(d *document.Document) *document.Document {
		d.Layout.Cover, d.Layout.Contents, d.Brand.Logo = false, false, nil
		return d
	}
	only := func(blocks ...document.Block) *document.Document {
		return &document.Document{Title: "A report", Period: "June 2026", Sections: []document.Section{{Title: "Section", Blocks: blocks}}}
	}
	many := func(n int) (d *document.Document) {
		d = only()
		d.Layout = document.Layout{Cover: true, Contents: true}
		for i := range n {
			d.Sections = append(d.Sections, document.Section{Title: fmt.Sprintf("Section %d %s", i, hostile[i%len(hostile)]), Blocks: []document.Block{&document.Text{Title: hostile[(i+3)%len(hostile)], Paragraphs: []string{"A paragraph."}}}})
		}
		return d
	}
	everywhere := func() *document.Document {
		d := board(t)
		long := strings.Join(hostile, " ")
		d.Title, d.Subtitle, d.Client, d.Period, d.Brand.Firm, d.Brand.Footer, d.Brand.Logo = long, long, hostile[14], hostile[13], long, long, nil
		for i := range 50 {
			d.Facts = append(d.Facts, document.Fact{Label: hostile[i%len(hostile)], Text: hostile[(i+1)%len(hostile)]})
			d.Warnings = append(d.Warnings, hostile[i%len(hostile)])
			d.Letter = append(d.Letter, long)
		}
		for _, s := range d.Sections {
			for _, b := range s.Blocks {
				switch b := b.(type) {
				case *document.Tiles:
					for i := range b.Items {
						b.Items[i].Label, b.Items[i].Note = hostile[i%len(hostile)], long
					}
				case *document.Finding:
					b.Headline, b.Recommendation, b.Review = long, strings.Repeat(long+" ", 8), hostile[14]
				}
			}
		}
		return d
	}
	tall := func() *document.Table {
		table := columns(4, "Amount")
		table.Rows = table.Rows[:3]
		table.Rows[1] = document.Row{Cells: []any{strings.Repeat("A story that a ticket tells. ", 900), nil, nil, nil}, Why: strings.Repeat("Because it is so. ", 200)}
		return table
	}
	for name, d := range map[string]*document.Document{
		"every kind of block":               board(t),
		"every kind, lying":                 landscape(board(t)),
		"every kind, on letter paper":       letter(board(t)),
		"every kind, lying on letter paper": letter(landscape(board(t))),
		"without a cover":                   plainly(board(t)),
		"twenty pages":                      pages20(t),
		"hostile texts everywhere":          everywhere(),
		"hostile texts everywhere, lying":   landscape(everywhere()),
		"nothing at all":                    {},
		"nothing but a cover":               {Layout: document.Layout{Cover: true, Contents: true}},
		"a section without blocks":          only(),
		"a text that says nothing":          only(&document.Text{}),
		"a table without columns":           only(&document.Table{Title: "None"}),
		"a table without rows":              only(&document.Table{Title: "None", Columns: []document.Column{{Name: "a", Label: "A", Unit: quantity.Count}}}),
		"no tiles":                          only(&document.Tiles{}),
		"one tile":                          only(&document.Tiles{Items: []document.Tile{{Label: "Profit", Value: usd("-12.5"), Period: "June 2026"}}}),
		"a chart without values":            only(&document.Chart{Kind: document.Line, Title: "Empty"}),
		"a finding with nothing":            only(&document.Finding{}),
		"one row":                           only(&document.Table{Title: "One", Columns: []document.Column{{Name: "a", Label: "Profit", Unit: quantity.Money}}, Rows: []document.Row{{Cells: []any{dec("-3")}, Currency: "CHF"}}}),
		"8 columns":                         only(columns(8, "Amount")),
		"14 columns, on paper that lies":    only(columns(14, "Amount")),
		"20 columns, in parts":              only(columns(20, "Revenue of the quarter")),
		"60 columns, in parts":              only(columns(60, "Quarter"), &document.Text{Paragraphs: []string{"After it."}}),
		"heads that no page holds":          only(columns(5, strings.Repeat("Amount of everything ", 300))),
		"a row that no page holds":          only(tall()),
		"contents over several pages":       many(130),
		"contents of sections and blocks":   many(25),
		"a paragraph over several pages":    only(&document.Text{Tone: document.Warning, Paragraphs: []string{strings.Repeat("On and on. ", 2000)}}),
		"a word that no line holds":         only(&document.Text{Tone: document.Lead, Paragraphs: []string{strings.Repeat("x", 4000)}}),
		"more reasons than notes below":     only(reasons(60)),
		"a list of a thousand":              only(&document.Text{Items: slices.Repeat([]string{"An item"}, 1000)}),
	} {
		t.Run(name, func(t *testing.T) {
			first, _ := laidOut(t, d)
			again, _ := laidOut(t, d)
			if !bytes.Equal(first, again) {
				t.Error("the same document gave other bytes")
			}
		})
	}
}

// columns is a table of n columns whose first names clients.
func columns(n int, label string) *document.Table {
	table := &document.Table{Title: fmt.Sprintf("%d columns", n)}
	row, total := document.Row{}, document.Row{Kind: document.Total}
	for i := range n {
		c := document.Column{Name: fmt.Sprint(i), Label: fmt.Sprintf("%s %d", label, i+1), Unit: quantity.Money, Currency: "USD"}
		if i == 0 {
			c = document.Column{Name: "client", Label: "Client", Unit: quantity.Text}
			row.Cells, total.Cells = append(row.Cells, hostile[14]), append(total.Cells, "Total")
		} else {
			row.Cells, total.Cells = append(row.Cells, decimal.New(int64(-123456789*i), -2)), append(total.Cells, decimal.New(int64(-123456789*i), -2))
		}
		table.Columns = append(table.Columns, c)
	}
	for range 40 {
		table.Rows = append(table.Rows, row)
	}
	table.Rows = append(table.Rows, total)
	return table
}

// ownFont is a report in a firm's font, of which there is no bold one.
func ownFont(t *testing.T) *document.Document {
	t.Helper()
	data, err := os.ReadFile("../fonts/DejaVuSans.ttf")
	if err != nil {
		t.Fatal(err)
	}
	d := board(t)
	d.Brand.Font, d.Brand.Regular = "House Style", data
	return d
}

// reasons is a table with empty cells, each for a reason of its own.
func reasons(n int) *document.Table {
	table := &document.Table{Title: "Reasons", Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "margin", Label: "Margin", Unit: quantity.Ratio}}}
	for i := range n {
		table.Rows = append(table.Rows, document.Row{Cells: []any{fmt.Sprintf("Client %d", i), nil}, Why: fmt.Sprintf("Reason %d.", i)})
	}
	return table
}

// Any document at all keeps the laws.
func TestAnyDocumentKeepsTheLaws(t *testing.T) {
	name := rapid.OneOf(rapid.SampledFrom(hostile), rapid.String(), rapid.StringMatching(`[A-Za-z ]{0,60}`))
	number := rapid.Custom(func(t *rapid.T) quantity.Decimal {
		return decimal.New(rapid.Int64Range(-9_000_000_000_000, 9_000_000_000_000).Draw(t, "n"), -int32(rapid.IntRange(0, 6).Draw(t, "places")))
	})
	unit := rapid.SampledFrom([]quantity.Unit{quantity.Money, quantity.MoneyPerMonth, quantity.MoneyPerHour, quantity.Hours, quantity.Ratio, quantity.Count, quantity.Days, quantity.PerEndpoint})
	value := rapid.Custom(func(t *rapid.T) document.Value {
		v := document.Value{Unit: unit.Draw(t, "unit"), Currency: rapid.SampledFrom([]string{"USD", "EUR", "CHF", ""}).Draw(t, "currency")}
		if rapid.Bool().Draw(t, "known") {
			n := number.Draw(t, "number")
			v.Number = &n
		} else {
			v.Missing = name.Draw(t, "missing")
		}
		return v
	})
	origin := rapid.Custom(func(t *rapid.T) document.Origin {
		return document.Origin{Period: name.Draw(t, "period"), Snapshot: rapid.Int64Range(0, 99).Draw(t, "snapshot"), Grade: rapid.SampledFrom([]string{"", "high", "low"}).Draw(t, "grade"), Reasons: rapid.SliceOfN(name, 0, 2).Draw(t, "reasons")}
	})
	table := rapid.Custom(func(t *rapid.T) document.Block {
		b := &document.Table{Origin: origin.Draw(t, "origin"), Title: name.Draw(t, "title"), Note: name.Draw(t, "note"), Of: rapid.IntRange(0, 2).Draw(t, "of") * 500}
		for i := range rapid.IntRange(0, 24).Draw(t, "columns") {
			c := document.Column{Name: fmt.Sprint(i), Label: name.Draw(t, "label"), Unit: rapid.OneOf(unit, rapid.Just(quantity.Text), rapid.Just(quantity.Date)).Draw(t, "unit"), Currency: rapid.SampledFrom([]string{"USD", ""}).Draw(t, "currency")}
			b.Columns = append(b.Columns, c)
		}
		for range rapid.IntRange(0, 60).Draw(t, "rows") {
			r := document.Row{Kind: rapid.SampledFrom([]document.RowKind{"", "", "", document.Group, document.Subtotal, document.Total}).Draw(t, "kind"), Why: rapid.OneOf(rapid.Just(""), name).Draw(t, "why")}
			for _, c := range b.Columns {
				switch {
				case rapid.IntRange(0, 9).Draw(t, "empty") == 0:
					r.Cells = append(r.Cells, nil)
				case document.IsNumber(c.Unit):
					r.Cells = append(r.Cells, number.Draw(t, "cell"))
				default:
					r.Cells = append(r.Cells, name.Draw(t, "cell"))
				}
			}
			b.Rows = append(b.Rows, r)
		}
		return b
	})
	tiles := rapid.Custom(func(t *rapid.T) document.Block {
		b := &document.Tiles{Origin: origin.Draw(t, "origin"), Title: name.Draw(t, "title")}
		for range rapid.IntRange(0, 9).Draw(t, "tiles") {
			b.Items = append(b.Items, document.Tile{Label: name.Draw(t, "label"), Value: value.Draw(t, "value"), Period: name.Draw(t, "period"), Change: &document.Change{Value: value.Draw(t, "change"), Versus: name.Draw(t, "versus"), Good: rapid.IntRange(-1, 1).Draw(t, "good")}})
		}
		return b
	})
	finding := rapid.Custom(func(t *rapid.T) document.Block {
		b := &document.Finding{Origin: origin.Draw(t, "origin"), Headline: name.Draw(t, "headline"), Subject: name.Draw(t, "subject"), Value: value.Draw(t, "value"), Stake: value.Draw(t, "stake"), Recommendation: name.Draw(t, "do"), Review: name.Draw(t, "review"), Reference: name.Draw(t, "reference")}
		for range rapid.IntRange(0, 12).Draw(t, "drivers") {
			b.Drivers = append(b.Drivers, document.Driver{Name: name.Draw(t, "name"), Value: value.Draw(t, "value")})
		}
		return b
	})
	chart := rapid.Custom(func(t *rapid.T) document.Block {
		b := &document.Chart{Origin: origin.Draw(t, "origin"), Kind: rapid.SampledFrom([]document.ChartKind{document.Line, document.Columns, document.Bars, document.Stacked, document.HeatMap}).Draw(t, "kind"), Title: name.Draw(t, "title"), Unit: unit.Draw(t, "unit"), Currency: "USD"}
		b.Categories = rapid.SliceOfN(name, 0, 14).Draw(t, "categories")
		for range rapid.IntRange(0, 4).Draw(t, "series") {
			s := document.Series{Name: name.Draw(t, "series"), Values: make([]*quantity.Decimal, len(b.Categories))}
			for i := range s.Values {
				if rapid.Bool().Draw(t, "known") {
					n := number.Draw(t, "value")
					s.Values[i] = &n
				}
			}
			b.Series = append(b.Series, s)
		}
		return b
	})
	text := rapid.Custom(func(t *rapid.T) document.Block {
		return &document.Text{Title: name.Draw(t, "title"), Tone: rapid.SampledFrom([]document.Tone{document.Plain, document.Lead, document.Note, document.Warning}).Draw(t, "tone"), Paragraphs: rapid.SliceOfN(name, 0, 5).Draw(t, "paragraphs"), Items: rapid.SliceOfN(name, 0, 5).Draw(t, "items")}
	})
	rapid.Check(t, func(t *rapid.T) {
		d := &document.Document{Title: name.Draw(t, "title"), Subtitle: name.Draw(t, "subtitle"), Client: name.Draw(t, "client"), Period: name.Draw(t, "period"), Warnings: rapid.SliceOfN(name, 0, 3).Draw(t, "warnings"), Letter: rapid.SliceOfN(name, 0, 3).Draw(t, "letter"),
			Layout: document.Layout{Paper: rapid.SampledFrom([]string{"", "a4", "letter"}).Draw(t, "paper"), Landscape: rapid.Bool().Draw(t, "lying"), Cover: rapid.Bool().Draw(t, "cover"), Contents: rapid.Bool().Draw(t, "contents")},
			Brand:  document.Brand{Firm: name.Draw(t, "firm"), Footer: name.Draw(t, "footer")}}
		for range rapid.IntRange(0, 3).Draw(t, "sections") {
			d.Sections = append(d.Sections, document.Section{Title: name.Draw(t, "section"), NewPage: rapid.Bool().Draw(t, "new"), Blocks: rapid.SliceOfN(rapid.OneOf(text, tiles, finding, chart, table), 0, 5).Draw(t, "blocks")})
		}
		laidOut(t, d)
	})
}

func TestRowsStayWithTheirHeadings(t *testing.T) {
	for lead := range 40 { // the break falls before, at and behind the group
		table := &document.Table{Title: "Groups", Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "revenue", Label: "Revenue", Unit: quantity.Money, Currency: "USD"}}}
		for i := range 20 + lead {
			table.Rows = append(table.Rows, document.Row{Cells: []any{fmt.Sprintf("Row %d", i), dec("1")}})
		}
		table.Rows = append(table.Rows, document.Row{Kind: document.Group, Cells: []any{"The group", nil}}, document.Row{Cells: []any{"Its first row", dec("1")}}, document.Row{Kind: document.Subtotal, Cells: []any{"Its sum", dec("2")}})
		_, saw := laidOut(t, &document.Document{Title: "A report", Sections: []document.Section{{Title: "Section", Blocks: []document.Block{table}}}})
		at := map[string]int{}
		heads := map[int]int{}
		for _, b := range saw.texts {
			at[b.text] = b.page
			if b.text == "Revenue" {
				heads[b.page]++
			}
		}
		if at["The group"] != at["Its first row"] || at["Its first row"] != at["Its sum"] {
			t.Errorf("%d rows before: the group is on page %d, its first row on %d, its sum on %d", lead, at["The group"], at["Its first row"], at["Its sum"])
		}
		for page := range len(saw.pages) {
			if heads[page+1] != 1 {
				t.Errorf("page %d has the head %d times", page+1, heads[page+1])
			}
		}
	}
}

// Columns of words get the room that numbers do not need, so that names take two lines where
// they would take three.
func TestNamesTakeTwoLinesWhereThereIsRoom(t *testing.T) {
	text := func(label string) document.Column {
		return document.Column{Name: label, Label: label, Unit: quantity.Text}
	}
	count := func(label string) document.Column {
		return document.Column{Name: label, Label: label, Unit: quantity.Count}
	}
	table := &document.Table{Title: "Seats", Columns: []document.Column{
		text("Client"), text("Vendor"), text("Product"), text("Term"), {Name: "day", Label: "Renewal", Unit: quantity.Date}, count("Bought"), count("In use"), count("Too few"),
		{Name: "month", Label: "A month", Unit: quantity.MoneyPerMonth, Currency: "USD"}, {Name: "exposure", Label: "Exposure", Unit: quantity.Money, Currency: "USD"},
	}}
	for _, client := range []string{"Winterfield Title & Escrow", "Juniper Flats Accounting Partners"} {
		table.Rows = append(table.Rows, document.Row{Cells: []any{client, "Bastion", "Bastion Endpoint Protect", "monthly", "2027-06-01", dec("52"), dec("65"), dec("13"), dec("44.2"), dec("488.26")}})
	}
	_, saw := laidOut(t, &document.Document{Title: "A report", Sections: []document.Section{{Title: "Section", Blocks: []document.Block{table}}}})
	lines := map[string]int{}
	for _, b := range saw.texts {
		lines[b.text]++
	}
	for _, want := range []string{"Winterfield Title &", "Escrow", "Juniper Flats", "Accounting Partners", "Bastion Endpoint", "Protect"} {
		if lines[want] == 0 {
			t.Errorf("no line says %q", want)
		}
	}
}

func TestWhatCannotBeUsedIsSaid(t *testing.T) {
	fine := board(t)
	with := func(change func(d *document.Document)) *document.Document {
		d := *fine
		change(&d)
		return &d
	}
	big := logo(t, 8, 8)
	copy(big[16:], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // 65,536 by 65,536 pixels, as its head says
	for name, c := range map[string]struct {
		d          *document.Document
		path, want string
	}{
		"a logo that is no picture":   {with(func(d *document.Document) { d.Brand.Logo = []byte("<svg/>") }), "logo", "no PNG or JPEG"},
		"a logo that is cut off":      {with(func(d *document.Document) { d.Brand.Logo = d.Brand.Logo[:80] }), "logo", "PNG or JPEG"},
		"an empty logo":               {with(func(d *document.Document) { d.Brand.Logo = []byte{} }), "logo", "no PNG or JPEG"},
		"a logo as large as a wall":   {with(func(d *document.Document) { d.Brand.Logo = big }), "logo", "PNG or JPEG"},
		"a color that cannot be read": {with(func(d *document.Document) { d.Brand.Primary = "#FFEE00" }), "primary", "contrast"},
		"a font that is not there":    {with(func(d *document.Document) { d.Brand.Font = "Papyrus" }), "font", "not bundled"},
		"paper that is not there":     {with(func(d *document.Document) { d.Layout.Paper = "a3" }), "paper", "letter"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			err := Write(t.Context(), &b, c.d)
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("error is %v, want an Invalid one", err)
			}
			fields := fault.FieldsOf(err)
			if len(fields) != 1 || fields[0].Path != c.path || !strings.Contains(fields[0].Message, c.want) {
				t.Errorf("fields are %+v, want one at %s that says %q", fields, c.path, c.want)
			}
			if b.Len() > 0 {
				t.Errorf("%d bytes were written before the error", b.Len())
			}
		})
	}
	t.Run("a chart whose parts do not fit", func(t *testing.T) {
		d := &document.Document{Sections: []document.Section{{Blocks: []document.Block{&document.Chart{Kind: document.Line, Title: "Bad", Categories: []string{"a"}, Series: []document.Series{{Name: "s", Values: values("1", "2")}}}}}}}
		if err := Write(t.Context(), io.Discard, d); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "Bad") {
			t.Errorf("error is %v", err)
		}
	})
}

func TestAnEndedContextStopsALongTable(t *testing.T) {
	d := &document.Document{Title: "Long", Sections: []document.Section{{Title: "Rows", Blocks: []document.Block{long(100_000)}}}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := Write(ctx, io.Discard, d); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error is %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it went on for %s", took)
	}
}

// full is a disk without room.
type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(b), nil
}

func TestAFullDiskIsReported(t *testing.T) {
	d := &document.Document{Title: "Long", Sections: []document.Section{{Title: "Rows", Blocks: []document.Block{long(3000)}}}}
	for _, room := range []int{0, 1000, 100_000, 300_000} {
		if err := Write(t.Context(), &full{room}, d); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("with room for %d bytes the error is %v", room, err)
		}
	}
}

// Packs of many clients are written side by side.
func TestManyAtOnceGiveTheSameBytes(t *testing.T) {
	want, _ := laidOut(t, board(t))
	var all sync.WaitGroup
	for range 8 {
		d := board(t)
		all.Go(func() {
			var b bytes.Buffer
			if err := Write(context.Background(), &b, d); err != nil || !bytes.Equal(b.Bytes(), want) {
				t.Errorf("other bytes, error %v", err)
			}
		})
	}
	all.Wait()
}

func TestNoPageIsNearlyEmpty(t *testing.T) {
	section := func(title string, newPage bool, blocks ...document.Block) document.Section {
		return document.Section{Title: title, NewPage: newPage, Blocks: blocks}
	}
	pageOf := func(d *document.Document) map[string]int {
		_, saw := laidOut(t, d)
		at := map[string]int{}
		for _, b := range saw.texts {
			at[b.text] = b.page
		}
		return at
	}
	t.Run("few rows at the end of a table", func(t *testing.T) {
		for n := 4; n < 90; n++ {
			table := reasons(0)
			for i := range n {
				table.Rows = append(table.Rows, document.Row{Cells: []any{fmt.Sprintf("Row %d", i), dec("0.5")}})
			}
			at := pageOf(&document.Document{Title: "A report", Sections: []document.Section{section("Section", false, table)}})
			if at["Row 0"] != at["Row 2"] || at[fmt.Sprintf("Row %d", n-3)] != at[fmt.Sprintf("Row %d", n-1)] {
				t.Errorf("%d rows: the first on pages %d and %d, the last on %d and %d", n, at["Row 0"], at["Row 2"], at[fmt.Sprintf("Row %d", n-3)], at[fmt.Sprintf("Row %d", n-1)])
			}
		}
	})
	t.Run("a text before a table that lies", func(t *testing.T) {
		table := columns(14, "Amount")
		at := pageOf(&document.Document{Title: "A report", Sections: []document.Section{section("Upright", false, &document.Text{Paragraphs: []string{"Before."}}), section("Lying", false, &document.Text{Paragraphs: []string{"What it says."}}, table)}})
		if at["Lying"] != at["What it says."] || at["Lying"] != at[table.Title] || at["Lying"] == at["Before."] {
			t.Errorf("pages %v", at)
		}
	})
	t.Run("a section that begins a page", func(t *testing.T) {
		for rows, want := range map[int]int{3: 1, 16: 2} {
			at := pageOf(&document.Document{Title: "A report", Sections: []document.Section{section("One", false, reasons(rows)), section("Two", true, &document.Text{Paragraphs: []string{"Text."}})}})
			if at["Two"] != want {
				t.Errorf("after %d rows it is on page %d, want %d", rows, at["Two"], want)
			}
		}
	})
}
