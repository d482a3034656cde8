package access_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// device is an authenticator with one ES256 key. Its counter stays 0, as with keys that are
// synchronized between devices: it does not tell an answer that is sent again.
type device struct {
	key  *ecdsa.PrivateKey
	id   []byte
	user string
}

func newDevice(t *testing.T, user string) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &device{key, []byte("sixteen letters!"), user}
}

// answer is what a browser at a site returns for options: a new credential (kind create) or a
// signature with it (get). Layouts: https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data and
// RFC 9052 section 7 for the key.
func (d *device) answer(t *testing.T, kind string, at access.Site, options any) []byte {
	t.Helper()
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	var asked struct{ Challenge string }
	if err := json.Unmarshal(text, &asked); err != nil {
		t.Fatal(err)
	}
	client, _ := json.Marshal(map[string]any{"type": "webauthn." + kind, "challenge": asked.Challenge, "origin": at.Origin, "crossOrigin": false})
	host := sha256.Sum256([]byte(at.Host))
	const present, verified, attested = 1, 4, 64
	data := append(host[:], present|verified, 0, 0, 0, 0)
	response := map[string]string{"clientDataJSON": encoded(client)}
	if kind == "create" {
		point, err := d.key.PublicKey.Bytes() // 4, x, y
		if err != nil {
			t.Fatal(err)
		}
		data[32] |= attested
		data = append(data, make([]byte, 16)...)
		data = append(append(data, 0, byte(len(d.id))), d.id...)
		data = append(append(data, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32), point[1:33]...)
		data = append(append(data, 0x22, 0x58, 32), point[33:]...)
		object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
		response["attestationObject"] = encoded(append(object, data...))
	} else {
		hash := sha256.Sum256(client)
		signed := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
		signature, err := ecdsa.SignASN1(rand.Reader, d.key, signed[:])
		if err != nil {
			t.Fatal(err)
		}
		response["authenticatorData"], response["signature"], response["userHandle"] = encoded(data), encoded(signature), encoded([]byte(d.user))
	}
	out, err := json.Marshal(map[string]any{"id": encoded(d.id), "rawId": encoded(d.id), "type": "public-key", "response": response})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func TestAPasskeysAnswerWorksOnceAndAtItsSiteOnly(t *testing.T) {
	w := sqlite(t)
	who := w.owner()
	site := access.Site{Origin: "https://moat.example.com", Host: "moat.example.com"}
	d := newDevice(t, who.Account)
	options, challenge, err := w.BeginPasskey(t.Context(), who, site)
	if err != nil {
		t.Fatal(err)
	}
	made := d.answer(t, "create", site, options)
	if _, err := w.EnrollPasskey(t.Context(), who, site, challenge, "Mine", made); err != nil {
		t.Fatal(err)
	}
	_, err = w.EnrollPasskey(t.Context(), who, site, challenge, "Again", made)
	if err == nil {
		t.Error("a passkey is kept twice")
	}

	begin := func() (any, string) {
		t.Helper()
		options, challenge, err := w.BeginPasskeySignIn(t.Context(), site)
		if err != nil {
			t.Fatal(err)
		}
		return options, challenge
	}
	options, challenge = begin()
	answer := d.answer(t, "get", site, options)
	if in, err := w.PasskeySignIn(t.Context(), laptop, site, challenge, answer); err != nil || in.Token == "" {
		t.Fatalf("%+v %v", in, err)
	}
	_, err = w.PasskeySignIn(t.Context(), laptop, site, challenge, answer)
	kind(t, err, fault.Unauthenticated) // sent again

	_, another := begin()
	_, err = w.PasskeySignIn(t.Context(), laptop, site, another, answer)
	kind(t, err, fault.Unauthenticated) // the answer to another challenge

	phished := access.Site{Origin: "https://moat.example.com.attacker.example", Host: "moat.example.com"}
	options, challenge = begin()
	_, err = w.PasskeySignIn(t.Context(), laptop, site, challenge, d.answer(t, "get", phished, options))
	kind(t, err, fault.Unauthenticated)

	stranger := newDevice(t, who.Account) // says that it is the owner's
	options, challenge = begin()
	_, err = w.PasskeySignIn(t.Context(), laptop, site, challenge, stranger.answer(t, "get", site, options))
	kind(t, err, fault.Unauthenticated)

	options, challenge = begin()
	w.pass(6 * time.Minute)
	_, err = w.PasskeySignIn(t.Context(), laptop, site, challenge, d.answer(t, "get", site, options))
	kind(t, err, fault.Unauthenticated) // too late
}

func TestAnAddressThatIsNoneIsRefusedLikeAnUnknownOne(t *testing.T) {
	w := sqlite(t)
	w.owner()
	for i, email := range []string{"", "no address", "A\u030angstro\u0308m", "\ufb03", "a@b@c"} { // some are shorter in their usual form
		_, err := w.SignIn(t.Context(), email, "wrong words all over", access.Place{Address: "198.51.100.7", Device: string(rune('a' + i))})
		kind(t, err, fault.Unauthenticated)
	}
}
