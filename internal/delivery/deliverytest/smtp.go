// Package deliverytest starts the servers that destinations are tested against, in this process.
package deliverytest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// What the servers of this package let in.
const (
	User     = "mailer"
	Password = "correct-horse-battery"
)

// Mail is what a server was handed.
type Mail struct {
	From, To string
	Secure   bool   // over TLS
	User     string // who was signed in; "" nobody
	Content  string
}

// SMTP is a mail server with two ports: one that changes over to TLS, one that speaks it from the
// first byte, and one that never does.
type SMTP struct {
	Host                      string
	StartTLS, Implicit, Clear int            // the ports
	Roots                     *x509.CertPool // trusts its certificate

	mu     sync.Mutex
	mails  []Mail
	refuse func(step, value string) error
}

// StartSMTP starts a server.
func StartSMTP(t testing.TB) *SMTP {
	t.Helper()
	pair := httptest.NewUnstartedServer(nil)
	pair.StartTLS() // for its certificate, which names 127.0.0.1
	t.Cleanup(pair.Close)
	s := &SMTP{Host: "127.0.0.1", Roots: x509.NewCertPool()}
	s.Roots.AddCert(pair.Certificate())
	config := &tls.Config{Certificates: pair.TLS.Certificates}
	start := func(config *tls.Config, implicit bool) int {
		server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
		server.Domain, server.TLSConfig, server.AllowInsecureAuth, server.EnableSMTPUTF8 = "mail.test", config, config == nil, true
		server.ErrorLog = log.New(io.Discard, "", 0)
		server.MaxMessageBytes = 40 << 20
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if implicit {
			l = tls.NewListener(l, config)
		}
		t.Cleanup(func() { server.Close() })
		go func() { _ = server.Serve(l) }()
		return port
	}
	s.StartTLS, s.Implicit, s.Clear = start(config, false), start(config, true), start(nil, false)
	return s
}

// Refuse lets a function say no, at the steps "auth", "from", "to" and "data", with the user, the
// address or the content; nil ends that. An *smtp.SMTPError is said as it is.
func (s *SMTP) Refuse(f func(step, value string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = f
}

// Refusal is what a server says to refuse.
func Refusal(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 7, 1}, Message: text}
}

// Mails are what the server took, in order.
func (s *SMTP) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail{}, s.mails...)
}

func (s *SMTP) asked(step, value string) error {
	s.mu.Lock()
	f := s.refuse
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(step, value)
}

type session struct {
	server *SMTP
	conn   *smtp.Conn
	mail   Mail
}

// AuthMechanisms lists what is offered.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth checks the user and the password.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if err := s.server.asked("auth", user); err != nil {
			return err
		}
		if user != User || password != Password {
			return smtp.ErrAuthFailed
		}
		s.mail.User = user
		return nil
	}), nil
}

// Reset forgets a message that was begun.
func (s *session) Reset() { s.mail = Mail{User: s.mail.User} }

// Logout does nothing.
func (s *session) Logout() error { return nil }

// Mail takes the sender.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.From = from
	return s.server.asked("from", from)
}

// Rcpt takes the recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.mail.To != "" {
		return errors.New("one recipient at a time is expected")
	}
	s.mail.To = to
	return s.server.asked("to", to)
}

// Data takes the message.
func (s *session) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.server.asked("data", string(content)); err != nil {
		return err
	}
	_, s.mail.Secure = s.conn.TLSConnectionState()
	s.mail.Content = string(content)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}
