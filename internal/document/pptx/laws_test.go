package pptx_test

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/officetest"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// inEMU are the sides of a slide, 960 by 540 points.
const wideEMU, highEMU = 960 * 12700, 540 * 12700

// TestShapesStayOnTheirSlides is the law: whatever the texts, each shape lies on its slide,
// above the footer, and none is empty of height.
func TestShapesStayOnTheirSlides(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-zA-Z0-9漢ש🦊=<&"']{1,60}`)
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(word, 0, 30).Draw(t, "words"), " ")
	})
	number := rapid.Custom(func(t *rapid.T) *quantity.Decimal {
		d := officetest.Dec(rapid.StringMatching(`-?[0-9]{1,14}\.[0-9]{1,4}`).Draw(t, "number"))
		return &d
	})
	value := rapid.Custom(func(t *rapid.T) document.Value {
		if rapid.Bool().Draw(t, "known") {
			return document.Value{Number: number.Draw(t, "value"), Unit: rapid.SampledFrom([]quantity.Unit{quantity.Money, quantity.Ratio, quantity.Hours, quantity.MoneyPerMonth}).Draw(t, "unit"), Currency: "CHF"}
		}
		return document.Value{Missing: text.Draw(t, "missing")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		d := &document.Document{Title: text.Draw(rt, "title"), Subtitle: text.Draw(rt, "subtitle"), Client: text.Draw(rt, "client"), Brand: document.Brand{Firm: text.Draw(rt, "firm")}, Warnings: rapid.SliceOfN(text, 0, 5).Draw(rt, "warnings")}
		s := document.Section{Title: text.Draw(rt, "section")}
		tiles := &document.Tiles{Title: text.Draw(rt, "tiles")}
		for range rapid.IntRange(0, 10).Draw(rt, "tiles") {
			tiles.Items = append(tiles.Items, document.Tile{Label: text.Draw(rt, "label"), Value: value.Draw(rt, "value"), Period: text.Draw(rt, "period"), Note: text.Draw(rt, "note"), Change: &document.Change{Value: value.Draw(rt, "change"), Versus: text.Draw(rt, "versus")}})
		}
		table := &document.Table{Title: text.Draw(rt, "table"), Note: text.Draw(rt, "note")}
		columns := rapid.IntRange(1, 10).Draw(rt, "columns")
		for i := range columns {
			table.Columns = append(table.Columns, document.Column{Name: fmt.Sprint(i), Label: text.Draw(rt, "head"), Unit: rapid.SampledFrom([]quantity.Unit{quantity.Text, quantity.Money}).Draw(rt, "unit"), Currency: "USD"})
		}
		for range rapid.IntRange(0, 20).Draw(rt, "rows") {
			row := document.Row{Kind: rapid.SampledFrom([]document.RowKind{document.PlainRow, document.PlainRow, document.Group, document.Subtotal, document.Total}).Draw(rt, "kind"), Why: text.Draw(rt, "why")}
			for _, c := range table.Columns {
				if c.Unit == quantity.Text {
					row.Cells = append(row.Cells, text.Draw(rt, "cell"))
				} else {
					row.Cells = append(row.Cells, *number.Draw(rt, "cell"))
				}
			}
			table.Rows = append(table.Rows, row)
		}
		finding := &document.Finding{Headline: text.Draw(rt, "headline"), Subject: text.Draw(rt, "subject"), Measure: text.Draw(rt, "measure"), Value: value.Draw(rt, "value"), Stake: value.Draw(rt, "stake"), Recommendation: text.Draw(rt, "recommendation"), Review: text.Draw(rt, "review"), Assumptions: rapid.SliceOfN(text, 0, 5).Draw(rt, "assumptions")}
		for range rapid.IntRange(0, 5).Draw(rt, "drivers") {
			finding.Drivers = append(finding.Drivers, document.Driver{Name: text.Draw(rt, "driver"), Value: value.Draw(rt, "driver")})
		}
		s.Blocks = []document.Block{&document.Text{Title: text.Draw(rt, "text"), Paragraphs: rapid.SliceOfN(text, 0, 12).Draw(rt, "paragraphs"), Items: rapid.SliceOfN(text, 0, 5).Draw(rt, "items")}, tiles, table, finding}
		d.Sections = []document.Section{s}
		file := write(t, d)
		for i := range officetest.Parts(t, file, "ppt/slides/slide", ".xml") {
			onSlide(rt, i+1, officetest.Part(t, file, fmt.Sprintf("ppt/slides/slide%d.xml", i+1)))
		}
	})
}

// onSlide checks the places of a slide's shapes, and that rows of tables are as high as their
// frame says.
func onSlide(t *rapid.T, n int, slide string) {
	var at struct {
		X int64 `xml:"x,attr"`
		Y int64 `xml:"y,attr"`
	}
	dec := xml.NewDecoder(strings.NewReader(slide))
	depth, rows, frame := 0, int64(0), int64(0)
	for {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		attr := func(name string) (v int64) {
			for _, a := range e.Attr {
				if a.Name.Local == name {
					fmt.Sscan(a.Value, &v)
				}
			}
			return v
		}
		switch e.Name.Local {
		case "grpSpPr":
			depth++
		case "off":
			at.X, at.Y = attr("x"), attr("y")
		case "ext":
			if w, h := attr("cx"), attr("cy"); w != 0 || h != 0 {
				if at.X < 0 || at.Y < 0 || w <= 0 || h <= 0 || at.X+w > wideEMU || at.Y+h > highEMU*507/540 {
					t.Fatalf("slide %d: a shape at %d, %d of %d x %d points", n, at.X/12700, at.Y/12700, w/12700, h/12700)
				}
				frame = h
			}
		case "tbl":
			rows = 0
		case "tr":
			if rows += attr("h"); rows > frame+12700 {
				t.Fatalf("slide %d: rows of %d points in a table of %d", n, rows/12700, frame/12700)
			}
		}
	}
	if depth != 1 {
		t.Fatalf("slide %d was not read: %.200s", n, slide)
	}
}
