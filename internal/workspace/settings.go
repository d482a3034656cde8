package workspace

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Settings are how a tenant wants things shown. Its JSON is what the API and the audit
// speak.
type Settings struct {
	Name     string `json:"name" maxLength:"120" doc:"of the company; may be empty"`
	Currency string `json:"currency" pattern:"^([A-Z]{3})?$" doc:"ISO 4217 code that amounts are converted to; empty: as they are"`
	Locale   string `json:"locale" maxLength:"35" doc:"BCP 47, such as en-US; empty: the default"`
	Theme    string `json:"theme" enum:",light,dark" doc:"empty: as the system"`
	Density  string `json:"density" enum:",comfortable,compact" doc:"empty: the default"`
}

const defaultLocale = "en-US"

var (
	themes       = []string{"", "light", "dark"}
	densities    = []string{"", "comfortable", "compact"}
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Settings returns a tenant's settings, the defaults until someone sets them.
func (s *Store) Settings(ctx context.Context, scope tenant.Scope) (Settings, error) {
	if err := scope.Check(); err != nil {
		return Settings{}, err
	}
	var out Settings
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("get_settings"), []any{string(scope.Tenant)}, out.fields()...)
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return Settings{Locale: defaultLocale}, nil
	}
	if err != nil {
		return Settings{}, fmt.Errorf("settings: %w", err)
	}
	return out, nil
}

// PutSettings writes a tenant's settings and records what they were and are. It returns
// them as they are kept.
func (s *Store) PutSettings(ctx context.Context, scope tenant.Scope, to Settings) (Settings, error) {
	if err := scope.Check(); err != nil {
		return Settings{}, err
	}
	to, err := to.checked()
	if err != nil {
		return Settings{}, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), s.now())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("begin_settings"), t, "", "", defaultLocale, "", ""); err != nil {
			return err
		}
		var was Settings
		if err := tx.One(ctx, queries.Get("take_settings"), []any{t}, was.fields()...); err != nil || was == to {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("set_settings"), t, to.Name, to.Currency, to.Locale, to.Theme, to.Density); err != nil {
			return err
		}
		_, err = s.log.Append(ctx, scope, tx, audit.Event{
			Action: "settings.change", Subject: audit.Subject{Kind: "settings", ID: string(scope.Tenant)}, Detail: map[string]Settings{"before": was, "after": to},
		})
		return err
	})
	if err != nil {
		return Settings{}, fmt.Errorf("settings: %w", err)
	}
	return to, nil
}

func (s *Settings) fields() []any {
	return []any{&s.Name, &s.Currency, &s.Locale, &s.Theme, &s.Density}
}

// checked returns the settings as they are kept, or every wrong part.
func (s Settings) checked() (Settings, error) {
	c := checker{}
	s.Name = metadb.Text(strings.TrimSpace(s.Name))
	c.text("name", s.Name, nameRunes)
	if s.Currency != "" {
		if _, err := currency.ParseISO(s.Currency); err != nil || !currencyForm.MatchString(s.Currency) {
			c.say("currency", "is not an ISO 4217 code such as USD")
		}
	}
	if s.Locale == "" {
		s.Locale = defaultLocale
	}
	if tag, err := language.Parse(s.Locale); err != nil || tag == language.Und || len(s.Locale) > 35 {
		c.say("locale", "is not a BCP 47 tag such as en-US")
	} else {
		s.Locale = tag.String()
	}
	for _, choice := range []struct {
		path, value string
		allowed     []string
	}{{"theme", s.Theme, themes}, {"density", s.Density, densities}} {
		if !slices.Contains(choice.allowed, choice.value) {
			c.add(fault.Field{Path: choice.path, Message: "is not a choice", Allowed: choice.allowed})
		}
	}
	return s, c.err("the settings are not valid")
}
