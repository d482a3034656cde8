package sample

import (
	"cmp"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// entry is one time entry; it has a client, or is internal.
type entry struct {
	day      quantity.Day
	person   int
	client   *client
	project  *project
	worked   quarters
	billed   quarters
	billable bool
	ticket   string
	kind     string // work type
	note     string
}

// job is a piece of work before somebody has taken it.
type job struct {
	client  *client
	project *project
	size    quarters
	only    int // place of the person who must take it, -1 when anybody may
}

// shift is what one person can still take in a month.
type shift struct {
	person   *person
	days     []quantity.Day
	all      quarters
	internal quarters
	left     quarters // client time not yet given out
	jobs     []job
}

// work deals each month's client time out to clients by their demand, cuts it into pieces,
// gives each piece to a person and each person's pieces to days.
func (f *firm) work() {
	d := newDice(f.Seed, 40)
	for m := range f.Months {
		shifts := make([]*shift, len(f.people))
		var pool quarters
		for i, p := range f.people {
			s := &shift{person: p, days: f.daysOf(p, m)}
			s.all, s.internal = f.budget(p, m)
			s.left = s.all - s.internal
			pool += s.left
			shifts[i] = s
		}
		jobs := f.jobs(d, m, pool)
		for _, j := range jobs {
			f.assign(shifts, j)
		}
		var month []entry
		for i, s := range shifts {
			month = append(month, f.place(d, i, s)...)
		}
		slices.SortStableFunc(month, func(a, b entry) int {
			return cmp.Or(a.day.Time().Compare(b.day.Time()), cmp.Compare(a.person, b.person))
		})
		f.entries = append(f.entries, month...)
	}
}

// jobs returns the month's work in the order in which it is given out: work that only one
// person may do comes first. The sizes add up to pool.
func (f *firm) jobs(d dice, m int, pool quarters) []job {
	type demand struct {
		job
		load  int
		sizes []quarters
		odds  []int
	}
	var demands []demand
	sum := 0
	for _, c := range f.clients {
		w := c.load(m) * d.between(950, 1050) / 1000
		if w == 0 {
			continue
		}
		x := demand{job: job{client: c, only: -1}, load: w, sizes: []quarters{1, 2, 3, 4, 6, 8, 12}, odds: []int{18, 26, 18, 16, 12, 7, 3}}
		if c.noisy {
			x.sizes, x.odds = []quarters{1, 2, 3, 4, 6}, []int{36, 32, 16, 10, 6}
		}
		if c.cause == CauseLaborRate {
			x.only = c.junior
			if m >= c.since {
				x.only = c.senior
			}
		}
		demands = append(demands, x)
		sum += w
	}
	for _, p := range f.projects {
		if w := p.load(m); w > 0 {
			demands = append(demands, demand{job: job{client: p.client, project: p, only: -1}, load: w, sizes: []quarters{4, 6, 8, 12, 16}, odds: []int{1, 1, 1, 1, 1}})
			sum += w
		}
	}
	var jobs []job
	given, cumulated := quarters(0), 0
	for _, x := range demands {
		cumulated += x.load
		target := pool * quarters(cumulated) / quarters(sum) // the running total leaves no remainder
		for rest := target - given; rest > 0; {
			j := x.job
			j.size = min(rest, x.sizes[d.pick(x.odds)])
			rest -= j.size
			jobs = append(jobs, j)
		}
		given = target
	}
	shuffle(d, jobs)
	slices.SortStableFunc(jobs, func(a, b job) int { return cmp.Compare(min(b.only, 0), min(a.only, 0)) })
	return jobs
}

// assign gives j to the person who has most of the month's time left, counting people who
// know the client twice, and engineers four times for projects. A piece for which
// nobody has enough time is cut.
func (f *firm) assign(shifts []*shift, j job) {
	for j.size > 0 {
		var best *shift
		var bestScore, most quarters
		for _, s := range shifts {
			if s.left <= 0 {
				continue
			}
			score := s.left * 10_000 / s.all
			switch {
			case s.person.seat == j.only:
				score *= 1_000_000
			case j.project != nil && s.person.engineer:
				score *= 4
			case j.project == nil && slices.Contains(j.client.home[:], s.person.seat):
				score *= 2
			}
			fits := min(s.left, j.size)
			if fits > most || fits == most && score > bestScore {
				best, bestScore, most = s, score, fits
			}
		}
		if best == nil {
			return // the sizes add up to what the shifts hold, so nothing is lost here
		}
		part := j
		part.size = most
		best.jobs = append(best.jobs, part)
		best.left -= most
		j.size -= most
	}
}

var internalKinds = []string{"Meeting", "Training", "Documentation", "Administration"}

// place puts the month's jobs and internal time of one person on working days: the largest
// first, each on the day with most room.
func (f *firm) place(d dice, person int, s *shift) []entry {
	if len(s.days) == 0 {
		return nil
	}
	for rest := s.internal; rest > 0; {
		size := min(rest, quarters(d.between(1, 4)))
		s.jobs = append(s.jobs, job{size: size})
		rest -= size
	}
	room := make([]quarters, len(s.days))
	for i := range room {
		room[i] = s.all/quarters(len(s.days)) + quarters(d.between(-2, 2))
	}
	shuffle(d, s.jobs)
	slices.SortStableFunc(s.jobs, func(a, b job) int { return cmp.Compare(b.size, a.size) })
	entries := make([]entry, 0, len(s.jobs))
	for _, j := range s.jobs {
		at := 0
		for i := range room {
			if room[i] > room[at] {
				at = i
			}
		}
		room[at] -= j.size
		e := entry{day: s.days[at], person: person, client: j.client, project: j.project, worked: j.size}
		f.describe(d, &e)
		entries = append(entries, e)
	}
	return entries
}

// describe sets what an entry was for and whether it is billed: some short support work is
// rework or courtesy. Time that is invoiced by the hour is rounded up to half hours.
func (f *firm) describe(d dice, e *entry) {
	switch {
	case e.client == nil:
		e.kind = choose(d, internalKinds)
		e.note = map[string]string{"Meeting": "Team meeting", "Training": "Vendor course", "Documentation": "Runbook updates", "Administration": "Time and mail"}[e.kind]
		return
	case e.project != nil:
		e.kind, e.note, e.billable = "Project", e.project.name, true
	default:
		e.kind = []string{"Remote", "Remote", "Remote", "Onsite", "Maintenance"}[d.upTo(5)]
		e.billable = e.worked > 3 || !d.percent(8)
		e.note = choose(d, workNotes)
	}
	if !e.billable {
		e.note = "Rework, no charge"
		return
	}
	e.billed = e.worked
	if e.project != nil || e.client.model == timeAndM {
		e.billed = (e.worked + 1) / 2 * 2
	}
}

var workNotes = []string{
	"Reset password and MFA", "Printer mapping repaired", "Mailbox rule cleaned up", "Patch window", "VPN profile rebuilt", "New starter set up",
	"Backup job checked", "Disk space freed", "Firewall rule changed", "Laptop reimaged", "Shared folder rights", "Phishing mail analyzed", "Browser update", "Switch port replaced",
}
