package sample

import (
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// project is work for one client over a few months, billed monthly by the hour.
type project struct {
	id, name    string
	client      *client
	from, until int // months [from, until) of the plan; until may lie after the data
	weight      int // demand in thousandths of the average client's
	worked      quarters
	billed      cents
	hours       quarters // budget
	amount      cents
	start       quantity.Day
}

func (p *project) load(m int) int {
	if m < p.from || m >= p.until {
		return 0
	}
	return p.weight
}

var projectNames = []string{
	"Server refresh", "Office move", "Wi-Fi upgrade", "Firewall replacement", "Mailbox migration", "Windows 11 rollout",
	"Backup redesign", "Phone system move", "Security baseline", "File server to cloud", "Identity clean-up", "Network segmentation",
}

// planProjects starts projects at an even pace, at clients without a story: their monthly
// billing would blur one. A project is at most 45 % more work for its client, so that its
// end does not look like one either.
func (f *firm) planProjects() {
	d := newDice(f.Seed, 21)
	var hosts []*client
	for _, c := range f.clients {
		if c.story == plain && c.model != timeAndM && c.weight >= 650 {
			hosts = append(hosts, c)
		}
	}
	shuffle(d, hosts)
	if len(hosts) == 0 {
		return
	}
	turn := 0
	for m := -2; m < f.Months; m++ {
		starts := f.share(1)
		if f.Clients < 30 && (m+2)%3 > 0 {
			starts = 0
		}
		for range starts {
			c := hosts[turn%len(hosts)]
			p := &project{
				id: fmt.Sprintf("PR-%03d", 101+len(f.projects)), client: c,
				name: fmt.Sprintf("%s %d", projectNames[(turn+turn/len(hosts)*5)%len(projectNames)], f.cal.at(m).Time().Year()),
				from: m, until: m + d.between(2, 4), weight: c.weight * d.between(25, 45) / 100,
			}
			turn++
			if p.until <= 0 {
				continue
			}
			p.start = f.cal.at(max(0, p.from))
			f.projects = append(f.projects, p)
		}
	}
}

// planBudgets sets each budget near what the work came to. A running project's budget is for
// its whole plan, that of the planted one (overrunning) for too little of it.
func (f *firm) planBudgets() {
	d := newDice(f.Seed, 91)
	for _, p := range f.projects {
		slack, done := d.between(94, 112), p.done(f.Months)           // percent of the work
		p.hours = max(8, p.worked*quarters(slack)/quarters(done)/8*8) // even hours
		p.amount = p.billed * cents(slack) / cents(done) / 10_000 * 10_000
	}
	if f.tight = f.overrunning(); f.tight != nil {
		f.tight.hours, f.tight.amount = f.tight.hours*5/8/8*8, f.tight.amount*5/8/10_000*10_000
	}
}

// done is how many percent of the project are done after so many months of data.
func (p *project) done(months int) int {
	if p.until <= months {
		return 100
	}
	return 100 * (months - p.from) / (p.until - p.from)
}

// overrunning is the running project that is nearest to its half: its budget is planted to be
// too small. It is nil when none runs that is large enough to show it.
func (f *firm) overrunning() *project {
	var out *project
	off := func(p *project) int { return max(p.done(f.Months)-50, 50-p.done(f.Months)) }
	for _, p := range f.projects {
		if p.done(f.Months) < 100 && p.hours >= 64 && (out == nil || off(p) < off(out)) {
			out = p
		}
	}
	return out
}
