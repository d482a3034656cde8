package xlsx_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/officetest"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// sumOf adds up in decimals what a formula names, leaving out cells that are formulas.
func sumOf(t testing.TB, f *excelize.File, sheet, formula string) quantity.Decimal {
	t.Helper()
	inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(formula, "SUBTOTAL(109,"), "SUM("), ")")
	sum := quantity.Decimal{}
	for part := range strings.SplitSeq(inner, ",") {
		from, to, ok := strings.Cut(part, ":")
		if !ok {
			t.Fatalf("formula %q", formula)
		}
		col, first, err := excelize.CellNameToCoordinates(from)
		if err != nil {
			t.Fatal(err)
		}
		_, last, err := excelize.CellNameToCoordinates(to)
		if err != nil {
			t.Fatal(err)
		}
		for row := first; row <= last; row++ {
			at, _ := excelize.CoordinatesToCellName(col, row)
			if nested, _ := f.GetCellFormula(sheet, at); nested != "" {
				continue
			}
			raw, err := f.GetCellValue(sheet, at, excelize.Options{RawCellValue: true})
			if err != nil {
				t.Fatal(err)
			}
			if d, err := quantity.ParseDecimal(raw); err == nil && raw != "" {
				sum = sum.Add(d)
			}
		}
	}
	return sum
}

func TestSumsAreFormulasThatAgreeWithTheirNumbers(t *testing.T) {
	t.Parallel()
	f := open(t, write(t, officetest.Full()))
	formulas := map[string]string{}
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for r, row := range rows {
			for c := range row {
				at, _ := excelize.CoordinatesToCellName(c+1, r+1)
				formula, _ := f.GetCellFormula(sheet, at)
				if formula == "" {
					continue
				}
				formulas[sheet+" "+at] = formula
				raw, _ := f.GetCellValue(sheet, at, excelize.Options{RawCellValue: true})
				if cached, err := quantity.ParseDecimal(raw); err != nil || !cached.Equal(sumOf(t, f, sheet, formula)) {
					t.Errorf("%s %s: %s shows %s, adds up to %s", sheet, at, formula, raw, sumOf(t, f, sheet, formula))
				}
			}
		}
	}
	const sheet = "Margin by client "
	for at, want := range map[string]string{"C10": "SUBTOTAL(109,C6:C9)", "D10": "SUBTOTAL(109,D6:D9)", "C17": "SUBTOTAL(109,C12:C16)", "C18": "SUBTOTAL(109,C5:C17)", "E18": "", "E10": ""} {
		if got := formulas[sheet+at]; got != want {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
	drivers := 0
	for at, formula := range formulas {
		if strings.HasPrefix(at, "Findings ") && strings.HasPrefix(formula, "SUM(B") {
			drivers++
		}
	}
	if drivers != 1 {
		t.Errorf("%d sums of drivers, want 1: %v", drivers, formulas)
	}
}

// TestAFormulaStandsJustWhereRowsAddUp is the law: a sum is a formula when, and only when,
// the rows above it add up to it, whatever the rows are.
func TestAFormulaStandsJustWhereRowsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		table := &document.Table{Title: "T", Columns: []document.Column{{Name: "n", Label: "Name", Unit: quantity.Text}, {Name: "v", Label: "Value", Unit: quantity.Money}}}
		sum, exact := quantity.Decimal{}, true
		n := rapid.IntRange(1, 8).Draw(rt, "rows")
		for i := range n {
			d := officetest.Dec(rapid.StringMatching(`-?[0-9]{1,12}\.[0-9]{1,4}`).Draw(rt, "value"))
			exact = exact && held(d)
			sum = sum.Add(d)
			table.Rows = append(table.Rows, document.Row{Cells: []any{fmt.Sprint(i), d}, Currency: "USD"})
		}
		off := rapid.SampledFrom([]string{"0", "0", "0.0001", "-1"}).Draw(rt, "off")
		given := sum.Add(officetest.Dec(off))
		other := rapid.SampledFrom([]string{"USD", "USD", "EUR"}).Draw(rt, "currency")
		table.Rows = append(table.Rows, document.Row{Kind: document.Total, Cells: []any{"Total", given}, Currency: other})
		f := open(t, write(t, &document.Document{Title: "x", At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Sections: []document.Section{{Title: "T", Blocks: []document.Block{table}}}}))
		at := fmt.Sprintf("B%d", n+5)
		formula, _ := f.GetCellFormula("T", at)
		want := exact && off == "0" && other == "USD" && held(given)
		if (formula != "") != want {
			rt.Fatalf("%s of %d rows, off by %s, in %s: formula %q", given, n, off, other, formula)
		}
		raw, _ := f.GetCellValue("T", at, excelize.Options{RawCellValue: true})
		got, err := quantity.ParseDecimal(raw)
		if err != nil || got.Sub(given).Abs().GreaterThan(given.Abs().Shift(-14)) {
			rt.Fatalf("%s became %q", given, raw)
		}
	})
}

// held reports whether 15 significant digits hold a number.
func held(d quantity.Decimal) bool {
	return len(strings.Trim(strings.ReplaceAll(d.Abs().String(), ".", ""), "0")) <= 15
}

func TestATotalOfASubtotalThatDoesNotAddUpLeavesItOut(t *testing.T) {
	t.Parallel()
	row := func(kind document.RowKind, name, v string) document.Row {
		return document.Row{Kind: kind, Cells: []any{name, officetest.Dec(v)}}
	}
	table := &document.Table{Title: "T", Columns: []document.Column{{Name: "n", Label: "Name", Unit: quantity.Text}, {Name: "v", Label: "Value", Unit: quantity.Count}},
		Rows: []document.Row{row("", "a", "1"), row("", "b", "2"), row(document.Subtotal, "people in both", "2"), row("", "c", "4"), row(document.Subtotal, "c", "4"), row(document.Total, "all", "7")}}
	f := open(t, write(t, &document.Document{Title: "x", Sections: []document.Section{{Title: "T", Blocks: []document.Block{table}}}}))
	for at, want := range map[string]string{"B7": "", "B9": "SUBTOTAL(109,B8:B8)", "B10": "SUM(B5:B6,B8:B8)"} {
		if got, _ := f.GetCellFormula("T", at); got != want {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
}
