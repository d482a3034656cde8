package app_test

import (
	"strings"
	"testing"
)

// Seats times their cost is more than a narrow decimal holds.
func TestLargeLicenseCostsAreAnalyzed(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	ok(t, data, "import",
		write(t, dir, "licenses.csv", "license_id,client_name,vendor,product_name,seats_purchased,seats_used,seats_inactive,unit_cost,unit_price,start_date,renewal_date,status\nL3,Acme,Vend,Suite,100000,90,10,7123456.00,7200000.00,2025-01-01,2026-09-30,active\n"),
		write(t, dir, "invoices.csv", "invoice_id,client_name,amount,date,status\nI-1,Acme,1000.00,2026-01-15,paid\nI-2,Acme,1000.00,2026-06-30,paid\n"))
	ok(t, data, "analyze", "--from", "2026-01", "--to", "2026-07")
	if got := ok(t, data, "query", "--measures", "license_cost", "--by", "product", "--from", "2026-05", "--to", "2026-06", "--format", "csv"); !strings.Contains(got, "Suite,712345600000") {
		t.Errorf("license cost of a month: %s", got)
	}
}
