package insight

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// reader asks the metrics for figures of one snapshot, in the scope of the one call that it
// lives for.
type reader struct {
	scope     tenant.Scope
	metrics   *metric.Catalog
	warehouse *warehouse.Warehouse
	snapshot  warehouse.Snapshot
	tables    map[string]int64 // stored rows by table
	// oneCurrency makes money unknown in a row whose amounts are in several currencies.
	oneCurrency bool
	// lenient takes what the asker may not see for what is missing, for answers that are made
	// of many figures; without it such a figure is a Forbidden fault.
	lenient bool
}

// allowed refuses what the asker may not see; other faults are told where it is read.
func (r reader) allowed(ctx context.Context, q metric.Query) error {
	if r.scope.Rights.Unlimited() {
		return nil
	}
	q.Snapshot = r.snapshot
	if _, err := r.metrics.Run(ctx, r.scope, q); fault.KindOf(err) == fault.Forbidden {
		return err
	}
	return nil
}

// everyone names the clients that a client is compared with.
func (r reader) everyone() string {
	if r.scope.Rights.SeesAllRows() {
		return "all clients"
	}
	return "the clients that you see"
}

// of returns the service with the tenant's own measures and segments among the metrics.
func (s *Service) of(ctx context.Context, scope tenant.Scope) (*Service, error) {
	metrics, err := s.metrics.For(ctx, scope)
	if err != nil {
		return nil, err
	}
	own := *s
	own.metrics = metrics
	return &own, nil
}

// open returns a reader of the tenant's current snapshot.
func (s *Service) open(ctx context.Context, scope tenant.Scope) (reader, error) {
	metrics, err := s.metrics.For(ctx, scope)
	r := reader{scope: scope, metrics: metrics, warehouse: s.warehouse, tables: map[string]int64{}}
	if err != nil {
		return r, err
	}
	if r.snapshot, err = s.warehouse.Current(ctx, scope); err != nil {
		return r, err
	}
	tables, err := s.warehouse.Tables(ctx, scope, r.snapshot)
	for _, t := range tables {
		r.tables[t.Name] = t.Rows
	}
	return r, err
}

// row is a row of figures: the values of the dimensions in the order asked for, what is
// known of the measures, why the others are not, the currencies of the amounts, and the
// period in which months and days are counted.
type row struct {
	keys    []string
	sums    cell
	why     map[string]string
	codes   []string
	counted quantity.Period
}

// What the dimensions say of facts that have no value for them.
const (
	noClient    = "unassigned"
	noAgreement = "no agreement"
)

// read returns the measures by the dimensions over p, filtered by where ("" for all).
func (r reader) read(ctx context.Context, p quantity.Period, where string, dimensions []string, measures ...string) ([]row, error) {
	run := r.metrics.Run
	if r.lenient {
		run = r.metrics.RunSeen
	}
	result, err := run(ctx, r.scope, metric.Query{Measures: measures, Dimensions: dimensions, Where: where, Period: p, Snapshot: r.snapshot})
	if r.lenient && fault.KindOf(err) == fault.Forbidden {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(result.Rows))
	for i, values := range result.Rows {
		rows[i].sums, rows[i].counted = cell{}, result.Counted()
		if len(result.Reasons) > 0 {
			rows[i].why = result.Reasons[i]
		}
		for j, column := range result.Columns {
			if column.Unit == quantity.Money || column.Unit == quantity.MoneyPerMonth {
				if v, known := values[j].(quantity.Decimal); !known || !v.IsZero() {
					rows[i].codes = merged(rows[i].codes, result.CurrenciesOf(i, j-len(dimensions)))
				}
			}
			switch v := values[j].(type) {
			case nil:
				if j < len(dimensions) {
					rows[i].keys = append(rows[i].keys, "")
				}
			case quantity.Decimal:
				rows[i].sums[column.Name] = v
			case string:
				rows[i].keys = append(rows[i].keys, v)
			default:
				return nil, fault.Newf(fault.Internal, "metric column %q holds a %T", column.Name, v)
			}
		}
		if r.oneCurrency && len(rows[i].codes) > 1 {
			for _, column := range result.Columns {
				if column.Unit == quantity.Money || column.Unit == quantity.MoneyPerMonth {
					delete(rows[i].sums, column.Name)
				}
			}
			rows[i].codes = nil
		}
	}
	return rows, nil
}

// total returns the measures over p as one cell.
func (r reader) total(ctx context.Context, p quantity.Period, where string, measures ...string) (cell, error) {
	all, err := r.whole(ctx, p, where, measures...)
	return all.sums, err
}

// whole is total with the currencies.
func (r reader) whole(ctx context.Context, p quantity.Period, where string, measures ...string) (row, error) {
	rows, err := r.read(ctx, p, where, nil, measures...)
	if err != nil || len(rows) == 0 {
		return row{sums: cell{}, counted: p}, err
	}
	return rows[0], nil
}

// house returns the currency of amounts that name none, "" when it is not known.
func (r reader) house(ctx context.Context) (string, error) {
	code, _, err := r.metrics.House(ctx, r.scope, r.snapshot)
	return code, err
}

// codesOf returns the currencies of the rows' amounts.
func codesOf(rows ...row) []string {
	var codes []string
	for _, r := range rows {
		codes = merged(codes, r.codes)
	}
	return codes
}

// merged are the currencies of either list, each once and in order.
func merged(a, b []string) []string {
	if len(b) == 0 || slices.Equal(a, b) {
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// only is the one currency of amounts, "" when none is named or there are several.
func only(codes []string) string {
	if len(codes) == 1 {
		return codes[0]
	}
	return ""
}

// apart says why amounts in these currencies are not added or compared, "" when they may be.
func apart(codes ...string) string {
	slices.Sort(codes)
	if codes = slices.Compact(codes); len(codes) < 2 {
		return ""
	}
	return fmt.Sprintf("amounts are in %s: explain one currency at a time, such as currency = %q", strings.Join(codes, " and "), codes[0])
}

// rowsByKey returns the rows by their first dimension.
func rowsByKey(rows []row) map[string]row {
	out := make(map[string]row, len(rows))
	for _, r := range rows {
		out[r.keys[0]] = r
	}
	return out
}

// byKey returns the figures of the rows by their first dimension.
func byKey(rows []row) map[string]cell {
	cells := make(map[string]cell, len(rows))
	for _, r := range rows {
		cells[r.keys[0]] = r.sums
	}
	return cells
}

// is is the condition that a dimension has a value.
func is(dimension, value string) string { return dimension + " = " + strconv.Quote(value) }

// among is the condition that a dimension has one of the values.
func among(dimension string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	return fmt.Sprintf("%s in [%s]", dimension, strings.Join(quoted, ", "))
}

// both joins two conditions, either of which may be "".
func both(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return "(" + a + ") and (" + b + ")"
}

// Bounds of one query: rows it may bring, well below the cap, and the length of a filter.
const (
	rowsAtOnce   = 60_000
	filterLength = 3_500
)

// parts cuts the values into lists whose filters stay short enough, with at most as many
// values as bring rowsAtOnce rows; one nil list means that no filter is needed.
func parts(values []string, rowsEach int) [][]string {
	if len(values)*rowsEach <= rowsAtOnce {
		return [][]string{nil}
	}
	var out [][]string
	length := filterLength
	for _, v := range values {
		if length += len(strconv.Quote(v)) + 2; length > filterLength || len(out[len(out)-1])*rowsEach > rowsAtOnce {
			out, length = append(out, nil), len(strconv.Quote(v))+2
		}
		out[len(out)-1] = append(out[len(out)-1], v)
	}
	return out
}

// series are the monthly cells of one value of a dimension, and the currencies of their
// amounts; a month without facts is nil.
type series struct {
	months []quantity.Day
	cells  []cell
	codes  []string
}

// monthly returns the measures by month for each of the values of dimension over p, a
// period of whole months.
func (r reader) monthly(ctx context.Context, p quantity.Period, dimension string, values []string, measures ...string) (map[string]series, error) {
	all, at := map[string]series{}, map[string]int{}
	for i, m := range p.Months() {
		at[m.String()] = i
	}
	for _, v := range values {
		all[v] = series{months: p.Months(), cells: make([]cell, len(at))}
	}
	for _, part := range parts(values, len(at)) {
		where := ""
		if part != nil {
			where = among(dimension, part)
		}
		rows, err := r.read(ctx, p, where, []string{dimension, "month"}, measures...)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if i, ok := at[row.keys[1]]; ok && all[row.keys[0]].cells != nil {
				s := all[row.keys[0]]
				s.cells[i], s.codes = row.sums, merged(s.codes, row.codes)
				all[row.keys[0]] = s
			}
		}
	}
	return all, nil
}

// monthlyTotal returns the measures of everything by month over p.
func (r reader) monthlyTotal(ctx context.Context, p quantity.Period, where string, measures ...string) (series, error) {
	s := series{months: p.Months(), cells: make([]cell, len(p.Months()))}
	rows, err := r.read(ctx, p, where, []string{"month"}, measures...)
	if err != nil {
		return s, err
	}
	for _, row := range rows {
		for i, m := range s.months {
			if m.String() == row.keys[0] {
				s.cells[i], s.codes = row.sums, merged(s.codes, row.codes)
			}
		}
	}
	return s, nil
}

// active cuts the months before the first and after the last one that has facts. A month
// without facts in between stays: it is a real zero.
func (s series) active() series {
	from, to := 0, len(s.cells)
	for from < to && s.cells[from] == nil {
		from++
	}
	for to > from && s.cells[to-1] == nil {
		to--
	}
	return series{s.months[from:to], s.cells[from:to], s.codes}
}

// in returns the months of s that lie in p.
func (s series) in(p quantity.Period) series {
	out := series{codes: s.codes}
	for i, m := range s.months {
		if p.Contains(m) {
			out.months, out.cells = append(out.months, m), append(out.cells, s.cells[i])
		}
	}
	return out
}

// sum adds the months up.
func (s series) sum() cell {
	total := cell{}
	for _, c := range s.cells {
		total.add(c)
	}
	return total
}

// values are a sum of each month as the statistics need it; a month without it is 0.
func (s series) values(of func(cell) quantity.Decimal) []float64 {
	out := make([]float64, len(s.cells))
	for i, c := range s.cells {
		out[i] = float(of(c))
	}
	return out
}
