package sample

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// WorkloadOptions tunes Workload. A zero field means its default.
type WorkloadOptions struct {
	Logs                   int    // rows of time_logs.csv, at least 0
	Seed                   uint64 // zero means 1
	Clients                int    // zero means 300, at most 100,000
	Months                 int    // months from January 2022 on; zero means 36, at most 600
	Staff                  int    // zero means 200, at most 100,000
	InvoicesPerClientMonth int    // zero means 1, at most 100
	LicensesPerClient      int    // zero means 4, at most 10, which is the number of products
}

func (o WorkloadOptions) withDefaults() (WorkloadOptions, error) {
	if o.Seed == 0 {
		o.Seed = 1
	}
	var wrong []fault.Field
	set := func(name string, value *int, standard, most int) {
		if *value == 0 {
			*value = standard
		}
		if *value < 1 || *value > most {
			wrong = append(wrong, fault.Field{Path: name, Message: fmt.Sprintf("%d is outside 1 to %d", *value, most)})
		}
	}
	set("clients", &o.Clients, 300, 100_000)
	set("months", &o.Months, 36, 600)
	set("staff", &o.Staff, 200, 100_000)
	set("invoices_per_client_month", &o.InvoicesPerClientMonth, 1, 100)
	set("licenses_per_client", &o.LicensesPerClient, 4, len(workloadProducts))
	if o.Logs < 0 {
		wrong = append(wrong, fault.Field{Path: "logs", Message: "the number of time logs must not be negative"})
	}
	if wrong != nil {
		return o, fault.WithFields("the workload cannot be generated with these settings", wrong...)
	}
	return o, nil
}

var (
	workloadIndustries = []string{"Technology", "Healthcare", "Finance", "Retail", "Manufacturing", "Education", "Legal", "Real Estate"}
	workloadProjects   = []string{"Infrastructure Upgrade", "Security Audit", "Cloud Migration", "Software Implementation", "Support Services", "Network Optimization", "Data Backup Setup", "Compliance Review"}
	workloadTasks      = []string{"System maintenance and updates", "Troubleshooting network issues", "User support and training", "Security configuration", "Backup verification", "Performance optimization"}
	workloadLines      = []string{"Managed IT Services", "Cloud Storage", "Security Monitoring", "Software License", "Consulting Hours", "Hardware Maintenance"}
	workloadFirst      = []string{"John", "Jane", "Mike", "Sarah", "David", "Ana", "Tom", "Lea", "Max", "Eva"}
	workloadLast       = []string{"Smith", "Doe", "Johnson", "Williams", "Brown", "Garcia", "Miller", "Davis", "Lopez", "Wilson", "Moore", "Taylor", "Lee", "White", "Clark", "Young", "King", "Hill", "Green", "Adams"}
	workloadProducts   = []struct {
		name, vendor     string
		fewest, mostSeat int
	}{
		{"Microsoft 365", "Microsoft", 20, 150}, {"Adobe Creative Cloud", "Adobe", 10, 50},
		{"Salesforce CRM", "Salesforce", 25, 125}, {"Slack", "Slack", 5, 25},
		{"Zoom", "Zoom", 10, 15}, {"GitHub Enterprise", "GitHub", 15, 40},
		{"AWS", "Amazon", 100, 500}, {"Google Workspace", "Google", 15, 20},
		{"Dropbox Business", "Dropbox", 8, 15}, {"Jira", "Atlassian", 10, 25},
	}
)

// workload is one run of the generator.
type workload struct {
	WorkloadOptions
	dir   string
	names []string       // clients
	days  []quantity.Day // every day of the range
}

// Workload writes clients.csv, invoices.csv, time_logs.csv and licenses.csv into dir: a
// plain load for measuring imports and queries, without any story in it. Clients, invoices
// and licenses do not depend on Logs, so only the time log scales; the same options give
// the same bytes. Errors: Invalid for options out of bounds, Unavailable when a file
// cannot be written.
func Workload(dir string, opt WorkloadOptions) error {
	opt, err := opt.withDefaults()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrapf(fault.Unavailable, err, "the folder for the sample could not be created")
	}
	w := workload{WorkloadOptions: opt, dir: dir}
	for i := range opt.Clients {
		w.names = append(w.names, fmt.Sprintf("Client %03d Corp", i+1))
	}
	first := quantity.NewDay(2022, 1, 1)
	for d, end := first, first.AddMonths(opt.Months); d.Before(end); d = d.AddDays(1) {
		w.days = append(w.days, d)
	}
	for _, write := range []func() error{w.writeClients, w.writeInvoices, w.writeTimeLogs, w.writeLicenses} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// pythonBool writes a boolean the way the reference files do.
func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func (w workload) writeClients() error {
	t, err := createTable(w.dir, "clients.csv", "name", "industry", "contact_email", "contact_phone", "is_active")
	if err != nil {
		return err
	}
	d := newDice(w.Seed, 1)
	for i, name := range w.names {
		phone := d.between(1_000_000, 9_999_999)
		t.text(name)
		t.text(choose(d, workloadIndustries))
		t.text(fmt.Sprintf("contact@client%03d.com", i+1))
		t.text(fmt.Sprintf("555-%03d-%04d", phone/10_000, phone%10_000))
		t.text(pythonBool(d.percent(90)))
		t.end()
	}
	return t.close()
}

func (w workload) writeInvoices() error {
	t, err := createTable(w.dir, "invoices.csv", "client_name", "invoice_number", "date", "due_date", "currency", "total_amount", "status", "lines_json")
	if err != nil {
		return err
	}
	d := newDice(w.Seed, 2)
	statuses := []string{"paid", "pending", "overdue"}
	var lines strings.Builder
	for ci, name := range w.names {
		for k := range w.Months * w.InvoicesPerClientMonth {
			date := quantity.NewDay(2022, 1, 1).AddMonths(k / w.InvoicesPerClientMonth).AddDays(d.upTo(28))
			lines.Reset()
			net := 0
			for i := range d.between(1, 5) {
				if i > 0 {
					lines.WriteString(", ")
				}
				quantity, price, discount := d.between(1, 10), d.between(50, 500), d.between(0, 50)
				fmt.Fprintf(&lines, `{"description": "%s", "quantity": %d, "unit_price": %d, "tax_rate": 0.08, "discount": %d}`,
					choose(d, workloadLines), quantity, price, discount)
				net += quantity*price - discount
			}
			t.text(name)
			t.text(fmt.Sprintf("INV-%03d-%04d", ci+1, k+1))
			t.day(date)
			t.day(date.AddDays(30))
			t.text("USD")
			t.money(cents(net * 108)) // whole net amounts with 8 % tax, exact to the cent
			t.text(choose(d, statuses))
			t.text("[" + lines.String() + "]")
			t.end()
		}
	}
	return t.close()
}

// writeTimeLogs builds each row from prepared pieces with three draws of 64 bits: tens of
// millions of rows must not take longer than the disk.
func (w workload) writeTimeLogs() error {
	t, err := createTable(w.dir, "time_logs.csv", "client_name", "staff_name", "staff_email", "date", "hours", "rate", "project_name", "task_description", "billable")
	if err != nil {
		return err
	}
	d := newDice(w.Seed, 3)
	who, rate := make([]string, w.Staff), make([]string, w.Staff)
	for i := range w.Staff {
		name := workloadFirst[i%len(workloadFirst)] + " " + workloadLast[i/len(workloadFirst)%len(workloadLast)]
		if all := len(workloadFirst) * len(workloadLast); i >= all {
			name += " " + strconv.Itoa(i/all)
		}
		email := strings.ReplaceAll(strings.ToLower(name), " ", ".") + "@moatmetrics.com"
		who[i] = "," + name + "," + email + ","
		rate[i] = "," + strconv.Itoa(90+5*d.upTo(23)) + ","
	}
	days := make([]string, len(w.days))
	for i, day := range w.days {
		days[i] = day.String() + ","
	}
	var what []string
	for _, project := range workloadProjects {
		for _, task := range workloadTasks {
			what = append(what, project+","+task+",")
		}
	}
	for range w.Logs {
		a, b, c := d.r.Uint64(), d.r.Uint64(), d.r.Uint64()
		staff := below(a>>32, w.Staff)
		t.row = append(t.row, w.names[below(a&0xffffffff, w.Clients)]...)
		t.row = append(t.row, who[staff]...)
		t.row = append(t.row, days[below(b>>32, len(days))]...)
		tenths := 5 + below(b&0xffffffff, 76) // 0.5 h to 8.0 h
		t.row = append(t.row, byte('0'+tenths/10), '.', byte('0'+tenths%10))
		t.row = append(t.row, rate[staff]...)
		t.row = append(t.row, what[below(c>>32, len(what))]...)
		t.row = append(t.row, pythonBool(below(c&0xffffffff, 100) >= 15)...)
		t.end()
	}
	return t.close()
}

// below maps 32 random bits to 0 … n-1.
func below(bits uint64, n int) int { return int(bits * uint64(n) >> 32) }

func (w workload) writeLicenses() error {
	t, err := createTable(w.dir, "licenses.csv", "client_name", "product", "vendor", "license_type", "seats_purchased", "seats_used", "cost_per_seat", "total_cost", "start_date", "end_date", "is_active", "auto_renew")
	if err != nil {
		return err
	}
	d := newDice(w.Seed, 4)
	last := w.days[len(w.days)-1]
	usedPercent := []int{20, 30, 50, 70, 85, 95, 100}
	for _, name := range w.names {
		products := slices.Clone(workloadProducts)
		shuffle(d, products)
		for _, p := range products[:w.LicensesPerClient] {
			seats, cost := d.between(p.fewest, p.mostSeat), d.between(10, 200)
			used := seats * choose(d, usedPercent) / 100
			start := last.AddDays(-d.between(30, 700))
			end := start.AddDays(365)
			t.text(name)
			t.text(p.name)
			t.text(p.vendor)
			t.text([]string{"subscription", "perpetual"}[d.upTo(2)])
			t.whole(seats)
			t.whole(used)
			t.whole(cost)
			t.whole(seats * cost * 12)
			t.day(start)
			t.day(end)
			t.text(pythonBool(last.Before(end)))
			t.text(pythonBool(d.percent(70)))
			t.end()
		}
	}
	return t.close()
}
