package govern

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// edits are the changes of the stored tables and roll-ups.
func (s *Service) edits(p Person, sp *spelling) ([]warehouse.Edit, error) {
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("erasure: %w", err)
	}
	tables := dataset.Tables()
	for _, r := range metric.Rollups() {
		tables = append(tables, r.Table)
	}
	var out []warehouse.Edit
	for _, t := range tables {
		e := warehouse.Edit{Table: t.Name, Set: map[string]string{}}
		var rows []string
		switch base, private := strings.CutSuffix(t.Name, dataset.PrivateTable("")); {
		case t.Name == dataset.TablePeople:
			own := "r.person_key IN (" + p.keyList() + ")"
			for _, c := range []string{"name", "email"} {
				e.Set[c] = fmt.Sprintf("CASE WHEN NOT coalesce(%s, false) THEN r.%s END", own, c)
			}
			rows = append(rows, own+" AND (r.name IS NOT NULL OR r.email IS NOT NULL)")
		case t.Name == dataset.TableAliases: // clients, products and pseudonyms
		case private:
			rows = privateEdit(&e, base, t, p, sp)
		default:
			rows = plainEdit(&e, t, sp, hex.EncodeToString(nonce))
		}
		if len(rows) > 0 {
			e.Rows = "coalesce((" + strings.Join(rows, ") OR (") + "), false)"
			out = append(out, e)
		}
	}
	return out, nil
}

// privateEdit empties what the person wrote, and takes mentions out of other texts. A
// client's contact goes as a whole.
func privateEdit(e *warehouse.Edit, base string, t warehouse.Table, p Person, sp *spelling) []string {
	d, _ := dataset.Find(base)
	var gone []string
	if dataset.WrittenByStaff[base] {
		gone = append(gone, fmt.Sprintf("r.row_id IN (SELECT m.row_id FROM ever.%s m WHERE %s)", base, p.own(d, "m")))
	}
	var filled, columns []string
	for _, c := range d.Columns(true) {
		if c.Type != "VARCHAR" {
			continue
		}
		column := "r." + warehouse.QuoteIdent(c.Name)
		filled = append(filled, column+" IS NOT NULL")
		columns = append(columns, column)
		if base == "clients" {
			gone = append(gone, sp.matches(column, true))
		}
	}
	all := "coalesce((" + strings.Join(append(gone, "false"), ") OR (") + "), false)"
	for _, c := range t.Columns {
		column := "r." + warehouse.QuoteIdent(c.Name)
		if c.Type == "VARCHAR" && slices.ContainsFunc(d.Columns(true), func(o warehouse.Column) bool { return o.Name == c.Name }) {
			e.Set[c.Name] = fmt.Sprintf("CASE WHEN %s THEN NULL WHEN %s THEN %s ELSE %s END", all, sp.matches(column, true), sp.replaced(column, "'"+erased+"'"), column)
		}
	}
	source := sourceEdit(e, d, sp)
	columns = append(columns, source...)
	return []string{sp.matchesAny(columns, columns), all + " AND (" + strings.Join(filled, " OR ") + ")"}
}

// keptColumns are never changed: they identify clients and rows, or are pseudonyms already.
var keptColumns = []string{dataset.ColSource, dataset.ColSourceID, dataset.ColClient, dataset.ColStaff, dataset.ColPerson, "currency"}

// plainEdit takes mentions out of the text columns of a main table or a roll-up. The same
// text becomes the same mark everywhere, and different ones different marks, so that what is
// joined or added up by it stays so.
func plainEdit(e *warehouse.Edit, t warehouse.Table, sp *spelling, nonce string) []string {
	var columns, wholes []string
	d, _ := dataset.Find(t.Name)
	for _, c := range t.Columns {
		if c.Type != "VARCHAR" || slices.Contains(keptColumns, c.Name) {
			continue
		}
		column := "r." + warehouse.QuoteIdent(c.Name)
		whole := slices.Contains(dataset.PlainPersonal[t.Name], c.Name)
		hit := sp.matches(column, whole)
		if hit == "false" {
			continue
		}
		mark := fmt.Sprintf("'[erased-' || substr(md5('%s' || lower(%s)), 1, 6) || ']'", nonce, column)
		e.Set[c.Name] = fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", hit, sp.replaced(column, mark), column)
		columns = append(columns, column)
		if whole {
			wholes = append(wholes, column)
		}
	}
	source := sourceEdit(e, d, sp)
	columns, wholes = append(columns, source...), append(wholes, source...)
	if len(columns) == 0 {
		return nil
	}
	return []string{sp.matchesAny(columns, wholes)}
}

// sourceEdit changes a row's id in its source when it is an address or holds a name, and
// returns its column when it may.
func sourceEdit(e *warehouse.Edit, d dataset.Dataset, sp *spelling) []string {
	if d.Name == "" || slices.Contains(d.Natural, "client_name") && d.IDField == "" {
		return nil // a roll-up has none; others hold the client's name
	}
	column := "r." + dataset.ColSourceID
	hit := sp.matches(column, true)
	if hit == "false" {
		return nil
	}
	e.Set[dataset.ColSourceID] = fmt.Sprintf("CASE WHEN %s THEN 'erased-' || substr(md5(r.row_id::VARCHAR), 1, 12) ELSE %s END", hit, column)
	return []string{column}
}
