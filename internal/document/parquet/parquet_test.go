package parquet_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/parquet"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

var columns = []document.Column{{Name: "zebra", Unit: quantity.Text}, {Name: "month", Unit: quantity.Date}, {Name: "amount", Unit: quantity.Money}, {Name: "margin", Unit: quantity.Ratio}}

func d(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// Another program reads the file: the columns in their order, with their types, to the last digit.
func TestDuckDBReadsEveryDigit(t *testing.T) {
	t.Parallel()
	python := os.Getenv("MOAT_PYTHON")
	if python == "" {
		t.Skip("MOAT_PYTHON names no Python with DuckDB: make test sets it")
	}
	rows := [][]any{
		{"Ärzte 🍺 =1+1", "2026-03-01", d("-12345678901234.5678"), d("0.399015173084063312345678")},
		{nil, nil, nil, nil},
		{"", "1970-01-01", d("0"), d("-1")},
		{strings.Repeat("x", 300), "1969-12-31", d("99999999999999.9999"), d("1e3")},
	}
	var b, again bytes.Buffer
	if err := parquet.Write(t.Context(), &b, columns, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	if err := parquet.Write(t.Context(), &again, columns, slices.Values(rows)); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the same rows give other bytes", err)
	}
	path := filepath.Join(t.TempDir(), "rows.parquet")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "import duckdb,sys\nr=duckdb.sql(\"SELECT * FROM '\"+sys.argv[1]+\"'\")\nprint(list(zip(r.columns,[str(t) for t in r.types])))\nfor row in r.fetchall(): print('|'.join('NULL' if v is None else str(v) for v in row))"
	out, err := exec.Command(python, "-c", script, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "[('zebra', 'VARCHAR'), ('month', 'DATE'), ('amount', 'DECIMAL(38,4)'), ('margin', 'DECIMAL(38,24)')]\n" +
		"Ärzte 🍺 =1+1|2026-03-01|-12345678901234.5678|0.399015173084063312345678\n" +
		"NULL|NULL|NULL|NULL\n|1970-01-01|0.0000|-1.000000000000000000000000\n" +
		strings.Repeat("x", 300) + "|1969-12-31|99999999999999.9999|1000.000000000000000000000000\n"
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestNumbersThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []string{"1e40", "0." + strings.Repeat("1", 39), "-" + strings.Repeat("9", 39)} {
		err := parquet.Write(t.Context(), &bytes.Buffer{}, columns[2:3], slices.Values([][]any{{d(n)}}))
		if fault.KindOf(err) != fault.TooLarge {
			t.Errorf("%s: %v", n, err)
		}
	}
	if err := parquet.Write(t.Context(), &bytes.Buffer{}, []document.Column{columns[0], columns[0]}, slices.Values([][]any{})); fault.KindOf(err) != fault.Invalid {
		t.Errorf("two columns of one name: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	many := func(yield func([]any) bool) {
		for range 5000 {
			if !yield([]any{d("1")}) {
				return
			}
		}
	}
	if err := parquet.Write(ctx, &bytes.Buffer{}, columns[2:3], many); fault.KindOf(err) != fault.Canceled {
		t.Errorf("a canceled export: %v", err)
	}
}

func TestAnyRowsAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) []any {
			row := []any{rapid.String().Draw(t, "text"), nil, nil}
			if rapid.Bool().Draw(t, "amount") {
				row[1] = decimal.New(rapid.Int64().Draw(t, "coefficient"), int32(rapid.IntRange(-12, 3).Draw(t, "exponent")))
			}
			return row
		}), 0, 50).Draw(t, "rows")
		cols := []document.Column{columns[0], columns[2], columns[1]}
		var b bytes.Buffer
		if err := parquet.Write(context.Background(), &b, cols, slices.Values(rows)); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(b.Bytes(), []byte("PAR1")) || !bytes.HasSuffix(b.Bytes(), []byte("PAR1")) {
			t.Fatal("no Parquet file")
		}
	})
}
