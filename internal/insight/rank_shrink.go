package insight

import (
	"fmt"
	"math"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// shrink draws the rows towards each other and says how.
func (k *ranking) shrink(out *Ranking) string {
	set := func(i int, p stats.Posterior) {
		row, places := &out.Rows[i], k.formula.places()
		v := dec(p.Estimate).Round(places)
		below := 0.0
		switch {
		case p.SD > 0:
			below = p.Below(float(out.Limit))
		case p.Estimate < float(out.Limit), p.Estimate == float(out.Limit) && out.Above:
			below = 1
		}
		if out.Above {
			below = 1 - below
		}
		below = round4(below)
		row.Shrunken, row.Weight, row.Probability = &v, round4(p.Weight), &below
		row.Interval = &Interval{Low: dec(p.Low).Round(places), High: dec(p.High).Round(places), Level: level, Method: p.Method, Of: expected}
	}
	switch k.kind {
	case kindStock:
		return "exact: counted on a day, nothing is drawn"
	case kindShare:
		over, under := k.measure.Inputs()[0], k.measure.Inputs()[1]
		hits, cases := make([]int, len(k.members)), make([]int, len(k.members))
		for i, one := range k.members {
			if one.value != nil {
				hits[i], cases[i] = int(one.now.sums[over].IntPart()), int(one.now.sums[under].IntPart())
			}
		}
		group, err := stats.LearnShares(hits, cases)
		if err != nil {
			for i, one := range k.members {
				if one.value != nil && cases[i] >= fewest {
					of, err := byCases(one.now.sums[over], one.now.sums[under])
					k.alone(&out.Rows[i], of, err, out)
				}
			}
			return tooAlone
		}
		for i, one := range k.members {
			if one.value == nil {
				continue
			}
			if p, err := group.Posterior(hits[i], cases[i], level); err == nil {
				set(i, p)
			}
		}
		return fmt.Sprintf("beta-binomial: the others have around %s (hierarchical, priors averaged)", percent(dec(group.Mean())))
	}
	var values, se []float64
	for _, one := range k.members {
		if one.value != nil && one.se > 0 {
			values, se = append(values, one.own), append(se, one.se)
		}
	}
	group, err := stats.LearnValues(values, se)
	if err != nil {
		for i, one := range k.members {
			if one.value != nil && one.of != nil {
				k.alone(&out.Rows[i], one.of, nil, out)
			}
		}
		return tooAlone
	}
	for i, one := range k.members {
		if one.value == nil || one.few && !(one.se > 0) {
			continue
		}
		if !(one.se > 0) { // all its months are alike
			set(i, stats.Posterior{Interval: stats.Interval{Estimate: one.own, Low: one.own, High: one.own, Method: "all its months are alike"}, Weight: 1})
			continue
		}
		if p, err := group.Posterior(one.own, one.se, level); err == nil {
			set(i, p)
		}
	}
	like := group.Average()
	return fmt.Sprintf("normal-normal: the others are around %s, give or take %s (hierarchical, priors averaged)", inCurrency(out.Currency, inUnit(dec(like.Mu), out.Unit)), inCurrency(out.Currency, inUnit(dec(like.Tau), out.Unit)))
}

const tooAlone = "fewer than five to learn from: each stands for itself, nothing is drawn"

// alone sets the row of a member that is not drawn towards others from its own estimate.
func (k *ranking) alone(row *Ranked, of estimate, err error, out *Ranking) {
	if err != nil {
		return
	}
	i, err := of(level)
	if err != nil || math.IsNaN(i.Low) || math.IsNaN(i.High) || math.IsInf(i.Low, 0) || math.IsInf(i.High, 0) {
		return
	}
	p, err := chanceBelow(of, float(out.Limit))
	if err != nil {
		return
	}
	if out.Above {
		p = round4(1 - p)
	}
	v, places := dec(i.Estimate).Round(k.formula.places()), k.formula.places()
	row.Shrunken, row.Probability = &v, &p
	row.Interval = &Interval{Low: dec(i.Low).Round(places), High: dec(i.High).Round(places), Level: level, Method: i.Method, Of: expected}
}
