package sample

import (
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// opportunityRows writes the sales that brought the clients that joined, about two lost ones
// for each, and a few that are open. An opportunity takes one to five months.
func (f *firm) opportunityRows(t *table) {
	d := newDice(f.Seed, 92)
	n := 0
	row := func(name, stage string, chance int, recurring, once cents, opened, expected, closed quantity.Day, status, reason string) {
		n++
		t.text(fmt.Sprintf("O-%03d", 100+n))
		t.text(name)
		t.text(stage)
		t.text(fmt.Sprintf("%d%%", chance))
		t.money(recurring)
		t.money(once)
		t.day(expected)
		t.text(status)
		t.text(reason)
		t.day(opened)
		t.day(closed)
		t.end()
	}
	for _, c := range f.clients {
		if c.story != joined {
			continue
		}
		fee := cents(0)
		if len(c.agreements) > 0 {
			fee = c.agreements[0].amount
		}
		row("Managed services for "+c.name, "Won", 100, fee, fee*2, c.acquired.AddDays(-d.between(30, 150)), c.acquired, c.acquired.AddDays(-d.between(5, 20)), "won", "")
	}
	names, _ := clientNames(newDice(f.Seed, 93), f.Clients)
	for i := range f.share(9) {
		closed := f.cal.at(f.Months * i / f.share(9)).AddDays(d.between(3, 25))
		row("Managed services for prospect "+names[len(names)-1-i%len(names)], "Lost", 0, cents(d.between(12, 60))*10_000, 0, closed.AddDays(-d.between(20, 120)), closed.AddDays(d.between(0, 30)), closed,
			"lost", choose(d, []string{"Price", "Stayed with their provider", "No decision"}))
	}
	for i := range f.share(6) {
		opened := f.cal.lastDay().AddDays(-d.between(5, 80))
		row("Managed services for prospect "+names[i%len(names)], []string{"Discovery", "Proposal", "Negotiation"}[i%3], []int{20, 50, 75}[i%3], cents(d.between(12, 60))*10_000, cents(d.between(2, 20))*100_000,
			opened, f.cal.end.AddDays(d.between(20, 90)), quantity.Day{}, "open", "")
	}
}

// acquisitionRows writes what sales and marketing cost in each month, and the clients that
// it won.
func (f *firm) acquisitionRows(t *table) {
	d := newDice(f.Seed, 94)
	for m := range f.Months {
		won := 0
		for _, c := range f.clients {
			if c.story == joined && c.from == m {
				won++
			}
		}
		t.day(f.cal.at(m))
		t.money(cents(d.between(38, 52)) * 10_000 * cents(f.seats()) / 12)
		t.text("Website, events and sales")
		t.whole(won)
		t.end()
	}
}
