package office

import (
	"math"
	"slices"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// What a label takes of a plot, as shares of its width and height: programs break labels into
// lines at about a sixth of the plot.
const (
	labelRune = 0.0085
	labelMost = 0.15
	labelLine = 0.055
	labelOver = 0.03 // beyond the left edge, where only the axis is
	dotWide   = 0.012
	dotHigh   = 0.025
)

// box is a part of a plot, from 0 to 1 from the left and from below.
type box struct{ left, low, right, high float64 }

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.low < o.high && o.low < b.high
}

// beside finds for each label of a scatter where it stands by its point: "r", "l", "t" or "b",
// the first where no other label, no marked point and no edge is; "" where none is free.
func beside(points []document.Point, labels []string) []string {
	scale := func(of func(document.Point) quantity.Decimal) func(document.Point) float64 {
		low, high := math.Inf(1), math.Inf(-1)
		for _, p := range points {
			v := quantity.Float(of(p))
			low, high = min(low, v), max(high, v)
		}
		s := ScaleOf(low, high, false)
		return func(p document.Point) float64 { return (quantity.Float(of(p)) - s.Min) / (s.Max - s.Min) }
	}
	x, y := scale(func(p document.Point) quantity.Decimal { return p.X }), scale(func(p document.Point) quantity.Decimal { return p.Y })
	dot := func(p document.Point) box {
		return box{x(p) - dotWide/2, y(p) - dotHigh/2, x(p) + dotWide/2, y(p) + dotHigh/2}
	}
	var taken []box
	for i, p := range points {
		if labels[i] != "" {
			taken = append(taken, dot(p))
		}
	}
	out := make([]string, len(points))
	for i, p := range points {
		if labels[i] == "" {
			continue
		}
		wide := float64(utf8.RuneCountInString(labels[i])) * labelRune
		high := labelLine * math.Ceil(wide/labelMost)
		wide = min(wide, labelMost)
		d, midX, midY := dot(p), x(p), y(p)
		for _, place := range []struct {
			at  string
			box box
		}{
			{"r", box{d.right, midY - high/2, d.right + wide, midY + high/2}},
			{"l", box{d.left - wide, midY - high/2, d.left, midY + high/2}},
			{"t", box{midX - wide/2, d.high, midX + wide/2, d.high + high}},
			{"b", box{midX - wide/2, d.low - high, midX + wide/2, d.low}},
		} {
			if place.box.left < -labelOver || place.box.right > 1 || slices.ContainsFunc(taken, place.box.meets) {
				continue
			}
			out[i], taken = place.at, append(taken, place.box)
			break
		}
	}
	return out
}
