package secret_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/secret"
)

func TestTextsAreScrubbedOfWhatLooksLikeASecret(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"GET https://anna:S3CRET@example.com/x?y=1",
		"dial sftp://S3CRET@host:22",
		"postgres://moat:p@S3CRET@db:5432/moat?sslmode=disable",
		"host=db user=moat password=S3CRET dbname=moat",
		"host=db password='S3CRET with space' dbname=moat",
		`{"name":"x","password":"S3CRET\" more","port":1}`,
		`{"api_key": "S3CRET"}`,
		"Authorization: Bearer S3CRET.S3CRET-S3CRET",
		"sent bearer S3CRETS3CRET to it",
		"authorization: Basic UzNDUkVUOlMzQ1JFVA==S3CRET",
		"map[Authorization:[Basic S3CRET x] Accept:[*/*]]",
		"Cookie: session=S3CRET; theme=S3CRET",
		"Set-Cookie: s=S3CRET; HttpOnly",
		"X-Vault-Token: S3CRET",
		"/reset?token=S3CRET&x=1",
		"{User:anna Password:S3CRET Port:1}",
		"new_password = S3CRET",
		"client_secret: S3CRET",
		"-----BEGIN OPENSSH PRIVATE KEY-----\nS3CRET\nS3CRET\n-----END OPENSSH PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\nS3CRET cut off",
		"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTM0NSRVQifQS3CRET.sig",
		"hvs.CAESIJlBq0S3CRETS3CRETS3CRET",
	} {
		got := secret.Scrub(text)
		if strings.Contains(got, "S3CRET") || !strings.Contains(got, "•••") {
			t.Errorf("%q became %q", text, got)
		}
		if again := secret.Scrub(got); strings.Count(again, "•") != strings.Count(got, "•") {
			t.Errorf("%q became %q the second time", got, again)
		}
	}
}

func TestOrdinaryTextsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "file of a source", "request", "/api/v1/clients?from=2026-01&by=client", "https://example.com/a@b",
		"the secret was not kept: enter it again after a while", "key service vault.example.com:8200 cannot be reached",
		"import: column client_name: 12 rows", "anna@example.com", "time: 10:15:02", "basic facts", "bearer of news",
		"tokens", "http://127.0.0.1:8080/sources", "SHA256:abcdef0123456789abcdef", "duplicate key value violates unique constraint \"source_name\"",
	} {
		if got := secret.Scrub(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestTheLogHidesSecretsWhereverTheyStand(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log := slog.New(secret.Redacted(make(&out)))
			wrapped := fmt.Errorf("source: %w", &url.Error{Op: "Get", URL: "https://anna:S3CRET@example.com", Err: errors.New("refused")})
			header := http.Header{"Authorization": {"Bearer S3CRET-S3CRET"}, "Cookie": {"s=S3CRET"}}
			type login struct{ User, Password string }
			log.InfoContext(context.WithoutCancel(t.Context()), "a message with password=S3CRET",
				slog.String("password", "S3CRET"), slog.String("Set-Cookie", "S3CRET"), slog.String("api_key", "S3CRET"), slog.String("key", "S3CRET"),
				slog.String("userToken", "S3CRET"), slog.Int("token", 12345678), slog.Any("body", login{"anna", "S3CRET"}), slog.Any("at", &login{"anna", "S3CRET"}),
				slog.Any("error", wrapped), slog.Any("header", header), slog.Any("raw", []byte("password=S3CRET")), slog.Any("text", secret.NewText("S3CRET")),
				slog.Group("credentials", slog.String("user", "S3CRET")), slog.Group("request", slog.String("cookie", "S3CRET"), slog.Any("error", wrapped)),
				slog.Any("late", late{}), slog.Int("rows", 42), slog.String("client", "Acorn"))
			log.With(slog.String("token", "S3CRET"), slog.Any("error", wrapped)).WithGroup("g").Warn("x", slog.String("secret", "S3CRET"))
			text := out.String()
			if strings.Contains(text, "S3CRET") || strings.Contains(text, "12345678") {
				t.Error(text)
			}
			for _, kept := range []string{"Acorn", "42", "refused", "example.com", "anna", "a message with"} {
				if !strings.Contains(text, kept) {
					t.Errorf("%s is missing in %s", kept, text)
				}
			}
		})
	}
}

// late is known only when it is written.
type late struct{}

func (late) LogValue() slog.Value {
	return slog.GroupValue(slog.String("password", "S3CRET"), slog.String("url", "ftp://S3CRET@x"))
}
