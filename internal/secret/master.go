package secret

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Master wraps keys. It lies outside the database.
type Master interface {
	// ID names it and says nothing of it.
	ID() string
	// Wrap encrypts a key, bound to a use.
	Wrap(ctx context.Context, key, use []byte) ([]byte, error)
	// Unwrap decrypts what Wrap returned.
	Unwrap(ctx context.Context, wrapped, use []byte) ([]byte, error)
}

// Source says where the master keys are. The first of URI, Text and File that is there wraps
// new keys; the others open what they wrapped, so that one can take over from another.
type Source struct {
	// URI is file:///path, env://NAME or vault://host/mount/keys/NAME; "" is none.
	URI string
	// Text holds master keys in base64, with commas between them; "" is none.
	Text string
	// File holds master keys in base64, one a line. It is made with a new one when there is
	// neither URI nor Text.
	File string
	// Getenv reads the environment: what env:// names, and VAULT_TOKEN.
	Getenv func(string) string
	// Client asks Vault. Nil waits up to 10 s for an answer.
	Client *http.Client
}

// Masters reads the master keys.
func (s Source) Masters() ([]Master, error) {
	var all []Master
	add := func(more []Master, err error) error {
		for _, m := range more {
			if !slices.ContainsFunc(all, func(o Master) bool { return o.ID() == m.ID() }) {
				all = append(all, m)
			}
		}
		return err
	}
	if s.URI != "" {
		if err := add(s.fromURI()); err != nil {
			return nil, err
		}
	}
	if s.Text != "" {
		if err := add(parseMasters(s.Text, "MOAT_MASTER_KEY")); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(s.File); s.File != "" && (len(all) == 0 || !errors.Is(err, fs.ErrNotExist)) {
		if err := add(fileMasters(s.File)); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fault.Newf(fault.Invalid, "there is no master key: name a key file")
	}
	return all, nil
}

// KeyFile is the file whose first line wraps new keys, "" when something else does.
func (s Source) KeyFile() string {
	u, err := url.Parse(s.URI)
	switch {
	case s.URI == "" && s.Text == "":
		return s.File
	case s.URI != "" && err == nil && u.Scheme == "file":
		return u.Path
	}
	return ""
}

func (s Source) fromURI() ([]Master, error) {
	u, err := url.Parse(s.URI)
	if err != nil {
		return nil, wrongURI() // the cause would show a token in it
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" || !filepath.IsAbs(u.Path) {
			return nil, wrongURI()
		}
		return fileMasters(u.Path)
	case "env":
		name := u.Host + u.Path
		text := s.Getenv(name)
		if text == "" {
			return nil, fault.Newf(fault.Unavailable, "MOAT_MASTER_KEY_URI names the environment variable %s, which is not set", name)
		}
		return parseMasters(text, name)
	case "vault", "vault+http":
		v, err := newVault(u, s.Getenv, s.Client)
		return []Master{v}, err
	}
	return nil, wrongURI()
}

func wrongURI() error {
	return fault.Newf(fault.Invalid, "MOAT_MASTER_KEY_URI is not one of file:///path/to/master.key, env://NAME and vault://host:8200/transit/keys/NAME")
}

// local is a master key in memory.
type local struct {
	id    string
	outer tink.AEAD
}

// keyBytes is the length of master keys and of keys: AES-256.
const keyBytes = 32

// parseMasters reads master keys in base64, one a line or with commas between them.
func parseMasters(text, where string) ([]Master, error) {
	var all []Master
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(part)
		if err != nil {
			// The cause would show a part of the key.
			return nil, fault.Newf(fault.Invalid, "the master key in %s is not base64: make one with openssl rand -base64 32", where)
		}
		m, err := NewMaster(key)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, fault.Newf(fault.Invalid, "%s holds no master key: make one with openssl rand -base64 32", where)
	}
	return all, nil
}

// NewMaster returns a master key of 32 bytes.
func NewMaster(key []byte) (Master, error) {
	if len(key) != keyBytes {
		return nil, fault.Newf(fault.Invalid, "the master key has %d bytes, not %d: make one with openssl rand -base64 32", len(key), keyBytes)
	}
	outer, err := subtle.NewAESGCM(key)
	if err != nil {
		return nil, errors.New("the master key cannot be used")
	}
	return local{"local:" + fingerprint(key), outer}, nil
}

// fingerprint names a key. Keys are random, so that a hash says nothing of them.
func fingerprint(key []byte) string {
	sum := sha256.Sum256(append([]byte("moatmetrics master key\x00"), key...))
	return hex.EncodeToString(sum[:8])
}

func (m local) ID() string { return m.id }

func (m local) Wrap(_ context.Context, key, use []byte) ([]byte, error) {
	return m.outer.Encrypt(key, use)
}

func (m local) Unwrap(_ context.Context, wrapped, use []byte) ([]byte, error) {
	key, err := m.outer.Decrypt(wrapped, use)
	if err != nil {
		return nil, fault.Newf(fault.Forbidden, "a wrapped key was changed: restore the control database")
	}
	return key, nil
}

// fileMasters reads a key file, which is made when it is not there. One that others may read
// is refused.
func fileMasters(file string) ([]Master, error) {
	text, err := keyFile(file)
	if err != nil {
		return nil, err
	}
	return parseMasters(text, file)
}

func keyFile(file string) (string, error) {
	st, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := placeKeys(file, newKeyLine(), os.Link); err != nil {
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

// RenewFile puts a new master key before those of a key file.
func RenewFile(file string) error {
	text, err := keyFile(file)
	if err == nil {
		err = placeKeys(file, newKeyLine()+text, os.Rename)
	}
	return writeFault(err, file)
}

// TrimFile takes all but the first master key out of a key file, once nothing needs them.
func TrimFile(file string) error {
	text, err := keyFile(file)
	first, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if err == nil && rest != "" {
		err = placeKeys(file, first+"\n", os.Rename)
	}
	return writeFault(err, file)
}

func writeFault(err error, file string) error {
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	return fault.Wrapf(fault.Unavailable, err, "the key file %s cannot be written: check the folder's rights and free space", file)
}

func newKeyLine() string {
	key := make([]byte, keyBytes)
	rand.Read(key) // never fails
	return base64.StdEncoding.EncodeToString(key) + "\n"
}

// placeKeys gives a key file its final name only when all of it is durable. With os.Link the
// first of two processes that make one wins.
func placeKeys(file, text string, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err = cmp.Or(err, f.Sync()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := place(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
