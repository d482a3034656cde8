package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Correction changes what a file's cells say before they are read, or leaves a row out.
// The file itself stays as it is; how many cells were changed is a finding of the import.
type Correction struct {
	// Column is the header of the cells; not needed to leave a numbered row out.
	Column string `yaml:"column,omitempty" json:"column,omitempty"`
	// Record is one row's number, 1 is the first below the header; 0 is every row that Is fits.
	Record int64 `yaml:"record,omitempty" json:"record,omitempty"`
	// Is is what the cells say now, without blanks around it; "" are the blank ones.
	Is *string `yaml:"is,omitempty" json:"is,omitempty"`
	// Set is what they are to say; "" makes them blank.
	Set *string `yaml:"set,omitempty" json:"set,omitempty"`
	// Skip leaves the rows out instead: they are reported as rejected rows.
	Skip bool `yaml:"skip,omitempty" json:"skip,omitempty"`
	// Rule keeps the correction for the next files of the source with these headers.
	Rule bool `yaml:"rule,omitempty" json:"rule,omitempty"`
}

// maxCorrections bounds a mapping's corrections: each is a pass over a column.
const maxCorrections = 1000

// units are how a column of hours may be measured, as parts of an hour.
var units = map[string]int64{"hours": 1, "minutes": 60, "seconds": 3600}

// checkCorrections lists what is wrong with a mapping's corrections and units.
func (m Mapping) checkCorrections() []fault.Field {
	var wrong []fault.Field
	if len(m.Corrections) > maxCorrections {
		wrong = append(wrong, fault.Field{Path: "corrections", Message: fmt.Sprintf("are more than %d: correct the file instead", maxCorrections)})
	}
	for i, c := range m.Corrections {
		path := fmt.Sprintf("corrections[%d]", i)
		switch {
		case c.Record < 0:
			wrong = append(wrong, fault.Field{Path: path + ".record", Message: "must be 1 or more"})
		case c.Record == 0 && c.Is == nil:
			wrong = append(wrong, fault.Field{Path: path, Message: "needs a record, or what the cells say (is)"})
		case c.Column == "" && (!c.Skip || c.Is != nil):
			wrong = append(wrong, fault.Field{Path: path + ".column", Message: "is missing"})
		case c.Record > 0 && c.Rule:
			wrong = append(wrong, fault.Field{Path: path + ".rule", Message: "is for what all cells of a column say, not for one row"})
		case (c.Set != nil) == c.Skip:
			wrong = append(wrong, fault.Field{Path: path, Message: "needs either set or skip: true"})
		}
	}
	for column, unit := range m.Units {
		if units[unit] == 0 {
			wrong = append(wrong, fault.Field{Path: "units." + column, Message: "is " + unit, Allowed: []string{"hours", "minutes", "seconds"}})
		}
	}
	return wrong
}

// With returns the mapping with what a fix adds to it.
func (m Mapping) With(fix Mapping) Mapping {
	out := m
	out.Columns, out.Constants, out.Units = merged(m.Columns, fix.Columns), merged(m.Constants, fix.Constants), merged(m.Units, fix.Units)
	out.Corrections = append(slices.Clone(m.Corrections), fix.Corrections...)
	o, f := &out.Options, fix.Options
	for _, x := range []struct {
		to   *string
		from string
	}{{&out.Dataset, fix.Dataset}, {&o.DateOrder, f.DateOrder}, {&o.DecimalMark, f.DecimalMark}, {&o.TaxBasis, f.TaxBasis}, {&o.Duplicates, f.Duplicates}, {&o.Overlap, f.Overlap}, {&o.Rows, f.Rows}} {
		if x.from != "" {
			*x.to = x.from
		}
	}
	return out
}

func merged(a, b map[string]string) map[string]string {
	if len(a)+len(b) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// columnOf finds a header of the file, by its text or by its normal form; -1 when there is none.
func columnOf(headers []string, name string) int {
	i := slices.IndexFunc(headers, func(h string) bool { return strings.TrimSpace(h) == strings.TrimSpace(name) })
	if i < 0 {
		i = slices.IndexFunc(headers, func(h string) bool { return normalizeHeader(h).full == normalizeHeader(name).full })
	}
	return i
}

// correct applies the mapping's corrections to the raw rows and notes which rows to skip.
func (l *load) correct(ctx context.Context) error {
	l.skips = nil
	for _, c := range l.m.Corrections {
		column := -1
		if c.Column != "" {
			if column = columnOf(l.t.Layout.Header, c.Column); column < 0 {
				return fault.Newf(fault.Invalid, "a correction names the column %q, which the file does not have; its columns are: %s", c.Column, shown(l.t.Layout.Header))
			}
		}
		var conds []string
		if c.Record > 0 && l.t.Clean {
			conds = append(conds, fmt.Sprintf("_record = %d", c.Record))
		} else if c.Record > 0 {
			conds = append(conds, fmt.Sprintf("rowid = %d", c.Record-1))
		}
		if c.Is != nil {
			conds = append(conds, fmt.Sprintf("coalesce(trim(c%d, %s), '') = %s", column, q(blanks), q(strings.TrimSpace(*c.Is))))
		}
		cond := strings.Join(conds, " AND ")
		if c.Skip {
			l.skips = append(l.skips, strings.ReplaceAll(cond, "rowid =", "_record - 1 ="))
			continue
		}
		rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", l.name("raw"), cond))
		if err != nil {
			return err
		}
		n := rows.Rows[0][0].(int64)
		if n == 0 {
			continue
		}
		if err := l.s.Exec(ctx, fmt.Sprintf("UPDATE %s SET c%d = nullif(%s, '') WHERE %s", l.name("raw"), column, q(*c.Set), cond)); err != nil {
			return err
		}
		was := "row " + fmt.Sprint(c.Record)
		if c.Is != nil {
			was = fmt.Sprintf("%q", cutText(*c.Is, 40))
		}
		l.add(Finding{Code: "corrected", Severity: Info, Count: n, Column: strings.TrimSpace(l.t.Layout.Header[column]),
			Message: fmt.Sprintf("%s: %s was read as %q", plural(n, "cell was corrected", "cells were corrected"), was, cutText(*c.Set, 40))})
	}
	return nil
}

// skip rejects the rows that a correction leaves out.
func (l *load) skip(ctx context.Context) error {
	if len(l.skips) == 0 {
		return nil
	}
	return l.reject(ctx, fmt.Sprintf(`SELECT _record, _line, -2, '', '', 'skipped', 'was left out by a correction of this import', 'nothing to do; take the correction out of the mapping to import it' FROM %s WHERE (%s)`, l.raw(), strings.Join(l.skips, ") OR (")))
}
