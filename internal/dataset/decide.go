package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// The verdicts of a match proposal.
const (
	VerdictSame      = "same"      // the name means Choice
	VerdictDifferent = "different" // it means none of the candidates: not asked again about them
	VerdictCreate    = "create"    // as different, and a client of its own from now on
)

// sourceReview is the source system of rows that come from decisions.
const sourceReview = "moatmetrics"

// DecideMatch carries out a person's decision on a match proposal: the name's past and
// coming rows count for what it means. It is one snapshot, and undone by UndoMatch.
func (s *Service) DecideMatch(ctx context.Context, scope tenant.Scope, id string, d review.Decision) (review.Proposal, error) {
	if err := scope.AllRows("matches of names"); err != nil {
		return review.Proposal{}, err
	}
	p, err := s.reviews.Check(ctx, scope, id, d)
	if err != nil {
		return p, err
	}
	if err := isMatch(p); err != nil {
		return p, err
	}
	e, err := matchEvidence(p)
	if err != nil {
		return p, err
	}
	if d, err = CompleteMatch(p, d); err != nil {
		return p, err
	}
	var c aliasChange
	switch d.Verdict {
	case VerdictSame:
		c.set = []aliasRow{{kind: e.Kind, key: e.Key, canonical: d.Choice, how: howPerson, score: 1}}
	case VerdictDifferent, VerdictCreate:
		for _, x := range e.Candidates {
			c.set = append(c.set, aliasRow{kind: apart(e.Kind), key: e.Key, canonical: x.Entity, how: howPerson, score: 1})
		}
		if d.Verdict == VerdictCreate && e.Kind == KindClient {
			c.client = e.Key
		}
	}
	err = s.changeAliases(ctx, scope, c, "Decision on "+p.Subject, func(ctx context.Context, tx *metadb.Tx, out warehouse.Outcome) error {
		return s.reviews.Decide(ctx, scope, tx, id, d, int64(out.Snapshot))
	})
	if err != nil {
		return p, err
	}
	return s.Match(ctx, scope, id)
}

// CompleteMatch returns a decision on a match proposal with the only candidate chosen where
// there is no other, or says what is missing.
func CompleteMatch(p review.Proposal, d review.Decision) (review.Decision, error) {
	e, err := matchEvidence(p)
	if err != nil {
		return d, err
	}
	switch d.Verdict {
	case VerdictSame:
		if d.Choice == "" && len(e.Candidates) == 1 {
			d.Choice = e.Candidates[0].Entity
		}
		if d.Choice == "" {
			return d, fault.WithFields("say which of them it is", fault.Field{Path: "choice", Message: "is missing", Allowed: candidates(e)})
		}
	case VerdictDifferent, VerdictCreate:
		if d.Choice = ""; len(e.Candidates) == 0 {
			return d, fault.Newf(fault.Conflict, "there is no candidate left to tell it from: import again to ask anew")
		}
	default:
		return d, fault.WithFields(fmt.Sprintf("%q is not a verdict", d.Verdict), fault.Field{Path: "verdict", Message: "unknown", Allowed: []string{VerdictSame, VerdictDifferent, VerdictCreate}})
	}
	return d, nil
}

// builtOn refuses to undo a decision that a later one rests on: one that chose its name.
func (s *Service) builtOn(ctx context.Context, scope tenant.Scope, p review.Proposal) error {
	later, err := s.reviews.List(ctx, scope, review.Decided, p.Kind, 10_000, 0)
	if err != nil {
		return err
	}
	for _, o := range later {
		if o.Decision.Verdict == VerdictSame && o.Decision.Choice == p.Subject && o.Decision.At.After(p.Decision.At) {
			return fault.Newf(fault.Conflict, "a later decision took another name for this one (proposal %s, by %s): undo that one first", o.ID, o.Decision.By)
		}
	}
	return nil
}

// MatchRows returns how many stored rows bear a name, in all tables.
func (s *Service) MatchRows(ctx context.Context, scope tenant.Scope, kind, key string) (int64, error) {
	column := map[string]string{KindClient: ColClient, KindStaff: ColStaff, KindProduct: "product_name"}[kind]
	if err := errors.Join(scope.AllRows("matches of names"), checkKind(kind)); err != nil {
		return 0, err
	}
	session, err := s.w.NewSession(ctx, scope.Own()) // a number of rows
	if err != nil {
		return 0, err
	}
	defer session.Close()
	var parts []string
	for _, t := range Tables() {
		if t.Name != TableAliases && slices.ContainsFunc(t.Columns, func(c warehouse.Column) bool { return c.Name == column }) {
			parts = append(parts, fmt.Sprintf("SELECT count(*) AS n FROM now.%s WHERE %s = %s", warehouse.QuoteIdent(t.Name), column, q(key)))
		}
	}
	rows, err := session.Query(ctx, "SELECT sum(n)::BIGINT FROM ("+strings.Join(parts, " UNION ALL ")+")")
	if err != nil {
		return 0, err
	}
	n, _ := rows.Rows[0][0].(int64)
	return n, nil
}

// UndoMatch takes a decision back: what it linked or parted is as before, and the question
// is open again.
func (s *Service) UndoMatch(ctx context.Context, scope tenant.Scope, id string) (review.Proposal, error) {
	if err := scope.AllRows("matches of names"); err != nil {
		return review.Proposal{}, err
	}
	p, err := s.reviews.Get(ctx, scope, id)
	if err != nil {
		return p, err
	}
	if p.Status != review.Decided {
		return p, fault.Newf(fault.Conflict, "this is not decided: there is nothing to undo")
	}
	if err := isMatch(p); err != nil {
		return p, err
	}
	e, err := matchEvidence(p)
	if err != nil {
		return p, err
	}
	if err := s.builtOn(ctx, scope, p); err != nil {
		return p, err
	}
	c := aliasChange{unset: []aliasRow{{kind: e.Kind, key: e.Key, how: howPerson}, {kind: apart(e.Kind), key: e.Key, how: howPerson}}}
	if p.Decision.Verdict == VerdictCreate {
		c.uncreate = e.Key
	}
	err = s.changeAliases(ctx, scope, c, "Decision undone", func(ctx context.Context, tx *metadb.Tx, out warehouse.Outcome) error {
		return s.reviews.Reopen(ctx, scope, tx, id, int64(out.Snapshot))
	})
	if err != nil {
		return p, err
	}
	return s.Match(ctx, scope, id)
}

// isMatch refuses a proposal that is not about what a name means.
func isMatch(p review.Proposal) error {
	if p.Kind != MatchKind(KindClient) && p.Kind != MatchKind(KindStaff) && p.Kind != MatchKind(KindProduct) {
		return fault.Newf(fault.Conflict, "this is a question of kind %q, not one about a name: decide it there", p.Kind)
	}
	return nil
}

// Alias is what a source's key is taken for.
type Alias struct {
	Kind      string  `json:"kind"` // "client", "staff" or "product"
	Key       string  `json:"key"`
	Canonical string  `json:"canonical"`
	How       string  `json:"how"`   // "equal", "id", "match" or "person"
	Score     float64 `json:"score"` // 0 to 1
	ImportID  int64   `json:"import_id"`
	KeyName   string  `json:"key_name"` // what people call the key and what it means
	Name      string  `json:"name"`
}

// Aliases lists what keys of a kind are taken for.
func (s *Service) Aliases(ctx context.Context, scope tenant.Scope, kind string) ([]Alias, error) {
	if err := scope.Whole("aliases"); err != nil {
		return nil, err
	}
	if err := checkKind(kind); err != nil {
		return nil, err
	}
	out := []Alias{}
	session, err := s.w.NewSession(ctx, scope)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	called := func(key string) string {
		if kind != KindStaff {
			return key
		}
		return fmt.Sprintf("coalesce((SELECT coalesce(min(name), min(email)) FROM now.people p WHERE p.kind = 'staff' AND p.person_key = %[1]s), %[1]s)", key)
	}
	err = session.Each(ctx, fmt.Sprintf("SELECT key, canonical, coalesce(how, 'equal'), coalesce(score, 1)::DOUBLE, import_id, %s, %s FROM now.aliases a WHERE kind = %s AND key IS NOT NULL AND canonical IS NOT NULL ORDER BY 7, 6, 1", called("a.key"), called("a.canonical"), q(kind)), func(row []any) error {
		a := Alias{Kind: kind, Key: text(row[0]), Canonical: text(row[1]), How: text(row[2]), KeyName: text(row[5]), Name: text(row[6])}
		a.Score, _ = row[3].(float64)
		a.ImportID, _ = row[4].(int64)
		out = append(out, a)
		return nil
	})
	return out, err
}

func checkKind(kind string) error {
	if kinds := []string{KindClient, KindStaff, KindProduct}; !slices.Contains(kinds, kind) {
		return fault.WithFields(fmt.Sprintf("%q is no kind of name", kind), fault.Field{Path: "kind", Message: "unknown", Allowed: kinds})
	}
	return nil
}

// SetAlias says that a key means what canonical is called, for all of its rows. An open
// question about it is settled by that.
func (s *Service) SetAlias(ctx context.Context, scope tenant.Scope, kind, key, canonical string) error {
	if err := scope.Whole("aliases"); err != nil {
		return err
	}
	if err := checkKind(kind); err != nil {
		return err
	}
	if key == "" || canonical == "" || key == canonical {
		return fault.Newf(fault.Invalid, "name two different ones: the one that is another name, and the one that it means")
	}
	c := aliasChange{set: []aliasRow{{kind: kind, key: key, canonical: canonical, how: howPerson, score: 1}}}
	return s.changeAliases(ctx, scope, c, "Names joined", func(ctx context.Context, tx *metadb.Tx, out warehouse.Outcome) error {
		if err := s.reviews.Withdraw(ctx, scope, tx, MatchKind(kind), []string{key}); err != nil || !out.Changed {
			return err
		}
		return s.auditAlias(ctx, scope, tx, "alias.set", kind, key, out)
	})
}

// PartAlias takes an alias back and remembers that the two are different, so that no
// import links them again.
func (s *Service) PartAlias(ctx context.Context, scope tenant.Scope, kind, key string) error {
	if err := scope.Whole("aliases"); err != nil {
		return err
	}
	list, err := s.Aliases(ctx, scope, kind)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(a Alias) bool { return a.Key == key })
	if i < 0 {
		return fault.Newf(fault.NotFound, "%q is not taken for anything else", key)
	}
	c := aliasChange{
		set:   []aliasRow{{kind: apart(kind), key: key, canonical: list[i].Canonical, how: howPerson, score: 1}},
		unset: []aliasRow{{kind: kind, key: key}},
	}
	return s.changeAliases(ctx, scope, c, "Names parted", func(ctx context.Context, tx *metadb.Tx, out warehouse.Outcome) error {
		return s.auditAlias(ctx, scope, tx, "alias.part", kind, key, out)
	})
}

func (s *Service) auditAlias(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action, kind, key string, out warehouse.Outcome) error {
	_, err := s.log.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: kind, ID: key}, Snapshot: int64(out.Snapshot)})
	return err
}

// aliasChange is what a decision makes of the tables.
type aliasChange struct {
	set      []aliasRow
	unset    []aliasRow // by kind and key and, unless "", how
	client   string     // gets a row in clients
	uncreate string     // loses the one that a decision gave it
}

// changeAliases commits a change of aliases as one snapshot.
func (s *Service) changeAliases(ctx context.Context, scope tenant.Scope, c aliasChange, message string, within func(context.Context, *metadb.Tx, warehouse.Outcome) error) error {
	scope = scope.Own() // whoever may decide moves rows that they may not all see
	session, err := s.w.NewSession(ctx, scope)
	if err != nil {
		return err
	}
	defer session.Close()
	today, err := s.today(ctx, scope)
	if err != nil {
		return err
	}
	if c.set, err = followed(ctx, session, c.set); err != nil {
		return err
	}
	moved, err := movedAlong(ctx, session, c)
	if err != nil {
		return err
	}
	if err := session.Exec(ctx, "CREATE TEMP TABLE decided AS "+aliasSQL(append(c.set, moved...), sourceReview, 0)); err != nil {
		return err
	}
	defer session.Exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS decided")
	staged := []warehouse.Staged{{Table: TableAliases, Relation: "decided", Replace: unsetSQL(c.unset)}}
	if c.client != "" || c.uncreate != "" {
		d, _ := Find("clients")
		if err := session.Exec(ctx, "CREATE TEMP TABLE created AS "+createdClientSQL(d, c.client)); err != nil {
			return err
		}
		defer session.Exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS created")
		st := warehouse.Staged{Table: d.Name, Relation: "created"}
		if c.uncreate != "" {
			st.Replace = fmt.Sprintf("source_system = %s AND client_key = %s", q(sourceReview), q(c.uncreate))
		}
		staged = append(staged, st)
	}
	_, err = s.w.Commit(ctx, scope, warehouse.Change{Session: session, Staged: staged, Today: today, Kind: "decision", Message: message, Within: within})
	return err
}

// followed replaces what a key is to mean by what that means itself, so that no chain
// comes up; a circle is refused.
func followed(ctx context.Context, session *warehouse.Session, set []aliasRow) ([]aliasRow, error) {
	out := slices.Clone(set)
	for i, a := range out {
		if strings.HasSuffix(a.kind, "_apart") {
			continue
		}
		rows, err := session.Query(ctx, fmt.Sprintf("SELECT min(canonical) FROM now.aliases WHERE kind = %s AND key = %s", q(a.kind), q(a.canonical)))
		if err != nil {
			return nil, err
		}
		if to := text(rows.Rows[0][0]); to != "" {
			out[i].canonical = to
		}
		if out[i].canonical == a.key {
			return nil, fault.Newf(fault.Conflict, "%q is taken for %q already: part those two first", a.canonical, a.key)
		}
	}
	return out, nil
}

// movedAlong are the aliases of a key that now means something else itself, and those
// that come back when that is undone.
func movedAlong(ctx context.Context, session *warehouse.Session, c aliasChange) ([]aliasRow, error) {
	var out []aliasRow
	to := map[[2]string]string{}
	var keys []string
	for _, a := range c.set {
		if !strings.HasSuffix(a.kind, "_apart") {
			to[[2]string{a.kind, a.key}] = a.canonical
			keys = append(keys, q(a.key))
		}
	}
	if len(keys) > 0 {
		err := session.Each(ctx, fmt.Sprintf("SELECT kind, key, canonical, coalesce(how, 'equal'), coalesce(score, 1)::DOUBLE FROM now.aliases WHERE canonical IN (%s) ORDER BY kind, key", strings.Join(keys, ", ")), func(row []any) error {
			a := aliasRow{kind: text(row[0]), key: text(row[1]), how: text(row[3]), via: text(row[2])}
			a.score, _ = row[4].(float64)
			if a.canonical = to[[2]string{a.kind, a.via}]; a.canonical != "" {
				out = append(out, a)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, a := range c.unset {
		err := session.Each(ctx, fmt.Sprintf("SELECT key, coalesce(how, 'equal'), coalesce(score, 1)::DOUBLE FROM now.aliases WHERE kind = %s AND json_extract_string(attributes, '$.via') = %s ORDER BY key", q(a.kind), q(a.key)), func(row []any) error {
			score, _ := row[2].(float64)
			out = append(out, aliasRow{kind: a.kind, key: text(row[0]), canonical: a.key, how: text(row[1]), score: score})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func unsetSQL(rows []aliasRow) string {
	var parts []string
	for _, a := range rows {
		cond := fmt.Sprintf("kind = %s AND key = %s", q(a.kind), q(a.key))
		if a.how != "" {
			cond += " AND how = " + q(a.how)
		}
		parts = append(parts, "("+cond+")")
	}
	return strings.Join(parts, " OR ")
}

// createdClientSQL selects the row of clients that a decision creates; none for "".
func createdClientSQL(d Dataset, name string) string {
	t := d.Table()
	cols := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		value := "NULL"
		switch c.Name {
		case ColRowID:
			value = fmt.Sprintf("md5(concat_ws(chr(31), %s, %s, ''))", q(sourceReview), q(name))
		case ColSource:
			value = q(sourceReview)
		case ColSourceID, ColClient:
			value = q(name)
		case ColImport:
			value = "0"
		case "status":
			value = "'active'"
		}
		cols[i] = fmt.Sprintf("CAST(%s AS %s) AS %s", value, c.Type, warehouse.QuoteIdent(c.Name))
	}
	return fmt.Sprintf("SELECT %s WHERE %s <> ''", strings.Join(cols, ", "), q(name))
}

// Matches lists match proposals of a status, names of people filled in.
func (s *Service) Matches(ctx context.Context, scope tenant.Scope, status review.Status, kind string, limit int, skip int64) ([]review.Proposal, error) {
	if err := scope.AllRows("matches of names"); err != nil {
		return nil, err
	}
	list, err := s.reviews.List(ctx, scope, status, kind, limit, skip)
	if err != nil {
		return nil, err
	}
	return list, s.FillMatches(ctx, scope, list)
}

// Match returns one match proposal, names of people filled in.
func (s *Service) Match(ctx context.Context, scope tenant.Scope, id string) (review.Proposal, error) {
	if err := scope.AllRows("matches of names"); err != nil {
		return review.Proposal{}, err
	}
	p, err := s.reviews.Get(ctx, scope, id)
	if err != nil {
		return p, err
	}
	list := []review.Proposal{p}
	err = s.FillMatches(ctx, scope, list)
	return list[0], err
}

// FillMatches puts people's names into the evidence of proposals about staff.
func (s *Service) FillMatches(ctx context.Context, scope tenant.Scope, list []review.Proposal) error {
	if err := scope.AllRows("matches of names"); err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(p review.Proposal) bool { return p.Kind == MatchKind(KindStaff) }) {
		return nil
	}
	session, err := s.w.NewSession(ctx, scope.Own()) // nobody sees such a proposal who may not see names
	if err != nil {
		return err
	}
	defer session.Close()
	names := map[string]string{}
	if err := session.Each(ctx, "SELECT person_key, coalesce(min(name), min(email)) FROM now.people WHERE kind = 'staff' GROUP BY 1", func(row []any) error {
		names[text(row[0])] = text(row[1])
		return nil
	}); err != nil {
		return err
	}
	for i, p := range list {
		e, err := matchEvidence(p)
		if err != nil || e.Kind != KindStaff {
			continue
		}
		e.Name = names[e.Key]
		for j, c := range e.Candidates {
			e.Candidates[j].Name = names[c.Entity]
		}
		if list[i].Evidence, err = json.Marshal(e); err != nil {
			return err
		}
	}
	return nil
}

func matchEvidence(p review.Proposal) (MatchEvidence, error) {
	var e MatchEvidence
	if !strings.HasSuffix(p.Kind, "_match") {
		return e, fault.Newf(fault.Invalid, "proposal %s is not about a name", p.ID)
	}
	return e, json.Unmarshal(p.Evidence, &e)
}

func candidates(e MatchEvidence) []string {
	out := make([]string, len(e.Candidates))
	for i, c := range e.Candidates {
		out[i] = c.Entity
	}
	return out
}

// OpenReviews counts the open proposals by kind.
func (s *Service) OpenReviews(ctx context.Context, scope tenant.Scope) (map[string]int64, error) {
	if err := scope.Whole("open reviews"); err != nil {
		return nil, err
	}
	return s.reviews.Count(ctx, scope)
}
