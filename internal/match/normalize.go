package match

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalize folds a name to the words that are compared: case, accents, punctuation and legal form
// are gone, abbreviations are written out, Cyrillic and Greek are in Latin letters, initials are
// joined ("I. B. M." is "ibm"). Normalizing again changes nothing.
func Normalize(text string) string {
	for range 10 { // brackets and commas part words only once
		again := newView(text, whole).key
		if again == text {
			break
		}
		text = again
	}
	return text
}

// token is one folded word.
type token struct {
	text   string
	alt    string // the spelling with ae, oe, ue for umlauts; else empty
	class  class
	weight float64 // set by Corpus.weigh
	comma  bool    // a comma stands before it
	glued  bool    // only a dot stands before it
	aside  bool    // in parentheses or after "Ltd,": says which one, not who
}

// kind says what a view shows of a name.
type kind uint8

const (
	whole  kind = iota
	alias       // a side of "X dba Y", or an acronym in parentheses
	part        // a side of "X/Y"
	parent      // left of "Parent:Child"
	child       // right of it
)

// name is a parsed name: the whole, and the names it holds.
type name struct {
	raw   string
	views []*view
}

// mostWords bounds the work on one name; what comes after is compared for equality only.
const mostWords = 40

// view is one way to read a name.
type view struct {
	kind     kind
	words    []token
	forms    []string // families of legal forms, sorted
	spelled  []string // and how they were written
	plain    string   // folded, nothing removed
	sorted   string   // words in order, joined
	key      string   // words joined
	initials string
	inverted bool // "Last, First"
	long     bool // has more than mostWords
}

var (
	aliasMark = regexp.MustCompile(`(?i)\s(?:d\.?/?b\.?/?a\.?|t/as?|trading as|doing business as|o/a|operating as|f\.?/?k\.?/?a\.?|formerly(?: known as)?|previously|a\.?/?k\.?/?a\.?|also known as)[\s:]+`)
	brackets  = regexp.MustCompile(`[(\[]([^()\[\]]*)[)\]]?`)
)

// parse reads a name and the names within it.
func parse(text string) *name {
	full := newView(text, whole)
	n := &name{raw: text, views: []*view{full}}
	add := func(text string, k kind) {
		v := newView(text, k)
		if v.key == full.key || !slices.ContainsFunc(v.words, func(t token) bool { return t.class == rare && len(t.text) > 2 }) {
			return // says nothing by itself
		}
		n.views = append(n.views, v)
	}
	if m := aliasMark.FindStringIndex(text); m != nil {
		add(text[:m[0]], alias)
		add(text[m[1]:], alias)
	} else if before, after, ok := strings.Cut(text, ":"); ok {
		add(before, parent)
		add(after[strings.LastIndex(after, ":")+1:], child)
	} else if before, after, ok := strings.Cut(text, "/"); ok && letters(before) >= 4 && letters(after) >= 4 {
		add(before, part)
		add(after, part)
	}
	if m := brackets.FindStringSubmatch(text); m != nil {
		rest := newView(brackets.ReplaceAllString(text, " "), alias)
		if in := newView(m[1], alias); len(in.key) > 2 && in.key == rest.initials {
			n.views = append(n.views, rest, in)
		}
	}
	return n
}

func letters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

func newView(text string, k kind) *view {
	v := &view{kind: k}
	bare := brackets.ReplaceAllString(text, ", ")
	tokens := split(bare)
	v.inverted = strings.Count(bare, ",") == 1 && len(tokens) <= 4 && slices.ContainsFunc(tokens, func(t token) bool { return t.comma })
	for _, m := range brackets.FindAllStringSubmatch(text, -1) {
		for _, t := range split(m[1]) {
			t.aside = len(tokens) > 0
			tokens = append(tokens, t)
		}
	}
	v.plain = texts(tokens, " ")
	if v.long = len(tokens) > mostWords; v.long {
		tokens = tokens[:mostWords]
	}
	for range len(tokens) + 8 { // removing a form may bring new neighbors together
		before := texts(tokens, " ")
		tokens = v.canonical(tokens)
		if texts(tokens, " ") == before {
			break
		}
	}
	v.words = tokens
	slices.Sort(v.forms)
	v.forms = slices.Compact(v.forms)
	v.key = texts(tokens, " ")
	ordered := slices.Clone(tokens)
	slices.SortStableFunc(ordered, func(a, b token) int { return strings.Compare(a.text, b.text) })
	v.sorted = texts(ordered, " ")
	for _, t := range tokens {
		if t.class != stop && t.class != number && !t.aside {
			v.initials += firstLetter(t.text)
		}
	}
	return v
}

func texts(tokens []token, sep string) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(t.text)
	}
	return b.String()
}

func firstLetter(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// plain is the folded text with nothing removed: the identity of a name as written.
func plain(text string) string {
	tokens := split(text)
	return texts(tokens, " ")
}

// canonical does one pass over the tokens: initials, abbreviations, places, legal forms, numbers, classes.
func (v *view) canonical(tokens []token) []token {
	t := tables()
	tokens = joinInitials(tokens)
	for len(tokens) > 1 && tokens[0].text == "the" {
		tokens = tokens[1:]
	}
	tokens = v.takeForms(tokens)
	out := make([]token, 0, len(tokens))
	for i := 0; i < len(tokens); {
		n, text := 1, ""
		for l := min(t.longest, len(tokens)-i); l > 0; l-- {
			p := texts(tokens[i:i+l], " ")
			if canonical, ok := t.abbrev[p]; ok {
				n, text = l, canonical
				break
			}
			if joined, ok := t.places[p]; ok {
				n, text = l, joined
				break
			}
		}
		tok := tokens[i]
		if text != "" {
			tok.text, tok.alt = text, ""
			if joined, ok := t.places[text]; ok {
				tok.text = joined
			}
		}
		out = append(out, tok)
		i += n
	}
	for i := range out {
		out[i].text, out[i].class = classify(out, i)
	}
	return out
}

// classify returns the final text and the class of token i.
func classify(tokens []token, i int) (string, class) {
	tok := tokens[i]
	if strings.ContainsFunc(tok.text, unicode.IsDigit) {
		if bare := strings.TrimLeft(tok.text, "0"); bare != "" && strings.IndexFunc(bare, func(r rune) bool { return r < '0' || r > '9' }) < 0 {
			return bare, number
		}
		return tok.text, number
	}
	if n, ok := roman[tok.text]; ok && (len(tok.text) > 1 && i > 0 || i > 1 && i == len(tokens)-1) {
		return strconv.Itoa(n), number
	}
	c := tables().classes[tok.text]
	if tok.aside && c != stop {
		c = place
	}
	return tok.text, c
}

var roman = func() map[string]int {
	m := map[string]int{}
	for n := 1; n < 40; n++ {
		m[strings.Repeat("x", n/10)+[]string{"", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"}[n%10]] = n
	}
	return m
}()

// joinInitials joins "I.B.M." and "I. B. M." and "I B M"; "V L.P." stays two words.
func joinInitials(tokens []token) []token {
	single := func(t token) bool { return len(t.text) == 1 && t.text[0] >= 'a' && t.text[0] <= 'z' }
	join := func(in []token, follows func(token) bool) []token {
		out := make([]token, 0, len(in))
		open := false // the last of out is a run of single letters
		for _, t := range in {
			if open && single(t) && follows(t) && out[len(out)-1].aside == t.aside {
				out[len(out)-1].text += t.text
				continue
			}
			out = append(out, t)
			open = single(t)
		}
		return out
	}
	tokens = join(tokens, func(t token) bool { return t.glued })
	return join(tokens, func(token) bool { return true })
}

// takeForms removes legal forms from the tokens, noting them, as long as a word is left.
func (v *view) takeForms(tokens []token) []token {
	forms, longest := tables().forms, tables().longest
	take := func(i, n int) {
		p := texts(tokens[i:i+n], " ")
		v.forms, v.spelled = append(v.forms, forms[p].family), append(v.spelled, p)
		rest := tokens[i+n:]
		if forms[p].anywhere && i > 0 && len(rest) > 0 && len(rest) <= 4 && rest[0].comma {
			for j := range rest {
				rest[j].aside = true // "Acme Ltd, Leeds"
			}
		}
		tokens = slices.Concat(tokens[:i], rest)
	}
	for again := true; again; {
		again = false
	search:
		for n := min(longest, len(tokens)-1); n > 0; n-- {
			for i := len(tokens) - n; i >= 0; i-- {
				f, ok := forms[texts(tokens[i:i+n], " ")]
				if !ok || tokens[i].aside != tokens[i+n-1].aside {
					continue
				}
				end := i+n == len(tokens) || tokens[i+n].aside
				if f.anywhere || end && i > 0 && !tokens[i-1].aside || f.leads && i == 0 {
					if !slices.ContainsFunc(slices.Concat(tokens[:i], tokens[i+n:]), func(t token) bool { return !t.aside }) {
						continue
					}
					take(i, n)
					again = true
					break search
				}
			}
		}
	}
	return tokens
}

// split folds text and cuts it into tokens; "&" is the word "and", apostrophes vanish.
func split(text string) []token {
	var tokens []token
	var word, alt strings.Builder
	comma, dots, gap := false, 0, 0
	flush := func() {
		if word.Len() == 0 {
			return
		}
		t := token{text: word.String(), comma: comma, glued: dots == 1 && gap == 0}
		if alt.String() != t.text {
			t.alt = alt.String()
		}
		tokens = append(tokens, t)
		word.Reset()
		alt.Reset()
		comma, dots, gap = false, 0, 0
	}
	for _, r := range norm.NFKC.String(text) {
		r = unicode.ToLower(r)
		switch {
		case r == '\'' || r == '’' || r == '‘' || r == '`' || r == '´' || r == 'ʼ' || r == 'ʻ':
		case r == '&':
			flush()
			word.WriteString("and")
			alt.WriteString("and")
			flush()
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			latin, digraph := letter(r)
			word.WriteString(latin)
			alt.WriteString(digraph)
		case unicode.Is(unicode.Mn, r):
		default:
			flush()
			switch r {
			case ',', ';':
				comma = true
				gap++
			case '.':
				dots++
			default:
				gap++
			}
		}
	}
	flush()
	return tokens
}

// fold folds a text of one word.
func fold(text string) string { return texts(split(text), "") }

// letter gives a lower-case letter in Latin without marks, and in the spelling that writes umlauts out.
func letter(r rune) (latin, digraph string) {
	if r < 0x80 {
		return string(r), string(r)
	}
	switch r {
	case 'ä':
		return "a", "ae"
	case 'ö', 'ø':
		return "o", "oe"
	case 'ü':
		return "u", "ue"
	case 'å':
		return "a", "aa"
	case 'æ':
		return "ae", "ae"
	}
	if s, ok := letterTable[r]; ok {
		return s, s
	}
	var b strings.Builder
	for _, d := range norm.NFKD.String(string(r)) {
		d = unicode.ToLower(d)
		if s, ok := letterTable[d]; ok {
			b.WriteString(s)
		} else if unicode.IsLetter(d) || unicode.IsDigit(d) {
			b.WriteRune(d)
		}
	}
	return b.String(), b.String()
}

// letterTable romanizes letters that do not decompose: Latin ones, Cyrillic after the simplified BGN/PCGN
// system, Greek after ELOT 743 without its digraphs.
var letterTable = func() map[rune]string {
	m := map[rune]string{'й': "i"}
	pairs := strings.Fields(`ß ss œ oe ð d þ th ł l đ d ħ h ı i ŋ n ĸ k ſ s ə e
а a б b в v г g ґ g д d е e ё e є e ж zh з z и i і i ї i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ shch ы y э e ю yu я ya ђ d ј j љ lj њ nj ћ c џ dz
α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o`)
	for i := 0; i < len(pairs); i += 2 {
		m[[]rune(pairs[i])[0]] = pairs[i+1]
	}
	m['ъ'], m['ь'] = "", ""
	return m
}()
