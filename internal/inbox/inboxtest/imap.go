package inboxtest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// IMAP is a mail server that keeps the mailboxes of one user, User with Password, in memory.
// It listens in three ways; only Plain lets in without encryption.
type IMAP struct {
	Port     int            // implicit TLS
	StartTLS int            // port that changes over to TLS
	Plain    int            // port without encryption
	Roots    *x509.CertPool // trusts its certificate, which is of 127.0.0.1

	user   *imapmemserver.User
	listen []net.Listener
	server []*imapserver.Server
}

// StartIMAP starts a server. caps are what it can beyond IMAP4rev1; nil are those that most
// servers have.
func StartIMAP(t testing.TB, caps ...imap.Cap) *IMAP {
	t.Helper()
	if caps == nil {
		caps = []imap.Cap{imap.CapMove, imap.CapUIDPlus}
	}
	set := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, c := range caps {
		set[c] = struct{}{}
	}
	lender := httptest.NewTLSServer(nil) // of which we only want the certificate
	config := &tls.Config{Certificates: lender.TLS.Certificates}
	s := &IMAP{user: imapmemserver.NewUser(User, Password), Roots: x509.NewCertPool()}
	s.Roots.AddCert(lender.Certificate())
	lender.Close()
	if err := s.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	store := imapmemserver.New()
	store.AddUser(s.user)
	start := func(secure, upgrade bool) int {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		options := &imapserver.Options{Caps: set, InsecureAuth: !secure && !upgrade, Logger: log.New(io.Discard, "", 0), NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return store.NewSession(), nil, nil
		}}
		if upgrade {
			options.TLSConfig = config
		}
		server := imapserver.New(options)
		t.Cleanup(func() { server.Close() })
		port := l.Addr().(*net.TCPAddr).Port
		if secure {
			l = tls.NewListener(l, config)
		}
		go func() { _ = server.Serve(l) }()
		s.listen, s.server = append(s.listen, l), append(s.server, server)
		return port
	}
	s.Port, s.StartTLS, s.Plain = start(true, false), start(false, true), start(false, false)
	return s
}

// Stop ends the server; what it kept stays.
func (s *IMAP) Stop() {
	for _, one := range s.server {
		one.Close()
	}
}

// Part is an attachment of a message.
type Part struct {
	Headers string // each line ended by CRLF
	Body    string
}

// File is an attachment as most programs send it.
func File(name, text string) Part {
	return Part{fmt.Sprintf("Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=%q\r\nContent-Transfer-Encoding: base64\r\n", name), Lines(text)}
}

// Lines is the base64 of a text in lines of 76.
func Lines(text string) string {
	var b bytes.Buffer
	all := base64.StdEncoding.EncodeToString([]byte(text))
	for len(all) > 76 {
		b.WriteString(all[:76] + "\r\n")
		all = all[76:]
	}
	return b.String() + all
}

// Message writes an e-mail with attachments.
func Message(from, subject, id string, parts ...Part) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: reports@example.com\r\nSubject: %s\r\nMessage-ID: <%s@example.com>\r\nDate: Tue, 30 Jun 2026 06:00:00 +0200\r\nMIME-Version: 1.0\r\n", from, subject, id)
	b.WriteString("Content-Type: multipart/mixed; boundary=\"edge\"\r\n\r\n--edge\r\nContent-Type: text/plain\r\n\r\nSee what is attached.\r\n")
	for _, p := range parts {
		fmt.Fprintf(&b, "--edge\r\n%s\r\n%s\r\n", p.Headers, p.Body)
	}
	b.WriteString("--edge--\r\n")
	return b.String()
}

// Deliver puts a message into the user's INBOX.
func (s *IMAP) Deliver(t testing.TB, text string, flags ...imap.Flag) {
	t.Helper()
	if _, err := s.user.Append("INBOX", literal{bytes.NewReader([]byte(text))}, &imap.AppendOptions{Flags: flags, Time: time.Date(2026, 6, 30, 4, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// Dial connects to the server as a person's mail program would.
func (s *IMAP) Dial(t testing.TB) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(fmt.Sprintf("127.0.0.1:%d", s.Plain), nil)
	if err == nil {
		err = c.Login(User, Password).Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Files lists the names of the attachments in a mailbox folder, none when it is not there,
// and fails when a message was marked as read.
func (s *IMAP) Files(t testing.TB, folder string) []string {
	t.Helper()
	c := s.Dial(t)
	defer c.Close()
	if _, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return nil
	}
	var all imap.UIDSet
	all.AddRange(1, 0)
	list, err := c.Fetch(all, &imap.FetchOptions{UID: true, Flags: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range list {
		for _, f := range m.Flags {
			if f == imap.FlagSeen {
				t.Errorf("message %d of %s was marked as read", m.UID, folder)
			}
		}
		m.BodyStructure.Walk(func(_ []int, part imap.BodyStructure) bool {
			if one, ok := part.(*imap.BodyStructureSinglePart); ok && one.Filename() != "" {
				out = append(out, one.Filename())
			}
			return true
		})
	}
	return out
}

// Renumber puts the messages of INBOX but the first into a new one, as a server does that
// has to build its index anew.
func (s *IMAP) Renumber(t testing.TB) {
	t.Helper()
	c := s.Dial(t)
	defer c.Close()
	var rest imap.UIDSet
	rest.AddRange(2, 0)
	if err := s.user.Rename("INBOX", "Old", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("Old", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Copy(rest, "INBOX").Wait(); err != nil {
		t.Fatal(err)
	}
}
