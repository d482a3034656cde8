package inbox

import (
	"context"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Listing is a file as a source lists it.
type Listing struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`          // of an attachment about
	Mark  string `json:"mark"`           // changes with its content
	Skip  string `json:"skip,omitempty"` // why it is not taken; "" when it is
}

// place is a connected source. Its errors say whether trying again may help: Unavailable
// does, others need a person.
type place interface {
	// list returns the files of the place itself, not of folders in it.
	list(ctx context.Context) ([]Listing, error)
	// stat returns a file as list would, a NotFound fault when it is gone.
	stat(ctx context.Context, name string) (Listing, error)
	// open returns a file's content and its size in bytes, of which a listing may know less.
	open(ctx context.Context, name string) (io.ReadCloser, int64, error)
	// move renames a file; a file of the new name must not be there.
	move(ctx context.Context, from, to string) error
	remove(ctx context.Context, name string) error
	io.Closer
}

// Folders that move makes.
const (
	doneFolder       = "done"
	quarantineFolder = "quarantine"
)

// dial connects to a source.
func (s *Service) dial(ctx context.Context, scope tenant.Scope, src Source) (place, error) {
	switch src.Kind {
	case Folder:
		return openFolder(src.Settings.Path)
	}
	cred, err := s.unseal(ctx, scope, src)
	if err != nil {
		return nil, err
	}
	switch src.Kind {
	case SFTP:
		return dialSFTP(ctx, s.guard(), src.Settings, cred)
	case S3:
		return dialS3(ctx, s.guard(), src.Settings, cred, s.opt.Roots)
	case IMAP:
		return dialIMAP(ctx, s.guard(), src.Settings, cred, s.opt.Roots, s.opt.DataDir)
	}
	return nil, fault.Newf(fault.Invalid, "sources of kind %q are not known", src.Kind)
}

// partial are the ends of names that programs give to files on their way.
var partial = []string{".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp", "~"}

// skip says why a file of that name is not taken.
func skip(name, pattern string) string {
	base := path.Base(name)
	lower := strings.ToLower(base)
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
		return "its name is not text"
	case strings.HasPrefix(base, ".") || strings.HasPrefix(base, "~"):
		return "it is hidden"
	}
	for _, end := range partial {
		if strings.HasSuffix(lower, end) {
			return "it is on its way"
		}
	}
	if ok, err := path.Match(pattern, base); pattern != "" && (err != nil || !ok) {
		return "its name does not match " + pattern
	}
	return ""
}
