package inbox

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

const (
	dialTime = 20 * time.Second
	// stepTime bounds one request to a server, or the wait for the next bytes of a file.
	stepTime = time.Minute
)

// hostServices are addresses outside the link-local networks under which the clouds answer
// their own machines, with keys among other things: Amazon (IPv6), Azure, Alibaba, Oracle.
var hostServices = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd00:c1::a9fe:a9fe"),
	netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"),
}

// checkAddr refuses addresses at which no source can be: those of the network's own
// services, which would tell whoever may name a source what only this machine may know.
func checkAddr(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	forbidden := a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified()
	for _, s := range hostServices {
		forbidden = forbidden || a == s
	}
	if forbidden {
		return fault.Newf(fault.Forbidden, "%s cannot be a source: it is an address of the network's own services", a)
	}
	return nil
}

// checkHost refuses a host that is such an address; one that only leads to it is refused
// when it is connected to.
func checkHost(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		return checkAddr(a)
	}
	return nil
}

// connect opens a TCP connection to a server that a person named.
func connect(ctx context.Context, address string) (net.Conn, error) {
	// The address is checked after the name was looked up, so that no name leads elsewhere.
	d := net.Dialer{Timeout: dialTime, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return checkAddr(a.Addr())
	}}
	conn, err := d.DialContext(ctx, "tcp", address)
	if fault.KindOf(err) == fault.Forbidden {
		return nil, err
	}
	if err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "%s does not answer: check its name and port, and that it runs", address)
	}
	return conn, nil
}

// bounded is a connection that breaks when an answer is awaited and nothing comes for
// a while. How long it waits is decided here alone, not by the library that uses it.
type bounded struct {
	net.Conn
	wait     time.Duration
	mu       sync.Mutex
	awaiting bool
}

// busy says that an answer is awaited now; idle ends that.
func (c *bounded) busy() { c.await(true) }
func (c *bounded) idle() { c.await(false) }

func (c *bounded) await(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.awaiting = on
	c.renew()
}

// renew sets the deadline. One that cannot be set means that the connection is closed, which
// the next read says.
func (c *bounded) renew() {
	until := time.Time{}
	if c.awaiting {
		until = time.Now().Add(c.wait)
	}
	_ = c.Conn.SetReadDeadline(until)
}

// Read reads what comes within the bound.
func (c *bounded) Read(b []byte) (int, error) {
	c.mu.Lock()
	if c.awaiting {
		c.renew()
	}
	c.mu.Unlock()
	return c.Conn.Read(b)
}

// SetReadDeadline does nothing.
func (c *bounded) SetReadDeadline(time.Time) error { return nil }
