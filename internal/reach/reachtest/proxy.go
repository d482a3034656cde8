// Package reachtest checks that what connects to servers of people connects by itself.
package reachtest

import (
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"
)

// childEnv says that a process is the one that BehindProxy started.
const childEnv = "MOAT_BEHIND_PROXY"

// BehindProxy runs fn in a process of its own, whose environment names a proxy for everything, and
// fails the test when that is connected to. (net/http reads the environment once in a process.)
// It is to be called at the top of a test, once. What fn asks for must not be on this machine, as no
// proxy is used for that: store.invalid will do.
func BehindProxy(t *testing.T, fn func(t *testing.T)) {
	t.Helper()
	if os.Getenv(childEnv) != "" {
		fn(t)
		return
	}
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connected atomic.Int64
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for {
			conn, err := proxy.Accept()
			if err != nil {
				return
			}
			connected.Add(1)
			conn.Close()
		}
	}()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), childEnv+"=1")
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		cmd.Env = append(cmd.Env, name+"=http://"+proxy.Addr().String())
	}
	cmd.Env = append(cmd.Env, "NO_PROXY=", "no_proxy=", "REQUEST_METHOD=")
	out, err := cmd.CombinedOutput()
	proxy.Close()
	<-closed
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := connected.Load(); n > 0 {
		t.Errorf("the proxy of the environment was connected to %d times\n%s", n, out)
	}
}
