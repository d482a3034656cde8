package dataset_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

// codeForms are the ways in which the source writes codes of findings and rejects.
var codeForms = []*regexp.Regexp{
	regexp.MustCompile(`\b[cC]ode: +"([a-z0-9_]+)"`),
	regexp.MustCompile(`\bf\.Code, f\.Suggestion = "([a-z0-9_]+)"`),
	regexp.MustCompile(`\bcode[A-Z]\w* += "([a-z0-9_]+)"`),
	regexp.MustCompile(`\bflaw += "([a-z0-9_]+)"`),
	regexp.MustCompile(`\bcode, message, suggestion = q\("([a-z0-9_]+)"\)`),
	regexp.MustCompile(`(?:THEN|ELSE) '([a-z]+_[a-z_]+)'`),
	regexp.MustCompile(`, '([a-z]+(?:_[a-z]+)*)', '(?:is |was |stands |line )`),
	regexp.MustCompile(`"([a-z]+(?:_[a-z]+)+)", (?:"(?:is|has|times) |fmt\.Sprintf\("(?:is|has|times) )`),
	regexp.MustCompile(`\{t\.\w+, "([a-z_]+)"`),
}

// made are the codes that the source puts together.
var made = map[string][]string{
	"unknown_client": {"client_alias", "client_review", "staff_alias", "staff_review", "product_alias", "product_review"},
}

// TestEveryCodeIsDocumented: docs/import.md has a row for each code of findings and
// rejects, and for no other.
func TestEveryCodeIsDocumented(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var source strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text := readFile(t, f)
		source.WriteString(text)
		for _, form := range codeForms {
			for _, m := range form.FindAllStringSubmatch(text, -1) {
				for _, code := range append(made[m[1]], m[1]) {
					found[code] = true
				}
			}
		}
	}
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "import.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(doc), "\n## What is told of a file\n")
	if !ok {
		t.Fatal("docs/import.md has no section of codes")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	var rows []string
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		code := strings.Trim(cells[1], " `")
		rows = append(rows, code)
		if s := strings.TrimSpace(cells[2]); !slices.Contains([]string{"error", "warning", "info", "info or warning", "error or warning"}, s) {
			t.Errorf("%s: %q is no severity", code, s)
		}
		if len(strings.TrimSpace(cells[3])) < 5 || len(strings.TrimSpace(cells[4])) < 5 {
			t.Errorf("%s: say what it means and what to do", code)
		}
		if !found[code] && !strings.Contains(source.String(), `"`+code+`"`) && !strings.Contains(source.String(), "'"+code+"'") {
			t.Errorf("%s stands in the table, but is no code", code)
		}
	}
	for code := range found {
		if _, isDataset := dataset.Find(code); !isDataset && !slices.Contains(rows, code) {
			t.Errorf("%s is not in the table", code)
		}
	}
	if !slices.IsSorted(rows) || len(slices.Compact(slices.Clone(rows))) != len(rows) {
		t.Error("the table is not in the order of its codes")
	}
	if len(found) < 70 {
		t.Errorf("only %d codes found in the source: do the forms still fit?", len(found))
	}
}
