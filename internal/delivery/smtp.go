package delivery

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// sendMail hands a message to a mail server, which answers for it from then on.
func (s *Service) sendMail(ctx context.Context, set Settings, password secret.Text, to string, m Message) (Receipt, error) {
	if err := m.total(maxMail, "send it to a folder or a bucket instead"); err != nil {
		return Receipt{}, err
	}
	name := set.FromName
	if name == "" {
		name = "MoatMetrics"
	}
	content, err := compose(m, set.From, name, to)
	if err != nil {
		return Receipt{}, err
	}
	address := net.JoinHostPort(set.Host, strconv.Itoa(set.Port))
	conn, err := s.guard().Connect(ctx, address)
	if err != nil {
		return Receipt{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	say := smtpWords{address: address, password: password.Reveal(), to: to, from: set.From, user: set.User}
	client, err := s.greet(ctx, conn, set)
	if err != nil {
		return Receipt{}, say.fault(ctx, err, "greeting")
	}
	defer client.Close()
	if set.User != "" {
		auth, err := s.auth(client, set, password)
		if err != nil {
			return Receipt{}, err
		}
		if err := client.Auth(auth); err != nil {
			return Receipt{}, say.fault(ctx, err, "auth")
		}
	}
	if most, ok := client.MaxMessageSize(); ok && most > 0 && len(content) > most {
		return Receipt{}, fault.Newf(fault.TooLarge, "the message has %d KB, and %s takes at most %d KB: send it to a folder or a bucket instead", len(content)>>10, address, most>>10)
	}
	if err := submit(client, set.From, to, content); err != nil {
		return Receipt{}, err.said(ctx, say)
	}
	// The server has the message: a farewell that fails changes nothing.
	_ = client.Quit()
	sum := sha256.Sum256(content)
	return Receipt{SHA256: hex.EncodeToString(sum[:]), Place: address}, nil
}

// greet agrees with a server on encryption.
func (s *Service) greet(ctx context.Context, conn net.Conn, set Settings) (*smtp.Client, error) {
	config := &tls.Config{ServerName: set.Host, RootCAs: s.opt.Roots, MinVersion: tls.VersionTLS12}
	_, name, _ := strings.Cut(set.From, "@")
	var client *smtp.Client
	switch set.TLS {
	case Implicit:
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		client = smtp.NewClient(secure)
	case StartTLS:
		// A server that never answers is not waited for longer than for any other step.
		if err := conn.SetDeadline(time.Now().Add(reach.StepTime)); err != nil {
			return nil, err
		}
		var err error
		if client, err = smtp.NewClientStartTLS(conn, config); err != nil {
			return nil, err
		}
	default:
		client = smtp.NewClient(conn)
	}
	client.CommandTimeout, client.SubmissionTimeout = reach.StepTime, 2*reach.StepTime
	// After STARTTLS this is where the certificate is looked at.
	return client, client.Hello(name)
}

// auth is how the server wants to be told who asks.
func (s *Service) auth(client *smtp.Client, set Settings, password secret.Text) (sasl.Client, error) {
	if _, secure := client.TLSConnectionState(); !secure && !onThisMachine(set.Host) {
		return nil, fault.Newf(fault.Forbidden, "%s does not encrypt, so the password is not sent: use starttls or tls", set.Host)
	}
	switch {
	case client.SupportsAuth(sasl.Plain):
		return sasl.NewPlainClient("", set.User, password.Reveal()), nil
	case client.SupportsAuth(sasl.Login):
		return sasl.NewLoginClient(set.User, password.Reveal()), nil
	}
	return nil, fault.Newf(fault.Forbidden, "%s takes no password (it offers neither PLAIN nor LOGIN): leave out the user, or ask who runs it for a server that does", set.Host)
}

// submitError is what went wrong while a message was handed over, and at which step.
type submitError struct {
	err  error
	step string
}

func (e *submitError) said(ctx context.Context, w smtpWords) error {
	return w.fault(ctx, e.err, e.step)
}

func submit(client *smtp.Client, from, to string, content []byte) *submitError {
	options := &smtp.MailOptions{Size: int64(len(content))}
	if utf8, _ := client.Extension("SMTPUTF8"); utf8 && !ascii(from+to) {
		options.UTF8 = true
	}
	if err := client.Mail(from, options); err != nil {
		return &submitError{err, "from"}
	}
	if err := client.Rcpt(to, nil); err != nil {
		return &submitError{err, "to"}
	}
	w, err := client.Data()
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return &submitError{err, "content"}
	}
	return nil
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > '~' })
}

// smtpWords turns what a mail server answers into faults that lead on.
type smtpWords struct{ address, password, user, from, to string }

func (w smtpWords) fault(ctx context.Context, err error, step string) error {
	var untrusted *tls.CertificateVerificationError
	var said *smtp.SMTPError
	switch {
	case fault.KindOf(err) == fault.Forbidden:
		return err
	case errors.As(err, &untrusted):
		return fault.Newf(fault.Forbidden, "the certificate of %s is not to be trusted: check the server's name, or add who issued it to the system's certificates", w.address)
	case strings.Contains(err.Error(), "doesn't support STARTTLS"):
		return fault.Newf(fault.Forbidden, "%s does not change over to encryption (STARTTLS): use tls, mostly on port 465", w.address)
	case errors.As(err, &said):
		return w.refusal(said, step)
	case ctx.Err() != nil:
		return fault.Newf(fault.Unavailable, "%s did not answer in time: it is tried again", w.address)
	}
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return fault.Newf(fault.Forbidden, "%s does not speak TLS from the first byte: use starttls, mostly on port 587", w.address)
	}
	return fault.Newf(fault.Unavailable, "the connection to %s broke: it is tried again", w.address)
}

// refusal says which server said what, and what to do about it.
func (w smtpWords) refusal(said *smtp.SMTPError, step string) error {
	words := strconv.Itoa(said.Code) + " "
	if said.EnhancedCode[0] > 0 {
		words += strconv.Itoa(said.EnhancedCode[0]) + "." + strconv.Itoa(said.EnhancedCode[1]) + "." + strconv.Itoa(said.EnhancedCode[2]) + " "
	}
	words += w.hide(cut(oneLine(said.Message), maxSaid))
	if said.Code/100 == 4 {
		return fault.Newf(fault.Unavailable, "%s does not take it now (%s): it is tried again", w.address, words)
	}
	switch step {
	case "auth":
		return fault.Newf(fault.Forbidden, "%s refuses the user or the password (%s): check both, and whether the server wants a password for programs", w.address, words)
	case "from":
		return fault.Newf(fault.Invalid, "%s refuses the sender %s (%s): use an address that this user may send from", w.address, w.from, words)
	case "to":
		return fault.Newf(fault.Invalid, "%s refuses the recipient (%s): check the address", w.address, words)
	case "content":
		return fault.Newf(fault.Invalid, "%s refuses the message (%s): ask who runs the server", w.address, words)
	}
	return fault.Newf(fault.Forbidden, "%s refuses us (%s): ask who runs the server", w.address, words)
}

// maxSaid is how much of what a server says is shown, in characters.
const maxSaid = 200

// hide takes the password and the recipient out of what a server said.
func (w smtpWords) hide(text string) string {
	for _, one := range []string{w.password, w.to} {
		if one != "" {
			text = strings.ReplaceAll(text, one, "•••")
		}
	}
	return text
}
