package match

import (
	"slices"
	"strings"
	"testing"
)

// Every example of the product's client name rules, with the decision it must lead to.
func TestNamesThatLookAlikeAreDecidedAsThePublishedExamplesSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		known, name string
		want        Verdict
		evidence    string
	}{
		{"Smith & Sons Plumbing", "Plumbing - Smith and Sons", Same, "rare word 'smith' agrees"},
		{"Anderson Law Group", "Andersen Law Group", Review, "similar: "},
		{"First National Bank of Omaha", "First National Bank of Texas", New, "place differs: "},
		{"UT Financial Services Ltd", "MC Financial Services Limited", New, "word differs: "},
		{"Riverside Dental (Leeds)", "Riverside Dental (York)", New, "place differs: "},
		{"International Business Machines", "IBM", Review, "initials"},
	} {
		for _, pair := range [][2]string{{c.known, c.name}, {c.name, c.known}} {
			got := Match([]Entity{{ID: "e", Names: []string{pair[0]}}}, []Name{{ID: "n", Text: pair[1]}}, nil, Options{})[0]
			var all []string
			for _, candidate := range got.Candidates {
				all = append(all, candidate.Evidence...)
			}
			if got.Verdict != c.want || got.Verdict != New && !slices.ContainsFunc(all, func(e string) bool { return strings.Contains(e, c.evidence) }) {
				t.Errorf("%q against %q: got %s %.3f %q, want %s and evidence %q", pair[1], pair[0], got.Verdict, got.Score, all, c.want, c.evidence)
			}
		}
	}
}
