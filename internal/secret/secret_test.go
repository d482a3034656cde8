package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

const plain = "correct-horse-battery"

// shelf keeps keys in memory, as the control database does in tests of keyring.
type shelf struct {
	keys []secret.Key
	away bool
}

func (s *shelf) Keys(context.Context) ([]secret.Key, error) {
	if s.away {
		return nil, fault.Newf(fault.Unavailable, "the database is away")
	}
	return s.keys, nil
}

func (s *shelf) First(_ context.Context, k secret.Key) error {
	k.Primary = true
	s.keys = append(s.keys, k)
	return nil
}

// replace makes a new primary key.
func (s *shelf) replace(t *testing.T, b *secret.Box) {
	t.Helper()
	k, err := b.NewKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.keys {
		s.keys[i].Primary = false
	}
	k.Primary = true
	s.keys = append(s.keys, k)
}

func box(store secret.Store, from secret.Source) *secret.Box {
	return secret.New(store, from.Masters, time.Now)
}

func TestASealedSecretOpensForItsUseOnly(t *testing.T) {
	t.Parallel()
	from, keys := secret.Source{File: filepath.Join(t.TempDir(), "master.key")}, &shelf{}
	sealed, err := box(keys, from).Seal(t.Context(), secret.NewText(plain), "source/a")
	if err != nil || strings.Contains(sealed, plain) || !secret.IsSealed(sealed) || secret.KeyOf(sealed) != keys.keys[0].ID {
		t.Fatal(sealed, err)
	}
	again := box(keys, from) // the master key and the key that the first one made
	if got, err := again.Open(t.Context(), sealed, "source/a"); err != nil || got.Reveal() != plain {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	other := box(keys, secret.Source{File: filepath.Join(t.TempDir(), "master.key")})
	for name, try := range map[string]func() (secret.Text, error){
		"for another use":          func() (secret.Text, error) { return again.Open(t.Context(), sealed, "source/b") },
		"under another master key": func() (secret.Text, error) { return other.Open(t.Context(), sealed, "source/a") },
		"of no key there":          func() (secret.Text, error) { return box(&shelf{}, from).Open(t.Context(), sealed, "source/a") },
		"with a changed end": func() (secret.Text, error) {
			return again.Open(t.Context(), sealed[:len(sealed)-8]+"AAAAAAA=", "source/a")
		},
		"that is no sealed text": func() (secret.Text, error) { return again.Open(t.Context(), "%", "source/a") },
	} {
		if got, err := try(); fault.KindOf(err) != fault.Forbidden || !got.IsZero() {
			t.Errorf("%s: got %q, %v", name, got.Reveal(), err)
		}
	}
}

func TestSecretsOfVersionsBeforeKeysHadNamesStillOpen(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{7}, 32)
	outer, err := subtle.NewAESGCM(key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), outer).Encrypt([]byte(plain), []byte("source/acme/7"))
	if err != nil {
		t.Fatal(err)
	}
	b := box(&shelf{}, secret.Source{Text: base64.StdEncoding.EncodeToString(key)})
	if got, err := b.Open(t.Context(), base64.StdEncoding.EncodeToString(raw), "source/acme/7"); err != nil || got.Reveal() != plain {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	if _, err := b.Open(t.Context(), base64.StdEncoding.EncodeToString(raw), "source/acme/8"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("another row: got %v", err)
	}
}

func TestAKeyThatAnotherProcessMadeSealsAtOnceAndARetiredOneOpensNothing(t *testing.T) {
	t.Parallel()
	from, keys, now := secret.Source{File: filepath.Join(t.TempDir(), "master.key")}, &shelf{}, time.Unix(0, 0)
	here := secret.New(keys, from.Masters, func() time.Time { return now })
	old, err := here.Seal(t.Context(), secret.NewText(plain), "a")
	if err != nil {
		t.Fatal(err)
	}
	keys.replace(t, box(keys, from)) // elsewhere
	recent, err := here.Seal(t.Context(), secret.NewText(plain), "a")
	if err != nil || secret.KeyOf(recent) != keys.keys[1].ID {
		t.Errorf("got %s, %v, want it sealed under the new key", secret.KeyOf(recent), err)
	}
	keys.away = true
	if _, err := here.Open(t.Context(), old, "a"); err != nil {
		t.Errorf("the store is away for a moment: %v", err)
	}
	keys.away, keys.keys = false, keys.keys[1:]
	now = now.Add(2 * time.Minute)
	if _, err := here.Open(t.Context(), old, "a"); fault.KindOf(err) != fault.Forbidden || !strings.Contains(err.Error(), "retired") {
		t.Errorf("got %v, want that the key is retired", err)
	}
	if got, err := here.Open(t.Context(), recent, "a"); err != nil || got.Reveal() != plain {
		t.Errorf("got %v", err)
	}
}

func TestAColumnBindsAValueToItsRow(t *testing.T) {
	t.Parallel()
	b := box(&shelf{}, secret.Source{File: filepath.Join(t.TempDir(), "master.key")})
	mail := secret.Column{Table: "account", Column: "email"}
	sealed, err := mail.Seal(t.Context(), b, "anna@example.com", "acme", 7)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := mail.Open(t.Context(), b, sealed, "acme", int64(7)); err != nil || got != "anna@example.com" {
		t.Errorf("got %q, %v", got, err)
	}
	name := secret.Column{Table: "account", Column: "name"}
	for what, try := range map[string]func() (string, error){
		"another row":    func() (string, error) { return mail.Open(t.Context(), b, sealed, "acme", 8) },
		"another tenant": func() (string, error) { return mail.Open(t.Context(), b, sealed, "bolt", 7) },
		"another column": func() (string, error) { return name.Open(t.Context(), b, sealed, "acme", 7) },
		"in the clear":   func() (string, error) { return mail.Open(t.Context(), b, "anna@example.com", "acme", 7) },
	} {
		if got, err := try(); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: got %q, %v", what, got, err)
		}
	}
	was := secret.Column{Table: "account", Column: "email", WasClear: true}
	if got, err := was.Open(t.Context(), b, "anna@example.com", "acme", 7); err != nil || got != "anna@example.com" {
		t.Errorf("of an earlier version: got %q, %v", got, err)
	}
}

func TestASecretDoesNotPrintItself(t *testing.T) {
	t.Parallel()
	v := struct{ Password secret.Text }{secret.NewText(plain)}
	asJSON, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("kept", slog.Any("secret", v.Password), slog.Any("in", v))
	out := string(asJSON) + log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		out += fmt.Sprintf(verb, v) + fmt.Sprintf(verb, v.Password) + fmt.Sprintf(verb, &v)
	}
	if strings.Contains(out, plain) || strings.Contains(out, fmt.Sprintf("%x", plain)) {
		t.Error(out)
	}
	if err := json.Unmarshal(asJSON, &v); err == nil {
		t.Error("the stand-in of a secret was taken for one")
	}
}

func ids(t *testing.T, s secret.Source) []string {
	t.Helper()
	all, err := s.Masters()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range all {
		out = append(out, m.ID())
	}
	return out
}

func TestKeyFilesArePrivate(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "master.key")
	from := secret.Source{File: file}
	first := ids(t, from)
	private := func() {
		t.Helper()
		if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("got %v, %v, want 0600", st.Mode(), err)
		}
	}
	private()
	if err := secret.RenewFile(file); err != nil {
		t.Fatal(err)
	}
	private()
	if got := ids(t, from); len(got) != 2 || got[0] == first[0] || got[1] != first[0] {
		t.Errorf("got %v, want a new key before %v", got, first)
	}
	if err := secret.TrimFile(file); err != nil {
		t.Fatal(err)
	}
	private()
	if got := ids(t, from); len(got) != 1 || got[0] == first[0] {
		t.Errorf("got %v, want the new key only", got)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := from.Masters(); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("got %v, want that others may read it", err)
	}
}

func TestMasterKeysComeFromFileEnvironmentOrKeyService(t *testing.T) {
	t.Parallel()
	key := func(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }
	dir := t.TempDir()
	env := func(name string) string { return map[string]string{"MY_KEY": key(1) + ", " + key(2)}[name] }
	one, two := ids(t, secret.Source{Text: key(1)})[0], ids(t, secret.Source{Text: key(2)})[0]
	if got := ids(t, secret.Source{URI: "env://MY_KEY", Text: key(2), Getenv: env}); fmt.Sprint(got) != fmt.Sprint([]string{one, two}) {
		t.Errorf("env: got %v, want %v", got, []string{one, two})
	}
	uri := "file://" + filepath.Join(dir, "own.key")
	made := ids(t, secret.Source{URI: uri, Text: key(2), File: filepath.Join(dir, "not-there")})
	if again := ids(t, secret.Source{URI: uri}); len(made) != 2 || made[1] != two || len(again) != 1 || again[0] != made[0] {
		t.Errorf("file: got %v, then %v", made, again)
	}
	if _, err := os.Stat(filepath.Join(dir, "not-there")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key file that is not needed was made: %v", err)
	}
	if got := ids(t, secret.Source{URI: "vault://vault.example.com:8200/a/transit/keys/moat", Getenv: env}); got[0] != "vault:vault.example.com:8200/a/transit/keys/moat" {
		t.Errorf("vault: got %v", got)
	}
	for uri, want := range map[string]fault.Kind{
		"ftp://x/y":                            fault.Invalid,
		"master.key":                           fault.Invalid,
		"file://relative/path":                 fault.Invalid,
		"env://NOT_SET":                        fault.Unavailable,
		"vault://host":                         fault.Invalid,
		"vault://host/transit/keys/a/b":        fault.Invalid,
		"vault://t0ken@host/transit/keys/a":    fault.Invalid,
		"vault+http://10.0.0.1/transit/keys/a": fault.Invalid,
		"vault://host/../sys/keys/a":           fault.Invalid,
	} {
		if _, err := (secret.Source{URI: uri, Getenv: env}).Masters(); fault.KindOf(err) != want || strings.Contains(fmt.Sprint(err), "t0ken") {
			t.Errorf("%s: got %v, want %v", uri, err, want)
		}
	}
	for _, text := range []string{"short", "c2hvcnQ=", key(1) + ",c2hvcnQ="} {
		if _, err := (secret.Source{Text: text}).Masters(); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestAColumnWithoutKeysKeepsAndReadsNothing(t *testing.T) {
	c := secret.Column{Table: "source", Column: "config", Holds: "servers of sources", WasClear: true}
	ctx := t.Context()
	if v, err := c.Seal(ctx, nil, "", "north", 1); v != "" || err != nil {
		t.Errorf("no value: %q, %v", v, err)
	}
	if _, err := c.SealJSON(ctx, nil, map[string]string{"host": "a"}, "north", 1); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("sealed without keys: %v", err)
	}
	var into map[string]string
	if err := c.OpenJSON(ctx, nil, `{"host":"b"}`, "north", 1, &into); err != nil || into["host"] != "b" {
		t.Errorf("a value of before it was sealed: %v, %v", into, err)
	}
	if err := c.OpenJSON(ctx, nil, "{", "north", 1, &into); fault.KindOf(err) != fault.Internal || !strings.Contains(fault.Message(err)+err.Error(), "servers of sources") {
		t.Errorf("a broken value: %v", err)
	}
}
