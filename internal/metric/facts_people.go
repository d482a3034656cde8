package metric

// Views of facts about people (domain.md 2.4).

// staffed is the people with the hours of a working day, from when and to when they hold:
// a fifth of the contract hours a week (40 when not known), between hire and leave. People
// who have entries but no staff row count from the month of their first entry to that of
// their last. What a row does not say holds as an earlier one said it; a leave ends with a
// later row that says active.
var staffed = `(
  SELECT 'staff' AS origin, s.row_id, s.import_id, s.record, s.person AS staff_key, (coalesce(s.weekly_hours, 40)::DECIMAL(9,4) * 0.2)::DECIMAL(18,5) AS daily, s.weekly_hours IS NULL AS assumed,
    s.valid_from, s.next_from, coalesce(s.hired_on, b.first_month) AS starts,
    coalesce(CASE WHEN s.active AND s.active_from > s.left_from THEN NULL ELSE s.left_on END, CASE WHEN coalesce(s.active, true) THEN NULL ELSE b.until END) AS ends
  FROM (SELECT person, row_id, import_id, record, valid_from, lead(valid_from) OVER since AS next_from,
      ` + lastKnown("weekly_hours") + ` AS weekly_hours, ` + lastKnown("hired_on") + ` AS hired_on, ` + lastKnown("left_on") + ` AS left_on, ` + lastKnown("active") + ` AS active,
      ` + lastKnown("CASE WHEN left_on IS NOT NULL THEN "+sinceEver+" END") + ` AS left_from, ` + lastKnown("CASE WHEN active IS NOT NULL THEN "+sinceEver+" END") + ` AS active_from
    FROM (SELECT person, valid_from, ` + firstOf("row_id", "import_id", "record") + `,
        ` + firstKnown("weekly_hours", newestFirst) + ` AS weekly_hours, ` + firstKnown("hired_on", newestFirst) + ` AS hired_on, ` + firstKnown("left_on", newestFirst) + ` AS left_on, ` + firstKnown("active", newestFirst) + ` AS active
      FROM (SELECT t.*, coalesce(a.canonical, t.staff_key) AS person FROM staff t LEFT JOIN staff_aliases a ON a.key = t.staff_key WHERE t.staff_key IS NOT NULL
        QUALIFY rank() OVER (PARTITION BY coalesce(a.canonical, t.staff_key) ORDER BY a.canonical NULLS FIRST) = 1)
      GROUP BY person, valid_from)
    WINDOW since AS (PARTITION BY person ORDER BY valid_from NULLS FIRST)) s
  LEFT JOIN busy b ON b.staff_key = s.person
  UNION ALL SELECT 'time_entries', NULL, NULL, NULL, b.staff_key, 8, true, NULL, NULL, b.first_month, b.until FROM busy b
  WHERE b.staff_key NOT IN (SELECT coalesce(a.canonical, t.staff_key) FROM staff t LEFT JOIN staff_aliases a ON a.key = t.staff_key WHERE t.staff_key IS NOT NULL))`

// staffedOn is the condition that a row of staffed holds on a day.
func staffedOn(e, day string) string {
	return "(" + e + ".starts IS NULL OR " + day + " >= " + e + ".starts) AND (" + e + ".ends IS NULL OR " + day + " < " + e + ".ends) AND (" + e + ".valid_from IS NULL OR " + day + " >= " + e + ".valid_from) AND (" + e + ".next_from IS NULL OR " + day + " < " + e + ".next_from)"
}

// awayHours is the part of a working day that a person is off. Time off beyond 24 hours on
// one date is a block of several days and is taken off as it stands.
const awayHours = "(CASE WHEN o.whole THEN e.daily WHEN o.hours > 24 THEN o.hours ELSE least(e.daily, coalesce(o.hours, 0)) END)::DECIMAL(18,5)"

// sinceEver is the first day of a row, also of one that has none.
const sinceEver = "coalesce(valid_from, DATE '0001-01-01')"

// capacityView is the hours that a person could work on each working day of the period,
// less time off.
var capacityView = view{with: []string{"workdays", "staff_aliases", "busy", "leave"}, sql: `SELECT p.origin, p.row_id, p.import_id, p.record, p.day, p.staff_key,
  p.daily - p.off AS capacity_hours, CASE WHEN p.assumed THEN p.daily - p.off ELSE 0 END AS capacity_assumed
FROM (SELECT e.*, w.day, ` + awayHours + ` AS off
FROM workdays w JOIN ` + staffed + ` e ON ` + staffedOn("e", "w.day") + `
LEFT JOIN leave o ON o.staff_key = e.staff_key AND o.day = w.day) p`}

// overtimeView is the hours that a person entered in a month beyond the capacity of it.
var overtimeView = view{with: capacityView.with, sql: `SELECT coalesce(min(origin), 'time_entries') AS origin, min(row_id) AS row_id, min(import_id) AS import_id, min(record) AS record, month AS day, staff_key,
  greatest(0, sum(worked) - sum(capacity)) AS overtime_hours
FROM (SELECT origin, row_id, import_id, record, ` + startOf("month", "day") + ` AS month, staff_key, capacity_hours AS capacity, 0 AS worked FROM (` + capacityView.sql + `)
  UNION ALL SELECT NULL, NULL, NULL, NULL, r.month, coalesce(a.canonical, r.staff_key), 0, r.hours_worked FROM rollup_time_staff r LEFT JOIN staff_aliases a ON a.key = r.staff_key WHERE r.staff_key IS NOT NULL)
GROUP BY month, staff_key`}

// internalView is the time spent on the own company.
var internalView = view{with: []string{"client_labels"}, sql: `SELECT 'time_entries' AS origin, e.row_id, e.import_id, e.record, e.work_date AS day, e.staff_key, e.work_type, e.hours_worked AS internal_hours
FROM time_entries e JOIN client_labels l ON l.key = e.client_key WHERE l.status = 'internal'`}

// The calendar that work outside of is after hours, in the tenant's time zone (assumed).
const opens, closes = "8", "18"

// stampView is the entries that say when the work began or when they were entered. What is
// entered later than a day after the end of the work (of the work's date, when no time is
// known) is late.
var stampView = view{sql: `SELECT 'time_entries' AS origin, row_id, import_id, record, work_date AS day, client_key, staff_key, agreement_id, work_type,
  CASE WHEN began IS NULL THEN 0 ELSE hours_worked END AS timed_hours,
  CASE WHEN began IS NULL THEN 0 WHEN ` + isWeekday("began::DATE") + ` AND hour(began) >= ` + opens + ` AND hour(began) < ` + closes + ` AND began::DATE NOT IN (SELECT date FROM holidays WHERE date IS NOT NULL) THEN 0 ELSE hours_worked END AS after_hours,
  CASE WHEN lag_hours IS NULL THEN 0 ELSE 1 END AS stamped_entries, CASE WHEN lag_hours <= 24 THEN 1 ELSE 0 END AS prompt_entries, lag_hours
FROM (SELECT *, ` + localTime("started_at") + ` AS began, greatest(0, ` + hoursFrom("coalesce(ended_at, "+instantOf(plus("work_date", 1, "DAY"))+")", "entered_at") + `) AS lag_hours FROM time_entries)`}

// nextMonthView is, for the month after each day looked at, each person's capacity and the
// billable hours that a seasonal-naive forecast expects: those of the same month a year
// before, or of the month looked at while the data does not reach back that far [Hyndman
// and Athanasopoulos, Forecasting: Principles and Practice, 5.2].
var nextMonthView = view{with: []string{"look", "next_days", "staff_aliases", "busy", "leave"}, sql: `SELECT e.origin, e.row_id, e.import_id, e.record, n.day, n.month, e.staff_key,
  sum(e.daily - ` + awayHours + `) AS next_capacity, 0::DECIMAL(18,4) AS next_demand
FROM next_days n JOIN ` + staffed + ` e ON ` + staffedOn("e", "n.work_day") + ` OR e.origin = 'time_entries' AND e.ends > n.month AND (e.starts IS NULL OR e.starts <= n.month)
LEFT JOIN leave o ON o.staff_key = e.staff_key AND o.day = n.work_day
GROUP BY ALL
UNION ALL
SELECT 'time_entries', e.row_id, e.import_id, e.record, a.day, a.month, e.staff_key, 0, e.hours_worked
FROM look a CROSS JOIN (SELECT min(month) AS first FROM rollup_time_staff) k
JOIN time_entries e ON coalesce(e.billable, true) AND ` + startOf("month", "e.work_date") + ` = CASE WHEN k.first <= ` + plus("a.month", -11, "MONTH") + ` THEN ` + plus("a.month", -11, "MONTH") + ` ELSE a.month END`}

// staffingView is the people employed on each day. Technical are those whose role or team
// has a technical word, or who have neither (assumed).
var staffingView = view{with: []string{"look", "staff_aliases", "busy", "current_staff"}, sql: `SELECT e.origin, e.row_id, e.import_id, e.record, a.day, a.month, e.staff_key, 1 AS headcount, e.daily * 0.125 AS fte,
  CASE WHEN c.role IS NULL AND c.team IS NULL OR ` + hasWord("coalesce(c.role, '') || ' ' || coalesce(c.team, '')", technicalWords) + ` THEN e.daily * 0.125 ELSE 0 END AS technical_fte
FROM look a JOIN ` + staffed + ` e ON ` + staffedOn("e", "a.day") + ` LEFT JOIN current_staff c ON c.staff_key = e.staff_key WHERE e.origin = 'staff'`}

const technicalWords = "tech|engineer|support|desk|help|field|noc|network|system|security|cloud|architect|infrastructure|operations"
