package question_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/question"
)

// More clients than a filter can name are still cut by their size, and nobody is left out.
func TestManyClientsAreCutBySize(t *testing.T) {
	t.Parallel()
	const n = 450
	var bills strings.Builder
	bills.WriteString("invoice_number,client_name,invoice_date,net_amount\n")
	want := [3]int64{}
	for i := range n {
		fmt.Fprintf(&bills, "%d,A client with a long name %04d,2026-06-03,%d\n", i, i, n-i)
		want[3*i/n] += int64(n - i)
	}
	x := of(t, "invoices", bills.String(), "time_entries", "time_entry_id,staff_name,client_name,work_date,hours_worked\n1,Dana,A client with a long name 0001,2026-06-30,1\n")
	a, err := x.Answer(t.Context(), firm, question.Request{Question: "segments"})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range a.Tables {
		if part.Title != "By size of client" {
			continue
		}
		if len(part.Rows) != 3 {
			t.Fatalf("%+v", part.Rows)
		}
		for k, row := range part.Rows {
			if got, _ := row.Cells[2].(quantity.Decimal); !got.Equal(decimal.NewFromInt(want[k])) || !row.Cells[1].(quantity.Decimal).Equal(decimal.NewFromInt(n/3)) {
				t.Errorf("%v: %v clients, %v, want %d", row.Cells[0], row.Cells[1], row.Cells[2], want[k])
			}
		}
		return
	}
	t.Errorf("no table of sizes: %s", a.Headline)
}
