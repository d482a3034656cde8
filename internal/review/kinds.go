package review

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Sense is what a verdict does in the eyes of a person, and which key gives it.
type Sense string

// The senses.
const (
	Approve Sense = "approve"
	Reject  Sense = "reject"
	Correct Sense = "correct"
)

// Verdict is one answer to a kind of question.
type Verdict struct {
	Name   string `json:"name"`
	Sense  Sense  `json:"sense"`
	Label  string `json:"label"`  // on a button
	Done   string `json:"done"`   // what was decided, in the past tense
	Reason bool   `json:"reason"` // it must say why
}

// Terms are how long questions of a kind may wait, and who must decide.
type Terms struct {
	DueDays    int  `json:"due_days"`    // days until it is due; 0 for never
	ExpireDays int  `json:"expire_days"` // days until it is not asked any more; 0 for never
	FourEyes   bool `json:"four_eyes"`   // two people must decide the same
}

// Kind is what people know of a kind of questions.
type Kind struct {
	Name     string    `json:"name"`
	Label    string    `json:"label"`
	Question string    `json:"question"`
	Verdicts []Verdict `json:"verdicts"`
	Terms    Terms     `json:"terms"`    // as they are
	Standard Terms     `json:"standard"` // as they are unless somebody sets them
	// sees is what those must be allowed to see who read a proposal that names no classes. A
	// kind that is not about figures says with needs what they must be allowed to do instead.
	sees  []tenant.Class
	needs tenant.Action
	// Held says that somebody has asked for a change already: it waits for another person
	// while the terms want two, and is made at once, without a proposal, while they do not.
	Held bool `json:"held"`
}

func nameKind(name, label string, verdicts []Verdict, sees ...tenant.Class) Kind {
	return Kind{Name: name, Label: label, Question: "What does this name mean?", Verdicts: verdicts, Standard: Terms{DueDays: 7}, sees: sees}
}

func heldKind(name, label string, needs tenant.Action) Kind {
	return Kind{Name: name, Label: label, Question: "Should this be done?", Standard: Terms{DueDays: 3, ExpireDays: 30}, needs: needs, Held: true, Verdicts: []Verdict{
		{Name: "approved", Sense: Approve, Label: "Approve", Done: "approved"},
		{Name: "rejected", Sense: Reject, Label: "Reject", Done: "rejected", Reason: true},
	}}
}

var same = []Verdict{
	{Name: "same", Sense: Approve, Label: "The same", Done: "is the same"},
	{Name: "different", Sense: Reject, Label: "Different", Done: "is another one"},
}

// AppliedFixes is the kind of proposals about what an import corrected by kept rules; the
// subject is the import's number.
const AppliedFixes = "applied_fixes"

// DefinitionChange and Deletion are the kinds of changes that wait for a second person where
// the terms want two; the subject is a name of their own.
const (
	DefinitionChange = "definition_change"
	Deletion         = "deletion"
)

// PolicyChange is the kind of proposals to change roles and policies; the subject is the version.
const PolicyChange = "policy_change"

// PersonErasure is the kind of proposals to erase somebody's data; the subject is the request.
const PersonErasure = "person_erasure"

// kinds are the questions that there are. A new kind is a line here and a Decider that
// app gives to the desk.
var kinds = []Kind{
	nameKind("client_match", "Names of clients", append(slices.Clone(same), Verdict{Name: "create", Sense: Correct, Label: "A client of its own", Done: "is a client of its own"})),
	nameKind("staff_match", "Names of people", same, tenant.Personal),
	nameKind("product_match", "Names of products", same),
	{Name: "finding", Label: "Findings", Question: "Is this so, and does it matter?", Standard: Terms{DueDays: 14, ExpireDays: 90}, sees: tenant.Classes, Verdicts: []Verdict{
		{Name: "accepted", Sense: Approve, Label: "Confirm", Done: "confirmed"},
		{Name: "rejected", Sense: Reject, Label: "Reject", Done: "rejected", Reason: true},
		{Name: "corrected", Sense: Correct, Label: "Correct", Done: "corrected", Reason: true},
	}},
	{Name: "rule", Label: "Hits of rules", Question: "Is this known, or of no concern?", Standard: Terms{DueDays: 14, ExpireDays: 90}, sees: tenant.Classes, Verdicts: []Verdict{
		{Name: "acknowledged", Sense: Approve, Label: "Acknowledge", Done: "acknowledged"},
		{Name: "dismissed", Sense: Reject, Label: "Dismiss", Done: "dismissed"},
	}},
	{Name: AppliedFixes, Label: "Fixes of imports", Question: "Were these values read right?", Standard: Terms{DueDays: 7, ExpireDays: 90}, needs: "data.read", Verdicts: []Verdict{
		{Name: "confirmed", Sense: Approve, Label: "They are right", Done: "right"},
		{Name: "taken_back", Sense: Reject, Label: "Undo the import", Done: "undone", Reason: true},
	}},
	heldKind(DefinitionChange, "Changes of KPIs, rules and segments", "definitions.write"),
	heldKind(Deletion, "Undone imports and earlier states", "data.import"),
	{Name: PolicyChange, Label: "Roles and policies", Question: "Should this hold from now on?", Standard: Terms{DueDays: 7, ExpireDays: 90}, needs: "policies.manage", Verdicts: []Verdict{
		{Name: "approve", Sense: Approve, Label: "Approve", Done: "approved"},
		{Name: "reject", Sense: Reject, Label: "Reject", Done: "rejected", Reason: true},
	}},
	// The law gives a month; it is asked until somebody decides.
	{Name: PersonErasure, Label: "Requests to be erased", Question: "Should this person be erased?", Standard: Terms{DueDays: 21}, needs: "governance.manage", Verdicts: []Verdict{
		{Name: "approve", Sense: Approve, Label: "Erase", Done: "approved"},
		{Name: "reject", Sense: Reject, Label: "Reject", Done: "rejected", Reason: true},
	}},
}

// kindOf returns what is known of a kind; a proposal of an unknown kind cannot be decided.
func kindOf(name string) (Kind, bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{Name: name, Label: name, Standard: Terms{DueDays: 14, ExpireDays: 90}, sees: tenant.Classes}, false
	}
	return kinds[i], true
}

// Needs is what those must be allowed to do who see questions of a kind that is not about
// figures, "" for others.
func Needs(kind string) tenant.Action {
	k, _ := kindOf(kind)
	return k.needs
}

// name is what notices call the proposal.
func (p Proposal) name() string {
	k, _ := kindOf(p.Kind)
	if p.Label == "" {
		return k.Label
	}
	return k.Label + ": " + p.Label
}

// verdict returns a kind's verdict of that name, or the faults of the decision.
func (k Kind) verdict(d Decision) (Verdict, error) {
	i := slices.IndexFunc(k.Verdicts, func(v Verdict) bool { return v.Name == d.Verdict })
	if i < 0 {
		allowed := make([]string, len(k.Verdicts))
		for i, v := range k.Verdicts {
			allowed[i] = v.Name
		}
		return Verdict{}, fault.WithFields(fmt.Sprintf("%q is not a verdict on this", d.Verdict), fault.Field{Path: "verdict", Message: "unknown", Allowed: allowed})
	}
	if v := k.Verdicts[i]; v.Reason && d.Reason == "" {
		return v, fault.WithFields("say why: it is shown with the finding from now on", fault.Field{Path: "reason", Message: "is missing"})
	}
	return k.Verdicts[i], nil
}

// Kinds returns the kinds of questions with the tenant's terms.
func (q *Queue) Kinds(ctx context.Context, scope tenant.Scope) ([]Kind, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	out := slices.Clone(kinds)
	err := q.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		for i := range out {
			if out[i].Terms, err = terms(ctx, tx, string(scope.Tenant), out[i].Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("kinds of reviews: %w", err)
	}
	return out, nil
}

// terms are those of a tenant for a kind.
func terms(ctx context.Context, tx *metadb.Tx, slug, kind string) (Terms, error) {
	k, _ := kindOf(kind)
	var due, expire, four int64
	err := tx.One(ctx, queries.Get("get_terms"), []any{slug, kind}, &due, &expire, &four)
	if errors.Is(err, metadb.ErrNoRow) {
		return k.Standard, nil
	}
	return Terms{DueDays: int(due), ExpireDays: int(expire), FourEyes: four > 0}, err
}

// Holds reports whether a change of a held kind waits for a second person.
func (q *Queue) Holds(ctx context.Context, scope tenant.Scope, kind string) (bool, error) {
	var out Terms
	err := q.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		out, err = terms(ctx, tx, string(scope.Tenant), kind)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("terms of %s: %w", kind, err)
	}
	return out.FourEyes, nil
}

// mostDays bounds the days of terms.
const mostDays = 730

// SetTerms sets the terms of a kind for questions that come up from now on; open ones keep
// theirs. The audit record holds what they were and are.
func (q *Queue) SetTerms(ctx context.Context, scope tenant.Scope, kind string, to Terms) (Kind, error) {
	if err := scope.Check(); err != nil {
		return Kind{}, err
	}
	k, known := kindOf(kind)
	if !known {
		return k, fault.Newf(fault.NotFound, "there is no kind of question %q", kind)
	}
	var wrong []fault.Field
	for _, f := range []struct {
		path string
		days int
	}{{"due_days", to.DueDays}, {"expire_days", to.ExpireDays}} {
		if f.days < 0 || f.days > mostDays {
			wrong = append(wrong, fault.Field{Path: f.path, Message: fmt.Sprintf("must be 0 to %d days; 0 is never", mostDays)})
		}
	}
	if to.ExpireDays > 0 && to.ExpireDays <= to.DueDays {
		wrong = append(wrong, fault.Field{Path: "expire_days", Message: "must be more than the days until it is due"})
	}
	if len(wrong) > 0 {
		return k, fault.WithFields("these terms are not valid", wrong...)
	}
	err := q.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), q.now())
		if err != nil {
			return err
		}
		was, err := terms(ctx, tx, string(scope.Tenant), kind)
		if k.Terms = to; err != nil || was == to {
			return err
		}
		if to == k.Standard {
			_, err = tx.Exec(ctx, queries.Get("reset_terms"), t, kind)
		} else {
			_, err = tx.Exec(ctx, queries.Get("set_terms"), t, kind, int64(to.DueDays), int64(to.ExpireDays), flag(to.FourEyes))
		}
		if err != nil {
			return err
		}
		_, err = q.log.Append(ctx, scope, tx, audit.Event{Action: "review.terms", Subject: audit.Subject{Kind: "review_kind", ID: kind}, Detail: map[string]Terms{"before": was, "after": to}})
		return err
	})
	if err != nil {
		return k, fmt.Errorf("terms of %s: %w", kind, err)
	}
	return k, nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
