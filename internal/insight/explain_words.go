package insight

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// oneValue is a condition that names one value of a dimension and nothing else.
var oneValue = regexp.MustCompile(`^\w+ = ("(?:[^"\\]|\\.)*")$`)

// nameIn is the value that a condition names, "" when it says anything else.
func nameIn(where string) string {
	parts := oneValue.FindStringSubmatch(where)
	if parts == nil {
		return ""
	}
	name, err := strconv.Unquote(parts[1])
	if err != nil {
		return ""
	}
	return name
}

// say sets the headline and the words of an explanation: the change, what drove it, what the
// largest driver is made of, and what to expect. The amounts are in its currency.
func (x *explanation) say(out *Explanation) {
	headline, change := x.change(out)
	sentences := []string{change}
	if more := madeOf(out.Drivers, out.Unit); more != "" {
		sentences = append(sentences, more)
	}
	if out.Interval != nil && out.Change != nil {
		sentences = append(sentences, expectation(out))
	}
	out.Headline, out.Words = inCurrency(out.Currency, headline), inCurrency(out.Currency, strings.Join(sentences, " "))
	out.Doubt.Words = inCurrency(out.Currency, out.Doubt.Words)
	for i := range out.Chances {
		out.Chances[i].Words = inCurrency(out.Currency, out.Chances[i].Words)
	}
}

// change is the change as a sentence, and the same with its drivers.
func (x *explanation) change(out *Explanation) (headline, whole string) {
	subject := spoken(out.Measure)
	if name := nameIn(out.Where); name != "" {
		subject += " of " + name
	} else if out.Where != "" {
		subject += " where " + out.Where
	}
	if out.Change == nil {
		text := fmt.Sprintf("The %s cannot be compared with the %s", subject, out.From.Label)
		if why := out.Note; why != "" {
			text += ": " + why
		}
		return text + ".", text + "."
	}
	move := "did not change from"
	switch out.Change.Sign() {
	case 1:
		move = "rose from"
	case -1:
		move = "fell from"
	}
	from, to := inUnit(*out.From.Value, out.Unit), inUnit(*out.To.Value, out.Unit)
	text := fmt.Sprintf("The %s %s %s (%s) to %s", subject, move, from, out.From.Label, to)
	switch out.Versus {
	case Portfolio, Elsewhere:
		text = fmt.Sprintf("The %s is %s against %s (%s)", subject, to, from, out.From.Label)
	case Restated:
		text = fmt.Sprintf("The %s is %s and was %s in %s", subject, to, from, out.From.Label)
		if out.Change.IsZero() {
			text = fmt.Sprintf("The %s is %s, as in %s", subject, to, out.From.Label)
		}
	}
	whole = text
	if parts := inWords(changeOf(out.Drivers), out.Unit); parts != "" {
		whole += ", by " + parts
	}
	return text + ".", whole + "."
}

func changeOf(drivers []Driver) change { return change{drivers: drivers} }

// mostNamed is how many drivers of a driver a sentence names.
const mostNamed = 3

// madeOf says what the largest driver is made of, "" when it is not opened.
func madeOf(drivers []Driver, unit quantity.Unit) string {
	if len(drivers) == 0 || len(drivers[0].Drivers) == 0 || drivers[0].Contribution.IsZero() {
		return ""
	}
	top := drivers[0]
	inner := top.Drivers[:min(mostNamed, len(top.Drivers))]
	parts := inWords(changeOf(inner), unit)
	if parts == "" {
		return ""
	}
	return fmt.Sprintf("Of %s, the most is %s.", spoken(top.Name), parts)
}

// expectation says what to expect, and the first thing that is probable.
func expectation(out *Explanation) string {
	text := fmt.Sprintf("Expected is %s to %s with a probability of %s", inUnit(out.Interval.Low, out.Unit), inUnit(out.Interval.High, out.Unit), percent(dec(out.Interval.Level)))
	for _, c := range out.Chances {
		if c.Name == "loss" {
			text += fmt.Sprintf(", a loss with %s", percent(dec(c.Probability)))
		}
	}
	return text + "."
}
