package delivery

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/bucket"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// Kind is a kind of destination.
type Kind string

// The kinds.
const (
	Email   Kind = "email"   // a mail server, to addresses
	Folder  Kind = "folder"  // a folder of this machine
	S3      Kind = "s3"      // a bucket of an S3-compatible store, or what lies under a prefix of it
	Webhook Kind = "webhook" // an address that takes signed JSON
	Push    Kind = "push"    // the browsers of users who want it; needs no destination of its own
)

// PushDestination is the destination of messages to browsers: there is one, made by itself.
const PushDestination = "push"

// TLS says how a connection to a mail server is encrypted. A certificate must always be valid.
type TLS string

// The ways.
const (
	StartTLS TLS = "starttls" // begins in the clear and must change over before anything is said, as on port 587
	Implicit TLS = "tls"      // from the first byte, as on port 465
	NoTLS    TLS = "none"     // never; without a password, unless the server is on this machine
)

// Spec is what a person says about a destination.
type Spec struct {
	Name     string   `json:"name" maxLength:"100" doc:"what people call it; unique"`
	Kind     Kind     `json:"kind" enum:"email,folder,s3,webhook"`
	Settings Settings `json:"settings"`
	// Password is kept encrypted and never shown. A change without it keeps the one there is.
	Password secret.Text `json:"password,omitzero" doc:"of email the user's password, of s3 the access key's secret, of webhook what signs each request; kept encrypted, never shown; left out to keep the one there is"`
}

// Settings say where a destination is. Those of other kinds are left alone.
type Settings struct {
	// Of e-mail.
	Host     string `json:"host,omitempty" doc:"of email: the server"`
	Port     int    `json:"port,omitempty" doc:"of email: 587, or 465 with tls, when left out"`
	TLS      TLS    `json:"tls,omitempty" enum:"starttls,tls,none" doc:"of email: starttls when left out, tls on port 465; none sends in the clear"`
	User     string `json:"user,omitempty" doc:"of email the user, none when the server asks for none; of s3 the access key's id"`
	From     string `json:"from,omitempty" doc:"of email: the address it comes from"`
	FromName string `json:"from_name,omitempty" maxLength:"100" doc:"of email: the name it comes from; MoatMetrics when left out"`
	// Of a folder and of S3.
	Path string `json:"path,omitempty" doc:"of folder the whole path, under one of delivery_folders; of s3 the prefix"`
	// Of S3.
	Endpoint string `json:"endpoint,omitempty" doc:"of s3, such as https://s3.eu-central-1.amazonaws.com; http only when it says so"`
	Region   string `json:"region,omitempty" doc:"of s3; us-east-1 when left out"`
	Bucket   string `json:"bucket,omitempty" doc:"of s3"`
	// Of a webhook.
	URL string `json:"url,omitempty" doc:"of webhook: its address, with https"`
}

// Where says in a line where the destination is, for people. An address of a webhook is shown
// without its path and query, which may be secret.
func (s Spec) Where() string {
	set := s.Settings
	switch s.Kind {
	case Email:
		return fmt.Sprintf("%s via %s:%d", set.From, set.Host, set.Port)
	case S3:
		return strings.TrimSuffix(set.Endpoint+"/"+set.Bucket+"/"+set.Path, "/")
	case Webhook:
		return host(set.URL)
	}
	return set.Path
}

// host is an address without its path.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// place is where the settings of S3 lead to.
func (s Settings) place(key secret.Text) bucket.Place {
	return bucket.Place{Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, KeyID: s.User, Secret: key}
}

// sameServer reports whether a secret that was given for a is for b, too.
func sameServer(a, b Settings) bool {
	return a.Host == b.Host && a.Port == b.Port && a.TLS == b.TLS && a.User == b.User && a.Endpoint == b.Endpoint && a.Bucket == b.Bucket && host(a.URL) == host(b.URL)
}

// guard lets connections through to servers that may be destinations.
func (s *Service) guard() reach.Guard {
	return reach.Guard{Networks: s.opt.Networks, What: "a destination", Setting: "delivery_networks"}
}

// check completes a spec and lists what is wrong with it.
func (s *Service) check(spec *Spec) error {
	var wrong []fault.Field
	bad := func(path, message string, allowed ...string) {
		wrong = append(wrong, fault.Field{Path: path, Message: message, Allowed: allowed})
	}
	spec.Name = metadb.Text(oneLine(spec.Name))
	if spec.Name == "" || len(spec.Name) > 100 {
		bad("name", "must be 1 to 100 bytes")
	}
	if spec.Name == PushDestination {
		bad("name", "is taken by the messages to browsers: choose another")
	}
	set := &spec.Settings
	switch spec.Kind {
	case Email:
		s.checkEmail(set, spec.Password, bad)
	case Folder:
		if _, _, err := s.folderOf(set.Path); err != nil {
			bad("settings.path", fault.Message(err))
		} else {
			set.Path = filepath.Clean(set.Path)
		}
		if !spec.Password.IsZero() {
			bad("password", "is not needed by a folder: leave it out")
		}
	case S3:
		at := set.place(secret.Text{})
		for _, w := range bucket.Check(&at, s.guard()) {
			bad("settings."+w.Path, w.Message)
		}
		set.Endpoint = at.Endpoint
		set.Path = strings.Trim(set.Path, "/")
		if set.Path != "" && (path.Clean(set.Path) != set.Path || strings.HasPrefix(set.Path, "..") || oneLine(set.Path) != set.Path) {
			bad("settings.path", "must be a prefix such as reports/monthly")
		}
	case Webhook:
		s.checkWebhook(set, spec.Password, bad)
	default:
		bad("kind", "is "+string(spec.Kind), string(Email), string(Folder), string(S3), string(Webhook))
	}
	if wrong != nil {
		return fault.WithFields("the destination cannot be kept like this", wrong...)
	}
	return nil
}

func (s *Service) checkEmail(set *Settings, password secret.Text, bad func(string, string, ...string)) {
	if set.Host == "" || strings.ContainsAny(set.Host, "/@ \r\n\t") || !utf8.ValidString(set.Host) {
		bad("settings.host", "must be the server's name")
	} else if err := s.guard().CheckHost(set.Host); err != nil {
		bad("settings.host", fault.Message(err))
	}
	if set.TLS == "" {
		set.TLS = StartTLS
		if set.Port == 465 {
			set.TLS = Implicit
		}
	}
	switch set.TLS {
	case StartTLS, Implicit:
	case NoTLS:
		if (set.User != "" || !password.IsZero()) && !onThisMachine(set.Host) {
			bad("settings.tls", "a password is not sent in the clear: use starttls or tls, or leave out the user", string(StartTLS), string(Implicit))
		}
	default:
		bad("settings.tls", "is "+string(set.TLS), string(StartTLS), string(Implicit), string(NoTLS))
	}
	if set.Port == 0 {
		set.Port = map[TLS]int{StartTLS: 587, Implicit: 465, NoTLS: 25}[set.TLS]
	}
	if set.Port < 1 || set.Port > 65535 {
		bad("settings.port", "must be 1 to 65535")
	}
	if _, err := parseAddress(set.From); err != nil {
		bad("settings.from", fault.Message(err))
	}
	if set.FromName = oneLine(set.FromName); len(set.FromName) > 100 {
		bad("settings.from_name", "must be at most 100 bytes")
	}
	if strings.ContainsAny(set.User, "\r\n\x00") {
		bad("settings.user", "must be one line")
	}
}

// onThisMachine reports whether a host names this machine by itself.
func onThisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (s *Service) checkWebhook(set *Settings, key secret.Text, bad func(string, string, ...string)) {
	u, err := url.Parse(set.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(set.URL) > 2000:
		bad("settings.url", "must be an address that begins with https://, without user and #")
	default:
		if err := s.guard().CheckHost(u.Hostname()); err != nil {
			bad("settings.url", fault.Message(err))
		}
	}
	if !key.IsZero() {
		if _, err := signingKey(key); err != nil {
			bad("password", fault.Message(err))
		}
	}
}

// recorded is a spec as the audit record keeps it, which nobody can seal or erase: without
// the names of people, and without what may be secret.
type recorded struct {
	Name   string   `json:"name"`
	Kind   Kind     `json:"kind"`
	Host   string   `json:"host,omitempty"`
	Port   int      `json:"port,omitempty"`
	TLS    TLS      `json:"tls,omitempty"`
	Path   string   `json:"path,omitempty"`
	Bucket string   `json:"bucket,omitempty"`
	Hidden []string `json:"hidden,omitempty"` // what is set and not shown
}

func forRecord(spec Spec) recorded {
	set := spec.Settings
	r := recorded{Name: spec.Name, Kind: spec.Kind, Host: set.Host, Port: set.Port, TLS: set.TLS, Path: set.Path, Bucket: set.Bucket}
	switch spec.Kind {
	case S3:
		r.Host = set.Endpoint
	case Webhook:
		r.Host = host(set.URL)
		r.Hidden = append(r.Hidden, "settings.url")
	}
	if set.User != "" {
		r.Hidden = append(r.Hidden, "settings.user")
	}
	if set.From != "" {
		r.Hidden = append(r.Hidden, "settings.from")
	}
	return r
}
