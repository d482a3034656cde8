// Package fault names the kinds of failure and says what a user may read of them.
//
// It owns the kinds and the user's message; it does not own transport (HTTP maps
// kinds to statuses once, in httpapi; the CLI maps them to exit codes, in app).
// A kind is set once, where the fact is known; packages above add their noun with
// fmt.Errorf("noun: %w", err).
package fault

import (
	"errors"
	"fmt"
)

// Kind is a kind of failure.
type Kind string

// The kinds. An error without a kind is Internal.
const (
	Invalid         Kind = "invalid"         // the input is wrong; the message says what and what is allowed
	NotFound        Kind = "not_found"       // the named thing does not exist
	Forbidden       Kind = "forbidden"       // the caller may not
	Unauthenticated Kind = "unauthenticated" // nobody was recognized: sign in
	TooOften        Kind = "too_often"       // tried too often; waiting helps
	Conflict        Kind = "conflict"        // the state has moved; trying again may work
	TooLarge        Kind = "too_large"       // a limit was reached; the message names it
	Unavailable     Kind = "unavailable"     // a resource is missing now (disk full, database away, busy)
	Canceled        Kind = "canceled"        // the caller gave up or the time was over
	Internal        Kind = "internal"        // our defect; the user reads no detail
)

// Error is a failure with a kind and a message that a user may read.
type Error struct {
	Kind    Kind
	Message string // for the user: what is wrong, then what to do next
	Cause   error  // for the operator; may be nil
	Fields  []Field
}

// Field is one wrong part of an input.
type Field struct {
	Path    string   `json:"path"`              // where: "measures[1]", "where", "line 17"
	Message string   `json:"message"`           // what is wrong with it
	Allowed []string `json:"allowed,omitempty"` // what would be right, when that can be listed
}

// Error returns the message and, for the operator, the cause.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Newf returns an error of kind whose formatted text a user may read.
func Newf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrapf returns an error of kind that keeps cause for the operator.
func Wrapf(kind Kind, cause error, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// WithFields returns an Invalid error that lists every wrong part at once.
func WithFields(message string, fields ...Field) error {
	return &Error{Kind: Invalid, Message: message, Fields: fields}
}

// ForbiddenFields returns a Forbidden error that lists every part that may not be seen.
func ForbiddenFields(message string, fields ...Field) error {
	return &Error{Kind: Forbidden, Message: message, Fields: fields}
}

// KindOf returns the kind of err, Internal when it has none, and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Message returns what a user may read of err: for an Internal error nothing specific.
func Message(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Kind != Internal {
		return e.Message
	}
	return "Something went wrong on our side. The log has the details."
}

// FieldsOf returns the wrong parts that err lists, or nil.
func FieldsOf(err error) []Field {
	var e *Error
	if errors.As(err, &e) {
		return e.Fields
	}
	return nil
}
