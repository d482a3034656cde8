package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// credentials are a source's secrets.
type credentials struct {
	password, privateKey secret.Text
}

// sftpPlace is a folder of an SSH server. Symbolic links in it are not followed.
type sftpPlace struct {
	conn   net.Conn
	ssh    *ssh.Client
	client *sftp.Client
	dir    string
	unhook func() bool
}

func dialSFTP(ctx context.Context, near reach.Guard, set Settings, cred credentials) (place, error) {
	auth, err := sshAuth(cred)
	if err != nil {
		return nil, err
	}
	var refused error
	config := &ssh.ClientConfig{User: set.User, Auth: auth, Timeout: reach.DialTime, HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
		refused = checkHostKey(set, key)
		return refused
	}}
	if kind, _, ok := strings.Cut(set.HostKey, " "); ok {
		config.HostKeyAlgorithms = []string{kind}
		if kind == ssh.KeyAlgoRSA {
			config.HostKeyAlgorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
	}
	port := set.Port
	if port == 0 {
		port = 22
	}
	address := net.JoinHostPort(set.Host, strconv.Itoa(port))
	conn, err := near.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	p := &sftpPlace{conn: conn, dir: set.Path}
	p.unhook = context.AfterFunc(ctx, func() { conn.Close() })
	p.busy()
	defer p.idle()
	c, chans, reqs, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		p.Close()
		return nil, sshFault(err, refused, set, address)
	}
	p.ssh = ssh.NewClient(c, chans, reqs)
	if p.client, err = sftp.NewClient(p.ssh); err != nil {
		p.Close()
		return nil, fault.Wrapf(fault.Unavailable, err, "%s offers no SFTP now: ask who runs it", address)
	}
	return p, nil
}

func sshAuth(cred credentials) ([]ssh.AuthMethod, error) {
	if cred.privateKey.IsZero() {
		return []ssh.AuthMethod{ssh.Password(cred.password.Reveal())}, nil
	}
	var signer ssh.Signer
	var err error
	if cred.password.IsZero() {
		signer, err = ssh.ParsePrivateKey([]byte(cred.privateKey.Reveal()))
	} else {
		signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(cred.privateKey.Reveal()), []byte(cred.password.Reveal()))
	}
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "the private key cannot be used: give it in OpenSSH form, with its passphrase as the password if it has one")
	}
	return []ssh.AuthMethod{ssh.PublicKeys(signer)}, nil
}

// hostKey is how a server's key is written in the settings.
func hostKey(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

func checkHostKey(set Settings, key ssh.PublicKey) error {
	switch got := hostKey(key); set.HostKey {
	case got:
		return nil
	case "":
		return fault.Newf(fault.Forbidden, "the server's key is %q: compare it with what its owner says, then give it as host_key", got)
	default:
		return fault.Newf(fault.Forbidden, "the server's key has changed to %q: somebody may listen in. Ask its owner before you give that as host_key", got)
	}
}

func sshFault(err, refused error, set Settings, address string) error {
	if refused != nil {
		return refused
	}
	if strings.Contains(err.Error(), "unable to authenticate") {
		return fault.Wrapf(fault.Forbidden, err, "%s refuses the user %s: check user, password and key", address, set.User)
	}
	if strings.Contains(err.Error(), "no common algorithm for host key") {
		return fault.Wrapf(fault.Forbidden, err, "%s has no key of the kind in host_key any more: ask its owner, then clear host_key to see its key", address)
	}
	return fault.Wrapf(fault.Unavailable, err, "the connection to %s broke while it began", address)
}

// busy bounds what is asked of the server now; idle ends that. A deadline that cannot be set
// means that the connection is closed, which the next request says.
func (p *sftpPlace) busy() { _ = p.conn.SetDeadline(time.Now().Add(reach.StepTime)) }
func (p *sftpPlace) idle() { _ = p.conn.SetDeadline(time.Time{}) }

func (p *sftpPlace) list(ctx context.Context) ([]Listing, error) {
	p.busy()
	defer p.idle()
	infos, err := p.client.ReadDirContext(ctx, p.dir)
	if err != nil {
		return nil, sftpFault(err, p.dir)
	}
	var out []Listing
	for _, st := range infos {
		if st.IsDir() || strings.Contains(st.Name(), "/") || st.Name() == ".." {
			continue // a server must not lead us elsewhere by a name
		}
		out = append(out, remoteListing(st.Name(), st))
	}
	return out, nil
}

func remoteListing(name string, st fs.FileInfo) Listing {
	e := Listing{Path: name, Bytes: st.Size(), Mark: fmt.Sprintf("%d-%d", st.Size(), st.ModTime().Unix())}
	switch {
	case st.Mode()&fs.ModeSymlink != 0:
		e.Skip = "it is a symbolic link"
	case !st.Mode().IsRegular():
		e.Skip = "it is no ordinary file"
	}
	return e
}

func (p *sftpPlace) stat(_ context.Context, name string) (Listing, error) {
	p.busy()
	defer p.idle()
	st, err := p.client.Lstat(path.Join(p.dir, name))
	if err != nil {
		return Listing{}, sftpFault(err, name)
	}
	return remoteListing(name, st), nil
}

func (p *sftpPlace) open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	p.busy()
	defer p.idle()
	f, err := p.client.Open(path.Join(p.dir, name))
	if err != nil {
		return nil, 0, sftpFault(err, name)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, sftpFault(err, name)
	}
	return &sftpFile{File: f, p: p}, st.Size(), nil
}

// sftpFile reads in requests that are bounded one by one.
type sftpFile struct {
	*sftp.File
	p *sftpPlace
}

func (f *sftpFile) Read(b []byte) (int, error) {
	f.p.busy()
	defer f.p.idle()
	return f.File.Read(b)
}

// WriteTo hides the library's own, which would wait for the whole file at once.
func (f *sftpFile) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{f})
}

func (p *sftpPlace) move(_ context.Context, from, to string) error {
	p.busy()
	defer p.idle()
	folder := path.Join(p.dir, path.Dir(to))
	if _, err := p.client.Lstat(folder); errors.Is(err, fs.ErrNotExist) {
		if err := p.client.Mkdir(folder); err != nil {
			return sftpFault(err, folder)
		}
	}
	if _, err := p.client.Lstat(path.Join(p.dir, to)); err == nil {
		return fault.Newf(fault.Conflict, "%s is there already: move it elsewhere", to)
	}
	return sftpFault(p.client.Rename(path.Join(p.dir, from), path.Join(p.dir, to)), from)
}

func (p *sftpPlace) remove(_ context.Context, name string) error {
	p.busy()
	defer p.idle()
	return sftpFault(p.client.Remove(path.Join(p.dir, name)), name)
}

func (p *sftpPlace) Close() error {
	p.unhook()
	if p.client != nil {
		p.client.Close()
	}
	if p.ssh != nil {
		p.ssh.Close()
	}
	p.conn.Close() // most likely closed above
	return nil
}

func sftpFault(err error, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrapf(fault.NotFound, err, "%s is not on the server: check the path", name)
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrapf(fault.Forbidden, err, "the server does not let the user read or change %s: ask its owner for the right to", name)
	}
	return fault.Wrapf(fault.Unavailable, err, "the server did not answer for %s: it is tried again", name)
}
