package govern

import (
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

// controlTable says which columns of a table of the control database may hold personal data.
type controlTable struct {
	name    string
	where   string // the condition of a tenant's rows; $1 is its name
	why     string
	kept    string
	fixed   string // why a mention stays; "" when it is taken out
	own     bool   // of accounts: they take a person out of it themselves
	columns []controlColumn
	// proof is a column that proves a text of the row; it is emptied with the text.
	proof string
}

// controlColumn is one of them. Whoever works with the program is its user.
type controlColumn struct {
	name, what, whose string
	sealed            *secret.Column // nil: in the clear, or nothing to be read as text
}

const (
	ofTenant   = "tenant_id = (SELECT id FROM tenant WHERE slug = $1)"
	ofImport   = "import_id IN (SELECT i.id FROM import i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1)"
	ofMember   = "account_id IN (SELECT m.account_id FROM membership m JOIN tenant t ON t.id = m.tenant_id WHERE t.slug = $1)"
	ofSnapshot = "snapshot_id IN (SELECT s.snapshot_id FROM tenant_snapshot s JOIN tenant t ON t.id = s.tenant_id WHERE t.slug = $1)"

	anybody = "anybody whom a file names"
	user    = "users of this installation"
	always  = "as long as the installation"
)

// sealed finds the column that a store seals.
func sealed(table, column string) *secret.Column {
	for _, c := range slices.Concat(workspace.Sealed(), inbox.Sealed(), delivery.Sealed()) {
		if c.Table == table && c.Column == column {
			return &c
		}
	}
	panic("there is no sealed column " + table + "." + column)
}

func actorColumn(name string) controlColumn {
	return controlColumn{name: name, what: "who did it", whose: user}
}

// controlTables are all tables that may. A test compares them with the database.
var controlTables = []controlTable{
	{name: "import", where: ofTenant, why: "which file brought which rows", kept: always, columns: []controlColumn{
		{name: "file", what: "name of a file", whose: anybody}, {name: "summary", what: "findings, which may quote cells", whose: anybody}, actorColumn("actor")}},
	{name: "import_reject", where: ofImport, why: "rows that could not be stored, so that they can be corrected", kept: "rejected rows: see retention", columns: []controlColumn{
		{name: "value", what: "a rejected cell", whose: anybody}, {name: "message", what: "why it was rejected", whose: anybody}, {name: "suggestion", what: "what to do", whose: anybody}, {name: "source_row", what: "the rejected row", whose: anybody}}},
	{name: "upload", where: ofTenant, why: "the original of an import", kept: "uploads: see retention", columns: []controlColumn{
		{name: "name", what: "name of a file", whose: anybody}, actorColumn("actor")}},
	{name: "batch", where: ofTenant, why: "imports of several files", kept: "dry runs one day, others " + always, columns: []controlColumn{
		{name: "request", what: "names of files", whose: anybody}, {name: "progress", what: "names of files", whose: anybody}, {name: "answer", what: "results, which may quote cells", whose: anybody}, actorColumn("actor")}},
	{name: "mapping", where: ofTenant, why: "how files of a form are read", kept: "until forgotten", columns: []controlColumn{
		{name: "headers", what: "column headers", whose: anybody}, {name: "mapping", what: "corrections, which may quote cells", whose: anybody}, actorColumn("saved_by")}},
	{name: "proposal", where: ofTenant, why: "what waits for a decision, and what was decided", kept: always, columns: []controlColumn{
		{name: "subject", what: "what it is about", whose: anybody}, {name: "label", what: "the same for people", whose: anybody}, {name: "topic", what: "of what sort it is", whose: anybody}, {name: "client", what: "the client it is about", whose: anybody},
		{name: "evidence", what: "why it is asked", whose: anybody}, {name: "choice", what: "what was chosen", whose: anybody}, {name: "reason", what: "free text of who decided", whose: user},
		{name: "first_choice", what: "what the first of two chose", whose: anybody}, {name: "first_reason", what: "free text of the first of two", whose: user},
		actorColumn("created_by"), actorColumn("decided_by"), actorColumn("first_by"), actorColumn("assignee")}},
	{name: "review_comment", where: ofTenant, why: "what people say to each other about figures and questions", kept: "until deleted", proof: "salt", columns: []controlColumn{
		{name: "subject", what: "what it is on", whose: anybody}, {name: "label", what: "the same for people", whose: anybody}, {name: "link", what: "where it is shown", whose: anybody}, {name: "text", what: "free text", whose: user}, actorColumn("author")}},
	{name: "review_reset", where: ofTenant, why: "which sorts of questions are asked again", kept: always, columns: []controlColumn{{name: "topic", what: "of what sort", whose: anybody}}},
	{name: "workspace_item", where: ofTenant, why: "dashboards, views, scenarios and links", kept: "until deleted", columns: []controlColumn{
		{name: "name", what: "its name", whose: user}, {name: "content", what: "filters and texts", whose: anybody}, actorColumn("author")}},
	{name: "workspace_revision", where: ofTenant, why: "earlier versions of them", kept: "with the item", columns: []controlColumn{
		{name: "name", what: "its name", whose: user}, {name: "content", what: "filters and texts", whose: anybody}}},
	{name: "workspace_feedback", where: ofTenant, why: "what users think of the program", kept: "until deleted", columns: []controlColumn{
		{name: "comment", what: "free text, encrypted", whose: user, sealed: sealed("workspace_feedback", "comment")}, {name: "page", what: "the page it is about", whose: user}}},
	{name: "workspace_usage", where: ofTenant, why: "which pages are used; counted here only", kept: always, columns: []controlColumn{actorColumn("actor")}},
	{name: "source", where: ofTenant, why: "where files come from by themselves", kept: "until forgotten", columns: []controlColumn{
		{name: "name", what: "its name", whose: user}, {name: "problem", what: "the last error", whose: anybody}, actorColumn("actor")}},
	{name: "source", where: ofTenant, why: "how they are fetched", kept: "until forgotten", fixed: "it says how files are fetched: change it under Sources", columns: []controlColumn{
		{name: "config", what: "addresses and user names of other systems, encrypted", whose: user, sealed: sealed("source", "config")}}},
	{name: "source", where: ofTenant, why: "the passwords to it", kept: "until forgotten", own: true, columns: []controlColumn{{name: "sealed", what: "passwords and keys, encrypted", whose: user}}},
	{name: "source_file", where: ofTenant, why: "what became of a source's files", kept: always, columns: []controlColumn{
		{name: "path", what: "name of a file", whose: anybody}, {name: "problem", what: "why it was put aside", whose: anybody}, {name: "mapping", what: "corrections, which may quote cells", whose: anybody}, {name: "moved_to", what: "name of a file", whose: anybody}}},
	{name: "destination", where: ofTenant, why: "where reports and alerts are sent", kept: "until forgotten", columns: []controlColumn{
		{name: "name", what: "its name", whose: user}, actorColumn("actor")}},
	{name: "destination", where: ofTenant, why: "how they are sent", kept: "until forgotten", fixed: "it says how something is sent: change it under Destinations", columns: []controlColumn{
		{name: "config", what: "addresses and user names of other systems, encrypted", whose: user, sealed: sealed("destination", "config")}}},
	{name: "destination", where: ofTenant, why: "the passwords to it", kept: "until forgotten", own: true, columns: []controlColumn{{name: "sealed", what: "passwords and keys, encrypted", whose: user}}},
	{name: "delivery", where: ofTenant, why: "what was sent to whom, and when", kept: "400 days", columns: []controlColumn{
		{name: "ref", what: "by what the content is known", whose: anybody}, {name: "label", what: "what it is", whose: anybody}, {name: "recipient", what: "whom it went to", whose: user},
		{name: "address", what: "the e-mail address it went to, encrypted", whose: "contacts at clients", sealed: sealed("delivery", "address")},
		{name: "problem", what: "the last error", whose: anybody}, {name: "place", what: "names of files, servers", whose: anybody}, actorColumn("actor")}},
	{name: "push_subscription", where: ofTenant, why: "devices whose user wants messages", kept: "until ended", own: true, columns: []controlColumn{
		{name: "device", what: "what the device is called", whose: user}, {name: "sealed", what: "the device's address at its push service and its keys, encrypted", whose: user}, actorColumn("actor")}},
	{name: "notice", where: ofTenant, why: "what needs a person", kept: "90 days", columns: []controlColumn{
		{name: "subject", what: "what it is about", whose: anybody}, {name: "message", what: "the notice", whose: anybody}, {name: "link", what: "where it is shown", whose: anybody}, {name: "recipient", what: "whom it tells", whose: user}}},
	{name: "notice_read", where: ofTenant, why: "who has read which", kept: "as the notice", columns: []controlColumn{actorColumn("actor")}},
	{name: "policy_version", where: ofTenant, why: "roles and policies, with their versions", kept: always, columns: []controlColumn{
		{name: "body", what: "roles and policies", whose: anybody}, {name: "reason", what: "free text", whose: user}, {name: "decision_reason", what: "free text of who decided", whose: user}, actorColumn("author"), actorColumn("decided_by")}},
	{name: "definition", where: ofTenant, why: "KPIs, segments, rules and the calendar, with their versions", kept: always, columns: []controlColumn{
		{name: "name", what: "its name", whose: user}, {name: "body", what: "formulas and filters", whose: anybody}, actorColumn("author")}},
	{name: "report", where: ofTenant, why: "which reports were made from what, and what became of them", kept: always, columns: []controlColumn{
		{name: "title", what: "what it is called", whose: anybody}, {name: "client", what: "the client it is about", whose: anybody}, {name: "doing", what: "the part that is being made", whose: anybody},
		{name: "problem", what: "why it failed", whose: anybody}, {name: "notes", what: "what a reader must know", whose: anybody}, actorColumn("made_by")}},
	// The reports take a person out of these: see Options.Reports.
	{name: "report_input", where: ofTenant, why: "what reports were made from, so that they can be made again", kept: "as long as a file that was made from it", own: true, columns: []controlColumn{
		{name: "body", what: "template, settings and names of users", whose: user}}},
	{name: "report_receipt", where: ofTenant, why: "who got which report", kept: always, own: true, columns: []controlColumn{
		{name: "receiver", what: "a user, or the hidden address of somebody outside", whose: user}}},
	{name: "report_schedule", where: ofTenant, why: "reports that are made and sent by themselves", kept: "until removed", own: true, columns: []controlColumn{
		{name: "name", what: "its name", whose: user}, {name: "body", what: "recipients and their addresses, encrypted", whose: "contacts at clients"}, {name: "last_problem", what: "who could not get it", whose: user}, actorColumn("created_by")}},
	{name: "alert_route", where: ofTenant, why: "whom rules tell, how and when", kept: "until removed", columns: []controlColumn{
		{name: "name", what: "its name", whose: user}, {name: "body", what: "who is told", whose: user}, actorColumn("actor")}},
	{name: "alert_ack", where: ofTenant, why: "who knows of an alert", kept: always, columns: []controlColumn{{name: "note", what: "free text", whose: user}, actorColumn("actor")}},
	{name: "alert_message", where: ofTenant, why: "what somebody was told", kept: "90 days", columns: []controlColumn{
		{name: "recipient", what: "whom it tells", whose: user}, {name: "subject", what: "the alert", whose: anybody}, {name: "content", what: "the alerts, with names of clients or pseudonyms of persons", whose: anybody}}},
	{name: "rule_hit", where: ofTenant, why: "what a rule found", kept: always, columns: []controlColumn{{name: "subject", what: "a client or the pseudonym of a person", whose: anybody}}},
	{name: "metric_setting", where: ofTenant, why: "thresholds and work classes", kept: always, columns: []controlColumn{{name: "content", what: "its value", whose: user}, actorColumn("author")}},
	{name: "peer", where: ofTenant, why: "taking part in peer groups", kept: "until left", columns: []controlColumn{actorColumn("author")}},
	{name: "closed_month", where: ofTenant, why: "months that are closed", kept: "until opened", columns: []controlColumn{actorColumn("actor")}},
	{name: "tenant_snapshot", where: ofTenant, why: "the history of the data", kept: "as its snapshot", columns: []controlColumn{actorColumn("actor"), {name: "message", what: "names of files", whose: anybody}}},
	{name: "ducklake_snapshot_changes", where: ofSnapshot, why: "the same, for other programs that read the catalog", kept: "as its snapshot", columns: []controlColumn{actorColumn("author"), {name: "commit_message", what: "names of files", whose: anybody}}},
	{name: "retention_rule", where: ofTenant, why: "how long something is kept", kept: "until changed", columns: []controlColumn{actorColumn("author")}},
	{name: "legal_hold", where: ofTenant, why: "what must not be deleted", kept: always, columns: []controlColumn{
		{name: "subject", what: "a client or the pseudonym of a person", whose: anybody}, {name: "reason", what: "free text", whose: user}, actorColumn("author"), actorColumn("ended_by")}},
	{name: "person_request", where: ofTenant, why: "what persons asked for, and what was done", kept: always, columns: []controlColumn{
		{name: "person", what: "the pseudonym of the person", whose: anybody}, {name: "terms", what: "names and addresses while an erasure is under way", whose: anybody}, {name: "outcome", what: "what was done, without names", whose: anybody}, actorColumn("author"), actorColumn("decided_by")}},
	{name: "suppressed_person", where: ofTenant, why: "so that somebody who was erased stays erased", kept: always, columns: []controlColumn{{name: "hash", what: "keyed hash of a name or an address", whose: "those who were erased"}}},
	// cleanControl drops all of them.
	{name: "idempotency", where: ofTenant, why: "so that a request that is repeated is carried out once", kept: "one day", own: true, columns: []controlColumn{
		{name: "runner", what: "which try carries it out", whose: user}, {name: "request", what: "hash of the request", whose: anybody}, {name: "body", what: "the answer", whose: anybody}}},
	{name: "account", where: "id IN (SELECT m.account_id FROM membership m JOIN tenant t ON t.id = m.tenant_id WHERE t.slug = $1)", why: "who may sign in", kept: "until the person is erased", own: true, columns: []controlColumn{
		{name: "email", what: "e-mail address, encrypted", whose: user}, {name: "email_hash", what: "keyed hash of it, to find the account", whose: user}, {name: "name", what: "name, encrypted", whose: user}, {name: "password", what: "salted hash of the password", whose: user}, {name: "totp", what: "secret of an authenticator app, encrypted", whose: user}}},
	{name: "membership", where: ofTenant, why: "who may do and see what", kept: "as long as the user belongs to the tenant", own: true, columns: []controlColumn{
		{name: "account_id", what: "the account", whose: user}, {name: "role", what: "its role", whose: user}, {name: "clients", what: "the clients it is limited to", whose: user}, {name: "teams", what: "the teams it is limited to", whose: user}}},
	{name: "passkey", where: ofMember, why: "to sign in without a password", kept: "until removed", own: true, columns: []controlColumn{
		{name: "account_id", what: "the account", whose: user}, {name: "name", what: "what the user calls it", whose: user}, {name: "credential", what: "public key of a device", whose: user}}},
	{name: "recovery_code", where: ofMember, why: "to sign in without the device", kept: "until used", own: true, columns: []controlColumn{{name: "account_id", what: "the account", whose: user}}},
	{name: "session", where: ofTenant, why: "who is signed in", kept: "7 days at most", own: true, columns: []controlColumn{
		{name: "account_id", what: "the account", whose: user}, {name: "device", what: "browser and system", whose: user}, {name: "address", what: "network address", whose: user}}},
	{name: "access_link", where: ofTenant, why: "invitations, and links to sign in", kept: "until used or over", own: true, columns: []controlColumn{
		{name: "account_id", what: "the account", whose: user}, {name: "email", what: "e-mail address, encrypted", whose: user}, {name: "email_hash", what: "keyed hash of it", whose: user}, actorColumn("actor")}},
	{name: "api_key", where: ofTenant, why: "programs that act for a user", kept: "until ended", own: true, columns: []controlColumn{
		{name: "account_id", what: "the account", whose: user}, {name: "name", what: "what the user calls it", whose: user}, {name: "used_from", what: "network address", whose: user}}},
	{name: "sign_in_failure", where: "false", why: "to slow down who tries passwords", kept: "one day", own: true, columns: []controlColumn{{name: "subject", what: "keyed hash of an address", whose: anybody}}},
	{name: "audit_read", where: ofTenant, why: "so that reading is recorded once an hour", kept: always, own: true, columns: []controlColumn{actorColumn("actor")}},
	{name: "audit_event", where: ofTenant, why: "who did what, provably unchanged", kept: "as the retention of the record says", fixed: "each entry proves the next; its own retention takes old ones away", columns: []controlColumn{
		actorColumn("actor"), {name: "subject_id", what: "a number, a pseudonym, or the name of a thing", whose: anybody}, {name: "detail", what: "numbers, hashes and pseudonyms", whose: anybody},
		{name: "source", what: "network address and device", whose: user}, {name: "reason", what: "free text of who did it", whose: user}}},
}
