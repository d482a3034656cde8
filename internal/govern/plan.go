package govern

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Plan is what an erasure would change, without changing anything.
type Plan struct {
	Request string               `json:"request"`
	Person  Person               `json:"person"`
	Tables  []warehouse.Affected `json:"tables"`
	Control []ControlHits        `json:"control"`
	Files   []FoundFile          `json:"files"`
	Notes   []string             `json:"notes"` // what stays, and why
	Holds   []Hold               `json:"holds"` // that forbid it
	Keys    []string             `json:"keys"`  // under which amounts and hours stay

	edits   []warehouse.Edit
	sp      *spelling
	session *warehouse.Session // the edits name its relations
}

// Plan says what carrying out a request to erase somebody would change.
func (s *Service) Plan(ctx context.Context, scope tenant.Scope, id string) (*Plan, error) {
	if err := scope.Whole("requests of persons"); err != nil {
		return nil, err
	}
	r, err := s.request(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	if r.Kind != Erasure || r.State != Waiting && r.State != Approved {
		return nil, fault.Newf(fault.Conflict, "there is nothing to preview: this request is %s", r.State)
	}
	p, err := s.plan(ctx, scope, r)
	if err != nil {
		return nil, err
	}
	return p, p.session.Close()
}

// spell writes down how the request's person is written, so that cleaning up still knows it
// once the tables do not.
func spell(r Request, p Person) (string, error) {
	var known spelling
	if err := json.Unmarshal([]byte(r.terms), &known); err != nil {
		return "", fmt.Errorf("request %s: %w", r.ID, err)
	}
	text, err := json.Marshal(spelling{Names: union(p.Names, known.Names), Emails: union(p.Emails, known.Emails), Also: union(known.Also, p.Phones)})
	return string(text), err
}

func union(a, b []string) []string {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

func spellingOf(terms string) (*spelling, error) {
	var known spelling
	if err := json.Unmarshal([]byte(terms), &known); err != nil {
		return nil, fmt.Errorf("names of the request: %w", err)
	}
	return newSpelling(known.Names, known.Emails, known.Also)
}

// plan finds out all about an erasure. The caller closes its session.
func (s *Service) plan(ctx context.Context, scope tenant.Scope, r Request) (p *Plan, err error) {
	all, err := s.people(ctx, scope)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(o Person) bool { return slices.Contains(o.Keys, r.Person) })
	if i < 0 {
		return nil, fault.Newf(fault.NotFound, "nobody is stored under the key %q any more: reject the request", r.Person)
	}
	terms, err := spell(r, all[i])
	if err != nil {
		return nil, err
	}
	p = &Plan{Request: r.ID, Person: all[i], Keys: all[i].Keys, Notes: []string{}, Holds: []Hold{}}
	if p.sp, err = spellingOf(terms); err != nil {
		return nil, err
	}
	if p.session, err = s.w.NewSession(ctx, scope); err != nil {
		return nil, err
	}
	session := p.session // what is returned beside an error is nil
	defer func() {
		if err != nil {
			session.Close()
		}
	}()
	if err := p.session.ViewEver(ctx, "ever"); err != nil {
		return nil, err
	}
	if p.edits, err = s.edits(p.Person, p.sp); err != nil {
		return nil, err
	}
	if p.Tables, err = p.session.Affected(ctx, p.edits); err != nil {
		return nil, err
	}
	if err := s.opt.Accounts.MayErase(ctx, scope, p.sp.Emails); err != nil {
		return nil, err
	}
	if err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		p.Control, err = s.controlHits(ctx, tx, scope, p.sp)
		return err
	}); err != nil {
		return nil, err
	}
	if n := len(p.Person.Users); n > 0 {
		p.Control = append(p.Control, ControlHits{Table: "account", Rows: int64(n)})
	}
	if p.Files, err = s.uploadsWith(ctx, scope, p.sp); err != nil {
		return nil, err
	}
	others, err := s.othersWith(ctx, p.sp)
	if err != nil {
		return nil, err
	}
	p.Files = append(p.Files, others...)
	if err := s.notes(ctx, p, all); err != nil {
		return nil, err
	}
	p.Holds, err = s.holdsAgainst(ctx, scope, p, all)
	return p, err
}

// notes says what stays, and why.
func (s *Service) notes(ctx context.Context, p *Plan, all []Person) error {
	note := func(format string, args ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, args...)) }
	note("Amounts, hours and dates stay under the pseudonym, so that every total is the same before and after.")
	if n := namesakes(all, p.Person); n > 0 {
		note("%d more under another key bear the same name. Their own entries among people stay; a mention in a text cannot be told apart and goes.", n)
	}
	rows, err := p.session.Query(ctx, "SELECT count(DISTINCT client_key) FROM (SELECT client_key FROM ever.clients UNION ALL SELECT client_key FROM ever.invoices) WHERE "+p.sp.matches("client_key", true))
	if err != nil {
		return err
	}
	if rows.Rows[0][0].(int64) > 0 {
		note("The name is also in the name of a client. Where it names the client it stays: invoices must name whom they bill (GDPR Art. 17(3)(b)).")
	}
	if len(p.Person.Users) > 0 {
		note("The account is closed: sessions, keys and ways to sign in end at once. What it did stands on the record under its id alone.")
	}
	for _, c := range p.Control {
		if c.Kept {
			note("What holds the name in the %s stays (%d of its rows): %s.", words(c.Table), c.Rows, c.Why)
		}
	}
	if p.sp.phrase == nil {
		note("Only single words are known of this person, so only whole cells are emptied. Name further spellings in the request to search texts, too.")
	}
	for _, f := range p.Files {
		if f.Action == actionYours {
			note("%s was not made by this program: deal with it yourself.", f.Name)
		}
	}
	note("Backups and exported files outside of the data directory are yours to deal with. After a restore from an older backup, ask for the erasure again.")
	return nil
}

// holdsAgainst are the holds on anything that the erasure would change.
func (s *Service) holdsAgainst(ctx context.Context, scope tenant.Scope, p *Plan, all []Person) ([]Hold, error) {
	holds, err := s.standing(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := []Hold{}
	for _, h := range holds {
		against := h.Kind == HoldPerson && slices.Contains(p.Keys, h.Subject) || h.Kind == HoldDataset && h.Subject == ""
		for _, e := range p.edits {
			if against {
				break
			}
			base := strings.TrimSuffix(e.Table, dataset.PrivateTable(""))
			d, ok := dataset.Find(base)
			if !ok {
				continue
			}
			cond := h.covers(d, "m", all)
			if cond == "" {
				continue
			}
			key := "row_id"
			if d.Effective {
				key = dataset.ColSourceID
			}
			rows, err := p.session.Query(ctx, fmt.Sprintf("SELECT count(*) FROM ever.%s r WHERE %s AND r.%s IN (SELECT m.%s FROM ever.%s m WHERE %s)", e.Table, e.Rows, key, key, base, cond))
			if err != nil {
				return nil, err
			}
			against = rows.Rows[0][0].(int64) > 0
		}
		if !against {
			if against, err = s.holdsFile(ctx, scope, h, p.Files); err != nil {
				return nil, err
			}
		}
		if against {
			out = append(out, h)
		}
	}
	return out, nil
}

// holdsFile reports whether one of the uploads that would be deleted is held: of a dataset,
// or since it names a client.
func (s *Service) holdsFile(ctx context.Context, scope tenant.Scope, h Hold, files []FoundFile) (bool, error) {
	for _, f := range files {
		if f.ID == "" {
			continue
		}
		switch h.Kind {
		case HoldDataset:
			names, err := s.data.DatasetsOf(ctx, scope, f.SHA256)
			if err != nil || slices.Contains(names, h.Subject) {
				return true, err
			}
		case HoldClient:
			client, err := newSpelling(nil, nil, []string{h.Subject})
			if err != nil {
				return false, err
			}
			path, err := s.data.UploadFile(scope, f.ID)
			if err != nil {
				return false, err
			}
			if hit, err := fileHas(ctx, path, client); err != nil || hit {
				return true, err
			}
		}
	}
	return false, nil
}

// words is a table's name for people.
func words(table string) string { return strings.ReplaceAll(table, "_", " ") }
