package workspace

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Adoption is how much a feature is used.
type Adoption struct {
	Feature string
	Uses    int64
	People  int64 // different actors
	First   quantity.Day
	Last    quantity.Day
}

const (
	mostFeatures  = 50  // in one call
	keptUsageDays = 400 // longer than a year, so that years can be compared
)

var featureForm = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,59}$`)

// Use counts one use of each named feature by the scope's actor today (UTC); a feature
// named twice was used twice. Uses of more than 400 days ago are forgotten.
func (s *Store) Use(ctx context.Context, scope tenant.Scope, features []string) error {
	if err := scope.Check(); err != nil {
		return err
	}
	c := checker{}
	if len(features) > mostFeatures {
		c.say("features", "has %d entries: at most %d are counted at once", len(features), mostFeatures)
		features = nil
	}
	uses := map[string]int64{}
	for i, f := range features {
		if !featureForm.MatchString(f) {
			c.say(fmt.Sprintf("features[%d]", i), "is not a name such as explore.export: 1 to 60 of a-z, 0-9, _ and ., beginning with a letter")
		}
		uses[f]++
	}
	if err := c.err("the features are not valid"); err != nil || len(uses) == 0 {
		return err
	}
	today := s.today()
	err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), s.now())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("forget_usage"), t, today.AddDays(-keptUsageDays).String()); err != nil {
			return err
		}
		for _, f := range slices.Sorted(maps.Keys(uses)) { // in one order, so that two calls cannot wait for each other
			if _, err := tx.Exec(ctx, queries.Get("add_usage"), t, today.String(), f, metadb.Text(string(scope.Actor)), uses[f]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	return nil
}

// Adoption returns what was used in the last days (1 to 400), today included, the most used
// first.
func (s *Store) Adoption(ctx context.Context, scope tenant.Scope, days int) ([]Adoption, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if days < 1 || days > keptUsageDays {
		return nil, fault.WithFields("days is not valid", fault.Field{Path: "days", Message: fmt.Sprintf("must be 1 to %d", keptUsageDays)})
	}
	var out []Adoption
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, queries.Get("adoption"), string(scope.Tenant), s.today().AddDays(1-days).String())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a Adoption
			var first, last string
			if err := rows.Scan(&a.Feature, &a.Uses, &a.People, &first, &last); err != nil {
				return err
			}
			if a.First, err = quantity.ParseDay(first); err != nil {
				return err
			}
			if a.Last, err = quantity.ParseDay(last); err != nil {
				return err
			}
			out = append(out, a)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("usage: %w", err)
	}
	return out, nil
}

func (s *Store) today() quantity.Day { return quantity.DayOf(s.now().UTC()) }
