package review

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// What a comment may stand on.
const (
	OnProposal = "proposal" // Key is its id
	OnFinding  = "finding"  // Key is its identity, which outlives its period
	OnNumber   = "number"   // Key is its measure, condition and period
)

// On is what a comment stands on.
type On struct {
	Kind  string `json:"kind"`
	Key   string `json:"key"`
	Label string `json:"label"` // for people, in notices
	Link  string `json:"link"`  // address in the app
}

// Comment is what somebody said about something.
type Comment struct {
	ID        string         `json:"id"`
	On        On             `json:"on"`
	Text      string         `json:"text"`
	Mentions  []tenant.Actor `json:"mentions"`
	Author    tenant.Actor   `json:"author"`
	Name      string         `json:"name"` // of the author
	CreatedAt time.Time      `json:"created_at"`
	EditedAt  *time.Time     `json:"edited_at"` // null when never
	// EditableUntil is until when who asks may edit or delete it, null for others' and old ones.
	EditableUntil *time.Time `json:"editable_until"`
}

const (
	commentRunes = 4000
	editFor      = 15 * time.Minute
)

// Person is somebody who can be named.
type Person struct {
	Actor tenant.Actor `json:"actor"`
	Name  string       `json:"name"`
	// Handle is how the person is written after an @: "kim.lee".
	Handle string `json:"handle"`
}

// People returns those who can be mentioned and given decisions; nobody, while there are no
// accounts: then it is those who took part so far.
type People func(ctx context.Context, scope tenant.Scope) ([]Person, error)

// seen are who took part so far, and who asks.
func (q *Queue) seen(ctx context.Context, scope tenant.Scope) ([]Person, error) {
	out := []Person{}
	err := q.db.Read(ctx, func(tx *metadb.Tx) error {
		out = []Person{{Actor: scope.Actor}}
		rows, err := tx.Query(ctx, queries.Get("seen_actors"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var who string
			if err := rows.Scan(&who); err != nil {
				return err
			}
			if a := tenant.Actor(who); a != scope.Actor && !strings.HasPrefix(who, "job:") {
				out = append(out, Person{Actor: a})
			}
		}
		return rows.Err()
	})
	return out, err
}

// Persons returns who can be mentioned and given decisions, by name.
func (d *Desk) Persons(ctx context.Context, scope tenant.Scope) ([]Person, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	list, err := d.people(ctx, scope)
	if err == nil && len(list) == 0 {
		list, err = d.seen(ctx, scope)
	}
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	for i, p := range list {
		if p.Name == "" {
			_, name, found := strings.Cut(string(p.Actor), ":")
			if list[i].Name = name; !found {
				list[i].Name = string(p.Actor)
			}
		}
		list[i].Handle = strings.ReplaceAll(strings.ToLower(list[i].Name), " ", ".")
	}
	slices.SortFunc(list, func(a, b Person) int { return strings.Compare(a.Handle+string(a.Actor), b.Handle+string(b.Actor)) })
	return list, nil
}

// Assign is Queue.Assign to somebody who can be given decisions.
func (d *Desk) Assign(ctx context.Context, scope tenant.Scope, id string, to tenant.Actor, due quantity.Day) (Proposal, error) {
	if to != "" {
		people, err := d.Persons(ctx, scope)
		if err != nil {
			return Proposal{}, err
		}
		allowed := make([]string, len(people))
		for i, p := range people {
			allowed[i] = string(p.Actor)
		}
		if !slices.Contains(allowed, string(to)) {
			return Proposal{}, fault.WithFields(fmt.Sprintf("%q is nobody who takes part", to), fault.Field{Path: "assignee", Message: "unknown", Allowed: allowed})
		}
	}
	if _, err := d.Queue.Assign(ctx, scope, id, to, due); err != nil {
		return Proposal{}, err
	}
	return d.Get(ctx, scope, id)
}

// mention finds what stands after an @.
var mention = regexp.MustCompile(`(?:^|[^\p{L}\p{N}])@([\p{L}\p{N}_.:+-]+)`)

// mentioned are the people whom a text names after an @, by handle or actor; a handle that
// several people share names none of them.
func mentioned(text string, people []Person) []tenant.Actor {
	out := []tenant.Actor{}
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		token := strings.TrimRight(m[1], ".:-+")
		var fits []tenant.Actor
		for _, p := range people {
			if string(p.Actor) == token || strings.EqualFold(p.Handle, token) {
				fits = append(fits, p.Actor)
			}
		}
		if len(fits) == 1 && !slices.Contains(out, fits[0]) {
			out = append(out, fits[0])
		}
	}
	return out
}

// reach refuses what an actor with limited rights may not see: such actors talk on proposals
// that they see, since a comment may quote any figure.
func (d *Desk) reach(ctx context.Context, scope tenant.Scope, on On) error {
	if err := scope.Check(); err != nil {
		return err
	}
	if on.Key == "" || !slices.Contains([]string{OnProposal, OnFinding, OnNumber}, on.Kind) {
		return fault.Newf(fault.Invalid, "say what the comment is on: a proposal, a finding or a number")
	}
	if on.Kind == OnProposal {
		if err := scope.Need(needsRead); err != nil {
			return err
		}
		_, err := d.Queue.Get(ctx, scope, on.Key)
		return err
	}
	if !scope.Rights.Unlimited() {
		return fault.Newf(fault.Forbidden, "comments on figures are for those who may see all of them: comment on a decision that you see under review")
	}
	return nil
}

// Comments returns what was said on something, oldest first.
func (d *Desk) Comments(ctx context.Context, scope tenant.Scope, on On) ([]Comment, error) {
	if err := d.reach(ctx, scope, on); err != nil {
		return nil, err
	}
	people, err := d.Persons(ctx, scope)
	if err != nil {
		return nil, err
	}
	out := []Comment{}
	err = d.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_comments"), string(scope.Tenant), on.Kind, metadb.Text(on.Key))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c, err := d.comment(scope, people, rows.Scan)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("comments: %w", err)
	}
	return out, nil
}

func (d *Desk) comment(scope tenant.Scope, people []Person, scan func(...any) error) (Comment, error) {
	var c Comment
	var author, created, edited string
	err := scan(&c.ID, &c.On.Kind, &c.On.Key, &c.On.Label, &c.On.Link, &c.Text, &author, &created, &edited)
	if err != nil {
		return c, err
	}
	if c.CreatedAt, err = metadb.ParseTime(created); err != nil {
		return c, err
	}
	if edited != "" {
		at, err := metadb.ParseTime(edited)
		if err != nil {
			return c, err
		}
		c.EditedAt = &at
	}
	c.Author, c.Name, c.Mentions = tenant.Actor(author), author, mentioned(c.Text, people)
	if i := slices.IndexFunc(people, func(p Person) bool { return p.Actor == c.Author }); i >= 0 {
		c.Name = people[i].Name
	}
	if until := c.CreatedAt.Add(editFor); c.Author == scope.Actor && d.now().Before(until) {
		c.EditableUntil = &until
	}
	return c, nil
}

// Comment adds a comment and tells those whom it mentions.
func (d *Desk) Comment(ctx context.Context, scope tenant.Scope, on On, text string) (Comment, error) {
	if err := d.reach(ctx, scope, on); err != nil {
		return Comment{}, err
	}
	people, err := d.Persons(ctx, scope)
	if err != nil {
		return Comment{}, err
	}
	if text, err = commentText(text); err != nil {
		return Comment{}, err
	}
	id, salt := strings.ToLower(rand.Text()[:16]), rand.Text()
	err = d.db.Transact(ctx, func(tx *metadb.Tx) error {
		now := d.now()
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if on.Kind == OnProposal {
			p, err := d.get(ctx, scope, tx, on.Key)
			if err != nil {
				return err
			}
			on.Label, on.Link = p.name(), linkTo(p.ID)
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_comment"), t, id, on.Kind, metadb.Text(on.Key), metadb.Text(on.Label), metadb.Text(on.Link), text, salt, metadb.Text(string(scope.Actor)), metadb.Now(now)); err != nil {
			return err
		}
		if err := d.tell(ctx, scope, tx, id, on, mentioned(text, people)); err != nil {
			return err
		}
		// A comment is free text: the audit holds what it can be proven by, not the words.
		_, err = d.log.Append(ctx, scope, tx, audit.Event{Action: "comment.add", Subject: audit.Subject{Kind: "comment", ID: id}, Detail: map[string]any{"on": on.Kind, "commitment": commitment(salt, text)}})
		return err
	})
	if err != nil {
		return Comment{}, fmt.Errorf("comment: %w", err)
	}
	return d.oneComment(ctx, scope, id)
}

// tell notifies those who are mentioned, but for who mentions.
func (d *Desk) tell(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string, on On, to []tenant.Actor) error {
	for _, a := range to {
		if a == scope.Actor {
			continue
		}
		if err := d.notices.Send(ctx, scope, tx, notice.Notice{Kind: notice.Mentioned, Subject: id, To: a, Message: fmt.Sprintf("%s mentions you on %s", scope.Actor, short(on.Label, 120)), Link: on.Link}); err != nil {
			return err
		}
	}
	return nil
}

func commentText(text string) (string, error) {
	text = metadb.Text(strings.TrimSpace(text))
	if n := utf8.RuneCountInString(text); n == 0 || n > commentRunes {
		return "", fault.WithFields("this comment cannot be kept", fault.Field{Path: "text", Message: fmt.Sprintf("must have 1 to %d characters", commentRunes)})
	}
	return text, nil
}

// commitment proves later what a text was to those who have the text and its salt.
func commitment(salt, text string) string {
	sum := sha256.Sum256([]byte(salt + "\x00" + text))
	return hex.EncodeToString(sum[:])
}

func (d *Desk) oneComment(ctx context.Context, scope tenant.Scope, id string) (Comment, error) {
	people, err := d.Persons(ctx, scope)
	if err != nil {
		return Comment{}, err
	}
	var c Comment
	err = d.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		c, err = d.comment(scope, people, func(dest ...any) error {
			return tx.One(ctx, queries.Get("get_comment"), []any{string(scope.Tenant), metadb.Text(id)}, dest...)
		})
		return err
	})
	if errors.Is(err, metadb.ErrNoRow) {
		return c, fault.Newf(fault.NotFound, "there is no comment %q", id)
	}
	return c, err
}

// own returns a comment that the actor may still change.
func (d *Desk) own(ctx context.Context, scope tenant.Scope, id string) (Comment, error) {
	c, err := d.oneComment(ctx, scope, id)
	if err != nil {
		return c, err
	}
	if err := d.reach(ctx, scope, c.On); fault.KindOf(err) == fault.Forbidden || fault.KindOf(err) == fault.NotFound {
		return Comment{}, fault.Newf(fault.NotFound, "there is no comment %q", id) // not even that there is one
	} else if err != nil {
		return c, err
	}
	if c.Author != scope.Actor {
		return c, fault.Newf(fault.Forbidden, "only who wrote a comment may change it: answer it with another one")
	}
	if c.EditableUntil == nil {
		return c, fault.Newf(fault.Conflict, "a comment may be changed for %d minutes: add another one", int(editFor.Minutes()))
	}
	return c, nil
}

// EditComment replaces the text of an own comment within 15 minutes, and tells those
// whom it mentions only now.
func (d *Desk) EditComment(ctx context.Context, scope tenant.Scope, id, text string) (Comment, error) {
	c, err := d.own(ctx, scope, id)
	if err != nil {
		return c, err
	}
	people, err := d.Persons(ctx, scope)
	if err != nil {
		return c, err
	}
	if text, err = commentText(text); err != nil || text == c.Text {
		return c, err
	}
	fresh := slices.DeleteFunc(mentioned(text, people), func(a tenant.Actor) bool { return slices.Contains(c.Mentions, a) })
	salt := rand.Text()
	err = d.db.Transact(ctx, func(tx *metadb.Tx) error {
		var was string
		if err := tx.One(ctx, queries.Get("get_salt"), []any{string(scope.Tenant), id}, &was); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("edit_comment"), string(scope.Tenant), id, text, salt, metadb.Now(d.now())); err != nil {
			return err
		}
		if err := d.tell(ctx, scope, tx, id, c.On, fresh); err != nil {
			return err
		}
		_, err := d.log.Append(ctx, scope, tx, audit.Event{Action: "comment.edit", Subject: audit.Subject{Kind: "comment", ID: id}, Detail: map[string]any{"before": commitment(was, c.Text), "after": commitment(salt, text)}})
		return err
	})
	if err != nil {
		return c, fmt.Errorf("comment: %w", err)
	}
	return d.oneComment(ctx, scope, id)
}

// DeleteComment removes an own comment within 15 minutes, with its text and the notices
// about it.
func (d *Desk) DeleteComment(ctx context.Context, scope tenant.Scope, id string) error {
	c, err := d.own(ctx, scope, id)
	if err != nil {
		return err
	}
	return d.db.Transact(ctx, func(tx *metadb.Tx) error {
		var was string
		if err := tx.One(ctx, queries.Get("get_salt"), []any{string(scope.Tenant), id}, &was); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("delete_comment"), string(scope.Tenant), id, metadb.Now(d.now())); err != nil {
			return err
		}
		if err := d.notices.Withdraw(ctx, scope, tx, notice.Mentioned, id); err != nil {
			return err
		}
		_, err := d.log.Append(ctx, scope, tx, audit.Event{Action: "comment.delete", Subject: audit.Subject{Kind: "comment", ID: id}, Detail: map[string]any{"before": commitment(was, c.Text)}})
		return err
	})
}

// CommentCounts returns how many comments stand on each subject of a kind that the actor
// may read.
func (d *Desk) CommentCounts(ctx context.Context, scope tenant.Scope, kind string) (map[string]int64, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	out := map[string]int64{}
	if !scope.Rights.Unlimited() {
		return out, nil
	}
	err := d.db.Read(ctx, func(tx *metadb.Tx) error {
		clear(out)
		rows, err := tx.Query(ctx, queries.Get("count_comments"), string(scope.Tenant), kind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			var n int64
			if err := rows.Scan(&key, &n); err != nil {
				return err
			}
			out[key] = n
		}
		return rows.Err()
	})
	return out, err
}
