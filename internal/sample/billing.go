package sample

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// invoice is one invoice or credit memo.
type invoice struct {
	number    string
	client    *client
	date, due quantity.Day
	kind      string // Invoice or Credit Memo
	status    string // paid, sent or void
	lines     []line
	credits   *invoice // what a credit memo is for
}

// line is one line of an invoice. The net amount is quantity × price.
type line struct {
	agreement   string
	category    string
	text        string
	hundredths  int64 // quantity; 150 is 1.5
	price, cost cents
	costKnown   bool
	tax         cents
	from, until quantity.Day // service period, both included
	project     string       // name of the project billed
}

// net is exact: quantities are whole, or half hours at prices of whole dollars.
func (l line) net() cents { return cents(l.hundredths) * l.price / 100 }

func (i *invoice) net() (sum cents) {
	for _, l := range i.lines {
		sum += l.net()
	}
	return sum
}

func (i *invoice) total() (sum cents) {
	sum = i.net()
	for _, l := range i.lines {
		sum += l.tax
	}
	return sum
}

// expense is a vendor's bill; without a client it is the firm's own.
type expense struct {
	day            quantity.Day
	vendor         string
	client         *client
	category, text string
	net            cents
}

// bill writes the invoices and the vendors' bills of every month.
func (f *firm) bill() {
	d := newDice(f.Seed, 70)
	for m := range f.Months {
		for _, c := range f.clients {
			if c.active(m) {
				f.billRecurring(c, m)
				f.payVendors(c, m)
			}
		}
		f.sellHardware(d, m)
		f.orderCabling(d, m)
		f.payOverhead(m)
	}
	f.billHours()
	f.correct(d)
	slices.SortStableFunc(f.invoices, func(a, b *invoice) int {
		return cmp.Or(a.date.Time().Compare(b.date.Time()), cmp.Compare(a.client.id, b.client.id))
	})
	for i, inv := range f.invoices {
		prefix := "INV"
		if inv.credits != nil {
			prefix = "CM"
		}
		inv.number = fmt.Sprintf("%s-%06d", prefix, 100_001+i)
	}
	slices.SortStableFunc(f.expenses, func(a, b expense) int { return a.day.Time().Compare(b.day.Time()) })
}

// issue adds an invoice with its lines; without lines there is none.
func (f *firm) issue(c *client, date quantity.Day, lines ...line) *invoice {
	inv := &invoice{client: c, date: date, due: date.AddDays(30), kind: "Invoice", status: "sent", lines: lines}
	if len(lines) > 0 {
		f.invoices = append(f.invoices, inv)
	}
	return inv
}

// billRecurring invoices the base fee and the additions of month m on its first day.
func (f *firm) billRecurring(c *client, m int) {
	first, last := f.cal.at(m), f.cal.at(m+1).AddDays(-1)
	title := first.Time().Format("January 2006")
	var lines []line
	for _, a := range c.agreements {
		if m < a.from || m >= a.until {
			continue
		}
		if a.amount > 0 {
			lines = append(lines, line{agreement: a.id, category: "recurring_labor", text: a.name + " " + title, hundredths: 100, price: a.amount, from: first, until: last})
		}
		for _, x := range a.additions {
			billed := x.seats - x.sub.included
			if !x.billed(m) || billed <= 0 {
				continue
			}
			until := last
			if x.sub.product.yearly {
				until = f.cal.at(m + 12).AddDays(-1)
			}
			lines = append(lines, line{agreement: a.id, category: "recurring_resale", text: x.sub.product.name, hundredths: int64(billed) * 100,
				price: x.sub.product.price, cost: x.sub.product.cost, costKnown: true, from: first, until: until})
		}
	}
	f.issue(c, first, lines...)
}

// payVendors enters what the vendors charge for a client in month m, whether it is billed
// on or not.
func (f *firm) payVendors(c *client, m int) {
	for _, a := range c.agreements {
		for _, x := range a.additions {
			if x.billed(m) {
				p := x.sub.product
				f.spend(f.cal.at(m).AddDays(4), p.supplier, c, "cogs_product", fmt.Sprintf("%s × %d", p.name, x.sub.seats(m)), cents(x.sub.seats(m))*p.cost)
			}
		}
	}
	f.spend(f.cal.at(m).AddDays(6), risingVendor, c, "cogs_tool", "Log analytics, per user", f.toolCost(c, m))
	if c.extraCost > 0 && m >= c.since {
		f.spend(f.cal.at(m).AddDays(9), distributor, c, "cogs_product", "Cloud server consumption", c.extraCost)
	}
}

func (f *firm) spend(day quantity.Day, vendor string, c *client, category, text string, net cents) {
	if net != 0 {
		f.expenses = append(f.expenses, expense{day: day, vendor: vendor, client: c, category: category, text: text, net: net})
	}
}

// hardwareItems are sold with 18 to 22 % margin and 8.25 % sales tax.
var hardwareItems = []struct {
	name        string
	cost, price cents
}{{"Business laptop 14 inch", 98_000, 122_000}, {"Desktop mini", 74_000, 92_000}, {"Managed switch 24 port", 56_000, 70_000}, {"Firewall appliance", 82_000, 105_000}}

// sellHardware sells about five devices a month to forty clients, one a time, to clients
// for whom one is not a large part of the month's bill.
func (f *firm) sellHardware(d dice, m int) {
	hosts := f.hosts(d, m)
	for i := range max(1, f.Clients/8) {
		if len(hosts) == 0 {
			return
		}
		c, item := hosts[i%len(hosts)], hardwareItems[(m+i)%len(hardwareItems)]
		day := f.cal.at(m).AddDays(d.between(9, 19))
		f.spend(day, hardwareVendor, c, "cogs_product", item.name, item.cost)
		tax := (item.price*825 + 5000) / 10_000
		f.issue(c, day.AddDays(2), line{category: "hardware", text: item.name, hundredths: 100, price: item.price, cost: item.cost, costKnown: true, tax: tax})
	}
}

// orderCabling has a subcontractor do two small jobs a month for forty clients.
func (f *firm) orderCabling(d dice, m int) {
	hosts := f.hosts(d, m)
	for i := range max(1, f.Clients/20) {
		if len(hosts) == 0 {
			return
		}
		c, cost := hosts[i%len(hosts)], cents(d.between(30, 50))*1000
		day := f.cal.at(m).AddDays(d.between(9, 19))
		f.spend(day, cablingVendor, c, "cogs_subcontract", "Cabling on site", cost)
		f.issue(c, day.AddDays(3), line{category: "project", text: "Cabling on site", hundredths: 100, price: cost * 14 / 10, cost: cost, costKnown: true})
	}
}

// hosts are the active clients without a story and of at least middle size, and the
// largest one, shuffled.
func (f *firm) hosts(d dice, m int) []*client {
	var hosts []*client
	for _, c := range f.clients {
		if c.active(m) && (c.story == largest || c.story == plain && c.weight >= 900) {
			hosts = append(hosts, c)
		}
	}
	shuffle(d, hosts)
	return hosts
}

// overhead is the firm's own monthly spending for twelve people.
var overhead = []struct {
	vendor, text string
	day          int
	amount       cents
}{
	{"Fulton Street Properties", "Office rent", 1, 620_000}, {"Trellis PSA", "Service desk software", 3, 148_000}, {"Outpost RMM", "Remote monitoring", 3, 172_000},
	{"Evergreen Mutual", "Business insurance", 12, 95_000}, {"Cobalt Telecom", "Internet and phones", 15, 64_000}, {"Pinwheel Marketing", "Website and campaigns", 18, 210_000},
	{"Ledger Lane Bookkeeping", "Bookkeeping", 25, 118_000},
}

func (f *firm) payOverhead(m int) {
	for _, o := range overhead {
		amount := o.amount * cents(f.seats()) / 12
		for range m / 12 {
			amount = amount * 103 / 100
		}
		f.spend(f.cal.at(m).AddDays(o.day-1), o.vendor, nil, "opex", o.text, amount/100*100)
	}
}

// billHours invoices the billed hours of projects and of clients who pay by the hour, on the
// last day of the month in which they were worked, one line a rate.
func (f *firm) billHours() {
	type key struct {
		month   int
		client  *client
		project *project
		rate    cents
	}
	hours := map[key]quarters{}
	for _, e := range f.entries {
		if e.client == nil {
			continue
		}
		if e.project != nil {
			e.project.worked += e.worked
		}
		if f.invoiced(e) {
			hours[key{f.cal.month(e.day), e.client, e.project, f.people[e.person].rateOn(e.day).bill}] += e.billed
		}
	}
	keys := make([]key, 0, len(hours))
	for k := range hours {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.client.id, b.client.id), cmp.Compare(a.project.sort(), b.project.sort()), cmp.Compare(a.rate, b.rate))
	})
	var open *invoice
	for i, k := range keys {
		if i == 0 || k.month != keys[i-1].month || k.client != keys[i-1].client {
			open = f.issue(k.client, f.cal.at(k.month+1).AddDays(-1), line{})
			open.lines = nil
		}
		l := line{category: "t_and_m", text: "Support by the hour", hundredths: int64(hours[k]) * 25, price: k.rate,
			from: f.cal.at(k.month), until: f.cal.at(k.month + 1).AddDays(-1)}
		if k.project != nil {
			l.category, l.text, l.project = "project", k.project.name, k.project.name
			k.project.billed += l.net()
		} else if a := k.client.agreementIn(k.month); a != nil {
			l.agreement = a.id
		}
		open.lines = append(open.lines, l)
	}
}

// byTheHour reports whether an entry is paid for by the hour.
func (e entry) byTheHour() bool {
	return e.billed > 0 && e.client != nil && (e.project != nil || e.client.model == timeAndM)
}

// invoiced reports whether an entry is paid for by the hour, and was not forgotten.
func (f *firm) invoiced(e entry) bool {
	forgotten := e.client != nil && e.client.unbilled > 0 && e.project == nil && !e.day.Before(f.cal.at(e.client.unbilled).AddDays(20)) && f.cal.month(e.day) == e.client.unbilled
	return e.byTheHour() && !forgotten
}

// forget plants support by the hour that was never invoiced: the last days of a month of the
// first client who pays so, long enough ago to be overlooked.
func (f *firm) forget() {
	for _, c := range f.clients {
		if c.model == timeAndM && f.Months > 4 {
			c.unbilled = f.Months - 3
			return
		}
	}
}

func (p *project) sort() string {
	if p == nil {
		return ""
	}
	return p.id
}

// agreementIn returns the agreement that covers the client in month m.
func (c *client) agreementIn(m int) *agreement {
	for _, a := range c.agreements {
		if m >= a.from && m < a.until {
			return a
		}
	}
	return nil
}

// correct issues a few credit memos of 3 to 5 % of a bill, and leaves a few void duplicates
// among the invoices.
func (f *firm) correct(d dice) {
	var recurring []*invoice
	for _, inv := range f.invoices {
		if (inv.client.story == plain || inv.client.story == largest) && inv.date == inv.date.Month() && inv.client.model != timeAndM {
			recurring = append(recurring, inv)
		}
	}
	shuffle(d, recurring)
	credits, voids := max(2, f.Clients*f.Months/120), max(1, f.Clients*f.Months/320)
	for _, inv := range recurring[:min(credits, len(recurring))] {
		amount := inv.lines[0].price * cents(d.between(3, 5)) / 100 / 100 * 100
		memo := f.issue(inv.client, inv.date.AddDays(d.between(8, 20)), line{
			agreement: inv.lines[0].agreement, category: inv.lines[0].category, text: "Credit for late response", hundredths: -100, price: amount})
		memo.kind, memo.credits, memo.due = "Credit Memo", inv, memo.date
	}
	for _, inv := range recurring[max(0, len(recurring)-voids):] {
		void := f.issue(inv.client, inv.date.AddDays(1), inv.lines...)
		void.status = "void"
	}
}
