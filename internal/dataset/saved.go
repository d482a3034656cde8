package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// SavedMapping is what a person said of a file, kept for the next ones of its source with
// the same headers.
type SavedMapping struct {
	ID           string       `json:"id"` // of source and headers
	SourceSystem string       `json:"source_system"`
	Dataset      string       `json:"dataset"`
	Headers      []string     `json:"headers"`
	Mapping      Mapping      `json:"mapping"`
	ImportID     int64        `json:"import_id"` // the import that it came with
	SavedAt      time.Time    `json:"saved_at"`
	SavedBy      tenant.Actor `json:"saved_by"`
}

// mappingID names the mapping of a source's files with these headers: their fingerprint.
func mappingID(source string, headers []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x1f", source)
	for _, cell := range headers {
		fmt.Fprintf(h, "%s\x1f", normalizeHeader(cell).full)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// kept is the part of a mapping that is about the form of a file, not about one file.
func (m Mapping) kept() Mapping {
	o := m.Options
	m.Corrections = slices.DeleteFunc(slices.Clone(m.Corrections), func(c Correction) bool { return !c.Rule })
	m.Options = MappingOptions{DateOrder: o.DateOrder, DecimalMark: o.DecimalMark, TaxBasis: o.TaxBasis, Duplicates: o.Duplicates}
	return m
}

// says reports whether a mapping says anything of how a file's columns are read.
func (m Mapping) says() bool {
	return m.kept().Options != (MappingOptions{}) || len(m.Columns)+len(m.Constants)+len(m.Units)+len(m.Corrections) > 0
}

// savedFor finds the saved mapping of a file's headers, nil when there is none, when the
// user gave a mapping, or when it is for another dataset than the one wanted.
func savedFor(saved []SavedMapping, headers []string, m Mapping) *SavedMapping {
	if m.says() {
		return nil
	}
	headers, _ = ownHeaders(headers)
	id := mappingID(m.Options.SourceSystem, headers)
	for _, x := range saved {
		if x.ID != id || m.Dataset != "" && m.Dataset != x.Dataset {
			continue
		}
		d, ok := Find(x.Dataset)
		for source, field := range x.Mapping.Columns {
			_, known := d.Field(field)
			ok = ok && columnOf(headers, source) >= 0 && (field == "" || known)
		}
		if ok && x.Mapping.check() == nil {
			return &x
		}
	}
	return nil
}

// useSaved takes the saved mapping of the file's headers, if there is one.
func (l *load) useSaved(saved []SavedMapping) {
	x := savedFor(saved, l.t.Layout.Header, l.m)
	if x == nil {
		return
	}
	l.saved = x
	l.m.Columns, l.m.Constants, l.m.Units, l.m.Corrections = x.Mapping.Columns, x.Mapping.Constants, x.Mapping.Units, x.Mapping.Corrections
	o := x.Mapping.Options
	l.m.Options.DateOrder, l.m.Options.DecimalMark, l.m.Options.TaxBasis, l.m.Options.Duplicates = o.DateOrder, o.DecimalMark, o.TaxBasis, o.Duplicates
	l.told = l.m
	l.noticed = append(l.noticed, Finding{Code: "saved_mapping", Severity: Info, Count: 1,
		Message:    fmt.Sprintf("files with these headers were mapped before: the saved mapping %s was used (%s)", x.ID, x.Mapping.Words()),
		Suggestion: "if it does not fit any more, give another one or forget it"})
}

// Words tells in short what a mapping says.
func (m Mapping) Words() string {
	var parts []string
	for _, c := range slices.Sorted(maps.Keys(m.Columns)) {
		if field := m.Columns[c]; field == "" {
			parts = append(parts, fmt.Sprintf("%s is left out", c))
		} else {
			parts = append(parts, fmt.Sprintf("%s is %s", c, field))
		}
	}
	for _, f := range slices.Sorted(maps.Keys(m.Constants)) {
		parts = append(parts, fmt.Sprintf("%s is %s in all rows", f, m.Constants[f]))
	}
	for _, c := range slices.Sorted(maps.Keys(m.Units)) {
		parts = append(parts, fmt.Sprintf("%s is in %s", c, m.Units[c]))
	}
	for _, o := range [][2]string{{"dates are ", m.Options.DateOrder}, {"the decimal mark is ", m.Options.DecimalMark}, {"totals are ", m.Options.TaxBasis}, {"duplicates: ", m.Options.Duplicates}} {
		if o[1] != "" {
			parts = append(parts, o[0]+o[1])
		}
	}
	if n := len(m.Corrections); n > 0 {
		parts = append(parts, plural(int64(n), "correction", "corrections"))
	}
	if len(parts) > 6 {
		parts = append(parts[:6], "…")
	}
	return strings.Join(parts, ", ")
}

// keepMapping keeps, within an import's transaction, the mapping that was given with it.
func (s *Service) keepMapping(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, l *load, tenantID int64, at warehouse.Snapshot) error {
	if l.saved != nil || !l.told.kept().says() {
		return nil
	}
	m := l.told.kept()
	m.Dataset = l.d.Name
	headers, err := json.Marshal(l.t.Layout.Header)
	if err != nil {
		return fmt.Errorf("saved mapping: %w", err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("saved mapping: %w", err)
	}
	id := mappingID(l.source, l.t.Layout.Header)
	if _, err := tx.Exec(ctx, queries.Get("keep_mapping"), tenantID, id, l.source, l.d.Name, metadb.Text(string(headers)), metadb.Text(string(text)), l.importID, metadb.Now(s.now()), string(scope.Actor)); err != nil {
		return fmt.Errorf("saved mapping: %w", err)
	}
	_, err = s.log.Append(ctx, scope, tx, audit.Event{Action: "mapping.save", Subject: audit.Subject{Kind: "mapping", ID: id}, Snapshot: int64(at), Detail: map[string]any{"dataset": l.d.Name, "source_system": l.source, "import_id": l.importID}})
	return err
}

// savedOf lists the mappings that are kept for a source.
func (s *Service) savedOf(ctx context.Context, scope tenant.Scope, source string) ([]SavedMapping, error) {
	list, err := s.Mappings(ctx, scope)
	return slices.DeleteFunc(list, func(m SavedMapping) bool { return m.SourceSystem != source }), err
}

// Mappings lists the tenant's saved mappings by source and dataset.
func (s *Service) Mappings(ctx context.Context, scope tenant.Scope) ([]SavedMapping, error) {
	if err := scope.Whole("mappings of imports"); err != nil {
		return nil, err
	}
	if err := scope.Check(); err != nil {
		return nil, err
	}
	out := []SavedMapping{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_mappings"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m SavedMapping
			var headers, mapping, at, by string
			if err := rows.Scan(&m.ID, &m.SourceSystem, &m.Dataset, &headers, &mapping, &m.ImportID, &at, &by); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(headers), &m.Headers); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(mapping), &m.Mapping); err != nil {
				return err
			}
			if m.SavedAt, err = metadb.ParseTime(at); err != nil {
				return err
			}
			m.SavedBy = tenant.Actor(by)
			out = append(out, m)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("saved mappings: %w", err)
	}
	return out, nil
}

// SavedMapping returns one saved mapping, a NotFound fault when the tenant has none of that id.
func (s *Service) SavedMapping(ctx context.Context, scope tenant.Scope, id string) (SavedMapping, error) {
	if err := scope.Whole("mappings of imports"); err != nil {
		return SavedMapping{}, err
	}
	list, err := s.Mappings(ctx, scope)
	if err != nil {
		return SavedMapping{}, err
	}
	if i := slices.IndexFunc(list, func(m SavedMapping) bool { return m.ID == id }); i >= 0 {
		return list[i], nil
	}
	return SavedMapping{}, fault.Newf(fault.NotFound, "there is no saved mapping %q", id)
}

// ForgetMapping drops a saved mapping; what was imported with it stays as it is.
func (s *Service) ForgetMapping(ctx context.Context, scope tenant.Scope, id string) error {
	if err := scope.Whole("mappings of imports"); err != nil {
		return err
	}
	m, err := s.SavedMapping(ctx, scope, id)
	if err != nil {
		return err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("delete_mapping"), string(scope.Tenant), id); err != nil {
			return err
		}
		_, err := s.log.Append(ctx, scope, tx, audit.Event{Action: "mapping.forget", Subject: audit.Subject{Kind: "mapping", ID: id}, Detail: map[string]any{"dataset": m.Dataset, "source_system": m.SourceSystem}})
		return err
	})
	if err != nil {
		return fmt.Errorf("saved mapping %s: %w", id, err)
	}
	return nil
}

// YAML is the mapping as a mapping file. The library does not write every text so that it
// reads the same again (a lone line break, say); a mapping with such a one is written as
// JSON, which is YAML, too.
func (m Mapping) YAML() ([]byte, error) {
	text, err := yaml.Marshal(m)
	if err != nil {
		return nil, err
	}
	if again, err := ParseMapping(text); err != nil || !reflect.DeepEqual(m, again) {
		return json.MarshalIndent(m, "", "  ")
	}
	return text, nil
}

// RecognizedMapping is what an import took each column for, as a mapping to edit and give
// back. Columns that no field takes are not in it: they are kept as attributes.
func (r ImportResult) RecognizedMapping() Mapping {
	m := Mapping{Dataset: r.Dataset, Columns: map[string]string{}}
	twice := map[string]int{}
	for _, c := range r.Columns {
		if c.Field != nil {
			twice[*c.Field]++
		}
	}
	for _, c := range r.Columns {
		if c.Field != nil && twice[*c.Field] == 1 && c.Source != "" {
			m.Columns[c.Source] = *c.Field
		}
	}
	if o := r.Dialect.DateOrder; o == "dmy" || o == "mdy" {
		m.Options.DateOrder = o
	}
	if r.Dialect.DecimalMark == "," {
		m.Options.DecimalMark = ","
	}
	return m
}
