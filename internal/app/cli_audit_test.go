package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

func TestTheAuditRecordFromTheCommandLine(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	file := write(t, dir, "clients.csv", "client_name,industry,status,contract_value\nAcme,Legal,active,2400\n")
	ok(t, data, "import", file)
	ok(t, data, "close", "2025-01")
	if out := ok(t, data, "audit", "--action", "import."); !strings.Contains(out, "import.commit") || strings.Contains(out, "month.close") {
		t.Errorf("got %s", out)
	}
	head := filepath.Join(dir, "head.json")
	if out := ok(t, data, "audit", "checkpoint", "-o", head); !strings.Contains(out, "at entry 3") { // the import, the month, the key
		t.Errorf("got %s", out)
	}
	text, err := os.ReadFile(head)
	if err != nil {
		t.Fatal(err)
	}
	var signed, key struct{ Key, Public string }
	if err := json.Unmarshal(text, &signed); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(ok(t, data, "audit", "key", "--json")), &key); err != nil || key.Public != signed.Key || key.Public == "" {
		t.Errorf("got %+v, want the key of %+v: %v", key, signed, err)
	}
	ok(t, data, "reopen", "2025-01")
	if out := ok(t, data, "verify", "--head", head); !strings.Contains(out, "whole") || !strings.Contains(out, "1 of them kept elsewhere") {
		t.Errorf("got %s", out)
	}
	if out := ok(t, data, "audit", "retention", "--days", "400", "--json"); !strings.Contains(out, `"due": 0`) {
		t.Errorf("got %s", out)
	}
	if out := ok(t, data, "audit", "--limit", "0", "--oldest", "--format", "csv"); strings.Count(out, "\n") != 6 || !strings.Contains(out, "audit.retention") {
		t.Errorf("got %s", out)
	}
	// The end is cut and everything in the database agrees with that.
	db, err := metadb.Open(t.Context(), filepath.Join(data, "moatmetrics.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Transact(t.Context(), func(tx *metadb.Tx) error {
		for _, s := range []string{"DROP TRIGGER audit_event_delete", "DROP TRIGGER audit_head_update", "DROP TRIGGER audit_checkpoint_delete",
			"DELETE FROM audit_checkpoint", "DELETE FROM audit_event WHERE seq > 1", "UPDATE audit_head SET seq = 1, hash = (SELECT hash FROM audit_event)"} {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ok(t, data, "verify")
	code, out, errOut := run(t, data, "verify", "--head", head)
	if code != 1 || !strings.Contains(out, "entry 2") || !strings.Contains(out, "entries 2 to 3 are missing") || !strings.Contains(errOut, "changed outside the program") {
		t.Errorf("got %d\n%s\n%s", code, out, errOut)
	}
	write(t, dir, "no.json", "{}")
	if code, _, errOut := run(t, data, "verify", "--head", filepath.Join(dir, "no.json")); code != 1 || !strings.Contains(errOut, "no head of an audit record") {
		t.Errorf("got %d %s", code, errOut)
	}
}
