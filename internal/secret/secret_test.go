package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

const plain = "correct-horse-battery"

func open(t *testing.T, file string) *secret.Box {
	t.Helper()
	b, err := secret.Open("", file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestASealedSecretOpensForItsUseOnly(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "master.key")
	sealed, err := open(t, file).Seal(secret.NewText(plain), "source/a")
	if err != nil || strings.Contains(sealed, plain) {
		t.Fatal(sealed, err)
	}
	again := open(t, file) // the key that the first one made
	if got, err := again.Open(sealed, "source/a"); err != nil || got.Reveal() != plain {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	other := open(t, filepath.Join(t.TempDir(), "master.key"))
	for name, try := range map[string]func() (secret.Text, error){
		"for another use":        func() (secret.Text, error) { return again.Open(sealed, "source/b") },
		"under another key":      func() (secret.Text, error) { return other.Open(sealed, "source/a") },
		"with a changed end":     func() (secret.Text, error) { return again.Open(sealed[:len(sealed)-8]+"AAAAAAA=", "source/a") },
		"that is no sealed text": func() (secret.Text, error) { return again.Open("%", "source/a") },
	} {
		if got, err := try(); fault.KindOf(err) != fault.Forbidden || !got.IsZero() {
			t.Errorf("%s: got %q, %v", name, got.Reveal(), err)
		}
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

func TestKeyFilesArePrivate(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "master.key")
	open(t, file)
	st, err := os.Stat(file)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want 0600", st.Mode(), err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.Open("", file); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("got %v, want that others may read it", err)
	}
	for _, text := range []string{"short", "c2hvcnQ="} {
		if _, err := secret.Open(text, ""); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
