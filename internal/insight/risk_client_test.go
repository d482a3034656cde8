package insight_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

func clientRisks(t testing.TB, x *world) (*insight.ClientRisks, map[string]insight.ClientRisk) {
	t.Helper()
	r, err := x.ClientRisks(t.Context(), northwind, insight.DefaultPeriod)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]insight.ClientRisk{}
	for _, c := range r.Clients {
		all[c.Client] = c
	}
	return r, all
}

func part(t testing.TB, c insight.ClientRisk, name string) insight.RiskComponent {
	t.Helper()
	i := slices.IndexFunc(c.Components, func(p insight.RiskComponent) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("%s has no component %s", c.Client, name)
	}
	return c.Components[i]
}

func figure(t testing.TB, p insight.RiskComponent, name string) insight.RiskFigure {
	t.Helper()
	i := slices.IndexFunc(p.Figures, func(f insight.RiskFigure) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("%s has no figure %s", p.Name, name)
	}
	return p.Figures[i]
}

// The planted truths come out as what is to act on, and the share of the hours of one person is
// that of the file.
func TestClientRisksFindWhatIsPlanted(t *testing.T) {
	t.Parallel()
	dir, truth := msp(t, sample.MSPOptions{Clients: 20, Months: 15})
	x := newWorld(t)
	x.load(t, dir)
	r, all := clientRisks(t, x)
	if r.Kind != "rules" || !strings.Contains(r.Rule, "no probability of leaving") || len(r.NotInIt) == 0 || len(r.Missing) != 0 || len(r.Clients) < 15 {
		t.Fatalf("%d clients, missing %v, rule %q", len(r.Clients), r.Missing, r.Rule)
	}
	for name, c := range all {
		late := slices.Contains(truth.LatePayers, name)
		if got := part(t, c, insight.RiskPayment).State == insight.RiskAct; got != late {
			t.Errorf("%s: payment is %s, a late payer: %v", name, part(t, c, insight.RiskPayment).State, late)
		}
		loses := slices.ContainsFunc(truth.LossClients, func(l sample.LossClient) bool { return l.Client == name })
		if got := part(t, c, insight.RiskMargin).State == insight.RiskAct; got != loses {
			t.Errorf("%s: margin is %s, loses money: %v", name, part(t, c, insight.RiskMargin).State, loses)
		}
		if got := part(t, c, insight.RiskConcentration).State == insight.RiskAct; got != (name == truth.LargestClient.Client) {
			t.Errorf("%s: concentration is %s", name, part(t, c, insight.RiskConcentration).State)
		}
	}
	for _, l := range truth.LossClients {
		f := figure(t, part(t, all[l.Client], insight.RiskMargin), "gross_margin")
		if len(f.Chances) != 2 || f.Interval == nil || !f.Value.Round(4).Equal(l.GrossMargin) {
			t.Errorf("margin of %s is %+v, the truth %s", l.Client, f, l.GrossMargin)
		}
	}
	if slices.ContainsFunc(truth.LostClients, func(n string) bool { return all[n].Client != "" }) {
		t.Error("a client that is lost is at risk")
	}
	file, err := os.Open(filepath.Join(dir, "time_entries.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) int { return slices.Index(rows[0], name) }
	byStaff, sum := map[string]decimal.Decimal{}, decimal.Zero
	name := truth.LatePayers[0]
	for _, row := range rows[1:] {
		if row[at("client_name")] == name && row[at("work_date")] >= "2025-07-01" {
			h := decimal.RequireFromString(row[at("hours_worked")])
			byStaff[row[at("staff_name")]], sum = byStaff[row[at("staff_name")]].Add(h), sum.Add(h)
		}
	}
	most := decimal.Zero
	for _, h := range byStaff {
		most = decimal.Max(most, h)
	}
	share := figure(t, part(t, all[name], insight.RiskDependence), "top_technician_share")
	if !share.Value.Equal(most.DivRound(sum, 6)) || share.Limit == nil || share.Limit.Source == "" {
		t.Errorf("%s: %s of the hours are one person's, the file says %s of %s", name, share.Value, most, sum)
	}
	res, err := x.metrics.Run(t.Context(), northwind, metric.Query{Measures: []string{"top_technician_share"}, Where: share.Query.Where, Period: share.Query.Period})
	if err != nil || !res.Rows[0][0].(quantity.Decimal).Round(6).Equal(*share.Value) {
		t.Errorf("the measure says %+v, %v", res, err)
	}
	checkOrder(t, r)
}

// checkOrder reads the rule again: by revenue x components to act on, then to watch.
func checkOrder(t *testing.T, r *insight.ClientRisks) {
	t.Helper()
	times := func(c insight.ClientRisk, n int) decimal.Decimal { return c.Revenue.Mul(decimal.NewFromInt(int64(n))) }
	for i, c := range r.Clients {
		act, watch, unknown := 0, 0, 0
		for _, p := range c.Components {
			switch p.State {
			case insight.RiskAct:
				act++
			case insight.RiskWatch:
				watch++
			case insight.RiskUnknown:
				unknown++
			}
		}
		if act != c.Act || watch != c.Watch || unknown != c.Unknown || !c.Order.Equal(times(c, act)) || len(c.Drivers) != act+watch {
			t.Errorf("%s counts %d, %d and %d: %+v", c.Client, act, watch, unknown, c)
		}
		if i == 0 {
			continue
		}
		before := r.Clients[i-1]
		if times(before, before.Act).LessThan(times(c, c.Act)) || before.Act == 0 && times(before, before.Watch).LessThan(times(c, c.Watch)) {
			t.Errorf("%s comes after %s", c.Client, before.Client)
		}
	}
}

// What is not imported is unknown and names what to import; it is never well.
func TestMissingDataIsUnknownAndNeverWell(t *testing.T) {
	t.Parallel()
	dir, _ := msp(t, sample.MSPOptions{Clients: 8, Months: 6})
	full := newWorld(t)
	full.load(t, dir)
	_, before := clientRisks(t, full)
	for _, except := range [][]string{{"payments", "surveys"}, {"time_entries", "tickets"}} {
		x := newWorld(t)
		x.load(t, dir, except...)
		r, all := clientRisks(t, x)
		touched := map[string]string{"payments": insight.RiskPayment, "surveys": insight.RiskService, "time_entries": insight.RiskMargin, "tickets": insight.RiskService}
		for _, name := range except {
			if !slices.ContainsFunc(r.Missing, func(m insight.RiskMissing) bool { return m.Dataset == name }) {
				t.Errorf("without %s: missing are %v", name, r.Missing)
			}
			tells := "import " + strings.ReplaceAll(name, "_", " ")
			for _, client := range all {
				p := part(t, client, touched[name])
				if p.State == insight.RiskOK {
					t.Errorf("without %s: %s of %s is well: %+v", name, p.Name, client.Client, p)
				}
				if p.Name != insight.RiskService && (p.State != insight.RiskUnknown || p.Figures[0].Value != nil || !strings.Contains(p.Step, tells)) {
					t.Errorf("without %s: %s of %s is %s (%s)", name, p.Name, client.Client, p.State, p.Step)
				}
				if !slices.ContainsFunc(p.Figures, func(f insight.RiskFigure) bool { return strings.Contains(f.Reason, tells) }) {
					t.Errorf("without %s: no figure of %s says %q: %+v", name, client.Client, tells, p.Figures)
				}
			}
		}
		if except[0] != "payments" {
			continue
		}
		for _, client := range all { // and nothing else changes
			for _, other := range client.Components {
				if was := part(t, before[client.Client], other.Name); other.Name != insight.RiskPayment && other.Name != insight.RiskService && was.State != other.State {
					t.Errorf("%s of %s went from %s to %s", other.Name, client.Client, was.State, other.State)
				}
			}
		}
	}
}

// A limit of the tenant's own changes the state; four answers are too few to have one.
func TestOwnLimitsHoldAndFewCasesHaveNoState(t *testing.T) {
	t.Parallel()
	x := practice(t)
	x.text(t, "surveys.csv", "survey_id,client_name,kind,score,scale,responded_on\n"+
		"1,Client 1,csat,1,5,2026-05-01\n2,Client 1,csat,1,5,2026-05-02\n3,Client 1,csat,1,5,2026-05-03\n4,Client 1,csat,1,5,2026-05-04\n"+
		"5,Client 2,csat,1,5,2026-05-01\n6,Client 2,csat,1,5,2026-05-02\n7,Client 2,csat,1,5,2026-05-03\n8,Client 2,csat,1,5,2026-05-04\n9,Client 2,csat,5,5,2026-05-04\n")
	_, all := clientRisks(t, x)
	few, enough := figure(t, part(t, all["Client 1"], insight.RiskService), "csat"), figure(t, part(t, all["Client 2"], insight.RiskService), "csat")
	if few.State != insight.RiskUnknown || few.Interval != nil || !strings.Contains(few.Reason, "too few to say") {
		t.Errorf("four answers: %+v", few)
	}
	// Wilson interval of 1 of 5 at 90 %: 0.0460 to 0.5647 (z = 1.64485).
	if enough.State != insight.RiskAct || enough.Interval == nil || enough.Interval.Low.Sub(decimal.RequireFromString("0.0460")).Abs().GreaterThan(decimal.New(1, -3)) || enough.Interval.High.Sub(decimal.RequireFromString("0.5647")).Abs().GreaterThan(decimal.New(1, -3)) {
		t.Errorf("one of five satisfied: %+v", enough)
	}
	if m := part(t, all["Client 9"], insight.RiskMargin); m.State != insight.RiskAct || !strings.Contains(m.Step, "Raise the revenue") {
		t.Errorf("the client that loses money: %+v", m)
	}
	if m := part(t, all["Client 8"], insight.RiskMargin); m.State != insight.RiskUnknown || !strings.Contains(m.Figures[0].Reason, "too few") {
		t.Errorf("the client of two months: %+v", m)
	}
	db, _ := metadbtest.Open(t, metadb.SQLite)
	settings := metric.NewSettings(db, audit.New(clock), clock)
	metrics := metric.New(x.warehouse, metric.Options{Settings: settings})
	if _, err := settings.SetThreshold(t.Context(), northwind, metrics, "client_csat", []string{"0.1", "0.15"}, "our own"); err != nil {
		t.Fatal(err)
	}
	own := &world{Service: insight.New(metrics, x.warehouse, insight.Options{Now: clock}), metrics: metrics, warehouse: x.warehouse, datasets: x.datasets}
	_, all = clientRisks(t, own)
	if f := figure(t, part(t, all["Client 2"], insight.RiskService), "csat"); f.State != insight.RiskOK || f.Limit.Kind != "own" || f.Limit.Source != "our own" {
		t.Errorf("with a limit of 10 %%: %+v", f)
	}
}

func TestRevenueInSeveralCurrenciesIsNotShared(t *testing.T) {
	t.Parallel()
	x := practice(t)
	x.text(t, "invoices.csv", "invoice_number,client_name,invoice_date,net_amount,currency\nE1,Client 2,2026-06-05,1000,EUR\nE2,Client 3,2026-06-05,1000,USD\n")
	r, all := clientRisks(t, x)
	for name, c := range all {
		if p := part(t, c, insight.RiskConcentration); p.State != insight.RiskUnknown || !strings.Contains(p.Words, "EUR") {
			t.Errorf("%s: concentration is %+v", name, p)
		}
	}
	if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "several currencies") }) {
		t.Errorf("notes %v", r.Notes)
	}
}

func TestClientRisksWithoutData(t *testing.T) {
	t.Parallel()
	r, _ := clientRisks(t, newWorld(t))
	if len(r.Clients) != 0 || len(r.Notes) != 1 || r.Rule == "" {
		t.Errorf("%+v", r)
	}
}
