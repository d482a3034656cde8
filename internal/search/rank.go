package search

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/match"
)

// Worths of a typed word beside a word of an entry.
const (
	exact   = 1.0
	begins  = 0.9 // the typed word is its beginning
	inside  = 0.6 // it stands in the middle
	alike   = 0.8 // times how alike they are, at most this
	byOther = 0.7 // times this when the word is not in the label
	floor   = 0.4 // what fits less is not shown
)

// rank scores entries and returns those that fit, the best first. Every typed word must fit a
// word of the entry, each another one. A label that begins as it was typed, or has no word left
// over, is better.
func rank(text string, lists ...[]*entry) []Hit {
	typed := match.Words(text)
	type scored struct {
		*entry
		score float64
	}
	all := []scored{}
	for _, list := range lists {
		for _, e := range list {
			if s := e.score(typed); s >= floor {
				all = append(all, scored{e, s})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(step(b.score), step(a.score)), cmp.Compare(slices.Index(Kinds, a.hit.Kind), slices.Index(Kinds, b.hit.Kind)),
			cmp.Compare(b.score, a.score), cmp.Compare(b.weight, a.weight), cmp.Compare(a.hit.Label, b.hit.Label), cmp.Compare(a.hit.Note, b.hit.Note))
	})
	out := make([]Hit, len(all))
	for i, s := range all {
		out[i] = s.hit
		out[i].Score = s.score
	}
	return out
}

// some are at most limit of the hits, and whether there are others. Reports are many of a kind,
// one a month and client and format: they take no more than half while others fit, too.
func some(hits []Hit, limit int) (out []Hit, more bool) {
	if len(hits) <= limit {
		return hits, false
	}
	others := 0
	for _, h := range hits {
		if h.Kind != Report {
			others++
		}
	}
	reports := max(limit/2, limit-others)
	out = make([]Hit, 0, limit)
	for _, h := range hits {
		if len(out) == limit {
			break
		}
		if h.Kind == Report {
			if reports == 0 {
				continue
			}
			reports--
		}
		out = append(out, h)
	}
	return out, true
}

// step makes scores that nobody could tell apart equal, so that clients come before boards.
func step(score float64) float64 { return math.Round(score * 20) }

func (e *entry) score(typed []string) float64 {
	if len(typed) == 0 {
		return 0
	}
	total, letters := 0.0, 0
	used := map[int]bool{}
	for _, t := range typed {
		best, at := 0.0, -1
		for i, w := range e.label {
			if s := worth(t, w); s > best && !used[i] {
				best, at = s, i
			}
		}
		for _, w := range e.beside {
			if s := byOther * worth(t, w); s > best {
				best, at = s, -1
			}
		}
		if best == 0 {
			return 0
		}
		if at >= 0 {
			used[at] = true
		}
		total += best * float64(len(t))
		letters += len(t)
	}
	score := 0.9 * total / float64(letters)
	if strings.HasPrefix(strings.Join(e.label, " "), strings.Join(typed, " ")) {
		score += 0.05
	}
	if len(e.label) > 0 {
		score += 0.05 * min(1, float64(len(typed))/float64(len(e.label)))
	}
	return math.Round(score*1000) / 1000
}

// worth says how well a typed word fits a word of an entry.
func worth(typed, word string) float64 {
	switch {
	case typed == word:
		return exact
	case strings.HasPrefix(word, typed):
		return begins
	case len(typed) >= 3 && strings.Contains(word, typed):
		return inside
	}
	best := alike * match.Alike(typed, word)
	// Somebody is still typing: the beginning of the word may be what is meant, with a slip.
	if n := len(typed); n >= 4 && len(word) > n {
		best = max(best, 0.9*alike*match.Alike(typed, word[:n]))
	}
	return best
}
