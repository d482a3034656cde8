package govern

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// erased stands where a name or an address was in the middle of a text.
const erased = "[erased]"

// spelling is how a person is written: what to look for in texts. The expressions are RE2,
// which our language and the query engine read alike.
type spelling struct {
	Names  []string `json:"names"`
	Emails []string `json:"emails"`
	Also   []string `json:"also,omitempty"` // further spellings that somebody named: a nickname, a telephone number

	phrase *regexp.Regexp // in the middle of a text; nil when nothing is safe to look for there
	whole  *regexp.Regexp // a whole cell; nil when nothing is known
	loose  *regexp.Regexp // as phrase, single words of a name included: for files that may go as a whole
	hints  []string       // lower-case pieces, one of which every text with a phrase has
	singly []string       // as hints, of loose
}

var notWord = regexp.MustCompile(`[^\pL\pN]+`)

// apart is the class of what stands beside and between words: punctuation, signs and spaces
// of the scripts that names are written in. [^\pL\pN] says the same of all scripts, and costs
// the query engine 20 to 50 ms for each expression instead of 1 or 2.
const apart = `[\x{0}-/:-@\[-\x{60}{-\x{a9}\x{ab}-\x{b1}\x{b4}\x{b6}-\x{b8}\x{bb}\x{bf}\x{d7}\x{f7}\x{300}-\x{344}\x{346}-\x{36f}\x{37e}\x{387}` +
	`\x{55a}-\x{55f}\x{589}-\x{58f}\x{5be}\x{5c0}\x{5c3}\x{5c6}\x{5f3}\x{5f4}\x{600}-\x{61f}\x{66a}-\x{66d}\x{6d4}\x{964}\x{965}` +
	`\x{2000}-\x{206f}\x{20a0}-\x{20cf}\x{2122}\x{2190}-\x{245f}\x{2500}-\x{2775}\x{2794}-\x{2bff}\x{3000}-\x{3004}\x{3008}-\x{3020}\x{3030}\x{303d}\x{30a0}\x{30fb}` +
	`\x{e000}-\x{f8ff}\x{fe10}-\x{fe6f}\x{feff}-\x{ff0f}\x{ff1a}-\x{ff20}\x{ff3b}-\x{ff40}\x{ff5b}-\x{ff65}\x{fff0}-\x{ffff}\x{1f000}-\x{1f0ff}\x{1f130}-\x{1faff}]`

// minWord is the shortest single word that is looked for in the middle of texts, characters.
const minWord = 4

// newSpelling prepares the expressions. A name of one word is only looked for as a whole
// cell: in the middle of a text it may be anybody's.
func newSpelling(names, emails, also []string) (*spelling, error) {
	s := &spelling{Names: names, Emails: emails, Also: also}
	var phrases, singles, cells []string
	add := func(text string, told bool) {
		words := slices.DeleteFunc(notWord.Split(text, -1), func(w string) bool { return w == "" })
		letters := utf8.RuneCountInString(strings.Join(words, ""))
		if len(words) == 0 {
			return
		}
		cells = append(cells, regexp.QuoteMeta(strings.TrimSpace(text)))
		switch {
		case strings.Contains(text, "@"):
			phrases = append(phrases, regexp.QuoteMeta(strings.TrimSpace(text)))
		case len(words) > 1 && letters > minWord:
			quoted := make([]string, len(words))
			for i, w := range words {
				quoted[i] = regexp.QuoteMeta(w)
			}
			const gap = apart + `{0,3}`
			phrases = append(phrases, strings.Join(quoted, gap))
			// "Ortiz, Dana": the last word first.
			phrases = append(phrases, strings.Join(append([]string{quoted[len(quoted)-1]}, quoted[:len(quoted)-1]...), gap))
		case told && letters >= minWord:
			phrases = append(phrases, regexp.QuoteMeta(words[0]))
		case letters >= minWord && strings.ContainsFunc(words[0], unicode.IsLetter):
			singles = append(singles, regexp.QuoteMeta(words[0]))
			s.singly = append(s.singly, strings.ToLower(words[0]))
			return
		default:
			return
		}
		longest := slices.MaxFunc(words, func(a, b string) int { return len(a) - len(b) })
		s.hints = append(s.hints, strings.ToLower(longest))
	}
	for _, n := range append(slices.Clone(names), emails...) {
		add(n, false)
	}
	for _, n := range also {
		add(n, true)
	}
	var err error
	compile := func(before string, parts []string, after string) *regexp.Regexp {
		if len(parts) == 0 {
			return nil
		}
		re, cerr := regexp.Compile(`(?i)` + before + `(?:` + strings.Join(parts, "|") + `)` + after)
		if cerr != nil {
			err = fault.Wrapf(fault.Internal, cerr, "a name cannot be looked for")
		}
		return re
	}
	s.phrase = compile(`(^|`+apart+`)`, phrases, `($|`+apart+`)`)
	s.loose = compile(`(^|`+apart+`)`, append(slices.Clone(phrases), singles...), `($|`+apart+`)`)
	s.whole = compile(`^\s*`, cells, `\s*$`)
	slices.Sort(s.hints)
	s.hints = slices.Compact(s.hints)
	s.singly = append(s.singly, s.hints...)
	return s, err
}

// clean takes the person out of a text. A whole cell becomes empty.
func (s *spelling) clean(text string) (string, bool) {
	if s.whole != nil && s.whole.MatchString(text) {
		return "", true
	}
	if s.phrase == nil || !hasAny(text, s.hints) || !s.phrase.MatchString(text) {
		return text, false
	}
	for range 2 { // two in a row share the character between them
		text = s.phrase.ReplaceAllString(text, "${1}"+erased+"${2}")
	}
	return text, true
}

// hasAny reports whether a text has one of some lower-case pieces.
func hasAny(text string, pieces []string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(pieces, func(p string) bool { return strings.Contains(text, p) })
}

// in reports whether bytes of a file hold the person, in whatever usual encoding.
func (s *spelling) in(b []byte) bool {
	if s.loose == nil {
		return false
	}
	text := string(b)
	tries := []string{text}
	if !utf8.ValidString(text) { // a code page of one byte a letter
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		tries = append(tries, string(runes))
	}
	if strings.ContainsRune(text, 0) { // UTF-16 in either order, and from either byte
		for _, order := range []int{0, 1} {
			for _, start := range []int{0, 1} {
				var runes []rune
				for i := start; i+1 < len(b); i += 2 {
					runes = append(runes, rune(b[i+order])|rune(b[i+1-order])<<8)
				}
				tries = append(tries, string(runes))
			}
		}
	}
	if strings.Contains(text, "&") {
		tries = append(tries, html.UnescapeString(text))
	}
	return slices.ContainsFunc(tries, func(t string) bool { return hasAny(t, s.singly) && s.loose.MatchString(t) })
}

// matches is the SQL of whether a text column holds the person; whole adds cells that are
// nothing but a name of one word.
func (s *spelling) matches(column string, whole bool) string {
	list := []string{}
	if whole {
		list = append(list, column)
	}
	return s.matchesAny([]string{column}, list)
}

// matchesAny is matches of any of several columns, in one search through all of them: each
// expression costs the engine as much as thousands of short cells.
func (s *spelling) matchesAny(columns, whole []string) string {
	var parts []string
	if s.phrase != nil && len(columns) > 0 {
		column := columns[0]
		if len(columns) > 1 { // no phrase reaches over four characters between words
			column = "concat_ws(repeat(chr(10), 4), " + strings.Join(columns, ", ") + ")"
		}
		hints := make([]string, len(s.hints))
		for i, h := range s.hints {
			hints[i] = "contains(lower(" + column + "), " + warehouse.QuoteText(h) + ")"
		}
		parts = append(parts, "("+strings.Join(hints, " OR ")+") AND regexp_matches("+column+", "+warehouse.QuoteText(s.phrase.String())+")")
	}
	if s.whole != nil {
		for _, c := range whole {
			parts = append(parts, "regexp_matches("+c+", "+warehouse.QuoteText(s.whole.String())+")")
		}
	}
	if len(parts) == 0 {
		return "false"
	}
	return "coalesce((" + strings.Join(parts, ") OR (") + "), false)"
}

// replaced is the SQL of a text without the person. mark is what stands there instead.
func (s *spelling) replaced(column, mark string) string {
	if s.phrase == nil {
		return "NULL"
	}
	out := column
	for range 2 {
		out = "regexp_replace(" + out + ", " + warehouse.QuoteText(s.phrase.String()) + `, '\1' || ` + mark + ` || '\2', 'g')`
	}
	return out
}
