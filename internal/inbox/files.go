package inbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// FileStatus says what became of a file.
type FileStatus string

// The statuses.
const (
	Fetched     FileStatus = "fetched"   // its bytes are here
	Importing   FileStatus = "importing" // its batch has begun
	Imported    FileStatus = "imported"
	Duplicate   FileStatus = "duplicate"   // its content was imported before
	Quarantined FileStatus = "quarantined" // it could not be read, or a person has to decide
	Released    FileStatus = "released"    // the next run tries it again
	Dismissed   FileStatus = "dismissed"   // a person does not want it
)

// File is a file that was taken from a source.
type File struct {
	ID      string           `json:"id"`
	Path    string           `json:"path"`
	Mark    string           `json:"mark"`
	Bytes   int64            `json:"bytes"`
	SHA256  string           `json:"sha256"`
	Status  FileStatus       `json:"status"`
	Problem string           `json:"problem"` // why it is in quarantine
	Mapping *dataset.Mapping `json:"mapping"` // how it is read once released; null: as the source says
	Upload  string           `json:"upload"`
	Batch   string           `json:"batch"`
	MovedTo string           `json:"moved_to"` // where it is at the source now; "" for path
	SeenAt  time.Time        `json:"seen_at"`
	DoneAt  *time.Time       `json:"done_at"`

	settled bool // nothing more is to be done at the source
}

// at is where the file is at its source.
func (f File) at() string { return cmp.Or(f.MovedTo, f.Path) }

// Files lists what was taken from a source, newest first; status "" is every one.
func (s *Service) Files(ctx context.Context, scope tenant.Scope, source string, status FileStatus, limit int, skip int64) ([]File, error) {
	if err := scope.Whole("files of sources"); err != nil {
		return nil, err
	}
	src, err := s.Source(ctx, scope, source)
	if err != nil {
		return nil, err
	}
	return s.files(ctx, "list_files", string(scope.Tenant), src.ID, string(status), limit, skip)
}

func (r *run) openFiles(ctx context.Context) ([]File, error) {
	return r.files(ctx, "open_files", string(r.scope.Tenant), r.src.ID)
}

func (s *Service) files(ctx context.Context, query string, args ...any) ([]File, error) {
	out := []File{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get(query), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			f, err := scanFile(rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, f)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("files of a source: %w", err)
	}
	return out, nil
}

func scanFile(scan func(...any) error) (File, error) {
	var f File
	var status, mapping, seen, done string
	var settled int64
	if err := scan(&f.ID, &f.Path, &f.Mark, &f.Bytes, &f.SHA256, &status, &f.Problem, &mapping, &f.Upload, &f.Batch, &settled, &f.MovedTo, &seen, &done); err != nil {
		return f, err
	}
	f.Status, f.settled = FileStatus(status), settled != 0
	if mapping != "" {
		if err := json.Unmarshal([]byte(mapping), &f.Mapping); err != nil {
			return f, err
		}
	}
	var err error
	if f.DoneAt, err = optionalTime(done); err != nil {
		return f, err
	}
	f.SeenAt, err = metadb.ParseTime(seen)
	return f, err
}

func (s *Service) file(ctx context.Context, scope tenant.Scope, source, id string) (Source, File, error) {
	src, err := s.Source(ctx, scope, source)
	if err != nil {
		return src, File{}, err
	}
	list, err := s.files(ctx, "get_file", string(scope.Tenant), src.ID, id)
	if err == nil && len(list) == 0 {
		err = fault.Newf(fault.NotFound, "there is no file %q of %s", id, src.Name)
	}
	if err != nil {
		return src, File{}, err
	}
	return src, list[0], nil
}

// Release lets the next run try a file again: one in quarantine, one that was dismissed, or
// one whose content was imported before. A mapping says how it is read; nil leaves that to
// the source and to the mappings that are kept.
func (s *Service) Release(ctx context.Context, scope tenant.Scope, source, id string, m *dataset.Mapping) (File, error) {
	if err := scope.Whole("files of sources"); err != nil {
		return File{}, err
	}
	text := ""
	if m != nil {
		b, err := json.Marshal(m)
		if err != nil {
			return File{}, err
		}
		if _, err := dataset.ParseMapping(b); err != nil { // JSON is YAML
			return File{}, err
		}
		text = string(b)
	}
	return s.decide(ctx, scope, source, id, "release", func(tx *metadb.Tx) (int64, error) {
		return tx.Exec(ctx, queries.Get("release_file"), string(scope.Tenant), id, metadb.Text(text))
	})
}

// Dismiss takes a file out of quarantine without importing it. It stays where it is.
func (s *Service) Dismiss(ctx context.Context, scope tenant.Scope, source, id string) (File, error) {
	if err := scope.Whole("files of sources"); err != nil {
		return File{}, err
	}
	return s.decide(ctx, scope, source, id, "dismiss", func(tx *metadb.Tx) (int64, error) {
		return tx.Exec(ctx, queries.Get("dismiss_file"), string(scope.Tenant), id)
	})
}

func (s *Service) decide(ctx context.Context, scope tenant.Scope, source, id, verb string, change func(tx *metadb.Tx) (int64, error)) (File, error) {
	src, f, err := s.file(ctx, scope, source, id)
	if err != nil {
		return f, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := change(tx)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Newf(fault.Conflict, "%s is %s: there is nothing to %s", f.Path, f.Status, verb)
		}
		if verb == "release" && src.Schedule != "" {
			if _, err := tx.Exec(ctx, queries.Get("make_due"), string(scope.Tenant), src.ID, metadb.Now(s.now())); err != nil {
				return err
			}
		}
		return s.record(ctx, scope, tx, "source."+verb, src.ID, map[string]string{"file": f.ID})
	})
	if err != nil {
		return f, err
	}
	_, f, err = s.file(ctx, scope, src.ID, id)
	return f, err
}

// Test connects to a source and lists its files. Nothing is imported or changed.
func (s *Service) Test(ctx context.Context, scope tenant.Scope, source string) ([]Listing, error) {
	if err := scope.Whole("sources"); err != nil {
		return nil, err
	}
	src, err := s.Source(ctx, scope, source)
	if err != nil {
		return nil, err
	}
	p, err := s.dial(ctx, scope, src)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	list, err := p.list(ctx)
	for i := range list {
		list[i].Path = metadb.Text(list[i].Path)
		if list[i].Skip == "" {
			list[i].Skip = skip(list[i].Path, src.Settings.Pattern)
		}
	}
	if list == nil {
		list = []Listing{}
	}
	return list, err
}
