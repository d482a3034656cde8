package httpapi_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// asks are what an honest client sends to each route: "ADDRESS" or "ADDRESS BODY". An address that
// begins with "?" or is empty is the route's own; of words in braces, {client} and {person} are
// those that most of the data is about, ids are those of what there is of them (made), and {who}
// tells apart what each account makes.
//
// A route without a line here fails TestEveryRouteHasPlausibleRequests: a report or a schedule
// falls into the whole matrix by saying how it is asked.
var asks = map[string][]string{
	"GET /healthz": {""}, "GET /readyz": {""}, "GET /metrics": {""}, "GET /s/{id}": {""}, "GET /api/docs": {""}, "GET /api/docs.css": {""},

	// Figures.
	"query": {
		"?measures=revenue,hours_worked,labor_cost&by=client&" + span, "?measures=revenue&" + span, "?measures=gross_profit,gross_margin&by=client&" + span, "?measures=hours_worked&by=staff&" + span,
		"?measures=labor_cost&by=staff&" + span, "?measures=labor_cost&by=team&" + span, "?measures=hours_worked,ticket_count&by=team,client&" + span, "?measures=revenue,labor_cost&by=month&compare=previous&" + span,
		"?measures=revenue&by=client&top=1&top_by=revenue&" + span, "?measures=license_cost,license_waste,seats_purchased&by=product&" + span, "?measures=revenue&" + where(`client = "{client}"`),
		"?measures=hours_worked&" + where(`staff = "{person}"`), "?measures=hours_worked&by=account_manager&" + span, "?measures=revenue&by=industry&" + span, "?measures=payroll,ebitda,utilization&by=month&" + span,
		"?measures=expenses&by=vendor&" + span, "?measures=mine&by=client&" + span, "?measures=revenue&" + where(`gross_margin < 0.2`) + "&by=client", "?measures=revenue&by=agreement&" + span,
	},
	"query-post":        {` {"measures":["revenue","labor_cost"],"by":["client"],"from":"2026-01","to":"2026-07"}`, ` {"measures":["hours_worked"],"by":["staff"]}`, ` {"measures":["gross_profit"],"by":["month"]}`},
	"query-rows":        {"?measure=revenue&" + span, "?measure=hours_worked&" + span, "?measure=labor_cost&" + span, "?measure=license_cost&" + span, "?measure=ticket_count&" + span, "?measure=expenses&" + span, "?measure=revenue&" + where(`client = "{client}"`)},
	"explain":           {"?measure=revenue&versus=previous&" + half, "?measure=labor_cost&versus=previous&below=true&" + half, "?measure=gross_profit&versus=previous&" + half, "?measure=hours_worked&versus=previous&by=staff&" + half, "?measure=revenue&versus=previous&brief=true&" + half, "?measure=gross_margin&versus=previous&by=client&depth=2&" + half},
	"series":            {"?measure=revenue&" + span, "?measure=labor_cost&" + span, "?measure=gross_margin&" + span, "?measure=revenue&" + where(`client = "{client}"`)},
	"get-trend":         {"?measure=revenue&" + span, "?measure=labor_cost&" + span, "?measure=gross_profit&" + span},
	"rank":              {"?measure=revenue&by=client&" + span, "?measure=labor_cost&by=staff&" + span, "?measure=gross_margin&by=client&" + span, "?measure=hours_worked&by=team&" + span},
	"run-analyses":      {"?" + span, ""},
	"list-anomalies":    {"?measures=revenue,hours_worked&by=client&recent=6&" + span, "?measures=labor_cost&by=staff&recent=6&" + span, ""},
	"list-benchmarks":   {"?" + span, "?measures=gross_margin&client={client}&" + span, "?measures=revenue&" + span},
	"list-client-risks": {"?" + span}, "list-project-risks": {"", "?to=2026-07"}, "list-reclaims": {"", "?to=2026-07"}, "list-reconciliations": {"?" + span}, "list-reprices": {"?" + span},
	"list-correlations": {"?measures=revenue,hours_worked&by=client&" + span, "?measures=labor_cost,revenue&by=month&" + span},
	"list-insights":     {"?from=2026-01&to=2026-07", "?from=2026-01&to=2026-03", ""}, "get-insight": {"?from=2026-01&to=2026-03"}, "insight-rows": {"?from=2026-01&to=2026-03"},
	"list-questions": {""}, "answer-question": questions(""), "export-question": append(questions("/export"), "/questions/losing-clients/export?format=xlsx&"+span, "/questions/segments/export?format=xlsx&"+span),
	"export-query": {
		"?measures=revenue,hours_worked&by=client&" + span, "?measures=labor_cost&by=staff&" + span, "?measures=revenue,hours_worked&by=client&format=xlsx&" + span, "?measures=labor_cost,gross_profit&by=client&format=xlsx&" + span,
		"?measures=hours_worked&by=team&format=json&" + span, "?measures=gross_profit&by=month&format=json&" + span, "?measures=labor_cost&by=staff&format=xlsx&" + span, "?measures=hours_worked&by=staff&" + span,
	},
	"export-rows":  {"?measure=revenue&" + span, "?measure=hours_worked&format=xlsx&" + span, "?measure=labor_cost&format=xlsx&" + span, "?measure=labor_cost&" + span, "?measure=license_cost&format=xlsx&" + span},
	"search":       {"?limit=100&q={client}", "?limit=100&q={person}", "?limit=100&q=a", "?limit=100&q=mine", "?limit=100&q=e"},
	"list-metrics": {""}, "get-metric": {"/metrics/revenue", "/metrics/labor_cost", "/metrics/gross_margin", "/metrics/mine"}, "list-kpi-functions": {""}, "list-levers": {""}, "get-status": {""}, "get-calendar": {""}, "get-settings": {""}, "get-peers": {""},
	"preview-kpi":    {` {"name":"other","formula":"revenue / hours_worked"}`, ` {"name":"other","formula":"labor_cost * 2"}`, ` {"name":"other","formula":"gross_profit + 1"}`},
	"run-scenario":   {` ` + aScenario("{client}")},
	"solve-scenario": {` {"definition":` + aScenario("{client}") + `,"lever":0,"measure":"gross_margin","target":"0.4"}`},
	"events":         {""}, "batch-events": {""},

	// Boards and definitions.
	"list-dashboards": {"", "?deleted=true"}, "list-dashboard-templates": {""}, "get-dashboard": {""}, "list-views": {"", "?deleted=true"}, "list-links": {"", "?deleted=true"}, "get-link": {""},
	"list-scenarios": {"", "?deleted=true"}, "get-scenario": {""}, "get-scenario-result": {""}, "compare-scenarios": {"?id={/scenarios/{id}},{/scenarios/{id}}"},
	"list-kpis": {""}, "get-kpi": {""}, "list-kpi-versions": {""}, "list-segments": {""}, "list-rules": {""}, "list-rule-hits": {"", "?rule=Mine"}, "list-snapshots": {""}, "compare-snapshots": {""},
	"create-dashboard": {` {"name":"{who}"}`}, "save-dashboard": {` {"name":"{who}","content":{"tiles":[]},"revision":1}`}, "undo-dashboard": {""}, "redo-dashboard": {""}, "delete-dashboard": {""}, "restore-dashboard": {""},
	"create-view": {` {"name":"{who}","content":{"path":"/explore"}}`}, "save-view": {` {"name":"{who}","content":{"path":"/explore?by=client"},"revision":1}`}, "delete-view": {""}, "restore-view": {""},
	"create-link": {` {"path":"/clients/{who}"}`}, "delete-link": {""},
	"create-scenario": {` {"name":"{who}","content":` + aScenario("Alder") + `}`}, "save-scenario": {` {"name":"{who}","content":` + aScenario("Alder") + `,"revision":1}`}, "delete-scenario": {""}, "restore-scenario": {""},
	"set-calendar": {` {"start_month":1}`}, "add-kpi": {` {"name":"{who}","formula":"revenue * 3"}`}, "change-kpi": {` {"formula":"labor_cost * 3"}`, ` {"formula":"hours_worked * 3"}`}, "remove-kpi": {""},
	"add-segment": {` {"name":"{who}","dimension":"client","where":"client = \"Alder\""}`}, "change-segment": {` {"dimension":"staff","where":"hours_worked > 1"}`, ` {"dimension":"client","where":"revenue > 1"}`}, "remove-segment": {""},
	"add-rule": {` {"name":"{who}","condition":"revenue > 1","dimension":"client","then":"review"}`}, "change-rule": {` {"condition":"hours_worked > 1","dimension":"client"}`}, "evaluate-rules": {"", "?rule={who}"}, "remove-rule": {""},

	// Reviews, comments and notices.
	"list-reviews": {"", "?status=decided", "?kind=rule"}, "count-reviews": {""}, "get-review": {""}, "preview-review": {"?verdict=dismissed", "?verdict=acknowledged"}, "list-review-kinds": {""}, "list-topics": {""}, "list-standings": {""}, "list-people": {""}, "list-rule-reviews": {""},
	"assign-review": {` {"assignee":"","due":"2026-12-31"}`}, "decide-rule-review": {` {"verdict":"acknowledged"}`}, "decide-review": {` {"verdict":"acknowledged"}`}, "decide-reviews": {` {"ids":["{/reviews/{id}}"],"verdict":"acknowledged"}`}, "undo-review": {""}, "set-review-terms": {`/reviews/kinds/rule {"due_days":7}`}, "reset-topic": {` {"topic":"rule"}`},
	"list-comments":  {"?kind=number&measure=revenue&from=2026-01-01&to=2026-02-01", "?kind=number&measure=revenue&from=2026-01-01&to=2026-02-01&where=" + url.QueryEscape(`client = "`) + "{client}" + url.QueryEscape(`"`), "?kind=proposal&id={/reviews/{id}}", "?kind=finding&id={/insights/{id}}"},
	"count-comments": {"?kind=number", "?kind=proposal", "?kind=finding"},
	"add-comment":    {` {"kind":"number","measure":"revenue","from":"2026-01-01","to":"2026-02-01","text":"{who}"}`, ` {"kind":"proposal","id":"{/reviews/{id}}","text":"{who}"}`}, "edit-comment": {` {"text":"{who} again"}`}, "delete-comment": {""},
	"list-notices": {"", "?unread=true"}, "count-notices": {""}, "read-notice": {""}, "read-notices": {""},

	// Alerts and deliveries.
	"list-alerts": {"", "?open=true", "?rule=Mine&unacknowledged=true"}, "add-alert": {` {"name":"{who}","measure":"revenue","below":"10","dimension":"client","route":{"in_app":true}}`}, "acknowledge-alert": {` {"note":"{who}"}`}, "unacknowledge-alert": {""},
	"list-alert-routes": {""}, "get-alert-route": {""}, "create-alert-route": {` {"name":"route of {who}","in_app":true}`}, "change-alert-route": {` {"name":"mine","in_app":true,"remind_hours":24}`}, "delete-alert-route": {""},
	"list-destinations": {""}, "get-destination": {""}, "create-destination": {` {"name":"{who}","kind":"email","settings":{"host":"smtp.example.com","from":"a@b.example"}}`}, "change-destination": {` {"name":"mine","kind":"email","settings":{"host":"smtp.example.com","from":"c@d.example"}}`}, "test-destination": {` {"to":"not an address"}`}, "delete-destination": {""},
	"list-deliveries": {"", "?status=waiting"}, "get-delivery": {""}, "cancel-delivery": {""}, "retry-delivery": {""},
	"get-push-key": {""}, "list-push-devices": {""}, "subscribe-push": {` {"endpoint":"https://push.example.com/{who}","keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`}, "unsubscribe-push": {""},

	// Reports.
	"list-report-templates": {""}, "get-report-template": {"", "/report-templates/client-qbr"}, "check-report-template": {" " + templateBody(greedy), " " + templateBody(mineOf("{client}"))},
	"preview-report": {
		preview(greedy, ""), preview(greedyForClient, "{client}"), preview(withoutAudience, "{client}"), ` {"template":"client-qbr","client":"{client}"}`, ` {"template":"executive-summary"}`,
		` {"template":"mine","client":"{client}"}`, ` {"template":"data-quality"}`, ` {"template":"team-utilization","from":"2026-01","to":"2026-07"}`,
	},
	"list-reports": {"", "?client={client}", "?template=mine&limit=1", "?schedule={/schedules/{id}}"}, "get-report": {""}, "download-report": {""},
	"make-report":   {` {"template":"executive-summary","format":"json"}`, ` {"template":"client-qbr","client":"{client}","format":"pdf"}`},
	"cancel-report": {""}, "reproduce-report": {""}, "remove-report": {"?reason={who}"},
	"add-report-template": {" " + templateBody(greedy)}, "change-report-template": {" " + templateBody(mineOf("Alder"))}, "remove-report-template": {""},
	"get-report-brand": {""}, "get-report-asset": {""}, "set-report-brand": {` {"footer":"{who}"}`}, "keep-report-asset": {" none"},
	"list-schedules": {""}, "get-schedule": {""}, "add-schedule": {" " + aSchedule("{who}", "{/destinations/{id}}")}, "change-schedule": {" " + aSchedule("mine", "{/destinations/{id}}")}, "run-schedule": {""}, "remove-schedule": {""},

	// Data.
	"list-datasets": {""}, "list-fields": {"/datasets/time_entries/fields"}, "get-template": {"/datasets/time_entries/template", "/datasets/clients/template?format=xlsx"},
	"export-dataset": {"/datasets/invoices/export", "/datasets/time_entries/export", "/datasets/clients/export", "/datasets/staff/export", "/datasets/tickets/export", "/datasets/payroll/export"},
	"list-imports":   {""}, "get-import": {""}, "list-rejects": {"", "?format=csv"}, "list-mappings": {""}, "get-mapping": {""}, "get-quality": {""}, "list-aliases": {"", "?kind=client", "?kind=staff", "?kind=product"}, "list-closed-months": {""},
	"list-batches": {""}, "get-batch": {""}, "get-upload": {""}, "get-upload-file": {""}, "list-sources": {""}, "get-source": {""}, "list-source-files": {""}, "get-work-classes": {""}, "list-thresholds": {"", "?measure=gross_margin"},
	"create-import": {` `}, "undo-import": {""}, "create-upload": {` {"name":"b.csv","bytes":4}`}, "append-upload": {" foo\n"}, "delete-upload": {""}, "create-batch": {` {"files":[{"upload":"{/uploads/{id}}"}]}`}, "cancel-batch": {""}, "forget-mapping": {""},
	"set-alias": {` {"kind":"client","key":"{who}","canonical":"Alder"}`}, "part-alias": {` {"kind":"client","key":"{who}"}`}, "close-month": {"/closed-months/2025-01/close"}, "reopen-month": {"/closed-months/2025-01/reopen"}, "roll-back": {""},
	"create-source": {` {"name":"{who}","kind":"sftp","settings":{"host":"files.example.com","user":"anna"}}`}, "change-source": {` {"name":"{who}","kind":"sftp","settings":{"host":"files.example.com","user":"bert"}}`}, "run-source": {""}, "test-source": {""}, "release-source-file": {` {}`}, "dismiss-source-file": {""}, "delete-source": {""},
	"put-settings": {` {"name":"Ours"}`}, "set-threshold": {`/thresholds/gross_margin {"edges":["0.2"]}`}, "reset-threshold": {"/thresholds/gross_margin/reset"}, "put-work-classes": {` {"rules":[]}`},

	// Accounts, policies, audit and governance.
	"get-session": {""}, "get-profile": {""}, "list-sessions": {""}, "list-own-keys": {""}, "list-user-roles": {""}, "list-names": {""}, "get-rights": {"", "?role=owner"}, "list-users": {""}, "list-invitations": {""}, "list-keys": {""},
	"set-up": {` {"email":"x@example.com","name":"X","password":"harbor lantern quiet meadow"}`}, "sign-in": {` {"email":"x@example.com","password":"harbor lantern quiet"}`}, "sign-in-code": {` {"challenge":"x","code":"123456"}`}, "begin-passkey-sign-in": {""}, "sign-in-passkey": {` {"challenge":"x","answer":{}}`}, "look-at-link": {` {"token":"x"}`}, "use-link": {` {"token":"x","password":"harbor lantern quiet meadow"}`},
	"rename-self": {` {"name":"{who}"}`}, "confirm-self": {` {"password":"wrong words entirely"}`}, "switch-tenant": {` {"tenant":"acme"}`, ` {"tenant":"pearl"}`}, "change-password": {` {"old":"wrong words entirely","new":"harbor lantern quiet meadow"}`}, "begin-totp": {""}, "enroll-totp": {` {"challenge":"x","code":"123456"}`}, "drop-totp": {""}, "new-recovery-codes": {""},
	"begin-passkey": {""}, "enroll-passkey": {` {"challenge":"x","answer":{},"name":"k"}`}, "drop-passkey": {""}, "create-key": {` {"name":"k","actions":["figures.read"],"days":1}`}, "end-own-key": {""}, "end-session": {""},
	"invite-user": {` {"email":"{who}@new.example","role":"viewer"}`}, "end-invitation": {""}, "change-user": {` {"role":"viewer"}`}, "set-user-state": {` {"disabled":false}`}, "reset-user": {` {}`}, "end-key": {""}, "end-user-sessions": {""}, "remove-user": {""},
	"list-roles": {""}, "get-policies": {""}, "list-policy-versions": {""}, "explain-decision": {"?role=viewer&action=figures.read&resource=client:{client}"}, "set-policies": {`?try=true {"text":""}`}, "add-role": {`?try=true {"name":"{who}","label":"L","based_on":"viewer","actions":["figures.read"],"hidden":["pay"]}`},
	"change-role": {`?try=true {"label":"L","based_on":"viewer","actions":["figures.read"],"hidden":["pay"]}`}, "remove-role": {"?try=true"}, "approve-policies": {` {}`}, "reject-policies": {` {"reason":"no"}`}, "begin-view": {` {"role":"viewer"}`}, "end-view": {""},
	"list-audit": {"", "?limit=1000", "?search={client}"}, "get-audit-state": {""}, "export-audit": {"?format=csv", "?format=json"}, "verify-audit": {` {}`}, "get-audit-checkpoint": {""}, "sign-audit-checkpoint": {""}, "due-audit-retention": {"?days=3000&read_days=3000"}, "set-audit-retention": {` {"days":3000,"read_days":3000,"reason":"law"}`},
	"get-inventory": {""}, "export-inventory": {""}, "list-retention": {""}, "list-holds": {""}, "find-people": {"?q={person}", "?q=a"}, "list-requests": {""}, "get-request": {""}, "preview-request": {""}, "export-request": {""},
	"set-retention": {` {"dataset":"time_entries","what":"rows","months":120}`}, "apply-retention": {""}, "begin-hold": {` {"kind":"client","subject":"{client}","reason":"x"}`}, "end-hold": {""}, "create-request": {` {"kind":"access","person":"p_0000000000000000"}`}, "decide-request": {` {"verdict":"reject","reason":"x"}`}, "answer-request": {""},
	"join-peers": {""}, "leave-peers": {""},

	// The program.
	"system": {""}, "verify": {""}, "get-usage": {"", "?days=30"}, "add-usage": {` {"features":["explore"]}`}, "list-feedback": {"", "?format=csv"}, "add-feedback": {` {"comment":"{who}"}`}, "delete-feedback": {""},
	"operations": {` {"operations":[{"method":"GET","path":"/api/v1/query?measures=revenue&by=client"}]}`},
}

// notAsked are the routes that end the session that asks.
var notAsked = map[string]string{"sign-out": "it ends the session", "end-other-sessions": "it ends the sessions of the test"}

const (
	span = "from=2026-01&to=2026-07"
	half = "from=2026-04&to=2026-07"
)

func where(filter string) string {
	text := url.QueryEscape(filter)
	return span + "&where=" + strings.NewReplacer("%7B", "{", "%7D", "}").Replace(text)
}

// questions are all that there are.
func questions(then string) (out []string) {
	for _, name := range []string{"losing-clients", "reprice", "margin-change", "ledger-ties", "unbilled", "late-payers", "reclaim", "true-up", "over-capacity", "missing-time", "noise", "sla", "what-if", "concentration", "segments", "project-overruns", "final"} {
		out = append(out, "/questions/"+name+then+"?"+span)
	}
	return append(out, "/questions/service-received"+then+"?client={client}&"+span)
}

// request is one of the matrix.
type request struct {
	route
	address, body string
}

var idInWords = regexp.MustCompile(`\{(/[^ ]+?\})\}`)

// requestsOf fills what the routes are asked with.
func requestsOf(r route, of world, ids map[string]string, who string) (out []request) {
	words := strings.NewReplacer("{client}", of.client, "{person}", of.person, "{who}", who)
	for _, text := range asks[r.id] {
		address, body, _ := strings.Cut(text, " ")
		if address == "" || address[0] == '?' {
			address = r.path + filled(address, ids)
		} else {
			address = "/api/v1" + filled(address, ids)
		}
		path, query, asked := strings.Cut(words.Replace(address), "?")
		longest := ""
		for at := range ids {
			if strings.HasPrefix(strings.TrimPrefix(path, "/api/v1"), at) && len(at) > len(longest) {
				longest = at
			}
		}
		if longest != "" {
			path = strings.Replace(path, longest[strings.Index(longest, "{"):], ids[longest], 1)
		}
		path = strings.Replace(path, "{file}", ids["{file}"], 1)
		if asked {
			path += "?" + query
		}
		out = append(out, request{r, path, words.Replace(filled(body, ids))})
	}
	return out
}

// filled puts ids where a text names what they are of, such as {/reviews/{id}}.
func filled(text string, ids map[string]string) string {
	return idInWords.ReplaceAllStringFunc(text, func(at string) string { return ids[at[1:len(at)-1]] })
}

// reads reports whether a route changes nothing.
func (r route) reads() bool {
	switch r.id {
	case "query-post", "preview-kpi", "run-scenario", "solve-scenario", "preview-report", "check-report-template":
		return true
	}
	return r.method == http.MethodGet
}

// A new route says here how it is asked, and is in the whole matrix from then on.
func TestEveryRouteHasPlausibleRequests(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, r := range allRoutes(t) {
		there[r.id] = true
		if len(asks[r.id]) == 0 && notAsked[r.id] == "" {
			t.Errorf("%s %s (%s) is in no test of who sees what: add to asks in matrix_asks_test.go what an honest client sends to it, with the client, the person and the ids of the test's data", r.method, r.path, r.id)
		}
	}
	for id := range asks {
		if !there[id] {
			t.Errorf("asks has %s, which is no route any more", id)
		}
	}
}
