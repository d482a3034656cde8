package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// folderOf splits a path into the configured folder that it lies under and the rest, "." for
// the folder itself.
func (s *Service) folderOf(dir string) (root, rest string, err error) {
	if !filepath.IsAbs(dir) || strings.ContainsFunc(dir, func(r rune) bool { return r < ' ' }) {
		return "", "", fault.Newf(fault.Invalid, "must be the whole path of a folder, from / on")
	}
	if len(s.opt.Folders) == 0 {
		return "", "", fault.Newf(fault.Forbidden, "no folder may be a destination: who runs the server allows some with delivery_folders")
	}
	dir = filepath.Clean(dir)
	for _, root := range s.opt.Folders {
		if rel, ok := under(filepath.Clean(root), dir); ok {
			if err := s.apart(root, dir); err != nil {
				return "", "", err
			}
			return root, rel, nil
		}
	}
	return "", "", fault.Newf(fault.Forbidden, "%s is not under one of the folders that may be destinations (%s): choose one of them, or ask who runs the server for delivery_folders", dir, strings.Join(s.opt.Folders, ", "))
}

// apart refuses the data directory: what is sent could overwrite, or be read as, what is kept.
func (s *Service) apart(root, dir string) error {
	if s.opt.DataDir == "" {
		return nil
	}
	data, err := filepath.Abs(s.opt.DataDir)
	if err != nil {
		return err
	}
	data, dir = real(data), real(dir)
	_, in := under(data, dir)
	_, holds := under(dir, data)
	if in || holds && dir != real(root) {
		return fault.Newf(fault.Invalid, "must be apart from the data directory %s", data)
	}
	return nil
}

// under returns the path of name below dir.
func under(dir, name string) (rel string, ok bool) {
	rel, err := filepath.Rel(dir, name)
	return rel, err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// real follows links as far as the path exists.
func real(dir string) string {
	if found, err := filepath.EvalSymlinks(dir); err == nil {
		return found
	}
	return filepath.Clean(dir)
}

// putFolder writes the files of a message into a folder. No name and no link leads out of the
// configured folder.
func (s *Service) putFolder(ctx context.Context, set Settings, m Message) (Receipt, error) {
	top, rest, err := s.folderOf(set.Path)
	if err != nil {
		return Receipt{}, err
	}
	outer, err := os.OpenRoot(top)
	if err != nil {
		return Receipt{}, folderFault(err, top)
	}
	defer outer.Close()
	if err := outer.MkdirAll(rest, 0o750); err != nil {
		return Receipt{}, folderFault(err, set.Path)
	}
	root, err := outer.OpenRoot(rest)
	if err != nil {
		return Receipt{}, folderFault(err, set.Path)
	}
	defer root.Close()
	files := m.files()
	var places []string
	for i, f := range files {
		name, err := putFile(ctx, root, fmt.Sprintf(".moat-%s-%d.part", m.ID, i), f)
		if err != nil {
			return Receipt{}, err
		}
		places = append(places, filepath.Join(set.Path, name))
	}
	return Receipt{SHA256: sumOf(files), Place: strings.Join(places, ", ")}, nil
}

// maxNames is how many names are tried for a file when others have them.
const maxNames = 99

// numbered is a name with a number before its ending: "report.pdf", "report (2).pdf", …
func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	ext := path.Ext(name)
	return fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), n, ext)
}

// putFile writes a file under its name, or the next one that is free, and returns it. The file is
// there as a whole or not at all: it is written under a temporary name, which is that of this
// delivery, so that one that was killed leaves nothing behind that the next does not use.
func putFile(ctx context.Context, root *os.Root, temporary string, f File) (string, error) {
	if err := root.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", folderFault(err, f.Name)
	}
	for n := 1; n <= maxNames; n++ { // one that was put before this process knew
		if same, err := holds(root, numbered(f.Name, n), f); err != nil || same {
			return numbered(f.Name, n), err
		}
		if _, err := root.Lstat(numbered(f.Name, n)); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err := write(ctx, root, temporary, f); err != nil {
		return "", errors.Join(err, ignoreMissing(root.Remove(temporary)))
	}
	for n := 1; n <= maxNames; n++ {
		name := numbered(f.Name, n)
		err := place(root, temporary, name)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", errors.Join(folderFault(err, name), ignoreMissing(root.Remove(temporary)))
		}
		return name, syncDir(root)
	}
	return "", errors.Join(fault.Newf(fault.Conflict, "%s and %d numbered names are taken: move some of the files elsewhere", f.Name, maxNames-1), ignoreMissing(root.Remove(temporary)))
}

// place gives the temporary file its name, which must be free.
func place(root *os.Root, temporary, name string) error {
	err := root.Link(temporary, name)
	if err == nil {
		return root.Remove(temporary)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without links, as of some network drives: the look before the renaming leaves
	// a moment in which another could take the name, but the renaming itself is whole.
	if _, serr := root.Lstat(name); serr == nil {
		return fs.ErrExist
	}
	return root.Rename(temporary, name)
}

// holds reports whether a file of that name is there with that very content.
func holds(root *os.Root, name string, f File) (bool, error) {
	st, err := root.Lstat(name)
	if err != nil || !st.Mode().IsRegular() || st.Size() != f.Bytes {
		return false, nil
	}
	in, err := root.Open(name)
	if err != nil {
		return false, nil // not to be read: another's
	}
	defer in.Close()
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return false, folderFault(err, name)
	}
	return hex.EncodeToString(h.Sum(nil)) == f.SHA256, nil
}

// write writes a new file and makes it durable.
func write(ctx context.Context, root *os.Root, name string, f File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return folderFault(err, name)
	}
	defer out.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(bounded{ctx, in}, f.Bytes+1))
	if err != nil {
		return folderFault(err, f.Name)
	}
	if n != f.Bytes || hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
		return errChanged(f)
	}
	if err := out.Sync(); err != nil {
		return folderFault(err, f.Name)
	}
	return folderFault(out.Close(), f.Name)
}

// bounded ends reading when ctx ends.
type bounded struct {
	ctx context.Context
	in  io.Reader
}

// Read reads unless ctx has ended.
func (b bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.in.Read(p)
}

func syncDir(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return folderFault(err, root.Name())
	}
	defer dir.Close()
	return folderFault(dir.Sync(), root.Name())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// folderFault gives an error of the file system its kind. What may mend itself, such as a
// network drive that is away, is Unavailable.
func folderFault(err error, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrapf(fault.Unavailable, err, "the folder %s is not there: create it, or connect its drive", name)
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrapf(fault.Forbidden, err, "%s may not be written: give the user that runs MoatMetrics the right to", name)
	case strings.Contains(err.Error(), "path escapes from parent"):
		return fault.Wrapf(fault.Forbidden, err, "%s leads out of the folder that may be a destination, through a link: name the folder itself", name)
	}
	return fault.Wrapf(fault.Unavailable, err, "%s cannot be written now: check the disk or the network drive", name)
}
