package dataset

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// This file opens what is packed as a zip archive: archives of tables, and workbooks. No
// name in an archive is ever used as the name of a file here.

const (
	// maxMembers is how many files an archive may hold.
	maxMembers = 1000
	// maxSheets is how many sheets a workbook may hold.
	maxSheets = 250
	// maxPart bounds the parts of a workbook that are taken into memory as a whole, in bytes,
	// and maxParts all that are not its sheets and texts, such as pictures.
	maxPart  = 16 << 20
	maxParts = 256 << 20
)

// encryptedPackage is how a workbook with a password names what it holds.
var encryptedPackage = []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")

func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// openZip handles workbooks and archives; both need random access, so both are copied as
// they are first.
func (c *copier) openZip(ctx context.Context, name string, r io.Reader, inside bool) ([]upload, error) {
	f, err := c.create(".zip")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	hash := sha256.New()
	size, err := c.pump(ctx, io.MultiWriter(f, hash), r)
	if err != nil {
		return nil, err
	}
	zr, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "%s looks like a zip archive but cannot be unpacked", name)
	}
	kind, err := checkArchive(name, zr.File, size)
	if err != nil {
		return nil, err
	}
	if kind == workbookArchive {
		return []upload{{Name: name, Path: f.Name(), SHA256: hex.EncodeToString(hash.Sum(nil)), Bytes: size, Encoding: encXLSX}}, nil
	}
	if inside {
		return nil, fault.Newf(fault.Invalid, "%s is an archive inside an archive: unpack it first", name)
	}
	var uploads []upload
	for _, m := range zr.File {
		if leftOut(m) {
			continue
		}
		mr, err := m.Open()
		if err != nil {
			return nil, fault.Wrapf(fault.Invalid, err, "%s: the member %s cannot be unpacked", name, m.Name)
		}
		inner, err := c.openMember(ctx, m.Name, mr)
		mr.Close()
		if err != nil {
			return nil, err
		}
		for i := range inner {
			inner[i].Packed = "zip"
		}
		uploads = append(uploads, inner...)
	}
	if len(uploads) == 0 {
		return nil, fault.Newf(fault.Invalid, "%s holds no files", name)
	}
	return uploads, nil
}

// openMember is open without archives in archives, which only bombs need; workbooks are
// archives, too.
func (c *copier) openMember(ctx context.Context, name string, r io.Reader) ([]upload, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	if head, _ := in.Peek(4); isZip(head) {
		return c.openZip(ctx, name, in, true)
	}
	return c.open(ctx, name, in)
}

// Unpacked text of more than bombFloor bytes that is over bombRatio times as large as the
// archive is no table: text of repeated rows shrinks to a hundredth at most.
const (
	bombFloor = 256 << 20
	bombRatio = 400
)

func bomb(name string) error {
	return fault.Newf(fault.TooLarge, "%s unpacks to more than %d times its size: it is no table but an archive made to fill the disk", name, bombRatio)
}

// bombGuard stops reading unpacked bytes that are too many for the packed ones.
type bombGuard struct {
	r      io.Reader
	packed *int64
	n      int64
	name   string
}

func (b *bombGuard) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.n += int64(n); b.n > bombFloor && b.n/bombRatio > *b.packed {
		return 0, bomb(b.name)
	}
	return n, err
}

func tooLarge(name string) error {
	return fault.Newf(fault.TooLarge, "%s unpacks to more than %d GiB: split it", name, maxUnpacked>>30)
}

type archiveKind int

const (
	tableArchive archiveKind = iota
	workbookArchive
)

// otherKinds are files that are zip archives and no tables, by a member that tells them.
var otherKinds = []struct {
	is   func(member string) bool
	says string
}{
	{func(m string) bool { return m == "xl/workbook.bin" }, "is a binary Excel workbook (.xlsb): open it and save it as .xlsx (File, Save As, Excel Workbook) or CSV"},
	{func(m string) bool { return m == "content.xml" }, "is an OpenDocument file (.ods): open it and save it as .xlsx (File, Save As, Excel 2007-365) or CSV"},
	{func(m string) bool {
		return strings.HasPrefix(m, "Index/") && strings.HasSuffix(m, ".iwa") || m == "Index.zip"
	}, "is a Numbers file: export it as Excel or CSV (File, Export To)"},
	{func(m string) bool { return m == "word/document.xml" || m == "ppt/presentation.xml" }, "is a document, no table: save its table as .xlsx or CSV"},
}

// leftOut reports members that are no files of the user's.
func leftOut(m *zip.File) bool {
	return m.FileInfo().IsDir() || strings.HasPrefix(path.Base(m.Name), ".") && filepath.IsLocal(strings.ReplaceAll(m.Name, `\`, "/")) || strings.HasPrefix(m.Name, "__MACOSX/")
}

// checkArchive refuses archives that are made to hurt, before anything is unpacked, and
// files of other programs. size is the archive's in bytes.
func checkArchive(name string, members []*zip.File, size int64) (archiveKind, error) {
	kind := tableArchive
	if slices.ContainsFunc(members, func(m *zip.File) bool { return m.Name == "xl/workbook.xml" }) {
		kind = workbookArchive
	}
	var files int
	var whole uint64
	seen := map[string]bool{}
	for _, m := range members {
		member := strings.ReplaceAll(m.Name, `\`, "/")
		for _, o := range otherKinds {
			if kind != workbookArchive && o.is(member) {
				return kind, fault.Newf(fault.Invalid, "%s %s", name, o.says)
			}
		}
		if m.UncompressedSize64 > maxUnpacked || whole+m.UncompressedSize64 > maxUnpacked {
			return kind, tooLarge(m.Name)
		}
		// All of it together, too: members may share their packed bytes.
		if whole += m.UncompressedSize64; whole > bombFloor && (whole/bombRatio > uint64(size) || m.UncompressedSize64 > bombFloor && m.UncompressedSize64/bombRatio > m.CompressedSize64) {
			return kind, bomb(m.Name)
		}
		if leftOut(m) {
			continue
		}
		files++
		switch {
		case files > maxMembers && kind == tableArchive:
			return kind, fault.Newf(fault.Invalid, "%s holds more than %d files: pack fewer into one archive", name, maxMembers)
		case m.Flags&1 != 0:
			return kind, fault.Newf(fault.Invalid, "%s is protected by a password: unpack it, and import the files", name)
		case m.Mode()&fs.ModeSymlink != 0 || !m.Mode().IsRegular():
			return kind, fault.Newf(fault.Invalid, "%s: the member %s is a link to a file elsewhere, no file: pack the file itself", name, m.Name)
		case !filepath.IsLocal(member) || len(member) > 1 && member[1] == ':':
			return kind, fault.Newf(fault.Invalid, "%s: the name of the member %s leads out of the archive: pack the files again, without such names", name, m.Name)
		case seen[member]:
			return kind, fault.Newf(fault.Invalid, "%s holds %s twice: pack each file once, under its own name", name, m.Name)
		}
		seen[member] = true
	}
	if kind == workbookArchive {
		return kind, checkParts(name, members)
	}
	return kind, nil
}

// checkParts bounds what opening a workbook takes into memory.
func checkParts(name string, members []*zip.File) error {
	var sheets int
	var parts uint64
	for _, m := range members {
		part := strings.ToLower(strings.ReplaceAll(m.Name, `\`, "/"))
		if strings.HasPrefix(part, "xl/worksheets/sheet") {
			if sheets++; sheets > maxSheets {
				return fault.Newf(fault.Invalid, "%s has more than %d sheets: save the ones that hold tables as a workbook of their own", name, maxSheets)
			}
			continue
		}
		if part == "xl/sharedstrings.xml" {
			continue
		}
		own := part == "xl/workbook.xml" || part == "xl/styles.xml" || strings.HasSuffix(part, ".rels") || strings.HasSuffix(part, "content_types].xml") || strings.HasPrefix(part, "xl/theme/")
		if parts += m.UncompressedSize64; parts > maxParts || own && m.UncompressedSize64 > maxPart {
			return fault.Newf(fault.TooLarge, "%s: %s is too large for a workbook of tables: save the table as CSV, or without pictures and pivot tables", name, m.Name)
		}
	}
	return nil
}

// heldSheet is the size up to which a workbook's sheets are held in memory, the larger ones
// being read from disk: less when there are many.
func heldSheet(path string) int64 {
	zr, err := zip.OpenReader(path)
	if err != nil {
		return maxPart // it will not open as a workbook either
	}
	defer zr.Close()
	var held uint64
	for _, m := range zr.File {
		if strings.HasPrefix(strings.ToLower(m.Name), "xl/worksheets/") && m.UncompressedSize64 <= maxPart {
			held += m.UncompressedSize64
		}
	}
	if held > maxParts {
		return 1 << 20
	}
	return maxPart
}
