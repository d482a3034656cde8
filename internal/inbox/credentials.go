package inbox

import (
	"context"

	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// The columns that are sealed.
var (
	secretsColumn = secret.Column{Table: "source", Column: "sealed", Holds: "passwords and keys of sources", Bind: "source"}
	specColumn    = secret.Column{Table: "source", Column: "config", Holds: "servers, users and senders of sources", WasClear: true}
)

// Sealed names the columns that are sealed.
func Sealed() []secret.Column { return []secret.Column{secretsColumn, specColumn} }

// sealed is what is encrypted of a source's secrets: the plain texts live in this form only
// between the type that hides them and the box.
type sealed struct {
	Password   string `json:"password,omitempty"`
	PrivateKey string `json:"private_key,omitempty"`
}

// seal takes the secrets out of a spec and encrypts them; without any, those kept stay.
func (s *Service) seal(ctx context.Context, scope tenant.Scope, id string, spec *Spec, kept string) (string, error) {
	plain := sealed{spec.Password.Reveal(), spec.PrivateKey.Reveal()}
	spec.Password, spec.PrivateKey = secret.Text{}, secret.Text{}
	if plain == (sealed{}) {
		return kept, nil
	}
	return secretsColumn.SealJSON(ctx, s.opt.Box, plain, string(scope.Tenant), id)
}

func (s *Service) unseal(ctx context.Context, scope tenant.Scope, src Source) (credentials, error) {
	if src.sealed == "" {
		return credentials{}, nil
	}
	var plain sealed
	if err := secretsColumn.OpenJSON(ctx, s.opt.Box, src.sealed, string(scope.Tenant), src.ID, &plain); err != nil {
		return credentials{}, err
	}
	return credentials{secret.NewText(plain.Password), secret.NewText(plain.PrivateKey)}, nil
}

// recorded is a spec as the audit record keeps it, which nobody can seal or erase: without
// the names of people.
type recorded struct {
	Spec
	Hidden []string `json:"hidden,omitempty"` // what is set and not shown
}

func forRecord(spec Spec) recorded {
	r := recorded{Spec: spec}
	if spec.Settings.User != "" {
		r.Settings.User, r.Hidden = "", append(r.Hidden, "settings.user")
	}
	if len(spec.Settings.Senders) > 0 {
		r.Settings.Senders, r.Hidden = nil, append(r.Hidden, "settings.senders")
	}
	return r
}
