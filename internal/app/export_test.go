package app_test

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryDatasetIsExportedAndImportedUnchanged(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	ok(t, data, "demo", "--clients", "8", "--months", "6", "--no-serve")
	snapshot := ok(t, data, "snapshots")
	for _, line := range strings.Split(strings.TrimSpace(ok(t, data, "datasets", "--format", "csv")), "\n")[1:] {
		name, _, _ := strings.Cut(line, ",")
		file := filepath.Join(dir, name+".csv")
		args := []string{"export", name, file}
		if code, _, errOut := run(t, data, args...); code != 0 {
			t.Errorf("export %s: %s", name, errOut)
			continue
		}
		if out := ok(t, data, "import", "--dataset", name, file); !strings.Contains(out, " 0 added, 0 updated,") {
			t.Errorf("%s: %s", name, out)
		}
	}
	if after := ok(t, data, "snapshots"); after != snapshot {
		t.Errorf("the snapshots were\n%s\nand are\n%s", snapshot, after)
	}
	if code, _, errOut := run(t, data, "export", "nonsense"); code != 1 || !strings.Contains(errOut, "no dataset") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if code, _, errOut := run(t, data, "export", "clients", "--source", "nowhere"); code != 1 || !strings.Contains(errOut, "no clients of the source") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
