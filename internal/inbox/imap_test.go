package inbox_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/inbox/inboxtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

func startMail(t *testing.T, caps ...imap.Cap) (*world, *inboxtest.IMAP) {
	t.Helper()
	x, s := newWorld(t), inboxtest.StartIMAP(t, caps...)
	x.trust(s.Roots)
	return x, s
}

// listed returns what a test of a source shows: by name why a file is not taken.
func (x *world) listed(t *testing.T, id string) map[string]string {
	t.Helper()
	list, err := x.Test(t.Context(), acme, id)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range list {
		parts := strings.SplitN(e.Path, "/", 3) // message, part, name
		out[parts[len(parts)-1]] = e.Skip
	}
	return out
}

func TestAMessageIsMovedOnceAllItsAttachmentsAreSettled(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	spec := imapSpec(s)
	spec.After, spec.Settings.Pattern = inbox.Move, "*.csv"
	src := x.add(t, spec)
	s.Deliver(t, inboxtest.Message("anna@example.com", "Two good ones", "1", inboxtest.File("clients.csv", clients), inboxtest.File("invoices.csv", invoices), inboxtest.File("logo.png", "no table")))
	s.Deliver(t, inboxtest.Message("anna@example.com", "One bad", "2", inboxtest.File("odd.csv", unknown), inboxtest.File("more.csv", clients+"Cedar,Retail,active,3000\n")))
	s.Deliver(t, inboxtest.Message("anna@example.com", "Nothing for us", "3", inboxtest.File("photo.png", "a photo")))
	if err := x.ImportOnly(t.Context(), acme, src.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"clients.csv", "invoices.csv", "logo.png", "more.csv", "odd.csv", "photo.png"}, imapLeft(t, s)); diff != "" {
		t.Errorf("before the move: %s", diff)
	}
	x.run(t, src.ID)
	if diff := cmp.Diff([]string{"done/clients.csv", "done/invoices.csv", "done/logo.png", "photo.png", "quarantine/more.csv", "quarantine/odd.csv"}, imapLeft(t, s)); diff != "" {
		t.Error(diff)
	}
	bad, err := x.Files(t.Context(), acme, src.ID, inbox.Quarantined, 10, 0)
	if err != nil || len(bad) != 1 {
		t.Fatal(bad, err)
	}
	if _, err := x.Dismiss(t.Context(), acme, src.ID, bad[0].ID); err != nil {
		t.Fatal(err)
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{}); got != want {
		t.Errorf("got %+v, want nothing to do", got)
	}
}

func TestAMessageOfWhichAnAttachmentIsBadIsNotDeleted(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	spec := imapSpec(s)
	spec.After = inbox.Delete
	src := x.add(t, spec)
	s.Deliver(t, inboxtest.Message("anna@example.com", "One bad", "1", inboxtest.File("clients.csv", clients), inboxtest.File("odd.csv", unknown)))
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Imported: 1, Quarantined: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"clients.csv", "odd.csv"}, imapLeft(t, s)); diff != "" {
		t.Error(diff)
	}
	bad, err := x.Files(t.Context(), acme, src.ID, inbox.Quarantined, 10, 0)
	if err != nil || len(bad) != 1 {
		t.Fatal(bad, err)
	}
	mapping := inbox.Spec{}.Mapping
	mapping.Dataset, mapping.Columns = "clients", map[string]string{"foo": "client_name", "bar": "industry"}
	if _, err := x.Release(t.Context(), acme, src.ID, bad[0].ID, &mapping); err != nil {
		t.Fatal(err)
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Imported: 1}); got != want {
		t.Errorf("released: got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{}, imapLeft(t, s)); diff != "" {
		t.Errorf("when all is imported: %s", diff)
	}
}

func TestAMessageWaitsForAnAttachmentThatNoRunHasTaken(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	spec := imapSpec(s)
	spec.After, spec.Settings.Pattern = inbox.Delete, "clients*"
	src := x.add(t, spec)
	s.Deliver(t, inboxtest.Message("anna@example.com", "Two", "1", inboxtest.File("clients.csv", clients), inboxtest.File("invoices.csv", invoices)))
	if err := x.ImportOnly(t.Context(), acme, src.ID); err != nil {
		t.Fatal(err)
	}
	src.Settings.Pattern = "*.csv" // a person wants the other one, too, before the message is gone
	if _, err := x.Change(t.Context(), acme, src.ID, src.Spec); err != nil {
		t.Fatal(err)
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Imported: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{}, imapLeft(t, s)); diff != "" || x.imports(t) != 2 {
		t.Error(diff, x.imports(t))
	}
}

func TestOnlyTheSendersAndSubjectsThatAreAskedForAreTaken(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	spec := imapSpec(s)
	spec.Settings.Senders, spec.Settings.Subject = []string{" Anna@Example.com", "@reports.example.org"}, "überblick"
	src := x.add(t, spec)
	for i, m := range []struct{ from, subject, name string }{
		{"Anna <ANNA@example.com>", "=?UTF-8?B?w5xiZXJibGljaw==?= June", "yes.csv"},
		{"robot@reports.example.org", "=?windows-1252?Q?Der_=DCberblick?=", "robot.csv"},
		{"robot@reports.example.org", "Invoice", "subject.csv"},
		{"mallory@example.net", "=?UTF-8?Q?=C3=9Cberblick?=", "mallory.csv"},
		{"anna@example.com.evil.net", "=?UTF-8?Q?=C3=9Cberblick?=", "longer.csv"},
		{"x@evilreports.example.org", "=?UTF-8?Q?=C3=9Cberblick?=", "domain.csv"},
		{"anna@example.com, mallory@example.net", "=?UTF-8?Q?=C3=9Cberblick?=", "both.csv"},
		{`"anna@example.com" <mallory@example.net>`, "=?UTF-8?Q?=C3=9Cberblick?=", "shown.csv"},
	} {
		s.Deliver(t, inboxtest.Message(m.from, m.subject, fmt.Sprint(i), inboxtest.File(m.name, clients)))
	}
	s.Deliver(t, inboxtest.Message("anna@example.com", "=?UTF-8?Q?=C3=9Cberblick?=", "deleted", inboxtest.File("deleted.csv", clients)), imap.FlagDeleted)
	if diff := cmp.Diff(map[string]string{"yes.csv": "", "robot.csv": ""}, x.listed(t, src.ID)); diff != "" {
		t.Error(diff)
	}
}

func TestNamesOfAttachmentsAreDecodedAndLeadNowhere(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	part := func(headers string) inboxtest.Part {
		return inboxtest.Part{Headers: headers + "\r\nContent-Transfer-Encoding: base64\r\n", Body: inboxtest.Lines(clients)}
	}
	inner := "Content-Type: multipart/alternative; boundary=\"inner\"\r\n"
	s.Deliver(t, inboxtest.Message("anna@example.com", "Names", "1",
		part("Content-Type: text/csv; name=\"=?ISO-8859-1?Q?M=FCller.csv?=\""),
		part("Content-Disposition: attachment; filename*=UTF-8''%E2%82%AC%20rates.csv"),
		part("Content-Disposition: attachment; filename*0=\"a very long\"; filename*1=\" name.csv\""),
		part("Content-Disposition: inline; filename=\"inline.csv\""),
		part("Content-Disposition: attachment; filename=\"../../etc/passwd.csv\""),
		part(`Content-Disposition: attachment; filename="C:\\Users\\anna\\windows.csv"`),
		part("Content-Disposition: attachment; filename=\"..\""),
		part("Content-Disposition: attachment; filename=\"dir/\""),
		inboxtest.Part{Headers: inner, Body: "--inner\r\nContent-Type: text/plain\r\n\r\nHello\r\n--inner\r\nContent-Type: text/csv; name=nested.csv\r\n\r\n" + clients + "\r\n--inner--"},
		inboxtest.Part{Headers: "Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"forwarded.eml\"\r\n", Body: strings.ReplaceAll(inboxtest.Message("x@example.net", "inner", "2", inboxtest.File("hidden.csv", clients)), "edge", "other")},
	))
	want := map[string]string{
		"Müller.csv": "", "€ rates.csv": "", "a very long name.csv": "", "inline.csv": "", "passwd.csv": "", "windows.csv": "", "nested.csv": "",
		"attachment": "it has no name", "forwarded.eml": "it is an e-mail",
	}
	src := x.add(t, imapSpec(s))
	if diff := cmp.Diff(want, x.listed(t, src.ID)); diff != "" {
		t.Error(diff)
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 7, Imported: 1, Duplicates: 6}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParametersAreReadAsServersHandThemOn(t *testing.T) {
	t.Parallel()
	for want, params := range map[string]map[string]string{
		"plain.csv":          {"filename": "plain.csv"},
		"€ rates.csv":        {"filename*": "UTF-8''%e2%82%ac%20rates.csv"}, // the example of RFC 5987
		"£ rates.csv":        {"filename*": "iso-8859-1'en'%A3%20rates.csv"},
		"This is ***fun***x": {"filename*0*": "us-ascii'en-us'This%20is%20", "filename*1*": "%2A%2A%2Afun%2A%2A%2A", "filename*2": "x"}, // of RFC 2231, section 4.1
		"50%.csv":            {"filename*": "UTF-8''50%.csv"},                                                                           // not encoded after all
		"first":              {"filename*0": "first", "filename*2": "lost"},
		"":                   {"name": "other"},
	} {
		if got := inbox.Param(params, "filename"); got != want {
			t.Errorf("%v: got %q, want %q", params, got, want)
		}
	}
}

func FuzzNamesOfAttachments(f *testing.F) {
	f.Add("filename", "../../a.csv", "name", "b.csv")
	f.Add("filename*", "UTF-8''%2e%2e%2fa.csv", "filename*0*", "x'y'%")
	f.Add("filename*0*", "shift_jis''%83%5c", "filename*1", `\..\c`)
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		part := &imap.BodyStructureSinglePart{Params: map[string]string{k1: v1}, Extended: &imap.BodyStructureSinglePartExt{Disposition: &imap.BodyStructureDisposition{Value: "attachment", Params: map[string]string{k1: v1, k2: v2}}}}
		if name := inbox.FileName(part); strings.ContainsAny(name, `/\`) || name == "." || name == ".." {
			t.Errorf("got %q", name)
		}
	})
}

func TestEncodingsOfAttachmentsAreUndoneWithinBounds(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	text := func(name, encoding, body string) inboxtest.Part {
		return inboxtest.Part{Headers: fmt.Sprintf("Content-Type: text/csv; charset=iso-8859-1; name=%s\r\nContent-Transfer-Encoding: %s\r\n", name, encoding), Body: body}
	}
	s.Deliver(t, inboxtest.Message("anna@example.com", "Encodings", "1",
		text("quoted.csv", "quoted-printable", "client_name,industry,status,contract_value\r\nM=FCller,Le=\r\ngal,active,1000"),
		text("plain.csv", "7bit", strings.TrimSpace(strings.ReplaceAll(invoices, "\n", "\r\n"))),
		text("base.csv", "BASE64", inboxtest.Lines(clients)),
		text("broken.csv", "base64", "this is no base64 at all!"),
		text("odd.csv", "x-uuencode", "begin 644 odd.csv"),
		text("empty.csv", "base64", ""),
	))
	src := x.add(t, imapSpec(s))
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 6, Imported: 3, Quarantined: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, f := range mustFiles(t, x, src.ID) {
		if f.Status == inbox.Imported && f.Bytes == 0 || f.Status == inbox.Quarantined && f.Problem == "" {
			t.Errorf("%s: %d bytes, %q", f.Path, f.Bytes, f.Problem)
		}
		if strings.HasSuffix(f.Path, "quoted.csv") && f.Bytes != int64(len("client_name,industry,status,contract_value\r\nMxller,Legal,active,1000")) {
			t.Errorf("%s: %d bytes", f.Path, f.Bytes)
		}
	}
	// A message that is longer than it says is cut off where the bound is.
	var out bytes.Buffer
	if _, err := inbox.Decode(&out, "long.csv", strings.NewReader(inboxtest.Lines(strings.Repeat(clients, 1000))), "base64", 1000); fault.KindOf(err) != fault.TooLarge || out.Len() > 1000 {
		t.Errorf("got %v and %d bytes", err, out.Len())
	}
	if n, err := inbox.Decode(&out, "right.csv", strings.NewReader(strings.Repeat("x", 1000)), "", 1000); n != 1000 || err != nil {
		t.Errorf("got %v and %d bytes", err, n)
	}
}

func mustFiles(t *testing.T, x *world, id string) []inbox.File {
	t.Helper()
	list, err := x.Files(t.Context(), acme, id, "", 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestServersThatCannotMoveOrDeleteOneMessageAreUsedWithCare(t *testing.T) {
	t.Parallel()
	for name, caps := range map[string][]imap.Cap{"without MOVE": {imap.CapUIDPlus}, "without MOVE and UIDPLUS": {imap.CapNamespace}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, s := startMail(t, caps...)
			spec := imapSpec(s)
			spec.After = inbox.Move
			src := x.add(t, spec)
			s.Deliver(t, inboxtest.Message("berta@example.com", "Mine", "0"), imap.FlagDeleted) // a person marked it, and may change her mind
			s.Deliver(t, inboxtest.Message("anna@example.com", "Export", "1", inboxtest.File("clients.csv", clients)))
			if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 1, Imported: 1}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got, want := x.run(t, src.ID), (inbox.RunResult{}); got != want {
				t.Errorf("again: got %+v, want %+v", got, want)
			}
			want, left := uint32(1), []string{"done/clients.csv"}
			if len(caps) == 1 && caps[0] != imap.CapUIDPlus {
				want, left = 2, []string{"clients.csv", "done/clients.csv"} // marked as deleted only
			}
			if diff := cmp.Diff(left, imapLeft(t, s)); diff != "" {
				t.Error(diff)
			}
			c := s.Dial(t)
			defer c.Close()
			if box, err := c.Select("INBOX", nil).Wait(); err != nil || box.NumMessages != want {
				t.Errorf("got %+v, %v, want %d messages", box, err, want)
			}
		})
	}
}

func TestMailServersAreUsedEncrypted(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	s.Deliver(t, inboxtest.Message("anna@example.com", "Export", "1", inboxtest.File("clients.csv", clients)))
	src := x.add(t, imapSpec(s))
	for name, c := range map[string]struct {
		tls  inbox.TLS
		port int
		kind fault.Kind
	}{
		"implicit":                     {inbox.Implicit, s.Port, ""},
		"change over":                  {inbox.StartTLS, s.StartTLS, ""},
		"none, on this machine":        {inbox.NoTLS, s.Plain, ""},
		"none where it is asked for":   {inbox.NoTLS, s.StartTLS, fault.Forbidden},
		"change over where it cannot":  {inbox.StartTLS, s.Plain, fault.Forbidden},
		"implicit where nobody offers": {inbox.Implicit, s.Plain, fault.Unavailable},
	} {
		spec := imapSpec(s)
		spec.Settings.TLS, spec.Settings.Port = c.tls, c.port
		if _, err := x.Change(t.Context(), acme, src.ID, spec); err != nil {
			t.Fatal(err)
		}
		list, err := x.Test(t.Context(), acme, src.ID)
		if fault.KindOf(err) != c.kind || c.kind == "" && len(list) != 1 {
			t.Errorf("%s: got %v, %v", name, list, err)
		}
	}
	x.trust(nil)
	for _, port := range []int{s.Port, s.StartTLS} {
		spec := imapSpec(s)
		spec.Settings.Port = port
		if port == s.StartTLS {
			spec.Settings.TLS = inbox.StartTLS
		}
		if _, err := x.Change(t.Context(), acme, src.ID, spec); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Test(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Forbidden || !strings.Contains(fault.Message(err), "certificate") {
			t.Errorf("a foreign certificate: got %v", err)
		}
	}
}

func TestFaultsOfAMailServerAreTold(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	s.Deliver(t, inboxtest.Message("anna@example.com", "Export", "1", inboxtest.File("clients.csv", clients)))
	src := x.add(t, imapSpec(s))
	for name, c := range map[string]struct {
		change func(*inbox.Spec)
		kind   fault.Kind
		says   string
	}{
		"wrong password":  {func(s *inbox.Spec) { s.Password = secret.NewText("wrong") }, fault.Forbidden, "password"},
		"missing mailbox": {func(s *inbox.Spec) { s.Settings.Path = "Reports" }, fault.NotFound, "Reports"},
	} {
		spec := imapSpec(s)
		c.change(&spec)
		if _, err := x.Change(t.Context(), acme, src.ID, spec); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != c.kind || !strings.Contains(fault.Message(err), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err := x.Add(t.Context(), acme, inbox.Spec{Name: "bad", Kind: inbox.IMAP, Settings: inbox.Settings{Host: "169.254.169.254", TLS: inbox.NoTLS, Senders: []string{"anna"}, Port: 70000}})
	var paths []string
	for _, f := range fault.FieldsOf(err) {
		paths = append(paths, f.Path)
	}
	if diff := cmp.Diff([]string{"settings.host", "settings.user", "settings.port", "settings.tls", "settings.senders"}, paths); diff != "" {
		t.Error(diff)
	}
}

func TestASecretIsNotSentToAnotherPlace(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	for name, change := range map[string]func(*inbox.Settings){
		"another port":       func(set *inbox.Settings) { set.Port = s.StartTLS },
		"another encryption": func(set *inbox.Settings) { set.TLS = inbox.Implicit },
	} {
		spec := imapSpec(s)
		spec.Name = name
		src := x.add(t, spec)
		if _, err := x.Test(t.Context(), acme, src.ID); err != nil {
			t.Fatal(err)
		}
		src.Settings.Pattern = "*.csv"
		src, err := x.Change(t.Context(), acme, src.ID, src.Spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Test(t.Context(), acme, src.ID); err != nil {
			t.Errorf("%s: the password is gone without need: %v", name, err)
		}
		change(&src.Settings)
		if src.Settings.Port == s.StartTLS {
			src.Settings.TLS = inbox.StartTLS
		}
		if _, err := x.Change(t.Context(), acme, src.ID, src.Spec); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Test(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: got %v, want that the password is asked for", name, err)
		}
	}
}

func TestMessagesThatTheServerNumbersAnewAreNotImportedAgain(t *testing.T) {
	t.Parallel()
	x, s := startMail(t)
	src := x.add(t, imapSpec(s))
	s.Deliver(t, inboxtest.Message("anna@example.com", "First", "0", inboxtest.File("old.csv", unknown)))
	s.Deliver(t, inboxtest.Message("anna@example.com", "Export", "1", inboxtest.File("clients.csv", clients)))
	x.run(t, src.ID)
	s.Renumber(t) // now the second has the number of the first
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 1, Duplicates: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
