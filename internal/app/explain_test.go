package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

func TestExplainAndRankOnTheCommandLine(t *testing.T) {
	t.Parallel()
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "invoices.csv")
	write := func(acme string) {
		text := "invoice_id,client_name,amount,date,status\nI-1,Acme,1000.00,2026-01-15,paid\nI-2,Bolt,250.50,2026-01-20,sent\nI-3,Acme," + acme + ",2026-02-15,paid\nI-4,Bolt,200.00,2026-02-20,sent\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1200.10")
	var imported struct{ Snapshot json.Number }
	if err := json.Unmarshal([]byte(ok(t, data, "import", file, "--json")), &imported); err != nil {
		t.Fatal(err)
	}
	february := []string{"--from", "2026-02", "--to", "2026-03"}
	out := ok(t, data, append([]string{"explain", "revenue", "--depth", "2"}, february...)...)
	for _, want := range []string{"Acme", "  price", "+200.10", "change"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out = ok(t, data, append([]string{"explain", "revenue", "--steps"}, february...)...)
	for _, want := range []string{"1,250.50", "+200.10", "-50.50", "1,400.10"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in the bridge\n%s", want, out)
		}
	}
	write("1300.10")
	ok(t, data, "import", file)
	var e struct {
		Measure, Unit, Change string
		From, To              struct{ Value string }
		Drivers               []struct {
			Name         string
			Contribution decimal.Decimal
		}
		Confidence struct{ Grade string }
	}
	if err := json.Unmarshal([]byte(ok(t, data, append([]string{"explain", "revenue", "--versus", "snapshot", imported.Snapshot.String(), "--json"}, february...)...)), &e); err != nil {
		t.Fatal(err)
	}
	if e.Measure != "revenue" || e.From.Value != "1400.1" || e.To.Value != "1500.1" || e.Change != "100" || len(e.Drivers) != 1 || e.Drivers[0].Name != "rows_changed" || e.Confidence.Grade == "" {
		t.Errorf("restated: %+v", e)
	}
	out = ok(t, data, "rank", "revenue", "--from", "2026-01", "--to", "2026-03")
	if !strings.Contains(out, "2,300.10") || !strings.Contains(out, "Ranked by the probability") {
		t.Errorf("ranking:\n%s", out)
	}
	for _, wrong := range [][]string{{"explain", "revenue", "--versus", "plan"}, {"explain", "revenue", "x", "--versus", "snapshot"}, {"rank", "revenue", "--limit", "much"}, {"rank", "revenue", "--by", "month"}} {
		if code, _, errOut := run(t, data, wrong...); code == 0 || errOut == "" {
			t.Errorf("%v: exit %d, %q", wrong, code, errOut)
		}
	}
}
