package pdf

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func dec(s string) quantity.Decimal {
	d, err := quantity.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

func num(s string) *quantity.Decimal { d := dec(s); return &d }

func usd(s string) document.Value {
	return document.Value{Number: num(s), Unit: quantity.Money, Currency: "USD"}
}

func ratio(s string) document.Value { return document.Value{Number: num(s), Unit: quantity.Ratio} }

func values(all ...string) []*quantity.Decimal {
	out := make([]*quantity.Decimal, len(all))
	for i, s := range all {
		if s != "" {
			out[i] = num(s)
		}
	}
	return out
}

var months = []string{"Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun"}

// hostile are names as they come out of real systems, and out of the hands of those who test
// them.
var hostile = []string{
	"🚀 Rocket Managed IT 👨‍👩‍👧", "שלום טכנולוגיות 24 בע״מ", "شركة النور للتقنية (Nour) 2026", "株式会社テクノロジー", "주식회사 한빛기술",
	"<script>alert(\"x\")</script>", "=1+1", "=cmd|' /C calc'!A0", "tab\tand\nline\x00\x07end", "Łódź & Ångström Śródmieście", "कंपनी लिमिटेड", "บริษัท ไทย จำกัด",
	"\u202Etxt.exe", "\U00020BB7野家", "A very long name of a client " + string(bytes.Repeat([]byte("that goes on and on "), 14)) + "until it ends", "Unbroken" + string(bytes.Repeat([]byte("x"), 292)),
}

func logo(t testing.TB, w, h int) []byte {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			d := math.Hypot(float64(x-h/2), float64(y-h/2))
			if d < float64(h)/2 || x > h && y > h/4 && y < 3*h/4 {
				picture.Set(x, y, color.NRGBA{R: 11, G: 98, B: 168, A: 255})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// board is a report as a board reads it: every kind of block.
func board(t testing.TB) *document.Document {
	origin := document.Origin{Period: "July 2025 to June 2026", Snapshot: 42, Grade: "high"}
	clients := &document.Table{Origin: document.Origin{Period: "July 2025 to June 2026", Snapshot: 42, Grade: "medium", Reasons: []string{"labor cost is estimated for 2 technicians"}, Sources: []string{"invoices", "time_entries"}},
		Title: "Margins by client", Note: "Revenue less labor and license cost, each client's share of shared cost included.",
		Columns: []document.Column{
			{Name: "client", Label: "Client", Unit: quantity.Text}, {Name: "revenue", Label: "Revenue", Unit: quantity.Money, Currency: "USD"},
			{Name: "labor", Label: "Labor cost", Unit: quantity.Money, Currency: "USD"}, {Name: "hours", Label: "Hours worked", Unit: quantity.Hours},
			{Name: "margin", Label: "Gross margin", Unit: quantity.Ratio}, {Name: "since", Label: "Client since", Unit: quantity.Date},
		}}
	add := func(kind document.RowKind, why string, cells ...any) {
		clients.Rows = append(clients.Rows, document.Row{Kind: kind, Cells: cells, Why: why})
	}
	add(document.Group, "", "Managed services", nil, nil, nil, nil, nil)
	add(document.PlainRow, "", "Contoso Manufacturing", dec("182340.25"), dec("81200.5"), dec("1240.5"), dec("0.4213"), "2019-03-01")
	add(document.PlainRow, "Hours rose after the move to a new office.", "Fabrikam Legal", dec("96400"), dec("71230.75"), dec("1180"), dec("0.1812"), "2021-11-15")
	add(document.PlainRow, "No time entries were imported for this client.", "Northwind Dental", dec("44120"), nil, nil, nil, "2023-01-10")
	for i, name := range hostile {
		add(document.PlainRow, "", name, dec("1000").Add(dec("137.13").Mul(dec("3"))), dec("-412.5"), dec("12.5"), dec("0.5"), "2024-0"+string(rune('1'+i%9))+"-01")
	}
	add(document.Subtotal, "", "Managed services, 19 clients", dec("345444.79"), dec("145831.25"), dec("2620.5"), dec("0.5213"), nil)
	add(document.Group, "", "Projects", nil, nil, nil, nil, nil)
	add(document.PlainRow, "", "Adventure Works", dec("12500"), dec("19800"), dec("301"), dec("-0.584"), "2025-02-01")
	add(document.Subtotal, "", "Projects, 1 client", dec("12500"), dec("19800"), dec("301"), dec("-0.584"), nil)
	add(document.Total, "", "All clients", dec("357944.79"), dec("165631.25"), dec("2921.5"), dec("0.5373"), nil)
	clients.Of = 245

	line := &document.Chart{Origin: origin, Kind: document.Line, Title: "How did the gross margin move?", Subtitle: "Gross margin by month, against the target", Unit: quantity.Ratio,
		Categories: months, Target: num("0.45"), TargetLabel: "Target",
		Series: []document.Series{
			{Name: "Gross margin", Values: values("0.412", "0.418", "0.431", "0.402", "0.398", "0.371", "0.385", "0.402", "0.411", "0.423", "0.431", "0.428"),
				Low: values("0.39", "0.40", "0.41", "0.38", "0.38", "0.35", "0.36", "0.38", "0.39", "0.40", "0.41", "0.40"), High: values("0.43", "0.44", "0.45", "0.42", "0.42", "0.39", "0.41", "0.42", "0.43", "0.45", "0.45", "0.45"), Band: "90% interval"},
			{Name: "A year before", Values: values("0.39", "0.385", "0.4", "0.41", "0.405", "0.39", "0.38", "0.385", "0.39", "0.40", "0.40", "0.405"), Muted: true},
		}}
	steps := &document.Chart{Origin: origin, Kind: document.Waterfall, Title: "What turned revenue into profit?", Unit: quantity.Money, Currency: "USD",
		Categories: []string{"Revenue", "Labor", "Licenses", "Shared cost", "Profit"}, Totals: []bool{true, false, false, false, true},
		Series: []document.Series{{Name: "USD", Values: values("357944.79", "-165631.25", "-110200", "-95000", "-12886.46")}}}
	heat := &document.Chart{Origin: origin, Kind: document.HeatMap, Title: "When do tickets come?", Unit: quantity.Count, Categories: []string{"8", "9", "10", "11", "12", "13", "14", "15", "16", "17"},
		Series: []document.Series{
			{Name: "Monday", Values: values("12", "33", "41", "38", "20", "18", "30", "28", "19", "9")}, {Name: "Tuesday", Values: values("10", "22", "31", "30", "18", "17", "25", "24", "15", "8")},
			{Name: "Wednesday", Values: values("9", "21", "29", "28", "17", "16", "22", "21", "14", "7")}, {Name: "Thursday", Values: values("8", "20", "27", "", "16", "15", "21", "20", "13", "6")},
		}}
	rank := &document.Chart{Origin: origin, Kind: document.Bars, Title: "Who earns the most?", Unit: quantity.Money, Currency: "USD", Categories: []string{"Contoso Manufacturing", "株式会社テクノロジー", "שלום טכנולוגיות", "🚀 Rocket Managed IT", "Adventure Works"},
		Series: []document.Series{{Name: "Profit", Values: values("101139.75", "44100", "25169.25", "9100", "-7300")}}}
	spread := &document.Chart{Origin: origin, Kind: document.Scatter, Title: "Do large clients earn more?", Unit: quantity.Ratio, YLabel: "Gross margin", XUnit: quantity.Money, XLabel: "Revenue", Currency: "USD"}
	for i := range 14 {
		x := dec("8000").Mul(dec(string(rune('1' + i%9)))).Add(dec("517").Mul(dec(string(rune('1' + i%7)))))
		spread.Points = append(spread.Points, document.Point{Label: "Client " + string(rune('A'+i)), X: x, Y: dec("0." + string(rune('1'+i%6)) + string(rune('1'+i%8))), Marked: i < 2})
	}
	tiles := &document.Tiles{Origin: origin, Title: "The year in five figures", Items: []document.Tile{
		{Label: "Revenue", Value: usd("1234567.89"), Period: "July 2025 to June 2026", Grade: "high", Change: &document.Change{Value: usd("84200"), Versus: "previous 12 months", Good: 1}},
		{Label: "Gross margin", Value: ratio("0.4213"), Period: "July 2025 to June 2026", Grade: "medium", Interval: &document.Interval{Low: dec("0.40"), High: dec("0.441"), Level: 0.9}, Change: &document.Change{Value: ratio("-0.012"), Versus: "previous 12 months", Good: -1}},
		{Label: "Hours worked", Value: document.Value{Number: num("23411.5"), Unit: quantity.Hours}, Period: "July 2025 to June 2026", Change: &document.Change{Value: document.Value{Number: num("120.5"), Unit: quantity.Hours}, Versus: "previous 12 months"}},
		{Label: "Unused licenses", Value: document.Value{Number: num("184"), Unit: quantity.Count}, Period: "June 2026", Note: "Seats that nobody used for 90 days"},
		{Label: "Effective rate", Value: document.Value{Unit: quantity.MoneyPerHour, Currency: "USD", Missing: "no time entries were imported"}, Period: "June 2026", Grade: "no_answer"},
	}}
	finding := &document.Finding{Origin: document.Origin{Period: "July 2025 to June 2026", Snapshot: 42, Grade: "medium", Reasons: []string{"11 months of data"}},
		Headline: "Fabrikam Legal earns 18.1%, half of what it earned a year ago", Subject: "Fabrikam Legal", Measure: "Gross margin", Value: ratio("0.1812"),
		Interval: &document.Interval{Low: dec("0.151"), High: dec("0.209"), Level: 0.9}, Stake: usd("21400"), Versus: "the previous 12 months",
		Drivers:        []document.Driver{{Name: "Hours worked", Value: ratio("-0.142")}, {Name: "Price of the agreement", Value: ratio("0.021")}, {Name: "Cost of an hour", Value: ratio("-0.037")}, {Name: "License cost, מחיר and everything else that was bought for this client over the year", Value: ratio("-0.004")}},
		Recommendation: "Raise the agreement's price by 12% at its renewal on September 1, or agree on a limit of 80 hours a month.", Assumptions: []string{"hours stay as they are", "the client stays"}, Review: "the change is larger than any before", Reference: "ins_7f3a2b"}
	plain := *finding
	plain.Review, plain.Headline, plain.Reference, plain.Interval = "", "Adventure Works costs more than it pays", "ins_90aa", nil
	return &document.Document{
		Template: "executive_summary", Title: "Executive summary", Subtitle: "What the year earned, why, and what to do next", Client: "", Period: "July 2025 to June 2026", At: time.Date(2026, 7, 3, 8, 30, 0, 0, time.UTC), Snapshot: 42,
		Facts:    []document.Fact{{Label: "Snapshot", Text: "42, of July 3, 2026"}, {Label: "Definitions", Text: "catalog 12 (3f9a…)"}, {Label: "Data until", Text: "June 30, 2026"}, {Label: "Read as", Text: "Owner"}},
		Warnings: []string{"Time entries of the last 3 days are missing: the source has not answered since June 30.", "2 proposals wait for a review, and figures may change with them."},
		Letter:   []string{"Dear Ms. Rivera,", "The year closed with $1.235M in revenue, 7.3% more than the year before. Gross margin fell by 1.2 points, nearly all of it through hours at one client, which we propose to address at its renewal.", "What follows is the whole picture, with where each figure comes from and how sure it is.", "With kind regards,\nNadia Stern, Northstar IT"},
		Sections: []document.Section{
			{Title: "Summary", Blocks: []document.Block{
				&document.Text{Tone: document.Lead, Paragraphs: []string{"The year earned $1.235M at a gross margin of 42.1%. Margin fell by 1.2 points; one client explains most of that, and its agreement renews in September."}},
				tiles,
				line,
				&document.Text{Title: "What to know", Paragraphs: []string{"Three things changed this year. They are listed by what they are worth, and each leads to a finding below with what moved it."}, Items: []string{"Hours at Fabrikam Legal rose by a third after its move.", "Licenses that nobody uses cost $1,840.00 a month.", "The price of an hour of work rose by 4.1%."}},
				&document.Text{Tone: document.Warning, Title: "A limit of these figures", Paragraphs: []string{"Labor cost of 2 technicians is estimated from their role."}},
				&document.Text{Tone: document.Note, Paragraphs: []string{"Figures are rounded half to even; totals are of exact figures."}},
			}},
			{Title: "Clients", NewPage: true, Blocks: []document.Block{clients, rank, spread}},
			{Title: "Findings", Blocks: []document.Block{finding, &plain}},
			{Title: "Work", Blocks: []document.Block{steps, heat}},
			{Title: "Nothing", Blocks: nil},
		},
		Layout: document.Layout{Cover: true, Contents: true},
		Brand:  document.Brand{Firm: "Northstar IT", Logo: logo(t, 300, 80), Footer: "Confidential"},
	}
}
