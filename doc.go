// Package moatmetrics is the map of the product; it holds no code.
//
// MoatMetrics is one binary (cmd/moatmetrics) that imports a managed service provider's
// exports, keeps them as snapshots, and answers what each client really earns after
// labor, why, and how sure that is.
//
// A package imports only packages on strictly lower floors (arch_test.go checks it):
//
//	floor  package     owns
//	0      fault       the kinds of failure and what a user may read of them
//	1      quantity    decimals, units, days, periods, grains
//	1      tenant      whose data, who asks: Scope
//	2      metadb      the control database: open, migrate, transact (SQLite or PostgreSQL)
//	2      stats       pure statistics: intervals, tests, Shapley values, trend, shrinkage, confidence
//	2      sample      deterministic generators: the demo MSP and the benchmark's workload
//	2      secret      encryption of secrets and personal columns, master keys, logs without secrets
//	2      document    a report before it has a format: model, words, charts; its children write PDF, XLSX, PPTX, HTML
//	2      reach       which servers may be connected to, and how long an answer is waited for
//	2      cron        when a cron expression is due by the clock of a time zone
//	2      match       which known entity a name of an import means, and why
//	3      keyring     the keys that secrets are sealed under, and their rotation
//	3      bucket      buckets of S3-compatible stores: connecting, and what their errors mean
//	4      warehouse   Parquet files, the DuckLake catalog, snapshots, the engine that reads them
//	4      audit       the hash-chained record
//	4      job         durable work
//	4      notice      what the program tells people: to one or to all, read by whom
//	5      access      who may do and see what: actions, roles, policies, accounts
//	5      review      what people decide and say: proposals, decisions, comments
//	5      workspace   what people keep beside the data: dashboards, links, feedback, settings
//	5      definition  what a tenant defines for itself, with its versions: KPIs, segments, rules, calendar
//	5      delivery    destinations, the outbox and how each kind of destination is sent to
//	6      dataset     canonical tables, import, quality
//	7      metric      the semantic layer: definition, query, SQL, result, lineage
//	7      inbox       where files come from by themselves, and when; quarantine
//	8      insight     what matters, why, how sure, what to do
//	8      scenario    what if: a past period under other terms
//	9      govern      personal data: inventory, retention, legal hold, requests of persons
//	9      alert       whom a rule that begins to hold is told to, how, when, and who knows of it
//	9      question    the standing questions of a provider's people, answered
//	10     report      what people read on paper: templates, files and their history, schedules, brands
//	11     search      a list of what fits a part of a name
//	12     httpapi     HTTP and nothing else
//	13     app         configuration, construction in floor order, the commands
//
// Start reading at internal/app/app.go (what is built from what), then
// internal/metric (the heart) and internal/warehouse (where facts live).
package moatmetrics
