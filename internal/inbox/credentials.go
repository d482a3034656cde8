package inbox

import (
	"encoding/json"
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// sealed is what is encrypted of a source: the plain texts live in this form only between
// the type that hides them and the box.
type sealed struct {
	Password   string `json:"password,omitempty"`
	PrivateKey string `json:"private_key,omitempty"`
}

// use binds a source's secrets to it.
func use(scope tenant.Scope, id string) string {
	return fmt.Sprintf("source/%s/%s", scope.Tenant, id)
}

// seal takes the secrets out of a spec and encrypts them; without any, those kept stay.
func (s *Service) seal(scope tenant.Scope, id string, spec *Spec, kept string) (string, error) {
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
	return box.Seal(secret.NewText(string(text)), use(scope, id))
}

func (s *Service) unseal(scope tenant.Scope, src Source) (credentials, error) {
	if src.sealed == "" {
		return credentials{}, nil
	}
	box, err := s.box()
	if err != nil {
		return credentials{}, err
	}
	text, err := box.Open(src.sealed, use(scope, src.ID))
	if err != nil {
		return credentials{}, err
	}
	var plain sealed
	if err := json.Unmarshal([]byte(text.Reveal()), &plain); err != nil {
		return credentials{}, fault.Newf(fault.Internal, "kept secrets cannot be read")
	}
	return credentials{secret.NewText(plain.Password), secret.NewText(plain.PrivateKey)}, nil
}

func (s *Service) box() (*secret.Box, error) {
	if s.opt.Box == nil {
		return nil, fault.Newf(fault.Unavailable, "secrets cannot be kept here")
	}
	return s.opt.Box()
}
