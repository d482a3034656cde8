package match

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Limits of the search for candidates.
const (
	fullScores  = 20  // names scored in full for one new name
	mostTouched = 500 // names looked at for their words; a word that more have is used only when nothing rarer is
	sameKey     = 20  // words under one deletion key
	leastHeat   = 0.3 // cosine by shared words below which no score is worth showing
)

// index finds known names that may be like a new one.
type index struct {
	corpus   *Corpus
	entities []*entity // by ID
	byID     map[string]int
	names    []knownName
	exact    map[string][]int32           // view key -> names
	initials map[string][]int32           // initials -> names, and acronym -> names
	words    map[string]int32             // word -> its number
	spelled  []string                     // by word
	postings [][]int32                    // by word: names that hold it
	deletes  map[uint64][]int32           // -> words
	keys     map[KeyKind]map[string][]int // -> entities
}

type entity struct {
	Entity
	given, learned []*name
	keys           keys
}

type knownName struct {
	name   *name
	entity int
	words  []int32
	length float32 // root of the sum of squared weights
}

func newIndex(known []Entity, batch []incoming) *index {
	ix := &index{corpus: &Corpus{}, byID: map[string]int{}, exact: map[string][]int32{}, initials: map[string][]int32{},
		words: map[string]int32{}, deletes: map[uint64][]int32{}, keys: map[KeyKind]map[string][]int{}}
	known = slices.Clone(known)
	slices.SortFunc(known, func(a, b Entity) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), slices.Compare(a.Names, b.Names))
	})
	for i, k := range known {
		e := &entity{Entity: k, keys: newKeys(k.Keys)}
		for _, text := range k.Names {
			e.given = append(e.given, parse(text))
		}
		for _, text := range k.Learned {
			e.learned = append(e.learned, parse(text))
		}
		ix.entities = append(ix.entities, e)
		ix.byID[k.ID] = i
		all := slices.Concat(e.given, e.learned)
		ix.corpus.add(all...)
		for _, n := range all {
			ix.names = append(ix.names, knownName{name: n, entity: i})
		}
		for _, kind := range slices.Sorted(maps.Keys(e.keys)) {
			if ix.keys[kind] == nil {
				ix.keys[kind] = map[string][]int{}
			}
			for _, v := range e.keys[kind] {
				ix.keys[kind][v] = append(ix.keys[kind][v], i)
			}
		}
	}
	last := ""
	for i, in := range batch {
		if key := in.name.views[0].key; i == 0 || key != last {
			ix.corpus.add(in.name)
			last = key
		}
	}
	for _, in := range batch {
		ix.corpus.weigh(in.name)
	}
	for i := range ix.names {
		ix.corpus.weigh(ix.names[i].name)
		ix.enter(int32(i))
	}
	for w, text := range ix.spelled {
		for _, h := range deletions(text) {
			ix.deletes[h] = append(ix.deletes[h], int32(w))
		}
	}
	return ix
}

// enter adds a name to the postings.
func (ix *index) enter(i int32) {
	post := func(m map[string][]int32, key string) {
		if p := m[key]; key != "" && (len(p) == 0 || p[len(p)-1] != i) {
			m[key] = append(p, i)
		}
	}
	for _, v := range ix.names[i].name.views {
		post(ix.exact, v.key)
		if len(v.initials) >= 3 {
			post(ix.initials, v.initials)
		}
		for text, x := range words(v) {
			w, known := ix.words[text]
			if !known {
				w = int32(len(ix.spelled))
				ix.words[text] = w
				ix.spelled = append(ix.spelled, text)
				ix.postings = append(ix.postings, nil)
			}
			if p := ix.postings[w]; len(p) == 0 || p[len(p)-1] != i {
				ix.postings[w] = append(p, i)
			}
			if n := &ix.names[i]; v.kind == whole {
				n.words = append(n.words, w)
				n.length += float32(x * x)
			}
		}
	}
	ix.names[i].length = float32(math.Sqrt(float64(ix.names[i].length) + 0.1))
}

// words yields what a view is found by: its words, their other spelling, neighbors joined.
func words(v *view) func(func(string, float64) bool) {
	return func(yield func(string, float64) bool) {
		for i, t := range v.words {
			if t.class == stop && len(v.words) > 1 {
				continue
			}
			if !yield(t.text, t.weight) || t.alt != "" && !yield(t.alt, t.weight) {
				return
			}
			if i+1 < len(v.words) {
				if j := t.text + v.words[i+1].text; len(j) >= 4 && !yield(j, max(t.weight, v.words[i+1].weight)) {
					return
				}
			}
		}
	}
}

// deletions returns hashes of a word, of the word less one letter, of its sound and of its first five
// letters: two words with one in common may be similar (the deletion neighborhood of Mor & Fraenkel 1982).
func deletions(w string) []uint64 {
	if len(w) < 4 || len(w) > 30 {
		return nil
	}
	out := make([]uint64, 0, len(w)+3)
	out = append(out, hash(w, ""), hash("~", sound(w)), hash("^", w[:min(5, len(w))]))
	for i := range len(w) {
		out = append(out, hash(w[:i], w[i+1:]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hash is FNV-1a of s followed by t.
func hash(s, t string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	for i := range len(t) {
		h = (h ^ uint64(t[i])) * 1099511628211
	}
	return h
}

// finder is the scratch of one worker.
type finder struct {
	seen    []int32 // by name: the round that touched it
	round   int32
	touched []int32
	heat    []warm
	near    map[string][]int32
	weight  []float32 // by word: what it is worth in the name at hand
}

type warm struct {
	name int32
	heat float32
}

func (ix *index) finder() *finder {
	return &finder{seen: make([]int32, len(ix.names)), near: map[string][]int32{}, weight: make([]float32, len(ix.spelled))}
}

// similarWords returns known words like text, itself first.
func (ix *index) similarWords(f *finder, text string) []int32 {
	if out, ok := f.near[text]; ok {
		return out
	}
	var found, out []int32
	for _, h := range deletions(text) {
		if list := ix.deletes[h]; len(list) <= sameKey {
			found = append(found, list...)
		}
	}
	if w, ok := ix.words[text]; ok {
		out = append(out, w)
	}
	slices.Sort(found)
	for _, w := range slices.Compact(found) {
		if s, _ := similar(token{text: text}, token{text: ix.spelled[w]}); s > 0 && ix.spelled[w] != text {
			out = append(out, w)
		}
	}
	f.near[text] = out
	return out
}

// find returns the known names most worth scoring: those that share the rarest words, by the weight
// of all words shared.
func (ix *index) find(n *name, f *finder) []int32 {
	f.round++
	f.touched = f.touched[:0]
	touch := func(list []int32) {
		for _, i := range list {
			if f.seen[i] != f.round {
				f.seen[i] = f.round
				f.touched = append(f.touched, i)
			}
		}
	}
	var lookups []int32
	for _, v := range n.views {
		for text, x := range words(v) {
			for _, w := range ix.similarWords(f, text) {
				y := float32(x)
				if ix.spelled[w] != text {
					y *= 0.9
				}
				if f.weight[w] == 0 {
					lookups = append(lookups, w)
				}
				f.weight[w] = max(f.weight[w], y, 0.01)
			}
		}
	}
	slices.SortFunc(lookups, func(a, b int32) int {
		return cmp.Or(cmp.Compare(len(ix.postings[a]), len(ix.postings[b])), cmp.Compare(ix.spelled[a], ix.spelled[b]))
	})
	for _, w := range lookups {
		list := ix.postings[w]
		if len(f.touched) > 0 && len(f.touched)+len(list) > mostTouched {
			break
		}
		touch(list[:min(len(list), 2*mostTouched)])
	}
	least := float32(math.MaxFloat32) // the length of the shortest view
	for _, v := range n.views {
		sum := 0.0
		for _, t := range v.words {
			sum += t.weight * t.weight
		}
		least = min(least, float32(math.Sqrt(sum)))
	}
	f.heat = f.heat[:0]
	for _, i := range f.touched {
		sum := float32(0)
		for _, w := range ix.names[i].words {
			sum += f.weight[w] * f.weight[w]
		}
		if h := sum / ix.names[i].length; h >= leastHeat*least {
			f.heat = append(f.heat, warm{i, h})
		}
	}
	slices.SortFunc(f.heat, func(a, b warm) int { return cmp.Or(cmp.Compare(b.heat, a.heat), cmp.Compare(a.name, b.name)) })
	f.touched = f.touched[:0]
	f.round++ // what follows may touch the names left out
	for _, h := range f.heat[:min(len(f.heat), fullScores)] {
		f.touched = append(f.touched, h.name)
		f.seen[h.name] = f.round
	}
	for _, w := range lookups {
		f.weight[w] = 0
	}
	for _, v := range n.views { // equal names and acronyms always
		equal := ix.exact[v.key]
		touch(equal[:min(len(equal), fullScores)])
		if list := ix.initials[v.key]; len(v.words) == 1 && len(list) <= fullScores {
			touch(list)
		}
		if list := ix.exact[v.initials]; len(v.initials) >= 3 && len(list) <= fullScores {
			touch(list)
		}
	}
	return f.touched
}

// hit is an entity scored against a name.
type hit struct {
	entity   int
	name     *name
	score    float64
	hard     bool // never automatic
	exact    bool
	claims   bool // a numbering agrees
	identity bool // and none differs
	keys     []string
	like     likeness
}

// candidates scores the entities worth a look, with those that share a key or that people named.
func (ix *index) candidates(in incoming, f *finder, forbidden map[string]bool, ruled []string) []hit {
	best := map[int]hit{}
	try := func(e int, n *name) {
		if forbidden[ix.entities[e].ID] {
			return
		}
		like := ix.corpus.compare(in.name, n)
		s := hit{entity: e, name: n, score: like.score, hard: like.hard, exact: like.exact, like: like}
		old, ok := best[e]
		if !ok || s.score > old.score || s.score == old.score && !old.exact && s.exact {
			best[e] = s
		}
	}
	tryAll := func(e int) {
		if _, ok := best[e]; ok {
			return
		}
		all := slices.Concat(ix.entities[e].given, ix.entities[e].learned)
		if len(all) == 0 {
			all = append(all, parse(""))
		}
		for _, n := range all {
			try(e, n)
		}
	}
	for _, i := range ix.find(in.name, f) {
		try(ix.names[i].entity, ix.names[i].name)
	}
	for kind, values := range in.keys {
		if kind == KeyPostcode || kind == KeyCity {
			continue
		}
		for _, v := range values {
			owners := ix.keys[kind][v]
			if len(owners) > 5 && !kind.numbering() {
				continue // a shared mail host or switchboard
			}
			for _, e := range owners {
				tryAll(e)
			}
		}
	}
	for _, id := range ruled {
		if e, ok := ix.byID[id]; ok {
			tryAll(e)
		}
	}
	out := make([]hit, 0, len(best))
	for _, e := range slices.Sorted(maps.Keys(best)) {
		s := best[e]
		ix.weighKeys(&s, in.keys, ix.entities[e].keys)
		out = append(out, s)
	}
	return out
}

// By how much an agreeing key shrinks the doubt, 1 - score: the odds of Fellegi & Sunter (1969),
// rounded to what is safe for keys that branches and bookkeepers share.
var doubtLeft = map[KeyKind]float64{KeyDomain: 0.25, KeyEmail: 0.6, KeyPhone: 0.4, KeyPostcode: 0.7, KeyCity: 0.9}

// keyNames is how evidence calls a kind.
var keyNames = map[KeyKind]string{KeyDomain: "e-mail domain", KeyEmail: "e-mail address", KeyPhone: "phone number",
	KeyPostcode: "postcode", KeyCity: "city", KeyTaxID: "tax number"}

// weighKeys lets keys speak about a scored pair.
func (ix *index) weighKeys(s *hit, a, b keys) {
	conflict := false
	for _, kind := range slices.Sorted(maps.Keys(a)) {
		if len(b[kind]) == 0 {
			continue
		}
		title := cmp.Or(keyNames[kind], strings.ReplaceAll(string(kind), "_", " ")+" number")
		i := slices.IndexFunc(a[kind], func(v string) bool { return slices.Contains(b[kind], v) })
		switch {
		case i >= 0 && kind.numbering():
			s.claims = true
			s.keys = append(s.keys, "same "+title)
		case i >= 0:
			s.keys = append(s.keys, "same "+title)
			owners := len(ix.keys[kind][a[kind][i]])
			if s.score >= worthShowing && (owners == 1 || kind == KeyPostcode || kind == KeyCity) {
				most := 1.0
				if s.hard {
					most = max(0.94, s.score)
				}
				s.score = min(most, 1-(1-s.score)*doubtLeft[kind])
			}
			if (kind == KeyDomain || kind == KeyEmail) && owners <= 5 {
				s.score = max(s.score, 0.82) // always worth a look
			}
		case kind.numbering():
			conflict = true
			s.keys = append(s.keys, fmt.Sprintf("%s differs: %s / %s", title, a[kind][0], b[kind][0]))
		case kind == KeyCity:
			s.hard = true
			s.keys = append(s.keys, fmt.Sprintf("place differs: %s / %s", a[kind][0], b[kind][0]))
		}
	}
	switch {
	case s.claims && !conflict:
		s.identity, s.score, s.hard = true, 1, false
	case s.claims:
		s.score, s.hard = 0.90, true
	case conflict:
		s.score, s.hard = min(s.score, 0.90), true
	}
}

// explain makes a candidate with its evidence.
func (ix *index) explain(in incoming, s hit) Candidate {
	return Candidate{Entity: ix.entities[s.entity].ID, Name: s.name.raw, Score: s.score,
		Evidence: append(slices.Clone(s.keys), s.like.evidence()...)}
}

// firstName is the preferred name of an entity, if it is known.
func (ix *index) firstName(id string) string {
	if i, ok := ix.byID[id]; ok && len(ix.entities[i].Names) > 0 {
		return ix.entities[i].Names[0]
	}
	return ""
}
