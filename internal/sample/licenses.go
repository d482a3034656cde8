package sample

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// product is something the firm resells, with the amounts of one billing cycle.
type product struct {
	name, vendor, sku string
	supplier          string // who sends the bill
	cost, price       cents
	yearly            bool
	perUser           bool // seats are assigned to people
}

// The vendors that send bills; the names are made up, except the publisher's in product.
const (
	distributor    = "Meridian Cloud Distribution"
	endpointVendor = "Bastion Endpoint"
	mailVendor     = "Inboxguard"
	backupVendor   = "Coldvault Backup"
	risingVendor   = "Signal Ridge Log Analytics"
	hardwareVendor = "Tidewater Hardware Supply"
	cablingVendor  = "Harborline Field Services"
)

var (
	premiumSuite  = &product{"Microsoft 365 Business Premium", "Microsoft", "SPB", distributor, 2200, 2640, false, true}
	standardSuite = &product{"Microsoft 365 Business Standard", "Microsoft", "O365-BS", distributor, 1250, 1500, false, true}
	endpoint      = &product{"Bastion Endpoint Protect", "Bastion", "BEP-100", endpointVendor, 340, 600, false, false}
	mailFilter    = &product{"Inboxguard Email Security", "Inboxguard", "IG-STD", mailVendor, 160, 300, false, true}
	serverBackup  = &product{"Coldvault Server Backup", "Coldvault", "CV-SRV", backupVendor, 4800, 8500, false, false}
	designSuite   = &product{"Drafthouse Design Suite", "Drafthouse", "DH-ALL", distributor, 22800, 28500, true, true}
	planning      = &product{"Microsoft Planner and Project Plan 3", "Microsoft", "PROJ-P3", distributor, 3000, 3600, false, true}
	phones        = &product{"Microsoft Teams Phone Standard", "Microsoft", "MCOEV", distributor, 1000, 1250, false, true}
	reporting     = &product{"Microsoft Power BI Pro", "Microsoft", "PBI-PRO", distributor, 1400, 1680, false, true}
)

// subscription is a product at a client. The quantity changes at most once.
type subscription struct {
	id       string
	client   *client
	product  *product
	before   int // quantity before change
	after    int // quantity from change on
	change   int // month; at most 0 when it never changed within the data
	included int // units covered by the base fee
	used     int // assigned at the end of the data
	inactive int // of these, without use for 30 days
	term     string
	waste    bool // planted: paid for and hardly used
	stale    bool // planted: the agreement still bills the quantity before change
	over     bool // planted: more used than bought
}

// billedSeats is the quantity that the agreement bills.
func (s *subscription) billedSeats(m int) int {
	if s.stale {
		return s.before
	}
	return s.seats(m)
}

func (s *subscription) seats(m int) int {
	if m < s.change {
		return s.before
	}
	return s.after
}

// monthlyCost is what the vendor charges for the last quantity, spread over the year.
func (s *subscription) monthlyCost() cents {
	if s.product.yearly {
		return cents(s.after) * s.product.cost / 12
	}
	return cents(s.after) * s.product.cost
}

// monthlyPrice is what the client is billed for the last quantity, spread over the year.
func (s *subscription) monthlyPrice() cents {
	if s.product.yearly {
		return cents(s.after-s.included) * s.product.price / 12
	}
	return cents(s.after-s.included) * s.product.price
}

// wasteSeats counts seats that are paid for and not used, as license_waste does.
func (s *subscription) wasteSeats() int {
	return min(s.after, max(0, s.after-s.used)+s.inactive)
}

// subscribe gives each client its products, plants the wasted and the over-deployed ones
// and sets how far each is used.
func (f *firm) subscribe() {
	d := newDice(f.Seed, 30)
	for i, c := range f.clients {
		suite := premiumSuite
		if i%4 == 3 {
			suite = standardSuite
		}
		s := f.add(d, c, suite, c.seats)
		if c.story == plain && d.percent(40) {
			s.before, s.change = s.after-max(1, s.after*d.between(4, 8)/100), f.Months*d.between(20, 80)/100
		}
		f.add(d, c, endpoint, max(3, c.seats*95/100))
		if d.percent(60) {
			f.add(d, c, mailFilter, c.seats)
		}
		if d.percent(80) {
			s := f.add(d, c, serverBackup, c.seats/20+1)
			if s.after >= 3 && d.percent(30) {
				s.included = 1
			}
		}
		if c.story == plain && d.percent(15) {
			f.add(d, c, designSuite, d.between(2, 4))
		}
	}
	f.plantLicenses(d)
	f.plantStale()
	n := 0
	for _, c := range f.clients {
		for _, s := range c.subs {
			n++
			s.id = fmt.Sprintf("L-%04d", 2000+n)
			if !s.waste && !s.over {
				s.used = s.after - d.upTo(min(5, s.after*6/100)+1)
				if s.product.perUser {
					s.inactive = d.upTo(min(2, s.after*3/100) + 1)
				}
			}
		}
	}
}

func (f *firm) add(d dice, c *client, p *product, seats int) *subscription {
	s := &subscription{client: c, product: p, before: seats, after: seats, term: "annual"}
	if !p.yearly && d.percent(35) {
		s.term = "monthly"
	}
	c.subs = append(c.subs, s)
	return s
}

// plantLicenses wastes seats at the larger clients without a story, one line each, and
// deploys more endpoints than bought at the next ones.
func (f *firm) plantLicenses(d dice) {
	var hosts []*client
	for _, c := range f.clients {
		if c.story == plain {
			hosts = append(hosts, c)
		}
	}
	slices.SortStableFunc(hosts, func(a, b *client) int { return cmp.Compare(b.seats, a.seats) })
	extra := []struct {
		product      *product
		seatsPercent int // of the client's users
		usedPercent  int
	}{{planning, 60, 18}, {nil, 0, 0}, {phones, 100, 24}, {designSuite, 30, 20}, {reporting, 80, 14}}
	for i := range max(2, f.share(5)) {
		c := hosts[0]
		if len(hosts) > 1 {
			hosts = hosts[1:]
		}
		e := extra[i%len(extra)]
		if e.product == nil { // seats of people who left, never returned
			s := c.subs[0]
			s.waste, s.used = true, c.seats
			s.after, s.before, s.change = c.seats*17/10, c.seats*17/10, 0
			continue
		}
		c.subs = slices.DeleteFunc(c.subs, func(s *subscription) bool { return s.product == e.product })
		s := f.add(d, c, e.product, max(10, c.seats*e.seatsPercent/100))
		s.waste, s.term = true, "annual"
		s.used = max(1, s.after*e.usedPercent/100)
		s.inactive = d.upTo(2)
	}
	for i := range f.share(2) {
		s := hosts[i%len(hosts)].subs[1]
		s.over, s.used = true, s.after+max(4, s.after/4)
	}
}

// plantStale lets the endpoint licenses of the largest clients without another story grow
// seven months before the end, and nobody tells the agreement.
func (f *firm) plantStale() {
	var hosts []*client
	for _, c := range f.clients {
		free := !slices.ContainsFunc(c.subs, func(s *subscription) bool { return s.waste || s.over })
		if c.story == plain && c.model == fixedFee && free && f.Months > 9 {
			hosts = append(hosts, c)
		}
	}
	slices.SortStableFunc(hosts, func(a, b *client) int { return cmp.Compare(b.seats, a.seats) })
	for _, c := range hosts[:min(f.share(2), len(hosts))] {
		s := c.subs[1]
		s.stale, s.change = true, f.Months-7
		s.before = s.after - max(2, s.after*22/100)
	}
}

// license is one row of licenses.csv: a subscription as it was from a day on.
type license struct {
	sub            *subscription
	validFrom      quantity.Day
	start, renewal quantity.Day
	seats, used    int
	inactive       int
	status         string
}

// recordLicenses writes down each subscription's states: the first, the changed quantity
// and the end of a lost client's.
func (f *firm) recordLicenses(s *subscription, start quantity.Day) {
	renewal := start
	for renewal.Before(f.AsOf) {
		renewal = f.cal.at(f.cal.month(renewal) + 12)
	}
	row := license{sub: s, validFrom: start, start: start, renewal: renewal, status: "active"}
	state := func(from quantity.Day, seats int, status string) {
		r := row
		r.validFrom, r.seats, r.status = from, seats, status
		r.used, r.inactive = max(0, s.used-(s.after-seats)), s.inactive
		f.licenses = append(f.licenses, &r)
	}
	changed := s.change > s.client.from && s.change < s.client.until && s.before != s.after
	if changed {
		state(start, s.before, "active")
		state(f.cal.at(s.change), s.after, "active")
	} else {
		state(start, s.after, "active")
	}
	if s.client.until < f.Months {
		state(f.cal.at(s.client.until), s.after, "cancelled")
	}
}
