package app_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

// retailSQL counts in the raw file, with another DuckDB, what the import is to find.
const retailSQL = `
import duckdb, json, sys
con = duckdb.connect()
con.execute("SET threads=2; SET enable_progress_bar=false")
con.execute(f"CREATE TABLE r AS SELECT * FROM read_csv('{sys.argv[1]}', all_varchar=true, header=true)")
one = lambda sql: con.execute(sql).fetchone()[0]
print(json.dumps({
  "rows": one("SELECT count(*) FROM r"),
  "possible_duplicates": one("SELECT count(*) FROM r") - one("SELECT count(*) FROM (SELECT DISTINCT * FROM r)"),
  "credit_note": one("SELECT count(*) FROM r WHERE InvoiceNo LIKE 'C%'"),
  "zero_price": one("SELECT count(*) FROM r WHERE UnitPrice::DECIMAL(18,6) = 0"),
  "no_client_reference": one("SELECT count(*) FROM r WHERE coalesce(trim(CustomerID), '') = ''"),
  "months": {m: str(v) for m, v in con.execute("SELECT strftime(InvoiceDate::TIMESTAMP, '%Y-%m-01'), sum(Quantity::DECIMAL(18,6) * UnitPrice::DECIMAL(18,6))::DECIMAL(18,4) FROM r GROUP BY 1").fetchall()},
}))
`

func TestOnlineRetailIsFoundAsPlainSQLCountsIt(t *testing.T) {
	t.Parallel()
	root := os.Getenv("MOAT_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	file := filepath.Join(root, "f_invoices", "online_retail_lines.csv.gz")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("public test data is not here: set MOAT_DATA (%v)", err)
	}
	data := t.TempDir()
	var r dataset.ImportResult
	if err := json.Unmarshal([]byte(ok(t, data, "import", "--json", file, "--mapping", filepath.Join("..", "..", "testdata", "mappings", "online_retail.yaml"))), &r); err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(python(t, retailSQL, file), &plain); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{"rows": fmt.Sprint(r.RowsAdded)}
	for _, f := range r.Findings {
		if _, counted := plain[f.Code]; counted {
			found[f.Code] = fmt.Sprint(f.Count)
		}
	}
	expected := map[string]string{}
	for what, n := range plain {
		if what != "months" {
			expected[what] = fmt.Sprint(n)
		}
	}
	if diff := cmp.Diff(expected, found); diff != "" || expected["possible_duplicates"] != "975" {
		t.Errorf("the import found other things than plain SQL (-want +got):\n%s", diff)
	}
	var a answer
	if err := json.Unmarshal([]byte(ok(t, data, "query", "--json", "--measures", "revenue", "--by", "month")), &a); err != nil {
		t.Fatal(err)
	}
	months := plain["months"].(map[string]any)
	if len(a.Rows) != len(months) {
		t.Errorf("got %d months, want %d", len(a.Rows), len(months))
	}
	for _, row := range a.Rows {
		if got, want := dec(t, row[1]), dec(t, months[fmt.Sprint(row[0])]); !got.Equal(want) {
			t.Errorf("revenue of %v: got %s, plain SQL says %s", row[0], got, want)
		}
	}
}
