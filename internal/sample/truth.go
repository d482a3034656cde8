package sample

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Truth is what is planted in the files of MSP, with the figures as they come out of them.
// Clients that are not named in LossClients earn at least 20 % of their revenue over
// Period, after labor and direct cost. Money is in US dollars.
type Truth struct {
	Period         quantity.Period `json:"period"`      // the last twelve months, or all when there are fewer
	Firm           Profit          `json:"firm"`        // all clients in Period, without the internal one
	Utilization    decimal.Decimal `json:"utilization"` // hours worked, internal ones included, ÷ capacity in Period
	LossClients    []LossClient    `json:"loss_clients"`
	MarginDrops    []MarginDrop    `json:"margin_drops"`
	WastedLicenses []LicenseUse    `json:"wasted_licenses"`
	OverDeployed   []LicenseUse    `json:"over_deployed"`
	Overloaded     StaffLoad       `json:"overloaded"` // above 1.2 in the last three months
	Underused      StaffLoad       `json:"underused"`  // below 0.5 in the last three months
	LargestClient  RevenueShare    `json:"largest_client"`
	RisingVendor   VendorTrend     `json:"rising_vendor"`
	LostClients    []string        `json:"lost_clients"` // left within the data
	NewClients     []string        `json:"new_clients"`  // joined within the data
	LatePayers     []string        `json:"late_payers"`  // pay three weeks or more after the due date
	LedgerGaps     []LedgerGap     `json:"ledger_gaps"`  // months in which the books differ from the invoices
	Unbilled       []UnbilledWork  `json:"unbilled"`     // hours that were never invoiced
	Leaked         []Leak          `json:"leaked"`       // seats that the vendor charges for and no agreement bills
	// Overrunning is a running project whose budget is too small; nil when no large one runs.
	Overrunning *ProjectOverrun `json:"overrunning,omitempty"`
}

// ProjectOverrun is a running project that comes out above its budget at the pace so far:
// Estimate = Worked ÷ Progress.
type ProjectOverrun struct {
	Project  string           `json:"project"`
	Client   string           `json:"client"`
	Budget   quantity.Decimal `json:"budget"` // hours
	Worked   quantity.Decimal `json:"worked"`
	Progress quantity.Decimal `json:"progress"` // a ratio
	Estimate quantity.Decimal `json:"estimate"` // hours, to two decimals
}

// Profit is the result of a client or the firm over a period.
//
// GrossProfit = Revenue − LaborCost − DirectCost. Revenue is the sum of net invoice lines by
// invoice date without void invoices, credit memos being negative. LaborCost is hours
// worked × the person's cost rate on the day of work, for client time only. DirectCost is
// the sum of expenses matched to the client whose category begins with "cogs"; licenses
// are in there as their vendors' bills, so unit costs on invoice lines, agreement
// additions and licenses are not added again.
type Profit struct {
	Revenue     quantity.Decimal `json:"revenue"`
	LaborCost   quantity.Decimal `json:"labor_cost"` // up to four decimals
	DirectCost  quantity.Decimal `json:"direct_cost"`
	GrossProfit quantity.Decimal `json:"gross_profit"`
	GrossMargin quantity.Decimal `json:"gross_margin"` // ratio of revenue, four decimals; 0 without revenue
}

// LossClient is a client that loses money over Truth.Period.
type LossClient struct {
	Client string       `json:"client"`
	Cause  Cause        `json:"cause"`
	Since  quantity.Day `json:"since"` // first month of the cause; the period's start when it was always so
	Profit
}

// MarginDrop is a month in which a client's margin fell and stayed low.
type MarginDrop struct {
	Client string       `json:"client"`
	Month  quantity.Day `json:"month"`
	Cause  Cause        `json:"cause"`
	Before Profit       `json:"before"` // the three months before Month
	After  Profit       `json:"after"`  // the three months from Month on
}

// LicenseUse is a subscription at the end of the data.
type LicenseUse struct {
	License      string           `json:"license"`
	Client       string           `json:"client"`
	Vendor       string           `json:"vendor"`
	Product      string           `json:"product"`
	Purchased    int              `json:"purchased"`
	Used         int              `json:"used"`
	Inactive     int              `json:"inactive"`
	WasteSeats   int              `json:"waste_seats"`   // unassigned plus inactive
	OverSeats    int              `json:"over_seats"`    // used beyond purchased
	MonthlyMoney quantity.Decimal `json:"monthly_money"` // cost a month of the wasted or missing seats
}

// UnbilledWork are a client's billable hours of a month that are on no invoice.
type UnbilledWork struct {
	Client string           `json:"client"`
	Month  quantity.Day     `json:"month"`
	Hours  quantity.Decimal `json:"hours"`  // as billed elsewhere: rounded
	Amount quantity.Decimal `json:"amount"` // at the billing rates of who worked
}

// Leak are seats of a subscription at the end of the data that no agreement bills.
type Leak struct {
	License      string           `json:"license"`
	Client       string           `json:"client"`
	Product      string           `json:"product"`
	Seats        int              `json:"seats"` // not billed
	MonthlyMoney quantity.Decimal `json:"monthly_money"`
}

// StaffLoad is a person's hours worked, internal ones included, against capacity: contract
// hours a weekday without holidays and days off.
type StaffLoad struct {
	Staff       string           `json:"staff"`
	Period      quantity.Period  `json:"period"`
	Hours       quantity.Decimal `json:"hours"`
	Capacity    quantity.Decimal `json:"capacity"` // hours
	Utilization quantity.Decimal `json:"utilization"`
}

// RevenueShare is a client's part of the firm's revenue over Truth.Period.
type RevenueShare struct {
	Client string           `json:"client"`
	Share  quantity.Decimal `json:"share"` // ratio, four decimals
}

// VendorTrend is how a vendor's bills grew: the latter half of the data, at most twelve
// months, over as many months before, as a ratio a year. 0.25 is 25 % a year.
type VendorTrend struct {
	Vendor       string           `json:"vendor"`
	YearlyGrowth quantity.Decimal `json:"yearly_growth"` // linear: growth between the halves × 12 ÷ their months
}

// books hold a row for each client and month.
type books struct {
	clients map[*client][]account
	vendors map[string][]cents
	worked  map[*person][]quarters
}

// account is what a client brought and cost in a month, or in several.
type account struct {
	revenue, direct cents
	labor           int64 // quarter hours × cents an hour, which is quarters of a cent
}

func newBooks() books {
	return books{map[*client][]account{}, map[string][]cents{}, map[*person][]quarters{}}
}

func (f *firm) keepBooks() {
	for _, c := range f.clients {
		f.books.clients[c] = make([]account, f.Months)
	}
	for _, p := range f.people {
		f.books.worked[p] = make([]quarters, f.Months)
	}
	for _, inv := range f.invoices {
		if inv.status != "void" {
			f.books.clients[inv.client][f.cal.month(inv.date)].revenue += inv.net()
		}
	}
	for _, e := range f.expenses {
		m := f.cal.month(e.day)
		if f.books.vendors[e.vendor] == nil {
			f.books.vendors[e.vendor] = make([]cents, f.Months)
		}
		f.books.vendors[e.vendor][m] += e.net
		if e.client != nil {
			f.books.clients[e.client][m].direct += e.net
		}
	}
	for _, e := range f.entries {
		p, m := f.people[e.person], f.cal.month(e.day)
		f.books.worked[p][m] += e.worked
		if e.client != nil {
			f.books.clients[e.client][m].labor += int64(e.worked) * int64(p.rateOn(e.day).cost)
		}
	}
}

func (a *account) add(b account) {
	a.revenue, a.direct, a.labor = a.revenue+b.revenue, a.direct+b.direct, a.labor+b.labor
}

// over adds up a client's months [from, until), or all clients' when c is nil.
func (f *firm) over(c *client, from, until int) (sum account) {
	for _, one := range f.clients {
		if c != nil && c != one {
			continue
		}
		for _, a := range f.books.clients[one][max(0, from):min(until, f.Months)] {
			sum.add(a)
		}
	}
	return sum
}

func (a account) profit() Profit {
	p := Profit{Revenue: a.revenue.decimal(), DirectCost: a.direct.decimal(), LaborCost: decimal.New(a.labor*25, -4)}
	p.GrossProfit = p.Revenue.Sub(p.LaborCost).Sub(p.DirectCost)
	if !p.Revenue.IsZero() {
		p.GrossMargin = p.GrossProfit.DivRound(p.Revenue, 4)
	}
	return p
}

func (c cents) decimal() quantity.Decimal { return decimal.New(int64(c), -2) }

// leastMargin is what every client earns that is not a planted loss.
var leastMargin = decimal.New(20, -2)

// truth reads the planted facts off the books. It returns an Internal error when they do not
// show, or when more shows than was planted.
func (f *firm) truth() (Truth, error) {
	recent := f.cal.recent()
	t := Truth{Period: quantity.Period{From: f.cal.at(recent), To: f.cal.end}, Firm: f.over(nil, recent, f.Months).profit()}
	for _, c := range f.clients {
		year := f.over(c, recent, f.Months).profit()
		if c.story != losing && year.Revenue.IsPositive() && year.GrossMargin.LessThan(leastMargin) {
			return t, fault.Newf(fault.Internal, "%s came out with a margin of %s, which is not planted", c.name, year.GrossMargin)
		}
		switch c.story {
		case losing:
			t.LossClients = append(t.LossClients, LossClient{Client: c.name, Cause: c.cause, Since: f.cal.at(max(c.since, recent)), Profit: year})
		case dropping:
			t.MarginDrops = append(t.MarginDrops, MarginDrop{Client: c.name, Month: f.cal.at(c.since), Cause: c.cause,
				Before: f.over(c, c.since-3, c.since).profit(), After: f.over(c, c.since, c.since+3).profit()})
		case largest:
			t.LargestClient = RevenueShare{Client: c.name, Share: year.Revenue.DivRound(t.Firm.Revenue, 4)}
		case churned:
			t.LostClients = append(t.LostClients, c.name)
		case joined:
			t.NewClients = append(t.NewClients, c.name)
		}
		if c.late > 20 {
			t.LatePayers = append(t.LatePayers, c.name)
		}
		for _, s := range c.subs {
			switch {
			case s.waste:
				t.WastedLicenses = append(t.WastedLicenses, s.use())
			case s.over:
				t.OverDeployed = append(t.OverDeployed, s.use())
			case s.stale:
				t.Leaked = append(t.Leaked, Leak{s.id, c.name, s.product.name, s.after - s.before, (cents(s.after-s.before) * s.product.price).decimal()})
			}
		}
	}
	var all StaffLoad
	for _, p := range f.people {
		load := f.loadOf(p, recent)
		all.Hours, all.Capacity = all.Hours.Add(load.Hours), all.Capacity.Add(load.Capacity)
	}
	t.LedgerGaps = f.ledgerGaps()
	t.Unbilled = f.unbilledWork()
	if p := f.tight; p != nil {
		t.Overrunning = &ProjectOverrun{Project: p.name, Client: p.client.name, Budget: decimal.New(int64(p.hours)*25, -2), Worked: decimal.New(int64(p.worked)*25, -2), Progress: decimal.New(int64(p.done(f.Months)), -2)}
		t.Overrunning.Estimate = t.Overrunning.Worked.DivRound(t.Overrunning.Progress, 2)
	}
	t.Utilization = all.Hours.DivRound(all.Capacity, 4)
	t.Overloaded = f.loadOf(f.overloaded(), f.cal.quarter())
	t.Underused = f.loadOf(f.underused(), f.cal.quarter())
	t.RisingVendor = VendorTrend{Vendor: risingVendor, YearlyGrowth: f.growth(risingVendor)}
	return t, t.check()
}

// unbilledWork adds up the forgotten hours.
func (f *firm) unbilledWork() []UnbilledWork {
	var out []UnbilledWork
	for _, c := range f.clients {
		w := UnbilledWork{Client: c.name, Month: f.cal.at(c.unbilled)}
		for _, e := range f.entries {
			if e.client == c && e.byTheHour() && !f.invoiced(e) {
				w.Hours = w.Hours.Add(decimal.New(int64(e.billed)*25, -2))
				w.Amount = w.Amount.Add(decimal.New(int64(e.billed)*25*int64(f.people[e.person].rateOn(e.day).bill), -4))
			}
		}
		if w.Hours.IsPositive() {
			out = append(out, w)
		}
	}
	return out
}

func (s *subscription) use() LicenseUse {
	u := LicenseUse{
		License: s.id, Client: s.client.name, Vendor: s.product.vendor, Product: s.product.name,
		Purchased: s.after, Used: s.used, Inactive: s.inactive, WasteSeats: s.wasteSeats(), OverSeats: max(0, s.used-s.after),
	}
	u.MonthlyMoney = (cents(max(u.WasteSeats, u.OverSeats)) * s.product.cost).decimal()
	if s.product.yearly {
		u.MonthlyMoney = u.MonthlyMoney.DivRound(decimal.New(12, 0), 4)
	}
	return u
}

// loadOf returns the load of p from month from to the end of the data.
func (f *firm) loadOf(p *person, from int) StaffLoad {
	worked, capacity := quarters(0), 0
	for m := from; m < f.Months; m++ {
		worked += f.books.worked[p][m]
		capacity += f.capacity(p, m)
	}
	s := StaffLoad{Staff: p.name, Period: quantity.Period{From: f.cal.at(from), To: f.cal.end}, Hours: decimal.New(int64(worked)*25, -2), Capacity: decimal.New(int64(capacity), -2)}
	if capacity > 0 {
		s.Utilization = s.Hours.DivRound(s.Capacity, 4)
	}
	return s
}

func (f *firm) growth(vendor string) quantity.Decimal {
	half := min(12, f.Months/2)
	var before, after cents
	for i := range half {
		after += f.books.vendors[vendor][f.Months-1-i]
		before += f.books.vendors[vendor][f.Months-1-half-i]
	}
	if before == 0 {
		return quantity.Decimal{}
	}
	return (after - before).decimal().Mul(decimal.New(12, 0)).DivRound(before.decimal().Mul(decimal.New(int64(half), 0)), 4)
}

// check returns an Internal error when a planted truth does not show in the figures: a
// sample that says something false would be worse than none.
func (t Truth) check() error {
	point := func(hundredths int64) quantity.Decimal { return decimal.New(hundredths, -2) }
	for _, c := range t.LossClients {
		if c.GrossProfit.Sign() >= 0 {
			return fault.Newf(fault.Internal, "the planted loss of %s came out as a profit of %s", c.Client, c.GrossProfit)
		}
	}
	for _, d := range t.MarginDrops {
		if d.Before.GrossMargin.Sub(d.After.GrossMargin).LessThan(point(10)) {
			return fault.Newf(fault.Internal, "the planted drop of %s came out as %s to %s", d.Client, d.Before.GrossMargin, d.After.GrossMargin)
		}
	}
	if o := t.Overrunning; o != nil && o.Estimate.LessThan(o.Budget.Mul(point(130))) {
		return fault.Newf(fault.Internal, "the planted overrun of %s came out as %s of %s hours", o.Project, o.Estimate, o.Budget)
	}
	switch {
	case t.Overloaded.Utilization.LessThan(point(120)), t.Underused.Utilization.GreaterThan(point(50)):
		return fault.Newf(fault.Internal, "the planted loads came out as %s and %s", t.Overloaded.Utilization, t.Underused.Utilization)
	case t.LargestClient.Share.LessThan(point(18)):
		return fault.Newf(fault.Internal, "the planted largest client came out with a share of %s", t.LargestClient.Share)
	case t.RisingVendor.YearlyGrowth.LessThan(point(20)):
		return fault.Newf(fault.Internal, "the planted vendor came out with a growth of %s", t.RisingVendor.YearlyGrowth)
	}
	return nil
}

// write puts the truth beside the files it is about.
func (t Truth) write(dir string) error {
	text, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fault.Wrapf(fault.Internal, err, "the truth of the sample could not be written")
	}
	if err := os.WriteFile(filepath.Join(dir, "truth.json"), append(text, '\n'), 0o644); err != nil {
		return fault.Wrapf(fault.Unavailable, err, "the file truth.json could not be written")
	}
	return nil
}
