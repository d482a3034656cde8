package dataset

import (
	"context"
	"fmt"
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
	l.currencyOfHeaders(bound)
	return bound, nil
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
	for _, c := range namedBy(l.d, headers, l.columnsSeen) {
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
	for _, c := range namedBy(l.d, headers, l.columnsSeen) {
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
	for _, c := range namedBy(l.d, l.t.Layout.Header, l.columnsSeen) {
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
