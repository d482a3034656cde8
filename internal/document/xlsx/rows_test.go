package xlsx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document/officetest"
	"github.com/moatmetrics/moatmetrics/internal/document/xlsx"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

var plain = []xlsx.Column{{Name: "client", Unit: quantity.Text}, {Name: "month", Unit: quantity.Date, Months: true}, {Name: "date", Unit: quantity.Date}, {Name: "revenue", Unit: quantity.Money}, {Name: "hours", Unit: quantity.Hours},
	{Name: "margin", Unit: quantity.Ratio}, {Name: "tickets", Unit: quantity.Count}, {Name: "rate", Unit: quantity.MoneyPerHour}, {Name: "note", Unit: quantity.Text}, {Name: "staff", Unit: quantity.Text}}

// rowsOf yields so many rows of ten columns.
func rowsOf(n int) iter.Seq2[[]any, error] {
	row := make([]any, len(plain))
	return func(yield func([]any, error) bool) {
		for i := range n {
			row[0], row[1], row[2] = "Client "+strconv.Itoa(i%400), "2026-03-01", "2026-03-17"
			row[3], row[4], row[5] = quantity.Decimal.Shift(officetest.Dec(strconv.Itoa(i*7919)), -4), quantity.Decimal.Shift(officetest.Dec(strconv.Itoa(i%900)), -2), quantity.Decimal.Shift(officetest.Dec(strconv.Itoa(i%1000-300)), -3)
			row[6], row[7], row[8], row[9] = officetest.Dec(strconv.Itoa(i%17)), officetest.Dec("141.5"), "a note", "Person "+strconv.Itoa(i%30)
			if !yield(row, nil) {
				return
			}
		}
	}
}

func rows(t testing.TB, w io.Writer, n int, dir string) {
	t.Helper()
	b, err := xlsx.New(xlsx.Options{Dir: dir, Title: "Rows"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got, err := b.Rows(t.Context(), "Data", plain, rowsOf(n)); err != nil || got != int64(n) {
		t.Fatalf("%d rows, %v", got, err)
	}
	if err := b.Lines("About", []float64{20, 40}, [][]any{{"Rows", int64(n)}, {"Note", "=1+1"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.WriteTo(w); err != nil {
		t.Fatal(err)
	}
}

func TestPlainRowsAreTypedUnderAHeadThatStays(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 199, 200, 201, 1000} {
		var out bytes.Buffer
		rows(t, &out, n, t.TempDir())
		officetest.Valid(t, out.Bytes(), "xlsx")
		f := open(t, out.Bytes())
		got, err := f.GetRows("Data", excelize.Options{RawCellValue: true})
		if err != nil || len(got) != n+1 || got[0][3] != "revenue" {
			t.Fatalf("%d rows: %d, %v", n, len(got), err)
		}
		i := 0
		for want := range rowsOf(n) {
			i++
			for j, v := range want {
				if d, ok := v.(quantity.Decimal); ok {
					if cell, err := quantity.ParseDecimal(got[i][j]); err != nil || !cell.Equal(d) {
						t.Fatalf("row %d, %s: %q, want %s", i, plain[j].Name, got[i][j], d)
					}
				} else if plain[j].Unit == quantity.Text && got[i][j] != v {
					t.Fatalf("row %d, %s: %q, want %s", i, plain[j].Name, got[i][j], v)
				}
			}
		}
		if n > 0 {
			if month, _ := f.GetCellValue("Data", "B2"); month != "2026-03" {
				t.Errorf("month: %q", month)
			}
			if day, _ := f.GetCellValue("Data", "C2"); day != "2026-03-17" {
				t.Errorf("day: %q", day)
			}
		}
		if !strings.Contains(officetest.Part(t, out.Bytes(), "xl/worksheets/sheet1.xml"), fmt.Sprintf(`<autoFilter ref="$A$1:$J$%d"`, n+1)) {
			t.Errorf("%d rows: no filter", n)
		}
		if formula, _ := f.GetCellFormula("About", "B2"); formula != "" {
			t.Errorf("formula %q", formula)
		}
	}
}

func TestRowsBeyondASheetGoOnInTheNext(t *testing.T) {
	t.Parallel()
	const n = excelize.TotalRows + 2 // one head a sheet: three rows go on
	b, err := xlsx.New(xlsx.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	row := make([]any, 1)
	total, err := b.Rows(t.Context(), "Data", []xlsx.Column{{Name: "n", Unit: quantity.Count}}, func(yield func([]any, error) bool) {
		for i := range n {
			row[0] = int64(i)
			if !yield(row, nil) {
				return
			}
		}
	})
	if err != nil || total != n {
		t.Fatalf("%d rows, %v", total, err)
	}
	var out bytes.Buffer
	if _, err := b.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	first := officetest.Part(t, out.Bytes(), "xl/worksheets/sheet1.xml")
	if !strings.Contains(first, fmt.Sprintf(`<c r="A%d" s="`, excelize.TotalRows)) || !strings.Contains(first, fmt.Sprintf(`<v>%d</v></c></row></sheetData>`, excelize.TotalRows-2)) {
		t.Error("the first sheet is not full")
	}
	second := officetest.Part(t, out.Bytes(), "xl/worksheets/sheet2.xml")
	if got := strings.Count(second, "<row "); got != 4 || !strings.Contains(second, "<t>n</t>") || !strings.Contains(second, fmt.Sprintf("<v>%d</v></c></row></sheetData>", n-1)) {
		t.Errorf("%d rows on the second sheet: %.3000s", got, second[len(second)-600:])
	}
	if names := officetest.Part(t, out.Bytes(), "xl/workbook.xml"); !strings.Contains(names, `name="Data (2)"`) {
		t.Error(names)
	}
}

func TestAnErrorOfRowsIsHandedOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lost := errors.New("connection lost")
	for _, after := range []int{0, 10, 500, 40_000} {
		b, err := xlsx.New(xlsx.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Rows(t.Context(), "Data", plain, func(yield func([]any, error) bool) {
			for row := range rowsOf(after) {
				if !yield(row, nil) {
					return
				}
			}
			yield(nil, lost)
		})
		if !errors.Is(err, lost) {
			t.Errorf("after %d rows: %v", after, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b, err := xlsx.New(xlsx.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Rows(ctx, "Data", plain, rowsOf(400_000)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	b.Close()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestCellsThatCannotBeKeptAreCounted(t *testing.T) {
	t.Parallel()
	b, err := xlsx.New(xlsx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	cells := []any{officetest.Dec("1234567890123456.78"), officetest.Dec("0.1"), strings.Repeat("ä", 40_000), "_x0041_ stays"}
	columns := []xlsx.Column{{Name: "a", Unit: quantity.Money}, {Name: "b", Unit: quantity.Money}, {Name: "c", Unit: quantity.Text}, {Name: "d", Unit: quantity.Text}}
	if _, err := b.Rows(t.Context(), "Data", columns, func(yield func([]any, error) bool) { yield(cells, nil) }); err != nil {
		t.Fatal(err)
	}
	if want := (xlsx.Notes{Rounded: 1, Cut: 1}); b.Notes != want || len(b.Notes.Sentences()) != 2 {
		t.Errorf("%+v", b.Notes)
	}
	var out bytes.Buffer
	if _, err := b.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	f := open(t, out.Bytes())
	raw := func(at string) string {
		v, err := f.GetCellValue("Data", at, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if raw("A2") != "1234567890123460" || raw("B2") != "0.1" || len([]rune(raw("C2"))) != excelize.TotalCellChars {
		t.Errorf("%s %s %d", raw("A2"), raw("B2"), len([]rune(raw("C2"))))
	}
	if sheet := officetest.Part(t, out.Bytes(), "xl/worksheets/sheet1.xml"); !strings.Contains(sheet, "_x005F_x0041_ stays") {
		t.Errorf("%.2000s", sheet)
	}
}

func TestManyRowsOfADocument(t *testing.T) {
	if testing.Short() {
		t.Skip("200,000 rows")
	}
	file := write(t, officetest.Big(200_000))
	sheet := officetest.Part(t, file, "xl/worksheets/sheet2.xml")
	if got := strings.Count(sheet, "<row "); got < 200_000 {
		t.Errorf("%d rows", got)
	}
	if !strings.Contains(sheet, "SUBTOTAL(109,C5:C") {
		t.Error("no total as a formula")
	}
}

// BenchmarkRows writes 100,000 rows of ten columns; BenchmarkBare does so with the library
// alone, the same cells and no more.
func BenchmarkRows(b *testing.B) {
	dir := b.TempDir()
	measured(b, func() { rows(b, io.Discard, 100_000, dir) })
}

func BenchmarkBare(b *testing.B) {
	dir := b.TempDir()
	measured(b, func() {
		f := excelize.NewFile(excelize.Options{TmpDir: dir})
		defer f.Close()
		s, err := f.NewStreamWriter("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		var forms []int
		for _, form := range []string{"General", "yyyy-mm", "yyyy-mm-dd", "#,##0.00", "#,##0.0", "0.0%", "#,##0", "#,##0.00", "General", "General"} {
			id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &form})
			if err != nil {
				b.Fatal(err)
			}
			forms = append(forms, id)
		}
		line, i := make([]any, len(plain)), 1
		day := time.Date(2026, 3, 17, 0, 0, 0, 0, time.UTC)
		for row := range rowsOf(100_000) {
			i++
			for j, v := range row {
				switch v := v.(type) {
				case quantity.Decimal:
					line[j] = excelize.Cell{StyleID: forms[j], Value: v.InexactFloat64()}
				case string:
					if plain[j].Unit == quantity.Date {
						line[j] = excelize.Cell{StyleID: forms[j], Value: day}
					} else {
						line[j] = excelize.Cell{StyleID: forms[j], Value: v}
					}
				}
			}
			if err := s.SetRow("A"+strconv.Itoa(i), line); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Flush(); err != nil {
			b.Fatal(err)
		}
		if err := f.Write(io.Discard); err != nil {
			b.Fatal(err)
		}
	})
}

// measured runs a benchmark and reports the most memory that the heap took.
func measured(b *testing.B, run func()) {
	b.ReportAllocs()
	var most uint64
	for b.Loop() {
		done, ended := make(chan struct{}), make(chan uint64)
		go func() {
			var m runtime.MemStats
			var high uint64
			for {
				runtime.ReadMemStats(&m)
				high = max(high, m.HeapInuse)
				select {
				case <-done:
					ended <- high
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		}()
		run()
		close(done)
		most = max(most, <-ended)
	}
	b.ReportMetric(float64(most)/(1<<20), "heap-MB")
}
