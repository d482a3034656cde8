package dataset

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// decideMarks chooses the decimal mark of every number column that is not plain. Evidence
// comes from the column itself, then from the file's other columns; what stays open is
// read with a decimal point and reported. Formats that know numbers write a point, and no
// entry of time is of a thousand hours.
func (l *load) decideMarks(ctx context.Context, slow []*input) error {
	agreed := map[string]bool{}
	var open []*input
	for _, in := range slow {
		switch in.field.Kind {
		case Money, Price, Hours, Share, Integer:
		default:
			continue
		}
		if forced := l.m.Options.DecimalMark; forced != "" {
			l.marks[in.field.Name] = forced
			continue
		}
		body := numberBody("v")
		rows, err := l.s.Query(ctx, fmt.Sprintf(`SELECT coalesce(sum(n) FILTER (regexp_matches(b, %s)), 0)::BIGINT, coalesce(sum(n) FILTER (regexp_matches(b, %s)), 0)::BIGINT,
 coalesce(sum(n) FILTER (regexp_matches(b, %s)), 0)::BIGINT, coalesce(sum(n) FILTER (regexp_matches(b, %s)), 0)::BIGINT FROM (SELECT n, %s AS b FROM %s)`,
			q(`\..*,|^\d*,\d{1,2}$|^\d*,\d{4,}$|^0?,\d+$|^0,|^\d{4,},\d+$|^\d{1,3}(\.\d{3}){2,}$`),
			q(`,.*\.|^\d*\.\d{1,2}$|^\d*\.\d{4,}$|^0?\.\d+$|^0\.|^\d{4,}\.\d+$|^\d{1,3}(,\d{2,3}){2,}$`),
			q(`^[1-9]\d{0,2},\d{3}$`), q(`^[1-9]\d{0,2}\.\d{3}$`), body, l.name("texts_"+in.field.Name)))
		if err != nil {
			return err
		}
		count := func(i int) int64 { return rows.Rows[0][i].(int64) }
		comma, dot, commas, dots := count(0), count(1), count(2), count(3)
		switch spent := l.d.Name == "time_entries" && in.field.Kind == Hours; {
		case l.t.knowsNumbers():
			dot += dots
		case spent:
			comma, dot = comma+commas, dot+dots
		}
		switch {
		case comma > dot:
			l.marks[in.field.Name] = ","
			agreed[","] = true
		case dot > 0:
			l.marks[in.field.Name] = "."
			agreed["."] = true
		default:
			l.marks[in.field.Name] = "."
			if commas+dots > 0 {
				open = append(open, in)
			}
		}
	}
	for _, in := range open {
		if agreed[","] && !agreed["."] {
			l.marks[in.field.Name] = ","
			continue
		}
		if agreed["."] {
			continue
		}
		l.add(Finding{Code: "decimal_mark_assumed", Severity: Warning, Column: in.header, Count: 1,
			Message:    fmt.Sprintf("column %q: numbers such as 1,234 or 1.234 do not show which mark is decimal; the point was taken", in.header),
			Suggestion: "if the comma is the decimal mark, say so (decimal_mark)"})
	}
	return nil
}

// majority is how many times more cells must speak for one date order before the few
// that contradict it are taken for errors of their own.
const majority = 20

// decideDates chooses the order of day and month for every date column that is not plain
// ISO: a first part over 12 proves day first, a second part over 12 month first. A file
// that proves both has no order; a file that proves none must be told.
func (l *load) decideDates(ctx context.Context, slow []*input) error {
	var open []*input
	agreed := map[string]bool{}
	for _, in := range slow {
		if in.field.Kind != Date && in.field.Kind != Timestamp {
			continue
		}
		if forced := l.m.Options.DateOrder; forced != "" {
			l.dates[in.field.Name] = forced
			continue
		}
		rows, err := l.s.Query(ctx, fmt.Sprintf(`SELECT coalesce(sum(n) FILTER (a > 12 AND b <= 12), 0)::BIGINT, coalesce(sum(n) FILTER (b > 12 AND a <= 12), 0)::BIGINT,
 coalesce(sum(n) FILTER (a <= 12 AND b <= 12 AND a <> b), 0)::BIGINT, coalesce(sum(n) FILTER (a = b), 0)::BIGINT, min(v) FILTER (a <= 12 AND b <= 12 AND a <> b)
FROM (SELECT v, n, TRY_CAST(regexp_extract(v, %[1]s, 1) AS INTEGER) AS a, TRY_CAST(regexp_extract(v, %[1]s, 2) AS INTEGER) AS b FROM %[2]s WHERE regexp_matches(v, %[1]s))`,
			q(yearLast), l.name("texts_"+in.field.Name)))
		if err != nil {
			return err
		}
		dmy, mdy, ambiguous, same := rows.Rows[0][0].(int64), rows.Rows[0][1].(int64), rows.Rows[0][2].(int64), rows.Rows[0][3].(int64)
		switch {
		case dmy > 0 && dmy >= majority*mdy:
			l.dates[in.field.Name] = "dmy"
			agreed["dmy"] = true
		case mdy > 0 && mdy >= majority*dmy:
			l.dates[in.field.Name] = "mdy"
			agreed["mdy"] = true
		case dmy > 0: // both are proven: no order fits
			l.dates[in.field.Name] = "mixed"
		case ambiguous > 0:
			open = append(open, in)
		default:
			l.dates[in.field.Name] = "ymd"
			if same > 0 {
				l.dates[in.field.Name] = "same"
			}
		}
	}
	for _, in := range open {
		if len(agreed) == 1 {
			for order := range agreed {
				l.dates[in.field.Name] = order
			}
			continue
		}
		if isClock(in.field) {
			l.dates[in.field.Name] = "mixed" // no reason to ask: they stay unknown
			continue
		}
		rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT v FROM %[1]s WHERE regexp_matches(v, %[2]s) ORDER BY regexp_extract(v, %[2]s, 1) = regexp_extract(v, %[2]s, 2), first LIMIT 1", l.name("texts_"+in.field.Name), q(yearLast)))
		if err != nil {
			return err
		}
		example, _ := rows.Rows[0][0].(string)
		return fault.WithFields(fmt.Sprintf("column %q: %s, and no date in the file decides it: say which", in.header, bothReadings(example)),
			fault.Field{Path: "options.date_order", Message: undecided, Allowed: []string{"dmy", "mdy"}})
	}
	return nil
}

// bothReadings tells the two days that a date may be.
func bothReadings(example string) string {
	if parts := regexp.MustCompile(yearLast).FindStringSubmatch(example); len(parts) >= 3 {
		a, errA := strconv.Atoi(parts[1])
		b, errB := strconv.Atoi(parts[2])
		if errA == nil && errB == nil && a >= 1 && a <= 12 && b >= 1 && b <= 12 && a != b {
			return fmt.Sprintf("dates such as %s can be read day first (%d %s) or month first (%d %s)", example, a, time.Month(b), b, time.Month(a))
		}
	}
	return fmt.Sprintf("dates such as %s can be read day first or month first", example)
}

// dialect reports what was decided.
func (l *load) dialect() Dialect {
	d := l.t.Dialect
	for _, name := range l.order {
		in := l.inputs[name]
		switch in.field.Kind {
		case Date, Timestamp:
			if isClock(in.field) {
				continue
			}
			order := l.dates[name]
			if order == "" || order == "same" {
				order = "ymd"
			}
			if d.DateOrder == "" || d.DateOrder == "ymd" {
				d.DateOrder = order
			}
		case Money, Price, Hours, Share:
			mark := l.marks[name]
			if mark == "" {
				mark = "."
			}
			if d.DecimalMark == "" || mark == "," {
				d.DecimalMark = mark
			}
		}
	}
	return d
}

// rejectSQL lists, for every column whose texts must be readable, the insert of the rows
// that are not; texts of other kinds become a finding and a null.
func (l *load) unreadable(ctx context.Context) error {
	for i, name := range l.order {
		in := l.inputs[name]
		if in.invalid == 0 {
			continue
		}
		var code, message, suggestion string
		switch kind := in.field.Kind; {
		case isClock(in.field):
			if err := l.unknownWords(ctx, in); err != nil {
				return err
			}
			continue
		case kind == Money || kind == Price:
			code, message, suggestion = q("amount_unparsable"), q("is not an amount"), q("write a number such as 1234.50")
		case kind == Hours:
			code, message, suggestion = q("hours_unparsable"), q("is not a number of hours"), q("write 1.5, 1:30 or 1h 30m; at most 99,999 hours")
		case kind == Date || kind == Timestamp:
			code, message, suggestion = q("date_unparsable"), q("is not a date"), q("write 2026-03-31")
			shape := fmt.Sprintf("regexp_matches(v, %s)", q(yearLast))
			switch order := l.dates[name]; order {
			case "mixed":
				code = fmt.Sprintf("CASE WHEN %s THEN 'mixed_date_order' ELSE 'date_unparsable' END", shape)
				message = fmt.Sprintf("CASE WHEN %s THEN 'cannot be read: some dates of this column have the day first, others the month' ELSE 'is not a date' END", shape)
				suggestion = q("write all dates as 2026-03-31, or say their order (date_order)")
			case "dmy", "mdy":
				other := map[string]string{"dmy": "mdy", "mdy": "dmy"}[order]
				shape = fmt.Sprintf("(%s) IS NOT NULL", dateValue("v", other, bool(l.t.Serials)))
				code = fmt.Sprintf("CASE WHEN %s THEN 'mixed_date_order' ELSE 'date_unparsable' END", shape)
				message = fmt.Sprintf("CASE WHEN %s THEN %s ELSE 'is not a date' END", shape, q("is not a date in the order of this column ("+order+")"))
			}
			total := fmt.Sprintf("regexp_matches(v, %s)", q(totalForm))
			code = fmt.Sprintf("CASE WHEN %s THEN 'total_row' ELSE %s END", total, code)
			message = fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", total, q(totalMessage), message)
			suggestion = fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", total, q(totalSuggestion), suggestion)
		default:
			if err := l.unknownWords(ctx, in); err != nil {
				return err
			}
			continue
		}
		if err := l.reject(ctx, fmt.Sprintf(`SELECT r._record, r._line, %d, %s, v, %s, %s, %s FROM (SELECT _record, _line, %s AS t FROM %s) r JOIN %s ON v = r.t WHERE p IS NULL`,
			i, q(in.header), code, message, suggestion, in.text, l.raw(), in.lookup)); err != nil {
			return err
		}
	}
	return nil
}

// unknownWords reports texts of a yes/no, count, share or clock column that mean nothing known;
// they are stored as null.
func (l *load) unknownWords(ctx context.Context, in *input) error {
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT v, first FROM %s WHERE p IS NULL ORDER BY n DESC, first LIMIT %d", in.lookup, sampleSize))
	if err != nil {
		return err
	}
	f := Finding{Code: "unknown_word", Severity: Warning, Column: in.header, Count: in.invalid, Suggestion: "use yes or no"}
	var words []string
	for _, r := range rows.Rows {
		words = append(words, fmt.Sprintf("%q", cutText(r[0].(string), 40)))
		f.Records = append(f.Records, r[1].(int64))
		f.words = append(f.words, r[0].(string))
	}
	switch in.field.Kind {
	case Boolean:
	case Timestamp:
		f.Code, f.Suggestion = "time_unparsable", "write 2026-03-31 09:15, or 09:15 beside a date"
	default:
		f.Code, f.Suggestion = "number_unparsable", "write a plain number"
	}
	f.Message = fmt.Sprintf("column %q: %s could not be read as a %s and were stored as unknown", in.header, strings.Join(words, ", "), map[Kind]string{Boolean: "yes or no", Integer: "whole number", Share: "share", Timestamp: "time"}[in.field.Kind])
	l.add(f)
	return nil
}
