// Package secret keeps what must not be read by others unreadable: passwords and keys of other
// systems, personal columns of the control database, and both of them in logs.
//
// It owns encryption, the sources of the master key, a type that does not print itself, and
// a log that hides what slipped through. It does not own where keys and sealed values lie
// (keyring keeps the keys, each store its own values).
//
// A master key lies outside the database: in a file, in the environment, or with a key
// service. It wraps keys that lie in the database; the primary one of these seals new
// values, the others still open theirs. It is envelope encryption: each value has a data key
// of its own. A sealed value names its key and is bound to what it is for, so that one row's
// cannot be put in place of another's.
package secret

import (
	"fmt"
	"log/slog"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Text is a secret in memory. It shows itself to nobody; Reveal is how it is read.
type Text struct{ plain string }

const hidden = "•••"

// NewText returns a secret.
func NewText(plain string) Text { return Text{plain} }

// Reveal returns the secret, for the one call that needs it.
func (t Text) Reveal() string { return t.plain }

// IsZero reports whether there is no secret.
func (t Text) IsZero() bool { return t.plain == "" }

// String hides the secret.
func (t Text) String() string {
	if t.IsZero() {
		return ""
	}
	return hidden
}

// GoString hides the secret.
func (t Text) GoString() string { return fmt.Sprintf("secret.Text(%s)", t) }

// Format hides the secret from every verb.
func (t Text) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.String()) }

// LogValue hides the secret.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText hides the secret, in JSON too.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText takes a secret in.
func (t *Text) UnmarshalText(text []byte) error {
	if t.plain = string(text); t.plain == hidden {
		return fault.Newf(fault.Invalid, "the secret is %s: leave it out to keep the one there is", hidden)
	}
	return nil
}
