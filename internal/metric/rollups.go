package metric

import (
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Field ids of the roll-ups' columns: stable, and never used again for another column.
// Sums are numbered in the order of the catalog.
const (
	monthID, currencyID, weekPartID = 1, 2, 3
	firstSumID                      = 30
)

// weekPart is the day of a roll-up by week: the first day of what a week has in one month,
// so that weeks, months and all that is made of either can be added up from it.
const weekPart = "week_part"

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
	day := warehouse.Column{ID: monthID, Name: "month", Type: "DATE"}
	if r.Grain == "week" {
		day = warehouse.Column{ID: weekPartID, Name: weekPart, Type: "DATE"}
	}
	t := warehouse.Table{Name: r.Table, Month: day.Name, Columns: []warehouse.Column{day, {ID: currencyID, Name: "currency", Type: "VARCHAR"}}}
	for _, k := range r.Keys {
		kind := warehouse.Type("VARCHAR")
		if k == "billable" {
			kind = "BOOLEAN"
		}
		t.Columns = append(t.Columns, warehouse.Column{ID: keyIDs[k], Name: k, Type: kind})
	}
	keys := len(t.Columns)
	for i, c := range f.Columns {
		t.Columns = append(t.Columns, warehouse.Column{ID: firstSumID + i, Name: c.Name, Type: c.Type})
	}
	var ctes []string
	for _, name := range withNeeds(f.view.with, nil) {
		ctes = append(ctes, name+" AS ("+helpers[name].sql+")")
	}
	return warehouse.Rollup{Table: t, Keys: keys, Source: f.Tables[0], Joins: f.Tables[1:],
		Rows: withText(ctes, "SELECT *, "+startOf("month", "day")+" AS month, greatest("+startOf("week", "day")+", "+startOf("month", "day")+") AS "+weekPart+" FROM ("+f.view.sql+")")}
}

// withNeeds appends to done the named helpers after those that they read.
func withNeeds(names, done []string) []string {
	for _, n := range names {
		done = union(withNeeds(helpers[n].needs, done), []string{n})
	}
	return done
}
