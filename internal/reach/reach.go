// Package reach connects to servers that a person named, and to no others: not to the
// network's own services, and only to those networks that whoever runs the program allows.
//
// It owns which addresses may be connected to and the wait for answers. It does not own
// what is said on a connection: inbox fetches from sources, delivery sends to destinations.
package reach

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
	// DialTime bounds connecting.
	DialTime = 20 * time.Second
	// StepTime bounds one request to a server, or the wait for the next bytes of a file.
	StepTime = time.Minute
)

// hostServices are addresses outside the link-local networks under which the clouds answer
// their own machines, with keys among other things: Amazon (IPv6), Azure, Alibaba, Oracle.
var hostServices = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd00:c1::a9fe:a9fe"),
	netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"),
}

// Networks say which servers may be reached beside those of public addresses. An address of
// the network's own services is reached only when an entry is that address alone, or lies
// in the link-local networks. Nil are the private networks and this machine.
type Networks []netip.Prefix

// The networks that have names in the configuration.
var (
	Loopback = Networks{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	Private  = Networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7")}
)

var (
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	broadcast   = netip.MustParseAddr("255.255.255.255")
	nat64       = netip.MustParsePrefix("64:ff9b::/96") // an IPv4 address in its last four bytes
)

// Guard lets connections through to servers of one use.
type Guard struct {
	Networks Networks
	// What is what a server is for us, such as "a source"; Setting is the setting that allows
	// networks, such as "source_networks". Both are for messages.
	What, Setting string
}

// Check refuses addresses at which no server of a person can be: those of the network's own
// services, which would tell whoever may name a server what only this machine may know, and
// those of networks that are not allowed. The fault is Forbidden.
func (g Guard) Check(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.IsMulticast() || a.IsUnspecified() || a == broadcast || thisNetwork.Contains(a) {
		return fault.Newf(fault.Forbidden, "%s cannot be %s: it is no address of a server", a, g.What)
	}
	service := a.IsLinkLocalUnicast()
	for _, s := range hostServices {
		service = service || a == s
	}
	in := func(n Networks) (p netip.Prefix, ok bool) {
		for _, p := range n {
			if p.Contains(a) && (!service || p.IsSingleIP() || p.Addr().IsLinkLocalUnicast()) {
				return p, true
			}
		}
		return p, false
	}
	if _, named := in(g.Networks); named {
		return nil
	}
	if service {
		return fault.Newf(fault.Forbidden, "%s cannot be %s: it is an address of the network's own services", a, g.What)
	}
	for _, near := range []Networks{Loopback, Private} {
		if _, ok := in(near); ok && g.Networks != nil {
			return fault.Newf(fault.Forbidden, "%s cannot be %s: it is in a network that may not be reached for this. Who runs the server allows it with %s", a, g.What, g.Setting)
		}
	}
	return nil
}

// CheckHost refuses a host that is such an address; one that only leads to it is refused
// when it is connected to.
func (g Guard) CheckHost(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		return g.Check(a)
	}
	return nil
}

// Connect opens a TCP connection to a server that a person named. Forbidden: the address may
// not be reached; Unavailable: it does not answer.
func (g Guard) Connect(ctx context.Context, address string) (net.Conn, error) {
	// The name is looked up once, and what is connected to is checked, not the name: it cannot
	// lead elsewhere the next time.
	d := net.Dialer{Timeout: DialTime, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return g.Check(a.Addr())
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

// Bounded is a connection that breaks when an answer is awaited and nothing comes for
// a while. How long it waits is decided here alone, not by the library that uses it.
type Bounded struct {
	net.Conn
	wait     time.Duration
	mu       sync.Mutex
	awaiting bool
}

// Bound returns a connection that waits so long for the next bytes of an answer. None is
// awaited before Busy.
func Bound(conn net.Conn, wait time.Duration) *Bounded { return &Bounded{Conn: conn, wait: wait} }

// Busy says that an answer is awaited now.
func (c *Bounded) Busy() { c.await(true) }

// Idle says that none is awaited any more.
func (c *Bounded) Idle() { c.await(false) }

func (c *Bounded) await(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.awaiting = on
	c.renew()
}

// renew sets the deadline. One that cannot be set means that the connection is closed, which
// the next read says.
func (c *Bounded) renew() {
	until := time.Time{}
	if c.awaiting {
		until = time.Now().Add(c.wait)
	}
	_ = c.Conn.SetReadDeadline(until)
}

// Read reads what comes within the bound.
func (c *Bounded) Read(b []byte) (int, error) {
	c.mu.Lock()
	if c.awaiting {
		c.renew()
	}
	c.mu.Unlock()
	return c.Conn.Read(b)
}

// SetReadDeadline does nothing.
func (c *Bounded) SetReadDeadline(time.Time) error { return nil }
