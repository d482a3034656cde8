package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// manage is what those must be allowed who change destinations.
const manage tenant.Action = "destinations.manage"

// Destination is where something can be sent.
type Destination struct {
	ID string `json:"id"`
	Spec
	CreatedAt time.Time    `json:"created_at"`
	Actor     tenant.Actor `json:"actor"`

	config string // its spec, encrypted
	sealed string // its secret, encrypted
}

// Add makes a destination. It is not connected to: Test does that.
func (s *Service) Add(ctx context.Context, scope tenant.Scope, spec Spec) (Destination, error) {
	if err := s.mayManage(scope); err != nil {
		return Destination{}, err
	}
	if spec.Kind == Webhook && spec.Password.IsZero() {
		return Destination{}, fault.WithFields("the destination cannot be kept like this", fault.Field{Path: "password", Message: "must be the secret that signs what is sent: 16 characters or more"})
	}
	if err := s.check(&spec); err != nil {
		return Destination{}, err
	}
	id := newID()
	sealed, err := s.seal(ctx, scope, id, &spec, "")
	if err != nil {
		return Destination{}, err
	}
	config, err := specColumn.SealJSON(ctx, s.opt.Box, spec, string(scope.Tenant), id)
	if err != nil {
		return Destination{}, err
	}
	now := s.now()
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_destination"), t, id, spec.Name, string(spec.Kind), config, sealed, metadb.Now(now), metadb.Text(string(scope.Actor))); err != nil {
			return named(err, spec.Name)
		}
		return s.record(ctx, scope, tx, "destination.create", "destination", id, forRecord(spec))
	})
	if err != nil {
		return Destination{}, fmt.Errorf("add destination: %w", err)
	}
	return s.Destination(ctx, scope, id)
}

// Change replaces what a person said about a destination. Its secret stays when none is given
// and it goes to the same server; what waits goes to where it is from now on.
func (s *Service) Change(ctx context.Context, scope tenant.Scope, id string, spec Spec) (Destination, error) {
	if err := s.mayManage(scope); err != nil {
		return Destination{}, err
	}
	was, err := s.Destination(ctx, scope, id)
	if err != nil {
		return was, err
	}
	if spec.Kind != was.Kind {
		return was, fault.WithFields("a destination keeps its kind", fault.Field{Path: "kind", Message: "is " + string(was.Kind) + ": add another destination instead", Allowed: []string{string(was.Kind)}})
	}
	if err := s.check(&spec); err != nil {
		return was, err
	}
	kept := was.sealed
	if !sameServer(was.Settings, spec.Settings) {
		kept = "" // a secret is not sent to another place than it was given for
	}
	if spec.Kind == Webhook && kept == "" && spec.Password.IsZero() {
		return was, fault.WithFields("the destination cannot be kept like this", fault.Field{Path: "password", Message: "must be given again, as the address is another one"})
	}
	sealed, err := s.seal(ctx, scope, was.ID, &spec, kept)
	if err != nil {
		return was, err
	}
	config, err := specColumn.SealJSON(ctx, s.opt.Box, spec, string(scope.Tenant), was.ID)
	if err != nil {
		return was, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("update_destination"), string(scope.Tenant), was.ID, spec.Name, string(spec.Kind), config, sealed)
		if err != nil {
			return named(err, spec.Name)
		}
		if n == 0 {
			return fault.Newf(fault.NotFound, "%s has been removed meanwhile", was.Name)
		}
		return s.record(ctx, scope, tx, "destination.change", "destination", was.ID, forRecord(spec))
	})
	if err != nil {
		return was, fmt.Errorf("change destination: %w", err)
	}
	return s.Destination(ctx, scope, was.ID)
}

// Remove forgets a destination. What still waits for it is canceled.
func (s *Service) Remove(ctx context.Context, scope tenant.Scope, id string) error {
	if err := s.mayManage(scope); err != nil {
		return err
	}
	was, err := s.Destination(ctx, scope, id)
	if err != nil {
		return err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("delete_destination"), string(scope.Tenant), was.ID)
		if err != nil || n == 0 {
			return err
		}
		canceled, err := tx.Exec(ctx, queries.Get("cancel_deliveries_to"), string(scope.Tenant), was.ID, "its destination was removed", metadb.Now(s.now()))
		if err != nil {
			return err
		}
		return s.record(ctx, scope, tx, "destination.remove", "destination", was.ID, map[string]any{"canceled": canceled})
	})
	if err != nil {
		return fmt.Errorf("remove destination: %w", err)
	}
	return nil
}

// Destination returns a destination by its id or name, a NotFound fault when there is none.
func (s *Service) Destination(ctx context.Context, scope tenant.Scope, id string) (Destination, error) {
	if id == "" {
		return Destination{}, fault.Newf(fault.NotFound, "name the destination")
	}
	list, err := s.destinations(ctx, scope, metadb.Text(id))
	if err != nil {
		return Destination{}, err
	}
	if len(list) == 0 {
		return Destination{}, fault.Newf(fault.NotFound, "there is no destination %q: moatmetrics destinations list shows all", id)
	}
	return list[0], nil
}

// Destinations lists a tenant's destinations by name. Their secrets are not in it.
func (s *Service) Destinations(ctx context.Context, scope tenant.Scope) ([]Destination, error) {
	return s.destinations(ctx, scope, "")
}

func (s *Service) destinations(ctx context.Context, scope tenant.Scope, id string) ([]Destination, error) {
	if err := s.mayRead(scope); err != nil {
		return nil, err
	}
	out := []Destination{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_destinations"), string(scope.Tenant), id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d Destination
			var created, actor string
			if err := rows.Scan(&d.ID, &d.config, &d.sealed, &created, &actor); err != nil {
				return err
			}
			d.Actor = tenant.Actor(actor)
			if d.CreatedAt, err = metadb.ParseTime(created); err != nil {
				return err
			}
			out = append(out, d)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("destinations: %w", err)
	}
	for i := range out {
		if err := specColumn.OpenJSON(ctx, s.opt.Box, out[i].config, string(scope.Tenant), out[i].ID, &out[i].Spec); err != nil {
			return nil, fmt.Errorf("destination %s: %w", out[i].ID, err)
		}
	}
	return out, nil
}

// Test sends a message that says that it is one: to somebody, an address, when it is an e-mail
// server, into the place itself otherwise. It stands on the record, and is tried once.
func (s *Service) Test(ctx context.Context, scope tenant.Scope, id, to string) (Receipt, error) {
	if err := s.mayManage(scope); err != nil {
		return Receipt{}, err
	}
	d, err := s.Destination(ctx, scope, id)
	if err != nil {
		return Receipt{}, err
	}
	var recipients []string
	if to != "" {
		recipients = []string{to}
	}
	if err := checkTo(d.Kind, recipients); err != nil {
		return Receipt{}, err
	}
	now := s.now()
	r, err := s.Send(ctx, scope, d.ID, to, Message{
		ID: newID(), At: now, Kind: "test", Subject: "A test from MoatMetrics",
		Text: fmt.Sprintf("This is a test of the destination %s, sent on %s.\n\nIf you can read this, MoatMetrics reaches you here.\n", d.Name, now.UTC().Format("2006-01-02 15:04 UTC")),
	})
	detail := map[string]any{"worked": err == nil}
	if err != nil {
		detail["problem"] = string(fault.KindOf(err))
	}
	if rerr := s.db.Transact(ctx, func(tx *metadb.Tx) error {
		return s.record(ctx, scope, tx, "destination.test", "destination", d.ID, detail)
	}); rerr != nil && err == nil {
		err = rerr
	}
	return r, err
}

func (s *Service) mayManage(scope tenant.Scope) error {
	if err := s.mayRead(scope); err != nil {
		return err
	}
	return scope.Need(manage)
}

// mayRead refuses who sees some clients or teams: what is sent where tells of the others.
func (s *Service) mayRead(scope tenant.Scope) error {
	if err := scope.Check(); err != nil {
		return err
	}
	return scope.AllRows("destinations and deliveries")
}

func named(err error, name string) error {
	if fault.KindOf(err) == fault.Conflict {
		return fault.Wrapf(fault.Conflict, err, "there is a destination %q already: choose another name", name)
	}
	return err
}

// The columns that are sealed.
var (
	secretColumn  = secret.Column{Table: "destination", Column: "sealed", Holds: "passwords and keys of destinations"}
	specColumn    = secret.Column{Table: "destination", Column: "config", Holds: "servers, users and addresses of destinations"}
	addressColumn = secret.Column{Table: "delivery", Column: "address", Holds: "e-mail addresses that something went to"}
	pushKeyColumn = secret.Column{Table: "push_key", Column: "sealed", Holds: "the key that messages to browsers are signed with"}
	deviceColumn  = secret.Column{Table: "push_subscription", Column: "sealed", Holds: "addresses and keys of browsers"}
)

// Sealed names the columns that are sealed.
func Sealed() []secret.Column {
	return []secret.Column{secretColumn, specColumn, addressColumn, pushKeyColumn, deviceColumn}
}

// seal takes the secret out of a spec and encrypts it; without any, the one kept stays.
func (s *Service) seal(ctx context.Context, scope tenant.Scope, id string, spec *Spec, kept string) (string, error) {
	plain := spec.Password.Reveal()
	spec.Password = secret.Text{}
	if plain == "" {
		return kept, nil
	}
	return secretColumn.Seal(ctx, s.opt.Box, plain, string(scope.Tenant), id)
}

func (s *Service) unseal(ctx context.Context, scope tenant.Scope, d Destination) (secret.Text, error) {
	plain, err := secretColumn.Open(ctx, s.opt.Box, d.sealed, string(scope.Tenant), d.ID)
	return secret.NewText(plain), err
}
