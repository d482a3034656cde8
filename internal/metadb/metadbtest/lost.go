package metadbtest

import (
	"bytes"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// LosingAnswers returns another address of a PostgreSQL database. After lose was called,
// the server carries out the next COMMIT that comes this way and its answer is lost: the
// connection breaks instead.
func LosingAnswers(t testing.TB, dsn string) (address string, lose func()) {
	t.Helper()
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	network, server := pgconn.NetworkAddress(cfg.Host, cfg.Port)
	var armed atomic.Bool
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial(network, server)
			if err != nil {
				near.Close()
				continue
			}
			carry(near, far, &armed)
		}
	}()
	u.Host = listener.Addr().String()
	q := u.Query()
	q.Del("host")
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	return u.String(), func() { armed.Store(true) }
}

// commitMessage is COMMIT as pgx sends it: a simple query with its length.
var commitMessage = []byte("Q\x00\x00\x00\x0bcommit\x00")

// carry connects both ends until one closes, or until the answer to lose comes.
func carry(near, far net.Conn, armed *atomic.Bool) {
	var losing atomic.Bool
	go func() {
		defer far.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := near.Read(buf)
			if bytes.Equal(buf[:n], commitMessage) && armed.CompareAndSwap(true, false) {
				losing.Store(true)
			}
			if _, werr := far.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	go func() {
		defer near.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := far.Read(buf)
			if losing.Load() && n > 0 {
				far.Close()
				return
			}
			if _, werr := near.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
}
