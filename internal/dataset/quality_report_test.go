package dataset_test

import (
	"math"
	"testing"
)

func TestTheQualityOfStoredDataWeighsHoursAndMoney(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "clients.csv", "client_name,client_id\nHarbor,1\nSummit,2\n")
	x.load(t, "staff.csv", "staff_name,cost_rate\nDana,50\nKim,\n")
	// 100 hours: 10 of an unknown client, 20 of somebody without a cost rate, 30 (one row) not said whether billable.
	x.load(t, "time.csv", "time_entry_id,staff_name,client_name,date,hours,billable\n1,Dana,Harbor,2026-06-01,30,\n2,Dana,Harbor,2026-06-02,40,yes\n3,Dana,Acme Widgets,2026-06-03,10,yes\n4,Kim,Summit,2026-05-04,20,no\n")
	r, err := x.QualityReport(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.00011 {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	of := map[string]float64{}
	for _, d := range r.Datasets {
		of[d.Name] = d.Score
		if d.Name == "time_entries" {
			near("completeness: mean of client, staff and billable", d.Dimensions["completeness"], (1+1+0.7)/3)
			near("coverage: the weakest", d.Dimensions["coverage"], 0.8)
			near("validity: entries over 24 h", d.Dimensions["validity"], 0.3)
			near("uniqueness", d.Dimensions["uniqueness"], 1)
		}
	}
	time := math.Exp((3*math.Log(2.7/3) + 3*math.Log(0.3) + 2*math.Log(1) + math.Log(0.8)) / 9)
	near("time entries", of["time_entries"], time)
	near("whole: clients 1, staff 2, time entries 3", r.Score, (of["clients"]+2*of["staff"]+3*time)/6)
	if len(r.Issues) == 0 || r.Issues[0].Code != "hours_gt_24_entry" || r.Issues[0].Rows != 2 || r.Issues[0].Share != 0.7 {
		t.Fatalf("issues: %+v", r.Issues)
	}
	fixed := math.Exp((3*math.Log(2.7/3) + math.Log(0.8)) / 9)
	near("gain of the first", r.Issues[0].Gain, 3*(fixed-time)/6)
	for i := 1; i < len(r.Issues); i++ {
		if r.Issues[i].Gain > r.Issues[i-1].Gain {
			t.Errorf("issue %d gains more than the one before: %+v", i, r.Issues)
		}
	}
	names := ""
	for _, c := range r.Clients {
		names += c.Name + " "
	}
	want(t, "clients, the worst first", names, "Harbor Acme Widgets Summit ")
	want(t, "months", r.Months[0].Name+" "+r.Months[1].Name, "2026-05-01 2026-06-01")
	want(t, "trend", len(r.Trend), 3)
	again, err := x.QualityReport(t.Context(), acme)
	if err != nil || again.Score != r.Score {
		t.Errorf("again: %v, %v", again.Score, err)
	}
}

func TestTheQualityOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	r, err := newWorld(t).QualityReport(t.Context(), acme)
	if err != nil || r.Score != 0 || len(r.Datasets) != 0 || r.Issues == nil {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestRepeatedRowsAreAnIssueOfTheirOwn(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	// 10 hours, of which 2 stand there twice under another id.
	x.load(t, "time.csv", "time_entry_id,staff_name,client_name,date,hours,billable\n1,Dana,Harbor,2026-06-01,2,yes\n2,Dana,Harbor,2026-06-01,2,yes\n3,Dana,Harbor,2026-06-02,6,yes\n")
	r, err := x.QualityReport(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range r.Issues {
		if i.Code != "repeated_rows" {
			continue
		}
		if i.Dataset != "time_entries" || i.Dimension != "uniqueness" || i.Rows != 1 || i.Share != 0.2 || i.Gain <= 0 {
			t.Errorf("got %+v", i)
		}
		return
	}
	t.Errorf("uniqueness %v and no issue of it: %+v", r.Dimensions["uniqueness"], r.Issues)
}
