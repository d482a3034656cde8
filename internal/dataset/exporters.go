package dataset

import (
	"strings"
	"sync"
)

// exporters are the headers that programs document for their exports. They only say where
// a header is known from; what it means is in the aliases.
var exporters = []struct{ name, headers string }{
	{"Toggl Track", "User, Member, Email, Client, Project, Task, Description, Billable, Start date, Start time, End date, End time, Stop date, Stop time, Duration, Tags, Amount"},
	{"Clockify", "Project, Client, Description, Task, User, Group, Email, Tags, Billable, Start Date, Start Time, End Date, End Time, Duration (h), Duration (decimal), Billable Rate, Billable Amount, Cost Rate, Cost Amount"},
	{"Harvest", "Date, Client, Project, Project Code, Task, Notes, Hours, Hours Rounded, Billable?, Invoiced?, Approved?, First Name, Last Name, Employee Id, Roles, Employee?, Billable Rate, Billable Amount, Cost Rate, Cost Amount, Currency, External Reference URL"},
	{"FreshBooks", "Client Name, Invoice #, Date Issued, Invoice Status, Date Paid, Item Name, Item Description, Rate, Quantity, Discount Percentage, Line Subtotal, Tax 1 Type, Tax 1 Amount, Line Total, Currency, Team Member, Service, Hours"},
	{"Xero", "ContactName, EmailAddress, POAddressLine1, POCity, PORegion, POPostalCode, POCountry, InvoiceNumber, Reference, InvoiceDate, DueDate, Total, TaxTotal, InvoiceAmountPaid, InvoiceAmountDue, InventoryItemCode, Description, Quantity, UnitAmount, Discount, LineAmount, AccountCode, TaxType, TaxAmount, TrackingName1, TrackingOption1, TrackingName2, TrackingOption2, Currency, Type, Sent, Status, BrandingTheme"},
	{"QuickBooks", "InvoiceNo, Customer, InvoiceDate, DueDate, Terms, Location, Memo, Item(Product/Service), ItemDescription, ItemQuantity, ItemRate, ItemAmount, Taxable, TaxRate, TaxAmount, Service Date, Currency, Date, Transaction type, Num, Name, Memo/Description, Due date, Amount, Open balance, Product/Service, Qty, Sales Price, Balance, Activity Date, Employee, Rates, Bill No, Supplier, Vendor, Bill Date, Line Amount"},
	{"Microsoft 365", "User principal name, Display name, First name, Last name, Block credential, Licenses, When created, Report Refresh Date, Is Deleted, Deleted Date, Last Activity Date, Send Count, Receive Count, Read Count, Assigned Products, Report Period, Product Type, Last Activated Date, Windows, Mac, Windows 10 Mobile, iOS, Android, Activated On Shared Computer, skuPartNumber, consumedUnits, prepaidUnits.enabled, Product title, Total licenses, Assigned licenses, Expired licenses"},
	{"Jira", "Summary, Issue key, Issue id, Issue Type, Status, Project key, Project name, Project type, Project lead, Priority, Resolution, Assignee, Reporter, Creator, Created, Updated, Last Viewed, Resolved, Due date"},
	{"Tempo", "Issue Key, Issue summary, Hours, Work date, Username, Full name, Period, Account Key, Account Name, Account Lead, Activity Name, Component, Project Key, Project Name, Work Description, Billed Hours"},
	{"Stripe", "id, Description, Seller Message, Created (UTC), Created date (UTC), Amount, Amount Refunded, Currency, Converted Amount, Converted Amount Refunded, Fee, Tax, Converted Currency, Mode, Status, Statement Descriptor, Customer ID, Customer Description, Customer Email, Captured, Card ID, Invoice ID, Number, Date (UTC), Due Date (UTC), Amount Due, Amount Paid, Customer Name, Subtotal, Total"},
	{"Freshdesk", "Ticket Id, Subject, Description, Status, Priority, Source, Type, Customer, Requester, Requester Name, Agent, Group, Created Time, Due by Time, Resolved Time, Closed Time, Last update time, Initial response time, Time tracked, First Response Time (in Hrs), Resolution Time (in Hrs), Agent interactions, Customer interactions, Resolution status, First response status, Tags, Survey results, Full name, Title, Email, Company Name"},
	{"Zendesk", "Id, Requester, Requester id, Requester email, Requester domain, Submitter, Assignee, Group, Subject, Tags, Status, Priority, Via, Created at, Updated at, Assigned at, Organization, Due date, Initially assigned at, Solved at, Resolution time, Satisfaction Score, Ticket ID, Ticket subject, Ticket status, Ticket priority, Ticket group, Ticket channel, Ticket organization name, Assignee name, Ticket created - Date, Ticket solved - Date"},
	{"ServiceNow", "number, short_description, company, assigned_to, assignment_group, priority, state, contact_type, opened_at, resolved_at, closed_at, category, sys_created_on"},
	{"ConnectWise", "Time RecID, Company, Company Name, Company RecID, Company Identifier, Member, Member Name, Date, Date Start, Date End, Actual Hours, Actual Hrs, Billable Option, Bill, Hours to Bill, Inv Hours, Inv Hrs, Inv Amt, Hourly Rate, Work Type, Work Role, Agreement, Agreement Name, Agreement Type, Ticket #, Charge Code, Notes, Internal Notes, Summary Description, Board, Service Board, Date Entered, Entered, Closed Date, Resources, SR Status, SLA Status, Date Posted, Product ID, Quantity, Less Included, Ext Price, Ext Cost, Addition, Effective Date, Cancelled Date, Bill Amount, Billing Cycle, Territory Manager, Market"},
	{"Autotask", "Account, Account Name, Organization, Organization Name, Resource Name, Worked Date, Date Worked, Hours Worked, Hours to Bill, Billing Code Name, Ticket Number, Ticket Title, Contract Name, Contract Type, Contract Category, Summary Notes, Internal Notes, Non-Billable, Primary Resource, Queue, Create Date, Complete Date, Completed Date, First Response Date/Time, Resolved Date/Time, Due Date/Time, Issue Type, Sub-Issue Type, Posted Date, Item Date, Extended Price, Our Cost, Tax Dollars, Total Amount, Item Name, Market Segment"},
	{"HaloPSA", "client_name, client_id, site_name, summary, dateoccurred, dateclosed, responsedate, tickettype_name, status_name, priority_name, agent_name, team, slastate, timetaken, actionchargehours, actisbillable, chargerate, who, ticket_id, note, invoicenumber, thirdpartyinvoicenumber, invoice_date, duedate, total, tax_total, amountdue, amountpaid, unit_price, qty_order, net_amount, licences_in_use, purchase_price, vendor_product_sku"},
	{"Kaseya BMS", "Account, Account Name, Ticket Number, Title, Assignee, Work Type, Start Time, End Time, Time Spent, Billable Hours, Notes, Queue, Open Date, Completed Date, Due Date, Issue Type, Sub Issue Type, Priority, Source, SLA, Contract, Timesheet Date"},
	{"Syncro", "Ticket #, Ticket Number, Subject, Status, Customer, Business Name, Created, Issue Type, Priority, Assigned Tech, Last Updated, Tech, Duration, Billable, Number, Date, Due Date, Subtotal, Tax, Total, Paid"},
	{"Pax8", "Company, Company Name, Product, Product Name, SKU, Vendor, Vendor Name, Quantity, Price, Cost, Cost Total, Subtotal, Billing Term, Term, Charge Type, Start Period, End Period, Start Date, Commitment End Date, Currency, Status"},
	{"Datto RMM", "Device Hostname, Site Name, Device Type, Last Seen, Operating System, Serial Number, Warranty Exp, Description, Last User"},
}

var exporterHeaders = sync.OnceValue(func() []map[string]bool {
	all := make([]map[string]bool, len(exporters))
	for i, e := range exporters {
		all[i] = map[string]bool{}
		for _, h := range strings.Split(e.headers, ",") {
			all[i][normalizeHeader(h).full] = true
			all[i][normalizeHeader(h).short] = true
		}
	}
	return all
})

// telling is the least that a program's headers must tell it apart by: a header that only
// it documents tells 1, one that five programs share a fifth.
const telling = 2

// exporterOf names the program whose documented headers most of a file's are, and which of
// the columns those are; "" when less than three fifths are, or when others have them too.
func exporterOf(headers []string) (name string, known map[int]bool) {
	programs := exporterHeaders()
	best := 0
	for i, list := range programs {
		hits := map[int]bool{}
		filled, told := 0, 0.0
		for c, cell := range headers {
			h := normalizeHeader(cell)
			if h.full == "" {
				continue
			}
			filled++
			if !list[h.full] && (h.short == "" || !list[h.short]) {
				continue
			}
			hits[c] = true
			sharers := 0
			for _, other := range programs {
				if other[h.full] || h.short != "" && other[h.short] {
					sharers++
				}
			}
			told += 1 / float64(sharers)
		}
		if len(hits) > best && told >= telling && 5*len(hits) >= 3*filled {
			best, name, known = len(hits), exporters[i].name, hits
		}
	}
	return name, known
}
