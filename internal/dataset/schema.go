package dataset

// Kind is how a field's text is read and stored.
type Kind string

// The kinds. Amounts keep four decimals, prices and rates six (design: Numbers).
const (
	Text      Kind = "text"
	ID        Kind = "id" // text that identifies; leading zeros kept
	Date      Kind = "date"
	Timestamp Kind = "timestamp" // UTC
	Money     Kind = "money"     // DECIMAL(18,4)
	Price     Kind = "price"     // DECIMAL(18,6): prices, rates, quantities
	Hours     Kind = "hours"     // DECIMAL(9,4)
	Integer   Kind = "integer"
	Boolean   Kind = "boolean"
	Share     Kind = "share" // DECIMAL(9,6) fraction; 45 % is 0.45
	JSON      Kind = "json"
)

// Field is one input of a dataset: what a file's column can mean.
type Field struct {
	Name     string   // canonical name, also accepted as a header
	Kind     Kind     // how its text is read
	Required bool     // a file without a column for it is refused
	Aliases  []string // other headers, normalized (lower case, single spaces)
	Column   string   // stored column it fills; "" means it is only an input (see Dataset notes)
	FieldID  int      // stable Parquet field id of Column, unique in the table, never reused; 0 when Column is ""
	Instead  []string // fields that may stand in for a required one
	Private  bool     // personal data or free text: stored in the side table, apart from the amounts
	Help     string   // one line for templates and documentation
	Example  string   // a value for the template
}

// Dataset is one canonical table and how files of it are read.
type Dataset struct {
	Name      string
	Title     string   // "time entries", for sentences
	Effective bool     // rows carry valid_from/valid_to: a change is a new row from a day on
	Month     string   // stored date column that places a row in a month; "" for undated tables
	IDField   string   // field that identifies a row in its source, if the file has it
	Natural   []string // fields that identify a row when there is no id; empty: content plus ordinal
	Fields    []Field
}

// Column names that every stored table has.
const (
	ColRowID      = "row_id"        // uuid: md5 of source system and key (see docs/decisions)
	ColSource     = "source_system" // "csv" or the connector's name
	ColSourceID   = "source_id"     // the source's id or natural key; null when the row is keyed by content
	ColImport     = "import_id"     // the import that last wrote the row
	ColRecord     = "record"        // its record number in that import's file, 1 is the first data record
	ColAttributes = "attributes"    // JSON of source columns that we do not know
	ColValidFrom  = "valid_from"    // effective tables: first day; null means since ever
	ColValidTo    = "valid_to"      // effective tables: first day no longer; null means open
	ColClient     = "client_key"    // the source's own client key (name as imported, or "id:" and its id); null is unassigned
	ColStaff      = "staff_key"     // pseudonymous staff key; people holds the name
	ColPerson     = "person_key"    // pseudonymous key of an end user; people holds name and e-mail
)

// Stable field ids of the system columns; a dataset's own begin at 10.
var systemFieldIDs = map[string]int{
	ColRowID: 1, ColSource: 2, ColSourceID: 3, ColImport: 4, ColRecord: 5, ColAttributes: 6, ColValidFrom: 7, ColValidTo: 8,
}

func field(id int, name string, kind Kind, help, example string, aliases ...string) Field {
	return Field{Name: name, Kind: kind, Column: name, FieldID: id, Help: help, Example: example, Aliases: aliases}
}

// validFrom is the input of the system column valid_from.
func validFrom(help string) Field {
	return field(systemFieldIDs[ColValidFrom], ColValidFrom, Date, help, "")
}

// isActive is another way to state a status.
func isActive() Field {
	return Field{Name: "is_active", Kind: Boolean, Help: "yes is status active, no is inactive; used when there is no status"}
}

func required(f Field) Field { f.Required = true; return f }
func private(f Field) Field  { f.Private = true; return f }

// clientFields are the two ways a file names a client; they fill one column, client_key:
// the name when there is one, otherwise "id:" and the id.
func clientFields(need bool) []Field {
	return []Field{
		{Name: "client_name", Kind: Text, Required: need, Instead: []string{"client_id"}, Column: ColClient, FieldID: 10, Help: "client as your tool names it; blank rows are kept as unassigned", Example: "Harbor Dental Group"},
		{Name: "client_id", Kind: ID, Help: "the client's id in the source, when there is no name", Example: "1042"},
	}
}

// staffFields are the ways a file names a staff member; they fill staff_key with a
// pseudonym of the name (or e-mail, or id, the first that is there).
func staffFields(need bool) []Field {
	return []Field{
		{Name: "staff_name", Kind: Text, Required: need, Instead: []string{"staff_email", "staff_id"}, Column: ColStaff, FieldID: 11, Help: "who did it; stored apart under a pseudonym", Example: "Dana Ortiz"},
		{Name: "staff_email", Kind: Text, Help: "used when there is no name", Example: "dana@example.com"},
		{Name: "staff_id", Kind: ID, Help: "used when there is neither name nor e-mail", Example: "17"},
	}
}

func join(parts ...[]Field) []Field {
	var all []Field
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// Datasets lists the canonical tables. Fields are added, never renamed or retyped, and a
// field id is never used again (design: Rules of change).
func Datasets() []Dataset { return datasets }

// Find returns the dataset of that name.
func Find(name string) (Dataset, bool) {
	for _, d := range datasets {
		if d.Name == name {
			return d, true
		}
	}
	return Dataset{}, false
}

// Field returns the field of that name.
func (d Dataset) Field(name string) (Field, bool) {
	for _, f := range d.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

var datasets = withAliases([]Dataset{
	{
		Name: "clients", Title: "clients", Effective: true, IDField: "client_id", Natural: []string{"client_name"},
		Fields: []Field{
			{Name: "client_name", Kind: Text, Required: true, Column: ColClient, FieldID: 10, Help: "name as on invoices", Example: "Harbor Dental Group"},
			field(11, "client_id", ID, "id in the source", "1042"),
			field(12, "status", Text, "active, inactive, former, prospect, vendor or internal", "active"),
			isActive(),
			field(13, "industry", Text, "line of business", "Healthcare"),
			field(14, "currency", Text, "ISO 4217 code", "USD"),
			{Name: "account_manager", Kind: Text, Column: "account_manager", FieldID: 15, Help: "who looks after the client", Example: "Dana Ortiz"},
			field(16, "employees", Integer, "head count at the client", "48"),
			field(17, "acquired_on", Date, "first day as a client", "2023-04-01"),
			field(18, "lost_on", Date, "first day no longer a client", ""),
			field(19, "contract_value", Money, "contract value as the source states it", "2400.00"),
			field(20, "is_internal", Boolean, "yes for your own company", "no"),
			field(21, "domain", Text, "web or mail domain", "harbordental.example"),
			field(22, "tax_id", ID, "tax number", ""),
			field(23, "parent_client", Text, "parent company", ""),
			private(field(24, "contact_name", Text, "contact person", "Lee Park")),
			private(field(25, "contact_email", Text, "contact's e-mail", "lee@harbordental.example")),
			private(field(26, "contact_phone", Text, "contact's phone", "555-0100")),
			validFrom("first day this row holds"),
		},
	},
	{
		Name: "agreements", Title: "agreements", Effective: true, IDField: "agreement_id", Natural: []string{"client_name", "agreement_name", "start_date"},
		Fields: join(clientFields(true), []Field{
			field(12, "agreement_id", ID, "id in the source", "A-100"),
			required(field(13, "agreement_name", Text, "name of the agreement", "Managed Services")),
			field(14, "agreement_type", Text, "type in the source", "Managed"),
			field(15, "billing_model", Text, "fixed_fee, block_hours, retainer, t_and_m, fixed_price, per_ticket or subscription", "fixed_fee"),
			field(16, "status", Text, "active, cancelled or expired", "active"),
			field(17, "start_date", Date, "first day", "2025-01-01"),
			field(18, "end_date", Date, "last day, blank when open", ""),
			field(19, "cancelled_on", Date, "day of cancellation", ""),
			field(20, "billing_cycle", Text, "weekly, monthly, quarterly, yearly, …", "monthly"),
			field(21, "amount", Money, "base fee a billing cycle, net of tax", "2400.00"),
			field(22, "target_hourly_rate", Price, "rate you want to earn an hour", "150"),
			field(23, "term_months", Integer, "length of the term", "12"),
			field(24, "currency", Text, "ISO 4217 code", "USD"),
			field(25, "parent_agreement", ID, "parent's id", ""),
			field(26, "included_hours", Hours, "hours that the base fee buys a billing cycle, as of block hours", ""),
			validFrom("first day this row holds"),
		}),
	},
	{
		Name: "agreement_additions", Title: "agreement additions", Effective: true, IDField: "addition_id", Natural: []string{"agreement_id", "client_name", "product_name", "effective_date"},
		Fields: join(clientFields(false), []Field{
			field(12, "addition_id", ID, "id in the source", "AD-1"),
			field(13, "agreement_id", ID, "agreement it belongs to", "A-100"),
			required(field(14, "product_name", Text, "what is added", "Microsoft 365 Business Premium")),
			required(field(15, "quantity", Price, "units", "48")),
			field(16, "included_quantity", Price, "units included in the base fee", "0"),
			field(17, "unit_price", Price, "price a unit and cycle", "26.40"),
			field(18, "unit_cost", Price, "cost a unit and cycle", "22.00"),
			field(19, "effective_date", Date, "first day", "2025-01-01"),
			field(20, "cancelled_date", Date, "first day no longer", ""),
			field(21, "billing_cycle", Text, "monthly, yearly, …", "monthly"),
			field(22, "agreement_name", Text, "agreement's name, when there is no id", ""),
			field(23, "currency", Text, "ISO 4217 code", "USD"),
			validFrom("first day this row holds"),
		}),
	},
	{
		Name: "invoices", Title: "invoices", Month: "invoice_date", IDField: "", Natural: []string{"client_name", "invoice_number", "line_number"},
		Fields: join(clientFields(true), []Field{
			required(field(12, "invoice_number", ID, "number on the invoice", "INV-2001")),
			field(13, "line_number", ID, "line on the invoice", "1"),
			required(field(14, "invoice_date", Date, "date of the invoice", "2026-03-01")),
			field(15, "due_date", Date, "day payment is due", "2026-03-31"),
			field(16, "invoice_type", Text, "Invoice, Credit Memo, Down Payment, …", "Invoice"),
			field(17, "status", Text, "draft, sent, paid, overdue, void", "sent"),
			field(18, "agreement_id", ID, "agreement billed", "A-100"),
			field(19, "project_name", Text, "project billed", ""),
			field(20, "ticket_number", ID, "ticket billed", ""),
			field(21, "revenue_category", Text, "recurring_labor, recurring_resale, project, t_and_m, hardware or other", "recurring_labor"),
			field(22, "product_name", Text, "product or service code", "Managed Services"),
			field(23, "description", Text, "text of the line", "Managed services March"),
			field(24, "quantity", Price, "units", "1"),
			field(25, "unit_price", Price, "price a unit, net of tax", "2400.00"),
			field(26, "discount", Money, "discount in money", "0"),
			field(27, "net_amount", Money, "line amount net of tax; computed from quantity × price − discount when missing", "2400.00"),
			field(28, "tax_amount", Money, "tax of the line", "192.00"),
			field(29, "unit_cost", Price, "cost a unit", ""),
			field(30, "service_period_start", Date, "first day of service billed", "2026-03-01"),
			field(31, "service_period_end", Date, "last day of service billed", "2026-03-31"),
			field(32, "currency", Text, "ISO 4217 code", "USD"),
			field(33, "tax_basis", Text, "net, gross or unknown; set by the import", ""),
			{Name: "total_amount", Kind: Money, Help: "invoice total; without lines it is stored as one line", Example: "2592.00"},
			{Name: "lines_json", Kind: JSON, Help: "the lines as a JSON list (description, quantity, unit_price, discount, tax_rate)", Example: ""},
			{Name: "balance", Kind: Money, Column: "balance", FieldID: 34, Help: "amount still open of the whole invoice", Example: "0.00"},
			{Name: "country", Kind: Text, Column: "country", FieldID: 35, Help: "country billed to", Example: ""},
		}),
	},
	{
		Name: "payments", Title: "payments", Month: "payment_date", IDField: "payment_id",
		Fields: join(clientFields(false), []Field{
			field(12, "payment_id", ID, "id in the source", "P-1"),
			field(13, "invoice_number", ID, "invoice paid", "INV-2001"),
			required(field(14, "payment_date", Date, "day the money came", "2026-03-28")),
			required(field(15, "amount", Money, "amount paid", "2592.00")),
			field(16, "method", Text, "how it was paid", "ACH"),
			field(18, "refunded_amount", Money, "part of the amount that was paid back, as the source states it", ""),
			field(19, "status", Text, "what became of it; failed, canceled and pending payments are no money received", ""),
			field(17, "currency", Text, "ISO 4217 code", "USD"),
		}),
	},
	{
		Name: "staff", Title: "staff", Effective: true, IDField: "", Natural: []string{"staff_name"},
		Fields: join(staffFields(true), []Field{
			field(12, "role", Text, "work role", "Senior Technician"),
			field(13, "team", Text, "team or department", "Service Desk"),
			field(14, "hired_on", Date, "first day", "2022-05-01"),
			field(15, "left_on", Date, "first day no longer", ""),
			field(16, "cost_rate", Price, "what an hour costs you, loaded", "48.00"),
			field(17, "bill_rate", Price, "what an hour is billed at", "150.00"),
			field(18, "weekly_hours", Hours, "contract hours a week", "40"),
			field(19, "active", Boolean, "still here", "yes"),
			field(20, "currency", Text, "ISO 4217 code", "USD"),
			validFrom("first day this row holds (rates change)"),
		}),
	},
	{
		Name: "time_entries", Title: "time entries", Month: "work_date", IDField: "time_entry_id",
		Fields: join(clientFields(false), staffFields(false), []Field{
			field(12, "time_entry_id", ID, "id in the source", "T-9001"),
			required(field(13, "work_date", Date, "day the work was done", "2026-03-04")),
			required(field(14, "hours_worked", Hours, "hours worked (cost basis)", "1.50")),
			field(15, "hours_billed", Hours, "hours billed, rounded (revenue basis)", "1.50")}, []Field{
			field(16, "billable", Boolean, "yes when the work is billable or covered by an agreement", "yes"),
			field(17, "bill_rate", Price, "billing rate an hour", "150.00"),
			field(18, "cost_rate", Price, "cost an hour, when the source states it", ""),
			field(19, "work_type", Text, "type of work", "Remote"),
			field(20, "agreement_id", ID, "agreement that covers it", "A-100"),
			field(21, "ticket_number", ID, "ticket worked on", "48213"),
			field(22, "project_name", Text, "project worked on", ""),
			field(23, "cost_multiplier", Price, "factor on the cost rate, 1.5 for overtime; blank is 1", ""),
			field(24, "currency", Text, "ISO 4217 code", "USD"),
			private(field(25, "notes", Text, "free text; stored apart", "Reset MFA")),
			field(26, "billed_amount", Money, "amount billed for the entry, as the source states it", ""),
			field(27, "cost_amount", Money, "cost of the entry, as the source states it", ""),
			field(28, "started_at", Timestamp, "when the work began", ""),
			field(29, "ended_at", Timestamp, "when it ended", ""),
			field(30, "entered_at", Timestamp, "when the entry was made", ""),
		}),
	},
	{
		Name: "tickets", Title: "tickets", Month: "created_on", IDField: "ticket_number",
		Fields: join(clientFields(false), staffFields(false), []Field{
			required(field(12, "ticket_number", ID, "number of the ticket", "48213")),
			private(field(13, "title", Text, "summary; stored apart", "Printer offline")),
			field(14, "ticket_type", Text, "incident, request, alert, project, …", "incident"),
			field(15, "priority", Text, "priority", "High"),
			field(16, "source", Text, "how it came", "email"),
			field(17, "status", Text, "status", "Closed"),
			{Name: "created_at", Kind: Timestamp, Required: true, Instead: []string{"created_on"}, Column: "created_at", FieldID: 18, Help: "when it was opened", Example: "2026-03-04 09:12"},
			field(19, "responded_at", Timestamp, "first human reply", "2026-03-04 09:30")}, []Field{
			field(20, "resolved_at", Timestamp, "when it was solved", ""),
			field(21, "closed_at", Timestamp, "when it was closed", ""),
			field(22, "sla_met", Boolean, "yes when the SLA was met, blank when there is none", "yes"),
			field(23, "queue", Text, "board or queue", "Service Desk"),
			field(26, "resolution_hours", Hours, "hours to the solution, as the source states them", ""),
			field(24, "agreement_id", ID, "agreement", ""),
			{Name: "created_on", Kind: Date, Column: "created_on", FieldID: 25, Help: "derived: the day of created_at in your time zone"},
			field(27, "respond_by", Timestamp, "when the first reply is due", ""),
			field(28, "resolve_by", Timestamp, "when the solution is due", ""),
			field(29, "reopen_count", Integer, "how often it was opened again", ""),
		}),
	},
	{
		Name: "projects", Title: "projects", IDField: "project_id", Natural: []string{"client_name", "project_name"},
		Fields: join(clientFields(false), []Field{
			field(12, "project_id", ID, "id in the source", "PR-1"),
			required(field(13, "project_name", Text, "name", "Server refresh")),
			field(14, "status", Text, "status", "Open"),
			field(15, "billing_method", Text, "fixed fee, actual rates, …", "fixed fee"),
			field(16, "budget_hours", Hours, "hours planned", "80"),
			field(17, "budget_amount", Money, "money planned", "12000.00"),
			field(18, "start_date", Date, "first day", "2026-02-01"),
			field(19, "end_date", Date, "planned last day", "2026-04-15"),
			field(20, "percent_complete", Share, "progress", "40%"),
			field(21, "currency", Text, "ISO 4217 code", "USD"),
		}),
	},
	{
		Name: "licenses", Title: "licenses", Effective: true, IDField: "license_id", Natural: []string{"client_name", "vendor", "product_name", "sku", "start_date"},
		Fields: join(clientFields(false), []Field{
			field(12, "license_id", ID, "subscription id in the source", "L-1"),
			field(13, "vendor", Text, "vendor", "Microsoft"),
			required(field(14, "product_name", Text, "product", "Microsoft 365 Business Premium")),
			field(15, "sku", ID, "stock keeping unit", "SPB"),
			field(16, "license_type", Text, "subscription or perpetual", "subscription"),
			field(17, "term", Text, "monthly, annual or triennial", "annual"),
			field(18, "billing_cycle", Text, "cycle of unit_cost: monthly, yearly, …; blank is monthly", "monthly"),
			required(field(19, "seats_purchased", Price, "seats bought", "50")),
			field(20, "seats_used", Price, "seats assigned", "44")}, []Field{
			field(21, "seats_inactive", Price, "assigned but not used for 30 days", "7"),
			field(22, "unit_cost", Price, "cost a seat and cycle", "22.00"),
			field(23, "unit_price", Price, "price a seat and cycle", "26.40"),
			field(24, "start_date", Date, "first day", "2025-09-01"),
			field(25, "renewal_date", Date, "end of the term", "2026-09-01"),
			field(26, "auto_renew", Boolean, "renews by itself", "yes"),
			field(27, "status", Text, "active, suspended, cancelled, trial", "active"),
			isActive(),
			field(28, "currency", Text, "ISO 4217 code", "USD"),
			{Name: "total_cost", Kind: Money, Column: "total_cost", FieldID: 29, Help: "cost of the whole subscription, as stated", Example: ""},
			field(30, "is_free_or_trial", Boolean, "free or trial: left out of waste", "no"),
			validFrom("first day this row holds"),
		}),
	},
	{
		Name: "license_assignments", Title: "license assignments", IDField: "", Natural: []string{"license_id", "client_name", "product_name", "user_email"},
		Fields: join(clientFields(false), []Field{
			field(12, "license_id", ID, "subscription", "L-1"),
			field(13, "product_name", Text, "product", "Microsoft 365 Business Premium"),
			{Name: "user_email", Kind: Text, Required: true, Column: ColPerson, FieldID: 14, Help: "who holds the seat; stored apart under a pseudonym", Example: "lee@harbordental.example"},
			field(15, "assigned_on", Date, "day of assignment", "2025-09-01"),
			field(16, "last_activity_on", Date, "last day of use", "2026-02-20"),
			field(17, "user_enabled", Boolean, "the account can sign in", "yes"),
			field(18, "user_created_on", Date, "day the account was made", ""),
			{Name: "user_name", Kind: Text, Help: "name of the user", Example: "Lee Park"},
		}),
	},
	{
		Name: "assets", Title: "assets", IDField: "asset_id", Natural: []string{"client_name", "name"},
		Fields: join(clientFields(false), []Field{
			field(12, "asset_id", ID, "id in the source", "D-1"),
			required(field(13, "name", Text, "device name", "HDG-WS-014")),
			field(14, "asset_type", Text, "workstation, server, network, mobile", "workstation"),
			field(15, "managed", Boolean, "under management", "yes"),
			field(16, "first_seen", Date, "first seen", "2024-01-10"),
			field(17, "last_seen", Date, "last seen", "2026-03-04"),
			field(18, "warranty_end", Date, "end of warranty", "2027-01-10"),
			field(19, "os", Text, "operating system", "Windows 11"),
			field(20, "serial_number", ID, "serial number", ""),
		}),
	},
	{
		Name: "expenses", Title: "expenses", Month: "expense_date", IDField: "expense_id",
		Fields: join(clientFields(false), []Field{
			field(12, "expense_id", ID, "id in the source", "E-1"),
			required(field(13, "expense_date", Date, "date of the bill", "2026-03-02")),
			field(14, "vendor", Text, "vendor", "Pax8"),
			field(15, "category", Text, "cogs_product, cogs_tool, cogs_subcontract or opex", "cogs_product"),
			required(field(16, "net_amount", Money, "amount net of tax", "1056.00")),
			field(17, "tax_amount", Money, "tax", "0"),
			field(18, "agreement_id", ID, "agreement it belongs to", ""),
			field(19, "product_name", Text, "product", ""),
			field(20, "billable", Boolean, "billed on to the client", "no"),
			field(21, "currency", Text, "ISO 4217 code", "USD"),
			private(field(22, "description", Text, "free text; stored apart", "M365 March")),
		}),
	},
	{
		Name: "surveys", Title: "survey responses", Month: "responded_on", IDField: "survey_id",
		Fields: join(clientFields(false), []Field{
			field(12, "survey_id", ID, "id in the source", "S-1"),
			field(13, "ticket_number", ID, "ticket asked about", "48213"),
			field(14, "kind", Text, "csat, nps or ces", "csat"),
			required(field(15, "score", Price, "score given", "5")),
			field(16, "scale", Price, "highest possible score", "5"),
			{Name: "responded_on", Kind: Date, Required: true, Column: "responded_on", FieldID: 17, Help: "day of the answer", Example: "2026-03-05"},
			private(field(18, "comment", Text, "free text; stored apart", "")),
		}),
	},
	{
		Name: "contacts", Title: "contacts", IDField: "contact_id", Natural: []string{"client_name", "contact_email", "contact_name"},
		Fields: join(clientFields(true), []Field{
			field(12, "contact_id", ID, "id in the source", "C-1"),
			{Name: "contact_email", Kind: Text, Required: true, Instead: []string{"contact_name"}, Column: ColPerson, FieldID: 13, Help: "e-mail; stored apart under a pseudonym", Example: "lee@harbordental.example"},
			{Name: "contact_name", Kind: Text, Help: "name; stored apart", Example: "Lee Park"},
			field(14, "active", Boolean, "still there", "yes"),
			field(15, "is_vip", Boolean, "important person", "no"),
		}),
	},
	{
		Name: "time_off", Title: "time off", Month: "date", IDField: "",
		Fields: join(staffFields(true), []Field{
			required(field(12, "date", Date, "day off", "2026-03-20")),
			field(13, "hours", Hours, "hours off; blank is the whole day", "8"),
			field(14, "kind", Text, "vacation, sick, …", "vacation"),
		}),
	},
	{
		Name: "holidays", Title: "public holidays", IDField: "", Natural: []string{"date", "country", "name"},
		Fields: []Field{
			required(field(10, "date", Date, "the day", "2026-12-25")),
			required(field(11, "name", Text, "name of the day", "Christmas Day")),
			field(12, "country", Text, "country or region it holds in", "US"),
		},
	},
	{
		Name: "exchange_rates", Title: "exchange rates", Effective: false, IDField: "", Natural: []string{"date", "from_currency", "to_currency"},
		Fields: []Field{
			required(field(10, "date", Date, "the day", "2026-03-01")),
			required(field(11, "from_currency", Text, "ISO 4217 code", "EUR")),
			required(field(12, "to_currency", Text, "ISO 4217 code", "USD")),
			required(field(13, "rate", Price, "1 from_currency in to_currency", "1.0834")),
			field(14, "rate_source", Text, "where the rate is from", "ECB"),
		},
	},
	{
		Name: "ledger", Title: "ledger periods", Month: "period_start", IDField: "", Natural: []string{"period_start", "account", "account_class"},
		Fields: []Field{
			required(field(10, "period_start", Date, "first day of the month", "2026-03-01")),
			required(field(11, "account", Text, "account name or number", "4000 Managed services")),
			required(field(12, "account_class", Text, "income, cogs, payroll, expense", "income")),
			required(field(13, "amount", Money, "amount of the period", "182000.00")),
			field(14, "currency", Text, "ISO 4217 code", "USD"),
		},
	},
	{
		Name: "payroll", Title: "payroll", Month: "period_start", IDField: "",
		Fields: join(staffFields(true), []Field{
			required(field(12, "period_start", Date, "first day of the pay period", "2026-03-01")),
			field(13, "period_end", Date, "last day of the pay period", "2026-03-31"),
			required(field(14, "gross_amount", Money, "gross pay with employer's cost", "6900.00")),
			field(15, "paid_hours", Hours, "hours paid", "173.33"),
			field(16, "currency", Text, "ISO 4217 code", "USD"),
		}),
	},
	{
		Name: "opportunities", Title: "opportunities", Month: "expected_close", IDField: "opportunity_id",
		Fields: join(clientFields(false), []Field{
			field(12, "opportunity_id", ID, "id in the source", "O-1"),
			field(13, "name", Text, "name", "Managed services for Bay Clinic"),
			field(14, "stage", Text, "stage", "Proposal"),
			field(15, "probability", Share, "chance to win", "50%"),
			field(16, "recurring_amount", Money, "revenue a month", "2400.00"),
			field(17, "one_time_amount", Money, "revenue once", "5000.00"),
			required(field(18, "expected_close", Date, "expected day", "2026-05-01")),
			field(19, "status", Text, "open, won or lost", "open"),
			field(20, "loss_reason", Text, "why it was lost", ""),
			field(21, "currency", Text, "ISO 4217 code", "USD"),
			field(22, "opened_on", Date, "day it was opened", ""),
			field(23, "closed_on", Date, "day it was won or lost", ""),
		}),
	},
	{
		Name: "acquisition_costs", Title: "acquisition costs", Month: "period_start", IDField: "", Natural: []string{"period_start", "channel"},
		Fields: []Field{
			required(field(10, "period_start", Date, "first day of the month", "2026-03-01")),
			required(field(11, "amount", Money, "sales and marketing cost", "8200.00")),
			field(12, "channel", Text, "where it was spent", "Referral program"),
			field(13, "new_clients", Integer, "clients won", "2"),
			field(14, "currency", Text, "ISO 4217 code", "USD"),
		},
	},
})
