package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Checkpoint is a signed head of a chain: that on At the entry Seq had the hash Hash. A copy
// kept elsewhere finds what was cut or replaced before it, whoever holds the database.
type Checkpoint struct {
	Kind      string      `json:"kind" doc:"moatmetrics audit checkpoint 1"`
	Tenant    tenant.Slug `json:"tenant"`
	Seq       int64       `json:"seq"`
	Hash      string      `json:"hash"`
	At        string      `json:"at" doc:"when it was signed, UTC"`
	Key       string      `json:"key" doc:"Ed25519 public key, base64"`
	Signature string      `json:"signature" doc:"Ed25519 over kind, tenant, seq, hash and at, each with its length in front, base64"`
}

const checkpointKind = "moatmetrics audit checkpoint 1"

// message is what is signed.
func (c *Checkpoint) message() []byte {
	var d digester
	d.start(checkpointKind)
	d.text(string(c.Tenant))
	d.number(c.Seq)
	d.text(c.Hash)
	d.text(c.At)
	return d.b
}

// Check returns an Invalid fault unless the signature is that of the checkpoint's own key.
// Whether that is a key of this installation is another question.
func (c *Checkpoint) Check() error {
	key, err := base64.StdEncoding.DecodeString(c.Key)
	signature, err2 := base64.StdEncoding.DecodeString(c.Signature)
	if err != nil || err2 != nil || c.Kind != checkpointKind || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, c.message(), signature) {
		return fault.Newf(fault.Invalid, "the signature of the checkpoint at entry %d is not that of its content: it was changed after it was signed", c.Seq)
	}
	return nil
}

// Head is the checkpoint as something to verify a chain against.
func (c *Checkpoint) Head() Head {
	return Head{c.Seq, c.Hash, fmt.Sprintf("the checkpoint of %.19sZ at entry %d", c.At, c.Seq), c.Key}
}

// Key is the public part of a signing key.
type Key struct {
	ID     string `json:"id" doc:"the first 16 digits of the key's SHA-256"`
	Public string `json:"public" doc:"Ed25519, base64"`
	PEM    string `json:"pem" doc:"the same as openssl reads it"`
}

func keyOf(public ed25519.PublicKey) Key {
	der, _ := x509.MarshalPKIXPublicKey(public) // cannot fail for this kind of key
	sum := sha256.Sum256(public)
	return Key{hex.EncodeToString(sum[:8]), base64.StdEncoding.EncodeToString(public), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
}

// keyColumn binds a signing key to its tenant.
var keyColumn = secret.Column{Table: "audit_key", Column: "sealed", Holds: "the key that signs checkpoints", Bind: "audit"}

// Sealed names what is encrypted of the record's tables.
func Sealed() []secret.Column { return []secret.Column{keyColumn} }

// SigningKey returns the public key that signs checkpoints, which is made on first use and
// kept sealed by box, which must be ready (secret.Box.Ready).
func (l *Log) SigningKey(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, box *secret.Box) (Key, error) {
	private, err := l.private(ctx, scope, tx, box)
	if err != nil {
		return Key{}, err
	}
	return keyOf(private.Public().(ed25519.PublicKey)), nil
}

// PublicKey returns the public key that signs checkpoints now, the zero Key before the first.
func (l *Log) PublicKey(ctx context.Context, scope tenant.Scope, tx *metadb.Tx) (Key, error) {
	if err := scope.Check(); err != nil {
		return Key{}, err
	}
	var name, public, sealed string
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if err == nil {
		err = tx.One(ctx, queries.Get("newest_key"), []any{id}, &name, &public, &sealed)
	}
	if errors.Is(err, metadb.ErrNoRow) {
		return Key{}, nil
	}
	raw, err2 := base64.StdEncoding.DecodeString(public)
	if err = errors.Join(err, err2); err != nil {
		return Key{}, fmt.Errorf("audit key: %w", err)
	}
	return keyOf(raw), nil
}

func (l *Log) private(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, box *secret.Box) (ed25519.PrivateKey, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), l.now())
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	var name, public, sealed string
	err = tx.One(ctx, queries.Get("newest_key"), []any{id}, &name, &public, &sealed)
	if errors.Is(err, metadb.ErrNoRow) {
		return l.makeKey(ctx, scope, tx, id, box)
	}
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	seed, err := keyColumn.Open(ctx, box, sealed, string(scope.Tenant), name)
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(seed)
	if err != nil || len(raw) != ed25519.SeedSize {
		return nil, fault.Newf(fault.Internal, "the kept signing key cannot be read")
	}
	private := ed25519.NewKeyFromSeed(raw)
	if keyOf(private.Public().(ed25519.PublicKey)).Public != public {
		return nil, fault.Newf(fault.Conflict, "the kept public key is not that of the signing key: somebody changed the table audit_key; restore it from a backup")
	}
	return private, nil
}

func (l *Log) makeKey(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id int64, box *secret.Box) (ed25519.PrivateKey, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	key := keyOf(public)
	sealed, err := keyColumn.Seal(ctx, box, base64.StdEncoding.EncodeToString(private.Seed()), string(scope.Tenant), key.ID)
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	if _, err := tx.Exec(ctx, queries.Get("insert_key"), id, key.ID, key.Public, sealed, metadb.Now(l.now())); err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	_, err = l.Append(ctx, scope, tx, Event{Action: "audit.key", Subject: Subject{Kind: "key", ID: key.ID}, Detail: map[string]string{"public": key.Public}})
	return private, err
}

// Checkpoint signs where the chain ends and keeps that. A head that is signed already is
// returned as it was. Before it signs, the chain since the last checkpoint is followed: a
// broken one is not signed.
func (l *Log) Checkpoint(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, box *secret.Box) (Checkpoint, error) {
	var none Checkpoint
	private, err := l.private(ctx, scope, tx, box)
	if err != nil {
		return none, err
	}
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if err != nil {
		return none, fmt.Errorf("audit checkpoint: %w", err)
	}
	c := Checkpoint{Kind: checkpointKind, Tenant: scope.Tenant, At: metadb.Now(l.now()), Key: keyOf(private.Public().(ed25519.PublicKey)).Public}
	if err := tx.One(ctx, queries.Get("head"), []any{id}, &c.Seq, &c.Hash); err != nil {
		return none, fmt.Errorf("audit checkpoint: %w", err)
	}
	last, err := l.Checkpoints(ctx, scope, tx, 1)
	if err != nil {
		return none, err
	}
	from := Head{}
	if len(last) > 0 {
		if last[0].Seq == c.Seq && last[0].Hash == c.Hash && last[0].Check() == nil {
			return last[0], nil
		}
		from = last[0].Head()
	}
	if err := l.unbroken(ctx, scope, tx, id, from, c.Head()); err != nil {
		return none, err
	}
	c.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(private, c.message()))
	if _, err := tx.Exec(ctx, queries.Get("insert_checkpoint"), id, c.Seq, c.Hash, c.At, c.Key, c.Signature); err != nil {
		return none, fmt.Errorf("audit checkpoint: %w", err)
	}
	return c, nil
}

// unbroken follows the chain from one head to another.
func (l *Log) unbroken(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id int64, from, to Head) error {
	broken := func(seq int64) error {
		return fault.Newf(fault.Conflict, "the audit record is broken at entry %d, so no checkpoint is signed: run moatmetrics verify to see what was changed", seq)
	}
	if from.Seq > 0 {
		var hash string
		if err := tx.One(ctx, queries.Get("get_event"), []any{id, from.Seq}, &hash); err != nil && !errors.Is(err, metadb.ErrNoRow) {
			return fmt.Errorf("audit checkpoint: %w", err)
		}
		if hash != from.Hash {
			return broken(from.Seq)
		}
	}
	var d digester
	for at := from; at.Seq < to.Seq; {
		list, err := l.List(ctx, scope, tx, at.Seq, blockEntries)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return broken(at.Seq + 1)
		}
		for i := range list {
			e := &list[i]
			if e.Seq != at.Seq+1 || e.PrevHash != at.Hash || !d.whole(string(scope.Tenant), e) || e.Seq == to.Seq && e.Hash != to.Hash {
				return broken(at.Seq + 1)
			}
			at = Head{Seq: e.Seq, Hash: e.Hash}
		}
	}
	return nil
}

// Checkpoints returns up to limit signed heads, newest first.
func (l *Log) Checkpoints(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, limit int) ([]Checkpoint, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if errors.Is(err, metadb.ErrNoRow) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("audit checkpoints: %w", err)
	}
	rows, err := tx.Query(ctx, queries.Get("list_checkpoints"), id, limit)
	if err != nil {
		return nil, fmt.Errorf("audit checkpoints: %w", err)
	}
	defer rows.Close()
	var out []Checkpoint
	for rows.Next() {
		c := Checkpoint{Kind: checkpointKind, Tenant: scope.Tenant}
		if err := rows.Scan(&c.Seq, &c.Hash, &c.At, &c.Key, &c.Signature); err != nil {
			return nil, fmt.Errorf("audit checkpoints: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// CheckpointAt returns the signed head of an entry.
func (l *Log) CheckpointAt(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, seq int64) (Checkpoint, error) {
	c := Checkpoint{Kind: checkpointKind, Tenant: scope.Tenant}
	if err := scope.Check(); err != nil {
		return c, err
	}
	id, err := metadb.TenantID(ctx, tx, string(scope.Tenant))
	if err == nil {
		err = tx.One(ctx, queries.Get("get_checkpoint"), []any{id, seq}, &c.Seq, &c.Hash, &c.At, &c.Key, &c.Signature)
	}
	if errors.Is(err, metadb.ErrNoRow) {
		return c, fault.Newf(fault.NotFound, "no checkpoint was signed at entry %d", seq)
	}
	if err != nil {
		return c, fmt.Errorf("audit checkpoints: %w", err)
	}
	return c, nil
}

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseHead reads a head that was kept elsewhere: a checkpoint, whose signature and tenant
// are checked, what moatmetrics verify --json printed, or the hash alone.
func ParseHead(text []byte, t tenant.Slug) (Head, *Checkpoint, error) {
	text = bytes.TrimSpace(text)
	if hash := strings.ToLower(string(text)); hashForm.MatchString(hash) {
		return Head{Hash: hash, Name: "the head that was kept"}, nil, nil
	}
	var f struct {
		Checkpoint
		Entries int64  `json:"audit_entries"`
		Head    string `json:"audit_head"`
	}
	if json.Unmarshal(text, &f) == nil {
		switch {
		case f.Kind == checkpointKind:
			if err := f.Check(); err != nil {
				return Head{}, nil, err
			}
			if f.Checkpoint.Tenant != t {
				return Head{}, nil, fault.Newf(fault.Invalid, "the checkpoint is of the tenant %s, not of %s: choose it with --tenant", f.Checkpoint.Tenant, t)
			}
			return f.Checkpoint.Head(), &f.Checkpoint, nil
		case f.Entries > 0 && hashForm.MatchString(f.Head):
			return Head{Seq: f.Entries, Hash: f.Head, Name: fmt.Sprintf("the head that was kept at entry %d", f.Entries)}, nil, nil
		}
	}
	return Head{}, nil, fault.Newf(fault.Invalid, "this is no head of an audit record: give a file that moatmetrics audit checkpoint -o or moatmetrics verify --json wrote, or one with the hash alone")
}

// checkpoints prepares the heads that the chain is compared with: those kept elsewhere, and
// those of the database whose signatures are good.
func (c *chain) checkpoints(ctx context.Context, tx *metadb.Tx, id int64, t tenant.Slug) error {
	rows, err := tx.Query(ctx, queries.Get("list_keys"), id)
	if err != nil {
		return err
	}
	defer rows.Close()
	known := map[string]bool{}
	for rows.Next() {
		var public string
		if err := rows.Scan(&public); err != nil {
			return err
		}
		known[public] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	list, err := tx.Query(ctx, queries.Get("list_checkpoints"), id, 1_000_000)
	if err != nil {
		return err
	}
	defer list.Close()
	c.at, c.found = map[int64]string{}, map[string]int64{}
	for list.Next() {
		p := Checkpoint{Kind: checkpointKind, Tenant: t}
		if err := list.Scan(&p.Seq, &p.Hash, &p.At, &p.Key, &p.Signature); err != nil {
			return err
		}
		switch {
		case p.Check() != nil:
			c.r.add(p.Seq, "the checkpoint of %.19sZ was edited: its signature is not that of its content", p.At)
		case !known[p.Key]:
			c.r.add(p.Seq, "the checkpoint of %.19sZ is signed by a key that is none of this installation's", p.At)
		default:
			c.signed = append(c.signed, p.Head())
		}
	}
	for _, h := range c.kept {
		if h.Key != "" && !known[h.Key] {
			c.r.add(h.Seq, "%s is signed by a key that is none of this installation's: the key was replaced, or the file is of another one", h.Name)
		}
	}
	for _, h := range append(append([]Head{}, c.signed...), c.kept...) {
		if h.Seq > 0 {
			c.at[h.Seq] = ""
		} else {
			c.found[h.Hash] = 0
		}
	}
	return list.Err()
}
