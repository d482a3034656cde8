// Package audit is the append-only, hash-chained record of what happened.
//
// It owns the chain: an event is written in the transaction of the change it records, so
// neither exists without the other, and each entry's hash covers the one before, so an
// edited, missing or reordered entry shows. It does not own what is worth recording.
package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Event is what happened. Detail must not hold personal data or secrets.
type Event struct {
	Action   string // verb on a noun: "import.commit", "snapshot.rollback"
	Subject  Subject
	Snapshot int64 // the snapshot it led to or was based on; 0 when none
	Detail   any   // becomes JSON; nil is {}
}

// Subject names what the event is about.
type Subject struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// Entry is a recorded event. Seq counts from 1 in each tenant without gaps.
type Entry struct {
	Seq      int64           `json:"seq"`
	At       string          `json:"at"` // UTC, as metadb.Now writes it
	Actor    tenant.Actor    `json:"actor"`
	Action   string          `json:"action"`
	Subject  Subject         `json:"subject"`
	Snapshot int64           `json:"snapshot"`
	Detail   json.RawMessage `json:"detail"`
	PrevHash string          `json:"prev_hash"`
	Hash     string          `json:"hash"` // SHA-256, hex, of everything above and the tenant
}

// Log appends events. Its clock is given once.
type Log struct{ now func() time.Time }

// New returns a log that takes the time from now.
func New(now func() time.Time) *Log { return &Log{now} }

// Append records an event in the caller's transaction and returns it as recorded. Events of
// one tenant wait for each other until their transactions end.
func (l *Log) Append(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, e Event) (Entry, error) {
	if err := scope.Check(); err != nil {
		return Entry{}, err
	}
	detail, err := canonical(e.Detail)
	if err != nil {
		return Entry{}, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	now := l.now()
	id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
	if err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	entry := Entry{
		At: metadb.Now(now), Actor: tenant.Actor(metadb.Text(string(scope.Actor))), Action: e.Action, Snapshot: e.Snapshot, Detail: detail,
		Subject: Subject{Kind: e.Subject.Kind, ID: metadb.Text(e.Subject.ID)}, // may be the name of a file
	}
	// Taking the head's row first keeps two transactions from taking the same number.
	if _, err := tx.Exec(ctx, queries.Get("insert_head"), id); err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	if err := tx.One(ctx, queries.Get("next_seq"), []any{id}, &entry.Seq, &entry.PrevHash); err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	entry.Hash = entry.digest(scope.Tenant)
	if _, err := tx.Exec(ctx, queries.Get("insert_event"), id, entry.Seq, entry.At, string(entry.Actor), entry.Action,
		entry.Subject.Kind, entry.Subject.ID, entry.Snapshot, string(entry.Detail), entry.PrevHash, entry.Hash); err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("set_head"), id, entry.Hash); err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	return entry, nil
}

// canonical returns v as JSON with sorted keys, without space, and with numbers as they
// were written, so that equal details have equal hashes whatever Go type held them.
func canonical(v any) (json.RawMessage, error) {
	if v == nil {
		return json.RawMessage("{}"), nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}

// digest hashes the entry's parts, each with its length in front, so that no two entries
// share an encoding.
func (e Entry) digest(t tenant.Slug) string {
	var b bytes.Buffer
	part := func(s string) {
		b.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		b.WriteString(s)
	}
	part("moatmetrics audit 1")
	part(string(t))
	part(fmt.Sprint(e.Seq))
	part(e.At)
	part(string(e.Actor))
	part(e.Action)
	part(e.Subject.Kind)
	part(e.Subject.ID)
	part(fmt.Sprint(e.Snapshot))
	part(string(e.Detail))
	part(e.PrevHash)
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

// List returns up to limit entries after seq, oldest first.
func (l *Log) List(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, after int64, limit int) ([]Entry, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, queries.Get("list_events"), string(scope.Tenant), after, limit)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		var e Entry
		var actor, detail string
		if err := rows.Scan(&e.Seq, &e.At, &actor, &e.Action, &e.Subject.Kind, &e.Subject.ID, &e.Snapshot, &detail, &e.PrevHash, &e.Hash); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		e.Actor, e.Detail = tenant.Actor(actor), json.RawMessage(detail)
		out = append(out, e)
	}
	return out, rows.Err()
}

// Fault is one place where the chain is broken.
type Fault struct {
	Seq  int64  `json:"seq"`
	What string `json:"what"`
}

// Report is the result of Verify.
type Report struct {
	Entries int64   `json:"entries"`
	Head    string  `json:"head"` // hash of the last entry; keep a copy elsewhere to detect a cut tail
	Faults  []Fault `json:"faults"`
}

// Verify walks the whole chain and names every entry that was edited, is missing or was
// moved, and a tail that is shorter than the head says.
func (l *Log) Verify(ctx context.Context, scope tenant.Scope, tx *metadb.Tx) (Report, error) {
	var r Report
	prev, next := "", int64(1)
	for {
		entries, err := l.List(ctx, scope, tx, next-1, 1000)
		if err != nil {
			return r, err
		}
		for _, e := range entries {
			if e.Seq != next {
				r.Faults = append(r.Faults, Fault{next, fmt.Sprintf("entries %d to %d are missing", next, e.Seq-1)})
			} else if e.PrevHash != prev {
				r.Faults = append(r.Faults, Fault{e.Seq, "does not follow the entry before it"})
			}
			if e.digest(scope.Tenant) != e.Hash {
				r.Faults = append(r.Faults, Fault{e.Seq, "was edited: its content does not match its hash"})
			}
			prev, next = e.Hash, e.Seq+1
			r.Entries++
		}
		if len(entries) < 1000 {
			break
		}
	}
	r.Head = prev
	var seq int64
	var hash string
	err := tx.One(ctx, queries.Get("head"), []any{string(scope.Tenant)}, &seq, &hash)
	switch {
	case errors.Is(err, metadb.ErrNoRow):
		if r.Entries > 0 {
			r.Faults = append(r.Faults, Fault{next - 1, "the head of the chain is missing"})
		}
	case err != nil:
		return r, fmt.Errorf("audit: %w", err)
	case seq > next-1:
		r.Faults = append(r.Faults, Fault{next, fmt.Sprintf("the tail is cut: entries %d to %d are missing", next, seq)})
	case seq < next-1:
		r.Faults = append(r.Faults, Fault{seq + 1, "entries stand after the head of the chain"})
	case hash != prev:
		r.Faults = append(r.Faults, Fault{seq, "the last entry is not the one the head names"})
	}
	return r, nil
}
