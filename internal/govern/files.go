package govern

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// FoundFile is a file beside the tables that holds a person.
type FoundFile struct {
	ID     string `json:"id"`   // of an upload; "" for other files
	Name   string `json:"name"` // below the data directory
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of an upload
	// Action is "delete", or "yours" for files that this program did not make: whoever runs
	// it has to deal with them.
	Action string `json:"action"`
}

const (
	actionDelete = "delete"
	actionYours  = "yours"
)

// chunk is how much of a file is looked at once, and overlap how much of it again with the
// next piece, so that nothing is missed between them, bytes.
const (
	chunk   = 1 << 20
	overlap = 4 << 10
	// maxNested is how deep archives in archives are looked into, workbooks included.
	maxNested = 3
)

// uploadsWith finds the uploads that hold a person. They are deleted, not rewritten: an
// original that was changed is none any more.
func (s *Service) uploadsWith(ctx context.Context, scope tenant.Scope, sp *spelling) ([]FoundFile, error) {
	list, err := s.data.Uploads(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := []FoundFile{}
	for _, u := range list {
		file, err := s.data.UploadFile(scope, u.ID)
		if err != nil {
			return nil, err
		}
		hit, err := fileHas(ctx, file, sp)
		if err != nil {
			return nil, err
		}
		if hit {
			out = append(out, FoundFile{ID: u.ID, Name: "uploads/" + string(scope.Tenant) + "/" + u.ID, Bytes: u.Bytes, SHA256: u.SHA256, Action: actionDelete})
		}
	}
	return out, nil
}

// othersWith finds the other files of the data directory that hold a person: those that the
// demo made, and what somebody put there, such as a backup.
func (s *Service) othersWith(ctx context.Context, sp *spelling) ([]FoundFile, error) {
	out := []FoundFile{}
	if s.opt.DataDir == "" {
		return out, nil
	}
	err := filepath.WalkDir(s.opt.DataDir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.opt.DataDir, path)
		if err != nil {
			return err
		}
		top, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		if d.IsDir() {
			if top == "warehouse" || top == "tmp" || top == "uploads" {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasPrefix(rel, "moatmetrics.db") || !d.Type().IsRegular() {
			return nil
		}
		hit, err := fileHas(ctx, path, sp)
		if err != nil || !hit {
			return err
		}
		f := FoundFile{Name: filepath.ToSlash(rel), Action: actionYours}
		if top == "demo-files" {
			f.Action = actionDelete
		}
		if info, err := d.Info(); err == nil {
			f.Bytes = info.Size()
		}
		out = append(out, f)
		return nil
	})
	if err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "the data directory cannot be looked through: check its owner and permissions")
	}
	return out, nil
}

// fileHas reports whether a file holds a person, packed or not. A file that is gone does
// not; one that is packed and cannot be unpacked is taken to.
func fileHas(ctx context.Context, path string, sp *spelling) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fault.Wrapf(fault.Unavailable, err, "a file of the data directory cannot be read: check its owner and permissions")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	head := make([]byte, 4)
	n, _ := io.ReadFull(f, head)
	if bytes.HasPrefix(head[:n], []byte("PK\x03\x04")) {
		return zipHas(ctx, f, info.Size(), sp, 1), nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	return readerHas(ctx, f, sp, 0)
}

func zipHas(ctx context.Context, r io.ReaderAt, size int64, sp *spelling, depth int) bool {
	z, err := zip.NewReader(r, size)
	if err != nil || depth > maxNested {
		return true
	}
	for _, m := range z.File {
		if sp.in([]byte(m.Name)) {
			return true
		}
		in, err := m.Open()
		if err != nil {
			return true
		}
		hit, err := readerHas(ctx, in, sp, depth)
		in.Close()
		if err != nil || hit {
			return true
		}
	}
	return false
}

// readerHas looks through a stream.
func readerHas(ctx context.Context, r io.Reader, sp *spelling, depth int) (bool, error) {
	buf := make([]byte, 0, chunk+overlap)
	first := true
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := io.ReadFull(r, buf[len(buf):min(len(buf)+chunk, cap(buf))])
		buf = buf[:len(buf)+n]
		if first {
			first = false
			switch {
			case bytes.HasPrefix(buf, []byte{0x1f, 0x8b}):
				z, zerr := gzip.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(buf)), r))
				if zerr != nil || depth > maxNested {
					return true, nil
				}
				hit, zerr := readerHas(ctx, z, sp, depth+1)
				return hit || zerr != nil, ctx.Err()
			case bytes.HasPrefix(buf, []byte("PK\x03\x04")):
				whole, zerr := io.ReadAll(io.MultiReader(bytes.NewReader(buf), io.LimitReader(r, 1<<30)))
				if zerr != nil {
					return true, nil
				}
				return zipHas(ctx, bytes.NewReader(whole), int64(len(whole)), sp, depth+1), nil
			}
		}
		if sp.in(buf) {
			return true, nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return false, nil
			}
			return false, err
		}
		keep := min(overlap, len(buf))
		copy(buf, buf[len(buf)-keep:])
		buf = buf[:keep]
	}
}
