package match

import (
	"embed"
	"strings"
	"sync"
)

//go:embed tables/*.txt
var files embed.FS

// class says what kind of word a token is.
type class uint8

const (
	rare    class = iota // a word that may tell an entity apart
	generic              // a word of the trade: "services", "dental"
	place                // a place or compass point
	number               // digits, a number word or a Roman numeral
	stop                 // "of", "and"
)

// form is a legal form as a phrase of folded tokens.
type form struct {
	family          string
	leads, anywhere bool
}

// vocabulary is what the embedded tables say, all of it folded as names are.
type vocabulary struct {
	forms    map[string]form   // by phrase, words joined with spaces
	abbrev   map[string]string // by phrase
	classes  map[string]class  // by word; a place of several words is one word without spaces
	places   map[string]string // phrase of several words to that one word
	freeMail map[string]bool
	longest  int // words in the longest phrase
}

var tables = sync.OnceValue(func() *vocabulary {
	v := &vocabulary{forms: map[string]form{}, abbrev: map[string]string{}, classes: map[string]class{}, places: map[string]string{}, freeMail: map[string]bool{}}
	phrase := func(s string) string {
		words := joinInitials(split(s))
		v.longest = max(v.longest, len(words))
		return texts(words, " ")
	}
	lines("abbreviations.txt", func(head, body string) {
		for p := range strings.SplitSeq(body, ",") {
			v.abbrev[phrase(p)] = phrase(head)
		}
	})
	lines("legal_forms.txt", func(head, body string) {
		for p := range strings.SplitSeq(body, ",") {
			bare := strings.TrimLeft(strings.TrimSpace(p), "*^")
			marks := strings.TrimSuffix(strings.TrimSpace(p), bare)
			f := form{family: head, leads: strings.Contains(marks, "^"), anywhere: strings.Contains(marks, "*")}
			old := v.forms[phrase(bare)]
			f.leads, f.anywhere = f.leads || old.leads, f.anywhere || old.anywhere
			v.forms[phrase(bare)] = f
		}
	})
	lines("generic_words.txt", func(head, body string) {
		c := map[string]class{"stop": stop, "generic": generic}[head]
		for w := range strings.FieldsSeq(body) {
			w = fold(w)
			if canonical, ok := v.abbrev[w]; ok {
				w = canonical
			}
			if _, known := v.classes[w]; !known {
				v.classes[w] = c
			}
		}
	})
	lines("places.txt", func(_, body string) {
		for w := range strings.FieldsSeq(body) {
			p := phrase(strings.ReplaceAll(w, "-", " "))
			joined := strings.ReplaceAll(p, " ", "")
			if joined != p {
				v.places[p] = joined
			}
			v.classes[joined] = place
		}
	})
	lines("free_mail.txt", func(_, body string) {
		for w := range strings.FieldsSeq(body) {
			v.freeMail[w] = true
		}
	})
	return v
})

// lines calls f for each line "head: body" of a table; a line without a head has head "".
func lines(file string, f func(head, body string)) {
	text, err := files.ReadFile("tables/" + file)
	if err != nil {
		panic(err) // the file is embedded
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		head, body, ok := strings.Cut(line, ":")
		if !ok {
			head, body = "", line
		}
		f(strings.TrimSpace(head), body)
	}
}
