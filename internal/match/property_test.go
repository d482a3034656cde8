package match

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var pieces = []string{"Lakeshore", "Müller", "Smith", "Andersen", "Acme", "IBM", "O'Brien", "Dental", "Services", "Group", "Bank", "of",
	"the", "Leeds", "(York)", "North", "LLC", "Inc.", "GmbH & Co. KG", "N. V.", "S.A.", "dba", "t/a", ":", "/", "&", ",", "2", "II", "1st", "Газпром", "ООО", "X", "-"}

func anyName() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
			return rapid.String().Draw(t, "text")
		}
		s := ""
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 6).Draw(t, "pieces") {
			s += p + " "
		}
		return s
	})
}

func TestNormalizingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once := Normalize(anyName().Draw(t, "name"))
		if twice := Normalize(once); twice != once {
			t.Fatalf("got %q then %q", once, twice)
		}
	})
}

func TestScoreOfAPairIsSymmetricAndAShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyName().Draw(t, "a"), anyName().Draw(t, "b")
		c := NewCorpus([]string{a, b, "Lakeshore Dental"})
		x, y := c.Compare(a, b), c.Compare(b, a)
		if x.Score != y.Score || x.Conflict != y.Conflict || !(x.Score >= 0 && x.Score <= 1) {
			t.Fatalf("%q and %q: got %v and %v", a, b, x, y)
		}
		if own := c.Compare(a, a); Normalize(a) != "" && own.Score != 1 {
			t.Fatalf("%q with itself: got %v, want 1", a, own.Score)
		}
	})
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	t.Parallel()
	known, names, _ := world(3, 120)
	rulings := []Ruling{{names[0].Text, "k000003", true}, {names[0].Text, "k000004", true}, {names[1].Text, "k000001", false}}
	want := map[string]Decision{}
	for _, d := range Match(known, names, rulings, Options{}) {
		want[d.ID] = d
	}
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 0))
		r.Shuffle(len(known), func(i, j int) { known[i], known[j] = known[j], known[i] })
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		slices.Reverse(rulings)
		for _, d := range Match(known, names, rulings, Options{}) {
			if !reflect.DeepEqual(d, want[d.ID]) {
				t.Fatalf("got %+v, want %+v", d, want[d.ID])
			}
		}
	}
}

func TestAnUnrelatedEntityNeverChangesAnExactMatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, other := anyName().Draw(t, "name"), anyName().Draw(t, "other")
		if Normalize(text) == "" || new(Corpus).Compare(text, other).Score == 1 {
			t.Skip()
		}
		known := []Entity{{ID: "a", Names: []string{text}}}
		for range 2 {
			if d := Match(known, []Name{{ID: "n", Text: text}}, nil, Options{})[0]; d.Verdict != Same || d.Entity != "a" || d.Score != 1 {
				t.Fatalf("%q beside %q: got %+v", text, other, d)
			}
			known = append(known, Entity{ID: "b", Names: []string{other}})
		}
	})
}

func FuzzNormalizeAndCompare(f *testing.F) {
	for _, s := range []string{"Smith & Sons Plumbing", "N. V.PHILIPS", "ООО \"БАЙ\"", "Acme Ltd, Leeds (UK)", "A:B:C", "x dba y", "ﬁne Straße İstanbul", "a s b v n", "((", "\xff"} {
		f.Add(s, "Acme GmbH & Co. KG")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 400 {
			t.Skip() // bounds the time of one input
		}
		once := Normalize(a)
		if twice := Normalize(once); twice != once {
			t.Errorf("normalized %q to %q, then %q", a, once, twice)
		}
		c := new(Corpus)
		x, y := c.Compare(a, b), c.Compare(b, a)
		if x.Score != y.Score || !(x.Score >= 0 && x.Score <= 1) {
			t.Errorf("%q and %q: got %v and %v", a, b, x.Score, y.Score)
		}
	})
}

// A hostile cell must not hold an import up.
func TestLongNamesAreScoredInTime(t *testing.T) {
	t.Parallel()
	var words []string
	for i := range 20_000 {
		words = append(words, fmt.Sprintf("lakeshor%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26))
	}
	a := strings.Join(words, " ")
	slices.Reverse(words)
	start := time.Now()
	new(Corpus).Compare(a, strings.Join(words, " ")+strings.Repeat("(", 10_000)+strings.Repeat(" dba ", 1_000))
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("got %v for one pair", took)
	}
}
