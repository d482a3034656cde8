package secret

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// vault is a key of the transit engine of HashiCorp Vault (or OpenBao), which never leaves
// it. Of its interface only two calls are needed, POST /v1/MOUNT/encrypt/NAME and
// POST /v1/MOUNT/decrypt/NAME, with associated data (Vault 1.13 and later).
// Source: https://developer.hashicorp.com/vault/api-docs/secret/transit
type vault struct {
	id     string
	base   url.URL // of the mount
	name   string
	token  func() string // asked each time: tokens are renewed
	client *http.Client
}

const (
	vaultWait   = 10 * time.Second
	vaultAnswer = 1 << 20 // bytes that an answer may have
)

func newVault(u *url.URL, getenv func(string) string, client *http.Client) (Master, error) {
	mount, name, found := strings.Cut(strings.Trim(u.Path, "/"), "/keys/")
	if u.Host == "" || u.User != nil || u.RawQuery != "" || !found || mount == "" || name == "" || strings.Contains(name, "/") || strings.Contains(u.Path, "..") {
		return nil, wrongURI()
	}
	scheme := "https"
	if u.Scheme == "vault+http" {
		if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, fault.Newf(fault.Invalid, "vault+http:// would send keys in the clear to %s: it is for this machine only, write vault://", u.Host)
		}
		scheme = "http"
	}
	// No proxy of the environment: it would see the token, and whom it is sent to.
	asked := http.Client{Timeout: vaultWait, Transport: &http.Transport{ForceAttemptHTTP2: true, TLSHandshakeTimeout: vaultWait, IdleConnTimeout: time.Minute}}
	if client != nil {
		asked = *client
	}
	// Following one would send the token elsewhere.
	asked.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return vault{
		id:   fmt.Sprintf("vault:%s/%s/keys/%s", u.Host, mount, name),
		base: url.URL{Scheme: scheme, Host: u.Host, Path: "/v1/" + mount}, name: name,
		token: func() string { return getenv("VAULT_TOKEN") }, client: &asked,
	}, nil
}

func (v vault) ID() string { return v.id }

func (v vault) Wrap(ctx context.Context, key, use []byte) ([]byte, error) {
	var out struct{ Ciphertext string }
	if err := v.ask(ctx, "encrypt", map[string]any{"plaintext": key, "associated_data": use}, &out); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(out.Ciphertext, "vault:") {
		return nil, fault.Newf(fault.Unavailable, "%s answers, but not like Vault's transit engine: check MOAT_MASTER_KEY_URI", v.base.Host)
	}
	return []byte(out.Ciphertext), nil
}

func (v vault) Unwrap(ctx context.Context, wrapped, use []byte) ([]byte, error) {
	var out struct{ Plaintext []byte } // base64
	err := v.ask(ctx, "decrypt", map[string]any{"ciphertext": string(wrapped), "associated_data": use}, &out)
	if err == nil && len(out.Plaintext) != keyBytes {
		err = fault.Newf(fault.Unavailable, "%s answers, but not like Vault's transit engine: check MOAT_MASTER_KEY_URI", v.base.Host)
	}
	return out.Plaintext, err
}

// ask makes one call. Errors never hold what was sent.
func (v vault) ask(ctx context.Context, verb string, body map[string]any, out any) error {
	token := v.token()
	if token == "" {
		return fault.Newf(fault.Unavailable, "the key service %s is asked with the token of VAULT_TOKEN, which is not set", v.base.Host)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.base.JoinPath(verb, v.name).String(), bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("X-Vault-Token", token)
	req.Header.Set("X-Vault-Request", "true")
	req.Header.Set("Content-Type", "application/json")
	res, err := v.client.Do(req)
	if err != nil {
		return fault.Wrapf(fault.Unavailable, err, "the key service %s cannot be reached: check MOAT_MASTER_KEY_URI and that it runs", v.base.Host)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, vaultAnswer))
	switch {
	case err != nil:
		return fault.Wrapf(fault.Unavailable, err, "the key service %s broke off its answer", v.base.Host)
	case res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusUnauthorized:
		return fault.Newf(fault.Unavailable, "the key service %s refuses VAULT_TOKEN to %s with the key %s: renew the token, or allow it %s/%s/%s", v.base.Host, verb, v.name, strings.TrimPrefix(v.base.Path, "/v1/"), verb, v.name)
	case res.StatusCode == http.StatusServiceUnavailable:
		return fault.Newf(fault.Unavailable, "the key service %s is sealed or in standby: unseal it", v.base.Host)
	case res.StatusCode != http.StatusOK:
		return fault.Newf(fault.Unavailable, "the key service %s answers %d to %s with the key %s: check that the key is there, allows it and is of a type with associated data (aes256-gcm96)", v.base.Host, res.StatusCode, verb, v.name)
	}
	var envelope struct{ Data json.RawMessage }
	if err := json.Unmarshal(answer, &envelope); err == nil && len(envelope.Data) > 0 {
		err = json.Unmarshal(envelope.Data, out)
		if err == nil {
			return nil
		}
	}
	return fault.Newf(fault.Unavailable, "%s answers, but not like Vault's transit engine: check MOAT_MASTER_KEY_URI", v.base.Host)
}
