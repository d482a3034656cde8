package sample

import "strconv"

func (f *firm) licenseRows(t *table) {
	for _, l := range f.licenses {
		p := l.sub.product
		for _, s := range []string{l.sub.id, l.sub.client.name, p.vendor, p.name, p.sku, l.sub.term, p.cycle()} {
			t.text(s)
		}
		t.whole(l.seats)
		t.whole(l.used)
		t.whole(l.inactive)
		t.money(p.cost)
		t.money(p.price)
		t.day(l.start)
		t.day(l.renewal)
		t.yes(l.status == "active")
		t.text(l.status)
		t.day(l.validFrom)
		t.end()
	}
}

// assignmentRows lists who holds a seat of a product that is assigned to people, at clients
// that are still there. Inactive seats had no activity for more than 30 days.
func (f *firm) assignmentRows(t *table) {
	d := newDice(f.Seed, 90)
	for _, c := range f.clients {
		most := 0
		for _, s := range c.subs {
			most = max(most, s.used)
		}
		users, domain := personNames(d, most), domainOf(c.name)
		if c.until < f.Months {
			continue
		}
		begin := f.cal.at(max(c.from, 0))
		for _, s := range c.subs {
			if !s.product.perUser {
				continue
			}
			for i, user := range users[:s.used] {
				assigned := begin.AddDays(-d.between(0, 300))
				if assigned.Before(c.acquired) {
					assigned = c.acquired
				}
				active, enabled := f.cal.lastDay().AddDays(-d.pick([]int{60, 20, 8, 5, 3, 2, 1, 1})), true
				if i >= s.used-s.inactive {
					active, enabled = f.cal.lastDay().AddDays(-d.between(45, 140)), i%2 == 0
				}
				if active.Before(assigned) {
					active = assigned
				}
				t.text(s.id)
				t.text(c.name)
				t.text(s.product.name)
				t.text(emailOf(user, domain))
				t.day(assigned)
				t.day(active)
				t.yes(enabled)
				t.end()
			}
		}
	}
}

// projectRows lists the projects.
func (f *firm) projectRows(t *table) {
	for _, p := range f.projects {
		status := "Completed"
		if p.done(f.Months) < 100 {
			status = "In Progress"
		}
		for _, s := range []string{p.id, p.name, p.client.name, status, "Time and materials"} {
			t.text(s)
		}
		t.hours(p.hours)
		t.money(p.amount)
		t.day(p.start)
		t.day(f.cal.at(p.until).AddDays(-1))
		t.text(strconv.Itoa(p.done(f.Months)) + "%")
		t.end()
	}
}
