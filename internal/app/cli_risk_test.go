package app_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRiskAnswersOnTheDemo(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if out := ok(t, data, "risk", "projects"); !strings.Contains(out, "Too few finished projects to say") || !strings.Contains(out, "Import projects to know") {
		t.Errorf("without data:\n%s", out)
	}
	ok(t, data, "demo", "--clients", "8", "--months", "12", "--no-serve")
	var clients struct {
		Kind, Rule string
		NotInIt    []string `json:"not_in_it"`
		Clients    []struct {
			Client, Revenue string
			Components      []struct{ Name, State, Words string }
		}
	}
	if err := json.Unmarshal([]byte(ok(t, data, "risk", "clients", "--json")), &clients); err != nil {
		t.Fatal(err)
	}
	if clients.Kind != "rules" || len(clients.NotInIt) == 0 || len(clients.Clients) < 5 || len(clients.Clients[0].Components) != 5 || clients.Clients[0].Components[0].State == "" {
		t.Errorf("clients %+v", clients)
	}
	out := ok(t, data, "risk", "clients", "--top", "2")
	for _, want := range []string{"dependence", clients.Clients[0].Client, "no probability of leaving", "Not in it:"} {
		if !strings.Contains(out, want) {
			t.Errorf("risk clients does not say %q:\n%s", want, out)
		}
	}
	if lines := strings.Split(strings.TrimSpace(ok(t, data, "risk", "clients", "--top", "2", "--format", "csv")), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "client,revenue_a_year,") {
		t.Errorf("two clients give %q", lines)
	}
	if code, _, errOut := run(t, data, "risk", "clients", "--top", "-1"); code != 2 || !strings.Contains(errOut, "0 for all") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if code, _, errOut := run(t, data, "risk", "clients", "--from", "2030-01"); code != 1 || !strings.Contains(errOut, "no whole month") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if out := ok(t, data, "risk", "projects"); !strings.Contains(out, "probability") || !strings.Contains(out, "finished projects") {
		t.Errorf("risk projects:\n%s", out)
	}
}
