package insight_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// The estimand is the money paid in each of the next eight weeks of the invoices that are
// open. The generator: 25 clients, each with an own mean of days after the due date (normal,
// sd 15) around which its payments scatter (normal, sd 8, rounded to days, not before the
// invoice), 24 monthly invoices of 100 to 5,000 each.
func TestTheCashBandCoversWhatIsPaid(t *testing.T) {
	t.Parallel()
	inside, totalInside, weeks, worlds := 0, 0, 0, 150
	expected, paid := 0.0, 0.0
	for seed := range worlds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 77))
		on := quantity.NewDay(2026, 6, 10)
		var all []insight.CashInvoice
		for c := range 25 {
			mean := 15 * rnd.NormFloat64()
			for m := range 24 {
				issued := quantity.NewDay(2024, 7, 1).AddMonths(m).AddDays(c % 9)
				due := issued.AddDays(30)
				lag := max(-29, int(math.Round(mean+8*rnd.NormFloat64())))
				all = append(all, insight.CashInvoice{Client: fmt.Sprint(c), Issued: issued, Due: due, Paid: due.AddDays(lag), Amount: 100 + rnd.Int64N(4900)})
			}
		}
		got, total := insight.ForeseeCash(on, uint64(seed), all)
		for _, w := range got {
			if w.High.IsZero() { // nothing is expected: no band to speak of
				continue
			}
			weeks++
			if w.Inside() {
				inside++
			}
		}
		for _, w := range total {
			expected, paid = expected+w.Expected.InexactFloat64(), paid+w.Paid.InexactFloat64()
			if w.Inside() {
				totalInside++
			}
		}
	}
	share := float64(inside) / float64(weeks)
	t.Logf("%d of %d weeks inside (%.1f %%), %d of %d wholes; expected %.0f, paid %.0f", inside, weeks, 100*share, totalInside, worlds, expected, paid)
	if share < 0.87 || share > 0.97 {
		t.Errorf("nominal 90 %% bands of weeks hold %.3f", share)
	}
	if s := float64(totalInside) / float64(worlds); s < 0.85 {
		t.Errorf("nominal 90 %% bands of eight weeks hold %.3f", s)
	}
	if math.Abs(expected/paid-1) > 0.03 {
		t.Errorf("expected %.0f, paid %.0f", expected, paid)
	}
}

func TestOneInvoiceIsForeseenAsThoseThatWereStillOpenThen(t *testing.T) {
	t.Parallel()
	// Ten invoices of one client: 4 paid 5 days after the due date, 6 paid 19 days after. One
	// more is open 10 days after: it can only be one of the six, in the second week from now.
	due := func(i int) quantity.Day { return quantity.NewDay(2025, 1, 31).AddDays(30 * i) }
	var all []insight.CashInvoice
	for i := range 10 {
		lag := 5
		if i >= 4 {
			lag = 19
		}
		all = append(all, insight.CashInvoice{Client: "Harbor", Issued: due(i).AddDays(-30), Due: due(i), Paid: due(i).AddDays(lag), Amount: 100})
	}
	on := due(10).AddDays(10)
	all = append(all, insight.CashInvoice{Client: "Harbor", Issued: due(10).AddDays(-30), Due: due(10), Paid: on.AddDays(9), Amount: 700})
	weeks, total := insight.ForeseeCash(on, 1, all)
	for i, w := range weeks {
		want := "0"
		if i == 1 {
			want = "700"
		}
		if w.Expected.String() != want || w.Paid.String() != want || !w.Inside() {
			t.Errorf("week %d: %+v, want %s", i, w, want)
		}
	}
	if total[0].Low.String() != "700" || total[0].High.String() != "700" {
		t.Errorf("whole: %+v", total[0])
	}
}

func TestWhoOwesWhatSinceWhen(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.text(t, "clients.csv", "client_name,status\nHarbor Dental,active\nElm Street,active\n")
	x.text(t, "invoices.csv", `invoice_number,client_name,invoice_date,due_date,status,net_amount,tax_amount
1,Harbor Dental,2026-01-01,2026-01-31,sent,100,10
2,Harbor Dental,2026-04-01,2026-05-01,sent,200,0
3,Harbor Dental,2026-06-20,2026-07-20,sent,300,0
4,Harbor Dental,2026-06-21,2026-07-21,void,999,0
5,Harbor Dental,2026-05-01,2026-05-31,disputed,400,0
6,Harbor Dental,2026-06-22,2026-06-22,sent,-50,0
7,Elm Street,2026-05-15,2026-06-14,paid,80,0
8,Elm Street,2026-05-16,2026-06-15,sent,70,0
9,Elm Street,2026-06-30,2026-07-30,draft,70,0
`)
	x.text(t, "payments.csv", `payment_id,invoice_number,client_name,payment_date,amount,status
1,1,Harbor Dental,2026-03-15,60,completed
2,8,Elm Street,2026-06-30,70,completed
3,,Harbor Dental,2026-06-28,30,completed
4,2,Harbor Dental,2026-06-29,200,failed
`)
	c, err := x.Cash(t.Context(), northwind, quantity.Day{})
	if err != nil {
		t.Fatal(err)
	}
	if c.AsOf.String() != "2026-06-30" || len(c.Owed) != 2 {
		t.Fatalf("%+v", c)
	}
	h := c.Owed[0]
	// 110 - 60 is 150 days late, 200 60 days, 400 30 days; 300 is not due; the credit of 50 was due 8 days ago.
	if h.Client != "Harbor Dental" || h.Late[0].String() != "350" || h.Late[1].String() != "200" || h.Late[3].String() != "50" || h.NotDue.String() != "300" || h.Unapplied.String() != "-30" || h.All.String() != "870" {
		t.Errorf("Harbor Dental: %+v", h)
	}
	r, err := x.metrics.Run(t.Context(), northwind, metric.Query{Measures: []string{"receivables", "ar_current", "ar_1_30", "ar_31_60", "ar_over_90", "ar_unapplied"}, Dimensions: []string{"client"}, Where: `client = "Harbor Dental"`})
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range []quantity.Decimal{h.All, h.NotDue, h.Late[0], h.Late[1], h.Late[3], h.Unapplied} {
		if want := r.Rows[0][i+1].(quantity.Decimal); !got.Equal(want) {
			t.Errorf("%s: got %s, the metric says %s", r.Columns[i+1].Name, got, want)
		}
	}
	left := map[string]string{}
	for _, l := range c.LeftOut {
		left[l.Why] = l.Amount.String()
	}
	if left["disputed"] != "400" || left["marked paid, without the payment"] != "80" || len(left) != 2 {
		t.Errorf("left out: %v", left)
	}
	if c.Reason == "" || len(c.Weeks) != 0 || c.Confidence.Grade != "no_answer" {
		t.Errorf("one paid invoice is enough to foresee: %q, %v", c.Reason, c.Weeks)
	}
}

func TestCashInTwoCurrenciesIsNotAdded(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	invoices := "invoice_number,client_name,invoice_date,due_date,net_amount,currency\n"
	payments := "payment_id,invoice_number,client_name,payment_date,amount,currency\n"
	for i := range 12 {
		code := []string{"USD", "EUR"}[i%2]
		day := quantity.NewDay(2026, 1, 1).AddDays(10 * i)
		invoices += fmt.Sprintf("%d,Harbor Dental,%s,%s,100,%s\n", i, day, day.AddDays(30), code)
		payments += fmt.Sprintf("%d,%d,Harbor Dental,%s,100,%s\n", i, i, day.AddDays(33), code)
	}
	invoices += "20,Harbor Dental,2026-05-20,2026-06-19,500,USD\n21,Harbor Dental,2026-05-21,2026-06-20,900,EUR\n"
	x.text(t, "invoices.csv", invoices)
	x.text(t, "payments.csv", payments)
	c, err := x.Cash(t.Context(), northwind, quantity.Day{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Owed) != 2 || c.Owed[0].All.String() == c.Owed[1].All.String() {
		t.Fatalf("owed: %+v", c.Owed)
	}
	want := map[string]string{"USD": "500", "EUR": "900"}
	for _, w := range c.Total {
		if w.Expected.String() != want[w.Currency] {
			t.Errorf("%s: %s expected, want %s", w.Currency, w.Expected, want[w.Currency])
		}
	}
	if len(c.Total) != 2 || len(c.Weeks) != 16 {
		t.Errorf("%d wholes and %d weeks", len(c.Total), len(c.Weeks))
	}
}
