package dataset

import (
	"math"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/match"
)

func TestAScoreThatIsNoNumberIsAnErrorAndNoPanic(t *testing.T) {
	t.Parallel()
	l := &load{source: "psa"}
	name := match.Name{ID: "Harbor", Text: "Harbor"}
	decide := func(score float64) error {
		return l.settle(KindClient, []match.Name{name}, []match.Decision{{Verdict: match.Review, Candidates: []match.Candidate{{Entity: "Harbor Dental", Score: score}}}})
	}
	if err := decide(math.NaN()); err == nil || !strings.Contains(err.Error(), "Harbor") {
		t.Errorf("got %v, want an error that names the name", err)
	}
	if err := decide(0.9); err != nil || len(l.found.proposals) != 1 {
		t.Errorf("got %v and %d proposals, want 1", err, len(l.found.proposals))
	}
}
