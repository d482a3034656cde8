package dataset_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

// about lists the records that a finding names.
func about(r dataset.ImportResult, code string) string {
	for _, f := range r.Findings {
		if f.Code == code {
			return fmt.Sprintf("%d: %v", f.Count, f.Records)
		}
	}
	return ""
}

const clockSQL = "SELECT started_at, ended_at FROM time_entries ORDER BY record"

func TestStartAndEndOfWorkAreReadFromTheColumnsOfTimeTrackers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, times string }{
		{"Toggl", "User,Client,Start date,Start time,End date,End time,Duration\nDana,Harbor,2026-03-04,09:15:00,2026-03-04,10:45:00,01:30:00\nDana,Harbor,2026-03-04,23:00:00,2026-03-05,01:00:00,02:00:00\n",
			"2026-03-04 09:15:00|2026-03-04 10:45:00 2026-03-04 23:00:00|2026-03-05 01:00:00"},
		{"Clockify, day first, 12 hours", "User,Client,Start Date,Start Time,End Date,End Time,Duration (decimal)\nDana,Harbor,13/03/2026,09:15 AM,13/03/2026,12:45 PM,3.5\nDana,Harbor,04/03/2026,01:00 PM,04/03/2026,02:00 PM,1\n",
			"2026-03-13 09:15:00|2026-03-13 12:45:00 2026-03-04 13:00:00|2026-03-04 14:00:00"},
		{"a date and two times, over midnight", "Staff,Client,Date,Start,End,Hours\nDana,Harbor,2026-03-04,22:00,01:00,3\nDana,Harbor,2026-03-05,9:00,9:30,0.5\n",
			"2026-03-04 22:00:00|2026-03-05 01:00:00 2026-03-05 09:00:00|2026-03-05 09:30:00"},
		{"instants", "Resource,Account Name,Start Time,End Time,Time Spent,Timesheet Date\nDana,Harbor,2026-03-04 09:15,2026-03-04 10:15,1,2026-03-04\n",
			"2026-03-04 09:15:00|2026-03-04 10:15:00"},
		{"no start at all", "staff_name,client_name,date,hours\nDana,Harbor,2026-03-04,1\n", "<nil>|<nil>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newWorld(t)
			r := x.load(t, "time.csv", c.text, dataset.ImportRequest{Dataset: "time_entries"})
			want(t, "rejected", r.RowsRejected, int64(0))
			want(t, "times", strings.Join(x.rows(t, clockSQL, "time_entries"), " "), c.times)
			for _, code := range []string{"end_before_start", "hours_ne_times", "overlapping_entries", "time_unparsable"} {
				want(t, code, about(r, code), "")
			}
		})
	}
}

func TestATimeThatCannotBeReadCostsNoRow(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "time.csv", "staff_name,client_name,date,started_at,ended_at,hours\nDana,A,2026-03-04,2026-03-04 09:00,2026-03-04 10:00,1\nDana,A,2026-03-05,2026-03-05 09:00,running,1\n")
	want(t, "counts", counts(r), "2 2 0 0 0")
	want(t, "told", about(r, "time_unparsable"), "1: [2]")
}

func TestTimesOfAPersonAreCheckedAgainstEachOther(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	head := "id,staff_name,client_name,date,started_at,ended_at,hours\n"
	row := func(id int, who, from, to, hours string) string {
		return fmt.Sprintf("%d,%s,A,2026-03-04,2026-03-04 %s,2026-03-04 %s,%s\n", id, who, from, to, hours)
	}
	r := x.load(t, "time.csv", head+row(1, "Dana", "09:00", "10:00", "1")+row(2, "Dana", "10:00", "11:00", "1")+row(3, "Dana", "10:30", "11:30", "1")+row(4, "Sam", "10:00", "12:00", "1.5")+
		row(5, "Sam", "14:00", "13:00", "1")+row(6, "Sam", "15:00", "16:00", "10")+row(7, "Kim", "08:00", "16:00", "1")+row(8, "Lee", "08:00", "08:10", "0.25"))
	want(t, "overlapping", about(r, "overlapping_entries"), "2: [2 3]")
	want(t, "end before start", about(r, "end_before_start"), "1: [5]")
	want(t, "hours and times", about(r, "hours_ne_times"), "2: [6 7]")
	r = x.load(t, "more.csv", head+row(9, "Sam", "11:00", "11:30", "0.5")+row(10, "Dana", "12:00", "13:00", "1"))
	want(t, "overlapping with what is stored", about(r, "overlapping_entries"), "1: [1]")
	want(t, "leave a row out", fix(t, r, "overlapping_entries", "Leave row 1 out").Scope, "one")
	want(t, "the same again", about(x.load(t, "more.csv", head+row(10, "Dana", "12:00", "13:00", "1")), "overlapping_entries"), "")
}

func TestADayOver24HoursIsFoundAcrossFiles(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	head := "id,staff_name,client_name,date,hours\n"
	want(t, "one file", about(x.load(t, "a.csv", head+"1,Dana,A,2026-03-04,14\n2,Sam,A,2026-03-04,14\n"), "staff_day_gt_24h"), "")
	want(t, "with the other", about(x.load(t, "b.csv", head+"3,Dana,B,2026-03-04,11\n4,Sam,B,2026-03-05,11\n"), "staff_day_gt_24h"), "1: [1]")
	want(t, "a corrected row counts once", about(x.load(t, "c.csv", head+"1,Dana,A,2026-03-04,12\n"), "staff_day_gt_24h"), "")
}

func TestPaymentsOfMoreThanTheInvoiceAreFound(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "invoices.csv", "invoice_number,client_name,date,subtotal,tax,total\n1,Harbor,2026-03-01,100,8,108\n2,Harbor,2026-03-01,50,4,54\n2,Bay,2026-03-01,500,0,500\n")
	head := "payment_id,invoice_number,client_name,payment_date,amount\n"
	r := x.load(t, "payments.csv", head+"P1,1,Harbor,2026-03-10,100\nP2,2,Bay,2026-03-10,500\nP3,2,Harbor,2026-03-10,60\n")
	want(t, "over", about(r, "payment_gt_invoice"), "1: [3]")
	r = x.load(t, "payments2.csv", head+"P4,1,,2026-03-12,8\n")
	want(t, "exactly paid", about(r, "payment_gt_invoice"), "")
	r = x.load(t, "payments3.csv", head+"P5,1,Harbor,2026-03-12,0.5\n")
	want(t, "with those of other files", about(r, "payment_gt_invoice"), "1: [1]")
}

func TestOverDeploymentIsStoredAndTold(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "licenses.csv", "client_name,product_name,seats_purchased,seats_used,unit_cost\nHarbor,M365,10,12,22\nBay,M365,10,10,22\n")
	want(t, "told", about(r, "used_gt_purchased"), "1: [1]")
	want(t, "stored as it is", x.rows(t, "SELECT seats_purchased, seats_used FROM licenses ORDER BY record", "licenses"), []string{"10|12", "10|10"})
}

func TestTimesWhoseDayCannotBeToldAreNoReasonToAsk(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r := x.load(t, "time.csv", "staff_name,client_name,date,Start Time,End Time,hours\nDana,A,2026-03-04,03/04/2026 09:00,03/04/2026 10:00,1\n")
	want(t, "counts", counts(r), "1 1 0 0 0")
	want(t, "told", about(r, "time_unparsable"), "1: [1]")
	want(t, "unknown", x.rows(t, clockSQL, "time_entries"), []string{"<nil>|<nil>"})
}
