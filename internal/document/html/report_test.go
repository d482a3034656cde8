package html_test

import (
	"time"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func number(text string) *quantity.Decimal {
	if text == "" {
		return nil
	}
	d, err := quantity.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return &d
}

func numbers(texts ...string) []*quantity.Decimal {
	out := make([]*quantity.Decimal, len(texts))
	for i, text := range texts {
		out[i] = number(text)
	}
	return out
}

func usd(text string) document.Value {
	return document.Value{Number: number(text), Unit: quantity.Money, Currency: "USD"}
}

func share(text string) document.Value {
	return document.Value{Number: number(text), Unit: quantity.Ratio}
}

// pixel is a PNG of one blue point.
var pixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0cIDAT\x08\xd7c\xe0N\xba\x01\x00\x01\xd0\x01\x17\xd2\x8d\x1a\x9e\x00\x00\x00\x00IEND\xaeB`\x82")

var months = []string{"Jul 2025", "Aug 2025", "Sep 2025", "Oct 2025", "Nov 2025", "Dec 2025", "Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026", "May 2026", "Jun 2026"}

// report has every kind of block, row, tone and chart, and texts that are made to break out.
func report() *document.Document {
	from := document.Origin{Snapshot: 42, Grade: "medium", Reasons: []string{"3 staff have no cost rate"}, Sources: []string{"invoices", "time entries", "gross_margin v3"}, Explain: []string{"Gross margin is gross profit over revenue. Labor is costed at each person's rate on the day of the work."}}
	clients := []string{"Linden Square Logistics", `<script>alert("1")</script> & Sons`, "Kestrel Engineering", "株式会社ナカムラ", `"><img src=x onerror=alert(1)>`, "Oak & Iron Construction", "Summit Pediatrics", "Vale \u202eInsurance\x00"}
	profit := numbers("182000", "96500", "81200", "54100", "33000", "12500", "-4200", "-18300")
	return &document.Document{
		Template: "business-review", Title: "Business review", Subtitle: "What each client earned, why, and what to do next", Client: "All clients", Period: "July 2025 to June 2026",
		At: time.Date(2026, 7, 9, 8, 0, 0, 0, time.UTC), Snapshot: 42,
		Facts:    []document.Fact{{Label: "Snapshot", Text: "42, of July 8, 2026"}, {Label: "Data until", Text: "June 30, 2026"}, {Label: "Definitions", Text: "gross_margin v3, utilization v2"}, {Label: "Made for", Text: "the role Finance, which sees all clients"}},
		Warnings: []string{"Data is 9 days old: time entries end on June 30, 2026.", "2 findings wait for a review; their figures may change."},
		Letter:   []string{"Dear reader,", "The year closed above plan. Three clients carry most of it, and two cost more than they pay; the findings say why."},
		Layout:   document.Layout{Cover: true, Contents: true},
		Brand:    document.Brand{Firm: "Harbor IT", Logo: pixel, Footer: "Confidential"},
		Sections: []document.Section{
			{Title: "Summary", Blocks: []document.Block{
				&document.Text{Tone: document.Lead, Paragraphs: []string{"Gross margin rose to 39.2%, 3.7 points above the year before. Price did most of it."}},
				&document.Tiles{Origin: from, Title: "The year in figures", Items: []document.Tile{
					{Label: "Revenue", Value: usd("1842310.55"), Period: "July 2025 to June 2026", Change: &document.Change{Value: usd("120400.1"), Versus: "previous 12 months", Good: 1}},
					{Label: "Gross margin", Value: share("0.3921"), Period: "July 2025 to June 2026", Grade: "medium", Interval: &document.Interval{Low: *number("0.354"), High: *number("0.421"), Level: 0.9}, Change: &document.Change{Value: share("0.037"), Versus: "previous 12 months", Good: 1}},
					{Label: "License waste", Value: document.Value{Number: number("3480"), Unit: quantity.MoneyPerMonth, Currency: "USD"}, Period: "June 2026", Grade: "high", Change: &document.Change{Value: document.Value{Number: number("310"), Unit: quantity.MoneyPerMonth, Currency: "USD"}, Versus: "May 2026", Good: -1}},
					{Label: "SLA attainment", Value: document.Value{Unit: quantity.Ratio, Missing: "no ticket has a due date"}, Period: "June 2026", Grade: "no_answer"},
				}},
				&document.Text{Title: "What stands out", Items: []string{"Two clients are below zero.", "Projects swing more than anything else."}},
				&document.Text{Tone: document.Warning, Paragraphs: []string{"July is not complete and is left out."}},
				&document.Text{Tone: document.Note, Paragraphs: []string{"Amounts are net of tax and discounts."}},
			}},
			{Title: "Margins", NewPage: true, Blocks: []document.Block{
				&document.Chart{Origin: from, Kind: document.Line, Title: "How does gross margin move?", Subtitle: "Gross margin by month", Unit: quantity.Ratio, Categories: months, Target: number("0.4"), TargetLabel: "Target", Series: []document.Series{
					{
						Name: "Gross margin", Band: "90% interval", Values: numbers("0.355", "0.362", "0.371", "0.349", "", "0.338", "0.352", "0.366", "0.381", "0.379", "0.392", ""),
						Low:  numbers("0.33", "0.34", "0.35", "0.33", "", "0.31", "0.33", "0.345", "0.36", "0.355", "0.371", ""),
						High: numbers("0.38", "0.385", "0.392", "0.37", "", "0.365", "0.375", "0.388", "0.402", "0.404", "0.413", ""),
					},
					{Name: "Forecast", Dashed: true, Values: numbers("", "", "", "", "", "", "", "", "", "", "0.392", "0.398")},
				}},
				&document.Chart{Kind: document.Waterfall, Title: "What moved gross profit?", Subtitle: "Gross profit, second quarter against the first, USD", Unit: quantity.Money, Currency: "USD", Categories: []string{"Q1 2026", "Volume", "Price", "Labor cost", "Licenses", "One-off credit", "Q2 2026"}, Totals: []bool{true, false, false, false, false, false, true}, Series: []document.Series{{Name: "Gross profit", Values: numbers("48200", "12500", "6800", "-21400", "-3900", "-52000", "-9800")}}},
				&document.Chart{Kind: document.Bars, Title: "Which clients earn what?", Subtitle: "Gross profit, USD", Unit: quantity.Money, Currency: "USD", Categories: clients, Series: []document.Series{{Name: "Gross profit", Values: profit}}},
				&document.Chart{Kind: document.Stacked, Title: "Where does revenue come from?", Unit: quantity.Money, Currency: "USD", Categories: months[8:], Series: []document.Series{
					{Name: "Managed services", Values: numbers("226000", "229000", "231000", "235000")}, {Name: "Projects", Values: numbers("104000", "80000", "86000", "92000")}, {Name: "Credits", Values: numbers("-2500", "", "-6000", "-15000")},
				}},
				&document.Chart{Kind: document.Columns, Title: "What is left each month?", Unit: quantity.Money, Currency: "USD", Categories: months, Series: []document.Series{{Name: "Profit", Values: numbers("12000", "18500.5", "3000", "-2500", "3300", "11200", "15100", "-800", "5500", "6000", "17150", "18025")}}},
				&document.Chart{Kind: document.HeatMap, Title: "Utilization by person and month", Unit: quantity.Ratio, Categories: []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun"}, Series: []document.Series{{Name: "Amara Okafor", Values: numbers("0.82", "0.79", "0.88", "0.91", "0.77", "0.8")}, {Name: "Chen Wei", Values: numbers("0.95", "1.02", "1.1", "0.99", "", "1.05")}}},
				&document.Chart{Kind: document.Scatter, Title: "Who pays for the hours?", Unit: quantity.MoneyPerHour, Currency: "USD", XUnit: quantity.Hours, XLabel: "Hours worked", YLabel: "Effective hourly rate", Points: []document.Point{{Label: clients[0], X: *number("820"), Y: *number("61"), Marked: true}, {Label: clients[3], X: *number("150"), Y: *number("188"), Marked: true}, {Label: clients[5], X: *number("612"), Y: *number("92")}}},
				&document.Chart{Kind: document.Line, Title: "Recurring revenue of Harbor Dental", Unit: quantity.Money, Currency: "USD"},
			}},
			{Title: "Clients", NewPage: true, Blocks: []document.Block{
				&document.Table{Origin: from, Title: "Margins by client", Note: "Sorted by gross profit", Of: 8,
					Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "since", Label: "Client since", Unit: quantity.Date, Months: true}, {Name: "revenue", Label: "Revenue", Unit: quantity.Money, Currency: "USD"}, {Name: "hours", Label: "Hours", Unit: quantity.Hours}, {Name: "margin", Label: "Gross margin", Unit: quantity.Ratio}},
					Rows: []document.Row{
						{Kind: document.Group, Cells: []any{"Logistics"}},
						{Cells: []any{clients[0], "2021-03-01", *number("412000.5"), *number("820.25"), *number("0.4417")}, Why: "Price, and two engineers fewer"},
						{Cells: []any{clients[1], "2019-11-01", *number("231000"), *number("310"), *number("0.4177")}},
						{Kind: document.Subtotal, Cells: []any{nil, nil, *number("643000.5"), *number("1130.25"), *number("0.4331")}},
						{Kind: document.Group, Cells: []any{"Others"}},
						{Cells: []any{clients[4], nil, *number("-1200"), nil, nil}, Why: "No time entries: hours and margin are not known"},
						{Kind: document.Total, Cells: []any{nil, nil, *number("641800.5"), *number("1130.25"), *number("0.4320")}},
					}},
				&document.Table{Title: "Open invoices", Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "open", Label: "Open", Unit: quantity.Money}}, Rows: []document.Row{{Cells: []any{clients[0], *number("1200")}, Currency: "USD"}, {Cells: []any{clients[3], *number("90000")}, Currency: "JPY"}}},
				&document.Table{Title: "Overdue invoices", Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}}},
			}},
			{Title: "Findings </style><script>alert(2)</script>", Blocks: []document.Block{
				&document.Finding{
					Origin: from, Headline: "Labor at Linden Square Logistics costs more than its agreement pays", Subject: clients[0], Measure: "Gross margin", Value: share("0.1150"),
					Interval: &document.Interval{Low: *number("0.081"), High: *number("0.149"), Level: 0.9}, Stake: usd("41800"), Versus: "the previous 12 months",
					Drivers:        []document.Driver{{Name: "Hours", Value: share("-0.081")}, {Name: "Price", Value: share("0.012")}, {Name: "Mix of work", Value: share("-0.004")}},
					Recommendation: "Reprice the agreement to $5,200 a month, or move password resets to self-service.", Assumptions: []string{"Hours stay as they were in the last 3 months."},
					Review: "confidence is under 0.7", Reference: "f-2026-07-001",
				},
				&document.Finding{Headline: "12 unused licenses", Subject: clients[5], Measure: "License waste", Value: document.Value{Number: number("310"), Unit: quantity.MoneyPerMonth, Currency: "USD"}, Stake: usd("3720"), Recommendation: "Cancel them at renewal.", Reference: "f-2026-07-002"},
			}},
		},
	}
}
