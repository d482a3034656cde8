package dataset

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// corpus unpacks an archive of public test files and returns its files by path; the test
// is skipped where the data is not there.
func corpus(t *testing.T, name string) map[string]string {
	t.Helper()
	root := os.Getenv("MOAT_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(root, "e_csv", name))
	if err != nil {
		t.Skipf("public test data is not here: set MOAT_DATA (%v)", err)
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = string(text)
	}
}

// openText surveys a text as an import would and returns its rows under the header.
func openText(t *testing.T, name, text string) (*table, [][]string, error) {
	t.Helper()
	return openTextWith(t, name, strings.NewReader(text), Mapping{})
}

func openTextWith(t *testing.T, name string, text io.Reader, m Mapping) (*table, [][]string, error) {
	t.Helper()
	dir := t.TempDir()
	c := &copier{dir: dir, encoding: m.Options.Encoding}
	uploads, err := c.open(t.Context(), name, text)
	if err != nil {
		return nil, nil, err
	}
	tab, err := readTable(t.Context(), dir, uploads[0], "", m, nil)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(tab.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows [][]string
	r := newRecordReader(f, plain(','))
	if !tab.Clean {
		if r, err = afterHeader(f, tab.Layout); err != nil {
			t.Fatal(err)
		}
	}
	for {
		rec, err := r.next()
		if errors.Is(err, io.EOF) {
			return tab, rows, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if tab.Clean {
			rec.Fields = rec.Fields[2:]
		}
		rows = append(rows, rec.Fields)
	}
}

func TestTheSpectrumOfCSVIsReadAsExpected(t *testing.T) {
	t.Parallel()
	files := corpus(t, "csv_spectrum.tar.gz")
	n := 0
	for name, text := range files {
		base := path.Base(name)
		if !strings.HasSuffix(base, ".csv") {
			continue
		}
		var wants []map[string]string
		expected := strings.TrimSuffix(strings.Replace(name, "csvs/", "json/", 1), ".csv") + ".json"
		if err := json.Unmarshal([]byte(files[expected]), &wants); err != nil {
			t.Fatalf("%s: %v", expected, err)
		}
		tab, rows, err := openText(t, base, text)
		if err != nil {
			t.Errorf("%s: %v", base, err)
			continue
		}
		n++
		if len(rows) != len(wants) {
			t.Errorf("%s: got %d rows, want %d", base, len(rows), len(wants))
			continue
		}
		for i, w := range wants {
			for c, h := range tab.Layout.Header {
				if got := rows[i][c]; got != strings.ReplaceAll(w[h], "\r\n", "\n") {
					t.Errorf("%s, row %d, %s: got %q, want %q", base, i+1, h, got, w[h])
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("read %d files, want at least 10", n)
	}
}

// TestWildFilesAreReadOrRefusedInWords: no file of the corpora makes the reader fail in
// another way than by saying what is wrong with the file, and most are read.
func TestWildFilesAreReadOrRefusedInWords(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dialect_corpus.tar.gz", "pollock_polluted.tar.gz", "messytables_horror.tar.gz", "invoiceninja_import_samples.tar.gz"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, refused := 0, 0
			for file, text := range corpus(t, name) {
				if strings.HasSuffix(file, ".json") || strings.HasSuffix(file, ".txt") || strings.HasSuffix(file, ".xls") || text == "" {
					continue
				}
				_, _, err := openText(t, path.Base(file), text)
				switch {
				case err == nil:
					read++
				case fault.KindOf(err) == fault.Invalid:
					refused++
					t.Logf("%s: %v", file, cutText(err.Error(), 150))
				default:
					t.Errorf("%s: %v", file, err)
				}
			}
			t.Logf("%d read, %d refused", read, refused)
			if read < 5*refused {
				t.Errorf("%d read, %d refused", read, refused)
			}
		})
	}
}

// TestDelimitersOfWildFilesAreFound compares with the dialects that people annotated.
func TestDelimitersOfWildFilesAreFound(t *testing.T) {
	t.Parallel()
	files := corpus(t, "dialect_corpus.tar.gz")
	names := map[string]string{"comma": ",", "semicolon": ";", "tab": "\t", "vslash": "|", "pipe": "|"}
	right, all := 0, 0
	for list, text := range files {
		folder, ok := strings.CutSuffix(list, "_annotations.txt")
		if !ok {
			continue
		}
		for _, line := range strings.Split(text, "\n")[1:] {
			cells := strings.Split(strings.TrimSpace(line), "|")
			if len(cells) < 3 || names[cells[2]] == "" {
				continue
			}
			file, ok := files[folder+"/"+cells[0]]
			if !ok || file == "" {
				continue
			}
			tab, _, err := openText(t, cells[0], file)
			if err != nil {
				t.Errorf("%s: %v", cells[0], err)
				continue
			}
			if all++; tab.Dialect.Delimiter == names[cells[2]] {
				right++
			} else {
				t.Logf("%s: got %q, annotated %s", cells[0], tab.Dialect.Delimiter, cells[2])
			}
		}
	}
	t.Logf("%d of %d delimiters are as annotated", right, all)
	if right*100 < all*90 || all < 100 {
		t.Errorf("%d of %d delimiters are as annotated, want 90 %% of at least 100", right, all)
	}
}
