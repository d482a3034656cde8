package govern

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// bundleRows are the rows of one table that are about a person.
type bundleRows struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

// Bundle writes everything that is stored about a person as a zip of JSON and CSV files:
// rows of all kept snapshots with their private columns, texts and files that name the
// person, audit entries, and what the accounts hold. It is recorded who took it.
func (s *Service) Bundle(ctx context.Context, scope tenant.Scope, id string, w io.Writer) error {
	if err := scope.Whole("requests of persons"); err != nil {
		return err
	}
	r, err := s.request(ctx, scope, id)
	if err != nil {
		return err
	}
	p, err := s.Person(ctx, scope, r.Person)
	if err != nil {
		return err
	}
	sp := &spelling{}
	if r.terms != "" { // further spellings
		if sp, err = spellingOf(r.terms); err != nil {
			return err
		}
	}
	if sp, err = newSpelling(p.Names, p.Emails, sp.Also); err != nil {
		return err
	}
	tables, err := s.rowsAbout(ctx, scope, p, sp)
	if err != nil {
		return err
	}
	texts, entries, err := s.textsAbout(ctx, scope, p, sp)
	if err != nil {
		return err
	}
	files, err := s.uploadsWith(ctx, scope, sp)
	if err != nil {
		return err
	}
	accounts, err := s.opt.Accounts.CopyOf(ctx, scope, p.Emails)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	write := func(name string, fill func(io.Writer) error) {
		if err != nil {
			return
		}
		var f io.Writer
		if f, err = z.Create(name); err == nil {
			err = fill(f)
		}
	}
	asJSON := func(v any) func(io.Writer) error {
		return func(f io.Writer) error {
			e := json.NewEncoder(f)
			e.SetIndent("", "  ")
			return e.Encode(v)
		}
	}
	write("person.json", asJSON(p))
	write("data.json", asJSON(tables))
	for _, t := range tables {
		write("tables/"+t.Table+".csv", t.csv)
	}
	write("texts.json", asJSON(texts))
	write("files.json", asJSON(files))
	write("audit.json", asJSON(entries))
	write("accounts.json", asJSON(accounts))
	if err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		return s.append(ctx, scope, tx, "person.export", "request", id, 0, map[string]any{"person": p.Key, "tables": len(tables)})
	})
}

func (t bundleRows) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(t.Columns); err != nil {
		return err
	}
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			if v != nil {
				cells[i] = dataset.InertCell(fmt.Sprint(v))
			}
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// rowsAbout are the rows that bear the person's key or name the person, each version once.
func (s *Service) rowsAbout(ctx context.Context, scope tenant.Scope, p Person, sp *spelling) ([]bundleRows, error) {
	session, err := s.w.NewSession(ctx, scope)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	if err := session.ViewEver(ctx, "ever"); err != nil {
		return nil, err
	}
	edits, err := s.edits(p, sp)
	if err != nil {
		return nil, err
	}
	out := []bundleRows{}
	for _, t := range dataset.Tables() {
		conds := []string{"false"}
		if i := slices.IndexFunc(edits, func(e warehouse.Edit) bool { return e.Table == t.Name }); i >= 0 {
			conds = append(conds, edits[i].Rows)
		}
		base, private := strings.CutSuffix(t.Name, dataset.PrivateTable(""))
		d, known := dataset.Find(base)
		switch own := ""; {
		case t.Name == dataset.TablePeople:
			conds = append(conds, "r.person_key IN ("+p.keyList()+")")
		case known && !private:
			if own = p.own(d, "r"); own != "" {
				conds = append(conds, own)
			}
		case known:
			if own = p.own(d, "m"); own != "" {
				conds = append(conds, "r.row_id IN (SELECT m.row_id FROM ever."+base+" m WHERE "+own+")")
			}
		}
		names, columns := []string{}, []string{}
		for _, c := range t.Columns {
			names = append(names, c.Name)
			columns = append(columns, "r."+warehouse.QuoteIdent(c.Name)+"::VARCHAR")
		}
		rows := bundleRows{Table: t.Name, Columns: names, Rows: [][]any{}}
		err := session.Each(ctx, "SELECT DISTINCT "+strings.Join(columns, ", ")+" FROM ever."+t.Name+" r WHERE ("+strings.Join(conds, ") OR (")+") ORDER BY ALL", func(row []any) error {
			rows.Rows = append(rows.Rows, row)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(rows.Rows) > 0 {
			out = append(out, rows)
		}
	}
	return out, nil
}

// namedText is a text of the control database that names a person.
type namedText struct {
	Table string `json:"table"`
	Field string `json:"field"`
	Text  string `json:"text"`
}

func (s *Service) textsAbout(ctx context.Context, scope tenant.Scope, p Person, sp *spelling) ([]namedText, []audit.Entry, error) {
	texts, entries := []namedText{}, []audit.Entry{}
	about := func(text string) bool {
		_, hit := sp.clean(text)
		return hit || slices.ContainsFunc(slices.Concat(p.Keys, p.Users), func(k string) bool { return strings.Contains(text, k) })
	}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		texts, entries = texts[:0], entries[:0]
		for _, t := range controlTables {
			if t.own || t.name == "audit_event" {
				continue
			}
			err := s.eachCell(ctx, tx, scope, t, func(row []cell) error {
				for _, c := range row {
					if about(c.text) {
						texts = append(texts, namedText{c.table, c.column.name, c.text})
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		for after := int64(0); ; {
			page, err := s.log.List(ctx, scope, tx, after, 1000)
			if err != nil {
				return err
			}
			for _, e := range page {
				if about(string(e.Actor)) || about(e.Subject.ID) || about(string(e.Detail)) {
					entries = append(entries, e)
				}
				after = e.Seq
			}
			if len(page) < 1000 {
				return nil
			}
		}
	})
	return texts, entries, err
}
