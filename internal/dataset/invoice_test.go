package dataset_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

const invoiceSQL = "SELECT client_key, invoice_number, net_amount, tax_basis FROM invoices ORDER BY 1, 2, record, 3"

func TestInvoiceAmountsAreNetOfTaxWhereTheFileShowsIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, net, basis, finding string }{
		{"a net column", "invoice no,customer,date,subtotal,tax,total\n1,A,2026-03-01,100,8,108\n", "100", "net", ""},
		{"total and tax", "invoice no,customer,date,tax,total\n1,A,2026-03-01,8,108\n", "100", "net", ""},
		{"quantity times price less discount", "invoice no,customer,date,item,qty,price,discount\n1,A,2026-03-01,x,3,33.333,0.5\n", "99.499", "net", ""},
		{"half even at the fourth decimal", "invoice no,customer,date,item,qty,price\n1,A,2026-03-01,x,0.5,0.0001\n", "0", "net", ""},
		{"a total alone is not known to be net", "invoice no,customer,date,amount\n1,A,2026-03-01,100\n", "100", "unknown", "tax_basis_unknown"},
		{"a total that says gross", "invoice no,customer,date,gross\n1,A,2026-03-01,100\n", "100", "gross", "tax_included"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			r := x.load(t, "invoices.csv", c.text)
			want(t, "row", x.rows(t, invoiceSQL, "invoices"), []string{"A|1|" + c.net + "|" + c.basis})
			if _, ok := codes(r)[c.finding]; c.finding != "" && !ok {
				t.Errorf("got findings %v, want %s", codes(r), c.finding)
			}
		})
	}
}

func TestCreditNotesAreNegativeAndPaymentsAreNoRevenue(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "invoices.csv", "Num,Customer,Date,Type,Amount\n1,A,2026-03-01,Invoice,100\n2,A,2026-03-02,Credit Memo,30\n3,A,2026-03-02,Credit Memo,-5\n4,A,2026-03-03,Payment,65\n")
	want(t, "counts", counts(r), "4 3 0 0 1")
	want(t, "rows", x.rows(t, invoiceSQL, "invoices"), []string{"A|1|100|unknown", "A|2|-30|unknown", "A|3|-5|unknown"})
	want(t, "finding", codes(r)["credit_made_negative"], int64(1))
	want(t, "reject", r.Rejects[0].Code, "not_an_invoice")
}

func TestTheSameNumberAtTwoClientsIsTwoInvoices(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	head := "invoice_id,client_name,amount,date,status\n"
	text := head + "1,A,10,2026-03-01,sent\n1,B,20,2026-03-01,sent\n1,A,10,2026-03-01,sent\n2,A,5,2026-03-01,sent\n2,A,7,2026-03-01,sent\n"
	r := x.load(t, "invoices.csv", text)
	want(t, "counts", counts(r), "5 4 0 1 0")
	want(t, "repeats", codes(r)["duplicate_rows"], int64(1))
	want(t, "rows", x.rows(t, invoiceSQL, "invoices"), []string{"A|1|10|unknown", "A|2|5|unknown", "A|2|7|unknown", "B|1|20|unknown"})
	want(t, "again", counts(x.load(t, "invoices.csv", text)), "5 0 0 5 0")
	r = x.load(t, "invoices.csv", head+"1,A,10,2026-03-01,paid\n")
	want(t, "a changed status is an update", counts(r), "1 0 1 0 0")
	want(t, "one row of it", x.rows(t, "SELECT status FROM invoices WHERE client_key = 'A' AND invoice_number = '1'", "invoices"), []string{"paid"})
}

func TestLinesWithoutNumbersAreKeptByContent(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	head := "Invoice #,Customer,Date,Item,Qty,Rate,Status\n"
	text := head + "1,A,2026-03-01,Support,2,100,open\n1,A,2026-03-01,Support,2,100,open\n1,A,2026-03-01,Laptop,1,900,open\n"
	r := x.load(t, "invoices.csv", text)
	want(t, "counts", counts(r), "3 3 0 0 0")
	want(t, "equal lines are kept", codes(r)["possible_duplicates"], int64(1))
	want(t, "again", counts(x.load(t, "invoices.csv", text)), "3 0 0 3 0")
	want(t, "a changed status is the same lines", counts(x.load(t, "invoices.csv", strings.ReplaceAll(text, "open", "paid"))), "3 0 3 0 0")
	want(t, "in another order", counts(x.load(t, "invoices.csv", head+"1,A,2026-03-01,Laptop,1,900,paid\n1,A,2026-03-01,Support,2,100,paid\n")), "2 0 0 2 0")
	want(t, "sum", x.rows(t, "SELECT sum(net_amount), count(*) FROM invoices", "invoices"), []string{"1300|3"})
}

// document is one row with its lines as JSON.
func document(client, number, total, lines string) string {
	return fmt.Sprintf("%s,%s,2026-03-01,USD,%s,sent,\"%s\"\n", client, number, total, strings.ReplaceAll(lines, `"`, `""`))
}

func TestDocumentsWithLinesAsJSONBecomeLines(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	head := "client_name,invoice_number,date,currency,total_amount,status,lines_json\n"
	two := `[{"description": "Managed IT", "quantity": 8, "unit_price": 231, "tax_rate": 0.08, "discount": 9}, {"description": "License", "quantity": 3, "unit_price": 59, "tax_rate": 0.08, "discount": 0}]`
	r := x.load(t, "invoices.csv", head+document("A", "1", "2177.28", two)+document("A", "2", "999", `[{"quantity": 1, "unit_price": 10}]`)+
		document("B", "1", "50", "[]")+document("B", "2", "60", "")+document("B", "3", "70", "{not json")+document("B", "4", "80", `[{"quantity": "many", "unit_price": 1}]`)+document("A", "1", "2177.28", two)+document("A", "2", "998", `[{"quantity": 1, "unit_price": 11}]`))
	want(t, "counts", counts(r), "8 4 0 1 3")
	var got []string
	for _, j := range r.Rejects {
		got = append(got, fmt.Sprintf("%d %s", j.Record, j.Code))
	}
	want(t, "rejects", got, []string{"5 lines_unparsable", "6 amount_unparsable", "8 dup_natural_key"})
	want(t, "lines", x.rows(t, "SELECT client_key, invoice_number, description, quantity, unit_price, net_amount, tax_amount, tax_basis, currency FROM invoices ORDER BY 1, 2, source_id", "invoices"), []string{
		"A|1|Managed IT|8|231|1839|147.12|net|USD", "A|1|License|3|59|177|14.16|net|USD", "A|2|<nil>|1|10|10|<nil>|net|USD", "B|1|<nil>|<nil>|<nil>|50|<nil>|unknown|USD", "B|2|<nil>|<nil>|<nil>|60|<nil>|unknown|USD"})
	want(t, "a total that its lines do not make", codes(r)["line_sum_ne_header"], int64(1))
	r = x.load(t, "invoices.csv", head+document("A", "1", "1986.12", `[{"description": "Managed IT", "quantity": 8, "unit_price": 231, "tax_rate": 0.08, "discount": 9}]`))
	want(t, "a line less", []int64{r.RowsRead, r.RowsDeleted}, []int64{1, 1})
	want(t, "lines of the document now", x.rows(t, "SELECT description FROM invoices WHERE client_key = 'A' AND invoice_number = '1'", "invoices"), []string{"Managed IT"})
	want(t, "other documents stay", x.rows(t, "SELECT count(*) FROM invoices", "invoices"), []string{"4"})
}

func onlineRetail(t *testing.T) []byte {
	t.Helper()
	return []byte(readFile(t, filepath.Join("..", "..", "testdata", "mappings", "online_retail.yaml")))
}

func TestTheHeadOfOnlineRetailAddsUp(t *testing.T) {
	t.Parallel()
	for name, req := range map[string]dataset.ImportRequest{"by its headers": {}, "by its mapping": {Mapping: onlineRetail(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			r := x.load(t, "online_retail_lines.csv", readFile(t, filepath.Join("testdata", "online_retail_head.csv")), req)
			want(t, "dataset", r.Dataset, "invoices")
			want(t, "counts", counts(r), "300 300 0 0 0")
			want(t, "net", x.rows(t, "SELECT sum(net_amount), count(DISTINCT invoice_number) FROM invoices", "invoices"), []string{"13360.88|34"})
		})
	}
}

func TestOnlineRetailAddsUpToItsPublishedTotals(t *testing.T) {
	t.Parallel()
	path := data(t, "f_invoices", "online_retail_lines.csv.gz")
	var expected struct {
		Rows            int64
		NetRevenue      decimal.Decimal            `json:"net_revenue"`
		ByMonth         map[string]decimal.Decimal `json:"net_revenue_by_month"`
		Top             map[string]decimal.Decimal `json:"top10_customers_net"`
		Countries       map[string]decimal.Decimal `json:"net_by_country"`
		BlankCustomers  int64                      `json:"blank_customer_rows"`
		DuplicateRows   int64                      `json:"exact_duplicate_rows"`
		CreditNotesRows int64                      `json:"credit_note_rows"`
		ZeroPriceRows   int64                      `json:"zero_price_rows"`
	}
	if err := json.Unmarshal([]byte(readFile(t, data(t, "f_invoices", "online_retail_expected.json"))), &expected); err != nil {
		t.Fatal(err)
	}
	x := newWorld(t)
	for _, added := range []int64{expected.Rows, 0} {
		results, err := x.Import(t.Context(), acme, dataset.ImportRequest{Path: path, Mapping: onlineRetail(t)})
		if err != nil {
			t.Fatal(err)
		}
		r := results[0]
		want(t, "counts", counts(r), fmt.Sprint(expected.Rows, added, 0, expected.Rows-added, 0))
		want(t, "blank customers", codes(r)["no_client_reference"], expected.BlankCustomers)
		want(t, "equal rows are kept", codes(r)["possible_duplicates"], expected.DuplicateRows)
		want(t, "credit notes", codes(r)["credit_note"], expected.CreditNotesRows)
		want(t, "zero prices", codes(r)["zero_price"], expected.ZeroPriceRows)
	}
	for sql, sums := range map[string]map[string]decimal.Decimal{
		"SELECT 'all', sum(net_amount) FROM invoices":                                                         {"all": expected.NetRevenue},
		"SELECT strftime(invoice_date, '%Y-%m'), sum(net_amount) FROM invoices GROUP BY 1":                    expected.ByMonth,
		"SELECT substr(client_key, 4), sum(net_amount) FROM invoices WHERE client_key IS NOT NULL GROUP BY 1": expected.Top,
		"SELECT country, sum(net_amount) FROM invoices GROUP BY 1":                                            expected.Countries,
	} {
		got := map[string]decimal.Decimal{}
		for _, row := range x.rows(t, sql, "invoices") {
			key, sum, _ := strings.Cut(row, "|")
			got[key] = decimal.RequireFromString(sum)
		}
		for key, w := range sums {
			if !got[key].Round(2).Equal(w) {
				t.Errorf("%s: got %s, want %s", key, got[key], w)
			}
		}
	}
	want(t, "credit notes", x.rows(t, "SELECT count(*) FROM invoices WHERE invoice_number LIKE 'C%'", "invoices"), []string{fmt.Sprint(expected.CreditNotesRows)})
}
