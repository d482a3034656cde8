package question

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Answer is what is known of a question.
type Answer struct {
	Question
	Client string          `json:"client,omitempty"`
	Period quantity.Period `json:"period"`
	// Headline is the answer in a sentence or two.
	Headline string `json:"headline"`
	// Grade says how sure it is: high, medium, low or no_answer; Reasons say why.
	Grade   string   `json:"grade"`
	Reasons []string `json:"reasons"`
	Tables  []Table  `json:"tables"`
	// Missing are datasets that are not imported, each with what it would add.
	Missing   []Need             `json:"missing"`
	Next      []string           `json:"next"` // what to do
	Snapshot  warehouse.Snapshot `json:"snapshot"`
	Versions  map[string]int     `json:"definition_versions"`
	ElapsedMS int64              `json:"elapsed_ms"`
}

// Table is a part of an answer.
type Table struct {
	Title   string   `json:"title"`
	Note    string   `json:"note,omitempty"` // how to read it
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
	Total   int      `json:"total"` // rows, those beyond Request.Top included

	// Plain is the note for readers who are shown the table without its intervals, such as a
	// client. "" means that it is shown with them, or has none.
	Plain string `json:"-"`
}

// Column is a column of a table.
type Column struct {
	Name  string        `json:"name"`
	Label string        `json:"label"`
	Unit  quantity.Unit `json:"unit"` // Text and Date for what is no number
	// Measure is the measure whose definition the column has, Dimension the dimension whose
	// members it names; both may be "".
	Measure   string `json:"measure,omitempty"`
	Dimension string `json:"dimension,omitempty"`
}

// Bound reports whether a column is an end of an interval.
func (c Column) Bound() bool { return c.Name == "low" || c.Name == "high" }

// Row is a row of a table.
type Row struct {
	// Cells are a string, a decimal (as a string in JSON) or null, in the order of the columns.
	Cells    []any  `json:"cells"`
	Currency string `json:"currency,omitempty"` // ISO 4217, of its amounts
	Why      string `json:"why,omitempty"`      // what drove it, or why a cell is null
	// Query returns the figures behind the row, and from them the stored rows.
	Query *metric.Query `json:"query,omitempty"`
}

// asked is a question while it is answered.
type asked struct {
	*Service
	Answer
	scope    tenant.Scope
	req      Request
	complete quantity.Period  // months of complete data
	rows     map[string]int64 // stored, by dataset
}

// cut leaves the first rows of each table.
func (a *asked) cut() {
	for i, t := range a.Tables {
		a.Tables[i].Total = len(t.Rows)
		if a.req.Top > 0 && len(t.Rows) > a.req.Top {
			a.Tables[i].Rows = t.Rows[:a.req.Top]
		}
		if t.Rows == nil {
			a.Tables[i].Rows = []Row{}
		}
	}
}

// text, day, of and by make columns: of words, of dates, of a measure's values, of the
// members of a dimension.
func text(name, label string) Column { return Column{Name: name, Label: label, Unit: quantity.Text} }
func day(name, label string) Column  { return Column{Name: name, Label: label, Unit: quantity.Date} }

func in(name, label string, u quantity.Unit) Column {
	return Column{Name: name, Label: label, Unit: u}
}

func of(measure, label string, u quantity.Unit) Column {
	return Column{Name: measure, Label: label, Unit: u, Measure: measure}
}

func by(dimension, label string) Column {
	return Column{Name: dimension, Label: label, Unit: quantity.Text, Dimension: dimension}
}

// known returns the value of a decimal that may be missing as a cell.
func known(d *quantity.Decimal) any {
	if d == nil {
		return nil
	}
	return *d
}

// fraction returns a probability that may be missing as a cell, to four places.
func fraction(p *float64) any {
	if p == nil {
		return nil
	}
	return decimal.NewFromFloat(*p).Round(4)
}

// orNull returns words as a cell, null when there are none.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// whole returns a number of things as a cell.
func whole(n int) any { return decimal.NewFromInt(int64(n)) }

// isNegative reports whether a cell is a number below zero.
func isNegative(cell any) bool {
	d, ok := cell.(quantity.Decimal)
	return ok && d.Sign() < 0
}

// count writes a number of things: "1 client", "12 clients", "no client"; without a thing,
// the number alone.
func count(n int, thing string) string {
	switch {
	case thing == "":
		return strconv.Itoa(n)
	case n == 0:
		return "no " + thing
	case n == 1:
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// capital writes the first letter large.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// client returns the condition that narrows to the asked client, "" without one.
func (a *asked) client() string {
	if a.req.Client == "" {
		return ""
	}
	return is("client", a.req.Client)
}

// is returns a condition that a dimension has a value.
func is(dimension, value string) string {
	return dimension + " = " + strconv.Quote(value)
}

// both returns the condition that holds when all of the given, "" left out, do.
func both(conditions ...string) string {
	return strings.Join(slices.DeleteFunc(conditions, func(c string) bool { return c == "" }), " and ")
}

// run asks the metrics at the answer's snapshot and notes the versions of the definitions.
func (a *asked) run(ctx context.Context, q metric.Query) (*metric.Result, error) {
	q.Snapshot = a.Snapshot
	r, err := a.metrics.Run(ctx, a.scope, q)
	if err != nil {
		return nil, err
	}
	for name, v := range r.DefinitionVersions {
		a.Versions[name] = v
	}
	return r, nil
}

// sure sets how sure the answer is, as a confidence says.
func (a *asked) sure(c insight.Confidence) { a.Grade, a.Reasons = c.Grade, c.Reasons }

// tooLittle makes the answer one that could not be found, for a reason that people can do
// something about. Other errors stay errors.
func (a *asked) tooLittle(err error) error {
	if k := fault.KindOf(err); k != fault.NotFound && k != fault.Invalid {
		return err
	}
	a.Headline, a.Grade, a.Reasons = "This cannot be answered: "+fault.Message(err)+".", "no_answer", []string{fault.Message(err)}
	return nil
}
