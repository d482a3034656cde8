package dataset_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

const knownClients = "client_name,client_id,domain,status\nHarbor Dental Group,1,harbordental.example,active\nLakeshore Legal LLP,2,lakeshore.example,active\nRiverside Dental (Leeds),3,,active\nSummit Logistics Inc,4,,active\n"

func timeOf(clients ...string) string {
	text := "staff_name,client_name,date,hours\n"
	for i, c := range clients {
		text += fmt.Sprintf("Dana Ortiz,%s,2026-03-%02d,1\n", c, i+1)
	}
	return text
}

// byClient prints the hours of each client after aliases.
func (x *world) byClient(t testing.TB) string {
	t.Helper()
	return strings.ReplaceAll(strings.Join(x.rows(t, "SELECT coalesce(a.canonical, e.client_key), sum(hours_worked)::INTEGER FROM time_entries e LEFT JOIN aliases a ON a.kind = 'client' AND a.key = e.client_key GROUP BY 1 ORDER BY 1", "time_entries", "aliases"), "; "), "|", " ")
}

func (x *world) open(t testing.TB) []dataset.MatchEvidence {
	t.Helper()
	list, err := x.Matches(t.Context(), acme, review.Open, "", 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]dataset.MatchEvidence, len(list))
	for i, p := range list {
		if err := json.Unmarshal(p.Evidence, &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestNamesOfClientsAreLinkedAskedOrNew(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "clients.csv", knownClients)
	r := x.load(t, "time.csv", timeOf("HARBOR DENTAL GROUP", "Lakeshore Legal", "Riverside Dental", "Summit Logistic", "Blue Fern Bakery", "id:4"))
	want(t, "to review", r.ToReview, int64(1))
	want(t, "findings", fmt.Sprint(codes(r)["client_alias"], codes(r)["client_review"], codes(r)["unknown_client"]), "4 1 2")
	want(t, "hours", x.byClient(t), "Blue Fern Bakery 1; Harbor Dental Group 1; Lakeshore Legal LLP 1; Riverside Dental 1; Summit Logistics Inc 2")
	open := x.open(t)
	if len(open) != 1 || open[0].Key != "Riverside Dental" || open[0].Candidates[0].Entity != "Riverside Dental (Leeds)" || len(open[0].Candidates[0].Why) == 0 {
		t.Errorf("open: %+v", open)
	}
	// The same file again asks nothing again.
	again := x.load(t, "time.csv", timeOf("HARBOR DENTAL GROUP", "Lakeshore Legal", "Riverside Dental", "Summit Logistic", "Blue Fern Bakery", "id:4"))
	want(t, "unchanged", again.RowsUnchanged, int64(6))
	want(t, "open after the same file", len(x.open(t)), 1)
}

func TestADecisionIsRememberedUndoneAndMovesThePast(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	reviewer := acme // sees all clients; what people earn and who they are is hidden
	reviewer.Rights = &tenant.Rights{Role: "reviewer", Hidden: []tenant.Class{tenant.Pay, tenant.Personal}, Actions: []tenant.Action{"reviews.decide", "reviews.read"}}
	x.load(t, "clients.csv", knownClients)
	x.load(t, "time.csv", timeOf("Riverside Dental", "Riverside Dental"))
	list, err := x.Matches(t.Context(), reviewer, review.Open, dataset.MatchKind(dataset.KindClient), 10, 0)
	if err != nil || len(list) != 1 {
		t.Fatalf("open: %+v, %v", list, err)
	}
	id := list[0].ID
	decide := func(verdict, choice string) error {
		_, err := x.DecideMatch(t.Context(), reviewer, id, review.Decision{Verdict: verdict, Choice: choice, Reason: "asked Kim"})
		return err
	}
	if err := decide("perhaps", ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an unknown verdict: %v", err)
	}
	if err := decide(dataset.VerdictSame, ""); err != nil {
		t.Fatal(err)
	}
	want(t, "same", x.byClient(t), "Riverside Dental (Leeds) 2")
	if err := decide(dataset.VerdictDifferent, ""); fault.KindOf(err) != fault.Conflict {
		t.Errorf("decided twice: %v", err)
	}
	p, err := x.UndoMatch(t.Context(), reviewer, id)
	if err != nil || p.Status != review.Open {
		t.Fatalf("undo: %+v, %v", p, err)
	}
	want(t, "undone", x.byClient(t), "Riverside Dental 2")
	if err := decide(dataset.VerdictCreate, ""); err != nil {
		t.Fatal(err)
	}
	want(t, "created", x.rows(t, "SELECT client_key, status FROM clients WHERE source_system = 'moatmetrics'", "clients"), []string{"Riverside Dental|active"})
	if _, err := x.UndoMatch(t.Context(), reviewer, id); err != nil {
		t.Fatal(err)
	}
	want(t, "not created", len(x.rows(t, "SELECT 1 FROM clients WHERE source_system = 'moatmetrics'", "clients")), 0)
	if err := decide(dataset.VerdictDifferent, ""); err != nil {
		t.Fatal(err)
	}
	r := x.load(t, "more.csv", timeOf("RIVERSIDE dental"))
	want(t, "asked again after 'different'", r.ToReview, int64(0))
}

func TestNamesCanBeJoinedAndPartedByHand(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "clients.csv", knownClients)
	x.load(t, "time.csv", timeOf("harbor dental group", "Blue Fern Bakery", "Green Fern Cafe"))
	ctx := t.Context()
	if err := x.SetAlias(ctx, acme, dataset.KindClient, "Blue Fern Bakery", "Green Fern Cafe"); err != nil {
		t.Fatal(err)
	}
	want(t, "joined", x.byClient(t), "Green Fern Cafe 2; Harbor Dental Group 1")
	// What the joined one means moves along, and comes back.
	if err := x.SetAlias(ctx, acme, dataset.KindClient, "Green Fern Cafe", "Summit Logistics Inc"); err != nil {
		t.Fatal(err)
	}
	want(t, "moved along", x.byClient(t), "Harbor Dental Group 1; Summit Logistics Inc 2")
	if err := x.SetAlias(ctx, acme, dataset.KindClient, "Summit Logistics Inc", "Green Fern Cafe"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a circle: %v", err)
	}
	if err := x.PartAlias(ctx, acme, dataset.KindClient, "Green Fern Cafe"); err != nil {
		t.Fatal(err)
	}
	want(t, "parted", x.byClient(t), "Green Fern Cafe 2; Harbor Dental Group 1")
	if err := x.PartAlias(ctx, acme, dataset.KindClient, "harbor dental group"); err != nil {
		t.Fatal(err)
	}
	want(t, "an automatic one parted", x.byClient(t), "Green Fern Cafe 2; harbor dental group 1")
	r := x.load(t, "more.csv", timeOf("harbor dental group", "HARBOR dental group"))
	want(t, "linked again after it was parted", x.byClient(t), "Green Fern Cafe 2; harbor dental group 2")
	want(t, "asked again", r.ToReview, int64(0))
	if err := x.PartAlias(ctx, acme, dataset.KindClient, "nobody"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("nobody: %v", err)
	}
}

func TestClientsThatComeLaterExplainStoredNames(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "time.csv", timeOf("Harbor Dental Group Inc", "lakeshore legal llp", "Riverside Dental", "LAKESHORE LEGAL LLP"))
	r := x.load(t, "clients.csv", knownClients)
	want(t, "to review", r.ToReview, int64(1))
	want(t, "hours", x.byClient(t), "Harbor Dental Group 1; Lakeshore Legal LLP 2; Riverside Dental 1")
}

func TestStaffAreTheSameByAddressAndAskedByName(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.load(t, "staff.csv", "staff_name,staff_email,cost_rate\nDana Ortiz,dana@msp.example,50\nRobert Miller,rob@msp.example,60\n")
	r := x.load(t, "time.csv", "staff_name,staff_email,client_name,date,hours\n\"Ortiz, Dana\",dana@msp.example,Harbor,2026-03-01,1\nRobert Millar,,Harbor,2026-03-02,1\nZoe Kim,,Harbor,2026-03-03,1\n")
	want(t, "findings", fmt.Sprint(codes(r)["staff_alias"], codes(r)["staff_review"]), "1 1")
	list, err := x.Matches(t.Context(), acme, review.Open, dataset.MatchKind(dataset.KindStaff), 10, 0)
	if err != nil || len(list) != 1 || !strings.Contains(string(list[0].Evidence), "Robert Millar") || !strings.Contains(string(list[0].Evidence), "Robert Miller") {
		t.Errorf("open: %+v, %v", list, err)
	}
}
