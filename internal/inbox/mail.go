package inbox

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-message/charset"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// mail is what the server says of a message.
type mail struct {
	uid       imap.UID
	listed    imap.UID // the number it had in the source's folder; 0 when it still is there
	flags     []imap.Flag
	envelope  *imap.Envelope
	structure imap.BodyStructure
}

// attachment is a part of a message that is a file.
type attachment struct {
	Listing
	part     []int
	sent     int64 // bytes, encoded, as the server says
	encoding string
}

// digest tells a message by its Message-ID, date, sender and subject, which stay when it is
// moved, and when a server numbers its messages anew.
func (m mail) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %s %q", m.envelope.MessageID, m.envelope.Date.UTC().Format(time.RFC3339), m.envelope.Subject)
	for _, from := range m.envelope.From {
		fmt.Fprintf(h, " %q", from.Addr())
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil))[:12])
}

func (m mail) deleted() bool { return slices.Contains(m.flags, imap.FlagDeleted) }

// wanted reports whether the settings ask for a message. Every address that it says to be
// from must be allowed.
func (m mail) wanted(set Settings) bool {
	if m.deleted() || !strings.Contains(strings.ToLower(m.envelope.Subject), strings.ToLower(set.Subject)) {
		return false
	}
	if len(set.Senders) == 0 {
		return true
	}
	for _, from := range m.envelope.From {
		addr := strings.ToLower(from.Addr())
		if !slices.ContainsFunc(set.Senders, func(s string) bool {
			return addr == s || strings.HasPrefix(s, "@") && strings.HasSuffix(addr, s)
		}) {
			return false
		}
	}
	return len(m.envelope.From) > 0
}

// attachments lists a message's files: the parts that have a name, in whatever multipart
// they are. What is attached to an attached e-mail is not among them.
func (m mail) attachments() []attachment {
	var out []attachment
	if m.structure == nil {
		return nil
	}
	bundle := fmt.Sprintf("%d-%s", m.uid, m.digest())
	if m.listed != 0 {
		bundle = fmt.Sprintf("%d-%s", m.listed, m.digest())
	}
	m.structure.Walk(func(at []int, part imap.BodyStructure) bool {
		one, ok := part.(*imap.BodyStructureSinglePart)
		if !ok {
			return true
		}
		a := attachment{part: slices.Clone(at), encoding: one.Encoding}
		name := fileName(one)
		d := one.Disposition()
		switch {
		case name != "":
		case d != nil && strings.EqualFold(d.Value, "attachment"):
			name, a.Skip = "attachment", "it has no name"
		default:
			return true // the text of the message
		}
		if strings.EqualFold(one.MediaType(), "message/rfc822") {
			a.Skip = "it is an e-mail"
		}
		a.Path = bundle + "/" + number(at) + "/" + name
		a.sent, a.Bytes = int64(one.Size), int64(one.Size)
		a.Mark = fmt.Sprintf("%s-%s-%d", m.digest(), number(at), one.Size)
		if strings.EqualFold(strings.TrimSpace(one.Encoding), "base64") {
			a.Bytes = a.Bytes * 3 / 4 // about
		}
		out = append(out, a)
		return true
	})
	return out
}

// number writes a part's place in its message, such as 2.1.
func number(part []int) string {
	var b strings.Builder
	for i, n := range part {
		if i > 0 {
			b.WriteByte('.')
		}
		fmt.Fprint(&b, n)
	}
	return b.String()
}

// fileName returns the name that a part gives its file, without any folder, "" when it has
// none.
func fileName(part *imap.BodyStructureSinglePart) string {
	name := ""
	if d := part.Disposition(); d != nil {
		name = param(d.Params, "filename")
	}
	if name == "" {
		name = param(part.Params, "name")
	}
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if name = strings.TrimSpace(name); name == "." || name == ".." {
		return ""
	}
	return name
}

// param returns a parameter of a MIME header. Servers hand on what RFC 2231 makes of long
// names and of those that are not ASCII: name*, or name*0, name*1* and so on, the encoded
// ones with a * at their end and the first of those with a charset.
func param(params map[string]string, name string) string {
	if text, ok := params[name]; ok {
		return text
	}
	if text, ok := params[name+"*"]; ok {
		set, rest := cutCharset(text)
		return decodePercent(set, rest)
	}
	var out strings.Builder
	set := ""
	for i := 0; ; i++ {
		key := name + "*" + strconv.Itoa(i)
		if text, ok := params[key]; ok {
			out.WriteString(text)
			continue
		}
		text, ok := params[key+"*"]
		if !ok {
			return out.String()
		}
		if i == 0 {
			set, text = cutCharset(text)
		}
		out.WriteString(decodePercent(set, text))
	}
}

// cutCharset splits charset'language'text.
func cutCharset(text string) (set, rest string) {
	parts := strings.SplitN(text, "'", 3)
	if len(parts) < 3 {
		return "", text
	}
	return parts[0], parts[2]
}

func decodePercent(set, text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	if set == "" || strings.EqualFold(set, "utf-8") {
		return plain
	}
	r, err := charset.Reader(set, strings.NewReader(plain))
	if err != nil {
		return plain
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return plain
	}
	return string(b)
}

// mailPath says where a file of a message is: in which folder that move makes, "" for the
// source's own, and in which message.
type mailPath struct {
	folder string
	uid    imap.UID
	digest string
}

// parseMailPath reads the path of a listing: [folder/]number-digest/part/name.
func parseMailPath(name string) (mailPath, error) {
	var at mailPath
	rest := name
	for _, f := range []string{doneFolder, quarantineFolder} {
		if inner, ok := strings.CutPrefix(name, f+"/"); ok {
			at.folder, rest = f, inner
		}
	}
	first, _, _ := strings.Cut(rest, "/")
	uid, digest, _ := strings.Cut(first, "-")
	n, err := strconv.ParseUint(uid, 10, 32)
	if err != nil || n == 0 || digest == "" {
		return at, fault.Newf(fault.NotFound, "%s is no attachment", name)
	}
	at.uid, at.digest = imap.UID(n), digest
	return at, nil
}
