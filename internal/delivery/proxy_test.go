package delivery_test

import (
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/delivery/deliverytest"
	"github.com/moatmetrics/moatmetrics/internal/reach/reachtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Whatever is sent, alerts and reports alike, goes to where it is sent and not through a proxy, which
// would connect where the guard lets nobody.
func TestNothingIsSentThroughAProxyOfTheEnvironment(t *testing.T) {
	reachtest.BehindProxy(t, func(t *testing.T) {
		x := newWorld(t, delivery.Options{})
		for name, spec := range map[string]delivery.Spec{
			"mail":       {Kind: delivery.Email, Settings: delivery.Settings{Host: "mail.invalid", Port: 587, From: "reports@msp.example"}},
			"hook":       {Kind: delivery.Webhook, Password: secret.NewText(hookSecret), Settings: delivery.Settings{URL: "https://hooks.invalid/x"}},
			"bucket":     {Kind: delivery.S3, Password: secret.NewText("secret"), Settings: delivery.Settings{Endpoint: "https://store.invalid", Bucket: "reports", User: "anna"}},
			"old bucket": {Kind: delivery.S3, Password: secret.NewText("secret"), Settings: delivery.Settings{Endpoint: "http://store.invalid", Bucket: "reports", User: "anna"}},
		} {
			spec.Name = name
			to := ""
			if spec.Kind == delivery.Email {
				to = "anna@client.example"
			}
			if _, err := x.Send(t.Context(), acme, x.add(t, spec).ID, to, message("June", "text", delivery.FileOf("a.csv", "text/csv", []byte("a,b\n")))); err == nil {
				t.Errorf("%s: sent to where nobody is", name)
			}
		}
		if _, err := x.PushKey(t.Context(), acme); err != nil {
			t.Fatal(err)
		}
		b := deliverytest.NewBrowser(t)
		if _, err := x.Subscribe(t.Context(), tenant.Scope{Tenant: "acme", Actor: "user:7"}, delivery.Browser{Endpoint: "https://push.invalid/x", Keys: delivery.BrowserKeys{P256DH: b.P256DH, Auth: b.Auth}}); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Send(t.Context(), acme, delivery.PushDestination, "user:7", message("June", "text")); err == nil {
			t.Error("sent to a browser whose service is nowhere")
		}
	})
}
