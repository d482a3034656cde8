package metric

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Column describes a column of a result.
type Column struct {
	Name string        `json:"name"`
	Unit quantity.Unit `json:"unit"`
	Type string        `json:"type"` // text, date or decimal
}

// Result is the answer to a query. A cell is a string (dimension; dates as 2026-03-01),
// a quantity.Decimal (measure), or nil; Reasons says why a measure is nil. It is shared
// with later callers: do not change its rows.
type Result struct {
	Columns  []Column           `json:"columns"`
	Rows     Rows               `json:"rows"`
	RowCount int                `json:"row_count"`
	Reasons  Reasons            `json:"reasons,omitzero"`
	Notes    []string           `json:"notes,omitempty"` // what holds for the whole result
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Period   quantity.Period    `json:"period"` // as asked, or the span of the data
	// Currency is that of the amounts when they name one and only one. Amounts that name none
	// are taken to be in the only one that the firm's data names.
	Currency string `json:"currency,omitempty"`
	// Currencies are, when the data names several, by row those of each measure asked for: a
	// code, "" for what is no amount or names none, or several codes with a space between.
	Currencies         [][]string     `json:"currencies,omitempty"`
	DefinitionVersions map[string]int `json:"definition_versions"`
	SourceRows         int64          `json:"source_rows"`  // stored or rolled-up rows that were added up
	DataUntil          quantity.Day   `json:"data_until"`   // month after the newest that holds dated rows
	DataThrough        quantity.Day   `json:"data_through"` // newest day that dated rows have
	// AsOf is the day that stock measures look at: the period's end, or the data's if that
	// comes first; the last one when the query is cut by time. Zero without stock measures.
	AsOf quantity.Day `json:"as_of,omitzero"`
	// PartialMonth is the newest month of the data when the result includes it and it is
	// not over or its data does not reach its end; zero otherwise. Leave it out of trends.
	PartialMonth quantity.Day `json:"partial_month,omitzero"`
	// Partial are the cells of the query's finest step of time, by their first days, that
	// the period or the data covers in part only. Leave them out of trends, too.
	Partial   []quantity.Day `json:"partial,omitempty"`
	Sources   []string       `json:"sources"` // tables and roll-ups read
	ElapsedMS float64        `json:"elapsed_ms"`

	counted   quantity.Period // see Counted
	sensitive []tenant.Class  // see question.sensitive
}

// Counted is the period in which months, days and working days are counted: Period up to
// the end of the data.
func (r *Result) Counted() quantity.Period { return r.counted }

// CurrencyOf returns the currency of the amounts that the measure at a place in the query
// is made of in a row; "" when none is named, or several are.
func (r *Result) CurrencyOf(row, measure int) string {
	if codes := r.CurrenciesOf(row, measure); len(codes) == 1 {
		return codes[0]
	}
	return ""
}

// CurrenciesOf returns the currencies of those amounts, in order; two when they are several.
func (r *Result) CurrenciesOf(row, measure int) []string {
	if r.Currencies == nil {
		return strings.Fields(r.Currency)
	}
	return strings.Fields(r.Currencies[row][measure])
}

// Reasons say, by row and column, why a measure is null.
type Reasons []map[string]string

// IsZero reports whether there is none.
func (r Reasons) IsZero() bool {
	return !slices.ContainsFunc(r, func(row map[string]string) bool { return len(row) > 0 })
}

// Rows are the cells of a Result by row.
type Rows [][]any

// MarshalJSON writes numbers as strings.
func (r Rows) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("[]"), nil
	}
	parts := 1
	if len(r) > 2*batchRows {
		parts = runtime.GOMAXPROCS(0)
	}
	texts, errs := make([][]byte, parts), make([]error, parts)
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() {
			some := r[len(r)*i/parts : len(r)*(i+1)/parts]
			texts[i], errs[i] = some.appendJSON(make([]byte, 0, len(some)*80))
		})
	}
	wg.Wait()
	return slices.Concat([]byte{'['}, bytes.Join(texts, []byte{','}), []byte{']'}), errors.Join(errs...)
}

// WriteJSON writes what json.Marshal returns. It does not copy the rows, which that does
// twice and which takes as long as the query.
func (r *Result) WriteJSON(w io.Writer) error {
	rows, err := r.Rows.MarshalJSON()
	if err != nil {
		return err
	}
	rest := *r
	rest.Rows = nil
	text, err := json.Marshal(&rest)
	if err != nil {
		return err
	}
	before, after, ok := bytes.Cut(text, []byte(`"rows":[]`)) // no text can hold a bare quote
	if !ok {
		return errors.New("result: no rows in its JSON")
	}
	for _, part := range [][]byte{before, []byte(`"rows":`), rows, after} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func (r Rows) appendJSON(out []byte) ([]byte, error) {
	for i, row := range r {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		for j, cell := range row {
			if j > 0 {
				out = append(out, ',')
			}
			switch cell := cell.(type) {
			case nil:
				out = append(out, "null"...)
			case quantity.Decimal:
				out = append(quantity.AppendDecimal(append(out, '"'), cell), '"')
			case string:
				if plainText(cell) {
					out = append(append(append(out, '"'), cell...), '"')
					break
				}
				text, err := json.Marshal(cell)
				if err != nil {
					return nil, err
				}
				out = append(out, text...)
			default:
				text, err := json.Marshal(cell)
				if err != nil {
					return nil, err
				}
				out = append(out, text...)
			}
		}
		out = append(out, ']')
	}
	return out, nil
}

// plainText reports whether JSON writes a text as it is.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// inCurrency sets the currency of the result whose amounts name those.
func (r *Result) inCurrency(named map[string]bool, q *question, house string) {
	if len(named) > 1 {
		return
	}
	r.Currencies = nil
	for code := range named {
		r.Currency = code
	}
	if r.Currency == "" && slices.ContainsFunc(q.measures, func(m *Measure) bool { return inMoney(m.Unit) }) {
		r.Currency = house
	}
}
