package dataset_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// headerCase is a header of the public corpus with rows, and what its columns mean.
type headerCase struct {
	System, Kind, Text string
	Roles              map[string]string // role to header
	Expect             struct {
		Hours       []float64
		Date        []string
		Seats       map[string]int64
		BadDateRows []int64 `json:"bad_date_rows"`
	}
}

// rolesOf says which of our fields a role of the public corpus is (docs/import.md).
var rolesOf = map[string]map[string][]string{
	"time": {"person": {"staff_name"}, "client": {"client_name"}, "project": {"project_name"}, "billable": {"billable"}, "date": {"work_date"}, "hours": {"hours_worked"},
		"rate": {"bill_rate"}, "amount": {"billed_amount"}, "cost": {"cost_amount"}, "currency": {"currency"}, "note": {"notes"}},
	"invoice": {"client": {"client_name"}, "invoice_no": {"invoice_number"}, "date": {"invoice_date"}, "due": {"due_date"}, "amount": {"net_amount", "total_amount"}, "currency": {"currency"},
		"status": {"status"}, "quantity": {"quantity"}, "unit_price": {"unit_price"}},
	"ticket": {"ticket_id": {"ticket_number"}, "title": {"title"}, "status": {"status"}, "priority": {"priority"}, "opened": {"created_at"}, "closed": {"resolved_at", "closed_at"},
		"person": {"staff_name"}, "client": {"client_name"}, "hours": {"resolution_hours"}},
	"payment": {"date": {"payment_date"}, "amount": {"amount"}, "refund": {"refunded_amount"}, "currency": {"currency"}, "client": {"client_name"}, "status": {"status"}},
	"licence": {"user": {"user_email"}, "licences": {"product_name"}, "blocked": {"user_enabled"}, "created": {"user_created_on"}},
	"usage":   {"user": {"user_email"}, "date": {"last_activity_on"}, "product": {"product_name"}},
}

var datasetOf = map[string]string{"time": "time_entries", "invoice": "invoices", "ticket": "tickets", "payment": "payments", "licence": "license_assignments", "usage": "license_assignments"}

// measuredHeaders is what became of the columns of a case: right ones, those that nothing
// took, those with another field and, of these, the ones that were told as sure.
type measuredHeaders struct{ right, all, doubtful, sureWrong int }

// measure compares what the columns of a file were taken for with what they mean.
func (m *measuredHeaders) add(t *testing.T, c headerCase, uses []dataset.ColumnUse, fields func(role string) []string) {
	for role, source := range c.Roles {
		m.all++
		i := slices.IndexFunc(uses, func(u dataset.ColumnUse) bool { return u.Source == source })
		if i >= 0 && uses[i].Field != nil && slices.Contains(fields(role), *uses[i].Field) {
			m.right++
			if uses[i].Confidence < 0.9 {
				m.doubtful++
			}
			continue
		}
		got := "nothing"
		if i >= 0 && uses[i].Field != nil {
			got = fmt.Sprintf("%s at %.2f", *uses[i].Field, uses[i].Confidence)
			if uses[i].Confidence >= 0.9 {
				m.sureWrong++
			}
		}
		t.Errorf("%s: column %q is %s, want %s", c.System, source, got, strings.Join(fields(role), " or "))
	}
	for _, u := range uses {
		if u.Field == nil || u.Confidence < 0.9 {
			continue
		}
		for role, source := range c.Roles {
			if source != u.Source && slices.Contains(fields(role), *u.Field) && len(fields(role)) == 1 && !strings.Contains(role, "+") {
				m.sureWrong++
				t.Errorf("%s: column %q is %s at %.2f, which %q is", c.System, u.Source, *u.Field, u.Confidence, source)
			}
		}
	}
}

// TestEvalHeaders measures the recognition of columns on public headers (make eval-import).
func TestEvalHeaders(t *testing.T) {
	t.Parallel()
	var cases []headerCase
	if err := json.Unmarshal([]byte(readFile(t, data(t, "e_csv", "header_variants.json"))), &cases); err != nil {
		t.Fatal(err)
	}
	var total measuredHeaders
	for _, c := range cases {
		x := newWorld(t)
		name := datasetOf[c.Kind]
		uses := dataset.Recognized(name, c.Text)
		what := "recognized by its header"
		req := dataset.ImportRequest{Name: strings.ReplaceAll(c.System, " ", "_") + ".csv", Reader: strings.NewReader(c.Text)}
		results, err := x.Import(t.Context(), acme, req)
		switch {
		case err == nil:
			r := results[0]
			uses = r.Columns
			what = fmt.Sprintf("%s: %d rows, %d rejected", r.Dataset, r.RowsRead, r.RowsRejected)
			if r.Dataset != name {
				t.Errorf("%s: taken for %s, want %s", c.System, r.Dataset, name)
			}
			checkExpected(t, x, c, r)
		case fault.KindOf(err) == fault.Invalid:
			what = "asks: " + cut(err.Error(), 70)
			if c.Expect.Hours != nil || c.Expect.Date != nil || c.Expect.Seats != nil {
				t.Errorf("%s: %v", c.System, err)
			}
		default:
			t.Errorf("%s: %v", c.System, err)
		}
		var m measuredHeaders
		m.add(t, c, uses, func(role string) []string { return rolesOf[c.Kind][role] })
		t.Logf("%-52s %2d of %2d (%d below 0.9)  %s", c.System, m.right, m.all, m.doubtful, what)
		total.right, total.all, total.doubtful, total.sureWrong = total.right+m.right, total.all+m.all, total.doubtful+m.doubtful, total.sureWrong+m.sureWrong
	}
	t.Logf("%-52s %2d of %2d (%d below 0.9), %d wrong at 0.9 or more", "all", total.right, total.all, total.doubtful, total.sureWrong)
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// checkExpected compares stored rows with what the corpus says of the file's values.
func checkExpected(t *testing.T, x *world, c headerCase, r dataset.ImportResult) {
	e := c.Expect
	bad := map[int64]bool{}
	for _, n := range e.BadDateRows {
		bad[n] = true
	}
	var rejected []int64
	for _, j := range r.Rejects {
		rejected = append(rejected, j.Record)
	}
	if len(e.BadDateRows) > 0 {
		want(t, c.System+": rejected rows", rejected, e.BadDateRows)
	}
	if e.Hours != nil {
		var hours []string
		for i, h := range e.Hours {
			if !bad[int64(i+1)] {
				hours = append(hours, fmt.Sprintf("%.4f", h))
			}
		}
		want(t, c.System+": hours", x.rows(t, "SELECT hours_worked::VARCHAR FROM time_entries ORDER BY record", "time_entries"), hours)
	}
	if e.Date != nil {
		want(t, c.System+": dates", x.rows(t, "SELECT work_date FROM time_entries ORDER BY record", "time_entries"), e.Date)
	}
	if e.Seats != nil {
		var seats []string
		for product, n := range e.Seats {
			seats = append(seats, fmt.Sprintf("%s|%d", product, n))
		}
		slices.Sort(seats)
		want(t, c.System+": seats", x.rows(t, "SELECT product_name, count(*) FROM license_assignments GROUP BY 1 ORDER BY 1", "license_assignments"), seats)
	}
}

func TestOnlyHeadersThatTellAProgramApartNameIt(t *testing.T) {
	t.Parallel()
	for header, program := range map[string]string{
		"Person,Client,Date,Hours,Billable,Note": "",
		"Client,Date,Hours":                      "",
		"Project,Client,Description,Task,User,Email,Tags,Billable,Start Date,Start Time,Duration (h),Billable Rate": "Clockify",
		"Time RecID,Company,Member,Date Start,Actual Hrs,Bill,Work Type,Charge Code":                                "ConnectWise",
	} {
		named := ""
		for _, u := range dataset.Recognized("time_entries", header+"\n"+strings.Repeat("x,", strings.Count(header, ","))+"x\n") {
			for _, e := range u.Evidence {
				if _, after, ok := strings.Cut(e, "known from "); ok {
					named = after
				}
			}
		}
		want(t, header, named, program)
	}
}

func TestOurOwnHeadersMeanTheirFields(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "headers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		headerCase
		Dataset string
		Asks    string // what the import has to ask
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 40 {
		t.Errorf("got %d headers, want 40 or more", len(cases))
	}
	for _, c := range cases {
		t.Run(c.System, func(t *testing.T) {
			t.Parallel()
			uses := dataset.Recognized(c.Dataset, c.Text)
			var m measuredHeaders
			m.add(t, c.headerCase, uses, func(field string) []string { return []string{field} })
			for _, u := range uses {
				named := u.Field != nil && c.Roles[*u.Field] == u.Source
				if u.Field != nil && u.Confidence >= 0.9 && !named && c.Roles[*u.Field] != "" {
					t.Errorf("column %q is %s at %.2f, which %q is", u.Source, *u.Field, u.Confidence, c.Roles[*u.Field])
				}
			}
			if got := dataset.Guessed(c.Text); got != c.Dataset && c.Asks == "" {
				t.Errorf("it is taken for %q, want %q", got, c.Dataset)
			}
		})
	}
}
