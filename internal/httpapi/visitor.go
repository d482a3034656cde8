package httpapi

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// who is the person or key that was recognized.
func (s *server) who(ctx context.Context) (access.Who, error) {
	w := visitOf(ctx).who
	if w.Account == "" {
		return w, fault.Newf(fault.Conflict, "there are no accounts yet: make the first one, the owner's, on the page Users")
	}
	return w, nil
}

// see reads where a request comes from; whether what it brings may be believed is for recognize to
// find out.
func (s *server) see(r *http.Request, v *visit) {
	v.from = s.source(r)
	v.place = access.Place{Address: v.from.String(), Device: device(r.UserAgent())}
	v.secure = r.TLS != nil || s.trusted(peerOf(r)) && r.Header.Get("X-Forwarded-Proto") == "https"
	scheme := "http://"
	if v.secure {
		scheme = "https://"
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	v.site = access.Site{Origin: scheme + r.Host, Host: host}
	if c, err := r.Cookie(cookieName(v.secure)); err == nil {
		v.token = c.Value
	}
}

// unattended are the operations that open pages do by themselves, again and again: a session ends
// for want of use although a browser is left open.
var unattended = map[string]bool{
	"events": true, "batch-events": true, "count-notices": true, "list-notices": true, "list-sources": true, "list-source-files": true, "system": true,
}

// recognize finds out who a visit is of, by key if one is sent, by session otherwise. A
// session that is over makes a visit that nobody is known for; a key that is, an error.
func (s *server) recognize(r *http.Request, v *visit) error {
	var err error
	if given := r.Header.Get("Authorization"); given != "" {
		v.token = ""
		key, ok := strings.CutPrefix(given, "Bearer ")
		if !ok {
			return fault.Newf(fault.Unauthenticated, "Authorization takes an API key: Bearer mm_…")
		}
		v.who, err = s.Access.RecognizeKey(r.Context(), key, v.place)
		return err
	}
	if v.token == "" {
		return nil
	}
	at := v.place
	at.Unattended = unattended[s.doors.operations[v.pattern]]
	v.who, err = s.Access.Recognize(r.Context(), v.token, at)
	if fault.KindOf(err) == fault.Unauthenticated {
		err = nil
	}
	return err
}

// cookieName is that of the session's cookie. With TLS the browser itself takes care that
// it comes from this very host: https://www.rfc-editor.org/rfc/rfc6265#section-4.1 and the
// prefixes of its successor.
func cookieName(secure bool) string {
	if secure {
		return "__Host-moatmetrics"
	}
	return "moatmetrics"
}

// cookie keeps a session's token in the browser, where no script can read it; "" removes
// it. Lax: a link in an e-mail opens signed in, another site's form does not.
func (v *visit) cookie(token string) []string {
	c := http.Cookie{Name: cookieName(v.secure), Value: token, Path: "/", HttpOnly: true, Secure: v.secure, SameSite: http.SameSiteLaxMode}
	if token == "" {
		c.MaxAge = -1
		c.Expires = time.Unix(1, 0)
	}
	return []string{c.String()}
}

// device says in a few words what a browser says of itself in many.
func device(agent string) string {
	find := func(of [][2]string) string {
		for _, x := range of {
			if strings.Contains(agent, x[0]) {
				return x[1]
			}
		}
		return ""
	}
	browser := find([][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}, {"python", "Python"}, {"Go-http-client", "a Go program"}})
	system := find([][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}})
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "" || system != "":
		return browser + system
	}
	return "an unknown device"
}
