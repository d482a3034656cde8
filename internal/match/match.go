// Package match says which known entity a name of an import means: the same one for certain,
// perhaps one that a person must choose, or a new one. Clients come first; staff and products
// use the same core.
//
// It owns the folding of names ([Normalize]), the likeness of two names ([Corpus.Compare]) and
// the decision for a whole import ([Match]). It is pure: no database, no clock, and the same
// input in any order gives the same answer. It does not own what becomes of a decision: storing
// it, asking a person, joining or parting entities.
//
// Nouns: an [Entity] is known and has names and keys; a [Name] is new; a [Ruling] is what a person
// decided and overrides all else; a [Decision] is the answer. docs/matching.md has the formulas,
// the sources and the measured error.
package match

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Entity is somebody or something already known.
type Entity struct {
	ID string
	// Names are the names that people or a leading system gave it, the preferred one first.
	Names []string
	// Learned are names that an earlier automatic decision linked to it. They find it again, but
	// no chain is built on them alone: see [Match].
	Learned []string
	Keys    []Key
}

// Name is a name in an import, one for each record of the source that bears it.
type Name struct {
	// ID names the record within the import.
	ID   string
	Text string
	Keys []Key
	// Weight says how much hangs on the record: rows, or money. Among exact duplicates the
	// heaviest represents the others.
	Weight float64
}

// Key is a fact beside the name that helps to tell entities apart.
type Key struct {
	// Kind is one of the constants below, or the name of a numbering that gives one number to an
	// entity, such as "halo", "xero", "m365_tenant". Equal numbers settle the matter; two
	// different numbers of one kind keep names apart.
	Kind  KeyKind
	Value string
}

// KeyKind names a kind of [Key].
type KeyKind string

// The kinds that are more than a numbering. A tax number is a numbering.
const (
	KeyTaxID    KeyKind = "tax_id"
	KeyDomain   KeyKind = "domain"   // web or mail domain; free-mail hosts are ignored
	KeyEmail    KeyKind = "email"    // an address; its domain counts as KeyDomain too
	KeyPhone    KeyKind = "phone"    // digits count, the last nine of them
	KeyPostcode KeyKind = "postcode" // supports a match, never blocks one
	KeyCity     KeyKind = "city"     // supports a match; two different cities ask a person
)

// Ruling is a person's decision about a name as written; spelling of case, accents and
// punctuation does not matter. Of contradicting rulings the one that parts wins.
type Ruling struct {
	Name   string
	Entity string
	Same   bool // false: must never be linked
}

// Verdict is the kind of a [Decision].
type Verdict string

// The verdicts.
const (
	Same   Verdict = "same"   // automatic; Decision.Entity says with which entity
	Review Verdict = "review" // a person must choose among Decision.Candidates, or say new
	New    Verdict = "new"
)

// Decision is what becomes of one [Name].
type Decision struct {
	ID      string
	Verdict Verdict
	Entity  string // set when Verdict is Same
	// Score is that of the best candidate, 0 without one.
	Score float64
	// Evidence says in words why, the strongest first.
	Evidence []string
	// Candidates are the entities worth a look, best first; for New those below the threshold.
	Candidates []Candidate
	// DuplicateOf is the ID of the record of this import that bears the same name and keys and
	// represents this one; empty for the representative itself.
	DuplicateOf string
}

// Candidate is an entity that a name may mean.
type Candidate struct {
	Entity   string
	Name     string // the entity's name that came closest
	Score    float64
	Evidence []string
}

// Options tunes [Match]. The zero value is ready to use.
type Options struct {
	// Upper is the least score of an automatic match, in (Lower, 1]. Zero means 0.95.
	Upper float64
	// Lower is the least score that asks a person, in (0, Upper). Zero means 0.80.
	Lower float64
	// Lead is by how much an automatic match must beat the next entity, unless the name is
	// exactly one of the entity's names. Zero means 0.05.
	Lead float64
	// Candidates is the most candidates of one decision. Zero means 5.
	Candidates int
}

func (o Options) filled() Options {
	o.Upper, o.Lower, o.Lead = cmp.Or(o.Upper, 0.95), cmp.Or(o.Lower, 0.80), cmp.Or(o.Lead, 0.05)
	o.Candidates = cmp.Or(o.Candidates, 5)
	return o
}

// worthShowing is the least score of a candidate shown with a New decision.
const worthShowing = 0.5

// Match decides every name of one import from one source; decisions come in the order of names.
// Steps, after docs/matching.md: rulings, then keys, then equal names, then scored candidates;
// then one entity per name within the source, then the thresholds.
//
// An automatic match needs Upper, no conflict, the Lead, and likeness of at least Lower to every
// learned name of the entity and to one given name (complete link; Hastie, Tibshirani & Friedman,
// The Elements of Statistical Learning, 2nd ed., section 14.3.12), so that A~B~C never joins A and C.
// Two names of the source that are no exact duplicates are never both matched to one entity by
// likeness: the better one is, and the others ask a person.
func Match(known []Entity, names []Name, rulings []Ruling, o Options) []Decision {
	o = o.filled()
	batch := group(names)
	ix := newIndex(known, batch)
	m := &matcher{ix: ix, o: o, must: map[string][]string{}, cannot: map[string]map[string]bool{}}
	for _, r := range rulings {
		key := plain(r.Name)
		if r.Same {
			m.must[key] = append(m.must[key], r.Entity)
			continue
		}
		if m.cannot[key] == nil {
			m.cannot[key] = map[string]bool{}
		}
		m.cannot[key][r.Entity] = true
	}

	results := make([]outcome, len(batch))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(batch)) {
		wg.Go(func() {
			find := ix.finder()
			for i := next.Add(1) - 1; i < int64(len(batch)); i = next.Add(1) - 1 {
				results[i] = m.decide(batch[i], find)
			}
		})
	}
	wg.Wait()
	oneToOne(results)

	decisions := make([]Decision, len(names))
	for g, b := range batch {
		for _, i := range b.members {
			d := results[g].Decision
			d.Evidence = slices.Clone(d.Evidence)
			d.Candidates = slices.Clone(d.Candidates)
			d.ID = names[i].ID
			if i != b.members[0] {
				d.DuplicateOf = names[b.members[0]].ID
			}
			decisions[i] = d
		}
	}
	return decisions
}

// incoming is a name with its exact duplicates.
type incoming struct {
	name    *name
	plain   string
	keys    keys
	members []int // indexes into the names of the import, the representative first
}

// group gathers exact duplicates, in an order that does not depend on that of names.
func group(names []Name) []incoming {
	type id struct{ plain, keys string }
	groups := map[id][]int{}
	for i, n := range names {
		k := id{plain(n.Text), newKeys(n.Keys).String()}
		groups[k] = append(groups[k], i)
	}
	ids := slices.SortedFunc(maps.Keys(groups), func(a, b id) int {
		return cmp.Or(cmp.Compare(a.plain, b.plain), cmp.Compare(a.keys, b.keys))
	})
	batch := make([]incoming, len(ids))
	for g, k := range ids {
		members := groups[k]
		slices.SortFunc(members, func(a, b int) int {
			return cmp.Or(cmp.Compare(names[b].Weight, names[a].Weight),
				cmp.Compare(names[a].Text, names[b].Text), cmp.Compare(names[a].ID, names[b].ID))
		})
		first := names[members[0]]
		batch[g] = incoming{name: parse(first.Text), plain: k.plain, keys: newKeys(first.Keys), members: members}
	}
	return batch
}

type matcher struct {
	ix     *index
	o      Options
	must   map[string][]string        // by plain name
	cannot map[string]map[string]bool // by plain name
}

// outcome is a decision with what oneToOne needs.
type outcome struct {
	Decision
	settled bool // by a person or a numbering: free of the one-to-one rule
	plain   string
}

// decide decides one name as if it were alone in the import.
func (m *matcher) decide(in incoming, find *finder) outcome {
	out := outcome{Decision: Decision{Verdict: New}, plain: in.plain}
	forbidden := m.cannot[in.plain]
	ruled := slices.DeleteFunc(slices.Clone(m.must[in.plain]), func(e string) bool { return forbidden[e] })
	slices.Sort(ruled)
	if ruled = slices.Compact(ruled); len(ruled) == 1 {
		out.Verdict, out.Entity, out.Score, out.settled = Same, ruled[0], 1, true
		out.Evidence = []string{"a person decided so"}
		out.Candidates = []Candidate{{Entity: ruled[0], Name: m.ix.firstName(ruled[0]), Score: 1, Evidence: out.Evidence}}
		return out
	}

	scored := m.ix.candidates(in, find, forbidden, ruled)
	for i := range scored {
		if slices.Contains(ruled, m.ix.entities[scored[i].entity].ID) {
			scored[i].hard = true // people named several: let one decide
			scored[i].score = max(scored[i].score, m.o.Lower)
		}
	}
	rank := func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(m.ix.entities[a.entity].ID, m.ix.entities[b.entity].ID))
	}
	slices.SortFunc(scored, rank)
	for _, s := range scored {
		if len(out.Candidates) == m.o.Candidates || s.score < worthShowing {
			break
		}
		out.Candidates = append(out.Candidates, m.ix.explain(in, s))
	}
	if len(scored) == 0 {
		out.Evidence = []string{"no known name is like it"}
		return out
	}
	best := scored[0]
	out.Score = best.score
	if len(out.Candidates) > 0 {
		out.Evidence = out.Candidates[0].Evidence
	}
	switch {
	case best.score < m.o.Lower:
		out.Evidence = append([]string{"nothing known is like it enough"}, out.Evidence...)
		return out
	case best.score < m.o.Upper || best.hard:
		out.Verdict = Review
		return out
	}
	out.Verdict = Review
	if len(scored) > 1 && scored[1].score >= m.o.Lower {
		second := scored[1]
		switch {
		case best.identity && slices.ContainsFunc(scored[1:], func(h hit) bool { return h.claims }), second.exact && best.exact,
			!best.exact && !best.identity && best.score-second.score < m.o.Lead:
			out.Evidence = append([]string{"several known names fit about as well"}, out.Evidence...)
			return out
		}
	}
	if !best.identity && !m.ix.completeLink(in.name, best.entity, m.o.Lower) {
		out.Evidence = append([]string{"unlike other names of the same entity"}, out.Evidence...)
		return out
	}
	out.Verdict, out.Entity, out.settled = Same, m.ix.entities[best.entity].ID, best.identity
	return out
}

// oneToOne lets each entity be matched by likeness to one name of the source only: the one with the
// strictly best score. The others ask a person.
func oneToOne(results []outcome) {
	claims := map[string][]int{}
	for i, r := range results {
		if r.Verdict == Same {
			claims[r.Entity] = append(claims[r.Entity], i)
		}
	}
	for _, rivals := range claims {
		if len(rivals) < 2 {
			continue
		}
		best, winner, taken := 0.0, -1, false
		for _, i := range rivals {
			switch r := results[i]; {
			case r.settled:
				taken = true
			case r.Score > best:
				best, winner = r.Score, i
			case r.Score == best:
				winner = -1
			}
		}
		for _, i := range rivals {
			if r := &results[i]; !r.settled && (taken || i != winner) {
				r.Verdict, r.Entity = Review, ""
				r.Evidence = append([]string{"another name of this import fits the same entity"}, r.Evidence...)
			}
		}
	}
}

// completeLink reports whether n is like every learned name of the entity and one given name.
func (ix *index) completeLink(n *name, entity int, lower float64) bool {
	e := ix.entities[entity]
	if len(e.learned) == 0 {
		return true
	}
	for _, l := range e.learned {
		if ix.corpus.compare(n, l).score < lower {
			return false
		}
	}
	return len(e.given) == 0 || slices.ContainsFunc(e.given, func(g *name) bool {
		return ix.corpus.compare(n, g).score >= lower
	})
}

// keys are the folded keys of an entity or a name, by kind.
type keys map[KeyKind][]string

func newKeys(given []Key) keys {
	if len(given) == 0 {
		return nil
	}
	k := keys{}
	add := func(kind KeyKind, value string) {
		if value != "" && !slices.Contains(k[kind], value) {
			k[kind] = append(k[kind], value)
		}
	}
	for _, key := range given {
		v := strings.ToLower(strings.TrimSpace(key.Value))
		switch key.Kind {
		case KeyDomain:
			add(KeyDomain, domain(v))
		case KeyEmail:
			local, host, ok := strings.Cut(v, "@")
			if ok && local != "" {
				add(KeyEmail, v)
				add(KeyDomain, domain(host))
			}
		case KeyPhone:
			digits := strings.Map(func(r rune) rune {
				if r < '0' || r > '9' {
					return -1
				}
				return r
			}, v)
			if len(digits) >= 7 {
				add(KeyPhone, digits[max(0, len(digits)-9):])
			}
		case KeyCity:
			add(KeyCity, plain(v))
		default:
			add(key.Kind, strings.ReplaceAll(plain(v), " ", ""))
		}
	}
	for _, values := range k {
		slices.Sort(values)
	}
	return k
}

// String returns a canonical form for comparison.
func (k keys) String() string {
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(k)) {
		b.WriteString(string(kind) + "\x00" + strings.Join(k[kind], "\x01") + "\x02")
	}
	return b.String()
}

// numbering reports whether the kind gives one number to one entity.
func (kind KeyKind) numbering() bool {
	switch kind {
	case KeyDomain, KeyEmail, KeyPhone, KeyPostcode, KeyCity:
		return false
	}
	return true
}

// domain folds a web address or host name to its host without "www."; free mail gives "".
func domain(v string) string {
	if _, rest, ok := strings.Cut(v, "://"); ok {
		v = rest
	}
	v, _, _ = strings.Cut(v, "/")
	v, _, _ = strings.Cut(v, ":")
	v = strings.TrimPrefix(strings.TrimSuffix(v, "."), "www.")
	if !strings.Contains(v, ".") || tables().freeMail[v] {
		return ""
	}
	return v
}
