// Package delivery sends what others made to where people want it: by e-mail, into a folder, into
// a bucket, to a webhook, to browsers.
//
// It owns destinations, their secrets, the outbox, and the ways of sending. It does not own
// what is sent: whoever enqueues a delivery registers, for its kind, how the content is read
// when it is sent.
//
// # How to use it
//
// Once, at construction:
//
//	deliveries.Register("report", func(ctx context.Context, scope tenant.Scope, d delivery.Delivery) (delivery.Message, error) {
//		return reports.Message(ctx, scope, d.Ref, d.To[0])   // called for each attempt, with one recipient
//	})
//
// Then, in the transaction of the change that causes it:
//
//	ids, err := deliveries.Enqueue(ctx, scope, tx, delivery.Delivery{
//		Destination: "d3k…", To: []string{"user:17", "board@client.example"},
//		Kind: "report", Ref: fileID, Label: "Executive summary, June 2026", Once: "schedule 4 2026-07-01",
//	})
//
// Each recipient is a delivery of its own: one that is refused keeps nobody else's back, and
// nobody reads whom else it went to. A delivery is tried until it is sent, until trying again
// cannot help, or maxAttempts times over about 80 minutes. Once it is sent it is not sent again.
// A process that dies between a server's yes and our note of it makes another attempt: receivers
// tell the two apart by the same id (e-mail: Message-ID; webhook: webhook-id), and a file
// that is there already with the same content counts as sent.
package delivery

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// JobDeliver is the kind of the job that sends one delivery: register Work for it.
const JobDeliver = "deliver"

// Delivery is something that is to be sent, or was.
type Delivery struct {
	ID          string `json:"id"`
	Destination string `json:"destination"` // id; PushDestination for browsers
	// To are who gets it: an e-mail address, or the actor of an account ("user:17"), whose
	// address is looked up when it is sent. E-mail and browsers need some, browsers only
	// actors; a folder, a bucket and a webhook take none.
	To []string `json:"to"`
	// Kind says who knows the content; Ref is what it is known by there.
	Kind string `json:"kind"`
	Ref  string `json:"ref"`
	// Label says in a line what it is, for lists.
	Label string `json:"label"`
	// Once makes a second Enqueue of the same text, for the same destination and recipient, do
	// nothing. "" never does.
	Once string `json:"-"`

	Status    Status       `json:"status"`
	Attempts  int64        `json:"attempts"`
	Problem   string       `json:"problem"` // why it is not sent yet, or was not
	SHA256    string       `json:"sha256"`  // of what was sent, see Receipt
	Place     string       `json:"place"`   // where it was put, see Receipt
	CreatedAt time.Time    `json:"created_at"`
	DueAt     time.Time    `json:"due_at"`  // when it is tried next, while it waits
	DoneAt    *time.Time   `json:"done_at"` // null while it waits
	Actor     tenant.Actor `json:"actor"`   // who caused it
}

// Status says what became of a delivery.
type Status string

// The statuses.
const (
	Waiting  Status = "waiting"
	Sent     Status = "sent"
	Failed   Status = "failed"   // it was refused, or tried too often
	Canceled Status = "canceled" // a person ended it, or there is nothing to send any more
)

// Opener returns the content of a delivery for its one recipient. A NotFound or Forbidden fault
// means that there is nothing to send to this recipient any more: the delivery is canceled.
type Opener func(ctx context.Context, scope tenant.Scope, d Delivery) (Message, error)

// Options tunes a Service. The zero value is ready to use.
type Options struct {
	// Networks are where destinations may be beside public addresses. Nil are the private
	// networks and this machine.
	Networks reach.Networks
	// PushNetworks are the same for push services, which every user can name. Nil are none.
	PushNetworks reach.Networks
	// Folders are the folders of this machine under which destinations may be. Nil are none.
	Folders []string
	// DataDir may hold no destination, nor lie in one. "" allows every folder of Folders.
	DataDir string
	// Roots are whose certificates of servers are trusted. Nil are those of the system.
	Roots *x509.CertPool
	// Box seals destinations and keys. Nil allows none.
	Box *secret.Box
	// Address returns the e-mail address of an account; Forbidden when it cannot sign in any
	// more. Nil knows none.
	Address func(ctx context.Context, t tenant.Slug, actor tenant.Actor) (string, error)
	// Contact is what push services are told about who sends: https://moat.example.com.
	// "" is https://localhost.
	Contact string
	// Timeout bounds one attempt. Zero means 5 minutes.
	Timeout time.Duration
	// Log receives what goes wrong, without addresses and contents. Nil discards.
	Log *slog.Logger
}

// queue enqueues jobs; *job.Queue is one.
type queue interface {
	Enqueue(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, kind string, args any) error
}

// Service keeps destinations and sends to them. It is safe for concurrent use.
type Service struct {
	db      *metadb.DB
	log     *audit.Log
	jobs    queue
	notices *notice.Store
	now     func() time.Time
	opt     Options

	mu      sync.RWMutex
	openers map[string]Opener
}

// New returns a service. Register openers before jobs are worked.
func New(db *metadb.DB, log *audit.Log, jobs queue, now func() time.Time, opt Options) *Service {
	if opt.PushNetworks == nil {
		opt.PushNetworks = reach.Networks{}
	}
	if opt.Timeout <= 0 {
		opt.Timeout = 5 * time.Minute
	}
	if opt.Contact == "" {
		opt.Contact = "https://localhost"
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return &Service{db: db, log: log, jobs: jobs, notices: notice.New(db, now), now: now, opt: opt, openers: map[string]Opener{}}
}

// Register says how the content of a kind of deliveries is read.
func (s *Service) Register(kind string, open Opener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.openers[kind] = open
}

// Bounds of deliveries.
const (
	maxTo    = 200
	maxLabel = 200 // characters
)

// Enqueue adds deliveries in the caller's transaction, one for each recipient, and returns the
// ids of those that are new. They are sent only if the transaction commits. Of d count
// Destination, To, Kind, Ref, Label and Once. NotFound: there is no such destination; Invalid:
// the recipients do not fit its kind.
func (s *Service) Enqueue(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, d Delivery) ([]string, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if d.Kind == "" || d.Ref == "" {
		return nil, fault.Newf(fault.Internal, "a delivery needs a kind and a ref")
	}
	kind, err := s.kindOf(ctx, scope, tx, d.Destination)
	if err != nil {
		return nil, err
	}
	if err := checkTo(kind, d.To); err != nil {
		return nil, err
	}
	now := s.now()
	t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
	if err != nil {
		return nil, fmt.Errorf("deliver: %w", err)
	}
	to := d.To
	if len(to) == 0 {
		to = []string{""}
	}
	out := []string{}
	for _, one := range to {
		id := newID()
		once := id
		if d.Once != "" {
			once = digest(d.Once, d.Destination, strings.ToLower(one))
		}
		actor, address := "", ""
		if isActor(one) {
			actor = one
		} else if address, err = addressColumn.Seal(ctx, s.opt.Box, one, string(scope.Tenant), id); err != nil {
			return nil, fmt.Errorf("deliver: %w", err)
		}
		n, err := tx.Exec(ctx, queries.Get("insert_delivery"), t, id, once, d.Destination, d.Kind, metadb.Text(d.Ref), metadb.Text(cut(oneLine(d.Label), maxLabel)), actor, address, metadb.Now(now), metadb.Text(string(scope.Actor)))
		if err != nil {
			return nil, fmt.Errorf("deliver: %w", err)
		}
		if n == 0 {
			continue // said before
		}
		if err := s.jobs.Enqueue(ctx, scope, tx, JobDeliver, args{ID: id}); err != nil {
			return nil, fmt.Errorf("deliver: %w", err)
		}
		out = append(out, id)
	}
	return out, nil
}

// Takes says whether Enqueue would take a delivery to a destination and recipients; its errors
// are those of Enqueue.
func (s *Service) Takes(ctx context.Context, scope tenant.Scope, destination string, to []string) error {
	if err := scope.Check(); err != nil {
		return err
	}
	return s.db.Read(ctx, func(tx *metadb.Tx) error {
		kind, err := s.kindOf(ctx, scope, tx, destination)
		if err != nil {
			return err
		}
		return checkTo(kind, to)
	})
}

// args are the arguments of the job.
type args struct {
	ID string `json:"id"`
}

func argsOf(raw json.RawMessage) (args, error) {
	var a args
	if err := json.Unmarshal(raw, &a); err != nil || a.ID == "" {
		return a, fault.Newf(fault.Invalid, "a job to deliver nothing")
	}
	return a, nil
}

// kindOf is the kind of a destination, within a transaction.
func (s *Service) kindOf(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, id string) (Kind, error) {
	if id == PushDestination {
		return Push, nil
	}
	var kind string
	err := tx.One(ctx, queries.Get("has_destination"), []any{string(scope.Tenant), metadb.Text(id)}, &kind)
	if errors.Is(err, metadb.ErrNoRow) {
		return "", fault.Newf(fault.NotFound, "there is no destination %q: moatmetrics destinations list shows all", id)
	}
	return Kind(kind), err
}

// checkTo refuses recipients that a kind of destination cannot have.
func checkTo(kind Kind, to []string) error {
	named := kind == Email || kind == Push
	switch {
	case named && len(to) == 0:
		return fault.WithFields("nobody is named whom it goes to", fault.Field{Path: "to", Message: "must name somebody"})
	case !named && len(to) > 0:
		return fault.WithFields("a "+string(kind)+" has no recipients", fault.Field{Path: "to", Message: "must be empty: what is sent goes to the destination itself"})
	case len(to) > maxTo:
		return fault.WithFields("too many recipients", fault.Field{Path: "to", Message: fmt.Sprintf("must be at most %d", maxTo)})
	}
	for i, one := range to {
		if isActor(one) {
			continue
		}
		path := fmt.Sprintf("to[%d]", i)
		if kind == Push {
			return fault.WithFields("browsers belong to users", fault.Field{Path: path, Message: "must be a user of this installation, such as user:17"})
		}
		if _, err := parseAddress(one); err != nil {
			return fault.WithFields("a recipient is not valid", fault.Field{Path: path, Message: fault.Message(err)})
		}
	}
	return nil
}

// isActor reports whether a recipient is an account, not an address.
func isActor(to string) bool {
	id, ok := strings.CutPrefix(to, "user:")
	return ok && id != "" && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r == '@' || r > '~' })
}

func newID() string { return strings.ToLower(rand.Text()[:16]) }

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// oneLine makes one line of a text: what could begin another, or hide, becomes a space.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

func (s *Service) record(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action, kind, id string, detail any) error {
	_, err := s.log.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: kind, ID: id}, Detail: detail})
	return err
}
