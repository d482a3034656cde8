package dataset

import (
	"math"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// qualityWeights weigh the parts of the score. Timeliness is shown but weighs nothing: an
// import of past months is no worse for it, and freshness is judged when a figure is read.
var qualityWeights = map[string]float64{"completeness": 3, "validity": 3, "uniqueness": 2, "consistency": 1, "coverage": 1, "timeliness": 0}

// timelinessDays is the age at which timeliness has fallen to 1/e.
const timelinessDays = 45

// score computes the quality of an import from counts of its rows (domain: 5.2):
//
//	completeness  mean share of stored rows that fill each required column, and who and for whom
//	validity      1 − (rejected rows + stored rows that break a range or order rule) ÷ rows read
//	uniqueness    1 − rows equal to, or contradicting, another row with the same key ÷ rows read
//	consistency   share of cross-checks that hold (a person's day at most 24 h; lines = total)
//	coverage      share of the rows with a client whose client is in clients
//	timeliness    exp(−age of the newest row in days ÷ 45)
//
// Parts without anything to count are absent. The score is their weighted geometric mean, where 0 counts as 0.01,
// 0 for a file without rows.
func score(m measured, read, rejected, twins int64, today quantity.Day) Quality {
	d := map[string]float64{}
	if read > 0 {
		d["validity"] = share(read-rejected-min(m.invalid, read-rejected), read)
		d["uniqueness"] = share(read-min(twins, read), read)
	}
	if m.rows > 0 && len(m.filled) > 0 {
		sum := 0.0
		for _, n := range m.filled {
			sum += share(n, m.rows)
		}
		d["completeness"] = sum / float64(len(m.filled))
	}
	if m.checked > 0 {
		d["consistency"] = share(m.checked-m.failed, m.checked)
	}
	if m.anyClients && m.attributed > 0 {
		d["coverage"] = share(m.matched, m.attributed)
	}
	if newest, err := quantity.ParseDay(m.newest); err == nil {
		d["timeliness"] = math.Exp(-float64(max(0, newest.DaysUntil(today))) / timelinessDays)
	}
	q := Quality{Dimensions: d}
	weights, logs := 0.0, 0.0
	for name, v := range d {
		if w := qualityWeights[name]; w > 0 {
			weights += w
			logs += w * math.Log(math.Max(v, leastShare))
		}
		d[name] = round4(v)
	}
	if weights > 0 && read > 0 {
		q.Score = round4(math.Exp(logs / weights))
	}
	return q
}

func share(part, whole int64) float64 { return float64(part) / float64(whole) }

// round4 keeps four decimals, so that the same file prints the same score everywhere.
func round4(v float64) float64 { return math.Round(v*10000) / 10000 }
