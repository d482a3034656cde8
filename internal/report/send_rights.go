package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// rightsOf is the scope of a member, or of the machine's owner for what no member set up.
func (s *Service) rightsOf(ctx context.Context, t tenant.Slug, actor tenant.Actor) (tenant.Scope, error) {
	if !strings.HasPrefix(string(actor), "user:") {
		return tenant.Scope{Tenant: t, Actor: actor}, nil
	}
	return s.opt.ScopeOf(ctx, t, actor)
}

// authorOf is the scope of whoever set a schedule up, with the rights of now; Forbidden when
// nothing is sent in that name any more.
func (s *Service) authorOf(ctx context.Context, t tenant.Slug, actor string) (tenant.Scope, error) {
	author, err := s.rightsOf(ctx, t, tenant.Actor(actor))
	switch {
	case fault.KindOf(err) == fault.Forbidden:
		return author, fault.Newf(fault.Forbidden, "%s, who set this schedule up, cannot sign in any more: somebody else has to save it", actor)
	case err != nil:
		return author, err
	case author.Need(access.ReportsSend) != nil:
		return author, fault.Newf(fault.Forbidden, "%s, who set this schedule up, may not send reports any more: somebody else has to save it", actor)
	}
	author.Actor = tenant.Actor(actor)
	return author, nil
}

// mayLeave refuses to send a file outside that shows what its role, or whoever set its schedule
// up, may not see any more.
func (s *Service) mayLeave(ctx context.Context, scope tenant.Scope, r *Report) error {
	author, err := s.authorOf(ctx, scope.Tenant, r.MadeBy)
	if err != nil {
		return err
	}
	file := tenant.Rights{Role: roleOf(r.rights)} // of who sees everything
	if r.rights != nil {
		file = *r.rights
	}
	now, err := s.Policies.Rights(ctx, scope.Tenant, file.Role, access.Limits{Clients: file.Clients})
	if err != nil {
		return err
	}
	if !covers(now, &file) {
		return fault.Newf(fault.Forbidden, "the role %s may not see any more what this file shows: run the schedule again", file.Role)
	}
	if file.Role == access.ClientPortal && r.Client != "" && author.Rights != nil {
		file.Teams = author.Rights.Teams // a review for a client is made by whoever sees the client
	}
	if !covers(author.Rights, &file) {
		return fault.Newf(fault.Forbidden, "%s may not see any more what this file shows: somebody else has to save the schedule and run it again", r.MadeBy)
	}
	return nil
}

// meant refuses a recipient who could get what is meant for another client. Whose review leaves
// the house does not depend on who pays most.
func (spec *ScheduleSpec) meant(t *Template, r Recipient) error {
	named := spec.Client != "" && !spec.EveryClient
	outside := r.Address != "" && t.Audience == audienceClient
	switch {
	case named && len(r.Clients) > 0 && !slices.Contains(r.Clients, spec.Client):
		return fault.Newf(fault.Invalid, "%s is not among the clients of this recipient: add it there, or leave the recipient out", spec.Client)
	case outside && spec.EveryClient && len(r.Clients) == 0:
		return fault.Newf(fault.Invalid, "an address outside does not get the reviews of all clients: say which clients it gets, or make a schedule for the one client")
	case outside && !spec.EveryClient && !named:
		return fault.Newf(fault.Invalid, "the client with the highest revenue is not always the same: name the client whose review goes to this address")
	}
	return nil
}

// problem is why somebody did not get a report, and the client it is about.
type problem struct{ who, what, client string }

type problems []problem

// String says each problem once, with the clients that it concerns.
func (list problems) String() string {
	slices.SortFunc(list, func(a, b problem) int {
		return strings.Compare(a.who+"\x00"+a.what+"\x00"+a.client, b.who+"\x00"+b.what+"\x00"+b.client)
	})
	var out []string
	for len(list) > 0 {
		p := list[0]
		n := slices.IndexFunc(list, func(o problem) bool { return o.who != p.who || o.what != p.what })
		if n < 0 {
			n = len(list)
		}
		var clients []string
		for _, o := range list[:n] {
			if o.client != "" && !slices.Contains(clients, o.client) {
				clients = append(clients, o.client)
			}
		}
		text := p.what
		if p.who != "" {
			text = p.who + ": " + text
		}
		if more := len(clients) - 3; more > 0 {
			clients = append(clients[:3], fmt.Sprintf("and %d more", more))
		}
		if len(clients) > 0 {
			text += " (" + strings.Join(clients, ", ") + ")"
		}
		out, list = append(out, text), list[n:]
	}
	return strings.Join(out, "; ")
}
