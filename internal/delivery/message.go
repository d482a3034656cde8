package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/mail"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Message is what is sent.
type Message struct {
	// ID tells the message from all others and is the same in each attempt: receivers drop a
	// message whose id they know. Work sets it to the delivery's.
	ID string
	// At is the instant that the message bears; for deliveries when they were enqueued.
	At      time.Time
	Kind    string // "report", "alert", "test": webhooks are told
	Subject string // made one line
	Text    string
	HTML    string // "" when there is only text
	Link    string // where it leads to; browsers open it, webhooks are told
	Files   []File
	Data    json.RawMessage // for webhooks: the same in fields; nil for none
	Urgent  bool            // browsers show it at once, whatever the battery
}

// File is an attachment, or the file that is put into a folder or bucket.
type File struct {
	Name   string // without folders: "Executive summary 2026-06.pdf"
	Type   string // MIME: "application/pdf"
	Bytes  int64  // its size
	SHA256 string // of its content, in hex
	// Open reads it from the beginning; it is called for each attempt.
	Open func() (io.ReadCloser, error)
}

// FileOf is a file whose content is in memory.
func FileOf(name, mediaType string, content []byte) File {
	sum := sha256.Sum256(content)
	return File{Name: name, Type: mediaType, Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(content))), nil }}
}

// Receipt says what was sent where.
type Receipt struct {
	// SHA256 is of the one file that was put somewhere; of several, of the lines "hash  name"
	// that sha256sum writes; of an e-mail, of its bytes; of a webhook, of the body; of a
	// message to browsers, of the text before it is encrypted.
	SHA256 string `json:"sha256"`
	// Place is the path or the key of what was put somewhere, the server that took it otherwise.
	Place string `json:"place"`
}

// Bounds of messages.
const (
	maxFiles   = 20
	maxName    = 200 // bytes
	maxMail    = 25 << 20
	maxHook    = 10 << 20
	maxSubject = 300 // characters
)

// Send sends a message to a destination now, once; to is an address or an actor, or "" where
// there are no recipients. Unavailable: trying again may help; other faults need a person. No
// fault holds a secret.
func (s *Service) Send(ctx context.Context, scope tenant.Scope, destination, to string, m Message) (Receipt, error) {
	if err := scope.Check(); err != nil {
		return Receipt{}, err
	}
	if err := m.check(); err != nil {
		return Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	if destination == PushDestination {
		return s.sendPush(ctx, scope, tenant.Actor(to), m)
	}
	d, err := s.Destination(ctx, scope, destination)
	if err != nil {
		return Receipt{}, err
	}
	key, err := s.unseal(ctx, scope, d)
	if err != nil {
		return Receipt{}, err
	}
	switch d.Kind {
	case Email:
		address, err := s.addressOf(ctx, scope, to)
		if err != nil {
			return Receipt{}, err
		}
		return s.sendMail(ctx, d.Settings, key, address, m)
	case Folder:
		return s.putFolder(ctx, d.Settings, m)
	case S3:
		return s.putBucket(ctx, d.Settings, key, m)
	case Webhook:
		return s.callWebhook(ctx, d.Settings, key, m)
	}
	return Receipt{}, fault.Newf(fault.Invalid, "destinations of kind %q are not known", d.Kind)
}

// addressOf is where e-mail to a recipient goes.
func (s *Service) addressOf(ctx context.Context, scope tenant.Scope, to string) (string, error) {
	if !isActor(to) {
		return parseAddress(to)
	}
	if s.opt.Address == nil {
		return "", fault.Newf(fault.NotFound, "the address of %s is not known here", to)
	}
	address, err := s.opt.Address(ctx, scope.Tenant, tenant.Actor(to))
	if err != nil {
		return "", err
	}
	return parseAddress(address)
}

// check makes a message safe to send and refuses what cannot be.
func (m *Message) check() error {
	if m.ID == "" || strings.ContainsFunc(m.ID, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>@()\"\\", r) }) || len(m.ID) > 100 {
		return fault.Newf(fault.Internal, "a message needs an id of letters, digits and hyphens")
	}
	if m.At.IsZero() {
		return fault.Newf(fault.Internal, "a message needs its instant")
	}
	m.Subject = cut(oneLine(m.Subject), maxSubject)
	if m.Subject == "" {
		return fault.Newf(fault.Invalid, "a message needs a subject")
	}
	if len(m.Files) > maxFiles {
		return fault.Newf(fault.TooLarge, "a message has at most %d files: send the rest in another", maxFiles)
	}
	var names []string
	for _, f := range m.Files {
		if err := checkName(f.Name); err != nil {
			return err
		}
		if slices.Contains(names, strings.ToLower(f.Name)) {
			return fault.Newf(fault.Invalid, "two files are called %s: name one otherwise", f.Name)
		}
		names = append(names, strings.ToLower(f.Name))
		if f.Open == nil || f.Bytes < 0 || len(f.SHA256) != 64 {
			return fault.Newf(fault.Internal, "the file %s is not complete", f.Name)
		}
		if strings.ContainsAny(f.Type, "\r\n\x00") {
			return fault.Newf(fault.Invalid, "the type of %s is not one", f.Name)
		}
	}
	return nil
}

// checkName refuses names of files that lead elsewhere, hide, or are not shown as they are.
func checkName(name string) error {
	switch {
	case name == "" || len(name) > maxName || !utf8.ValidString(name):
		return fault.Newf(fault.Invalid, "the name of a file must have 1 to %d bytes", maxName)
	case strings.ContainsAny(name, "/\\:*?\"<>|\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") || path.Base(name) != name || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.TrimSpace(name) != name || oneLine(name) != name:
		return fault.Newf(fault.Invalid, "%q cannot be the name of a file: leave out / \\ : * ? \" < > | and dots at the ends", name)
	}
	return nil
}

// files are what is put into a folder or a bucket: the files, or the text when there are none.
func (m Message) files() []File {
	if len(m.Files) > 0 {
		return m.Files
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/\\:*?\"<>|", r) {
			return '-'
		}
		return r
	}, m.Subject)
	for len(name) > 120 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	name = strings.Trim(name, ". ")
	if name == "" {
		name = "message"
	}
	return []File{FileOf(name+".txt", "text/plain; charset=utf-8", []byte(m.Text))}
}

// read reads a file whole and compares it with what was said of it.
func (f File) read() ([]byte, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, f.Bytes+1))
	if err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "%s cannot be read now", f.Name)
	}
	sum := sha256.Sum256(content)
	if int64(len(content)) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256 {
		return nil, errChanged(f)
	}
	return content, nil
}

// errChanged says that a file is not what it was when it was made.
func errChanged(f File) error {
	return fault.Newf(fault.Invalid, "%s is not what it was when it was made (its hash differs), so it is not sent: make it again", f.Name)
}

// total refuses files that are together larger than a way of sending takes.
func (m Message) total(most int64, instead string) error {
	var n int64
	for _, f := range m.Files {
		n += f.Bytes
	}
	if n > most {
		return fault.Newf(fault.TooLarge, "the files have %d MB, more than the %d MB that can be sent this way: %s", n>>20, most>>20, instead)
	}
	return nil
}

// sumOf is the hash of what was put somewhere: that of the one file, or of a list of several.
func sumOf(files []File) string {
	if len(files) == 1 {
		return files[0].SHA256
	}
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s  %s\n", f.SHA256, f.Name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// parseAddress returns an e-mail address as it is sent to: nothing but the address.
func parseAddress(text string) (string, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text || len(text) > 254 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune("<>\"(),:;\\[]", r)
	}) {
		return "", fault.Newf(fault.Invalid, "%q is not an e-mail address: write name@example.com", cut(oneLine(text), 100))
	}
	return text, nil
}
