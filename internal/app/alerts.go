package app

import (
	"context"
	"errors"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/alert"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// buildDelivery makes what sends, and what tells people of rules.
func (a *App) buildDelivery() error {
	near, err := networks(a.Config.DeliveryNetworks)
	if err != nil {
		return fault.Wrapf(fault.Invalid, err, "delivery_networks: %v", err)
	}
	a.Delivery = delivery.New(a.DB, a.Audit, a.Jobs, time.Now, delivery.Options{
		Networks: near, Folders: a.Config.deliveryFolders(), DataDir: a.Config.Data, Box: a.Box, Address: a.mailOf, Contact: a.Config.address(), Log: a.Log,
	})
	a.Alerts = alert.New(alert.Deps{
		DB: a.DB, Audit: a.Audit, Jobs: a.Jobs, Metrics: a.Metrics, Insights: a.Insights, Watch: a.Rules, Notices: a.Notices, People: a.Access, Policies: a.Policies, Out: a.Delivery,
	}, time.Now, alert.Options{Address: a.Config.address(), Log: a.Log})
	return nil
}

// mailOf is the e-mail address of a member who can sign in.
func (a *App) mailOf(ctx context.Context, t tenant.Slug, actor tenant.Actor) (string, error) {
	users, err := a.Access.Users(ctx, tenant.Scope{Tenant: t, Actor: "job:deliver"})
	if err != nil {
		return "", err
	}
	for _, u := range users {
		if u.Account.Actor() == actor && !u.Account.Disabled {
			return u.Account.Email, nil
		}
	}
	return "", fault.Newf(fault.Forbidden, "%s cannot sign in any more, so nothing is sent", actor)
}

// isMember reports whether somebody can still sign in to a tenant.
func (a *App) isMember(t tenant.Slug) func(ctx context.Context, actor tenant.Actor) (bool, error) {
	return func(ctx context.Context, actor tenant.Actor) (bool, error) {
		_, err := a.Access.ScopeOf(ctx, t, actor, "")
		if fault.KindOf(err) == fault.Forbidden {
			return false, nil
		}
		return err == nil, err
	}
}

// alert evaluates the rules and tells people what has begun to hold.
func (a *App) alert(ctx context.Context, scope tenant.Scope) error {
	if _, err := a.Rules.Evaluate(ctx, scope); err != nil {
		return err
	}
	_, err := a.Alerts.Run(ctx, scope)
	return err
}

// lookForAlerts is how often it is looked for what is due to be told or sent.
const lookForAlerts = time.Minute

// tellWhatIsDue tells what quiet hours and groups held back, and mends the outbox, at once and then
// every minute until ctx ends.
func (a *App) tellWhatIsDue(ctx context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			next.Reset(lookForAlerts)
			a.eachTenant(ctx, "job:alerts", func(scope tenant.Scope) error {
				_, err := a.Alerts.Run(ctx, scope)
				return errors.Join(err, a.Delivery.Revive(ctx, scope))
			})
		}
	}
}
