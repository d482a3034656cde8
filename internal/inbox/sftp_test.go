package inbox_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

const password = "correct-horse-battery"

// sshServer is an SSH server in this process that offers SFTP on the real file system.
type sshServer struct {
	listener net.Listener
	key      ssh.Signer
	cutAfter atomic.Int64 // bytes that a connection may send; 0 is no limit
	mu       sync.Mutex
}

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (s *sshServer) setKey(k ssh.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = k
}

func startSSH(t *testing.T) *sshServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sshServer{listener: l, key: newKey(t)}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.serve(conn) })
		}
	})
	return s
}

// cutConn breaks after a number of bytes were sent.
type cutConn struct {
	net.Conn
	left int64
}

func (c *cutConn) Write(b []byte) (int, error) {
	if c.left -= int64(len(b)); c.left < 0 {
		c.Close()
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Write(b)
}

func (s *sshServer) serve(conn net.Conn) {
	defer conn.Close()
	if n := s.cutAfter.Load(); n > 0 {
		conn = &cutConn{conn, n}
	}
	config := &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, got []byte) (*ssh.Permissions, error) {
		if string(got) != password {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, nil
	}}
	s.mu.Lock()
	config.AddHostKey(s.key)
	s.mu.Unlock()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				r.Reply(r.Type == "subsystem", nil)
			}
		}()
		server, err := sftp.NewServer(channel)
		if err != nil {
			return
		}
		_ = server.Serve()
		server.Close()
	}
}

func (s *sshServer) spec(x *world) inbox.Spec {
	at := s.listener.Addr().(*net.TCPAddr)
	return inbox.Spec{Name: "server", Kind: inbox.SFTP, After: inbox.Move, Password: secret.NewText(password), Settings: inbox.Settings{
		Host: "127.0.0.1", Port: at.Port, User: "anna", Path: x.dir, HostKey: s.key.PublicKey().Type() + " " + ssh.FingerprintSHA256(s.key.PublicKey())}}
}

func TestFilesOfAnSFTPServerAreImportedAndMoved(t *testing.T) {
	t.Parallel()
	x, s := newWorld(t), startSSH(t)
	src := x.add(t, s.spec(x))
	x.put(t, "clients.csv", clients)
	x.put(t, "odd.csv", unknown)
	if err := os.Symlink("/etc/hostname", filepath.Join(x.dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 2, Imported: 1, Quarantined: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"done/clients.csv", "link.csv", "quarantine/odd.csv"}, x.left(t)); diff != "" {
		t.Error(diff)
	}
}

func TestAServerIsTrustedOnlyWithItsKey(t *testing.T) {
	t.Parallel()
	x, s := newWorld(t), startSSH(t)
	spec := s.spec(x)
	right := spec.Settings.HostKey
	spec.Settings.HostKey = ""
	src := x.add(t, spec)
	if _, err := x.Test(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Forbidden || !strings.Contains(fault.Message(err), right) {
		t.Fatalf("got %v, want a question with %s", err, right)
	}
	src.Settings.HostKey = right
	if _, err := x.Change(t.Context(), acme, src.ID, src.Spec); err != nil { // keeps the password
		t.Fatal(err)
	}
	if _, err := x.Test(t.Context(), acme, src.ID); err != nil {
		t.Fatal(err)
	}
	s.setKey(newKey(t))
	if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Forbidden || !strings.Contains(fault.Message(err), "has changed") {
		t.Errorf("got %v, want that the key has changed", err)
	}
	if src, _ := x.Source(t.Context(), acme, src.ID); src.Status != inbox.Failing {
		t.Errorf("got %s, want failing at once", src.Status)
	}
}

func TestFaultsOfAServerAreTold(t *testing.T) {
	t.Parallel()
	x, s := newWorld(t), startSSH(t)
	x.put(t, "clients.csv", clients+strings.Repeat("Cedar,Retail,active,3000\n", 20000))
	spec := s.spec(x)
	spec.Password = secret.NewText("wrong")
	src := x.add(t, spec)
	if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("wrong password: got %v", err)
	}
	if _, err := x.Change(t.Context(), acme, src.ID, s.spec(x)); err != nil {
		t.Fatal(err)
	}
	s.cutAfter.Store(200_000)
	if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("cut in the middle: got %v", err)
	}
	if got := x.fates(t, src.ID); len(got) != 0 {
		t.Errorf("cut in the middle: got %v, want no file taken", got)
	}
	if src, _ := x.Source(t.Context(), acme, src.ID); src.Status != inbox.Retrying {
		t.Errorf("got %s, want retrying", src.Status)
	}
	s.cutAfter.Store(0)
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 1, Imported: 1}); got != want {
		t.Errorf("after the cut: got %+v, want %+v", got, want)
	}
	s.listener.Close()
	if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("server down: got %v", err)
	}
}

func TestThePasswordOfASourceIsNowhereToBeRead(t *testing.T) {
	t.Parallel()
	db, file := metadbtest.Open(t, metadb.SQLite)
	x, s := newWorldOn(t, db), startSSH(t)
	x.put(t, "clients.csv", clients)
	src := x.add(t, s.spec(x))
	x.run(t, src.ID)
	shown, err := json.Marshal(src)
	if err != nil || bytes.Contains(shown, []byte(password)) {
		t.Errorf("%s, %v", shown, err)
	}
	found := false // what is kept of the source is in these files
	for _, name := range []string{file, file + "-wal"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(password)) {
			t.Errorf("the password is in %s", name)
		}
		found = found || bytes.Contains(text, []byte(src.Settings.HostKey))
	}
	if !found {
		t.Error("the source is not in the database's files")
	}
}
