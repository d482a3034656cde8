package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/delivery/deliverytest"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/job"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, delivery.NamedQueries())
}

func TestADeliveryIsSentOnceToEachOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		s := deliverytest.StartSMTP(t)
		x := newWorldOn(t, db, trusting(s.Roots))
		d := x.add(t, mailSpec(s))
		x.has("f1", delivery.Message{Subject: "June", Text: "text", Files: []delivery.File{delivery.FileOf("a.csv", "text/csv", []byte("a\n"))}})
		what := delivery.Delivery{Destination: d.ID, To: []string{"user:7", "board@client.example", "user:8"}, Kind: "report", Ref: "f1", Label: "June report", Once: "schedule 1 2026-07"}
		ids := x.enqueue(t, what)
		if again := x.enqueue(t, what); len(ids) != 3 || len(again) != 0 {
			t.Fatalf("%d, then %d", len(ids), len(again))
		}
		what.To = append(what.To, "new@client.example")
		if more := x.enqueue(t, what); len(more) != 1 {
			t.Errorf("the new recipient: %d", len(more))
		}
		s.Refuse(func(step, value string) error {
			if step == "to" && value == "8@users.example" {
				return deliverytest.Refusal(451, "later")
			}
			return nil
		})
		for range 2 {
			for _, id := range ids {
				err := x.work(t, id)
				if id == ids[2] {
					isKind(t, err, fault.Unavailable)
				} else if err != nil {
					t.Error(err)
				}
			}
		}
		if got := len(s.Mails()); got != 2 {
			t.Errorf("%d mails", got)
		}
		one := x.delivery(t, ids[1])
		if one.Status != delivery.Sent || !slices.Equal(one.To, []string{"board@client.example"}) || one.Attempts != 1 || one.DoneAt == nil || len(one.SHA256) != 64 {
			t.Errorf("%+v", one)
		}
		held := x.delivery(t, ids[2])
		if held.Status != delivery.Waiting || held.Attempts != 2 || !strings.Contains(held.Problem, "451") || !held.DueAt.After(x.now()) {
			t.Errorf("%+v", held)
		}
		s.Refuse(nil)
		if err := x.work(t, ids[2]); err != nil || x.delivery(t, ids[2]).Status != delivery.Sent {
			t.Errorf("%v", err)
		}
		if list, err := x.Deliveries(t.Context(), acme, delivery.Filter{Status: delivery.Sent, Kind: "report", Ref: "f1"}, 10, 0); err != nil || len(list) != 3 {
			t.Errorf("%d, %v", len(list), err)
		}
		if list, err := x.Deliveries(t.Context(), other, delivery.Filter{}, 10, 0); err != nil || len(list) != 0 {
			t.Errorf("another tenant sees %d, %v", len(list), err)
		}
		want := []string{"destination.create", "delivery.sent", "delivery.sent", "delivery.sent"}
		if got := x.actions(t); !slices.Equal(got, want) {
			t.Errorf("on the record: %q, want %q", got, want)
		}
	})
}

func TestAddressesLieInTheDatabaseEncrypted(t *testing.T) {
	t.Parallel()
	s := deliverytest.StartSMTP(t)
	x := newWorld(t, trusting(s.Roots))
	d := x.add(t, mailSpec(s))
	x.enqueue(t, delivery.Delivery{Destination: d.ID, To: []string{"board@client.example"}, Kind: "report", Ref: "1"})
	var all string
	err := x.db.Read(t.Context(), func(tx *metadb.Tx) error {
		return tx.One(t.Context(), "SELECT group_concat(d.config || d.sealed) || (SELECT group_concat(address || recipient || label || ref) FROM delivery) FROM destination d", nil, &all)
	})
	if err != nil || len(all) < 100 {
		t.Fatalf("%q, %v", all, err)
	}
	for _, plain := range []string{"client.example", "msp.example", deliverytest.Password, deliverytest.User} {
		if strings.Contains(all, plain) {
			t.Errorf("%s lies in the clear", plain)
		}
	}
	var details string
	if err := x.db.Read(t.Context(), func(tx *metadb.Tx) error {
		return tx.One(t.Context(), "SELECT group_concat(detail) FROM audit_event", nil, &details)
	}); err != nil || strings.Contains(details, "msp.example") || strings.Contains(details, deliverytest.User) {
		t.Errorf("on the record: %s, %v", details, err)
	}
}

func TestADeliveryEndsAfterSoManyAttemptsAndPeopleAreTold(t *testing.T) {
	t.Parallel()
	s := deliverytest.StartSMTP(t)
	x := newWorld(t, trusting(s.Roots))
	d := x.add(t, mailSpec(s))
	x.has("f1", delivery.Message{Subject: "June", Text: "text"})
	id := x.enqueue(t, delivery.Delivery{Destination: d.ID, To: []string{"a@b.example"}, Kind: "report", Ref: "f1", Label: "June report"})[0]
	s.Refuse(func(step, _ string) error { return deliverytest.Refusal(421, "busy") })
	for n := range delivery.MaxAttempts {
		if err := x.work(t, id); (err == nil) != (n == delivery.MaxAttempts-1) {
			t.Fatalf("attempt %d: %v", n+1, err)
		}
	}
	if got := x.delivery(t, id); got.Status != delivery.Failed || got.Attempts != delivery.MaxAttempts {
		t.Fatalf("%+v", got)
	}
	if told := x.notices(t); len(told) != 1 || !strings.HasPrefix(told[0], "June report was not delivered") || !strings.HasSuffix(told[0], " /destinations?tab=deliveries&row="+id) {
		t.Errorf("told %q", told)
	}
	if err := x.work(t, id); err != nil { // a late job changes nothing
		t.Error(err)
	}
	s.Refuse(nil)
	if got, err := x.Retry(t.Context(), acme, id); err != nil || got.Status != delivery.Waiting {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := x.work(t, id); err != nil || x.delivery(t, id).Status != delivery.Sent || len(s.Mails()) != 1 {
		t.Errorf("%v, %d mails", err, len(s.Mails()))
	}
	_, err := x.Retry(t.Context(), acme, id)
	isKind(t, err, fault.Conflict)
	if got, want := x.actions(t), []string{"destination.create", "delivery.fail", "delivery.retry", "delivery.sent"}; !slices.Equal(got, want) {
		t.Errorf("on the record: %q, want %q", got, want)
	}
}

func TestWhatCannotBeSentAnyMoreIsNot(t *testing.T) {
	t.Parallel()
	s := deliverytest.StartSMTP(t)
	x := newWorld(t, trusting(s.Roots))
	d := x.add(t, mailSpec(s))
	x.has("f1", delivery.Message{Subject: "June", Text: "text"})
	to := func(ref string, to ...string) string {
		return x.enqueue(t, delivery.Delivery{Destination: d.ID, To: to, Kind: "report", Ref: ref})[0]
	}
	deleted, left, refused, canceled, orphan := to("gone", "a@b.example"), to("f1", "user:404"), to("f1", "x@y.example"), to("f1", "c@d.example"), to("f1", "e@f.example")
	s.Refuse(func(step, value string) error {
		if value == "x@y.example" {
			return deliverytest.Refusal(550, "unknown")
		}
		return nil
	})
	if _, err := x.Cancel(t.Context(), acme, canceled); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{deleted, left, refused, canceled} {
		if err := x.work(t, id); err != nil {
			t.Error(err)
		}
	}
	if err := x.Remove(t.Context(), acme, d.ID); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]delivery.Status{deleted: delivery.Canceled, left: delivery.Failed, refused: delivery.Failed, canceled: delivery.Canceled, orphan: delivery.Canceled} {
		if got := x.delivery(t, id); got.Status != want || got.Problem == "" || got.DoneAt == nil {
			t.Errorf("%v is %s: %q, want %s", got.To, got.Status, got.Problem, want)
		}
	}
	if len(s.Mails()) != 0 {
		t.Errorf("%d were sent", len(s.Mails()))
	}
	_, err := x.tryEnqueue(t, delivery.Delivery{Destination: d.ID, To: []string{"a@b.example"}, Kind: "report", Ref: "f1"})
	isKind(t, err, fault.NotFound)
}

func TestRecipientsFitTheirDestination(t *testing.T) {
	t.Parallel()
	s, w := deliverytest.StartSMTP(t), deliverytest.StartWeb(t)
	x := newWorld(t, trusting(s.Roots))
	mail, hook := x.add(t, mailSpec(s)), x.add(t, hookSpec(w))
	for name, d := range map[string]delivery.Delivery{
		"mail to nobody":         {Destination: mail.ID},
		"a webhook to somebody":  {Destination: hook.ID, To: []string{"a@b.example"}},
		"a browser of nobody":    {Destination: delivery.PushDestination},
		"a browser of a address": {Destination: delivery.PushDestination, To: []string{"a@b.example"}},
		"mail to a crowd":        {Destination: mail.ID, To: make([]string, 201)},
	} {
		d.Kind, d.Ref = "report", "f1"
		if _, err := x.tryEnqueue(t, d); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNothingIsSentWhenTheCallersTransactionIsUndone(t *testing.T) {
	t.Parallel()
	s := deliverytest.StartSMTP(t)
	x := newWorld(t, trusting(s.Roots))
	d := x.add(t, mailSpec(s))
	undo := errors.New("undone")
	err := x.db.Transact(t.Context(), func(tx *metadb.Tx) error {
		if _, err := x.Enqueue(t.Context(), acme, tx, delivery.Delivery{Destination: d.ID, To: []string{"a@b.example"}, Kind: "report", Ref: "1"}); err != nil {
			t.Error(err)
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	list, err := x.Deliveries(t.Context(), acme, delivery.Filter{}, 10, 0)
	counts, cerr := x.jobs.Counts(t.Context())
	if err != nil || cerr != nil || len(list) != 0 || len(counts) != 0 {
		t.Errorf("%d deliveries, jobs %v, %v %v", len(list), counts, err, cerr)
	}
}

func TestADestinationKeepsItsSecretOnlyForItsServer(t *testing.T) {
	t.Parallel()
	s := deliverytest.StartSMTP(t)
	x := newWorld(t, trusting(s.Roots))
	spec := mailSpec(s)
	d := x.add(t, spec)
	d.Spec.Name = "renamed"
	changed, err := x.Change(t.Context(), acme, "office", d.Spec)
	if err != nil || changed.Name != "renamed" {
		t.Fatalf("%+v, %v", changed, err)
	}
	if r, err := x.Test(t.Context(), acme, "renamed", "a@b.example"); err != nil || r.Place == "" || s.Mails()[0].User != deliverytest.User {
		t.Errorf("%+v, %v", r, err)
	}
	moved := changed.Spec
	moved.Settings.Port = s.Implicit
	moved.Settings.TLS = delivery.Implicit
	if _, err = x.Change(t.Context(), acme, "renamed", moved); err != nil {
		t.Fatal(err)
	}
	if _, err = x.Test(t.Context(), acme, "renamed", "a@b.example"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("the password went to another server: %v", err)
	}
	_, err = x.Add(t.Context(), acme, delivery.Spec{Name: "renamed", Kind: delivery.Email, Settings: spec.Settings})
	isKind(t, err, fault.Conflict)
	moved.Kind = delivery.Folder
	_, err = x.Change(t.Context(), acme, "renamed", moved)
	isKind(t, err, fault.Invalid)
	text, err := json.Marshal(changed)
	if err != nil || strings.Contains(string(text), deliverytest.Password) {
		t.Errorf("%s, %v", text, err)
	}
	if got, want := x.actions(t), []string{"destination.create", "destination.change", "destination.test", "destination.change", "destination.test"}; !slices.Equal(got, want) {
		t.Errorf("on the record: %q, want %q", got, want)
	}
}

func TestWhoMayNotManageDestinationsIsRefused(t *testing.T) {
	t.Parallel()
	x := newWorld(t, delivery.Options{})
	viewer := tenant.Scope{Tenant: "acme", Actor: "user:9", Rights: &tenant.Rights{Role: "viewer", Actions: []tenant.Action{"figures.read"}}}
	for name, do := range map[string]func() error{
		"add":    func() error { _, err := x.Add(t.Context(), viewer, delivery.Spec{}); return err },
		"change": func() error { _, err := x.Change(t.Context(), viewer, "x", delivery.Spec{}); return err },
		"remove": func() error { return x.Remove(t.Context(), viewer, "x") },
		"test":   func() error { _, err := x.Test(t.Context(), viewer, "x", ""); return err },
		"cancel": func() error { _, err := x.Cancel(t.Context(), viewer, "x"); return err },
		"retry":  func() error { _, err := x.Retry(t.Context(), viewer, "x"); return err },
	} {
		if err := do(); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Where something is sent tells of clients whom it is about: who sees some of them sees none of it.
func TestWhoSeesSomeClientsSeesNoDestinationsAndDeliveries(t *testing.T) {
	t.Parallel()
	x := newWorld(t, delivery.Options{})
	part := tenant.Scope{Tenant: "acme", Actor: "user:9", Rights: &tenant.Rights{Role: "lead", Clients: []string{"Bay"}, Actions: []tenant.Action{"destinations.manage"}}}
	for name, do := range map[string]func() error{
		"destinations": func() error { _, err := x.Destinations(t.Context(), part); return err },
		"destination":  func() error { _, err := x.Destination(t.Context(), part, "x"); return err },
		"deliveries":   func() error { _, err := x.Deliveries(t.Context(), part, delivery.Filter{}, 10, 0); return err },
		"delivery":     func() error { _, err := x.Delivery(t.Context(), part, "x"); return err },
		"add":          func() error { _, err := x.Add(t.Context(), part, delivery.Spec{}); return err },
		"cancel":       func() error { _, err := x.Cancel(t.Context(), part, "x"); return err },
	} {
		if err := do(); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDevicesOfThoseWhoHaveLeftAndOldDeliveriesAreForgotten(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	x := newWorld(t, delivery.Options{Folders: []string{top}})
	d := x.add(t, delivery.Spec{Name: "share", Kind: delivery.Folder, Settings: delivery.Settings{Path: top}})
	x.has("f1", delivery.Message{Subject: "June", Text: "text"})
	old := x.enqueue(t, delivery.Delivery{Destination: d.ID, Kind: "report", Ref: "f1"})[0]
	if err := x.work(t, old); err != nil {
		t.Fatal(err)
	}
	waits := x.enqueue(t, delivery.Delivery{Destination: d.ID, Kind: "report", Ref: "f1"})[0]
	b := deliverytest.NewBrowser(t)
	stays, left := tenant.Scope{Tenant: "acme", Actor: "user:1"}, tenant.Scope{Tenant: "acme", Actor: "user:2"}
	for n, scope := range []tenant.Scope{stays, left, left} {
		if _, err := x.Subscribe(t.Context(), scope, delivery.Browser{Endpoint: fmt.Sprintf("https://push.example.com/%d", n), Keys: delivery.BrowserKeys{P256DH: b.P256DH, Auth: b.Auth}}); err != nil {
			t.Fatal(err)
		}
	}
	x.later(401 * 24 * time.Hour)
	if err := x.Tidy(t.Context(), acme, func(_ context.Context, actor tenant.Actor) (bool, error) { return actor == "user:1", nil }); err != nil {
		t.Fatal(err)
	}
	for actor, want := range map[tenant.Actor]bool{"user:1": true, "user:2": false} {
		if got, err := x.OptedIn(t.Context(), acme, actor); err != nil || got != want {
			t.Errorf("%s is opted in: %v, %v", actor, got, err)
		}
	}
	if list, err := x.Deliveries(t.Context(), acme, delivery.Filter{}, 10, 0); err != nil || len(list) != 1 || list[0].ID != waits {
		t.Errorf("%+v, %v", list, err)
	}
	if got := x.actions(t); got[len(got)-1] != "push.end" {
		t.Errorf("on the record: %q", got)
	}
}

// The queue itself brings deliveries to their end, and one whose job is gone gets another.
func TestTheQueueWorksDeliveries(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	x := newWorld(t, delivery.Options{Folders: []string{top}})
	d := x.add(t, delivery.Spec{Name: "share", Kind: delivery.Folder, Settings: delivery.Settings{Path: filepath.Join(top, "out")}})
	x.has("f1", delivery.Message{Subject: "June", Text: "text"})
	queue, err := job.New(x.db, nil, job.Options{Poll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	queue.Register(delivery.JobDeliver, x.Work)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- queue.Run(ctx) }()
	id := x.enqueue(t, delivery.Delivery{Destination: d.ID, Kind: "report", Ref: "f1"})[0]
	sent := func(id string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); x.delivery(t, id).Status != delivery.Sent; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%+v", x.delivery(t, id))
			}
		}
	}
	sent(id)
	// One whose job is lost.
	lost := x.enqueue(t, delivery.Delivery{Destination: d.ID, Kind: "unknown", Ref: "f2"})[0]
	if err := x.db.Transact(t.Context(), func(tx *metadb.Tx) error {
		_, err := tx.Exec(t.Context(), "DELETE FROM river_job")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	x.Register("unknown", func(context.Context, tenant.Scope, delivery.Delivery) (delivery.Message, error) {
		return delivery.Message{Subject: "July", Text: "text"}, nil
	})
	if err := x.Revive(t.Context(), acme); err != nil || x.delivery(t, lost).Status != delivery.Waiting {
		t.Fatal(err)
	}
	x.later(2 * time.Hour)
	if err := x.Revive(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	sent(lost)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
