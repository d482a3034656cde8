package httpapi_test

import (
	"encoding/json"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestEveryRouteNamesAnActionThatThereIs(t *testing.T) {
	t.Parallel()
	text, err := httpapi.OpenAPI("test")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	known := map[tenant.Action]bool{}
	for _, a := range access.Actions {
		known[a.Action] = true
	}
	open := map[string]bool{ // to those who are not signed in: the steps of signing in, nothing else
		"get-session": true, "set-up": true, "sign-in": true, "sign-in-code": true, "begin-passkey-sign-in": true, "sign-in-passkey": true,
		"sign-out": true, "look-at-link": true, "use-link": true,
	}
	routes := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			routes[op.OperationID] = true
			need, named := httpapi.Needs[op.OperationID]
			if open[op.OperationID] != (need == access.SignedOut) {
				t.Errorf("%s %s is open to everybody: %v", method, path, need == access.SignedOut)
			} else if !named || need != access.SignedOut && !known[need] {
				t.Errorf("%s %s needs %q", method, path, need)
			}
		}
	}
	for id := range httpapi.Needs {
		if !routes[id] {
			t.Errorf("%q is no route", id)
		}
	}
}
