package sample

import (
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// asset is a device at a client.
type asset struct {
	id, name, kind      string
	client              *client
	managed             bool
	firstSeen, lastSeen quantity.Day
	warrantyEnd         quantity.Day
}

// keepAssets gives each client its workstations, about one server for 20 users and some
// network devices. A lost client's devices were last seen when it left.
func (f *firm) keepAssets() {
	d := newDice(f.Seed, 60)
	for _, c := range f.clients {
		var initials strings.Builder
		for _, word := range strings.Fields(c.name) {
			if word[0] >= 'A' && word[0] <= 'Z' {
				initials.WriteByte(word[0])
			}
		}
		add := func(kind, short string, n int) {
			for i := range n {
				a := asset{
					id: fmt.Sprintf("D-%05d", 10_001+len(f.assets)), client: c, kind: kind,
					name: fmt.Sprintf("%s-%s-%03d", initials.String(), short, i+1), managed: d.percent(96),
					firstSeen: f.cal.at(max(c.from, 0) - d.between(0, 30)).AddDays(d.upTo(28)),
					lastSeen:  f.cal.lastDay().AddDays(-d.pick([]int{80, 10, 4, 2, 2, 2})),
				}
				if a.firstSeen.Before(c.acquired) {
					a.firstSeen = c.acquired
				}
				if c.until < f.Months {
					a.lastSeen, a.managed = f.cal.at(c.until).AddDays(-1-d.upTo(5)), false
				} else if d.percent(3) {
					a.lastSeen = f.cal.lastDay().AddDays(-d.between(35, 120)) // switched off, still listed
					if a.lastSeen.Before(a.firstSeen) {
						a.lastSeen = a.firstSeen
					}
				}
				a.warrantyEnd = a.firstSeen.AddDays(3 * 365)
				f.assets = append(f.assets, a)
			}
		}
		add("workstation", "WS", max(3, c.seats*95/100))
		add("server", "SRV", c.seats/20+1)
		add("network", "NET", 1+c.seats/25)
	}
}
