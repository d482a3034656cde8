package inbox_test

import (
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/reach/reachtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// A proxy would connect where the guard lets nobody.
func TestNoSourceIsReachedThroughAProxyOfTheEnvironment(t *testing.T) {
	reachtest.BehindProxy(t, func(t *testing.T) {
		x := newWorld(t)
		for name, spec := range map[string]inbox.Spec{
			"bucket":     {Kind: inbox.S3, Settings: inbox.Settings{Endpoint: "https://store.invalid", Bucket: "exports", User: "anna"}},
			"old bucket": {Kind: inbox.S3, Settings: inbox.Settings{Endpoint: "http://store.invalid", Bucket: "exports", User: "anna"}},
			"mail":       {Kind: inbox.IMAP, Settings: inbox.Settings{Host: "mail.invalid", User: "anna"}},
			"server":     {Kind: inbox.SFTP, Settings: inbox.Settings{Host: "files.invalid", User: "anna", Path: "/exports"}},
		} {
			spec.Name, spec.Password = name, secret.NewText("secret")
			if _, err := x.Test(t.Context(), acme, x.add(t, spec).ID); err == nil {
				t.Errorf("%s: nobody is there, and answers", name)
			}
		}
	})
}
