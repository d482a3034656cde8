package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// The forms of a hash. docs/audit.md gives both to auditors: neither may change, or recorded
// chains would no longer verify.
const (
	form1 = 1 // one hash over everything; entries of the first version
	form2 = 2 // a salted seal of the content, and a hash over that: the content may go by policy
)

// digester makes hashes; it keeps its buffer, so each goroutine has one of its own.
type digester struct{ b []byte }

// start begins the encoding of parts: each has its length in front, 8 bytes, the highest
// first, so that no two entries share an encoding.
func (d *digester) start(kind string) {
	d.b = d.b[:0]
	d.text(kind)
}

func (d *digester) text(s string) {
	d.b = binary.BigEndian.AppendUint64(d.b, uint64(len(s)))
	d.b = append(d.b, s...)
}

func (d *digester) number(n int64) {
	var digits [20]byte
	s := strconv.AppendInt(digits[:0], n, 10)
	d.b = binary.BigEndian.AppendUint64(d.b, uint64(len(s)))
	d.b = append(d.b, s...)
}

// sum is SHA-256 of the parts, hex.
func (d *digester) sum() string {
	sum := sha256.Sum256(d.b)
	return hex.EncodeToString(sum[:])
}

// hash is what an entry's hash must be.
func (d *digester) hash(tenant string, e *Entry) string {
	if e.Form != form2 {
		d.start("moatmetrics audit 1")
		d.text(tenant)
		d.number(e.Seq)
		d.text(e.At)
		d.text(string(e.Actor))
		d.text(e.Action)
		d.text(e.Subject.Kind)
		d.text(e.Subject.ID)
		d.number(e.Snapshot)
		d.text(string(e.Detail))
		d.text(e.PrevHash)
		return d.sum()
	}
	content := e.Content
	if e.RemovedBy == 0 {
		content = d.seal(e)
	}
	d.start("moatmetrics audit 2")
	d.text(tenant)
	d.number(e.Seq)
	d.text(e.At)
	d.text(content)
	d.text(e.PrevHash)
	return d.sum()
}

// seal stands for the content of an entry of form 2. Its salt goes with the content, so that
// nobody finds out by trying what the content was.
func (d *digester) seal(e *Entry) string {
	d.start("moatmetrics audit 2 content")
	d.text(e.Salt)
	d.text(string(e.Actor))
	d.text(e.Source)
	d.text(e.Action)
	d.text(e.Subject.Kind)
	d.text(e.Subject.ID)
	d.text(e.Reason)
	d.number(e.Snapshot)
	d.text(string(e.Detail))
	return d.sum()
}

// whole reports whether an entry is as it was recorded, or as the retention left it.
func (d *digester) whole(tenant string, e *Entry) bool {
	if e.Form != form1 && e.Form != form2 {
		return false
	}
	// What no hash covers must be empty.
	if e.Form == form1 && (e.Source != "" || e.Reason != "" || e.Salt != "" || e.RemovedBy != 0) || e.RemovedBy == 0 && e.Content != "" {
		return false
	}
	if e.RemovedBy != 0 && (e.Actor != "" || e.Source != "" || e.Action != "" || e.Subject != (Subject{}) || e.Reason != "" || e.Snapshot != 0 || len(e.Detail) > 0 || e.Salt != "") {
		return false
	}
	return d.hash(tenant, e) == e.Hash
}
