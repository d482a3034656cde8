package delivery

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Subscription is a device on which somebody wants messages: they opted in there.
type Subscription struct {
	ID        string       `json:"id"`
	Actor     tenant.Actor `json:"-"`
	Device    string       `json:"device"` // what the user calls it
	CreatedAt time.Time    `json:"created_at"`
	UsedAt    *time.Time   `json:"used_at"` // when a message last reached it; null: never

	sealed string
}

// Browser is what a browser says when its user opts in (PushSubscription.toJSON).
type Browser struct {
	Endpoint string      `json:"endpoint" maxLength:"2000"`
	Keys     BrowserKeys `json:"keys"`
	Device   string      `json:"device,omitempty" maxLength:"100" doc:"what the device is called"`
}

// BrowserKeys are the keys that a browser gives.
type BrowserKeys struct {
	P256DH string `json:"p256dh" maxLength:"200"`
	Auth   string `json:"auth" maxLength:"100"`
}

// Bounds of subscriptions.
const (
	maxDevices = 20        // of a user
	pushTTL    = 24 * 3600 // seconds that a push service keeps a message for a device that is off
	pushKeyRow = "vapid"
)

// pushGuard lets connections through to push services. Every user can name one, so none is
// in a network of our own unless the program is told otherwise.
func (s *Service) pushGuard() reach.Guard {
	return reach.Guard{Networks: s.opt.PushNetworks, What: "a push service", Setting: "a public address"}
}

// PushKey is the public key that browsers ask for before they subscribe, as base64. The first
// call makes it.
func (s *Service) PushKey(ctx context.Context, scope tenant.Scope) (string, error) {
	if err := scope.Check(); err != nil {
		return "", err
	}
	if public, _, err := s.pushKey(ctx, scope); err == nil || !errors.Is(err, metadb.ErrNoRow) {
		return public, err
	}
	public, private, err := newPushKey()
	if err != nil {
		return "", err
	}
	sealed, err := pushKeyColumn.Seal(ctx, s.opt.Box, private, string(scope.Tenant), pushKeyRow)
	if err != nil {
		return "", err
	}
	now := s.now()
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, queries.Get("insert_push_key"), t, pushKeyRow, public, sealed, metadb.Now(now))
		if err != nil || n == 0 { // another process was first
			return err
		}
		return s.record(ctx, scope, tx, "push.key", "push", pushKeyRow, nil)
	})
	if err != nil {
		return "", fmt.Errorf("key for browsers: %w", err)
	}
	public, _, err = s.pushKey(ctx, scope)
	return public, err
}

func (s *Service) pushKey(ctx context.Context, scope tenant.Scope) (string, *ecdsa.PrivateKey, error) {
	var public, sealed string
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("get_push_key"), []any{string(scope.Tenant), pushKeyRow}, &public, &sealed)
	})
	if err != nil {
		return "", nil, err
	}
	private, err := pushKeyColumn.Open(ctx, s.opt.Box, sealed, string(scope.Tenant), pushKeyRow)
	if err != nil {
		return "", nil, err
	}
	key, err := openPushKey(private)
	return public, key, err
}

// Subscribe opts the actor in on a device. A device that somebody else was signed in on before
// belongs to the actor from now on.
func (s *Service) Subscribe(ctx context.Context, scope tenant.Scope, b Browser) (Subscription, error) {
	if err := scope.Check(); err != nil {
		return Subscription{}, err
	}
	if !isActor(string(scope.Actor)) {
		return Subscription{}, fault.Newf(fault.Forbidden, "messages to a browser need an account: sign in, then allow them")
	}
	if err := s.checkBrowser(&b); err != nil {
		return Subscription{}, err
	}
	have, err := s.Subscriptions(ctx, scope)
	if err != nil {
		return Subscription{}, err
	}
	mark := digest("push", b.Endpoint)
	if len(have) >= maxDevices {
		return Subscription{}, fault.Newf(fault.TooLarge, "messages go to at most %d devices: end one of them first", maxDevices)
	}
	id, now := newID(), s.now()
	sealed, err := deviceColumn.SealJSON(ctx, s.opt.Box, b, string(scope.Tenant), id)
	if err != nil {
		return Subscription{}, err
	}
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		t, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), now)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("drop_subscription_of"), string(scope.Tenant), mark); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_subscription"), t, id, string(scope.Actor), metadb.Text(b.Device), mark, sealed, metadb.Now(now)); err != nil {
			return err
		}
		return s.record(ctx, scope, tx, "push.subscribe", "push", id, nil)
	})
	if err != nil {
		return Subscription{}, fmt.Errorf("messages to a browser: %w", err)
	}
	return Subscription{ID: id, Actor: scope.Actor, Device: b.Device, CreatedAt: now}, nil
}

func (s *Service) checkBrowser(b *Browser) error {
	var wrong []fault.Field
	u, err := url.Parse(b.Endpoint)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(b.Endpoint) > 2000:
		wrong = append(wrong, fault.Field{Path: "endpoint", Message: "must be an address that begins with https://"})
	default:
		if err := s.pushGuard().CheckHost(u.Hostname()); err != nil {
			wrong = append(wrong, fault.Field{Path: "endpoint", Message: fault.Message(err)})
		}
	}
	public, err := decodeKey(b.Keys.P256DH, 65)
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(public)
	}
	if err != nil {
		wrong = append(wrong, fault.Field{Path: "keys.p256dh", Message: "must be the browser's public key"})
	}
	if _, err := decodeKey(b.Keys.Auth, 16); err != nil {
		wrong = append(wrong, fault.Field{Path: "keys.auth", Message: fault.Message(err)})
	}
	if b.Device = cut(oneLine(b.Device), 100); b.Device == "" {
		b.Device = "browser"
	}
	if wrong != nil {
		return fault.WithFields("this is no subscription of a browser", wrong...)
	}
	return nil
}

// Unsubscribe ends messages on a device of the actor.
func (s *Service) Unsubscribe(ctx context.Context, scope tenant.Scope, id string) error {
	if err := scope.Check(); err != nil {
		return err
	}
	err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("delete_subscription"), string(scope.Tenant), metadb.Text(id), string(scope.Actor))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Newf(fault.NotFound, "there is no device %q of yours", id)
		}
		return s.record(ctx, scope, tx, "push.unsubscribe", "push", id, nil)
	})
	if err != nil {
		return fmt.Errorf("messages to a browser: %w", err)
	}
	return nil
}

// Subscriptions lists the devices of the actor, the oldest first.
func (s *Service) Subscriptions(ctx context.Context, scope tenant.Scope) ([]Subscription, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if scope.Actor == "" {
		return []Subscription{}, nil
	}
	return s.subscriptions(ctx, scope, string(scope.Actor))
}

// OptedIn reports whether an actor has a device that messages go to.
func (s *Service) OptedIn(ctx context.Context, scope tenant.Scope, actor tenant.Actor) (bool, error) {
	list, err := s.subscriptions(ctx, scope, string(actor))
	return len(list) > 0, err
}

// subscriptions are those of an actor, or with "" of all.
func (s *Service) subscriptions(ctx context.Context, scope tenant.Scope, actor string) ([]Subscription, error) {
	out := []Subscription{}
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_subscriptions"), string(scope.Tenant), metadb.Text(actor))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var x Subscription
			var actor, created, used string
			if err := rows.Scan(&x.ID, &actor, &x.Device, &x.sealed, &created, &used); err != nil {
				return err
			}
			x.Actor = tenant.Actor(actor)
			if x.CreatedAt, err = metadb.ParseTime(created); err != nil {
				return err
			}
			if x.UsedAt, err = optionalTime(used); err != nil {
				return err
			}
			out = append(out, x)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("messages to browsers: %w", err)
	}
	return out, nil
}

// Tidy ends the subscriptions of those who are no members any more: member says who still is.
func (s *Service) Tidy(ctx context.Context, scope tenant.Scope, member func(ctx context.Context, actor tenant.Actor) (bool, error)) error {
	all, err := s.subscriptions(ctx, scope, "")
	if err != nil {
		return err
	}
	asked := map[tenant.Actor]bool{}
	for _, x := range all {
		if asked[x.Actor] {
			continue
		}
		asked[x.Actor] = true
		is, err := member(ctx, x.Actor)
		if err != nil {
			return err
		}
		if is {
			continue
		}
		if err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
			n, err := tx.Exec(ctx, queries.Get("delete_subscriptions_of"), string(scope.Tenant), string(x.Actor))
			if err != nil || n == 0 {
				return err
			}
			return s.record(ctx, scope, tx, "push.end", "account", strings.TrimPrefix(string(x.Actor), "user:"), map[string]any{"devices": n})
		}); err != nil {
			return fmt.Errorf("messages to browsers: %w", err)
		}
	}
	return s.forget(ctx, scope)
}

// note is what a browser is told.
type note struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Title string `json:"title"`
	Body  string `json:"body"`
	Link  string `json:"link,omitempty"`
}

// noteOf shortens a message to what fits.
func noteOf(m Message) ([]byte, error) {
	n := note{ID: m.ID, Kind: m.Kind, Title: cut(m.Subject, 120), Link: cut(m.Link, 500)}
	for size := 600; ; size /= 2 {
		n.Body = cut(strings.TrimSpace(m.Text), max(size, 1))
		out, err := json.Marshal(n)
		if err != nil || len(out) <= maxPush || size == 0 {
			return out, err
		}
	}
}

// sendPush sends a message to every device of an actor. It is sent when one took it; devices
// that are gone are forgotten.
func (s *Service) sendPush(ctx context.Context, scope tenant.Scope, to tenant.Actor, m Message) (Receipt, error) {
	devices, err := s.subscriptions(ctx, scope, string(to))
	if err != nil {
		return Receipt{}, err
	}
	if len(devices) == 0 || to == "" {
		return Receipt{}, fault.Newf(fault.NotFound, "this user wants no messages in a browser")
	}
	public, key, err := s.pushKey(ctx, scope)
	if err != nil {
		return Receipt{}, err
	}
	plain, err := noteOf(m)
	if err != nil {
		return Receipt{}, err
	}
	client := httpClient(s.pushGuard(), s.opt.Roots)
	defer client.CloseIdleConnections()
	var places []string
	var worst error
	for _, d := range devices {
		place, err := s.pushTo(ctx, scope, client, d, public, key, plain, m)
		switch {
		case err == nil:
			places = append(places, place)
		case worst == nil || fault.KindOf(err) == fault.Unavailable:
			worst = err
		}
	}
	if len(places) == 0 {
		return Receipt{}, worst
	}
	sum := sha256.Sum256(plain)
	return Receipt{SHA256: hex.EncodeToString(sum[:]), Place: strings.Join(places, ", ")}, nil
}

// pushTo sends to one device and returns the push service that took it.
func (s *Service) pushTo(ctx context.Context, scope tenant.Scope, client *http.Client, d Subscription, public string, key *ecdsa.PrivateKey, plain []byte, m Message) (string, error) {
	var b Browser
	if err := deviceColumn.OpenJSON(ctx, s.opt.Box, d.sealed, string(scope.Tenant), d.ID, &b); err != nil {
		return "", err
	}
	browser, err := decodeKey(b.Keys.P256DH, 65)
	if err != nil {
		return "", err
	}
	auth, err := decodeKey(b.Keys.Auth, 16)
	if err != nil {
		return "", err
	}
	body, err := sealPush(plain, browser, auth)
	if err != nil {
		return "", err
	}
	authorization, err := vapid(key, public, b.Endpoint, s.opt.Contact, s.now())
	if err != nil {
		return "", err
	}
	where := host(b.Endpoint)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.Endpoint, bytes.NewReader(body))
	if err != nil {
		return "", fault.Newf(fault.Invalid, "the address of a browser at %s cannot be used", where)
	}
	req.Header.Set("Authorization", authorization)
	req.Header.Set("Content-Encoding", "aes128gcm")
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("TTL", fmt.Sprint(pushTTL))
	req.Header.Set("Topic", digest("topic", m.ID)) // 32 characters: a repetition takes the first one's place
	urgency := "normal"
	if m.Urgent {
		urgency = "high"
	}
	req.Header.Set("Urgency", urgency)
	res, err := client.Do(req)
	if err != nil {
		return "", httpFault(ctx, err, where)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone {
		return "", s.goneDevice(ctx, scope, d)
	}
	if err := answered(res, where, ""); err != nil {
		return "", err
	}
	return where, s.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("use_subscription"), string(scope.Tenant), d.ID, metadb.Now(s.now()))
		return err
	})
}

// goneDevice forgets a device whose browser has ended the messages, and says so.
func (s *Service) goneDevice(ctx context.Context, scope tenant.Scope, d Subscription) error {
	err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, queries.Get("delete_subscription"), string(scope.Tenant), d.ID, string(d.Actor))
		if err != nil || n == 0 {
			return err
		}
		return s.record(ctx, scope, tx, "push.gone", "push", d.ID, nil)
	})
	if err != nil {
		return err
	}
	return fault.Newf(fault.NotFound, "the browser wants no messages any more")
}

func optionalTime(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := metadb.ParseTime(text)
	return &t, err
}
