package dataset_test

import (
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

func TestAmountsTakeTheCurrencyThatStandsBesideThem(t *testing.T) {
	t.Parallel()
	const head = "invoice_number,client_name,invoice_date,net amount\n"
	for _, tc := range []struct {
		name, amounts, stored string
		severity              dataset.Severity // of the finding, "" when there is none
	}{
		{"one mark", "€1.50,€2.50,3.50", "A0|1.5|EUR A1|2.5|EUR A2|3.5|EUR", dataset.Info},
		{"one code after the amount", "1.50 CHF,2.50 chf,3.50 CHF", "A0|1.5|CHF A1|2.5|CHF A2|3.5|CHF", dataset.Info},
		{"several", "€1.50,£2.50,(€3.50)", "A0|1.5|EUR A1|2.5|GBP A2|-3.5|EUR", dataset.Warning},
		{"a dollar may be any", "€1.50,$2.50,£3.50", "A0|1.5|EUR A1|2.5|- A2|3.5|GBP", dataset.Warning},
		{"a foreign one among plain amounts", "1.50,2.50,€3.50", "A0|1.5|- A1|2.5|- A2|3.5|EUR", dataset.Warning},
		{"dollars only", "$1.50,$2.50,$3.50", "A0|1.5|- A1|2.5|- A2|3.5|-", ""},
		{"none", "1.50,2.50,3.50", "A0|1.5|- A1|2.5|- A2|3.5|-", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			text := head
			for i, amount := range strings.Split(tc.amounts, ",") {
				text += "A" + string(rune('0'+i)) + ",Harbor,2026-03-04,\"" + amount + "\"\n"
			}
			r := x.load(t, "invoices.csv", text)
			want(t, "stored", strings.Join(x.rows(t, "SELECT invoice_number, net_amount, coalesce(currency, '-') FROM invoices ORDER BY 1", "invoices"), " "), tc.stored)
			var got dataset.Severity
			for _, f := range r.Findings {
				if f.Code == "currency_from_values" {
					got = f.Severity
				}
			}
			want(t, "severity", got, tc.severity)
			again := x.load(t, "invoices.csv", text)
			want(t, "again", [2]int64{again.RowsAdded + again.RowsUpdated, again.RowsUnchanged}, [2]int64{0, 3})
		})
	}
}
