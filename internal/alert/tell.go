package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// letter is what one recipient is told.
type letter struct {
	to      tenant.Actor // "" of a webhook, and of a notice to everybody who sees everything
	scope   tenant.Scope
	lines   []line
	subject string
}

// line is what a recipient is told of one hit. It is kept as JSON, and told to webhooks.
type line struct {
	Alert    string    `json:"alert"` // id
	Rule     string    `json:"rule"`
	Severity string    `json:"severity"`
	Subject  string    `json:"subject"`
	Measure  string    `json:"measure"`
	Value    string    `json:"value"`
	Unit     string    `json:"unit"`
	From     string    `json:"from"` // the first day looked at
	To       string    `json:"to"`   // the first day not looked at
	Snapshot int64     `json:"snapshot"`
	Since    time.Time `json:"since"` // when it began
	Reminder bool      `json:"reminder"`
	Says     string    `json:"says"`
	Do       string    `json:"do"`
}

// tell tells all recipients of a route of hits that are due, and keeps that in one transaction
// with the deliveries, the notices and the record of it. What nobody could be told of waits.
func (s *Service) tell(ctx context.Context, scope tenant.Scope, r Route, x state, hits []insight.Hit, list []due) (Told, error) {
	letters, hook, early, err := s.letters(ctx, scope, r, x, hits, list)
	if err != nil {
		return Told{}, err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(d due) bool { return early[d.hit] })
	if len(list) == 0 {
		return Told{}, nil
	}
	there, err := s.destinations(ctx, scope)
	if err != nil {
		return Told{}, err
	}
	pushed := map[tenant.Actor]bool{}
	for _, l := range letters {
		if r.Push && l.to != "" {
			if pushed[l.to], err = s.out.OptedIn(ctx, scope, l.to); err != nil {
				return Told{}, err
			}
		}
	}
	now, zone := s.now(), zoneOf(r, x.zone)
	sent := "" // when the route told something last, as it is kept
	if r.SentAt != nil {
		sent = metadb.Now(*r.SentAt)
	}
	var out Told
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		out = Told{}
		if n, err := tx.Exec(ctx, queries.Get("lock_route"), string(scope.Tenant), r.ID, sent); err != nil || n == 0 {
			return errors.Join(err, errOvertaken)
		}
		heard := map[string]bool{}
		count := func(l letter, n int) {
			out.Messages += n
			for _, one := range l.lines {
				heard[one.Alert] = heard[one.Alert] || n > 0
			}
		}
		for _, l := range letters {
			n, err := s.send(ctx, scope, tx, r, l, there, pushed[l.to])
			if err != nil {
				return err
			}
			count(l, n)
		}
		if hook != nil {
			n, err := s.sendHooks(ctx, scope, tx, r, *hook, there)
			if err != nil {
				return err
			}
			count(*hook, n)
		}
		after := r
		if out.Messages > 0 {
			after.SentAt = &now
		}
		var ids []string
		for _, d := range list {
			critical := slices.ContainsFunc(hits, func(h insight.Hit) bool { return h.ID == d.hit && x.critical(h) })
			if err := s.keepTold(ctx, scope, tx, after, d, heard[d.hit], critical, zone); err != nil {
				return err
			}
			if heard[d.hit] {
				ids = append(ids, d.hit)
			}
		}
		out.Hits = len(ids)
		if len(ids) == 0 {
			return nil
		}
		if _, err := tx.Exec(ctx, queries.Get("route_sent"), string(scope.Tenant), r.ID, metadb.Now(now)); err != nil {
			return err
		}
		return s.record(ctx, scope, tx, "alert.tell", "alert_route", r.ID, map[string]any{"alerts": ids, "messages": out.Messages})
	})
	if err != nil {
		return Told{}, err
	}
	return out, nil
}

// keepTold keeps that a route has told of a hit, and when it reminds of it; or, when nobody heard of
// it, when it looks again whether somebody can be told.
func (s *Service) keepTold(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, r Route, d due, heard, critical bool, zone *time.Location) (err error) {
	now, status, next, pause := s.now(), told, d.at, lookAgain
	if heard {
		pause = time.Duration(r.RemindHours) * time.Hour
	}
	if pause > 0 {
		if next, err = r.when(now.Add(pause), critical, zone); err != nil {
			return err
		}
		status = waiting
	}
	var n int64
	if heard {
		n, err = tx.Exec(ctx, queries.Get("tell_due"), string(scope.Tenant), d.route, d.hit, status, metadb.Now(next), metadb.Now(now))
	} else {
		n, err = tx.Exec(ctx, queries.Get("look_again"), string(scope.Tenant), d.route, d.hit, metadb.Now(next), metadb.Now(now))
	}
	if err == nil && n == 0 {
		return errOvertaken
	}
	return err
}

// letters writes what each recipient is told, and what webhooks are: nil when nothing. What it is too
// early to tell one of them is in no letter, or that one would never be told of it.
func (s *Service) letters(ctx context.Context, scope tenant.Scope, r Route, x state, hits []insight.Hit, list []due) (letters []letter, hook *letter, early map[string]bool, err error) {
	early = map[string]bool{}
	// Each recipient's figures are read as theirs: who is shown pay or names stands on the record.
	read := func(to tenant.Actor, of tenant.Scope) (letter, error) {
		lines, soon, err := s.lines(ctx, of, x, hits, list)
		maps.Copy(early, soon)
		return letter{to: to, scope: of, lines: lines}, err
	}
	recipients, err := s.recipients(ctx, scope, r)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, of := range recipients {
		l, err := read(of.Actor, of)
		if err != nil {
			return nil, nil, nil, err
		}
		letters = append(letters, l)
	}
	if r.InApp && len(r.Users)+len(r.Roles) == 0 { // to everybody who may see all of it
		l, err := read("", scope.Own())
		if err != nil {
			return nil, nil, nil, err
		}
		letters = append(letters, l)
	}
	var hooks []letter
	if len(r.Webhooks) > 0 {
		rights, err := s.policies.Rights(ctx, scope.Tenant, r.WebhookRole, access.Limits{})
		if err != nil && fault.KindOf(err) != fault.Forbidden { // the role is gone: nothing is told
			return nil, nil, nil, err
		}
		if err == nil {
			l, err := read("", tenant.Scope{Tenant: scope.Tenant, Actor: scope.Actor, Rights: rights})
			if err != nil {
				return nil, nil, nil, err
			}
			hooks = append(hooks, l)
		}
	}
	if hooks = finished(hooks, early); len(hooks) > 0 {
		hook = &hooks[0]
	}
	return finished(letters, early), hook, early, nil
}

// finished are the letters that say something beside what it is too early for.
func finished(letters []letter, early map[string]bool) (out []letter) {
	for _, l := range letters {
		l.lines = slices.DeleteFunc(l.lines, func(one line) bool { return early[one.Alert] })
		if len(l.lines) > 0 {
			l.subject = subjectOf(l.lines)
			out = append(out, l)
		}
	}
	return out
}

// recipients are the users of a route who can sign in, with their rights, by id.
func (s *Service) recipients(ctx context.Context, scope tenant.Scope, r Route) ([]tenant.Scope, error) {
	if len(r.Users)+len(r.Roles) == 0 {
		return nil, nil
	}
	users, err := s.people.Users(ctx, scope)
	if err != nil {
		return nil, err
	}
	var out []tenant.Scope
	for _, u := range users {
		actor := u.Account.Actor()
		if !slices.Contains(r.Users, actor) && !slices.Contains(r.Roles, u.Role) {
			continue
		}
		of, err := s.people.ScopeOf(ctx, scope.Tenant, actor, "")
		if fault.KindOf(err) == fault.Forbidden {
			continue // cannot sign in any more
		}
		if err != nil {
			return nil, err
		}
		out = append(out, of)
	}
	return out, nil
}

// lines are what a scope may be told of hits, and which hits it is too early for.
func (s *Service) lines(ctx context.Context, of tenant.Scope, x state, hits []insight.Hit, list []due) ([]line, map[string]bool, error) {
	found, early, err := s.findings(ctx, of, hits)
	if err != nil {
		return nil, nil, err
	}
	var out []line
	for _, h := range hits {
		f, ok := found[h.ID]
		if !ok {
			continue
		}
		again := slices.ContainsFunc(list, func(d due) bool { return d.hit == h.ID && d.times > 0 })
		out = append(out, line{Alert: h.ID, Rule: h.Rule, Severity: x.severity[h.Rule], Subject: h.Subject, Measure: f.Measure, Value: valueOf(f), Unit: string(f.Unit), From: f.Period.From.String(), To: f.Period.To.String(),
			Snapshot: int64(f.Snapshot), Since: h.FirstAt, Reminder: again, Says: f.Headline, Do: f.Recommendation})
	}
	slices.SortStableFunc(out, func(a, b line) int {
		return strings.Compare(rank(a)+a.Rule+"\x00"+a.Subject, rank(b)+b.Rule+"\x00"+b.Subject)
	})
	return out, early, nil
}

// rank puts the critical ones first.
func rank(l line) string {
	return map[string]string{"critical": "0", "warning": "1", "info": "2"}[l.Severity]
}

// subjectOf says in a line what a letter is about.
func subjectOf(lines []line) string {
	critical := 0
	for _, l := range lines {
		if l.Severity == "critical" {
			critical++
		}
	}
	prefix := ""
	if critical > 0 {
		prefix = "Critical: "
	}
	if len(lines) == 1 {
		if lines[0].Reminder {
			prefix += "Still: "
		}
		return prefix + strings.TrimSuffix(lines[0].Says, ".")
	}
	return fmt.Sprintf("%s%d alerts, the first: %s", prefix, len(lines), strings.TrimSuffix(lines[0].Says, "."))
}

// textOf writes a letter for people.
func (s *Service) textOf(lines []line) string {
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "[%s] %s\n", l.Severity, l.Says)
		if l.Do != "" {
			fmt.Fprintf(&b, "%s\n", l.Do)
		}
		if l.Reminder {
			fmt.Fprintf(&b, "It has been so since %s and nobody has acknowledged it.\n", l.Since.UTC().Format("2006-01-02 15:04 UTC"))
		}
	}
	if s.opt.Address != "" {
		fmt.Fprintf(&b, "\nAcknowledge it, or see what is behind it: %s\n", s.link())
	}
	return b.String()
}

func (s *Service) link() string {
	if s.opt.Address == "" {
		return ""
	}
	return strings.TrimSuffix(s.opt.Address, "/") + "/alerts"
}

// send puts a letter into the ways of a route and returns how many messages there are.
func (s *Service) send(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, r Route, l letter, there map[string]delivery.Kind, push bool) (int, error) {
	n := 0
	if r.InApp {
		text := l.subject
		if len(l.lines) > 1 {
			var says []string
			for _, one := range l.lines {
				says = append(says, one.Says)
			}
			text = strings.Join(says, " ")
		}
		if err := s.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.RuleHolds, Subject: l.lines[0].Rule, Message: text, To: l.to}); err != nil {
			return 0, err
		}
		n++
	}
	if l.to == "" {
		return n, nil
	}
	var ways []string
	if _, ok := there[r.Email]; ok && r.Email != "" {
		ways = append(ways, r.Email)
	}
	if push {
		ways = append(ways, delivery.PushDestination)
	}
	if len(ways) == 0 {
		return n, nil
	}
	id, err := s.keepLetter(ctx, scope, tx, r, l)
	if err != nil {
		return 0, err
	}
	for _, way := range ways {
		if _, err := s.out.Enqueue(ctx, scope, tx, delivery.Delivery{Destination: way, To: []string{string(l.to)}, Kind: Kind, Ref: id, Label: label(l)}); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// label says what a delivery is without a figure: whoever manages deliveries reads it.
func label(l letter) string {
	if len(l.lines) == 1 {
		return "Alert: " + l.lines[0].Rule
	}
	return fmt.Sprintf("%d alerts", len(l.lines))
}

func (s *Service) sendHooks(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, r Route, l letter, there map[string]delivery.Kind) (int, error) {
	id, err := s.keepLetter(ctx, scope, tx, r, l)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, way := range r.Webhooks {
		if _, ok := there[way]; !ok {
			continue
		}
		if _, err := s.out.Enqueue(ctx, scope, tx, delivery.Delivery{Destination: way, Kind: Kind, Ref: id, Label: label(l)}); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// keepLetter keeps a letter until it is sent, with a mark of the rights that it was written for.
func (s *Service) keepLetter(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, r Route, l letter) (string, error) {
	now := s.now()
	t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
	if err != nil {
		return "", err
	}
	content, err := json.Marshal(l.lines)
	if err != nil {
		return "", err
	}
	recipient := string(l.to)
	if recipient == "" {
		recipient = "role:" + r.WebhookRole
	}
	urgent := 0
	if l.lines[0].Severity == "critical" {
		urgent = 1
	}
	id := newID()
	_, err = tx.Exec(ctx, queries.Get("insert_message"), t, id, r.ID, recipient, mark(l.scope.Rights), metadb.Text(l.subject), metadb.Text(string(content)), urgent, metadb.Now(now))
	return id, err
}

// mark stands for what rights let somebody see and read.
func mark(r *tenant.Rights) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%v|%v", r.Key(), r.May(needsFigures), r.May(needsBoards)))
	return hex.EncodeToString(sum[:])
}

// Open returns the message of a delivery. It is NotFound when the recipient may not see the same any
// more as when it was written.
func (s *Service) Open(ctx context.Context, scope tenant.Scope, d delivery.Delivery) (delivery.Message, error) {
	var recipient, rights, subject, content string
	var urgent int64
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("get_message"), []any{string(scope.Tenant), metadb.Text(d.Ref)}, &recipient, &rights, &subject, &content, &urgent)
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return delivery.Message{}, fault.Newf(fault.NotFound, "the alert is older than it is kept")
	}
	if err != nil {
		return delivery.Message{}, err
	}
	of := tenant.Scope{Tenant: scope.Tenant, Actor: scope.Actor}
	if role, ok := strings.CutPrefix(recipient, "role:"); ok {
		of.Rights, err = s.policies.Rights(ctx, scope.Tenant, role, access.Limits{})
	} else {
		of, err = s.people.ScopeOf(ctx, scope.Tenant, tenant.Actor(recipient), "")
	}
	if err != nil {
		return delivery.Message{}, err
	}
	if mark(of.Rights) != rights {
		return delivery.Message{}, fault.Newf(fault.NotFound, "the recipient's rights have changed since: it is not told")
	}
	var lines []line
	if err := json.Unmarshal([]byte(content), &lines); err != nil {
		return delivery.Message{}, err
	}
	data, err := json.Marshal(map[string]any{"alerts": lines})
	return delivery.Message{Subject: subject, Text: s.textOf(lines), Link: s.link(), Data: data, Urgent: urgent != 0}, err
}
