package dataset

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// The verdicts on fixes that an import made by a kept rule.
const (
	VerdictConfirmed = "confirmed"  // the values were read right
	VerdictTakenBack = "taken_back" // the import is undone
)

// FixedEvidence is what an import changed by the corrections that its kept mapping has as
// rules. Nobody looked at them this time, so they are asked about.
type FixedEvidence struct {
	ImportID int64    `json:"import_id"`
	Dataset  string   `json:"dataset"`
	File     string   `json:"file"`
	Fixes    []string `json:"fixes"`   // in words, with the values
	Cells    int64    `json:"cells"`   // cells that were read otherwise than they are written
	Skipped  int64    `json:"skipped"` // rows that were left out
}

// proposeFixes asks about what kept rules corrected in an import.
func (s *Service) proposeFixes(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, l *load, r ImportResult) error {
	if l.saved == nil || len(l.m.Corrections) == 0 {
		return nil
	}
	e := FixedEvidence{ImportID: r.ImportID, Dataset: r.Dataset, File: r.File, Fixes: []string{}}
	for _, f := range r.Findings {
		if f.Code == "corrected" {
			e.Cells += f.Count
			e.Fixes = append(e.Fixes, f.Message)
		}
	}
	for _, rej := range r.Rejects {
		if rej.Code == "skipped" {
			e.Skipped++
		}
	}
	if e.Skipped > 0 {
		e.Fixes = append(e.Fixes, plural(e.Skipped, "row was left out", "rows were left out"))
	}
	if len(e.Fixes) == 0 {
		return nil
	}
	evidence, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("evidence of fixes: %w", err)
	}
	return s.reviews.Propose(ctx, scope, tx, review.Proposal{Kind: review.AppliedFixes, Subject: fmt.Sprint(r.ImportID), Label: fmt.Sprintf("import %d", r.ImportID), Evidence: evidence, Weight: e.Cells + e.Skipped, ImportID: r.ImportID, Snapshot: int64(r.Snapshot)})
}

// FixJudge decides on what kept rules corrected in imports. It is safe for concurrent use.
type FixJudge struct{ data *Service }

var _ review.Decider = FixJudge{}

// NewFixJudge returns a judge over s's imports.
func NewFixJudge(s *Service) FixJudge { return FixJudge{s} }

func fixedEvidence(p review.Proposal) (FixedEvidence, error) {
	var e FixedEvidence
	if err := json.Unmarshal(p.Evidence, &e); err != nil {
		return e, fmt.Errorf("evidence of proposal %s: %w", p.ID, err)
	}
	return e, nil
}

// Fill asks the question.
func (j FixJudge) Fill(_ context.Context, _ tenant.Scope, list []review.Proposal) error {
	for i, p := range list {
		e, err := fixedEvidence(p)
		if err != nil {
			return err
		}
		list[i].Title = fmt.Sprintf("Import %d corrected %s of %s by kept rules: was that right?", e.ImportID, plural(e.Cells+e.Skipped, "value", "values"), e.File)
	}
	return nil
}

// Complete returns the decision as it is: the desk has checked it.
func (j FixJudge) Complete(_ review.Proposal, d review.Decision) (review.Decision, error) {
	d.Choice = ""
	return d, nil
}

// Decide keeps that the values are right, or undoes the import, in one step with the decision.
func (j FixJudge) Decide(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) error {
	if d.Verdict == VerdictConfirmed {
		return j.data.db.Transact(ctx, func(tx *metadb.Tx) error { return j.data.reviews.Decide(ctx, scope, tx, p.ID, d, p.Snapshot) })
	}
	if err := scope.Need("data.import"); err != nil {
		return err
	}
	if two, err := j.data.reviews.Holds(ctx, scope, review.Deletion); err != nil {
		return err
	} else if two && scope.Rights != nil {
		return fault.Newf(fault.Conflict, "two people undo an import here: open import %d and undo it there, where it waits for the second one", p.ImportID)
	}
	_, err := j.data.undo(ctx, scope, p.ImportID, func(ctx context.Context, tx *metadb.Tx, out warehouse.Outcome) error {
		return j.data.reviews.Decide(ctx, scope, tx, p.ID, d, int64(out.Snapshot))
	})
	return err
}

// Undo asks again about values that were found right. An import that was taken back is
// imported again instead.
func (j FixJudge) Undo(ctx context.Context, scope tenant.Scope, p review.Proposal) error {
	if p.Decision != nil && p.Decision.Verdict == VerdictTakenBack {
		return fault.Newf(fault.Conflict, "import %d was undone by this decision: import the file again, without the rule if it was wrong", p.ImportID)
	}
	return j.data.db.Transact(ctx, func(tx *metadb.Tx) error { return j.data.reviews.Reopen(ctx, scope, tx, p.ID, p.Snapshot) })
}

// Preview says what a decision changes.
func (j FixJudge) Preview(ctx context.Context, scope tenant.Scope, p review.Proposal, d review.Decision) (review.Effect, error) {
	if d.Verdict == VerdictConfirmed {
		return review.Effect{Says: []string{"Nothing changes: the rules go on to correct files of this form, and are asked about after each import."}}, nil
	}
	imp, err := j.data.Record(ctx, scope, p.ImportID)
	if err != nil {
		return review.Effect{}, err
	}
	r := imp.Result
	return review.Effect{Rows: r.RowsAdded + r.RowsUpdated, Says: []string{
		fmt.Sprintf("Import %d is undone: %d rows that it added go, %d that it changed are as they were.", p.ImportID, r.RowsAdded, r.RowsUpdated),
		"The rules stay with the kept mapping; take them out under Sources or with moatmetrics mappings.",
	}}, nil
}
