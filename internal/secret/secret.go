// Package secret keeps passwords and keys of other systems unreadable at rest.
//
// It owns encryption, the master key and a type that does not print itself. It does not own
// where sealed values lie: whoever needs one keeps it beside its own rows.
//
// It is envelope encryption: each value has a data key of its own, which the master key
// encrypts. A sealed value is bound to what it is for, so that one row's cannot be put in
// place of another's.
package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Text is a secret in memory. It shows itself to nobody; Reveal is how it is read.
type Text struct{ plain string }

const hidden = "•••"

// NewText returns a secret.
func NewText(plain string) Text { return Text{plain} }

// Reveal returns the secret, for the one call that needs it.
func (t Text) Reveal() string { return t.plain }

// IsZero reports whether there is no secret.
func (t Text) IsZero() bool { return t.plain == "" }

// String hides the secret.
func (t Text) String() string {
	if t.IsZero() {
		return ""
	}
	return hidden
}

// GoString hides the secret.
func (t Text) GoString() string { return fmt.Sprintf("secret.Text(%s)", t) }

// Format hides the secret from every verb.
func (t Text) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.String()) }

// LogValue hides the secret.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText hides the secret, in JSON too.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText takes a secret in.
func (t *Text) UnmarshalText(text []byte) error {
	if t.plain = string(text); t.plain == hidden {
		return fault.Newf(fault.Invalid, "the secret is %s: leave it out to keep the one there is", hidden)
	}
	return nil
}

// Box seals and opens secrets under one master key.
type Box struct{ sealer tink.AEAD }

// keyBytes is the length of a master key: AES-256.
const keyBytes = 32

// New returns a box under a master key of 32 bytes.
func New(master []byte) (*Box, error) {
	if len(master) != keyBytes {
		return nil, fault.Newf(fault.Invalid, "the master key has %d bytes, not %d: make one with openssl rand -base64 32", len(master), keyBytes)
	}
	outer, err := subtle.NewAESGCM(master)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return &Box{aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), outer)}, nil
}

// Open returns a box under the master key of a text in base64 or, when that is "", of a
// file, which is made with a new key when it is not there. A file that others may read is
// refused.
func Open(text, file string) (*Box, error) {
	if text == "" {
		made, err := keyFile(file)
		if err != nil {
			return nil, err
		}
		text = made
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		// The cause would show a part of the key.
		return nil, fault.Newf(fault.Invalid, "the master key is not base64: make one with openssl rand -base64 32")
	}
	return New(key)
}

// keyFile reads a key file, or makes it.
func keyFile(file string) (string, error) {
	st, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(file); err != nil {
			return "", fault.Wrapf(fault.Unavailable, err, "the key file %s cannot be made: check the folder's rights and free space", file)
		}
		st, err = os.Stat(file)
	}
	if err != nil {
		return "", fault.Wrapf(fault.Unavailable, err, "the key file %s cannot be read: check its rights", file)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return "", fault.Newf(fault.Forbidden, "others may read the key file %s: run chmod 600 %s", file, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fault.Wrapf(fault.Unavailable, err, "the key file %s cannot be read: check its rights", file)
	}
	return string(text), nil
}

// makeKey writes a new key under its final name only when all of it is durable; of two
// processes that make one, the first wins.
func makeKey(file string) error {
	key := make([]byte, keyBytes)
	rand.Read(key) // never fails
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Seal encrypts a secret. It opens only for the same use, such as "source/acme/7fq2".
func (b *Box) Seal(t Text, use string) (string, error) {
	sealed, err := b.sealer.Encrypt([]byte(t.plain), []byte(use))
	if err != nil {
		return "", errors.New("a secret cannot be encrypted")
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// Open decrypts what Seal returned.
func (b *Box) Open(sealed, use string) (Text, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err == nil {
		raw, err = b.sealer.Decrypt(raw, []byte(use))
	}
	if err != nil {
		return Text{}, fault.Newf(fault.Forbidden, "a kept secret cannot be decrypted: bring back the master key that it was kept with, or enter the secret again")
	}
	return Text{string(bytes.Clone(raw))}, nil
}
