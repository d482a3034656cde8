package pptx_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/officetest"
	"github.com/moatmetrics/moatmetrics/internal/document/pptx"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func write(t testing.TB, d *document.Document) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := pptx.Write(t.Context(), &out, d); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func all() map[string]*document.Document {
	docs := officetest.All()
	if own, err := os.ReadFile("../fonts/DejaVuSans.ttf"); err == nil { // one of the widest there are
		docs["wide font"] = officetest.Hostile()
		docs["wide font"].Brand.Font, docs["wide font"].Brand.Regular = "DejaVu Sans", own
	}
	docs["many rows"] = officetest.Big(500)
	wide := &document.Table{Title: "Wide"}
	for i := range 15 {
		wide.Columns = append(wide.Columns, document.Column{Name: fmt.Sprint("c", i), Label: fmt.Sprint("Column ", i+1), Unit: quantity.Money, Currency: "USD"})
	}
	wide.Columns[0] = document.Column{Name: "n", Label: "Name", Unit: quantity.Text}
	for r := range 5 {
		row := document.Row{Cells: []any{strings.Repeat("Name ", 60)}}
		for i := range 14 {
			row.Cells = append(row.Cells, officetest.Dec(fmt.Sprintf("%d123456.78", r*14+i+1)))
		}
		wide.Rows = append(wide.Rows, row)
	}
	docs["wide table"] = &document.Document{Title: "Wide", Sections: []document.Section{{Title: "W", Blocks: []document.Block{wide}}}}
	return docs
}

func TestPresentationsAreValid(t *testing.T) {
	t.Parallel()
	for name, d := range all() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, d)
			officetest.Valid(t, file, "pptx")
			for _, book := range officetest.Parts(t, file, "ppt/embeddings/", ".xlsx")[:min(2, len(officetest.Parts(t, file, "ppt/embeddings/", ".xlsx")))] {
				officetest.Valid(t, []byte(officetest.Part(t, file, book)), "xlsx")
			}
		})
	}
}

func TestTheValidatorSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	file := write(t, officetest.One())
	for name, broken := range map[string][]byte{
		"a shape without a body": officetest.Changed(t, file, "ppt/slides/slide1.xml", func(s string) string { return strings.Replace(s, "<a:bodyPr/>", "", 1) }),
		"a size that is none":    officetest.Changed(t, file, "ppt/presentation.xml", func(s string) string { return strings.Replace(s, `<p:sldSz cx="`, `<p:sldSz cx="x`, 1) }),
		"axes in a wrong order": officetest.Changed(t, file, "ppt/charts/chart1.xml", func(s string) string {
			return strings.Replace(s, `<c:delete val="0"/><c:axPos val="b"/>`, `<c:axPos val="b"/><c:delete val="0"/>`, 1)
		}),
		"no workbook": officetest.Changed(t, file, "ppt/charts/_rels/chart1.xml.rels", func(s string) string { return strings.Replace(s, `Id="rId1"`, `Id="rId7"`, 1) }),
	} {
		if faults := officetest.Validate(t, officetest.Save(t, broken, "pptx")); len(faults) == 0 {
			t.Errorf("%s: no fault found", name)
		}
	}
}

func TestTheSameDocumentGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	for name, d := range officetest.All() {
		first := write(t, d)
		for range 5 {
			if again := write(t, d); !bytes.Equal(first, again) {
				t.Fatalf("%s: other bytes", name)
			}
		}
	}
}

func TestNothingLeavesItsSlide(t *testing.T) {
	for name, d := range all() {
		t.Run(name, func(t *testing.T) {
			file := write(t, d)
			pages := officetest.Pages(t, file, "pptx")
			if want := len(officetest.Parts(t, file, "ppt/slides/slide", ".xml")); len(pages) != want {
				t.Errorf("%d pages of %d slides", len(pages), want)
			}
			for i, p := range pages {
				if len(p.Words) == 0 || p.Inked < 0.0005 {
					t.Errorf("slide %d is blank", i+1)
				}
				for _, w := range p.Words {
					if w.Left < 0 || w.Top < 0 || w.Right > p.Width || w.Down > p.Height {
						t.Errorf("slide %d: %q leaves it: %+v of %.0f x %.0f", i+1, w.Text, w, p.Width, p.Height)
					}
				}
				if i == 0 {
					continue
				}
				// The footer's line has nothing of the slide in it: what overflows would be there.
				foot := p.Height * 507 / 540
				for _, w := range p.Words {
					if w.Down > foot+1 && w.Top < foot-2 {
						t.Errorf("slide %d: %q runs into the footer: %+v", i+1, w.Text, w)
					}
				}
			}
		})
	}
}

// texts are the paragraphs of a part, in reading order.
func texts(t testing.TB, part string) (out []string) {
	t.Helper()
	dec, now := xml.NewDecoder(strings.NewReader(part)), ""
	in := false
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			in = tok.Name.Local == "t"
		case xml.CharData:
			if in {
				now += string(tok)
			}
		case xml.EndElement:
			in = false
			if tok.Name.Local == "p" && now != "" {
				out, now = append(out, now), ""
			}
		}
	}
}

// slides are the texts of all slides in order.
func slides(t testing.TB, file []byte) (out [][]string) {
	t.Helper()
	for i := range officetest.Parts(t, file, "ppt/slides/slide", ".xml") {
		out = append(out, texts(t, officetest.Part(t, file, fmt.Sprintf("ppt/slides/slide%d.xml", i+1))))
	}
	return out
}

var point = regexp.MustCompile(`<c:f>([^<]*)</c:f><c:(?:num|str)Cache>(.*?)</c:(?:num|str)Cache>`)
var value = regexp.MustCompile(`<c:pt idx="(\d+)"><c:v>([^<]*)</c:v>`)

// TestChartsShowTheCellsOfTheirWorkbooks holds each number and text that a chart has ready
// against the cell that it names.
func TestChartsShowTheCellsOfTheirWorkbooks(t *testing.T) {
	t.Parallel()
	for name, d := range officetest.All() {
		file, seen := write(t, d), 0
		for i := range officetest.Parts(t, file, "ppt/charts/chart", ".xml") {
			f, err := excelize.OpenReader(strings.NewReader(officetest.Part(t, file, fmt.Sprintf("ppt/embeddings/workbook%d.xlsx", i+1))))
			if err != nil {
				t.Fatal(err)
			}
			chart := officetest.Part(t, file, fmt.Sprintf("ppt/charts/chart%d.xml", i+1))
			for _, ref := range point.FindAllStringSubmatch(chart, -1) {
				from, _, _ := strings.Cut(strings.TrimPrefix(strings.ReplaceAll(ref[1], "$", ""), "'Data'!"), ":")
				col, row, err := excelize.CellNameToCoordinates(from)
				if err != nil {
					t.Fatalf("%s: %v", ref[1], err)
				}
				for _, v := range value.FindAllStringSubmatch(ref[2], -1) {
					var idx int
					fmt.Sscan(v[1], &idx)
					at, _ := excelize.CoordinatesToCellName(col, row+idx)
					cell, err := f.GetCellValue("Data", at, excelize.Options{RawCellValue: true})
					if err != nil {
						t.Fatal(err)
					}
					var want string
					if err := xml.Unmarshal([]byte("<v>"+v[2]+"</v>"), &want); err != nil {
						t.Fatal(err)
					}
					if want = strings.ReplaceAll(want, "_x005F_", "_"); cell != want { // read from the sheet it is unmarked
						t.Errorf("%s, chart %d: %s has %q, the chart shows %q", name, i+1, at, cell, want)
					}
					seen++
				}
			}
			f.Close()
		}
		if name == "full" && seen < 200 {
			t.Errorf("only %d values were compared", seen)
		}
	}
}

func TestEveryFigureIsOnASlide(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*document.Document{"full": officetest.Full(), "one": officetest.One(), "wide": all()["wide table"]} {
		file := write(t, d)
		said, cached := map[string]int{}, map[string]int{}
		for _, s := range slides(t, file) {
			for _, text := range s {
				said[text]++
			}
		}
		for _, part := range officetest.Parts(t, file, "ppt/charts/chart", ".xml") {
			chart := officetest.Part(t, file, part)
			for _, text := range texts(t, chart) {
				said[text]++
			}
			for _, ref := range point.FindAllStringSubmatch(chart, -1) {
				for _, v := range value.FindAllStringSubmatch(ref[2], -1) {
					cached[v[2]]++
				}
			}
		}
		take := func(from map[string]int, key, where string) {
			if from[key]--; from[key] < 0 {
				t.Errorf("%s: %s: %q is nowhere, or less often than it should be", name, where, key)
			}
		}
		part := func(s, where string) {
			for text := range said {
				if strings.Contains(text, s) {
					return
				}
			}
			t.Errorf("%s: %s: %q is nowhere", name, where, s)
		}
		for _, s := range d.Sections {
			for _, b := range s.Blocks {
				switch b := b.(type) {
				case *document.Tiles:
					for _, tile := range b.Items {
						take(said, tile.Value.Short(), tile.Label)
						part(tile.Value.Say(), tile.Label)
						if tile.Change != nil {
							part(tile.Change.Value.SayChange(), tile.Label+", change")
						}
					}
				case *document.Table:
					for _, r := range b.Rows {
						for i := range b.Columns {
							if _, ok := r.Cells[i].(quantity.Decimal); ok {
								take(said, b.Cell(r, i), b.Title+", "+b.Columns[i].Name)
							}
						}
					}
				case *document.Finding:
					part(b.Value.Say(), b.Headline)
					part(b.Stake.Say(), b.Headline+", stake")
					for _, driver := range b.Drivers {
						take(cached, driver.Value.Number.String(), b.Headline+", "+driver.Name)
					}
				case *document.Chart:
					for _, ser := range b.Series {
						for i, v := range ser.Values {
							switch {
							case v == nil:
							case b.Kind == document.HeatMap:
								take(said, b.Value(v).Short(), b.Title+", "+ser.Name)
							case b.Kind == document.Waterfall: // the bars are parts of it; the label says it
								part(b.Value(v).Short(), b.Title+", "+b.Categories[i])
							default:
								take(cached, v.String(), b.Title+", "+ser.Name)
							}
						}
					}
					for _, p := range b.Points {
						take(cached, p.X.String(), b.Title+", "+p.Label)
						take(cached, p.Y.String(), b.Title+", "+p.Label)
					}
				}
			}
		}
	}
}

func TestSlidesCanBeReadWithoutSeeingThem(t *testing.T) {
	t.Parallel()
	file := write(t, officetest.Full())
	frame := regexp.MustCompile(`<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="\d+" name="([^"]+)" descr="([^"]*)"/>`)
	ids := regexp.MustCompile(`<p:cNvPr id="(\d+)"`)
	for i := range officetest.Parts(t, file, "ppt/slides/slide", ".xml") {
		slide := officetest.Part(t, file, fmt.Sprintf("ppt/slides/slide%d.xml", i+1))
		if !strings.Contains(slide, `type="title"`) && !strings.Contains(slide, `type="ctrTitle"`) {
			t.Errorf("slide %d has no title", i+1)
		}
		for _, m := range frame.FindAllStringSubmatch(slide, -1) {
			if m[2] == "" {
				t.Errorf("slide %d: %s has no description", i+1, m[1])
			}
		}
		if strings.Contains(slide, "<a:tbl>") && !strings.Contains(slide, `<a:tblPr firstRow="1"`) {
			t.Errorf("slide %d: the table has no head", i+1)
		}
		seen := map[string]bool{}
		for _, m := range ids.FindAllStringSubmatch(slide, -1) {
			if seen[m[1]] {
				t.Errorf("slide %d has two shapes %s", i+1, m[1])
			}
			seen[m[1]] = true
		}
	}
	notes := strings.Join(texts(t, officetest.Part(t, file, "ppt/notesSlides/notesSlide7.xml")), "\n")
	for _, want := range []string{"Gross profit is revenue less labor and direct cost.", "Period: July 2025 to June 2026", "Snapshot: 42", "High confidence: 98% of hours have a cost rate. All invoices of the period are imported.", "From: invoices, time_entries"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes do not say %q:\n%s", want, notes)
		}
	}
	if alt := officetest.Part(t, file, "ppt/slides/slide7.xml"); !strings.Contains(alt, `descr="How did gross profit develop, and what is expected?: Actual from $38,200.50 (Jul 25)`) {
		t.Errorf("%.3000s", alt)
	}
}

func TestWhatIsCutOnASlideIsWholeInTheNotes(t *testing.T) {
	t.Parallel()
	title := strings.Repeat("A headline that goes on and on ", 30)
	d := &document.Document{Title: "x", Sections: []document.Section{{Title: "S", Blocks: []document.Block{&document.Finding{Headline: title, Value: document.Value{Missing: "none"}}}}}}
	file := write(t, d)
	if !slices.ContainsFunc(slides(t, file)[1], func(s string) bool { return strings.HasSuffix(s, "…") }) {
		t.Error("nothing is cut")
	}
	if notes := texts(t, officetest.Part(t, file, "ppt/notesSlides/notesSlide2.xml")); !slices.Contains(notes, title) {
		t.Errorf("%q", notes)
	}
}

func TestLongTablesShowTheirFirstRowsAndSaySo(t *testing.T) {
	t.Parallel()
	rows, said, totals := 0, false, 0
	for _, s := range slides(t, write(t, officetest.Big(500))) {
		on := 0
		for _, text := range s {
			if strings.HasPrefix(text, "Client ") {
				on++
			}
			said = said || strings.Contains(text, "The first 36 of 500 rows; all are in the workbook.")
			if text == "All clients" {
				totals++
			}
		}
		if on > 14 { // the last ones are not left alone
			t.Errorf("%d rows on a slide", on)
		}
		rows += on
	}
	if rows != 36 || !said || totals != 1 {
		t.Errorf("%d rows, said %v, %d totals", rows, said, totals)
	}
}

func TestABrandColorsTheTheme(t *testing.T) {
	t.Parallel()
	d := officetest.One()
	d.Brand = document.Brand{Firm: "Firm & Sons", Primary: "#116644", Accent: "#7A1F5C", Font: "Georgia", Logo: []byte("no picture")}
	file := write(t, d)
	theme := officetest.Part(t, file, "ppt/theme/theme1.xml")
	for _, want := range []string{`<a:accent1><a:srgbClr val="116644"/>`, `<a:accent2><a:srgbClr val="7A1F5C"/>`, `<a:latin typeface="Georgia"/>`} {
		if !strings.Contains(theme, want) {
			t.Errorf("the theme lacks %s", want)
		}
	}
	if media := officetest.Parts(t, file, "ppt/media/", ""); len(media) > 0 {
		t.Errorf("a logo that is no picture: %v", media)
	}
	officetest.Valid(t, file, "pptx")
}

func TestTextsOfAWideFontAreSetSmaller(t *testing.T) {
	t.Parallel()
	d := all()["wide font"]
	if d == nil {
		t.Fatal("the font is not there")
	}
	size := regexp.MustCompile(`<p:ph type="subTitle" idx="1"/>.*?sz="(\d+)"`)
	wide := size.FindStringSubmatch(officetest.Part(t, write(t, d), "ppt/slides/slide1.xml"))
	usual := size.FindStringSubmatch(officetest.Part(t, write(t, officetest.Hostile()), "ppt/slides/slide1.xml"))
	if wide == nil || usual == nil || usual[1] != "2000" || wide[1] >= "1850" || wide[1] < "1500" {
		t.Errorf("%v, usually %v", wide, usual)
	}
}

func TestStoppingWritesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := pptx.Write(ctx, &out, officetest.Full()); !errors.Is(err, context.Canceled) || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}

// BenchmarkDeck writes a deck of twelve slides, six with charts.
func BenchmarkDeck(b *testing.B) {
	d := officetest.Full()
	d.Letter, d.Warnings = nil, nil
	d.Sections = []document.Section{{Title: "Results", Blocks: d.Sections[0].Blocks[:5]}, {Title: "Clients", Blocks: d.Sections[1].Blocks[:4]}}
	file := write(b, d)
	n := len(officetest.Parts(b, file, "ppt/slides/slide", ".xml"))
	b.ReportAllocs()
	var high uint64
	for b.Loop() {
		if err := pptx.Write(b.Context(), io.Discard, d); err != nil {
			b.Fatal(err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		high = max(high, m.HeapInuse)
	}
	b.ReportMetric(float64(n), "slides")
	b.ReportMetric(float64(high)/(1<<20), "heap-MB")
}
