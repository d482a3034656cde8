package scenario

import (
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// String is the lever as ParseLever reads it.
func (l Lever) String() string {
	parts := []string{string(l.Kind)}
	switch {
	case l.Percent != nil:
		sign := ""
		if l.Percent.Sign() > 0 && l.Kind != Churn {
			sign = "+"
		}
		parts = append(parts, sign+l.Percent.Shift(2).String()+"%")
	case l.Amount != nil:
		sign := ""
		if l.Amount.Sign() > 0 && l.Kind != Fee {
			sign = "+"
		}
		parts = append(parts, sign+l.Amount.String())
	}
	if l.Rate != nil {
		parts = append(parts, "rate="+l.Rate.String())
	}
	for _, d := range slices.Sorted(maps.Keys(l.Select)) {
		quoted := make([]string, len(l.Select[d]))
		for i, v := range l.Select[d] {
			quoted[i] = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
		parts = append(parts, d+"="+strings.Join(quoted, ","))
	}
	return strings.Join(parts, " ")
}

// leverForm is how a lever is written.
const leverForm = `write KIND CHANGE [DIMENSION="VALUE","VALUE" …], such as price +6% client="Harbor Dental Group"`

// ParseLever reads a lever such as
//
//	price +6% revenue_category="recurring_labor"
//	fee 2400 client="Harbor Dental Group"
//	hours -10% work_type="Onsite"
//	staffing +1 role="Technician" rate=48
//	churn client="A","B"
//	seats -12 product="Microsoft 365 E3" client="A"
//
// Values in quotes may hold anything, a quote written twice; without quotes they end at a
// blank or comma. What cannot be read is an Invalid fault; Service.Check says what is
// wrong with what can.
func ParseLever(text string) (Lever, error) {
	words, err := split(text)
	if err != nil {
		return Lever{}, err
	}
	if len(words) == 0 {
		return Lever{}, fault.Newf(fault.Invalid, "the lever is empty: %s", leverForm)
	}
	l := Lever{Kind: Kind(strings.ToLower(words[0].name))}
	if words[0].values != nil || kindOf(l.Kind) == nil {
		names := make([]string, len(kinds))
		for i := range kinds {
			names[i] = string(kinds[i].Kind)
		}
		return l, fault.Newf(fault.Invalid, "%q is not a kind of lever: use %s", words[0].name, strings.Join(names, ", "))
	}
	for _, w := range words[1:] {
		switch {
		case w.name == "rate" && len(w.values) == 1:
			d, err := decimal.NewFromString(w.values[0])
			if err != nil {
				return l, fault.Newf(fault.Invalid, "rate %q is not a number", w.values[0])
			}
			l.Rate = &d
		case w.values != nil:
			if l.Select == nil {
				l.Select = map[string][]string{}
			}
			if l.Select[w.name] != nil {
				return l, fault.Newf(fault.Invalid, `%s stands twice in %q: give all its values together, %s="A","B"`, w.name, text, w.name)
			}
			l.Select[w.name] = w.values
		case l.Percent != nil || l.Amount != nil:
			return l, fault.Newf(fault.Invalid, "%q has two changes: %s", text, leverForm)
		default:
			number, share := strings.CutSuffix(w.name, "%")
			d, err := decimal.NewFromString(strings.TrimPrefix(strings.ReplaceAll(number, "−", "-"), "+"))
			if err != nil || len(number) > 40 {
				return l, fault.Newf(fault.Invalid, "%q is not a change such as +6%% or -500: %s", w.name, leverForm)
			}
			if share {
				d = d.Shift(-2)
				l.Percent = &d
			} else {
				l.Amount = &d
			}
		}
	}
	return l, nil
}

// word is a part of a lever's text: a name, or a name with values after =.
type word struct {
	name   string
	values []string
}

func split(text string) ([]word, error) {
	var out []word
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n") {
		end := strings.IndexAny(rest, " \t\r\n=")
		if end < 0 {
			end = len(rest)
		}
		w := word{name: rest[:end]}
		rest = rest[end:]
		for strings.HasPrefix(rest, "=") || w.values != nil && strings.HasPrefix(rest, ",") {
			var value string
			if value, rest = cut(rest[1:]); value == "" {
				return nil, fault.Newf(fault.Invalid, "%s has an empty value in %q: %s", w.name, text, leverForm)
			}
			w.values = append(w.values, value)
		}
		if w.name == "" {
			return nil, fault.Newf(fault.Invalid, "%q cannot be read: %s", text, leverForm)
		}
		out = append(out, w)
	}
	return out, nil
}

// cut takes one value off the front of a text.
func cut(text string) (value, rest string) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, " \t\r\n,")
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:]
	}
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			out.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			out.WriteByte('"')
			i++
			continue
		}
		return out.String(), text[i+1:]
	}
	return "", "" // the quote is not closed
}
