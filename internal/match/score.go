package match

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Corpus knows how common words are among the names at hand, on top of a background that knows the
// words of the trade. The zero value is the background alone.
type Corpus struct {
	names int
	seen  map[string]int // names that hold the word
}

// NewCorpus counts each word once per distinct name.
func NewCorpus(names []string) *Corpus {
	c := &Corpus{}
	distinct := map[string]bool{}
	for _, text := range names {
		if n := parse(text); !distinct[n.views[0].key] {
			distinct[n.views[0].key] = true
			c.add(n)
		}
	}
	return c
}

// add counts the words of one owner, who may have several names.
func (c *Corpus) add(names ...*name) {
	words := map[string]bool{}
	for _, n := range names {
		for _, t := range n.views[0].words {
			words[t.text] = true
		}
	}
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	c.names++
	for w := range words {
		c.seen[w]++
	}
}

// background stands for a register of this many names, in which words of each class occur so often:
// it keeps the weights of a short list sane.
const background = 10_000

var backgroundSeen = [...]float64{rare: 1, generic: 600, place: 80, number: 40, stop: 6_000}

// weigh sets the weights of n's words: inverse document frequency, log(N/df), as a share of its
// greatest value (Spärck Jones 1972), smoothed with the background.
func (c *Corpus) weigh(n *name) *name {
	total := background + float64(c.names)
	for _, v := range n.views {
		for i, t := range v.words {
			v.words[i].weight = math.Log(total/(backgroundSeen[t.class]+float64(c.seen[t.text]))) / math.Log(total)
		}
	}
	return n
}

// Comparison says how alike two names are.
type Comparison struct {
	Score float64 // in [0, 1], symmetric
	// Conflict says that something tells them apart (number, place, legal form), so that no score
	// makes them one without a person or a key.
	Conflict bool
	Evidence []string
}

// Compare scores two names by their text alone. See docs/matching.md for the formula.
func (c *Corpus) Compare(a, b string) Comparison {
	x, y := c.weigh(parse(a)), c.weigh(parse(b))
	s := c.compare(x, y)
	return Comparison{Score: s.score, Conflict: s.hard, Evidence: s.evidence()}
}

// likeness is a scored pair of names; evidence is put in words only when somebody reads it.
type likeness struct {
	score    float64
	hard     bool // a conflict
	exact    bool // nothing differs
	evidence func() []string
}

// compare takes the best pair of views.
func (c *Corpus) compare(a, b *name) likeness {
	if a.views[0].plain > b.views[0].plain || a.views[0].plain == b.views[0].plain && a.raw > b.raw {
		a, b = b, a
	}
	best := compareViews(a.views[0], b.views[0])
	if len(a.views) == 1 && len(b.views) == 1 || best.exact {
		return best
	}
	for i, x := range a.views {
		for j, y := range b.views {
			if i == 0 && j == 0 {
				continue
			}
			limit, why := viewLimit(x, y)
			s := compareViews(x, y)
			if s.score *= 0.98; s.score > limit {
				s.score = limit
			}
			s.exact = false
			if s.score > best.score {
				inner := s.evidence
				s.evidence = func() []string { return append([]string{why}, inner()...) }
				best = s
			}
		}
	}
	return best
}

// viewLimit is the most that a pair of names within names can prove.
func viewLimit(x, y *view) (float64, string) {
	k := max(x.kind, y.kind)
	switch {
	case x.kind != whole && y.kind != whole:
		return 0.90, "both names hold several names, and these agree"
	case k == alias:
		return 1, "one of its two names agrees"
	case k == part:
		return 0.90, "a part of the name agrees"
	case k == parent:
		return 0.86, "the parent agrees"
	}
	return 0.90, "the part below the parent agrees"
}

// link is an agreement of words [i, i+n) of one name with words [j, j+m) of the other.
type link struct {
	i, n, j, m int
	like       float64
	note       string
}

// align links words one to one: equal words first, then words joined, then similar ones, the
// likest first. The result depends on the order of x and y only in ties.
func align(x, y []token) (links []link, freeX, freeY []bool) {
	freeX, freeY = make([]bool, len(x)), make([]bool, len(y))
	for i := range x {
		freeX[i] = true
	}
	for j := range y {
		freeY[j] = true
	}
	put := func(l link) {
		links = append(links, l)
		for k := range l.n {
			freeX[l.i+k] = false
		}
		for k := range l.m {
			freeY[l.j+k] = false
		}
	}
	for i, a := range x {
		for j, b := range y {
			if freeY[j] && same(a, b) {
				put(link{i, 1, j, 1, 1, ""})
				break
			}
		}
	}
	if !slices.Contains(freeX, true) || !slices.Contains(freeY, true) {
		return links, freeX, freeY
	}
	var found []link
	for i := range x {
		for j := range y {
			if freeX[i] && freeY[j] {
				if s, note := similar(x[i], y[j]); s > 0 {
					found = append(found, link{i, 1, j, 1, s, note})
				}
			}
			for n := 2; n <= 3; n++ {
				if freeY[j] && run(freeX, i, n) {
					if s := joint(x[i:i+n], y[j]); s > 0 {
						found = append(found, link{i, n, j, 1, s, "joined"})
					}
				}
				if freeX[i] && run(freeY, j, n) {
					if s := joint(y[j:j+n], x[i]); s > 0 {
						found = append(found, link{i, 1, j, n, s, "joined"})
					}
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b link) int { return cmp.Or(cmp.Compare(b.like, a.like), cmp.Compare(b.n+b.m, a.n+a.m)) })
	for _, l := range found {
		if run(freeX, l.i, l.n) && run(freeY, l.j, l.m) {
			put(l)
		}
	}
	return links, freeX, freeY
}

func run(free []bool, at, n int) bool {
	return at+n <= len(free) && !slices.Contains(free[at:at+n], false)
}

func same(a, b token) bool {
	return a.text == b.text || a.alt != "" && a.alt == b.text || b.alt != "" && b.alt == a.text
}

// The most that a pair can score in spite of a difference. They are judgments of how often two
// records that differ so are one client; the order matters more than the values.
const (
	capForm        = 0.90 // legal forms exclude each other
	capTypo        = 0.93 // a telling word is spelled differently
	capOrder       = 0.92 // two telling words change places
	capGenericOne  = 0.88 // a word of the trade more
	capNumberSwap  = 0.85 // another number
	capPlaceOne    = 0.84 // a place more
	capRareOne     = 0.82 // a telling word more
	capGenericBoth = 0.78 // other words of the trade
	capRareBoth    = 0.75 // other telling words
	capNumberOne   = 0.74 // a number more
	capPlaceSwap   = 0.70 // another place
	capNothingRare = 0.60 // only words of the trade agree
	capFurther     = 0.95 // factor for each further difference
)

// compareViews scores two views.
func compareViews(a, b *view) likeness {
	if a.key == b.key {
		return equalWords(a, b)
	}
	links, freeA, freeB := align(a.words, b.words)
	var dot, lenA, lenB float64
	var caps []float64
	hard, agree, typo, ordered := false, 0.0, 0, true
	lastJ, imperfect := -1, false
	sortLinks := slices.Clone(links)
	slices.SortFunc(sortLinks, func(x, y link) int { return cmp.Compare(x.i, y.i) })
	for _, l := range sortLinks {
		wa, wb, ca, cb := 0.0, 0.0, stop, stop
		for _, t := range a.words[l.i : l.i+l.n] {
			wa, ca = math.Hypot(wa, t.weight), min(ca, t.class)
		}
		for _, t := range b.words[l.j : l.j+l.m] {
			wb, cb = math.Hypot(wb, t.weight), min(cb, t.class)
		}
		imperfect = imperfect || l.like < 1
		w := min(wa, wb) // a misspelt common word is still common
		dot += w * w * l.like
		lenA += w * w
		lenB += w * w
		if l.j < lastJ && max(ca, cb) != stop {
			ordered = false
		}
		lastJ = l.j
		telling := ca == rare && cb == rare
		switch {
		case l.like == 1 || l.note == "joined" && l.like > 0.98:
			if telling {
				agree += w
			}
		case telling, ca == place && l.note != "plural", cb == place && l.note != "plural",
			ca == generic && cb == generic && l.note != "plural":
			typo++
			if telling {
				agree += 0.5 * w
			}
			if l.note == "initial" {
				typo++
			}
		}
	}
	left := func(words []token, free []bool) (has [stop + 1]bool, sum float64) {
		for i, t := range words {
			if free[i] {
				has[t.class] = true
				sum += t.weight * t.weight
			}
		}
		return has, sum
	}
	hasA, sumA := left(a.words, freeA)
	hasB, sumB := left(b.words, freeB)
	lenA += sumA
	lenB += sumB
	base := 0.0
	if lenA > 0 && lenB > 0 {
		base = dot / math.Sqrt(lenA*lenB)
	}
	base = 0.9*base + 0.1*jaroWinkler(a.sorted, b.sorted)

	limit := func(c float64, on bool) {
		if on {
			caps = append(caps, c)
		}
	}
	wordsA, wordsB := hasA[rare] || hasA[generic], hasB[rare] || hasB[generic]
	rareBoth := wordsA && wordsB && (hasA[rare] || hasB[rare])
	limit(capRareBoth, rareBoth)
	limit(capGenericBoth, wordsA && wordsB && !rareBoth)
	limit(capRareOne, wordsA != wordsB && (hasA[rare] || hasB[rare]))
	limit(capGenericOne, wordsA != wordsB && !hasA[rare] && !hasB[rare])
	placeSwap := hasA[place] && hasB[place]
	limit(capPlaceSwap, placeSwap)
	limit(capPlaceOne, hasA[place] != hasB[place])
	numberSwap := hasA[number] && hasB[number]
	limit(capNumberSwap, numberSwap)
	limit(capNumberOne, hasA[number] != hasB[number])
	hard = placeSwap || hasA[number] || hasB[number] || formsDiffer(a, b)
	limit(capForm, formsDiffer(a, b))
	limit(capTypo, typo > 0 || imperfect && agree == 0)
	limit(capNothingRare, agree == 0 && (wordsA || wordsB || hasA[place] || hasB[place]))
	few := 0
	for _, t := range a.words {
		if t.class == rare {
			few++
		}
	}
	limit(capOrder, !ordered && few <= 2 && len(a.words) <= 2 && !a.inverted && !b.inverted)

	score := base
	whole := !slices.Contains(freeA, true) && !slices.Contains(freeB, true)
	if whole && typo == 0 && len(caps) == 0 {
		score = max(score, 0.975)
	}
	if len(caps) > 0 {
		most := slices.Min(caps)
		for range len(caps) - 1 {
			most *= capFurther
		}
		score = min(score, most)
	}
	special := ""
	if acronym(a, b) || acronym(b, a) {
		if s := 0.86 + 0.02*float64(min(2, min(len(a.key), len(b.key))-3)); s > score && !formsDiffer(a, b) {
			score, special = s, "one is the initials of the other"
		}
	}
	if s, cut := truncated(a, b); s > score && !formsDiffer(a, b) {
		score, special = s, cut
	}
	return likeness{score: clamp(score), hard: hard, evidence: func() []string {
		return explain(a, b, links, freeA, freeB, ordered, special)
	}}
}

func clamp(s float64) float64 { return max(0, min(1, s)) }

// equalWords scores views whose words are equal: what is left is the legal form.
func equalWords(a, b *view) likeness {
	score, hard := 1.0, false
	switch {
	case len(a.words) == 0:
		score = 0
		if a.plain == b.plain && a.plain != "" {
			score = 1
		}
	case (a.long || b.long) && a.plain != b.plain:
		score = capTypo
	case slices.Equal(a.forms, b.forms):
	case formsDiffer(a, b):
		score, hard = capForm, true
	default:
		score = 0.99
	}
	return likeness{score: score, hard: hard, exact: score == 1, evidence: func() []string {
		evidence := []string{"the words are equal"}
		if score == 0 {
			evidence = []string{"no words to compare"}
		}
		return append(evidence, formEvidence(a, b)...)
	}}
}

// formsDiffer reports legal forms that exclude each other. "Company" goes with any.
func formsDiffer(a, b *view) bool {
	specific := func(s string) bool { return s != "company" }
	if !slices.ContainsFunc(a.forms, specific) || !slices.ContainsFunc(b.forms, specific) {
		return false
	}
	return !slices.ContainsFunc(a.forms, func(f string) bool { return specific(f) && slices.Contains(b.forms, f) })
}

// acronym reports whether short is the initials of long.
func acronym(short, long *view) bool {
	return len(short.words) == 1 && short.words[0].class == rare && len(long.initials) >= 3 && short.key == long.initials
}

// truncated reports that one name is the other cut off inside a word after at least 20 letters, as
// fields of fixed width do.
func truncated(a, b *view) (float64, string) {
	short, long := a.plain, b.plain
	if len(short) > len(long) {
		short, long = long, short
	}
	if utf8.RuneCountInString(short) < 20 || len(short) == len(long) || !strings.HasPrefix(long, short) || long[len(short)] == ' ' {
		return 0, ""
	}
	start := strings.LastIndexByte(short, ' ') + 1
	rest := newView(long[start:], whole)
	for _, t := range rest.words {
		if t.class != generic && t.class != stop {
			return 0.92, "one is the other cut off"
		}
	}
	if len(rest.words) > 1 {
		return 0.92, "one is the other cut off"
	}
	return 0.96, "one is the other cut off"
}
