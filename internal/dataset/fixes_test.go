package dataset_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// fixed imports a text with the fix of that label added to a mapping.
func (x *world) fixed(t testing.TB, name, text string, m dataset.Mapping, fixes ...dataset.Mapping) dataset.ImportResult {
	t.Helper()
	for _, f := range fixes {
		m = m.With(f)
	}
	body, err := json.Marshal(m) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	return x.load(t, name, text, dataset.ImportRequest{Mapping: body})
}

// fix finds a fix of a finding by its label.
func fix(t testing.TB, r dataset.ImportResult, code, label string) dataset.Fix {
	t.Helper()
	var labels []string
	for _, f := range r.Findings {
		for _, x := range f.Fixes {
			if f.Code == code && x.Label == label {
				return x
			}
			labels = append(labels, f.Code+": "+x.Label)
		}
	}
	t.Fatalf("no fix %q of %s; there are:\n%s", label, code, strings.Join(labels, "\n"))
	return dataset.Fix{}
}

const ugly = "staff_name,client_name,date,hours,billable\n" +
	"Dana,Harbor,2026-03-01,1.5,yes\nDana,Harbor,2026-03-02,1.5O,yes\nDana,Harbor,2026-03-03,1.5O,maybe\nDana,Harbor,2026-02-31,2,no\nDana,Harbor,2026-03-05,90,no\nDana,Harbor,2026-03-06,soon,no\nDana,Harbor,2026-03-01,1.5,yes\n"

func TestFixesAreAppliedToAllAlikeAndToldInTheImport(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "time.csv", ugly, dataset.ImportRequest{DryRun: true})
	want(t, "rejected", r.RowsRejected, int64(4))
	var said []string
	for _, f := range r.Findings {
		if f.Severity == dataset.Error {
			said = append(said, f.Message)
		}
	}
	want(t, "errors", said, []string{`3 rows not stored: hours "1.5O" is not a number of hours`, `1 row not stored: date "2026-02-31" is not a date`})
	half := "0.5"
	typed := fix(t, r, "hours_unparsable", `Read "soon" as …`)
	want(t, "asks", typed.Ask, "what hours should say")
	typed.Patch.Corrections[0].Set = &half
	all := []dataset.Mapping{
		fix(t, r, "hours_unparsable", `Read "1.5O" as "1.50"`).Patch, typed.Patch,
		fix(t, r, "date_unparsable", `Read "2026-02-31" as "2026-02-28"`).Patch,
		fix(t, r, "unknown_word", `Read "maybe" as no`).Patch,
		fix(t, r, "possible_duplicates", "Store repeated rows once").Patch,
	}
	after := x.fixed(t, "time.csv", ugly, dataset.Mapping{}, all...)
	want(t, "rejected after fixes", after.RowsRejected, int64(0))
	want(t, "hours", x.rows(t, "SELECT work_date, hours_worked, billable FROM time_entries ORDER BY 1, 2", "time_entries"),
		[]string{"2026-02-28|2|false", "2026-03-01|1.5|true", "2026-03-02|1.5|true", "2026-03-03|1.5|false", "2026-03-05|90|false", "2026-03-06|0.5|false"})
	var told []string
	for _, f := range after.Findings {
		if f.Code == "corrected" {
			told = append(told, f.Message)
		}
	}
	want(t, "told", told, []string{`2 cells were corrected: "1.5O" was read as "1.50"`, `1 cell was corrected: "soon" was read as "0.5"`, `1 cell was corrected: "2026-02-31" was read as "2026-02-28"`, `1 cell was corrected: "maybe" was read as "no"`})
	// A correction that is a rule is made in the next file of this form too, without a word.
	rule := fix(t, r, "unknown_word", `Read "maybe" as no`).Patch
	rule.Corrections[0].Rule = true
	x.fixed(t, "time2.csv", ugly, dataset.Mapping{}, rule)
	const next = "staff_name,client_name,date,hours,billable\nDana,Harbor,2026-04-01,1,maybe\n"
	byRule := x.load(t, "next.csv", next, dataset.ImportRequest{})
	want(t, "by rule", x.rows(t, "SELECT billable FROM time_entries WHERE work_date >= DATE '2026-04-01'", "time_entries"), []string{"false"})
	x.fixesAreAskedAbout(t, byRule)
}

func TestAColumnOfMinutesAndARowLeftOut(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	const file = "staff_name,client_name,date,hours\nDana,Harbor,2026-03-01,90\nDana,Harbor,2026-03-02,30\nDana,Harbor,2099-03-02,30\n"
	r := x.load(t, "time.csv", file, dataset.ImportRequest{DryRun: true})
	after := x.fixed(t, "time.csv", file, dataset.Mapping{}, fix(t, r, "hours_gt_24_entry", "hours are minutes").Patch, fix(t, r, "future_date", "Leave row 3 out").Patch)
	want(t, "hours", x.rows(t, "SELECT hours_worked FROM time_entries ORDER BY work_date", "time_entries"), []string{"1.5", "0.5"})
	want(t, "left out", fmt.Sprint(after.RowsRejected, after.Rejects[0].Code, after.Rejects[0].Record), "1skipped3")
	if slices.ContainsFunc(after.Findings, func(f dataset.Finding) bool { return f.Severity == dataset.Error }) {
		t.Errorf("a row left out on purpose is no error: %+v", after.Findings)
	}
}

func TestCorrectionsAreChecked(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	for says, m := range map[string]string{
		"corrections[0].column": `corrections: [{is: a, set: b}]`,
		"needs a record":        `corrections: [{column: hours, set: b}]`,
		"needs either set":      `corrections: [{column: hours, is: b}]`,
		"units.hours":           `units: {hours: days}`,
		"the column \"nope\"":   `corrections: [{column: nope, is: a, set: b}]`,
	} {
		_, err := x.Import(t.Context(), acme, dataset.ImportRequest{Name: "t.csv", Reader: strings.NewReader(ugly), Mapping: []byte(m)})
		if err == nil || !strings.Contains(fmt.Sprintf("%+v %v", err, fault.FieldsOf(err)), says) {
			t.Errorf("%s: got %v %v", m, err, fault.FieldsOf(err))
		}
	}
}

// fixesAreAskedAbout decides on what an import corrected by a rule, in both ways.
func (x *world) fixesAreAskedAbout(t *testing.T, byRule dataset.ImportResult) {
	t.Helper()
	desk := review.NewDesk(review.New(x.db, audit.New(clock), clock), map[string]review.Decider{review.AppliedFixes: dataset.NewFixJudge(x.Service)}, nil)
	open, err := desk.Find(t.Context(), acme, review.Filter{Kinds: []string{review.AppliedFixes}}, 10, 0)
	if err != nil || len(open) != 1 || open[0].ImportID != byRule.ImportID {
		t.Fatalf("only the import that nobody looked at is asked about: %+v, %v", open, err)
	}
	var e dataset.FixedEvidence
	if err := json.Unmarshal(open[0].Evidence, &e); err != nil {
		t.Fatal(err)
	}
	want(t, "evidence", e.Fixes, []string{`1 cell was corrected: "maybe" was read as "no"`})
	right := review.Decision{Verdict: dataset.VerdictConfirmed}
	if _, err := desk.Decide(t.Context(), acme, open[0].ID, right); err != nil {
		t.Fatal(err)
	}
	if p, err := desk.Undo(t.Context(), acme, open[0].ID); err != nil || p.Status != review.Open {
		t.Fatalf("asked again: %+v, %v", p, err)
	}
	if _, err := desk.Decide(t.Context(), acme, open[0].ID, review.Decision{Verdict: dataset.VerdictTakenBack}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("taken back without a reason: %v", err)
	}
	reader := acme
	reader.Rights = &tenant.Rights{Actions: []tenant.Action{"data.read", "reviews.decide"}}
	back := review.Decision{Verdict: dataset.VerdictTakenBack, Reason: "maybe is yes"}
	if _, err := desk.Decide(t.Context(), reader, open[0].ID, back); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("undone by somebody who may not import: %v", err)
	}
	reader.Rights = &tenant.Rights{Actions: []tenant.Action{"data.import", "data.read", "reviews.decide"}}
	part := reader
	part.Rights = &tenant.Rights{Clients: []string{"Acme"}, Actions: reader.Rights.Actions}
	if _, err := desk.Get(t.Context(), part, open[0].ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("stored values are shown to somebody who sees one client: %v", err)
	}
	// Where two people undo imports, this is no way around the second one.
	k, err := desk.SetTerms(t.Context(), acme, review.Deletion, review.Terms{FourEyes: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Decide(t.Context(), reader, open[0].ID, back); fault.KindOf(err) != fault.Conflict {
		t.Errorf("one person undid an import: %v", err)
	}
	if _, err := desk.SetTerms(t.Context(), acme, review.Deletion, k.Standard); err != nil {
		t.Fatal(err)
	}
	p, err := desk.Decide(t.Context(), acme, open[0].ID, back)
	if err != nil || p.Status != review.Decided || p.Decision.Verdict != dataset.VerdictTakenBack {
		t.Fatalf("taken back: %+v, %v", p, err)
	}
	want(t, "rows of the import", x.rows(t, "SELECT billable FROM time_entries WHERE work_date >= DATE '2026-04-01'", "time_entries"), []string{})
	if _, err := desk.Undo(t.Context(), acme, open[0].ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("undoing an undone import: %v", err)
	}
}
