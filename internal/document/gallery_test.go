package document_test

import (
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// nums reads decimals; "" is no value.
func nums(texts ...string) []*quantity.Decimal {
	out := make([]*quantity.Decimal, len(texts))
	for i, text := range texts {
		if text == "" {
			continue
		}
		d, err := quantity.ParseDecimal(text)
		if err != nil {
			panic(err)
		}
		out[i] = &d
	}
	return out
}

func num(text string) *quantity.Decimal { return nums(text)[0] }

var (
	months  = []string{"Jul 2025", "Aug 2025", "Sep 2025", "Oct 2025", "Nov 2025", "Dec 2025", "Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026", "May 2026", "Jun 2026"}
	clients = []string{"Linden Square Logistics", "Harbor Dental Group", "Kestrel Engineering", "Northgate Law", "Blue Fern Veterinary", "Oak & Iron Construction", "Summit Pediatrics", "Vale Insurance"}
)

// gallery is a chart of each kind, as reports have them.
func gallery() map[string]*document.Chart {
	points := []document.Point{}
	for i, at := range [][2]string{{"820", "61"}, {"310", "148"}, {"280", "132"}, {"150", "188"}, {"420", "110"}, {"612", "92"}, {"598", "95"}, {"90", "140"}} {
		points = append(points, document.Point{Label: clients[i], X: *num(at[0]), Y: *num(at[1]), Marked: i == 0 || i == 3 || i == 5 || i == 6})
	}
	return map[string]*document.Chart{
		"line": {Kind: document.Line, Title: "How does gross margin move?", Subtitle: "Gross margin by month", Unit: quantity.Ratio, Categories: months, Target: num("0.4"), TargetLabel: "Target", Series: []document.Series{
			{
				Name: "Gross margin", Band: "90% interval", Values: nums("0.355", "0.362", "0.371", "0.349", "", "0.338", "0.352", "0.366", "0.381", "0.379", "0.392", ""),
				Low:  nums("0.33", "0.34", "0.35", "0.33", "", "0.31", "0.33", "0.345", "0.36", "0.355", "0.371", ""),
				High: nums("0.38", "0.385", "0.392", "0.37", "", "0.365", "0.375", "0.388", "0.402", "0.404", "0.413", ""),
			},
			{Name: "Forecast", Dashed: true, Values: nums("", "", "", "", "", "", "", "", "", "", "0.392", "0.398")},
			{Name: "Year before", Muted: true, Values: nums("0.34", "0.341", "0.345", "0.35", "0.352", "0.35", "0.347", "0.349", "0.355", "0.36", "0.362", "0.365")},
		}},
		"line-alone": {Kind: document.Line, Title: "How does revenue move?", Unit: quantity.Money, Currency: "USD", Categories: months, Series: []document.Series{
			{Name: "Revenue", Values: nums("412000", "418500.5", "430000", "425000", "433000", "441200", "450100", "448000", "455000", "460000", "471500", "480250")},
		}},
		"columns": {Kind: document.Columns, Title: "What is left each month?", Unit: quantity.Money, Currency: "USD", Categories: months, Series: []document.Series{
			{Name: "Profit", Values: nums("12000", "18500.5", "3000", "-2500", "3300", "11200", "15100", "-800", "5500", "6000", "17150", "18025")},
		}},
		"columns-beside": {Kind: document.Columns, Title: "Booked against planned", Unit: quantity.Hours, Categories: []string{"Q3 2025", "Q4 2025", "Q1 2026", "Q2 2026"}, Target: num("700"), TargetLabel: "Capacity", Series: []document.Series{
			{Name: "Actual", Values: nums("612", "580.5", "640", "702")},
			{Name: "Plan", Dashed: true, Values: nums("600", "600", "650", "650")},
			{Name: "Year before", Muted: true, Values: nums("550", "560", "", "610")},
		}},
		"bars": {Kind: document.Bars, Title: "Which clients earn what?", Unit: quantity.Money, Currency: "USD", Categories: clients, Series: []document.Series{
			{Name: "Gross profit", Values: nums("182000", "96500", "81200", "54100", "33000", "12500", "-4200", "-18300")},
		}},
		"bars-interval": {Kind: document.Bars, Title: "Which teams are busy?", Unit: quantity.Ratio, Target: num("0.75"), TargetLabel: "Target", Categories: []string{"Service desk", "Projects", "Field"}, Series: []document.Series{
			{Name: "Utilization", Band: "90% interval", Values: nums("0.812", "0.64", "0.55"), Low: nums("0.79", "0.58", ""), High: nums("0.84", "0.7", "")},
		}},
		"stacked": {Kind: document.Stacked, Title: "Where does revenue come from?", Unit: quantity.Money, Currency: "USD", Categories: months, Series: []document.Series{
			{Name: "Managed services", Values: nums("210000", "212000", "214000", "215000", "217000", "220000", "223000", "224000", "226000", "229000", "231000", "235000")},
			{Name: "Projects", Values: nums("90000", "82000", "101000", "85000", "70000", "60000", "95000", "99000", "104000", "80000", "86000", "92000")},
			{Name: "Licenses", Values: nums("41000", "41500", "42000", "42100", "42500", "43000", "43200", "43900", "44000", "44100", "44800", "45000")},
			{Name: "Credits", Values: nums("-8000", "-3000", "-12000", "", "-4000", "-2000", "-9000", "-1000", "-2500", "-3000", "-6000", "-15000")},
		}},
		"waterfall": {
			Kind: document.Waterfall, Title: "What moved gross profit?", Unit: quantity.Money, Currency: "USD",
			Categories: []string{"Q1 2026", "Volume", "Price", "Labor cost", "Licenses", "One-off credit", "Q2 2026"},
			Totals:     []bool{true, false, false, false, false, false, true},
			Series:     []document.Series{{Name: "Gross profit", Values: nums("48200", "12500", "6800", "-21400", "-3900", "-52000", "-9800")}},
		},
		"heat-map": {Kind: document.HeatMap, Title: "Utilization by person and month", Unit: quantity.Ratio, Categories: []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun"}, Series: []document.Series{
			{Name: "Amara Okafor", Values: nums("0.82", "0.79", "0.88", "0.91", "0.77", "0.8")},
			{Name: "Ben Lindqvist", Values: nums("0.62", "0.55", "", "0.71", "0.6", "0.58")},
			{Name: "Chen Wei", Values: nums("0.95", "1.02", "1.1", "0.99", "0.97", "1.05")},
			{Name: "Dora Mészáros-Kovács", Values: nums("0.45", "0.5", "0.52", "0.61", "0.66", "0.7")},
		}},
		"heat-map-signs": {Kind: document.HeatMap, Title: "Profit by client and quarter", Unit: quantity.Money, Currency: "USD", Categories: []string{"Q3 2025", "Q4 2025", "Q1 2026", "Q2 2026"}, Series: []document.Series{
			{Name: clients[0], Values: nums("12000", "9000", "-3000", "4000")},
			{Name: clients[1], Values: nums("-8000", "-2000", "0", "15000")},
			{Name: clients[2], Values: nums("5000", "5100", "5200", "")},
		}},
		"scatter": {
			Kind: document.Scatter, Title: "Who pays for the hours?", Unit: quantity.MoneyPerHour, Currency: "USD", XUnit: quantity.Hours, XLabel: "Hours worked", YLabel: "Effective hourly rate, USD / h",
			Target: num("125"), TargetLabel: "Target", Points: points,
		},
		"empty": {Kind: document.Line, Title: "Nothing yet", Unit: quantity.Count},
	}
}
