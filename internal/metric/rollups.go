package metric

import (
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Field ids of the roll-ups' columns: stable, and never used again for another column.
// Sums are numbered in the order of the catalog.
const (
	monthID, currencyID = 1, 2
	firstSumID          = 30
)

var keyIDs = map[string]int{"client_key": 10, "staff_key": 11, "agreement_id": 12, "work_type": 13, "billable": 14, "revenue_category": 15}

// Rollups declares the stored sums; the warehouse rebuilds them in the commit of their
// source. It panics like New when the catalog contradicts itself.
func Rollups() []warehouse.Rollup {
	facts, err := loadFacts(catalogFiles)
	if err != nil {
		panic(err)
	}
	var out []warehouse.Rollup
	for _, f := range facts {
		for _, r := range f.Rollups {
			out = append(out, f.rollup(r))
		}
	}
	return out
}

func (f *fact) rollup(r rollup) warehouse.Rollup {
	t := warehouse.Table{Name: r.Table, Month: "month", Columns: []warehouse.Column{{ID: monthID, Name: "month", Type: "DATE"}, {ID: currencyID, Name: "currency", Type: "VARCHAR"}}}
	selects := []string{"month", "currency"}
	for _, k := range r.Keys {
		kind := warehouse.Type("VARCHAR")
		if k == "billable" {
			kind = "BOOLEAN"
		}
		t.Columns = append(t.Columns, warehouse.Column{ID: keyIDs[k], Name: k, Type: kind})
		selects = append(selects, k)
	}
	groups := strings.Join(selects, ", ")
	for i, c := range f.Columns {
		t.Columns = append(t.Columns, warehouse.Column{ID: firstSumID + i, Name: c.Name, Type: c.Type})
		selects = append(selects, "sum("+c.Name+")::"+string(c.Type)+" AS "+c.Name)
	}
	var ctes []string
	for _, name := range withNeeds(f.view.with, nil) {
		ctes = append(ctes, name+" AS ("+helpers[name].sql+")")
	}
	return warehouse.Rollup{Table: t, Source: f.Tables[0], Joins: f.Tables[1:],
		SQL: withText(ctes, "SELECT "+strings.Join(selects, ", ")+" FROM (SELECT *, "+startOf("month", "day")+" AS month FROM ("+f.view.sql+")) GROUP BY "+groups)}
}

// withNeeds appends to done the named helpers after those that they read.
func withNeeds(names, done []string) []string {
	for _, n := range names {
		done = union(withNeeds(helpers[n].needs, done), []string{n})
	}
	return done
}
