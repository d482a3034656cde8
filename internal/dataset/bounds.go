package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// tooMuch is the smallest product of a number and a price that is taken for a mistake, and
// tooMany the smallest number: far above any provider's, far below what the engine's
// decimals can add up.
const (
	tooMuch = 1_000_000_000_000
	tooMany = 1_000_000_000
)

// priced are the numbers that are multiplied by prices, by dataset.
var priced = map[string]struct{ numbers, prices []string }{
	"licenses":            {[]string{"seats_purchased", "seats_used"}, []string{"unit_cost"}},
	"agreement_additions": {[]string{"quantity"}, []string{"unit_price", "unit_cost"}},
}

// checkBounds rejects the rows whose numbers cannot be right or cannot be kept.
func (l *load) checkBounds(ctx context.Context) error {
	if l.d.Name == "exchange_rates" {
		return l.checkRates(ctx)
	}
	of := priced[l.d.Name]
	for i, name := range of.numbers {
		n := l.inputs[name]
		if n == nil {
			continue
		}
		if err := l.rejectValues(ctx, 1600+i, n, nil, fmt.Sprintf("abs(%s) >= %d", n.value, tooMany), "number_too_large", fmt.Sprintf("is %d or more", tooMany), "check the number"); err != nil {
			return err
		}
		for j, name := range of.prices {
			p := l.inputs[name]
			if p == nil {
				continue
			}
			if err := l.rejectValues(ctx, 1610+10*i+j, n, []*input{p}, fmt.Sprintf("abs((%s)::DOUBLE * (%s)::DOUBLE) >= %d", n.value, p.value, tooMuch),
				"amount_too_large", fmt.Sprintf("times %s is %d or more", p.header, tooMuch), "check both numbers"); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkRates rejects exchange rates that are none, and those that six decimals would
// change by more than a thousandth.
func (l *load) checkRates(ctx context.Context) error {
	rate := l.inputs["rate"]
	if rate == nil {
		return nil
	}
	written := fmt.Sprintf("TRY_CAST(replace(%s, ',', '.') AS DOUBLE)", rate.text)
	if err := l.rejectValues(ctx, 1600, rate, nil, fmt.Sprintf("%s <= 0 AND coalesce(%s, 0) <= 0", rate.value, written), "rate_not_positive", "is not above 0", "give what 1 of the first currency is in the second"); err != nil {
		return err
	}
	return l.rejectValues(ctx, 1601, rate, nil, fmt.Sprintf("%[1]s > 0 AND %[1]s < 1 AND abs(%[1]s - (%[2]s)::DOUBLE) > 0.001 * %[1]s", written, rate.value),
		"rate_too_small", "has more decimals than the six that are kept", "give the inverse pair: the currencies exchanged, and 1 divided by this rate")
}

// rejectValues rejects the rows whose values meet a condition over the input and others.
func (l *load) rejectValues(ctx context.Context, ord int, in *input, others []*input, cond, code, message, suggestion string) error {
	from := func() string {
		text := l.raw() + " r"
		var joined []string
		for _, x := range append([]*input{in}, others...) {
			if x.lookup != "" && !slices.Contains(joined, x.lookup) {
				text += fmt.Sprintf(" LEFT JOIN %s ON %s.v = %s", x.lookup, x.lookup, x.text)
				joined = append(joined, x.lookup)
			}
		}
		return text + " WHERE " + cond
	}
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM "+from()) // most files have none
	if err != nil || rows.Rows[0][0].(int64) == 0 {
		return err
	}
	if err := l.ensureRaw(ctx); err != nil {
		return err
	}
	columns := []string{"r._record", "r._line", fmt.Sprint(ord), q(in.header), in.text, q(code), q(message), q(suggestion)}
	return l.reject(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+from())
}
