package httpapi_test

import (
	"fmt"
	"strings"
)

// Two tenants of the matrix, each with figures and words that nobody could take for others.
//
// In acme the client Zebrowood and whoever works for it cannot be seen by those who are limited
// to Alder or to the team Desk: every word about them holds "zebro", and every amount is so
// large that any sum with it has seven digits before the point.
//
// In pearl all rows may be seen, and what cannot is a class: every word about persons holds
// "quill", and every cost is so large that any figure made of it has seven digits.
const manyDigits = 7

// side is one client with those who work for it.
type side struct {
	client, team  string
	word, persons string // begin what is said of things, and of people
	amount, cost  int64  // of an invoice, and of an hour
	staff         []string
}

var (
	acme = worldOf(
		side{"Alder", "Desk", "plain", "Plain", 1000, 40, []string{"Dana"}},
		side{"Zebrowood", "Zebroteam", "zebro", "Zebro", 8_000_000, 3_300_000, []string{"Zebrofield", "Zebrobrook", "Zebrocliff"}})
	pearl = worldOf(
		side{"Alder", "Desk", "plain", "Quill", 1000, 3_110_000, []string{"Quilldana"}},
		side{"Cedar", "Field", "plain", "Quill", 2000, 3_220_000, []string{"Quillfield", "Quillbrook", "Quillcliff"}})
)

// worldOf writes the files of a tenant with two sides, of which the second is what the matrix is about.
func worldOf(sides ...side) world {
	theirs := sides[1]
	files := map[string]*strings.Builder{}
	add := func(file, format string, args ...any) { fmt.Fprintf(files[file], format+"\n", args...) }
	order := []string{"clients", "staff", "agreements", "projects", "invoices", "time_entries", "tickets", "expenses", "payments", "payroll", "surveys", "ledger", "licenses"}
	for file, head := range map[string]string{
		"clients":      "client_name,status,industry,account_manager,employees,acquired_on,domain,contact_name,contact_email",
		"staff":        "staff_name,role,team,hired_on,cost_rate,bill_rate,weekly_hours,active",
		"agreements":   "agreement_id,client_name,agreement_name,agreement_type,billing_model,status,start_date,billing_cycle,amount",
		"projects":     "project_id,client_name,project_name,status,billing_method,budget_hours,budget_amount,start_date,end_date",
		"invoices":     "client_name,invoice_number,line_number,invoice_date,due_date,status,revenue_category,product_name,description,net_amount,unit_cost,agreement_id,balance",
		"time_entries": "time_entry_id,work_date,client_name,staff_name,hours_worked,hours_billed,billable,bill_rate,cost_rate,work_type,agreement_id,ticket_number,project_name,notes",
		"tickets":      "ticket_number,client_name,staff_name,title,ticket_type,priority,status,created_at,responded_at,resolved_at,closed_at,sla_met,queue",
		"expenses":     "expense_id,client_name,expense_date,vendor,category,net_amount,description",
		"payments":     "payment_id,client_name,invoice_number,payment_date,amount,method",
		"payroll":      "staff_name,period_start,period_end,gross_amount,paid_hours",
		"surveys":      "survey_id,client_name,ticket_number,kind,score,scale,responded_on,comment",
		"ledger":       "period_start,account,account_class,amount",
		"licenses":     "license_id,client_name,vendor,product_name,seats_purchased,seats_used,seats_inactive,unit_cost,unit_price,start_date,renewal_date,status",
	} {
		files[file] = &strings.Builder{}
		add(file, "%s", head)
	}
	n := 0
	for _, s := range sides {
		c, w, p := s.client, s.word, s.persons
		add("clients", "%s,active,%strade,%sboss,20,2024-01-01,%s.example,%slee,%s@people.example", c, w, p, strings.ToLower(c), p, p)
		add("agreements", "A-%s,%s,%scare,Managed,fixed_fee,active,2025-01-01,monthly,%d", c, c, w, s.amount)
		add("projects", "PR-%s,%s,%smove,Open,fixed fee,8,%d,2026-01-01,2026-09-01", c, c, w, s.amount)
		add("licenses", "L-%s,%s,%svendor,%sware,2,1,1,%d,26,2025-01-01,2026-12-15,active", c, c, w, w, s.cost/11)
		for i, who := range s.staff {
			rate := fmt.Sprintf("%d.75", s.cost+s.cost/300*int64(i)) // each has another
			add("staff", "%s,%srole,%s,2022-01-01,%s,100,40,yes", who, w, s.team, rate)
			for month := 1; month <= 6; month++ {
				n++
				amount := s.amount + int64(10*month)
				add("invoices", "%s,I-%d,1,2026-%02d-05,2026-%02d-25,sent,recurring_labor,%sware,%sline,%d.25,%d.5,A-%s,%d.25", c, n, month, month, w, w, amount, s.cost/11, c, amount)
				add("time_entries", "T-%d,2026-%02d-06,%s,%s,5.5,5.5,yes,100,%s,%swork,A-%s,K-%d,%smove,%ssaid", n, month, c, who, rate, w, c, n, w, p)
				add("tickets", "K-%d,%s,%s,%sprinter,incident,High,Closed,2026-%02d-06 09:00,2026-%02d-06 09:30,2026-%02d-06 12:00,2026-%02d-06 13:00,no,%squeue", n, c, who, p, month, month, month, month, w)
				add("expenses", "E-%d,%s,2026-%02d-07,%svendor,cogs_product,%d.5,%stext", n, c, month, w, s.cost, p)
				add("payments", "P-%d,%s,I-%d,2026-%02d-20,%d,ACH", n, c, n, month, amount/2)
				add("payroll", "%s,2026-%02d-01,2026-%02d-28,%d.5,160", who, month, month, s.cost*150+int64(1000*i))
				add("surveys", "S-%d,%s,K-%d,csat,4,5,2026-%02d-08,%ssurvey", n, c, n, month, p)
			}
		}
	}
	for month := 1; month <= 6; month++ {
		add("ledger", "2026-%02d-01,4000 Services,income,%d", month, theirs.amount*3)
		add("ledger", "2026-%02d-01,6000 Payroll,payroll,%d", month, theirs.cost*600)
	}
	add("invoices", "%s,I-9999,1,2026-05-05,2026-05-25,sent,recurring_labor,x,y,oops,1,,", theirs.client)
	out := world{client: theirs.client, person: theirs.staff[0]}
	for _, file := range order {
		out.files = append(out.files, map[string]string{file + ".csv": files[file].String()})
	}
	return out
}
