package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/reach"
)

// listening are the flags of a command that serves; those that are given win over the
// configuration.
type listening struct {
	address, cert, key, hosts string
}

func (l *listening) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&l.address, "listen", "", "address (default 127.0.0.1:8080); until there are accounts only this machine is answered on any")
	f.StringVar(&l.cert, "tls-cert", "", "file of the certificate chain, PEM; read again when it changes")
	f.StringVar(&l.key, "tls-key", "", "file of the certificate's key, PEM")
	f.StringVar(&l.hosts, "hosts", "", "names that the server answers under, comma-separated; see docs/serving.md")
}

func (l *listening) into(c *Config) error {
	c.Listen, c.TLSCert, c.TLSKey, c.Hosts = cmp.Or(l.address, c.Listen), cmp.Or(l.cert, c.TLSCert), cmp.Or(l.key, c.TLSKey), cmp.Or(l.hosts, c.Hosts)
	if wrong := c.checkServing(); wrong != nil {
		return fault.WithFields("it cannot be served like this", wrong...)
	}
	return nil
}

// checkServing lists what is wrong with the settings of the server.
func (c Config) checkServing() (wrong []fault.Field) {
	bad := func(path, message string) { wrong = append(wrong, fault.Field{Path: path, Message: message}) }
	_, port, err := net.SplitHostPort(c.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		bad("listen", fmt.Sprintf("%s is not an address: write 127.0.0.1:8080", c.Listen))
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		bad("tls_cert", "needs tls_key, and the other way round")
	}
	for _, h := range listOf(c.Hosts) {
		if strings.ContainsAny(h, "/:* ") {
			bad("hosts", h+" is not a name such as moat.example.com: write it without scheme and port")
		}
	}
	if _, err := prefixes(c.TrustedProxies); err != nil {
		bad("trusted_proxies", err.Error())
	}
	for name, text := range map[string]string{"source_networks": c.SourceNetworks, "delivery_networks": c.DeliveryNetworks} {
		if _, err := networks(text); err != nil {
			bad(name, err.Error())
		}
	}
	for _, dir := range c.deliveryFolders() {
		if !filepath.IsAbs(dir) {
			bad("delivery_folders", dir+" is not the whole path of a folder, from / on")
		}
	}
	for name, n := range map[string]int{"rate_actor": c.RateActor, "rate_address": c.RateAddress, "rate_sign_in": c.RateSignIn} {
		if n < 1 {
			bad(name, "must be at least 1 (a minute)")
		}
	}
	return wrong
}

func listOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ',' || r == ' ' })
}

// prefixes reads networks such as 10.0.0.0/8, or single addresses.
func prefixes(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, one := range listOf(text) {
		p, err := netip.ParsePrefix(one)
		if a, single := netip.ParseAddr(one); single == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s is not a network such as 10.0.0.0/8", one)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// networks are where servers of a use may be beside public addresses: the words private and
// loopback, and networks.
func networks(text string) (reach.Networks, error) {
	out := reach.Networks{}
	var rest []string
	for _, one := range listOf(text) {
		switch one {
		case "private":
			out = append(out, reach.Private...)
		case "loopback":
			out = append(out, reach.Loopback...)
		case "none":
		default:
			rest = append(rest, one)
		}
	}
	more, err := prefixes(strings.Join(rest, ","))
	return append(out, more...), err
}

// deliveryFolders are the folders under which something may be sent.
func (c Config) deliveryFolders() (out []string) {
	for _, dir := range strings.Split(c.DeliveryFolders, ",") {
		if dir = strings.TrimSpace(dir); dir != "" {
			out = append(out, filepath.Clean(dir))
		}
	}
	return out
}

// address is where the app is for people elsewhere, "" when no name of it is known.
func (c Config) address() string {
	names := listOf(c.Hosts)
	if len(names) == 0 {
		return ""
	}
	return "https://" + names[0]
}

// warnings say what is unsafe about how the server is reached.
func (c Config) warnings(accounts bool) (out []string) {
	host, _, err := net.SplitHostPort(c.Listen)
	if ip, perr := netip.ParseAddr(host); err != nil || host == "localhost" || perr == nil && ip.IsLoopback() {
		return nil
	}
	if !accounts {
		out = append(out, "there are no accounts yet: although it listens on "+c.Listen+", only this machine is answered")
	}
	if c.TLSCert == "" {
		out = append(out, "without TLS everybody on the way can read passwords and figures: use --tls-cert and --tls-key, or a reverse proxy with TLS on this machine (docs/serving.md)")
	}
	return out
}

// certificate serves a certificate from files and reads them again when they change, so that
// one that was renewed needs no restart.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	looked  time.Time // when the files were last looked at
	changed [2]time.Time
}

// certificateLook is how often the files are looked at.
const certificateLook = 10 * time.Second

func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.load(); err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "the certificate %s with the key %s cannot be used: both must be PEM files and belong together", certFile, keyFile)
	}
	return c, nil
}

func (c *certificate) load() error {
	var changed [2]time.Time
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		changed[i] = info.ModTime()
	}
	if c.current != nil && changed == c.changed {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.current, c.changed = &pair, changed
	return nil
}

// get is tls.Config's GetCertificate. A new certificate that cannot be used leaves the old one.
func (c *certificate) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= certificateLook {
		c.looked = now
		if err := c.load(); err != nil {
			c.log.ErrorContext(hello.Context(), "the new certificate cannot be used, the old one stays", slog.Any("error", err))
		}
	}
	return c.current, nil
}

// listen answers requests until ctx ends, then lets running ones finish for up to 10 s. With a
// certificate it does so over TLS.
func listen(ctx context.Context, l net.Listener, cert *certificate, handler http.Handler, log *slog.Logger) error {
	// Bodies and answers have no time limit of their own: the handler gives them one that moves
	// on while bytes flow, so that gigabytes may take their time and idle clients may not.
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	serve := server.Serve
	if cert != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cert.get}
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http server: %w", err)
	}
	return <-stopped
}
