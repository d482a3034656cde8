package metric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// function is one that formulas may use. over says what it looks at beyond its cell: ""
// nothing, "time" other spans of the same cell, "members" the parts or neighbors of it.
type function struct {
	over  string
	usage string
	least int // arguments
	most  int // -1: any number
	// names are the places of arguments that name a dimension, whole those of whole numbers.
	dimension int // place of the argument that names a dimension, -1 for none
}

// maxSpan is the most cells that a function over time looks back.
const maxSpan = 120

// functions by name.
var functions = map[string]function{
	"ratio":      {usage: "ratio(a, b): a / b of the same unit", least: 2, most: 2, dimension: -1},
	"per":        {usage: "per(a, b): a / b, such as money per hour", least: 2, most: 2, dimension: -1},
	"sum":        {usage: "sum(a, b, …): all added", least: 1, most: -1, dimension: -1},
	"min":        {usage: "min(a, b, …): the smallest", least: 1, most: -1, dimension: -1},
	"max":        {usage: "max(a, b, …): the greatest", least: 1, most: -1, dimension: -1},
	"abs":        {usage: "abs(a): without its sign", least: 1, most: 1, dimension: -1},
	"round":      {usage: "round(a, places): rounded half-even to 0 to 12 decimals", least: 1, most: 2, dimension: -1},
	"coalesce":   {usage: "coalesce(a, b, …): the first that has a value", least: 1, most: -1, dimension: -1},
	"if":         {usage: "if(condition, a, b): a where the condition holds, b elsewhere", least: 3, most: 3, dimension: -1},
	"lag":        {over: "time", usage: "lag(x, n): x as it was n steps before (1 unless given)", least: 1, most: 2, dimension: -1},
	"growth":     {over: "time", usage: "growth(x, n): x / lag(x, n) - 1", least: 1, most: 2, dimension: -1},
	"yoy":        {over: "time", usage: "yoy(x): the change against the same span a year before, as a ratio", least: 1, most: 1, dimension: -1},
	"rolling":    {over: "time", usage: "rolling(x, n): x over the last n steps", least: 2, most: 2, dimension: -1},
	"cumulative": {over: "time", usage: `cumulative(x): x from the start of the fiscal year; cumulative(x, "period") from that of the period`, least: 1, most: 2, dimension: -1},
	"share":      {over: "members", usage: "share(x): the cell's part of x over all; share(x, dimension): over that dimension", least: 1, most: 2, dimension: 1},
	"rank":       {over: "members", usage: "rank(x): the cell's place by x, 1 is the greatest; rank(x, dimension): among those of the dimension", least: 1, most: 2, dimension: 1},
	"hhi":        {over: "members", usage: "hhi(x, dimension): the sum of the squared shares of its members", least: 2, most: 2, dimension: 1},
	"top_share":  {over: "members", usage: "top_share(x, dimension, n): the part of the n greatest members", least: 3, most: 3, dimension: 1},
	"percentile": {over: "members", usage: "percentile(x, dimension, p): the value that the share p (0 to 1) of its members does not pass", least: 3, most: 3, dimension: 1},
}

// Functions returns how each function of formulas is written, by name.
func Functions() []string {
	var out []string
	for _, f := range functions {
		out = append(out, f.usage)
	}
	slices.Sort(out)
	return out
}

func functionNames() []string {
	var out []string
	for name := range functions {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// called computes a function at a place.
func (t *term) called(p place) value {
	if functions[t.name].over != "" {
		if p.call == nil {
			return null("%s looks at other cells, which are not known here", t.name)
		}
		return p.call(t)
	}
	switch t.name {
	case "if":
		v := t.args[0].eval(p)
		switch {
		case v.reason != "":
			return v
		case v.number.IsZero():
			return t.args[2].eval(p)
		}
		return t.args[1].eval(p)
	case "coalesce":
		var first value
		for i, arg := range t.args {
			v := arg.eval(p)
			if v.reason == "" {
				return v
			}
			if i == 0 {
				first = v
			}
		}
		return first
	}
	values := make([]quantity.Decimal, len(t.args))
	for i, arg := range t.args {
		v := arg.eval(p)
		if v.reason != "" {
			return v
		}
		values[i] = v.number
	}
	out := values[0]
	switch t.name {
	case "ratio", "per":
		return quotient(values[0], values[1], t.args[1])
	case "sum":
		for _, v := range values[1:] {
			out = add(out, v)
		}
	case "min":
		out = decimal.Min(values[0], values[1:]...)
	case "max":
		out = decimal.Max(values[0], values[1:]...)
	case "abs":
		out = out.Abs()
	case "round":
		places := int32(0)
		if len(values) == 2 {
			places = int32(values[1].IntPart())
		}
		out = out.RoundBank(places)
	}
	return value{number: out}
}

// textual compares the cell's value of a dimension.
func (t *term) textual(p place) value {
	label, ok := p.label(t.name)
	if !ok {
		return null("%s is not known here", t.name)
	}
	switch t.code {
	case "in", "==":
		return truth(slices.Contains(t.texts, label))
	case "!=":
		return truth(label != t.texts[0])
	case "contains":
		return truth(strings.Contains(strings.ToLower(label), strings.ToLower(t.texts[0])))
	case "startsWith":
		return truth(strings.HasPrefix(strings.ToLower(label), strings.ToLower(t.texts[0])))
	}
	return truth(holdsFor(t.code, strings.Compare(label, t.texts[0]))) // dates
}

// checkCall checks the number and the constants of a function's arguments.
func (t *term) checkCall() error {
	f, known := functions[t.name]
	if !known {
		return wrongAt(t, "there is no function %q%s; there are %s", t.name, nearest(t.name, functionNames()), strings.Join(functionNames(), ", "))
	}
	if len(t.args) < f.least || f.most >= 0 && len(t.args) > f.most {
		return wrongAt(t, "%s has %d arguments: write %s", t.name, len(t.args), f.usage)
	}
	constant := func(i int, low, high int64, whole bool) error {
		if i >= len(t.args) {
			return nil
		}
		arg := t.args[i]
		if arg.op != opNumber || arg.number.LessThan(decimal.NewFromInt(low)) || arg.number.GreaterThan(decimal.NewFromInt(high)) || whole && !arg.number.IsInteger() {
			kind := "a number"
			if whole {
				kind = "a whole number"
			}
			return wrongAt(arg, "%s needs %s of %d to %d here: %s", t.name, kind, low, high, f.usage)
		}
		return nil
	}
	switch t.name {
	case "lag", "growth", "rolling":
		return constant(1, 1, maxSpan, true)
	case "round":
		return constant(1, 0, 12, true)
	case "top_share":
		return constant(2, 1, 1000, true)
	case "percentile":
		return constant(2, 0, 1, false)
	case "cumulative":
		if len(t.args) == 2 && (t.args[1].op != opText || !slices.Contains([]string{"period", "year"}, t.args[1].name)) {
			return wrongAt(t.args[1], `cumulative starts with the "year" or the "period": %s`, f.usage)
		}
	}
	return nil
}

// whole is the constant at a place of the arguments, other when it is not given.
func (t *term) whole(at, other int) int {
	if at < len(t.args) {
		return int(t.args[at].number.IntPart())
	}
	return other
}

// percentileOf is the p-quantile of sorted values, interpolated linearly between the two
// nearest ranks (Hyndman & Fan 1996, type 7).
func percentileOf(sorted []quantity.Decimal, p quantity.Decimal) quantity.Decimal {
	h := p.Mul(decimal.NewFromInt(int64(len(sorted) - 1)))
	low := int(h.IntPart())
	if low >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[low].Add(sorted[low+1].Sub(sorted[low]).Mul(h.Sub(decimal.NewFromInt(int64(low)))))
}

func plural(n int, one string) string {
	if n == 1 {
		return "one " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
