package dataset

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Fix is a way to put right what a finding is about: what it adds to the mapping of the
// import. Nothing is changed until the file is imported with it.
type Fix struct {
	Label string `json:"label"` // what it does, for a button
	// Scope is "one" row, all cells "alike", or the whole "file". What is not about one row
	// can be kept for the next files of this form.
	Scope string `json:"scope"`
	// Ask says what a person has to type first, which becomes Patch.Corrections[0].Set; "" when nothing.
	Ask     string  `json:"ask,omitempty"`
	Patch   Mapping `json:"patch"`
	Replace Replace `json:"replace,omitempty"`
}

// The scopes of fixes.
const (
	scopeOne   = "one"
	scopeAlike = "alike"
	scopeFile  = "file"
)

// fixedValues is for how many values of a column fixes are offered.
const fixedValues = 5

// rejectFindings adds, for each reason and column of rejected rows, a finding with fixes.
func (l *load) rejectFindings(ctx context.Context) error {
	if !l.rejected {
		return nil
	}
	type group struct {
		f      Finding
		values []string
	}
	var groups []group
	err := l.s.Each(ctx, fmt.Sprintf(`WITH first AS (SELECT record, arg_min("column", ord) AS col, arg_min(value, ord) AS v, arg_min(code, ord) AS code, arg_min(message, ord) AS message, arg_min(suggestion, ord) AS suggestion FROM %s GROUP BY record),
alike AS (SELECT code, col, v, count(*) AS n, min(record) AS record FROM first GROUP BY ALL)
SELECT code, col, any_value(message), any_value(suggestion), count(*), min(record, %d), (SELECT list(v ORDER BY n DESC, record)[:%d] FROM alike a WHERE a.code = f.code AND a.col IS NOT DISTINCT FROM f.col)
FROM first f WHERE code <> 'skipped' GROUP BY code, col ORDER BY count(*) DESC, code, col`, l.name("rejects"), sampleSize, fixedValues), func(row []any) error {
		g := group{f: Finding{Code: text(row[0]), Severity: Error, Column: text(row[1]), Count: row[4].(int64), Suggestion: text(row[3])}}
		for _, r := range list(row[5]) {
			g.f.Records = append(g.f.Records, r.(int64))
		}
		for _, v := range list(row[6]) {
			g.values = append(g.values, text(v))
		}
		what := g.f.Column
		if len(g.values) > 0 && g.values[0] != "" {
			what += fmt.Sprintf(" %q", cutText(g.values[0], 40))
		}
		g.f.Message = strings.TrimSpace(plural(g.f.Count, "row", "rows") + " not stored: " + strings.TrimSpace(what+" "+text(row[2])))
		groups = append(groups, g)
		return nil
	})
	if err != nil {
		return err
	}
	for _, g := range groups {
		g.f.Fixes = l.fixesFor(g.f, g.values)
		l.add(g.f)
	}
	return nil
}

func list(v any) []any { out, _ := v.([]any); return out }

// fixesFor are the fixes of rejected rows of a column, by their values.
func (l *load) fixesFor(f Finding, values []string) []Fix {
	column := f.Column
	if columnOf(l.t.Layout.Header, column) < 0 {
		return nil
	}
	var out []Fix
	alike := func(v, to string) Fix {
		return Fix{Label: fmt.Sprintf("Read %s as %s", shownValue(v), shownValue(to)), Scope: scopeAlike, Patch: Mapping{Corrections: []Correction{{Column: column, Is: &v, Set: &to}}}}
	}
	for _, v := range values {
		switch f.Code {
		case "amount_unparsable", "hours_unparsable":
			if to := numberIn(v); to != "" {
				out = append(out, alike(v, to))
			}
		case "date_unparsable":
			if to := nearestDate(v, l.dates[l.fieldOf(column)]); to != "" {
				out = append(out, alike(v, to))
			}
		case "required_missing", "mixed_date_order":
		default:
			continue
		}
		if f.Code == "mixed_date_order" {
			continue
		}
		out = append(out, Fix{Label: fmt.Sprintf("Read %s as …", shownValue(v)), Scope: scopeAlike, Ask: "what " + column + " should say", Patch: Mapping{Corrections: []Correction{{Column: column, Is: &v}}}})
	}
	if f.Code == "mixed_date_order" {
		for _, o := range []struct{ order, words string }{{"dmy", "day first"}, {"mdy", "month first"}} {
			out = append(out, Fix{Label: "Read all dates " + o.words, Scope: scopeFile, Patch: Mapping{Options: MappingOptions{DateOrder: o.order}}})
		}
	}
	if len(f.Records) == 1 {
		out = append(out, Fix{Label: fmt.Sprintf("Leave row %d out", f.Records[0]), Scope: scopeOne, Patch: Mapping{Corrections: []Correction{{Record: f.Records[0], Skip: true}}}})
	} else if len(values) == 1 && values[0] != "" {
		out = append(out, Fix{Label: fmt.Sprintf("Leave the %d rows out", f.Count), Scope: scopeAlike, Patch: Mapping{Corrections: []Correction{{Column: column, Is: &values[0], Skip: true}}}})
	}
	return out
}

func shownValue(v string) string {
	if v == "" {
		return "blank cells"
	}
	return fmt.Sprintf("%q", cutText(v, 30))
}

// fieldOf is the field that a column fills, "" when none.
func (l *load) fieldOf(header string) string {
	for name, in := range l.inputs {
		if in.header == header && in.bind.Columns != nil {
			return name
		}
	}
	return ""
}

// suggestFixes adds fixes to the findings about stored rows.
func (l *load) suggestFixes() {
	for i := range l.findings {
		f := &l.findings[i]
		if f.Fixes == nil {
			f.Fixes = l.storedFixes(*f)
		}
	}
}

func (l *load) storedFixes(f Finding) []Fix {
	option := func(label string, o MappingOptions) Fix {
		return Fix{Label: label, Scope: scopeFile, Patch: Mapping{Options: o}}
	}
	asColumn := func(label, field string) Fix {
		return Fix{Label: label, Scope: scopeFile, Patch: Mapping{Columns: map[string]string{f.Column: field}}}
	}
	var leave []Fix
	for _, r := range f.Records[:min(3, len(f.Records))] {
		leave = append(leave, Fix{Label: fmt.Sprintf("Leave row %d out", r), Scope: scopeOne, Patch: Mapping{Corrections: []Correction{{Record: r, Skip: true}}}})
	}
	switch f.Code {
	case "decimal_mark_assumed":
		return []Fix{option("The comma is the decimal mark", MappingOptions{DecimalMark: ","}), option("The point is the decimal mark", MappingOptions{DecimalMark: "."})}
	case "hours_gt_24_entry":
		out := []Fix{{Label: f.Column + " are minutes", Scope: scopeFile, Patch: Mapping{Units: map[string]string{f.Column: "minutes"}}}}
		return append(out, leave...)
	case "tax_basis_unknown":
		return []Fix{option("The totals are net of tax", MappingOptions{TaxBasis: "net"}), option("The totals include tax", MappingOptions{TaxBasis: "gross"})}
	case "possible_duplicates":
		return []Fix{option("Store repeated rows once", MappingOptions{Duplicates: "drop"})}
	case "possible_overlap":
		out := []Fix{{Label: "Replace the period by this file", Scope: scopeFile, Replace: ReplacePeriod}}
		if f.again {
			out = append(out, option("They are other rows: store them too", MappingOptions{Overlap: "add"}))
		}
		return out
	case "rate_taken_as_cost":
		return []Fix{asColumn("It is what clients pay (billing rate)", "bill_rate"), asColumn("It is what an hour costs us", "cost_rate")}
	case "currency_missing":
		return []Fix{{Label: "All amounts are in …", Scope: scopeFile, Ask: "a currency code, such as USD", Patch: Mapping{Constants: map[string]string{"currency": ""}}}}
	case "unknown_word", "number_unparsable":
		return l.wordFixes(f)
	case "future_date", "end_before_start", "hours_ne_times", "overlapping_entries", "negative_hours", "near_duplicate", "outlier", "dup_content_other_key":
		return leave
	}
	return nil
}

// wordFixes offer a meaning for the words of a yes/no column that are not known.
func (l *load) wordFixes(f Finding) []Fix {
	var out []Fix
	for _, word := range f.words {
		meanings := []string{"yes", "no"}
		if f.Code == "number_unparsable" {
			meanings = nil
			if n := numberIn(word); n != "" {
				meanings = []string{n}
			}
		}
		for _, m := range meanings {
			out = append(out, Fix{Label: fmt.Sprintf("Read %s as %s", shownValue(word), m), Scope: scopeAlike, Patch: Mapping{Corrections: []Correction{{Column: f.Column, Is: &word, Set: &m}}}})
		}
	}
	return out
}

var (
	looksLikeDigit = strings.NewReplacer("O", "0", "o", "0", "l", "1", "I", "1")
	oneNumber      = regexp.MustCompile(`[-−]?\d[\d.,]*`)
)

// numberIn is the number that a text most likely means, "" when it may be several or none:
// letters that look like digits among digits, or one number among words.
func numberIn(v string) string {
	if t := likelyNumber(v); wellFormed.MatchString(t) {
		return t
	}
	return ""
}

var wellFormed = regexp.MustCompile(`^[-−+]?(\d+([.,]\d*)?|[.,]\d+|\d{1,3}(,\d{3})+(\.\d*)?|\d{1,3}(\.\d{3})+(,\d*)?)$`)

func likelyNumber(v string) string {
	if t := looksLikeDigit.Replace(v); t != v && regexp.MustCompile(`^[-−]?[\d.,]+$`).MatchString(t) && regexp.MustCompile(`\d`).MatchString(v) {
		return t
	}
	if all := oneNumber.FindAllString(v, 3); len(all) == 1 && !strings.ContainsAny(v, "/:") {
		return strings.TrimRight(all[0], ".,")
	}
	return ""
}

// nearestDate is the date that one with a day or month that does not exist most likely
// means: the last day of its month, or day and month changed places. "" when there is none.
func nearestDate(v, order string) string {
	parts := regexp.MustCompile(`^(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})$`).FindStringSubmatch(strings.TrimSpace(v))
	if parts == nil {
		return ""
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(parts[i+1])
	}
	y, m, d := n[0], n[1], n[2]
	switch {
	case len(parts[1]) == 4:
	case len(parts[3]) != 4:
		return ""
	case order == "mdy":
		y, m, d = n[2], n[0], n[1]
	default:
		y, m, d = n[2], n[1], n[0]
	}
	if m > 12 && d <= 12 {
		m, d = d, m
	}
	if m < 1 || m > 12 || d < 1 || d > 31 || y < 1900 || y > 2199 {
		return ""
	}
	last := time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return fmt.Sprintf("%04d-%02d-%02d", y, m, min(d, last))
}
