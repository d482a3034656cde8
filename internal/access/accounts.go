package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Options tunes a Service. The zero value is ready to use.
type Options struct {
	// Idle ends a session that was not used for so long. Zero means 8 hours.
	Idle time.Duration
	// Absolute ends a session so long after its sign-in. Zero means 7 days.
	Absolute time.Duration
	// Home is the tenant on whose record failed sign-ins stand. "" means "default".
	Home tenant.Slug
	// Policies say what a role may see and do. Nil means those of the same database.
	Policies *Policies
}

// Service keeps accounts and says who asks.
//
// E-mail addresses and names are sealed; an address is found by a keyed hash of it. Tokens
// of sessions, links and keys are kept as SHA-256 only: they are random, 256 bits, so that
// nobody can try them out.
type Service struct {
	db  *metadb.DB
	log *audit.Log
	box *secret.Box
	now func() time.Time
	opt Options

	mu     sync.Mutex
	lookup []byte // key of the hashes of addresses, once read
	exist  bool   // an account was seen: there are accounts from then on
}

// New returns a service that records changes in log and seals with box.
func New(db *metadb.DB, log *audit.Log, box *secret.Box, now func() time.Time, opt Options) *Service {
	if opt.Idle <= 0 {
		opt.Idle = 8 * time.Hour
	}
	if opt.Absolute <= 0 {
		opt.Absolute = 7 * 24 * time.Hour
	}
	if opt.Home == "" {
		opt.Home = "default"
	}
	if opt.Policies == nil {
		opt.Policies = NewPolicies(db, log, now, PolicyOptions{})
	}
	return &Service{db: db, log: log, box: box, now: now, opt: opt}
}

// Account is a person who may sign in.
type Account struct {
	ID         string
	Email      string
	Name       string
	Disabled   bool
	CreatedAt  time.Time
	SeenAt     time.Time // zero: never
	PasswordAt time.Time
	Password   bool // whether there is one
	TOTP       bool // whether codes of an authenticator app are asked for

	hash   string // of the password, "" when there is none
	sealed string // secret of the codes
	step   int64  // last time step whose code was used
}

// Actor is how the account is called on the record.
func (a Account) Actor() tenant.Actor { return tenant.Actor("user:" + a.ID) }

// Membership is what an account is in a tenant.
type Membership struct {
	Account string
	Tenant  tenant.Slug
	Role    string
	Clients []string // nil: all
	Teams   []string // nil: all
}

// HasAccounts reports whether anybody can sign in. Until then the program answers this
// machine only, without asking who it is.
func (s *Service) HasAccounts(ctx context.Context) (bool, error) {
	s.mu.Lock()
	known := s.exist
	s.mu.Unlock()
	if known {
		return true, nil
	}
	var n int64
	if err := s.db.Read(ctx, func(tx *metadb.Tx) error { return tx.One(ctx, queries.Get("any_account"), nil, &n) }); err != nil {
		return false, fmt.Errorf("accounts: %w", err)
	}
	s.mu.Lock()
	s.exist = s.exist || n > 0
	s.mu.Unlock()
	return n > 0, nil
}

// SetUp makes the first account, the owner of the home tenant, and signs it in.
func (s *Service) SetUp(ctx context.Context, email, name, password string, at Place) (SignedIn, error) {
	email, name, err := person(email, name, &password)
	if err != nil {
		return SignedIn{}, err
	}
	if err := s.ready(ctx); err != nil {
		return SignedIn{}, err
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return SignedIn{}, err
	}
	var in SignedIn
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		var n int64
		if err := tx.One(ctx, queries.Get("any_account"), nil, &n); err != nil {
			return err
		}
		if n > 0 {
			return fault.Newf(fault.Conflict, "there are accounts already: sign in, or ask an owner for an invitation")
		}
		id, err := s.insertAccount(ctx, tx, email, name, hash)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("claim_set_up"), id); err != nil {
			return err
		}
		if err := s.putMembership(ctx, tx, Membership{Account: id, Tenant: s.opt.Home, Role: "owner"}); err != nil {
			return err
		}
		scope := actor(id, s.opt.Home, at)
		if err := s.record(ctx, scope, tx, "account.set_up", "account", id, map[string]any{"role": "owner"}); err != nil {
			return err
		}
		in, err = s.begin(ctx, tx, id, s.opt.Home, at, "password")
		return err
	})
	return in, wrap("set-up", err)
}

// person checks what a person says of themselves; password nil is not checked.
func person(email, name string, password *string) (string, string, error) {
	var wrong []fault.Field
	address, err := cleanEmail(email)
	if err != nil {
		wrong = append(wrong, fault.Field{Path: "email", Message: fault.Message(err)})
	}
	name = strings.TrimSpace(metadb.Text(norm.NFC.String(name)))
	if name == "" || len(name) > 120 {
		wrong = append(wrong, fault.Field{Path: "name", Message: "give a name of up to 120 letters"})
	}
	if password != nil {
		if err := CheckPassword(*password, address, name); err != nil {
			wrong = append(wrong, fault.Field{Path: "password", Message: fault.Message(err)})
		}
	}
	if wrong != nil {
		return "", "", fault.WithFields("this is not complete yet", wrong...)
	}
	return address, name, nil
}

// cleanEmail brings an address into the form that it is compared in.
func cleanEmail(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(norm.NFKC.String(email)))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 {
		return "", fault.Newf(fault.Invalid, "this is not an e-mail address: write it as name@example.com")
	}
	return email, nil
}

func (s *Service) insertAccount(ctx context.Context, tx *metadb.Tx, email, name, hash string) (string, error) {
	id := newID()
	sealedEmail, err := s.seal(ctx, emailColumn, email, id)
	if err != nil {
		return "", err
	}
	sealedName, err := s.seal(ctx, nameColumn, name, id)
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, queries.Get("insert_account"), id, s.digest("email", email), sealedEmail, sealedName, hash, metadb.Now(s.now()))
	if fault.KindOf(err) == fault.Conflict {
		return "", fault.Wrapf(fault.Conflict, err, "there is an account of this address already: sign in with it")
	}
	return id, err
}

// account reads an account by a query that takes one argument.
func (s *Service) account(ctx context.Context, tx *metadb.Tx, query, arg string) (Account, error) {
	var a Account
	var email, name, created, seen, password string
	var disabled int64
	if err := tx.One(ctx, queries.Get(query), []any{arg}, &a.ID, &email, &name, &a.hash, &a.sealed, &a.step, &disabled, &created, &seen, &password); err != nil {
		return a, err
	}
	a.Disabled, a.Password, a.TOTP = disabled != 0, a.hash != "", a.sealed != ""
	a.CreatedAt, a.SeenAt, a.PasswordAt = instant(created), instant(seen), instant(password)
	var err error
	if a.Email, err = s.open(ctx, emailColumn, email, a.ID); err != nil {
		return a, err
	}
	a.Name, err = s.open(ctx, nameColumn, name, a.ID)
	return a, err
}

func (s *Service) putMembership(ctx context.Context, tx *metadb.Tx, m Membership) error {
	id, err := metadb.EnsureTenant(ctx, tx, string(m.Tenant), s.now())
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, queries.Get("put_membership"), m.Account, id, m.Role, list(m.Clients), list(m.Teams), metadb.Now(s.now()))
	return err
}

func (s *Service) membership(ctx context.Context, tx *metadb.Tx, account string, in tenant.Slug) (Membership, error) {
	m := Membership{Account: account}
	var slug, clients, teams string
	if err := tx.One(ctx, queries.Get("membership"), []any{account, string(in)}, &slug, &m.Role, &clients, &teams); err != nil {
		return m, err
	}
	m.Tenant, m.Clients, m.Teams = tenant.Slug(slug), unlist(clients), unlist(teams)
	return m, nil
}

func (s *Service) memberships(ctx context.Context, tx *metadb.Tx, account string) ([]Membership, error) {
	rows, err := tx.Query(ctx, queries.Get("memberships"), account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Membership
	for rows.Next() {
		m := Membership{Account: account}
		var slug, clients, teams string
		if err := rows.Scan(&slug, &m.Role, &clients, &teams); err != nil {
			return nil, err
		}
		m.Tenant, m.Clients, m.Teams = tenant.Slug(slug), unlist(clients), unlist(teams)
		out = append(out, m)
	}
	return out, rows.Err()
}

// list writes a limit: "" is none, which differs from an empty list.
func list(of []string) string {
	if of == nil {
		return ""
	}
	sorted := slices.Clone(of)
	slices.Sort(sorted)
	text, _ := json.Marshal(slices.Compact(sorted)) // strings always encode
	return string(text)
}

// unlist reads a limit; what cannot be read lets nothing through.
func unlist(text string) []string {
	if text == "" {
		return nil
	}
	out := []string{}
	if json.Unmarshal([]byte(text), &out) != nil || out == nil {
		return []string{}
	}
	return out
}

// digest is a keyed hash of what must be found again but not read, such as an address.
// The key must be there: see ready.
func (s *Service) digest(kind, text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	mac := hmac.New(sha256.New, s.lookup)
	mac.Write([]byte(kind + "\x00" + text))
	return hex.EncodeToString(mac.Sum(nil))
}

// ready reads the key of digests, or makes it, in a transaction of its own: what is
// remembered must be what is kept.
func (s *Service) ready(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lookup != nil {
		return nil
	}
	if err := s.box.Ready(ctx); err != nil { // what is sealed in a transaction reads keys only
		return err
	}
	const row = "lookup"
	var sealed string
	read := func(tx *metadb.Tx) error { return tx.One(ctx, queries.Get("lookup_key"), nil, &sealed) }
	err := s.db.Read(ctx, read)
	if errors.Is(err, metadb.ErrNoRow) {
		made := make([]byte, 32)
		rand.Read(made) // never fails
		fresh, serr := s.seal(ctx, lookupColumn, hex.EncodeToString(made), row)
		if serr != nil {
			return serr
		}
		err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
			if _, err := tx.Exec(ctx, queries.Get("insert_lookup_key"), fresh); err != nil {
				return err
			}
			return read(tx)
		})
	}
	if err != nil {
		return fmt.Errorf("key of addresses: %w", err)
	}
	text, err := s.open(ctx, lookupColumn, sealed, row)
	if err != nil {
		return err
	}
	s.lookup, err = hex.DecodeString(text)
	return err
}

// The sealed columns: rotation finds them by Sealed.
var (
	emailColumn  = secret.Column{Table: "account", Column: "email", Holds: "e-mail addresses of users", Global: true}
	nameColumn   = secret.Column{Table: "account", Column: "name", Holds: "names of users", Global: true}
	totpColumn   = secret.Column{Table: "account", Column: "totp", Holds: "secrets of authenticator apps", Global: true}
	lookupColumn = secret.Column{Table: "account_key", Column: "sealed", Holds: "the key that addresses are hashed with", Global: true}
	linkColumn   = secret.Column{Table: "access_link", Column: "email", Holds: "e-mail addresses of invitations and links", Global: true}
)

// Sealed names the columns that are sealed.
func Sealed() []secret.Column {
	return []secret.Column{emailColumn, nameColumn, totpColumn, lookupColumn, linkColumn}
}

func (s *Service) seal(ctx context.Context, in secret.Column, text, row string) (string, error) {
	return in.Seal(ctx, s.box, text, "", row)
}

func (s *Service) open(ctx context.Context, in secret.Column, sealed, row string) (string, error) {
	return in.Open(ctx, s.box, sealed, "", row)
}

// record writes an event into the tenant's record, in the transaction of its change.
func (s *Service) record(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, action, kind, id string, detail any) error {
	_, err := s.log.Append(ctx, scope, tx, audit.Event{Action: action, Subject: audit.Subject{Kind: kind, ID: id}, Detail: detail})
	return err
}

// Place is where somebody asks from.
type Place struct {
	Address string // IP address
	Device  string // browser and system, in words
	// Unattended says that an open page asks by itself, without a person: that is no use of a session.
	Unattended bool
}

// From is the place in words, for the record.
func (p Place) From() string {
	return strings.Trim(p.Address+" · "+p.Device, " ·")
}

// actor is the scope of an account's own doing.
func actor(account string, in tenant.Slug, at Place) tenant.Scope {
	return tenant.Scope{Tenant: in, Actor: tenant.Actor("user:" + account), From: at.From()}
}

// newID returns a name that cannot be guessed: 16 of a-z and 2-7.
func newID() string { return strings.ToLower(rand.Text()[:16]) }

// newToken returns 256 random bits as text, and the hash that is kept of it.
func newToken() (token, hash string) {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, hashToken(token)
}

// hashToken is what is kept of a token. One hash is enough: a token has 256 random bits.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func instant(text string) time.Time {
	t, err := metadb.ParseTime(text)
	if err != nil {
		return time.Time{} // "": never
	}
	return t
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
