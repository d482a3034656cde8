package metric

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// A wide measure looks at more than its own cell. It is evaluated at frames: the same
// formula over another span of the same cell (lag, rolling, cumulative), over the members
// of the cell, or over the cells around it. Every frame is computed from the base sums of
// its span, so a rolling ratio is a ratio of sums; stocks are those of the span's end; what
// lies between the two ends of a span is asked of it as a whole.

// frame is where a formula is evaluated.
type frame struct {
	dims   []string // dimensions that are not time
	key    string   // cellKey of its values
	values []any
	span   quantity.Period // whole steps when the query is cut by time
	moved  bool            // not the cell's own span: it must lie within the data
}

// cube is the base sums of the cells of some dimensions.
type cube struct {
	q      *question
	steps  bool // its cells are steps of time
	groups map[string]*group
	within map[string][]*group // by the key of all dimensions but the last
}

// group is the cells with the same values of the dimensions that are not time.
type group struct {
	values []any
	cells  []groupCell // by time
}

type groupCell struct {
	first quantity.Day
	raw   []any
}

// wide is one run of a query for wide measures.
type wide struct {
	ctx     context.Context
	c       *Catalog
	scope   tenant.Scope
	q       Query
	asked   *question
	step    *step    // the finest dimension of time, nil when there is none
	dims    []string // the others
	overs   bool     // some measure looks at other spans of time
	from    quantity.Day
	cubes   map[string]*cube
	summed  map[known]*sums
	known   map[known]figure
	special specialValues // medians of the question's cells
	sources []string
	err     error

	lo, hi string // currencies of what is being evaluated
}

type known struct {
	of    any // *Measure or *term
	dims  string
	key   string
	span  quantity.Period
	moved bool
}

type figure struct {
	value
	lo, hi string
}

// checkSteps refuses what functions over time cannot be cut by.
func (q *question) checkSteps(m *Measure) []fault.Field {
	at := finest(q.dims)
	if at == len(timeSteps) {
		return nil
	}
	s := q.step(timeSteps[at])
	for _, d := range q.dims {
		if i := slices.Index(timeSteps, d); i >= 0 && s.byMonth() != q.step(d).byMonth() && !(s.name == "day") {
			return []fault.Field{{Path: "by", Message: fmt.Sprintf("%s looks at other steps of time: cut by %s or by %s, not by both", m.Name, s.name, d)}}
		}
	}
	for _, end := range []quantity.Day{q.period.From, q.period.To} {
		if !end.IsZero() && s.start(end) != end {
			return []fault.Field{{Path: "period", Message: fmt.Sprintf("%s compares whole steps: begin and end the period on the first day of a %s (%s or %s)", m.Name, strings.ReplaceAll(s.name, "_", " "), s.start(end), s.add(s.start(end), 1))}}
		}
	}
	year := q.step("fiscal_year").start(q.period.From)
	if m.fromYear() && s.start(year) != year {
		return []fault.Field{{Path: "by", Message: fmt.Sprintf("%s adds up from the start of the fiscal year (%s), which no %s begins with: cut by fiscal_period, or write cumulative(x, \"period\")", m.Name, year, s.name)}}
	}
	return nil
}

// fromYear reports whether a formula adds up from the start of the fiscal year.
func (m *Measure) fromYear() bool {
	found := false
	if m.formula != nil {
		m.formula.root.walk(func(t *term) { found = found || t.op == opCall && t.name == "cumulative" && !t.fromPeriod() })
	}
	for _, dep := range m.deps {
		found = found || dep.fromYear()
	}
	return found
}

func (t *term) fromPeriod() bool { return len(t.args) == 2 && t.args[1].name == "period" }

// answerWide answers a query for measures of which one is wide.
func (c *Catalog) answerWide(ctx context.Context, scope tenant.Scope, q Query, checked *question) (*Result, error) {
	w := &wide{ctx: ctx, c: c, scope: scope, q: q, asked: checked, cubes: map[string]*cube{}, summed: map[known]*sums{}, known: map[known]figure{}, from: checked.span.From,
		overs: slices.ContainsFunc(checked.measures, func(m *Measure) bool { return m.overs })}
	if at := finest(checked.dims); at < len(timeSteps) {
		s := checked.step(timeSteps[at])
		w.step = &s
	}
	for _, d := range checked.dims {
		if !slices.Contains(timeSteps, d) {
			w.dims = append(w.dims, d)
		}
	}
	spans := map[quantity.Period]bool{}
	for _, m := range checked.measures {
		w.reach(m, nil, w.firstSpan(), spans)
	}
	for s := range spans {
		if s.From.Before(w.from) {
			w.from = s.From
		}
	}
	frames, err := w.frames(spans)
	if err != nil {
		return nil, err
	}
	if w.special, err = c.specials(ctx, scope, q, checked); err != nil {
		return nil, err
	}
	r := c.head(q, checked)
	currencies := map[string]bool{}
	own, err := w.cube(w.dims, w.own())
	if err != nil {
		return nil, err
	}
	for _, f := range frames {
		row, reasons, codes := w.row(f, currencies)
		if w.err != nil {
			return nil, w.err
		}
		r.Rows, r.Reasons, r.Currencies = append(r.Rows, row), append(r.Reasons, reasons), append(r.Currencies, codes)
		if s := w.sums(own, f); s != nil {
			for _, n := range s.rows {
				r.SourceRows += n
			}
		}
	}
	if len(r.Rows) > maxRows {
		return nil, fault.Newf(fault.TooLarge, "the answer has more than %d rows: narrow the period or the filter, or cut by fewer dimensions", maxRows)
	}
	slices.Sort(w.sources)
	r.Sources = slices.Compact(w.sources)
	r.inCurrency(currencies, w.asked, c.houseOf(w.asked.extent))
	return r, nil
}

// own is the span of the question: whole steps when it is cut by time.
func (w *wide) own() quantity.Period {
	p := w.asked.span
	if w.step != nil {
		p.From = w.step.start(p.From)
		if last := w.step.start(p.To.AddDays(-1)); w.asked.period.To.IsZero() {
			p.To = w.step.add(last, 1)
		}
	}
	return p
}

// firstSpan is the span of the first cell.
func (w *wide) firstSpan() quantity.Period {
	p := w.own()
	if w.step != nil {
		p.To = w.step.add(p.From, 1)
	}
	return p
}

// reach notes the spans that a measure, or a term of its, is evaluated over when its cell
// spans p.
func (w *wide) reach(m *Measure, t *term, p quantity.Period, spans map[quantity.Period]bool) {
	spans[p] = true
	if t == nil {
		if m.formula == nil || !m.wide {
			return
		}
		t = m.formula.root
	}
	switch {
	case t.op == opMeasure:
		if dep := m.deps[t.name]; dep != nil {
			w.reach(dep, nil, p, spans)
		}
	case t.op == opCall && functions[t.name].over == "time":
		switch t.name {
		case "growth", "yoy":
			w.reach(m, t.args[0], p, spans)
		}
		w.reach(m, t.args[0], w.window(t, p), spans)
	default:
		for _, arg := range t.args {
			if arg.op != opText {
				w.reach(m, arg, p, spans)
			}
		}
	}
}

// window is the span that a function over time looks at from a cell that spans p.
func (w *wide) window(t *term, p quantity.Period) quantity.Period {
	switch t.name {
	case "lag", "growth":
		return w.shifted(p, -t.whole(1, 1))
	case "yoy":
		if w.step == nil {
			return w.shifted(p, -12)
		}
		return w.shifted(p, -w.step.yearAgo())
	case "rolling":
		if w.step == nil {
			return quantity.Period{From: shiftMonths(p.To, -t.whole(1, 1)), To: p.To}
		}
		return quantity.Period{From: w.step.add(w.lastStep(p), 1-t.whole(1, 1)), To: p.To}
	}
	from := w.own().From
	if !t.fromPeriod() {
		from = w.asked.step("fiscal_year").start(p.To.AddDays(-1))
		if w.step != nil {
			from = w.asked.step("fiscal_year").start(w.lastStep(p))
		}
	}
	return quantity.Period{From: from, To: p.To}
}

// lastStep is the first day of the last step of a span.
func (w *wide) lastStep(p quantity.Period) quantity.Day { return w.step.start(p.To.AddDays(-1)) }

// shifted is a span n steps later, n months when the query is not cut by time.
func (w *wide) shifted(p quantity.Period, n int) quantity.Period {
	if w.step == nil {
		return quantity.Period{From: shiftMonths(p.From, n), To: shiftMonths(p.To, n)}
	}
	return quantity.Period{From: w.step.add(p.From, n), To: w.step.add(w.step.add(w.lastStep(p), n), 1)}
}

// shiftMonths is the same day of the month n months later, that month's last day when it
// is shorter.
func shiftMonths(d quantity.Day, n int) quantity.Day {
	first := d.AddMonths(n)
	last := first.AddMonths(1).AddDays(-1)
	day := min(d.Time().Day(), last.Time().Day())
	return first.AddDays(day - 1)
}

// cube returns the base sums by some dimensions: of all spans when the query is cut by
// time, otherwise of the one.
func (w *wide) cube(dims []string, span quantity.Period) (*cube, error) {
	return w.readCube(dims, span, w.step != nil, nil)
}

// readCube reads a cube, of one fact only or, when none is given, of all.
func (w *wide) readCube(dims []string, span quantity.Period, steps bool, only *fact) (*cube, error) {
	key := strings.Join(dims, "\x00")
	if !steps {
		key += span.String()
	}
	if only != nil {
		key += only.Name
	}
	if known, ok := w.cubes[key]; ok {
		return known, nil
	}
	q := *w.asked
	q.dims, q.base, q.measures, q.hidden = slices.Clone(dims), slices.Clone(w.asked.base), nil, 0
	if len(dims) > len(w.dims) {
		q.leaveOut(func(f *fact) bool {
			return slices.ContainsFunc(dims[len(w.dims):], func(name string) bool { d, ok := w.c.dimension(name); return ok && !f.has(d) })
		})
	}
	if only != nil {
		q.leaveOut(func(f *fact) bool { return f != only })
	}
	if steps {
		q.dims = append(q.dims, w.step.name)
		if w.overs && (!q.period.From.IsZero() || w.from.Before(q.span.From)) {
			q.period.From = w.from
		}
	} else if span != w.asked.span {
		q.period = span
	}
	if err := q.place(w.c); err != nil {
		return nil, err
	}
	p := compile(&q)
	out := &cube{q: &q, steps: steps, groups: map[string]*group{}, within: map[string][]*group{}}
	n := len(dims)
	_, err := w.c.w.Query(w.ctx, w.scope, warehouse.Statement{Obeys: q.obeys, Snapshot: w.q.Snapshot, SQL: p.sql, Args: p.args, Uses: p.uses, Helpers: p.helpers, Blends: w.asked.blends, MaxRows: maxRows, Each: func(raw []any) {
		values := make([]any, n)
		for i := range values {
			values[i] = dimensionText(raw[i])
		}
		k := cellKey(values)
		g := out.groups[k]
		if g == nil {
			g = &group{values: values}
			out.groups[k] = g
			if n > 0 {
				rest := cellKey(values[:n-1])
				out.within[rest] = append(out.within[rest], g)
			}
		}
		var first quantity.Day
		if steps {
			if t, ok := raw[n].(time.Time); ok {
				first = quantity.DayOf(t)
			}
		}
		g.cells = append(g.cells, groupCell{first, slices.Clone(raw)})
	}})
	if err != nil {
		return nil, err
	}
	for _, g := range out.groups {
		slices.SortFunc(g.cells, func(a, b groupCell) int { return a.first.Time().Compare(b.first.Time()) })
	}
	w.sources = append(w.sources, p.sources...)
	w.cubes[key] = out
	return out, nil
}

// leaveOut drops the base measures of some facts.
func (q *question) leaveOut(out func(*fact) bool) {
	base, facts := q.base, q.facts
	q.base, q.facts, q.slots = nil, nil, map[string]int{}
	for _, b := range base {
		f := facts[b.fact]
		if out(f) {
			continue
		}
		if b.fact = slices.Index(q.facts, f); b.fact < 0 {
			b.fact, q.facts = len(q.facts), append(q.facts, f)
		}
		q.slots[b.Name], q.base = len(q.base), append(q.base, b)
	}
}

// frames are the cells of the answer: those that have rows, and, with functions over time,
// those that have some in the spans looked at.
func (w *wide) frames(spans map[quantity.Period]bool) ([]frame, error) {
	own := w.own()
	var out []frame
	if w.step == nil {
		seen := map[string]bool{}
		all := slices.Collect(maps.Keys(spans))
		if !w.overs {
			all = []quantity.Period{own}
		}
		for _, span := range all {
			cube, err := w.cube(w.dims, span)
			if err != nil {
				return nil, err
			}
			for k, g := range cube.groups {
				if !seen[k] {
					seen[k] = true
					out = append(out, frame{dims: w.dims, key: k, values: g.values, span: own})
				}
			}
		}
		return out, nil
	}
	cube, err := w.cube(w.dims, own)
	if err != nil {
		return nil, err
	}
	end := own.To
	if until := w.asked.counted.To; w.overs && until.Before(end) { // what is not there yet has no history of its own
		end = until
	}
	for k, g := range cube.groups {
		for at := own.From; at.Before(own.To); at = w.step.add(at, 1) {
			span := quantity.Period{From: at, To: w.step.add(at, 1)}
			has := slices.ContainsFunc(g.cells, func(c groupCell) bool { return c.first == at })
			if !has && w.overs && at.Before(end) {
				has = len(g.cells) > 0 && !at.Before(g.cells[0].first)
			}
			if has {
				out = append(out, frame{dims: w.dims, key: k, values: g.values, span: span})
			}
		}
		if len(out) > maxRows {
			break
		}
	}
	return out, nil
}
