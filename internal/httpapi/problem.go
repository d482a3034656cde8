package httpapi

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// problem is an RFC 9457 problem detail; errors lists every wrong part.
type problem struct {
	Type   string         `json:"type" doc:"about:blank: the status says the kind"`
	Title  string         `json:"title" doc:"the status in words"`
	Status int            `json:"status" doc:"HTTP status"`
	Detail string         `json:"detail" doc:"what is wrong and what to do next"`
	Code   string         `json:"code,omitempty" doc:"kind of failure: invalid, not_found, forbidden, unauthenticated, too_often, conflict, too_large, unavailable, canceled, internal"`
	Errors []problemField `json:"errors,omitempty" doc:"each wrong part of the request"`
}

type problemField struct {
	Path    string   `json:"path"`
	Message string   `json:"message"`
	Allowed []string `json:"allowed,omitempty"`
}

// Error makes the problem an error for huma.
func (p problem) Error() string { return p.Detail }

// GetStatus gives huma the status.
func (p problem) GetStatus() int { return p.Status }

// ContentType gives huma the media type.
func (p problem) ContentType(string) string { return "application/problem+json" }

// statuses maps kinds of failure to HTTP once.
var statuses = map[fault.Kind]int{
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.NotFound:        http.StatusNotFound,
	fault.Forbidden:       http.StatusForbidden,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.TooOften:        http.StatusTooManyRequests,
	fault.Conflict:        http.StatusConflict,
	fault.TooLarge:        http.StatusUnprocessableEntity,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Canceled:        http.StatusServiceUnavailable,
	fault.Internal:        http.StatusInternalServerError,
}

// problemOf says an error to the client; of our own defects only that there was one: what it
// was stands in the log.
func problemOf(err error) problem {
	kind := fault.KindOf(err)
	if kind == fault.Internal {
		slog.Error("internal error", slog.Any("error", err))
	}
	p := problem{Type: "about:blank", Status: statuses[kind], Detail: fault.Message(err), Code: string(kind)}
	p.Title = http.StatusText(p.Status)
	for _, f := range fault.FieldsOf(err) {
		p.Errors = append(p.Errors, problemField(f))
	}
	return p
}

func writeProblem(w http.ResponseWriter, p problem) {
	if p.Type == "" {
		p.Type = "about:blank"
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}
