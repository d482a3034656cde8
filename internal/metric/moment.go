package metric

import (
	"context"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Frozen are a tenant's settings as they were at a moment. Its JSON is the same for the same
// settings.
type Frozen struct {
	Zone     string                       `json:"zone"`
	Settings map[string]map[string]string `json:"settings"` // content by kind and name
	// Unnamed is the currency (ISO 4217) that amounts are taken to be in where no amount of the
	// data names one; who freezes the settings says it, "" says nothing.
	Unnamed string `json:"unnamed,omitempty"`
}

// Freeze returns the tenant's settings as they are now.
func (s *Settings) Freeze(ctx context.Context, scope tenant.Scope) (Frozen, error) {
	out := Frozen{Settings: map[string]map[string]string{}}
	var err error
	if out.Zone, err = s.zone(ctx, scope); err != nil {
		return out, err
	}
	for _, kind := range []string{kindThreshold, kindWorkClass} {
		stored, err := s.list(ctx, scope, kind)
		if err != nil {
			return out, err
		}
		out.Settings[kind] = map[string]string{}
		for name, v := range stored {
			out.Settings[kind][name] = v.content
		}
	}
	return out, nil
}

// Definitions returns what the tenant defines now; nothing without definitions.
func (c *Catalog) Definitions(ctx context.Context, scope tenant.Scope) (*definition.Book, error) {
	if c.base().store == nil {
		return &definition.Book{}, nil
	}
	return c.base().store.Book(ctx, scope)
}

// SettingsNow returns the tenant's settings as they are now.
func (c *Catalog) SettingsNow(ctx context.Context, scope tenant.Scope) (Frozen, error) {
	return c.settings.Freeze(ctx, scope)
}

// As returns the catalog as one tenant had it at a moment: with the definitions of a book,
// its settings, and a clock that stands still. With a scope that names a snapshot it gives
// the answers of then. Only that tenant may be asked for.
func (c *Catalog) As(book *definition.Book, settings Frozen, now time.Time) *Catalog {
	v := c.base().with(book)
	v.settings = &Settings{frozen: &settings}
	v.now = func() time.Time { return now }
	return v
}
