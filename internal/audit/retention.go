package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Retention says how long entries keep their content; 0 is for ever. Entries about the
// record itself ("audit.…") and those of form 1 always keep it.
type Retention struct {
	Days     int `json:"days" minimum:"0" maximum:"36500" doc:"days that entries keep their content; 0 is for ever"`
	ReadDays int `json:"read_days" minimum:"0" maximum:"36500" doc:"the same for entries that somebody read something; 0 is for ever"`
}

// leastDays is the shortest time that a content stays: what is newer can be removed by
// nobody without a fault of the chain.
const leastDays = 90

const (
	actionRetain = "audit.retain"
	actionPolicy = "audit.retention"
)

// RetentionOf returns a tenant's policy; without one it is for ever.
func (l *Log) RetentionOf(ctx context.Context, scope tenant.Scope, tx *metadb.Tx) (Retention, error) {
	var r Retention
	if err := scope.Check(); err != nil {
		return r, err
	}
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if err == nil {
		err = tx.One(ctx, queries.Get("get_retention"), []any{id}, &r.Days, &r.ReadDays)
	}
	if errors.Is(err, metadb.ErrNoRow) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("audit retention: %w", err)
	}
	return r, nil
}

// SetRetention changes the policy. It removes nothing by itself: Retain does.
func (l *Log) SetRetention(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, to Retention, reason string) error {
	for name, days := range map[string]int{"days": to.Days, "read_days": to.ReadDays} {
		if days != 0 && (days < leastDays || days > 36500) {
			return fault.Newf(fault.Invalid, "%s is %d: entries keep their content for at least %d days and at most 36500, or for ever (0)", name, days, leastDays)
		}
	}
	was, err := l.RetentionOf(ctx, scope, tx)
	if err != nil || was == to {
		return err
	}
	id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), l.now())
	if err != nil {
		return fmt.Errorf("audit retention: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("put_retention"), id, to.Days, to.ReadDays); err != nil {
		return fmt.Errorf("audit retention: %w", err)
	}
	_, err = l.Append(ctx, scope, tx, Event{Action: actionPolicy, Subject: Subject{Kind: "audit", ID: "retention"}, Before: was, After: to, Reason: reason})
	return err
}

// cuts are the instants before which contents go, "" when none does: of all entries, and of
// those of reading.
func (r Retention) cuts(now time.Time) (all, reads string) {
	before := func(days int) string {
		if days == 0 {
			return ""
		}
		return metadb.Now(now.UTC().AddDate(0, 0, -days)) // in UTC, as whoever verifies reckons
	}
	return before(r.Days), before(r.ReadDays)
}

// Due returns how many entries the policy r would take the content of now: none while a
// legal hold stands.
func (l *Log) Due(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, r Retention) (n int64, err error) {
	if err := scope.Check(); err != nil {
		return 0, err
	}
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if errors.Is(err, metadb.ErrNoRow) {
		return 0, nil
	}
	if err == nil {
		all, reads := r.cuts(l.now())
		err = tx.One(ctx, queries.Get("count_due"), []any{id, all, reads}, &n)
	}
	if err != nil {
		return 0, fmt.Errorf("audit retention: %w", err)
	}
	return n, nil
}

// retainBatch is how many contents one entry removes at most: its detail names them all.
const retainBatch = 5000

// span is a range of entries, both ends included.
type span struct {
	from, to  int64
	removedBy int64
	oldest    string // instants of the entries
	newest    string
}

// removal is the detail of an entry that removed contents.
type removal struct {
	Before      string     `json:"before"`       // instant; "" none
	ReadsBefore string     `json:"reads_before"` // instant; "" none
	Entries     int64      `json:"entries"`
	Ranges      [][2]int64 `json:"ranges"` // first and last of each
	Policy      Retention  `json:"policy"`

	seq   int64
	at    string
	actor tenant.Actor
}

// Removal is an entry that removed contents by policy.
type Removal struct {
	Seq     int64        `json:"seq" doc:"of the entry that says so"`
	At      string       `json:"at"`
	Actor   tenant.Actor `json:"actor"`
	Entries int64        `json:"entries"`
	First   int64        `json:"first"`
	Last    int64        `json:"last"`
}

// Retain takes the content of up to 5,000 entries away as the policy says, leaves their
// seals, and records that in the same transaction; none while a legal hold stands. Call it
// until it returns 0.
func (l *Log) Retain(ctx context.Context, scope tenant.Scope, tx *metadb.Tx) (removed int, err error) {
	policy, err := l.RetentionOf(ctx, scope, tx)
	if err != nil || policy == (Retention{}) {
		return 0, err
	}
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if err != nil {
		return 0, fmt.Errorf("audit retention: %w", err)
	}
	d := removal{Policy: policy}
	d.Before, d.ReadsBefore = policy.cuts(l.now())
	rows, err := tx.Query(ctx, queries.Get("due_events"), id, d.Before, d.ReadsBefore, retainBatch)
	if err != nil {
		return 0, fmt.Errorf("audit retention: %w", err)
	}
	due, err := scan(rows)
	rows.Close()
	if err != nil || len(due) == 0 {
		return 0, err
	}
	for _, e := range due {
		if last := len(d.Ranges) - 1; last >= 0 && d.Ranges[last][1] == e.Seq-1 {
			d.Ranges[last][1] = e.Seq
		} else {
			d.Ranges = append(d.Ranges, [2]int64{e.Seq, e.Seq})
		}
	}
	d.Entries = int64(len(due))
	entry, err := l.Append(ctx, scope, tx, Event{Action: actionRetain, Subject: Subject{Kind: "audit", ID: fmt.Sprintf("%d-%d", due[0].Seq, due[len(due)-1].Seq)}, Detail: d})
	if err != nil {
		return 0, err
	}
	var digest digester
	for i := range due {
		e := &due[i]
		// What was edited keeps its content: a seal made now would hide the edit for ever.
		if !digest.whole(string(scope.Tenant), e) {
			return 0, fault.Newf(fault.Conflict, "entry %d of the audit record was edited: nothing is removed before that is settled; see moatmetrics verify", e.Seq)
		}
		if _, err := tx.Exec(ctx, queries.Get("remove_content"), id, e.Seq, digest.seal(e), entry.Seq); err != nil {
			return 0, fmt.Errorf("audit retention: %w", err)
		}
	}
	return len(due), nil
}

// removed notes an entry of which only the seal is left.
func (c *chain) removed(e *Entry) {
	c.r.Removed++
	if n := len(c.stubs) - 1; n >= 0 && c.stubs[n].to == e.Seq-1 && c.stubs[n].removedBy == e.RemovedBy {
		c.stubs[n].to = e.Seq
		c.stubs[n].oldest, c.stubs[n].newest = min(c.stubs[n].oldest, e.At), max(c.stubs[n].newest, e.At)
		return
	}
	c.stubs = append(c.stubs, span{e.Seq, e.Seq, e.RemovedBy, e.At, e.At})
}

// retained notes an entry that says that contents were removed.
func (c *chain) retained(e *Entry) {
	d := removal{seq: e.Seq, at: e.At, actor: e.Actor}
	if json.Unmarshal(e.Detail, &d) != nil || len(d.Ranges) == 0 {
		c.r.add(e.Seq, "says that contents were removed, but not which")
		return
	}
	c.removals = append(c.removals, d)
	c.r.Removals = append(c.r.Removals, Removal{e.Seq, e.At, e.Actor, d.Entries, d.Ranges[0][0], d.Ranges[len(d.Ranges)-1][1]})
}

// checkRemovals compares the entries without content with those that say that it was removed.
func (c *chain) checkRemovals() {
	by := map[int64]removal{}
	for _, d := range c.removals {
		by[d.seq] = d
		at, err := metadb.ParseTime(d.at)
		if newest := max(d.Before, d.ReadsBefore); err != nil || newest > metadb.Now(at.AddDate(0, 0, -leastDays)) {
			c.r.add(d.seq, "removed contents that were younger than %d days", leastDays)
		}
	}
	said := map[int64]int64{} // by removal: how many of its entries have lost their content
	for _, s := range c.stubs {
		d, known := by[s.removedBy]
		if !known || s.to >= d.seq {
			c.r.add(s.from, "the content of %s was removed outside the policy: no entry says so", entries(s.from, s.to))
			continue
		}
		for _, gap := range outside(s, d.Ranges) {
			c.r.add(gap.from, "the content of %s was removed outside the policy: entry %d does not name it", entries(gap.from, gap.to), d.seq)
		}
		if s.newest >= max(d.Before, d.ReadsBefore) {
			c.r.add(s.from, "a content of %s was removed before its time", entries(s.from, s.to))
		}
		said[d.seq] += s.to - s.from + 1
	}
	for _, d := range c.removals {
		if n := said[d.seq]; n < d.Entries {
			c.r.add(d.seq, "says that the content of %d entries was removed, %d have none", d.Entries, n)
		}
	}
}

func entries(from, to int64) string {
	if from == to {
		return fmt.Sprintf("entry %d", from)
	}
	return fmt.Sprintf("entries %d to %d", from, to)
}

// outside are the parts of s that no range holds; ranges are in order.
func outside(s span, ranges [][2]int64) []span {
	var out []span
	at, _ := slices.BinarySearchFunc(ranges, s.from, func(r [2]int64, seq int64) int {
		if r[1] < seq {
			return -1
		}
		return 1
	})
	next := s.from
	for ; at < len(ranges) && ranges[at][0] <= s.to; at++ {
		if ranges[at][0] > next {
			out = append(out, span{from: next, to: ranges[at][0] - 1})
		}
		next = max(next, ranges[at][1]+1)
	}
	if next <= s.to {
		out = append(out, span{from: next, to: s.to})
	}
	return out
}
