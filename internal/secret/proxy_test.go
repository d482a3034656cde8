package secret_test

import (
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/reach/reachtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// A proxy is nobody whom the owner of the keys named.
func TestTheKeyServiceIsNotAskedThroughAProxyOfTheEnvironment(t *testing.T) {
	reachtest.BehindProxy(t, func(t *testing.T) {
		token := func(string) string { return vaultToken }
		b := box(&shelf{}, secret.Source{URI: "vault://keys.invalid/transit/keys/moat", Getenv: token})
		if _, err := b.Seal(t.Context(), secret.NewText(plain), "a"); err == nil {
			t.Error("nobody is there, and answers")
		}
	})
}
