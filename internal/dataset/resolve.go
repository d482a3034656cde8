package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/match"
	"github.com/moatmetrics/moatmetrics/internal/review"
)

// Kinds of what a source's key may mean, as the aliases table has them.
const (
	KindClient  = "client"
	KindStaff   = "staff"
	KindProduct = "product"
)

// matchOptions are the thresholds of each kind (docs/matching.md). Names of products differ
// by a word that says everything, so only equal ones are linked without asking.
var matchOptions = map[string]match.Options{
	KindClient:  {},
	KindStaff:   {},
	KindProduct: {Upper: 0.985, Lower: 0.9},
}

// apart is the kind of the aliases that say what a key does not mean.
func apart(kind string) string { return kind + "_apart" }

// MatchKind is the kind of a proposal that asks what a name of that kind means.
func MatchKind(kind string) string { return kind + "_match" }

// How an alias came to be, as its column "how" says.
const (
	howEqual  = "equal"  // the same but for case, blanks, accents and punctuation
	howID     = "id"     // a number or an e-mail address that both have
	howMatch  = "match"  // likeness, above the threshold of an automatic match
	howPerson = "person" // somebody said so
)

// MatchEvidence is what a match proposal shows: a name of an import and what it may mean.
// People's names are not kept in it: Key and Entity are pseudonyms then, and the names are
// filled in when it is read.
type MatchEvidence struct {
	Kind       string           `json:"kind"` // "client", "staff" or "product"
	Key        string           `json:"key"`
	Name       string           `json:"name"`
	Source     string           `json:"source"`
	Dataset    string           `json:"dataset"`
	Rows       int64            `json:"rows"`
	Why        []string         `json:"why"`
	Candidates []MatchCandidate `json:"candidates"`
}

// MatchCandidate is one thing that a name may mean.
type MatchCandidate struct {
	Entity string   `json:"entity"`
	Name   string   `json:"name"`
	Score  float64  `json:"score"` // 0 to 1, see docs/matching.md
	Why    []string `json:"why"`
}

// aliasRow is a row of the aliases table.
type aliasRow struct {
	kind, key, canonical, how string
	score                     float64
	via                       string // the key whose merging moved this one, "" when none did
}

// resolved is what the names of a file turned out to mean.
type resolved struct {
	aliases   []aliasRow
	proposals []review.Proposal
}

// resolve decides which known clients, people and products the file's names mean. Names
// that are stored already were decided when they came, and are no question.
func (l *load) resolve(ctx context.Context, people string) error {
	for _, kind := range []string{KindClient, KindStaff, KindProduct} {
		names, err := l.newNames(ctx, kind, people)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			continue
		}
		known, rulings, err := l.entities(ctx, kind)
		if err != nil {
			return err
		}
		asked := map[string]bool{}
		for _, n := range names {
			asked[n.ID] = true
		}
		known = slices.DeleteFunc(known, func(e match.Entity) bool { return asked[e.ID] })
		if err := l.settle(kind, names, match.Match(known, names, rulings, matchOptions[kind])); err != nil {
			return err
		}
	}
	return nil
}

// newNames are the file's names of a kind that the tenant's data does not have, with the
// rows that bear them. A file of clients asks about the stored names as well that it may explain.
func (l *load) newNames(ctx context.Context, kind, people string) ([]match.Name, error) {
	settled := fmt.Sprintf("SELECT key FROM now.aliases WHERE kind = %s AND key IS NOT NULL", q(kind))
	sel := ""
	switch {
	case kind == KindClient && l.d.Name == "clients":
		sel = fmt.Sprintf(`SELECT client_key AS key, client_key AS name, 1 AS n, any_value(tax_id) AS tax_id, any_value(domain) AS domain FROM %[1]s
WHERE client_key IS NOT NULL AND client_key NOT IN (SELECT client_key FROM now.clients WHERE client_key IS NOT NULL) AND client_key NOT IN (%[2]s)
 AND EXISTS (SELECT 1 FROM now.clients WHERE source_system <> %[3]s) GROUP BY 1`, l.staged(), settled, q(l.source))
		if keys := storedClientKeys(); keys != "" {
			sel += fmt.Sprintf(` UNION ALL SELECT key, key, 1, NULL, NULL FROM (%[1]s) WHERE key NOT IN (SELECT client_key FROM now.clients WHERE client_key IS NOT NULL)
 AND key NOT IN (SELECT client_key FROM %[2]s WHERE client_key IS NOT NULL) AND key NOT IN (%[3]s)`, keys, l.staged(), settled)
		}
	case kind == KindClient:
		if _, ok := l.d.Field("client_name"); !ok {
			return nil, nil
		}
		fresh, err := l.create(ctx, "TABLE", "fresh_clients", fmt.Sprintf(`AS SELECT client_key AS key, count(*) AS n FROM %s
WHERE client_key IS NOT NULL AND client_key NOT IN (SELECT client_key FROM %s WHERE client_key IS NOT NULL) AND client_key NOT IN (%s) GROUP BY 1`, l.staged(), "now.clients", settled))
		if err != nil {
			return nil, err
		}
		sel = fmt.Sprintf("SELECT key, key AS name, n, NULL AS tax_id, NULL AS domain FROM %s WHERE key NOT IN (%s)", fresh, storedClientKeys())
		if rows, err := l.s.Query(ctx, "SELECT count(*) FROM "+fresh); err != nil || rows.Rows[0][0].(int64) == 0 {
			return nil, err
		}
	case kind == KindStaff:
		if k, _ := l.personInputs(); k != KindStaff || people == "" {
			return nil, nil
		}
		sel = fmt.Sprintf(`SELECT source_id AS key, coalesce(name, email) AS name, 1 AS n, NULL AS tax_id, email AS domain FROM %s
WHERE source_id NOT IN (SELECT person_key FROM now.people WHERE kind = 'staff' AND person_key IS NOT NULL) AND source_id NOT IN (%s) AND coalesce(name, email) IS NOT NULL AND EXISTS (SELECT 1 FROM now.people WHERE kind = 'staff')`, people, settled)
	case kind == KindProduct:
		if !slices.Contains(productTables, l.d.Name) {
			return nil, nil
		}
		sel = fmt.Sprintf("SELECT product_name AS key, product_name AS name, count(*) AS n, NULL AS tax_id, NULL AS domain FROM %s WHERE product_name IS NOT NULL AND product_name NOT IN (%s) AND product_name NOT IN (%s) GROUP BY 1",
			l.staged(), storedProducts(), settled)
	}
	var names []match.Name
	err := l.s.Each(ctx, sel+" ORDER BY key", func(row []any) error {
		n := match.Name{ID: row[0].(string), Text: text(row[1])}
		switch v := row[2].(type) {
		case int64:
			n.Weight = float64(v)
		case int32:
			n.Weight = float64(v)
		}
		if v := text(row[3]); v != "" {
			n.Keys = append(n.Keys, match.Key{Kind: match.KeyTaxID, Value: v})
		}
		if v := text(row[4]); v != "" {
			keyKind := match.KeyDomain
			if kind == KindStaff {
				keyKind = match.KeyEmail
			}
			n.Keys = append(n.Keys, match.Key{Kind: keyKind, Value: v})
		}
		names = append(names, n)
		return nil
	})
	return names, err
}

func text(v any) string { s, _ := v.(string); return s }

// productTables are the datasets whose product names are compared with each other.
var productTables = []string{"licenses", "agreement_additions", "license_assignments"}

func storedProducts() string {
	var parts []string
	for _, t := range productTables {
		parts = append(parts, "SELECT product_name FROM now."+t+" WHERE product_name IS NOT NULL")
	}
	return strings.Join(parts, " UNION ")
}

// entities are what is known of a kind, under the names that lead, and what people ruled.
func (l *load) entities(ctx context.Context, kind string) ([]match.Entity, []match.Ruling, error) {
	aliases := fmt.Sprintf("(SELECT key, min(canonical) AS canonical FROM now.aliases WHERE kind = %s AND key IS NOT NULL GROUP BY key)", q(kind))
	called := "x.key"
	var sel string
	switch kind {
	case KindClient:
		sel = fmt.Sprintf(`SELECT coalesce(a.canonical, c.client_key), c.client_key, '', c.source_system, c.client_id, c.tax_id, c.domain, c.attributes
FROM (SELECT DISTINCT client_key, source_system, client_id, tax_id, domain, attributes FROM %s WHERE client_key IS NOT NULL) c LEFT JOIN %s a ON a.key = c.client_key`, "now.clients", aliases)
		if l.d.Name == "clients" {
			sel += fmt.Sprintf(" UNION ALL SELECT client_key, client_key, '', %s, client_id, tax_id, domain, attributes FROM %s WHERE client_key IS NOT NULL AND client_key NOT IN (SELECT key FROM %s)", q(l.source), l.staged(), aliases)
		} else {
			sel += fmt.Sprintf(" UNION ALL SELECT key, key, '', NULL, NULL, NULL, NULL, NULL FROM (%s) WHERE key NOT IN (SELECT key FROM %s) AND NOT starts_with(key, 'id:')", storedClientKeys(), aliases)
		}
	case KindStaff:
		called = "(SELECT coalesce(min(name), min(email)) FROM now.people p WHERE p.kind = 'staff' AND p.person_key = x.key)"
		sel = fmt.Sprintf(`SELECT coalesce(a.canonical, p.person_key), coalesce(p.name, p.email), '', 'email', p.email, NULL, NULL, NULL
FROM (SELECT DISTINCT person_key, name, email FROM now.people WHERE kind = 'staff' AND person_key IS NOT NULL) p LEFT JOIN %s a ON a.key = p.person_key`, aliases)
	case KindProduct:
		sel = fmt.Sprintf("SELECT coalesce(a.canonical, p.product_name), p.product_name, '', NULL, NULL, NULL, NULL, NULL FROM (%s) p LEFT JOIN %s a ON a.key = p.product_name", storedProducts(), aliases)
	}
	sel += fmt.Sprintf(" UNION ALL SELECT canonical, %s, coalesce(how, ''), NULL, NULL, NULL, NULL, NULL FROM now.aliases x WHERE kind = %s AND canonical IS NOT NULL AND NOT starts_with(key, 'id:')", called, q(kind))
	byID := map[string]*match.Entity{}
	var order []string
	err := l.s.Each(ctx, sel+" ORDER BY 1, 2", func(row []any) error {
		id, name := text(row[0]), text(row[1])
		e := byID[id]
		if e == nil {
			e = &match.Entity{ID: id}
			byID[id] = e
			order = append(order, id)
		}
		switch {
		case name == "" || slices.Contains(e.Names, name):
		case text(row[2]) == howMatch:
			e.Learned = append(e.Learned, name)
		case name == id:
			e.Names = slices.Insert(e.Names, 0, name)
		default:
			e.Names = append(e.Names, name)
		}
		l.addKeys(e, row[3:])
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	entities := make([]match.Entity, len(order))
	for i, id := range order {
		entities[i] = *byID[id]
	}
	var rulings []match.Ruling
	err = l.s.Each(ctx, fmt.Sprintf("SELECT %s, canonical FROM now.aliases x WHERE kind = %s AND canonical IS NOT NULL", called, q(apart(kind))), func(row []any) error {
		rulings = append(rulings, match.Ruling{Name: text(row[0]), Entity: text(row[1])})
		return nil
	})
	return entities, rulings, err
}

// addKeys adds what beside its name identifies an entity: numbering and number, tax
// number, domain, and the numbers that another system's id columns give it. A number of the
// unnamed source "csv" may be any system's and says nothing.
func (l *load) addKeys(e *match.Entity, row []any) {
	add := func(kind match.KeyKind, v string) {
		if v != "" && kind != "" && kind != "csv" {
			e.Keys = append(e.Keys, match.Key{Kind: kind, Value: v})
		}
	}
	add(match.KeyKind(text(row[0])), text(row[1]))
	add(match.KeyTaxID, text(row[2]))
	add(match.KeyDomain, text(row[3]))
	var attributes map[string]any
	if l.source == "csv" || text(row[4]) == "" || json.Unmarshal([]byte(text(row[4])), &attributes) != nil {
		return
	}
	for name, v := range attributes { // "Xero ID", "xeroid", "Xero Contact ID" when the source is xero
		if n := compact(name); strings.HasPrefix(n, compact(l.source)) && strings.HasSuffix(n, "id") {
			add(match.KeyKind(l.source), fmt.Sprint(v))
		}
	}
}

// settle notes what the decisions lead to.
func (l *load) settle(kind string, names []match.Name, decisions []match.Decision) error {
	rows := map[string]int64{}
	for i, d := range decisions {
		if d.DuplicateOf != "" {
			rows[d.DuplicateOf] += int64(names[i].Weight)
		}
	}
	for i, d := range decisions {
		n := names[i]
		a := aliasRow{kind: kind, key: n.ID, canonical: d.Entity, how: howMatch, score: d.Score}
		switch {
		case d.Verdict == match.Same && d.Score > 0.985:
			a.how = howEqual
		case d.Verdict == match.Same && len(n.Keys) > 0 && d.Score < 0.95:
			a.how = howID
		case d.Verdict == match.Same:
		case d.DuplicateOf != "": // the same name, written in another way
			a.canonical, a.how, a.score = d.DuplicateOf, howEqual, 1
		case d.Verdict == match.Review:
			p, err := l.proposal(kind, n, d, rows[n.ID]+int64(n.Weight))
			if err != nil {
				return err
			}
			l.found.proposals = append(l.found.proposals, p)
			continue
		default:
			continue
		}
		if a.canonical != a.key {
			l.found.aliases = append(l.found.aliases, a)
		}
	}
	return nil
}

func (l *load) proposal(kind string, n match.Name, d match.Decision, rows int64) (review.Proposal, error) {
	e := MatchEvidence{Kind: kind, Key: n.ID, Name: n.Text, Source: l.source, Dataset: l.d.Name, Rows: rows, Why: d.Evidence}
	for _, c := range d.Candidates {
		e.Candidates = append(e.Candidates, MatchCandidate{Entity: c.Entity, Name: c.Name, Score: math.Round(c.Score*1000) / 1000, Why: c.Evidence})
	}
	label := n.ID
	if kind == KindStaff {
		label = ""
		e.Name, e.Why = "", nil // their words quote the names
		for i := range e.Candidates {
			e.Candidates[i].Name, e.Candidates[i].Why = "", nil
		}
	}
	body, err := json.Marshal(e)
	if err != nil {
		return review.Proposal{}, fmt.Errorf("match evidence of %q: %w", n.ID, err) // a score that is no number
	}
	return review.Proposal{Kind: MatchKind(kind), Subject: n.ID, Label: label, Evidence: body, Weight: rows, ImportID: l.importID}, nil
}

// aliases makes the relation of what the file's names mean, "" when nothing is new, and
// reports it.
func (l *load) aliases(ctx context.Context) (string, error) {
	people := ""
	if l.made(TablePeople) {
		people = l.name("people")
	}
	if err := l.clientsByID(ctx); err != nil {
		return "", err
	}
	if err := l.resolve(ctx, people); err != nil {
		return "", err
	}
	l.reportResolved()
	if len(l.found.aliases) == 0 {
		return "", nil
	}
	moved, err := movedAlong(ctx, l.s, aliasChange{set: l.found.aliases})
	if err != nil {
		return "", err
	}
	return l.create(ctx, "TABLE", "aliases", "AS "+aliasSQL(append(slices.Clone(l.found.aliases), moved...), l.source, l.importID))
}

// clientsByID resolves the keys "id:…" of files that name a client by its number only.
func (l *load) clientsByID(ctx context.Context) error {
	if _, ok := l.d.Field("client_name"); !ok {
		return nil
	}
	keys, known := fmt.Sprintf("SELECT DISTINCT client_key AS key FROM %s", l.staged()), "now.clients"
	if l.d.Name == "clients" {
		keys = storedClientKeys()
		known = fmt.Sprintf("(SELECT client_key, client_id FROM %s UNION SELECT client_key, client_id FROM %s)", known, l.staged())
	}
	return l.s.Each(ctx, fmt.Sprintf(`SELECT k.key, i.name FROM (%s) k JOIN (SELECT 'id:' || client_id AS key, min(client_key) AS name FROM %s WHERE client_id IS NOT NULL AND client_key IS NOT NULL GROUP BY 1 HAVING count(DISTINCT client_key) = 1) i ON i.key = k.key
WHERE starts_with(k.key, 'id:') AND k.key <> i.name AND k.key NOT IN (SELECT key FROM now.aliases WHERE kind = 'client' AND key IS NOT NULL) ORDER BY 1`, keys, known), func(row []any) error {
		l.found.aliases = append(l.found.aliases, aliasRow{kind: KindClient, key: text(row[0]), canonical: text(row[1]), how: howID, score: 1})
		return nil
	})
}

// reportResolved adds the findings about names that mean something known, or may.
func (l *load) reportResolved() {
	noun := map[string][2]string{KindClient: {"client name", "client names"}, KindStaff: {"staff member", "staff members"}, KindProduct: {"product name", "product names"}}
	for _, kind := range []string{KindClient, KindStaff, KindProduct} {
		one, many := noun[kind][0], noun[kind][1]
		linked := slices.DeleteFunc(slices.Clone(l.found.aliases), func(a aliasRow) bool { return a.kind != kind })
		if n := int64(len(linked)); n > 0 {
			f := Finding{Code: kind + "_alias", Severity: Info, Count: n, Message: plural(n, one+" was", many+" were") + " taken for a known one of another spelling"}
			if kind != KindStaff {
				f.Message += fmt.Sprintf(", such as %q for %q", linked[0].key, linked[0].canonical)
			}
			f.Suggestion = "part them under Matching if that is wrong"
			l.add(f)
		}
		open := slices.DeleteFunc(slices.Clone(l.found.proposals), func(p review.Proposal) bool { return p.Kind != MatchKind(kind) })
		if n := int64(len(open)); n > 0 {
			f := Finding{Code: kind + "_review", Severity: Warning, Count: n, Message: plural(n, one+" may mean", many+" may mean") + " a known one"}
			if kind != KindStaff {
				f.Message += fmt.Sprintf(", such as %q", open[0].Subject)
			}
			f.Message += "; until somebody decides they count as their own"
			f.Suggestion = "decide under Matching: same, different or new"
			l.add(f)
		}
	}
}

// aliasSQL selects rows of the aliases table in its order of columns.
func aliasSQL(rows []aliasRow, source string, importID int64) string {
	values := make([]string, len(rows))
	for i, a := range rows {
		via := "NULL"
		if a.via != "" {
			body, _ := json.Marshal(map[string]string{"via": a.via})
			via = q(string(body))
		}
		values[i] = fmt.Sprintf("(%s, %s, %s, %s, %s, %.6f)", q(a.kind), q(a.key), q(a.canonical), q(a.how), via, a.score)
	}
	if len(values) == 0 {
		values = []string{"(NULL, NULL, NULL, NULL, NULL, NULL)"}
	}
	// What a name does not mean may be said of several entities, so the entity is part of the key then.
	return fmt.Sprintf(`SELECT md5('aliases' || chr(31) || kind || chr(31) || id)::UUID AS row_id, %s AS source_system, id AS source_id, %d::BIGINT AS import_id, NULL::BIGINT AS record,
 via::VARCHAR AS attributes, kind, key, canonical, how, score::DECIMAL(9,6) AS score
FROM (SELECT *, CASE WHEN ends_with(kind, '_apart') THEN key || chr(31) || canonical ELSE key END AS id FROM (VALUES %s) v(kind, key, canonical, how, via, score) WHERE kind IS NOT NULL)`,
		q(source), importID, strings.Join(values, ", "))
}

// storedClientKeys selects the client keys that stored facts use.
func storedClientKeys() string {
	var parts []string
	for _, d := range datasets {
		if d.Name == "clients" {
			continue
		}
		if _, ok := d.Field("client_name"); ok {
			parts = append(parts, "SELECT DISTINCT client_key AS key FROM now."+d.Name+" WHERE client_key IS NOT NULL")
		}
	}
	return strings.Join(parts, " UNION ")
}
