package workspace

import "github.com/moatmetrics/moatmetrics/internal/fault"

// Template is a built-in dashboard to begin with.
type Template struct {
	Key         string
	Label       string
	Description string
	Content     Dashboard
}

// realClients leaves out the provider itself, whose own time is no client's.
const realClients = `client_status != "internal"`

// Templates returns the built-in dashboards. A test beside the catalog of measures checks
// the names they use.
func Templates() []Template {
	return []Template{
		{"owner", "Owner", "What clients really earn after labor, who costs money, and what to do about it", Dashboard{Period: defaultPeriod, Tiles: []Tile{
			kpi("profit", 0, 0, 3, "gross_profit"), kpi("margin", 3, 0, 3, "gross_margin"), kpi("revenue", 6, 0, 3, "revenue"), kpi("mrr", 9, 0, 3, "mrr"),
			{ID: "margin-trend", X: 0, Y: 3, W: 8, H: 7, Kind: "trend", Title: "Gross margin by month", Measures: []string{"gross_margin"}, By: []string{"month"}},
			{ID: "findings", X: 8, Y: 3, W: 4, H: 14, Kind: "findings", Title: "What to look at", Limit: 8},
			{ID: "worst-clients", X: 0, Y: 10, W: 8, H: 7, Kind: "bar", Title: "Clients that earn least", Measures: []string{"gross_profit"}, By: []string{"client"}, Where: realClients, Order: []string{"gross_profit"}, Limit: 10},
			{ID: "license-waste", X: 0, Y: 17, W: 12, H: 7, Kind: "bar", Title: "License waste a month by client", Measures: []string{"license_waste"}, By: []string{"client"}, Order: []string{"-license_waste"}, Limit: 10},
		}}},
		{"service", "Service desk", "How busy the team is, and whether tickets are answered in time", Dashboard{Period: "last3", Tiles: []Tile{
			kpi("hours", 0, 0, 4, "hours_worked"), kpi("utilization", 4, 0, 4, "utilization"), kpi("billable", 8, 0, 4, "billable_utilization"),
			kpi("tickets", 0, 3, 6, "ticket_count"), kpi("sla", 6, 3, 6, "sla_attainment"),
			{ID: "by-staff", X: 0, Y: 6, W: 6, H: 9, Kind: "table", Title: "Utilization by staff", Measures: []string{"utilization", "billable_utilization", "hours_worked"}, By: []string{"staff"}, Order: []string{"-utilization"}, Limit: 20},
			{ID: "by-priority", X: 6, Y: 6, W: 6, H: 9, Kind: "bar", Title: "Tickets by priority", Measures: []string{"ticket_count"}, By: []string{"priority"}, Order: []string{"-ticket_count"}, Limit: 10},
			{ID: "ticket-trend", X: 0, Y: 15, W: 12, H: 7, Kind: "trend", Title: "Tickets by month", Measures: []string{"ticket_count"}, By: []string{"month"}},
		}}},
		{"finance", "Finance", "Revenue, cost, what is owed, and how much rests on few clients", Dashboard{Period: defaultPeriod, Tiles: []Tile{
			kpi("revenue", 0, 0, 3, "revenue"), kpi("mrr", 3, 0, 3, "mrr"), kpi("dso", 6, 0, 3, "dso"), kpi("receivables", 9, 0, 3, "receivables"),
			kpi("direct-cost", 0, 3, 4, "direct_cost"), kpi("labor-cost", 4, 3, 4, "labor_cost"), kpi("concentration", 8, 3, 4, "client_concentration"),
			{ID: "revenue-trend", X: 0, Y: 6, W: 12, H: 7, Kind: "trend", Title: "Revenue by month", Measures: []string{"revenue"}, By: []string{"month"}},
			{ID: "vendors", X: 0, Y: 13, W: 6, H: 9, Kind: "bar", Title: "Expenses by vendor", Measures: []string{"expense_amount"}, By: []string{"vendor"}, Order: []string{"-expense_amount"}, Limit: 10},
			{ID: "license-waste", X: 6, Y: 13, W: 6, H: 9, Kind: "bar", Title: "License waste a month by product", Measures: []string{"license_waste"}, By: []string{"product"}, Order: []string{"-license_waste"}, Limit: 10},
			{ID: "clients", X: 0, Y: 22, W: 12, H: 9, Kind: "table", Title: "Largest clients", Where: realClients, Measures: []string{"revenue", "gross_profit", "gross_margin", "receivables"}, By: []string{"client"}, Order: []string{"-revenue"}, Limit: 10},
		}}},
	}
}

func kpi(id string, x, y, w int, measure string) Tile {
	return Tile{ID: id, X: x, Y: y, W: w, H: 3, Kind: "kpi", Measures: []string{measure}}
}

// TemplateOf returns a built-in dashboard by its key.
func TemplateOf(key string) (Template, error) {
	var keys []string
	for _, t := range Templates() {
		if t.Key == key {
			return t, nil
		}
		keys = append(keys, t.Key)
	}
	return Template{}, fault.WithFields("the template is not known", fault.Field{Path: "template", Message: "is not a template", Allowed: keys})
}
