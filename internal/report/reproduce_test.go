package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/report"
)

// written returns a report's file without keeping it.
func (x *world) written(t *testing.T, req report.Request, format string) []byte {
	t.Helper()
	in, err := x.Collect(t.Context(), firm, req)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := x.Write(t.Context(), firm, in, format, &b, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheSameInputsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	x := demo(t)
	list, err := x.Templates(t.Context(), firm)
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range list {
		for _, f := range report.Formats {
			first := x.written(t, report.Request{Template: template.Name}, f.Name)
			second := x.written(t, report.Request{Template: template.Name}, f.Name)
			if len(first) == 0 || !bytes.Equal(first, second) {
				t.Errorf("%s as %s: %d and %d bytes that differ", template.Name, f.Name, len(first), len(second))
			}
		}
	}
}

func TestAReportIsMadeAgainToTheByteAfterEverythingChanged(t *testing.T) {
	t.Parallel()
	x := demo(t)
	if _, err := x.metrics.AddKPI(t.Context(), firm, metric.KPI{Name: "hourly_profit", Formula: "gross_profit / hours_worked"}); err != nil {
		t.Fatal(err)
	}
	own := "name: own\ntitle: Our figures\nsections:\n  - title: One\n    blocks:\n      - tiles: {measures: [hourly_profit, revenue]}\n      - table: {title: By client, measures: [hourly_profit], by: [client]}\n"
	if _, err := x.PutTemplate(t.Context(), firm, own, true); err != nil {
		t.Fatal(err)
	}
	var made []*report.Report
	for _, template := range []string{"executive-summary", "client-qbr", "data-quality", "audit", "own"} {
		for _, format := range []string{"pdf", "xlsx", "pptx", "html", "csv", "json"} {
			r, err := x.Make(t.Context(), firm, report.Request{Template: template}, format, "", nil)
			if err != nil {
				t.Fatalf("%s as %s: %v", template, format, err)
			}
			made = append(made, r)
		}
	}

	// Data, definitions, settings, templates, brand: nothing stays.
	x.give("invoices", "invoice_id,client_name,amount,date,status,currency\nX-1,Tallgrass Brewing,99999.99,2026-06-15,paid,USD\n")
	x.give("time_entries", "staff_name,client_name,hours,date,billable\nNadia Brooks,Tallgrass Brewing,7,2026-06-16,yes\n")
	if _, err := x.metrics.ChangeKPI(t.Context(), firm, metric.KPI{Name: "hourly_profit", Formula: "gross_profit / hours_worked * 2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.settings.PutWorkClasses(t.Context(), firm, metric.WorkClasses{Confirmed: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.PutBrand(t.Context(), firm, report.Brand{Primary: "#7A1F5C", Footer: "Secret"}); err != nil {
		t.Fatal(err)
	}
	if err := x.RemoveTemplate(t.Context(), firm, "own"); err != nil {
		t.Fatal(err)
	}

	for _, r := range made {
		again, err := x.Reproduce(t.Context(), firm, r.ID, io.Discard)
		if err != nil {
			t.Errorf("%s as %s: %v", r.Template, r.Format, err)
			continue
		}
		if !again.Same || again.SHA256 != r.SHA256 {
			t.Errorf("%s as %s: %+v", r.Template, r.Format, again)
		}
	}
	// The guard of this test: what is made now is not what was made then.
	now, err := x.Make(t.Context(), firm, report.Request{Template: "executive-summary"}, "json", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if now.SHA256 == made[5].SHA256 || now.Snapshot == made[5].Snapshot || now.SettingsHash == made[5].SettingsHash {
		t.Errorf("nothing changed: %+v", now)
	}
}

func TestTheAuditReportIsNotChangedByBeingMade(t *testing.T) {
	t.Parallel()
	x := demo(t)
	first, err := x.Make(t.Context(), firm, report.Request{Template: "audit"}, "pdf", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, f, err := x.Open(t.Context(), firm, first.ID); err != nil {
		t.Fatal(err)
	} else {
		f.Close()
	}
	second, err := x.Make(t.Context(), firm, report.Request{Template: "audit"}, "pdf", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if first.SHA256 != second.SHA256 || first.AuditSeq != second.AuditSeq || first.InputHash != second.InputHash {
		t.Errorf("made twice: %+v and %+v", first, second)
	}
	// Something else that is done does change it.
	if _, err := x.PutBrand(t.Context(), firm, report.Brand{Footer: "A"}); err != nil {
		t.Fatal(err)
	}
	third, err := x.Make(t.Context(), firm, report.Request{Template: "audit"}, "pdf", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if third.SHA256 == first.SHA256 || third.AuditSeq <= first.AuditSeq {
		t.Error("a change of the brand is not in the audit report")
	}
}

func TestTheKeptFileIsWhatItsRecordSays(t *testing.T) {
	t.Parallel()
	x := demo(t)
	r, err := x.Make(t.Context(), firm, report.Request{Template: "client-qbr", Client: "Alder Creek Plastics"}, "pdf", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, f, err := x.Open(t.Context(), firm, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != r.SHA256 || int64(len(content)) != r.Bytes {
		t.Error("the file is another one")
	}
	if got.FileName() != "client-qbr-Alder-Creek-Plastics-2026-04-to-2026-06.pdf" {
		t.Error(got.FileName())
	}
	r, err = x.Get(t.Context(), firm, r.ID)
	if err != nil || len(r.Receipts) != 1 || r.Receipts[0].Receiver != "test" || r.Receipts[0].Channel != "download" {
		t.Errorf("who got it: %+v, %v", r.Receipts, err)
	}
	if err := x.Remove(t.Context(), firm, r.ID, "wrong client"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := x.Open(t.Context(), firm, r.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a removed file is opened: %v", err)
	}
	if r, err := x.Get(t.Context(), firm, r.ID); err != nil || r.RemovedAt == nil || r.SHA256 == "" {
		t.Errorf("its record is gone: %+v, %v", r, err)
	}
	if _, err := x.Reproduce(t.Context(), firm, r.ID, nil); fault.KindOf(err) != fault.NotFound {
		t.Errorf("inputs that are gone: %v", err)
	}
}

// Every total of a report is the sum of its rows where the rows are all there and can be
// added up, and every table's figures are those of the plain query.
func TestTablesReconcile(t *testing.T) {
	t.Parallel()
	x := demo(t)
	d, in, err := x.Document(t.Context(), firm, report.Request{Template: "client-profitability"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	additive := map[string]bool{"revenue": true, "labor_cost": true, "direct_cost": true, "gross_profit": true, "hours_worked": true}
	checked := 0
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			table, ok := b.(*document.Table)
			if !ok || len(table.Rows) == 0 || table.Rows[len(table.Rows)-1].Kind != document.Total {
				continue
			}
			total := table.Rows[len(table.Rows)-1]
			for j, c := range table.Columns {
				if !additive[c.Name] {
					continue
				}
				sum := decimal.Zero
				for r := range table.Plain() {
					if v, ok := r.Cells[j].(decimal.Decimal); ok {
						sum = sum.Add(v)
					}
				}
				if !sum.Equal(total.Cells[j].(decimal.Decimal)) {
					t.Errorf("%s, %s: the rows add up to %s, the total is %s", table.Title, c.Name, sum, total.Cells[j])
				}
				r, err := x.metrics.Run(t.Context(), firm, metric.Query{Measures: []string{c.Name}, Period: in.Period})
				if err != nil {
					t.Fatal(err)
				}
				if !r.Rows[0][0].(decimal.Decimal).Equal(total.Cells[j].(decimal.Decimal)) {
					t.Errorf("%s, %s: the query says %s", table.Title, c.Name, r.Rows[0][0])
				}
				checked++
			}
		}
	}
	if checked < 10 {
		t.Errorf("%d totals checked", checked)
	}
}
