package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// waiting is the id of the proposal that an answer of 202 names.
func waiting(t *testing.T, a answer) string {
	t.Helper()
	var said struct{ Proposal, Detail string }
	if err := json.Unmarshal([]byte(a.body), &said); err != nil || said.Proposal == "" || !strings.Contains(said.Detail, "second person") {
		t.Fatalf("no proposal: %s, %v", a.body, err)
	}
	return said.Proposal
}

func TestAChangeWaitsForASecondPersonWhereTheTermsWantTwo(t *testing.T) {
	t.Parallel()
	s, deps := serveWith(t, func(d *httpapi.Deps, _ *httpapi.Options) {
		d.Metrics = metric.New(d.Warehouse, metric.Options{Definitions: definition.New(d.DB, d.Audit, time.Now)})
	})
	owner := &browser{t: t, s: s}
	owner.want(200, http.MethodPost, "/api/v1/set-up", `{"email":"`+ownerMail+`","name":"Olga Owner","password":"`+ownerWords+`"}`)
	var is struct{ Account string }
	if err := json.Unmarshal([]byte(owner.want(200, http.MethodGet, "/api/v1/session", "").body), &is); err != nil {
		t.Fatal(err)
	}
	const two = `{"due_days":3,"expire_days":30,"four_eyes":true}`
	kpi := func(name string) string { return `{"name":"` + name + `","formula":"revenue * 2"}` }
	approve := `{"verdict":"approved"}`

	owner.want(200, http.MethodPost, "/api/v1/kpis", kpi("before"))
	owner.want(200, http.MethodPut, "/api/v1/reviews/kinds/definition_change", two)
	owner.want(200, http.MethodPost, "/api/v1/kpis", kpi("alone")) // nobody else could approve

	ada, _ := member(t, owner, deps, "default", "ada@example.com", "admin")
	ines, inesID := member(t, owner, deps, "default", "ines@example.com", "analyst")

	asked := waiting(t, ines.want(202, http.MethodPost, "/api/v1/kpis", kpi("twice")))
	ines.want(404, http.MethodGet, "/api/v1/kpis/twice", "")
	ines.want(403, http.MethodPost, "/api/v1/reviews/"+asked+"/decide", approve)
	if a := owner.want(200, http.MethodGet, "/api/v1/reviews/"+asked, ""); !strings.Contains(a.body, `"formula":"revenue * 2"`) || !strings.Contains(a.body, `"four_eyes":false`) {
		t.Error(a.body)
	}
	owner.want(200, http.MethodPost, "/api/v1/reviews/"+asked+"/decide", approve)
	if a := ines.want(200, http.MethodGet, "/api/v1/kpis/twice", ""); !strings.Contains(a.body, "user:"+inesID) {
		t.Errorf("the change does not stand in the name of who asked: %s", a.body)
	}
	if a := ines.want(200, http.MethodGet, "/api/v1/notices", ""); !strings.Contains(a.body, "Your change was approved") {
		t.Errorf("who asked is not told: %s", a.body)
	}
	owner.want(409, http.MethodPost, "/api/v1/reviews/"+asked+"/undo", "")

	own := waiting(t, owner.want(202, http.MethodPost, "/api/v1/kpis", kpi("mine")))
	owner.want(403, http.MethodPost, "/api/v1/reviews/"+own+"/decide", approve)
	if a := ada.want(200, http.MethodPost, "/api/v1/reviews/decide", `{"ids":["`+own+`"],"verdict":"approved"}`); !strings.Contains(a.body, `"decided"`) {
		t.Error(a.body)
	}
	ada.want(200, http.MethodGet, "/api/v1/kpis/mine", "")

	// What cannot be made stays open with the reason; a rejected one changes nothing.
	wrong := waiting(t, ines.want(202, http.MethodPost, "/api/v1/kpis", kpi("twice")))
	if a := owner.want(409, http.MethodPost, "/api/v1/reviews/"+wrong+"/decide", approve); !strings.Contains(a.body, "already") {
		t.Error(a.body)
	}
	owner.want(200, http.MethodPost, "/api/v1/reviews/"+wrong+"/decide", `{"verdict":"rejected","reason":"it is there"}`)

	// The rights of now count, not those when it was asked for.
	late := waiting(t, ines.want(202, http.MethodDelete, "/api/v1/kpis/twice", ""))
	owner.want(204, http.MethodPut, "/api/v1/users/"+inesID, `{"role":"viewer"}`)
	owner.want(403, http.MethodPost, "/api/v1/reviews/"+late+"/decide", approve)
	owner.want(200, http.MethodGet, "/api/v1/kpis/twice", "")
	if _, err := deps.Access.ScopeOf(t.Context(), "other", tenant.Actor("user:"+is.Account), ""); err == nil {
		t.Error("somebody acts in a tenant that they do not belong to")
	}
}

func TestAnUndoneImportWaitsToo(t *testing.T) {
	t.Parallel()
	owner, deps := accounts(t)
	ada, _ := member(t, owner, deps, "default", "ada@example.com", "admin")
	imported := upload(t, owner.s, map[string]string{"invoices.csv": invoicesCSV}, "Cookie", owner.cookie)
	if imported.status != http.StatusCreated {
		t.Fatal(imported.body)
	}
	owner.want(200, http.MethodPut, "/api/v1/reviews/kinds/deletion", `{"due_days":3,"expire_days":30,"four_eyes":true}`)
	id := waiting(t, owner.want(202, http.MethodPost, "/api/v1/imports/1/undo", ""))
	if a := ada.want(200, http.MethodGet, "/api/v1/imports/1", ""); !strings.Contains(a.body, `"committed"`) {
		t.Error(a.body)
	}
	ada.want(200, http.MethodPost, "/api/v1/reviews/"+id+"/decide", `{"verdict":"approved"}`)
	if a := ada.want(200, http.MethodGet, "/api/v1/imports/1", ""); !strings.Contains(a.body, `"undone"`) {
		t.Error(a.body)
	}
}

// Whoever wants to decide alone must not say first that one person is enough.
func TestTwoPeopleTurnOffThatTwoDecide(t *testing.T) {
	t.Parallel()
	owner, deps := accounts(t)
	const one, two = `{"due_days":3,"expire_days":30,"four_eyes":false}`, `{"due_days":3,"expire_days":30,"four_eyes":true}`
	const of = "/api/v1/reviews/kinds/deletion"
	owner.want(200, http.MethodPut, of, two)
	owner.want(200, http.MethodPut, of, one) // nobody else is there
	ada, _ := member(t, owner, deps, "default", "ada@example.com", "admin")
	ada.want(200, http.MethodPut, of, two)
	id := waiting(t, ada.want(202, http.MethodPut, of, one))
	ada.want(200, http.MethodPut, "/api/v1/reviews/kinds/finding", one)
	if a := ada.want(200, http.MethodGet, "/api/v1/reviews/kinds", ""); !strings.Contains(a.body, `"four_eyes":true`) {
		t.Errorf("one person turned it off: %s", a.body)
	}
	ada.want(403, http.MethodPost, "/api/v1/reviews/"+id+"/decide", `{"verdict":"approved"}`)
	owner.want(200, http.MethodPost, "/api/v1/reviews/"+id+"/decide", `{"verdict":"approved"}`)
	if a := ada.want(200, http.MethodGet, "/api/v1/reviews/kinds", ""); strings.Contains(a.body, `"four_eyes":true`) {
		t.Error(a.body)
	}
}

// Of an approval and a withdrawal at a time one counts: nothing that was withdrawn is made.
func TestNothingIsMadeThatWasWithdrawn(t *testing.T) {
	t.Parallel()
	s, deps := serveWith(t, func(d *httpapi.Deps, _ *httpapi.Options) {
		d.Metrics = metric.New(d.Warehouse, metric.Options{Definitions: definition.New(d.DB, d.Audit, time.Now)})
	})
	owner := &browser{t: t, s: s}
	owner.want(200, http.MethodPost, "/api/v1/set-up", `{"email":"`+ownerMail+`","name":"Olga Owner","password":"`+ownerWords+`"}`)
	ada, _ := member(t, owner, deps, "default", "ada@example.com", "admin")
	owner.want(200, http.MethodPut, "/api/v1/reviews/kinds/definition_change", `{"due_days":3,"expire_days":30,"four_eyes":true}`)
	for i := range 10 {
		name := fmt.Sprintf("kpi_%d", i)
		id := waiting(t, ada.want(202, http.MethodPost, "/api/v1/kpis", `{"name":"`+name+`","formula":"revenue * 2"}`))
		var both sync.WaitGroup
		both.Go(func() { owner.ask(http.MethodPost, "/api/v1/reviews/"+id+"/decide", `{"verdict":"approved"}`) })
		time.Sleep(time.Duration(i) * time.Millisecond)
		both.Go(func() {
			ada.ask(http.MethodPost, "/api/v1/reviews/"+id+"/decide", `{"verdict":"rejected","reason":"not needed"}`)
		})
		both.Wait()
		approved := strings.Contains(owner.want(200, http.MethodGet, "/api/v1/reviews/"+id, "").body, `"verdict":"approved"`)
		if made := owner.ask(http.MethodGet, "/api/v1/kpis/"+name, "").status == 200; made != approved {
			t.Fatalf("made %v, approved %v", made, approved)
		}
	}
}
