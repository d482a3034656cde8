package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

// recoveryCodes is how many there are; each has 60 random bits.
const recoveryCodes = 10

// Enrollment is what an authenticator app needs to make codes.
type Enrollment struct {
	Key       string // base32, to type in
	URI       string // otpauth://
	Picture   string // the same as a picture to scan: a data address of a PNG
	Challenge string // for EnrollTOTP
}

// BeginTOTP makes the secret of codes. Nothing changes until a code of it comes back.
func (s *Service) BeginTOTP(ctx context.Context, who Who) (Enrollment, error) {
	if err := confirmed(who); err != nil {
		return Enrollment{}, err
	}
	p, err := s.Profile(ctx, who)
	if err != nil {
		return Enrollment{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "MoatMetrics", AccountName: p.Account.Email, Period: codeStep, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return Enrollment{}, fmt.Errorf("authenticator secret: %w", err)
	}
	picture, err := key.Image(240, 240)
	if err != nil {
		return Enrollment{}, fmt.Errorf("authenticator picture: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return Enrollment{}, fmt.Errorf("authenticator picture: %w", err)
	}
	challenge, err := s.challenge(ctx, "totp/"+who.Account, who.Account, key.Secret())
	return Enrollment{key.Secret(), key.URL(), "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()), challenge}, err
}

// EnrollTOTP asks for codes at every sign-in from now on, once a code shows that the app
// has the secret. It returns recovery codes when there were none.
func (s *Service) EnrollTOTP(ctx context.Context, who Who, challenge, code string) ([]string, error) {
	if err := confirmed(who); err != nil {
		return nil, err
	}
	c, err := s.openChallenge(ctx, "totp/"+who.Account, challenge)
	if err != nil {
		return nil, fault.Newf(fault.Conflict, "%s", fault.Message(err))
	}
	var key string
	if err := json.Unmarshal(c.Data, &key); err != nil {
		return nil, err
	}
	step, err := stepOf(key, strings.ReplaceAll(code, " ", ""), s.now())
	if err != nil {
		return nil, fault.WithFields("the code is not right", fault.Field{Path: "code", Message: "type the six figures that the app shows now; its clock must be right"})
	}
	sealed, err := s.seal(ctx, totpColumn, key, who.Account)
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	var codes []string
	err = s.change(ctx, who.Scope, "account.totp_on", "account", who.Account, nil, func(tx *metadb.Tx) error {
		codes = nil
		if err := s.spend(ctx, tx, challenge, c.Until); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("set_totp"), who.Account, sealed, step); err != nil {
			return err
		}
		var n int64
		if err := tx.One(ctx, queries.Get("count_recovery_codes"), []any{who.Account}, &n); err != nil || n > 0 {
			return err
		}
		codes, err = s.newCodes(ctx, tx, who.Account)
		return err
	})
	return codes, err
}

// DropTOTP ends asking for codes; the recovery codes go too, since nothing asks for them.
func (s *Service) DropTOTP(ctx context.Context, who Who) error {
	if err := confirmed(who); err != nil {
		return err
	}
	return s.change(ctx, who.Scope, "account.totp_off", "account", who.Account, nil, func(tx *metadb.Tx) error {
		if _, err := tx.Exec(ctx, queries.Get("set_totp"), who.Account, "", int64(0)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, queries.Get("delete_recovery_codes"), who.Account)
		return err
	})
}

// NewRecoveryCodes makes new recovery codes; the ones before do not work any more.
func (s *Service) NewRecoveryCodes(ctx context.Context, who Who) ([]string, error) {
	if err := confirmed(who); err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	var codes []string
	err := s.change(ctx, who.Scope, "account.recovery_codes", "account", who.Account, nil, func(tx *metadb.Tx) error {
		a, err := s.account(ctx, tx, "account_by_id", who.Account)
		if err != nil {
			return err
		}
		if !a.TOTP {
			return fault.Newf(fault.Conflict, "recovery codes stand in for an authenticator app: set one up first")
		}
		codes, err = s.newCodes(ctx, tx, who.Account)
		return err
	})
	return codes, err
}

func (s *Service) newCodes(ctx context.Context, tx *metadb.Tx, account string) ([]string, error) {
	if _, err := tx.Exec(ctx, queries.Get("delete_recovery_codes"), account); err != nil {
		return nil, err
	}
	var out []string
	for range recoveryCodes {
		code := strings.ToLower(rand.Text()[:12])
		if _, err := tx.Exec(ctx, queries.Get("insert_recovery_code"), account, s.digest("recovery", account+code)); err != nil {
			return nil, err
		}
		out = append(out, code[:4]+"-"+code[4:8]+"-"+code[8:])
	}
	return out, nil
}
