package app_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRepriceAndReconcileAnswerOnTheDemo(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if out := ok(t, data, "reprice"); !strings.Contains(out, "No agreement can be priced") {
		t.Errorf("without data:\n%s", out)
	}
	ok(t, data, "demo", "--clients", "8", "--months", "6", "--no-serve")
	var sheet struct {
		Items []struct {
			Fee, Agreement string
			Prices         []struct{ Method, Price string }
		}
		Settings struct{ Margin string }
	}
	if err := json.Unmarshal([]byte(ok(t, data, "reprice", "--margin", "50%", "--json")), &sheet); err != nil {
		t.Fatal(err)
	}
	if len(sheet.Items) < 5 || sheet.Settings.Margin != "0.5" || len(sheet.Items[0].Prices) != 3 || dec(t, sheet.Items[0].Prices[0].Price).LessThanOrEqual(dec(t, sheet.Items[0].Fee)) {
		t.Errorf("sheet %+v", sheet)
	}
	if out := ok(t, data, "reprice"); !strings.Contains(out, "by_efficiency") || !strings.Contains(out, "labor a month changed by") {
		t.Errorf("reprice:\n%s", out)
	}
	if code, _, errOut := run(t, data, "reprice", "--margin", "much"); code != 2 || !strings.Contains(errOut, "such as 0.5 or 50%") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if code, _, errOut := run(t, data, "reprice", "--margin", "100%"); code != 1 || !strings.Contains(errOut, "below 1") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	out := ok(t, data, "reconcile")
	for _, want := range []string{"unabsorbed", "-2,500.00", "opposite gap", "because"} {
		if !strings.Contains(out, want) {
			t.Errorf("reconcile does not say %q:\n%s", want, out)
		}
	}
	if lines := strings.Split(strings.TrimSpace(ok(t, data, "reconcile", "--format", "csv", "--from", "2026-03", "--to", "2026-05")), "\n"); len(lines) != 3 {
		t.Errorf("two months give %q", lines)
	}
}
