package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a certificate of 127.0.0.1 under a common name.
func writeCertificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestARenewedCertificateIsServedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writeCertificate(t, dir, "first")
	var log strings.Builder
	cert, err := newCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- listen(ctx, l, cert, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }), slog.New(slog.DiscardHandler))
	}()
	served := func() string {
		t.Helper()
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the name is what is looked at
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	later := func() { // the files have another time, and it is time to look
		for _, f := range []string{certFile, keyFile} {
			at := time.Now().Add(time.Duration(time.Now().Nanosecond()) * time.Second)
			if err := os.Chtimes(f, at, at); err != nil {
				t.Fatal(err)
			}
		}
		cert.mu.Lock()
		cert.looked = time.Time{}
		cert.mu.Unlock()
	}
	if got := served(); got != "first" {
		t.Errorf("got %q", got)
	}
	writeCertificate(t, dir, "second")
	later()
	if got := served(); got != "second" {
		t.Errorf("renewed: got %q", got)
	}
	if err := os.WriteFile(certFile, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	later()
	if got := served(); got != "second" || !strings.Contains(log.String(), "the old one stays") {
		t.Errorf("a broken file: got %q, log %q", got, log.String())
	}
	if _, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil { //nolint:gosec // the version is what is looked at
		t.Error("TLS 1.1 is spoken")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAClientThatHoldsItsHeaderBackIsCutOff(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = listen(ctx, l, nil, http.NotFoundHandler(), slog.New(slog.DiscardHandler)) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	go func() {
		for range 100 { // a byte of header now and then
			if _, err := io.WriteString(conn, "G"); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadAll(conn); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("still open after %s", time.Since(began))
	}
}

func TestWarningsSayWhatIsUnsafeAboutAnAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listen, cert string
		accounts     bool
		says         []string
	}{
		{"127.0.0.1:8080", "", false, nil},
		{"localhost:8080", "", true, nil},
		{"[::1]:8080", "", true, nil},
		{"0.0.0.0:8080", "", false, []string{"no accounts", "without TLS"}},
		{":8080", "", true, []string{"without TLS"}},
		{"192.168.1.4:8443", "c.pem", true, nil},
		{"192.168.1.4:8443", "c.pem", false, []string{"no accounts"}},
	} {
		got := Config{Listen: c.listen, TLSCert: c.cert}.warnings(c.accounts)
		ok := len(got) == len(c.says)
		for i := range c.says {
			ok = ok && strings.Contains(got[i], c.says[i])
		}
		if !ok {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestSettingsOfTheServerAreChecked(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.Hosts, c.TrustedProxies, c.SourceNetworks, c.DeliveryNetworks, c.DeliveryFolders, c.RateSignIn = "a.example.com:80", "10.0.0.0/33", "lan", "lan", "/srv/ok, out", 0
	wrong := map[string]bool{}
	for _, f := range c.checkServing() {
		wrong[f.Path] = true
	}
	for _, path := range []string{"hosts", "trusted_proxies", "source_networks", "delivery_networks", "delivery_folders", "rate_sign_in"} {
		if !wrong[path] {
			t.Errorf("%s is not complained about", path)
		}
	}
	if wrong := defaults().checkServing(); wrong != nil {
		t.Errorf("the defaults: %v", wrong)
	}
	if n, err := networks("none"); err != nil || n == nil || len(n) != 0 {
		t.Errorf("none: %v, %v", n, err)
	}
}
