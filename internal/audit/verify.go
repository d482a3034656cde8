package audit

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Fault is one place where the chain is broken.
type Fault struct {
	Seq  int64  `json:"seq"`
	What string `json:"what"`
}

// Report is the result of Verify.
type Report struct {
	Entries     int64     `json:"entries"`
	Head        string    `json:"head" doc:"hash of the last entry; a copy kept elsewhere finds a cut tail"`
	Removed     int64     `json:"removed" doc:"entries whose content was removed by policy; their seals are whole"`
	Removals    []Removal `json:"removals,omitempty" doc:"the entries that say so"`
	Checkpoints int       `json:"checkpoints" doc:"signed heads that were compared, those kept elsewhere included"`
	Faults      []Fault   `json:"faults"`
	More        int64     `json:"more,omitempty" doc:"faults beyond those that are listed"`
}

// mostFaults bounds the list of a report: a chain of another tenant's name has one an entry.
const mostFaults = 1000

func (r *Report) add(seq int64, format string, args ...any) {
	if len(r.Faults) == mostFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, Fault{seq, fmt.Sprintf(format, args...)})
}

// Head is where a chain ended when somebody kept a copy of it.
type Head struct {
	Seq  int64  // 0 when only the hash was kept
	Hash string // hex
	Name string // how it is called in a report: "the checkpoint of 2026-03-01"
}

// Verify walks the whole chain and names every entry that was edited, is missing or was
// moved, contents that were removed outside the policy, a tail that is shorter than the head
// says, and entries that are not those of the checkpoints, nor of heads kept elsewhere. It
// keeps all processors busy: hashes are made by blocks, links are followed in order.
func (l *Log) Verify(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kept ...Head) (Report, error) {
	c := chain{kept: kept}
	if err := scope.Check(); err != nil {
		return c.r, err
	}
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if err != nil && !errors.Is(err, metadb.ErrNoRow) {
		return c.r, fmt.Errorf("audit: %w", err)
	}
	if err := c.checkpoints(ctx, tx, id, scope.Tenant); err != nil {
		return c.r, fmt.Errorf("audit: %w", err)
	}
	if err := walk(ctx, tx, id, scope.Tenant, c.follow); err != nil {
		return c.r, fmt.Errorf("audit: %w", err)
	}
	if err := c.end(ctx, tx, id); err != nil {
		return c.r, fmt.Errorf("audit: %w", err)
	}
	c.checkRemovals()
	c.checkHeads()
	return c.r, nil
}

// blockEntries is how many entries are hashed at a time.
const blockEntries = 1000

// block is a part of the chain whose hashes are being compared.
type block struct {
	entries []Entry
	whole   []bool // by entry: whether it has the hash that it must have
	bad     []bool // by entry: whether its row could not be read
	done    chan struct{}
}

// walk reads a chain in order and calls fn with its blocks, in order, each with its hashes
// compared.
func walk(ctx context.Context, tx *metadb.Tx, id int64, t tenant.Slug, fn func(*block)) error {
	rows, err := tx.Query(ctx, queries.Get("all_events"), id)
	if err != nil {
		return err
	}
	defer rows.Close()
	work := make(chan *block)
	ordered := make(chan *block, 2*runtime.GOMAXPROCS(0))
	var workers, linker sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			var d digester
			for b := range work {
				for i := range b.entries {
					b.whole[i] = !b.bad[i] && d.whole(string(t), &b.entries[i])
				}
				close(b.done)
			}
		})
	}
	linker.Go(func() {
		for b := range ordered {
			<-b.done
			fn(b)
		}
	})
	send := func(b *block) {
		b.whole, b.done = make([]bool, len(b.entries)), make(chan struct{})
		work <- b
		ordered <- b
	}
	next := func() *block {
		return &block{entries: make([]Entry, 0, blockEntries), bad: make([]bool, 0, blockEntries)}
	}
	b := next()
	for rows.Next() {
		b.entries = b.entries[:len(b.entries)+1]
		// Another kind of value than the column's is an edit, not the end of the walk.
		b.bad = append(b.bad, rows.Scan(b.entries[len(b.entries)-1].fields()...) != nil)
		if len(b.entries) == blockEntries {
			send(b)
			b = next()
		}
	}
	send(b)
	close(work)
	close(ordered)
	workers.Wait()
	linker.Wait()
	return rows.Err()
}

// chain is the state of following one.
type chain struct {
	r        Report
	prev     string // hash of the entry before
	next     int64  // number that comes next, less 1
	unknown  bool   // the entry before could not be read
	kept     []Head
	signed   []Head // checkpoints of the database whose signatures are good
	at       map[int64]string
	found    map[string]int64
	stubs    []span // entries whose content was removed, in order
	removals []removal
}

// follow links a block to what came before.
func (c *chain) follow(b *block) {
	for i := range b.entries {
		e := &b.entries[i]
		want := c.next + 1
		if b.bad[i] {
			c.r.add(want, "was edited: it holds a value that is none of its column")
			c.unknown, c.next = true, want
			c.r.Entries++
			continue
		}
		switch {
		case e.Seq < want:
			c.r.add(e.Seq, "stands in a place that is not its own")
			continue
		case e.Seq > want && e.Seq == want+1:
			c.r.add(want, "entry %d is missing", want)
		case e.Seq > want:
			c.r.add(want, "entries %d to %d are missing", want, e.Seq-1)
		case e.PrevHash != c.prev && !c.unknown:
			c.r.add(e.Seq, "does not follow the entry before it")
		}
		if !b.whole[i] {
			c.r.add(e.Seq, "was edited: its content does not match its hash")
		} else if e.RemovedBy != 0 {
			c.removed(e)
		} else if e.Action == actionRetain {
			c.retained(e)
		}
		if _, asked := c.at[e.Seq]; asked {
			c.at[e.Seq] = e.Hash
		}
		if _, asked := c.found[e.Hash]; asked {
			c.found[e.Hash] = e.Seq
		}
		c.prev, c.next, c.unknown = e.Hash, e.Seq, false
		c.r.Entries++
	}
}

// end compares the last entry with the head.
func (c *chain) end(ctx context.Context, tx *metadb.Tx, id int64) error {
	c.r.Head = c.prev
	var seq int64
	var hash string
	err := tx.One(ctx, queries.Get("head"), []any{id}, &seq, &hash)
	switch {
	case errors.Is(err, metadb.ErrNoRow):
		if c.r.Entries > 0 {
			c.r.add(c.next, "the head of the chain is missing")
		}
	case err != nil:
		return err
	case seq > c.next:
		c.r.add(c.next+1, "the tail is cut: entries %d to %d are missing", c.next+1, seq)
	case seq < c.next:
		c.r.add(seq+1, "entries stand after the head of the chain")
	case hash != c.prev && !c.unknown:
		c.r.add(seq, "the last entry is not the one the head names")
	}
	return nil
}

// checkHeads compares the chain with heads that were kept.
func (c *chain) checkHeads() {
	all := append(append([]Head{}, c.signed...), c.kept...)
	c.r.Checkpoints = len(all)
	agreed := func(before int64) (last int64) { // the last entry that a head before vouches for
		for _, h := range all {
			if h.Seq > last && h.Seq < before && c.at[h.Seq] == h.Hash {
				last = h.Seq
			}
		}
		return last
	}
	for _, h := range all {
		switch {
		case h.Seq == 0 && c.found[h.Hash] == 0:
			c.r.add(c.next+1, "no entry has the hash of %s: the tail is cut before it, or what stood there was replaced", h.Name)
		case h.Seq == 0, c.at[h.Seq] == h.Hash:
		case h.Seq > c.next:
			c.r.add(c.next+1, "the tail is cut: entries %d to %d are missing, %s names them", c.next+1, h.Seq, h.Name)
		default:
			c.r.add(agreed(h.Seq)+1, "the chain is not that of %s: an entry from %d to %d was replaced or removed", h.Name, agreed(h.Seq)+1, h.Seq)
		}
	}
}
