package httpapi

import (
	"io"
	"net/http"
	"time"
)

// Bounds on how slowly a client may send or read. A body may take as long as it likes while
// its bytes come: at most pauseTime passes between two of them, and at least leastRate come on
// average after the first pauseTime. So 2 GiB over a slow line arrive, and a client that sends
// a byte now and then to hold a connection does not. Of an answer each
// sendPart must be taken within pauseTime.
const (
	pauseTime = 30 * time.Second
	leastRate = 1024     // bytes a second
	sendPart  = 64 << 10 // bytes
)

// paced is a body whose connection is given up when it comes too slowly.
type paced struct {
	io.ReadCloser
	conn  *http.ResponseController
	pause time.Duration
	begun time.Time
	read  int64
}

func newPaced(body io.ReadCloser, w http.ResponseWriter, pause time.Duration) *paced {
	p := &paced{ReadCloser: body, conn: http.NewResponseController(w), pause: pause, begun: time.Now()}
	p.renew()
	return p
}

// renew sets until when the next bytes must be there.
func (p *paced) renew() {
	until := time.Now().Add(p.pause)
	if latest := p.begun.Add(p.pause + time.Duration(p.read)*time.Second/leastRate); latest.Before(until) {
		until = latest
	}
	_ = p.conn.SetReadDeadline(until)
}

func (p *paced) Read(b []byte) (int, error) {
	p.renew()
	n, err := p.ReadCloser.Read(b)
	p.read += int64(n)
	if err == io.EOF {
		// The server now waits for the client to go away, which has no time limit.
		_ = p.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
