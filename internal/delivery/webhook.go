package delivery

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// hook is the body of a request to a webhook.
type hook struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind"`
	At      string          `json:"at"` // RFC 3339, UTC
	Subject string          `json:"subject"`
	Text    string          `json:"text"`
	Link    string          `json:"link,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
	Files   []hookFile      `json:"files,omitempty"`
}

type hookFile struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	Content []byte `json:"content"` // base64
}

// callWebhook posts a message as JSON, signed as Standard Webhooks has it: the headers
// webhook-id, webhook-timestamp (seconds) and webhook-signature, which is "v1," and the base64 of
// the HMAC-SHA256, under the secret, of id, timestamp and body joined by dots.
// Source: https://www.standardwebhooks.com.
func (s *Service) callWebhook(ctx context.Context, set Settings, key secret.Text, m Message) (Receipt, error) {
	if err := m.total(maxHook, "send them to a folder or a bucket instead"); err != nil {
		return Receipt{}, err
	}
	signer, err := signingKey(key)
	if err != nil {
		return Receipt{}, err
	}
	h := hook{ID: m.ID, Kind: m.Kind, At: m.At.UTC().Format(time.RFC3339), Subject: m.Subject, Text: m.Text, Link: m.Link, Data: m.Data}
	for _, f := range m.Files {
		content, err := f.read()
		if err != nil {
			return Receipt{}, err
		}
		h.Files = append(h.Files, hookFile{f.Name, f.Type, f.Bytes, f.SHA256, content})
	}
	body, err := json.Marshal(h)
	if err != nil {
		return Receipt{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, set.URL, bytes.NewReader(body))
	if err != nil {
		return Receipt{}, fault.Newf(fault.Invalid, "the address of the webhook cannot be used: check it")
	}
	at := strconv.FormatInt(s.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "MoatMetrics")
	req.Header.Set("webhook-id", m.ID)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", sign(signer, m.ID, at, body))
	client := httpClient(s.guard(), s.opt.Roots)
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return Receipt{}, httpFault(ctx, err, host(set.URL))
	}
	defer res.Body.Close()
	if err := answered(res, host(set.URL), key.Reveal()); err != nil {
		return Receipt{}, err
	}
	sum := sha256.Sum256(body)
	return Receipt{SHA256: hex.EncodeToString(sum[:]), Place: host(set.URL)}, nil
}

// minKey is how many bytes a secret has at least.
const minKey = 16

// signingKey is the key of a webhook's secret: of "whsec_" and base64 the bytes that these are,
// otherwise the text itself.
func signingKey(t secret.Text) ([]byte, error) {
	plain := t.Reveal()
	key := []byte(plain)
	if rest, ok := strings.CutPrefix(plain, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(rest); err != nil {
			return nil, fault.Newf(fault.Invalid, "must be base64 after whsec_, or any text that does not begin with whsec_")
		}
	}
	if len(key) < minKey {
		return nil, fault.Newf(fault.Invalid, "must have %d bytes or more: openssl rand -base64 32 makes one", minKey)
	}
	return key, nil
}

// sign returns the signature of a body.
func sign(key []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// httpClient connects to those servers only that guard lets through, follows no redirect, uses
// no proxy of the environment, and waits for no answer for long.
func httpClient(guard reach.Guard, roots *x509.CertPool) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         func(ctx context.Context, _, address string) (net.Conn, error) { return guard.Connect(ctx, address) },
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: reach.DialTime, ResponseHeaderTimeout: reach.StepTime, MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives: true, ForceAttemptHTTP2: true,
		},
	}
}

// answered is nil when a server took what was sent. What it says otherwise is told, shortened.
func answered(res *http.Response, where, hidden string) error {
	if res.StatusCode/100 == 2 {
		return nil
	}
	if res.StatusCode/100 == 3 {
		return fault.Newf(fault.Invalid, "%s answers with a redirect (%d), which is not followed: give the address that it leads to", where, res.StatusCode)
	}
	// A body that ends early, or never, tells less; the status is what counts.
	body, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	said := cut(oneLine(strings.ToValidUTF8(string(body), "")), maxSaid)
	if hidden != "" {
		said = strings.ReplaceAll(said, hidden, "•••")
	}
	words := fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode))
	if said != "" {
		words += ": " + said
	}
	switch {
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout || res.StatusCode == http.StatusTooEarly:
		return fault.Newf(fault.Unavailable, "%s does not take it now (%s): it is tried again", where, words)
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return fault.Newf(fault.Forbidden, "%s refuses it (%s): check the address and the secret", where, words)
	}
	return fault.Newf(fault.Invalid, "%s refuses it (%s): check the address, and what it expects", where, words)
}

// httpFault gives an error of a request its kind. It does not name the address, whose path may
// be secret.
func httpFault(ctx context.Context, err error, where string) error {
	var known *fault.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &untrusted):
		return fault.Newf(fault.Forbidden, "the certificate of %s is not to be trusted: check the address, or add who issued it to the system's certificates", where)
	case ctx.Err() != nil:
		return fault.Newf(fault.Unavailable, "%s did not answer in time: it is tried again", where)
	}
	return fault.Newf(fault.Unavailable, "the connection to %s broke, or no answer came: it is tried again", where)
}
