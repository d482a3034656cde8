package insight

import (
	"cmp"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// cashDraws is how many times the weeks are drawn.
const cashDraws = 4000

// seedOf is the seed of everything drawn for a tenant at a snapshot: the same data give the
// same figures.
func seedOf(slug tenant.Slug, snapshot warehouse.Snapshot) uint64 {
	return hashOf(string(slug) + "/" + strconv.FormatInt(int64(snapshot), 10))
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// batch is the open invoices of a client with one due date: they are taken to be paid on one
// day.
type batch struct {
	currency string
	left     quantity.Decimal
	weeks    [cashWeeks]float64 // probability to be paid in each
}

// groups puts the open invoices together that are paid together, with the probability of
// each week given that they are still open; nil when too little is known.
func (p *position) groups() []batch {
	type key struct {
		client, currency string
		due              quantity.Day
	}
	at := map[key]int{}
	curves := map[string]stats.Drawn{}
	out := []batch{}
	for _, o := range p.open {
		k := key{o.client, o.currency, o.due}
		if i, ok := at[k]; ok {
			out[i].left = out[i].left.Add(o.left)
			continue
		}
		curve, ok := curves[o.client]
		if !ok {
			var err error
			if curve, err = stats.DrawSurvival(p.own(o.client), p.all, likeAll); err != nil {
				return nil
			}
			curves[o.client] = curve
		}
		t := batch{currency: o.currency, left: o.left}
		age := float64(o.due.DaysUntil(p.on))
		for w := range t.weeks {
			t.weeks[w] = curve.Between(age, age+float64(7*w), age+float64(7*w+7))
		}
		at[k] = len(out)
		out = append(out, t)
	}
	return out
}

// own are the days to payment that a client is foreseen by besides those of all: none when
// it paid too few invoices.
func (p *position) own(client string) stats.Durations {
	if d := p.lag(client); d.Ended() >= fewPaid {
		return *d
	}
	return stats.Durations{}
}

// foresee returns the cash of each of the next weeks and of all of them, by currency: what
// is expected, and the band between the 5th and 95th percentile of draws in which each group
// of invoices is paid in a week of its own. It is nil when too little is known; without open
// invoices it is no rows.
func (p *position) foresee(seed uint64) (weeks, total []CashWeek) {
	groups := p.groups()
	if groups == nil || len(p.all.Times) < 5 || p.all.Ended() < 2 {
		return nil, nil
	}
	weeks, total = []CashWeek{}, []CashWeek{}
	byCurrency := map[string][]batch{}
	var codes []string
	for _, g := range groups {
		if byCurrency[g.currency] == nil {
			codes = append(codes, g.currency)
		}
		byCurrency[g.currency] = append(byCurrency[g.currency], g)
	}
	slices.Sort(codes)
	for _, code := range codes {
		some := byCurrency[code]
		drawn := draw(some, rand.New(rand.NewPCG(seed, hashOf(code))))
		whole := CashWeek{From: p.on.AddDays(1), To: p.on.AddDays(7*cashWeeks + 1), Currency: code}
		for w := range cashWeeks {
			week := CashWeek{From: p.on.AddDays(7*w + 1), To: p.on.AddDays(7*w + 8), Currency: code}
			for _, g := range some {
				week.Expected = week.Expected.Add(g.left.Mul(dec(g.weeks[w])))
			}
			whole.Expected = whole.Expected.Add(week.Expected)
			week.Expected = week.Expected.RoundBank(2)
			week.Low, week.High = middle(drawn[w])
			weeks = append(weeks, week)
		}
		whole.Expected = whole.Expected.RoundBank(2)
		whole.Low, whole.High = middle(drawn[cashWeeks])
		total = append(total, whole)
	}
	slices.SortStableFunc(weeks, func(a, b CashWeek) int {
		return cmp.Or(a.From.Time().Compare(b.From.Time()), cmp.Compare(a.Currency, b.Currency))
	})
	return weeks, total
}

// draw returns the money of each week, and of all of them last, in each of the draws.
func draw(groups []batch, rnd *rand.Rand) [cashWeeks + 1][]float64 {
	var out [cashWeeks + 1][]float64
	for w := range out {
		out[w] = make([]float64, cashDraws)
	}
	for _, g := range groups {
		amount := float(g.left)
		for i := range cashDraws {
			u := rnd.Float64()
			for w, chance := range g.weeks {
				if u -= chance; u < 0 {
					out[w][i] += amount
					out[cashWeeks][i] += amount
					break
				}
			}
		}
	}
	return out
}

// middle is the band that holds nine of ten draws.
func middle(drawn []float64) (low, high quantity.Decimal) {
	slices.Sort(drawn)
	n := len(drawn)
	tail := (1 - level) / 2
	at := func(i int) quantity.Decimal { return dec(drawn[min(max(i, 0), n-1)]).RoundBank(2) }
	return at(int(tail * float64(n))), at(n - 1 - int(tail*float64(n)))
}

// paidSince adds to foreseen weeks what was paid in them of the invoices that were open.
func (p *position) paidSince(weeks []CashWeek) []CashWeek {
	for i := range weeks {
		sum := quantity.Decimal{}
		for _, o := range p.open {
			for _, r := range o.received {
				if o.currency == weeks[i].Currency && !r.day.Before(weeks[i].From) && r.day.Before(weeks[i].To) {
					sum = sum.Add(r.amount)
				}
			}
		}
		weeks[i].Paid = &sum
	}
	return weeks
}
