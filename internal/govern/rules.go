package govern

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// What is kept for a time.
type What string

// The kinds of what is kept. Rows and Private are of a dataset with a date; the others are
// of none.
const (
	Rows        What = "rows"    // whole rows, with their amounts
	Private     What = "private" // free text and other private columns; the amounts stay
	Uploads     What = "uploads" // the originals of imports
	Rejects     What = "rejects" // rejected rows, and the files made of them
	ReportFiles What = "reports" // files of reports, and what they were made from; that they were made stays
)

// Rule says how long something is kept, in whole months before the current one.
type Rule struct {
	Dataset   string       `json:"dataset"` // "" for uploads, rejected rows and files of reports
	What      What         `json:"what"`
	Months    int          `json:"months"` // 0: for ever
	Default   bool         `json:"default"`
	ChangedAt *time.Time   `json:"changed_at"` // null for a default
	Author    tenant.Actor `json:"author"`
}

// maxMonths is the longest time that a rule may name.
const maxMonths = 600

// Words says the rule for people.
func (r Rule) Words() string {
	if r.Months == 0 {
		return "for ever"
	}
	if r.Months == 1 {
		return "1 month"
	}
	return fmt.Sprintf("%d months", r.Months)
}

// Cutoff is the first day that is kept, zero when all are.
func (r Rule) Cutoff(today quantity.Day) quantity.Day {
	if r.Months == 0 {
		return quantity.Day{}
	}
	return today.AddMonths(-r.Months)
}

func find(rules []Rule, dataset string, what What) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Dataset == dataset && r.What == what })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// defaultRules are all rules that there can be, as they are when nobody changed them.
func defaultRules() []Rule {
	var out []Rule
	for _, d := range dataset.Datasets() {
		if d.Month == "" {
			continue
		}
		out = append(out, Rule{Dataset: d.Name, What: Rows, Default: true})
		if len(d.Columns(true)) > 0 {
			out = append(out, Rule{Dataset: d.Name, What: Private, Default: true})
		}
	}
	return append(out, Rule{What: Uploads, Months: dataset.OriginalMonths, Default: true}, Rule{What: Rejects, Default: true}, Rule{What: ReportFiles, Default: true})
}

// Rules lists all rules, the defaults included.
func (s *Service) Rules(ctx context.Context, scope tenant.Scope) ([]Rule, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	out := defaultRules()
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		rows, err := tx.Query(ctx, queries.Get("list_rules"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Rule
			var at string
			if err := rows.Scan(&r.Dataset, &r.What, &r.Months, &at, &r.Author); err != nil {
				return err
			}
			changed, err := metadb.ParseTime(at)
			if err != nil {
				return err
			}
			r.ChangedAt = &changed
			if i := slices.IndexFunc(out, func(o Rule) bool { return o.Dataset == r.Dataset && o.What == r.What }); i >= 0 {
				out[i] = r
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("retention: %w", err)
	}
	return out, nil
}

// checkRule returns the default of a rule that there can be.
func checkRule(name string, what What) (Rule, error) {
	all := defaultRules()
	if r, ok := find(all, name, what); ok {
		return r, nil
	}
	var allowed []string
	for _, r := range all {
		if r.What == what {
			allowed = append(allowed, r.Dataset)
		}
	}
	if allowed == nil {
		return Rule{}, fault.WithFields(fmt.Sprintf("there is nothing called %q to keep for a time", what), fault.Field{Path: "what", Message: "unknown", Allowed: []string{string(Rows), string(Private), string(Uploads), string(Rejects), string(ReportFiles)}})
	}
	if allowed[0] == "" {
		return Rule{}, fault.WithFields(fmt.Sprintf("%s belong to no dataset", what), fault.Field{Path: "dataset", Message: "leave it out"})
	}
	return Rule{}, fault.WithFields(fmt.Sprintf("%s of %q have no age of their own: choose one of %s", what, name, strings.Join(allowed, ", ")), fault.Field{Path: "dataset", Message: "unknown", Allowed: allowed})
}

// SetRule says for how many months something is kept; 0 is for ever. Nothing is deleted
// before the next run.
func (s *Service) SetRule(ctx context.Context, scope tenant.Scope, name string, what What, months int) error {
	if err := whole(scope); err != nil {
		return err
	}
	if _, err := checkRule(name, what); err != nil {
		return err
	}
	if months < 0 || months > maxMonths {
		return fault.WithFields("this is no time to keep something for", fault.Field{Path: "months", Message: fmt.Sprintf("must be 0 (for ever) to %d", maxMonths)})
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), s.opt.Now())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("set_rule"), id, name, string(what), months, metadb.Now(s.opt.Now()), string(scope.Actor)); err != nil {
			return fmt.Errorf("retention: %w", err)
		}
		return s.append(ctx, scope, tx, "retention.set", "retention", ruleID(name, what), 0, map[string]any{"months": months})
	})
}

// ResetRule takes a rule back to its default.
func (s *Service) ResetRule(ctx context.Context, scope tenant.Scope, name string, what What) error {
	if err := whole(scope); err != nil {
		return err
	}
	if _, err := checkRule(name, what); err != nil {
		return err
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("drop_rule"), string(scope.Tenant), name, string(what))
		if err != nil || n == 0 {
			return err
		}
		return s.append(ctx, scope, tx, "retention.reset", "retention", ruleID(name, what), 0, nil)
	})
}

func ruleID(name string, what What) string {
	if name == "" {
		return string(what)
	}
	return name + "/" + string(what)
}
