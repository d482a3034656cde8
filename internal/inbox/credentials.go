package inbox

import (
	"context"
	"encoding/json"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
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
	box, err := s.box()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return "", err
	}
	return secretsColumn.Seal(ctx, box, string(text), string(scope.Tenant), id)
}

func (s *Service) unseal(ctx context.Context, scope tenant.Scope, src Source) (credentials, error) {
	if src.sealed == "" {
		return credentials{}, nil
	}
	box, err := s.box()
	if err != nil {
		return credentials{}, err
	}
	text, err := secretsColumn.Open(ctx, box, src.sealed, string(scope.Tenant), src.ID)
	if err != nil {
		return credentials{}, err
	}
	var plain sealed
	if err := json.Unmarshal([]byte(text), &plain); err != nil {
		return credentials{}, fault.Newf(fault.Internal, "kept secrets cannot be read")
	}
	return credentials{secret.NewText(plain.Password), secret.NewText(plain.PrivateKey)}, nil
}

// sealSpec encrypts what a person said about a source, its secrets taken out already.
func (s *Service) sealSpec(ctx context.Context, scope tenant.Scope, id string, spec Spec) (string, error) {
	box, err := s.box()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return "", err
	}
	return specColumn.Seal(ctx, box, metadb.Text(string(text)), string(scope.Tenant), id)
}

// openSpec reads what sealSpec returned.
func (s *Service) openSpec(ctx context.Context, scope tenant.Scope, src *Source) error {
	box, err := s.box()
	if err != nil {
		return err
	}
	text, err := specColumn.Open(ctx, box, src.config, string(scope.Tenant), src.ID)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), &src.Spec)
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

func (s *Service) box() (*secret.Box, error) {
	if s.opt.Box == nil {
		return nil, fault.Newf(fault.Unavailable, "secrets cannot be kept here")
	}
	return s.opt.Box, nil
}
