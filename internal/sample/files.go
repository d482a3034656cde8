package sample

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// write writes one file for each dataset.
func (f *firm) write(dir string) error {
	payments := f.collect()
	for _, file := range []struct {
		name   string
		header []string
		rows   func(*table)
	}{
		{"clients.csv", []string{"client_id", "client_name", "industry", "status", "currency", "account_manager", "employees", "acquired_on", "lost_on"}, f.clientRows},
		{"agreements.csv", []string{"agreement_id", "client_name", "agreement_name", "billing_model", "status", "start_date", "end_date", "billing_cycle", "amount", "target_hourly_rate", "term_months", "included_hours"}, f.agreementRows},
		{"agreement_additions.csv", []string{"addition_id", "agreement_id", "client_name", "product_name", "quantity", "included_quantity", "unit_price", "unit_cost", "effective_date", "cancelled_date", "billing_cycle"}, f.additionRows},
		{"invoices.csv", []string{"invoice_number", "line_number", "client_name", "invoice_date", "due_date", "invoice_type", "status", "agreement_id", "revenue_category", "description", "quantity", "unit_price", "net_amount", "tax_amount", "unit_cost", "service_period_start", "service_period_end", "currency", "project_name"}, f.invoiceRows},
		{"payments.csv", []string{"payment_id", "invoice_number", "client_name", "payment_date", "amount", "method"}, func(t *table) { paymentRows(t, payments) }},
		{"staff.csv", []string{"staff_id", "staff_name", "staff_email", "role", "team", "hired_on", "left_on", "cost_rate", "bill_rate", "weekly_hours", "valid_from"}, f.staffRows},
		{"time_entries.csv", []string{"time_entry_id", "staff_name", "client_name", "agreement_id", "ticket_number", "project_name", "work_date", "hours_worked", "hours_billed", "billable", "bill_rate", "billed_amount", "work_type", "notes", "entered_at"}, f.entryRows},
		{"tickets.csv", []string{"ticket_number", "client_name", "title", "ticket_type", "priority", "source", "created_at", "responded_at", "resolved_at", "closed_at", "sla_met", "status", "respond_by", "resolve_by", "reopen_count"}, f.ticketRows},
		{"licenses.csv", []string{"license_id", "client_name", "vendor", "product_name", "sku", "term", "billing_cycle", "seats_purchased", "seats_used", "seats_inactive", "unit_cost", "unit_price", "start_date", "renewal_date", "auto_renew", "status", "valid_from"}, f.licenseRows},
		{"license_assignments.csv", []string{"license_id", "client_name", "product_name", "user_email", "assigned_on", "last_activity_on", "user_enabled"}, f.assignmentRows},
		{"assets.csv", []string{"asset_id", "client_name", "asset_type", "name", "managed", "first_seen", "last_seen", "warranty_end"}, f.assetRows},
		{"expenses.csv", []string{"expense_id", "expense_date", "vendor", "client_name", "category", "net_amount", "tax_amount", "description"}, f.expenseRows},
		{"time_off.csv", []string{"staff_name", "date", "hours", "kind"}, f.timeOffRows},
		{"holidays.csv", []string{"date", "name", "country"}, f.holidayRows},
		{"surveys.csv", []string{"survey_id", "ticket_number", "client_name", "kind", "score", "scale", "responded_on", "comment"}, f.surveyRows},
		{"projects.csv", []string{"project_id", "project_name", "client_name", "status", "billing_method", "budget_hours", "budget_amount", "start_date", "end_date", "percent_complete"}, f.projectRows},
		{"ledger.csv", []string{"period_start", "account", "account_class", "amount", "currency"}, f.ledgerRows},
		{"payroll.csv", []string{"staff_name", "period_start", "period_end", "gross_amount", "paid_hours", "currency"}, f.payrollRows},
		{"opportunities.csv", []string{"opportunity_id", "name", "stage", "probability", "recurring_amount", "one_time_amount", "expected_close", "status", "loss_reason", "opened_on", "closed_on"}, f.opportunityRows},
		{"acquisition_costs.csv", []string{"period_start", "amount", "channel", "new_clients"}, f.acquisitionRows},
	} {
		t, err := createTable(dir, file.name, file.header...)
		if err != nil {
			return err
		}
		file.rows(t)
		if err := t.close(); err != nil {
			return err
		}
	}
	return nil
}

func (f *firm) clientRows(t *table) {
	row := func(id, name, industry, status, manager string, employees int, acquired, lost quantity.Day) {
		for _, s := range []string{id, name, industry, status, "USD", manager} {
			t.text(s)
		}
		t.whole(employees)
		t.day(acquired)
		t.day(lost)
		t.end()
	}
	for _, c := range f.clients {
		status, lost := "active", quantity.Day{}
		if c.until < f.Months {
			status, lost = "former", f.cal.at(c.until)
			if c.until < f.Months/2 {
				status = "inactive"
			}
		}
		row(c.id, c.name, c.industry, status, c.manager.name, c.seats, c.acquired, lost)
	}
	row("C-0001", internalClient, "Technology", "internal", "", f.seats(), f.cal.at(-120), quantity.Day{})
}

// targetRate is what the firm wants the base fee to earn for an hour worked. Clients
// without a planted problem reach it over the last twelve months.
const targetRate = cents(65_00)

func (f *firm) agreementRows(t *table) {
	for _, a := range f.agreements {
		for _, s := range []string{a.id, a.client.name, a.name, a.client.model, a.status} {
			t.text(s)
		}
		t.day(a.start)
		t.day(a.end)
		t.text("monthly")
		t.money(a.amount)
		t.money(targetRate)
		t.whole(a.term)
		if a.client.model == blockHours {
			t.whole(int(a.amount / targetRate))
		} else {
			t.text("")
		}
		t.end()
	}
}

// cycle is a product's billing cycle.
func (p *product) cycle() string {
	if p.yearly {
		return "yearly"
	}
	return "monthly"
}

func (f *firm) additionRows(t *table) {
	for _, a := range f.agreements {
		for _, x := range a.additions {
			t.text(x.id)
			t.text(a.id)
			t.text(a.client.name)
			t.text(x.sub.product.name)
			t.whole(x.seats)
			t.whole(x.sub.included)
			t.money(x.sub.product.price)
			t.money(x.sub.product.cost)
			t.day(f.cal.at(x.from))
			if x.open {
				t.text("")
			} else {
				t.day(f.cal.at(x.until))
			}
			t.text(x.sub.product.cycle())
			t.end()
		}
	}
}

func (f *firm) invoiceRows(t *table) {
	for _, inv := range f.invoices {
		for i, l := range inv.lines {
			t.text(inv.number)
			t.whole(i + 1)
			t.text(inv.client.name)
			t.day(inv.date)
			t.day(inv.due)
			for _, s := range []string{inv.kind, inv.status, l.agreement, l.category, l.text} {
				t.text(s)
			}
			t.money(cents(l.hundredths)) // the quantity has two decimals as well
			t.money(l.price)
			t.money(l.net())
			t.money(l.tax)
			if l.costKnown {
				t.money(l.cost)
			} else {
				t.text("")
			}
			t.day(l.from)
			t.day(l.until)
			t.text("USD")
			t.text(l.project)
			t.end()
		}
	}
}

func paymentRows(t *table, payments []payment) {
	for _, p := range payments {
		t.text(p.id)
		t.text(p.invoice.number)
		t.text(p.invoice.client.name)
		t.day(p.day)
		t.money(p.amount)
		t.text(p.method)
		t.end()
	}
}

func (f *firm) staffRows(t *table) {
	for _, p := range f.people {
		for _, r := range p.rates {
			for _, s := range []string{p.id, p.name, p.email, p.role, p.team} {
				t.text(s)
			}
			t.day(p.hired)
			t.day(p.left)
			t.money(r.cost)
			t.money(r.bill)
			t.whole(p.weekly)
			t.day(r.from)
			t.end()
		}
	}
}

func (f *firm) entryRows(t *table) {
	d := newDice(f.Seed, 41)
	for i, e := range f.entries {
		p := f.people[e.person]
		t.text(fmt.Sprintf("T-%07d", 1_000_001+i))
		t.text(p.name)
		client, agreement, projectName := internalClient, "", ""
		if e.client != nil {
			client = e.client.name
			if e.project != nil {
				projectName = e.project.name
			} else if a := e.client.agreementIn(f.cal.month(e.day)); a != nil {
				agreement = a.id
			}
		}
		for _, s := range []string{client, agreement, e.ticket, projectName} {
			t.text(s)
		}
		t.day(e.day)
		t.hours(e.worked)
		t.hours(e.billed)
		t.yes(e.billable)
		if e.client != nil {
			t.money(p.rateOn(e.day).bill)
			t.text(f.billedFor(e))
		} else {
			t.text("")
			t.text("")
		}
		t.text(e.kind)
		t.text(e.note)
		t.text(e.day.AddDays([]int{0, 1, 3, 6}[d.pick([]int{91, 6, 2, 1})]).Time().Add(time.Duration(d.between(16*60, 18*60)) * time.Minute).Format("2006-01-02 15:04"))
		t.end()
	}
}

// billedFor is the amount that was billed for an entry: 0.00 when an agreement covers it.
func (f *firm) billedFor(e entry) string {
	if !f.invoiced(e) {
		return "0.00"
	}
	return decimal.New(int64(e.billed)*25*int64(f.people[e.person].rateOn(e.day).bill), -4).StringFixed(4)
}

func (f *firm) ticketRows(t *table) {
	d := newDice(f.Seed, 51)
	at := func(when time.Time) {
		if when.IsZero() {
			t.text("")
			return
		}
		t.text(when.Format("2006-01-02 15:04"))
	}
	for _, x := range f.tickets {
		t.whole(x.number)
		for _, s := range []string{x.client.name, x.title, x.kind, x.priority, x.source} {
			t.text(s)
		}
		at(x.created)
		at(x.responded)
		at(x.resolved)
		at(x.closedAt)
		if x.resolved.IsZero() {
			t.text("")
		} else {
			t.yes(x.slaMet)
		}
		t.text(x.status)
		at(x.respondBy)
		at(x.resolveBy)
		t.whole(d.pick([]int{95, 4, 1}))
		t.end()
	}
}

func (f *firm) assetRows(t *table) {
	for _, a := range f.assets {
		for _, s := range []string{a.id, a.client.name, a.kind, a.name} {
			t.text(s)
		}
		t.yes(a.managed)
		t.day(a.firstSeen)
		t.day(a.lastSeen)
		t.day(a.warrantyEnd)
		t.end()
	}
}

func (f *firm) expenseRows(t *table) {
	for i, e := range f.expenses {
		t.text(fmt.Sprintf("E-%06d", 700_001+i))
		t.day(e.day)
		t.text(e.vendor)
		if e.client != nil {
			t.text(e.client.name)
		} else {
			t.text(internalClient)
		}
		t.text(e.category)
		t.money(e.net)
		t.money(0)
		t.text(e.text)
		t.end()
	}
}

func (f *firm) timeOffRows(t *table) {
	for _, p := range f.people {
		for d := f.cal.months[0]; d.Before(f.cal.end); d = d.AddDays(1) {
			if kind, away := p.off[d]; away {
				t.text(p.name)
				t.day(d)
				t.money(cents(p.day())) // hundredths as well
				t.text(kind)
				t.end()
			}
		}
	}
}

func (f *firm) holidayRows(t *table) {
	for _, h := range f.cal.holidays {
		t.day(h.day)
		t.text(h.name)
		t.text("US")
		t.end()
	}
}

func (f *firm) surveyRows(t *table) {
	for i, s := range f.surveys {
		t.text(fmt.Sprintf("V-%05d", 10_001+i))
		if s.ticket == 0 {
			t.text("")
		} else {
			t.whole(s.ticket)
		}
		t.text(s.client.name)
		t.text(s.kind)
		t.whole(s.score)
		t.whole(s.scale)
		t.day(s.on)
		t.text(s.comment)
		t.end()
	}
}
