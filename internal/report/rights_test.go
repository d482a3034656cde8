package report_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// textOf is everything that a report's file says, in whatever format.
func textOf(t *testing.T, format string, content []byte) string {
	t.Helper()
	switch format {
	case "pdf":
		path := filepath.Join(t.TempDir(), "r.pdf")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("pdftotext", "-raw", path, "-").Output()
		if err != nil {
			t.Fatalf("pdftotext (scripts/test-deps.sh installs it): %v", err)
		}
		return string(out)
	case "xlsx", "pptx", "zip":
		return unzipped(t, content)
	}
	return string(content)
}

// unzipped is all text in a zip, and in the workbooks in it.
func unzipped(t *testing.T, content []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		b.WriteString(f.Name + "\n")
		if strings.HasSuffix(f.Name, ".xlsx") {
			b.WriteString(unzipped(t, part))
		} else {
			b.Write(part)
		}
	}
	return b.String()
}

// The review for a client holds no other client, nobody's name and no cost, whoever makes it,
// in any format, and however its template is changed.
func TestAReportForAClientHoldsNothingElse(t *testing.T) {
	t.Parallel()
	x := demo(t)
	const client = "Oak Terrace Law Offices"
	names, err := x.metrics.Run(t.Context(), firm, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}})
	if err != nil {
		t.Fatal(err)
	}
	staff, err := x.metrics.Run(t.Context(), firm, metric.Query{Measures: []string{"hours_worked"}, Dimensions: []string{"staff"}})
	if err != nil {
		t.Fatal(err)
	}
	var forbidden []string
	for _, row := range slices.Concat(names.Rows, staff.Rows) {
		if name, ok := row[0].(string); ok && name != client && name != "unassigned" {
			forbidden = append(forbidden, name)
		}
	}
	// Its cost and margin, as they are and as they are written.
	from, to := "2026-04-01", "2026-07-01"
	period := periodOf(t, from, to)
	for _, m := range []string{"labor_cost", "direct_cost", "gross_profit", "gross_margin", "license_cost", "license_waste", "labor_cost_rate"} {
		r, err := x.metrics.Run(t.Context(), firm, metric.Query{Measures: []string{m}, Where: `client = "` + client + `"`, Period: period})
		if err != nil {
			t.Fatal(err)
		}
		if v := valueOf(r); v.Number != nil && !v.Number.IsZero() {
			for _, text := range []string{v.Say(), v.Bare(), v.Number.String()} {
				if len(text) > 5 { // shorter ones stand for anything
					forbidden = append(forbidden, text)
				}
			}
		}
	}
	forbidden = append(forbidden, "gross margin", "Gross margin", "labor cost", "Labor cost")
	if len(forbidden) < 60 {
		t.Fatalf("%d marks", len(forbidden))
	}

	// The built-in review, and one whose writer asks for all that is not for clients.
	greedy := `
name: greedy
title: Review
audience: client
of_client: true
period: last_quarter
sections:
  - title: One
    blocks:
      - tiles: {measures: [ticket_count, labor_cost, gross_margin, license_cost]}
      - table: {title: Clients, measures: [revenue, gross_profit], by: [client]}
      - table: {title: Tickets of all, measures: [ticket_count], by: [client]}
      - table: {title: People, measures: [hours_worked], by: [staff]}
      - chart: {kind: bars, title: Who, measures: [labor_cost], by: staff}
      - drivers: {title: Why, measure: gross_margin}
      - answer: {question: losing-clients}
      - answer: {question: concentration}
      - answer: {question: reprice}
      - answer: {question: missing-time}
      - findings: {title: All}
      - quality: {}
      - audit: {}
      - definitions: {}
`
	for _, format := range []string{"pdf", "xlsx", "pptx", "html", "csv", "json"} {
		for _, req := range []report.Request{{Template: "client-qbr", Client: client}, {Text: greedy, Client: client}} {
			text := textOf(t, format, x.written(t, req, format))
			if !strings.Contains(text, "Oak Terrace") {
				t.Errorf("%s: the client's own name is not in it", format)
			}
			for _, mark := range forbidden {
				if strings.Contains(text, mark) {
					t.Errorf("%s of %q holds %q", format, req.Template, mark)
				}
			}
		}
	}
}

func TestAReportShowsWhatItsReaderMaySee(t *testing.T) {
	t.Parallel()
	x := demo(t)
	for _, role := range []string{access.Viewer, access.Analyst, access.Finance, access.Technician} {
		limits := access.Limits{}
		if role == access.Technician {
			limits.Teams = []string{"Service Desk"}
		}
		rights, err := x.policies.Rights(t.Context(), firm.Tenant, role, limits)
		if err != nil {
			t.Fatal(err)
		}
		scope := firm
		scope.Rights = rights
		for _, template := range []string{"executive-summary", "client-profitability", "team-utilization", "license-optimization", "cash-and-receivables"} {
			d, _, err := x.Document(t.Context(), scope, report.Request{Template: template}, nil)
			if fault.KindOf(err) == fault.Forbidden && err != nil {
				continue // nothing of it may be seen
			}
			if err != nil {
				t.Errorf("%s for %s: %v", template, role, err)
				continue
			}
			for f := range d.Figures() {
				hidden := strings.Contains(f.Where, "gross_margin") || strings.Contains(f.Where, "labor_cost") || strings.Contains(f.Where, "Gross") || strings.Contains(f.Where, "Labor cost")
				if hidden && !rights.Sees(tenant.Margin) && f.Value.Number != nil {
					t.Errorf("%s for %s shows %s: %s", template, role, f.Where, f.Value.Say())
				}
			}
		}
	}
}

// Nobody gets a file that shows more than they may see: what covers allows, the rights allow
// one by one.
func TestFilesAreSeenByThoseWhoSeeAllOfThem(t *testing.T) {
	t.Parallel()
	some := rapid.Custom(func(t *rapid.T) *tenant.Rights {
		if rapid.Bool().Draw(t, "nil") {
			return nil
		}
		pick := func(of []string, name string) []string {
			if rapid.Bool().Draw(t, "all "+name) {
				return nil
			}
			out := []string{}
			for _, s := range of {
				if rapid.Bool().Draw(t, s) {
					out = append(out, s)
				}
			}
			return out
		}
		r := &tenant.Rights{Clients: pick([]string{"a", "b", "c"}, "clients"), Teams: pick([]string{"t", "u"}, "teams")}
		for _, c := range pick([]string{"cost", "margin", "pay", "personal"}, "classes") {
			r.Hidden = append(r.Hidden, tenant.Class(c))
		}
		return r
	})
	within := func(mine, its []string, name string) bool {
		sees := func(list []string) bool { return list == nil || slices.Contains(list, name) }
		return !sees(its) || sees(mine)
	}
	rapid.Check(t, func(t *rapid.T) {
		who, file := some.Draw(t, "who"), some.Draw(t, "file")
		if !report.Covers(who, file) || who == nil {
			return
		}
		for _, c := range tenant.Classes {
			if file.Sees(c) && !who.Sees(c) {
				t.Fatalf("%v gets a file with %s made for %v", who, c, file)
			}
		}
		its := &tenant.Rights{}
		if file != nil {
			its = file
		}
		for _, n := range []string{"a", "b", "c", "another"} {
			if !within(who.Clients, its.Clients, n) {
				t.Fatalf("%v gets a file of client %s made for %v", who, n, file)
			}
		}
		for _, n := range []string{"t", "u", "another"} {
			if !within(who.Teams, its.Teams, n) {
				t.Fatalf("%v gets a file of team %s made for %v", who, n, file)
			}
		}
	})
	if report.Covers(&tenant.Rights{Clients: []string{"a"}}, nil) || !report.Covers(nil, &tenant.Rights{Clients: []string{"a"}}) || !report.Covers(&tenant.Rights{Clients: []string{"a", "b"}}, &tenant.Rights{Clients: []string{"b"}}) {
		t.Error("plain cases")
	}
}

func TestWhoMayNotExportSeesOnlyWhatWasSent(t *testing.T) {
	t.Parallel()
	x := demo(t)
	rights, err := x.policies.Rights(t.Context(), firm.Tenant, access.Viewer, access.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	viewer := tenant.Scope{Tenant: firm.Tenant, Actor: "user:7", Rights: rights}
	x.members["user:7"] = viewer
	narrow := firm
	narrow.Rights = rights
	made, err := x.Make(t.Context(), narrow, report.Request{Template: "service-desk"}, "json", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Get(t.Context(), viewer, made.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a viewer sees a file that nobody sent: %v", err)
	}
	s, err := x.AddSchedule(t.Context(), firm, report.ScheduleSpec{Name: "Desk", Template: "service-desk", Formats: []string{"json"}, Cron: "0 7 * * 1", Zone: "UTC", Recipients: []report.Recipient{{Actor: "user:7"}}})
	if err != nil {
		t.Fatal(err)
	}
	x.runNow(s.ID)
	list, _, err := x.List(t.Context(), viewer, report.Filter{}, 10, "")
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	_, f, err := x.Open(t.Context(), viewer, list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if list[0].ID == made.ID {
		t.Error("the file that was not sent")
	}
}
