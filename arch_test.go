package moatmetrics_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const internal = "github.com/moatmetrics/moatmetrics/internal/"

// floors is a statement of policy, lowest first: a package may import only
// packages on strictly lower floors. Discuss a change; never edit it to make a
// build pass. A package gets its floor here when it is created; names of packages
// that do not exist yet do no harm.
var floors = []string{
	"fault",
	"quantity tenant",
	"metadb stats sample match secret document reach cron",
	"keyring bucket",
	"warehouse audit job notice",
	"access review workspace definition delivery",
	"dataset",
	"metric connector inbox",
	"insight scenario",
	"question govern alert",
	"report",
	"search",
	"httpapi",
	"app",
}

// owners names who may import a dependency that must not leak upward.
var owners = map[string][]string{
	"database/sql":                   {"metadb", "warehouse", "job"},
	"github.com/duckdb/duckdb-go/v2": {"warehouse"},
	"net/http":                       {"secret", "connector", "inbox", "delivery", "httpapi", "app"},
}

func TestImportsPointDown(t *testing.T) {
	floor := map[string]int{}
	for n, names := range floors {
		for _, name := range strings.Fields(names) {
			floor[name] = n
		}
	}
	// Reading the sources ties go test's result cache to them; go list alone would not.
	if err := filepath.WalkDir("internal", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			_, err = os.ReadFile(path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./internal/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		from := home(p.ImportPath)
		n, ok := floor[from]
		if !ok {
			t.Errorf("%s has no floor: give it one, and a line in doc.go", p.ImportPath)
			continue
		}
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if may, ok := owners[imp]; ok && !slices.Contains(may, from) {
				t.Errorf("%s imports %s; only %v may", p.ImportPath, imp, may)
			}
			to := home(imp)
			m, ours := floor[to]
			switch {
			case !ours, imp == p.ImportPath, strings.HasSuffix(imp, "test"):
				// standard library, third party, own external test, or a test-helper package
			case to != from && m >= n:
				t.Errorf("%s (floor %d) imports %s (floor %d)", p.ImportPath, n, imp, m)
			case to == from && imp != internal+to && !strings.Contains(imp, to+"/internal/"):
				t.Errorf("%s imports %s: children may import only their parent", p.ImportPath, imp)
			}
		}
	}
}

// home returns the first path element below internal/, or "" for foreign paths.
func home(path string) string {
	rest, ok := strings.CutPrefix(path, internal)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}
