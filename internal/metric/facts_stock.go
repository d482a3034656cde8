package metric

import (
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

// Views of facts that are looked at on a day: look(day, month) holds the days.

const newestFirst = "valid_from DESC NULLS LAST, source_system, source_id"

// firstOf aggregates columns to those of the newest row.
func firstOf(columns ...string) string {
	for i, c := range columns {
		columns[i] = "first(" + c + " ORDER BY " + newestFirst + ") AS " + c
	}
	return strings.Join(columns, ", ")
}

// licenseView is the active paid subscriptions on each day. Seats whose use is not stated
// are neither used nor wasted.
var licenseView = view{with: []string{"look"}, sql: `SELECT 'licenses' AS origin, row_id, import_id, record, day, month, client_key, vendor, product_name, currency,
  seats_purchased, seats_used, CASE WHEN seats_used IS NULL THEN 0 ELSE seats_purchased END AS seats_known, wasted AS wasted_seats,
  ` + monthly("wasted::DECIMAL(20,6) * unit_cost", "billing_cycle") + ` AS license_waste,
  ` + monthly("over::DECIMAL(20,6) * unit_cost", "billing_cycle") + ` AS overdeploy_exposure,
  ` + monthly("seats_purchased::DECIMAL(20,6) * unit_cost", "billing_cycle") + ` AS license_cost
FROM (SELECT l.*, a.day, a.month,
    CASE WHEN l.seats_used IS NULL AND l.seats_inactive IS NULL THEN NULL
      ELSE least(l.seats_purchased, greatest(0, l.seats_purchased - coalesce(l.seats_used, l.seats_purchased)) + coalesce(l.seats_inactive, 0)) END AS wasted,
    CASE WHEN l.seats_used IS NULL THEN NULL ELSE greatest(0, l.seats_used - l.seats_purchased) END AS over
  FROM look a JOIN ` + effective("licenses") + ` l ON ` + holds("l") + `
    AND ` + paidLicense + `)`}

// paidLicense is true for the active paid subscriptions l of the day a.day.
const paidLicense = `(l.start_date IS NULL OR l.start_date <= a.day)
    AND lower(coalesce(l.status, 'active')) IN ('active', 'enabled', 'warning', 'true', 'yes')
    AND NOT coalesce(l.is_free_or_trial, false)`

var assetView = view{with: []string{"look"}, sql: `SELECT 'assets' AS origin, t.row_id, t.import_id, t.record, a.day, a.month, t.client_key, 1 AS endpoints FROM look a JOIN assets t
  ON coalesce(t.managed, true) AND lower(coalesce(t.asset_type, 'workstation')) IN ('workstation', 'server', 'laptop', 'desktop')
  AND (t.first_seen IS NULL OR t.first_seen <= a.day) AND (t.last_seen IS NULL OR t.last_seen >= a.day - 30)`}

// receivableView is what clients owe on a day: invoiced with tax until then, less paid
// until then; without payments, the invoices whose status does not say paid.
var receivableView = view{with: []string{"look", "invoice_clients"}, sql: `SELECT 'invoices' AS origin, i.row_id, i.import_id, i.record, a.day, a.month, i.client_key, i.currency, i.net_amount + coalesce(i.tax_amount, 0) AS receivables
FROM look a JOIN (SELECT * FROM invoices WHERE ` + posted + `) i ON i.invoice_date <= a.day
WHERE (SELECT count(*) FROM payments) > 0 OR lower(coalesce(i.status, '')) <> 'paid'
UNION ALL
SELECT 'payments', p.row_id, p.import_id, p.record, a.day, a.month, coalesce(p.client_key, n.client_key), p.currency, -p.received
FROM look a JOIN (SELECT *, ` + dataset.ReceivedAmountSQL + ` AS received FROM payments WHERE ` + dataset.ReceivedSQL + `) p ON p.payment_date <= a.day LEFT JOIN invoice_clients n ON n.invoice_number = p.invoice_number`}
