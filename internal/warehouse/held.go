package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Bounds of what is held in memory, rows. A row is some 200 bytes.
const (
	maxHeldRows  = 100_000 // of one relation
	allHeldRows  = 500_000 // of all
	heldRelation = "held_"
)

// MaxSums is how many rows a Helper of sums has at most to be held in memory.
const MaxSums = 200_000

// held keeps small relations as tables in the engine's memory, so that a dashboard's
// statement neither opens files nor works out labels again. A relation is known by its
// SQL: files never change, so the same SQL over the same files is the same forever.
// Nothing is lost when it is dropped; the least recently used goes first.
type held struct {
	engine *engine
	mu     sync.Mutex
	tables map[string]*heldTable // by name
	rows   int64
	room   int64 // rows of all tables together
}

type heldTable struct {
	name  string
	ready chan struct{} // closed once err and rows are known
	err   error
	rows  int64
	users int
	used  time.Time
}

// hold returns the name of a table that holds the rows of a SELECT, made now if need be.
// The table stays until release is called, and as long as there is room. A SELECT of more
// rows than MaxSums is TooLarge.
func (h *held) hold(ctx context.Context, text string) (name string, release func(), err error) {
	sum := sha256.Sum256([]byte(text))
	name = heldRelation + hex.EncodeToString(sum[:16])
	for {
		h.mu.Lock()
		t, known := h.tables[name]
		if !known {
			t = &heldTable{name: name, ready: make(chan struct{})}
			h.tables[name] = t
		}
		t.users++
		t.used = time.Now()
		h.mu.Unlock()
		release = func() {
			h.mu.Lock()
			t.users--
			h.mu.Unlock()
		}
		if !known {
			h.fill(ctx, t, text)
		}
		select {
		case <-t.ready:
		case <-ctx.Done():
			release()
			return "", nil, engineFault(ctx, ctx.Err())
		}
		if t.err == nil {
			return name, release, nil
		}
		release()
		if !known || fault.KindOf(t.err) != fault.Canceled {
			return "", nil, t.err
		} // another caller gave up while it made the table: try ourselves
	}
}

// fill makes the table and drops what there is no room for.
func (h *held) fill(ctx context.Context, t *heldTable, text string) {
	defer close(t.ready)
	done, err := h.engine.reader(ctx)
	made := err == nil // perhaps: a canceled statement may have ended before it was canceled
	if made {
		_, err = h.engine.db.ExecContext(ctx, "CREATE OR REPLACE TABLE memory.main."+t.name+" AS FROM ("+text+") LIMIT "+strconv.Itoa(MaxSums+1))
		err = engineFault(ctx, err)
		if err == nil {
			err = engineFault(ctx, h.engine.db.QueryRowContext(ctx, "SELECT count(*) FROM memory.main."+t.name).Scan(&t.rows))
		}
		done()
	}
	t.err = err
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && t.rows > MaxSums { // known, so that it is not tried again
		t.rows, t.err = 0, fault.Newf(fault.TooLarge, "there are more than %d sums", MaxSums)
		h.drop(ctx, t.name)
		return
	}
	if err != nil {
		delete(h.tables, t.name)
		if made {
			h.drop(ctx, t.name)
		}
		return
	}
	h.rows += t.rows
	for h.rows > h.room {
		var oldest *heldTable
		for _, o := range h.tables {
			if o.users == 0 && (oldest == nil || o.used.Before(oldest.used)) {
				oldest = o
			}
		}
		if oldest == nil {
			return
		}
		delete(h.tables, oldest.name)
		h.rows -= oldest.rows
		h.drop(ctx, oldest.name)
	}
}

// forget drops every relation that no statement uses; the others go when there is no room.
func (h *held) forget(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, t := range h.tables {
		if t.users == 0 {
			delete(h.tables, name)
			h.rows -= t.rows
			h.drop(ctx, name)
		}
	}
}

// drop removes a table from the engine. The caller has the lock: nobody makes the same
// table meanwhile.
func (h *held) drop(ctx context.Context, name string) {
	if _, err := h.engine.db.ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS memory.main."+name); err != nil {
		h.engine.log.WarnContext(ctx, "cannot drop a held table", "table", name, "error", err)
	}
}
