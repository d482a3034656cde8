package access

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Where a version of policies stands.
const (
	PolicyProposed = "proposed"
	PolicyApplied  = "applied"
	PolicyRejected = "rejected"
)

// PolicyVersion is a change of a tenant's policies: who, when, why, and what became of it.
type PolicyVersion struct {
	Version   int64        `json:"version"`
	Base      int64        `json:"base" doc:"the version that it changes"`
	Status    string       `json:"status" enum:"proposed,applied,rejected"`
	Current   bool         `json:"current"`
	Reason    string       `json:"reason"`
	At        time.Time    `json:"at"`
	Author    tenant.Actor `json:"author"`
	DecidedAt *time.Time   `json:"decided_at"`
	DecidedBy tenant.Actor `json:"decided_by"`
	Decision  string       `json:"decision" doc:"why it was approved or rejected"`
	Effects   []Effect     `json:"effects" nullable:"false" doc:"what each role gains and loses by it"`
	Lines     []string     `json:"lines" nullable:"false" doc:"lines of own policies that came (+) and went (-)"`
	Waits     string       `json:"waits" doc:"what it waits for; empty when it does not"`

	body string
}

// PolicyEvidence is what the queue shows of a version that waits.
type PolicyEvidence struct {
	Version int64    `json:"version"`
	Reason  string   `json:"reason"`
	Effects []Effect `json:"effects"`
}

// Says tells what each role gains and loses, a sentence each.
func (e PolicyEvidence) Says() []string {
	out := []string{}
	for _, x := range e.Effects {
		says := x.String()
		out = append(out, strings.ToUpper(says[:1])+says[1:]+".")
	}
	if len(out) == 0 {
		out = append(out, "No role gains or loses anything by it.")
	}
	return out
}

// PolicyChange changes a tenant's policies. One of Text, Put and Remove is given.
type PolicyChange struct {
	Text   *string     // the tenant's own policies from now on
	Put    *CustomRole // a role that is new or changed
	New    bool        // Put must not be there yet; otherwise it must
	Remove string      // a custom role that ends
	Reason string
	// Try only says what the change would do.
	Try bool
}

func (c PolicyChange) of(book PolicyBook) (PolicyBook, error) {
	out := PolicyBook{slices.Clone(book.Roles), book.Policies}
	switch {
	case c.Text != nil:
		out.Policies = strings.TrimSpace(*c.Text)
	case c.Put != nil:
		at, known := out.role(c.Put.Name)
		switch {
		case c.New && (known || builtIn(c.Put.Name)):
			return out, fault.Newf(fault.Conflict, "there is a role %q already: take another name", c.Put.Name)
		case c.New:
			out.Roles = append(out.Roles, *c.Put)
		case builtIn(c.Put.Name):
			return out, fault.Newf(fault.Forbidden, "the role %s is built in and cannot be changed: make a role based on it", c.Put.Name)
		case !known:
			return out, fault.Newf(fault.NotFound, "there is no role %q", c.Put.Name)
		default:
			out.Roles[at] = *c.Put
		}
	default:
		at, known := out.role(c.Remove)
		if builtIn(c.Remove) {
			return out, fault.Newf(fault.Forbidden, "the role %s is built in and cannot be removed", c.Remove)
		}
		if !known {
			return out, fault.Newf(fault.NotFound, "there is no role %q", c.Remove)
		}
		out.Roles = slices.Delete(out.Roles, at, at+1)
	}
	return out, nil
}

const maxPolicyReason = 2000

// Change proposes a change of policies. It takes effect at once when nobody else may approve
// it; otherwise it waits for a second person. Whatever gives anybody what the actor does not
// have is refused.
func (p *Policies) Change(ctx context.Context, scope tenant.Scope, c PolicyChange) (PolicyVersion, error) {
	if err := errors.Join(scope.Check(), scope.Need(PoliciesManage)); err != nil {
		return PolicyVersion{}, err
	}
	if utf8.RuneCountInString(c.Reason) > maxPolicyReason {
		return PolicyVersion{}, fault.WithFields("the reason is too long", fault.Field{Path: "reason", Message: fmt.Sprintf("at most %d characters", maxPolicyReason)})
	}
	p.forget(scope.Tenant)
	h, err := p.holding(ctx, scope.Tenant)
	if err != nil {
		return PolicyVersion{}, err
	}
	before := h.rules
	book, err := c.of(before.book)
	if err != nil {
		return PolicyVersion{}, err
	}
	after, err := compile(before.version, book)
	if err != nil {
		return PolicyVersion{}, err
	}
	out := PolicyVersion{Base: before.version, Reason: strings.TrimSpace(c.Reason), Author: scope.Actor, Effects: effects(scope.Tenant, before, after), Lines: lines(before.book.Policies, after.book.Policies)}
	if err := errors.Join(after.sound(scope.Tenant), granted(scope.Rights, out.Effects), p.unused(ctx, scope, c.Remove)); err != nil {
		return out, err
	}
	body, err := json.Marshal(after.book)
	if err != nil {
		return out, err
	}
	if was, _ := json.Marshal(before.book); string(was) == string(body) && !c.Try {
		return out, fault.Newf(fault.Conflict, "this changes nothing")
	}
	alone, err := p.alone(ctx, scope, before)
	if err != nil {
		return out, err
	}
	out.Status = PolicyProposed
	if alone {
		out.Status = PolicyApplied
	} else {
		out.Waits = "a second person who may change policies"
	}
	if c.Try {
		return out, nil
	}
	out.body = string(body)
	if err := p.store(ctx, scope, &out); err != nil {
		return out, fmt.Errorf("policies: %w", err)
	}
	p.forget(scope.Tenant)
	return out, nil
}

// unused refuses to remove a role that accounts have.
func (p *Policies) unused(ctx context.Context, scope tenant.Scope, role string) error {
	if role == "" || p.opt.Holders == nil {
		return nil
	}
	n, err := p.opt.Holders(ctx, scope, []string{role})
	if err == nil && n > 0 {
		err = fault.Newf(fault.Conflict, "%d accounts have the role %s: give them another first", n, role)
	}
	return err
}

// alone says whether nobody but the actor may approve a change.
func (p *Policies) alone(ctx context.Context, scope tenant.Scope, r *ruleset) (bool, error) {
	if p.opt.Holders == nil {
		return true, nil
	}
	n, err := p.opt.Holders(ctx, scope, r.rolesThatMay(scope.Tenant, PoliciesManage))
	return n <= 1, err
}

// store writes a version, as the current one when it is applied.
func (p *Policies) store(ctx context.Context, scope tenant.Scope, v *PolicyVersion) error {
	now := p.now()
	return p.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, policyQueries.Get("begin_policy_head"), t, newViewKey()); err != nil {
			return err
		}
		var current, last int64
		if err := tx.One(ctx, policyQueries.Get("take_policy_head"), []any{t}, &current, &last); err != nil {
			return err
		}
		if current != v.Base {
			return fault.Newf(fault.Conflict, "someone else changed the policies meanwhile: look at them again")
		}
		at := metadb.Now(now)
		if v.At, err = metadb.ParseTime(at); err != nil {
			return err
		}
		v.Version = last + 1
		decidedAt, decidedBy, action := "", "", "policy.propose"
		if v.Status == PolicyApplied {
			v.Current, v.DecidedAt, v.DecidedBy = true, &v.At, scope.Actor
			current, decidedAt, decidedBy, action = v.Version, at, string(scope.Actor), "policy.apply"
		}
		if _, err := tx.Exec(ctx, policyQueries.Get("insert_policy_version"), t, v.Version, v.Base, v.Status, metadb.Text(v.body), metadb.Text(v.Reason), at, metadb.Text(string(scope.Actor)), decidedAt, metadb.Text(decidedBy)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, policyQueries.Get("set_policy_head"), t, current, v.Version); err != nil {
			return err
		}
		if v.Status == PolicyProposed && p.opt.Queue != nil {
			evidence, err := json.Marshal(PolicyEvidence{v.Version, v.Reason, v.Effects})
			if err != nil {
				return err
			}
			if err := p.opt.Queue.Propose(ctx, scope, tx, fmt.Sprint(v.Version), evidence); err != nil {
				return err
			}
		}
		return p.record(ctx, scope, tx, action, *v)
	})
}

// record writes the audit event of a version: what roles gain and lose, without names of
// clients and teams.
func (p *Policies) record(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action string, v PolicyVersion) error {
	said := []string{}
	for _, e := range v.Effects {
		if e.Kind == "client" || e.Kind == "team" {
			e.What = "some"
		}
		said = append(said, e.String())
	}
	slices.Sort(said)
	_, err := p.log.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: "policy", ID: fmt.Sprint(v.Version)}, Detail: map[string]any{"base": v.Base, "effects": slices.Compact(said), "reason_given": v.Reason != ""}})
	return err
}

// Decide approves or rejects a proposed version. Whoever proposed it may withdraw it, but not
// approve it; and nobody approves what gives more than he has.
func (p *Policies) Decide(ctx context.Context, scope tenant.Scope, version int64, approve bool, reason string) (PolicyVersion, error) {
	if err := errors.Join(scope.Check(), scope.Need(PoliciesManage)); err != nil {
		return PolicyVersion{}, err
	}
	if utf8.RuneCountInString(reason) > maxPolicyReason {
		return PolicyVersion{}, fault.WithFields("the reason is too long", fault.Field{Path: "reason", Message: fmt.Sprintf("at most %d characters", maxPolicyReason)})
	}
	p.forget(scope.Tenant)
	v, err := p.Version(ctx, scope, version)
	if err != nil {
		return v, err
	}
	switch {
	case v.Status != PolicyProposed:
		return v, fault.Newf(fault.Conflict, "version %d is %s already", version, v.Status)
	case approve && v.Author == scope.Actor:
		return v, fault.Newf(fault.Forbidden, "you proposed this yourself: a second person has to approve it")
	case approve:
		if err := granted(scope.Rights, v.Effects); err != nil {
			return v, err
		}
	}
	id := ""
	if p.opt.Queue != nil {
		if id, err = p.opt.Queue.Find(ctx, scope, fmt.Sprint(version)); err != nil {
			return v, err
		}
	}
	status, verdict, action := PolicyRejected, "reject", "policy.reject"
	if approve {
		status, verdict, action = PolicyApplied, "approve", "policy.apply"
	}
	now := p.now()
	err = p.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		var current, last int64
		if err := tx.One(ctx, policyQueries.Get("take_policy_head"), []any{t}, &current, &last); err != nil {
			return err
		}
		if approve && current != v.Base {
			return fault.Newf(fault.Conflict, "the policies were changed after this was proposed: reject it and propose it again")
		}
		n, err := tx.Exec(ctx, policyQueries.Get("decide_policy_version"), t, version, status, metadb.Now(now), metadb.Text(string(scope.Actor)), metadb.Text(reason))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Newf(fault.Conflict, "someone else decided this meanwhile: load it again")
		}
		if approve {
			if _, err := tx.Exec(ctx, policyQueries.Get("set_policy_head"), t, version, last); err != nil {
				return err
			}
		}
		if id != "" {
			if err := p.opt.Queue.Decide(ctx, scope, tx, id, verdict, reason); err != nil {
				return err
			}
		}
		return p.record(ctx, scope, tx, action, v)
	})
	if err != nil {
		return v, fmt.Errorf("policies: %w", err)
	}
	p.forget(scope.Tenant)
	return p.Version(ctx, scope, version)
}

// Version returns one version with what it does, a NotFound fault when there is none.
func (p *Policies) Version(ctx context.Context, scope tenant.Scope, version int64) (PolicyVersion, error) {
	list, err := p.versions(ctx, scope, "", 0, version)
	if err == nil && len(list) == 0 {
		err = fault.Newf(fault.NotFound, "there is no version %d of the policies", version)
	}
	return first(list), err
}

// History returns the last versions, newest first; those of a status unless it is "".
func (p *Policies) History(ctx context.Context, scope tenant.Scope, status string, limit int) ([]PolicyVersion, error) {
	return p.versions(ctx, scope, status, cmp.Or(limit, 50), 0)
}

func first(list []PolicyVersion) PolicyVersion {
	if len(list) == 0 {
		return PolicyVersion{}
	}
	return list[0]
}

func (p *Policies) versions(ctx context.Context, scope tenant.Scope, status string, limit int, only int64) ([]PolicyVersion, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	h, err := p.holding(ctx, scope.Tenant)
	if err != nil {
		return nil, err
	}
	var out []PolicyVersion
	bases := map[int64]string{0: `{"roles":[],"policies":""}`}
	err = p.db.Read(ctx, func(tx *metadb.Tx) error {
		if only != 0 {
			v, err := readVersion(ctx, tx, scope.Tenant, only)
			if errors.Is(err, metadb.ErrNoRow) {
				return nil
			}
			out = []PolicyVersion{v}
			if err != nil {
				return err
			}
		} else if out, err = listVersions(ctx, tx, policyQueries.Get("list_policy_versions"), string(scope.Tenant), status, limit); err != nil {
			return err
		}
		for _, v := range out {
			bases[v.Version] = v.body
		}
		for _, v := range out {
			if _, have := bases[v.Base]; !have {
				b, err := readVersion(ctx, tx, scope.Tenant, v.Base)
				if err != nil {
					return err
				}
				bases[v.Base] = b.body
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("versions of policies: %w", err)
	}
	for i := range out {
		v := &out[i]
		v.Current = v.Version == h.rules.version
		if v.Status == PolicyProposed {
			v.Waits = "a second person who may change policies"
		}
		before, err := rulesOf(v.Base, bases[v.Base])
		if err != nil {
			return nil, err
		}
		after, err := rulesOf(v.Version, v.body)
		if err != nil {
			return nil, err
		}
		v.Effects, v.Lines = effects(scope.Tenant, before, after), lines(before.book.Policies, after.book.Policies)
	}
	return out, nil
}

func rulesOf(version int64, body string) (*ruleset, error) {
	var book PolicyBook
	if err := json.Unmarshal([]byte(body), &book); err != nil {
		return nil, fmt.Errorf("policies, version %d: %w", version, err)
	}
	return compile(version, book)
}

func readVersion(ctx context.Context, tx *metadb.Tx, t tenant.Slug, version int64) (PolicyVersion, error) {
	list, err := listVersions(ctx, tx, policyQueries.Get("get_policy_version"), string(t), version)
	if err == nil && len(list) == 0 {
		err = metadb.ErrNoRow
	}
	return first(list), err
}

func listVersions(ctx context.Context, tx *metadb.Tx, text string, args ...any) ([]PolicyVersion, error) {
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []PolicyVersion{}
	for rows.Next() {
		var v PolicyVersion
		var at, author, decidedAt, decidedBy string
		if err := rows.Scan(&v.Version, &v.Base, &v.Status, &v.body, &v.Reason, &at, &author, &decidedAt, &decidedBy, &v.Decision); err != nil {
			return nil, err
		}
		v.Author, v.DecidedBy = tenant.Actor(author), tenant.Actor(decidedBy)
		if v.At, err = metadb.ParseTime(at); err != nil {
			return nil, err
		}
		if decidedAt != "" {
			d, err := metadb.ParseTime(decidedAt)
			if err != nil {
				return nil, err
			}
			v.DecidedAt = &d
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
