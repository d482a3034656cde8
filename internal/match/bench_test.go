package match

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// world makes known clients and an import of as many names with the truth: a third of them as
// known, a third spelled as exports spell them, a third new, half of these built to be confused
// with a known client (another place, number, legal form or family name).
func world(seed uint64, size int) (known []Entity, names []Name, truth map[string]string) {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	word := func() string {
		var b strings.Builder
		for range 2 + r.IntN(2) {
			b.WriteString(pick("b", "br", "c", "ch", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "v", "w", "z"))
			b.WriteString(pick("a", "e", "i", "o", "u", "ee", "ai", "ou"))
			b.WriteString(pick("", "", "l", "n", "r", "rd", "ck", "ll", "nt", "s", "m"))
		}
		s := b.String()
		return strings.ToUpper(s[:1]) + s[1:]
	}
	trade := func() string {
		return pick("Dental", "Plumbing", "Law", "Logistics", "Insurance", "Medical", "Construction", "Family Practice", "Engineering",
			"Real Estate", "Accounting", "Manufacturing", "Software", "Veterinary Clinic", "Landscaping", "Consulting", "Foods", "Motors")
	}
	tail := func() string {
		return pick("Group", "Services", "Associates", "Partners", "Center", "Solutions", "Company", "")
	}
	form := func() string { return pick("LLC", "Inc", "Inc.", "Ltd", "Limited", "Corp", "GmbH", "", "", "") }
	city := func() string { return pick("Leeds", "York", "Omaha", "Austin", "Dayton", "Bristol", "Reno", "Tulsa") }
	type parts struct{ a, b, trade, tail, place, number, form string }
	text := func(p parts) string {
		s := p.a
		if p.b != "" {
			s += " & " + p.b
		}
		return strings.Join(strings.Fields(strings.Join([]string{s, p.trade, p.tail, p.place, p.number, p.form}, " ")), " ")
	}
	fresh := func() parts {
		p := parts{a: word(), trade: trade(), tail: tail(), form: form()}
		if r.IntN(3) == 0 {
			p.b = word()
		}
		if r.IntN(6) == 0 {
			p.place = city()
		}
		if r.IntN(15) == 0 {
			p.number = fmt.Sprint(1 + r.IntN(30))
		}
		return p
	}
	typo := func(s string) string {
		i := 1 + r.IntN(len(s)-2)
		switch r.IntN(3) {
		case 0:
			return s[:i] + s[i+1:]
		case 1:
			return s[:i] + s[i+1:i+2] + s[i:i+1] + s[i+2:]
		}
		return s[:i] + pick("a", "e", "n", "s", "t") + s[i+1:]
	}
	noisy := func(p parts) string {
		s := text(p)
		switch r.IntN(8) {
		case 0:
			return strings.ToUpper(s)
		case 1:
			p.form = ""
			return text(p)
		case 2:
			return strings.NewReplacer("Services", "Svcs", "Associates", "Assoc", "Center", "Ctr", "Manufacturing", "Mfg", "&", "and", "Group", "Grp").Replace(s)
		case 3:
			return s[:min(30, len(s))]
		case 4:
			return typo(s)
		case 5:
			return word() + " Holdings LLC dba " + s
		case 6:
			return "The " + strings.ReplaceAll(s, " ", "  ") + ","
		}
		p.tail = ""
		return text(p)
	}
	var all []parts
	for i := range size {
		p := fresh()
		all = append(all, p)
		known = append(known, Entity{ID: fmt.Sprintf("k%06d", i), Names: []string{text(p)}})
	}
	truth = map[string]string{}
	for i := range size {
		n := Name{ID: fmt.Sprintf("n%06d", i)}
		k := r.IntN(size)
		switch p := all[k]; r.IntN(6) {
		case 0, 1:
			n.Text, truth[n.ID] = text(p), known[k].ID
		case 2, 3:
			n.Text, truth[n.ID] = noisy(p), known[k].ID
		case 4:
			switch r.IntN(5) {
			case 0:
				p.place += " " + city()
			case 1:
				p.number += fmt.Sprint(31 + r.IntN(30))
			case 2:
				if p.form != "" { // a form more is no difference that a name can show
					p.form = pick("Oy", "S.A.", "LLP", "PLC")
				}
			case 3:
				p.a = typo(p.a)
			case 4:
				p.tail, p.trade = pick("Foundation", "Holdings", "Capital"), trade()
			}
			if n.Text = text(p); Normalize(n.Text) == Normalize(text(all[k])) && p.form == all[k].form {
				truth[n.ID] = known[k].ID
			}
		default:
			n.Text = text(fresh())
		}
		names = append(names, n)
	}
	return known, names, truth
}

// A hundred thousand new names against as many known ones, with the error of the automatic band.
func BenchmarkMatch100k(b *testing.B) {
	known, names, truth := world(7, 100_000)
	for b.Loop() {
		start := time.Now()
		decisions := Match(known, names, nil, Options{})
		took := time.Since(start)
		b.ReportMetric(took.Seconds(), "s/match")
		tally(b, decisions, truth)
	}
}

// tally logs how an import was decided.
func tally(tb testing.TB, decisions []Decision, truth map[string]string) (auto counts) {
	var review, found, existing int
	for _, d := range decisions {
		want := truth[d.ID]
		if want != "" {
			existing++
		}
		switch d.Verdict {
		case Same:
			if d.Entity == want {
				auto.right++
				found++
			} else {
				auto.wrong++
			}
		case Review:
			review++
			if slices.ContainsFunc(d.Candidates, func(c Candidate) bool { return c.Entity == want }) {
				found++
			}
		}
	}
	tb.Logf("%d names: %d automatic with precision %.4f, %d to review; %.4f of the known ones found by either", len(decisions),
		auto.right+auto.wrong, auto.precision(), review, share(found, existing))
	return auto
}

func TestAutomaticMatchesAreRightAmongConfusingNames(t *testing.T) {
	t.Parallel()
	known, names, truth := world(11, 4_000)
	if got := tally(t, Match(known, names, nil, Options{}), truth); got.precision() < 0.995 {
		t.Errorf("automatic precision %.4f, want at least 0.995", got.precision())
	}
}
