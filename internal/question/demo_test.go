package question_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
)

// headlines are the answers of the demo, word for word.
var headlines = map[string]string{
	"losing-clients":   "$11,804.68 was lost after labor at 3 of 39 clients, July 2025 to June 2026. In the coming months, with a probability of 20% or more: 2 of these and no other.",
	"reprice":          "$9,310.94 a month is missing to a margin of 45.0% at 18 of 33 agreements, by the work of July 2025 to June 2026; the proposed prices bring $6,123.68 a month. 4 of them are held at 25.0% more at once.",
	"margin-change":    "The margin rose from 38.3% (May 2026) to 40.2% (June 2026), by hours worked +2.9 points, revenue −0.5 points, labor cost rate −0.3 points. In money: +$3,439.83 of gross profit.",
	"ledger-ties":      "Revenue ties to the ledger to the cent in 10 of 12 months, July 2025 to June 2026; in the others it is off by $5,000.00 in all that cancel out, each with a likely reason. $344,968.46 of $1,189,804.86 of pay is in no time entry (29.0%).",
	"unbilled":         "$1,960.00 of work (14 h) of July 2025 to June 2026 was delivered and not invoiced, 3 of 3 lines more than 30 days ago. 17 seats worth $102.00 a month are not billed, as of June 30, 2026. No managed device (of 1,523) is of a client without a recurring fee.",
	"reclaim":          "$3,672.20 a month is spent on 256 seats that nobody uses, as of June 30, 2026: $855.60 a month can be had back now, $2,816.60 a month once a term ends. $6.80 a month of it is our own money, the rest is billed to clients.",
	"true-up":          "$529.06 is owed if vendors count now, as of June 30, 2026: 25 seats too few on 2 subscriptions, $85.00 a month.",
	"concentration":    "25.9% of revenue is of Tallgrass Brewing and 45.3% of the five largest clients, July 2025 to June 2026; the concentration index is 0.088, as if there were 11.3 clients of one size. 86.6% of revenue is recurring, 95.6% of recurring revenue was kept, EBITDA was $480,598.38 (19.1% of revenue). Of 17 bands that somebody sets for such figures, ours lie in the good part of 7.",
	"segments":         "Margins by industry, July 2025 to June 2026, go from Engineering −13.8% (1 client) to Retail 50.6% (2 clients). Services leave 53.0% and products 22.0%.",
	"project-overruns": "No open project for a fixed fee is known as of June 30, 2026; 3 others are billed by the hour or not at all.",
	"final":            "Of 12 months, July 2025 to June 2026: 9 complete, settled; 3 complete, may still be corrected.",
}

func TestTheDemoAnswersEveryQuestion(t *testing.T) {
	t.Parallel()
	x, truth := demo(t)
	answers := map[string]*question.Answer{}
	for _, q := range x.List() {
		t.Run(q.Name, func(t *testing.T) {
			req := question.Request{Question: q.Name}
			if q.OfClient {
				req.Client = "Tallgrass Brewing"
			}
			a, err := x.Answer(t.Context(), firm, req)
			if err != nil {
				t.Fatal(err)
			}
			answers[q.Name] = a
			if want, ok := headlines[q.Name]; ok && a.Headline != want {
				t.Errorf("got  %s\nwant %s", a.Headline, want)
			}
			if a.Grade == "" || a.Headline == "" || len(a.Tables) == 0 {
				t.Errorf("grade %q, headline %q, %d tables", a.Grade, a.Headline, len(a.Tables))
			}
			x.leadsToItsRows(t, a)
		})
	}
	t.Run("the bridge of the profit is the change of the stored figures", func(t *testing.T) {
		bridge, clients := answers["margin-change"].Tables[1], answers["margin-change"].Tables[2]
		r, err := x.metrics.Run(t.Context(), firm, metric.Query{Measures: []string{"gross_profit"}, Dimensions: []string{"month"}, Period: quantity.Period{From: quantity.NewDay(2026, 5, 1), To: quantity.NewDay(2026, 7, 1)}})
		if err != nil || len(r.Rows) != 2 {
			t.Fatal(r, err)
		}
		change := r.Rows[1][1].(quantity.Decimal).Sub(r.Rows[0][1].(quantity.Decimal))
		for _, c := range []struct {
			name string
			t    question.Table
		}{{"parts", bridge}, {"clients", clients}} {
			sum := decimal.Zero
			for _, row := range c.t.Rows {
				if d, ok := row.Cells[1].(quantity.Decimal); ok {
					sum = sum.Add(d)
				}
			}
			if !sum.Equal(change) {
				t.Errorf("%s add up to %s, the change is %s", c.name, sum, change)
			}
		}
	})
	t.Run("what was planted as unbilled is found", func(t *testing.T) {
		hours, seats := answers["unbilled"].Tables[0], answers["unbilled"].Tables[1]
		money, monthly := decimal.Zero, decimal.Zero
		for _, row := range hours.Rows {
			if row.Cells[0] != truth.Unbilled[0].Client {
				t.Errorf("%v has nothing unbilled", row.Cells[0])
			}
			money = money.Add(row.Cells[3].(quantity.Decimal))
		}
		for _, row := range seats.Rows {
			monthly = monthly.Add(row.Cells[6].(quantity.Decimal))
		}
		planted := decimal.Zero
		for _, l := range truth.Leaked {
			planted = planted.Add(l.MonthlyMoney)
		}
		if len(truth.Unbilled) != 1 || !money.Equal(truth.Unbilled[0].Amount) || len(seats.Rows) != len(truth.Leaked) || !monthly.Equal(planted) {
			t.Errorf("hours %s and seats %s, planted %+v and %s", money, monthly, truth.Unbilled, planted)
		}
	})
	t.Run("what a client may read holds no cost", func(t *testing.T) {
		letters := answers["reprice"].Tables[1].Rows
		if len(letters) != 18 {
			t.Fatalf("%d letters", len(letters))
		}
		for _, row := range letters {
			text := row.Cells[2].(string)
			for _, secret := range []string{"labor", "margin", "cost", "rate"} {
				if strings.Contains(strings.ToLower(text), secret) {
					t.Errorf("%q names the %s", text, secret)
				}
			}
		}
	})
	t.Run("of hiring, the pay counts", func(t *testing.T) {
		rows := answers["what-if"].Tables[0].Rows
		at := slices.IndexFunc(rows, func(r question.Row) bool { return strings.HasPrefix(r.Cells[0].(string), "Add a person") })
		if at < 0 {
			t.Fatal("nobody is hired")
		}
		if change, pay := rows[at].Cells[3].(quantity.Decimal), rows[at].Cells[9].(quantity.Decimal); !change.IsZero() || pay.Sign() >= 0 {
			t.Errorf("change %s, with the present staff %s", change, pay)
		}
		if n := len(rows); n != 7 {
			t.Errorf("%d rows", n)
		}
	})
}

// leadsToItsRows runs the query of every row: it has an answer, its measures are the cells
// of the row, and what it is cut into adds up to them.
func (x *world) leadsToItsRows(t *testing.T, a *question.Answer) {
	t.Helper()
	checked := 0
	for _, table := range a.Tables {
		for _, row := range table.Rows {
			if len(row.Cells) != len(table.Columns) {
				t.Fatalf("%s: %d cells, %d columns", table.Title, len(row.Cells), len(table.Columns))
			}
			if row.Query == nil {
				continue
			}
			cut, err := x.metrics.Run(t.Context(), firm, *row.Query)
			if err != nil {
				t.Errorf("%s: %v: %v", table.Title, row.Cells[0], err)
				continue
			}
			whole := *row.Query
			whole.Dimensions, whole.Order = nil, nil
			one, err := x.metrics.Run(t.Context(), firm, whole)
			if err != nil || len(one.Rows) != 1 {
				t.Errorf("%s: %v: %d rows, %v", table.Title, row.Cells[0], len(one.Rows), err)
				continue
			}
			for i, c := range table.Columns {
				cell, ok := row.Cells[i].(quantity.Decimal)
				at := slices.Index(row.Query.Measures, c.Measure)
				if !ok || at < 0 {
					continue
				}
				checked++
				if got, ok := one.Rows[0][at].(quantity.Decimal); !ok || !near(got, cell) {
					t.Errorf("%s: %v: %s is %s, its query gives %v", table.Title, row.Cells[0], c.Name, cell, one.Rows[0][at])
				}
				// What is looked at on a day does not add up over months.
				m, err := x.metrics.Measure(c.Measure)
				stock := slices.Contains(row.Query.Dimensions, "month") && c.Unit == quantity.MoneyPerMonth
				if err != nil || !m.Base() || c.Unit == quantity.Ratio || stock {
					continue
				}
				sum := decimal.Zero
				for _, r := range cut.Rows {
					if d, ok := r[len(row.Query.Dimensions)+at].(quantity.Decimal); ok {
						sum = sum.Add(d)
					}
				}
				if !near(sum, cell) {
					t.Errorf("%s: %v: %s is %s, the parts of its query add up to %s", table.Title, row.Cells[0], c.Name, cell, sum)
				}
			}
		}
	}
	t.Logf("%s: %d cells", a.Name, checked)
}

func near(a, b quantity.Decimal) bool {
	return a.Sub(b).Abs().LessThanOrEqual(decimal.New(1, -4))
}
