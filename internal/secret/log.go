package secret

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
)

// Redacted returns a handler that hides secrets from h: what is named like one, whatever it
// holds, and in all other texts what looks like one. It is the second line: code that logs a
// secret is wrong also behind it.
func Redacted(h slog.Handler) slog.Handler { return redacted{h} }

type redacted struct{ slog.Handler }

func (r redacted) Handle(ctx context.Context, rec slog.Record) error {
	clean := slog.NewRecord(rec.Time, rec.Level, Scrub(rec.Message), rec.PC)
	rec.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(scrubAttr(a))
		return true
	})
	return r.Handler.Handle(ctx, clean)
}

func (r redacted) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = scrubAttr(a)
	}
	return redacted{r.Handler.WithAttrs(clean)}
}

func (r redacted) WithGroup(name string) slog.Handler { return redacted{r.Handler.WithGroup(name)} }

func scrubAttr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	if namesSecret(a.Key) {
		if v.Kind() == slog.KindString && v.String() == "" {
			return slog.Attr{Key: a.Key, Value: v}
		}
		return slog.String(a.Key, hidden)
	}
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, Scrub(v.String()))
	case slog.KindGroup:
		parts := v.Group()
		clean := make([]slog.Attr, len(parts))
		for i, p := range parts {
			clean[i] = scrubAttr(p)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(clean...)}
	case slog.KindAny:
		return slog.String(a.Key, Scrub(textOf(v.Any())))
	}
	return slog.Attr{Key: a.Key, Value: v} // numbers, times
}

// textOf is a value as a text, bytes as the text they may be.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case error:
		return v.Error()
	}
	return fmt.Sprintf("%+v", v)
}

// secretWords are parts of names whose values are hidden.
const secretWords = `passw(?:or)?d|passphrase|passcode|pwd|secret|token|authorization|cookie|credentials?|api[-_ ]?key|private[-_ ]?key|access[-_ ]?key|master[-_ ]?key|recovery[-_ ]?codes?|totp|otp`

var (
	secretName = regexp.MustCompile(`(?i)^key$|[-_. ]key$|` + secretWords)
	// What looks like a secret, with what to leave of it.
	looks = []struct {
		form *regexp.Regexp
		keep string
	}{
		{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)`), hidden},
		// The user and password of an address; a password may hold @ itself.
		{regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/\s"'<>?#]*@`), "${1}" + hidden + "@"},
		// A header's whole value: Cookie: a=b; c=d, also as Go prints headers.
		{regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-vault-token|x-api-key)("?\s*[:=]\s*)(?:\[[^\]]*\]?|"(?:[^"\\]|\\.)*"?|[^\r\n]*)`), "${1}${2}" + hidden},
		{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}`), "${1} " + hidden},
		// A name of one, then its value: password=x, "password":"x", ?token=x, {Password:x}.
		{regexp.MustCompile(`(?i)((?:` + secretWords + `)[\w-]*"?'?\s*[:=]\s*)(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&})\]"']+)`), "${1}" + hidden},
		{regexp.MustCompile(`\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*`), hidden},                                   // JSON web tokens
		{regexp.MustCompile(`\bh?v[sb]r?\.[A-Za-z0-9_-]{20,}|\bs\.[A-Za-z0-9]{24}\b`), hidden},              // Vault's tokens
		{regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\b(?:gh[pousr]|xox[abprs])[_-]\w{20,}`), hidden}, // of AWS, GitHub, Slack
	}
)

// namesSecret reports whether a name says that its value is a secret.
func namesSecret(name string) bool { return secretName.MatchString(name) }

// Scrub hides what looks like a secret in a text: the user and password of an address,
// values of headers and fields named like a secret, bearer tokens, private keys.
func Scrub(text string) string {
	for _, l := range looks {
		text = l.form.ReplaceAllString(text, l.keep)
	}
	return text
}
