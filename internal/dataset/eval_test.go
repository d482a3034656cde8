package dataset

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// The files of the Pollock benchmark (Vitagliano et al., PVLDB 16, 2023) weigh what their
// pollution is frequent in a survey of open data; the weights are the benchmark's. Those
// of rows are for each single file.
var pollockWeights = map[string]float64{
	"source": 1, "file_no_payload": 15, "file_no_trailing_newline": 184, "file_double_trailing_newline": 5, "file_no_header": 470,
	"file_header_multirow_2": 47, "file_header_multirow_3": 47, "file_preamble": 282, "file_multitable_same": 188.0 / 3,
	"file_multitable_more": 188.0 / 3, "file_multitable_less": 188.0 / 3, "file_header_only": 3, "file_one_data_row": 4,
	"file_record_delimiter_0xD": 7, "file_record_delimiter_0xA": 1691, "file_field_delimiter_0x9": 4, "file_field_delimiter_0x3B": 834,
	"file_field_delimiter_0x20": 4, "file_field_delimiter_0x2C_0x20": 101, "file_quotation_char_0x27": 11, "file_escape_char_0x5C": 1, "file_escape_char_0x00": 7,
	"row_less": 0.367751, "row_more": 0.367751, "row_extra": 0.009259, "row_field": 0.142857,
}

func pollockWeight(file string) float64 {
	name := strings.TrimSuffix(path.Base(file), ".csv")
	if w, ok := pollockWeights[name]; ok {
		return w
	}
	kind, _, _ := strings.Cut(strings.Replace(name, "row_", "row-", 1), "_")
	for prefix := range pollockWeights {
		if strings.HasPrefix(name, prefix) && strings.Contains(kind, "row-") {
			return pollockWeights[prefix]
		}
	}
	return -1
}

// overlap returns precision, recall and F1 of two multisets as the benchmark counts them.
func overlap(want, got []string) [3]float64 {
	if len(want) == 0 {
		return [3]float64{1, 1, 1}
	}
	count := map[string]int{}
	for _, w := range want {
		count[w]++
	}
	both := 0.0
	for _, g := range got {
		if count[g] > 0 {
			count[g]--
			both++
		}
	}
	if both == 0 {
		return [3]float64{}
	}
	p, r := both/float64(len(want)), both/float64(len(got))
	return [3]float64{p, r, 2 * p * r / (p + r)}
}

// normalCell stands for the benchmark's normal form of a cell: lower case, and dates and
// times written so that they differ from the text they would be as part of another cell.
func normalCell(cell string) string {
	if kindOf(cell) == moment {
		return "\x01" + cell + "\x01"
	}
	return strings.ToLower(cell)
}

// pollockScore compares a loaded table with the clean one: 1 for success, and precision,
// recall and F1 of header cells, records and cells, 10 in all. A record is the text of
// its normal cells one after the other.
func pollockScore(t *testing.T, clean string, loaded [][]string) float64 {
	in := csv.NewReader(strings.NewReader(strings.ReplaceAll(strings.TrimPrefix(clean, "\ufeff"), "\r\n", "\n")))
	in.FieldsPerRecord, in.LazyQuotes = -1, true
	want, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(clean, "\n") || strings.HasPrefix(clean, "\r\n") {
		want = append([][]string{{}}, want...) // a table without a header has a blank first line
	}
	if len(want) == 0 {
		return 10
	}
	parts := func(rows [][]string) (header, records, cells []string) {
		for i, row := range rows {
			cells = append(cells, row...)
			if i == 0 {
				for _, c := range row {
					header = append(header, normalCell(c))
				}
				continue
			}
			text := ""
			for _, c := range row {
				text += normalCell(c)
			}
			records = append(records, text)
		}
		return header, records, cells
	}
	wantHeader, wantRecords, wantCells := parts(want)
	header, records, cells := parts(loaded)
	score := 1.0
	for _, pair := range [][2][]string{{wantHeader, header}, {wantRecords, records}, {wantCells, cells}} {
		for _, x := range overlap(pair[0], pair[1]) {
			score += x
		}
	}
	return score
}

// loadedTable is what the import reads of a file: the header (the cells of several header
// records joined by blanks, as the benchmark does) and the rows that can be stored.
// Records that are reported as rejected are not in it.
func loadedTable(t *testing.T, name, text string) (*table, [][]string, error) {
	tab, rows, err := openText(t, name, text)
	if err != nil {
		return nil, nil, err
	}
	header := tab.Layout.Header
	if n := len(tab.Layout.HeaderRows); n > 1 {
		header = nil
		for i := range tab.Layout.HeaderRows[0] {
			var parts []string
			for _, r := range spread(tab.Layout.HeaderRows) {
				if i < len(r) {
					parts = append(parts, strings.TrimSpace(r[i]))
				}
			}
			header = append(header, strings.TrimSpace(strings.Join(parts, " ")))
		}
	}
	return tab, append([][]string{header}, rows...), nil
}

// TestEvalPollock prints the loading score on the files of the benchmark, those of an
// unpacked copy of its folder polluted_files when MOAT_POLLOCK names one.
func TestEvalPollock(t *testing.T) {
	for _, set := range []struct {
		name             string
		simple, weighted float64
	}{{"pollock_polluted.tar.gz", 9.97, 9.65}, {"pollock_survey_sample.tar.gz", 0, 0}, {"MOAT_POLLOCK", 0, 0}} {
		t.Run(set.name, func(t *testing.T) {
			var files map[string]string
			if set.name == "MOAT_POLLOCK" {
				files = folder(t, os.Getenv(set.name))
			} else {
				files = corpus(t, set.name)
			}
			simple, weighted, weights, n := 0.0, 0.0, 0.0, 0
			kinds, counts := map[string]float64{}, map[string]int{}
			for _, name := range slices.Sorted(maps.Keys(files)) {
				base := path.Base(name)
				if path.Dir(name) != "csv" {
					continue
				}
				_, rows, err := loadedTable(t, base, files[name])
				score := 0.0
				switch {
				case err == nil:
					score = pollockScore(t, files["clean/"+base], rows)
				case fault.KindOf(err) != fault.Invalid:
					t.Errorf("%s: %v", base, err)
				case files[name] == "":
					score = 10 // refused as empty: nothing to load, nothing lost
				}
				if dump := os.Getenv("MOAT_DUMP"); dump != "" {
					save(t, filepath.Join(dump, set.name, base+"_converted.csv"), rows)
				}
				simple, n = simple+score, n+1
				w := pollockWeight(base)
				weighted, weights = weighted+w*score, weights+w
				kind := base
				if strings.HasPrefix(base, "row_") {
					kind = strings.Join(strings.SplitN(base, "_", 4)[:3], "_")[:8]
				}
				kinds[kind] += score
				counts[kind]++
				if score < 9.99 && (set.name != "MOAT_POLLOCK" || score < 9) {
					t.Logf("%6.3f %s %v", score, base, err)
				}
			}
			for _, k := range slices.Sorted(maps.Keys(kinds)) {
				if counts[k] > 1 {
					t.Logf("%6.3f mean of %d %s…", kinds[k]/float64(counts[k]), counts[k], k)
				}
			}
			t.Logf("%s: %d files, simple %.3f, weighted %.3f of 10", set.name, n, simple/float64(n), weighted/weights)
			if simple/float64(n) < set.simple || weighted/weights < set.weighted {
				t.Errorf("the score is below %.2f or %.2f", set.simple, set.weighted)
			}
		})
	}
}

func save(t *testing.T, path string, rows [][]string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.WriteAll(rows)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// folder reads the csv and clean files under root, by path below it.
func folder(t *testing.T, root string) map[string]string {
	t.Helper()
	if root == "" {
		t.Skip("set MOAT_POLLOCK to the benchmark's folder polluted_files")
	}
	files := map[string]string{}
	for _, dir := range []string{"csv", "clean"} {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(root, dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[dir+"/"+e.Name()] = string(text)
		}
	}
	return files
}

// TestEvalDialects prints how many dialects of wild files are found as people annotated
// them: encoding, delimiter and quote together are the class of a file; the score is the
// mean F1 of the classes, weighed by their number of files.
func TestEvalDialects(t *testing.T) {
	files := corpus(t, "dialect_corpus.tar.gz")
	delims := map[string]string{"comma": ",", "semicolon": ";", "tab": "\t", "vslash": "|", "nsign": "#", "space": " "}
	quotes := map[string]string{"doublequote": `"`, "singlequote": "'"}
	encodings := map[string]string{"utf8": "utf-8", "ascii": "utf-8", "ansi": "windows-1252", "windows-1251": "windows-1251", "utf16": "utf-16le"}
	right, wantN, gotN, all := map[string]int{}, map[string]int{}, map[string]int{}, 0
	for _, list := range slices.Sorted(maps.Keys(files)) {
		dir, ok := strings.CutSuffix(list, "_annotations.txt")
		if !ok {
			continue
		}
		for _, line := range strings.Split(strings.TrimSpace(files[list]), "\n")[1:] {
			c := strings.Split(strings.TrimSpace(line), "|")
			text, ok := files[dir+"/"+c[0]]
			if !ok {
				t.Errorf("%s is annotated and not there", c[0])
				continue
			}
			want := fmt.Sprintf("%s %q %s", encodings[c[1]], delims[c[2]], quotes[c[3]])
			got := "refused"
			tab, _, err := openText(t, c[0], text)
			if err == nil {
				got = fmt.Sprintf("%s %q %s", tab.Dialect.Encoding, tab.Dialect.Delimiter, tab.Dialect.Quote)
			}
			all++
			wantN[want]++
			gotN[got]++
			if got == want {
				right[want]++
			} else {
				t.Logf("%s/%s: got %s, annotated %s %v", dir, c[0], got, want, err)
			}
		}
	}
	f1, n := 0.0, 0
	for class, w := range wantN {
		n += right[class]
		f1 += float64(w) * 2 * float64(right[class]) / float64(w+gotN[class])
	}
	f1 /= float64(all)
	t.Logf("%d of %d dialects as annotated (%.3f), weighted F1 %.3f", n, all, float64(n)/float64(all), f1)
	if f1 < 0.95 {
		t.Errorf("weighted F1 %.3f, want 0.95", f1)
	}
}

// TestEvalHorrors prints what becomes of files that broke other readers.
func TestEvalHorrors(t *testing.T) {
	files := corpus(t, "messytables_horror.tar.gz")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		tab, rows, err := openText(t, name, files[name])
		switch k := fault.KindOf(err); {
		case err == nil:
			t.Logf("%-26s %d rows of %d columns, %d records set aside", name, len(rows), len(tab.Layout.Header), len(setAside(t, tab)))
		case k == fault.Invalid || k == fault.TooLarge:
			t.Logf("%-26s refused: %s", name, cutText(err.Error(), 120))
		default:
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEvalInvoiceNinja prints which dataset the sample exports of an invoicing program
// are taken for.
func TestEvalInvoiceNinja(t *testing.T) {
	files := corpus(t, "invoiceninja_import_samples.tar.gz")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		tab, rows, err := openText(t, name, files[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := map[string]string{"clients": "clients", "freshbooks_clients": "clients", "i2g_clients": "clients", "invoicely_clients": "clients", "wave_clients": "clients",
			"expenses": "expenses", "tasks": "time_entries", "payments": "payments", "invoice": "invoices", "freshbooks_invoices": "invoices", "wave_invoices": "invoices"}[strings.TrimSuffix(name, ".csv")]
		d, err := guess(name, tab.Layout.Titles, tab.Layout.Header, Mapping{})
		if err != nil {
			t.Logf("%-26s %d rows, refused: %s", name, len(rows), cutText(err.Error(), 120))
		} else {
			t.Logf("%-26s %d rows of %s", name, len(rows), d.Name)
		}
		if d.Name != want { // vendors and products have no dataset and are refused
			t.Errorf("%s: taken for %q, want %q (%v)", name, d.Name, want, err)
		}
	}
}
