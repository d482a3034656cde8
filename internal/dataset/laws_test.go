package dataset_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

// form is a kind of file whose rows a law is tried on.
type form struct {
	name, file, header string
	row                func(r *rand.Rand, i int) string
	keyed              bool // every row has an id: files may come in parts
}

// one picks one of several texts.
func one(r *rand.Rand, texts ...string) string { return texts[r.IntN(len(texts))] }

func someClient(r *rand.Rand) string {
	return one(r, "Harbor Dental", "HARBOR DENTAL", "Bay Clinic", "Old Mill", "Old Mill Ltd", "Quay & Sons", "")
}

func someDay(r *rand.Rand) string {
	return fmt.Sprintf("2026-%02d-%02d", 1+r.IntN(3), 1+r.IntN(9))
}

// forms have few different values, so that equal rows and equal keys are many; one row in
// about twelve cannot be stored.
var forms = []form{
	{"rows by their content", "time.csv", "staff_name,client_name,date,hours,notes", func(r *rand.Rand, _ int) string {
		return strings.Join([]string{one(r, "Dana", "Sam", ""), someClient(r), someDay(r), one(r, "1", "1.0", "2.5", "2:30", "1", "1", "1", "1", "1", "1", "soon"), one(r, "a", "")}, ",")
	}, false},
	{"rows by their id", "time.csv", "time_entry_id,staff_name,client_name,date,hours", func(_ *rand.Rand, i int) string {
		r := rand.New(rand.NewPCG(uint64(i*2/3), 5)) // every third id stands twice and says the same
		return fmt.Sprintf("T%d,", i*2/3) + strings.Join([]string{one(r, "Dana", "Sam"), someClient(r), someDay(r), one(r, "1", "2.5", "7", "1", "1", "1", "1", "1", "1", "x")}, ",")
	}, true},
	{"invoice lines by number", "invoices.csv", "invoice_number,line_number,client_name,date,quantity,unit_price,status", func(r *rand.Rand, _ int) string {
		return strings.Join([]string{one(r, "1", "2"), one(r, "1", "2"), someClient(r), "2026-02-01", one(r, "1", "2"), one(r, "10", "20", "10", "10", "10", "10", "ten"), "sent"}, ",")
	}, false},
	{"invoice lines by content", "invoices.csv", "invoice_number,client_name,date,item,quantity,unit_price", func(r *rand.Rand, _ int) string {
		return strings.Join([]string{one(r, "1", "2"), someClient(r), "2026-02-01", one(r, "Support", "Laptop"), one(r, "1", "2"), one(r, "10", "20", "")}, ",")
	}, false},
	{"an invoice register", "invoices.csv", "invoice_number,client_name,date,amount,status", func(r *rand.Rand, _ int) string {
		return strings.Join([]string{one(r, "1", "2", "3", "4"), someClient(r), someDay(r), one(r, "10", "20", "-5", "10", "10", "10", "10", "??"), "sent"}, ",")
	}, false},
	{"documents with lines", "invoices.csv", "invoice_number,client_name,date,total_amount,lines_json", func(_ *rand.Rand, i int) string {
		r := rand.New(rand.NewPCG(uint64(i/2), 9))
		return fmt.Sprintf(`%d,%s,%s,%s,"[{""quantity"": %s, ""unit_price"": 10}, {""quantity"": 1, ""unit_price"": %s}]"`, i/2, someClient(r), someDay(r), "30", one(r, "1", "2"), one(r, "5", "20", "cheap"))
	}, true},
	{"licenses by their natural key", "licenses.csv", "client_name,product_name,seats_purchased,seats_used,unit_cost", func(_ *rand.Rand, i int) string {
		r := rand.New(rand.NewPCG(uint64(i/2), 7))
		return strings.Join([]string{one(r, "Harbor Dental", "Bay Clinic", "Old Mill"), fmt.Sprintf("Product %d", i/2), one(r, "10", "20", "many"), "5", "9.90"}, ",")
	}, true},
	{"rates of staff", "staff.csv", "staff_name,staff_email,cost_rate,valid_from", func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("Person %d,p%d@example.com,%d,2026-%02d-01", i/5, i/5, 40+i%5, 1+i%5)
	}, true},
	{"clients in several spellings", "clients.csv", "client_name,industry,status", func(r *rand.Rand, i int) string {
		return one(r, "Harbor Dental", "HARBOR DENTAL", "harbor dental", "Bay Clinic", "Quay & Sons", "Quay and Sons") + one(r, "", " "+fmt.Sprint(i%7)) + ",Health,active"
	}, false},
}

// allStored is every stored row of some datasets, with who and what they name, without
// where it came from.
func (x *world) allStored(t testing.TB, names ...string) []string {
	t.Helper()
	names = append(names, dataset.TablePeople, dataset.TableAliases)
	var out []string
	for _, table := range dataset.Tables() {
		if !slices.Contains(names, strings.TrimSuffix(table.Name, "_private")) {
			continue
		}
		for _, row := range x.rows(t, "SELECT * EXCLUDE (import_id, record) FROM "+table.Name+" ORDER BY ALL", table.Name) {
			out = append(out, table.Name+"|"+row)
		}
	}
	return out
}

// sameRows compares stored rows and shows the first that differ.
func sameRows(t testing.TB, what string, got, want []string) {
	t.Helper()
	has := func(list []string) map[string]int {
		m := map[string]int{}
		for _, r := range list {
			m[r]++
		}
		return m
	}
	g, w := has(got), has(want)
	shown := 0
	for _, r := range append(slices.Clone(want), got...) {
		if g[r] != w[r] && shown < 6 {
			t.Errorf("%s: stored %d times, want %d: %s", what, g[r], w[r], r)
			g[r] = w[r]
			shown++
		}
	}
	if len(want) == 0 {
		t.Errorf("%s: nothing is stored", what)
	}
}

// twoWorlds are two tenants that give people the same pseudonyms and know some clients.
func twoWorlds(t testing.TB) (x, y *world) {
	t.Helper()
	x, y = newWorld(t), newWorld(t)
	for _, w := range []*world{x, y} {
		if err := w.db.Transact(t.Context(), func(tx *metadb.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO control (key, value) VALUES ($1, $2)", "staff_salt:acme", "00112233445566778899aabbccddeeff")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		w.load(t, "clients.csv", lawClients)
	}
	return x, y
}

const lawClients = "client_name\nHarbor Dental\nBay Clinic\nOld Mill\n"

// seeds runs a law for each form, once or as often as MOAT_LAWS says; the seed is in the
// name of the test.
func seeds(t *testing.T, law func(t *testing.T, f form, rows []string, r *rand.Rand)) {
	n := uint64(1)
	if times, err := strconv.ParseUint(os.Getenv("MOAT_LAWS"), 10, 16); err == nil {
		n = times
	}
	for _, f := range forms {
		for seed := range n {
			t.Run(fmt.Sprintf("%s/seed %d", f.name, seed), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(seed, 1))
				var rows []string
				for i := range 40 {
					rows = append(rows, f.row(r, i))
				}
				law(t, f, rows, r)
			})
		}
	}
}

func (f form) text(rows []string) string { return f.header + "\n" + strings.Join(rows, "\n") + "\n" }

func TestTheOrderOfRowsMakesNoDifference(t *testing.T) {
	t.Parallel()
	seeds(t, func(t *testing.T, f form, rows []string, r *rand.Rand) {
		x, y := twoWorlds(t)
		a := x.load(t, f.file, f.text(rows))
		shuffled := slices.Clone(rows)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		b := y.load(t, f.file, f.text(shuffled))
		want(t, "counts", counts(b), counts(a))
		want(t, "findings", codes(b), codes(a))
		before := x.allStored(t, a.Dataset)
		sameRows(t, "the shuffled file", y.allStored(t, a.Dataset), before)
		again := x.load(t, f.file, f.text(shuffled))
		want(t, "added and updated by the shuffled file", fmt.Sprint(again.RowsAdded, again.RowsUpdated), "0 0")
		sameRows(t, "both files", x.allStored(t, a.Dataset), before)
	})
}

func TestRowsWithIdsMayComeInParts(t *testing.T) {
	t.Parallel()
	seeds(t, func(t *testing.T, f form, rows []string, r *rand.Rand) {
		if !f.keyed {
			t.Skip("rows without ids: see the overlap of files")
		}
		x, y := twoWorlds(t)
		a := x.load(t, f.file, f.text(rows))
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		var sum [4]int64 // read, added or updated, unchanged, rejected: a later rate of somebody known is an update
		for part := range slices.Chunk(rows, 1+r.IntN(len(rows))) {
			p := y.load(t, f.file, f.text(part))
			for i, n := range []int64{p.RowsRead, p.RowsAdded + p.RowsUpdated, p.RowsUnchanged, p.RowsRejected} {
				sum[i] += n
			}
		}
		want(t, "counts", sum, [4]int64{a.RowsRead, a.RowsAdded + a.RowsUpdated, a.RowsUnchanged, a.RowsRejected})
		sameRows(t, "the parts", y.allStored(t, a.Dataset), x.allStored(t, a.Dataset))
	})
}

// TestARowWithoutIdThatAnotherFileHoldsWaitsForADecision: it may be the same row or a
// second one. It is not stored again until a person says that it is another.
func TestARowWithoutIdThatAnotherFileHoldsWaitsForADecision(t *testing.T) {
	t.Parallel()
	const twice, thrice = "Dana,Harbor,2026-03-01,1\nDana,Harbor,2026-03-01,1\n", "Dana,Harbor,2026-03-01,1\nDana,Harbor,2026-03-01,1\nDana,Harbor,2026-03-01,1\n"
	first, second := timeHeader+twice, timeHeader+"Sam,Bay,2026-03-02,2\n"+thrice
	x := newWorld(t)
	x.load(t, "first.csv", first)
	want(t, "the same file again", codes(x.load(t, "first.csv", first))["possible_overlap"], int64(0))

	r := x.load(t, "second.csv", second)
	want(t, "counts", counts(r), "4 2 0 2 0")
	var said []string
	for _, f := range r.Findings {
		if f.Code == "possible_overlap" {
			said = append(said, f.Message, fmt.Sprint(f.Records))
			for _, c := range f.Fixes {
				said = append(said, c.Label)
			}
		}
	}
	want(t, "what is asked", said, []string{"2 rows equal stored ones of another file and were not stored again; 2 rows are new in a period that was imported before; 2 rows were there already and 0 of them are not in this file",
		"[2 3]", "Replace the period by this file", "They are other rows: store them too"})
	want(t, "stored before the decision", x.rows(t, "SELECT count(*), sum(hours_worked) FROM time_entries", "time_entries"), []string{"4|5"})

	decided := fix(t, r, "possible_overlap", "They are other rows: store them too").Patch
	for _, added := range []string{"4 2 0 2 0", "4 0 0 4 0"} { // once they are added, then they are known
		r = x.fixed(t, "second.csv", second, dataset.Mapping{}, decided)
		want(t, "decided", counts(r), added)
		want(t, "stored", x.rows(t, "SELECT count(*), sum(hours_worked) FROM time_entries", "time_entries"), []string{"6|7"})
		want(t, "nothing more to ask", codes(r)["possible_overlap"], int64(0))
	}
	want(t, "the first file again", counts(x.load(t, "first.csv", first)), "2 0 0 2 0")
	// Without the decision the second file is the same as before, in whatever order.
	want(t, "the second file again", counts(x.load(t, "second.csv", second)), "4 0 0 4 0")
}

func TestPartsOfAFileWithoutIdsKeepEveryRowOnce(t *testing.T) {
	t.Parallel()
	f := forms[0]
	r := rand.New(rand.NewPCG(3, 3))
	var rows []string
	for i := range 60 {
		rows = append(rows, f.row(r, i))
	}
	rows = append(rows, rows[:25]...) // of the last part some equal rows of the first, some of their own part
	x, y := twoWorlds(t)
	x.load(t, f.file, f.text(rows))
	asked := int64(0)
	for part := range slices.Chunk(rows, 17) { // no part is the very same file as another
		p := y.load(t, f.file, f.text(part))
		if n := codes(p)["possible_overlap"]; n > 0 {
			y.fixed(t, f.file, f.text(part), dataset.Mapping{}, dataset.Mapping{Options: dataset.MappingOptions{Overlap: "add"}})
			asked += n
		}
	}
	sameRows(t, "parts, each overlap decided", y.allStored(t, "time_entries"), x.allStored(t, "time_entries"))
	if asked == 0 {
		t.Error("the parts overlap nowhere: the test shows nothing")
	}
}

func TestAnExportImportedAgainChangesNothing(t *testing.T) {
	t.Parallel()
	all := slices.Clone(forms)
	for _, name := range dataset.Names() {
		text, err := dataset.Template(name)
		if err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		lines := strings.Split(body, "\n")
		all = append(all, form{name: "the template of " + name, file: name + ".csv", header: head, row: func(_ *rand.Rand, i int) string { return lines[i%len(lines)] }})
	}
	all = append(all,
		form{"unknown columns and formulas", "time.csv", "staff_name,client_name,date,hours,notes,Shoe size,Mood", func(_ *rand.Rand, i int) string {
			return fmt.Sprintf(`Dana,"=Harbor, Inc",2026-03-%02d,1.5,"'-x%d","4""4",`, 1+i%28, i)
		}, false},
		form{"credit notes", "invoices.csv", "Num,Customer,Date,Type,Qty,Price,Discount,Tax", func(_ *rand.Rand, i int) string {
			return fmt.Sprintf("%d,Harbor,2026-03-01,%s,2,33.333333,0.5,1.25", i, []string{"Invoice", "Credit Memo"}[i%2])
		}, false})
	for _, f := range all {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			x, y := twoWorlds(t)
			var rows []string
			r := rand.New(rand.NewPCG(4, 4))
			for i := range 20 {
				rows = append(rows, f.row(r, i))
			}
			req := dataset.ImportRequest{}
			if name, ok := strings.CutPrefix(f.name, "the template of "); ok {
				req.Dataset, rows = name, rows[:2]
			}
			a := x.load(t, f.file, f.text(rows), req)
			before := x.allStored(t, a.Dataset)
			var out bytes.Buffer
			if err := x.Export(t.Context(), acme, a.Dataset, "", &out); err != nil {
				t.Fatal(err)
			}
			again := x.load(t, "export.csv", out.String(), dataset.ImportRequest{Dataset: a.Dataset})
			want(t, "added, updated, rejected", fmt.Sprint(again.RowsAdded, again.RowsUpdated, again.RowsRejected), "0 0 0")
			sameRows(t, "the export imported again", x.allStored(t, a.Dataset), before)
			if a.Dataset != "clients" {
				y.load(t, "export.csv", out.String(), dataset.ImportRequest{Dataset: a.Dataset})
				sameRows(t, "the export imported elsewhere", y.allStored(t, a.Dataset), before)
			}
			if t.Failed() {
				t.Logf("%.1500s", out.String())
			}
		})
	}
}

// TestACutFileIsNeverImportedInSilence: wherever a file is cut, it is refused, or what is
// stored comes with a word about the cut. Only a cut just after a record leaves no trace
// in plain text; the small file at every length is in structure_test.go.
func TestACutFileIsNeverImportedInSilence(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 2))
	var rows []string
	for i := range 1500 {
		rows = append(rows, fmt.Sprintf("T%d,Dana,\"Harbor, \"\"Dental\"\"\",2026-03-%02d,%d.25,Café %d", i, 1+i%28, i%9, i))
	}
	const head = "time_entry_id,staff_name,client_name,date,hours,notes\n"
	large, small := head+strings.Join(rows, "\n")+"\n", head+strings.Join(rows[:1], "\n")+"\n"
	var book bytes.Buffer
	f := excelize.NewFile()
	for i, line := range strings.Split(strings.TrimSpace(small), "\n") {
		cells := []any{}
		for _, c := range strings.Split(line, ",") {
			cells = append(cells, c)
		}
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Write(&book); err != nil {
		t.Fatal(err)
	}
	x := newWorld(t)
	for _, c := range []struct {
		name, text string
		cuts       int // 0 is every length
	}{
		{"time.csv", large, 12}, {"time.csv.gz", packed(t, large), 20}, {"small.csv.gz", packed(t, small), 0},
		{"time.zip", zipped(t, "time.csv", large), 20}, {"small.zip", zipped(t, "time.csv", small), 0}, {"time.xlsx", book.String(), 40},
	} {
		cuts := r.Perm(len(c.text))
		if c.cuts > 0 {
			cuts = cuts[:c.cuts]
		}
		for _, n := range cuts {
			cut := c.text[:n]
			results, err := x.Import(t.Context(), acme, dataset.ImportRequest{Name: c.name, Reader: strings.NewReader(cut), Dataset: "time_entries", DryRun: true})
			if err != nil {
				if fault.KindOf(err) != fault.Invalid {
					t.Errorf("%s cut at %d of %d: %v", c.name, n, len(c.text), err)
				}
				continue
			}
			said := codes(results[0])
			if said["truncated"]+said["no_final_line_end"]+said["no_rows"]+results[0].RowsRejected == 0 && !(c.name == "time.csv" && strings.HasSuffix(cut, "\n")) {
				t.Errorf("%s cut at %d of %d: %d rows and not a word: %v", c.name, n, len(c.text), results[0].RowsRead, said)
			}
		}
	}
}

func packed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipped(t testing.TB, name, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
