package metric

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// extent is how far the data of a snapshot reaches.
type extent struct {
	today quantity.Day
	rows  map[string]int64        // stored rows by table, roll-ups included
	first map[string]quantity.Day // first month by dated table, roll-ups included
	// span is the months that hold business data, up to the current one: what is dated later
	// is a plan or a mistake.
	span quantity.Period
	// end is the month after the newest that holds business data, future ones included.
	end quantity.Day
	// through is the newest day in span that business data is dated; zero when there is none.
	through quantity.Day
	// partial is the newest month when it is not over, or its data does not reach its end.
	partial quantity.Day
	// stocks is the first day that stock measures cannot look at: the end of span, or the
	// day after the newest change of an effective-dated table, whichever is later.
	stocks quantity.Day
	// currency is the only currency that the amounts of a fact name, of facts with roll-ups;
	// no entry when there are several or none.
	currency map[string]string
	// house is the only currency that any of them or of the expenses names, "" when there are
	// several, which mixed says, or none.
	house string
	mixed bool
}

// businessTables are the dated tables whose months make up the span of the data; daily of
// them have rows on most working days.
var businessTables = []struct {
	name, column string
	daily        bool
}{
	{"invoices", "invoice_date", false}, {"expenses", "expense_date", false}, {"time_entries", "work_date", true}, {"tickets", "created_on", true},
}

// stockTables are the effective-dated tables that stock measures look at.
var stockTables = []string{"agreements", "agreement_additions", "licenses", "clients"}

// monthsEnd is how close to its end the daily data of a complete month comes, in days.
const monthsEnd = 5

// extent returns how far the data of a snapshot reaches.
func (c *Catalog) extent(ctx context.Context, scope tenant.Scope, snap warehouse.Snapshot) (*extent, error) {
	today := quantity.DayOf(c.now().UTC())
	key := fmt.Sprintf("%s\x00%d\x00%s", scope.Tenant, snap, today)
	if e, ok := c.extents.GetIfPresent(key); ok {
		return e, nil
	}
	tables, err := c.w.Tables(ctx, scope, snap)
	if err != nil {
		return nil, err
	}
	e := &extent{today: today, rows: map[string]int64{}, first: map[string]quantity.Day{}, currency: map[string]string{}}
	newest := map[string]quantity.Day{}
	for _, t := range tables {
		e.rows[t.Name] = t.Rows
		if len(t.Months) != 2 {
			continue
		}
		e.first[t.Name] = t.Months[0]
		if !slices.ContainsFunc(businessTables, func(b struct {
			name, column string
			daily        bool
		}) bool {
			return b.name == t.Name
		}) {
			continue
		}
		newest[t.Name] = t.Months[1]
		if e.span.From.IsZero() || t.Months[0].Before(e.span.From) {
			e.span.From = t.Months[0]
		}
		if end := t.Months[1].AddMonths(1); e.span.To.Before(end) {
			e.span.To = end
		}
	}
	known := e.span.Bounded()
	if !known { // only tables without dates: look at this month
		e.span = quantity.MonthOf(today)
	}
	e.end = e.span.To
	if next := quantity.MonthOf(today).To; next.Before(e.span.To) && e.span.From.Before(next) {
		e.span.To = next
	}
	e.stocks = e.span.To
	if err := c.lastDays(ctx, scope, snap, e, newest, today); err != nil {
		return nil, err
	}
	if !known {
		e.through = quantity.Day{}
	}
	c.extents.Set(key, e)
	return e, nil
}

// begins is the first day from which a fact's rows are known: the first month of the dated
// tables that it needs, of all data when none of them is dated or nothing means 0.
func (e *extent) begins(f *fact, missingIsZero bool) quantity.Day {
	out := e.span.From
	if f.Stock || missingIsZero {
		return out
	}
	known := false
	for _, t := range f.Needs {
		if first, ok := e.first[t]; ok && (!known || first.Before(out)) {
			out, known = first, true
		}
	}
	return out
}

// several stands for the currencies of a fact that names more than one.
const several = "several"

// currencyOf asks for the only currency of a table's amounts.
const currencyOf = "SELECT '%s', CASE WHEN min(currency) = max(currency) THEN min(currency) WHEN min(currency) IS NOT NULL THEN '%s' END, NULL FROM %s"

// House returns the currency (ISO 4217) of amounts that name none: the only one that the amounts
// of a snapshot name (of the current one when it is 0), "" when they name several, which mixed
// says, or none.
func (c *Catalog) House(ctx context.Context, scope tenant.Scope, snap warehouse.Snapshot) (code string, mixed bool, err error) {
	if snap == 0 {
		if snap, err = c.w.Current(ctx, scope); err != nil {
			return "", false, err
		}
	}
	e, err := c.extent(ctx, scope, snap)
	if err != nil {
		return "", false, err
	}
	return c.houseOf(e), e.mixed, nil
}

func (c *Catalog) houseOf(e *extent) string {
	if e.house == "" && !e.mixed {
		return c.unnamed()
	}
	return e.house
}

// unnamed is the currency that amounts are in when the data names none at all; see Frozen.
func (c *Catalog) unnamed() string {
	if c.settings == nil || c.settings.frozen == nil {
		return ""
	}
	return c.settings.frozen.Unnamed
}

// lastDays looks up the newest days of the data, and the currencies of its amounts.
func (c *Catalog) lastDays(ctx context.Context, scope tenant.Scope, snap warehouse.Snapshot, e *extent, newest map[string]quantity.Day, today quantity.Day) error {
	s := warehouse.Statement{Snapshot: snap}
	var parts []string
	for _, t := range businessTables {
		if month, ok := newest[t.name]; ok {
			within := quantity.MonthOf(month)
			if !month.Before(e.span.To) { // its newest rows are in the future
				within = quantity.Period{To: e.span.To}
			}
			if t.name == "expenses" { // which have no roll-up to ask
				within = quantity.Period{}
				parts = append(parts, fmt.Sprintf(currencyOf, "all expenses", several, t.name))
			}
			parts = append(parts, fmt.Sprintf("SELECT '%s' AS name, NULL AS currency, max(%s) AS day FROM %s WHERE %s < %s", t.name, t.column, t.name, t.column, dateText(e.span.To)))
			s.Uses = append(s.Uses, warehouse.TableUse{Name: t.name, Period: within})
		}
	}
	for _, t := range stockTables {
		if e.rows[t] > 0 {
			parts = append(parts, fmt.Sprintf("SELECT 'stock', NULL, max(valid_from) FROM %s WHERE valid_from <= %s", t, dateText(today)))
			s.Uses = append(s.Uses, warehouse.TableUse{Name: t})
		}
	}
	for _, f := range c.facts {
		if f.Money && len(f.Rollups) > 0 && e.rows[f.Rollups[0].Table] > 0 {
			parts = append(parts, fmt.Sprintf(currencyOf, f.Name, several, f.Rollups[0].Table))
			s.Uses = append(s.Uses, warehouse.TableUse{Name: f.Rollups[0].Table})
		}
	}
	if len(parts) == 0 {
		return nil
	}
	slices.Sort(parts)
	s.SQL = strings.Join(parts, "\nUNION ALL\n")
	rows, err := c.w.Query(ctx, scope.Own(), s) // days and currencies, no rows
	if err != nil {
		return err
	}
	var daily quantity.Day
	named := map[string]bool{}
	for _, r := range rows.Rows {
		if code, ok := r[1].(string); ok {
			named[code] = true
			if code != several {
				e.currency[r[0].(string)] = code
			}
			continue
		}
		t, ok := r[2].(time.Time)
		if !ok {
			continue
		}
		day := quantity.DayOf(t)
		if r[0] == "stock" {
			if e.stocks.Before(day.AddDays(1)) {
				e.stocks = day.AddDays(1)
			}
			continue
		}
		if e.through.Before(day) {
			e.through = day
		}
		for _, b := range businessTables {
			if b.name == r[0] && b.daily && daily.Before(day) {
				daily = day
			}
		}
	}
	if e.mixed = len(named) > 1 || named[several]; len(named) == 1 && !e.mixed {
		e.house = slices.Collect(maps.Keys(named))[0]
	}
	last := e.span.To.AddDays(-1)
	if !e.through.IsZero() && (!last.Before(today) || !daily.IsZero() && daily.Before(last.AddDays(1-monthsEnd))) {
		e.partial = last.Month()
	}
	return nil
}
