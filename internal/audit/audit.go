// Package audit is the append-only, hash-chained record of what happened.
//
// It owns the chain: an event is written in the transaction of the change it records, so
// neither exists without the other, and each entry's hash covers the one before, so an
// edited, missing or reordered entry shows. It owns what keeps the chain honest, too:
// signed checkpoints, retention that leaves seals, verification. It does not own what is
// worth recording.
package audit

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
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

// Event is what happened. It must not hold personal data that somebody could ask to have
// erased; secrets are hidden by the names of their fields all the same.
type Event struct {
	Action   string // verb on a noun: "import.commit", "snapshot.rollback"
	Subject  Subject
	Snapshot int64  // the snapshot it led to or was based on; 0 when none
	Detail   any    // becomes JSON; nil is {}
	Before   any    // what was; stands in the detail as "before"
	After    any    // what is; stands in the detail as "after"
	Reason   string // why, in the words of who did it; "" when nobody said
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
	Source   string          `json:"source" doc:"where the actor acted from; empty for the command line and the program's own work"`
	Action   string          `json:"action"`
	Subject  Subject         `json:"subject"`
	Reason   string          `json:"reason" doc:"why, as the actor said it"`
	Snapshot int64           `json:"snapshot"`
	Detail   json.RawMessage `json:"detail"`
	PrevHash string          `json:"prev_hash"`
	Hash     string          `json:"hash" doc:"SHA-256 of everything above and the tenant: see docs/audit.md"`
	Form     int64           `json:"form" doc:"how the hash is made: 1 or 2"`
	Salt     string          `json:"salt,omitempty" doc:"of the content's seal, form 2"`
	// Content and RemovedBy are set when the content was removed by policy: what is left of
	// it is its seal, and the entry that says so.
	Content   string `json:"content,omitempty" doc:"seal of a content that was removed"`
	RemovedBy int64  `json:"removed_by,omitempty" doc:"entry that says why the content was removed"`
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
	detail, err := e.detail()
	if err != nil {
		return Entry{}, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	now := l.now()
	id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
	if err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	entry := Entry{
		At: metadb.Now(now), Actor: tenant.Actor(metadb.Text(string(scope.Actor))), Action: e.Action, Snapshot: e.Snapshot, Detail: detail,
		Subject: Subject{Kind: e.Subject.Kind, ID: metadb.Text(e.Subject.ID)}, // may be the name of a file
		Source:  metadb.Text(scope.From), Reason: metadb.Text(e.Reason), Form: form2, Salt: hex.EncodeToString(salt),
	}
	// Taking the head's row first keeps two transactions from taking the same number.
	if _, err := tx.Exec(ctx, queries.Get("insert_head"), id); err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	if err := tx.One(ctx, queries.Get("next_seq"), []any{id}, &entry.Seq, &entry.PrevHash); err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	entry.Hash = new(digester).hash(string(scope.Tenant), &entry)
	if _, err := tx.Exec(ctx, queries.Get("insert_event"), id, entry.Seq, entry.At, string(entry.Actor), entry.Action,
		entry.Subject.Kind, entry.Subject.ID, entry.Snapshot, string(entry.Detail), entry.PrevHash, entry.Hash, entry.Form, entry.Source, entry.Reason, entry.Salt); err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("set_head"), id, entry.Hash); err != nil {
		return Entry{}, fmt.Errorf("audit: %w", err)
	}
	return entry, nil
}

// detail is the detail with what was and what is, canonical and without secrets.
func (e Event) detail() (json.RawMessage, error) {
	plain, err := decoded(e.Detail)
	if err != nil {
		return nil, err
	}
	if plain == nil {
		plain = map[string]any{}
	}
	for name, v := range map[string]any{"before": e.Before, "after": e.After} {
		if v == nil {
			continue
		}
		object, ok := plain.(map[string]any)
		if !ok {
			return nil, errors.New("a detail beside before and after must be an object")
		}
		if object[name], err = decoded(v); err != nil {
			return nil, err
		}
	}
	// Maps are written with sorted keys, without space, and numbers as they were, so that
	// equal details have equal hashes whatever Go type held them.
	return json.Marshal(withoutSecrets(plain))
}

// decoded is v as JSON knows it, with numbers as they were written.
func decoded(v any) (plain any, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&plain)
	return plain, err
}

// secretFields are names of fields whose values are never recorded, whoever forgot to use
// secret.Text for them.
var secretFields = map[string]bool{"password": true, "secret": true, "token": true, "private_key": true, "api_key": true, "secret_key": true,
	"access_token": true, "refresh_token": true, "recovery_code": true, "recovery_codes": true, "totp": true, "authorization": true, "cookie": true, "credentials": true}

// hidden stands in place of a secret.
const hidden = "•••"

func withoutSecrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			_, truth := inner.(bool) // that there is one may be said
			if secretFields[name] && inner != nil && inner != "" && !truth {
				v[name] = hidden
			} else {
				v[name] = withoutSecrets(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i])
		}
	}
	return v
}
