package delivery

import (
	"bytes"
	"mime"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
)

// compose writes a message as an e-mail. The same message and addresses give the same bytes:
// date, id and boundaries come from the message.
func compose(m Message, from, fromName, to string) ([]byte, error) {
	var h mail.Header
	_, domain, _ := strings.Cut(from, "@")
	h.SetDate(m.At.UTC())
	h.SetAddressList("From", []*mail.Address{{Name: fromName, Address: from}})
	h.SetAddressList("To", []*mail.Address{{Address: to}})
	h.SetSubject(m.Subject)
	h.SetMessageID(m.ID + "@" + domain)
	h.Set("Auto-Submitted", "auto-generated") // RFC 3834: no absence note answers it
	var out bytes.Buffer
	if len(m.Files) == 0 {
		err := m.texts(h.Header, func(h message.Header) (*message.Writer, error) { return message.CreateWriter(&out, h) })
		return out.Bytes(), err
	}
	h.SetContentType("multipart/mixed", map[string]string{"boundary": m.boundary("mixed")})
	w, err := message.CreateWriter(&out, h.Header)
	if err != nil {
		return nil, err
	}
	if err := m.texts(message.Header{}, w.CreatePart); err != nil {
		return nil, err
	}
	for _, f := range m.Files {
		if err := f.attach(w); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

func (m Message) boundary(part string) string { return "=_" + digest(m.ID, part) }

// texts writes what is read: the text, and the HTML beside it when there is one. h is what
// stands above it already.
func (m Message) texts(h message.Header, create func(message.Header) (*message.Writer, error)) error {
	if m.HTML == "" {
		return text(h, "text/plain", m.Text, create)
	}
	h.SetContentType("multipart/alternative", map[string]string{"boundary": m.boundary("alternative")})
	w, err := create(h)
	if err != nil {
		return err
	}
	if err := text(message.Header{}, "text/plain", m.Text, w.CreatePart); err != nil {
		return err
	}
	if err := text(message.Header{}, "text/html", m.HTML, w.CreatePart); err != nil {
		return err
	}
	return w.Close()
}

func text(h message.Header, mediaType, content string, create func(message.Header) (*message.Writer, error)) error {
	h.SetContentType(mediaType, map[string]string{"charset": "utf-8"})
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	w, err := create(h)
	if err != nil {
		return err
	}
	// Ends of lines as e-mail has them; a single one would be written as a character.
	content = strings.ReplaceAll(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(content), "\n", "\r\n")
	if _, err := w.Write([]byte(content)); err != nil {
		return err
	}
	return w.Close()
}

// attach adds a file to a message.
func (f File) attach(to *message.Writer) error {
	content, err := f.read()
	if err != nil {
		return err
	}
	var h message.Header
	mediaType := f.Type
	if mediaType == "" {
		mediaType = "application/octet-stream"
	}
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Transfer-Encoding", "base64")
	w, err := to.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Close()
}
