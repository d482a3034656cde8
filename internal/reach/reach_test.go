package reach_test

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/reach"
)

func TestAServerThatFallsSilentIsNotWaitedForForLong(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer far.Close()
	c := reach.Bound(near, 500*time.Millisecond)
	c.Busy()
	defer c.Close()
	go func() {
		for range 5 { // longer than the bound in all, but never silent for so long
			time.Sleep(150 * time.Millisecond)
			far.Write([]byte("x"))
		}
	}()
	c.SetReadDeadline(time.Now().Add(-time.Second)) // what a library wants does not count
	began := time.Now()
	if n, err := io.Copy(io.Discard, c); n != 5 || err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("got %d bytes, %v after %s", n, err, time.Since(began))
	}
}

func TestAddressesOfTheNetworksOwnServicesAreNotReached(t *testing.T) {
	t.Parallel()
	open := reach.Guard{What: "a source", Setting: "source_networks"}
	for addr, allowed := range map[string]bool{
		"169.254.169.254": false, "::ffff:169.254.169.254": false, "fe80::1%eth0": false, "fd00:ec2::254": false, "168.63.129.16": false, "0.0.0.0": false, "0.1.2.3": false, "255.255.255.255": false, "224.0.0.1": false, "64:ff9b::169.254.169.254": false,
		"127.0.0.1": true, "10.0.0.5": true, "192.168.1.10": true, "fd00::5": true, "203.0.113.7": true,
	} {
		if err := open.Check(netip.MustParseAddr(addr)); (err == nil) != allowed || err != nil && fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: got %v", addr, err)
		}
	}
	only := reach.Guard{Networks: reach.Networks{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("100.100.100.0/24"), netip.MustParsePrefix("168.63.129.16/32")}}
	for addr, allowed := range map[string]bool{
		"10.1.2.3": true, "10.2.0.1": false, "127.0.0.1": false, "::1": false, "192.168.1.10": false, "64:ff9b::192.168.1.10": false, "203.0.113.7": true,
		"169.254.7.7": true, "100.100.100.200": false, "100.100.100.201": true, "168.63.129.16": true, "0.0.0.0": false,
	} {
		if err := only.Check(netip.MustParseAddr(addr)); (err == nil) != allowed {
			t.Errorf("%s with networks: got %v", addr, err)
		}
	}
	// A name that leads there is looked up first; what comes of that is checked in the same way.
	if _, err := open.Connect(t.Context(), "169.254.169.254:80"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("got %v", err)
	}
}

func TestRefusalsSayWhatTheServerWasForAndWhichSettingAllowsIt(t *testing.T) {
	t.Parallel()
	none := reach.Guard{Networks: reach.Networks{}, What: "a destination", Setting: "delivery_networks"}
	err := none.CheckHost("10.0.0.1")
	if got := fault.Message(err); !strings.Contains(got, "10.0.0.1 cannot be a destination") || !strings.Contains(got, "delivery_networks") {
		t.Errorf("got %q", got)
	}
	if err := none.CheckHost("smtp.example.com"); err != nil { // checked when it is connected to
		t.Errorf("a name: %v", err)
	}
}
