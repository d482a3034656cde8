package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// One server imports from the folders of every tenant, and signs every tenant's record.
func TestAServerLooksAfterEveryTenant(t *testing.T) {
	t.Parallel()
	p := program{data: filepath.Join(t.TempDir(), "data")}
	folder := t.TempDir()
	p.ok(t, "--tenant", "branch", "source", "add", "drop", "--path", folder, "--schedule", "watch")
	s := p.serve(t)
	defer s.stop(t)
	if err := os.WriteFile(filepath.Join(folder, "clients.csv"), []byte("client_name,industry,status,contract_value\nOnly Of The Branch,Legal,active,2400\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(2 * time.Minute)
	for {
		record := p.ok(t, "--tenant", "branch", "audit", "--limit", "0")
		imported := strings.Contains(record, "import.commit")
		signed := strings.Contains(p.ok(t, "--tenant", "branch", "audit", "--action", "audit.key", "--limit", "0"), "audit.key")
		if imported && signed {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("imported %t, signed %t: %s\n%s", imported, signed, record, s.logged())
		}
		time.Sleep(200 * time.Millisecond)
	}
	if out := p.ok(t, "audit", "--limit", "0"); strings.Contains(out, "import.commit") {
		t.Errorf("the file was imported for another tenant: %s", out)
	}
}
