package sample

import (
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Cause says why a client loses money or margin.
type Cause string

// The causes. The first four are the drivers that a margin moves by.
const (
	CauseHours      Cause = "hours worked"          // more hours for the same money
	CauseRevenue    Cause = "revenue"               // less money for the same work
	CauseDirectCost Cause = "direct cost"           // vendor bills that are not passed on
	CauseLaborRate  Cause = "labor cost rate"       // the same hours by a more expensive person
	CauseUnderprice Cause = "underpriced agreement" // a fixed fee below its cost from the start
)

// story is what is planned for a client.
type story string

const (
	plain    story = ""
	largest  story = "largest" // more than 18 % of revenue
	losing   story = "losing"
	dropping story = "dropping"
	churned  story = "churned"
	joined   story = "joined"
)

// The ways an agreement is billed.
const (
	fixedFee   = "fixed_fee"
	blockHours = "block_hours"
	timeAndM   = "t_and_m"
)

// client is the plan of one client; months count from the first month of the data.
type client struct {
	id, name, industry string
	manager            *person
	model              string
	story              story
	cause              Cause        // of a losing or dropping client
	since              int          // month in which the cause begins
	acquired           quantity.Day // first day as a client
	from, until        int          // active in months [from, until)
	weight             int          // demand for work, in thousandths of the average
	margin             int          // planned margin after labor, in basis points
	seats              int          // users
	late               int          // days beyond the due date that this client usually pays
	home               [2]int       // places of the people who know this client
	junior, senior     int          // places of the people who serve a client alone before and after its rate jumps
	noisy              bool         // many small tickets
	unbilled           int          // month whose last hours were never invoiced; 0 is none
	extraCost          cents        // monthly vendor bills from since on that are not passed on
	subs               []*subscription
	agreements         []*agreement
}

func (c *client) active(m int) bool { return m >= c.from && m < c.until }

// load is the client's demand for support in month m before chance, in thousandths.
func (c *client) load(m int) int {
	if !c.active(m) {
		return 0
	}
	w := c.weight
	if c.cause == CauseHours && m >= c.since {
		w = w * 21 / 10
	}
	if c.story == joined && m == c.from {
		w = w * 125 / 100 // onboarding
	}
	return w
}

// share scales a count that is meant for 40 clients.
func (f *firm) share(of40 int) int { return max(1, f.Clients*of40/40) }

// planClients names the clients and deals out the stories: in a fixed order to clients in a
// shuffled one, so that a client's place in the file says nothing.
func (f *firm) planClients() {
	d := newDice(f.Seed, 20)
	names, industries := clientNames(d, f.Clients)
	order := make([]int, f.Clients)
	for i, name := range names {
		order[i] = i
		f.clients = append(f.clients, &client{
			id: fmt.Sprintf("C-%04d", 1001+i), name: name, industry: industries[i], model: fixedFee,
			until: f.Months, margin: d.between(3900, 5500), late: d.between(-12, 4),
			acquired: f.cal.at(-d.between(4, 72)).AddDays(d.upTo(28)),
			home:     [2]int{d.upTo(f.seats()), d.upTo(f.seats())},
		})
	}
	shuffle(d, order)
	next := func() *client {
		c := f.clients[order[0]]
		order = order[1:]
		return c
	}
	big := next()
	big.story, big.margin = largest, 4300
	for i := range f.share(3) {
		f.planLoss(next(), []Cause{CauseUnderprice, CauseHours, CauseDirectCost}[i%3])
	}
	for i := range f.share(3) {
		f.planDrop(next(), i)
	}
	for i := range f.share(3) { // lost between 35 % and 85 % of the range
		c := next()
		c.story, c.until = churned, f.Months*35/100+f.Months*i/2/f.share(3)+1
		c.acquired = f.cal.at(-d.between(12, 72))
	}
	for i := range f.share(4) { // joined between 25 % and 70 % of the range
		c := next()
		c.story, c.from = joined, f.Months/4+f.Months*9*i/20/f.share(4)+1
		c.acquired = f.cal.at(c.from)
	}
	for range f.share(4) {
		next().model = timeAndM
	}
	for range f.Clients * 3 / 40 {
		next().model = blockHours
	}
	f.forget()
	for i := range f.share(3) {
		f.clients[order[i%len(order)]].late = 22 + 12*(i%3)
	}
	f.assignWeights(d)
	for i, c := range f.clients {
		c.manager = f.people[[]int{8, 10}[i%2]%f.seats()]
	}
}

// planLoss makes a client lose money over the last twelve months. An event needs to weigh
// more than the good months before it.
func (f *firm) planLoss(c *client, cause Cause) {
	window := f.Months - f.cal.recent()
	c.story, c.cause = losing, cause
	switch cause {
	case CauseUnderprice:
		c.margin, c.noisy = -1300, true
	case CauseHours:
		c.margin, c.since = 2200, f.Months-(window*8+11)/12
	default:
		c.margin, c.since = 3000, f.Months-(window*8+11)/12
	}
}

// planDrop makes a client's margin fall by more than 20 points in one of the last months
// and stay there, above 20 % over the last twelve months.
func (f *firm) planDrop(c *client, i int) {
	causes := []Cause{CauseRevenue, CauseDirectCost, CauseLaborRate, CauseHours}
	c.story, c.cause, c.margin = dropping, causes[i%len(causes)], 5100
	c.since = f.Months - 3 - i%3
	// Enough clients for the next such story bring the next twelve people.
	c.junior, c.senior = i/len(causes)*len(roles)+juniorSeat, i/len(causes)*len(roles)+seniorSeat
}

// assignWeights spreads the demand from small to large clients. Planted stories get middle
// sizes: large enough to matter, too small to move the firm.
func (f *firm) assignWeights(d dice) {
	low, high := 450, 2200
	if f.Clients < 20 {
		low, high = 700, 1350
	}
	var stories, others []*client
	var big *client
	for _, c := range f.clients {
		switch c.story {
		case largest:
			big = c
		case plain:
			others = append(others, c)
		default:
			stories = append(stories, c)
		}
	}
	shuffle(d, others)
	count := len(stories) + len(others)
	middle := (count - len(stories)) / 2
	for i := range count {
		weight := low + (high-low)*i*i/(count-1)/(count-1)
		switch {
		case i < middle:
			others[i].weight = weight
		case i < middle+len(stories):
			stories[i-middle].weight = weight
		default:
			others[i-len(stories)].weight = weight
		}
	}
	sum := 0
	for _, c := range f.clients {
		for m := f.cal.recent(); m < f.Months; m++ {
			sum += c.load(m)
		}
	}
	// 29 % of the work, so that well above 18 % of the revenue remains beside clients who
	// pay more for an hour.
	big.weight = sum / (f.Months - f.cal.recent()) * 29 / 71
}
