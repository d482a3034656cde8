package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
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
	Key  string // public key that signed it, base64; "" without a signature
}

// Verify walks the whole chain and names every entry that was edited, is missing or was
// moved, contents that were removed outside the policy, a tail that is shorter than the head
// says, and entries that are not those of the checkpoints, nor of heads kept elsewhere.
func (l *Log) Verify(ctx context.Context, scope tenant.Scope, db *metadb.DB, kept ...Head) (Report, error) {
	if err := scope.Check(); err != nil {
		return Report{}, err
	}
	// Several readers see one chain when they see one head: nothing is appended, and no
	// content removed, without a new one. Where much is appended a single reader sees one.
	for readers := runtime.GOMAXPROCS(0); ; readers = 1 {
		r, same, err := verify(ctx, scope.Tenant, db, kept, readers)
		if err != nil {
			return r, fmt.Errorf("audit: %w", err)
		}
		if same {
			return r, nil
		}
	}
}

// end is where the database says that a chain ends.
type end struct {
	seq   int64
	hash  string
	known bool
}

// blockEntries is how many numbers a block spans.
const blockEntries = 2000

// block is a part of the chain with its hashes compared.
type block struct {
	entries []Entry
	whole   []bool // by entry: whether it has the hash that it must have
	bad     []bool // by entry: whether its row could not be read
}

// verify is Verify with so many readers, each in a transaction of its own: they take the
// blocks in turn and make the hashes, the links are followed here in order. It returns
// false when the readers do not see the same chain.
func verify(ctx context.Context, t tenant.Slug, db *metadb.DB, kept []Head, readers int) (r Report, same bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := chain{kept: kept}
	ends := make([]end, readers)
	arrived, begin := make(chan struct{}, readers), make(chan struct{})
	blocks := make([]chan *block, readers)
	var all sync.WaitGroup
	for i := range readers {
		blocks[i] = make(chan *block, 4)
		all.Go(func() {
			if err := db.Read(ctx, func(tx *metadb.Tx) error {
				id, err := metadb.TenantID(ctx, tx, string(t))
				if err != nil && !errors.Is(err, metadb.ErrNoRow) {
					return err
				}
				if ends[i], err = endOf(ctx, tx, id); err != nil {
					return err
				}
				if i == 0 {
					if err := c.checkpoints(ctx, tx, id, t); err != nil {
						return err
					}
				}
				arrived <- struct{}{}
				select {
				case <-begin:
				case <-ctx.Done():
					return ctx.Err()
				}
				return readBlocks(ctx, tx, id, t, int64(i), int64(readers), ends[i].seq/blockEntries, blocks[i])
			}); err != nil {
				cancel(err)
			}
		})
	}
	defer func() { // the readers end before the report is used
		cancel(nil)
		all.Wait()
	}()
	for range readers {
		select {
		case <-arrived:
		case <-ctx.Done():
			return r, false, context.Cause(ctx)
		}
	}
	for _, e := range ends {
		if e != ends[0] {
			return r, false, nil
		}
	}
	close(begin)
	for k := int64(0); k <= ends[0].seq/blockEntries; k++ {
		select {
		case b := <-blocks[k%int64(readers)]:
			c.follow(b)
		case <-ctx.Done():
			return r, false, context.Cause(ctx)
		}
	}
	c.end(ends[0])
	c.checkRemovals()
	c.checkHeads()
	return c.r, true, nil
}

func endOf(ctx context.Context, tx *metadb.Tx, id int64) (e end, err error) {
	err = tx.One(ctx, queries.Get("head"), []any{id}, &e.seq, &e.hash)
	if errors.Is(err, metadb.ErrNoRow) {
		return end{}, nil
	}
	e.known = true
	return e, err
}

// readBlocks reads the blocks first, first+step, … to last, which has no end: what stands
// after the head is a fault, too, as is what stands before entry 1.
func readBlocks(ctx context.Context, tx *metadb.Tx, id int64, t tenant.Slug, first, step, last int64, to chan<- *block) error {
	var d digester
	for k := first; k <= last; k += step {
		from, until := k*blockEntries, (k+1)*blockEntries-1
		if k == 0 {
			from = math.MinInt64
		}
		if k == last {
			until = math.MaxInt64
		}
		b, err := readBlock(ctx, tx, id, from, until)
		if err != nil {
			return err
		}
		for i := range b.entries {
			b.whole[i] = !b.bad[i] && d.whole(string(t), &b.entries[i])
		}
		select {
		case to <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func readBlock(ctx context.Context, tx *metadb.Tx, id, from, until int64) (*block, error) {
	rows, err := tx.Query(ctx, queries.Get("block_events"), id, from, until)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	b := &block{entries: make([]Entry, 0, blockEntries), bad: make([]bool, 0, blockEntries)}
	for rows.Next() {
		b.entries = append(b.entries, Entry{})
		// Another kind of value than the column's is an edit, not the end of the walk.
		b.bad = append(b.bad, rows.Scan(b.entries[len(b.entries)-1].fields()...) != nil)
	}
	b.whole = make([]bool, len(b.entries))
	return b, rows.Err()
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
func (c *chain) end(head end) {
	c.r.Head = c.prev
	switch {
	case !head.known:
		if c.r.Entries > 0 {
			c.r.add(c.next, "the head of the chain is missing")
		}
	case head.seq > c.next:
		c.r.add(c.next+1, "the tail is cut: entries %d to %d are missing", c.next+1, head.seq)
	case head.seq < c.next:
		c.r.add(head.seq+1, "entries stand after the head of the chain")
	case head.hash != c.prev && !c.unknown:
		c.r.add(head.seq, "the last entry is not the one the head names")
	}
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
