package govern

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Item is a field that holds personal data, or may.
type Item struct {
	Table string `json:"table"`
	Field string `json:"field"`
	What  string `json:"what"`
	Whose string `json:"whose"`
	Why   string `json:"why"`
	Where string `json:"where"` // "files" (Parquet, all kept snapshots), "control database", "uploads" or "reports"
	Kept  string `json:"kept"`
	Rows  int64  `json:"rows"` // stored now; 0 in the control database, which is not counted
	// Direct is set when the field names somebody; otherwise it is a pseudonym or free text.
	Direct bool `json:"direct"`
}

// Inventory lists every field that holds personal data, or may, as declared: a column that
// is added appears here. There is no telemetry: nothing of it leaves the installation.
func (s *Service) Inventory(ctx context.Context, scope tenant.Scope) ([]Item, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	tables, err := s.w.Tables(ctx, scope, 0)
	if err != nil {
		return nil, err
	}
	rows := map[string]int64{}
	for _, t := range tables {
		rows[t.Name] = t.Rows
	}
	rules, err := s.Rules(ctx, scope)
	if err != nil {
		return nil, err
	}
	kept := func(dataset string, what What) string {
		if r, ok := find(rules, dataset, what); ok {
			return r.Words()
		}
		return "as long as the row"
	}
	out := []Item{}
	add := func(table, field, what, whose, why, kept string, direct bool) {
		out = append(out, Item{Table: table, Field: field, What: what, Whose: whose, Why: why, Where: "files", Kept: kept, Rows: rows[table], Direct: direct})
	}
	const until = "until the person is erased"
	add(dataset.TablePeople, "name", "name", "staff and contacts", "so that figures can be shown under a name", until, true)
	add(dataset.TablePeople, "email", "e-mail address", "staff and contacts", "to recognize the same person in several sources", until, true)
	add(dataset.TablePeople, dataset.ColPerson, "pseudonym: a keyed hash of the name or address", "staff and contacts", "to add up what belongs to one person", "as long as a row bears it", false)
	for _, d := range dataset.Datasets() {
		for _, f := range d.Fields {
			switch {
			case f.Private:
				why, whose := "free text: kept apart from the amounts", anybody
				if d.Name == "clients" {
					why, whose = "whom to ask at the client", "contacts at clients"
				}
				k := kept(d.Name, Private)
				if d.Month == "" {
					k = until
				}
				add(dataset.PrivateTable(d.Name), f.Column, f.Help, whose, why, k, d.Name == "clients")
			case f.Column == dataset.ColStaff:
				add(d.Name, f.Column, "pseudonym of the staff member", "staff", "what each person works and costs", kept(d.Name, Rows), false)
			case f.Column == dataset.ColPerson:
				add(d.Name, f.Column, "pseudonym of the user or contact", "contacts at clients", "which seats are used", kept(d.Name, Rows), false)
			case slices.Contains(dataset.PlainPersonal[d.Name], f.Column):
				add(d.Name, f.Column, f.Help, "staff", "who answers for the client", "until replaced, or the person is erased", true)
			}
		}
		add(d.Name, dataset.ColAttributes, "columns of the source that no field takes, which may hold anything", anybody, "so that nothing of a file is lost", kept(d.Name, Rows), false)
	}
	out = append(out, Item{Table: "uploads", Field: "file", What: "files as they were sent", Whose: anybody, Why: "to look up and repeat an import", Where: "uploads", Kept: kept("", Uploads)})
	out = append(out, Item{Table: "reports", Field: "file", What: "reports as they were made", Whose: anybody, Why: "to fetch them again, and to prove what was sent", Where: "reports", Kept: kept("", ReportFiles)})
	for _, t := range controlTables {
		k := t.kept
		if t.name == "import_reject" {
			k = kept("", Rejects)
		}
		for _, c := range t.columns {
			out = append(out, Item{Table: t.name, Field: c.name, What: c.what, Whose: c.whose, Why: t.why, Where: "control database", Kept: k})
		}
	}
	return out, nil
}

// WriteInventory writes the inventory as CSV.
func WriteInventory(w io.Writer, items []Item) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"table", "field", "what", "whose", "why", "where", "kept", "rows", "names_somebody"}); err != nil {
		return err
	}
	for _, i := range items {
		if err := out.Write([]string{i.Table, i.Field, i.What, i.Whose, i.Why, i.Where, i.Kept, fmt.Sprint(i.Rows), fmt.Sprint(i.Direct)}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
