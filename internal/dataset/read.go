package dataset

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// maxUnpacked bounds what a compressed file may grow to, a guard against zip bombs.
const maxUnpacked = 32 << 30

// Encodings as reported in Dialect.Encoding.
const (
	encUTF8        = "utf-8"
	encUTF16LE     = "utf-16le"
	encUTF16BE     = "utf-16be"
	encWindows1252 = "windows-1252"
	encWindows1251 = "windows-1251"
	encLatin1      = "iso-8859-1"
	encXLSX        = "xlsx"
	encParquet     = "parquet"
)

// upload is one delimited text or workbook, copied into the session's folder.
type upload struct {
	Name     string // as the user knows it: file name, or member of an archive
	Path     string // UTF-8 text without byte order mark; the workbook itself for XLSX
	SHA256   string // of the bytes as they came
	Bytes    int64  // of the bytes as they came
	Encoding string
	NULs     int64  // zero bytes in the text, which the engine leaves out
	Invalid  int64  // bytes that are not of the encoding, replaced by a mark
	Packed   string // how it was compressed: gzip, zip or ""
}

// copier copies uploads into dir and reports progress.
type copier struct {
	dir      string
	n        int
	progress func(done int64)
	encoding string // forced by the mapping; "" decides from the bytes
	engine   *warehouse.Session
}

func (c *copier) create(ext string) (*os.File, error) {
	c.n++
	f, err := os.Create(filepath.Join(c.dir, fmt.Sprintf("upload%d%s", c.n, ext)))
	if err != nil {
		return nil, diskFault(err)
	}
	return f, nil
}

func diskFault(err error) error {
	return fault.Wrapf(fault.Unavailable, err, "the data directory could not be written: check free space and permissions; nothing was changed")
}

// open copies what r holds into the folder and returns its tables' files: one, or one for
// each member of a zip archive.
func (c *copier) open(ctx context.Context, name string, r io.Reader) ([]upload, error) {
	in := bufio.NewReaderSize(r, 1<<20)
	head, _ := in.Peek(4)
	switch {
	case isZip(head):
		return c.openZip(ctx, name, in, false)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		hash, size := sha256.New(), &counter{}
		zr, err := gzip.NewReader(io.TeeReader(in, io.MultiWriter(hash, size)))
		if err != nil {
			return nil, fault.Wrapf(fault.Invalid, err, "%s looks like gzip but cannot be unpacked", name)
		}
		u, err := c.text(ctx, strings.TrimSuffix(name, ".gz"), &bombGuard{r: zr, packed: &size.n, name: name})
		if err != nil {
			return nil, err
		}
		u.Name, u.SHA256, u.Bytes, u.Packed = name, hex.EncodeToString(hash.Sum(nil)), size.n, "gzip"
		return []upload{u}, nil
	case bytes.HasPrefix(head, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		if more, _ := in.Peek(1 << 20); bytes.Contains(more, encryptedPackage) {
			return nil, fault.Newf(fault.Invalid, "%s is protected by a password: open it in the program that wrote it, take the password off (Excel: File, Info, Protect Workbook) and save it again", name)
		}
		return nil, fault.Newf(fault.Invalid, "%s is an old Excel file (.xls): open it and save it as .xlsx (File, Save As, Excel Workbook) or CSV", name)
	case bytes.HasPrefix(head, []byte("PAR1")):
		u, err := c.openParquet(ctx, name, in)
		return []upload{u}, err
	case bytes.HasPrefix(head, []byte("%PDF")):
		return nil, fault.Newf(fault.Invalid, "%s is a PDF: export the table as CSV or XLSX", name)
	}
	u, err := c.text(ctx, name, in)
	return []upload{u}, err
}

// openParquet copies a Parquet file and writes it as text: decimals and dates exactly,
// floating-point numbers with the digits that they need, lists and structures as JSON.
func (c *copier) openParquet(ctx context.Context, name string, r io.Reader) (upload, error) {
	f, err := c.create(".parquet")
	if err != nil {
		return upload{}, err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	hash := sha256.New()
	size, err := c.pump(ctx, io.MultiWriter(f, hash), &limited{r: r, left: maxUnpacked, name: name})
	if err != nil {
		return upload{}, err
	}
	damaged := func(err error) error {
		if ctx.Err() != nil {
			return fault.Wrapf(fault.Canceled, err, "the import was canceled")
		}
		return fault.Wrapf(fault.Invalid, err, "%s is a damaged or cut off Parquet file, or of a kind that cannot be read: write it again", name)
	}
	var columns []string
	from := "read_parquet(" + q(f.Name()) + ")"
	err = c.engine.Each(ctx, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+from+")", func(row []any) error {
		column, kind := warehouse.QuoteIdent(text(row[0])), text(row[1])
		switch {
		case strings.HasSuffix(kind, "]"), strings.HasPrefix(kind, "STRUCT"), strings.HasPrefix(kind, "MAP"):
			columns = append(columns, "to_json("+column+")::VARCHAR AS "+column)
		default:
			columns = append(columns, column+"::VARCHAR AS "+column)
		}
		return nil
	})
	if err != nil {
		return upload{}, damaged(err)
	}
	if len(columns) > maxColumns {
		return upload{}, fault.Newf(fault.Invalid, "%s has more than %d columns", name, maxColumns)
	}
	out, err := c.create(".csv")
	if err != nil {
		return upload{}, err
	}
	out.Close()
	if err := c.engine.Exec(ctx, fmt.Sprintf("COPY (SELECT %s FROM %s) TO %s (FORMAT csv, HEADER, DELIMITER ',', QUOTE '\"', ESCAPE '\"')", strings.Join(columns, ", "), from, q(out.Name()))); err != nil {
		return upload{}, damaged(err)
	}
	return upload{Name: name, Path: out.Name(), SHA256: hex.EncodeToString(hash.Sum(nil)), Bytes: size, Encoding: encParquet}, nil
}

// nulCounter counts zero bytes.
type nulCounter struct{ n int64 }

func (c *nulCounter) Write(b []byte) (int, error) {
	c.n += int64(bytes.Count(b, []byte{0}))
	return len(b), nil
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) { c.n += int64(len(b)); return len(b), nil }

// text copies delimited text and decides its encoding from the bytes: byte order mark,
// UTF-16 by its zero bytes, valid UTF-8, else Windows-1252.
func (c *copier) text(ctx context.Context, name string, r io.Reader) (upload, error) {
	f, err := c.create(".csv")
	if err != nil {
		return upload{}, err
	}
	defer f.Close()
	hash, check, nuls := sha256.New(), &utf8Check{}, &nulCounter{}
	in := bufio.NewReaderSize(io.TeeReader(&lineGuard{r: &limited{r: r, left: maxUnpacked, name: name}, name: name}, hash), 1<<20)
	enc, skip := sniffEncoding(in, c.encoding)
	if _, err := in.Discard(skip); err != nil {
		return upload{}, fault.Wrapf(fault.Unavailable, err, "%s could not be read", name)
	}
	var out io.Writer = f
	if enc == encUTF8 {
		out = io.MultiWriter(f, check, nuls)
	}
	size, err := c.pump(ctx, out, in)
	if err != nil {
		return upload{}, err
	}
	u := upload{Name: name, Path: f.Name(), SHA256: hex.EncodeToString(hash.Sum(nil)), Bytes: size + int64(skip)}
	if enc == encUTF8 && !check.ok() {
		if enc, u.Invalid, err = c.legacy(f); err != nil {
			return upload{}, err
		}
	}
	if u.Encoding = enc; enc != encUTF8 || u.Invalid > 0 {
		nuls.n = 0
		u.Path, err = c.transcode(ctx, f, enc, nuls)
	}
	u.NULs = nuls.n
	return u, err
}

// sniffEncoding looks at the first bytes; the second result is the length of the mark.
// "utf-8" still has to be confirmed by the rest of the file.
func sniffEncoding(in *bufio.Reader, forced string) (string, int) {
	head, _ := in.Peek(4096)
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		return encUTF8, 3
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return encUTF16LE, 2
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return encUTF16BE, 2
	case forced != "":
		return forced, 0
	}
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch half := len(head) / 2; {
	case half > 2 && zeros[1] > half*3/4 && zeros[0] < half/4:
		return encUTF16LE, 0
	case half > 2 && zeros[0] > half*3/4 && zeros[1] < half/4:
		return encUTF16BE, 0
	}
	return encUTF8, 0
}

// legacy decides what a text is that is not all UTF-8: UTF-8 with few damaged bytes, which
// are counted, when characters of several bytes are much more frequent than bytes that fit
// none; Windows-1251 when most of the high bytes stand in words of such, as Cyrillic does
// and accented letters do not; otherwise Windows-1252. A forced encoding is taken as it is.
func (c *copier) legacy(f *os.File) (string, int64, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", 0, diskFault(err)
	}
	in := bufio.NewReaderSize(f, 1<<18)
	var whole, broken, letters, inWords, run int64
	left := 0 // bytes of a whole character still to come
	for {
		head, err := in.Peek(utf8.UTFMax)
		if len(head) == 0 {
			if !errors.Is(err, io.EOF) {
				return "", 0, diskFault(err)
			}
			break
		}
		if left > 0 {
			left--
		} else if head[0] >= utf8.RuneSelf {
			if r, size := utf8.DecodeRune(head); r == utf8.RuneError && size < 2 {
				broken++
			} else {
				whole++
				left = size - 1
			}
		}
		if head[0] >= 0xc0 {
			letters++
			if run++; run == 4 {
				inWords += 4
			} else if run > 4 {
				inWords++
			}
		} else {
			run = 0
		}
		in.Discard(1)
	}
	switch {
	case c.encoding == encUTF8, whole > 4*broken:
		return encUTF8, broken, nil
	case 2*inWords > letters:
		return encWindows1251, 0, nil
	}
	return encWindows1252, 0, nil
}

func decoder(enc string) *encoding.Decoder {
	switch enc {
	case encUTF8:
		return unicode.UTF8.NewDecoder()
	case encWindows1251:
		return charmap.Windows1251.NewDecoder()
	case encLatin1:
		return charmap.ISO8859_1.NewDecoder()
	case encUTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case encUTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	}
	return charmap.Windows1252.NewDecoder()
}

func (c *copier) transcode(ctx context.Context, f *os.File, enc string, nuls io.Writer) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", diskFault(err)
	}
	out, err := c.create(".csv")
	if err != nil {
		return "", err
	}
	defer out.Close()
	if _, err := c.pump(ctx, io.MultiWriter(out, nuls), transform.NewReader(f, decoder(enc))); err != nil {
		return "", err
	}
	os.Remove(f.Name())
	return out.Name(), nil
}

// pump copies r to w, watching ctx and telling read faults from write faults. The next
// piece is read while the last one is written.
func (c *copier) pump(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	type piece struct {
		bytes []byte
		err   error
	}
	empty, full := make(chan []byte, 2), make(chan piece)
	for range cap(empty) {
		empty <- make([]byte, 1<<20)
	}
	go func() {
		defer close(full)
		for buf := range empty {
			n, err := r.Read(buf)
			full <- piece{buf[:n], err}
			if err != nil {
				return
			}
		}
	}()
	defer func() { // the reader is not ours any more once we return
		close(empty)
		for range full {
		}
	}()
	var total int64
	for {
		if err := ctx.Err(); err != nil {
			return total, fault.Wrapf(fault.Canceled, err, "the import was canceled")
		}
		p := <-full
		if n := len(p.bytes); n > 0 {
			if _, err := w.Write(p.bytes); err != nil {
				return total, diskFault(err)
			}
			total += int64(n)
			if c.progress != nil {
				c.progress(total)
			}
		}
		if errors.Is(p.err, io.EOF) {
			return total, nil
		}
		if p.err != nil {
			if fault.KindOf(p.err) != fault.Internal {
				return total, p.err
			}
			return total, fault.Wrapf(fault.Invalid, p.err, "the file could not be read to its end: it is damaged or the transfer broke off")
		}
		empty <- p.bytes[:cap(p.bytes)]
	}
}

// limited refuses to read more than left bytes.
type limited struct {
	r    io.Reader
	left int64
	name string
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if l.left -= int64(n); l.left < 0 {
		return 0, tooLarge(l.name)
	}
	return n, err
}

// lineGuard stops reading text at a line that is too long for any row, before it fills the
// disk. JSON may stand in one line: its objects are bounded when they are read.
type lineGuard struct {
	r       io.Reader
	name    string
	long    int64 // bytes since the last line end
	line    int64
	started bool
	json    bool
}

func (g *lineGuard) Read(b []byte) (int, error) {
	n, err := g.r.Read(b)
	if text := bytes.TrimLeft(b[:n], "\xef\xbb\xbf\xff\xfe\x00 \t\r\n"); !g.started && len(text) > 0 {
		g.started, g.json = true, text[0] == '{' || text[0] == '['
	}
	last := bytes.LastIndexByte(b[:n], '\n')
	if cr := bytes.LastIndexByte(b[last+1:n], '\r'); cr >= 0 {
		last += 1 + cr
	}
	if last >= 0 {
		g.line += int64(bytes.Count(b[:n], []byte("\n")))
		g.long = int64(n - last - 1)
	} else {
		g.long += int64(n)
	}
	if g.long > 2*maxRecord && !g.json { // two bytes a character in UTF-16
		return 0, fault.Newf(fault.Invalid, "%s: line %d holds more than %d MiB: is this a text table?", g.name, g.line+1, maxRecord>>20)
	}
	return n, err
}

// utf8Check watches a stream for bytes that are not UTF-8.
type utf8Check struct {
	tail []byte // an incomplete character at the end of what was written
	bad  bool
}

func (u *utf8Check) Write(b []byte) (int, error) {
	n := len(b)
	if u.bad {
		return n, nil
	}
	if len(u.tail) > 0 {
		b = append(u.tail, b...)
		u.tail = nil
	}
	// Cut an incomplete character off the end: at most three bytes.
	cut := len(b)
	for i := 1; i <= 3 && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				cut = len(b) - i
			}
			break
		}
	}
	u.bad = !utf8.Valid(b[:cut])
	u.tail = append([]byte(nil), b[cut:]...)
	return n, nil
}

func (u *utf8Check) ok() bool { return !u.bad && len(u.tail) == 0 }
