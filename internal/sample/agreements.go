package sample

import (
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// agreement is one term of a client's contract; a renewal is a new one.
type agreement struct {
	id, name    string
	client      *client
	from, until int // months [from, until) in which it is billed; they may lie outside the data
	term        int // months
	start, end  quantity.Day
	status      string
	amount      cents // base fee a month
	additions   []addition
}

// addition is a quantity of a product on an agreement, from month from to until.
type addition struct {
	id          string
	sub         *subscription
	seats       int
	from, until int
	open        bool // no end yet
}

// billed reports whether the addition is on the invoice of month m.
func (a addition) billed(m int) bool {
	if m < a.from || m >= a.until {
		return false
	}
	return !a.sub.product.yearly || (m-a.from)%12 == 0
}

// weigh turns the clients' demand into users: about 0.75 h of support a user and month, a
// quarter hour more or less.
func (f *firm) weigh() {
	var work quarters
	load := 0
	for m := f.cal.recent(); m < f.Months; m++ {
		for _, p := range f.people {
			all, internal := f.budget(p, m)
			work += all - internal
		}
		for _, c := range f.clients {
			load += c.load(m)
		}
		for _, p := range f.projects {
			load += p.load(m)
		}
	}
	d := newDice(f.Seed, 22)
	for _, c := range f.clients {
		perUser := 3 * d.between(88, 115) // hundredths of a quarter hour
		switch {
		case c.noisy:
			perUser = 480
		case c.cause == CauseHours && c.story == losing:
			perUser = 420
		}
		c.seats = max(5, c.weight*int(work)/load*100/perUser)
	}
}

// laborBefore returns what support of each client cost a month: over the last year as a
// client, up to the month in which a planted cause begins.
func (f *firm) laborBefore() map[*client]cents {
	type span struct{ from, until int }
	spans, sums := map[*client]span{}, map[*client]int64{}
	for _, c := range f.clients {
		s := span{until: min(c.until, f.Months)}
		if c.since > c.from {
			s.until = c.since
		}
		s.from = max(c.from, s.until-12)
		spans[c] = s
	}
	for _, e := range f.entries {
		if s := spans[e.client]; e.client != nil && e.project == nil {
			if m := f.cal.month(e.day); m >= s.from && m < s.until {
				sums[e.client] += int64(e.worked) * int64(f.people[e.person].rateOn(e.day).cost)
			}
		}
	}
	labor := map[*client]cents{}
	for c, sum := range sums {
		labor[c] = cents(sum / 4 / int64(spans[c].until-spans[c].from))
	}
	return labor
}

// toolCost is the monthly bill of the vendor whose price per user rises by 3.4 % a month to
// 1.30 in the last one.
func (f *firm) toolCost(c *client, m int) cents {
	level := 130_000 // thousandths of a cent
	for range f.Months - 1 - m {
		level = level * 1000 / 1034
	}
	return cents(c.seats * level / 1000)
}

// sign prices each client's agreement so that the planned margin comes out of the work that
// was done, and writes the terms with their additions. Earlier terms cost 3 % a year less.
func (f *firm) sign() {
	d := newDice(f.Seed, 31)
	before := f.laborBefore()
	middle := (f.Months + f.cal.recent()) / 2
	for _, c := range f.clients {
		labor := before[c]
		direct, resale := f.toolCost(c, middle), cents(0)
		for _, sub := range c.subs {
			direct += sub.monthlyCost()
			resale += sub.monthlyPrice()
		}
		fee := func(margin int) cents {
			if c.model == timeAndM {
				return 0
			}
			wanted := (labor+direct)*10_000/cents(10_000-margin) - resale
			return max(500, (wanted+250)/500*500)
		}
		first, last := fee(c.margin), fee(c.margin)
		switch c.cause {
		case CauseRevenue:
			last = fee(2600)
		case CauseDirectCost:
			percent := cents(25)
			if c.story == losing {
				percent = 62
			}
			c.extraCost = (first + resale) * percent / 100
		}
		f.signTerms(d, c, first, last)
	}
}

// signTerms chains agreements from before the data to its end. The fee is fee until a
// planted cut of revenue, and cut from then on.
func (f *firm) signTerms(d dice, c *client, fee, cut cents) {
	term := []int{12, 12, 36}[d.upTo(3)]
	begin := c.from
	if c.story != joined {
		begin = max(-d.upTo(term), f.cal.month(c.acquired)+1)
	}
	var starts []int
	for m := begin; m < min(c.until, f.Months); m += term {
		if c.cause == CauseRevenue && m >= c.since {
			break
		}
		starts = append(starts, m)
	}
	if c.cause == CauseRevenue {
		starts = append(starts, c.since)
	}
	name := map[string]string{fixedFee: "Managed Services", blockHours: "Block Hours", timeAndM: "On-Call Support"}[c.model]
	for i, from := range starts {
		a := &agreement{
			id: fmt.Sprintf("A-%04d", 1001+len(f.agreements)), name: name, client: c, from: from, until: from + term, term: term,
			start: f.cal.at(from), status: "active", amount: fee,
		}
		next := len(starts) - 1 - i
		if c.cause == CauseRevenue && next == 0 {
			a.amount, a.name = cut, name+" (reduced scope)"
		} else {
			if c.cause == CauseRevenue {
				next--
			}
			for range next * term / 12 {
				a.amount = a.amount * 100 / 103
			}
			a.amount = a.amount / 500 * 500
		}
		if i+1 < len(starts) {
			a.until = min(a.until, starts[i+1])
		}
		if c.until < f.Months && a.until >= c.until {
			a.until, a.status = c.until, "cancelled"
		}
		a.end = f.cal.at(a.until).AddDays(-1)
		if a.status == "active" && a.end.Before(f.AsOf) {
			a.status = "expired"
		}
		f.addProducts(a, i+1 == len(starts) && c.until >= f.Months)
		f.agreements, c.agreements = append(f.agreements, a), append(c.agreements, a)
	}
	for _, s := range c.subs {
		f.recordLicenses(s, f.cal.at(begin))
	}
}

// addProducts puts the client's subscriptions on a term, split where a quantity changes.
func (f *firm) addProducts(a *agreement, last bool) {
	add := func(s *subscription, from, until int, open bool) {
		if from >= until {
			return
		}
		a.additions = append(a.additions, addition{
			id:  fmt.Sprintf("%s-%02d", a.id, len(a.additions)+1),
			sub: s, seats: s.billedSeats(from), from: from, until: until, open: open,
		})
	}
	for _, s := range a.client.subs {
		if s.change > a.from && s.change < a.until && s.before != s.after && !s.stale {
			add(s, a.from, s.change, false)
			add(s, s.change, a.until, last)
		} else {
			add(s, a.from, a.until, last)
		}
	}
}
