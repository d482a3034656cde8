package insight

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// ReviewKind is the kind of the proposals of rules.
const ReviewKind = "rule"

// The verdicts on a proposal of a rule.
const (
	VerdictAcknowledged = "acknowledged" // it is so, and known
	VerdictDismissed    = "dismissed"    // it does not matter
)

// notifier tells people of something, in the caller's transaction.
type notifier interface {
	NotifyRule(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, subject, message string) error
}

// Watch evaluates the tenant's rules, keeps when each of them began and ceased to hold, and
// tells people once. It is safe for concurrent use.
type Watch struct {
	insights *Service
	db       *metadb.DB
	reviews  *review.Queue
	notices  notifier
	now      func() time.Time
}

// NewWatch returns a watch over the rules of s's catalog.
func NewWatch(s *Service, db *metadb.DB, reviews *review.Queue, notices notifier, now func() time.Time) *Watch {
	return &Watch{insights: s, db: db, reviews: reviews, notices: notices, now: now}
}

// Hit is a time in which a rule holds for a subject.
type Hit struct {
	ID       string          `json:"id"`
	Rule     string          `json:"rule"`
	Version  int             `json:"version"` // of the rule when it began to hold
	Subject  string          `json:"subject"`
	Value    string          `json:"value"`  // of the rule's measure, the last time it held; "" when it has none
	Period   quantity.Period `json:"period"` // the months last looked at
	Snapshot int64           `json:"snapshot"`
	FirstAt  time.Time       `json:"first_at"`
	LastAt   time.Time       `json:"last_at"`
	EndedAt  *time.Time      `json:"ended_at"` // null while it holds
}

// Evaluation is one run of the rules.
type Evaluation struct {
	Rules    int       `json:"rules"`    // evaluated
	Findings []Finding `json:"findings"` // what holds now
	Began    []Hit     `json:"began"`
	Ended    []Hit     `json:"ended"`
	Problems []string  `json:"problems"` // rules that could not be evaluated, and why
}

// Evaluate evaluates the tenant's rules, or only the named ones, over the last complete
// months of the current snapshot. What begins to hold becomes a proposal or a notice as the
// rule says, once until it has ceased; what ceases to hold ends, and its open proposal is
// withdrawn. A rule that cannot be evaluated is a problem, and its hits stay as they are.
func (w *Watch) Evaluate(ctx context.Context, scope tenant.Scope, names ...string) (Evaluation, error) {
	out := Evaluation{Findings: []Finding{}, Began: []Hit{}, Ended: []Hit{}, Problems: []string{}}
	if err := scope.Whole("rules"); err != nil { // what one does not see would seem to have ceased
		return out, err
	}
	rules, err := w.insights.metrics.Rules(ctx, scope)
	if err != nil {
		return out, err
	}
	all := make([]string, len(rules))
	for i, r := range rules {
		all[i] = r.Name
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			return out, fault.Newf(fault.NotFound, "there is no rule %q", name)
		}
	}
	a, err := w.insights.begin(ctx, scope, quantity.Period{})
	if err != nil {
		return out, fmt.Errorf("rules: %w", err)
	}
	type found struct {
		rule     metric.Rule
		findings []Finding
	}
	var evaluated []found
	for _, r := range rules {
		if len(names) > 0 && !slices.Contains(names, r.Name) {
			continue
		}
		if a == nil { // nothing imported yet
			continue
		}
		findings, err := a.rule(ctx, r)
		if err != nil {
			if fault.KindOf(err) == fault.Canceled || ctx.Err() != nil {
				return out, err
			}
			out.Problems = append(out.Problems, fmt.Sprintf("%s: %s", r.Name, fault.Message(err)))
			continue
		}
		a.findings = nil
		for _, f := range findings {
			a.report(f)
		}
		evaluated = append(evaluated, found{r, a.findings})
		out.Findings = append(out.Findings, a.findings...)
	}
	out.Rules = len(evaluated)
	err = w.db.Transact(ctx, func(tx *metadb.Tx) error {
		out.Began, out.Ended = []Hit{}, []Hit{}
		open, err := w.list(ctx, tx, "open_hits", string(scope.Tenant))
		if err != nil {
			return err
		}
		for _, h := range open {
			if slices.Contains(all, h.Rule) {
				continue
			}
			gone, err := w.gone(ctx, scope, h.Rule)
			if err != nil {
				return err
			}
			if gone {
				if err := w.end(ctx, scope, tx, h, &out); err != nil {
					return err
				}
			}
		}
		for _, e := range evaluated {
			if err := w.settle(ctx, scope, tx, e.rule, e.findings, open, &out); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("rules: %w", err)
	}
	sortFindings(out.Findings)
	return out, nil
}

// gone reports whether a rule that an evaluation did not know is not there now either: one
// that was added meanwhile may have hits already.
func (w *Watch) gone(ctx context.Context, scope tenant.Scope, name string) (bool, error) {
	rules, err := w.insights.metrics.Rules(ctx, scope)
	return !slices.ContainsFunc(rules, func(r metric.Rule) bool { return r.Name == name }), err
}

// settle compares what a rule finds with what it found before.
func (w *Watch) settle(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, r metric.Rule, findings []Finding, open []Hit, out *Evaluation) error {
	holds := map[string]bool{}
	now := w.now()
	for _, f := range findings {
		h := Hit{Rule: r.Name, Version: r.Version, Subject: f.Subject.String(), Period: f.Period, Snapshot: int64(f.Snapshot), FirstAt: now, LastAt: now}
		if f.Value != nil {
			h.Value = f.Value.String()
		}
		holds[h.Subject] = true
		if i := slices.IndexFunc(open, func(o Hit) bool { return o.Rule == r.Name && o.Subject == h.Subject }); i >= 0 {
			if _, err := tx.Exec(ctx, queries.Get("renew_hit"), string(scope.Tenant), open[i].ID, h.Value, h.Period.From.String(), h.Period.To.String(), h.Snapshot, metadb.Now(now)); err != nil {
				return err
			}
			continue
		}
		h.ID = strings.ToLower(rand.Text()[:12])
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_hit"), t, h.ID, h.Rule, int64(h.Version), metadb.Text(h.Subject), h.Value, h.Period.From.String(), h.Period.To.String(), h.Snapshot, metadb.Now(now)); err != nil {
			return err
		}
		out.Began = append(out.Began, h)
		switch r.Then {
		case metric.ThenReview:
			err = w.reviews.Propose(ctx, scope, tx, review.Proposal{Kind: ReviewKind, Subject: proposalSubject(h), Label: proposalSubject(h), Evidence: ruleEvidence(r, f), Topic: "rule " + r.Name, Client: f.client(), Money: f.MoneyAtStake, Currency: f.Currency, Weight: 1, Snapshot: h.Snapshot})
		case metric.ThenNotice:
			err = w.notices.NotifyRule(ctx, scope, tx, r.Name, f.Headline)
		}
		if err != nil {
			return err
		}
	}
	for _, h := range open {
		if h.Rule == r.Name && !holds[h.Subject] {
			if err := w.end(ctx, scope, tx, h, out); err != nil {
				return err
			}
		}
	}
	return nil
}

func proposalSubject(h Hit) string { return h.Rule + ": " + h.Subject }

// end closes a hit and takes its open proposal back.
func (w *Watch) end(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, h Hit, out *Evaluation) error {
	now := w.now()
	if _, err := tx.Exec(ctx, queries.Get("end_hit"), string(scope.Tenant), h.ID, metadb.Now(now)); err != nil {
		return err
	}
	h.EndedAt = &now
	out.Ended = append(out.Ended, h)
	return w.reviews.End(ctx, scope, tx, ReviewKind, []string{proposalSubject(h)})
}

// History returns when the rules held, the last begun first; only one rule's with a name.
func (w *Watch) History(ctx context.Context, scope tenant.Scope, rule string, limit int, skip int64) ([]Hit, error) {
	if err := scope.Whole("what rules found"); err != nil {
		return nil, err
	}
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out []Hit
	err := w.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		out, err = w.list(ctx, tx, "list_hits", string(scope.Tenant), metadb.Text(rule), limit, skip)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("history of rules: %w", err)
	}
	return out, nil
}

// Open returns what the rules hold for now.
func (w *Watch) Open(ctx context.Context, scope tenant.Scope) ([]Hit, error) {
	return w.some(ctx, scope, "open_hits", string(scope.Tenant))
}

// Hit returns one, a NotFound fault when there is none.
func (w *Watch) Hit(ctx context.Context, scope tenant.Scope, id string) (Hit, error) {
	found, err := w.some(ctx, scope, "get_hit", string(scope.Tenant), metadb.Text(id))
	if err != nil {
		return Hit{}, err
	}
	if len(found) == 0 {
		return Hit{}, fault.Newf(fault.NotFound, "there is no alert %q", id)
	}
	return found[0], nil
}

func (w *Watch) some(ctx context.Context, scope tenant.Scope, query string, args ...any) (out []Hit, err error) {
	if err := scope.Whole("what rules found"); err != nil {
		return nil, err
	}
	if err := scope.Check(); err != nil {
		return nil, err
	}
	err = w.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		out, err = w.list(ctx, tx, query, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("what rules found: %w", err)
	}
	return out, nil
}

func (w *Watch) list(ctx context.Context, tx *metadb.Tx, query string, args ...any) ([]Hit, error) {
	rows, err := tx.Query(ctx, queries.Get(query), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Hit{}
	for rows.Next() {
		var h Hit
		var version int64
		var from, to, first, last, ended string
		if err := rows.Scan(&h.ID, &h.Rule, &version, &h.Subject, &h.Value, &from, &to, &h.Snapshot, &first, &last, &ended); err != nil {
			return nil, err
		}
		h.Version = int(version)
		if h.Period, err = quantity.ParsePeriod(from, to); err != nil {
			return nil, err
		}
		if h.FirstAt, err = metadb.ParseTime(first); err != nil {
			return nil, err
		}
		if h.LastAt, err = metadb.ParseTime(last); err != nil {
			return nil, err
		}
		if ended != "" {
			at, err := metadb.ParseTime(ended)
			if err != nil {
				return nil, err
			}
			h.EndedAt = &at
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

// Decide closes a proposal of a rule: VerdictAcknowledged or VerdictDismissed. While the
// rule goes on to hold for the subject it is not proposed again.
func (w *Watch) Decide(ctx context.Context, scope tenant.Scope, id, verdict, reason string) error {
	if verdict != VerdictAcknowledged && verdict != VerdictDismissed {
		return fault.WithFields(fmt.Sprintf("%q is not a verdict", verdict), fault.Field{Path: "verdict", Message: "unknown", Allowed: []string{VerdictAcknowledged, VerdictDismissed}})
	}
	if err := scope.Whole("what rules found"); err != nil {
		return err
	}
	d := review.Decision{Verdict: verdict, Reason: reason}
	p, err := w.reviews.Check(ctx, scope, id, d)
	if err != nil {
		return err
	}
	if p.Kind != ReviewKind {
		return fault.Newf(fault.Conflict, "this is not a question of a rule: decide it under reviews")
	}
	return w.db.Transact(ctx, func(tx *metadb.Tx) error { return w.reviews.Decide(ctx, scope, tx, id, d, p.Snapshot) })
}

// Reviews returns a page of the proposals of rules of a status.
func (w *Watch) Reviews(ctx context.Context, scope tenant.Scope, status review.Status, limit int, skip int64) ([]review.Proposal, error) {
	if err := scope.Whole("what rules found"); err != nil {
		return nil, err
	}
	return w.reviews.List(ctx, scope, status, ReviewKind, limit, skip)
}
