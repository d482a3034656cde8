package dataset_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func mapped(yaml string) dataset.ImportRequest { return dataset.ImportRequest{Mapping: []byte(yaml)} }

// fails imports a text and wants an Invalid fault that says something.
func (x *world) fails(t testing.TB, name, text, says string, req dataset.ImportRequest) {
	t.Helper()
	req.Name, req.Reader = name, strings.NewReader(text)
	_, err := x.Import(t.Context(), acme, req)
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: got error %v, want an invalid input that says %q", name, err, says)
	}
}

func TestTheOrderOfDatesIsDecidedForTheColumn(t *testing.T) {
	t.Parallel()
	file := func(dates ...string) string {
		text := timeHeader
		for _, d := range dates {
			text += "Dana,Harbor," + d + ",1\n"
		}
		return text
	}
	const rows = "SELECT work_date FROM time_entries ORDER BY record"
	for _, c := range []struct {
		name, text, mapping, order string
		want                       []string
		codes                      string
	}{
		{"a first part over 12 proves day first", file("03/04/2024", "13/04/2024"), "", "dmy", []string{"2024-04-03", "2024-04-13"}, ""},
		{"a second part over 12 proves month first", file("03/04/2024", "09/23/2024"), "", "mdy", []string{"2024-03-04", "2024-09-23"}, ""},
		{"equal in both readings", file("04/04/2024", "2024-05-06"), "", "ymd", []string{"2024-04-04", "2024-05-06"}, ""},
		{"the mapping decides", file("03/04/2024"), "options: {date_order: dmy}", "dmy", []string{"2024-04-03"}, ""},
		{"a mixed column has no order", file("13/04/2024", "04/13/2024", "03/04/2024", "2024-01-02"), "", "mixed", []string{"2024-01-02"}, "mixed_date_order mixed_date_order mixed_date_order"},
		{"one slip among many is one reject", file(append([]string{"04/13/2024"}, strings.Split(strings.TrimSpace(strings.Repeat("13/04/2024 ", 30)), " ")...)...), "", "dmy", nil, "mixed_date_order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			r := x.load(t, "time.csv", c.text, mapped(c.mapping))
			want(t, "order", r.Dialect.DateOrder, c.order)
			var got []string
			for _, j := range r.Rejects {
				got = append(got, j.Code)
			}
			want(t, "rejects", strings.Join(got, " "), c.codes)
			if c.want != nil {
				want(t, "dates", x.rows(t, rows, "time_entries"), c.want)
			}
		})
	}
	t.Run("an undecided order is asked for", func(t *testing.T) {
		t.Parallel()
		newWorld(t).fails(t, "time.csv", file("03/04/2024", "05/06/2024"), "no date in the file decides it", dataset.ImportRequest{})
	})
}

func TestTheDecimalMarkIsDecidedForTheColumn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, amounts, mapping, mark, sum, finding string }{
		{"comma", "1.234,50;12,5;1.234", "", ",", "2481", ""},
		{"point", "1,234.50;12.5;1,234", "", ".", "2481", ""},
		{"thousands only are read with a point and reported", "1,234;2,000", "", ".", "3234", "decimal_mark_assumed"},
		{"three decimals only are reported", "1.234;2.500", "", ".", "3.734", "decimal_mark_assumed"},
		{"the mapping decides", "1.234;2.500", `options: {decimal_mark: ","}`, ",", "3734", ""},
		{"signs", "(5.00);7.50-;−1;$10;3 CR", "", ".", "-6.5", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			text := "invoice_id;client_name;amount;date\n"
			for i, a := range strings.Split(c.amounts, ";") {
				text += fmt.Sprintf("I%d;Harbor;%s;2026-03-01\n", i, a)
			}
			r := x.load(t, "invoices.csv", text, mapped(c.mapping))
			want(t, "mark", r.Dialect.DecimalMark, c.mark)
			want(t, "sum", x.rows(t, "SELECT sum(net_amount) FROM invoices", "invoices"), []string{c.sum})
			if _, ok := codes(r)["decimal_mark_assumed"]; ok != (c.finding != "") {
				t.Errorf("got findings %v, want %q", codes(r), c.finding)
			}
		})
	}
}

func TestThreeDecimalsOfHoursAreNoThousands(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"point.csv":  "staff_name;client_name;date;hours\nDana;Harbor;2026-03-01;1.125\nDana;Harbor;2026-03-02;2.375\n",
		"comma.csv":  "staff_name;client_name;date;hours\nDana;Harbor;2026-03-01;1,125\nDana;Harbor;2026-03-02;2,375\n",
		"time.jsonl": `{"staff_name":"Dana","client_name":"Harbor","date":"2026-03-01","hours":1.125}` + "\n" + `{"staff_name":"Dana","client_name":"Harbor","date":"2026-03-02","hours":2.375}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			r := x.load(t, name, text)
			want(t, "hours", x.rows(t, "SELECT sum(hours_worked) FROM time_entries", "time_entries"), []string{"3.5"})
			if _, ok := codes(r)["decimal_mark_assumed"]; ok {
				t.Errorf("got findings %v, want none that doubts the mark", codes(r))
			}
		})
	}
	x := newWorld(t)
	r := x.load(t, "invoices.jsonl", `{"invoice_id":"1","client_name":"Harbor","date":"2026-03-01","net_amount":1.125}`)
	want(t, "amount", x.rows(t, "SELECT net_amount FROM invoices", "invoices"), []string{"1.125"})
	if _, ok := codes(r)["decimal_mark_assumed"]; ok {
		t.Errorf("a number of JSON is doubted: %v", codes(r))
	}
}

func TestDatesWithPointsAndDayNumbersAreDates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ dates, stored, finding string }{
		"points":      {"31.03.2026;01.04.2026", "2026-03-31 2026-04-01", ""},
		"day numbers": {"46112;46113.5", "2026-03-31 2026-04-01", "day_numbers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			text := "invoice_id;client_name;amount;date\n"
			for i, d := range strings.Split(c.dates, ";") {
				text += fmt.Sprintf("I%d;Harbor;1.50;%s\n", i, d)
			}
			r := x.load(t, "invoices.csv", text)
			want(t, "dates", strings.Join(x.rows(t, "SELECT invoice_date FROM invoices ORDER BY 1", "invoices"), " "), c.stored)
			for _, u := range r.Columns {
				if u.Source == "date" && (u.Confidence < 0.9 || !slices.Contains(u.Evidence, "all of the values are dates")) {
					t.Errorf("got %v %v, want dates without doubt", u.Confidence, u.Evidence)
				}
			}
			if _, ok := codes(r)["doubtful_column"]; ok {
				t.Errorf("got findings %v", codes(r))
			}
			if _, ok := codes(r)["day_numbers"]; ok != (c.finding != "") {
				t.Errorf("got findings %v, want %q", codes(r), c.finding)
			}
		})
	}
}

func TestOnlyUnreadableAndIncompleteRowsAreRejected(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "time.csv", "id,staff_name,client_name,date,hours,rate,billable\n"+
		"1,Dana,Harbor,2026-03-01,1,80,Yes\n"+
		"2,Dana,Harbor,,1,80,Yes\n"+ // no date
		"3,Dana,Harbor,soon,x,80,Yes\n"+ // two wrong cells, one reject
		"4,Dana,Harbor,2026-03-01,N/A,80,Yes\n"+ // no hours
		"5,Dana,Harbor,2026-03-01,1,lots,Yes\n"+
		"6,Dana,,2026-03-01,1,80,Perhaps\n"+ // no client, unknown word
		"7,,Harbor,2026-03-02,30,80,No\n"+ // nobody, too long
		"8,Dana,Harbor,2027-01-01,-1,0,Yes\n"+ // reversal in the future
		"Total,,,,37,,\n")
	want(t, "counts", counts(r), "9 4 0 0 5")
	var got []string
	for _, j := range r.Rejects {
		got = append(got, fmt.Sprintf("%d %s %q %s", j.Line, j.Column, j.Value, j.Code))
		if j.Message == "" || j.Suggestion == "" {
			t.Errorf("line %d: no message or suggestion", j.Line)
		}
	}
	want(t, "rejects", got, []string{`3 date "" required_missing`, `4 date "soon" date_unparsable`, `5 hours "" required_missing`, `6 rate "lots" amount_unparsable`, `10 date "" total_row`})
	c := codes(r)
	for code, n := range map[string]int64{"no_client_reference": 1, "unknown_word": 1, "hours_gt_24_entry": 1, "negative_hours": 1, "future_date": 1, "zero_rate": 1, "no_staff_reference": 1, "billable_missing": 1, "rate_taken_as_cost": 9} {
		if c[code] != n {
			t.Errorf("finding %s: got %d, want %d", code, c[code], n)
		}
	}
	want(t, "an unknown word is unknown, not yes", x.rows(t, "SELECT billable FROM time_entries WHERE source_id = '6'", "time_entries"), []string{"<nil>"})
	if r.Quality.Score <= 0 || r.Quality.Score >= 0.9 {
		t.Errorf("got score %v for a file with five bad rows of nine", r.Quality.Score)
	}
}

func TestATotalInTheColumnOfDatesAndADayThatDoesNotExist(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "time.csv", "date,staff_name,client_name,hours\n03/31/2026,Dana,Harbor,1\n03/32/2026,Dana,Harbor,1\n31/03/2026,Dana,Harbor,1\n04/01/2026,Dana,Harbor,1\n"+
		strings.Repeat("03/30/2026,Dana,Harbor,1\n", 30)+"Grand Total,,,34\nSumme,,,34\nSummer,Dana,Harbor,1\n")
	var got []string
	for _, j := range r.Rejects {
		got = append(got, fmt.Sprintf("%q %s", j.Value, j.Code))
	}
	want(t, "rejects", got, []string{`"03/32/2026" date_unparsable`, `"31/03/2026" mixed_date_order`, `"Grand Total" total_row`, `"Summe" total_row`, `"Summer" date_unparsable`})
}

func TestMinutesUnderAHeaderThatSaysSoAreHours(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "time.csv", "staff_name,client_name,date,Duration (min)\nDana,Harbor,2026-03-01,90\n")
	want(t, "hours", x.rows(t, "SELECT hours_worked FROM time_entries", "time_entries"), []string{"1.5"})
}

func TestTheUnitOfWorkIsToldByStartAndEndOrAskedFor(t *testing.T) {
	t.Parallel()
	const head, short = "staff_name,client_name,date,started_at,ended_at,duration\n", "staff_name,client_name,date,duration\n"
	file := func(head string, values ...string) string {
		text := head
		for i, v := range values {
			start := fmt.Sprintf("2026-03-%02d", i+1)
			if head != "staff_name,client_name,date,started_at,ended_at,duration\n" {
				text += fmt.Sprintf("Dana,Harbor,%s,%s\n", start, v)
			} else {
				text += fmt.Sprintf("Dana,Harbor,%[1]s,%[1]sT09:00:00Z,%[1]sT10:30:00Z,%[2]s\n", start, v)
			}
		}
		return text
	}
	for name, text := range map[string]string{"seconds": file(head, "5400", "5400", "5400"), "minutes": file(head, "90", "90", "90.5")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			r := x.load(t, "time.csv", text)
			want(t, "hours", x.rows(t, "SELECT round(min(hours_worked), 1) FROM time_entries", "time_entries"), []string{"1.5"})
			for _, code := range []string{"doubtful_column", "hours_gt_24_entry", "hours_ne_times"} {
				if n := codes(r)[code]; n > 0 {
					t.Errorf("got %s, want no doubt", code)
				}
			}
		})
	}
	for name, text := range map[string]string{"no times": file(short, "90", "45", "30"), "times that say otherwise": file(head, "200", "300", "400")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			x.fails(t, "time.csv", text, "too many for hours of one entry: say what they are", dataset.ImportRequest{})
			r := x.load(t, "time.csv", text, mapped("units: {duration: minutes}"))
			want(t, "rows", r.RowsAdded, int64(3))
		})
	}
	for name, text := range map[string]string{"a few long entries": file(short, "90", "1.5", "2"), "a header that says hours": file(timeHeader, "90", "45", "30")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want(t, "rows", newWorld(t).load(t, "time.csv", text).RowsAdded, int64(3))
		})
	}
}

func TestNonBillableHeadersAreInverted(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "time.csv", "staff_name,client_name,date,hours,Non-Billable\nDana,A,2026-03-01,1,Yes\nDana,B,2026-03-01,1,No\n")
	want(t, "billable", x.rows(t, "SELECT client_key, billable FROM time_entries ORDER BY 1", "time_entries"), []string{"A|false", "B|true"})
}

func TestRowsWithAnIdAreUpdatedAndContradictionsRejected(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	head := "Time RecID,Member,Company,Date,Actual Hours,Notes\n"
	x.load(t, "time.csv", head+"1,Dana,Harbor,2026-03-01,1,a\n2,Dana,Harbor,2026-03-01,2,b\n")
	r := x.load(t, "time.csv", head+"1,Dana,Harbor,2026-03-01,1,a\n2,Dana,Harbor,2026-03-01,2.5,b\n3,Dana,Harbor,2026-03-02,3,c\n3,Dana,Harbor,2026-03-02,3,c\n3,Dana,Harbor,2026-03-02,4,c\n")
	want(t, "counts", counts(r), "5 1 1 2 1")
	want(t, "reject", []any{r.Rejects[0].Line, r.Rejects[0].Column, r.Rejects[0].Value, r.Rejects[0].Code}, []any{int64(6), "Time RecID", "3", "dup_natural_key"})
	want(t, "stored", x.rows(t, "SELECT source_id, hours_worked FROM time_entries ORDER BY 1", "time_entries"), []string{"1|1", "2|2.5", "3|3"})
	r = x.load(t, "time.csv", head+"1,Dana,Harbor,2026-03-01,1,changed\n")
	want(t, "a changed note is an update", counts(r), "1 0 1 0 0")
}

func TestRowsWithoutAnIdAreKeptAndOverlapIsReported(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "time.csv", timeHeader+"Dana,Harbor,2026-03-01,1\nDana,Harbor,2026-03-01,1.00\nDana,Harbor,2026-03-02,1\n")
	want(t, "counts", counts(r), "3 3 0 0 0")
	want(t, "possible duplicates", codes(r)["possible_duplicates"], int64(1))
	r = x.load(t, "time.csv", timeHeader+"Dana,Harbor,2026-03-01,1\nDana,Harbor,2026-03-01,1\nDana,Harbor,2026-03-01,1\nDana,Harbor,2026-03-02,7\n")
	want(t, "a third equal row is new, the others are known", counts(r), "4 2 0 2 0")
	want(t, "overlap: two known, two new", codes(r)["possible_overlap"], int64(4))
}

func TestAFileMayReplaceItsPeriodOrItsTable(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	head := "staff_name,client_name,date,hours,notes\n"
	x.load(t, "time.csv", head+"Dana,Harbor,2026-02-28,4,feb\nDana,Harbor,2026-03-01,1,a\nDana,Harbor,2026-03-02,1,b\nDana,Bay,2026-03-09,2,c\nDana,Bay,2026-03-20,3,later\n")
	x.load(t, "psa.csv", head+"Sam,Harbor,2026-03-02,9,other source\n", dataset.ImportRequest{SourceSystem: "psa"})
	corrected := head + "Dana,Harbor,2026-03-01,1,a\nDana,Harbor,2026-03-02,1.5,b\nDana,Bay,2026-03-10,2,c\n"
	dry := x.load(t, "time.csv", corrected, dataset.ImportRequest{Replace: dataset.ReplacePeriod, DryRun: true})
	r := x.load(t, "time.csv", corrected, dataset.ImportRequest{Replace: dataset.ReplacePeriod})
	want(t, "counts", counts(r), "3 2 0 1 0")
	want(t, "a dry run counts the same", counts(dry), counts(r))
	want(t, "deleted", []int64{dry.RowsDeleted, r.RowsDeleted}, []int64{2, 2})
	want(t, "no overlap", codes(r)["possible_overlap"], int64(0))
	stored := func() []string {
		return x.rows(t, "SELECT t.work_date, t.hours_worked, p.notes FROM time_entries t JOIN time_entries_private p USING (row_id) ORDER BY 1, 2", "time_entries", "time_entries_private")
	}
	want(t, "stored", stored(), []string{"2026-02-28|4|feb", "2026-03-01|1|a", "2026-03-02|1.5|b", "2026-03-02|9|other source", "2026-03-10|2|c", "2026-03-20|3|later"})
	want(t, "notes of deleted rows are gone", x.rows(t, "SELECT count(*) FROM time_entries_private", "time_entries_private"), []string{"6"})
	again := x.load(t, "time.csv", corrected, dataset.ImportRequest{Replace: dataset.ReplacePeriod})
	want(t, "again", []any{counts(again), again.RowsDeleted, again.Snapshot}, []any{"3 0 0 3 0", int64(0), r.Snapshot})

	r = x.load(t, "table.csv", head+"Dana,Bay,2026-03-20,3,later\n", dataset.ImportRequest{Dataset: "time_entries", Replace: dataset.ReplaceTable})
	want(t, "table", []any{counts(r), r.RowsDeleted}, []any{"1 0 0 1 0", int64(4)})
	want(t, "stored", stored(), []string{"2026-03-02|9|other source", "2026-03-20|3|later"})

	// A file without a notes column deletes the notes of what goes, and no others.
	y := newWorld(t)
	y.load(t, "ids.csv", "id,"+head+"1,Dana,Harbor,2026-03-01,1,a\n2,Dana,Harbor,2026-03-02,1,b\n")
	r = y.load(t, "ids.csv", "id,staff_name,client_name,date,hours\n1,Dana,Harbor,2026-03-01,1\n", dataset.ImportRequest{Replace: dataset.ReplaceTable})
	want(t, "by id", []any{counts(r), r.RowsDeleted}, []any{"1 0 0 1 0", int64(1)})
	want(t, "notes", y.rows(t, "SELECT notes FROM time_entries_private", "time_entries_private"), []string{"a"})

	// The history of an entity that the file holds is no absence.
	x.load(t, "clients.csv", "client_name,status,valid_from\nHarbor,active,2025-01-01\nHarbor,former,2026-01-01\nBay,active,2025-01-01\n")
	r = x.load(t, "clients.csv", "client_name,status,valid_from\nHarbor,former,2026-01-01\n", dataset.ImportRequest{Replace: dataset.ReplaceTable})
	want(t, "clients deleted", r.RowsDeleted, int64(1))
	want(t, "clients", x.rows(t, "SELECT client_key, status FROM clients ORDER BY valid_from", "clients"), []string{"Harbor|active", "Harbor|former"})

	before := x.rows(t, "SELECT count(*) FROM time_entries", "time_entries")
	x.fails(t, "time.csv", head+"Dana,Harbor,2026-03-01,1,a\nDana,Harbor,2026-03-02,nope,b\n", "1 row of time.csv cannot be stored", dataset.ImportRequest{Replace: dataset.ReplacePeriod})
	x.fails(t, "clients.csv", "client_name\nHarbor\n", "no period can be replaced", dataset.ImportRequest{Replace: dataset.ReplacePeriod})
	x.fails(t, "clients.csv", "client_name\nHarbor\n", "is not a way to replace", dataset.ImportRequest{Replace: "all"})
	want(t, "nothing changed", x.rows(t, "SELECT count(*) FROM time_entries", "time_entries"), before)
}

func TestAFileThatLooksLikeAMistakeReplacesNothing(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	head := "id,staff_name,client_name,date,hours\n"
	x.load(t, "time.csv", head+"1,Dana,Harbor,2026-02-10,1\n2,Dana,Harbor,2026-03-01,1\n3,Dana,Harbor,2026-04-01,1\n4,Dana,Bay,2026-05-01,1\n5,Dana,Bay,2026-06-01,1\n")
	x.load(t, "psa.csv", head+"1,Sam,Harbor,2026-04-02,9\n", dataset.ImportRequest{SourceSystem: "psa"})
	before := x.rows(t, "SELECT count(*) FROM time_entries", "time_entries")
	for _, dry := range []bool{true, false} {
		x.fails(t, "time.csv", head, "holds no row", dataset.ImportRequest{Dataset: "time_entries", Replace: dataset.ReplaceTable, DryRun: dry})
		x.fails(t, "time.csv", head, "holds no row", dataset.ImportRequest{Dataset: "time_entries", Replace: dataset.ReplacePeriod, DryRun: dry})
		x.fails(t, "time.csv", head+"2,Dana,Harbor,2026-03-01,2\n9,Dana,Harbor,2026-06-01,2\n", "no row of 2026-04, 2026-05, where 2 stored rows would be deleted",
			dataset.ImportRequest{Replace: dataset.ReplacePeriod, DryRun: dry})
	}
	want(t, "nothing changed", x.rows(t, "SELECT count(*) FROM time_entries", "time_entries"), before)

	// A row that only moves to another month is not deleted.
	r := x.load(t, "time.csv", head+"2,Dana,Harbor,2026-03-01,2\n3,Dana,Harbor,2026-05-02,1\n4,Dana,Bay,2026-05-01,1\n", dataset.ImportRequest{Replace: dataset.ReplacePeriod})
	want(t, "a moved row", []any{counts(r), r.RowsDeleted}, []any{"3 0 2 1 0", int64(0)})
	// Months of which only another source has rows are not in the way.
	r = x.load(t, "time.csv", head+"2,Dana,Harbor,2026-03-01,3\n4,Dana,Bay,2026-05-01,1\n", dataset.ImportRequest{Replace: dataset.ReplacePeriod})
	want(t, "another source", []any{counts(r), r.RowsDeleted}, []any{"2 0 1 1 0", int64(0)})
}

func TestNumbersThatCannotBeRightAreRejected(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	rejects := func(r dataset.ImportResult) []string {
		var out []string
		for _, rej := range r.Rejects {
			out = append(out, fmt.Sprintf("%d %s %s %s", rej.Record, rej.Value, rej.Code, rej.Message))
		}
		return out
	}
	r := x.load(t, "exchange_rates.csv", "date,from_currency,to_currency,rate\n2026-03-01,EUR,USD,1.0834\n2026-03-02,EUR,USD,0\n2026-03-03,EUR,USD,-1.1\n2026-03-01,IDR,USD,0.0000641\n2026-03-01,KRW,USD,0.00068\n2026-03-01,VND,USD,0.0000001\n2026-03-01,USD,IDR,15600\n2026-03-04,EUR,USD,0.0006805\n")
	want(t, "rates", rejects(r), []string{"2 0 rate_not_positive is not above 0", "3 -1.1 rate_not_positive is not above 0", "4 0.0000641 rate_too_small has more decimals than the six that are kept", "6 0.0000001 rate_too_small has more decimals than the six that are kept"})
	r = x.load(t, "licenses.csv", "client_name,product_name,seats_purchased,seats_used,unit_cost\nHarbor,M365,50,40,22\nHarbor,E5,2000000000,1,1\nBay,M365,900000000,1,5000\nBay,E5,10,900000000,99999999\nBay,F1,1000000,1,900000\n")
	want(t, "licenses", rejects(r), []string{"2 2000000000 number_too_large is 1000000000 or more", "3 900000000 amount_too_large times unit_cost is 1000000000000 or more", "4 900000000 amount_too_large times unit_cost is 1000000000000 or more"})
	want(t, "stored", x.rows(t, "SELECT count(*) FROM licenses", "licenses"), []string{"2"})
}

func TestUnknownColumnsAreKeptAsAttributes(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "time.csv", "staff_name,client_name,date,hours,Shoe size,Shoe size,\"Odd \"\"name\"\"\"\nDana,A,2026-03-01,1,44,,\"x\"\"y\"\nDana,B,2026-03-01,1,,,\n")
	want(t, "attributes", x.rows(t, "SELECT attributes FROM time_entries ORDER BY record", "time_entries"), []string{`{"Shoe size":"44","Odd \"name\"":"x\"y"}`, "<nil>"})
}

func TestEffectiveRowsBeginWhenTheyChange(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "staff.csv", "staff_name,cost_rate\nDana,50\nSam,40\n")
	r := x.load(t, "staff.csv", "staff_name,cost_rate\nDana,55\nSam,40\n")
	want(t, "rows read and unchanged", []int64{r.RowsRead, r.RowsUnchanged, r.RowsAdded + r.RowsUpdated}, []int64{2, 1, 1})
	x.load(t, "staff.csv", "staff_name,cost_rate,valid_from\nSam,38,2026-01-01\n")
	want(t, "rates", x.rows(t, "SELECT name, cost_rate, valid_from FROM staff JOIN people ON person_key = staff_key ORDER BY 1, valid_from NULLS FIRST", "staff", "people"),
		[]string{"Dana|50|<nil>", "Dana|55|2026-06-30", "Sam|40|<nil>", "Sam|38|2026-01-01"})
}

func TestClientsKeepTheirContactsApart(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	text := "name,industry,contact_email,contact_phone,is_active\nHarbor,Healthcare,lee@harbor.example,555-0100,True\nBay,Retail,,,False\n"
	x.load(t, "clients.csv", text)
	want(t, "again", counts(x.load(t, "clients.csv", text)), "2 0 0 2 0")
	want(t, "clients", x.rows(t, "SELECT client_key, status, c.source_id, contact_email FROM clients c LEFT JOIN clients_private p ON p.source_id = c.source_id ORDER BY 1", "clients", "clients_private"),
		[]string{"Bay|inactive|Bay|<nil>", "Harbor|active|Harbor|lee@harbor.example"})
	r := x.load(t, "clients.csv", strings.Replace(text, "555-0100", "555-0199", 1))
	want(t, "a new phone is an update of the side table", counts(r), "2 0 1 1 0")
	r = x.load(t, "clients.csv", "client_name,status\nHarbor,active\nHarbor,active\nHarbor,former\n,active\n")
	want(t, "one entity, one row", []any{r.RowsRead, r.RowsUnchanged, r.RowsRejected}, []any{int64(4), r.RowsUnchanged, int64(2)})
	want(t, "reasons", []string{r.Rejects[0].Code, r.Rejects[1].Code}, []string{"dup_natural_key", "required_missing"})
}

func TestClientIdsMeanTheClientsTheyBelongTo(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "time.csv", "staff_name,client_id,date,hours\nDana,007,2026-03-01,1\nDana,8,2026-03-01,1\n")
	want(t, "keys", x.rows(t, "SELECT client_key FROM time_entries ORDER BY 1", "time_entries"), []string{"id:007", "id:8"})
	r := x.load(t, "clients.csv", "client_id,client_name\n007,Harbor Dental\n9,Bay\n")
	want(t, "counts", counts(r), "2 2 0 0 0")
	want(t, "alias", x.rows(t, "SELECT key, canonical FROM aliases", "aliases"), []string{"id:007|Harbor Dental"})
	r = x.load(t, "clients.csv", "client_id,client_name\n007,Harbor Dental\n9,Bay\n")
	want(t, "again", counts(r), "2 0 0 2 0")
	r = x.load(t, "time2.csv", timeHeader+"Dana,harbor  dental.,2026-03-05,1\nDana,Unheard Of,2026-03-05,1\n")
	want(t, "counts with an alias", counts(r), "2 2 0 0 0")
	want(t, "unknown", codes(r)["unknown_client"], int64(1))
}

func TestTheMappingDecidesColumnsAndConstants(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "export.csv", "Wer,Kunde,Wann,Wie lange,rate\nDana,Harbor,2026-03-01,1.5,99\n", mapped(`
dataset: time_entries
columns: {Wer: staff_name, Kunde: client_name, Wann: work_date, Wie lange: hours_worked, rate: ""}
constants: {currency: eur, billable: "no", bill_rate: "100.50"}
options: {source_system: timetool}
`))
	want(t, "counts", counts(r), "1 1 0 0 0")
	want(t, "row", x.rows(t, "SELECT client_key, hours_worked, currency, billable, bill_rate, source_system, attributes FROM time_entries", "time_entries"), []string{"Harbor|1.5|EUR|false|100.5|timetool|<nil>"})
	for _, c := range []struct{ name, yaml, says string }{
		{"unknown key", "datasets: x", "mapping file cannot be read"},
		{"unknown dataset", "dataset: nope", "mapping file has wrong values"},
		{"unknown field", "dataset: time_entries\ncolumns: {Wer: nobody}", "a field that time entries do not have"},
		{"unknown column", "dataset: time_entries\ncolumns: {Missing: notes}", `"Missing"`},
		{"bad option", "options: {date_order: xyz}", "wrong values"},
		{"bad constant", "dataset: time_entries\nconstants: {work_date: never}", "constant work_date"},
	} {
		x.fails(t, "export.csv", "Wer,staff_name,client_name,date,hours\na,Dana,Harbor,2026-03-01,1\n", c.says, mapped(c.yaml))
	}
	x.fails(t, "x.csv", "a,b\n1,2\n", "no dataset nope", dataset.ImportRequest{Dataset: "nope"})
}

func TestADryRunCountsTheSameAndStoresNothing(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "clients.csv", "client_name,status,email\nHarbor,active,a@b.example\nBay,active,\n")
	x.load(t, "time.csv", "id,staff_name,client_name,date,hours,notes\n1,Dana,Harbor,2026-03-01,1,x\n2,Dana,Harbor,2026-03-01,2,y\n")
	before, err := x.w.Current(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"time.csv":    "id,staff_name,client_name,date,hours,notes\n1,Dana,Harbor,2026-03-01,1,x\n2,Dana,Harbor,2026-03-01,2,changed\n3,Sam,Harbor,2026-03-01,2,y\n4,Sam,Harbor,nope,2,y\n",
		"clients.csv": "client_name,status,email\nHarbor,active,a@b.example\nBay,former,\nNew,active,\n",
	} {
		dry := x.load(t, name, text, dataset.ImportRequest{DryRun: true})
		now, err := x.w.Current(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		want(t, name+": snapshot", now, before)
		want(t, name+": import id", dry.ImportID, int64(0))
		real := x.load(t, name, text)
		want(t, name+": counts", counts(dry), counts(real))
		want(t, name+": rejects", len(dry.Rejects), len(real.Rejects))
		want(t, name+": score", dry.Quality.Score, real.Quality.Score)
		before = real.Snapshot
	}
}

func TestImportsAreRecordedWithTheirAuditEventAndJob(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	a := x.load(t, "time.csv", timeHeader+"Dana,Harbor,2026-03-01,1\nDana,Harbor,bad,1\n")
	x.load(t, "time.csv", timeHeader+"Dana,Harbor,2026-03-01,1\n")
	list, err := x.Imports(t.Context(), acme, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "statuses", []string{list[0].Status, list[1].Status}, []string{"unchanged", "committed"})
	want(t, "recorded", counts(list[1].Result), counts(a))
	want(t, "snapshot", list[1].Result.Snapshot, a.Snapshot)
	want(t, "jobs", x.jobs.kinds, []string{dataset.JobAfterImport})
	older, err := x.Imports(t.Context(), acme, 10, list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "before an id", len(older), 1)
	other := acme
	other.Tenant = "other"
	if _, err := x.Record(t.Context(), other, a.ImportID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another tenant's import: got %v, want not found", err)
	}
	if _, err := x.Rejects(t.Context(), other, a.ImportID, 0, 10); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another tenant's rejects: got %v, want not found", err)
	}
}

func TestTemplatesImportAsTheyStand(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	for _, d := range dataset.Datasets() {
		text, err := dataset.Template(d.Name)
		if err != nil {
			t.Fatal(err)
		}
		r := x.load(t, d.Name+".csv", string(text))
		want(t, d.Name, []any{r.Dataset, r.RowsRead, r.RowsRejected}, []any{d.Name, int64(2), int64(0)})
		if r.RowsAdded != 2 {
			t.Errorf("%s: got %s, want two new rows", d.Name, counts(r))
		}
	}
	if _, err := dataset.Template("nope"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v, want an invalid fault", err)
	}
}

func TestAClientStaysOneWhenIdsComeLater(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "clients.csv", "client_name,status\nHarbor,active\nBay,active\n")
	r := x.load(t, "clients.csv", "client_id,client_name,status\n1,Harbor,active\n2,Bay,active\n3,New,active\n")
	want(t, "rejected", r.RowsRejected, int64(0))
	const one = "SELECT client_key, count(DISTINCT source_id) FROM clients GROUP BY 1 ORDER BY 1"
	want(t, "one entity each", x.rows(t, one, "clients"), []string{"Bay|1", "Harbor|1", "New|1"})
	x.load(t, "clients.csv", "client_name,status\nHarbor,active\nNew,active\n")
	want(t, "still one each", x.rows(t, one, "clients"), []string{"Bay|1", "Harbor|1", "New|1"})
	x.load(t, "clients.csv", "client_id,client_name,status\n3,Renamed,active\n")
	want(t, "a rename keeps the id", x.rows(t, "SELECT DISTINCT source_id FROM clients WHERE client_key IN ('New', 'Renamed')", "clients"), []string{"3"})
}

func TestJoinedLicensesOfAUserAreSeveralAssignments(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	text := "User principal name,Display name,First name,Block credential,Licenses,When created\nanna@contoso.com,Anna Admin,Anna,False,Microsoft 365 E3,2023-01-01\nbob@contoso.com,Bob Blocked,Bob,True,Office 365 E1+Power BI Pro,2023-01-02\n"
	r := x.load(t, "users.csv", text, mapped("constants: {client_name: Contoso}"))
	want(t, "counts", []string{r.Dataset, counts(r)}, []string{"license_assignments", "2 2 0 0 0"})
	want(t, "seats", x.rows(t, "SELECT client_key, product_name, user_enabled, name, email FROM license_assignments JOIN people USING (person_key) ORDER BY 2", "license_assignments", "people"),
		[]string{"Contoso|Microsoft 365 E3|true|Anna Admin|anna@contoso.com", "Contoso|Office 365 E1|false|Bob Blocked|bob@contoso.com", "Contoso|Power BI Pro|false|Bob Blocked|bob@contoso.com"})
	want(t, "again", counts(x.load(t, "users.csv", text, mapped("constants: {client_name: Contoso}"))), "2 0 0 2 0")
	r = x.load(t, "users.csv", "UPN,Licenses,Block credential\na@b.example,A+B,False\na@b.example,B,False\na@b.example,B+C,True\na@b.example,A+B,False\n")
	want(t, "repeats and contradictions", counts(r), "4 1 0 2 1")
}

func TestIdsThatASpreadsheetRoundedAndRowsEnteredTwiceAreReported(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "payments.csv", "payment_id,client_name,payment_date,amount,invoice_number\n1,A,2026-03-01,5,1.23E+11\n2,A,2026-03-01,5,1.23E+11\n3,A,2026-03-02,5,7\n")
	want(t, "counts", counts(r), "3 3 0 0 0")
	want(t, "rounded", codes(r)["damaged_id"], int64(2))
	want(t, "twice", codes(r)["dup_content_other_key"], int64(1))
}

func TestManyRejectsAreAllKept(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	var b strings.Builder
	b.WriteString(timeHeader)
	for i := range 10_500 {
		fmt.Fprintf(&b, "Dana,Harbor,day %d,1\n", i)
	}
	b.WriteString("Dana,Harbor,2026-03-01,1\n")
	r := x.load(t, "time.csv", b.String())
	want(t, "counts", counts(r), "10501 1 0 0 10500")
	want(t, "listed", len(r.Rejects), 10_000)
	kept, after := 0, int64(0)
	for {
		page, err := x.Rejects(t.Context(), acme, r.ImportID, after, 4000)
		if err != nil {
			t.Fatal(err)
		}
		kept += len(page.Rejects)
		if after = page.Next; after == 0 {
			want(t, "last", page.Rejects[len(page.Rejects)-1].Row, "Dana,Harbor,day 10499,1")
			break
		}
	}
	want(t, "kept", kept, 10_500)
}

func TestACanceledImportStoresNothingAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	text := timeHeader + strings.Repeat("Dana,Harbor,2026-03-01,1\n", 2000)
	for _, phase := range []string{"reading", "checking", "storing"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := x.Import(ctx, acme, dataset.ImportRequest{Name: "time.csv", Reader: strings.NewReader(text), Progress: func(p string, _, _ int64) {
			if p == phase {
				cancel()
			}
		}})
		if fault.KindOf(err) != fault.Canceled {
			t.Errorf("canceled while %s: got %v, want a canceled fault", phase, err)
		}
	}
	tables, err := x.w.Tables(t.Context(), acme, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table.Rows != 0 {
			t.Errorf("%s holds %d rows of a canceled import", table.Name, table.Rows)
		}
	}
	list, err := x.Imports(t.Context(), acme, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "imports", len(list), 0)
	s, err := x.w.NewSession(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := s.Query(t.Context(), "SELECT count(*) FROM duckdb_tables() WHERE temporary AND table_name LIKE 'ds%'")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "temporary tables", rows.Rows[0][0], any(int64(0)))
	want(t, "and then it works", counts(x.load(t, "time.csv", text)), "2000 2000 0 0 0")
}

func TestTextThatPostgreSQLCannotHoldIsImported(t *testing.T) {
	t.Parallel()
	for _, engine := range []metadb.Engine{metadb.SQLite, metadb.Postgres} {
		x := newWorldOn(t, engine, warehouse.Options{})
		r := x.load(t, "ti\x00me.csv", timeHeader+"Dana,Har\x00bor,2026-03-01,1\nDana,Bay,2026-03-01,no\x00pe\n")
		want(t, "counts", counts(r), "2 1 0 0 1")
		want(t, "stored", x.rows(t, "SELECT client_key, hours_worked FROM time_entries", "time_entries"), []string{"Harbor|1"})
		if len(r.Findings) == 0 {
			t.Error("that bytes were left out is not reported")
		}
		page, err := x.Rejects(t.Context(), acme, r.ImportID, 0, 10)
		if err != nil || len(page.Rejects) != 1 || page.Rejects[0].Value != "nope" {
			t.Errorf("rejects: %+v %v", page, err)
		}
	}
}
