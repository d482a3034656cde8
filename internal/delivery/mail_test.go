package delivery_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emersion/go-message/mail"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/delivery/deliverytest"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

func mailSpec(s *deliverytest.SMTP) delivery.Spec {
	return delivery.Spec{Name: "office", Kind: delivery.Email, Password: secret.NewText(deliverytest.Password),
		Settings: delivery.Settings{Host: s.Host, Port: s.StartTLS, User: deliverytest.User, From: "reports@msp.example", FromName: "Müller & Söhne"}}
}

// read takes an e-mail apart as a mail program does: headers, texts by type, files by name.
func read(t *testing.T, content string) (mail.Header, map[string]string, map[string][]byte) {
	t.Helper()
	r, err := mail.CreateReader(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	texts, files := map[string]string{}, map[string][]byte{}
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			return r.Header, texts, files
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		switch h := p.Header.(type) {
		case *mail.InlineHeader:
			kind, _, err := h.ContentType()
			if err != nil {
				t.Fatal(err)
			}
			texts[kind] = string(body)
		case *mail.AttachmentHeader:
			name, err := h.Filename()
			if err != nil {
				t.Fatal(err)
			}
			files[name] = body
		}
	}
}

func TestEMailArrivesAsItWasMeant(t *testing.T) {
	t.Parallel()
	s := deliverytest.StartSMTP(t)
	x := newWorld(t, trusting(s.Roots))
	pdf := bytes.Repeat([]byte("%PDF\x00\r\n\n."), 20_000)
	m := message("Übersicht für Juni 📈", "Zeile eins\n.\nZeile drei é\n", delivery.FileOf("Übersicht 2026-06.pdf", "application/pdf", pdf))
	m.HTML = "<p>Zeile eins</p>"
	for name, way := range map[string]struct {
		port   int
		tls    delivery.TLS
		user   string
		secure bool
	}{
		"starttls": {s.StartTLS, delivery.StartTLS, deliverytest.User, true},
		"tls":      {s.Implicit, delivery.Implicit, deliverytest.User, true},
		"none":     {s.Clear, delivery.NoTLS, "", false},
	} {
		spec := mailSpec(s)
		spec.Name, spec.Settings.Port, spec.Settings.TLS, spec.Settings.User = name, way.port, way.tls, way.user
		d := x.add(t, spec)
		before := len(s.Mails())
		r, err := x.Send(t.Context(), acme, d.ID, "user:7", m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		mails := s.Mails()
		if len(mails) != before+1 {
			t.Fatalf("%s: %d mails", name, len(mails)-before)
		}
		got := mails[before]
		if got.From != "reports@msp.example" || got.To != "7@users.example" || got.Secure != way.secure || got.User != way.user {
			t.Errorf("%s: from %s to %s, secure %v, as %q", name, got.From, got.To, got.Secure, got.User)
		}
		h, texts, files := read(t, got.Content)
		subject, _ := h.Subject()
		from, _ := h.AddressList("From")
		id, _ := h.MessageID()
		date, _ := h.Date()
		if subject != m.Subject || len(from) != 1 || from[0].Name != "Müller & Söhne" || id != "m1@msp.example" || !date.Equal(m.At) {
			t.Errorf("%s: subject %q, from %v, id %q, date %s", name, subject, from, id, date)
		}
		if text := strings.ReplaceAll(texts["text/plain"], "\r\n", "\n"); text != m.Text || texts["text/html"] != m.HTML || !bytes.Equal(files["Übersicht 2026-06.pdf"], pdf) {
			t.Errorf("%s: text %q, html %q, %d bytes", name, text, texts["text/html"], len(files["Übersicht 2026-06.pdf"]))
		}
		if r.SHA256 == "" || !strings.Contains(r.Place, "127.0.0.1") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestTheSameMessageGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	m := message("June", "text", delivery.FileOf("a.csv", "text/csv", []byte("a,b\n")))
	m.HTML = "<b>text</b>"
	a, err := delivery.Compose(m, "a@b.example", "A", "c@d.example")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if b, err := delivery.Compose(m, "a@b.example", "A", "c@d.example"); err != nil || !bytes.Equal(a, b) {
			t.Fatalf("differs: %v\n%s\n%s", err, a, b)
		}
	}
}

// Whatever a subject or a name holds, no line of the header begins that was not meant.
func TestNoSubjectBeginsAnotherHeader(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		subject := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("a\r\n :\u2028\u0085\x00é📈")))).Draw(t, "subject")
		name := rapid.String().Draw(t, "name")
		m := message(delivery.OneLine("x "+subject), "text")
		got, err := delivery.Compose(m, "a@b.example", delivery.OneLine(name), "c@d.example")
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := bytes.Cut(got, []byte("\r\n\r\n"))
		for line := range strings.SplitSeq(string(head), "\r\n") {
			if strings.ContainsAny(line, "\r\n\x00") || !utf8.ValidString(line) {
				t.Fatalf("a line is %q", line)
			}
			field, _, _ := strings.Cut(line, ":")
			if !strings.HasPrefix(line, " ") && !strings.Contains("|Date|From|To|Subject|Message-Id|Auto-Submitted|Content-Type|Content-Transfer-Encoding|Mime-Version|", "|"+field+"|") {
				t.Fatalf("a line begins with %q", field)
			}
		}
	})
}

func TestRecipientsAreAddressesAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "anna", "a@b.example\r\nBcc: evil@x.example", "a@b.example\nRCPT TO:<x@y.example>", "A <a@b.example>", "a@b.example, c@d.example", "a b@c.example", "a@b.example>", "<a@b.example>", "\"a\"@b.example", "a@[127.0.0.1]", strings.Repeat("a", 250) + "@b.example", "a\x00@b.example", "a@b.example\u2028"} {
		if _, err := delivery.ParseAddress(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	for _, good := range []string{"anna@example.com", "a.b+c@sub.example.co.uk", "jörg@müller.example", "o'neil@example.com"} {
		if got, err := delivery.ParseAddress(good); err != nil || got != good {
			t.Errorf("%q: got %q, %v", good, got, err)
		}
	}
	s := deliverytest.StartSMTP(t)
	x := newWorld(t, trusting(s.Roots))
	d := x.add(t, mailSpec(s))
	for _, to := range []string{"a@b.example\r\nDATA", "user:7\r\nX"} {
		_, err := x.Send(t.Context(), acme, d.ID, to, message("s", "t"))
		isKind(t, err, fault.Invalid)
		_, err = x.tryEnqueue(t, delivery.Delivery{Destination: d.ID, To: []string{to}, Kind: "report", Ref: "1"})
		isKind(t, err, fault.Invalid)
	}
	if len(s.Mails()) != 0 {
		t.Error("something was sent")
	}
}

func TestAMailServersRefusalSaysWhatItSaidAndNoSecret(t *testing.T) {
	t.Parallel()
	s := deliverytest.StartSMTP(t)
	x := newWorld(t, trusting(s.Roots))
	d := x.add(t, mailSpec(s))
	long := strings.Repeat("very ", 200)
	for name, tc := range map[string]struct {
		step string
		code int
		text string
		kind fault.Kind
		says string
	}{
		"a full mailbox is tried again": {"to", 452, "mailbox full", fault.Unavailable, "452 4.7.1 mailbox full"},
		"an unknown recipient is not":   {"to", 550, "no such user", fault.Invalid, "refuses the recipient (550 5.7.1 no such user)"},
		"a sender who may not":          {"from", 553, "not yours", fault.Invalid, "reports@msp.example"},
		"gray-listing":                  {"data", 451, "come back later", fault.Unavailable, "tried again"},
		"spam":                          {"data", 554, "spam", fault.Invalid, "554 5.7.1 spam"},
		"the password is not repeated":  {"auth", 535, "no: " + deliverytest.Password, fault.Forbidden, "no: •••"},
		"what it says is shortened":     {"data", 554, long, fault.Invalid, "very…"},
	} {
		t.Run(name, func(t *testing.T) {
			s.Refuse(func(step, _ string) error {
				if step == tc.step {
					return deliverytest.Refusal(tc.code, tc.text)
				}
				return nil
			})
			_, err := x.Send(t.Context(), acme, d.ID, "anna@example.com", message("s", "t"))
			isKind(t, err, tc.kind)
			if text := err.Error(); !strings.Contains(fault.Message(err), tc.says) || strings.Contains(text, deliverytest.Password) || len(text) > 500 {
				t.Errorf("says %q, want %q in it", text, tc.says)
			}
		})
	}
}

func TestAPasswordIsNotSentInTheClearOrToAServerThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	s := deliverytest.StartSMTP(t)
	x := newWorld(t, delivery.Options{}) // trusts the system's roots only
	d := x.add(t, mailSpec(s))
	_, err := x.Send(t.Context(), acme, d.ID, "a@b.example", message("s", "t"))
	isKind(t, err, fault.Forbidden)
	if !strings.Contains(fault.Message(err), "certificate") {
		t.Errorf("says %v", err)
	}
	spec := mailSpec(s)
	spec.Name, spec.Settings.Port = "downgraded", s.Clear // offers no STARTTLS
	d = x.add(t, spec)
	_, err = x.Send(t.Context(), acme, d.ID, "a@b.example", message("s", "t"))
	isKind(t, err, fault.Forbidden)
	if !strings.Contains(fault.Message(err), "STARTTLS") {
		t.Errorf("says %v", err)
	}
	spec.Name, spec.Settings.Host, spec.Settings.TLS = "clear", "mail.example.com", delivery.NoTLS
	_, err = x.Add(t.Context(), acme, spec)
	isKind(t, err, fault.Invalid)
	if len(s.Mails()) != 0 {
		t.Error("something was sent")
	}
}

func TestDestinationsAreNotWhereTheyMayNotBe(t *testing.T) {
	t.Parallel()
	s := deliverytest.StartSMTP(t)
	opt := trusting(s.Roots)
	opt.Networks = reach.Networks{}
	x := newWorld(t, opt)
	for name, spec := range map[string]delivery.Spec{
		"mail":     {Kind: delivery.Email, Settings: delivery.Settings{Host: "169.254.169.254", From: "a@b.example"}},
		"loopback": {Kind: delivery.Email, Settings: delivery.Settings{Host: "127.0.0.1", From: "a@b.example"}},
		"s3":       {Kind: delivery.S3, Settings: delivery.Settings{Endpoint: "http://10.0.0.1", Bucket: "reports", User: "k"}},
		"webhook":  {Kind: delivery.Webhook, Settings: delivery.Settings{URL: "https://[fd00:ec2::254]/x"}, Password: secret.NewText("0123456789abcdef")},
		"http":     {Kind: delivery.Webhook, Settings: delivery.Settings{URL: "http://hooks.example.com/x"}, Password: secret.NewText("0123456789abcdef")},
	} {
		spec.Name = name
		_, err := x.Add(t.Context(), acme, spec)
		isKind(t, err, fault.Invalid)
	}
	// A name that leads there is refused when it is connected to.
	spec := mailSpec(s)
	spec.Settings.Host = "localhost"
	d := x.add(t, spec)
	_, err := x.Send(t.Context(), acme, d.ID, "a@b.example", message("s", "t"))
	isKind(t, err, fault.Forbidden)
	if !strings.Contains(fault.Message(err), "delivery_networks") {
		t.Errorf("says %v", err)
	}
}
