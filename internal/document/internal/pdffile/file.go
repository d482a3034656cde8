// Package pdffile writes PDF 1.7 files as they come: each object goes to the writer as soon
// as it is whole, so that a file of any length needs the memory of a page. It owns objects,
// pages, fonts, pictures and the structure tree of ISO 32000-1; it knows nothing of layout.
//
// Existing Go libraries were measured first (they hold all pages in memory, write no
// structure tree, and cannot place a glyph that has no code point of 16 bits):
// docs/decisions/0018-own-pdf-writer.md.
package pdffile

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
)

// Ref is the number of an object.
type Ref int

// String writes a reference to the object.
func (r Ref) String() string { return strconv.Itoa(int(r)) + " 0 R" }

// File is a PDF file that is being written. Its methods remember the first failure of the
// writer, which Finish returns.
type File struct {
	w     io.Writer
	at    int64
	sum   hash.Hash
	err   error
	where []place // by object number less one: a long table makes millions

	bundle     Ref // the object stream that is being filled, 0 when none is
	bundled    []Ref
	bundleText bytes.Buffer

	flate  *zlib.Writer
	buffer bytes.Buffer

	fonts  []*Font
	pages  []Ref
	parent Ref // of the pages
	tree   *Tree
}

// place is where an object lies: an offset of the file, or, when packed, the number of a
// stream of objects and the place in it.
type place uint64

const packed place = 1 << 63

func inBundle(stream Ref, index int) place { return packed | place(stream)<<8 | place(index) }

// bundleSize is how many objects share a stream: they compress well together. It is at most
// 256, as the place in a stream is kept in a byte.
const bundleSize = 200

// New begins a file.
func New(w io.Writer) *File {
	f := &File{w: w, sum: sha256.New()}
	f.flate = zlib.NewWriter(&f.buffer)
	f.write([]byte("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"))
	f.parent = f.Alloc()
	return f
}

// Alloc returns the number of an object that is written later.
func (f *File) Alloc() Ref {
	f.where = append(f.where, 0)
	return Ref(len(f.where))
}

func (f *File) write(b []byte) {
	if f.err != nil {
		return
	}
	n, err := f.w.Write(b)
	f.sum.Write(b[:n])
	f.at += int64(n)
	f.err = err
}

// Err returns the first failure of the writer.
func (f *File) Err() error { return f.err }

// Object writes an object that is no stream.
func (f *File) Object(ref Ref, body string) {
	if f.bundle == 0 {
		f.bundle = f.Alloc()
	}
	f.where[ref-1] = inBundle(f.bundle, len(f.bundled))
	f.bundled = append(f.bundled, ref)
	f.bundleText.WriteString(body)
	f.bundleText.WriteByte('\n')
	if len(f.bundled) == bundleSize {
		f.endBundle()
	}
}

// endBundle writes the stream of objects. Their offsets are found again by their lengths,
// which the text cannot show, so each is kept on one line of its own.
func (f *File) endBundle() {
	if f.bundle == 0 {
		return
	}
	var head bytes.Buffer
	text, at := f.bundleText.Bytes(), 0
	for _, ref := range f.bundled {
		fmt.Fprintf(&head, "%d %d ", ref, at)
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	first := head.Len()
	head.Write(text)
	ref := f.bundle
	dict := fmt.Sprintf("/Type/ObjStm/N %d/First %d", len(f.bundled), first)
	f.bundle, f.bundled = 0, f.bundled[:0]
	f.Stream(ref, dict, head.Bytes())
	f.bundleText.Reset()
}

// Stream compresses and writes a stream; dict holds what its dictionary says beside length
// and filter.
func (f *File) Stream(ref Ref, dict string, data []byte) {
	f.buffer.Reset()
	f.flate.Reset(&f.buffer)
	_, _ = f.flate.Write(data) // into memory: they cannot fail
	_ = f.flate.Close()
	f.raw(ref, dict+"/Filter/FlateDecode", f.buffer.Bytes())
}

func (f *File) raw(ref Ref, dict string, data []byte) {
	f.where[ref-1] = place(f.at)
	f.write(fmt.Appendf(nil, "%d 0 obj\n<<%s/Length %d>>\nstream\n", ref, dict, len(data)))
	f.write(data)
	f.write([]byte("\nendstream\nendobj\n"))
}

// Info is what a file says of itself.
type Info struct {
	Title, Author, Subject, Keywords string
	Created                          time.Time
	Bookmarks                        []Bookmark
}

// Finish writes what belongs to the whole file, and returns the first failure of any write.
func (f *File) Finish(info Info) error {
	for _, font := range f.fonts {
		font.finish(f)
	}
	kids := make([]byte, 0, 12*len(f.pages))
	for _, p := range f.pages {
		kids = append(append(kids, p.String()...), ' ')
	}
	f.Object(f.parent, fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(f.pages), kids))

	root, about, xmp := f.Alloc(), f.Alloc(), f.Alloc()
	f.raw(xmp, "/Type/Metadata/Subtype/XML", metadata(info)) // not compressed: it is read by those who read no PDF
	catalog := fmt.Sprintf("<</Type/Catalog/Pages %s/Lang(en-US)/Metadata %s/ViewerPreferences<</DisplayDocTitle true>>", f.parent, xmp)
	if f.tree != nil {
		catalog += "/MarkInfo<</Marked true>>/StructTreeRoot " + f.tree.finish().String()
	}
	if outline := f.outline(info.Bookmarks); outline != 0 {
		catalog += "/PageMode/UseOutlines/Outlines " + outline.String()
	}
	f.Object(root, catalog+">>")
	day := info.Created.UTC().Format("20060102150405")
	f.Object(about, fmt.Sprintf("<</Title%s/Author%s/Subject%s/Keywords%s/Creator%s/Producer%s/CreationDate(D:%sZ)/ModDate(D:%sZ)>>",
		Text(info.Title), Text(info.Author), Text(info.Subject), Text(info.Keywords), Text("MoatMetrics"), Text("MoatMetrics"), day, day))
	f.endBundle()
	f.crossReferences(root, about)
	return f.err
}

// crossReferences writes where each object lies, and the trailer. The file's identity is
// made of its contents, so that the same contents are the same file.
func (f *File) crossReferences(root, info Ref) {
	ref := f.Alloc()
	start := f.at
	f.where[ref-1] = place(start)
	const row = 1 + 5 + 2
	table := make([]byte, row*(len(f.where)+1))
	table[6], table[7] = 0xFF, 0xFF // object 0 is free
	for i, p := range f.where {
		at := table[row*(i+1):]
		switch {
		case p&packed != 0:
			at[0] = 2
			big(at[1:6], int64(p&^packed>>8))
			at[7] = byte(p)
		case p != 0:
			at[0] = 1
			big(at[1:6], int64(p))
		}
	}
	id := hex.EncodeToString(f.sum.Sum(nil)[:16])
	f.Stream(ref, fmt.Sprintf("/Type/XRef/Size %d/W[1 5 2]/Root %s/Info %s/ID[<%s><%s>]", len(f.where)+1, root, info, id, id), table)
	f.write(fmt.Appendf(nil, "startxref\n%d\n%%%%EOF\n", start))
}

func big(into []byte, v int64) {
	for i := len(into) - 1; i >= 0; i-- {
		into[i], v = byte(v), v>>8
	}
}

// Text writes a text string, in UTF-16 when it is more than ASCII.
func Text(s string) string {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] >= ' ' && s[i] < 0x7F
	}
	if ascii {
		var b bytes.Buffer
		b.WriteByte('(')
		for i := range len(s) {
			if s[i] == '(' || s[i] == ')' || s[i] == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(s[i])
		}
		b.WriteByte(')')
		return b.String()
	}
	return "<FEFF" + utf16Hex(s) + ">"
}

func utf16Hex(s string) string {
	var b bytes.Buffer
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}

// number appends a measure with two decimals at most, as no eye sees a third.
func number(b []byte, v float64) []byte {
	v = math.Round(v*100) / 100
	if v == 0 {
		return append(b, '0')
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}
