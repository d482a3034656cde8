// Package sample generates data sets as CSV files, to be imported like anybody's own.
//
// MSP is a believable managed service provider with a few planted truths: facts that an
// analysis of the files should find, written down beside them. Workload is a plain load for
// measurements. Both are pure functions of their options: the same options give the same
// bytes, on every machine and on every day. The package does not import anything itself and
// does not know how the program reads its files.
package sample

import (
	"fmt"
	"os"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// MSPOptions tunes MSP. A zero field means its default.
type MSPOptions struct {
	Clients int    // 8 to 1,000, the firm itself not counted; zero means 40
	Months  int    // whole months of data, 6 to 60; zero means 24
	Seed    uint64 // zero means 1
	// AsOf is the day the files were exported. Data ends with the last whole month that is
	// over on that day. Zero means 2026-06-30.
	AsOf quantity.Day
}

func (o MSPOptions) withDefaults() (MSPOptions, error) {
	if o.Clients == 0 {
		o.Clients = 40
	}
	if o.Months == 0 {
		o.Months = 24
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.AsOf.IsZero() {
		o.AsOf = quantity.NewDay(2026, 6, 30)
	}
	var wrong []fault.Field
	check := func(path string, value, least, most int) {
		if value < least || value > most {
			wrong = append(wrong, fault.Field{Path: path, Message: fmt.Sprintf("%d is outside %d to %d", value, least, most)})
		}
	}
	check("clients", o.Clients, 8, 1000)
	check("months", o.Months, 6, 60)
	check("as_of", o.AsOf.Time().Year(), 2000, 2100)
	if wrong != nil {
		return o, fault.WithFields("the sample cannot be generated with these settings", wrong...)
	}
	return o, nil
}

// firm is the provider under construction: first plans, then work, then money.
type firm struct {
	MSPOptions
	cal        calendar
	people     []*person
	clients    []*client
	projects   []*project
	tight      *project // whose budget is planted to be too small, nil when there is none
	agreements []*agreement
	licenses   []*license
	entries    []entry
	tickets    []ticket
	surveys    []survey
	assets     []asset
	invoices   []*invoice
	expenses   []expense
	books      books
}

// MSP writes the files of a managed service provider into dir, and truth.json with what is
// planted in them, which it also returns: clients.csv, agreements.csv,
// agreement_additions.csv, invoices.csv (one row a line), payments.csv, staff.csv,
// time_entries.csv, tickets.csv, licenses.csv, license_assignments.csv, assets.csv,
// expenses.csv, time_off.csv, holidays.csv, surveys.csv, projects.csv, ledger.csv,
// payroll.csv, opportunities.csv and acquisition_costs.csv.
//
// The provider has about three technicians for ten clients. Its own time and overhead are
// booked to the client "Northwind Managed IT (internal)". Vendors' bills for licenses are
// expenses of the category cogs_product; see Profit for what counts as profit. The ledger
// books what is invoiced, billed and paid, and some revenue a month early.
//
// Errors: Invalid for options out of bounds, Unavailable when a file cannot be written,
// Internal when the planted truths do not hold in the generated data (then nothing is
// written).
func MSP(dir string, opt MSPOptions) (Truth, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return Truth{}, err
	}
	f := build(opt)
	truth, err := f.truth()
	if err != nil {
		return Truth{}, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Truth{}, fault.Wrapf(fault.Unavailable, err, "the folder for the sample could not be created")
	}
	if err := f.write(dir); err != nil {
		return Truth{}, err
	}
	return truth, truth.write(dir)
}

// build makes the firm: who there is, what is worked, what it costs.
func build(opt MSPOptions) *firm {
	f := &firm{MSPOptions: opt, cal: newCalendar(opt.AsOf, opt.Months), books: newBooks()}
	f.hire()
	f.planTimeOff()
	f.planClients()
	f.planProjects()
	f.weigh()
	f.subscribe()
	f.work()
	f.sign()
	f.answerTickets()
	f.keepAssets()
	f.bill()
	f.planBudgets()
	f.keepBooks()
	return f
}
