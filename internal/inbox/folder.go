package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// folder is a folder of this machine. No name leads out of it, and symbolic links are not
// followed.
type folder struct{ root *os.Root }

func openFolder(dir string) (place, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) { // a network drive that is away looks like this
		return nil, fault.Wrapf(fault.Unavailable, err, "the folder %s is not there: create it, or connect its drive", dir)
	}
	if err != nil {
		return nil, folderFault(err, dir)
	}
	return folder{root}, nil
}

// checkFolder refuses what cannot be a source. A folder that is not there now may come.
func (s *Service) checkFolder(dir string) error {
	if !filepath.IsAbs(dir) {
		return fault.Newf(fault.Invalid, "must be the whole path of a folder, from / on")
	}
	if s.opt.DataDir == "" {
		return nil
	}
	data, err := filepath.Abs(s.opt.DataDir)
	if err != nil {
		return err
	}
	if within(real(data), real(dir)) || within(real(dir), real(data)) {
		return fault.Newf(fault.Invalid, "must be apart from the data directory %s", data)
	}
	return nil
}

// real follows links as far as the path exists.
func real(dir string) string {
	if found, err := filepath.EvalSymlinks(dir); err == nil {
		return found
	}
	return filepath.Clean(dir)
}

func within(dir, name string) bool {
	rel, err := filepath.Rel(dir, name)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func (f folder) list(ctx context.Context) ([]Listing, error) {
	dir, err := f.root.Open(".")
	if err != nil {
		return nil, folderFault(err, f.root.Name())
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, folderFault(err, f.root.Name())
	}
	var out []Listing
	for _, name := range names {
		e, err := f.stat(ctx, name)
		switch {
		case fault.KindOf(err) == fault.NotFound: // gone meanwhile
		case err != nil:
			return nil, err
		case e.Skip == isFolder:
		default:
			out = append(out, e)
		}
	}
	return out, nil
}

const isFolder = "it is a folder"

func (f folder) stat(_ context.Context, name string) (Listing, error) {
	st, err := f.root.Lstat(name)
	if err != nil {
		return Listing{}, folderFault(err, name)
	}
	e := Listing{Path: name, Bytes: st.Size(), Mark: fmt.Sprintf("%d-%d", st.Size(), st.ModTime().UnixNano())}
	switch {
	case st.IsDir():
		e.Skip = isFolder
	case st.Mode()&fs.ModeSymlink != 0:
		e.Skip = "it is a symbolic link"
	case !st.Mode().IsRegular():
		e.Skip = "it is no ordinary file"
	}
	return e, nil
}

func (f folder) open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	before, err := f.root.Lstat(name)
	if err != nil {
		return nil, 0, folderFault(err, name)
	}
	if !before.Mode().IsRegular() {
		return nil, 0, fault.Newf(fault.NotFound, "%s is no ordinary file", name)
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, 0, folderFault(err, name)
	}
	// A link may have taken the file's place between the look and the opening.
	st, err := file.Stat()
	if err != nil || !os.SameFile(before, st) {
		file.Close()
		return nil, 0, fault.Newf(fault.NotFound, "%s was replaced while it was opened", name)
	}
	return file, st.Size(), nil
}

func (f folder) move(_ context.Context, from, to string) error {
	if err := f.root.Mkdir(path.Dir(to), 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return folderFault(err, path.Dir(to))
	}
	if _, err := f.root.Lstat(to); err == nil {
		return fault.Newf(fault.Conflict, "%s is there already: move it elsewhere", to)
	}
	return folderFault(f.root.Rename(from, to), from)
}

func (f folder) remove(_ context.Context, name string) error {
	return folderFault(f.root.Remove(name), name)
}

func (f folder) Close() error { return f.root.Close() }

// folderFault gives an error of the file system its kind. What may mend itself, such as a
// network drive that is away, is Unavailable.
func folderFault(err error, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrapf(fault.NotFound, err, "%s is not there: create it, or check its path", name)
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrapf(fault.Forbidden, err, "%s may not be read or changed: give the user that runs MoatMetrics the right to", name)
	}
	return fault.Wrapf(fault.Unavailable, err, "%s cannot be used now: check the disk or the network drive", name)
}
