package dataset

import (
	"context"
	"fmt"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func session(t testing.TB) *warehouse.Session {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(context.Background(), db, t.TempDir(), warehouse.Schema{Tables: Tables()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	s, err := w.NewSession(context.Background(), tenant.Scope{Tenant: "acme", Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// read evaluates an expression of v for a text.
func read(t *testing.T, s *warehouse.Session, expr, text string) string {
	t.Helper()
	rows, err := s.Query(t.Context(), fmt.Sprintf("SELECT CAST((%s) AS VARCHAR) FROM (SELECT ? AS v)", expr), text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if rows.Rows[0][0] == nil {
		return "null"
	}
	return rows.Rows[0][0].(string)
}

func TestNumbersAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	s := session(t)
	for _, c := range []struct{ mark, text, want string }{
		{".", "1234.50", "1234.5000"}, {".", "1,234.50", "1234.5000"}, {".", "1 234.50", "1234.5000"}, {".", "1\u00a0234.50", "1234.5000"},
		{".", "1\u202f234.50", "1234.5000"}, {".", "1'234.50", "1234.5000"}, {".", "$1,234.50", "1234.5000"}, {".", "£-12", "-12.0000"}, {".", "-£12", "-12.0000"},
		{".", "USD 12", "12.0000"}, {".", "12 usd", "12.0000"}, {".", "(1,234.50)", "-1234.5000"}, {".", "($1,234.50)", "-1234.5000"}, {".", "1,234.50-", "-1234.5000"},
		{".", "−12", "-12.0000"}, {".", "12.00 CR", "-12.0000"}, {".", "12.00 DR", "12.0000"}, {".", ".5", "0.5000"}, {".", "+7", "7.0000"}, {".", "1,23,456", "123456.0000"},
		{".", "0", "0.0000"}, {".", "-0.0", "0.0000"}, {".", "CA$ 5", "5.0000"},
		{",", "1.234,50", "1234.5000"}, {",", "12,50 €", "12.5000"}, {",", "1 234,5", "1234.5000"}, {",", "-3,25", "-3.2500"}, {",", "1.234", "1234.0000"}, {",", "1'234,5", "1234.5000"},
		{".", "1.234,50", "null"}, {".", "12,5", "null"}, {",", "12.5", "null"}, {".", "1.2.3", "null"}, {".", "abc", "null"}, {".", "12abc", "null"}, {".", "1 2 3", "null"},
		{".", "", "null"}, {".", "1e5", "null"}, {".", "99999999999999999999", "null"}, {".", "--5", "null"},
	} {
		if got := read(t, s, numberValue("v", c.mark, Money.Type()), c.text); got != c.want {
			t.Errorf("%q with decimal mark %q: got %s, want %s", c.text, c.mark, got, c.want)
		}
	}
}

func TestHoursAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	s := session(t)
	for _, c := range []struct {
		unit       int64
		text, want string
	}{
		{1, "1.25", "1.2500"}, {1, "1:15", "1.2500"}, {1, "01:15:00", "1.2500"}, {1, "-0:30", "-0.5000"}, {1, "75m", "1.2500"}, {1, "75 min", "1.2500"}, {1, "1h 15m", "1.2500"}, {1, "1h", "1.0000"},
		{1, "1.5h", "1.5000"}, {1, "1,5 h", "1.5000"}, {1, "2 hours 30 minutes", "2.5000"}, {1, "PT1H15M", "1.2500"}, {1, "PT90M", "1.5000"}, {1, "90s", "0.0250"}, {1, "26:00", "26.0000"},
		{60, "90", "1.5000"}, {60, "20", "0.3333"}, {3600, "5400", "1.5000"}, {60, "1:15", "1.2500"},
		{1, "1:75", "null"}, {1, "h", "null"}, {1, "PT", "null"}, {1, "one", "null"}, {1, "1h foo", "null"}, {1, "m", "null"},
	} {
		if got := read(t, s, hoursValue("v", ".", c.unit), c.text); got != c.want {
			t.Errorf("%q in 1/%d h: got %s, want %s", c.text, c.unit, got, c.want)
		}
	}
}

func TestDatesAreReadInTheOrderOfTheirColumn(t *testing.T) {
	t.Parallel()
	s := session(t)
	for _, c := range []struct{ order, text, want string }{
		{"dmy", "31/12/2025", "2025-12-31"}, {"dmy", "03/04/2024", "2024-04-03"}, {"mdy", "03/04/2024", "2024-03-04"}, {"mdy", "3/4/24", "2024-03-04"}, {"dmy", "3.4.24", "2024-04-03"},
		{"dmy", "1-2-99", "1999-02-01"}, {"ymd", "24-03-05", "2024-03-05"}, {"", "04/04/2024", "2024-04-04"}, {"", "03/04/2024", "null"}, {"dmy", "13/13/2024", "null"}, {"dmy", "31/02/2024", "null"},
		{"ymd", "2025-08-20", "2025-08-20"}, {"ymd", "2025/8/2", "2025-08-02"}, {"ymd", "20250815", "2025-08-15"}, {"ymd", "2025-08-20T10:11:12Z", "2025-08-20"}, {"dmy", "20/08/2025 10:11 PM", "2025-08-20"},
		{"ymd", "5-Mar-24", "2024-03-05"}, {"ymd", "5 March 2024", "2024-03-05"}, {"ymd", "Mar 5, 2024", "2024-03-05"}, {"ymd", "Tuesday, March 5, 2024", "2024-03-05"}, {"ymd", "Tue 5 Mar 2024", "2024-03-05"}, {"ymd", "March 5th, 2024", "2024-03-05"},
		{"ymd", "45889", "2025-08-20"}, {"ymd", "45889.5", "2025-08-20"}, {"ymd", "not a date", "null"}, {"ymd", "2025-02-30", "null"}, {"ymd", "0001-02-03", "null"}, {"ymd", "2025-08-20 foo", "null"}, {"ymd", "12", "null"}, {"ymd", "5 Foo 2024", "null"},
	} {
		if got := read(t, s, dateValue("v", c.order, false), c.text); got != c.want {
			t.Errorf("%q as %q: got %s, want %s", c.text, c.order, got, c.want)
		}
	}
	if got := read(t, s, dateValue("v", "ymd", true), "45889"); got != "2029-08-21" {
		t.Errorf("45889 in the 1904 system: got %s, want 2029-08-21", got)
	}
}

func TestInstantsAreReadAsUTC(t *testing.T) {
	t.Parallel()
	s := session(t)
	for _, c := range []struct{ order, text, want string }{
		{"ymd", "2026-03-04 09:12", "2026-03-04 09:12:00"}, {"ymd", "2026-03-04T09:12:00+02:00", "2026-03-04 07:12:00"}, {"ymd", "2026-03-04T09:12:00Z", "2026-03-04 09:12:00"},
		{"mdy", "6/21/2025 16:14", "2025-06-21 16:14:00"}, {"mdy", "6/21/2025 4:14 PM", "2025-06-21 16:14:00"}, {"mdy", "6/21/2025 12:05:09 a.m.", "2025-06-21 00:05:09"}, {"dmy", "21.06.2025", "2025-06-21 00:00:00"},
		{"ymd", "yesterday", "null"}, {"ymd", "09:12", "null"},
	} {
		if got := read(t, s, timestampValue("v", c.order, false), c.text); got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

func TestYesNoWordsAreNeverGuessed(t *testing.T) {
	t.Parallel()
	s := session(t)
	for text, w := range map[string]string{"Yes": "true", "no": "false", "No Charge": "false", "NB": "false", "NC": "false", "B": "true", "Do Not Bill": "false", "Non-Billable": "false", "TRUE": "true", "0": "false", "x": "true", "✓": "true", "inactive": "false", "maybe": "null", "NoDefault": "null", "2": "null"} {
		if got := read(t, s, boolValue("v", false), text); got != w {
			t.Errorf("%q: got %s, want %s", text, got, w)
		}
	}
	if got := read(t, s, boolValue("v", true), "Yes"); got != "false" {
		t.Errorf("Yes under an inverted header: got %s, want false", got)
	}
}

func TestSharesAreFractions(t *testing.T) {
	t.Parallel()
	s := session(t)
	for _, c := range []struct {
		text    string
		percent bool
		want    string
	}{{"45%", false, "0.450000"}, {"0.45", false, "0.450000"}, {"45", true, "0.450000"}, {"12.5 %", false, "0.125000"}, {"x", false, "null"}} {
		if got := read(t, s, shareValue("v", ".", c.percent), c.text); got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

func TestProductsRoundHalfToEven(t *testing.T) {
	t.Parallel()
	s := session(t)
	for text, w := range map[string]string{"0.00005": "0.0000", "0.00015": "0.0002", "0.00025": "0.0002", "-0.00015": "-0.0002", "-0.00025": "-0.0002", "1.23456789": "1.2346", "2": "2.0000", "123456.00005": "123456.0000"} {
		if got := read(t, s, halfEven("CAST(v AS DECIMAL(38,12))"), text); got != w {
			t.Errorf("%s: got %s, want %s", text, got, w)
		}
	}
}

func TestBlankAndNullWordsMeanNothingAndZeroDoesNot(t *testing.T) {
	t.Parallel()
	s := session(t)
	for text, w := range map[string]string{"": "null", "  ": "null", "N/A": "null", "none": "null", "—": "null", "(blank)": "null", "#N/A": "null", "-": "null", "0": "0", " x ": "x", "\u00a0x\t": "x", "Nancy": "Nancy"} {
		if got := read(t, s, trimmed("v", false), text); got != w {
			t.Errorf("%q: got %s, want %s", text, got, w)
		}
	}
}

func TestFieldIDsAreUniqueAndColumnsAreKnownTypes(t *testing.T) {
	t.Parallel()
	for _, table := range Tables() {
		ids, names := map[int]string{}, map[string]bool{}
		for _, c := range table.Columns {
			if c.ID <= 0 || ids[c.ID] != "" || names[c.Name] {
				t.Errorf("%s.%s: id %d is taken by %q, or the name twice", table.Name, c.Name, c.ID, ids[c.ID])
			}
			ids[c.ID], names[c.Name] = c.Name, true
		}
		if table.Month != "" && !names[table.Month] {
			t.Errorf("%s has no column %s", table.Name, table.Month)
		}
	}
}

func TestAQualityScoreIsTheWeightedGeometricMeanOfItsParts(t *testing.T) {
	t.Parallel()
	today := quantity.NewDay(2026, 6, 30)
	m := measured{rows: 90, filled: map[string]int64{"a": 90, "b": 45}, invalid: 5, checked: 10, failed: 2, anyClients: true, attributed: 80, matched: 60, newest: "2026-06-30"}
	got := score(m, 100, 10, 4, today)
	// completeness .75^3 · validity .85^3 · uniqueness .96^2 · consistency .8 · coverage .75, to the power of 1/10
	if got.Score != 0.8234 {
		t.Errorf("got score %v, want 0.8234", got.Score)
	}
	for name, w := range map[string]float64{"completeness": 0.75, "validity": 0.85, "uniqueness": 0.96, "consistency": 0.8, "coverage": 0.75, "timeliness": 1} {
		if got.Dimensions[name] != w {
			t.Errorf("%s: got %v, want %v", name, got.Dimensions[name], w)
		}
	}
	if empty := score(measured{}, 0, 0, 0, today); empty.Score != 0 {
		t.Errorf("no rows: got score %v, want 0", empty.Score)
	}
	old := score(measured{rows: 1, filled: map[string]int64{"a": 1}, newest: "2026-05-16"}, 1, 0, 0, today)
	if old.Dimensions["timeliness"] != 0.3679 || old.Score != 1 {
		t.Errorf("45 days old: got timeliness %v and score %v, want 0.3679 (1/e) and 1", old.Dimensions["timeliness"], old.Score)
	}
}
