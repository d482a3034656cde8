package sample

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// ticket is one request; a zero time has not come yet.
type ticket struct {
	number                                 int
	client                                 *client
	title, kind, priority, source, status  string
	created, responded, resolved, closedAt time.Time
	respondBy, resolveBy                   time.Time // due by the SLA; nights do not count for the reply
	slaMet                                 bool
}

// survey is one answer of a client.
type survey struct {
	ticket       int // 0 for a relationship survey
	client       *client
	kind         string
	score, scale int
	on           quantity.Day
	comment      string
}

// priorities with the minutes within which a ticket must be answered and solved.
var priorities = []struct {
	name           string
	respond, solve int
	odds           int
}{
	{"Critical", 30, 8 * 60, 3}, {"High", 60, 24 * 60, 17}, {"Medium", 240, 4 * 24 * 60, 55}, {"Low", 480, 9 * 24 * 60, 25},
}

var titles = map[string][]string{
	"incident": {"Printer offline", "Cannot sign in", "Outlook does not open", "Slow laptop", "VPN drops", "Shared drive missing", "Wi-Fi weak in meeting room", "Scanner error"},
	"request":  {"New starter", "Leaver", "Access to shared mailbox", "Install application", "Move phone number", "New laptop"},
	"alert":    {"Backup warning", "Disk space low", "Endpoint protection alert", "Server offline", "Certificate expires"},
}

// answerTickets derives the tickets from the work that was done on them: one to three
// entries of a client within a few days. A few entries belong to no ticket.
func (f *firm) answerTickets() {
	d := newDice(f.Seed, 50)
	work := map[*client][]int{} // entries in order of time
	for i, e := range f.entries {
		if e.client != nil && e.project == nil && !d.percent(4) {
			work[e.client] = append(work[e.client], i)
		}
	}
	type draft struct {
		ticket  ticket
		entries []int
	}
	var drafts []draft
	for _, c := range f.clients {
		for todo := work[c]; len(todo) > 0; {
			n := min(len(todo), 1+d.pick([]int{62, 27, 11}))
			first := f.entries[todo[0]].day
			for n > 1 && (first.DaysUntil(f.entries[todo[n-1]].day) > 4 || f.cal.month(first) != f.cal.month(f.entries[todo[n-1]].day)) {
				n--
			}
			t := f.open(d, c, first, f.entries[todo[n-1]].day)
			drafts = append(drafts, draft{t, todo[:n]})
			todo = todo[n:]
		}
	}
	slices.SortStableFunc(drafts, func(a, b draft) int {
		return cmp.Or(a.ticket.created.Compare(b.ticket.created), cmp.Compare(a.ticket.client.id, b.ticket.client.id))
	})
	for i, x := range drafts {
		x.ticket.number = 40_001 + i
		for _, e := range x.entries {
			f.entries[e].ticket = fmt.Sprint(x.ticket.number)
		}
		f.tickets = append(f.tickets, x.ticket)
		f.ask(d, x.ticket)
	}
	f.askRelationship(d)
}

// open makes the ticket that was worked on from the day first to the day last.
func (f *firm) open(d dice, c *client, first, last quantity.Day) ticket {
	t := ticket{client: c, kind: []string{"incident", "request", "alert"}[d.pick([]int{52, 33, 15})]}
	odds := []int{}
	for _, p := range priorities {
		odds = append(odds, p.odds)
	}
	p := priorities[d.pick(odds)]
	t.priority = p.name
	t.title = choose(d, titles[t.kind])
	t.source = []string{"email", "phone", "portal"}[d.pick([]int{50, 30, 20})]
	if t.kind == "alert" {
		t.source = "monitoring"
	}
	punctual := 95 // percent answered in time
	if c.noisy {
		punctual = 86
	}
	wait := d.between(2, p.respond)
	if !d.percent(punctual) {
		wait = p.respond + d.between(5, 90)
	}
	opened := first
	if previous := f.cal.previousOpen(first); p.respond >= 240 && d.percent(15) && f.cal.month(previous) >= c.from {
		// Written in the evening, answered first thing in the morning: SLA minutes are business minutes.
		opened, wait = previous, d.between(0, 50)
		t.created = opened.Time().Add(time.Duration(d.between(17*60, 21*60)) * time.Minute)
		t.responded = first.Time().Add(time.Duration(8*60+wait) * time.Minute)
		t.respondBy = first.Time().Add(time.Duration(8*60+p.respond) * time.Minute)
	} else {
		t.created = opened.Time().Add(time.Duration(d.between(7*60+30, min(15*60, 18*60-wait))) * time.Minute)
		t.responded = t.created.Add(time.Duration(wait) * time.Minute)
		t.respondBy = t.created.Add(time.Duration(p.respond) * time.Minute)
	}
	done := last.Time().Add(time.Duration(d.between(10*60, 17*60+30)) * time.Minute)
	if earliest := t.responded.Add(time.Duration(d.between(10, 90)) * time.Minute); done.Before(earliest) {
		done = earliest
	}
	t.slaMet = wait <= p.respond && done.Sub(t.created) <= time.Duration(p.solve)*time.Minute
	t.resolved = done
	t.resolveBy = t.created.Add(time.Duration(p.solve) * time.Minute)
	t.closedAt = done.Add(time.Duration(d.between(1, 60)) * time.Hour)
	t.status = "Closed"
	end := f.cal.end.Time()
	switch {
	case !t.resolved.Before(end), last.DaysUntil(f.cal.end) <= 5 && d.percent(40):
		t.resolved, t.closedAt, t.status = time.Time{}, time.Time{}, "In Progress"
	case !t.closedAt.Before(end):
		t.closedAt, t.status = time.Time{}, "Resolved"
	}
	return t
}

// leaving reports whether a client is in the last four months before it is lost.
func (f *firm) leaving(c *client, on quantity.Day) bool {
	return c.story == churned && f.cal.month(on) >= c.until-4
}

// ask sends a survey for every eighth solved ticket.
func (f *firm) ask(d dice, t ticket) {
	if t.resolved.IsZero() || !d.percent(12) {
		return
	}
	on := quantity.DayOf(t.resolved).AddDays(d.upTo(4))
	if !on.Before(f.cal.end) {
		return
	}
	odds := []int{1, 2, 5, 30, 62}
	if f.leaving(t.client, on) || !t.slaMet || t.client.noisy {
		odds = []int{12, 18, 30, 25, 15}
	}
	s := survey{ticket: t.number, client: t.client, kind: "csat", score: 1 + d.pick(odds), scale: 5, on: on}
	switch {
	case s.score <= 2:
		s.comment = choose(d, []string{"Took too long, and nobody called back", "Had to explain it twice", "Problem came back the next day"})
	case s.score == 5 && d.percent(30):
		s.comment = choose(d, []string{"Quick and friendly, thank you", "Great help", "Solved on the first call"})
	}
	f.surveys = append(f.surveys, s)
}

// askRelationship sends each client one recommendation survey a quarter.
func (f *firm) askRelationship(d dice) {
	for m := 2; m < f.Months; m += 3 {
		for _, c := range f.clients {
			if !c.active(m) || !d.percent(70) {
				continue
			}
			s := survey{client: c, kind: "nps", scale: 10, on: f.cal.at(m).AddDays(9 + d.upTo(18))}
			s.score = []int{10, 9, 8, 7, 6}[d.pick([]int{28, 32, 22, 12, 6})]
			if f.leaving(c, s.on) || c.noisy {
				s.score = d.between(2, 6)
			}
			f.surveys = append(f.surveys, s)
		}
	}
	slices.SortStableFunc(f.surveys, func(a, b survey) int { return a.on.Time().Compare(b.on.Time()) })
}
