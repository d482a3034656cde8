package question_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/question"
)

// months are those of the small worlds: January to June 2026.
const months = 6

// simple are the four files that small firms have.
func simple() []string {
	invoices := "invoice_id,client_name,amount,date,status\n"
	logs := "staff_name,client_name,hours,rate,billable,date\n"
	for m := 1; m <= months; m++ {
		invoices += fmt.Sprintf("A%[1]d,Acme,1000,2026-%02[1]d-05,paid\nB%[1]d,Birch,500,2026-%02[1]d-05,paid\n", m)
		logs += fmt.Sprintf("Dana,Acme,10,60,yes,2026-%02[1]d-28\nDana,Birch,10,60,no,2026-%02[1]d-28\n", m)
	}
	return []string{
		"clients", "client_name,industry,status,contract_value\nAcme,Legal,active,12000\nBirch,Retail,active,6000\n",
		"invoices", invoices, "time_entries", logs,
		"licenses", "client_name,product_name,seats_purchased,seats_used,cost_per_seat,status\nAcme,E3,10,6,20,active\nBirch,E3,5,7,20,active\n",
	}
}

// fuller is one firm of which all is known: clients that pay in the given currencies, one
// after the other, each 3,000 a month and three hours too few billed.
func fuller(currencies ...string) []string {
	clients := "client_name,industry\n"
	invoices := "invoice_number,client_name,invoice_date,net_amount,revenue_category,currency,agreement_id\n"
	entries := "time_entry_id,staff_name,client_name,work_date,hours_worked,billable,billed_amount,bill_rate,work_type,agreement_id,currency\n"
	agreements := "agreement_id,agreement_name,client_name,amount,billing_cycle,currency,start_date\n"
	additions := "addition_id,agreement_id,client_name,product_name,quantity,unit_price,unit_cost,effective_date,currency\n"
	licenses := "license_id,client_name,vendor,product_name,seats_purchased,seats_used,unit_cost,term,renewal_date,status,currency\n"
	assets := "asset_id,name,client_name,asset_type,managed,last_seen\n"
	for n, c := range currencies {
		name := string(rune('A' + n))
		clients += name + ",Legal\n"
		agreements += fmt.Sprintf("M%[1]s,Managed,%[1]s,3000,monthly,%[2]s,2025-01-01\n", name, c)
		additions += fmt.Sprintf("D%[1]s,M%[1]s,%[1]s,E3,8,30,20,2025-01-01,%[2]s\n", name, c)
		licenses += fmt.Sprintf("L%[1]s,%[1]s,Microsoft,E3,10,12,20,annual,2027-01-01,active,%[2]s\n", name, c)
		assets += fmt.Sprintf("W%[1]s,pc-%[1]s,%[1]s,workstation,yes,2026-06-29\n", name)
		for m := 1; m <= months; m++ {
			invoices += fmt.Sprintf("%[1]s%[2]d,%[1]s,2026-%02[2]d-05,3000,recurring_labor,%[3]s,M%[1]s\n", name, m, c)
			entries += fmt.Sprintf("%[1]s%[2]d,Ann,%[1]s,2026-%02[2]d-28,45,yes,0,,Support,M%[1]s,%[3]s\n%[1]sx%[2]d,Ann,%[1]s,2026-%02[2]d-28,3,yes,0,100,Onsite,,%[3]s\n%[1]sy%[2]d,Ann,%[1]s,2026-%02[2]d-27,1,yes,100,100,Onsite,,%[3]s\n", name, m, c)
		}
	}
	return []string{"clients", clients, "staff", "staff_name,cost_rate,weekly_hours,role\nAnn,50,40,Senior\n", "agreements", agreements, "agreement_additions", additions,
		"invoices", invoices, "time_entries", entries, "licenses", licenses, "assets", assets}
}

func TestLittleDataHasHonestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files []string
		// words that an answer has, by question, or is "without".
		words map[string][]string
	}{
		{"nothing", nil, map[string][]string{"losing-clients": {"import invoices and time_entries"}, "final": {"cannot be answered yet"}, "unbilled": {"cannot be answered yet"}}},
		{"four simple files", simple(), map[string][]string{
			"losing-clients": {"600.00 was lost", "1 of 2 clients", "without $-"}, "reprice": {"import agreements"}, "margin-change": {"stayed at 20.0%", "June 2026"},
			"ledger-ties": {"not known"}, "reclaim": {"80.00 a month is spent on 4 seats", "term is not known"}, "true-up": {"2 seats too few on 1 subscription"}, "unbilled": {"not known"},
			"concentration": {"66.7% of revenue is of Acme", "without 0.0% of revenue is recurring"}, "segments": {"Retail −20.0% (1 client)", "Legal 40.0% (1 client)"}, "what-if": {"1,800.00", "lose the largest client, Acme (−2,400.00)", "without best"},
		}},
		// By hand: 3 hours a month at 100; 10 seats of which 8 are billed at 30; 2 seats too few
		// at 20 for 185 of 365 days; 129 weekdays of 8 hours at 50.
		{"one client", fuller("USD"), map[string][]string{
			"unbilled": {"$1,800.00 of work (18 h)", "4 of 6 lines more than 30 days ago", "2 seats worth $60.00 a month"}, "true-up": {"$243.29 is owed", "$40.00 a month"}, "what-if": {"add a person: Senior (−$51,600.00)"},
			"concentration": {"100.0% of revenue is of A"}, "segments": {"only industry"}}},
		{"two currencies", fuller("USD", "CAD"), map[string][]string{
			"losing-clients": {"without 36,000"}, "concentration": {"no revenue in one currency"}, "what-if": {"amounts are in CAD and USD, which are not added"},
			"unbilled": {"CAD", "$", "without 3,600"}, "reprice": {"CAD", "and"}, "true-up": {"CAD", "and", "without 480"}, "ledger-ties": {"not known"}, "margin-change": {"CAD and USD"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := of(t, c.files...)
			for _, q := range x.List() {
				req := question.Request{Question: q.Name}
				if q.OfClient {
					req.Client = map[bool]string{true: "Acme", false: "A"}[c.name == "four simple files"]
				}
				a, err := x.Answer(t.Context(), firm, req)
				if q.OfClient && c.files == nil && fault.KindOf(err) == fault.NotFound {
					continue // there is no client at all
				}
				if err != nil {
					t.Errorf("%s: %v", q.Name, err)
					continue
				}
				t.Logf("%s: %s [%s]", q.Name, a.Headline, a.Grade)
				if a.Headline == "" || a.Grade == "" || strings.Contains(a.Headline, "%!") || strings.Contains(a.Headline, "..") {
					t.Errorf("%s: headline %q, grade %q", q.Name, a.Headline, a.Grade)
				}
				for _, w := range c.words[q.Name] {
					not, without := strings.CutPrefix(w, "without ")
					if strings.Contains(a.Headline, not) == without {
						t.Errorf("%s: %q, want %q", q.Name, a.Headline, w)
					}
				}
				x.leadsToItsRows(t, a)
			}
		})
	}
}
