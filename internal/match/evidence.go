package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// This file says in words why two names are, or are not, taken for the same.

// explain puts the evidence in words.
func explain(a, b *view, links []link, freeA, freeB []bool, ordered bool, special string) []string {
	var out []string
	if special != "" {
		out = append(out, special)
	}
	words := func(ts []token) string { return texts(ts, " ") }
	slices.SortStableFunc(links, func(x, y link) int {
		return cmp.Compare(a.words[y.i].weight*y.like, a.words[x.i].weight*x.like)
	})
	for _, l := range links {
		x, y := words(a.words[l.i:l.i+l.n]), words(b.words[l.j:l.j+l.m])
		switch c := a.words[l.i].class; {
		case l.like == 1 && c == rare:
			out = append(out, fmt.Sprintf("rare word '%s' agrees", x))
		case l.like == 1 && (c == place || c == number):
			out = append(out, fmt.Sprintf("'%s' agrees", x))
		case l.like == 1:
		case l.note == "joined":
			out = append(out, fmt.Sprintf("same when written together: %s / %s", x, y))
		case l.note == "initial":
			out = append(out, fmt.Sprintf("initial agrees: %s / %s", x, y))
		default:
			out = append(out, fmt.Sprintf("similar: %s / %s", x, y))
		}
	}
	free := func(words []token, free []bool, of class) string {
		var s []string
		for i, t := range words {
			if free[i] && t.class == of {
				s = append(s, t.text)
			}
		}
		return strings.Join(s, " ")
	}
	for _, c := range []struct {
		class class
		noun  string
	}{{number, "number"}, {place, "place"}, {rare, "word"}, {generic, "common word"}} {
		switch x, y := free(a.words, freeA, c.class), free(b.words, freeB, c.class); {
		case x != "" && y != "":
			out = append(out, fmt.Sprintf("%s differs: %s / %s", c.noun, x, y))
		case x+y != "":
			out = append(out, fmt.Sprintf("only one has the %s '%s'", c.noun, x+y))
		}
	}
	out = append(out, formEvidence(a, b)...)
	if !ordered {
		out = append(out, "the words come in another order")
	}
	return out
}

func formEvidence(a, b *view) []string {
	x, y := strings.Join(a.spelled, " "), strings.Join(b.spelled, " ")
	switch {
	case formsDiffer(a, b):
		return []string{fmt.Sprintf("legal form differs: %s / %s", x, y)}
	case len(a.forms) > 0 && slices.Equal(a.forms, b.forms):
		return []string{"legal form agrees"}
	case len(a.forms)+len(b.forms) > 0 && (len(a.forms) == 0 || len(b.forms) == 0):
		return []string{fmt.Sprintf("only one has the legal form '%s'", x+y)}
	}
	return nil
}
