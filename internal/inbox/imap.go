package inbox

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-message/charset"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/reach"
)

const (
	// maxAttachment is the most bytes an attachment may have, as it is sent.
	maxAttachment = 512 << 20
	// maxAsked is of how many messages the structure is asked for at once.
	maxAsked = 200
)

// mailbox is a folder of a mail server; its files are the attachments of its messages. A
// message is never marked as read, and one that is marked as deleted is left out.
type mailbox struct {
	set    Settings
	conn   *reach.Bounded
	client *imapclient.Client
	unhook func() bool
	spool  string // folder for attachments while their size is found out; "" is the system's

	selected string // the folder the server looks at now
	writable bool
	delim    string
	found    map[string]map[string]imap.UID // messages of the folders that move makes, by digest
}

// checkIMAP completes settings and complains about what is wrong with them.
func checkIMAP(set *Settings, bad complain) {
	switch set.TLS {
	case "", Implicit, StartTLS:
	case NoTLS:
		if a, err := netip.ParseAddr(set.Host); set.Host != "localhost" && (err != nil || !a.IsLoopback()) {
			bad("settings.tls", "only a server on this machine may be used without encryption", string(Implicit), string(StartTLS))
		}
	default:
		bad("settings.tls", "is "+string(set.TLS), string(Implicit), string(StartTLS), string(NoTLS))
	}
	var senders []string
	for _, one := range set.Senders {
		one = strings.ToLower(strings.TrimSpace(one))
		name, domain, at := strings.Cut(one, "@")
		switch {
		case one == "":
			continue
		case !at || domain == "" || strings.ContainsAny(name+domain, "@<>, "):
			bad("settings.senders", one+" is neither an address nor a domain such as @example.com")
		}
		senders = append(senders, one)
	}
	set.Senders = senders
	set.Path = cmp.Or(strings.TrimSpace(set.Path), "INBOX")
}

func dialIMAP(ctx context.Context, near reach.Guard, set Settings, cred credentials, roots *x509.CertPool, spool string) (place, error) {
	way, port := set.TLS, set.Port
	if way == "" {
		way = Implicit
		if port == 143 {
			way = StartTLS
		}
	}
	if port == 0 {
		port = 143
		if way == Implicit {
			port = 993
		}
	}
	address := net.JoinHostPort(set.Host, strconv.Itoa(port))
	conn, err := near.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	if at, err := netip.ParseAddrPort(conn.RemoteAddr().String()); way == NoTLS && (err != nil || !at.Addr().Unmap().IsLoopback()) {
		conn.Close()
		return nil, fault.Newf(fault.Forbidden, "%s is not on this machine: use it with encryption", address)
	}
	m := &mailbox{set: set, conn: reach.Bound(conn, reach.StepTime), spool: spool, found: map[string]map[string]imap.UID{}}
	m.unhook = context.AfterFunc(ctx, func() { conn.Close() })
	m.conn.Busy()
	defer m.conn.Idle()
	if err := m.begin(ctx, way, roots); err != nil {
		m.Close()
		return nil, m.beginFault(err, way, address)
	}
	if err := m.client.Login(set.User, cred.password.Reveal()).Wait(); err != nil {
		m.Close()
		return nil, loginFault(err, set.User, address)
	}
	return m, nil
}

// begin agrees on encryption and waits for the server's greeting.
func (m *mailbox) begin(ctx context.Context, way TLS, roots *x509.CertPool) (err error) {
	options := &imapclient.Options{WordDecoder: &mime.WordDecoder{CharsetReader: charset.Reader}}
	config := &tls.Config{ServerName: m.set.Host, RootCAs: roots, MinVersion: tls.VersionTLS12}
	switch way {
	case StartTLS:
		options.TLSConfig = config
		m.client, err = imapclient.NewStartTLS(m.conn, options)
		return err // the greeting came before
	case Implicit:
		config.NextProtos = []string{"imap"}
		secure := tls.Client(m.conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		m.client = imapclient.New(secure, options)
	default:
		m.client = imapclient.New(m.conn, options)
	}
	return m.client.WaitGreeting()
}

func (m *mailbox) beginFault(err error, way TLS, address string) error {
	var untrusted *tls.CertificateVerificationError
	var said *imap.Error
	switch {
	case errors.As(err, &untrusted):
		return fault.Wrapf(fault.Forbidden, err, "the certificate of %s is not to be trusted: check the server's name, or add who issued it to the system's certificates", address)
	case way == StartTLS && errors.As(err, &said):
		return fault.Wrapf(fault.Forbidden, err, "%s does not change over to encryption (STARTTLS): use implicit encryption, mostly on port 993", address)
	}
	return fault.Wrapf(fault.Unavailable, err, "the connection to %s broke while it began: check its port and its encryption", address)
}

func loginFault(err error, user, address string) error {
	var said *imap.Error
	if !errors.As(err, &said) || said.Code == imap.ResponseCodeUnavailable || said.Code == imap.ResponseCodeInUse {
		return fault.Wrapf(fault.Unavailable, err, "%s did not let %s in now: it is tried again", address, user)
	}
	return fault.Wrapf(fault.Forbidden, err, "%s refuses the user %s: check user and password; some servers want a password made for programs, or do not take passwords", address, user)
}

// enter makes a folder the one that commands mean, for reading only or also for changes.
func (m *mailbox) enter(name string, write bool) error {
	if m.selected == name && (m.writable || !write) {
		return nil
	}
	m.selected = ""
	if _, err := m.client.Select(name, &imap.SelectOptions{ReadOnly: !write}).Wait(); err != nil {
		return mailFault(err, fault.NotFound, "there is no mailbox folder "+name+", or it may not be read")
	}
	m.selected, m.writable = name, write
	return nil
}

// folder is the name on the server of a folder that move makes, "" for the source's own.
func (m *mailbox) folder(name string) (string, error) {
	if name == "" {
		return m.set.Path, nil
	}
	if m.delim == "" {
		list, err := m.client.List("", m.set.Path, nil).Collect()
		if err != nil {
			return "", mailFault(err, fault.Unavailable, "the mailbox folders cannot be listed")
		}
		m.delim = "/"
		if len(list) > 0 && list[0].Delim != 0 {
			m.delim = string(list[0].Delim)
		}
	}
	return m.set.Path + m.delim + name, nil
}

func (m *mailbox) list(ctx context.Context) ([]Listing, error) {
	m.conn.Busy()
	defer m.conn.Idle()
	if err := m.enter(m.set.Path, false); err != nil {
		return nil, err
	}
	uids, err := m.wanted()
	if err != nil {
		return nil, err
	}
	var out []Listing
	for len(uids) > 0 {
		n := min(len(uids), maxAsked)
		var set imap.UIDSet
		set.AddNum(uids[:n]...)
		uids = uids[n:]
		err := m.messages(set, true, func(msg mail) {
			for _, a := range msg.attachments() {
				out = append(out, a.Listing)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, ctx.Err()
}

// wanted returns the messages that the settings ask for. The servers' own search differs
// too much from one to the next to rely on it.
func (m *mailbox) wanted() ([]imap.UID, error) {
	var all imap.UIDSet
	all.AddRange(1, 0)
	var out []imap.UID
	err := m.messages(all, false, func(msg mail) {
		if msg.wanted(m.set) {
			out = append(out, msg.uid)
		}
	})
	return out, err
}

// messages hands on what the server says of messages of the entered folder.
func (m *mailbox) messages(set imap.UIDSet, parts bool, each func(mail)) error {
	ask := &imap.FetchOptions{UID: true, Flags: true, Envelope: true}
	if parts {
		ask.BodyStructure = &imap.FetchItemBodyStructure{Extended: true}
	}
	cmd := m.client.Fetch(set, ask)
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		var msg mail
		for item := data.Next(); item != nil; item = data.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				msg.uid = item.UID
			case imapclient.FetchItemDataFlags:
				msg.flags = item.Flags
			case imapclient.FetchItemDataEnvelope:
				msg.envelope = item.Envelope
			case imapclient.FetchItemDataBodyStructure:
				msg.structure = item.BodyStructure
			}
		}
		// What else the server tells of a message lacks the envelope.
		if msg.uid != 0 && msg.envelope != nil {
			each(msg)
		}
	}
	return mailFault(cmd.Close(), fault.Unavailable, "the messages of "+m.set.Path+" cannot be read")
}

// find returns a message by the name of any of its files, a NotFound fault when it is gone.
func (m *mailbox) find(name string) (mail, error) {
	at, err := parseMailPath(name)
	if err != nil {
		return mail{}, err
	}
	folder, err := m.folder(at.folder)
	if err != nil {
		return mail{}, err
	}
	if err := m.enter(folder, false); err != nil {
		return mail{}, err
	}
	gone := fault.Newf(fault.NotFound, "the message of %s is not in %s any more", name, folder)
	uid := at.uid
	if at.folder != "" { // moving gave it another number
		if m.found[at.folder] == nil {
			known := map[string]imap.UID{}
			var all imap.UIDSet
			all.AddRange(1, 0)
			if err := m.messages(all, false, func(msg mail) { known[msg.digest()] = msg.uid }); err != nil {
				return mail{}, err
			}
			m.found[at.folder] = known
		}
		if uid = m.found[at.folder][at.digest]; uid == 0 {
			return mail{}, gone
		}
	}
	var out mail
	if err := m.messages(imap.UIDSetNum(uid), true, func(msg mail) { out = msg }); err != nil {
		return out, err
	}
	if out.uid != uid || out.digest() != at.digest || out.deleted() {
		return out, gone
	}
	out.listed = at.uid
	return out, nil
}

func (m *mailbox) siblings(_ context.Context, name string) ([]Listing, error) {
	m.conn.Busy()
	defer m.conn.Idle()
	msg, err := m.find(name)
	var out []Listing
	if err == nil {
		for _, a := range msg.attachments() {
			out = append(out, a.Listing)
		}
	}
	return out, err
}

func (m *mailbox) attachment(name string) (mail, attachment, error) {
	msg, err := m.find(name)
	if err != nil {
		return msg, attachment{}, err
	}
	for _, a := range msg.attachments() {
		if name == a.Path || strings.HasSuffix(name, "/"+a.Path) {
			a.Path = name
			return msg, a, nil
		}
	}
	return msg, attachment{}, fault.Newf(fault.NotFound, "the message has no attachment %s", name)
}

func (m *mailbox) stat(_ context.Context, name string) (Listing, error) {
	m.conn.Busy()
	defer m.conn.Idle()
	_, a, err := m.attachment(name)
	return a.Listing, err
}

// open reads an attachment into a file without a name, as only its end tells its size.
func (m *mailbox) open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	m.conn.Busy()
	defer m.conn.Idle()
	msg, a, err := m.attachment(name)
	if err != nil {
		return nil, 0, err
	}
	if a.sent > maxAttachment {
		return nil, 0, tooLarge(name, maxAttachment)
	}
	section := &imap.FetchItemBodySection{Part: a.part, Peek: true, Partial: &imap.SectionPartial{Size: maxAttachment + 1}}
	cmd := m.client.Fetch(imap.UIDSetNum(msg.uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	var out *spooled
	var failed error
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		for item := data.Next(); item != nil; item = data.Next() {
			if body, ok := item.(imapclient.FetchItemDataBodySection); ok && body.Literal != nil && out == nil && failed == nil {
				out, failed = spool(m.spool, name, body.Literal, a.encoding, maxAttachment)
			}
		}
	}
	if err := mailFault(cmd.Close(), fault.Unavailable, name+" cannot be read"); err != nil {
		if out != nil {
			out.Close()
		}
		return nil, 0, err
	}
	if failed != nil {
		return nil, 0, failed
	}
	if out == nil {
		return nil, 0, fault.Newf(fault.Invalid, "the server has no content of %s", name)
	}
	return out, out.size, nil
}

// move moves the whole message of a file.
func (m *mailbox) move(_ context.Context, from, to string) error {
	m.conn.Busy()
	defer m.conn.Idle()
	msg, err := m.find(from)
	if err != nil {
		return err
	}
	at, err := parseMailPath(to)
	if err != nil {
		return err
	}
	folder, err := m.folder(at.folder)
	if err != nil {
		return err
	}
	if list, err := m.client.List("", folder, nil).Collect(); err != nil || len(list) == 0 {
		// One that is there although it is not listed is told by the move.
		_ = m.client.Create(folder, nil).Wait()
	}
	if err := m.enter(m.selected, true); err != nil {
		return err
	}
	m.found = map[string]map[string]imap.UID{}
	const refused = "the message cannot be moved: give the user the right to"
	uid := imap.UIDSetNum(msg.uid)
	if m.client.Caps().Has(imap.CapMove) {
		_, err = m.client.Move(uid, folder).Wait()
		return mailFault(err, fault.Forbidden, refused)
	}
	if _, err := m.client.Copy(uid, folder).Wait(); err != nil {
		return mailFault(err, fault.Forbidden, refused)
	}
	return m.delete(uid)
}

// remove deletes the whole message of a file.
func (m *mailbox) remove(_ context.Context, name string) error {
	m.conn.Busy()
	defer m.conn.Idle()
	msg, err := m.find(name)
	if err != nil {
		return err
	}
	if err := m.enter(m.selected, true); err != nil {
		return err
	}
	return m.delete(imap.UIDSetNum(msg.uid))
}

// delete marks messages as deleted. A server that cannot delete just these keeps them like
// that: otherwise also what people have marked would be gone.
func (m *mailbox) delete(uids imap.UIDSet) error {
	const refused = "the message cannot be deleted: give the user the right to"
	if err := m.client.Store(uids, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		return mailFault(err, fault.Forbidden, refused)
	}
	if !m.client.Caps().Has(imap.CapUIDPlus) {
		return nil
	}
	return mailFault(m.client.UIDExpunge(uids).Close(), fault.Forbidden, refused)
}

func (m *mailbox) Close() error {
	m.unhook()
	if m.client != nil {
		m.client.Close()
	}
	m.conn.Conn.Close() // most likely closed above
	return nil
}

// mailFault gives an error of the server its kind: that of a refusal without a reason is
// told by what was asked.
func mailFault(err error, refused fault.Kind, what string) error {
	if err == nil {
		return nil
	}
	var said *imap.Error
	if !errors.As(err, &said) {
		if strings.Contains(err.Error(), "imapwire: ") { // the client ends the connection then
			return fault.Wrapf(fault.Unavailable, err, "%s: what the mail server says is not understood; the log has it. Moving away the e-mails that came last may help", what)
		}
		return fault.Wrapf(fault.Unavailable, err, "the connection to the mail server broke: it is tried again")
	}
	switch said.Code {
	case imap.ResponseCodeNonExistent, imap.ResponseCodeTryCreate:
		refused = fault.NotFound
	case imap.ResponseCodeNoPerm:
		refused = fault.Forbidden
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug, imap.ResponseCodeOverQuota:
		refused = fault.Unavailable
	}
	text := said.Text
	if !utf8.ValidString(text) {
		text = "no reason"
	}
	return fault.Wrapf(refused, err, "%s; the server says: %s", what, cmp.Or(text, "no reason"))
}
