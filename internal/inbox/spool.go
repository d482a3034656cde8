package inbox

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/emersion/go-message"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// spooled is an attachment in a file that is gone when it is closed.
type spooled struct {
	*os.File
	size int64
}

// spool decodes an attachment into a file of a folder. most is how many bytes it may have as
// it is sent, whatever the message says.
func spool(dir, name string, body io.Reader, encoding string, most int64) (*spooled, error) {
	f, err := os.CreateTemp(dir, ".attachment-")
	if err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "%s cannot be kept: check the disk", name)
	}
	s := &spooled{File: f}
	os.Remove(f.Name()) // where that is not possible while it is open, Close does it
	if s.size, err = decode(f, name, body, encoding, most); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// decode undoes the encoding of an attachment and returns how many bytes it has.
func decode(to io.Writer, name string, body io.Reader, encoding string, most int64) (int64, error) {
	sent := &io.LimitedReader{R: body, N: most + 1}
	heard := &heard{Reader: sent}
	entity, err := message.New(message.HeaderFromMap(map[string][]string{"Content-Transfer-Encoding": {strings.TrimSpace(encoding)}}), heard)
	if err != nil {
		return 0, fault.Wrapf(fault.Invalid, err, "%s is encoded in a way that is not known: %s", name, encoding)
	}
	n, err := io.Copy(to, entity.Body)
	switch {
	case heard.err != nil:
		return 0, fault.Wrapf(fault.Unavailable, heard.err, "the connection broke while %s was read: it is tried again", name)
	case sent.N == 0:
		return 0, tooLarge(name, most)
	case errors.As(err, new(*fs.PathError)):
		return 0, fault.Wrapf(fault.Unavailable, err, "%s cannot be kept: check the disk", name)
	case err != nil:
		return 0, fault.Wrapf(fault.Invalid, err, "%s is broken: it is not the %s that its e-mail says", name, encoding)
	}
	return n, nil
}

// Close closes the file and makes sure that it is gone.
func (s *spooled) Close() error {
	err := s.File.Close()
	os.Remove(s.File.Name())
	return err
}

func tooLarge(name string, most int64) error {
	return fault.Newf(fault.TooLarge, "%s has more than %d MB: send less in one e-mail, or use another kind of source", name, most>>20)
}
