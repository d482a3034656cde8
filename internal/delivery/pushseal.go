package delivery

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Messages to browsers are encrypted for the browser (RFC 8291), so that the push service on the
// way reads nothing, and signed by a key that the browser knows (VAPID, RFC 8292), so that nobody
// else can send to it.

const (
	// pushRecord is the size of the one record that a message is (RFC 8188).
	pushRecord = 4096
	// maxPush is the most bytes of a message: a record without its tag, its end and the header.
	maxPush = pushRecord - 16 - 1 - 86
)

var b64 = base64.RawURLEncoding

// sealPush encrypts a message for a browser whose public key and secret are given, with a fresh
// key and salt.
func sealPush(plain, browser, auth []byte) ([]byte, error) {
	own, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	return sealPushWith(plain, browser, auth, own, salt)
}

// sealPushWith is RFC 8291, section 3.4, with the header of RFC 8188, section 2.1.
func sealPushWith(plain, browser, auth []byte, own *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	if len(plain) > maxPush {
		return nil, fault.Newf(fault.TooLarge, "a message to a browser has at most %d bytes", maxPush)
	}
	theirs, err := ecdh.P256().NewPublicKey(browser)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "the browser's key is none")
	}
	shared, err := own.ECDH(theirs)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "the browser's key is none")
	}
	public := own.PublicKey().Bytes()
	ikm, err := hkdf.Key(sha256.New, shared, auth, "WebPush: info\x00"+string(browser)+string(public), 32)
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
	out := append([]byte{}, salt...)
	out = binary.BigEndian.AppendUint32(out, pushRecord)
	out = append(out, byte(len(public)))
	out = append(out, public...)
	return gcm.Seal(out, nonce, append(append([]byte{}, plain...), 2), nil), nil // 2 ends the last record
}

// vapidLife is how long a signature is good for; push services take at most a day.
const vapidLife = 12 * time.Hour

// vapid is the value of the Authorization header for a push service.
func vapid(key *ecdsa.PrivateKey, public, endpoint, contact string, now time.Time) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"aud": u.Scheme + "://" + u.Host, "exp": now.Add(vapidLife).Unix(), "sub": contact})
	if err != nil {
		return "", err
	}
	text := b64.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + b64.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return fmt.Sprintf("vapid t=%s.%s, k=%s", text, b64.EncodeToString(signature), public), nil
}

// newPushKey makes a key; public is as browsers and push services take it, private as it is kept.
func newPushKey() (public, private string, err error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "", "", err
	}
	return b64.EncodeToString(key.PublicKey().Bytes()), b64.EncodeToString(key.Bytes()), nil
}

// openPushKey reads a kept private key.
func openPushKey(private string) (*ecdsa.PrivateKey, error) {
	d, err := b64.DecodeString(private)
	if err != nil {
		return nil, fault.Newf(fault.Internal, "the kept key for browsers is damaged")
	}
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
}

// decodeKey reads what a browser gives as base64, with or without padding.
func decodeKey(text string, size int) ([]byte, error) {
	key, err := b64.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "="))
	if err != nil || len(key) != size {
		return nil, fault.Newf(fault.Invalid, "must be %d bytes as base64", size)
	}
	return key, nil
}
