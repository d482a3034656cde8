package stats

import (
	"math"
	"slices"
	"sort"
)

// Durations are how long things lasted, in any unit; those marked Censored had not ended when
// observation stopped.
type Durations struct {
	Times    []float64
	Censored []bool
}

// Add notes one more.
func (d *Durations) Add(time float64, censored bool) {
	d.Times, d.Censored = append(d.Times, time), append(d.Censored, censored)
}

// Ended is how many of them have ended.
func (d Durations) Ended() int {
	n := 0
	for _, c := range d.Censored {
		if !c {
			n++
		}
	}
	return n
}

// Drawn is how long things of one group last once all groups are considered.
type Drawn struct{ times, survival []float64 }

// DrawSurvival estimates how long things of a group last from its own durations, drawn to
// those of all groups (own ones included) as though worth more things had been watched that
// behave like all: at each time the share that ends is (own ended + worth × share of all) /
// (own at risk + worth). Where few of its own are left it follows all; with worth 0 it is
// Kaplan–Meier, without own durations it is that of all. Times may be negative, such as days
// after a due date. All must have 5 durations, 2 of them ended (ErrTooFew). Source: Hjort
// (1990), Annals of Statistics 18: the posterior mean under a beta process.
func DrawSurvival(own, all Durations, worth float64) (Drawn, error) {
	if len(own.Times) != len(own.Censored) || len(all.Times) != len(all.Censored) || len(all.Times) < 5 || all.Ended() < 2 || !(worth >= 0) || !finite(own.Times, all.Times) {
		return Drawn{}, ErrTooFew
	}
	mine, others := atRisk(own), atRisk(all)
	out := Drawn{}
	share, j := 1.0, 0
	for _, o := range others.steps {
		for j < len(mine.steps) && mine.steps[j].time < o.time {
			j++ // own times are among those of all
		}
		ended, risk := 0.0, float64(mine.from(o.time))
		if j < len(mine.steps) && mine.steps[j].time == o.time {
			ended = float64(mine.steps[j].ended)
		}
		if worth+risk == 0 {
			break
		}
		share *= math.Max(0, 1-(ended+worth*float64(o.ended)/float64(others.from(o.time)))/(risk+worth))
		out.times, out.survival = append(out.times, o.time), append(out.survival, share)
	}
	return out, nil
}

// After returns the probability of lasting longer than t, 0 to 1.
func (d Drawn) After(t float64) float64 {
	i := sort.Search(len(d.times), func(i int) bool { return d.times[i] > t })
	if i == 0 {
		return 1
	}
	return d.survival[i-1]
}

// Between returns the probability that what still lasts at age ends after one time and by
// another; 0 when nothing is known to last as long as age.
func (d Drawn) Between(age, after, to float64) float64 {
	left := d.After(age)
	if left <= 0 {
		return 0
	}
	return math.Max(0, (d.After(after)-d.After(to))/left)
}

// risks are the times at which something ended, ascending, and all times.
type risks struct {
	steps []struct {
		time  float64
		ended int
	}
	all []float64
}

func atRisk(d Durations) risks {
	r := risks{all: slices.Sorted(slices.Values(d.Times))}
	ends := []float64{}
	for i, t := range d.Times {
		if !d.Censored[i] {
			ends = append(ends, t)
		}
	}
	slices.Sort(ends)
	for _, t := range ends {
		if n := len(r.steps); n == 0 || r.steps[n-1].time != t {
			r.steps = append(r.steps, struct {
				time  float64
				ended int
			}{t, 0})
		}
		r.steps[len(r.steps)-1].ended++
	}
	return r
}

// from is how many last until t at least.
func (r risks) from(t float64) int { return len(r.all) - sort.SearchFloat64s(r.all, t) }
