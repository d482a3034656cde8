package deliverytest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Call is a request that a server got.
type Call struct {
	Path   string
	Header http.Header
	Body   []byte
}

// Web is an HTTPS server that keeps what it is sent.
type Web struct {
	*httptest.Server
	Roots *x509.CertPool

	mu     sync.Mutex
	calls  []Call
	answer http.HandlerFunc
}

// StartWeb starts a server that answers everything with 204.
func StartWeb(t testing.TB) *Web {
	t.Helper()
	w := &Web{Roots: x509.NewCertPool()}
	w.Server = httptest.NewTLSServer(http.HandlerFunc(func(res http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		w.mu.Lock()
		w.calls = append(w.calls, Call{req.URL.Path, req.Header.Clone(), body})
		answer := w.answer
		w.mu.Unlock()
		if answer == nil {
			res.WriteHeader(http.StatusNoContent)
			return
		}
		answer(res, req)
	}))
	t.Cleanup(w.Close)
	w.Roots.AddCert(w.Certificate())
	return w
}

// Answer lets a function answer from now on; nil ends that.
func (w *Web) Answer(f http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = f
}

// Away answers everything as a server does that cannot work now; Answer ends that.
func (w *Web) Away() {
	w.Answer(func(res http.ResponseWriter, _ *http.Request) { res.WriteHeader(http.StatusServiceUnavailable) })
}

// Calls are the requests so far, in order.
func (w *Web) Calls() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Call{}, w.calls...)
}

// Browser is the receiving end of messages to a browser: it has a key and opens what it is sent.
type Browser struct {
	P256DH, Auth string // as a browser gives them

	key  *ecdh.PrivateKey
	auth []byte
}

// NewBrowser returns a browser.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, 16)
	rand.Read(auth)
	return BrowserOf(key, auth)
}

// BrowserOf is a browser with a known key and secret.
func BrowserOf(key *ecdh.PrivateKey, auth []byte) *Browser {
	return &Browser{P256DH: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), Auth: base64.RawURLEncoding.EncodeToString(auth), key: key, auth: auth}
}

// Open decrypts a message (RFC 8188, RFC 8291), as a browser does.
func (b *Browser) Open(body []byte) ([]byte, error) {
	if len(body) < 86 || body[20] != 65 {
		return nil, errors.New("no header")
	}
	salt, size, sender := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:86]
	if int(size) < len(body)-86 {
		return nil, errors.New("more than one record")
	}
	public, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	shared, err := b.key.ECDH(public)
	if err != nil {
		return nil, err
	}
	ikm, err := hkdf.Key(sha256.New, shared, b.auth, "WebPush: info\x00"+string(b.key.PublicKey().Bytes())+string(sender), 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, body[86:], nil)
	if err != nil {
		return nil, err
	}
	for len(plain) > 0 && plain[len(plain)-1] == 0 {
		plain = plain[:len(plain)-1]
	}
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, errors.New("no end of the record")
	}
	return plain[:len(plain)-1], nil
}
