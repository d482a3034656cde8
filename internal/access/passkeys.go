package access

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

// keptPasskeys bounds the passkeys of one account.
const keptPasskeys = 20

// Passkey is a key on a device or in a password manager that somebody signs in with.
type Passkey struct {
	ID        string
	Name      string
	Host      string // the name of this server that it was made at: it works there only
	CreatedAt time.Time
	UsedAt    time.Time // zero: never

	credential webauthn.Credential
}

// Site is where a browser sees this server: "https://figures.example.com" and
// "figures.example.com".
type Site struct{ Origin, Host string }

// party returns the WebAuthn relying party of a site. The person must be verified by the
// device (by finger, face or PIN), so that a passkey alone is two factors.
func party(at Site) (*webauthn.WebAuthn, error) {
	w, err := webauthn.New(&webauthn.Config{RPID: at.Host, RPDisplayName: "MoatMetrics", RPOrigins: []string{at.Origin},
		AttestationPreference:             protocol.PreferNoAttestation,
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
		AuthenticatorSelection:            protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "passkeys do not work at this address: open this server by a name or as localhost")
	}
	return w, nil
}

// holder is an account as the library asks for it.
type holder struct {
	Account
	keys []Passkey
	host string
}

func (h holder) WebAuthnID() []byte          { return []byte(h.ID) }
func (h holder) WebAuthnName() string        { return h.Email }
func (h holder) WebAuthnDisplayName() string { return h.Name }
func (h holder) WebAuthnCredentials() []webauthn.Credential {
	var out []webauthn.Credential
	for _, k := range h.keys {
		if k.Host == h.host {
			out = append(out, k.credential)
		}
	}
	return out
}

// BeginPasskey returns what the browser needs to make a passkey, and the challenge for
// EnrollPasskey.
func (s *Service) BeginPasskey(ctx context.Context, who Who, at Site) (options any, challenge string, err error) {
	if err := confirmed(who); err != nil {
		return nil, "", err
	}
	w, err := party(at)
	if err != nil {
		return nil, "", err
	}
	p, err := s.Profile(ctx, who)
	if err != nil {
		return nil, "", err
	}
	if len(p.Passkeys) >= keptPasskeys {
		return nil, "", fault.Newf(fault.TooLarge, "%d passkeys are the most: remove one that you do not use", keptPasskeys)
	}
	h := holder{p.Account, p.Passkeys, at.Host}
	made, session, err := w.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return nil, "", fmt.Errorf("passkey: %w", err)
	}
	challenge, err = s.challenge(ctx, "passkey/"+who.Account, who.Account, session)
	return made.Response, challenge, err
}

// EnrollPasskey keeps the passkey that the browser made.
func (s *Service) EnrollPasskey(ctx context.Context, who Who, at Site, challenge, name string, answer []byte) (Passkey, error) {
	if err := confirmed(who); err != nil {
		return Passkey{}, err
	}
	name = strings.TrimSpace(metadb.Text(name))
	if name == "" || len(name) > 80 {
		return Passkey{}, fault.WithFields("the passkey needs a name", fault.Field{Path: "name", Message: "give a name of up to 80 letters, such as My laptop"})
	}
	w, err := party(at)
	if err != nil {
		return Passkey{}, err
	}
	c, err := s.openChallenge(ctx, "passkey/"+who.Account, challenge)
	if err != nil {
		return Passkey{}, fault.Newf(fault.Conflict, "%s", fault.Message(err))
	}
	var session webauthn.SessionData
	if err := json.Unmarshal(c.Data, &session); err != nil {
		return Passkey{}, fmt.Errorf("passkey: %w", err)
	}
	p, err := s.Profile(ctx, who)
	if err != nil {
		return Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Passkey{}, fault.Wrapf(fault.Invalid, err, "the browser's answer is not a passkey: try again")
	}
	made, err := w.CreateCredential(holder{p.Account, p.Passkeys, at.Host}, session, parsed)
	if err != nil {
		return Passkey{}, fault.Wrapf(fault.Invalid, err, "the passkey cannot be checked: try again at the address that this server is opened by")
	}
	text, err := json.Marshal(made)
	if err != nil {
		return Passkey{}, fmt.Errorf("passkey: %w", err)
	}
	key := Passkey{ID: base64.RawURLEncoding.EncodeToString(made.ID), Name: name, Host: at.Host, CreatedAt: s.now()}
	err = s.change(ctx, who.Scope, "account.passkey_add", "account", who.Account, map[string]string{"host": at.Host}, func(tx *metadb.Tx) error {
		if err := s.spend(ctx, tx, challenge, c.Until); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, queries.Get("insert_passkey"), key.ID, who.Account, at.Host, name, string(text), metadb.Now(key.CreatedAt))
		return err
	})
	return key, err
}

// DropPasskey removes one of somebody's own passkeys.
func (s *Service) DropPasskey(ctx context.Context, who Who, id string) error {
	if err := confirmed(who); err != nil {
		return err
	}
	return s.change(ctx, who.Scope, "account.passkey_remove", "account", who.Account, nil, func(tx *metadb.Tx) error {
		return oneRow("passkey", id)(tx.Exec(ctx, queries.Get("delete_passkey"), who.Account, metadb.Text(id)))
	})
}

// BeginPasskeySignIn returns what the browser needs to sign in with a passkey. It is the
// same for everybody: the device knows whose passkey it has.
func (s *Service) BeginPasskeySignIn(ctx context.Context, at Site) (options any, challenge string, err error) {
	w, err := party(at)
	if err != nil {
		return nil, "", err
	}
	asked, session, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("passkey: %w", err)
	}
	challenge, err = s.challenge(ctx, "passkey-sign-in", "", session)
	return asked.Response, challenge, err
}

// PasskeySignIn signs in with a passkey. Tries are not counted: nobody can guess one, and
// so its owner gets in while others try passwords.
func (s *Service) PasskeySignIn(ctx context.Context, at Place, site Site, challenge string, answer []byte) (SignedIn, error) {
	w, err := party(site)
	if err != nil {
		return SignedIn{}, err
	}
	c, err := s.openChallenge(ctx, "passkey-sign-in", challenge)
	if err != nil {
		return SignedIn{}, err
	}
	var session webauthn.SessionData
	if err := json.Unmarshal(c.Data, &session); err != nil {
		return SignedIn{}, fmt.Errorf("passkey: %w", err)
	}
	refuse := fault.Newf(fault.Unauthenticated, "this passkey is not known here: sign in with your password, then add it on your profile")
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return SignedIn{}, refuse
	}
	var h holder
	_, used, err := w.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		err := s.db.Read(ctx, func(tx *metadb.Tx) (err error) {
			if h.Account, err = s.account(ctx, tx, "account_by_id", string(handle)); err != nil {
				return err
			}
			h.keys, err = s.passkeys(ctx, tx, h.ID)
			return err
		})
		h.host = site.Host
		return h, err
	}, session, parsed)
	if err != nil || h.Disabled || used.Authenticator.CloneWarning {
		return SignedIn{}, s.refused(ctx, "", "passkey", at, refuse)
	}
	text, err := json.Marshal(used)
	if err != nil {
		return SignedIn{}, fmt.Errorf("passkey: %w", err)
	}
	var in SignedIn
	err = s.db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := s.spend(ctx, tx, challenge, c.Until); err != nil {
			return err
		}
		members, err := s.memberships(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		if len(members) == 0 {
			return errNotRight()
		}
		id := base64.RawURLEncoding.EncodeToString(used.ID)
		if err := oneRow("passkey", id)(tx.Exec(ctx, queries.Get("use_passkey"), h.ID, id, string(text), metadb.Now(s.now()))); err != nil {
			return err
		}
		in, err = s.begin(ctx, tx, h.ID, members[0].Tenant, at, "passkey")
		return err
	})
	if errors.Is(err, metadb.ErrNoRow) {
		err = refuse
	}
	return in, wrap("sign in", err)
}

func (s *Service) passkeys(ctx context.Context, tx *metadb.Tx, account string) ([]Passkey, error) {
	rows, err := tx.Query(ctx, queries.Get("passkeys"), account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Passkey
	for rows.Next() {
		var k Passkey
		var credential, created, used string
		if err := rows.Scan(&k.ID, &k.Host, &k.Name, &credential, &created, &used); err != nil {
			return nil, err
		}
		k.CreatedAt, k.UsedAt = instant(created), instant(used)
		if err := json.Unmarshal([]byte(credential), &k.credential); err != nil {
			return nil, fmt.Errorf("passkey %s: %w", k.ID, err)
		}
		out = append(out, k)
	}
	return out, rows.Err()
}
