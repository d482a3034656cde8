package govern

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// cell is one text of the control database.
type cell struct {
	table  string
	row    string // identifies it within the transaction
	id     string // of the row, when the cell is sealed
	column controlColumn
	text   string // in the clear
}

// id is the column that a sealed value is bound to, of a table that has one.
func (t controlTable) id() string {
	if slices.ContainsFunc(t.columns, func(c controlColumn) bool { return c.sealed != nil }) {
		return "CAST(id AS TEXT)"
	}
	return "''"
}

// rowName is how each engine names a row that need not have a key.
func rowName(e metadb.Engine) (column, param string) {
	if e == metadb.Postgres {
		return "ctid::text", "ctid = $1::tid"
	}
	return "CAST(rowid AS TEXT)", "rowid = CAST($1 AS INTEGER)"
}

// eachCell calls fn with every text of a tenant's rows of a table, row by row.
func (s *Service) eachCell(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, t controlTable, fn func(row []cell) error) error {
	id, _ := rowName(tx.Engine())
	columns := []string{id}
	for _, c := range t.columns {
		columns = append(columns, "coalesce("+c.name+", '')")
	}
	columns = append(columns, t.id())
	rows, err := tx.Query(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+t.name+" WHERE "+t.where, string(scope.Tenant))
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	defer rows.Close()
	for rows.Next() {
		texts, dest := make([]string, len(columns)), make([]any, len(columns))
		for i := range texts {
			dest[i] = &texts[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		row := make([]cell, len(t.columns))
		for i, c := range t.columns {
			row[i] = cell{table: t.name, row: texts[0], column: c, text: texts[i+1]}
			if c.sealed != nil {
				row[i].id = texts[len(texts)-1]
				if row[i].text, err = c.sealed.Open(ctx, s.opt.Box, row[i].text, string(scope.Tenant), row[i].id); err != nil {
					return fmt.Errorf("%s: %w", t.name, err)
				}
			}
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ControlHits counts the rows of a table of the control database that hold a person.
type ControlHits struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Kept  bool   `json:"kept"` // they stay as they are
	Why   string `json:"why"`  // they stay
}

// controlHits finds the rows that hold the person, the request's own left out.
func (s *Service) controlHits(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, sp *spelling) ([]ControlHits, error) {
	out := []ControlHits{}
	for _, t := range controlTables {
		if t.own || t.name == "person_request" {
			continue
		}
		h := ControlHits{Table: t.name, Kept: t.fixed != "", Why: t.fixed}
		err := s.eachCell(ctx, tx, scope, t, func(row []cell) error {
			if slices.ContainsFunc(row, func(c cell) bool { _, hit := sp.clean(c.text); return hit }) {
				h.Rows++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if h.Rows > 0 {
			out = append(out, h)
		}
	}
	return out, nil
}

// cleanControl takes the person out of the control database, in the caller's transaction.
// Tables that say why they are fixed stay as they are.
func (s *Service) cleanControl(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, sp *spelling) error {
	if _, err := tx.Exec(ctx, queries.Get("drop_answers"), string(scope.Tenant)); err != nil {
		return fmt.Errorf("kept answers: %w", err)
	}
	_, row := rowName(tx.Engine())
	for _, t := range controlTables {
		if t.own || t.fixed != "" || t.name == "person_request" {
			continue
		}
		var changed [][]cell
		err := s.eachCell(ctx, tx, scope, t, func(cells []cell) error {
			var hits []cell
			for _, c := range cells {
				if clean, hit := sp.clean(c.text); hit {
					if clean == "" {
						clean = "[erased " + strings.Trim(c.row, "()") + "]" // names may have to differ
					}
					c.text = clean
					hits = append(hits, c)
				}
			}
			if hits != nil {
				changed = append(changed, hits)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, cells := range changed {
			args := []any{cells[0].row}
			var sets []string
			for _, c := range cells {
				if c.column.sealed != nil {
					if c.text, err = c.column.sealed.Seal(ctx, s.opt.Box, c.text, string(scope.Tenant), c.id); err != nil {
						return fmt.Errorf("%s: %w", t.name, err)
					}
				}
				args = append(args, c.text)
				sets = append(sets, fmt.Sprintf("%s = $%d", c.column.name, len(args)))
			}
			if t.proof != "" {
				sets = append(sets, t.proof+" = ''")
			}
			if _, err := tx.Exec(ctx, "UPDATE "+t.name+" SET "+strings.Join(sets, ", ")+" WHERE "+row, args...); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	return nil
}
