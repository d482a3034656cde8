package dataset

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// This file finds the currency of amounts where no column and no mapping says it: in the
// headers, or in what stands beside the numbers.

const currencyCodes = `USD|EUR|GBP|CAD|AUD|NZD|CHF|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|BGN|JPY|CNY|INR|KRW|TWD|THB|PHP|MYR|IDR|SGD|HKD|ZAR|BRL|MXN|ILS|AED|SAR`

var (
	headerCurrency = regexp.MustCompile(`[(\[]\s*(` + currencyCodes + `|[€£])\s*[)\]]|[\s_/-](` + currencyCodes + `|[€£])\s*$`)
	valueMark      = `(?i:` + currencyCodes + `|US\$|CA\$|AU\$|NZ\$|[AC]\$|R\$|[$€£¥₹₩₺]|zł|kr)`
	markCurrency   = map[string]string{"€": "EUR", "£": "GBP", "US$": "USD", "CA$": "CAD", "AU$": "AUD", "NZ$": "NZD", "C$": "CAD", "A$": "AUD", "R$": "BRL", "₹": "INR", "₩": "KRW", "₺": "TRY", "ZŁ": "PLN"}
	codeForm       = regexp.MustCompile(`^[A-Z]{3}$`)
)

// currencyCode is the currency that a mark means, "" when it may be several, as $ and kr.
func currencyCode(mark string) string {
	mark = strings.ToUpper(mark)
	if code, ok := markCurrency[mark]; ok {
		return code
	}
	if codeForm.MatchString(mark) {
		return mark
	}
	return ""
}

// wantsCurrency reports whether the dataset's rows have a currency that nothing says.
func (l *load) wantsCurrency(column bool) bool {
	_, ok := l.d.Field("currency")
	_, constant := l.m.Constants["currency"]
	return ok && !constant && !column
}

// currencyOfHeaders gives all rows the currency that the headers of amounts name, when
// they name one only.
func (l *load) currencyOfHeaders(bound map[string]binding) {
	if _, column := bound["currency"]; !l.wantsCurrency(column) {
		return
	}
	named := map[string]string{} // currency to the header that names it
	for _, f := range l.d.Fields {
		b, ok := bound[f.Name]
		if !ok || f.Kind != Money && f.Kind != Price {
			continue
		}
		header := strings.TrimSpace(l.t.Layout.Header[b.Columns[0]])
		if m := headerCurrency.FindStringSubmatch(header); m != nil {
			named[currencyCode(m[1]+m[2])] = header
		}
	}
	if len(named) != 1 {
		return
	}
	for code, header := range named {
		l.m.Constants = maps.Clone(l.m.Constants)
		if l.m.Constants == nil {
			l.m.Constants = map[string]string{}
		}
		l.m.Constants["currency"] = code
		l.noticed = append(l.noticed, Finding{Code: "currency_from_header", Severity: Info, Column: header, Count: 1,
			Message:    fmt.Sprintf("the amounts are in %s: the header of the column %q says so", code, header),
			Suggestion: "if that is wrong, say the currency of all rows (constants)"})
	}
}

// markedCells is how many amounts of a file bear a currency's mark.
type markedCells struct {
	header string
	n      int64
}

// currencyOfValues gives rows the currency whose mark stands beside their amounts: all
// rows when it is the only one and at least half of the amounts bear it, otherwise each
// row its own, and none to a row whose amount has no mark or one of several currencies.
func (l *load) currencyOfValues(ctx context.Context, slow []*input) error {
	if !l.wantsCurrency(l.has("currency")) {
		return nil
	}
	seen := map[string]markedCells{}
	var own []string // SQL of the currency that each marked column's cell names
	var amounts, most int64
	for _, in := range slow {
		if in.field.Kind != Money && in.field.Kind != Price {
			continue
		}
		mark := fmt.Sprintf("regexp_extract(v, %s)", q(valueMark))
		cases, marked, all := "", int64(0), int64(0)
		err := l.s.Each(ctx, fmt.Sprintf("SELECT %s AS mark, sum(n)::BIGINT FROM %s WHERE %s IS NOT NULL GROUP BY mark ORDER BY mark", mark, l.name("texts_"+in.field.Name), numberBody("v")), func(row []any) error {
			n := row[1].(int64)
			if all += n; text(row[0]) == "" {
				return nil
			}
			marked += n
			code := currencyCode(text(row[0]))
			seen[code] = markedCells{in.header, seen[code].n + n}
			if code != "" {
				cases += fmt.Sprintf(" WHEN %s THEN %s", q(text(row[0])), q(code))
			}
			return nil
		})
		if err != nil {
			return err
		}
		if cases != "" {
			own = append(own, fmt.Sprintf("CASE regexp_extract(%s, %s)%s END", in.cell, q(valueMark), cases))
		}
		if marked > most {
			amounts, most = all, marked
		}
	}
	if len(own) == 0 {
		return nil // no mark, or only such as $, which may be any dollar
	}
	field, _ := l.d.Field("currency")
	f := Finding{Code: "currency_from_values", Severity: Info, Count: 1, Suggestion: "if that is wrong, say the currency of all rows (constants)"}
	in := &input{field: field, known: true, filled: l.rows, marks: true}
	codes := slices.DeleteFunc(slices.Sorted(maps.Keys(seen)), func(code string) bool { return code == "" })
	in.header = seen[codes[0]].header
	f.Column = in.header
	if len(seen) == 1 && 2*most >= amounts {
		in.value = q(codes[0])
		f.Message = fmt.Sprintf("the amounts are in %s: the values of the column %q say so", codes[0], in.header)
	} else {
		in.value = "coalesce(" + strings.Join(append(own, "NULL::VARCHAR"), ", ") + ")"
		f.Severity = Warning
		f.Message = fmt.Sprintf("amounts are in %s, as the marks beside them say; a row whose amount has none, or one of several currencies such as $, has no currency", strings.Join(codes, ", "))
		f.Suggestion = "export the currency as a column, or each currency as a file of its own"
	}
	in.text, in.cell = "CAST("+in.value+" AS VARCHAR)", in.value
	l.add(f)
	l.inputs["currency"] = in
	l.order = nil
	for _, f := range l.d.Fields {
		if l.inputs[f.Name] != nil {
			l.order = append(l.order, f.Name)
		}
	}
	return nil
}

// forgetMarks drops the currency that values told, before they are looked at again.
func (l *load) forgetMarks() {
	if in := l.inputs["currency"]; in != nil && in.marks {
		delete(l.inputs, "currency")
		l.order = slices.DeleteFunc(l.order, func(name string) bool { return name == "currency" })
	}
}
