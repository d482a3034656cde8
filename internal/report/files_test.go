package report_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/officetest"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/report"
)

// Every figure of every report stands in its PDF, workbook and deck as the query gave it; the
// files are valid, and no page is empty or overflows.
func TestEveryFigureStandsInEveryFormat(t *testing.T) {
	t.Parallel()
	x := demo(t)
	list, err := x.Templates(t.Context(), firm)
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range list {
		t.Run(template.Name, func(t *testing.T) {
			req := report.Request{Template: template.Name}
			d, _, err := x.Document(t.Context(), firm, req, nil)
			if err != nil {
				t.Fatal(err)
			}
			pdf := x.written(t, req, "pdf")
			pages := x.checkPDF(t, pdf)
			if template.Pages > 0 && pages > template.Pages {
				t.Errorf("the PDF has %d pages, %d are promised", pages, template.Pages)
			}
			standsIn(t, "PDF", d, squeezed(textOf(t, "pdf", pdf)), said)
			xlsx := x.written(t, req, "xlsx")
			officetest.Valid(t, xlsx, "xlsx")
			inCells(t, d, xlsx)
			pptx := x.written(t, req, "pptx")
			officetest.Valid(t, pptx, "pptx")
			standsIn(t, "HTML", d, squeezed(string(x.written(t, req, "html"))), said)
			standsIn(t, "CSV", d, string(x.written(t, req, "csv")), exact)
			inDeck(t, d, pptx)
		})
	}
}

// said are the ways in which a figure is written for people.
func said(v document.Value) []string {
	plain := []string{v.Bare(), v.Say(), v.SayChange(), v.Short()}
	for i := range plain {
		plain[i] = squeezed(plain[i])
	}
	return plain
}

func exact(v document.Value) []string { return []string{v.Number.String()} }

// squeezed is a text without the blanks that lines and cells break at.
func squeezed(s string) string {
	s = strings.NewReplacer("&#160;", "", "&nbsp;", "", "\u00ad", "").Replace(s)
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\r' || r == '\t' || r == '\f' || r == '\u00a0' {
			return -1
		}
		return r
	}, s)
}

func standsIn(t *testing.T, what string, d *document.Document, text string, ways func(document.Value) []string) {
	t.Helper()
	missing := 0
	for f := range d.Figures() {
		if f.Value.Number == nil {
			continue
		}
		if !slices.ContainsFunc(ways(f.Value), func(s string) bool { return strings.Contains(text, s) }) {
			if missing++; missing <= 5 {
				t.Errorf("%s: %s is not in it: %q", what, f.Where, ways(f.Value))
			}
		}
	}
	if missing > 5 {
		t.Errorf("%s: %d figures in all are not in it", what, missing)
	}
}

// inCells finds every figure as a number of a cell.
func inCells(t *testing.T, d *document.Document, content []byte) {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cells := map[string]bool{}
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if n, err := strconv.ParseFloat(cell, 64); err == nil {
					cells[fifteen(decimal.NewFromFloat(n))] = true
				}
			}
		}
	}
	missing := 0
	for fig := range d.Figures() {
		if fig.Value.Number != nil && !cells[fifteen(*fig.Value.Number)] {
			if missing++; missing <= 5 {
				t.Errorf("XLSX: %s is in no cell: %s", fig.Where, fig.Value.Number)
			}
		}
	}
	if missing > 5 {
		t.Errorf("XLSX: %d figures in all are in no cell", missing)
	}
}

// fifteen is a number to the digits that a spreadsheet keeps.
func fifteen(d decimal.Decimal) string {
	if extra := d.NumDigits() - 15; extra > 0 {
		d = d.Round(-d.Exponent() - int32(extra))
	}
	if d.IsZero() {
		return "0"
	}
	return d.String()
}

// inDeck finds the figures of tiles, charts and findings, and those of the rows that a deck has
// room for, on slides, in notes or in the workbooks of its charts.
func inDeck(t *testing.T, d *document.Document, content []byte) {
	t.Helper()
	text := squeezed(unzipped(t, content))
	for f := range d.Figures() {
		if f.Value.Number == nil || strings.Contains(f.Where, "/ table ") || strings.Contains(f.Where, "/ change") {
			continue
		}
		ways := append(said(f.Value), f.Value.Number.String())
		if !slices.ContainsFunc(ways, func(s string) bool { return strings.Contains(text, s) }) && !strings.Contains(text, ">"+fifteen(*f.Value.Number)) {
			t.Errorf("PPTX: %s is not in it: %q", f.Where, ways)
		}
	}
}

// checkPDF runs the checks of other programs and returns the number of pages.
func (x *world) checkPDF(t *testing.T, content []byte) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r.pdf")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("qpdf", "--check", path).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	tree, err := exec.Command("pdfinfo", "-struct-text", path).Output()
	if err != nil || !strings.Contains(string(tree), "Document") || !strings.Contains(string(tree), "H1") {
		t.Errorf("the tags cannot be read: %v", err)
	}
	info, err := exec.Command("pdfinfo", path).Output()
	if err != nil || !strings.Contains(string(info), "Tagged:          yes") {
		t.Errorf("pdfinfo: %v\n%s", err, info)
	}
	n := 0
	for line := range strings.Lines(string(info)) {
		if rest, ok := strings.CutPrefix(line, "Pages:"); ok {
			n, _ = strconv.Atoi(strings.TrimSpace(rest))
		}
	}
	for page := 1; page <= n; page++ {
		out, err := exec.Command("pdftotext", "-f", fmt.Sprint(page), "-l", fmt.Sprint(page), path, "-").Output()
		if err != nil || len(strings.Fields(string(out))) < 10 {
			t.Errorf("page %d of %d is nearly empty: %q, %v", page, n, out, err)
		}
	}
	return n
}

// Names and amounts that break weaker programs give a right document in every format.
func TestHostileDataGivesARightReport(t *testing.T) {
	t.Parallel()
	names := map[string]string{
		"emoji":       "Brew 🍺 & Söhne 𠮷野家",
		"right":       "شركة الاختبار למד",
		"long":        strings.Repeat("Very Long Client Name ", 13) + "End",
		"script":      `<script>alert("x")</script>`,
		"formula":     "=1+1",
		"cjk":         "株式会社 한국 中文",
		"quote":       `O'Brien "The" {{client}}`,
		"placeholder": "{{snapshot}}",
	}
	x := newWorld(t)
	var invoices, hours strings.Builder
	invoices.WriteString("invoice_id,client_name,amount,date,status,currency\n")
	hours.WriteString("staff_name,client_name,hours,date,billable\n")
	n := 0
	for _, key := range slices.Sorted(maps.Keys(names)) {
		for month := 1; month <= 6; month++ {
			n++
			amount := 1000 - 300*month // goes below zero: credits
			fmt.Fprintf(&invoices, "%d,%s,%d,2026-%02d-10,paid,USD\n", n, quoted(names[key]), amount, month)
			fmt.Fprintf(&hours, "Kim,%s,%d,2026-%02d-11,yes\n", quoted(names[key]), month, month)
		}
	}
	x.give("invoices", invoices.String())
	x.give("time_entries", hours.String())
	for _, template := range []string{"client-profitability", "executive-summary", "service-desk", "license-optimization", "data-quality"} {
		d, _, err := x.Document(t.Context(), firm, report.Request{Template: template}, nil)
		if err != nil {
			t.Fatalf("%s: %v", template, err)
		}
		req := report.Request{Template: template}
		pdf := x.written(t, req, "pdf")
		x.checkPDF(t, pdf)
		standsIn(t, template+" PDF", d, squeezed(textOf(t, "pdf", pdf)), said)
		for _, format := range []string{"xlsx", "pptx"} {
			content := x.written(t, req, format)
			officetest.Valid(t, content, format)
		}
		inCells(t, d, x.written(t, req, "xlsx"))
		if page := string(x.written(t, req, "html")); strings.Contains(page, "<script>") {
			t.Errorf("%s: a name became a script", template)
		}
		if text := string(x.written(t, req, "csv")); strings.Contains(text, ",=1+1") || strings.HasPrefix(text, "=1+1") {
			t.Errorf("%s: a name became a formula", template)
		}
	}
	for _, name := range names {
		r, err := x.Make(t.Context(), firm, report.Request{Template: "client-qbr", Client: name}, "pdf", "", nil)
		if err != nil {
			t.Errorf("%.30q: %v", name, err)
			continue
		}
		if r.Client != name || strings.ContainsAny(r.FileName(), "/\\\"<>|:*?\r\n") || len(r.FileName()) > 120 {
			t.Errorf("%.30q: %q", name, r.FileName())
		}
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func TestNothingImportedGivesAReportThatSaysSo(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	list, err := x.Templates(t.Context(), firm)
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range list {
		for _, format := range []string{"pdf", "xlsx", "pptx", "html", "csv", "json"} {
			r, err := x.Make(t.Context(), firm, report.Request{Template: template.Name}, format, "", nil)
			if template.OfClient {
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "no client with revenue") {
					t.Errorf("%s: %v", template.Name, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s as %s: %v", template.Name, format, err)
				continue
			}
			if len(r.Notes) == 0 || !strings.Contains(r.Notes[0], "Nothing is imported yet") {
				t.Errorf("%s: notes %q", template.Name, r.Notes)
			}
		}
	}
}

func TestACanceledReportLeavesNoFile(t *testing.T) {
	t.Parallel()
	x := demo(t)
	r, err := x.Begin(t.Context(), firm, report.Request{Template: "client-profitability"}, "pdf", "")
	if err != nil || r.State != report.Waiting {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err = x.Cancel(t.Context(), firm, r.ID); err != nil || r.State != report.Canceled {
		t.Fatalf("%+v, %v", r, err)
	}
	x.work()
	if r, err = x.Get(t.Context(), firm, r.ID); err != nil || r.State != report.Canceled {
		t.Errorf("a worker made a canceled report: %+v, %v", r, err)
	}
	// In the middle of its making.
	ctx, cancel := context.WithCancel(t.Context())
	_, err = x.Make(ctx, firm, report.Request{Template: "client-profitability"}, "xlsx", "", func(done, _ int, _ string) {
		if done == 3 {
			cancel()
		}
	})
	if fault.KindOf(err) != fault.Canceled {
		t.Errorf("%v", err)
	}
	if _, err := x.Cancel(t.Context(), firm, r.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("canceled twice: %v", err)
	}
	var left []string
	filepath.WalkDir(x.dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			left = append(left, path)
		}
		return err
	})
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	// A worker that died goes on where it was: the report is made.
	r, err = x.Begin(t.Context(), firm, report.Request{Template: "service-desk"}, "pdf", "")
	if err != nil {
		t.Fatal(err)
	}
	died, stop := context.WithCancel(t.Context())
	stop()
	if err := x.Work(died, firm, r.ID); err == nil {
		t.Error("work without a context succeeds")
	}
	x.work()
	if r, err = x.Get(t.Context(), firm, r.ID); err != nil || r.State != report.Done || r.Done != r.Total {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestABrokenTemplateSaysWhere(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	for _, c := range []struct{ name, text, at, says string }{
		{"empty", "", "line 1", "begin with name"},
		{"no YAML", "name: x\n  title: [", "line 1, column 7", "not allowed"},
		{"unknown field", "name: xy\ntitle: X\nsectoins: []\n", "line 3, column 1", "unknown field"},
		{"no block", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - {}\n", "line 6, sections[0].blocks[0]", "a block is one of"},
		{"two blocks in one", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - tiles: {measures: [revenue]}\n        definitions: {}\n", "line 6, sections[0].blocks[0]", "a block is one of"},
		{"unknown measure", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - tiles:\n          measures: [revenue, revenues]\n", "line 7, sections[0].blocks[0].tiles.measures[1]", `there is no measure "revenues": did you mean "revenue"?`},
		{"wrong condition", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - table:\n          title: T\n          measures: [revenue]\n          by: [client]\n          where: client = \n", "line 7, sections[0].blocks[0].table", "filter"},
		{"cannot be cut so", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - chart: {kind: bars, title: T, measures: [revenue], by: staff}\n", "line 6, sections[0].blocks[0].chart", "cannot be cut by staff"},
		{"unknown question", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - answer:\n          question: who\n", "line 7, sections[0].blocks[0].answer.question", "no question"},
		{"about this moment", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - answer: {question: final}\n", "line 6, sections[0].blocks[0].answer.question", "use quality"},
		{"a client's question", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - answer: {question: service-received}\n", "line 6, sections[0].blocks[0].answer.question", "of_client"},
		{"unknown placeholder", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - text: {paragraphs: [\"{{secret}}\"]}\n", "line 6, sections[0].blocks[0].text.paragraphs[0]", "{{secret}} is no placeholder"},
		{"wrong kind of chart", "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - chart: {kind: gauge, title: T, measures: [revenue], by: client}\n", "line 6, sections[0].blocks[0].chart.kind", `"gauge" is not one of line`},
		{"for a client, of all", "name: xy\ntitle: X\naudience: client\nsections:\n  - title: A\n    blocks:\n      - definitions: {}\n", "line 1, of_client", "of_client: true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := x.CheckTemplate(t.Context(), firm, c.text)
			fields := fault.FieldsOf(err)
			if fault.KindOf(err) != fault.Invalid || len(fields) == 0 {
				t.Fatalf("got %v", err)
			}
			if !strings.HasPrefix(fields[0].Path, c.at) || !strings.Contains(fields[0].Message, c.says) {
				t.Errorf("got %q: %q, want %q: %q", fields[0].Path, fields[0].Message, c.at, c.says)
			}
		})
	}
}

func TestATemplateIsCopiedChangedAndKept(t *testing.T) {
	t.Parallel()
	x := demo(t)
	original, err := x.Template(t.Context(), firm, "service-desk")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.PutTemplate(t.Context(), firm, original.Text, true); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a built-in report is replaced: %v", err)
	}
	text := original.Copy("desk-for-us", "Our desk: June")
	own, err := x.PutTemplate(t.Context(), firm, text, true)
	if err != nil || own.Title != "Our desk: June" {
		t.Fatalf("%+v, %v", own, err)
	}
	r, err := x.Make(t.Context(), firm, report.Request{Template: "desk-for-us"}, "json", "", nil)
	if err != nil || r.Title != "Our desk: June" {
		t.Fatalf("%+v, %v", r, err)
	}
	changed := strings.Replace(text, "Our desk: June", "Our desk", 1)
	if _, err := x.PutTemplate(t.Context(), firm, changed, false); err != nil {
		t.Fatal(err)
	}
	versions, err := x.Versions(t.Context(), firm, "desk-for-us")
	if err != nil || len(versions) != 2 {
		t.Errorf("%d versions, %v", len(versions), err)
	}
}
