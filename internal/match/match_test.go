package match

import (
	"encoding/csv"
	"fmt"
	"os"
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

func TestPairsOfNamesAreDecidedWithTheirEvidence(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/pairs.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		got := Match([]Entity{{ID: "e", Names: []string{row[0]}}}, []Name{{ID: "n", Text: row[1]}}, nil, Options{})[0]
		c := new(Corpus).Compare(row[0], row[1])
		if string(got.Verdict) != row[2] || !strings.Contains(strings.Join(c.Evidence, "; "), row[3]) {
			t.Errorf("%q against %q: got %s %.3f %q, want %s and %q", row[1], row[0], got.Verdict, c.Score, c.Evidence, row[2], row[3])
		}
	}
}

func TestKeysAndPeopleOutweighNames(t *testing.T) {
	t.Parallel()
	known := []Entity{
		{ID: "acme", Names: []string{"Acme Dental LLC"}, Keys: []Key{{"halo", "17"}, {KeyDomain, "acme.example"}, {KeyTaxID, "GB 123"}}},
		{ID: "zenith", Names: []string{"Zenith Law"}, Keys: []Key{{"halo", "18"}, {KeyEmail, "info@gmail.com"}}},
		{ID: "site", Names: []string{"Orchard House"}, Keys: []Key{{KeyCity, "Leeds"}}},
	}
	for _, c := range []struct {
		why      string
		name     Name
		rulings  []Ruling
		want     Verdict
		entity   string
		evidence string
	}{
		{"an equal number settles it", Name{Text: "A. D. Holdings", Keys: []Key{{"halo", "17"}}}, nil, Same, "acme", "same halo number"},
		{"another number keeps equal names apart", Name{Text: "Acme Dental LLC", Keys: []Key{{"halo", "99"}}}, nil, Review, "", "halo number differs: 99 / 17"},
		{"two numberings that disagree ask a person", Name{Text: "Acme Dental", Keys: []Key{{"halo", "17"}, {KeyTaxID, "GB999"}}}, nil, Review, "", "tax number differs"},
		{"numbers of two entities ask a person", Name{Text: "Acme Dental", Keys: []Key{{"halo", "18"}, {KeyTaxID, "gb123"}}}, nil, Review, "", "differs"},
		{"a domain makes up for a typing error", Name{Text: "Acmee Dental", Keys: []Key{{KeyEmail, "bob@ACME.example"}}}, nil, Same, "acme", "same e-mail domain"},
		{"a domain alone asks a person", Name{Text: "Something Else", Keys: []Key{{KeyDomain, "https://www.acme.example/x"}}}, nil, Review, "", "same e-mail domain"},
		{"a sister on the same domain is not taken for it", Name{Text: "Acme Dental Inc", Keys: []Key{{KeyDomain, "acme.example"}}}, nil, Review, "", "legal form differs"},
		{"free mail says nothing", Name{Text: "Something Else", Keys: []Key{{KeyDomain, "gmail.com"}}}, nil, New, "", "no known name"},
		{"another city asks a person", Name{Text: "Orchard House", Keys: []Key{{KeyCity, "York"}}}, nil, Review, "", "place differs: york / leeds"},
		{"a person joins", Name{Text: "Totally Other"}, []Ruling{{"totally OTHER.", "zenith", true}}, Same, "zenith", "a person decided"},
		{"a person parts", Name{Text: "Acme Dental LLC", Keys: []Key{{"halo", "17"}}}, []Ruling{{"Acme Dental LLC", "acme", false}}, New, "", "no known name"},
		{"parting wins", Name{Text: "Acme Dental LLC"}, []Ruling{{"Acme Dental LLC", "acme", true}, {"Acme Dental LLC", "acme", false}}, New, "", "no known name"},
		{"no text is new", Name{Text: "  --- "}, nil, New, "", "no known name"},
	} {
		got := Match(known, []Name{c.name}, c.rulings, Options{})[0]
		if got.Verdict != c.want || got.Entity != c.entity || !strings.Contains(strings.Join(got.Evidence, "; "), c.evidence) {
			t.Errorf("%s: got %s %q %.3f %q, want %s %q and %q", c.why, got.Verdict, got.Entity, got.Score, got.Evidence, c.want, c.entity, c.evidence)
		}
	}
}

func TestTwoNamesOfOneSourceAreNeverMatchedToOneEntityByLikeness(t *testing.T) {
	t.Parallel()
	known := []Entity{{ID: "e", Names: []string{"Acme Dental Inc"}}}
	got := Match(known, []Name{{ID: "1", Text: "Acme Dental"}, {ID: "2", Text: "ACME DENTAL INC."}, {ID: "3", Text: "Acme Dental, Inc", Weight: 2}}, nil, Options{})
	if got[0].Verdict != Review || got[1].Verdict != Same || got[2].Verdict != Same {
		t.Errorf("got %s %s %s, want review same same", got[0].Verdict, got[1].Verdict, got[2].Verdict)
	}
	if got[1].DuplicateOf != "3" || got[2].DuplicateOf != "" {
		t.Errorf("duplicates: got %q %q, want the heavier record to represent both", got[1].DuplicateOf, got[2].DuplicateOf)
	}
	got = Match(known, []Name{{ID: "1", Text: "Acme Dental"}, {ID: "2", Text: "Acme Dental Incorporated", Keys: []Key{{"halo", "1"}}}, {ID: "3", Text: "Acme Dental Incorporated", Keys: []Key{{"halo", "2"}}}}, nil, Options{})
	for _, d := range got {
		if d.Verdict != Review {
			t.Errorf("records with different numbers: got %s for %s, want review", d.Verdict, d.ID)
		}
	}
}

func TestAChainOfLearnedNamesDoesNotJoinItsEnds(t *testing.T) {
	t.Parallel()
	known := []Entity{{ID: "e", Names: []string{"Acme Harbor Dental"}, Learned: []string{"Harbor Dental"}}}
	name := []Name{{ID: "n", Text: "Harbor Dental Clinic of Hull"}}
	if d := Match(known, name, nil, Options{Upper: 0.83, Lower: 0.8}); d[0].Verdict == Same {
		t.Errorf("got %+v, want no automatic match through a learned name", d[0])
	}
	known[0].Names = []string{"Zenith Law"}
	name[0].Text = "Harbor Dental"
	if d := Match(known, name, nil, Options{}); d[0].Verdict != Review || !strings.Contains(d[0].Evidence[0], "unlike other names") {
		t.Errorf("got %+v, want review for a name unlike the given one", d[0])
	}
}

func TestSeveralEqualEntitiesAskAPerson(t *testing.T) {
	t.Parallel()
	known := []Entity{{ID: "a", Names: []string{"Acme LLC"}}, {ID: "b", Names: []string{"Acme Inc"}}, {ID: "c", Names: []string{"Zenith"}}, {ID: "d", Names: []string{"Zenith"}}}
	for text, want := range map[string]Verdict{"Acme": Review, "Acme LLC": Same, "Zenith": Review} {
		if d := Match(known, []Name{{ID: "n", Text: text}}, nil, Options{}); d[0].Verdict != want || len(d[0].Candidates) != 2 {
			t.Errorf("%s: got %+v, want %s with two candidates", text, d[0], want)
		}
	}
}

// Folding must reach a fixed point, so what a table maps to may not be mapped on.
func TestTablesMapToFinalWords(t *testing.T) {
	t.Parallel()
	v := tables()
	for variant, canonical := range v.abbrev {
		if next, ok := v.abbrev[canonical]; ok {
			t.Errorf("abbreviations: %q becomes %q, which becomes %q", variant, canonical, next)
		}
		if _, ok := v.forms[canonical]; ok {
			t.Errorf("abbreviations: %q becomes %q, a legal form", variant, canonical)
		}
	}
}

func Example() {
	known := []Entity{{ID: "c1", Names: []string{"Lakeshore Dental LLC"}}}
	for _, d := range Match(known, []Name{{ID: "row 2", Text: "LAKESHORE DENTAL"}, {ID: "row 3", Text: "Lakeshore Dental (York)"}}, nil, Options{}) {
		fmt.Printf("%s: %s %.2f, %s\n", d.ID, d.Verdict, d.Score, strings.Join(d.Evidence, "; "))
	}
	// Output:
	// row 2: same 0.99, the words are equal; only one has the legal form 'llc'
	// row 3: review 0.84, rare word 'lakeshore' agrees; only one has the place 'york'; only one has the legal form 'llc'
}
