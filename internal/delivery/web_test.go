package delivery_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/delivery/deliverytest"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func hookSpec(w *deliverytest.Web) delivery.Spec {
	return delivery.Spec{Name: "hook", Kind: delivery.Webhook, Password: secret.NewText(hookSecret), Settings: delivery.Settings{URL: w.URL + "/very/secret/path"}}
}

// The signature is that of the example of the Standard Webhooks libraries.
func TestASignatureIsThatOfStandardWebhooks(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := delivery.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`)), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAWebhookGetsSignedJSON(t *testing.T) {
	t.Parallel()
	w := deliverytest.StartWeb(t)
	x := newWorld(t, trusting(w.Roots))
	d := x.add(t, hookSpec(w))
	m := message("June", "text", delivery.FileOf("a.csv", "text/csv", []byte("a,b\n")))
	m.Data = json.RawMessage(`{"rule":"Thin"}`)
	if _, err := x.Send(t.Context(), acme, d.ID, "", m); err != nil {
		t.Fatal(err)
	}
	calls := w.Calls()
	if len(calls) != 1 || calls[0].Path != "/very/secret/path" {
		t.Fatalf("%+v", calls)
	}
	c := calls[0]
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookSecret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", c.Header.Get("webhook-id"), c.Header.Get("webhook-timestamp"), c.Body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); c.Header.Get("webhook-signature") != want || c.Header.Get("webhook-id") != "m1" || c.Header.Get("webhook-timestamp") != strconv.FormatInt(x.now().Unix(), 10) {
		t.Errorf("headers %v, want signature %s", c.Header, want)
	}
	var got struct {
		ID, Kind, At, Subject, Text string
		Data                        map[string]string
		Files                       []struct {
			Name    string
			Content []byte
		}
	}
	if err := json.Unmarshal(c.Body, &got); err != nil || got.Subject != "June" || got.At != "2026-07-01T06:00:00Z" || got.Data["rule"] != "Thin" || len(got.Files) != 1 || string(got.Files[0].Content) != "a,b\n" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatAWebhookAnswersIsToldWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := deliverytest.StartWeb(t)
	x := newWorld(t, trusting(w.Roots))
	d := x.add(t, hookSpec(w))
	inside := deliverytest.StartWeb(t)
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		kind   fault.Kind
		says   string
	}{
		"a defect is tried again": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "boom", http.StatusInternalServerError) }, fault.Unavailable, "500 Internal Server Error: boom"},
		"busy":                    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow down", http.StatusTooManyRequests) }, fault.Unavailable, "429"},
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "bad\r\n\x1b[31mform", http.StatusBadRequest)
		}, fault.Invalid, "bad [31mform"},
		"signature not accepted": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "secret "+hookSecret+" is wrong", http.StatusUnauthorized)
		}, fault.Forbidden, "secret ••• is wrong"},
		"a redirect to the network's own service": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusTemporaryRedirect)
		}, fault.Invalid, "redirect (307)"},
		"a redirect to another server": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inside.URL, http.StatusMovedPermanently)
		}, fault.Invalid, "redirect (301)"},
		"an answer without end": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			for range 1000 {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
					return
				}
			}
		}, fault.Invalid, "xxx…"},
		"headers without end": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
			w.WriteHeader(http.StatusNoContent)
		}, fault.Unavailable, "tried again"},
	} {
		t.Run(name, func(t *testing.T) {
			w.Answer(tc.answer)
			_, err := x.Send(t.Context(), acme, d.ID, "", message("June", "text"))
			isKind(t, err, tc.kind)
			if text := fmt.Sprint(err); !strings.Contains(text, tc.says) || strings.Contains(text, "very/secret") || strings.Contains(text, hookSecret) || len(text) > 400 {
				t.Errorf("says %q, want %q in it", text, tc.says)
			}
		})
	}
	if len(inside.Calls()) != 0 {
		t.Error("the redirect was followed")
	}
	for _, short := range []string{"short", "whsec_c2hvcnQ=", "whsec_%%%"} {
		spec := hookSpec(w)
		spec.Name, spec.Password = "short", secret.NewText(short)
		_, err := x.Add(t.Context(), acme, spec)
		isKind(t, err, fault.Invalid)
	}
}

// The example of RFC 8291, appendix A.
func TestAMessageToABrowserIsThatOfTheStandard(t *testing.T) {
	t.Parallel()
	un := func(text string) []byte {
		out, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	own, err := ecdh.P256().NewPrivateKey(un("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := ecdh.P256().NewPrivateKey(un("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
	if err != nil {
		t.Fatal(err)
	}
	auth := un("BTBZMqHH6r4Tts7J_aSIgg")
	got, err := delivery.SealPushWith([]byte("When I grow up, I want to be a watermelon"), theirs.PublicKey().Bytes(), auth, own, un("DGv6ra1nlYgDCS1FRnbzlw"))
	const want = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
	if err != nil || base64.RawURLEncoding.EncodeToString(got) != want {
		t.Errorf("got %s, %v, want %s", base64.RawURLEncoding.EncodeToString(got), err, want)
	}
	if plain, err := deliverytest.BrowserOf(theirs, auth).Open(got); err != nil || string(plain) != "When I grow up, I want to be a watermelon" {
		t.Errorf("opened %q, %v", plain, err)
	}
}

func TestABrowserOpensWhatItIsSentAndKnowsWhoSentIt(t *testing.T) {
	t.Parallel()
	w := deliverytest.StartWeb(t)
	opt := trusting(w.Roots)
	opt.Contact = "https://moat.example.com"
	x := newWorld(t, opt)
	public, err := x.PushKey(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := x.PushKey(t.Context(), acme); err != nil || again != public {
		t.Errorf("another key: %s, %v", again, err)
	}
	anna := tenant.Scope{Tenant: "acme", Actor: "user:7"}
	browser := deliverytest.NewBrowser(t)
	on := func(scope tenant.Scope, path string) delivery.Subscription {
		t.Helper()
		sub, err := x.Subscribe(t.Context(), scope, delivery.Browser{Endpoint: w.URL + path, Keys: delivery.BrowserKeys{P256DH: browser.P256DH, Auth: browser.Auth}, Device: "Phone"})
		if err != nil {
			t.Fatalf("%v %+v", err, fault.FieldsOf(err))
		}
		return sub
	}
	_, err = x.Send(t.Context(), acme, delivery.PushDestination, "user:7", message("x", "y"))
	isKind(t, err, fault.NotFound) // not opted in
	on(anna, "/phone")
	on(anna, "/phone") // again: it stays one
	m := message("Thin margin at Bay", strings.Repeat("ä\"", 3000))
	m.Urgent = true
	if _, err := x.Send(t.Context(), acme, delivery.PushDestination, "user:7", m); err != nil {
		t.Fatal(err)
	}
	calls := w.Calls()
	if len(calls) != 1 || calls[0].Path != "/phone" || calls[0].Header.Get("Content-Encoding") != "aes128gcm" || calls[0].Header.Get("Urgency") != "high" || len(calls[0].Body) > 4096 {
		t.Fatalf("%d calls, %+v", len(calls), calls)
	}
	plain, err := browser.Open(calls[0].Body)
	var got struct{ Title, Body, Kind string }
	if err != nil || json.Unmarshal(plain, &got) != nil || got.Title != m.Subject || !strings.HasPrefix(got.Body, "ä\"ä\"") {
		t.Errorf("%q, %v", plain, err)
	}
	checkVAPID(t, calls[0].Header.Get("Authorization"), public, w.URL, "https://moat.example.com", x.now().Unix())
	// A device that somebody else signs in on is theirs.
	on(tenant.Scope{Tenant: "acme", Actor: "user:8"}, "/phone")
	if list, err := x.Subscriptions(t.Context(), anna); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	w.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	_, err = x.Send(t.Context(), acme, delivery.PushDestination, "user:8", m)
	isKind(t, err, fault.NotFound)
	if in, err := x.OptedIn(t.Context(), acme, "user:8"); err != nil || in {
		t.Errorf("a device that is gone is still there: %v", err)
	}
}

// checkVAPID verifies the signature and the claims (RFC 8292).
func checkVAPID(t *testing.T, header, public, audience, contact string, now int64) {
	t.Helper()
	rest, ok := strings.CutPrefix(header, "vapid t=")
	token, key, found := strings.Cut(rest, ", k=")
	if !ok || !found || key != public {
		t.Fatalf("the header is %q", header)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("the token is %q", token)
	}
	point, err := base64.RawURLEncoding.DecodeString(public)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	verifier, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	if !ecdsa.Verify(verifier, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature is not the key's")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(text, &claims); err != nil || claims.Aud != audience || claims.Sub != contact || claims.Exp <= now || claims.Exp > now+24*3600 {
		t.Errorf("claims %s", text)
	}
}

func TestAPushServiceIsNotInOurOwnNetwork(t *testing.T) {
	t.Parallel()
	x := newWorld(t, delivery.Options{}) // destinations may be private, push services not
	b := deliverytest.NewBrowser(t)
	keys := delivery.BrowserKeys{P256DH: b.P256DH, Auth: b.Auth}
	for _, endpoint := range []string{"https://127.0.0.1/x", "https://10.0.0.1/x", "https://169.254.169.254/", "http://push.example.com/x", "https://user@push.example.com/x", "push", ""} {
		_, err := x.Subscribe(t.Context(), acme, delivery.Browser{Endpoint: endpoint, Keys: keys})
		isKind(t, err, fault.Invalid)
	}
	for _, keys := range []delivery.BrowserKeys{{P256DH: b.P256DH, Auth: "x"}, {P256DH: base64.RawURLEncoding.EncodeToString(make([]byte, 65)), Auth: b.Auth}, {}} {
		_, err := x.Subscribe(t.Context(), acme, delivery.Browser{Endpoint: "https://push.example.com/x", Keys: keys})
		isKind(t, err, fault.Invalid)
	}
	_, err := x.Subscribe(t.Context(), tenant.Scope{Tenant: "acme", Actor: "cli:root"}, delivery.Browser{Endpoint: "https://push.example.com/x", Keys: keys})
	isKind(t, err, fault.Forbidden)
	for n := range 21 {
		_, err = x.Subscribe(t.Context(), acme, delivery.Browser{Endpoint: fmt.Sprintf("https://push.example.com/%d", n), Keys: keys})
	}
	isKind(t, err, fault.TooLarge)
}
