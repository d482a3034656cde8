package sample

import (
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// person is a member of the technical staff.
type person struct {
	name, email, role, team string
	id                      string
	seat                    int          // place in the staff list; a successor takes over the place
	engineer                bool         // takes projects first
	hired, left             quantity.Day // left is the first day no longer; zero when still there
	weekly                  int          // contract hours
	rates                   []rate       // oldest first
	internalPercent         int          // share of the entered time that is internal
	pace                    int          // entered time in thousandths of the usual
	off                     map[quantity.Day]string
}

// rate is what an hour of a person costs and is billed at, from a day on.
type rate struct {
	from       quantity.Day
	cost, bill cents
}

// rateOn returns the rate that holds on d, the first one before any holds.
func (p *person) rateOn(d quantity.Day) rate {
	found := p.rates[0]
	for _, r := range p.rates[1:] {
		if !d.Before(r.from) {
			found = r
		}
	}
	return found
}

// employed reports whether the person is on the payroll on d.
func (p *person) employed(d quantity.Day) bool {
	return !d.Before(p.hired) && (p.left.IsZero() || d.Before(p.left))
}

// roles repeat for every twelve people; the amounts are today's, in whole dollars an hour.
var roles = []struct {
	role, team string
	engineer   bool
	cost, bill int
}{
	{"Service Desk Technician", "Service Desk", false, 36, 105},
	{"Systems Administrator", "Operations", false, 46, 120},
	{"Network Engineer", "Engineering", true, 61, 140},
	{"Service Desk Technician", "Service Desk", false, 38, 105},
	{"Project Engineer", "Engineering", true, 56, 135},
	{"Service Desk Technician", "Service Desk", false, 37, 105},
	{"Systems Administrator", "Operations", false, 47, 120},
	{"Security Engineer", "Engineering", true, 65, 150},
	{"Service Desk Lead", "Service Desk", false, 51, 120},
	{"Systems Administrator", "Operations", false, 45, 120},
	{"Solutions Architect", "Engineering", true, 76, 160},
	{"Service Desk Technician", "Service Desk", false, 35, 105},
}

// Places in the staff list that carry a planted truth.
const (
	juniorSeat     = 0 // serves a client alone until a senior takes over
	overloadedSeat = 1
	departingSeat  = 3
	seniorSeat     = 10
)

// overloaded and underused are the people with too much and too little to do in the last
// three months.
func (f *firm) overloaded() *person { return f.people[overloadedSeat] }
func (f *firm) underused() *person  { return f.people[min(9, f.seats()-1)] }

// seats is the head count, the same in every month.
func (f *firm) seats() int { return max(4, (f.Clients*3+5)/10) }

// hire makes the staff: rates rise on each January 1, and one person leaves and is replaced
// when there are enough of both people and months.
func (f *firm) hire() {
	d := newDice(f.Seed, 10)
	turnover := f.seats() >= 8 && f.Months >= 12
	count := f.seats()
	if turnover {
		count++
	}
	change := f.cal.at(f.Months * 2 / 5)
	names := personNames(d, count)
	for i, name := range names {
		seat := i
		if i == f.seats() {
			seat = departingSeat
		}
		r := roles[seat%len(roles)]
		p := &person{
			id: fmt.Sprintf("S-%02d", i+1), seat: seat, name: name, email: emailOf(name, "northwind-it.example"),
			role: r.role, team: r.team, engineer: r.engineer, weekly: 40,
			internalPercent: d.between(8, 11), pace: d.between(965, 1035),
			hired: f.cal.at(-d.between(3, 90)).AddDays(d.between(0, 27)),
			off:   map[quantity.Day]string{},
		}
		if seat == 6 {
			p.weekly = 32
		}
		if turnover && i == departingSeat {
			p.left = change
		}
		if i == f.seats() {
			p.hired = change
		}
		p.rates = f.raises(p, cents(r.cost*100+d.between(-3, 3)*25), cents(r.bill*100))
		f.people = append(f.people, p)
	}
}

// raises returns the rates of a person whose last ones are given: 3.5 % less and 5 an hour
// less for each January before.
func (f *firm) raises(p *person, cost, bill cents) []rate {
	last := f.cal.lastDay().Time().Year()
	first := max(p.hired.Time().Year(), f.cal.months[0].Time().Year())
	var rates []rate
	for year := first; year <= last; year++ {
		r := rate{from: quantity.NewDay(year, 1, 1), cost: cost, bill: bill}
		for range last - year {
			r.cost = r.cost * 1000 / 1035
			r.bill -= 500
		}
		if year == first {
			r.from = p.hired
		}
		rates = append(rates, r)
	}
	return rates
}

// planTimeOff gives each person about 14 days of vacation, mostly in summer and around the
// end of the year, and four days of illness a year.
func (f *firm) planTimeOff() {
	d := newDice(f.Seed, 11)
	first, last := f.cal.months[0].Time().Year(), f.cal.lastDay().Time().Year()
	for _, p := range f.people {
		for year := first; year <= last; year++ {
			block := func(start quantity.Day, days int, kind string) {
				for ; days > 0; start = start.AddDays(1) {
					if !f.cal.open(start) {
						continue
					}
					days--
					if _, taken := p.off[start]; !taken && p.employed(start) && f.cal.month(start) >= 0 && start.Before(f.cal.end) {
						p.off[start] = kind
					}
				}
			}
			block(quantity.NewDay(year, 6, 1).AddDays(d.upTo(85)), 6, "vacation")
			block(quantity.NewDay(year, 1, 10).AddDays(d.upTo(330)), 4, "vacation")
			block(quantity.NewDay(year, 12, 15).AddDays(d.upTo(12)), 4, "vacation")
			for range 4 {
				block(quantity.NewDay(year, 1, 2).AddDays(d.upTo(360)), 1, "sick")
			}
		}
	}
}

// daysOf returns the days of month m on which p works.
func (f *firm) daysOf(p *person, m int) []quantity.Day {
	var days []quantity.Day
	for d := f.cal.at(m); d.Before(f.cal.at(m + 1)); d = d.AddDays(1) {
		if _, away := p.off[d]; !away && f.cal.open(d) && p.employed(d) {
			days = append(days, d)
		}
	}
	return days
}

// budget is the time that p enters in month m and the internal part of it. A usual day is
// 6.25 h, which is 78 % of a contract's 8 h.
func (f *firm) budget(p *person, m int) (all, internal quarters) {
	perDay := 25_000 * p.pace / 1000 * f.cal.season(m) / 1000 // thousandths of a quarter hour
	if m >= f.cal.quarter() {
		switch p {
		case f.overloaded():
			perDay = 41_000
		case f.underused():
			perDay = 14_000
		}
	}
	all = quarters(len(f.daysOf(p, m)) * perDay * p.weekly / 40 / 1000)
	return all, all * quarters(p.internalPercent) / 100
}

// capacity is the contract time of p in month m in hundredths of an hour: a fifth of the
// week for each working day between hire and leave that is neither a holiday nor a day off.
func (f *firm) capacity(p *person, m int) int {
	return len(f.daysOf(p, m)) * p.day()
}

// day is a fifth of the contract's week, in hundredths of an hour.
func (p *person) day() int { return p.weekly * 100 / 5 }
