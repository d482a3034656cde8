package xlsx_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/officetest"
	"github.com/moatmetrics/moatmetrics/internal/document/xlsx"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func write(t testing.TB, d *document.Document) []byte {
	t.Helper()
	var out bytes.Buffer
	dir := t.TempDir()
	if err := xlsx.Write(t.Context(), &out, d, dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
	return out.Bytes()
}

func open(t testing.TB, file []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestWorkbooksAreValid(t *testing.T) {
	t.Parallel()
	for name, d := range officetest.All() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			officetest.Valid(t, write(t, d), "xlsx")
		})
	}
}

func TestTheValidatorSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	file := write(t, officetest.One())
	for name, broken := range map[string][]byte{
		"an attribute with nonsense": officetest.Changed(t, file, "xl/worksheets/sheet1.xml", func(s string) string { return strings.Replace(s, `<row r="1"`, `<row r="x"`, 1) }),
		"elements in a wrong order": officetest.Changed(t, file, "xl/charts/chart1.xml", func(s string) string {
			return strings.Replace(s, `<c:order val="0"/>`, ``, 1)
		}),
		"an element that there is not": officetest.Changed(t, file, "xl/workbook.xml", func(s string) string { return strings.Replace(s, `<sheets>`, `<bogus/><sheets>`, 1) }),
	} {
		if faults := officetest.Validate(t, officetest.Save(t, broken, "xlsx")); len(faults) == 0 {
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

func TestEveryFigureIsANumberInACell(t *testing.T) {
	t.Parallel()
	for name, d := range officetest.All() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			numbers := map[string]int{}
			f := open(t, write(t, d))
			for _, sheet := range f.GetSheetList() {
				rows, err := f.Rows(sheet)
				if err != nil {
					t.Fatal(err)
				}
				for rows.Next() {
					cells, err := rows.Columns(excelize.Options{RawCellValue: true})
					if err != nil {
						t.Fatal(err)
					}
					for _, c := range cells {
						if d, err := quantity.ParseDecimal(c); err == nil {
							numbers[d.String()]++
						}
					}
				}
			}
			checked := 0
			for fig := range d.Figures() {
				if fig.Value.Number == nil {
					continue
				}
				checked++
				key := fig.Value.Number.String()
				if numbers[key]--; numbers[key] < 0 {
					t.Errorf("%s: %s is in no cell of its own", fig.Where, key)
				}
			}
			if checked == 0 && name != "empty" {
				t.Error("no figure was checked")
			}
		})
	}
}

func TestTableCellsAreTypedAndInTheirPlaces(t *testing.T) {
	t.Parallel()
	f := open(t, write(t, officetest.Full()))
	const sheet = "Margin by client"
	table := officetest.Clients(9)
	for i, r := range table.Rows {
		for j, want := range r.Cells {
			at, _ := excelize.CoordinatesToCellName(j+1, i+5)
			raw, err := f.GetCellValue(sheet, at, excelize.Options{RawCellValue: true})
			if err != nil {
				t.Fatal(err)
			}
			shown, _ := f.GetCellValue(sheet, at)
			switch want := want.(type) {
			case nil:
				if raw != "" {
					t.Errorf("%s: %q, want nothing", at, raw)
				}
			case quantity.Decimal:
				if got, err := quantity.ParseDecimal(raw); err != nil || !got.Equal(want) {
					t.Errorf("%s: %q, want %s", at, raw, want)
				}
			case string:
				if j == 1 { // a month
					if day, err := time.Parse(time.DateOnly, want); err != nil || shown != day.Format("Jan 2006") || raw == shown {
						t.Errorf("%s: %q shown as %q, want a date in %s", at, raw, shown, want)
					}
				} else if raw != want {
					t.Errorf("%s: %q, want %q", at, raw, want)
				}
			}
		}
	}
	if shown, _ := f.GetCellValue(sheet, "C6"); shown != "90,000.00" {
		t.Errorf("money is shown as %q", shown)
	}
	if shown, _ := f.GetCellValue(sheet, "E6"); shown != "40.0%" {
		t.Errorf("a ratio is shown as %q", shown)
	}
	if head, _ := f.GetCellValue(sheet, "C4"); head != "Revenue (USD)" {
		t.Errorf("head: %q", head)
	}
	panes, err := f.GetPanes(sheet)
	if err != nil || !panes.Freeze || panes.YSplit != 4 {
		t.Errorf("the heads are not frozen: %+v %v", panes, err)
	}
	if !strings.Contains(officetest.Part(t, write(t, officetest.Full()), "xl/worksheets/sheet4.xml"), `<autoFilter ref="$A$4:$F$`) {
		t.Error("no filter")
	}
}

func TestPropertiesAreOfTheDocument(t *testing.T) {
	t.Parallel()
	p, err := open(t, write(t, officetest.Full())).GetDocProps()
	if err != nil || p.Title != "Executive summary" || p.Creator != "Northwind IT" || p.Created != "2026-06-30T18:00:00Z" {
		t.Errorf("%+v %v", p, err)
	}
}

func TestNoTextIsAFormula(t *testing.T) {
	t.Parallel()
	file := write(t, officetest.Hostile())
	f := open(t, file)
	seen := 0
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for r, row := range rows {
			for c, text := range row {
				at, _ := excelize.CoordinatesToCellName(c+1, r+1)
				if formula, _ := f.GetCellFormula(sheet, at); formula != "" && !strings.HasPrefix(formula, "SUBTOTAL(109,") && !strings.HasPrefix(formula, "SUM(") {
					t.Errorf("%s %s: formula %q", sheet, at, formula)
				}
				if text == "=1+1" {
					seen++
				}
				if strings.ContainsAny(text, "\x00\x07\x1b\u202e") {
					t.Errorf("%s %s: %q", sheet, at, text)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("=1+1 is nowhere")
	}
}

func TestNamesOfSheetsAreLegalAndNew(t *testing.T) {
	t.Parallel()
	d := &document.Document{Title: "Names", At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	names := []string{"a/b:c[d]*?\\", "History", "Summary", "summary", "SUMMARY", "", "'quoted'", strings.Repeat("🦊", 40), strings.Repeat("🦊", 40) + "x", strings.Repeat("long ", 20), strings.Repeat("long ", 21), "Findings", "\x00\x01"}
	for _, n := range names {
		d.Sections = append(d.Sections, document.Section{Title: n, Blocks: []document.Block{&document.Table{Title: n, Columns: []document.Column{{Name: "x", Label: "x", Unit: quantity.Text}}}}})
	}
	file := write(t, d)
	officetest.Valid(t, file, "xlsx")
	seen := map[string]bool{}
	sheets := open(t, file).GetSheetList()
	for _, s := range sheets {
		if key := strings.ToLower(s); seen[key] || len(s) == 0 || key == "history" || strings.ContainsAny(s, `:\/?*[]`) || strings.Trim(s, "'") != s {
			t.Errorf("sheet %q", s)
		}
		seen[strings.ToLower(s)] = true
	}
	if len(sheets) != len(names)+1 {
		t.Errorf("%d sheets: %q", len(sheets), sheets)
	}
}

func TestLibreOfficeDrawsWorkbooks(t *testing.T) {
	for name, d := range officetest.All() {
		t.Run(name, func(t *testing.T) {
			blank := 0
			pages := officetest.Pages(t, write(t, d), "xlsx")
			for i, p := range pages {
				if len(p.Words) == 0 {
					blank++
				}
				for _, w := range p.Words {
					if w.Left < -1 || w.Top < -1 || w.Right > p.Width+1 || w.Down > p.Height+1 {
						t.Errorf("page %d: %q leaves it: %+v of %.0f x %.0f", i+1, w.Text, w, p.Width, p.Height)
					}
				}
			}
			if len(pages) == 0 || blank > 0 {
				t.Errorf("%d of %d pages are blank", blank, len(pages))
			}
		})
	}
}

func TestStoppingLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	var out bytes.Buffer
	if err := xlsx.Write(ctx, &out, officetest.Big(200_000), dir); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 || out.Len() > 0 {
		t.Errorf("left behind: %v, %v, %d bytes", left, err, out.Len())
	}
	d := officetest.Full()
	d.Sections[0].Blocks = append(d.Sections[0].Blocks, &document.Chart{Kind: document.Columns, Title: "Broken", Categories: []string{"a"}, Series: []document.Series{{Name: "x", Values: officetest.Decs("1", "2")}}})
	if err := xlsx.Write(t.Context(), &out, d, dir); err == nil || !strings.Contains(err.Error(), `chart "Broken"`) || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}
