package govern

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Person is somebody whom stored rows name. Names and addresses are those of all kept
// snapshots; they are empty once the person is erased.
type Person struct {
	Key    string   `json:"key"`    // the pseudonym that stands for all of Keys
	Keys   []string `json:"keys"`   // one for each way the person came in
	Kinds  []string `json:"kinds"`  // "staff", "contact", "client_contact" or "user"
	Names  []string `json:"names"`  //
	Emails []string `json:"emails"` //
	Phones []string `json:"phones"` // of a client's contact
	Users  []string `json:"users"`  // ids of accounts of this installation
	Erased bool     `json:"erased"` // is on the list of those who stay erased
}

// Label is what to call a person: a name, an address, or the key.
func (p Person) Label() string {
	return cmp.Or(strings.Join(p.Names[:min(1, len(p.Names))], ""), strings.Join(p.Emails[:min(1, len(p.Emails))], ""), p.Key)
}

// maxPeople is how many people a search returns.
const maxPeople = 50

// People finds persons by a part of a name or an address, or by key; "" finds none.
func (s *Service) People(ctx context.Context, scope tenant.Scope, text string) ([]Person, error) {
	if err := scope.Whole("persons"); err != nil {
		return nil, err
	}
	text = strings.ToLower(strings.TrimSpace(text))
	out := []Person{}
	if text == "" {
		return out, nil
	}
	all, err := s.people(ctx, scope)
	if err != nil {
		return nil, err
	}
	has := func(of string) bool { return strings.Contains(strings.ToLower(of), text) }
	for _, p := range all {
		if slices.ContainsFunc(p.Names, has) || slices.ContainsFunc(p.Emails, has) || slices.Contains(p.Keys, text) {
			out = append(out, p)
		}
	}
	return out[:min(len(out), maxPeople)], nil
}

// Person returns who a key stands for, a NotFound fault when nobody.
func (s *Service) Person(ctx context.Context, scope tenant.Scope, key string) (Person, error) {
	if err := scope.Whole("persons"); err != nil {
		return Person{}, err
	}
	all, err := s.people(ctx, scope)
	if err != nil {
		return Person{}, err
	}
	for _, p := range all {
		if slices.Contains(p.Keys, key) {
			return p, nil
		}
	}
	return Person{}, fault.Newf(fault.NotFound, "nobody is stored under the key %q: look for the person by name or e-mail address first", key)
}

// people gathers everybody from all kept snapshots: those with the same e-mail address, and
// those that were found to be one, are one person.
func (s *Service) people(ctx context.Context, scope tenant.Scope) ([]Person, error) {
	if _, err := s.w.Current(ctx, scope); err != nil {
		return nil, err
	}
	for {
		epoch := s.w.Epoch(scope)
		out, err := s.peopleNow(ctx, scope)
		if err == nil {
			return out, nil
		}
		// An erasure removes the files that were being read: the new ones are asked.
		if _, cerr := s.w.Current(ctx, scope); cerr != nil || s.w.Epoch(scope) == epoch {
			return nil, err
		}
	}
}

func (s *Service) peopleNow(ctx context.Context, scope tenant.Scope) ([]Person, error) {
	session, err := s.w.NewSession(ctx, scope)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	if err := session.ViewEver(ctx, "ever"); err != nil {
		return nil, err
	}
	gone, err := s.data.Suppressed(ctx, scope)
	if err != nil {
		return nil, err
	}
	g := newGroups()
	err = session.Each(ctx, "SELECT DISTINCT person_key, kind, name, email FROM ever.people WHERE person_key IS NOT NULL ORDER BY ALL", func(row []any) error {
		g.add(text(row[0]), text(row[1]), text(row[2]), text(row[3]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	// The contact that a client's own row names has no key of its own: it gets the one that
	// the list of contacts would give it.
	err = session.Each(ctx, "SELECT DISTINCT contact_name, contact_email, contact_phone FROM ever.clients_private WHERE coalesce(contact_email, contact_name) IS NOT NULL ORDER BY ALL", func(row []any) error {
		name, email := text(row[0]), text(row[1])
		key, err := s.data.Pseudonym(ctx, scope, cmp.Or(email, name))
		g.add(key, "client_contact", name, email)
		if phone := text(row[2]); phone != "" && !slices.Contains(g.of[key].Phones, phone) {
			g.of[key].Phones = append(g.of[key].Phones, phone)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = session.Each(ctx, "SELECT DISTINCT key, canonical FROM now.aliases WHERE kind = 'staff' AND key IS NOT NULL AND canonical IS NOT NULL", func(row []any) error {
		g.join(text(row[0]), text(row[1]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	users, err := s.opt.Accounts.Users(ctx, scope)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		key, err := s.data.Pseudonym(ctx, scope, u.Account.Email)
		if err != nil {
			return nil, err
		}
		g.add(key, "user", u.Account.Name, u.Account.Email)
		g.of[key].Users = append(g.of[key].Users, u.Account.ID)
	}
	return g.people(gone), nil
}

func text(v any) string { s, _ := v.(string); return s }

// groups puts keys together that stand for the same person.
type groups struct {
	of      map[string]*Person
	byEmail map[string]string
}

func newGroups() *groups { return &groups{map[string]*Person{}, map[string]string{}} }

func (g *groups) add(key, kind, name, email string) {
	p := g.of[key]
	if p == nil {
		p = &Person{Keys: []string{key}}
		g.of[key] = p
	}
	note := func(list *[]string, v string) {
		if v = strings.TrimSpace(v); v != "" && !slices.Contains(*list, v) {
			*list = append(*list, v)
		}
	}
	note(&p.Kinds, kind)
	note(&p.Names, name)
	note(&p.Emails, email)
	if email = strings.ToLower(strings.TrimSpace(email)); email == "" {
		return
	}
	if other, known := g.byEmail[email]; known {
		g.join(key, other)
	} else {
		g.byEmail[email] = key
	}
}

func (g *groups) join(a, b string) {
	p, q := g.of[a], g.of[b]
	if p == nil || q == nil || p == q {
		return
	}
	for _, k := range q.Keys {
		p.Keys = append(p.Keys, k)
		g.of[k] = p
	}
	for dest, src := range map[*[]string][]string{&p.Kinds: q.Kinds, &p.Names: q.Names, &p.Emails: q.Emails, &p.Phones: q.Phones, &p.Users: q.Users} {
		for _, v := range src {
			if !slices.Contains(*dest, v) {
				*dest = append(*dest, v)
			}
		}
	}
}

func (g *groups) people(gone []string) []Person {
	seen := map[*Person]bool{}
	out := []Person{}
	for _, p := range g.of {
		if seen[p] {
			continue
		}
		seen[p] = true
		for _, list := range []*[]string{&p.Keys, &p.Kinds, &p.Names, &p.Emails, &p.Phones, &p.Users} {
			if *list == nil {
				*list = []string{}
			}
			slices.Sort(*list)
		}
		p.Key = p.Keys[0]
		p.Erased = slices.ContainsFunc(p.Keys, func(k string) bool { return slices.Contains(gone, k) })
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Person) int {
		return cmp.Or(strings.Compare(a.Label(), b.Label()), strings.Compare(a.Key, b.Key))
	})
	return out
}

// namesakes counts the other persons who bear one of the names.
func namesakes(all []Person, p Person) int {
	n := 0
	for _, o := range all {
		if o.Key == p.Key {
			continue
		}
		if slices.ContainsFunc(o.Names, func(name string) bool {
			return slices.ContainsFunc(p.Names, func(own string) bool { return strings.EqualFold(own, name) })
		}) {
			n++
		}
	}
	return n
}

// keyList is the SQL list of a person's keys.
func (p Person) keyList() string {
	list := make([]string, len(p.Keys))
	for i, k := range p.Keys {
		list[i] = warehouse.QuoteText(k)
	}
	return strings.Join(list, ", ")
}

// own is the SQL condition of a dataset's rows that are about the person by key, "" when
// they bear no key of a person.
func (p Person) own(d dataset.Dataset, alias string) string {
	var parts []string
	for _, c := range d.Columns(false) {
		if c.Name == dataset.ColStaff || c.Name == dataset.ColPerson {
			parts = append(parts, fmt.Sprintf("coalesce(%s.%s IN (%s), false)", alias, c.Name, p.keyList()))
		}
	}
	return strings.Join(parts, " OR ")
}
