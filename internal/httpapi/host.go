package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// accounts reports whether there are accounts: until then whoever is at this machine is its
// owner, and nobody else is answered.
func (s *server) accounts(ctx context.Context) (bool, error) {
	if s.Access == nil {
		return false, nil
	}
	return s.Access.HasAccounts(ctx)
}

// secure sets the security headers, bounds bodies in size and time, and refuses requests that
// are not for this server.
func (s *server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		v := visitOf(r.Context())
		if v.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		var err error
		if v.accounts, err = s.accounts(r.Context()); err != nil {
			writeProblem(w, problemOf(err))
			return
		}
		if p, refused := s.misdirected(r, v.accounts); refused {
			h.Set("Connection", "close")
			writeProblem(w, p)
			return
		}
		limit := int64(jsonLimit)
		if t := mediaType(r); t == "multipart/form-data" || t == offsetStream {
			limit = s.opt.MaxUpload
		} else if t == assetType {
			limit = assetLimit
		}
		if r.ContentLength != 0 {
			r.Body = newPaced(http.MaxBytesReader(w, r.Body, limit), w, s.opt.Pause)
		}
		next.ServeHTTP(w, r)
	})
}

// misdirected says why a request is not for this server.
//
// Without accounts a page elsewhere could have its name lead to 127.0.0.1 (DNS rebinding) and
// act as the owner: so the host must be a loopback one, the connection must come from this
// machine, and no proxy may stand between, since behind it anybody would be the owner. With
// accounts a rebound name finds a browser without a session, since cookies belong to the host,
// and with TLS a certificate that is not the name's; what is left is that a foreign name stands in
// answers. So other names are answered when they are configured, or over TLS when none is;
// addresses are, since no name can be rebound to itself.
func (s *server) misdirected(r *http.Request, accounts bool) (problem, bool) {
	host := hostName(r.Host)
	refuse := func(status int, detail string) (problem, bool) {
		return problem{Status: status, Title: http.StatusText(status), Detail: detail}, true
	}
	if !accounts {
		switch {
		case !loopback(host):
			return refuse(http.StatusMisdirectedRequest, "this server answers only on localhost, 127.0.0.1 and [::1]: there are no accounts yet")
		case !peerOf(r).IsLoopback() || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "":
			return refuse(http.StatusForbidden, "this server answers only to the machine that it runs on: there are no accounts yet. Open it there and make the first account")
		}
		return problem{}, false
	}
	_, err := netip.ParseAddr(host)
	if loopback(host) || slices.Contains(s.opt.Hosts, host) || len(s.opt.Hosts) == 0 && (err == nil || r.TLS != nil) {
		return problem{}, false
	}
	return refuse(http.StatusMisdirectedRequest, "this server does not answer under this name: who runs it names it with --hosts")
}

// hostName is the name of a Host header, without port and brackets, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// peerOf is the other end of the connection.
func peerOf(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr().Unmap()
}
