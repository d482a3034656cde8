package metric

// Views of facts about the service desk (domain.md 2.5).

// Marks that stand in the text of views for what the tenant or the data says.
const (
	workClassMark = "{work_class}" // a ticket's class of work by its type, queue, source and priority
	untilMark     = "{until}"      // the first day after the data
	zoneMark      = "{zone}"       // name of the tenant's time zone
)

// ticketRows are the tickets with their class of work and the day that they were closed, or
// solved when that is not known.
const ticketRows = `(SELECT *, ` + workClassMark + ` AS work_class, coalesce(closed_at, resolved_at)::DATE AS closed_on FROM tickets)`

// closedStatus is true of a ticket that is over although no date says when.
const closedStatus = `lower(coalesce(status, '')) IN ('closed', 'resolved', 'completed', 'complete', 'done', 'solved', 'cancelled', 'canceled')`

// ticketView is the tickets created. A ticket that is open has been so until the end of the
// data.
var ticketView = view{sql: `SELECT 'tickets' AS origin, row_id, import_id, record, created_on AS day, client_key, staff_key, agreement_id, ticket_type, priority, queue, work_class, 1 AS tickets,
  CASE WHEN lower(coalesce(ticket_type, '')) LIKE 'project%' THEN 0 ELSE 1 END AS service_tickets,
  CASE WHEN sla_met THEN 1 ELSE 0 END AS sla_met, CASE WHEN sla_met IS NOT NULL THEN 1 ELSE 0 END AS sla_judged,
  CASE WHEN work_class = 'reactive' THEN 1 ELSE 0 END AS reactive_tickets,
  CASE WHEN responded_at >= created_at THEN 1 ELSE 0 END AS responded, response_hours,
  CASE WHEN resolution_hours IS NULL THEN 0 ELSE 1 END AS timed, resolution_hours AS resolution_time, running,
  CASE WHEN responded_at <= respond_by THEN 1 ELSE 0 END AS response_met, CASE WHEN respond_by IS NOT NULL AND (responded_at IS NOT NULL OR respond_by < ` + untilMark + `) THEN 1 ELSE 0 END AS response_judged,
  CASE WHEN done_at <= resolve_by THEN 1 ELSE 0 END AS resolution_met, CASE WHEN resolve_by IS NOT NULL AND (done_at IS NOT NULL OR resolve_by < ` + untilMark + `) THEN 1 ELSE 0 END AS resolution_judged
FROM (SELECT * REPLACE (coalesce(resolution_hours::DECIMAL(18,6), CASE WHEN done_at >= created_at THEN ` + hoursFrom("created_at", "done_at") + ` WHEN running AND created_at < ` + untilMark + ` THEN ` + hoursFrom("created_at", untilMark) + ` END) AS resolution_hours),
    CASE WHEN responded_at >= created_at THEN ` + hoursFrom("created_at", "responded_at") + ` END AS response_hours
  FROM (SELECT *, coalesce(resolved_at, closed_at) AS done_at, resolved_at IS NULL AND closed_at IS NULL AND resolution_hours IS NULL AND NOT ` + closedStatus + ` AS running FROM ` + ticketRows + `))`}

// closedView is the tickets closed.
var closedView = view{sql: `SELECT 'tickets' AS origin, row_id, import_id, record, closed_on AS day, client_key, staff_key, agreement_id, ticket_type, priority, queue, work_class, 1 AS closed_tickets,
  CASE WHEN closed_on = created_on THEN 1 ELSE 0 END AS closed_same_day,
  CASE WHEN reopen_count IS NULL THEN 0 ELSE 1 END AS reopen_known, CASE WHEN reopen_count > 0 THEN 1 ELSE 0 END AS reopened
FROM ` + ticketRows + ` WHERE closed_on IS NOT NULL`}

// closedWorkView is the tickets closed on which time was entered.
var closedWorkView = view{with: []string{"ticket_work"}, sql: `SELECT 'tickets' AS origin, t.row_id, t.import_id, t.record, t.closed_on AS day, t.client_key, t.staff_key, t.agreement_id, t.ticket_type, t.priority, t.queue, t.work_class,
  1 AS worked_tickets, w.entries AS touches, CASE WHEN w.people = 1 THEN 1 ELSE 0 END AS single_tech
FROM ` + ticketRows + ` t JOIN ticket_work w ON w.ticket_number = t.ticket_number WHERE t.closed_on IS NOT NULL`}

// closedTimeView is the time on tickets by the day that they were closed, with its cost.
var closedTimeView = view{with: append([]string{"known_tickets"}, timeView.with...), sql: `SELECT e.origin, e.row_id, e.import_id, e.record, t.closed_on AS day, coalesce(t.client_key, e.client_key) AS client_key, e.staff_key, e.agreement_id, t.ticket_type, t.priority, t.queue, t.work_class, e.currency,
  e.hours_worked AS closed_hours, e.labor_cost AS closed_labor_cost
FROM (` + timeView.sql + `) e JOIN known_tickets t ON t.ticket_number = e.ticket_number WHERE t.closed_on IS NOT NULL`}

// ticketTimeView is the time on tickets by the day of the work.
var ticketTimeView = view{with: []string{"known_tickets"}, sql: `SELECT 'time_entries' AS origin, e.row_id, e.import_id, e.record, e.work_date AS day, coalesce(t.client_key, e.client_key) AS client_key, e.staff_key, e.agreement_id, t.ticket_type, t.priority, t.queue, t.work_class,
  e.hours_worked AS ticket_hours, CASE WHEN t.work_class = 'reactive' THEN e.hours_worked ELSE 0 END AS reactive_hours
FROM time_entries e JOIN known_tickets t ON t.ticket_number = e.ticket_number`}

// backlogView is the tickets that are open on each day, and those closed in the 28 days up
// to it.
var backlogView = view{with: []string{"look"}, sql: `SELECT 'tickets' AS origin, t.row_id, t.import_id, t.record, a.day, a.month, t.client_key, t.staff_key, t.agreement_id, t.ticket_type, t.priority, t.queue, t.work_class,
  1 AS open_tickets, CASE WHEN t.created_on < a.day - 14 THEN 1 ELSE 0 END AS aged_tickets, 0 AS recent_closes
FROM look a JOIN ` + ticketRows + ` t ON t.created_on <= a.day AND (t.closed_on > a.day OR t.closed_on IS NULL AND NOT ` + closedStatus + `)
UNION ALL
SELECT 'tickets', t.row_id, t.import_id, t.record, a.day, a.month, t.client_key, t.staff_key, t.agreement_id, t.ticket_type, t.priority, t.queue, t.work_class, 0, 0, 1
FROM look a JOIN ` + ticketRows + ` t ON t.closed_on <= a.day AND t.closed_on > a.day - 28`}

var surveyView = view{sql: `SELECT 'surveys' AS origin, row_id, import_id, record, responded_on AS day, client_key, 1 AS responses,
  CASE WHEN score >= 0.75 * coalesce(scale, 5) THEN 1 ELSE 0 END AS positive FROM surveys WHERE lower(coalesce(kind, 'csat')) = 'csat'`}

// npsView is the answers to how likely a client is to recommend: nine and ten of ten
// promote, six and less detract.
var npsView = view{sql: `SELECT 'surveys' AS origin, row_id, import_id, record, responded_on AS day, client_key, 1 AS nps_responses,
  CASE WHEN score * 10 >= 9 * coalesce(scale, 10) THEN 1 ELSE 0 END AS promoters, CASE WHEN score * 10 <= 6 * coalesce(scale, 10) THEN 1 ELSE 0 END AS detractors
FROM surveys WHERE lower(kind) = 'nps'`}
