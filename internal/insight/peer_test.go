package insight_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// installation is several tenants of one installation, with a clock that is set.
type installation struct {
	*insight.Benchmarks
	datasets *dataset.Service
	db       *metadb.DB
	at       time.Time
}

func newInstallation(t *testing.T, db *metadb.DB) *installation {
	w, err := warehouse.Open(context.Background(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	x := &installation{db: db, at: clock()}
	now := func() time.Time { return x.at }
	log := audit.New(now)
	s := insight.New(metric.New(w, metric.Options{}), w, insight.Options{Now: now})
	x.Benchmarks = insight.NewBenchmarks(s, metric.NewSettings(db, log, now), db, log, now)
	x.datasets = dataset.New(w, db, log, idle{}, now)
	return x
}

func firmOf(n int) tenant.Scope {
	return tenant.Scope{Tenant: tenant.Slug(fmt.Sprintf("firm-%d", n)), Actor: "test"}
}

// bill gives a firm a year of revenue of which a share is recurring, in ten-thousandths.
func (x *installation) bill(t *testing.T, n, recurring, months int) {
	t.Helper()
	text := "invoice_number,client_name,invoice_date,net_amount,revenue_category\n"
	for m := range months {
		day := quantity.NewDay(2026, 6, 1).AddMonths(-m)
		text += fmt.Sprintf("%d-r,Someone,%s,%d,recurring_labor\n%d-p,Someone,%s,%d,project\n", m, day, recurring, m, day, 10_000-recurring)
	}
	x.imports(t, n, "invoices.csv", text)
}

func (x *installation) imports(t *testing.T, n int, name, text string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	results, err := x.datasets.Import(t.Context(), firmOf(n), dataset.ImportRequest{Path: path})
	if err != nil || results[0].RowsRejected > 0 {
		t.Fatalf("%v: %+v", err, results)
	}
}

func (x *installation) joins(t *testing.T, firms ...int) {
	t.Helper()
	for _, n := range firms {
		if s, err := x.Join(t.Context(), firmOf(n)); err != nil || !s.Taking {
			t.Fatalf("firm %d joins: %+v, %v", n, s, err)
		}
	}
}

// asks is what a firm sees of its peers' share of recurring revenue, and all that it sees.
func (x *installation) asks(t *testing.T, n int) (insight.Peers, string) {
	t.Helper()
	r, err := x.Benchmark(t.Context(), firmOf(n), insight.BenchmarkRequest{Measures: []string{"recurring_share"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return *r.Benchmarks[0].Peers, string(text)
}

// count counts the rows of a table of the control database.
func (x *installation) count(t *testing.T, where string) (n int) {
	t.Helper()
	if err := x.db.Read(t.Context(), func(tx *metadb.Tx) error { return tx.One(t.Context(), "SELECT count(*) FROM "+where, nil, &n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func (x *installation) later(days int) { x.at = x.at.AddDate(0, 0, days) }

func TestPeersAreSeenOnlyThroughReleases(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		x := newInstallation(t, db)
		shares := []int{6143, 7317, 7529, 7741, 8853, 9967, 5011}
		for n, share := range shares {
			x.bill(t, n, share, 12)
		}

		if p, _ := x.asks(t, 0); p.Release != nil || !strings.Contains(p.Reason, "do not take part") {
			t.Fatalf("without taking part: %+v", p)
		}
		x.joins(t, 0, 1, 2, 3, 4)
		if p, _ := x.asks(t, 0); p.Release != nil || !strings.Contains(p.Reason, "4 others take part") || x.count(t, "peer_release") != 0 {
			t.Fatalf("with four others: %+v", p)
		}

		x.joins(t, 5)
		p, all := x.asks(t, 0)
		if p.Release == nil || p.Reason != "" || p.Release.N != 5 || len(p.Release.Quartiles) != 1 {
			t.Fatalf("with five others: %+v", p)
		}
		q := p.Release.Quartiles[0]
		if q.Quartile != 2 || p.Release.Epsilon.String() != "2" || q.Epsilon.String() != "2" || p.Release.Spent.String() != "2" || p.Release.Quarter != "2026-Q3" {
			t.Errorf("the release is %+v", p.Release)
		}
		if !q.Value.Mod(decimal.RequireFromString("0.02")).IsZero() || q.Low.GreaterThan(q.Value) || q.High.LessThan(q.Value) {
			t.Errorf("%s from %s to %s is not on the grid", q.Value, q.Low, q.High)
		}
		if p.Own == nil || p.Own.String() != "0.6143" {
			t.Errorf("the own figure is %v", p.Own)
		}
		for n, share := range shares[1:] {
			if strings.Contains(all, fmt.Sprint(share)) || strings.Contains(all, string(firmOf(n+1).Tenant)) {
				t.Errorf("the answer says what firm %d has, or its name: %s", n+1, all)
			}
		}
		if got, other := x.count(t, "peer_release_member"), x.count(t, "peer_release_member m JOIN peer_release r ON r.id = m.release_id AND r.tenant_id = m.tenant_id"); got != 5 || other != 0 {
			t.Errorf("%d figures in the release, %d of them the asking firm's own", got, other)
		}
		for range 20 { // asking again tells nothing more
			x.later(1)
			if again, _ := x.asks(t, 0); again.Release == nil || !again.Release.Quartiles[0].Value.Equal(q.Value) || again.Release.Spent.String() != "2" {
				t.Fatalf("asked again: %+v", again.Release)
			}
		}

		x.bill(t, 3, 7997, 12)
		again, _ := x.asks(t, 0)
		if !again.Release.At.Equal(p.Release.At) || !strings.Contains(again.Release.Note, "a new one is drawn from 2026-07-31 on") {
			t.Errorf("soon after a change: %+v", again.Release)
		}
		x.later(11)
		renewed, _ := x.asks(t, 0)
		if !renewed.Release.At.After(p.Release.At) || renewed.Release.Spent.String() != "4" || renewed.Release.Note != "" {
			t.Errorf("30 days after the release: %+v", renewed.Release)
		}
		x.bill(t, 3, 7999, 12)
		x.later(40)
		used, _ := x.asks(t, 0)
		if !used.Release.At.Equal(renewed.Release.At) || used.Release.Spent.String() != "4" || !strings.Contains(used.Release.Note, "is used up") {
			t.Errorf("with the budget used up: %+v", used.Release)
		}
		status, err := x.Status(t.Context(), firmOf(3))
		if err != nil || status.UsedIn != 2 || status.MostLoss.String() != "4" || status.TotalLoss.String() != "4" || status.Participants != 6 {
			t.Errorf("firm 3 is told %+v, %v", status, err)
		}

		if s, err := x.Leave(t.Context(), firmOf(3)); err != nil || s.Taking {
			t.Fatalf("%+v, %v", s, err)
		}
		if n := x.count(t, "peer_release WHERE content <> ''"); n != 0 {
			t.Errorf("%d releases of a firm that left are still served", n)
		}
		if gone, _ := x.asks(t, 0); gone.Release != nil || !strings.Contains(gone.Reason, "4 others take part") {
			t.Errorf("after it left: %+v", gone)
		}
		x.joins(t, 6)
		if spent, _ := x.asks(t, 0); spent.Release != nil || !strings.Contains(spent.Reason, "budget of ε = 4 for 2026-Q3 is used up") {
			t.Errorf("leaving gives no budget back: %+v", spent)
		}
		x.later(30) // October
		if next, _ := x.asks(t, 0); next.Release == nil || next.Release.Spent.String() != "2" || next.Release.Quarter != "2026-Q4" {
			t.Errorf("in the next quarter: %+v", next)
		}
		for action, want := range map[string]int{"peers.join": 7, "peers.leave": 1} {
			if n := x.count(t, "audit_event WHERE action = '"+action+"'"); n != want {
				t.Errorf("%d events %s, want %d", n, action, want)
			}
		}
	})
}

// All measures that peers compare can be asked for at once, whatever tables a firm has.
func TestPeersCompareEveryMeasure(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	x := newInstallation(t, db)
	for n := range 6 {
		x.bill(t, n, 5000+n, 12)
		x.imports(t, n, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on\nDana Ortiz,50,40,2024-01-01\n")
		x.imports(t, n, "time_entries.csv", "time_entry_id,staff_name,client_name,work_date,hours_worked\n1,Dana Ortiz,Someone,2025-07-10,5\n2,Dana Ortiz,Someone,2026-06-29,5\n")
		x.joins(t, n)
	}
	status, err := x.Status(t.Context(), firmOf(0))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range status.Measures {
		names = append(names, m.Measure)
	}
	r, err := x.Benchmark(t.Context(), firmOf(0), insight.BenchmarkRequest{Measures: names})
	if err != nil {
		t.Fatal(err)
	}
	released := map[string]bool{}
	for _, b := range r.Benchmarks {
		if b.Peers == nil || (b.Peers.Release == nil) == (b.Peers.Reason == "") {
			t.Errorf("%s: neither a release nor a reason: %+v", b.Measure, b.Peers)
			continue
		}
		released[b.Measure] = b.Peers.Release != nil
	}
	if !released["recurring_share"] || !released["client_concentration"] || !released["utilization"] || released["csat"] || len(released) != len(names) {
		t.Errorf("released are %v", released)
	}
}

func TestFirmsWithoutAYearOfDataDoNotCount(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	x := newInstallation(t, db)
	for n := range 6 {
		months := 12
		if n == 5 {
			months = 11
		}
		x.bill(t, n, 5000+n, months)
		x.joins(t, n)
	}
	if p, _ := x.asks(t, 0); p.Release != nil || !strings.Contains(p.Reason, "fewer than 5 of the 5 others") {
		t.Errorf("with four others of a year: %+v", p)
	}
	if n := x.count(t, "peer_release"); n != 0 {
		t.Errorf("%d releases, and something of the budget is gone", n)
	}
	x.later(400) // everybody's data is old
	x.bill(t, 5, 5005, 12)
	if p, _ := x.asks(t, 0); p.Release != nil || p.Own != nil {
		t.Errorf("with data of the year before: %+v", p)
	}
}

// Questions that come at once are one question: they draw once, on either engine.
func TestQuestionsAtOnceDrawOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		x := newInstallation(t, db)
		for n := range 6 {
			x.bill(t, n, 5000+n, 12)
			x.joins(t, n)
		}
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = x.Benchmark(t.Context(), firmOf(i%2), insight.BenchmarkRequest{Measures: []string{"recurring_share"}})
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
		if n := x.count(t, "peer_release"); n != 2 {
			t.Errorf("%d releases for two firms that asked three times at once", n)
		}
	})
}
