package stats

import (
	"fmt"
	"math"
	"slices"
)

// Grade is what people read of a confidence score.
type Grade string

// The grades (domain reference 5.4).
const (
	High     Grade = "high"
	Medium   Grade = "medium"
	Low      Grade = "low"
	NoAnswer Grade = "no_answer"
)

// Caps of the score under a grade.
const (
	mediumCap = 0.89
	lowCap    = 0.69
)

// Quality is one dimension of data quality: how fit the input is for this use. A dimension
// that could not be measured is Score 0 with a reason, never left out: so that taking data
// away cannot raise a score.
type Quality struct {
	Name   string  `json:"name"`   // "completeness", "coverage", …
	Score  float64 `json:"score"`  // 0 to 1
	Weight float64 `json:"weight"` // relative weight in the geometric mean; 0 counts as 1
	Reason string  `json:"reason"` // plain words, shown when the score is below 1
}

// Cap limits the grade for a reason.
type Cap struct {
	Grade  Grade  `json:"grade"` // Medium, Low or NoAnswer
	Reason string `json:"reason"`
}

// ConfidenceInput is what a score is made of.
type ConfidenceInput struct {
	Quality []Quality
	// RelativeHalfWidth is half of the 90 % interval over the decision scale; 0 for a figure
	// that is known exactly. NaN means that no interval could be made.
	RelativeHalfWidth float64
	Caps              []Cap
}

// Confidence says how sure a figure is, with everything it was made of.
type Confidence struct {
	Score             float64   `json:"score"` // 0 to 1
	Grade             Grade     `json:"grade"`
	Reasons           []string  `json:"reasons"` // weakest first
	Quality           []Quality `json:"quality"`
	QualityScore      float64   `json:"quality_score"`       // q
	RelativeHalfWidth float64   `json:"relative_half_width"` // h
}

// qualityFloor keeps a dimension at zero from erasing the order among the others: the
// geometric mean uses at least this. The grade is Low anyway.
const qualityFloor = 0.05

// Judge returns the confidence by domain reference 5.4: score = q x max(0, 1 - h), where q
// is the weighted geometric mean of the quality scores, then the caps. High needs h <= 10 %
// and q >= 0.90, Medium h <= 25 % and q >= 0.75. It never rises when a quality score falls,
// the interval widens or a cap is added.
func Judge(in ConfidenceInput) Confidence {
	c := Confidence{Quality: slices.Clone(in.Quality), RelativeHalfWidth: in.RelativeHalfWidth}
	logs, weights := 0.0, 0.0
	for i := range c.Quality {
		d := &c.Quality[i]
		if math.IsNaN(d.Score) {
			d.Score = 0
		}
		d.Score = min(1, max(0, d.Score))
		if d.Weight <= 0 {
			d.Weight = 1
		}
		logs += d.Weight * math.Log(max(qualityFloor, d.Score))
		weights += d.Weight
	}
	c.QualityScore = 1
	if weights > 0 {
		c.QualityScore = math.Exp(logs / weights)
	}
	h := in.RelativeHalfWidth
	if math.IsNaN(h) || h < 0 {
		h = 1
		c.RelativeHalfWidth = 1
	}
	c.Score = c.QualityScore * max(0, 1-h)
	switch {
	case h <= 0.10 && c.QualityScore >= 0.90:
		c.Grade = High
	case h <= 0.25 && c.QualityScore >= 0.75:
		c.Grade = Medium
		c.Score = min(c.Score, mediumCap)
	default:
		c.Grade = Low
		c.Score = min(c.Score, lowCap)
	}
	weakest := slices.Clone(c.Quality)
	slices.SortStableFunc(weakest, func(a, b Quality) int {
		switch {
		case a.Score < b.Score:
			return -1
		case a.Score > b.Score:
			return 1
		}
		return 0
	})
	for _, p := range in.Caps {
		c.cap(p)
	}
	for _, d := range weakest {
		if d.Score < 0.995 && d.Reason != "" {
			c.Reasons = append(c.Reasons, d.Reason)
		}
	}
	if h > 0.10 {
		c.Reasons = append(c.Reasons, fmt.Sprintf("the 90 %% interval is ±%.0f %% of what a decision needs", 100*h))
	}
	return c
}

func (c *Confidence) cap(p Cap) {
	rank := map[Grade]int{High: 3, Medium: 2, Low: 1, NoAnswer: 0}
	limit := map[Grade]float64{Medium: mediumCap, Low: lowCap, NoAnswer: 0}
	c.Reasons = append(c.Reasons, p.Reason)
	if rank[p.Grade] < rank[c.Grade] {
		c.Grade = p.Grade
	}
	if l, ok := limit[p.Grade]; ok {
		c.Score = min(c.Score, l)
	}
}
