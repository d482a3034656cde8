// Package officetest has documents to write as files of Office, and what looks at the files:
// Microsoft's validator, and LibreOffice with poppler for the pages.
package officetest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Dec reads a decimal; it panics on what is none, as only tests call it.
func Dec(s string) quantity.Decimal {
	d, err := quantity.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Decs reads decimals, nil for "".
func Decs(texts ...string) []*quantity.Decimal {
	out := make([]*quantity.Decimal, len(texts))
	for i, s := range texts {
		if s != "" {
			d := Dec(s)
			out[i] = &d
		}
	}
	return out
}

func money(s string) document.Value {
	return document.Value{Number: Decs(s)[0], Unit: quantity.Money, Currency: "USD"}
}

func ratio(s string) document.Value {
	return document.Value{Number: Decs(s)[0], Unit: quantity.Ratio}
}

// Logo is a small picture.
func Logo() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 240, 80))
	for x := range 240 {
		for y := range 80 {
			if (x-40)*(x-40)+(y-40)*(y-40) < 1300 {
				img.Set(x, y, color.RGBA{11, 98, 168, 255})
			} else if x > 90 && y > 30 && y < 50 {
				img.Set(x, y, color.RGBA{22, 32, 46, 255})
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

var months = []string{"Jul 25", "Aug 25", "Sep 25", "Oct 25", "Nov 25", "Dec 25", "Jan 26", "Feb 26", "Mar 26", "Apr 26", "May 26", "Jun 26"}

// Full is a document with a block of each kind, as a report has them.
func Full() *document.Document {
	origin := document.Origin{Period: "July 2025 to June 2026", Snapshot: 42, Grade: "high", Reasons: []string{"98% of hours have a cost rate.", "All invoices of the period are imported."},
		Sources: []string{"invoices", "time_entries"}, Explain: []string{"Gross profit is revenue less labor and direct cost.", "Two clients make most of the difference."}}
	d := &document.Document{Template: "executive_summary", Title: "Executive summary", Subtitle: "What the firm earned, where it leaks, and what to do", Period: "July 2025 to June 2026",
		At: time.Date(2026, 6, 30, 18, 0, 0, 0, time.UTC), Snapshot: 42,
		Facts:    []document.Fact{{Label: "Snapshot", Text: "42, of June 30, 2026"}, {Label: "Data until", Text: "June 30, 2026"}, {Label: "Definitions", Text: "revenue v1, labor_cost v2, gross_profit v1"}, {Label: "Role", Text: "owner"}},
		Warnings: []string{"3 findings wait for a review decision.", "Time entries of June are not complete: 2 of 11 people have none since June 24."},
		Letter:   []string{"Dear board,", "this year revenue grew faster than labor cost. Two agreements need a new price."},
		Brand:    document.Brand{Firm: "Northwind IT", Logo: Logo(), Footer: "Confidential"}}
	d.Sections = []document.Section{
		{Title: "Results", Blocks: []document.Block{
			&document.Text{Tone: document.Lead, Title: "Margin rose to 42.0% while two agreements lost money", Paragraphs: []string{"Revenue grew by 8.1% to $1,234,567.89 and labor cost by 3.2%. Without two agreements the margin would be 45.3%."}, Items: []string{"Reprice the agreement of Contoso", "Reclaim 41 unused licenses", "Hire one engineer by October"}, Origin: origin},
			&document.Tiles{Title: "Key figures", Origin: origin, Items: []document.Tile{
				{Label: "Revenue", Value: money("1234567.89"), Period: "12 months", Grade: "high", Change: &document.Change{Value: money("92500.12"), Versus: "previous 12 months", Good: 1}},
				{Label: "Gross margin", Value: ratio("0.4201"), Period: "12 months", Grade: "medium", Interval: &document.Interval{Low: Dec("0.401"), High: Dec("0.438"), Level: 0.9}, Change: &document.Change{Value: ratio("-0.012"), Versus: "previous 12 months", Good: -1}},
				{Label: "Hours worked", Value: document.Value{Number: Decs("18234.5")[0], Unit: quantity.Hours}, Period: "12 months", Grade: "high"},
				{Label: "License waste", Value: document.Value{Number: Decs("3480")[0], Unit: quantity.MoneyPerMonth, Currency: "USD"}, Period: "June 2026", Grade: "low", Note: "41 seats"},
				{Label: "Churn", Value: document.Value{Unit: quantity.Ratio, Missing: "no client has left or come yet"}, Period: "12 months", Grade: "no_answer"},
			}},
			&document.Chart{Origin: origin, Kind: document.Line, Title: "How did gross profit develop, and what is expected?", Subtitle: "By month, with the 90% interval of what is expected", Unit: quantity.Money, Currency: "USD",
				Categories: append(append([]string{}, months...), "Jul 26", "Aug 26", "Sep 26"),
				Series: []document.Series{
					{Name: "Actual", Values: Decs("38200.5", "40100", "39800", "42500.25", "41000", "35000", "43100", "44200", "45900", "44000", "46800", "47250.75", "", "", "")},
					{Name: "Expected", Dashed: true, Band: "90% interval", Values: Decs("", "", "", "", "", "", "", "", "", "", "", "47250.75", "47900", "48300", "48800"),
						Low: Decs("", "", "", "", "", "", "", "", "", "", "", "", "45000", "44200", "43600"), High: Decs("", "", "", "", "", "", "", "", "", "", "", "", "50800", "52400", "54000")}},
				Target: Decs("45000")[0], TargetLabel: "Plan"},
			&document.Chart{Origin: origin, Kind: document.Waterfall, Title: "What made the change of gross profit?", Unit: quantity.Money, Currency: "USD",
				Categories: []string{"2024/25", "New clients", "Lost clients", "Prices", "Labor cost", "Licenses", "2025/26"}, Totals: []bool{true, false, false, false, false, false, true},
				Series: []document.Series{{Name: "Gross profit", Values: Decs("420000", "88000", "-31000", "42500", "-12250.5", "-4800", "502449.5")}}},
			&document.Chart{Origin: origin, Kind: document.Waterfall, Title: "How did the projects end below zero, and come back?", Unit: quantity.Money, Currency: "EUR",
				Categories: []string{"Start", "Overrun", "Write-off", "Change order", "Result"}, Totals: []bool{true, false, false, false, true},
				Series: []document.Series{{Name: "Result", Values: Decs("100000", "-150000", "-20000", "95000", "25000")}}},
		}},
		{Title: "Clients", Blocks: []document.Block{
			Clients(9),
			&document.Chart{Origin: origin, Kind: document.Bars, Title: "Which clients earn the most?", Unit: quantity.Money, Currency: "USD", Categories: []string{"Contoso", "Fabrikam", "Tailspin Toys", "Adventure Works", "Litware", "Wingtip"},
				Series: []document.Series{{Name: "Gross profit", Values: Decs("88000.5", "74200", "51000", "33100", "12000", "-8450.25")}}, Target: Decs("20000")[0], TargetLabel: "Aim for each"},
			&document.Chart{Origin: origin, Kind: document.Columns, Title: "Did revenue grow against last year?", Unit: quantity.Money, Currency: "USD", Categories: []string{"Q3", "Q4", "Q1", "Q2"},
				Series: []document.Series{{Name: "2024/25", Muted: true, Values: Decs("270000", "284000", "290500", "298000")}, {Name: "2025/26", Values: Decs("291000", "300250", "312000", "331317.89")}}},
			&document.Chart{Origin: origin, Kind: document.Stacked, Title: "What is revenue made of?", Unit: quantity.Money, Currency: "USD", Categories: []string{"Q3", "Q4", "Q1", "Q2"},
				Series: []document.Series{{Name: "Agreements", Values: Decs("200000", "208000", "215000", "221000")}, {Name: "Projects", Values: Decs("61000", "60250", "64000", "78317.89")}, {Name: "Licenses", Values: Decs("30000", "32000", "33000", "32000")}}},
			&document.Chart{Origin: origin, Kind: document.Columns, Title: "How sure is utilization by team?", Unit: quantity.Ratio, Categories: []string{"Service desk", "Projects", "Field"},
				Series: []document.Series{{Name: "Utilization", Values: Decs("0.71", "0.64", "0.58"), Low: Decs("0.68", "", "0.5"), High: Decs("0.74", "", "0.66"), Band: "90% interval"}}, Target: Decs("0.7")[0], TargetLabel: "Target"},
			&document.Chart{Origin: origin, Kind: document.HeatMap, Title: "When are people busy?", Unit: quantity.Ratio, Categories: []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun"},
				Series: []document.Series{{Name: "Service desk", Values: Decs("0.71", "0.74", "0.88", "0.92", "0.81", "0.79")}, {Name: "Projects", Values: Decs("0.62", "0.55", "", "0.97", "1.12", "0.99")}, {Name: "Field", Values: Decs("0.45", "0.52", "0.61", "0.58", "0.66", "0.7")}}},
			&document.Chart{Origin: origin, Kind: document.Scatter, Title: "Do large clients earn more for each hour?", Unit: quantity.MoneyPerHour, Currency: "USD", XUnit: quantity.Hours, XLabel: "Hours worked", YLabel: "Revenue an hour",
				Points: []document.Point{{Label: "Contoso", X: Dec("820"), Y: Dec("141.5"), Marked: true}, {Label: "Fabrikam", X: Dec("610"), Y: Dec("128")}, {Label: "Tailspin", X: Dec("240"), Y: Dec("96.25")}, {Label: "Litware", X: Dec("930"), Y: Dec("61.4"), Marked: true}, {Label: "Wingtip", X: Dec("120"), Y: Dec("155")}}},
		}},
		{Title: "Findings", Blocks: []document.Block{Finding(origin), &document.Finding{Origin: origin, Headline: "41 seats of Microsoft 365 E3 are not used", Subject: "Fabrikam", Measure: "License waste", Value: document.Value{Number: Decs("1435")[0], Unit: quantity.MoneyPerMonth, Currency: "USD"}, Stake: money("17220"), Recommendation: "Reclaim the seats before the renewal of September 1.", Reference: "f-17"}}},
		{Title: "Definitions", Blocks: []document.Block{
			&document.Table{Title: "Definitions", Columns: []document.Column{{Name: "measure", Label: "Measure", Unit: quantity.Text}, {Name: "unit", Label: "Unit", Unit: quantity.Text}, {Name: "formula", Label: "Formula", Unit: quantity.Text}},
				Rows: []document.Row{{Cells: []any{"Gross profit", "money", "revenue - labor_cost - direct_cost"}}, {Cells: []any{"Gross margin", "ratio", "gross_profit / revenue"}}}},
			&document.Text{Title: "Data quality", Paragraphs: []string{"Two percent of the hours have no cost rate and take the mean of their role."}, Tone: document.Note}}},
	}
	return d
}

// Finding is one with everything.
func Finding(o document.Origin) *document.Finding {
	return &document.Finding{Origin: o, Headline: "Contoso's agreement loses $8,450.25 a year at the present price", Subject: "Contoso", Measure: "Gross margin", Value: ratio("-0.0312"), Interval: &document.Interval{Low: Dec("-0.051"), High: Dec("-0.012"), Level: 0.9},
		Stake: money("8450.25"), Versus: "previous 12 months", Recommendation: "Raise the monthly fee from $2,900.00 to $3,480.00 at the renewal, or take on-site visits out of the scope.",
		Drivers:     []document.Driver{{Name: "Labor cost", Value: ratio("-0.0821")}, {Name: "Revenue", Value: ratio("0.0312")}, {Name: "Licenses", Value: ratio("-0.0103")}},
		Assumptions: []string{"Hours stay as they were.", "Cost rates of June hold."}, Review: "The margin is negative.", Reference: "f-12"}
}

// Clients is a table in two groups with subtotals and a total that add up, of so many rows.
func Clients(n int) *document.Table {
	t := &document.Table{Title: "Margin by client", Note: "Clients with revenue in the period", Origin: document.Origin{Grade: "medium", Snapshot: 42, Explain: []string{"Sorted by revenue."}},
		Columns: []document.Column{{Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "since", Label: "Since", Unit: quantity.Date, Months: true}, {Name: "revenue", Label: "Revenue", Unit: quantity.Money, Currency: "USD"},
			{Name: "hours", Label: "Hours", Unit: quantity.Hours}, {Name: "gross_margin", Label: "Gross margin", Unit: quantity.Ratio}}}
	var all, part [2]quantity.Decimal
	sum := func(kind document.RowKind, label string, s [2]quantity.Decimal) {
		t.Rows = append(t.Rows, document.Row{Kind: kind, Cells: []any{label, nil, s[0], s[1], Dec("0.31")}})
	}
	for i := range n {
		if i == 0 || i == n/2 {
			if i > 0 {
				sum(document.Subtotal, "Agreements", part)
				part = [2]quantity.Decimal{}
			}
			t.Rows = append(t.Rows, document.Row{Kind: document.Group, Cells: []any{[]string{"With an agreement", "Without"}[min(i, 1)], nil, nil, nil, nil}})
		}
		revenue, hours := Dec(fmt.Sprintf("%d.%02d", 90000-i*731%80000, i%100)), Dec(fmt.Sprintf("%d.25", 400+i))
		if i%7 == 3 {
			revenue = revenue.Neg()
		}
		why := ""
		if i == 2 {
			why = "a project ended in March"
		}
		t.Rows = append(t.Rows, document.Row{Cells: []any{fmt.Sprintf("Client %03d", i+1), fmt.Sprintf("20%02d-%02d-01", 10+i%15, 1+i%12), revenue, hours, Dec("0.4").Sub(Dec(fmt.Sprintf("0.%03d", i%700)))}, Why: why})
		for _, s := range []*[2]quantity.Decimal{&all, &part} {
			s[0], s[1] = s[0].Add(revenue), s[1].Add(hours)
		}
	}
	sum(document.Subtotal, "Without", part)
	sum(document.Total, "All clients", all)
	return t
}

// Hostile has texts that break what is careless, everywhere.
func Hostile() *document.Document {
	d := Full()
	nasty := []string{"=1+1", "<script>alert('x')</script> & \"co\"", "🦊 Fuchs \U00020BB7野家", "\u202Eevil\u202C \x00\x07\x1b[31m control", "شركة الاختبار ש-ל-ו-ם", strings.Repeat("Very long name ", 20), strings.Repeat("Unbroken", 38), "漢字の会社名株式会社", "a'b/c:d[e]*?\\", "_x0041_ & %s {{.}} ${x}", "+41 79 000 00 00", "\ttab\nline"}
	n := 0
	next := func() string { n++; return nasty[n%len(nasty)] }
	d.Title, d.Subtitle, d.Client, d.Period, d.Brand.Firm, d.Brand.Footer = next(), next(), next(), next(), nasty[5], nasty[1]
	for i := range d.Sections {
		s := &d.Sections[i]
		s.Title = next()
		for _, b := range s.Blocks {
			switch b := b.(type) {
			case *document.Text:
				b.Title, b.Paragraphs, b.Items = next(), nasty, nasty
			case *document.Tiles:
				b.Title = next()
				for j := range b.Items {
					b.Items[j].Label, b.Items[j].Note = next(), next()
				}
			case *document.Table:
				b.Title, b.Note = next(), next()
				for j := range b.Columns {
					b.Columns[j].Label = next()
				}
				for j := range b.Rows {
					b.Rows[j].Cells[0], b.Rows[j].Why = next(), next()
				}
			case *document.Chart:
				b.Title, b.Subtitle, b.XLabel, b.YLabel = next(), next(), next(), next()
				for j := range b.Categories {
					b.Categories[j] = next()
				}
				for j := range b.Series {
					b.Series[j].Name = next()
				}
				for j := range b.Points {
					b.Points[j].Label = next()
				}
			case *document.Finding:
				b.Headline, b.Subject, b.Measure, b.Recommendation, b.Review, b.Versus = next(), next(), next(), next(), next(), next()
				for j := range b.Drivers {
					b.Drivers[j].Name = next()
				}
			}
		}
	}
	d.Warnings, d.Letter = nasty, nasty
	d.Facts = append(d.Facts, document.Fact{Label: next(), Text: nasty[5]})
	return d
}

// Empty has a section of each kind of block with nothing in it.
func Empty() *document.Document {
	return &document.Document{Title: "Nothing yet", Period: "June 2026", At: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC), Sections: []document.Section{
		{Title: "", Blocks: []document.Block{&document.Text{}, &document.Tiles{}, &document.Table{}, &document.Finding{Value: document.Value{Missing: "no data"}},
			&document.Chart{Kind: document.Line}, &document.Chart{Kind: document.Columns, Categories: []string{"a"}, Series: []document.Series{{Name: "x", Values: Decs("")}}}, &document.Chart{Kind: document.Scatter}, &document.Chart{Kind: document.HeatMap}, &document.Chart{Kind: document.Waterfall, Series: []document.Series{{}}}}},
		{Title: "No blocks"}}}
}

// One has one row of everything, and it is negative.
func One() *document.Document {
	d := &document.Document{Title: "One row", Period: "June 2026", At: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)}
	s := document.Section{Title: "All"}
	for _, k := range []document.ChartKind{document.Line, document.Columns, document.Bars, document.Stacked, document.HeatMap} {
		s.Blocks = append(s.Blocks, &document.Chart{Kind: k, Title: "One of " + string(k), Unit: quantity.Count, Categories: []string{"only"}, Series: []document.Series{{Name: "n", Values: Decs("-3")}}})
	}
	s.Blocks = append(s.Blocks, &document.Chart{Kind: document.Waterfall, Title: "One step down", Unit: quantity.Count, Categories: []string{"only"}, Totals: []bool{false}, Series: []document.Series{{Name: "n", Values: Decs("-3")}}},
		&document.Chart{Kind: document.Scatter, Title: "One point", Unit: quantity.Count, XUnit: quantity.Count, Points: []document.Point{{Label: "p", X: Dec("-1"), Y: Dec("-2"), Marked: true}}},
		&document.Table{Title: "One row", Columns: []document.Column{{Name: "n", Label: "Name", Unit: quantity.Text}, {Name: "v", Label: "Loss", Unit: quantity.Money}},
			Rows: []document.Row{{Cells: []any{"only", Dec("-1234.5678")}, Currency: "CHF"}, {Kind: document.Total, Cells: []any{"Total", Dec("-1234.5678")}, Currency: "CHF"}}})
	d.Sections = []document.Section{s}
	return d
}

// Big has a table of so many rows.
func Big(rows int) *document.Document {
	return &document.Document{Title: "Many rows", Period: "June 2026", At: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC), Sections: []document.Section{{Title: "Rows", Blocks: []document.Block{Clients(rows)}}}}
}

// All are the documents by name, but the big one.
func All() map[string]*document.Document {
	return map[string]*document.Document{"full": Full(), "hostile": Hostile(), "empty": Empty(), "one": One()}
}
