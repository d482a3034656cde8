package dataset_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

const jsonLines = `{"invoice_id": "007", "client": {"name": "Harbor"}, "date": "2026-03-01", "net amount": 12345678901234.5678, "tags": ["a", "b"]}
{"invoice_id": "008", "client": {"name": "Summit\nCo"}, "date": "2026-03-02", "net amount": 0.10, "paid": true, "note": null}

{"invoice_id": "009", "client": {"name": "Quay"}, "date": "2026-03-03", "net amount": 12
{"invoice_id": "010", "client": {"name": "Quay"}, "date": "2026-03-04", "net amount": -3, "paid": false}
`

var jsonMapping = dataset.Mapping{Columns: map[string]string{"client.name": "client_name"}}

func TestObjectsAreRowsHoweverTheyStand(t *testing.T) {
	t.Parallel()
	whole := []string{"007|Harbor|2026-03-01|12345678901234.5678", "008|Summit\nCo|2026-03-02|0.1", "010|Quay|2026-03-04|-3"}
	good := strings.Split(strings.TrimSpace(jsonLines), "\n")
	good = []string{good[0], good[1], good[4]}
	pretty := strings.ReplaceAll(strings.ReplaceAll(strings.Join(good, "\n"), `{"invoice`, "{\n  \"invoice"), `, "date"`, ",\n  \"date\"")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(jsonLines))
	z.Close()
	for _, c := range []struct {
		name, text string
		rejected   int64
	}{
		{"invoices.jsonl", jsonLines, 1},
		{"invoices.ndjson", "\ufeff" + strings.ReplaceAll(jsonLines, "\n", "\r\n"), 1},
		{"invoices.jsonl.gz", packed.String(), 1},
		{"invoices.json", "[" + strings.Join(good, ",\n") + "]", 0},
		{"invoices.txt", "\n " + pretty, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			r := x.fixed(t, c.name, c.text, jsonMapping)
			want(t, "rejected", r.RowsRejected, c.rejected)
			want(t, "encoding", r.Dialect.Encoding, "json")
			want(t, "rows", x.rows(t, "SELECT invoice_number, client_key, invoice_date, net_amount FROM invoices ORDER BY 1", "invoices"), whole)
			want(t, "attributes", x.rows(t, "SELECT attributes->>'tags', attributes->>'paid' FROM invoices ORDER BY invoice_number", "invoices"), []string{`["a","b"]|<nil>`, "<nil>|true", "<nil>|false"})
			if c.rejected > 0 {
				want(t, "reject", fmt.Sprint(r.Rejects[0].Line, r.Rejects[0].Code, r.Rejects[0].Record), "4broken_json3")
			}
		})
	}
}

func TestWhatOnlyBeginsLikeJSONIsReadAsAnyText(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "invoices.csv", "invoice_id,client_name,net amount,date\n{1},Harbor,5,2026-03-01\n", dataset.ImportRequest{})
	want(t, "rows", r.RowsAdded, int64(1))
	r = x.load(t, "more.csv", "[invoice id],client_name,net amount,date\nI-2,Harbor,5,2026-03-02\n", dataset.ImportRequest{Dataset: "invoices"})
	want(t, "rows", r.RowsAdded, int64(1))
	x.fails(t, "empty.json", "[]", "", dataset.ImportRequest{Dataset: "invoices"})
	x.fails(t, "blank.json", "[{}, {}]", "holds no object with a value", dataset.ImportRequest{Dataset: "invoices"})
	x.fails(t, "cut.json", `[{"invoice_id": "1", "net amount": 5}, {"invoice_id`, "breaks off", dataset.ImportRequest{Dataset: "invoices"})
	x.fails(t, "large.json", `[{"a": "`+strings.Repeat("x", 40<<20)+`"}]`, "", dataset.ImportRequest{Dataset: "invoices"})
}

func TestParquetKeepsEveryDigit(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	s, err := x.w.NewSession(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	path := filepath.Join(s.Dir(), "out.parquet")
	if err := s.Exec(t.Context(), "COPY (SELECT * FROM (VALUES ('007', 'Harbor, Inc', DATE '2026-03-01', 12345678901234.5678::DECIMAL(18,4), 0.1::DOUBLE, [1, 2]), ('008', 'Quay \"Q\"', DATE '2026-03-02', NULL, 2.5, NULL)) t(invoice_id, client_name, date, \"net amount\", factor, parts)) TO '"+path+"' (FORMAT parquet)"); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := x.load(t, "invoices.parquet", string(body), dataset.ImportRequest{})
	want(t, "counts", fmt.Sprint(r.RowsRead, r.RowsAdded, r.RowsRejected), "2 1 1") // an invoice without an amount
	want(t, "rows", x.rows(t, "SELECT invoice_number, client_key, invoice_date, net_amount, attributes->>'factor', attributes->>'parts' FROM invoices", "invoices"), []string{"007|Harbor, Inc|2026-03-01|12345678901234.5678|0.1|[1,2]"})
	want(t, "encoding", r.Dialect.Encoding, "parquet")
	for _, n := range []int{4, 100, len(body) / 2, len(body) - 1} {
		if _, err := x.Import(t.Context(), acme, dataset.ImportRequest{Name: "cut.parquet", Reader: bytes.NewReader(body[:n])}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("cut after %d bytes: got %v, want an invalid fault", n, err)
		}
	}
}
