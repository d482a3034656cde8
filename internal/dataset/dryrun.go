package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Preview is the first rows of a file as they were read.
type Preview struct {
	Fields  []string    `json:"fields"`
	Records []int64     `json:"records"` // the rows' numbers in the file
	Rows    [][]*string `json:"rows"`    // null: nothing there
}

// previewRows is how many rows a preview shows.
const previewRows = 20

// Effect is what an import would do to a main figure of a month.
type Effect struct {
	Measure  string `json:"measure"`
	Month    string `json:"month"` // 2026-03-01
	Currency string `json:"currency,omitempty"`
	Change   string `json:"change"` // a decimal
}

// PostedSQL is the condition under which an invoice line counts: documents that are void or
// not issued yet do not.
const PostedSQL = `lower(coalesce(status, '')) NOT IN ('void', 'voided', 'draft', 'deleted', 'cancelled', 'canceled')`

// RevenueSQL is the condition under which an invoice line is revenue: a down payment is
// owed until it is applied.
const RevenueSQL = PostedSQL + ` AND lower(coalesce(invoice_type, '')) NOT IN ('down payment', 'downpayment')`

// ReceivedSQL is the condition under which a payment is money received.
const ReceivedSQL = `lower(coalesce(status, '')) NOT IN ('failed', 'declined', 'pending', 'processing', 'incomplete', 'requires_action', 'requires_payment_method', 'expired', 'uncaptured', 'canceled', 'cancelled', 'void', 'voided', 'deleted', 'draft', 'bounced', 'reversed', 'chargeback')`

// ReceivedAmountSQL is what of a payment came and stayed. One that its source calls refunded
// without naming an amount is paid back whole.
const ReceivedAmountSQL = `amount - coalesce(refunded_amount, CASE WHEN lower(status) = 'refunded' THEN amount ELSE 0 END)`

// effects are the figures that an import of a dataset moves.
var effects = map[string]struct{ measure, column, when, currency string }{
	"time_entries": {"hours_worked", "hours_worked", "true", "NULL::VARCHAR"},
	"invoices":     {"revenue", "net_amount", RevenueSQL, "currency"},
	"expenses":     {"expenses", "net_amount", "true", "currency"},
	"payments":     {"payments", ReceivedAmountSQL, ReceivedSQL, "currency"},
}

// dryRun counts what a commit would do, by comparing with what is stored now, and shows how
// the file was read.
func (s *Service) dryRun(ctx context.Context, scope tenant.Scope, p *prepared) error {
	l, r := p.l, &p.r
	n, err := l.s.Preview(ctx, warehouse.Change{Session: l.s, Today: l.today, Staged: p.staged})
	if err != nil {
		return err
	}
	r.RowsAdded, r.RowsUpdated, r.RowsUnchanged, r.RowsDeleted = n.Added, n.Updated, n.Unchanged+l.dropped, n.Deleted
	if r.Preview, err = l.preview(ctx); err != nil {
		return err
	}
	if r.Effect, err = l.effect(ctx, p.staged[0]); err != nil {
		return err
	}
	r.Snapshot, err = s.w.Current(ctx, scope)
	return err
}

// preview reads the first rows that are stored.
func (l *load) preview(ctx context.Context) (*Preview, error) {
	if err := l.ensureRaw(ctx); err != nil {
		return nil, err
	}
	p := &Preview{Fields: l.order, Records: []int64{}, Rows: [][]*string{}}
	cols := make([]string, len(l.order))
	for i, name := range l.order {
		cols[i] = "in_" + name + "::VARCHAR"
	}
	err := l.s.Each(ctx, fmt.Sprintf("SELECT record, %s FROM (%s) ORDER BY record LIMIT %d", strings.Join(cols, ", "), l.inputSQL(), previewRows), func(row []any) error {
		p.Records = append(p.Records, row[0].(int64))
		cells := make([]*string, len(cols))
		for i, v := range row[1:] {
			if v, ok := v.(string); ok {
				v = cutText(v, 200)
				cells[i] = &v
			}
		}
		p.Rows = append(p.Rows, cells)
		return nil
	})
	return p, err
}

// effect is what storing the rows would add to the dataset's main figure, by month.
func (l *load) effect(ctx context.Context, st warehouse.Staged) ([]Effect, error) {
	e, ok := effects[l.d.Name]
	if !ok {
		return nil, nil
	}
	gone := "row_id IN (SELECT row_id FROM " + st.Relation + ")"
	if st.Replace != "" {
		gone = "(" + gone + " OR " + st.Replace + ")"
	}
	month := "date_trunc('month', " + warehouse.QuoteIdent(l.d.Month) + ")::DATE"
	rows, err := l.s.Query(ctx, fmt.Sprintf(`SELECT m::VARCHAR, cur, CAST(sum(v) AS DECIMAL(38,4))::VARCHAR FROM (
SELECT %[1]s AS m, %[2]s AS cur, %[3]s AS v FROM %[4]s WHERE %[5]s UNION ALL SELECT %[1]s, %[2]s, -%[3]s FROM now.%[6]s WHERE %[5]s AND %[7]s)
WHERE m IS NOT NULL AND v IS NOT NULL GROUP BY 1, 2 HAVING sum(v) <> 0 ORDER BY 1 DESC, 2 LIMIT 120`,
		month, e.currency, e.column, st.Relation, e.when, l.d.Name, gone))
	if err != nil {
		return nil, err
	}
	var out []Effect
	for _, r := range rows.Rows {
		out = append(out, Effect{Measure: e.measure, Month: text(r[0]), Currency: text(r[1]), Change: text(r[2])})
	}
	return out, nil
}
