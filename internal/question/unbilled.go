package question

import (
	"context"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// unbilled lists what was delivered and not billed: hours, seats and devices, each as a line
// that can go onto an invoice.
func unbilled(ctx context.Context, a *asked) error {
	end := quantity.MonthOf(a.Period.To.AddDays(-1))
	house, err := a.house(ctx)
	if err != nil {
		return err
	}
	hours, hoursWords, err := a.unbilledHours(ctx, house)
	if err != nil {
		return a.tooLittle(err)
	}
	seats, seatWords, err := a.unbilledSeats(ctx, end, house)
	if err != nil {
		return a.tooLittle(err)
	}
	devices, deviceWords, err := a.unbilledDevices(ctx, end, house)
	if err != nil {
		return a.tooLittle(err)
	}
	a.Tables = []Table{hours, seats, devices}
	said := []string{hoursWords.text, seatWords.text, deviceWords.text}
	a.Headline = strings.Join(said, " ")
	unknown := 0
	for _, w := range []found{hoursWords, seatWords, deviceWords} {
		if !w.known {
			unknown++
		}
	}
	switch {
	case unknown == 3:
		a.Grade = "no_answer"
	case seatWords.known:
		err = a.sureOfLicenses(ctx)
	default:
		err = a.sureOf(ctx, "revenue", a.client(), a.Period)
	}
	if err != nil {
		return a.tooLittle(err)
	}
	if unknown > 0 && unknown < 3 && (a.Grade == "high" || a.Grade == "medium") {
		a.Grade = "low"
	}
	if unknown > 0 {
		a.Reasons = append([]string{fmt.Sprintf("of hours, seats and devices, %d cannot be told", unknown)}, a.Reasons...)
	}
	if len(hours.Rows)+len(seats.Rows)+len(devices.Rows) > 0 {
		a.Next = append(a.Next, "Put the lines onto the next invoices, the oldest first, and the seats and devices onto the agreements.")
	}
	if !hoursWords.known {
		a.Next = append(a.Next, "Export time entries with what was billed for each (billed_amount): then hours that were not invoiced show.")
	}
	return nil
}

// found is what is known of a part of the answer.
type found struct {
	text  string
	known bool
}

// unbilledHours lists hours by client, kind of work and month; the age is counted from the
// end of the month to that of the period.
func (a *asked) unbilledHours(ctx context.Context, house string) (Table, found, error) {
	t := Table{
		Title: "Hours not invoiced", Note: "Billable work that no agreement covers and for which nothing was billed, at its billing rate. More than 30 days is old.",
		Columns: []Column{by("client", "Client"), text("line", "Invoice line"), of("unbilled_hours", "Hours", quantity.Hours), of("unbilled_wip", "Amount", quantity.Money), in("age", "Age", quantity.Days)},
	}
	q := metric.Query{Measures: []string{"unbilled_hours", "unbilled_wip"}, Dimensions: []string{"month", "client", "work_type"}, Where: a.client(), Period: a.Period, Order: []string{"month", "client", "work_type"}}
	if a.rows["time_entries"] == 0 {
		return t, found{text: "Whether hours were left unbilled is not known: no time entries are imported."}, nil
	}
	all, err := a.run(ctx, metric.Query{Measures: q.Measures, Where: q.Where, Period: q.Period})
	if err != nil {
		return t, found{}, err
	}
	if len(all.Rows) > 0 && all.Rows[0][0] == nil {
		return t, found{text: fmt.Sprintf("Whether hours were left unbilled is not known: %s.", orElse(all.Reasons[0]["unbilled_hours"], "no time entry says what was billed"))}, nil
	}
	r, err := a.run(ctx, q)
	if err != nil {
		return t, found{}, err
	}
	var total quantity.Decimal
	worth := amounts{}
	unpriced, old := 0, 0
	for i, row := range r.Rows {
		h, ok := row[3].(quantity.Decimal)
		if !ok || h.Sign() <= 0 {
			continue
		}
		month, client, work := row[0].(string), row[1].(string), row[2].(string)
		total = total.Add(h)
		currency := orElse(r.CurrencyOf(i, 1), house)
		if v, ok := row[4].(quantity.Decimal); ok {
			worth.add(currency, v)
		} else {
			unpriced++
		}
		day, err := quantity.ParseDay(month)
		if err != nil {
			return t, found{}, err
		}
		age := day.AddMonths(1).DaysUntil(a.Period.To)
		if age > 30 {
			old++
		}
		t.Rows = append(t.Rows, Row{
			Cells: []any{client, fmt.Sprintf("%s, %s: %s", capital(work), quantity.MonthOf(day).Words(), insight.Say(h, quantity.Hours, "")), h, row[4], whole(age)}, Currency: currency, Why: reason(r, i, "unbilled_wip"),
			Query: &metric.Query{Measures: q.Measures, Dimensions: []string{"staff", "day"}, Where: both(is("client", client), is("work_type", work)), Period: quantity.MonthOf(day), Snapshot: a.Snapshot},
		})
	}
	if total.IsZero() {
		return t, found{fmt.Sprintf("No billable hour of %s was left unbilled.", a.Period.Words()), true}, nil
	}
	words := fmt.Sprintf("%s of work (%s) of %s was delivered and not invoiced", worth.say(quantity.Money), insight.Say(total, quantity.Hours, ""), a.Period.Words())
	if old > 0 {
		words += fmt.Sprintf(", %d of %s more than 30 days ago", old, count(len(t.Rows), "line"))
	}
	if unpriced > 0 {
		words += fmt.Sprintf("; %s without a billing rate not counted", count(unpriced, "line"))
	}
	return t, found{words + ".", true}, nil
}

// unbilledSeats lists the seats that the vendor charges for above those that an agreement
// bills, for clients of which it is known what they are billed for.
func (a *asked) unbilledSeats(ctx context.Context, end quantity.Period, house string) (Table, found, error) {
	t := Table{
		Title: "Seats not billed", Note: "At the end of the period: seats of paid subscriptions above those on the client's agreements, at the agreement's price, else the license's. A product under two names looks unbilled under one of them.",
		Columns: []Column{by("client", "Client"), by("product", "Product"), text("line", "Invoice line"), of("seats_purchased", "Seats", quantity.Count), of("billed_seats", "Billed", quantity.Count), of("leaked_seats", "Not billed", quantity.Count), of("leakage", "A month", quantity.MoneyPerMonth)},
	}
	if a.rows["licenses"] == 0 || a.rows["agreement_additions"] == 0 {
		return t, found{text: "Whether seats were left unbilled is not known: it takes licenses and what agreements bill for."}, nil
	}
	r, err := a.run(ctx, metric.Query{Measures: []string{"seats_purchased", "billed_seats", "leaked_seats", "leakage"}, Dimensions: []string{"client", "product"}, Where: a.client(), Period: end, Order: []string{"-leakage", "-leaked_seats", "client", "product"}})
	if err != nil {
		return t, found{}, err
	}
	var seats, bought quantity.Decimal
	worth, unknown, compared := amounts{}, 0, 0
	for i, row := range r.Rows {
		n, ok := row[4].(quantity.Decimal)
		if !ok {
			unknown++
			continue
		}
		compared++
		if v, ok := row[2].(quantity.Decimal); ok {
			bought = bought.Add(v)
		}
		if n.Sign() <= 0 {
			continue
		}
		client, product := row[0].(string), row[1].(string)
		seats = seats.Add(n)
		currency := orElse(r.CurrencyOf(i, 3), house)
		if v, ok := row[5].(quantity.Decimal); ok {
			worth.add(currency, v)
		}
		t.Rows = append(t.Rows, Row{
			Cells: []any{client, product, fmt.Sprintf("%s, %s a month from %s", product, seatsOf(n), onDay(a.Period.To)), row[2], row[3], n, row[5]}, Currency: currency, Why: reason(r, i, "leakage"),
			Query: &metric.Query{Measures: []string{"seats_purchased", "leaked_seats", "leakage"}, Dimensions: []string{"client", "product"}, Where: both(is("client", client), is("product", product)), Period: end, Snapshot: a.Snapshot},
		})
	}
	if unknown > 0 {
		t.Note += fmt.Sprintf(" Of %s it is not known what the client is billed for.", count(unknown, "product line"))
	}
	switch {
	case compared == 0:
		return t, found{text: "Whether seats were left unbilled is not known: no client has both licenses and a list of what it is billed for."}, nil
	case seats.IsZero():
		return t, found{fmt.Sprintf("All %s seats that are compared are billed, as of %s.", insight.Say(bought, quantity.Count, ""), onDay(a.Period.To.AddDays(-1))), true}, nil
	}
	return t, found{fmt.Sprintf("%s worth %s are not billed, as of %s.", capital(seatsOf(seats)), worth.say(quantity.MoneyPerMonth), onDay(a.Period.To.AddDays(-1))), true}, nil
}

func seatsOf(n quantity.Decimal) string {
	if n.Equal(decimal.NewFromInt(1)) {
		return "1 seat"
	}
	return insight.Say(n, quantity.Count, "") + " seats"
}

// unbilledDevices lists clients whose devices are managed and who pay no recurring fee: how
// many devices a fee covers is in no dataset.
func (a *asked) unbilledDevices(ctx context.Context, end quantity.Period, house string) (Table, found, error) {
	t := Table{
		Title: "Devices of clients without a recurring fee", Note: "Workstations and servers seen in the last 30 days of the period. How many devices an agreement pays for is in no dataset: those are compared through the products billed for each.",
		Columns: []Column{by("client", "Client"), text("line", "Invoice line"), of("endpoints", "Devices", quantity.Count), of("mrr", "Recurring fee", quantity.MoneyPerMonth)},
	}
	if a.rows["assets"] == 0 || a.rows["agreements"] == 0 {
		return t, found{text: "Whether devices were left unbilled is not known: it takes assets and agreements."}, nil
	}
	r, err := a.run(ctx, metric.Query{Measures: []string{"endpoints", "mrr"}, Dimensions: []string{"client"}, Where: both(`client_status != "internal"`, a.client()), Period: end, Order: []string{"-endpoints", "client"}})
	if err != nil {
		return t, found{}, err
	}
	var all, free quantity.Decimal
	for i, row := range r.Rows {
		n, ok := row[1].(quantity.Decimal)
		fee, priced := row[2].(quantity.Decimal)
		if !ok || n.Sign() <= 0 {
			continue
		}
		all = all.Add(n)
		client := row[0].(string)
		if client == unassigned || !priced || fee.Sign() > 0 {
			continue
		}
		free = free.Add(n)
		t.Rows = append(t.Rows, Row{
			Cells: []any{client, fmt.Sprintf("Management of %s devices from %s", insight.Say(n, quantity.Count, ""), onDay(a.Period.To)), n, fee}, Currency: orElse(r.CurrencyOf(i, 1), house),
			Query: &metric.Query{Measures: []string{"endpoints"}, Dimensions: []string{"client"}, Where: is("client", client), Period: end, Snapshot: a.Snapshot},
		})
	}
	switch {
	case all.IsZero():
		return t, found{text: "Whether devices were left unbilled is not known: no device was seen in the last 30 days of the period."}, nil
	case free.IsZero():
		return t, found{fmt.Sprintf("No managed device (of %s) is of a client without a recurring fee.", insight.Say(all, quantity.Count, "")), true}, nil
	}
	return t, found{fmt.Sprintf("%s of %s managed devices are of clients without a recurring fee.", insight.Say(free, quantity.Count, ""), insight.Say(all, quantity.Count, "")), true}, nil
}

// unassigned is the client of facts that name none.
const unassigned = "unassigned"

// orElse is the first words that are not empty.
func orElse(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
