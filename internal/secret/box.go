package secret

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Key is a key of the database, wrapped by a master key.
type Key struct {
	ID      string
	Master  string // id of the master key that wraps it
	Wrapped string // base64
	Primary bool   // it seals new values
}

// Store keeps the keys.
type Store interface {
	// Keys returns those that open values, in any order.
	Keys(ctx context.Context) ([]Key, error)
	// First keeps the first key, unless there is a primary one.
	First(ctx context.Context, first Key) error
}

// Box seals and opens secrets. It is safe for concurrent use; several processes may share a
// store. Seal and Open read the store, and the first Seal writes to it: call them before a
// write transaction begins. Where they must be called in one, call Ready before it.
type Box struct {
	store   Store
	masters func() ([]Master, error)
	now     func() time.Time

	loading sync.Mutex // one goroutine asks the store or a key service at a time
	mu      sync.RWMutex
	keys    map[string]tink.AEAD
	at      time.Time // when keys were compared with the store
}

// keysKept is how long keys are used without asking the store whether they are retired.
const keysKept = time.Minute

// New returns a box whose keys store keeps. masters returns the master keys: the first wraps
// new keys. It is called when a key must be unwrapped, not before.
func New(store Store, masters func() ([]Master, error), now func() time.Time) *Box {
	return &Box{store: store, masters: masters, now: now, keys: map[string]tink.AEAD{}}
}

// Sealed values are written moat1.<key>.<base64>, with keys named by idLen characters.
const (
	format = "moat1."
	idLen  = 10
)

var sealedForm = regexp.MustCompile(`^moat1\.[a-z2-7]{10}\.[A-Za-z0-9+/]+=*$`)

// IsSealed reports whether a kept value names the key it is sealed under. Values of versions
// before keys had names do not.
func IsSealed(value string) bool { return sealedForm.MatchString(value) }

// PrefixOf is how values that are sealed under a key begin.
func PrefixOf(key string) string { return format + key + "." }

// KeyOf names the key of a sealed value, "" when the value names none.
func KeyOf(value string) string {
	if !IsSealed(value) {
		return ""
	}
	return value[len(format) : len(format)+idLen]
}

// Seal encrypts a secret. It opens only for the same use, such as Column.Use returns.
func (b *Box) Seal(ctx context.Context, t Text, use string) (string, error) {
	key, err := b.primary(ctx)
	if err != nil {
		return "", err
	}
	sealer, err := b.key(ctx, key)
	if err != nil {
		return "", err
	}
	sealed, err := sealer.Encrypt([]byte(t.plain), []byte(use))
	if err != nil {
		return "", errors.New("a secret cannot be encrypted")
	}
	return PrefixOf(key) + base64.StdEncoding.EncodeToString(sealed), nil
}

// Open decrypts what Seal returned, of versions before keys had names too.
func (b *Box) Open(ctx context.Context, sealed, use string) (Text, error) {
	if !IsSealed(sealed) {
		return b.openUnnamed(sealed, use)
	}
	opener, err := b.key(ctx, KeyOf(sealed))
	if err != nil {
		return Text{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(sealed[len(format)+idLen+1:])
	if err == nil {
		raw, err = opener.Decrypt(raw, []byte(use))
	}
	if err != nil {
		return Text{}, errClosed
	}
	return Text{string(raw)}, nil
}

var errClosed = fault.Newf(fault.Forbidden, "a kept secret cannot be decrypted: bring back the master key that it was kept with, or enter the secret again")

// openUnnamed opens a value that a master key sealed by itself.
func (b *Box) openUnnamed(sealed, use string) (Text, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return Text{}, errClosed
	}
	masters, err := b.masters()
	if err != nil {
		return Text{}, err
	}
	for _, m := range masters {
		own, isLocal := m.(local)
		if !isLocal {
			continue
		}
		if plain, err := envelope(own.outer).Decrypt(raw, []byte(use)); err == nil {
			return Text{string(bytes.Clone(plain))}, nil
		}
	}
	return Text{}, errClosed
}

// envelope gives each value a data key of its own, which outer encrypts.
func envelope(outer tink.AEAD) tink.AEAD {
	return aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), outer)
}

// Ready makes the first key when there is none, so that Seal only reads the store.
func (b *Box) Ready(ctx context.Context) error {
	_, err := b.primary(ctx)
	return err
}

// primary names the key that seals, and makes the first one. It asks the store each time, so
// that nothing is sealed under a key that another process has replaced.
func (b *Box) primary(ctx context.Context) (string, error) {
	for range 2 {
		keys, err := b.store.Keys(ctx)
		if err != nil {
			return "", err
		}
		for _, k := range keys {
			if k.Primary {
				return k.ID, nil
			}
		}
		first, err := b.NewKey(ctx)
		if err != nil {
			return "", err
		}
		if err := b.store.First(ctx, first); err != nil {
			return "", err
		}
	}
	return "", errors.New("the first key was not kept")
}

// NewKey makes a key, wrapped by the first master key. It is not kept yet.
func (b *Box) NewKey(ctx context.Context) (Key, error) {
	plain := make([]byte, keyBytes)
	rand.Read(plain) // never fails
	return b.wrap(ctx, Key{ID: strings.ToLower(rand.Text()[:idLen])}, plain)
}

// Rewrap wraps a key by the first master key. It is not kept yet.
func (b *Box) Rewrap(ctx context.Context, k Key) (Key, error) {
	plain, err := b.unwrap(ctx, k)
	if err != nil {
		return k, err
	}
	return b.wrap(ctx, k, plain)
}

// FirstMaster names the master key that wraps new keys.
func (b *Box) FirstMaster() (string, error) {
	masters, err := b.masters()
	if err != nil {
		return "", err
	}
	return masters[0].ID(), nil
}

func (b *Box) wrap(ctx context.Context, k Key, plain []byte) (Key, error) {
	masters, err := b.masters()
	if err != nil {
		return k, err
	}
	wrapped, err := masters[0].Wrap(ctx, plain, wrapUse(k.ID))
	if err != nil {
		return k, err
	}
	k.Master, k.Wrapped = masters[0].ID(), base64.StdEncoding.EncodeToString(wrapped)
	return k, nil
}

// errMaster says that no master key of this process wraps a key.
var errMaster = errors.New("its master key is not here")

func (b *Box) unwrap(ctx context.Context, k Key) ([]byte, error) {
	masters, err := b.masters()
	if err != nil {
		return nil, err
	}
	for _, m := range masters {
		if m.ID() != k.Master {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(k.Wrapped)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.ID, err)
		}
		return m.Unwrap(ctx, raw, wrapUse(k.ID))
	}
	return nil, fault.Wrapf(fault.Forbidden, errMaster, "the key %s was wrapped by the master key %s, which is not here: bring it back (docs/keys.md), or enter the secrets again", k.ID, k.Master)
}

func wrapUse(id string) []byte { return []byte("moatmetrics key " + id) }

// key returns a key of the store, from memory while that is young enough.
func (b *Box) key(ctx context.Context, id string) (tink.AEAD, error) {
	known, young := b.known(id)
	if known != nil && young {
		return known, nil
	}
	b.loading.Lock()
	defer b.loading.Unlock()
	if known, young = b.known(id); known != nil && young {
		return known, nil
	}
	got, err := b.load(ctx, id)
	if errors.Is(err, errMaster) {
		got, err = b.load(ctx, id) // it may just have been wrapped anew, and its old master key dropped
	}
	return got, err
}

func (b *Box) known(id string) (k tink.AEAD, young bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.keys[id], b.now().Sub(b.at) < keysKept
}

// load forgets retired keys and unwraps one that is asked for.
func (b *Box) load(ctx context.Context, id string) (tink.AEAD, error) {
	kept, err := b.store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	still := map[string]tink.AEAD{}
	var found tink.AEAD
	for _, k := range kept {
		known, _ := b.known(k.ID)
		if k.ID == id && known == nil {
			plain, err := b.unwrap(ctx, k)
			if err != nil {
				return nil, err
			}
			outer, err := subtle.NewAESGCM(plain)
			if err != nil {
				return nil, fault.Newf(fault.Forbidden, "the key %s is damaged", k.ID)
			}
			known = envelope(outer)
		}
		if known != nil {
			still[k.ID] = known
		}
		if k.ID == id {
			found = known
		}
	}
	b.mu.Lock()
	b.keys, b.at = still, b.now()
	b.mu.Unlock()
	if found == nil {
		return nil, fault.Newf(fault.Forbidden, "a kept secret was sealed under the key %s, which is retired: enter the secret again", id)
	}
	return found, nil
}
