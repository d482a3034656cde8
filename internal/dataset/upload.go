package dataset

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Upload is a file that was sent, or is on its way. Its bytes are kept as they came.
type Upload struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Bytes     int64        `json:"bytes"`    // of the whole file, as announced
	Received  int64        `json:"received"` // bytes that are safely stored; send on from here
	SHA256    string       `json:"sha256"`   // "" until all of it is there
	CreatedAt time.Time    `json:"created_at"`
	Actor     tenant.Actor `json:"actor"`
}

// Complete reports whether all of the file is there.
func (u Upload) Complete() bool { return u.SHA256 != "" }

const (
	// maxUpload is the largest file that is taken, in bytes.
	maxUpload = 64 << 30
	// uploadKept is how long a file that no import used is kept.
	uploadKept = 7 * 24 * time.Hour
	// dryRunKept is how long the record of a dry run is kept.
	dryRunKept = 24 * time.Hour
	// OriginalMonths is how long the file of an import is kept after its last use, when no
	// retention rule says otherwise.
	OriginalMonths = 13
	// flushEvery is after how many bytes what came is made durable and recorded.
	flushEvery = 8 << 20
	// maxName is the longest file name, in bytes.
	maxName = 255
)

var uploadID = regexp.MustCompile(`^[a-z0-9]{1,40}$`)

// busyUploads are the uploads that are being written to in this process.
var busyUploads sync.Map

// NewUpload announces a file of that name and size.
func (s *Service) NewUpload(ctx context.Context, scope tenant.Scope, name string, bytes int64) (Upload, error) {
	if err := scope.Whole("uploads"); err != nil {
		return Upload{}, err
	}
	if err := scope.Check(); err != nil {
		return Upload{}, err
	}
	name = path.Base(strings.ReplaceAll(strings.TrimSpace(name), `\`, "/"))
	switch {
	case name == "." || name == "/" || name == ".." || len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return Upload{}, fault.WithFields("the file needs a name", fault.Field{Path: "name", Message: fmt.Sprintf("must be 1 to %d bytes of text", maxName)})
	case bytes <= 0:
		return Upload{}, fault.WithFields(name+" is empty", fault.Field{Path: "bytes", Message: "must be 1 or more"})
	case bytes > maxUpload:
		return Upload{}, fault.Newf(fault.TooLarge, "%s has %d GB; at most %d GB are taken: split the file", name, bytes>>30, maxUpload>>30)
	}
	now := s.now()
	u := Upload{ID: strings.ToLower(rand.Text()[:20]), Name: name, Bytes: bytes, CreatedAt: now.UTC(), Actor: scope.Actor}
	file, err := s.uploadPath(scope, u.ID)
	if err != nil {
		return u, err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return u, diskFault(err)
	}
	f.Close()
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, queries.Get("insert_upload"), t, u.ID, metadb.Text(u.Name), u.Bytes, metadb.Now(now), metadb.Text(string(scope.Actor)))
		return err
	})
	if err != nil {
		os.Remove(file)
		return u, fmt.Errorf("upload: %w", err)
	}
	return u, nil
}

// uploadPath is where an upload's bytes are.
func (s *Service) uploadPath(scope tenant.Scope, id string) (string, error) {
	if !uploadID.MatchString(id) {
		return "", fault.Newf(fault.NotFound, "there is no upload %q", id)
	}
	dir, err := s.w.Folder(scope, "uploads")
	return filepath.Join(dir, id), err
}

// UploadOf returns an upload, a NotFound fault when the tenant has none of that id.
func (s *Service) UploadOf(ctx context.Context, scope tenant.Scope, id string) (Upload, error) {
	if err := scope.Whole("uploads"); err != nil {
		return Upload{}, err
	}
	if err := scope.Check(); err != nil {
		return Upload{}, err
	}
	var u Upload
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		var created, actor string
		if err := tx.One(ctx, queries.Get("get_upload"), []any{string(scope.Tenant), id}, &u.ID, &u.Name, &u.Bytes, &u.Received, &u.SHA256, &created, &actor); err != nil {
			return err
		}
		var err error
		u.Actor = tenant.Actor(actor)
		u.CreatedAt, err = metadb.ParseTime(created)
		return err
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return u, fault.Newf(fault.NotFound, "there is no upload %q, or it was not used for a week and is gone: send the file again", id)
	}
	if err != nil {
		return u, fmt.Errorf("upload %s: %w", id, err)
	}
	return u, nil
}

// Append adds bytes to an upload at an offset, which must be Upload.Received: a Conflict
// fault says where to go on otherwise. What came before an error is kept, so sending goes on
// from there. The last byte completes the file.
func (s *Service) Append(ctx context.Context, scope tenant.Scope, id string, offset int64, r io.Reader) (Upload, error) {
	if err := scope.Whole("uploads"); err != nil {
		return Upload{}, err
	}
	if _, busy := busyUploads.LoadOrStore(id, true); busy {
		return Upload{}, fault.Newf(fault.Conflict, "another request is sending this file: wait for it, then ask how far it is")
	}
	defer busyUploads.Delete(id)
	u, err := s.UploadOf(ctx, scope, id)
	if err != nil {
		return u, err
	}
	if offset != u.Received {
		return u, fault.Newf(fault.Conflict, "byte %d comes next, not %d", u.Received, offset)
	}
	file, err := s.uploadPath(scope, id)
	if err != nil {
		return u, err
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0o600)
	if err != nil {
		return u, fault.Wrapf(fault.NotFound, err, "the bytes of %s are gone: send the file again", u.Name)
	}
	defer f.Close()
	// What is behind the recorded offset may be torn by a power cut.
	if err := f.Truncate(u.Received); err != nil {
		return u, diskFault(err)
	}
	if _, err := f.Seek(u.Received, io.SeekStart); err != nil {
		return u, diskFault(err)
	}
	for u.Received < u.Bytes {
		n, err := io.CopyN(f, r, min(flushEvery, u.Bytes-u.Received))
		if n > 0 {
			if serr := f.Sync(); serr != nil {
				return u, diskFault(serr)
			}
			if serr := s.received(context.WithoutCancel(ctx), scope, &u, n); serr != nil {
				return u, serr
			}
		}
		switch {
		case errors.Is(err, io.EOF) && u.Received < u.Bytes:
			return u, nil
		case err != nil && !errors.Is(err, io.EOF):
			return u, fault.Wrapf(fault.Invalid, err, "the transfer was cut off after %d bytes: send on from there", u.Received)
		}
	}
	if n, _ := io.CopyN(io.Discard, r, 1); n > 0 {
		return u, fault.Newf(fault.Invalid, "%s has more bytes than the %d announced: announce it again with its right size", u.Name, u.Bytes)
	}
	return s.complete(ctx, scope, u, f)
}

// received records that n more bytes are durable.
func (s *Service) received(ctx context.Context, scope tenant.Scope, u *Upload, n int64) error {
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		m, err := tx.Exec(ctx, queries.Get("extend_upload"), string(scope.Tenant), u.ID, u.Received, u.Received+n, metadb.Now(s.now()))
		if err == nil && m == 0 {
			return fault.Newf(fault.Conflict, "another request is sending this file: ask how far it is, then go on")
		}
		if err == nil {
			u.Received += n
		}
		return err
	})
}

func (s *Service) complete(ctx context.Context, scope tenant.Scope, u Upload, f *os.File) (Upload, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return u, diskFault(err)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return u, diskFault(err)
	}
	u.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return u, s.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("complete_upload"), string(scope.Tenant), u.ID, u.SHA256)
		return err
	})
}

// Discard forgets an upload that no import used; the file of an import stays.
func (s *Service) Discard(ctx context.Context, scope tenant.Scope, id string) error {
	if err := scope.Whole("uploads"); err != nil {
		return err
	}
	if _, err := s.UploadOf(ctx, scope, id); err != nil {
		return err
	}
	var n int64
	err := s.db.Transact(ctx, func(tx *metadb.Tx) (err error) {
		n, err = tx.Exec(ctx, queries.Get("delete_upload"), string(scope.Tenant), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("discard: %w", err)
	}
	if n == 0 {
		return fault.Newf(fault.Conflict, "an import used this file: it is kept as its original")
	}
	file, err := s.uploadPath(scope, id)
	if err == nil {
		os.Remove(file)
	}
	return err
}

// Original opens the file of an upload that is complete.
func (s *Service) Original(ctx context.Context, scope tenant.Scope, id string) (Upload, *os.File, error) {
	if err := scope.Whole("uploads"); err != nil {
		return Upload{}, nil, err
	}
	u, err := s.UploadOf(ctx, scope, id)
	if err != nil {
		return u, nil, err
	}
	if !u.Complete() {
		return u, nil, fault.Newf(fault.Conflict, "%s is not all there: %d of %d bytes; send the rest first", u.Name, u.Received, u.Bytes)
	}
	file, err := s.uploadPath(scope, id)
	if err != nil {
		return u, nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return u, nil, fault.Wrapf(fault.NotFound, err, "the bytes of %s are gone: send the file again", u.Name)
	}
	return u, f, nil
}

// Kept says which originals of imports stay.
type Kept struct {
	// Originals is since when an original must have been used; zero keeps all.
	Originals time.Time
	// Hold keeps all of them, whatever their age.
	Hold bool
}

// Sweep is SweepKept with originals kept for OriginalMonths.
func (s *Service) Sweep(ctx context.Context, scope tenant.Scope) (int, error) {
	if err := scope.Whole("uploads"); err != nil {
		return 0, err
	}
	return s.SweepKept(ctx, scope, Kept{Originals: s.now().AddDate(0, -OriginalMonths, 0)})
}

// SweepKept removes files that nobody used for a week, old originals of imports, and dry runs
// of more than a day ago, which hold rows. It returns how many files.
func (s *Service) SweepKept(ctx context.Context, scope tenant.Scope, kept Kept) (int, error) {
	if err := scope.Whole("uploads"); err != nil {
		return 0, err
	}
	now := s.now()
	if kept.Hold {
		kept.Originals = time.Time{}
	}
	var ids []string
	err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
		ids = nil
		rows, err := tx.Query(ctx, queries.Get("old_uploads"), string(scope.Tenant), metadb.Now(now.Add(-uploadKept)), metadb.Now(kept.Originals))
		if err != nil {
			return err
		}
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				rows.Close()
				return err
			}
			ids = append(ids, id)
		}
		rows.Close()
		if _, err := tx.Exec(ctx, queries.Get("forget_dry_runs"), string(scope.Tenant), metadb.Now(now.Add(-dryRunKept))); err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := tx.Exec(ctx, queries.Get("forget_upload"), string(scope.Tenant), id); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("sweep uploads: %w", err)
	}
	for _, id := range ids {
		if file, err := s.uploadPath(scope, id); err == nil {
			os.Remove(file)
		}
	}
	return len(ids), nil
}
