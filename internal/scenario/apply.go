package scenario

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// divisionDigits is how many decimals a quotient keeps.
const divisionDigits = 16

// dayHours is what a person who joins works on each weekday: a fifth of 40 hours a week,
// as the capacity of people whose contract is not known.
var dayHours = decimal.NewFromInt(8)

// outcome is a model's classes after levers were applied.
type outcome struct {
	classes []class
	// hoursCost is the part of the change of labor cost that comes from hours that people
	// work more or less: it is saved, or spent, only when people leave or join.
	hoursCost quantity.Decimal
	// staffing is the pay of those who join, less that of those who leave.
	staffing quantity.Decimal
}

// apply runs the levers of a set (bit i: lever i) over the classes, one after the other in
// the order of the definition.
func (m *model) apply(classes []class, active uint) outcome {
	o := outcome{classes: make([]class, len(classes), len(classes)+len(m.months))}
	for i, c := range classes {
		o.classes[i] = c
		if c.levers&active != 0 {
			o.classes[i].sums = make(sums, len(c.sums))
			o.classes[i].sums.add(c.sums)
		}
	}
	for i := range m.Levers {
		if active&(1<<i) != 0 {
			m.pull(&o, i)
		}
	}
	return o
}

// pull applies one lever.
func (m *model) pull(o *outcome, i int) {
	l := m.Levers[i]
	before := o.laborCost(i)
	switch {
	case l.Kind == Staffing:
		m.hire(o, i)
		return
	case l.Kind == Seats:
		m.buySeats(o, i)
		return
	case l.Kind == Pay && l.Amount != nil:
		for _, s := range o.selected(i, laborTable) {
			s["labor_cost"] = s["labor_cost"].Add(l.Amount.Mul(s["hours_worked"].Sub(s["hours_without_cost"])))
		}
		return
	case l.Amount == nil:
		factor := one.Add(l.share())
		for _, t := range kindOf(l.Kind).tables {
			for _, s := range o.selected(i, t) {
				for name, v := range s {
					if l.Kind != Pay || name == "labor_cost" {
						s[name] = v.Mul(factor)
					}
				}
			}
		}
	default:
		for month := range m.months {
			m.setMonth(o, i, month)
		}
	}
	if l.Kind == Hours || l.Kind == Churn {
		o.hoursCost = o.hoursCost.Add(o.laborCost(i).Sub(before))
	}
}

// setMonth applies a lever with an amount a month to one month: the amount is shared out
// over the selected classes in proportion to what they have, or goes to a class of its own
// when they have nothing.
func (m *model) setMonth(o *outcome, i, month int) {
	l := m.Levers[i]
	table, of := kindOf(l.Kind).tables[0], map[Kind]string{Price: "revenue", Fee: "recurring_revenue", Hours: "hours_worked", Cost: "direct_cost"}[l.Kind]
	var selected []sums
	total := decimal.Zero
	for _, c := range o.classes {
		if c.table == table && c.month == month && c.levers&(1<<i) != 0 {
			selected, total = append(selected, c.sums), total.Add(c.sums[of])
		}
	}
	to := total.Add(*l.Amount)
	if l.Kind == Fee {
		to = *l.Amount
	}
	if l.Kind == Hours && to.Sign() < 0 {
		to = decimal.Zero
	}
	if total.Sign() <= 0 {
		s := m.extra(o, i, table, l.client(), month)
		for _, name := range map[Kind][]string{Price: {"revenue"}, Fee: {"recurring_revenue", "revenue"}, Hours: {"hours_worked", "hours_without_cost"}, Cost: {"direct_cost"}}[l.Kind] {
			s[name] = s[name].Add(to.Sub(total))
		}
		return
	}
	left := to.Sub(total)
	for n, s := range selected {
		was := s[of]
		delta := was.Mul(to.Sub(total)).DivRound(total, divisionDigits)
		if n == len(selected)-1 {
			delta = left // the parts add up to the amount exactly
		}
		left = left.Sub(delta)
		switch {
		case l.Kind == Fee:
			s["recurring_revenue"], s["revenue"] = was.Add(delta), s["revenue"].Add(delta)
		default:
			if !was.IsZero() {
				for name, v := range s {
					if name != of {
						s[name] = v.Add(v.Mul(delta).DivRound(was, divisionDigits))
					}
				}
			}
			s[of] = was.Add(delta)
		}
	}
}

// hire adds the capacity and the pay of people who join.
func (m *model) hire(o *outcome, i int) {
	for n, month := range m.months {
		hours := m.Levers[i].Amount.Mul(dayHours).Mul(decimal.NewFromInt(weekdays(month)))
		s := m.extra(o, i, capacityTable, "", n)
		s["capacity_hours"] = s["capacity_hours"].Add(hours)
		o.staffing = o.staffing.Add(hours.Mul(m.rate[i]))
	}
}

func weekdays(month quantity.Day) int64 {
	n := int64(0)
	for d := month; d.Before(month.AddMonths(1)); d = d.AddDays(1) {
		if wd := d.Time().Weekday(); wd != 0 && wd != 6 {
			n++
		}
	}
	return n
}

// buySeats adds what seats cost a month.
func (m *model) buySeats(o *outcome, i int) {
	for n := range m.months {
		s := m.extra(o, i, costTable, m.Levers[i].client(), n)
		s["direct_cost"] = s["direct_cost"].Add(m.Levers[i].Amount.Mul(m.seatCost[i]))
	}
}

// client is the one client that a lever selects, "" when it selects none or several.
func (l Lever) client() string {
	if names := l.Select["client"]; len(names) == 1 {
		return names[0]
	}
	return ""
}

// extra is what a lever adds to a month beside what was there. It is changed by other
// levers that select everything, or the client that it is of.
func (m *model) extra(o *outcome, lever int, table, client string, month int) sums {
	levers := uint(1 << lever)
	for i, l := range m.Levers {
		_, ofClient := l.Select["client"]
		if i != lever && l.Kind != Seats && slices.Contains(kindOf(l.Kind).tables, table) &&
			(len(l.Select) == 0 || len(l.Select) == 1 && ofClient && slices.Contains(l.Select["client"], client)) {
			levers |= 1 << i
		}
	}
	at := slices.IndexFunc(o.classes, func(c class) bool {
		return c.table == table && c.client == client && c.month == month && c.levers == levers && c.extra
	})
	if at < 0 {
		at = len(o.classes)
		o.classes = append(o.classes, class{table: table, client: client, month: month, levers: levers, sums: sums{}, extra: true})
	}
	return o.classes[at].sums
}

func (o *outcome) selected(lever int, table string) []sums {
	var out []sums
	for _, c := range o.classes {
		if c.table == table && c.levers&(1<<lever) != 0 {
			out = append(out, c.sums)
		}
	}
	return out
}

func (o *outcome) laborCost(lever int) quantity.Decimal {
	total := decimal.Zero
	for _, s := range o.selected(lever, laborTable) {
		total = total.Add(s["labor_cost"])
	}
	return total
}

// total adds the classes up that of accepts.
func total(classes []class, of func(class) bool) sums {
	out := sums{}
	for _, c := range classes {
		if of(c) {
			out.add(c.sums)
		}
	}
	return out
}

// withoutClients joins the classes of all clients: the same sums for everything together,
// in far fewer classes.
func withoutClients(classes []class) []class {
	type key struct {
		table  string
		month  int
		levers uint
	}
	at := map[key]int{}
	var out []class
	for _, c := range classes {
		k := key{c.table, c.month, c.levers}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, class{table: c.table, month: c.month, levers: c.levers, sums: sums{}})
		}
		out[i].sums.add(c.sums)
	}
	return out
}
