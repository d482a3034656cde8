package report

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adhocore/gronx"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/cron"
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// What a schedule does with a report whose data is old or whose findings wait for a person.
const (
	Say  = "say"  // it is made, and says so
	Wait = "wait" // it is made when that has changed
)

// ScheduleSpec says what is made, when, and who gets it.
type ScheduleSpec struct {
	Name     string `json:"name" minLength:"1" maxLength:"120"`
	Template string `json:"template"`
	Client   string `json:"client,omitempty" doc:"of a report about one client; empty: the one with the highest revenue"`
	// EveryClient makes a report for each client with revenue in the period.
	EveryClient bool        `json:"every_client,omitempty" doc:"a report for each client that may be seen and has revenue"`
	Currency    string      `json:"currency,omitempty" pattern:"^([A-Z]{3})?$"`
	Formats     []string    `json:"formats" minItems:"1" maxItems:"6" nullable:"false" doc:"pdf, xlsx, pptx, html, csv, json"`
	Cron        string      `json:"cron" doc:"minute hour day month weekday, such as 0 7 1 * * for the first of a month at seven"`
	Zone        string      `json:"zone,omitempty" doc:"IANA time zone, such as America/New_York; empty: the tenant's"`
	Recipients  []Recipient `json:"recipients" maxItems:"100" nullable:"false"`
	Stale       string      `json:"when_stale,omitempty" enum:",say,wait" doc:"what to do when no newer data came; say unless given"`
	Review      string      `json:"when_in_review,omitempty" enum:",say,wait" doc:"what to do while findings wait for a decision; say unless given"`
	Paused      bool        `json:"paused,omitempty"`
}

// Recipient gets the files of a schedule. A member gets what the member's own role may see;
// an address outside, and a place, what the role named here may see, which is never more than
// what whoever set up the schedule may.
type Recipient struct {
	Actor       string   `json:"actor,omitempty" doc:"a member, such as user:17; without a destination a notice in the program says that the report is there"`
	Address     string   `json:"address,omitempty" doc:"an e-mail address outside"`
	Destination string   `json:"destination,omitempty" doc:"how it is sent: id of a destination"`
	Role        string   `json:"role,omitempty" doc:"of an address or a place: whose rights the file is made with"`
	Clients     []string `json:"clients,omitempty" doc:"of an address or a place: only these clients"`
}

// Schedule is a report that is made and sent by itself.
type Schedule struct {
	ID string `json:"id"`
	ScheduleSpec
	NextAt    *time.Time `json:"next_at" doc:"null while it is paused"`
	LastAt    *time.Time `json:"last_at"`
	Problem   string     `json:"problem,omitempty" doc:"what was wrong with the last run, or what it waits for"`
	CreatedBy string     `json:"created_by" doc:"who set it up or changed it last: what that member may see is the most that anybody outside gets"`
	CreatedAt time.Time  `json:"created_at"`
}

const maxSchedules = 200

// scheduleColumn holds the addresses of people outside.
var scheduleColumn = secret.Column{Table: "report_schedule", Column: "body", Holds: "whom schedules of reports send to"}

// Sealed names the columns that are sealed.
func Sealed() []secret.Column { return []secret.Column{scheduleColumn} }

// AddSchedule adds a schedule. Errors: Invalid with every wrong part, such as a role that may
// see more than whoever adds it.
func (s *Service) AddSchedule(ctx context.Context, scope tenant.Scope, spec ScheduleSpec) (*Schedule, error) {
	list, err := s.Schedules(ctx, scope)
	if err != nil {
		return nil, err
	}
	if len(list) >= maxSchedules {
		return nil, fault.Newf(fault.TooLarge, "there are %d schedules, the most that are kept: remove one that nobody needs", maxSchedules)
	}
	return s.putSchedule(ctx, scope, strings.ToLower(rand.Text()[:16]), spec, nil)
}

// ChangeSchedule replaces what a schedule says.
func (s *Service) ChangeSchedule(ctx context.Context, scope tenant.Scope, id string, spec ScheduleSpec) (*Schedule, error) {
	old, err := s.Schedule(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	return s.putSchedule(ctx, scope, id, spec, old)
}

// putSchedule adds a schedule, or replaces an old one.
func (s *Service) putSchedule(ctx context.Context, scope tenant.Scope, id string, spec ScheduleSpec, old *Schedule) (*Schedule, error) {
	if err := s.checkSchedule(ctx, scope, &spec); err != nil {
		return nil, err
	}
	body, err := scheduleColumn.SealJSON(ctx, s.opt.Box, spec, string(scope.Tenant), id)
	if err != nil {
		return nil, err
	}
	next, err := cron.Next(spec.Cron, spec.Zone, s.opt.Now())
	if err != nil {
		return nil, err
	}
	nextAt := metadb.Now(next)
	if old != nil && old.Cron == spec.Cron && old.Zone == spec.Zone && old.Paused == spec.Paused {
		nextAt = "" // as it is: a run that waits is not lost
	}
	now := s.opt.Now()
	err = s.DB.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		action := "report.schedule_change"
		if old == nil {
			action = "report.schedule_add"
			_, err = tx.Exec(ctx, queries.Get("insert_schedule"), t, id, metadb.Text(spec.Name), body, flag(spec.Paused), nextAt, metadb.Text(string(scope.Actor)), metadb.Now(now))
		} else {
			_, err = tx.Exec(ctx, queries.Get("change_schedule"), string(scope.Tenant), id, metadb.Text(spec.Name), body, flag(spec.Paused), nextAt, metadb.Text(string(scope.Actor)))
		}
		if err != nil {
			return err
		}
		_, err = s.Audit.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: "schedule", ID: id},
			Detail: map[string]any{"template": spec.Template, "formats": spec.Formats, "cron": spec.Cron, "recipients": len(spec.Recipients), "paused": spec.Paused}})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("schedule: %w", err)
	}
	return s.Schedule(ctx, scope, id)
}

// checkSchedule completes a spec and lists all that is wrong with it.
func (s *Service) checkSchedule(ctx context.Context, scope tenant.Scope, spec *ScheduleSpec) error {
	var wrong []fault.Field
	say := func(path, format string, args ...any) {
		wrong = append(wrong, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if spec.Name = strings.TrimSpace(document.Clean(spec.Name)); spec.Name == "" || len([]rune(spec.Name)) > 120 {
		say("name", "say in 1 to 120 characters what it is called")
	}
	t, err := s.Template(ctx, scope, spec.Template)
	if err != nil {
		say("template", "%s", fault.Message(err))
		t = &Template{}
	}
	if !t.OfClient && (spec.EveryClient || spec.Client != "") {
		say("client", "the report %s is about all clients: leave the client out", spec.Template)
	}
	if len(spec.Formats) == 0 {
		say("formats", "name at least one format")
	}
	for i, f := range spec.Formats {
		if _, err := FormatOf(f); err != nil || slices.Contains(spec.Formats[:i], f) {
			say(fmt.Sprintf("formats[%d]", i), "%q is unknown or named twice", f)
		}
	}
	if spec.Zone == "" {
		zone, err := s.Metrics.Zone(ctx, scope)
		if err != nil {
			return err
		}
		spec.Zone = zone.String()
	}
	if _, err := time.LoadLocation(spec.Zone); err != nil || spec.Zone == "Local" {
		say("zone", "%q is no time zone: write one such as America/New_York", spec.Zone)
	}
	if !gronx.IsValid(spec.Cron) || len(strings.Fields(spec.Cron)) != 5 {
		say("cron", "is not a cron expression of minute, hour, day, month and weekday, such as 0 7 1 * *")
	}
	for _, v := range []*string{&spec.Stale, &spec.Review} {
		if *v == "" {
			*v = Say
		}
		if *v != Say && *v != Wait {
			say("when_stale", "%q is neither say nor wait", *v)
		}
	}
	spec.Recipients = slices.Clone(spec.Recipients)
	for i, r := range spec.Recipients {
		err := r.check()
		if err == nil && !spec.Paused { // one that is paused because of a recipient can be kept; going on checks it
			if r.Clients, err = s.namedClients(ctx, scope, r.Clients); err == nil {
				spec.Recipients[i] = r
				err = s.checkRecipient(ctx, scope, spec, t, r)
			}
		}
		if err != nil {
			say(fmt.Sprintf("recipients[%d]", i), "%s", fault.Message(err))
		}
	}
	if len(wrong) > 0 {
		return fault.WithFields("this schedule cannot be kept: "+wrong[0].Message, wrong...)
	}
	return nil
}

// check refuses a recipient that says too little or too much.
func (r Recipient) check() error {
	switch {
	case r.Actor != "" && r.Address != "":
		return fault.Newf(fault.Invalid, "name a member or an address, not both")
	case r.Actor != "" && (r.Role != "" || r.Clients != nil):
		return fault.Newf(fault.Invalid, "a member gets what the member's own role may see: leave role and clients out")
	case r.Address != "" && r.Destination == "":
		return fault.Newf(fault.Invalid, "an address needs a mail server: name a destination of the kind e-mail")
	case r.Actor == "" && r.Address == "" && r.Destination == "":
		return fault.Newf(fault.Invalid, "name a member, an address or a destination")
	case r.Actor != "" && !strings.HasPrefix(r.Actor, "user:"):
		return fault.Newf(fault.Invalid, "%q is no member: write user: and the number, such as user:17", r.Actor)
	}
	return nil
}

// namedClients are the clients of these names, whichever case they are written in.
func (s *Service) namedClients(ctx context.Context, scope tenant.Scope, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	known, err := knownClients(ctx, s.Metrics, scope)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range names {
		i := slices.Index(known, name)
		if i < 0 {
			i = slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
		}
		if i < 0 {
			return nil, fault.Newf(fault.Invalid, "there is no client %q: write the names as they stand under Clients", name)
		}
		if !slices.Contains(out, known[i]) {
			out = append(out, known[i])
		}
	}
	return out, nil
}

// checkRecipient refuses a recipient whom nothing could be sent to now.
func (s *Service) checkRecipient(ctx context.Context, scope tenant.Scope, spec *ScheduleSpec, t *Template, r Recipient) error {
	if err := spec.meant(t, r); err != nil {
		return err
	}
	if r.Destination != "" && s.opt.Takes != nil {
		var to []string
		if one := cmp.Or(r.Actor, r.Address); one != "" {
			to = []string{one}
		}
		if err := s.opt.Takes(ctx, scope, r.Destination, to); err != nil {
			return err
		}
	}
	switch {
	case r.Actor != "":
		_, err := s.opt.ScopeOf(ctx, scope.Tenant, tenant.Actor(r.Actor))
		return err
	case t.Audience == audienceClient:
		return nil // made with the client's rights, whoever gets it
	case r.Role == "":
		return fault.Newf(fault.Invalid, "say with which role's rights the file is made that leaves the house")
	}
	rights, err := s.Policies.Rights(ctx, scope.Tenant, r.Role, access.Limits{Clients: r.Clients})
	if err != nil {
		return err
	}
	if !covers(scope.Rights, t.shown(rights)) {
		return fault.Newf(fault.Forbidden, "the role %s may see more than you may: take a narrower one", r.Role)
	}
	return nil
}

// Schedules lists the schedules by name.
func (s *Service) Schedules(ctx context.Context, scope tenant.Scope) ([]*Schedule, error) {
	return s.schedules(ctx, scope, "")
}

// Schedule returns one; NotFound when there is none.
func (s *Service) Schedule(ctx context.Context, scope tenant.Scope, id string) (*Schedule, error) {
	list, err := s.schedules(ctx, scope, metadb.Text(id))
	if err != nil {
		return nil, err
	}
	if id == "" || len(list) == 0 {
		return nil, fault.Newf(fault.NotFound, "there is no schedule %q", id)
	}
	return list[0], nil
}

func (s *Service) schedules(ctx context.Context, scope tenant.Scope, id string) ([]*Schedule, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := scope.AllRows("schedules"); err != nil {
		return nil, err
	}
	var out []*Schedule
	var bodies []string
	err := s.DB.Read(ctx, func(tx *metadb.Tx) error {
		out, bodies = []*Schedule{}, bodies[:0]
		rows, err := tx.Query(ctx, queries.Get("schedules"), string(scope.Tenant), id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			x := &Schedule{}
			var name, body, next, last, created string
			var paused int64
			if err := rows.Scan(&x.ID, &name, &body, &paused, &next, &last, &x.Problem, &x.CreatedBy, &created); err != nil {
				return err
			}
			bodies = append(bodies, body)
			x.Paused = paused != 0
			if x.CreatedAt, err = metadb.ParseTime(created); err != nil {
				return err
			}
			for _, at := range []struct {
				text string
				into **time.Time
			}{{next, &x.NextAt}, {last, &x.LastAt}} {
				if at.text == "" || at.into == &x.NextAt && x.Paused {
					continue
				}
				t, err := metadb.ParseTime(at.text)
				if err != nil {
					return err
				}
				*at.into = &t
			}
			out = append(out, x)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("schedules: %w", err)
	}
	for i, x := range out {
		paused := x.Paused
		if err := scheduleColumn.OpenJSON(ctx, s.opt.Box, bodies[i], string(scope.Tenant), x.ID, &x.ScheduleSpec); err != nil {
			return nil, fmt.Errorf("schedule %s: %w", x.ID, err)
		}
		x.Paused = paused
	}
	return out, nil
}

// RemoveSchedule removes a schedule; what it made stays.
func (s *Service) RemoveSchedule(ctx context.Context, scope tenant.Scope, id string) error {
	if _, err := s.Schedule(ctx, scope, id); err != nil {
		return err
	}
	return s.DB.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("remove_schedule"), string(scope.Tenant), id)
		if err != nil || n == 0 {
			return errors.Join(err, fault.Newf(fault.NotFound, "there is no schedule %q", id))
		}
		_, err = s.Audit.Append(ctx, scope, tx, audit.Event{Action: "report.schedule_remove", Subject: audit.Subject{Kind: "schedule", ID: id}})
		return err
	})
}

// today is the day of an instant in a schedule's zone.
func (x *Schedule) today(now time.Time) quantity.Day {
	zone, err := time.LoadLocation(x.Zone)
	if err != nil {
		zone = time.UTC
	}
	return quantity.DayOf(now.In(zone))
}
