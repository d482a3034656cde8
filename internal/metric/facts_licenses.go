package metric

import (
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Views of facts about licenses (domain.md 2.6).

// termWindow is how many days after an order or renewal a longer term's quantity can still
// be lowered: Microsoft's rule (new commerce experience), taken for every vendor.
const termWindow = "7"

// licenseRows are the active paid subscriptions on each day, with what is known of the
// people who hold their seats: the subscription's own count, else the assignments'. A
// renewal that has passed is moved on by whole terms to the one that is next, or whose
// window is open. Of wasted seats each counts once: not assigned, then of an account that
// cannot sign in, then without activity for 30 days, then below a higher edition that the
// same person holds.
var licenseRows = `(SELECT *, CASE WHEN assigned IS NULL AND idle IS NULL AND seats_inactive IS NULL THEN NULL
      ELSE least(seats_purchased, unassigned + disabled + inactive + duplicate) END AS wasted,
    CASE WHEN months = 1 OR renews <= day AND day < renews + ` + termWindow + ` OR start_date <= day AND day < start_date + ` + termWindow + ` THEN 'now'
      WHEN months > 1 OR renews > day THEN 'locked' ELSE 'unknown' END AS recoverable,
    CASE WHEN months = 1 THEN CASE WHEN ` + laterBy("cycle_start", monthsFrom("cycle_start", "day")) + ` > day THEN ` + laterBy("cycle_start", monthsFrom("cycle_start", "day")) + ` ELSE ` + laterBy("cycle_start", monthsFrom("cycle_start", "day")+" + 1") + ` END
      WHEN renews <= day AND day < renews + ` + termWindow + ` THEN renews + ` + termWindow + ` - 1 WHEN start_date <= day AND day < start_date + ` + termWindow + ` THEN start_date + ` + termWindow + ` - 1 ELSE renews END AS deadline
  FROM (SELECT *, least(seats_purchased, greatest(0, seats_purchased - coalesce(assigned, seats_purchased))) AS unassigned,
      coalesce(least(idle_disabled, seats_inactive), idle_disabled, 0) AS disabled,
      CASE WHEN seats_inactive IS NULL THEN coalesce(idle - idle_disabled, 0) ELSE seats_inactive - coalesce(least(idle_disabled, seats_inactive), 0) END AS inactive,
      coalesce(doubled, 0) AS duplicate,
      CASE WHEN ` + laterBy("renewal_date", "coalesce(months, 0) * whole") + ` + ` + termWindow + ` <= day AND months IS NOT NULL THEN ` + laterBy("renewal_date", "months * (whole + 1)") + ` ELSE ` + laterBy("renewal_date", "coalesce(months, 0) * whole") + ` END AS renews
    FROM (SELECT *, coalesce(renewal_date, start_date, month) AS cycle_start, greatest(0, ` + monthsFrom("renewal_date", "day") + ` // coalesce(months, 1)) AS whole
      FROM (SELECT l.*, a.day, a.month, ` + termMonths("l.term") + ` AS months, ` + cycleColumns("l.billing_cycle") + `, coalesce(l.seats_used, u.held, v.held) AS assigned,
          coalesce(u.idle, v.idle) AS idle, coalesce(u.disabled, v.disabled) AS idle_disabled, coalesce(u.doubled, v.doubled) AS doubled
        FROM look a JOIN ` + effective("licenses") + ` l ON ` + holds("l") + ` AND ` + paidLicense + `
        LEFT JOIN seats_held u ON u.day = a.day AND u.license_id = l.license_id
        LEFT JOIN seats_held v ON v.day = a.day AND v.license_id IS NULL AND v.client_key = l.client_key AND v.product_name = l.product_name))))`

// paidLicense is true for the active paid subscriptions l of the day a.day.
const paidLicense = `(l.start_date IS NULL OR l.start_date <= a.day)
    AND lower(coalesce(l.status, 'active')) IN ('active', 'enabled', 'warning', 'true', 'yes')
    AND NOT coalesce(l.is_free_or_trial, false)`

// licenseView is the active paid subscriptions on each day. Seats whose use is not stated
// are neither used nor wasted.
var licenseView = view{with: []string{"look", "seats_held"}, sql: `SELECT 'licenses' AS origin, row_id, import_id, record, day, month, client_key, vendor, product_name, license_id, term, renews, recoverable, deadline, currency,
  seats_purchased, assigned AS seats_used, CASE WHEN assigned IS NULL THEN 0 ELSE seats_purchased END AS seats_known, wasted AS wasted_seats,
  ` + costOf("wasted") + ` AS license_waste,
  ` + costOf("CASE WHEN assigned IS NULL THEN NULL ELSE greatest(0, assigned - seats_purchased) END") + ` AS overdeploy_exposure,
  ` + costOf("seats_purchased") + ` AS license_cost,
  CASE WHEN wasted IS NULL THEN NULL ELSE least(seats_purchased, unassigned) END AS unassigned_seats,
  CASE WHEN wasted IS NULL THEN NULL ELSE greatest(0, least(disabled, seats_purchased - unassigned)) END AS disabled_seats,
  CASE WHEN wasted IS NULL THEN NULL ELSE greatest(0, least(inactive, seats_purchased - unassigned - disabled)) END AS inactive_seats,
  CASE WHEN wasted IS NULL THEN NULL ELSE greatest(0, least(duplicate, seats_purchased - unassigned - disabled - inactive)) END AS duplicate_seats,
  CASE WHEN assigned IS NULL OR idle IS NULL AND seats_inactive IS NULL THEN NULL ELSE greatest(0, assigned - disabled - inactive) END AS seats_active,
  CASE WHEN assigned IS NULL OR idle IS NULL AND seats_inactive IS NULL THEN 0 ELSE seats_purchased END AS seats_watched,
  CASE WHEN recoverable = 'now' OR wasted = 0 THEN wasted ELSE 0 END AS wasted_seats_now,
  ` + costOf("CASE WHEN recoverable = 'now' OR wasted = 0 THEN wasted ELSE 0 END") + ` AS waste_recoverable_now,
  ` + costOf("CASE WHEN recoverable = 'locked' OR wasted = 0 THEN wasted ELSE 0 END") + ` AS waste_locked,
  ` + costOf("CASE WHEN recoverable = 'unknown' OR wasted = 0 THEN wasted ELSE 0 END") + ` AS waste_term_unknown,
  (CASE WHEN recoverable = 'locked' THEN ` + untilRenewal("wasted") + ` ELSE 0 END) AS waste_until_renewal,
  (CASE WHEN recoverable = 'locked' AND renews IS NULL THEN NULL WHEN months = 1 OR renews <= day THEN 0 ELSE ` + untilRenewal("seats_purchased") + ` END) AS committed_spend,
  (CASE WHEN assigned IS NULL THEN NULL WHEN assigned <= seats_purchased THEN 0 WHEN renews IS NULL AND months > 1 THEN NULL WHEN months > 1 AND renews > day THEN ` + untilRenewal("assigned - seats_purchased") + ` ELSE ` + costOf("assigned - seats_purchased") + ` END) AS true_up,
  CASE WHEN unit_cost IS NULL OR unit_price IS NULL THEN 0 ELSE ` + ofCycle("seats_purchased::DECIMAL(20,6) * unit_price") + ` END AS license_price,
  CASE WHEN unit_cost IS NULL OR unit_price IS NULL THEN 0 ELSE ` + costOf("seats_purchased") + ` END AS license_priced_cost
FROM ` + licenseRows}

// costOf is the cost a month of a number of seats, where cycleColumns are known.
func costOf(seats string) string { return ofCycle("(" + seats + ")::DECIMAL(20,6) * unit_cost") }

func ofCycle(amount string) string {
	return divided("("+amount+")::DECIMAL(38,10) * cycle_times", "cycle_months")
}

// cycleColumns are the parts of a billing cycle, worked out once a row.
func cycleColumns(cycle string) string {
	times, months := cycleParts(cycle)
	return times + " AS cycle_times, " + months + " AS cycle_months"
}

// untilRenewal is the cost of seats until the renewal: twelve months are 365 days.
func untilRenewal(seats string) string {
	return divided(costOf(seats)+" * 12 * "+daysFrom("day", "renews"), "365")
}

// editions are products of which a higher one holds what a lower one does, lowest first, by
// a part of their names.
var editions = [][]string{
	{"365 business basic", "365 business standard", "365 business premium"},
	{"365 f1", "365 f3", "365 e3", "365 e5"},
	{"exchange online (plan 1)", "exchange online (plan 2)"},
	{"entra id p1", "entra id p2"},
}

// editionOf is the rank of a product among its editions as family x 10 + rank, null when it
// is in none.
func editionOf(product string) string {
	sql := "CASE"
	for family, names := range editions {
		for rank, name := range names {
			sql += fmt.Sprintf(" WHEN contains(lower(%s), '%s') THEN %d", product, name, family*10+rank)
		}
	}
	return sql + " END"
}

// licenseUserView is the people who hold a seat, each once a client, as the assignments
// stand now.
var licenseUserView = view{with: []string{"look"}, sql: `SELECT 'license_assignments' AS origin, min(s.row_id) AS row_id, min(s.import_id) AS import_id, min(s.record) AS record, a.day, a.month, s.client_key,
  1 AS license_users, CASE WHEN bool_or(coalesce(s.user_enabled, true)) THEN 1 ELSE 0 END AS eligible_users
FROM look a JOIN license_assignments s ON s.assigned_on IS NULL OR s.assigned_on <= a.day WHERE s.person_key IS NOT NULL GROUP BY a.day, a.month, s.client_key, s.person_key`}

// quantityView lays the seats of a product at a client side by side: what the vendor counts,
// what agreements bill, what is assigned. Free and trial subscriptions are left out.
var quantityView = view{with: []string{"look", "client_aliases", "product_aliases", "agreement_days", "known_agreements", "seats_held"}, sql: `SELECT min(origin) AS origin, min(row_id) AS row_id, min(import_id) AS import_id, min(record) AS record, day, month, client_key, product_name,
  sum(vendor_seats) AS vendor_seats, sum(billed) AS agreement_seats, greatest(0, sum(vendor_seats) - sum(billed)) AS seats_unbilled, greatest(0, sum(billed) - sum(vendor_seats)) AS seats_overbilled,
  CASE WHEN bool_and(assigned IS NOT NULL OR vendor_seats = 0) THEN greatest(0, sum(assigned) - sum(billed)) END AS assigned_unbilled
FROM (
  SELECT 'licenses' AS origin, row_id, import_id, record, day, month, coalesce(c.canonical, l.client_key) AS client_key, coalesce(p.canonical, l.product_name) AS product_name, seats_purchased AS vendor_seats, 0::DECIMAL(18,6) AS billed, assigned
  FROM ` + licenseRows + ` l LEFT JOIN client_aliases c ON c.key = l.client_key LEFT JOIN product_aliases p ON p.key = l.product_name
  UNION ALL
  SELECT 'agreement_additions', d.row_id, d.import_id, d.record, a.day, a.month, coalesce(c.canonical, d.client_key, k.client_key), coalesce(p.canonical, d.product_name), 0, d.quantity, 0
  FROM look a JOIN ` + effective("agreement_additions") + ` d ON ` + holds("d") + `
    AND (d.effective_date IS NULL OR d.effective_date <= a.day) AND (d.cancelled_date IS NULL OR d.cancelled_date > a.day)
  LEFT JOIN known_agreements k ON k.agreement_id = d.agreement_id
  LEFT JOIN (SELECT DISTINCT day, agreement_id FROM agreement_days) g ON g.agreement_id = d.agreement_id AND g.day = a.day
  LEFT JOIN client_aliases c ON c.key = coalesce(d.client_key, k.client_key) LEFT JOIN product_aliases p ON p.key = d.product_name
  WHERE k.agreement_id IS NULL OR g.agreement_id IS NOT NULL)
GROUP BY day, month, client_key, product_name`}

// renewalView is the subscriptions by the day that they renew next, as they stand today.
var renewalView = view{sql: `SELECT 'licenses' AS origin, row_id, import_id, record, renews AS day, client_key, vendor, product_name, currency, seats_purchased AS renewing_seats,
  ` + costOf("seats_purchased * coalesce(months, 1)") + ` AS renewing_cost
FROM (SELECT *, CASE WHEN renewal_date >= ` + todayMark + ` OR months IS NULL THEN renewal_date ELSE ` + laterBy("renewal_date", "months * (("+monthsFrom("renewal_date", todayMark)+" + months - 1) // months)") + ` END AS renews
  FROM (SELECT *, ` + termMonths("term") + ` AS months, ` + cycleColumns("billing_cycle") + `, lead(valid_from) OVER since AS next_from FROM licenses WINDOW since AS (PARTITION BY source_system, source_id ORDER BY valid_from NULLS FIRST))
  WHERE (valid_from IS NULL OR valid_from <= ` + todayMark + `) AND (next_from IS NULL OR next_from > ` + todayMark + `) AND (valid_to IS NULL OR valid_to > ` + todayMark + `)
    AND lower(coalesce(status, 'active')) IN ('active', 'enabled', 'warning', 'true', 'yes') AND NOT coalesce(is_free_or_trial, false) AND renewal_date IS NOT NULL)`}

// seatsHeld counts the seats of each subscription that people hold on each day looked at.
// Accounts and activity are those of the newest import.
var seatsHeld = `SELECT day, license_id, client_key, product_name, count(*) AS held, count(*) FILTER (WHERE gone) AS disabled, count(*) FILTER (WHERE gone OR quiet) AS idle,
    count(*) FILTER (WHERE NOT gone AND NOT quiet AND edition < highest) AS doubled
  FROM (SELECT *, max(edition) FILTER (WHERE NOT gone) OVER (PARTITION BY day, of_client, person_key, edition // 10) AS highest
    FROM (SELECT a.day, s.license_id, s.client_key AS of_client, CASE WHEN s.license_id IS NULL THEN s.client_key END AS client_key, CASE WHEN s.license_id IS NULL THEN s.product_name END AS product_name, s.person_key,
        coalesce(NOT s.user_enabled, false) AS gone, coalesce(s.user_enabled, true) AND coalesce(s.last_activity_on, s.assigned_on, a.day) < a.day - 30 AS quiet, ` + editionOf("s.product_name") + ` AS edition
      FROM look a JOIN license_assignments s ON s.assigned_on IS NULL OR s.assigned_on <= a.day))
  GROUP BY day, license_id, client_key, product_name`

// withMarks puts what the tenant and the data say into the text of a view.
func (q *question) withMarks(sql string) string {
	return strings.NewReplacer(todayMark, dateText(q.extent.today), untilMark, instantOf(dateText(q.extent.until())), workClassMark, q.workClass.sql(), zoneMark, q.zoneText()).Replace(sql)
}

// until is the first day after the data.
func (e *extent) until() quantity.Day {
	if e.through.IsZero() {
		return e.span.To
	}
	return e.through.AddDays(1)
}
