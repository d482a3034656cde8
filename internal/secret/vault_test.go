package secret_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

const vaultToken = "hvs.CAESIJlBq0example0token"

// transit is the contract of Vault's transit engine over real AES-256-GCM: keys with
// versions, ciphertexts vault:v<version>:<base64>, associated data, tokens.
type transit struct {
	mu       sync.Mutex
	versions []cipher.AEAD
	denied   string // the verb that the token may not do
	asked    []string
}

func (v *transit) rotate(t *testing.T) {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.versions = append(v.versions, gcm)
}

func (v *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = append(v.asked, r.URL.Path)
	refuse := func(status int, why string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{"errors": []string{why}})
	}
	verb, named := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/v1/transit/"), "/moat")
	switch {
	case r.Header.Get("X-Vault-Token") != vaultToken, verb == v.denied:
		refuse(http.StatusForbidden, "permission denied")
		return
	case r.Method != http.MethodPost || !named:
		refuse(http.StatusNotFound, "no handler for route")
		return
	}
	var in struct {
		Plaintext, Ciphertext string
		AssociatedData        string `json:"associated_data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(http.StatusBadRequest, err.Error())
		return
	}
	data, err := v.crypt(verb, in.Plaintext, in.Ciphertext, in.AssociatedData)
	if err != nil {
		refuse(http.StatusBadRequest, err.Error())
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"request_id": "1", "data": data})
}

func (v *transit) crypt(verb, plaintext, ciphertext, associated string) (map[string]any, error) {
	use, err := base64.StdEncoding.DecodeString(associated)
	if err != nil {
		return nil, err
	}
	switch verb {
	case "encrypt":
		text, err := base64.StdEncoding.DecodeString(plaintext)
		if err != nil {
			return nil, err
		}
		gcm := v.versions[len(v.versions)-1]
		nonce := make([]byte, gcm.NonceSize())
		rand.Read(nonce)
		return map[string]any{"ciphertext": fmt.Sprintf("vault:v%d:%s", len(v.versions), base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, text, use))), "key_version": len(v.versions)}, nil
	case "decrypt":
		var version int
		var rest string
		if _, err := fmt.Sscanf(ciphertext, "vault:v%d:%s", &version, &rest); err != nil || version < 1 || version > len(v.versions) {
			return nil, fmt.Errorf("invalid ciphertext")
		}
		raw, err := base64.StdEncoding.DecodeString(rest)
		gcm := v.versions[version-1]
		if err != nil || len(raw) < gcm.NonceSize() {
			return nil, fmt.Errorf("invalid ciphertext")
		}
		text, err := gcm.Open(nil, raw[:gcm.NonceSize()], raw[gcm.NonceSize():], use)
		if err != nil {
			return nil, err
		}
		return map[string]any{"plaintext": base64.StdEncoding.EncodeToString(text)}, nil
	}
	return nil, fmt.Errorf("unsupported operation")
}

// vaultAt returns a source of a key service at an address.
func vaultAt(server *httptest.Server, path, token string) secret.Source {
	host := strings.TrimPrefix(server.URL, "https://")
	return secret.Source{URI: "vault://" + host + path, Client: server.Client(), Getenv: func(name string) string {
		if name == "VAULT_TOKEN" {
			return token
		}
		return ""
	}}
}

func TestVaultWrapsKeysAndIsAskedOnceForEach(t *testing.T) {
	t.Parallel()
	v := &transit{}
	v.rotate(t)
	server := httptest.NewTLSServer(v)
	defer server.Close()
	from, keys := vaultAt(server, "/transit/keys/moat", vaultToken), &shelf{}
	here := box(keys, from)
	old, err := here.Seal(t.Context(), secret.NewText(plain), "a")
	if err != nil {
		t.Fatal(err)
	}
	v.rotate(t)
	keys.replace(t, here)
	recent, err := here.Seal(t.Context(), secret.NewText(plain), "a")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(unbase64(t, keys.keys[1].Wrapped)); !strings.HasPrefix(text, "vault:v2:") {
		t.Errorf("got %s, want the newest version of the key", text)
	}
	elsewhere := box(keys, from)
	v.asked = nil
	for range 3 {
		for _, sealed := range []string{old, recent} {
			if got, err := elsewhere.Open(t.Context(), sealed, "a"); err != nil || got.Reveal() != plain {
				t.Fatalf("got %q, %v", got.Reveal(), err)
			}
		}
	}
	if len(v.asked) != 2 {
		t.Errorf("got %v, want one call for each key", v.asked)
	}
	keys.keys[0].Wrapped, keys.keys[1].Wrapped = keys.keys[1].Wrapped, keys.keys[0].Wrapped
	if got, err := box(keys, from).Open(t.Context(), old, "a"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a wrapped key in another's place: got %q, %v", got.Reveal(), err)
	}
}

func unbase64(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAWrongOrAbsentKeyServiceIsUnavailableAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	v := &transit{}
	v.rotate(t)
	good := httptest.NewTLSServer(v)
	defer good.Close()
	denies := &transit{denied: "decrypt"}
	denies.rotate(t)
	narrow := httptest.NewTLSServer(denies)
	defer narrow.Close()
	gone := httptest.NewTLSServer(v)
	gone.Close()
	answering := func(status int, body string) *httptest.Server {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", good.URL+"/v1/transit/encrypt/moat")
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		return s
	}
	untrusted := vaultAt(good, "/transit/keys/moat", vaultToken)
	untrusted.Client = nil
	for name, c := range map[string]struct {
		from secret.Source
		says string
	}{
		"unreachable":       {vaultAt(gone, "/transit/keys/moat", vaultToken), "cannot be reached"},
		"no token":          {vaultAt(good, "/transit/keys/moat", ""), "VAULT_TOKEN, which is not set"},
		"wrong token":       {vaultAt(good, "/transit/keys/moat", "hvs.wrong"), "renew the token"},
		"no such key":       {vaultAt(good, "/transit/keys/nope", vaultToken), "check that the key is there"},
		"may not decrypt":   {vaultAt(narrow, "/transit/keys/moat", vaultToken), "allow it transit/decrypt/moat"},
		"sealed":            {vaultAt(answering(503, `{"errors":["Vault is sealed"]}`), "/transit/keys/moat", vaultToken), "unseal it"},
		"another program":   {vaultAt(answering(200, "<html>hello</html>"), "/transit/keys/moat", vaultToken), "not like Vault"},
		"an empty answer":   {vaultAt(answering(200, `{"data":{}}`), "/transit/keys/moat", vaultToken), "not like Vault"},
		"leads elsewhere":   {vaultAt(answering(307, ""), "/transit/keys/moat", vaultToken), "answers 307"},
		"not to be trusted": {untrusted, "cannot be reached"},
	} {
		b := box(&shelf{}, c.from)
		sealed, err := b.Seal(context.WithoutCancel(t.Context()), secret.NewText(plain), "a")
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Message(err), c.says) {
			t.Errorf("%s: got %q, %v, want Unavailable: %s", name, sealed, err, c.says)
		}
		if strings.Contains(fmt.Sprint(err), vaultToken) {
			t.Errorf("%s: the token is shown: %v", name, err)
		}
	}
}

// TestARealVaultWrapsKeys runs against the Vault or OpenBao server that MOAT_TEST_VAULT_URI
// names, when it does.
func TestARealVaultWrapsKeys(t *testing.T) {
	uri := os.Getenv("MOAT_TEST_VAULT_URI")
	if uri == "" {
		t.Skip("MOAT_TEST_VAULT_URI names no server")
	}
	b := box(&shelf{}, secret.Source{URI: uri, Getenv: os.Getenv})
	sealed, err := b.Seal(t.Context(), secret.NewText(plain), "a")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Open(t.Context(), sealed, "a"); err != nil || got.Reveal() != plain {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
}
