// Package access says who may do and see what: the actions that there are, the roles, the
// policies, and the accounts behind them.
//
// It owns accounts, sessions, keys, roles and the decision. It does not own enforcement:
// routes name the action that they need, and stores and the semantic layer obey the rights
// of the scope that they are given (tenant.Rights).
package access

import "github.com/moatmetrics/moatmetrics/internal/tenant"

// The actions. A route names the one that it needs; a role allows some of them.
const (
	FiguresRead        tenant.Action = "figures.read"        // figures, findings, explanations, rows behind them
	FiguresExport      tenant.Action = "figures.export"      // the same as files
	ReportsSend        tenant.Action = "reports.send"        // schedules of reports, and where they are sent
	BoardsRead         tenant.Action = "boards.read"         // what colleagues made: dashboards, views, scenarios, KPIs, rules
	BoardsWrite        tenant.Action = "boards.write"        // dashboards, views, links, scenarios, feedback
	DefinitionsWrite   tenant.Action = "definitions.write"   // KPIs, segments, rules, calendar
	SettingsRead       tenant.Action = "settings.read"       // settings, thresholds, work classes
	SettingsWrite      tenant.Action = "settings.write"      //
	DataRead           tenant.Action = "data.read"           // datasets, imports, rejected rows, quality
	DataImport         tenant.Action = "data.import"         // uploads, imports, undoing them
	DataRestore        tenant.Action = "data.restore"        // rollback, closed months
	SourcesManage      tenant.Action = "sources.manage"      // folders and servers that are imported by themselves
	DestinationsManage tenant.Action = "destinations.manage" // where reports and alerts are sent, and what was sent
	ReviewsRead        tenant.Action = "reviews.read"        //
	ReviewsDecide      tenant.Action = "reviews.decide"      //
	AuditRead          tenant.Action = "audit.read"          //
	AccountsManage     tenant.Action = "accounts.manage"     // users, invitations, API keys of others
	PoliciesManage     tenant.Action = "policies.manage"     // roles and policies
	GovernanceManage   tenant.Action = "governance.manage"   // retention, legal hold, requests of persons
	PeersManage        tenant.Action = "peers.manage"        // taking part in peer groups
	SystemRead         tenant.Action = "system.read"         // state of the installation
	SystemVerify       tenant.Action = "system.verify"       //
	SelfManage         tenant.Action = "self.manage"         // one's own profile, devices, keys, notices
	SignedOut          tenant.Action = ""                    // allowed to everybody, signed in or not
)

// Actions lists all of them with what they allow, for roles and their page.
var Actions = []struct {
	Action tenant.Action
	Label  string
}{
	{FiguresRead, "See figures, findings and the rows behind them"},
	{FiguresExport, "Export figures as files"},
	{ReportsSend, "Schedule reports, and set up where they are sent"},
	{BoardsRead, "See boards, views, scenarios, KPIs, rules and segments that colleagues made"},
	{BoardsWrite, "Make boards, views and scenarios"},
	{DefinitionsWrite, "Define KPIs, segments, rules and the calendar"},
	{SettingsRead, "See settings and thresholds"},
	{SettingsWrite, "Change settings and thresholds"},
	{DataRead, "See stored tables, imports and rejected rows"},
	{DataImport, "Import files and undo imports"},
	{DataRestore, "Go back to an earlier state; close and open months"},
	{SourcesManage, "Set up folders and servers that are imported by themselves"},
	{DestinationsManage, "Set up where reports and alerts are sent, and see what was sent"},
	{ReviewsRead, "See what waits for a decision"},
	{ReviewsDecide, "Decide"},
	{AuditRead, "Read the audit record"},
	{AccountsManage, "Invite and manage users, end their sessions and keys"},
	{PoliciesManage, "Change roles and policies"},
	{GovernanceManage, "Retention, legal hold, requests of persons"},
	{PeersManage, "Join and leave peer groups"},
	{SystemRead, "See the state of the installation"},
	{SystemVerify, "Verify files, totals and the audit record"},
	{SelfManage, "Manage the own profile, devices and keys"},
}
