package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"golang.org/x/text/unicode/norm"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// answerWithin is how long a second step may take.
const answerWithin = 5 * time.Minute

// SignedIn is what comes of a step of signing in: a session, or what is still asked for.
type SignedIn struct {
	Token     string // of the session: for the cookie, kept nowhere else
	Account   string
	Challenge string // says which password was right; "" when signed in
}

// errNotRight is the one answer to everything that is not right, so that nobody learns
// which accounts there are.
func errNotRight() error {
	return fault.Newf(fault.Unauthenticated, "the address or the password is not right: check both, or ask an administrator for a link to set a new password")
}

// SignIn checks address and password. Where the account asks for a code, the answer is a
// challenge for SecondFactor. Unknown and disabled accounts get the answer of a wrong
// password, in the same time.
func (s *Service) SignIn(ctx context.Context, email, password string, at Place) (SignedIn, error) {
	if err := s.ready(ctx); err != nil {
		return SignedIn{}, err
	}
	address, err := cleanEmail(email)
	if err != nil {
		address = "\x00" + fmt.Sprintf("%.64s", strings.ToLower(norm.NFKC.String(email))) // nobody's
	}
	var of tries
	if err := s.db.Transact(ctx, func(tx *metadb.Tx) (err error) {
		of, err = s.try(ctx, tx, address, at)
		return err
	}); err != nil {
		return SignedIn{}, wrap("sign in", err)
	}
	var a Account
	var of1 []Membership
	if err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		if a, err = s.account(ctx, tx, "account_by_email", s.digest("email", address)); errors.Is(err, metadb.ErrNoRow) {
			return nil
		} else if err != nil {
			return err
		}
		of1, err = s.memberships(ctx, tx, a.ID)
		return err
	}); err != nil {
		return SignedIn{}, wrap("sign in", err)
	}
	same, err := samePassword(ctx, a.hash, password)
	if err != nil {
		return SignedIn{}, wrap("sign in", err)
	}
	if !same || a.ID == "" || a.Disabled || len(of1) == 0 {
		return SignedIn{}, s.refused(ctx, a.ID, "password", at, errNotRight())
	}
	if a.TOTP {
		challenge, err := s.challenge(ctx, "second", a.ID, nil)
		return SignedIn{Account: a.ID, Challenge: challenge}, err
	}
	var in SignedIn
	err = s.db.Transact(ctx, func(tx *metadb.Tx) (err error) {
		if err := s.succeeded(ctx, tx, of); err != nil {
			return err
		}
		in, err = s.begin(ctx, tx, a.ID, of1[0].Tenant, at, "password")
		return err
	})
	return in, wrap("sign in", err)
}

// refused records that somebody was refused and returns why. Of an account that there is
// none of, nothing is told.
func (s *Service) refused(ctx context.Context, account, how string, at Place, why error) error {
	scope := tenant.Scope{Tenant: s.opt.Home, Actor: "visitor", From: at.From()}
	id := account
	if id == "" {
		id = "unknown"
	}
	if err := s.db.Transact(ctx, func(tx *metadb.Tx) error {
		return s.record(ctx, scope, tx, "session.refuse", "account", id, map[string]string{"how": how})
	}); err != nil {
		return wrap("sign in", err)
	}
	return why
}

// begin starts a session: always a new token, whatever the browser sent.
func (s *Service) begin(ctx context.Context, tx *metadb.Tx, account string, in tenant.Slug, at Place, how string) (SignedIn, error) {
	token, hash := newToken()
	now := metadb.Now(s.now())
	id := newID()
	if _, err := metadb.EnsureTenant(ctx, tx, string(in), s.now()); err != nil {
		return SignedIn{}, err
	}
	if _, err := tx.Exec(ctx, queries.Get("insert_session"), hash, id, account, metadb.Text(at.Device), at.Address, now, string(in)); err != nil {
		return SignedIn{}, err
	}
	if _, err := tx.Exec(ctx, queries.Get("set_seen"), account, now); err != nil {
		return SignedIn{}, err
	}
	err := s.record(ctx, actor(account, in, at), tx, "session.begin", "account", account, map[string]string{"how": how, "session": id})
	return SignedIn{Token: token, Account: account}, err
}

// SecondFactor ends a sign-in with a code of the authenticator app or a recovery code.
func (s *Service) SecondFactor(ctx context.Context, challenge, code string, at Place) (SignedIn, error) {
	if err := s.ready(ctx); err != nil {
		return SignedIn{}, err
	}
	c, err := s.openChallenge(ctx, "second", challenge)
	if err != nil {
		return SignedIn{}, err
	}
	var a Account
	var members []Membership
	if err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		if a, err = s.account(ctx, tx, "account_by_id", c.Account); err != nil {
			return err
		}
		members, err = s.memberships(ctx, tx, a.ID)
		return err
	}); err != nil {
		return SignedIn{}, errNotRight()
	}
	var of tries
	if err := s.db.Transact(ctx, func(tx *metadb.Tx) (err error) {
		of, err = s.try(ctx, tx, a.Email, at)
		return err
	}); err != nil {
		return SignedIn{}, wrap("sign in", err)
	}
	var in SignedIn
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		how, err := s.useCode(ctx, tx, a, code)
		if err != nil {
			return err
		}
		if a.Disabled || len(members) == 0 {
			return errNotRight()
		}
		if err := s.spend(ctx, tx, challenge, c.Until); err != nil {
			return err
		}
		if err := s.succeeded(ctx, tx, of); err != nil {
			return err
		}
		in, err = s.begin(ctx, tx, a.ID, members[0].Tenant, at, how)
		return err
	})
	if fault.KindOf(err) == fault.Unauthenticated {
		return SignedIn{}, s.refused(ctx, a.ID, "code", at, err)
	}
	return in, wrap("sign in", err)
}

// useCode takes a code: each works once.
func (s *Service) useCode(ctx context.Context, tx *metadb.Tx, a Account, code string) (how string, err error) {
	code = strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code))
	if len(code) != codeDigits {
		n, err := tx.Exec(ctx, queries.Get("use_recovery_code"), a.ID, s.digest("recovery", a.ID+code))
		if err == nil && n == 0 {
			err = errCode()
		}
		return "recovery code", err
	}
	step, err := s.stepOf(ctx, a, code)
	if err != nil {
		return "", err
	}
	n, err := tx.Exec(ctx, queries.Get("use_totp_step"), a.ID, step)
	if err == nil && n == 0 {
		err = errCode()
	}
	return "code", err
}

func errCode() error {
	return fault.Newf(fault.Unauthenticated, "the code is not right, or was used already: wait for the next one, or use a recovery code")
}

// The codes of RFC 6238 as every authenticator app makes them. One step before and after
// the current one is taken: clocks differ.
const (
	codeDigits = 6
	codeStep   = 30 // seconds
	codeSkew   = 1
)

// stepOf returns the time step that a code belongs to.
func (s *Service) stepOf(ctx context.Context, a Account, code string) (int64, error) {
	if a.sealed == "" {
		return 0, errCode()
	}
	key, err := s.open(ctx, totpColumn, a.sealed, a.ID)
	if err != nil {
		return 0, err
	}
	return stepOf(key, code, s.now())
}

func stepOf(key, code string, now time.Time) (int64, error) {
	found := int64(0)
	for d := int64(-codeSkew); d <= codeSkew; d++ {
		step := now.Unix()/codeStep + d
		want, err := totp.GenerateCodeCustom(key, time.Unix(step*codeStep, 0), totp.ValidateOpts{Period: codeStep, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}
	if found == 0 {
		return 0, errCode()
	}
	return found, nil
}

// token is what a visitor carries from one step to the next, sealed: nothing is kept for
// those who never come back.
type token struct {
	Account string          `json:"account,omitempty"`
	Until   time.Time       `json:"until"`
	Nonce   string          `json:"nonce"`
	Data    json.RawMessage `json:"data,omitempty"`
}

func (s *Service) challenge(ctx context.Context, kind, account string, data any) (string, error) {
	t := token{Account: account, Until: s.now().Add(answerWithin), Nonce: rand.Text()}
	if data != nil {
		text, err := json.Marshal(data)
		if err != nil {
			return "", err
		}
		t.Data = text
	}
	text, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return s.box.Seal(ctx, secret.NewText(string(text)), "challenge/"+kind)
}

func (s *Service) openChallenge(ctx context.Context, kind, sealed string) (token, error) {
	var t token
	text, err := s.box.Open(ctx, sealed, "challenge/"+kind)
	if err == nil {
		err = json.Unmarshal([]byte(text.Reveal()), &t)
	}
	if err != nil || !s.now().Before(t.Until) {
		return t, fault.Newf(fault.Unauthenticated, "this took too long, or was done already: begin again")
	}
	return t, nil
}

// spend takes a challenge: a second one that brings it is refused.
func (s *Service) spend(ctx context.Context, tx *metadb.Tx, challenge string, until time.Time) error {
	n, err := tx.Exec(ctx, queries.Get("spend_token"), hashToken(challenge), metadb.Now(until))
	if err == nil && n == 0 {
		err = fault.Newf(fault.Unauthenticated, "this took too long, or was done already: begin again")
	}
	return err
}
