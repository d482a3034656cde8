package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// RouteSpec is what a person says about a route: of which rules whom it tells, how and when.
type RouteSpec struct {
	Name       string   `json:"name" maxLength:"80" doc:"what people call it; unique"`
	Rules      []string `json:"rules,omitempty" nullable:"false" maxItems:"100" doc:"names of rules; all when left out"`
	Severities []string `json:"severities,omitempty" nullable:"false" maxItems:"3" doc:"info, warning, critical; all when left out"`

	Users []tenant.Actor `json:"users,omitempty" nullable:"false" maxItems:"200" doc:"who is told, such as user:17"`
	Roles []string       `json:"roles,omitempty" nullable:"false" maxItems:"50" doc:"roles whose members are told"`

	InApp    bool     `json:"in_app,omitempty" doc:"as a notice in the program"`
	Push     bool     `json:"push,omitempty" doc:"in the browsers of those who opted in"`
	Email    string   `json:"email,omitempty" maxLength:"100" doc:"id or name of the e-mail destination that it goes through"`
	Webhooks []string `json:"webhooks,omitempty" nullable:"false" maxItems:"10" doc:"ids or names of webhooks"`
	// WebhookRole is the role whose rights decide what webhooks are told: they are nobody's.
	WebhookRole string `json:"webhook_role,omitempty" maxLength:"40" doc:"role whose rights decide what webhooks are told; viewer when left out"`

	Zone         string   `json:"zone,omitempty" doc:"time zone of the times below, such as Europe/Berlin; the tenant's when left out"`
	Quiet        []Window `json:"quiet,omitempty" nullable:"false" maxItems:"14" doc:"when nothing is told; what begins then is told when it is over, unless the rule is critical"`
	EveryMinutes int      `json:"every_minutes,omitempty" minimum:"0" maximum:"10080" doc:"at most one message in so many minutes; what comes between is in the next"`
	DailyAt      string   `json:"daily_at,omitempty" doc:"one message a day at this time, such as 08:00; critical rules do not wait for it"`
	RemindHours  int      `json:"remind_hours,omitempty" minimum:"0" maximum:"720" doc:"tell again after so many hours until somebody has acknowledged it; 0 does not"`
	Paused       bool     `json:"paused,omitempty" doc:"tells nothing for now"`
}

// Route is a route as it is kept.
type Route struct {
	ID string `json:"id"`
	RouteSpec
	SentAt    *time.Time   `json:"sent_at"` // when it last told something; null: never
	Problem   string       `json:"problem"` // what of it leads nowhere any more, "" when nothing
	CreatedAt time.Time    `json:"created_at"`
	Actor     tenant.Actor `json:"actor"`
}

// maxRoutes is the most routes of a tenant.
const maxRoutes = 200

// AddRoute makes a route. It tells what holds when it is made, once, and what begins afterwards.
func (s *Service) AddRoute(ctx context.Context, scope tenant.Scope, spec RouteSpec) (Route, error) {
	if err := mayDefine(scope); err != nil {
		return Route{}, err
	}
	if err := s.check(ctx, scope, &spec); err != nil {
		return Route{}, err
	}
	all, err := s.Routes(ctx, scope)
	if err != nil {
		return Route{}, err
	}
	if len(all) >= maxRoutes {
		return Route{}, fault.Newf(fault.TooLarge, "there are %d routes already, the most that are kept: remove one", maxRoutes)
	}
	id, now := newID(), s.now()
	body, err := json.Marshal(spec)
	if err != nil {
		return Route{}, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_route"), t, id, spec.Name, metadb.Text(string(body)), metadb.Now(now), metadb.Text(string(scope.Actor))); err != nil {
			return named(err, spec.Name)
		}
		if err := s.record(ctx, scope, tx, "alert_route.create", "alert_route", id, recorded(spec)); err != nil {
			return err
		}
		return s.jobs.Enqueue(ctx, scope, tx, Job, nil)
	})
	if err != nil {
		return Route{}, fmt.Errorf("add route of alerts: %w", err)
	}
	return s.Route(ctx, scope, id)
}

// ChangeRoute replaces what a person said about a route. What it has told it does not tell again.
func (s *Service) ChangeRoute(ctx context.Context, scope tenant.Scope, id string, spec RouteSpec) (Route, error) {
	if err := mayDefine(scope); err != nil {
		return Route{}, err
	}
	was, err := s.Route(ctx, scope, id)
	if err != nil {
		return was, err
	}
	if err := s.check(ctx, scope, &spec); err != nil {
		return was, err
	}
	body, err := json.Marshal(spec)
	if err != nil {
		return was, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("update_route"), string(scope.Tenant), was.ID, spec.Name, metadb.Text(string(body)))
		if err != nil {
			return named(err, spec.Name)
		}
		if n == 0 {
			return fault.Newf(fault.NotFound, "%s has been removed meanwhile", was.Name)
		}
		if err := s.record(ctx, scope, tx, "alert_route.change", "alert_route", was.ID, recorded(spec)); err != nil {
			return err
		}
		return s.jobs.Enqueue(ctx, scope, tx, Job, nil)
	})
	if err != nil {
		return was, fmt.Errorf("change route of alerts: %w", err)
	}
	return s.Route(ctx, scope, was.ID)
}

// RemoveRoute forgets a route and what it was to tell.
func (s *Service) RemoveRoute(ctx context.Context, scope tenant.Scope, id string) error {
	if err := mayDefine(scope); err != nil {
		return err
	}
	was, err := s.Route(ctx, scope, id)
	if err != nil {
		return err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("delete_route"), string(scope.Tenant), was.ID)
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("delete_due_of"), string(scope.Tenant), was.ID); err != nil {
			return err
		}
		return s.record(ctx, scope, tx, "alert_route.remove", "alert_route", was.ID, nil)
	})
	if err != nil {
		return fmt.Errorf("remove route of alerts: %w", err)
	}
	return nil
}

// Route returns a route by its id or name, a NotFound fault when there is none.
func (s *Service) Route(ctx context.Context, scope tenant.Scope, id string) (Route, error) {
	if id == "" {
		return Route{}, fault.Newf(fault.NotFound, "name the route")
	}
	list, err := s.listRoutes(ctx, scope, metadb.Text(id))
	if err != nil {
		return Route{}, err
	}
	if len(list) == 0 {
		return Route{}, fault.Newf(fault.NotFound, "there is no route %q: moatmetrics alerts routes lists all", id)
	}
	return list[0], nil
}

// Routes lists a tenant's routes by name.
func (s *Service) Routes(ctx context.Context, scope tenant.Scope) ([]Route, error) {
	return s.listRoutes(ctx, scope, "")
}

func (s *Service) listRoutes(ctx context.Context, scope tenant.Scope, id string) ([]Route, error) {
	out, err := s.routes(ctx, scope, id)
	if err != nil || len(out) == 0 {
		return out, err
	}
	there, err := s.destinations(ctx, scope)
	if err != nil {
		return nil, err
	}
	for i, r := range out {
		out[i].Problem = r.missing(there)
	}
	return out, nil
}

func (s *Service) routes(ctx context.Context, scope tenant.Scope, id string) ([]Route, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := scope.AllRows("routes of alerts"); err != nil {
		return nil, err
	}
	out := []Route{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_routes"), string(scope.Tenant), id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Route
			var body, sent, created, actor string
			if err := rows.Scan(&r.ID, &body, &sent, &created, &actor); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(body), &r.RouteSpec); err != nil {
				return err
			}
			r.Actor = tenant.Actor(actor)
			if r.SentAt, err = optionalTime(sent); err != nil {
				return err
			}
			if r.CreatedAt, err = metadb.ParseTime(created); err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("routes of alerts: %w", err)
	}
	return out, nil
}

// destinations are the kinds of the destinations that there are, by id.
func (s *Service) destinations(ctx context.Context, scope tenant.Scope) (map[string]delivery.Kind, error) {
	list, err := s.out.Destinations(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := map[string]delivery.Kind{}
	for _, d := range list {
		out[d.ID] = d.Kind
	}
	return out, nil
}

// missing says which destinations of a route are gone.
func (r Route) missing(there map[string]delivery.Kind) string {
	var gone []string
	for _, id := range append(slices.Clone(r.Webhooks), r.Email) {
		if _, ok := there[id]; !ok && id != "" {
			gone = append(gone, id)
		}
	}
	if gone == nil {
		return ""
	}
	return "the destination " + strings.Join(gone, ", ") + " was removed: choose another"
}

// check completes a spec and lists what is wrong with it.
func (s *Service) check(ctx context.Context, scope tenant.Scope, spec *RouteSpec) error {
	var wrong []fault.Field
	bad := func(path, message string, allowed ...string) {
		wrong = append(wrong, fault.Field{Path: path, Message: message, Allowed: allowed})
	}
	spec.Name = strings.TrimSpace(spec.Name)
	if n := utf8.RuneCountInString(spec.Name); n < 1 || n > 80 || !utf8.ValidString(spec.Name) || strings.ContainsFunc(spec.Name, func(r rune) bool { return r < ' ' }) {
		bad("name", "must have 1 to 80 characters")
	}
	rules, err := s.metrics.Rules(ctx, scope)
	if err != nil {
		return err
	}
	var names []string
	for _, r := range rules {
		names = append(names, r.Name)
	}
	for i, name := range spec.Rules {
		if !slices.Contains(names, name) {
			bad(fmt.Sprintf("rules[%d]", i), fmt.Sprintf("there is no rule %q", name), names...)
		}
	}
	for i, severity := range spec.Severities {
		if !slices.Contains(metric.Severities, severity) {
			bad(fmt.Sprintf("severities[%d]", i), severity+" is none", metric.Severities...)
		}
	}
	if err := s.checkPeople(ctx, scope, spec, bad); err != nil {
		return err
	}
	if err := s.checkPlaces(ctx, scope, spec, bad); err != nil {
		return err
	}
	s.checkTimes(spec, bad)
	if wrong != nil {
		return fault.WithFields("the route cannot be kept like this", wrong...)
	}
	return nil
}

func (s *Service) checkPeople(ctx context.Context, scope tenant.Scope, spec *RouteSpec, bad func(string, string, ...string)) error {
	users, err := s.people.Users(ctx, scope.Own())
	if err != nil {
		return err
	}
	for i, actor := range spec.Users {
		if !slices.ContainsFunc(users, func(u access.User) bool { return u.Account.Actor() == actor }) {
			bad(fmt.Sprintf("users[%d]", i), string(actor)+" is no user here: name one such as user:17, as moatmetrics users list shows")
		}
	}
	for i, role := range spec.Roles {
		if _, err := s.policies.Rights(ctx, scope.Tenant, role, access.Limits{}); err != nil {
			bad(fmt.Sprintf("roles[%d]", i), "there is no role "+role)
		}
	}
	if (spec.Email != "" || spec.Push) && len(spec.Users)+len(spec.Roles) == 0 {
		bad("users", "must name somebody, or roles must, for e-mail and browsers")
	}
	if !spec.InApp && !spec.Push && spec.Email == "" && len(spec.Webhooks) == 0 {
		bad("in_app", "choose how people are told: in_app, push, email or webhooks")
	}
	return nil
}

// checkPlaces names destinations by their ids.
func (s *Service) checkPlaces(ctx context.Context, scope tenant.Scope, spec *RouteSpec, bad func(string, string, ...string)) error {
	list, err := s.out.Destinations(ctx, scope)
	if err != nil {
		return err
	}
	find := func(path, name string, kind delivery.Kind) string {
		for _, d := range list {
			if d.ID != name && d.Name != name {
				continue
			}
			if d.Kind != kind {
				bad(path, fmt.Sprintf("%s is a %s, not a destination of kind %s", d.Name, d.Kind, kind))
			}
			return d.ID
		}
		bad(path, fmt.Sprintf("there is no destination %q", name))
		return name
	}
	if spec.Email != "" {
		spec.Email = find("email", spec.Email, delivery.Email)
	}
	for i, name := range spec.Webhooks {
		spec.Webhooks[i] = find(fmt.Sprintf("webhooks[%d]", i), name, delivery.Webhook)
	}
	if len(spec.Webhooks) == 0 {
		spec.WebhookRole = ""
		return nil
	}
	if spec.WebhookRole == "" {
		spec.WebhookRole = access.Viewer
	}
	rights, err := s.policies.Rights(ctx, scope.Tenant, spec.WebhookRole, access.Limits{})
	if err == nil {
		err = access.MayGive(scope.Rights, rights)
	}
	if err != nil {
		bad("webhook_role", fault.Message(err))
	}
	return nil
}

func (s *Service) checkTimes(spec *RouteSpec, bad func(string, string, ...string)) {
	zone, err := time.LoadLocation(spec.Zone)
	if err != nil || spec.Zone == "Local" {
		bad("zone", "is not a time zone: use a name such as Europe/Berlin")
		zone = time.UTC
	}
	if len(spec.Quiet) > 14 {
		bad("quiet", "must be at most 14")
	}
	sound := true
	for i, w := range spec.Quiet {
		for _, f := range w.check() {
			sound = false
			bad(fmt.Sprintf("quiet[%d].%s", i, f.Path), f.Message, f.Allowed...)
		}
	}
	if sound {
		if _, ok := untilLoud(spec.Quiet, s.now(), zone); !ok {
			bad("quiet", "is always: "+alwaysQuiet)
		}
	}
	if spec.DailyAt != "" {
		if _, err := minutesOf(spec.DailyAt); err != nil {
			bad("daily_at", fault.Message(err))
		}
		if spec.EveryMinutes > 0 {
			bad("every_minutes", "is not needed beside daily_at: give one of them")
		}
	}
	if spec.EveryMinutes < 0 || spec.EveryMinutes > 7*24*60 {
		bad("every_minutes", "must be 0 to 10080")
	}
	if spec.RemindHours < 0 || spec.RemindHours > 720 {
		bad("remind_hours", "must be 0 to 720")
	}
}

// recorded is a route as the audit record keeps it: without the names of people.
func recorded(spec RouteSpec) map[string]any {
	return map[string]any{"rules": len(spec.Rules), "severities": spec.Severities, "users": spec.Users, "roles": spec.Roles, "in_app": spec.InApp, "push": spec.Push, "email": spec.Email,
		"webhooks": spec.Webhooks, "webhook_role": spec.WebhookRole, "quiet": spec.Quiet, "every_minutes": spec.EveryMinutes, "daily_at": spec.DailyAt, "remind_hours": spec.RemindHours, "paused": spec.Paused}
}

// Threshold is an alert on a measure or KPI in one step.
type Threshold struct {
	Name        string `json:"name" maxLength:"80" doc:"of the rule and of the route"`
	Measure     string `json:"measure" doc:"measure or KPI"`
	Below       string `json:"below,omitempty" doc:"such as 20% or 1000; either this or above"`
	Above       string `json:"above,omitempty" doc:"such as 20% or 1000; either this or below"`
	Dimension   string `json:"dimension,omitempty" doc:"whose members are judged; the whole firm unless given"`
	Where       string `json:"where,omitempty" maxLength:"4000" doc:"which rows count"`
	Months      int    `json:"months,omitempty" minimum:"0" maximum:"36" doc:"complete months looked at; 1 unless given"`
	Severity    string `json:"severity,omitempty" enum:"info,warning,critical" doc:"warning unless given"`
	Description string `json:"description,omitempty" maxLength:"2000" doc:"what to do about it"`
}

var bound = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,6})?%?$`)

// AddThreshold makes a rule that a measure is below or above a value, and a route of that name
// that tells of it: both or none.
func (s *Service) AddThreshold(ctx context.Context, scope tenant.Scope, t Threshold, spec RouteSpec) (Route, error) {
	if err := mayDefine(scope); err != nil {
		return Route{}, err
	}
	sign, value, path := "<", t.Below, "below"
	if t.Above != "" {
		sign, value, path = ">", t.Above, "above"
	}
	switch {
	case t.Above != "" && t.Below != "" || value == "":
		return Route{}, fault.WithFields("say when the alert comes", fault.Field{Path: "below", Message: "give either below or above"})
	case !bound.MatchString(value):
		return Route{}, fault.WithFields("the threshold is no number", fault.Field{Path: path, Message: "must be a number such as 1000 or 20%"})
	}
	if _, err := s.metrics.Lookup(ctx, scope, t.Measure); err != nil {
		return Route{}, fault.WithFields("the measure is not known", fault.Field{Path: "measure", Message: fault.Message(err)})
	}
	rule := metric.Rule{Name: t.Name, Measure: t.Measure, Condition: t.Measure + " " + sign + " " + value, Dimension: t.Dimension, Where: t.Where, Months: t.Months, Severity: t.Severity, Description: t.Description}
	spec.Name, spec.Rules, spec.Severities = t.Name, nil, nil
	if err := s.check(ctx, scope, &spec); err != nil { // before there is a rule
		return Route{}, err
	}
	if _, err := s.Route(ctx, scope, spec.Name); fault.KindOf(err) != fault.NotFound {
		if err == nil {
			err = fault.Newf(fault.Conflict, "there is a route %q already: choose another name", spec.Name)
		}
		return Route{}, err
	}
	kept, err := s.metrics.PutRule(ctx, scope, rule, true)
	if err != nil {
		return Route{}, err
	}
	spec.Rules = []string{kept.Name}
	r, err := s.AddRoute(ctx, scope, spec)
	if err != nil {
		// The rule alone would tell nobody.
		if rerr := s.metrics.RemoveRule(ctx, scope, kept.Name); rerr != nil {
			return Route{}, fmt.Errorf("%w; the rule %s stays: %w", err, kept.Name, rerr)
		}
		return Route{}, err
	}
	return r, nil
}

func named(err error, name string) error {
	if fault.KindOf(err) == fault.Conflict {
		return fault.Wrapf(fault.Conflict, err, "there is a route %q already: choose another name", name)
	}
	return err
}
