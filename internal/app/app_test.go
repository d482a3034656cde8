package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/app"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

// TestMain lets this binary stand in for the program in a process of its own.
func TestMain(m *testing.M) {
	if args := os.Getenv("MOAT_CHILD_ARGS"); args != "" {
		os.Exit(app.Main(context.Background(), "test", strings.Split(args, "\x1f"), os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// run runs one command and returns its exit code and output.
func run(t *testing.T, data string, args ...string) (int, string, string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := app.Main(t.Context(), "test", append(args, "--data", data), strings.NewReader(""), &out, &errOut)
	return code, out.String(), errOut.String()
}

func ok(t *testing.T, data string, args ...string) string {
	t.Helper()
	code, out, errOut := run(t, data, args...)
	if code != 0 {
		t.Fatalf("moatmetrics %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return out
}

type answer struct {
	Rows     [][]any
	Snapshot int64
}

// query returns the cells of a query by their dimensions.
func query(t *testing.T, data string, args ...string) map[string][]any {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(ok(t, data, append([]string{"query", "--json"}, args...)...)), &a); err != nil {
		t.Fatal(err)
	}
	cells := map[string][]any{}
	for _, row := range a.Rows {
		var key []string
		var values []any
		for i, v := range row {
			if s, isText := v.(string); isText && i < len(row)-3 {
				key = append(key, s)
			} else {
				values = append(values, v)
			}
		}
		cells[strings.Join(key, "|")] = values
	}
	return cells
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// python runs a script in the reference environment (scripts/test-deps.sh installs it).
func python(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	exe := os.Getenv("MOAT_PYTHON")
	if exe == "" {
		exe = filepath.Join("..", "..", ".cache", "venv", "bin", "python")
	}
	out, err := exec.Command(exe, append([]string{"-c", script}, args...)...).Output()
	if err != nil {
		if e, isExit := err.(*exec.ExitError); isExit {
			t.Fatalf("reference: %v\n%s", err, e.Stderr)
		}
		t.Fatalf("reference: %v (scripts/test-deps.sh installs it)", err)
	}
	return out
}

// plainSQL computes the same questions over the CSV files with plain SQL in another
// DuckDB, knowing nothing of MoatMetrics.
const plainSQL = `
import duckdb, json, sys
d = sys.argv[1]
con = duckdb.connect()
con.execute("SET threads=2; SET enable_progress_bar=false")
con.execute(f"CREATE TABLE t AS SELECT client_name c, staff_name s, date_trunc('month', date::DATE)::DATE m, hours::DECIMAL(9,4) h, rate::DECIMAL(9,2) r, billable::BOOLEAN b FROM read_csv('{d}/time_logs.csv', all_varchar=true)")
con.execute(f"""CREATE TABLE l AS SELECT client_name c, date_trunc('month', date::DATE)::DATE m,
  (x->>'quantity')::DECIMAL(9,2) * (x->>'unit_price')::DECIMAL(9,2) - (x->>'discount')::DECIMAL(9,2) net
  FROM (SELECT *, unnest(from_json(lines_json, '["JSON"]')) x FROM read_csv('{d}/invoices.csv', all_varchar=true))""")
rows = con.execute("""SELECT c, m::VARCHAR, sum(rev)::DECIMAL(38,4)::VARCHAR, sum(lab)::DECIMAL(38,4)::VARCHAR, (sum(rev) - sum(lab))::DECIMAL(38,4)::VARCHAR FROM (
  SELECT c, m, 0 rev, h * r lab FROM t UNION ALL SELECT c, m, net, 0 FROM l) GROUP BY 1, 2""").fetchall()
profit = {f"{r[0]}|{r[1]}": r[2:] for r in rows}
span = con.execute("SELECT s, min(m), max(m) FROM t GROUP BY 1").fetchall()
hours = {(s, str(m)): (h, b) for s, m, h, b in con.execute("SELECT s, m, sum(h), sum(CASE WHEN b THEN h ELSE 0 END) FROM t GROUP BY 1, 2").fetchall()}
import datetime as dt
util = {}
for s, first, last in span:
    m = first
    while m <= last:
        nxt = (m.replace(day=1) + dt.timedelta(32)).replace(day=1)
        days = sum(1 for i in range((nxt - m).days) if (m + dt.timedelta(i)).weekday() < 5)
        h, b = hours.get((s, str(m)), (0, 0))
        util[f"{s}|{m}"] = [str(days * 8), str(h), str(b)]
        m = nxt
waste = {r[0]: [r[1]] for r in con.execute(f"SELECT client_name, sum((seats_purchased::INT - seats_used::INT) * cost_per_seat::DECIMAL(9,2))::VARCHAR FROM read_csv('{d}/licenses.csv', all_varchar=true) WHERE is_active::BOOLEAN GROUP BY 1").fetchall()}
print(json.dumps({"profit": profit, "util": util, "waste": waste}))
`

func dec(t *testing.T, v any) decimal.Decimal {
	t.Helper()
	if v == nil {
		return decimal.Decimal{}
	}
	d, err := decimal.NewFromString(fmt.Sprint(v))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// same compares cells with the reference; a cell that only one side has must be zero.
func same(t *testing.T, what string, got map[string][]any, want map[string][]string) {
	t.Helper()
	wrong := 0
	keys := map[string]bool{}
	for k := range got {
		keys[k] = true
	}
	for k := range want {
		keys[k] = true
	}
	for k := range keys {
		n := max(len(got[k]), len(want[k]))
		for i := range n {
			var g, w any
			if i < len(got[k]) {
				g = got[k][i]
			}
			if i < len(want[k]) {
				w = want[k][i]
			}
			if !dec(t, g).Equal(dec(t, w)) {
				if wrong++; wrong <= 5 {
					t.Errorf("%s %s [%d]: got %v, plain SQL says %v", what, k, i, g, w)
				}
			}
		}
	}
	if wrong > 5 {
		t.Errorf("%s: %d cells differ", what, wrong)
	}
	if len(want) == 0 {
		t.Errorf("%s: the reference is empty", what)
	}
}

func TestTheFourFilesGiveWhatPlainSQLSays(t *testing.T) {
	t.Parallel()
	sizes := []int{1_000, 10_000, 100_000}
	if os.Getenv("MOAT_SOAK") != "" {
		sizes = append(sizes, 1_000_000)
	}
	for _, logs := range sizes {
		t.Run(fmt.Sprint(logs), func(t *testing.T) {
			t.Parallel()
			dir, data := t.TempDir(), t.TempDir()
			if err := sample.Workload(dir, sample.WorkloadOptions{Logs: logs, Seed: 1}); err != nil {
				t.Fatal(err)
			}
			files := []string{"clients.csv", "invoices.csv", "time_logs.csv", "licenses.csv"}
			args := []string{"import", "--json"}
			for _, f := range files {
				args = append(args, filepath.Join(dir, f))
			}
			checkImports(t, ok(t, data, args...), 0)
			var want struct{ Profit, Util, Waste map[string][]string }
			if err := json.Unmarshal(python(t, plainSQL, dir), &want); err != nil {
				t.Fatal(err)
			}
			same(t, "profit", query(t, data, "--measures", "revenue,labor_cost,gross_profit", "--by", "client,month"), want.Profit)
			same(t, "utilization", query(t, data, "--measures", "capacity_hours,hours_worked,billable_hours", "--by", "staff,month"), want.Util)
			waste := map[string][]any{}
			for k, v := range query(t, data, "--measures", "license_waste,seats_purchased,seats_used", "--by", "client", "--from", "2022-01", "--to", "2025-01") {
				waste[k] = v[:1]
			}
			same(t, "waste", waste, want.Waste)
			checkImports(t, ok(t, data, args...), 1)
			ok(t, data, "verify")
		})
	}
}

// checkImports reads import --json: counts must add up; the second time all is unchanged.
func checkImports(t *testing.T, out string, again int) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var r dataset.ImportResult
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err, line)
		}
		if r.RowsRead == 0 || r.RowsRead != r.RowsAdded+r.RowsUpdated+r.RowsUnchanged+r.RowsRejected || r.RowsRejected != 0 {
			t.Errorf("%s: counts do not add up: %+v", r.File, r)
		}
		if again == 1 && r.RowsUnchanged != r.RowsRead {
			t.Errorf("%s again: %d of %d rows unchanged", r.File, r.RowsUnchanged, r.RowsRead)
		}
	}
}

func TestTheSimplestFourFileFormImports(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	files := []string{
		write(t, dir, "clients.csv", "client_name,industry,status,contract_value\nAcme,Legal,active,2400\n"),
		write(t, dir, "invoices.csv", "invoice_id,client_name,amount,date,status\n1001,Acme,2400.00,2026-01-31,paid\n1002,Acme,-50.00,2026-02-10,paid\n"),
		write(t, dir, "time_logs.csv", "staff_name,client_name,hours,rate,billable,date\nDana,Acme,10,60,No,2026-01-12\nDana,Acme,1:30,60,Yes,2026-01-13\n"),
		write(t, dir, "licenses.csv", "client_name,product_name,seats_purchased,seats_used,cost_per_seat,status\nAcme,Office,10,4,20,active\nAcme,Backup,5,7,10,active\n"),
	}
	out := ok(t, data, append([]string{"import"}, files...)...)
	if !strings.Contains(out, "taken as the cost of an hour") {
		t.Errorf("no word that the rate is taken as cost:\n%s", out)
	}
	got := query(t, data, "--measures", "revenue,labor_cost,billable_hours", "--by", "client")
	if diff := cmp.Diff(map[string][]any{"Acme": {"2350", "690", "1.5"}}, got); diff != "" {
		t.Error(diff)
	}
	got = query(t, data, "--measures", "license_waste,overdeploy_exposure,seats_used", "--by", "client")
	if diff := cmp.Diff(map[string][]any{"Acme": {"120", "20", "11"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestExitCodesAndMessages(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	bad := write(t, dir, "invoices.csv", "invoice_id,client_name,amount,date,status\n1,Acme,10,2026-01-31,paid\n2,Acme,ten,2026-01-31,paid\n")
	rejects := filepath.Join(dir, "rejects.csv")
	cases := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"rejected rows", []string{"import", bad, "--rejects", rejects}, 3, "line 3"},
		{"a missing file", []string{"import", filepath.Join(dir, "none.csv")}, 1, "none.csv"},
		{"an unknown flag", []string{"import", bad, "--nonsense"}, 2, "--nonsense"},
		{"no file", []string{"import"}, 2, "requires"},
		{"an unknown format", []string{"datasets", "--format", "pdf"}, 2, "allowed are"},
		{"a snapshot that is not a number", []string{"rollback", "x"}, 2, "not a snapshot number"},
		{"a snapshot that is not there", []string{"rollback", "99"}, 1, "does not exist"},
		{"an address that is none", []string{"serve", "--listen", "0.0.0.0"}, 1, "is not an address"},
		{"a certificate without its key", []string{"serve", "--tls-cert", "cert.pem"}, 1, "needs tls_key"},
		{"a host with a scheme", []string{"serve", "--hosts", "https://moat.example.com"}, 1, "without scheme"},
		{"a wrong tenant name", []string{"datasets", "--tenant", "../x"}, 1, "not a valid name"},
		{"an unknown measure", []string{"query", "--measures", "profit"}, 1, "unknown measure"},
		{"an unknown dataset", []string{"template", "nonsense"}, 1, "clients"},
	}
	for _, c := range cases { // in order: they share the directory
		code, out, errOut := run(t, data, c.args...)
		if code != c.code || !strings.Contains(out+errOut, c.says) {
			t.Errorf("%s: exit %d\n%s%s\nwant %d and %q", c.name, code, out, errOut, c.code, c.says)
		}
	}
	text, err := os.ReadFile(rejects)
	if err != nil || !strings.Contains(string(text), "ten") {
		t.Errorf("rejects file: %s %v", text, err)
	}
}

func TestAnalyzeSaysWhatSeveralCurrenciesLeaveOut(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	ok(t, data, "import", write(t, dir, "invoices.csv", "invoice_id,client_name,amount,date,status,currency\n1,Acme,10,2026-01-31,paid,EUR\n2,Acme,20,2026-02-28,paid,USD\n"))
	ok(t, data, "import", write(t, dir, "time.csv", "staff_name,client_name,hours,rate,billable,date\nAnn,Acme,1,40,yes,2026-01-31\n"))
	if _, _, errOut := run(t, data, "analyze"); !strings.Contains(errOut, "EUR and USD") {
		t.Errorf("analyze says nothing of the currencies: %s", errOut)
	}
}

func TestAReplacingImportSaysHowManyRowsItDeletes(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	head := "invoice_id,client_name,amount,date,status\n"
	ok(t, data, "import", write(t, dir, "invoices.csv", head+"1,Acme,10,2026-01-05,paid\n2,Acme,20,2026-01-06,paid\n3,Acme,20,2026-01-07,paid\n"))
	fewer := write(t, dir, "fewer.csv", head+"1,Acme,10,2026-01-05,paid\n")
	for _, args := range [][]string{{"--dry-run"}, {}} {
		if out := ok(t, data, append([]string{"import", fewer, "--dataset", "invoices", "--replace", "table"}, args...)...); !strings.Contains(out, "1 unchanged, 0 rejected, 2 deleted") {
			t.Errorf("%v: %s", args, out)
		}
	}
	empty := write(t, dir, "empty.csv", head)
	if code, _, errOut := run(t, data, "import", empty, "--dataset", "invoices", "--replace", "table"); code != 1 || !strings.Contains(errOut, "holds no row") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

func TestAClosedMonthTakesNoCorrections(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	head := "invoice_id,client_name,amount,date,status\n"
	ok(t, data, "import", write(t, dir, "invoices.csv", head+"1,Acme,10,2026-01-31,paid\n2,Acme,20,2026-02-28,paid\n"))
	before := ok(t, data, "query", "--measures", "revenue", "--by", "month", "--json")
	ok(t, data, "close", "2026-01")
	if list := ok(t, data, "close"); !strings.Contains(list, "2026-01") {
		t.Errorf("closed months: %s", list)
	}
	corrected := write(t, dir, "corrected.csv", head+"1,Acme,11,2026-01-31,paid\n3,Acme,30,2026-03-31,paid\n")
	code, _, errOut := run(t, data, "import", corrected, "--dataset", "invoices")
	if code != 1 || !strings.Contains(errOut, "invoices of 2026-01, which is closed") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	sameAnswer := func(a, b string) bool {
		cut := func(s string) string { s, _, _ = strings.Cut(s, `"elapsed_ms"`); return s }
		return cut(a) == cut(b)
	}
	if after := ok(t, data, "query", "--measures", "revenue", "--by", "month", "--json"); !sameAnswer(before, after) {
		t.Errorf("the refused import changed\n%s\nto\n%s", before, after)
	}
	ok(t, data, "reopen", "2026-01")
	ok(t, data, "import", corrected, "--dataset", "invoices")
	if code, _, errOut := run(t, data, "close", "March"); code != 2 || !strings.Contains(errOut, "not a month") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if out := ok(t, data, "verify"); !strings.Contains(out, "clean") {
		t.Error(out)
	}
}

func TestRollbackGivesEveryAnswerOfThen(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), t.TempDir()
	if err := sample.Workload(dir, sample.WorkloadOptions{Logs: 2000, Seed: 1, Clients: 20, Months: 6, Staff: 8}); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	ok(t, data, "import", file("clients.csv"), file("invoices.csv"), file("time_logs.csv"))
	questions := [][]string{
		{"query", "--format", "csv", "--measures", "revenue,labor_cost,gross_margin", "--by", "client,month"},
		{"query", "--format", "csv", "--measures", "hours_worked,billable_hours,utilization", "--by", "staff,quarter"},
		{"query", "--format", "csv", "--measures", "license_waste", "--by", "product"},
	}
	ask := func() []string {
		var out []string
		for _, q := range questions {
			out = append(out, ok(t, data, q...))
		}
		return out
	}
	before := ask()
	var snaps []struct{ ID int64 }
	if err := json.Unmarshal([]byte(ok(t, data, "snapshots", "--json")), &snaps); err != nil {
		t.Fatal(err)
	}
	more := t.TempDir()
	if err := sample.Workload(more, sample.WorkloadOptions{Logs: 2000, Seed: 2, Clients: 25, Months: 8, Staff: 9}); err != nil {
		t.Fatal(err)
	}
	ok(t, data, "import", filepath.Join(more, "clients.csv"), filepath.Join(more, "invoices.csv"), filepath.Join(more, "time_logs.csv"), filepath.Join(more, "licenses.csv"))
	if cmp.Equal(before, ask()) {
		t.Fatal("the second import changed nothing: the test means nothing")
	}
	ok(t, data, "rollback", fmt.Sprint(snaps[0].ID))
	if diff := cmp.Diff(before, ask()); diff != "" {
		t.Error(diff)
	}
	ok(t, data, "verify")
}

func TestKilledImportsLeaveNothingHalf(t *testing.T) {
	t.Parallel()
	times := 20
	if os.Getenv("MOAT_SOAK") != "" {
		times = 500
	}
	for _, e := range metadbtest.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			dir, data := t.TempDir(), t.TempDir()
			if e == metadb.Postgres {
				write(t, data, "moatmetrics.yaml", "database: "+metadbtest.DSN(t, e)+"\n")
			}
			ok(t, data, "datasets") // creates the tables
			rnd := rand.New(rand.NewPCG(7, 7))
			whole := time.Duration(0) // how long an import takes here that is not killed
			acknowledged, killed := int64(0), 0
			const rows = 3000
			for n := range times {
				var b strings.Builder
				b.WriteString("time_entry_id,staff_name,client_name,hours,date\n")
				for i := range rows {
					fmt.Fprintf(&b, "%d-%d,Dana,Acme,1,2026-0%d-1%d\n", n, i, 1+i%6, i%9)
				}
				file := write(t, dir, fmt.Sprintf("time_%d.csv", n), b.String())
				child := exec.Command(os.Args[0])
				child.Env = append(os.Environ(), "MOAT_CHILD_ARGS="+strings.Join([]string{"import", file, "--json", "--data", data}, "\x1f"))
				var out bytes.Buffer
				child.Stdout = &out
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				start, wait := time.Now(), time.Hour
				if n > 0 {
					wait = time.Duration(rnd.Float64() * 1.3 * float64(whole))
				}
				timer := time.AfterFunc(wait, func() { child.Process.Kill() })
				if child.Wait() != nil {
					killed++
				}
				if n == 0 {
					whole = time.Since(start)
				}
				timer.Stop()
				if strings.Contains(out.String(), `"rows_added":3000`) {
					acknowledged++
				}
			}
			got := query(t, data, "--measures", "hours_worked,time_entry_count,billable_hours")
			stored := dec(t, got[""][1]).IntPart()
			if stored%rows != 0 || stored < acknowledged*rows {
				t.Errorf("%d rows are stored: want whole imports of %d, at least the %d acknowledged", stored, rows, acknowledged)
			}
			if killed < times/4 || acknowledged == 0 {
				t.Errorf("%d of %d were killed, %d acknowledged: the instants mean nothing", killed, times, acknowledged)
			}
			ok(t, data, "verify")
			t.Logf("%d of %d killed, %d acknowledged, %d stored", killed, times, acknowledged, stored/rows)
		})
	}
}

func TestTheDemoIsTheSameEveryTimeAndNamesItsLosers(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	out := ok(t, data, "demo", "--no-serve")
	truth, err := os.ReadFile(filepath.Join(data, "demo-files", "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "lost") || !strings.Contains(out, "0 rejected") || len(truth) == 0 {
		t.Errorf("demo:\n%s", out)
	}
	findings := ok(t, data, "analyze", "--json")
	again := ok(t, data, "demo", "--no-serve")
	if after := ok(t, data, "analyze", "--json"); !strings.Contains(again, "0 rejected") || strings.Count(after, `"id"`) != strings.Count(findings, `"id"`) {
		t.Errorf("loading the demo again changed the findings")
	}
	other := t.TempDir()
	file := write(t, other, "invoices.csv", "invoice_id,client_name,amount,date,status\n1,Acme,10,2026-01-31,paid\n")
	ok(t, other, "import", file)
	if code, _, errOut := run(t, other, "demo", "--no-serve"); code != 1 || !strings.Contains(errOut, "already holds imported data") {
		t.Errorf("a demo over a user's data: exit %d %s", code, errOut)
	}
}
