package metric

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// classes are the classes of work that a ticket can be in (domain.md 1.1); unclassified
// stands for none of them.
var classes = []string{"reactive", "proactive", "request", "project", "alert", "internal"}

// workFields are the columns of tickets that say the class, the first that does wins.
var workFields = []string{"ticket_type", "queue", "source", "priority"}

// WorkClassRule puts the tickets with a value in a field into a class of work.
type WorkClassRule struct {
	Field string `json:"field" enum:"ticket_type,queue,source,priority"`
	Value string `json:"value" minLength:"1" maxLength:"200" doc:"compared without regard to case"`
	Class string `json:"class" enum:"reactive,proactive,request,project,alert,internal"`
}

// WorkClasses is a tenant's mapping of tickets to classes of work. What no rule names goes by
// words such as incident, request or alert. Nothing about reactive hours is valid until
// someone has confirmed the mapping (domain.md 1.1).
type WorkClasses struct {
	Rules     []WorkClassRule `json:"rules" nullable:"false" maxItems:"500"`
	Confirmed bool            `json:"confirmed" doc:"someone has looked at what falls into which class"`
}

// assumedClasses is what a result says while the mapping is not confirmed.
const assumedClasses = "which tickets are reactive is assumed from words in their type, queue and source until somebody confirms it: see work-classes"

// wordClasses are the words that tell a class, in the order in which they are looked for.
var wordClasses = []struct{ class, words string }{
	{"project", "project"},
	{"internal", "internal|admin"},
	{"alert", "alert|monitor|rmm|event"},
	{"request", "request|onboard|offboard|new user|new starter|leaver|change|move|install|access|order|quote"},
	{"proactive", "proactive|maintenance|patch|prevent|schedule|review|audit|backup check|update"},
	{"reactive", "incident|problem|issue|break|broken|outage|fail|error|down|help|support|trouble|reactive"},
}

// sql is the class of a ticket.
func (w WorkClasses) sql() string {
	parts := make([]string, 0, 8)
	for _, field := range workFields {
		text := "CASE lower(trim(" + field + "))"
		n := len(text)
		for _, r := range w.Rules {
			if r.Field == field {
				text += " WHEN " + warehouse.QuoteText(strings.ToLower(strings.TrimSpace(r.Value))) + " THEN '" + r.Class + "'"
			}
		}
		if len(text) > n {
			parts = append(parts, text+" END")
		}
	}
	for _, field := range []string{"ticket_type", "queue"} {
		text := "CASE"
		for _, w := range wordClasses {
			text += " WHEN " + hasWord("coalesce("+field+", '')", w.words) + " THEN '" + w.class + "'"
		}
		parts = append(parts, text+" END")
	}
	parts = append(parts, "CASE WHEN "+hasWord("coalesce(source, '')", "alert|monitor|rmm")+" THEN 'alert' END", "'unclassified'")
	return "coalesce(" + strings.Join(parts, ", ") + ")"
}

// checked returns the mapping in its stored form, or every wrong part of it.
func (w WorkClasses) checked() (WorkClasses, error) {
	var wrong []fault.Field
	out := WorkClasses{Rules: []WorkClassRule{}, Confirmed: w.Confirmed}
	for i, r := range w.Rules {
		r.Value = strings.ToLower(strings.TrimSpace(r.Value))
		say := func(part, message string, allowed []string) {
			wrong = append(wrong, fault.Field{Path: fmt.Sprintf("rules[%d].%s", i, part), Message: message, Allowed: allowed})
		}
		if !slices.Contains(workFields, r.Field) {
			say("field", "is not a field that tells a class", workFields)
		}
		if !slices.Contains(classes, r.Class) {
			say("class", "is not a class of work", classes)
		}
		if r.Value == "" || len(r.Value) > 200 {
			say("value", "must have 1 to 200 characters", nil)
		}
		if slices.ContainsFunc(out.Rules, func(o WorkClassRule) bool { return o.Field == r.Field && o.Value == r.Value }) {
			say("value", "is mapped twice", nil)
		}
		out.Rules = append(out.Rules, r)
	}
	if len(wrong) > 0 {
		return out, fault.WithFields("the mapping of tickets to classes of work is not valid", wrong...)
	}
	return out, nil
}

// Remove forgets the rule for a value of a field, if there is one.
func (w *WorkClasses) Remove(field, value string) {
	w.Rules = slices.DeleteFunc(w.Rules, func(r WorkClassRule) bool {
		return r.Field == field && strings.EqualFold(r.Value, strings.TrimSpace(value))
	})
}

// TicketClass is the tickets of a type and queue, with the class that they fall into.
type TicketClass struct {
	TicketType string           `json:"ticket_type"`
	Queue      string           `json:"queue"`
	Class      string           `json:"class"`
	Tickets    quantity.Decimal `json:"tickets"`
}

// TicketClasses lists which tickets fall into which class of work, most tickets first: what
// to look at before the mapping is confirmed. It is empty without tickets.
func (c *Catalog) TicketClasses(ctx context.Context, scope tenant.Scope) ([]TicketClass, error) {
	r, err := c.Run(ctx, scope, Query{Measures: []string{"ticket_count"}, Dimensions: []string{"ticket_type", "queue", "work_class"}, Order: []string{"-ticket_count"}})
	if err != nil {
		return nil, err
	}
	out := []TicketClass{}
	for _, row := range r.Rows {
		if n, ok := row[3].(quantity.Decimal); ok {
			out = append(out, TicketClass{row[0].(string), row[1].(string), row[2].(string), n})
		}
	}
	return out, nil
}

// WorkClasses returns the tenant's mapping of tickets to classes of work.
func (c *Catalog) WorkClasses(ctx context.Context, scope tenant.Scope) (WorkClasses, error) {
	return c.settings.WorkClasses(ctx, scope)
}
