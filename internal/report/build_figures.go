package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// run asks the metrics at the report's snapshot, within the report's period and client.
func (b *builder) run(ctx context.Context, q metric.Query) (*metric.Result, error) {
	q.Where, q.Currency = b.narrowed(q.Where), b.in.Currency
	if !q.Period.Bounded() {
		q.Period = b.in.Period
	}
	r, err := b.metrics.Run(ctx, b.scope, q)
	if err == nil {
		b.use(q.Measures...)
	}
	return r, err
}

// tiles are measures over the period, each beside what it was before and how sure it is.
func (b *builder) tiles(ctx context.Context, spec *TilesSpec) ([]document.Block, error) {
	out := &document.Tiles{Origin: b.origin(), Title: fill(spec.Title, b.words())}
	var refused error
	for _, name := range spec.Measures {
		tile, err := b.tile(ctx, name, spec)
		if err != nil {
			if fault.KindOf(err) == fault.Forbidden {
				refused = err
				continue
			}
			return nil, err
		}
		out.Items = append(out.Items, tile)
	}
	if len(out.Items) == 0 {
		return nil, refused
	}
	if refused != nil {
		b.left = append(b.left, fault.Message(refused))
	}
	for _, t := range out.Items {
		if t.Change != nil {
			out.Explain = append(out.Explain, fmt.Sprintf("%s is %s, %s against the %s.", t.Label, t.Value.Say(), t.Change.Value.SayChange(), t.Change.Versus))
		}
	}
	return []document.Block{out}, nil
}

func (b *builder) tile(ctx context.Context, name string, spec *TilesSpec) (document.Tile, error) {
	m, err := b.metrics.Measure(name)
	if err != nil {
		return document.Tile{}, err
	}
	if spec.Versus == "none" || m.Wide() || b.in.Currency != "" {
		return b.plainTile(ctx, m, spec)
	}
	x, err := b.insights.Explain(ctx, b.scope, insight.ExplainRequest{Measure: name, Where: b.narrowed(spec.Where), Period: b.in.Period, Versus: spec.Versus, Brief: true})
	if err != nil {
		if k := fault.KindOf(err); k == fault.NotFound || k == fault.Invalid {
			return b.plainTile(ctx, m, spec) // what cannot be compared still has a value
		}
		return document.Tile{}, err
	}
	if x.Measure != name { // explained as another measure
		return b.plainTile(ctx, m, spec)
	}
	b.use(name)
	t := document.Tile{
		Label: m.Label, Period: b.doc.Period,
		Value: document.Value{Number: x.To.Value, Unit: x.Unit, Currency: inMoney(x.Unit, x.Currency), Missing: inWords(x.To.Reason)},
	}
	if !b.forClient() { // both are of how the measure moves, which is for us; the sentence above has the grade of the answer
		t.Interval, t.Grade = intervalOf(cmp.Or(x.Interval, x.Band)), x.Confidence.Grade
	}
	if x.Change != nil {
		t.Change = &document.Change{Value: document.Value{Number: x.Change, Unit: x.Unit, Currency: t.Value.Currency}, Versus: versusWords(spec.Versus, b.in.Period), Good: goodness(m.Direction, x.Change.Sign())}
	}
	return t, nil
}

// plainTile is a measure that cannot be explained, beside what it was in the period before.
// What it was a year ago is not known here and left out.
func (b *builder) plainTile(ctx context.Context, m *metric.Measure, spec *TilesSpec) (document.Tile, error) {
	q := metric.Query{Measures: []string{m.Name}, Where: spec.Where}
	if !m.Wide() && (spec.Versus == "" || spec.Versus == insight.Previous) {
		q.Compare = "previous"
	}
	r, err := b.run(ctx, q)
	if err != nil {
		return document.Tile{}, err
	}
	t := document.Tile{Label: m.Label, Period: b.doc.Period, Value: document.Value{Unit: m.Unit, Missing: "no data"}}
	if len(r.Rows) == 0 {
		return t, nil
	}
	if r.Reasons != nil {
		t.Value.Missing = cmp.Or(inWords(r.Reasons[0][m.Name]), t.Value.Missing)
	}
	t.Value = valueAt(r, 0, 0, m.Unit, 0)
	for i, c := range r.Columns {
		if d, ok := r.Rows[0][i].(quantity.Decimal); ok && c.Name == m.Name+"_change" {
			t.Change = &document.Change{Value: document.Value{Number: &d, Unit: m.Unit, Currency: t.Value.Currency}, Versus: versusWords(spec.Versus, b.in.Period), Good: goodness(m.Direction, d.Sign())}
		}
	}
	return t, nil
}

// valueAt is a cell of a result; measure is its measure's place in the query.
func valueAt(r *metric.Result, row, column int, unit quantity.Unit, measure int) document.Value {
	v := document.Value{Unit: unit}
	if d, ok := r.Rows[row][column].(quantity.Decimal); ok {
		v.Number = &d
	} else {
		v.Missing = "no data"
		if r.Reasons != nil && r.Reasons[row][r.Columns[column].Name] != "" {
			v.Missing = inWords(r.Reasons[row][r.Columns[column].Name])
		}
	}
	if unit.HasMoney() {
		v.Currency = r.CurrencyOf(row, measure)
	}
	return v
}

// intervalOf is an interval as documents show it, nil when it is a single value.
func intervalOf(i *insight.Interval) *document.Interval {
	if i == nil || i.Low.Equal(i.High) {
		return nil
	}
	return &document.Interval{Low: i.Low, High: i.High, Level: i.Level, Of: i.Of}
}

func versusWords(versus string, p quantity.Period) string {
	if versus == insight.YearAgo {
		return "same months a year before"
	}
	if n := len(p.Months()); n != 1 {
		return fmt.Sprintf("previous %d months", n)
	}
	return "previous month"
}

// inMoney is the currency of a unit, "" when it is no amount.
func inMoney(u quantity.Unit, currency string) string {
	if u.HasMoney() {
		return currency
	}
	return ""
}

// goodness is whether a change is welcome.
func goodness(direction string, sign int) int {
	switch direction {
	case "up_good":
		return sign
	case "down_good":
		return -sign
	}
	return 0
}

// firstOnly reports whether only the first rows of a query are shown, because of a condition on
// measures: the others would not be all others. It gives the query an order.
func (b *builder) firstOnly(q *metric.Query, top int) (bool, error) {
	if top == 0 {
		return false, nil
	}
	on, err := b.metrics.OnMeasures(q.Where)
	if err != nil || !on {
		return false, err
	}
	if len(q.Order) == 0 {
		q.Order = append([]string{"-" + q.Measures[0]}, q.Dimensions...)
	}
	return true, nil
}

// table is measures by dimensions, with a row of the whole.
func (b *builder) table(ctx context.Context, spec *TableSpec) ([]document.Block, error) {
	q := metric.Query{Measures: spec.Measures, Dimensions: spec.By, Where: spec.Where, Order: spec.Order}
	first, err := b.firstOnly(&q, spec.Top)
	if err != nil {
		return nil, err
	}
	if spec.Top > 0 && !first {
		q.Top = &metric.Top{N: spec.Top, Dimension: spec.By[0]}
		if len(spec.Order) > 0 && slices.Contains(spec.Measures, strings.TrimPrefix(spec.Order[0], "-")) {
			q.Top.By = strings.TrimPrefix(spec.Order[0], "-")
			if !strings.HasPrefix(spec.Order[0], "-") {
				q.Top.By = "-" + q.Top.By
			}
		}
		q.Order = nil
	}
	r, err := b.run(ctx, q)
	if err != nil {
		return nil, err
	}
	t := &document.Table{Origin: b.origin(), Title: fill(spec.Title, b.words()), Note: spec.Note}
	t.Columns = b.columns(r)
	for i := range r.Rows {
		t.Rows = append(t.Rows, rowOf(r, i, len(spec.By)))
	}
	if n := len(r.Rows); first && n > spec.Top {
		t.Rows, t.Of = t.Rows[:spec.Top], n
	}
	if spec.Total && len(r.Rows) > 0 {
		whole, err := b.run(ctx, metric.Query{Measures: spec.Measures, Where: spec.Where})
		if err != nil {
			return nil, err
		}
		row := rowOf(whole, 0, 0)
		row.Kind = document.Total
		row.Cells = append(append([]any{"Total"}, make([]any, len(spec.By)-1)...), row.Cells...)
		t.Rows = append(t.Rows, row)
	}
	if len(r.Notes) > 0 && b.t.Audience != audienceClient {
		t.Note = strings.TrimSpace(t.Note + " " + strings.Join(r.Notes, " "))
	}
	if r.Currency == "" && r.Currencies == nil && slices.ContainsFunc(r.Columns, func(c metric.Column) bool { return c.Unit.HasMoney() }) {
		t.Note = strings.TrimSpace(t.Note + " The data names no currency.")
	}
	return []document.Block{t}, nil
}

// columns describes a result's columns.
func (b *builder) columns(r *metric.Result) []document.Column {
	out := make([]document.Column, len(r.Columns))
	for i, c := range r.Columns {
		out[i] = document.Column{Name: c.Name, Label: b.label(c.Name), Unit: c.Unit, Months: c.Name == "month"}
		if c.Unit.HasMoney() {
			out[i].Currency = r.Currency
		}
	}
	return out
}

// label is what people call a measure or dimension.
func (b *builder) label(name string) string {
	if m, err := b.metrics.Measure(name); err == nil {
		return m.Label
	}
	for _, d := range b.metrics.Dimensions() {
		if d.Name == name {
			return d.Label
		}
	}
	return strings.ToUpper(name[:1]) + spoken(name[1:])
}

// rowOf is a row of a result, its amounts' currency and why cells are empty.
func rowOf(r *metric.Result, i, dims int) document.Row {
	row := document.Row{Cells: slices.Clone(r.Rows[i])}
	var why []string
	for j := dims; j < len(r.Columns); j++ {
		if r.Columns[j].Unit.HasMoney() && r.Currencies != nil {
			row.Currency = cmp.Or(row.Currency, r.CurrencyOf(i, j-dims))
		}
		if r.Rows[i][j] == nil && r.Reasons != nil {
			if reason := inWords(r.Reasons[i][r.Columns[j].Name]); reason != "" && !slices.Contains(why, reason) {
				why = append(why, reason)
			}
		}
	}
	row.Why = strings.Join(why, "; ")
	return row
}
