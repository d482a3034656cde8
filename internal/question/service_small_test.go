package question_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
)

func TestQuestionsOfServiceWithoutData(t *testing.T) {
	t.Parallel()
	for name, a := range asking(t, of(t), "Harbor") {
		if a.Grade != "no_answer" || len(a.Tables) != 0 || !strings.HasPrefix(a.Headline, "This cannot be answered yet") {
			t.Errorf("%s: %s, %q", name, a.Grade, a.Headline)
		}
	}
}

// The four files of a small firm: no payments, tickets or staff.
func TestQuestionsOfServiceOnTheSimpleFiles(t *testing.T) {
	t.Parallel()
	var invoices, logs strings.Builder
	invoices.WriteString("invoice_id,client_name,amount,date,status\n")
	logs.WriteString("staff_name,client_name,hours,rate,billable,date\n")
	for m := range 6 {
		day := quantity.NewDay(2026, 1, 1).AddMonths(m)
		fmt.Fprintf(&invoices, "A%[1]d,Acme,1000,%[2]s,%[3]s\nB%[1]d,Birch,500,%[2]s,paid\n", m, day, []string{"paid", "sent"}[m/5])
		fmt.Fprintf(&logs, "Dana,Acme,10,60,yes,%[1]s\nDana,Birch,10,60,no,%[1]s\n", day.AddDays(27))
	}
	x := of(t, "clients", "client_name,industry,status,contract_value\nAcme,Legal,active,12000\nBirch,Retail,active,6000\n", "invoices", invoices.String(), "time_entries", logs.String(),
		"licenses", "client_name,product_name,seats_purchased,seats_used,cost_per_seat,status\nAcme,E3,10,6,20,active\nBirch,E3,5,7,20,active\n")
	answers := asking(t, x, "Acme")
	for name, words := range map[string]string{
		"late-payers":      "Clients owe 1,000.00 with tax on",
		"over-capacity":    "No role is expected to be over capacity in July 2026; people without a role come closest",
		"missing-time":     "1 of 1 people have weeks below 70%, Dana in more than half of them",
		"noise":            "import tickets",
		"sla":              "import tickets",
		"service-received": "Acme from January 2026 to June 2026: 60 hours of service; 6 licenses in use at the end.",
	} {
		if a := answers[name]; !strings.Contains(a.Headline, words) {
			t.Errorf("%s: %q does not say %q", name, a.Headline, words)
		}
	}
	if a := answers["late-payers"]; !strings.Contains(a.Headline, "Without payments nobody can say who pays late") || len(a.Missing) != 1 || a.Grade != "low" {
		t.Errorf("late-payers: %s %+v %q", a.Grade, a.Missing, a.Headline)
	}
	if a := answers["over-capacity"]; a.Grade != "low" {
		t.Errorf("assumed contract hours are %s: %v", a.Grade, a.Reasons)
	}
}

func TestServiceLevelsByHand(t *testing.T) {
	t.Parallel()
	tickets := "ticket_number,client_name,ticket_type,priority,status,created_at,responded_at,resolved_at,respond_by,resolve_by\n"
	for i := range 10 { // 9 of 10 answered in time, 8 of 10 solved in time
		answered, solved := "10:00", "15:00"
		if i == 0 {
			answered = "13:00"
		}
		if i < 2 {
			solved = "19:00"
		}
		day := quantity.NewDay(2026, 6, 1).AddDays(2 * i)
		tickets += fmt.Sprintf("%d,Harbor,incident,High,closed,%[2]s 09:00,%[2]s %[3]s,%[2]s %[4]s,%[2]s 12:00,%[2]s 18:00\n", i, day, answered, solved)
	}
	x := of(t, "clients", "client_name,status\nHarbor,active\n", "tickets", tickets, "time_entries", "time_entry_id,staff_name,client_name,work_date,hours_worked\n1,Dana,Harbor,2026-06-30,1\n",
		"surveys", "survey_id,client_name,kind,score,scale,responded_on\n1,Harbor,csat,5,5,2026-06-10\n2,Harbor,csat,2,5,2026-06-11\n")
	a := asking(t, x, "Harbor")
	stages := part(t, a["sla"], "Stages")
	for i, want := range []string{"0.9 0.652 0.977", "0.8 0.541 0.931"} { // Wilson at 90 %, z = 1.645
		row := stages.Rows[i]
		got := fmt.Sprint(row.Cells[3], " ", row.Cells[4].(quantity.Decimal).Round(3), " ", row.Cells[5].(quantity.Decimal).Round(3))
		if got != want {
			t.Errorf("stage %v: %s, want %s", row.Cells[0], got, want)
		}
		if verdict := row.Cells[7]; verdict != "not clear" {
			t.Errorf("stage %v: %v of ten", row.Cells[0], verdict)
		}
	}
	if s := part(t, a["service-received"], "How content people were").Rows[0]; s.Cells[3] != nil || fmt.Sprint(s.Cells[2], s.Cells[5]) != "0.5 0.2" {
		t.Errorf("two answers on ten tickets: %v", s.Cells)
	}
}

func TestAClientHasNoCashBandOfItsOwn(t *testing.T) {
	t.Parallel()
	invoices, payments := "invoice_number,client_name,invoice_date,due_date,net_amount\n", "payment_id,invoice_number,client_name,payment_date,amount\n"
	for i := range 8 {
		day := quantity.NewDay(2025, 10, 1).AddMonths(i)
		for _, c := range []string{"Harbor", "Elm"} {
			invoices += fmt.Sprintf("%s%d,%[1]s,%[3]s,%[4]s,100\n", c, i, day, day.AddDays(30))
			payments += fmt.Sprintf("%s%d,%[1]s%[2]d,%[1]s,%[3]s,100\n", c, i, day.AddDays(33))
		}
	}
	invoices += "O1,Oak,2026-06-20,2026-07-20,900\n"
	x := of(t, "clients", "client_name,status\nHarbor,active\nElm,active\nOak,active\n", "invoices", invoices, "payments", payments, "time_entries", "time_entry_id,staff_name,client_name,work_date,hours_worked\n1,Dana,Harbor,2026-06-30,1\n")
	a := x.answer(t, "late-payers")
	// All pay 3 days after the due date: the 900 come on 23 July, in the fourth week from 1 July.
	for i, row := range part(t, a, "Cash of the next 8 weeks").Rows {
		want := "0"
		if i == 0 || i == 4 {
			want = "900"
		}
		if got := fmt.Sprint(row.Cells[1]); got != want {
			t.Errorf("%v: %s expected, want %s", row.Cells[0], got, want)
		}
	}
	if !strings.Contains(strings.Join(a.Reasons, ";"), "1 client paid fewer than 5 invoices and is foreseen as all clients pay") {
		t.Errorf("%v", a.Reasons)
	}
	one, err := x.Answer(t.Context(), firm, question.Request{Question: "late-payers", Client: "Oak"})
	if err != nil || len(one.Tables) != 2 || !strings.HasPrefix(one.Headline, "Oak owes 900.00") {
		t.Errorf("%d tables, %v: %q", len(one.Tables), err, one.Headline)
	}
}
