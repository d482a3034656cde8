package report

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// JobSchedule is the kind of the jobs that run a schedule.
const JobSchedule = "report-schedule"

// DeliveryKind is the kind of deliveries whose content is reports; Ref names them, with commas,
// and after a space the role that the files are told apart by, see toldApart.
const DeliveryKind = "report"

// retryHold is after how long a report that waits for data or decisions is looked at again.
const retryHold = time.Hour

// WorkSchedule does one run of a schedule, given by the job's arguments. Done again, it makes
// and sends nothing twice.
func (s *Service) WorkSchedule(ctx context.Context, scope tenant.Scope, raw json.RawMessage) error {
	var of struct{ ID, Due string }
	if err := json.Unmarshal(raw, &of); err != nil {
		return fault.Wrapf(fault.Invalid, err, "a job to run a schedule without one")
	}
	x, err := s.Schedule(ctx, scope, of.ID)
	if fault.KindOf(err) == fault.NotFound {
		return nil // removed meanwhile
	}
	if err != nil {
		return err
	}
	problem, hold, err := s.run(ctx, scope, x, of.Due)
	if ctx.Err() != nil {
		return err
	}
	if err != nil && problem == "" {
		problem = fault.Message(err)
	}
	if !again(err) {
		err = nil // it is said with the schedule
	}
	look := ""
	if hold {
		look = metadb.Now(s.opt.Now().Add(retryHold))
	}
	_, kept := s.exec(ctx, "ran_schedule", string(scope.Tenant), x.ID, metadb.Now(s.opt.Now()), metadb.Text(problem), look)
	return errors.Join(err, kept)
}

// again reports whether a run that failed is tried again: waiting may help, or, after a defect,
// another version. What a person canceled stays so.
func again(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Conflict, fault.Canceled, fault.TooOften, fault.Internal:
		return !errors.Is(err, errCanceled)
	}
	return false
}

// run makes a schedule's reports and enqueues what sends them. problem says who could not get
// one and why, or, when hold is set, what is waited for. One client's error stops no other; the
// errors that trying again may help against are returned, too.
func (s *Service) run(ctx context.Context, scope tenant.Scope, x *Schedule, due string) (problem string, hold bool, err error) {
	author, err := s.authorOf(ctx, scope.Tenant, x.CreatedBy)
	if err != nil {
		return "", false, err
	}
	req := Request{Template: x.Template, Client: x.Client, Currency: x.Currency, AsOf: x.today(s.opt.Now())}
	first, err := s.Collect(ctx, author, req)
	if err != nil {
		return "", false, err
	}
	if why := s.holdup(x, first); why != "" {
		return why, true, nil
	}
	clients := []string{first.Client}
	if x.EveryClient {
		if clients, err = s.clients(ctx, author, first); err != nil {
			return "", false, err
		}
	}
	var said problems
	var failed []error
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(packs)
	for _, client := range clients {
		one := req
		if client != "" {
			one.Client = client
		}
		group.Go(func() error {
			told, err := s.runOne(ctx, author, x, one, due)
			mu.Lock()
			defer mu.Unlock()
			said = append(said, told...)
			failed = append(failed, err)
			return nil
		})
	}
	_ = group.Wait() // none of them returns an error
	return said.String(), false, errors.Join(failed...)
}

// packs is how many clients' reports of one schedule are made at once.
const packs = 2

// runOne makes and enqueues a schedule's reports about one client, or about all. said holds who
// could not get one and why; the errors among them that trying again may help against are
// returned, too.
func (s *Service) runOne(ctx context.Context, author tenant.Scope, x *Schedule, req Request, due string) (said problems, failed error) {
	note := func(who string, err error) {
		if err == nil {
			return
		}
		said = append(said, problem{who, fault.Message(err), req.Client})
		if again(err) {
			failed = errors.Join(failed, err)
		}
	}
	if len(x.Recipients) == 0 {
		_, err := s.once(ctx, author, x, nil, req, due)
		note("", err)
	}
	for _, r := range x.Recipients {
		if x.EveryClient && len(r.Clients) > 0 && !slices.Contains(r.Clients, req.Client) {
			continue
		}
		note(cmp.Or(r.Actor, hidden(r.Address), r.Destination), s.give(ctx, author, x, r, req, due))
	}
	return said, failed
}

// holdup says why a schedule waits, "" when it does not.
func (s *Service) holdup(x *Schedule, in *Inputs) string {
	if through := in.Observed.DataThrough; x.Stale == Wait {
		if through.IsZero() {
			return "waits for data: nothing is imported yet"
		}
		if through.DaysUntil(in.AsOf) > s.opt.StaleAfter {
			return fmt.Sprintf("waits for newer data: it ends on %s", document.SayDay(through.Time()))
		}
	}
	if x.Review == Wait && in.Observed.Waiting > 0 {
		return fmt.Sprintf("waits for decisions: %s", count(in.Observed.Waiting, "finding is under review", "findings are under review"))
	}
	return ""
}

// clients are those with revenue in the report's period that the author may see.
func (s *Service) clients(ctx context.Context, author tenant.Scope, in *Inputs) ([]string, error) {
	own := *in
	own.Rights = author.Rights
	w, err := s.world(author, &own)
	if err != nil {
		return nil, err
	}
	r, err := w.metrics.Run(ctx, w.scope, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Period: in.Period, Order: []string{"client"}})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, row := range r.Rows {
		if name, ok := row[0].(string); ok && name != "unassigned" && row[1] != nil {
			out = append(out, name)
		}
	}
	return out, nil
}

// give makes the files for one recipient, with that recipient's rights, and enqueues what
// sends them.
func (s *Service) give(ctx context.Context, author tenant.Scope, x *Schedule, r Recipient, req Request, due string) error {
	as := author
	switch {
	case r.Actor != "":
		member, err := s.opt.ScopeOf(ctx, author.Tenant, tenant.Actor(r.Actor))
		if err != nil {
			return err
		}
		if err := member.Need(access.FiguresRead); err != nil {
			return err
		}
		as.Rights = member.Rights
	default:
		t, err := s.Template(ctx, author, x.Template)
		if err != nil {
			return err
		}
		if err := x.meant(t, r); err != nil { // it was, when the schedule was saved
			return err
		}
		if t.Audience == audienceClient {
			break // made with the client's rights, whoever gets it
		}
		if r.Role == "" {
			return fault.Newf(fault.Forbidden, "the report %s is not for clients any more: say with which role's rights the file is made that leaves the house", x.Template)
		}
		rights, err := s.Policies.Rights(ctx, author.Tenant, r.Role, access.Limits{Clients: r.Clients})
		if err != nil {
			return err
		}
		if !covers(author.Rights, t.shown(rights)) {
			return fault.Newf(fault.Forbidden, "the role %s may see more than %s, who set this up", r.Role, x.CreatedBy)
		}
		as.Rights = rights
	}
	made, err := s.once(ctx, as, x, r.Clients, req, due)
	if err != nil {
		return err
	}
	return s.DB.Transact(ctx, func(tx *metadb.Tx) error { return s.enqueue(ctx, author, tx, x, r, made, due) })
}

// once makes a run's reports in all formats, or finds them when they were made already. Nothing
// is made about a client that is not among those of whom it is for, when those are named.
func (s *Service) once(ctx context.Context, as tenant.Scope, x *Schedule, clients []string, req Request, due string) ([]*Report, error) {
	run := x.ID + " " + due
	in, err := s.Collect(ctx, as, req)
	if err != nil {
		return nil, err
	}
	if len(clients) > 0 && in.Client != "" && !slices.Contains(clients, in.Client) {
		return nil, fault.Newf(fault.Forbidden, "it would be about %s, which is not among the clients of this recipient: name the client in the schedule", in.Client)
	}
	t, err := ParseTemplate(in.Template)
	if err != nil {
		return nil, err
	}
	rights, err := json.Marshal(t.shown(in.Rights))
	if err != nil {
		return nil, err
	}
	var out []*Report
	for _, format := range x.Formats {
		var id string
		err = s.DB.Read(ctx, func(tx *metadb.Tx) error {
			return tx.One(ctx, queries.Get("of_run"), []any{string(as.Tenant), run, format, metadb.Text(in.Client), string(rights)}, &id)
		})
		var r *Report
		switch {
		case errors.Is(err, metadb.ErrNoRow):
			r, err = s.makeFrom(ctx, as, in, format, run, nil)
		case err == nil:
			r, err = s.get(ctx, as.Own(), id)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// enqueue adds what sends some reports to a recipient, and notes it with each of them.
func (s *Service) enqueue(ctx context.Context, author tenant.Scope, tx *metadb.Tx, x *Schedule, r Recipient, made []*Report, due string) error {
	ids := make([]string, len(made))
	for i, m := range made {
		ids[i] = m.ID
	}
	channel, sends := "notice", ""
	if r.Destination != "" {
		rights, err := json.Marshal(made[0].rights)
		if err != nil {
			return err
		}
		d := delivery.Delivery{Destination: r.Destination, Kind: DeliveryKind, Ref: strings.Join(ids, ","), Label: made[0].Title + ", " + words(made[0].Period)}
		// A retry sends nothing twice; what is made with other rights is another thing to send.
		d.Once = strings.Join([]string{x.ID, due, made[0].Client, string(rights)}, " ")
		if x.toldApart(r) {
			d.Ref, d.Label = d.Ref+" "+r.Role, d.Label+forRole(r.Role)
		}
		if to := cmp.Or(r.Actor, r.Address); to != "" {
			d.To = []string{to}
		}
		if s.opt.Deliver == nil {
			return fault.Newf(fault.Unavailable, "this installation sends nothing: no destination can be used")
		}
		sent, err := s.opt.Deliver(ctx, author, tx, d)
		if err != nil || len(sent) == 0 { // said before
			return err
		}
		channel, sends = "delivery", sent[0]
	} else {
		var told int64
		if err := tx.One(ctx, queries.Get("told"), []any{string(author.Tenant), ids[0], r.Actor}, &told); err != nil || told > 0 { // said before
			return err
		}
		n := notice.Notice{Kind: notice.ReportReady, Subject: ids[0], Message: made[0].Title + ", " + words(made[0].Period) + ", is ready.", To: tenant.Actor(r.Actor), Link: "/reports?report=" + ids[0]}
		if err := s.opt.Notices.Send(ctx, author, tx, n); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if _, err := tx.Exec(ctx, queries.Get("insert_receipt"), string(author.Tenant), id, metadb.Text(cmp.Or(r.Actor, hidden(r.Address), r.Destination)), channel, metadb.Now(s.opt.Now()), sends); err != nil {
			return err
		}
	}
	return nil
}

// toldApart reports whether the files for a recipient have its role in their names: others of
// the same place, or address, get the report with the rights of another role.
func (x *Schedule) toldApart(r Recipient) bool {
	return slices.ContainsFunc(x.Recipients, func(o Recipient) bool {
		return o.Destination == r.Destination && o.Actor == r.Actor && strings.EqualFold(o.Address, r.Address) && o.Role != r.Role && r.Role != ""
	})
}

func forRole(role string) string { return ", for the role " + role }

// Message is what a delivery of reports sends: register it for DeliveryKind.
func (s *Service) Message(ctx context.Context, scope tenant.Scope, d delivery.Delivery) (delivery.Message, error) {
	var m delivery.Message
	who, outside := tenant.Scope{Tenant: scope.Tenant, Actor: scope.Actor}, true
	if len(d.To) == 1 && strings.HasPrefix(d.To[0], "user:") {
		// What the member may see now counts, not what it was when the file was made.
		member, err := s.opt.ScopeOf(ctx, scope.Tenant, tenant.Actor(d.To[0]))
		if err != nil {
			return m, err
		}
		who, outside = member, false
	}
	ids, role, apart := strings.Cut(d.Ref, " ")
	var list []string
	for _, id := range strings.Split(ids, ",") {
		r, err := s.get(ctx, who, id)
		if err != nil {
			return m, err
		}
		if outside {
			if err := s.mayLeave(ctx, scope, r); err != nil {
				return m, err
			}
		}
		if r.State != Done || r.RemovedAt != nil {
			return m, fault.Newf(fault.NotFound, "the file of the report %s is not there any more", id)
		}
		f, err := FormatOf(r.Format)
		if err != nil {
			return m, err
		}
		path := s.path(scope, r.SHA256)
		name := r.FileName()
		if apart {
			ext := "." + f.Extension
			name = strings.TrimSuffix(name, ext) + "-" + plainName(role) + ext
		}
		m.Files = append(m.Files, delivery.File{Name: name, Type: f.Media, Bytes: r.Bytes, SHA256: r.SHA256, Open: func() (io.ReadCloser, error) { return openFile(path) }})
		list = append(list, fmt.Sprintf("%s (%s)", name, f.Label))
		if m.Subject == "" {
			m.Subject = r.Title + ", " + words(r.Period)
			m.Text = fmt.Sprintf("%s\nPeriod: %s\nAs of: %s\n", r.Title, words(r.Period), document.SayDay(r.AsOf.Time()))
			data := map[string]any{"report": r.ID, "template": r.Template, "client": r.Client, "period": r.Period, "as_of": r.AsOf, "snapshot": r.Snapshot, "sha256": r.SHA256}
			if apart {
				m.Subject += forRole(role)
				m.Text += "With the rights of the role: " + role + "\n"
				data["role"] = role
			}
			for _, n := range r.Notes {
				m.Text += "Note: " + n + "\n"
			}
			if m.Data, err = json.Marshal(data); err != nil {
				return m, err
			}
		}
	}
	m.Text += "\nFiles: " + strings.Join(list, ", ") + "\n"
	m.Kind = DeliveryKind
	return m, nil
}

// hidden is an address for the history, by which whoever knows it recognizes it: "k…@client.example".
// The delivery that it belongs to holds it, sealed.
func hidden(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 {
		return address
	}
	_, size := utf8.DecodeRuneInString(address)
	return address[:size] + "…" + address[at:]
}

// ForgetPerson takes a person, known by e-mail addresses, out of reports: files that may name
// people and what they were made from go, and schedules send nothing to the addresses any more.
func (s *Service) ForgetPerson(ctx context.Context, scope tenant.Scope, emails []string) error {
	if _, err := s.forgetPersonal(ctx, scope); err != nil {
		return err
	}
	list, err := s.Schedules(ctx, scope.Own())
	if err != nil {
		return err
	}
	of := func(address string) bool {
		return address != "" && slices.ContainsFunc(emails, func(e string) bool { return strings.EqualFold(strings.TrimSpace(e), address) })
	}
	for _, x := range list {
		if !slices.ContainsFunc(x.Recipients, func(r Recipient) bool { return of(r.Address) }) {
			continue
		}
		spec := x.ScheduleSpec
		spec.Recipients = slices.DeleteFunc(slices.Clone(spec.Recipients), func(r Recipient) bool { return of(r.Address) })
		if len(spec.Recipients) == 0 {
			spec.Paused = true // nobody is left to get it
		}
		body, err := scheduleColumn.SealJSON(ctx, s.opt.Box, spec, string(scope.Tenant), x.ID)
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, "reseal_schedule", string(scope.Tenant), x.ID, body, flag(spec.Paused)); err != nil {
			return err
		}
	}
	for _, e := range emails {
		if _, err := s.exec(ctx, "forget_receiver", string(scope.Tenant), metadb.Text(hidden(strings.TrimSpace(e)))); err != nil {
			return err
		}
	}
	return nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
