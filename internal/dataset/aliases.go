package dataset

import "strings"

// withAliases adds the headers that real exporters use to the fields of every dataset.
// Lists are in order of preference: when a file has several of them, the first wins.
// "!" in front says that the header means the opposite ("Non-Billable"), "?" that it only may
// mean the field, "+" that it is preferred even to the field's own name.
func withAliases(datasets []Dataset) []Dataset {
	for i, d := range datasets {
		own := aliasesOf[d.Name]
		for j, f := range d.Fields {
			list := own[f.Name]
			if shared, ok := sharedAliases[f.Name]; ok && list == "" {
				list = shared
			}
			for _, a := range strings.Split(list, ",") {
				if a = strings.TrimSpace(a); a != "" {
					datasets[i].Fields[j].Aliases = append(datasets[i].Fields[j].Aliases, a)
				}
			}
		}
	}
	return datasets
}

const (
	clientNames = "client name, client, company name, company, customer name, customer, customer ref, organization name, organization, organisation name, organisation, account name, tenant name, tenant, bill to, contact name, customer description, client company, site name, account, business name, organizations, ticket organization name, kunde, kundenname, firma, nom du client, société, klant, klantnaam"
	staffNames  = "staff name, staff, staff member, member name, member, resource name, resource, technician name, technician, tech, agent name, agent, engineer, employee name, employee, user, user name, consultant, worker, assigned to, assignee, person, owner, team member, assigned tech, primary resource, primary engineer, assignee name, username, who, mitarbeiter, bearbeiter, employé, collaborateur, intervenant, medewerker"
)

// sharedAliases hold for a field in every dataset that does not list its own.
var sharedAliases = map[string]string{
	"client_name":    clientNames,
	"client_id":      "client id, company id, company rec id, customer id, account number, account id, company identifier, tenant id, client number, organization id, kundennummer, numéro client, klantnummer",
	"staff_name":     staffNames,
	"staff_email":    "staff email, email, email address, e mail, user email, member email, employee email, technician email, agent email, assignee email, technician email address",
	"staff_id":       "staff id, member id, employee id, resource id, user id, agent id, employee number, who agentid, assigned resource id",
	"currency":       "currency, currency code, curr, iso currency, invoice currency, währung, devise, valuta",
	"status":         "status, state",
	"is_active":      "is active, active, enabled, ! inactive, ! is inactive",
	"active":         "active, is active, enabled, ! inactive, ! is inactive",
	"agreement_id":   "agreement id, contract id, agreement number, contract number, agreement, contract, agreement name, contract name",
	"ticket_number":  "ticket number, ticket, ticket id, ticket no, service ticket, service id, sr, sr number, case number, case, case id, issue key",
	"project_name":   "project name, project, projekt, projet",
	"product_name":   "product name, product, item, item name, service",
	"billing_cycle":  "billing cycle, billing frequency, billing period, billing term, cycle, frequency",
	"valid_from":     "valid from, effective from, rate effective date",
	"description":    "description, memo, details, notes",
	"vendor":         "vendor, vendor name, supplier, supplier name, publisher, manufacturer, payee, vendor name, merchant, supplier name",
	"unit_cost":      "unit cost, cost per unit, our cost, cost",
	"unit_price":     "unit price, price per unit, price, sales price",
	"country":        "country, billing country, po country, region",
	"invoice_number": "invoice number, invoice, invoice no, invoice nbr, invoice id, inv no, inv number, doc number, document number, ref number, transaction, transaction number, num, no, number, rechnungsnummer, rechnung nr, belegnummer, numéro de facture, n de facture, facture, factuurnummer",
	"contact_name":   "contact name, contact, primary contact, contact person",
	"contact_email":  "contact email, email, email address, primary email",
	"contact_phone":  "contact phone, phone, phone number, telephone",
}

var aliasesOf = map[string]map[string]string{
	"clients": {
		"client_name":     "client name, name, client, company name, company, customer name, customer, organization name, organization, organisation, account name, display name, account, business name, trading name, customer full name, kunde, kundenname, firma, klant, klantnaam, ? full name",
		"client_id":       "client id, company id, company rec id, customer id, account number, account id, company identifier, company number, tenant id, id, code, kundennummer, klantnummer",
		"status":          "status, client status, company status, customer status, state, stage",
		"industry":        "industry, market, vertical, sector, segment, line of business, industry type, market segment, branche",
		"account_manager": "account manager, client manager, territory manager, owner, account owner",
		"employees":       "employees, number of employees, employee count, headcount, head count, staff count, no of employees",
		"acquired_on":     "acquired on, date acquired, client since, customer since, onboarded, onboarding date, start date, date created, create date, created, account created date, erstellt am",
		"lost_on":         "lost on, date lost, churn date, churned on, offboarded, end date",
		"contract_value":  "contract value, contract amount, agreement value, value",
		"is_internal":     "is internal, internal",
		"domain":          "domain, website, web address, url",
		"tax_id":          "tax id, tax number, tax identifier, vat number, vat id, tax number vat, ust idnr, btw nummer",
		"parent_client":   "parent client, parent company, parent account, parent",
	},
	"agreements": {
		"agreement_id":       "agreement id, contract id, agreement rec id, contract number, agreement number, id",
		"agreement_name":     "agreement name, agreement, contract name, contract, plan, plan name, name",
		"agreement_type":     "agreement type, contract type, type, contract category, contract category name",
		"billing_model":      "billing model, billing method, billing type",
		"status":             "status, agreement status, contract status, state",
		"start_date":         "start date, date start, agreement start, contract start, effective, effective date, begin date, start",
		"end_date":           "end date, date end, agreement end, contract end, expiration, expiration date, expiry, end",
		"cancelled_on":       "cancelled on, canceled on, date cancelled, date canceled, cancelled, canceled, cancellation date",
		"amount":             "amount, bill amount, monthly fee, monthly amount, fee, price, agreement amount, contract amount, recurring amount, mrr, period charge amount, total contract value",
		"target_hourly_rate": "target hourly rate, target rate, target ehr",
		"term_months":        "term months, term, term in months, contract term",
		"parent_agreement":   "parent agreement, parent contract, parent agreement id",
		"included_hours":     "included hours, hours included, block hours, prepaid hours, hours bought, application limit",
	},
	"agreement_additions": {
		"addition_id":       "addition id, addition rec id, id",
		"agreement_id":      "agreement id, contract id, agreement number, contract number",
		"agreement_name":    "agreement name, agreement, contract name, contract",
		"product_name":      "product name, product, addition, addition name, item, item name, product id, service",
		"quantity":          "quantity, qty, units",
		"included_quantity": "included quantity, less included, included, qty included",
		"unit_cost":         "unit cost, cost, cost per unit",
		"unit_price":        "unit price, price, price per unit",
		"effective_date":    "effective date, effective, start date, date start, start",
		"cancelled_date":    "cancelled date, canceled date, cancelled, canceled, end date, date end, end",
	},
	"invoices": {
		"client_name":          clientNames + ", name",
		"line_number":          "line number, line no, line, line id",
		"invoice_date":         "invoice date, date, txn date, transaction date, date issued, issue date, issued on, date posted, posted date, bill date, invoice date time, created on, created, rechnungsdatum, belegdatum, datum, date de facture, date facture, factuurdatum, invoicedate, date utc, created utc",
		"due_date":             "due date, payment due, due on, due, date due, fällig am, fälligkeitsdatum, fälligkeit, échéance, date d échéance, vervaldatum, due date utc",
		"invoice_type":         "invoice type, type, transaction type, document type, doc type",
		"status":               "status, invoice status, payment status, billing status, state, statut, rechnungsstatus",
		"revenue_category":     "revenue category, category, income category, class",
		"product_name":         "product name, product, product service, item product service, item, item name, inventory item code, stock code, product code, product id, item code, sku, service, product service full name, service name, artikel, article",
		"description":          "description, line description, item description, memo, details, memo description, beschreibung, bezeichnung, libellé, omschrijving",
		"quantity":             "quantity, qty, item quantity, units, hours, menge, anzahl, quantité, aantal",
		"unit_price":           "unit price, price, unit amount, item rate, rate, sales price, price each, einzelpreis, prix unitaire, prijs per stuk, stukprijs, unit price excl tax",
		"discount":             "discount, discount amount, line discount",
		"net_amount":           "net amount, net, line net, line amount, line total, item amount, extended price, ext price, extended amount, subtotal, sub total, net total, amount excl tax, amount ex tax, total excl tax, line net amount, nettobetrag, betrag netto, netto, montant ht, total ht, bedrag excl btw, amount without tax",
		"total_amount":         "total amount, amount, total, invoice total, invoice amount, grand total, gross amount, gross, amt, total incl tax, total price, bruttobetrag, betrag, gesamtbetrag, montant ttc, total ttc, montant, bedrag incl btw, bedrag",
		"tax_amount":           "tax amount, tax, sales tax, tax total, total tax, vat, vat amount, gst, tax dollars, mwst, ust, umsatzsteuer, tva, montant tva, btw, btw bedrag",
		"balance":              "balance, open balance, invoice balance, balance due, invoice amount due, amount due, outstanding",
		"service_period_start": "service period start, period start, service start, service from, service date, start period, leistung von",
		"service_period_end":   "service period end, period end, service end, service to, end period, leistung bis",
		"lines_json":           "lines json, line items json, line items, lines",
		"currency":             "currency, currency code, invoice currency, curr, währung, devise, valuta",
	},
	"payments": {
		"refunded_amount": "amount refunded, refunded amount, refund amount, refunded, refund",
		"client_name":     "client name, client, company name, company, customer name, customer, customer ref, organization name, organization, organisation name, organisation, account name, bill to, contact name, account, kunde, klant, ? customer description",
		"payment_id":      "payment id, payment number, receipt number, transaction id, id",
		"payment_date":    "payment date, date paid, paid on, date received, received on, date, txn date, created utc, created, created date utc, zahlungsdatum, bezahlt am, betaaldatum, date de paiement",
		"amount":          "amount, amount paid, payment amount, paid amount, total, total amount, payment total, received amount, betrag, montant, bedrag",
		"status":          "status, payment status, state, captured status",
		"method":          "method, payment method, payment type, type, mode",
	},
	"staff": {
		"staff_name":   staffNames + ", name, full name, display name, mitarbeiter, medewerker, employé",
		"staff_email":  "staff email, email, email address, e mail, primary email, user principal name, upn",
		"staff_id":     "staff id, employee id, member id, resource id, user id, agent id, employee number, id",
		"role":         "role, job title, title, position, work role, default work role",
		"team":         "team, department, default department, group",
		"hired_on":     "hired on, hire date, date hired, hired, start date, joined, start, eintrittsdatum, date of hire",
		"left_on":      "left on, termination date, date left, inactive date, end date, left, end",
		"cost_rate":    "cost rate, hourly cost, internal cost, burden rate, cost per hour, burdened rate, loaded cost, labor cost, cost price, cost",
		"bill_rate":    "bill rate, billing rate, hourly rate, charge rate, billable rate, rate",
		"weekly_hours": "weekly hours, hours per week, contract hours, capacity, weekly capacity",
	},
	"time_entries": {
		"cost_amount":     "cost amount, labor cost, extended cost, ext cost",
		"billed_amount":   "billable amount, billed amount, amount, inv amt, invoice amount, wip amt, extended amount, amt",
		"time_entry_id":   "time entry id, time rec id, time id, log id, entry id, time log id, time entry number, id",
		"work_date":       "work date, date worked, date, action date, entry date, spent date, log date, start date, date start, started on, time start, started at, started, start, worked date, worked on, activity date, time entry date, timesheet date, day, datum, jour, actionarrivaldate, actiondatecreated",
		"hours_worked":    "hours worked, actual hours, actual hrs, worked hours, duration decimal, hours, hrs, wip hrs, duration h, duration hours, duration, time spent, time taken, total hours, qty hrs, time, minutes, duration min, duration minutes, seconds, time tracked, hours actual, tracked time, timetaken, stunden, dauer, arbeitszeit, heures, durée, temps passé, uren, aantal uren, duur",
		"hours_billed":    "hours billed, billed hours, inv hours, inv hrs, invoice hours, hours to bill, billable hours, billable hrs, charge hours, hours bill, rounded hours, hours rounded, actionchargehours, billed time, abgerechnete stunden",
		"billable":        "billable, is billable, billable option, bill, bill type, chargeable, ! non billable, ! nonbillable, ! is non billable, abrechenbar, facturable, declarabel, factureerbaar, actisbillable, is time off billable, charge type",
		"bill_rate":       "bill rate, billing rate, hourly rate, billable rate, charge rate, overage rate, rate, rates, stundensatz, taux horaire, uurtarief, chargerate",
		"cost_rate":       "cost rate, internal cost, hourly cost, burden rate, cost per hour",
		"work_type":       "work type, task type, activity, activity type, billing code, task, type, activity name, billing code name, charge code, service, tätigkeit, leistungsart",
		"notes":           "notes, note, task description, description, comment, comments, details, summary, internal notes, title, work description, summary notes, memo description, beschreibung, bemerkung, commentaire, omschrijving",
		"cost_multiplier": "cost multiplier, multiplier, overtime factor",
		"entered_at":      "entered at, date entered, entered on, entry created",
	},
	"tickets": {
		"respond_by":       "respond by, respond by date, first response due, first response due date time, response due, response due by, first response due by, respondbydate",
		"resolve_by":       "resolve by, fix by date, resolution due, resolution due by, resolution due date, resolved due date time, resolution due date time, fixbydate",
		"reopen_count":     "reopen count, reopened count, times reopened, number of reopens, reopens",
		"resolution_hours": "resolution time in hrs, resolution time in hours, resolution hours, hours to resolution, time to resolution, resolution time",
		"ticket_number":    "ticket number, ticket, ticket id, ticket no, issue key, service id, sr, sr number, case number, case, case id, number, id, ticketnumber, ticket nummer, numéro de ticket, key",
		"client_name":      clientNames + ", requester company, ? requester name, ? project name",
		"staff_name":       staffNames + ", resources, ticket owner",
		"title":            "+ subject, + ticket subject, + ticket title, + short description, summary description, betreff, sujet, onderwerp, title, summary, subject, ticket summary, short description",
		"ticket_type":      "ticket type, issue type, type, category, request type, ticket type name, tickettype name",
		"priority":         "priority, severity, urgency, impact, priority name, ticket priority, priorität",
		"source":           "source, channel, origin, via, ticket channel, contact type, ticket source",
		"status":           "status, ticket status, sr status, state, status name, ticket state",
		"created_at":       "created at, date entered, created time, created on, create date, created date, opened at, opened, date opened, created, date created, date, open date, create date time, created date time, ticket created date, date occurred, date logged, entered, date opened time, erstellt, erstellt am, créé le, aangemaakt, aangemaakt op",
		"created_on":       "",
		"responded_at":     "responded at, first response at, date responded, first response time, first response, responded, initial response time, first response date time, responsedate, first responded at",
		"resolved_at":      "resolved at, date resolved, resolved time, resolution date, resolved, solved at, ticket solved date, resolved date time, resolved date, resolved on, date solved, gelöst am, résolu le, opgelost op",
		"closed_at":        "closed at, date closed, closed time, closed date, completed date, closed, complete date, closed on, completed date time, completed on, closed date time, geschlossen am",
		"sla_met":          "sla met, is in sla, within sla, sla, sla has been met",
		"queue":            "queue, board, service board, queue name, team, group, assignment group, service board, ticket group, department, team name",
	},
	"projects": {
		"project_id":       "project id, project number, id",
		"project_name":     "project name, project, name",
		"status":           "status, project status, state",
		"billing_method":   "billing method, billing type, method",
		"budget_hours":     "budget hours, estimated hours, budgeted hours, estimated time, hours budget",
		"budget_amount":    "budget amount, budget, budget money, estimated revenue, budgeted amount",
		"start_date":       "start date, estimated start, start, actual start",
		"end_date":         "end date, estimated end, due date, end, deadline",
		"percent_complete": "percent complete, completed percentage, complete, progress, % complete",
	},
	"licenses": {
		"license_id":       "license id, licence id, subscription id, id",
		"product_name":     "product name, product, license name, licence name, license, licence, licenses, subscription name, subscription, offer name, software, sku part number, product title, service, sku name, offer, product description",
		"sku":              "sku, sku id, sku part number, product sku",
		"license_type":     "license type, licence type, type",
		"term":             "term, term duration, commitment term, commitment",
		"seats_purchased":  "seats purchased, purchased, purchased seats, total seats, seats, total licenses, total licences, licenses purchased, total units, quantity, qty, enabled, count, units, prepaid units enabled, licenses qty, license quantity, anzahl lizenzen, owned",
		"seats_used":       "seats used, used seats, used, assigned, assigned seats, consumed units, consumed, in use, licenses assigned, assigned licenses, licences in use, users, active users licensed, quantity used, qty assigned",
		"seats_inactive":   "seats inactive, inactive seats, inactive users, unused",
		"unit_cost":        "unit cost, cost per seat, cost per license, cost per licence, seat cost, partner cost, purchase price, monthly cost, cost",
		"unit_price":       "unit price, price per seat, seat price, list price, retail price, price",
		"start_date":       "start date, purchase date, effective date, start",
		"renewal_date":     "renewal date, end date, expiry date, expiration date, expiry, expires on, term end, commitment end date, renews on, renewal, expired date, next renewal date, commitment term end date",
		"auto_renew":       "auto renew, autorenew, auto renewal, renews automatically",
		"status":           "status, license status, licence status, subscription status, state",
		"is_active":        "is active, active",
		"total_cost":       "total cost, annual cost, cost total, total",
		"is_free_or_trial": "is free or trial, is trial, trial, free",
	},
	"license_assignments": {
		"user_created_on":  "user created on, when created, created date time, created, user created date",
		"license_id":       "license id, licence id, subscription id",
		"product_name":     "product name, product, license, licence, licenses, sku part number, assigned products, product type, subscription",
		"user_email":       "user email, user principal name, upn, email, email address, user, user principle name, userprincipalname, benutzerprinzipalname, user id",
		"user_name":        "user name, display name, name, full name",
		"assigned_on":      "assigned on, assigned date, date assigned, assignment date, license assigned date",
		"last_activity_on": "last activity on, last activity date, last activity, last activated date, last sign in, last login, last used",
		"user_enabled":     "user enabled, account enabled, enabled, ! block credential, ! is deleted, ! blocked, sign in enabled, accountenabled, ! sign in blocked",
	},
	"assets": {
		"asset_id":      "asset id, device id, configuration id, id",
		"name":          "name, device name, device, hostname, host name, computer name, computer, asset name, configuration name, device hostname, system name",
		"asset_type":    "asset type, device type, type, configuration type, category",
		"managed":       "managed, is managed, under management, managed flag",
		"first_seen":    "first seen, created on, date created, install date, created",
		"last_seen":     "last seen, last check in, last checkin, last contact, last online, last seen online, last response time",
		"warranty_end":  "warranty end, warranty expiry, warranty expiration, warranty expiration date, warranty date, warranty exp, warranty exp date",
		"os":            "os, operating system, os name, platform",
		"serial_number": "serial number, serial, service tag",
	},
	"expenses": {
		"description":  "line description, memo description, notes, memo, details",
		"expense_id":   "expense id, bill id, bill no, bill number, id, num, reference",
		"expense_date": "expense date, bill date, date, txn date, transaction date, posted date, datum, activity date, start period",
		"category":     "category, expense category, account, type, class",
		"client_name":  "client name, client, company name, company, customer name, customer, customer ref, organization, organisation, account name, billable to",
		"net_amount":   "net amount, net, subtotal, amount excl tax, amount, total, total amount, cost, cost total, line amount, montant ht, nettobetrag",
		"tax_amount":   "tax amount, tax, sales tax, vat, gst",
		"billable":     "billable, is billable, rebillable, billed on",
	},
	"surveys": {
		"survey_id":    "survey id, response id, id",
		"kind":         "kind, survey type, type, survey kind",
		"score":        "score, rating, survey score, csat score, nps score",
		"scale":        "scale, max score, out of",
		"responded_on": "responded on, response date, date, responded at, submitted on, submitted at, created",
		"comment":      "comment, comments, feedback, remarks",
	},
	"contacts": {
		"contact_id":    "contact id, id",
		"client_name":   "client name, client, company name, company, customer name, customer, organization name, organization, organisation, account name, tenant name, tenant, account",
		"contact_name":  "contact name, contact, name, full name, display name",
		"contact_email": "contact email, email, email address, e mail, user principal name, upn, primary email",
		"is_vip":        "is vip, vip",
	},
	"time_off": {
		"date":  "date, day, day off, leave date",
		"hours": "hours, hours off, duration, leave hours",
		"kind":  "kind, type, leave type, reason, absence type",
	},
	"holidays": {
		"date":    "date, day, holiday date",
		"name":    "name, holiday, holiday name, description",
		"country": "country, region, calendar",
	},
	"exchange_rates": {
		"date":          "date, rate date, day",
		"from_currency": "from currency, from, base currency, base, source currency",
		"to_currency":   "to currency, to, quote currency, quote, target currency",
		"rate":          "rate, exchange rate, fx rate",
		"rate_source":   "rate source, source",
	},
	"ledger": {
		"period_start":  "period start, period, month, date",
		"account":       "account, account name, account number, gl account",
		"account_class": "account class, class, account type, type",
		"amount":        "amount, balance, total, net amount",
	},
	"payroll": {
		"period_start": "period start, pay period start, period, month, date",
		"period_end":   "period end, pay period end",
		"gross_amount": "gross amount, gross pay, gross, amount, total",
		"paid_hours":   "paid hours, hours paid, hours",
	},
	"opportunities": {
		"opportunity_id":   "opportunity id, id",
		"name":             "name, opportunity, opportunity name, deal, deal name",
		"stage":            "stage, sales stage, pipeline stage",
		"probability":      "probability, win probability, chance",
		"recurring_amount": "recurring amount, monthly revenue, mrr, recurring revenue",
		"one_time_amount":  "one time amount, onetime revenue, one time revenue, amount, value",
		"expected_close":   "expected close, expected close date, close date, projected close date",
		"loss_reason":      "loss reason, lost reason, reason lost",
		"opened_on":        "opened on, created on, created date, date created, create date, created, opened",
		"closed_on":        "closed on, closed date, date closed, actual close date, won date",
	},
	"acquisition_costs": {
		"period_start": "period start, period, month, date",
		"amount":       "amount, cost, spend, total",
		"channel":      "channel, source, campaign",
		"new_clients":  "new clients, clients won, new customers",
	},
}

// nameHints are word beginnings in a file's name that speak for a dataset when headers
// alone leave it open.
var nameHints = map[string][]string{
	"clients": {"client", "customer", "compan", "organi"}, "agreements": {"agreement", "contract"}, "agreement_additions": {"addition"},
	"invoices": {"invoice", "sales", "billing", "retail"}, "payments": {"payment", "receipt"}, "staff": {"staff", "employee", "technician", "resource", "member", "agent"},
	"time_entries": {"time", "log", "hour"}, "tickets": {"ticket", "case", "issue", "incident"}, "projects": {"project"},
	"licenses": {"licen", "subscription", "seat"}, "license_assignments": {"assignment", "user", "activit"}, "assets": {"asset", "device", "computer", "endpoint"},
	"expenses": {"expense", "bill", "vendor", "purchase"}, "surveys": {"survey", "csat", "nps"}, "contacts": {"contact"},
	"time_off": {"off", "leave", "absence", "vacation"}, "holidays": {"holiday"}, "exchange_rates": {"exchange", "fx", "rate"},
	"ledger": {"ledger", "gl", "account"}, "payroll": {"payroll", "pay"}, "opportunities": {"opportunit", "pipeline", "deal"}, "acquisition_costs": {"acquisition", "marketing"},
}
