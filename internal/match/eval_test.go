package match

import (
	"compress/gzip"
	"encoding/csv"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// evalData opens a file of the public test data, or skips: `make eval-match` runs these tests.
func evalData(t *testing.T, name string) []map[string]string {
	t.Helper()
	root := os.Getenv("MOAT_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data") // shared/ beside the repository
	}
	f, err := os.Open(filepath.Join(root, "d_match", name))
	if err != nil {
		t.Skipf("public test data is not here: set MOAT_DATA (%v)", err)
	}
	t.Cleanup(func() { _ = f.Close() })
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, column := range rows[0] {
			m[column] = row[i]
		}
		out = append(out, m)
	}
	return out
}

// scale is the thresholds tried.
func scale() []float64 {
	var out []float64
	for n := 40; n <= 100; n++ {
		out = append(out, float64(n)/100)
	}
	return out
}

// choose returns the threshold with the best value; of a plateau the middle.
func choose(value func(float64) float64) float64 {
	best, at := -1.0, []float64(nil)
	for _, t := range scale() {
		switch v := value(t); {
		case v > best:
			best, at = v, []float64{t}
		case v == best:
			at = append(at, t)
		}
	}
	return at[len(at)/2]
}

type counts struct{ right, wrong, missed int }

func (c counts) precision() float64 { return share(c.right, c.right+c.wrong) }
func (c counts) recall() float64    { return share(c.right, c.right+c.missed) }
func (c counts) f1() float64        { return share(2*c.right, 2*c.right+c.wrong+c.missed) }

func share(n, of int) float64 {
	if of == 0 {
		return 1
	}
	return float64(n) / float64(of)
}

// PatStat: rows are spellings of company names; the gold id is a group of companies. Firms are
// halved by the order of their gold id, names are clustered by single link within a half.
func TestEvalPatStat(t *testing.T) {
	rows := evalData(t, "patstat_company_names.csv.gz")
	var names, gold []string
	firms := map[int]bool{}
	for _, r := range rows {
		names, gold = append(names, r["person_name"]), append(gold, r["leuven_id"])
		id, err := strconv.Atoi(r["leuven_id"])
		if err != nil {
			t.Fatal(err)
		}
		firms[id] = true
	}
	half := map[string]int{}
	for i, id := range slices.Sorted(maps.Keys(firms)) {
		half[strconv.Itoa(id)] = i % 2
	}

	distinct := slices.Compact(slices.Sorted(slices.Values(names)))
	at := map[string]int{}
	for i, n := range distinct {
		at[n] = i
	}
	c := NewCorpus(names)
	parsed := make([]*name, len(distinct))
	for i, n := range distinct {
		parsed[i] = c.weigh(parse(n))
	}
	score := make([][]float64, len(distinct))
	auto := make([][]bool, len(distinct))
	for i := range distinct {
		score[i], auto[i] = make([]float64, len(distinct)), make([]bool, len(distinct))
	}
	for i := range distinct {
		for j := range i + 1 {
			s := c.compare(parsed[i], parsed[j])
			score[i][j], score[j][i] = s.score, s.score
			auto[i][j] = s.score >= 0.95 && !s.hard
			auto[j][i] = auto[i][j]
		}
	}

	var band counts
	for i := range names {
		for j := range i {
			a, b := at[names[i]], at[names[j]]
			switch same := gold[i] == gold[j]; {
			case auto[a][b] && same:
				band.right++
			case auto[a][b]:
				band.wrong++
			case same:
				band.missed++
			}
		}
	}
	t.Logf("automatic band over all %d pairs: precision %.4f, recall %.4f (%d right, %d wrong)", len(names)*(len(names)-1)/2,
		band.precision(), band.recall(), band.right, band.wrong)
	if band.precision() < 0.995 {
		t.Errorf("automatic precision %.4f, want at least 0.995", band.precision())
	}

	// As an import meets them: every other spelling of a firm is known, the rest come one by one.
	var known []Entity
	var fresh []Name
	truth, seen := map[string]string{}, map[string]int{}
	firm := map[string]*Entity{}
	for i, n := range distinct {
		id := gold[slices.Index(names, n)]
		if seen[id]++; seen[id]%2 == 0 {
			fresh = append(fresh, Name{ID: strconv.Itoa(i), Text: n})
			truth[strconv.Itoa(i)] = id
			continue
		}
		if firm[id] == nil {
			firm[id] = &Entity{ID: id}
		}
		firm[id].Names = append(firm[id].Names, n)
	}
	for _, id := range slices.Sorted(maps.Keys(firm)) {
		known = append(known, *firm[id])
	}
	var decisions []Decision
	for _, n := range fresh {
		decisions = append(decisions, Match(known, []Name{n}, nil, Options{})...)
	}
	t.Log("every other spelling known:")
	tally(t, decisions, truth)

	cluster := func(which int, threshold float64) (pairs counts, bcubed float64) {
		var rows []int
		for i := range names {
			if which < 0 || half[gold[i]] == which {
				rows = append(rows, i)
			}
		}
		root := make([]int, len(names))
		for i := range root {
			root[i] = i
		}
		var find func(int) int
		find = func(i int) int {
			if root[i] != i {
				root[i] = find(root[i])
			}
			return root[i]
		}
		for x, i := range rows {
			for _, j := range rows[:x] {
				if score[at[names[i]]][at[names[j]]] >= threshold {
					root[find(i)] = find(j)
				}
			}
		}
		both, firm, found := map[[2]string]int{}, map[string]int{}, map[int]int{}
		for _, i := range rows {
			both[[2]string{gold[i], strconv.Itoa(find(i))}]++
			firm[gold[i]]++
			found[find(i)]++
		}
		two := func(n int) int { return n * (n - 1) / 2 }
		for _, n := range both {
			pairs.right += two(n)
		}
		for _, n := range firm {
			pairs.missed += two(n)
		}
		for _, n := range found {
			pairs.wrong += two(n)
		}
		pairs.missed -= pairs.right
		pairs.wrong -= pairs.right
		// B-cubed (Bagga & Baldwin 1998), each firm counting once instead of each row.
		var p, r float64
		for k, n := range both {
			c, _ := strconv.Atoi(k[1])
			of := float64(n) / float64(firm[k[0]])
			p += of * float64(n) / float64(found[c])
			r += of * of
		}
		p, r = p/float64(len(firm)), r/float64(len(firm))
		return pairs, 2 * p * r / (p + r)
	}
	for _, train := range []int{0, 1} {
		threshold := choose(func(x float64) float64 { pairs, _ := cluster(train, x); return pairs.f1() })
		fit, _ := cluster(train, threshold)
		pairs, b := cluster(1-train, threshold)
		t.Logf("threshold %.2f chosen on half %d (F1 %.4f); half %d: pairwise precision %.4f recall %.4f F1 %.4f, B-cubed per firm %.4f",
			threshold, train, fit.f1(), 1-train, pairs.precision(), pairs.recall(), pairs.f1(), b)
		if pairs.f1() < 0.97 {
			t.Errorf("pairwise F1 on the held-out half %.4f, want at least 0.97", pairs.f1())
		}
	}
	if os.Getenv("MOAT_EVAL_CURVE") != "" {
		for _, x := range scale() {
			p0, b0 := cluster(0, x)
			p1, b1 := cluster(1, x)
			t.Logf("threshold %.2f: half 0 F1 %.4f B3 %.4f; half 1 F1 %.4f B3 %.4f", x, p0.f1(), b0, p1.f1(), b1)
		}
	}
}

// OpenSanctions: labeled pairs of organization names. The threshold comes from the even rows.
func TestEvalOpenSanctionsOrganizations(t *testing.T) {
	rows := evalData(t, "opensanctions_namebench_org.csv")
	c := &Corpus{}
	at := func(half int, threshold float64) counts {
		var n counts
		for i, r := range rows {
			if i%2 != half {
				continue
			}
			same, linked := r["is_match"] == "true", c.Compare(r["name1"], r["name2"]).Score >= threshold
			switch {
			case same && linked:
				n.right++
			case linked:
				n.wrong++
			case same:
				n.missed++
			}
		}
		return n
	}
	for _, train := range []int{0, 1} {
		threshold := choose(func(x float64) float64 { return at(train, x).f1() })
		got := at(1-train, threshold)
		t.Logf("threshold %.2f chosen on half %d (F1 %.4f); half %d: precision %.4f recall %.4f F1 %.4f (anchor 0.7788)",
			threshold, train, at(train, threshold).f1(), 1-train, got.precision(), got.recall(), got.f1())
		if got.f1() < 0.86 {
			t.Errorf("F1 on the held-out half %.4f, want at least 0.86", got.f1())
		}
	}
	var band counts
	for _, r := range rows {
		if s := c.Compare(r["name1"], r["name2"]); s.Score >= 0.95 && !s.Conflict {
			if r["is_match"] == "true" {
				band.right++
			} else {
				band.wrong++
			}
		}
	}
	t.Logf("automatic band: %d right, %d wrong", band.right, band.wrong)
}
