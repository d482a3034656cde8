package dataset

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// shownSamples and shownAlternatives bound what a result tells of a column.
const (
	shownSamples      = 3
	shownAlternatives = 3
)

// recognize decides what the file's columns are, from their names and their values. When a
// column is missing it returns what the others are with the error.
func (l *load) recognize(ctx context.Context) (map[string]binding, error) {
	headers := l.t.Layout.Header
	l.columnsSeen = l.look(ctx)
	bound, err := bindColumns(l.d, headers, l.m, l.columnsSeen, bool(l.t.Serials))
	if err != nil {
		return nil, err
	}
	if lacking := missing(l.d, bound, l.m); len(lacking) > 0 {
		return bound, missingFault(l.t.Upload.Name, l.d, lacking, headers, false)
	}
	if err := l.examples(ctx); err != nil {
		return nil, err
	}
	return bound, l.currencyOf(ctx, bound)
}

var (
	codes          = `USD|EUR|GBP|CAD|AUD|NZD|CHF|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|BGN|JPY|CNY|INR|KRW|TWD|THB|PHP|MYR|IDR|SGD|HKD|ZAR|BRL|MXN|ILS|AED|SAR`
	headerCurrency = regexp.MustCompile(`[(\[]\s*(` + codes + `|[€£])\s*[)\]]|[\s_/-](` + codes + `|[€£])\s*$`)
	markCurrency   = map[string]string{"€": "EUR", "£": "GBP", "US$": "USD", "CA$": "CAD", "AU$": "AUD", "NZ$": "NZD", "C$": "CAD", "A$": "AUD", "R$": "BRL", "₹": "INR", "₩": "KRW", "₺": "TRY", "zł": "PLN"}
)

// currencyOf gives all rows the currency that the headers or the values of amounts name,
// when there is no column of it and they name one only.
func (l *load) currencyOf(ctx context.Context, bound map[string]binding) error {
	_, constant := l.m.Constants["currency"]
	_, column := bound["currency"]
	if _, ok := l.d.Field("currency"); !ok || constant || column || l.columnsSeen == nil {
		return nil
	}
	named := map[string]string{} // currency to the header that names it
	var marked []int
	for _, f := range l.d.Fields {
		b, ok := bound[f.Name]
		if !ok || f.Kind != Money && f.Kind != Price {
			continue
		}
		header := strings.TrimSpace(l.t.Layout.Header[b.Columns[0]])
		if m := headerCurrency.FindStringSubmatch(header); m != nil {
			named[currencyCode(m[1]+m[2])] = header
		}
		if l.columnsSeen[b.Columns[0]].share(func(v string) bool { return valueMark.MatchString(v) }) >= misfit {
			marked = append(marked, b.Columns[0])
		}
	}
	from := "header"
	if len(named) == 0 && len(marked) > 0 {
		var err error
		if named, err = l.marksOf(ctx, marked); err != nil {
			return err
		}
		from = "values"
	}
	if len(named) != 1 {
		return nil
	}
	for code, header := range named {
		if code == "" {
			return nil
		}
		l.m.Constants = maps.Clone(l.m.Constants)
		if l.m.Constants == nil {
			l.m.Constants = map[string]string{}
		}
		l.m.Constants["currency"] = code
		l.noticed = append(l.noticed, Finding{Code: "currency_from_" + from, Severity: Info, Column: header, Count: 1,
			Message:    fmt.Sprintf("the amounts are in %s: the %s of the column %q %s so", code, from, header, map[string]string{"header": "says", "values": "say"}[from]),
			Suggestion: "if that is wrong, say the currency of all rows (constants)"})
	}
	return nil
}

var valueMark = regexp.MustCompile(`(?:` + codes + `|US\$|CA\$|AU\$|NZ\$|[AC]\$|R\$|[$€£¥₹₩₺]|zł|kr)`)

func currencyCode(mark string) string {
	if code, ok := markCurrency[mark]; ok {
		return code
	}
	if len(mark) == 3 && mark == strings.ToUpper(mark) && regexp.MustCompile(`^[A-Z]{3}$`).MatchString(mark) {
		return mark
	}
	return "" // such as $ or kr: several currencies
}

// marksOf are the currencies that all values of some columns name; one that a mark leaves
// open is "".
func (l *load) marksOf(ctx context.Context, columns []int) (map[string]string, error) {
	out := map[string]string{}
	for _, c := range columns {
		header := strings.TrimSpace(l.t.Layout.Header[c])
		err := l.s.Each(ctx, fmt.Sprintf("SELECT DISTINCT regexp_extract(c%d, %s) FROM %s", c, q(valueMark.String()), l.csvSQL()), func(row []any) error {
			if mark := text(row[0]); mark != "" {
				out[currencyCode(mark)] = header
			}
			return nil
		})
		if err != nil {
			return nil, nil // the careful reader takes the file over
		}
	}
	return out, nil
}

// columns says what each column of the file was taken for, and why.
func (l *load) columns() []ColumnUse {
	headers := l.t.Layout.Header
	exporter, known := exporterOf(headers)
	uses := make([]ColumnUse, len(headers))
	byColumn := map[int]*input{}
	for _, name := range slices.Backward(l.order) { // a day that is also part of an instant is the day
		for _, c := range l.inputs[name].bind.Columns {
			byColumn[c] = l.inputs[name]
		}
	}
	named := map[int][]candidate{}
	for _, c := range namedBy(l.d, headers, l.columnsSeen, bool(l.t.Serials)) {
		named[c.column] = append(named[c.column], c)
	}
	for i, h := range headers {
		u := ColumnUse{Source: strings.TrimSpace(h), Alternatives: []Alternative{}, Evidence: []string{}}
		var col *column
		if l.columnsSeen != nil {
			col = &l.columnsSeen[i]
			for _, v := range col.values[:min(len(col.values), shownSamples)] {
				u.Samples = append(u.Samples, cutText(v, 80))
			}
		}
		in := byColumn[i]
		if in != nil {
			u.Field, u.Confidence = &in.field.Name, in.bind.Confidence
			switch {
			case in.bind.Told && l.saved != nil:
				u.Evidence = append(u.Evidence, "the saved mapping says so")
			case in.bind.Told:
				u.Evidence = append(u.Evidence, "the mapping says so")
			case in.bind.Suggested || len(in.bind.Columns) > 1:
			case normalizeHeader(h).full == compact(in.field.Name):
				u.Evidence = append(u.Evidence, "the header is the field's name")
			case known[i]:
				u.Evidence = append(u.Evidence, "the header is known from "+exporter)
			default:
				u.Evidence = append(u.Evidence, "the header is a known name of the field")
			}
			u.Evidence = append(u.Evidence, in.bind.Evidence...)
			if in.lookup != "" && in.filled > 0 {
				rate := 1 - float64(in.invalid)/float64(in.filled)
				u.ParseRate = &rate
			} else if in.known && in.filled > 0 && !isText(in.field.Kind) {
				rate := 1.0
				u.ParseRate = &rate
			}
		}
		u.Alternatives = l.alternatives(h, named[i], col, u.Field)
		uses[i] = u
	}
	return uses
}

// alternatives are the other fields that a column may mean, the likeliest first.
func (l *load) alternatives(header string, named []candidate, col *column, taken *string) []Alternative {
	out := []Alternative{}
	add := func(a Alternative) {
		if taken != nil && a.Field == *taken || slices.ContainsFunc(out, func(x Alternative) bool { return x.Field == a.Field }) {
			return
		}
		a.Confidence = min(a.Confidence, 0.89) // it was not taken: another column or field was better
		out = append(out, a)
	}
	for _, c := range named {
		add(Alternative{c.Field, c.Confidence})
	}
	list, _ := suggestions(l.d, header, col, bool(l.t.Serials))
	for _, a := range list {
		add(a)
	}
	slices.SortStableFunc(out, func(a, b Alternative) int { return int(1000 * (b.Confidence - a.Confidence)) })
	return out[:min(len(out), shownAlternatives)]
}

// doubts reports the columns whose values contradict their names, and those that only
// their values told.
func (l *load) doubts() {
	if l.columnsSeen == nil {
		return
	}
	headers := l.t.Layout.Header
	seen := map[int]bool{}
	for _, name := range l.order {
		in := l.inputs[name]
		if in.bind.Columns == nil || in.bind.Told {
			continue
		}
		i := in.bind.Columns[0]
		seen[i] = true
		because := strings.Join(in.bind.Evidence, ", ")
		switch {
		case in.bind.Suggested:
			l.add(Finding{Code: "suggested_column", Severity: Warning, Column: in.header, Count: 1, Fixes: l.columnFixes(i, name),
				Message:    fmt.Sprintf("no column is named for %s, which is needed; %q was taken, since %s", name, in.header, because),
				Suggestion: "confirm it, or name the right column (columns)"})
		case in.bind.Confidence < misfit && l.columnsSeen[i].filled > 0:
			l.add(Finding{Code: "doubtful_column", Severity: Warning, Column: in.header, Count: 1, Fixes: l.columnFixes(i, name),
				Message:    fmt.Sprintf("is the column %q really %s? That is what its name says, but %s", in.header, name, because),
				Suggestion: fmt.Sprintf("say what it is (columns); %s keeps it", name)})
		}
	}
	for _, c := range namedBy(l.d, headers, l.columnsSeen, bool(l.t.Serials)) {
		_, mapped := l.m.Columns[strings.TrimSpace(headers[c.column])]
		if !c.misfit || seen[c.column] || mapped || l.inputs[c.Field] != nil || !slices.Contains(l.unknown, c.column) {
			continue
		}
		seen[c.column] = true
		header := strings.TrimSpace(headers[c.column])
		l.add(Finding{Code: "doubtful_column", Severity: Warning, Column: header, Count: 1, Fixes: l.columnFixes(c.column, ""),
			Message:    fmt.Sprintf("is the column %q really %s? That is what its name says, but %s; it was kept as an attribute", header, c.Field, strings.Join(c.Evidence, ", ")),
			Suggestion: "say what it is (columns)"})
	}
}

// columnFixes are what a column may be instead of the field that it was taken for.
func (l *load) columnFixes(i int, taken string) []Fix {
	header := strings.TrimSpace(l.t.Layout.Header[i])
	col := &l.columnsSeen[i]
	var out []Fix
	fix := func(label, field string) {
		out = append(out, Fix{Label: label, Scope: scopeFile, Patch: Mapping{Columns: map[string]string{header: field}}})
	}
	if f, ok := l.d.Field(taken); ok {
		fix(fmt.Sprintf("Yes, %s is %s", header, taken), taken)
		if f.Kind == Hours && col.median > 24 {
			out = append(out, Fix{Label: header + " is in minutes", Scope: scopeFile, Patch: Mapping{Units: map[string]string{header: "minutes"}}})
		}
	}
	var named []candidate
	for _, c := range namedBy(l.d, l.t.Layout.Header, l.columnsSeen, bool(l.t.Serials)) {
		if c.column == i {
			named = append(named, c)
		}
	}
	for _, a := range l.alternatives(header, named, col, &taken) {
		if l.inputs[a.Field] == nil {
			fix(fmt.Sprintf("%s is %s", header, a.Field), a.Field)
		}
	}
	fix("Leave "+header+" out", "")
	return out
}
