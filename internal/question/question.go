// Package question answers the standing questions of a provider's people: which clients lose
// money after labor, what to reprice, what was delivered and not billed, who is over capacity.
//
// It owns the list of questions, and the shape of an answer: a sentence, how sure it is, the
// rows behind it, what data would make it fuller, what to do next. It computes no figure of
// its own: those come from metric, insight and scenario.
//
// Reading order: this file is the list and how one of it is asked; answer.go is what an
// answer is made of; the other files hold the answers, a topic each.
package question

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/scenario"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Question is one of the standing questions.
type Question struct {
	// Number is its number in docs/questions.md, Name the short one: a question is asked by either.
	Number int    `json:"number"`
	Name   string `json:"name"`
	Asks   string `json:"asks"` // who: owner, finance, service manager, …
	Text   string `json:"text"`
	Place  string `json:"place"` // page of the web app where the answer is worked on
	// OfClient says that it is about one client, who must be named.
	OfClient bool   `json:"of_client,omitempty"`
	Needs    []Need `json:"needs"`

	answer func(context.Context, *asked) error
}

// Need is a dataset that a question is answered from.
type Need struct {
	Dataset string `json:"dataset"`
	For     string `json:"for"` // what it adds to the answer
	// Must says that nothing can be said without it.
	Must bool `json:"must"`
}

// questions are all there are, by number.
var questions = []Question{
	{
		Number: 1, Name: "losing-clients", Asks: "owner", Text: "Which clients lose money after labor, and how sure are we?", Place: "/clients",
		Needs: []Need{
			{"invoices", "what each client pays", true},
			{"time_entries", "the labor that each client takes", true},
			{"staff", "what an hour of labor costs", false},
			{"expenses", "what vendors charge for each client", false},
		},
		answer: losingClients,
	},
	{
		Number: 2, Name: "reprice", Asks: "owner", Text: "Which agreements need repricing, to what price, from when?", Place: "/agreements?tab=reprice",
		Needs: []Need{
			{"agreements", "the fee, the term and the notice", true},
			{"time_entries", "the work that each agreement takes", true},
			{"staff", "what an hour of labor costs", false},
			{"agreement_additions", "the products on the fee, and what they cost", false},
			{"tickets", "whether more tickets or longer ones take the work", false},
			{"assets", "whether more devices take the work", false},
		},
		answer: reprice,
	},
	{
		Number: 3, Name: "margin-change", Asks: "owner", Text: "Why did the margin change last month?", Place: "/trends",
		Needs: []Need{
			{"invoices", "what was charged: price, volume, mix and credits", true},
			{"time_entries", "the hours and who worked them", true},
			{"staff", "what an hour of labor costs", false},
			{"expenses", "what vendors charge", false},
		},
		answer: marginChange,
	},
	{
		Number: 4, Name: "ledger-ties", Asks: "finance", Text: "Does this tie to the books?", Place: "/books",
		Needs: []Need{
			{"invoices", "the revenue here", true},
			{"ledger", "the income in the books", false},
			{"payroll", "the pay that labor cost is compared with", false},
			{"time_entries", "the labor here", false},
		},
		answer: ledgerTies,
	},
	{
		Number: 5, Name: "unbilled", Asks: "finance", Text: "What did we deliver and not bill: hours, seats, devices?", Place: "/explore",
		Needs: []Need{
			{"time_entries", "hours, and what was billed for them", false},
			{"licenses", "seats that the vendor counts", false},
			{"agreement_additions", "seats that agreements bill", false},
			{"assets", "devices that are managed", false},
			{"agreements", "which clients pay a recurring fee", false},
		},
		answer: unbilled,
	},
	{
		Number: 6, Name: "late-payers", Asks: "finance", Text: "Who pays late, and what cash lands in the next 8 weeks?", Place: "/cash",
		Needs: []Need{
			{"invoices", "what is owed, and when it is due", true},
			{"payments", "what was paid, and when", false},
		},
		answer: latePayers,
	},
	{
		Number: 7, Name: "reclaim", Asks: "finance", Text: "Which unused licenses can we drop, by what date, and whose money is it?", Place: "/licenses?tab=reclaim",
		Needs: []Need{
			{"licenses", "seats, their cost, term and renewal", true},
			{"license_assignments", "who holds a seat and whether it is used", false},
			{"agreement_additions", "whether the client pays for them", false},
		},
		answer: reclaim,
	},
	{
		Number: 8, Name: "true-up", Asks: "finance", Text: "Where are more seats in use than we bought, and what may that cost?", Place: "/licenses",
		Needs: []Need{
			{"licenses", "seats bought, their cost, term and renewal", true},
			{"license_assignments", "seats in use", false},
		},
		answer: trueUp,
	},
	{
		Number: 9, Name: "over-capacity", Asks: "service manager", Text: "Who is over capacity next month, by role? Hire, shift or stop?", Place: "/team",
		Needs: []Need{
			{"time_entries", "the hours that are asked for", true},
			{"staff", "roles, contract hours and what an hour costs", false},
			{"time_off", "who is away", false},
			{"holidays", "which days nobody works", false},
		},
		answer: overCapacity,
	},
	{
		Number: 10, Name: "missing-time", Asks: "service manager", Text: "Who has not entered time, and what does that do to the numbers?", Place: "/team",
		Needs: []Need{
			{"time_entries", "the time that was entered", true},
			{"staff", "contract hours, and what an hour costs", false},
			{"time_off", "who was away instead of not entering time", false},
			{"holidays", "which days nobody works", false},
			{"invoices", "what missing time does to margins", false},
		},
		answer: missingTime,
	},
	{
		Number: 11, Name: "noise", Asks: "service manager", Text: "Which clients, assets or ticket types make the noise?", Place: "/service",
		Needs: []Need{
			{"tickets", "what broke, and for whom", true},
			{"time_entries", "the hours on tickets, and what they cost", false},
			{"assets", "the endpoints that make one client larger than another", false},
		},
		answer: noise,
	},
	{
		Number: 12, Name: "sla", Asks: "service manager", Text: "Are we meeting the SLA, and where will we miss this week?", Place: "/service",
		Needs: []Need{
			{"tickets", "when tickets were due, answered and solved", true},
		},
		answer: serviceLevels,
	},
	{
		Number: 15, Name: "what-if", Asks: "owner", Text: "What if we raise prices, lose our largest client, hire, or drop a tool?", Place: "/scenarios",
		Needs: []Need{
			{"invoices", "revenue by client", true},
			{"time_entries", "hours and labor cost", false},
			{"staff", "what an hour costs, and the capacity", false},
			{"expenses", "what vendors are paid", false},
			{"agreements", "which agreements earn least", false},
		},
		answer: whatIf,
	},
	{
		Number: 16, Name: "concentration", Asks: "owner", Text: "How dependent are we on few clients, and how would a buyer see us?", Place: "/clients",
		Needs: []Need{
			{"invoices", "revenue by client", true},
			{"agreements", "recurring revenue kept and lost", false},
			{"ledger", "EBITDA", false},
		},
		answer: concentration,
	},
	{
		Number: 17, Name: "segments", Asks: "owner", Text: "Which services, sizes of client and industries make money?", Place: "/explore",
		Needs: []Need{
			{"invoices", "revenue by client and category", true},
			{"clients", "the industry of each client", false},
			{"time_entries", "the labor of each client", false},
			{"staff", "what an hour of labor costs", false},
			{"expenses", "what vendors charge", false},
		},
		answer: segments,
	},
	{
		Number: 18, Name: "project-overruns", Asks: "project manager", Text: "Which fixed-fee projects will overrun?", Place: "/risk?tab=projects",
		Needs: []Need{
			{"projects", "budget, progress and planned end", true},
			{"time_entries", "the hours worked on them", true},
			{"staff", "what an hour of labor costs", false},
			{"invoices", "what they brought", false},
		},
		answer: projectOverruns,
	},
	{
		Number: 22, Name: "service-received", Asks: "client", Text: "What did the client get for its fee?", Place: "/clients", OfClient: true,
		Needs: []Need{
			{"tickets", "what was asked for, and how fast it was done", false},
			{"time_entries", "the hours of service", false},
			{"surveys", "how content people were", false},
			{"assets", "the devices that are looked after", false},
			{"licenses", "the licenses in use", false},
		},
		answer: serviceReceived,
	},
	{
		Number: 23, Name: "final", Asks: "everyone", Text: "Are the figures of this period final?", Place: "/quality",
		answer: final,
	},
}

// Service answers questions. It is safe for concurrent use.
type Service struct {
	metrics   *metric.Catalog
	insights  *insight.Service
	scenarios *scenario.Service
	data      *dataset.Service
	warehouse *warehouse.Warehouse
	now       func() time.Time
}

// New returns a Service over the analyses and what they are made from; a nil now is time.Now.
func New(m *metric.Catalog, i *insight.Service, s *scenario.Service, d *dataset.Service, w *warehouse.Warehouse, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{metrics: m, insights: i, scenarios: s, data: d, warehouse: w, now: now}
}

// List returns the questions, by number.
func (s *Service) List() []Question { return slices.Clone(questions) }

// Find returns a question by its name or number; an unknown one is an Invalid fault that lists
// what there is.
func Find(name string) (Question, error) {
	i := slices.IndexFunc(questions, func(q Question) bool { return q.Name == name || strconv.Itoa(q.Number) == name })
	if i < 0 {
		var names []string
		for _, q := range questions {
			names = append(names, q.Name)
		}
		return Question{}, fault.WithFields(fmt.Sprintf("there is no question %q", name), fault.Field{Path: "question", Message: "must be the name or the number of a question", Allowed: names})
	}
	return questions[i], nil
}

// Request asks one question.
type Request struct {
	// Question is its name or number.
	Question string
	// Period is made of whole months; open is the last twelve complete months.
	Period quantity.Period
	// Client narrows the answer to a client; a question of a client needs it.
	Client string
	// Top is the most rows of a table; 0 means all.
	Top int
}

// Answer answers a question. What the data does not hold is in the answer, as Missing; data
// that nothing can be said without makes an answer without tables, not an error.
//
// Errors: NotFound for an unknown question; Invalid when a client is missing or unknown, and
// for a period without a whole month; and those of the analyses behind it.
func (s *Service) Answer(ctx context.Context, scope tenant.Scope, req Request) (*Answer, error) {
	q, err := Find(req.Question)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	a := &asked{Service: s, scope: scope, req: req, Answer: Answer{Question: q, Client: req.Client, Reasons: []string{}, Tables: []Table{}, Missing: []Need{}, Next: []string{}, Versions: map[string]int{}}}
	ready, err := a.prepare(ctx)
	if err == nil && ready {
		err = a.answer(ctx, a)
	}
	if err != nil {
		return nil, fmt.Errorf("question %s: %w", q.Name, err)
	}
	a.cut()
	a.ElapsedMS = time.Since(start).Milliseconds()
	return &a.Answer, nil
}

// prepare fills what all answers have; ready is false when nothing can be answered, and the
// answer says why.
func (a *asked) prepare(ctx context.Context) (ready bool, err error) {
	if a.Snapshot, err = a.warehouse.Current(ctx, a.scope); err != nil {
		return false, err
	}
	tables, err := a.warehouse.Tables(ctx, a.scope, a.Snapshot)
	if err != nil {
		return false, err
	}
	a.rows = map[string]int64{}
	for _, t := range tables {
		a.rows[t.Name] = t.Rows
	}
	var must []string
	for _, n := range a.Needs {
		if a.rows[n.Dataset] == 0 {
			a.Missing = append(a.Missing, n)
			if n.Must {
				must = append(must, n.Dataset)
			}
		}
	}
	if len(must) > 0 {
		a.Headline = fmt.Sprintf("This cannot be answered yet: import %s.", strings.Join(must, " and "))
		a.Grade = "no_answer"
		return false, nil
	}
	if a.complete, err = a.insights.Complete(ctx, a.scope); err != nil {
		return false, err
	}
	a.Period = a.req.Period
	if !a.Period.Bounded() {
		if !a.complete.Bounded() {
			a.Headline, a.Grade = "This cannot be answered yet: there is no complete month of data.", "no_answer"
			return false, nil
		}
		a.Period = lastYear(a.Period, a.complete)
	}
	if a.OfClient && a.req.Client == "" {
		return false, fault.WithFields("this question is about one client", fault.Field{Path: "client", Message: "name the client"})
	}
	return true, nil
}

// lastYear fills an open period from the complete months: the last twelve of them, or fewer.
func lastYear(p, complete quantity.Period) quantity.Period {
	if p.To.IsZero() {
		p.To = complete.To
	}
	if p.From.IsZero() {
		p.From = p.To.AddMonths(-12)
		if p.From.Before(complete.From) {
			p.From = complete.From
		}
	}
	return p
}
