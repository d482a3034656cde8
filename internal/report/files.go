package report

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// writeOnce keeps content under a path that stands for it: written beside, made durable, then
// named. A crash leaves the whole file or none.
func writeOnce(path string, content []byte) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := begin(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		f.discard()
		return fault.Wrapf(fault.Unavailable, err, "%s cannot be written", path)
	}
	return f.keep(path)
}

// draft is a file that is not whole yet.
type draft struct{ *os.File }

// begin opens a draft in the folder of path.
func begin(path string) (*draft, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "the folder of reports cannot be made")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".draft-*")
	if err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "a report cannot be written")
	}
	return &draft{f}, nil
}

// keep makes the draft durable and gives it its name.
func (d *draft) keep(path string) error {
	err := errors.Join(d.Sync(), d.Close())
	if err == nil {
		err = os.Rename(d.Name(), path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		d.discard()
		return fault.Wrapf(fault.Unavailable, err, "%s cannot be written", filepath.Base(path))
	}
	return nil
}

// discard removes a draft that will not be kept.
func (d *draft) discard() {
	d.Close()
	if err := os.Remove(d.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return // the sweep removes it
	}
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
