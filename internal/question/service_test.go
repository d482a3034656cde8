package question_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// serviceQuestions are those of cash, people and the service desk.
var serviceQuestions = []string{"late-payers", "over-capacity", "missing-time", "noise", "sla", "service-received"}

// asking returns the answers to the questions of cash, people and the service desk.
func asking(t *testing.T, x *world, client string) map[string]*question.Answer {
	t.Helper()
	out := map[string]*question.Answer{}
	for _, name := range serviceQuestions {
		req := question.Request{Question: name}
		if name == "service-received" {
			req.Client = client
		}
		a, err := x.Answer(t.Context(), firm, req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a.Headline == "" || a.Grade == "" || strings.Contains(a.Headline, "..") || strings.Contains(a.Headline, "%!") {
			t.Errorf("%s: grade %q, headline %q", name, a.Grade, a.Headline)
		}
		for _, table := range a.Tables {
			for _, row := range table.Rows {
				if len(row.Cells) != len(table.Columns) {
					t.Errorf("%s: %s: %d cells for %d columns", name, table.Title, len(row.Cells), len(table.Columns))
				}
			}
		}
		out[name] = a
	}
	return out
}

func TestQuestionsOfServiceOnTheDemo(t *testing.T) {
	t.Parallel()
	x, _ := demo(t)
	answers := asking(t, x, "Tallgrass Brewing")
	for name, a := range answers {
		t.Logf("%s (%s, %d ms): %s", name, a.Grade, a.ElapsedMS, a.Headline)
		for _, table := range a.Tables {
			if len(table.Rows) == 0 && table.Title != "Owed and not expected" {
				t.Errorf("%s: %q has no rows", name, table.Title)
			}
			x.agreesWithItsQueries(t, name, table)
		}
	}
	t.Run("cash eight weeks before the end", func(t *testing.T) {
		test := part(t, answers["late-payers"], "The same rule 8 weeks earlier")
		inside := 0
		for _, row := range test.Rows {
			t.Log(row.Cells...)
			if row.Cells[5] == "yes" {
				inside++
			}
		}
		if test.Rows[0].Cells[5] != "yes" || inside < 8 {
			t.Errorf("%d of %d bands held what was paid", inside, len(test.Rows))
		}
		// What was paid, by plain SQL.
		want := x.number(t, `SELECT sum(p.amount) FROM payments p JOIN (SELECT invoice_number, min(invoice_date) AS issued FROM invoices GROUP BY 1) i USING (invoice_number)
			WHERE i.issued <= DATE '2026-05-05' AND p.payment_date > DATE '2026-05-05' AND p.payment_date <= DATE '2026-06-30'`, "payments", "invoices")
		if got := test.Rows[0].Cells[4].(quantity.Decimal); !got.Equal(want) {
			t.Errorf("paid %s, stored payments say %s", got, want)
		}
	})
	t.Run("tickets at risk", func(t *testing.T) {
		risk := part(t, answers["sla"], "Open tickets past due or due within 7 days")
		want := x.number(t, `SELECT count(*) FROM tickets WHERE resolved_at IS NULL AND closed_at IS NULL AND created_at < TIMESTAMP '2026-07-01'
			AND least(CASE WHEN responded_at IS NULL THEN respond_by END, resolve_by) <= (SELECT max(greatest(created_at, responded_at, resolved_at, closed_at)) FROM tickets WHERE greatest(created_at, responded_at, resolved_at, closed_at) < TIMESTAMP '2026-07-01') + INTERVAL 7 DAY`, "tickets")
		if got := decimal.NewFromInt(int64(len(risk.Rows))); !got.Equal(want) {
			t.Errorf("%s tickets, stored ones say %s", got, want)
		}
	})
	t.Run("noise adds up", func(t *testing.T) {
		for _, row := range part(t, answers["noise"], "Reactive work by client").Rows {
			if row.Cells[5] != nil && row.Cells[6] != nil && !row.Cells[6].(quantity.Decimal).Add(row.Cells[7].(quantity.Decimal)).Equal(row.Cells[5].(quantity.Decimal)) {
				t.Errorf("%v: %v + %v is not %v", row.Cells[0], row.Cells[6], row.Cells[7], row.Cells[5])
			}
		}
	})
	t.Run("a client sees what is its own", func(t *testing.T) {
		secrets := x.secrets(t, "Tallgrass Brewing")
		if found := unsafe(t, answers["service-received"], secrets); len(found) > 0 {
			t.Errorf("%v", found)
		}
		// The walk does find what it looks for.
		for name, kind := range map[string]string{"missing-time": "staff", "noise": "measure", "late-payers": "client"} {
			if !slices.ContainsFunc(unsafe(t, answers[name], secrets), func(s string) bool { return strings.HasPrefix(s, kind) }) {
				t.Errorf("nothing of a %s is found in %s", kind, name)
			}
		}
	})
	t.Run("the client must be one", func(t *testing.T) {
		for _, client := range []string{"", "Nobody"} {
			if _, err := x.Answer(t.Context(), firm, question.Request{Question: "22", Client: client}); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: %v", client, err)
			}
		}
	})
}

// agreesWithItsQueries runs the query of each row: the measures of its columns are its cells.
func (x *world) agreesWithItsQueries(t *testing.T, name string, table question.Table) {
	t.Helper()
	for i, row := range table.Rows {
		if row.Query == nil || i >= 12 {
			continue
		}
		q := *row.Query
		q.Dimensions = nil
		r, err := x.metrics.Run(t.Context(), firm, q)
		if err != nil || len(r.Rows) != 1 {
			t.Errorf("%s: %s: %v: %v", name, table.Title, row.Cells[0], err)
			continue
		}
		for j, c := range table.Columns {
			at := slices.Index(q.Measures, c.Measure)
			cell, ok := row.Cells[j].(quantity.Decimal)
			if at < 0 || !ok {
				continue
			}
			got, ok := r.Rows[0][at].(quantity.Decimal)
			if !ok || got.Sub(cell).Abs().GreaterThan(decimal.New(1, -4)) {
				t.Errorf("%s: %s: %v: %s is %s, its query gives %v", name, table.Title, row.Cells[0], c.Name, cell, r.Rows[0][at])
			}
		}
	}
}

// number is the one figure of a statement over stored tables.
func (x *world) number(t *testing.T, sql string, tables ...string) quantity.Decimal {
	t.Helper()
	uses := make([]warehouse.TableUse, len(tables))
	for i, name := range tables {
		uses[i].Name = name
	}
	rows, err := x.warehouse.Query(t.Context(), firm, warehouse.Statement{SQL: sql, Uses: uses})
	if err != nil {
		t.Fatal(err)
	}
	switch v := rows.Rows[0][0].(type) {
	case int64:
		return decimal.NewFromInt(v)
	case quantity.Decimal:
		return v
	}
	t.Fatalf("%T", rows.Rows[0][0])
	return decimal.Zero
}

func part(t *testing.T, a *question.Answer, title string) question.Table {
	t.Helper()
	i := slices.IndexFunc(a.Tables, func(p question.Table) bool { return p.Title == title })
	if i < 0 {
		t.Fatalf("%s has no table %q", a.Name, title)
	}
	return a.Tables[i]
}

// secrets are names that a client may not see: those of other clients and of people.
func (x *world) secrets(t *testing.T, client string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for kind, q := range map[string]metric.Query{"client": {Measures: []string{"revenue"}, Dimensions: []string{"client"}}, "staff": {Measures: []string{"hours_worked"}, Dimensions: []string{"staff"}}} {
		r, err := x.metrics.Run(t.Context(), firm, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Rows {
			if name := row[0].(string); name != client && name != "unassigned" {
				out[kind] = append(out[kind], name)
			}
		}
		if len(out[kind]) < 5 {
			t.Fatalf("%d names of %s", len(out[kind]), kind)
		}
	}
	return out
}

// unsafe walks a whole answer and lists what a client may not see of it: names, words of
// money, measures and queries of others.
func unsafe(t *testing.T, a *question.Answer, secrets map[string][]string) []string {
	t.Helper()
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	text := strings.ToLower(string(b))
	for kind, names := range secrets {
		for _, n := range names {
			if strings.Contains(text, strings.ToLower(n)) {
				found = append(found, kind+" "+n)
			}
		}
	}
	for _, word := range []string{"cost", "margin", "profit", "revenue", "pay ", "payroll", "wage", "salary", "bill_rate", "utilization", "capacity"} {
		if strings.Contains(text, word) {
			found = append(found, "word "+word)
		}
	}
	may := []string{"ticket_count", "closed_tickets", "backlog", "hours_worked", "response_met_count", "response_judged_count", "resolution_met_count", "resolution_judged_count", "sla_met_count", "sla_judged_count",
		"csat", "csat_responses", "csat_positive", "endpoints", "seats_purchased", "seats_used", "first_response", "resolution_time", "sla_response", "sla_resolution", "sla_attainment", "timed_ticket_count", "responded_count"}
	measure := func(m string) {
		if m != "" && !slices.Contains(may, m) {
			found = append(found, "measure "+m)
		}
	}
	for m := range a.Versions {
		measure(m)
	}
	for _, table := range a.Tables {
		for _, c := range table.Columns {
			measure(c.Measure)
			if c.Dimension == "client" || c.Dimension == "staff" {
				found = append(found, "dimension "+c.Dimension)
			}
		}
		for _, row := range table.Rows {
			if row.Currency != "" {
				found = append(found, "an amount of money")
			}
			if row.Query == nil {
				continue
			}
			for _, m := range row.Query.Measures {
				measure(m)
			}
			if !strings.Contains(row.Query.Where, fmt.Sprintf("client = %q", a.Client)) {
				found = append(found, "query of others: "+row.Query.Where)
			}
		}
	}
	return found
}

// answer asks a question of everything.
func (x *world) answer(t testing.TB, name string) *question.Answer {
	t.Helper()
	a, err := x.Answer(t.Context(), firm, question.Request{Question: name})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a
}
