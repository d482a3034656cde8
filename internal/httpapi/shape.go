package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Bounds of a JSON body beside its size. What people send stays far below them; a body above
// is made to be expensive.
const (
	jsonDepth  = 64
	jsonValues = 50_000
	jsonDigits = 100 // of a number, its exponent's included
)

// bodyTypes are the media types of operations that take something other than JSON.
var bodyTypes = map[string]string{"create-import": "multipart/form-data", "append-upload": offsetStream, "keep-report-asset": assetType}

// shape refuses what no handler should have to read: query parameters that the operation does
// not have or that stand there twice, bodies of another type than it takes, and JSON that
// is too large or too deep.
func (s *server) shape(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visitOf(r.Context())
		operation := s.doors.operations[v.pattern]
		if operation == "" {
			next.ServeHTTP(w, r)
			return
		}
		if err := checkQuery(r, s.doors.queries[v.pattern]); err != nil {
			writeProblem(w, problemOf(err))
			return
		}
		if r.ContentLength == 0 || r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		want := bodyTypes[operation]
		if want == "" {
			want = "application/json"
		}
		if mediaType(r) != want || r.Header.Get("Content-Encoding") != "" {
			writeProblem(w, problem{Status: http.StatusUnsupportedMediaType, Title: http.StatusText(http.StatusUnsupportedMediaType), Code: string(fault.Invalid),
				Detail: "send the body as Content-Type: " + want + ", not compressed"})
			return
		}
		if want == "application/json" {
			text, err := io.ReadAll(r.Body)
			if err != nil {
				writeProblem(w, unreadable(err))
				return
			}
			if err := checkJSON(text); err != nil {
				writeProblem(w, problemOf(err))
				return
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		}
		next.ServeHTTP(w, r)
	})
}

// mediaType is the type of a request's body, "" when it is not said well.
func mediaType(r *http.Request) string {
	t, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return ""
	}
	return t
}

// unreadable says why a body could not be read to its end.
func unreadable(err error) problem {
	status, detail := http.StatusBadRequest, "the body did not arrive whole: send it again"
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		status, detail = http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d kB, the most there may be", big.Limit>>10)
	case errors.Is(err, os.ErrDeadlineExceeded):
		status, detail = http.StatusRequestTimeout, "the body came too slowly: send it again"
	}
	return problem{Status: status, Title: http.StatusText(status), Code: string(fault.Invalid), Detail: detail}
}

// checkQuery refuses parameters that the operation does not have: one that is misspelled would
// otherwise be an answer to another question.
func checkQuery(r *http.Request, known map[string]bool) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.Newf(fault.Invalid, "the query parameters cannot be read: encode them as in a form")
	}
	var wrong []fault.Field
	for name, values := range given {
		many, ok := known[name]
		switch {
		case !ok:
			wrong = append(wrong, fault.Field{Path: name, Message: "is not a parameter of this address", Allowed: slices.Sorted(maps.Keys(known))})
		case len(values) > 1 && !many:
			wrong = append(wrong, fault.Field{Path: name, Message: "stands there more than once"})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.SortFunc(wrong, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	return fault.WithFields("the query parameters are not valid", wrong...)
}

// checkJSON bounds the depth and the number of values of a text, and the length of its
// numbers, before anything is made of it. Whether it is JSON is the decoder's to say.
func checkJSON(text []byte) error {
	depth, values, digits, exponent := 0, 0, 0, -1
	inString, escaped := false, false
	for _, c := range text {
		if inString {
			switch {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = true
			case c == '"':
				inString = false
			}
			continue
		}
		switch {
		case c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+':
			digits++
			if exponent >= 0 && c != '-' && c != '+' {
				exponent++
			}
			if digits > jsonDigits || exponent > 3 {
				return fault.Newf(fault.Invalid, "the body holds a number with more than %d digits or an exponent with more than 3", jsonDigits)
			}
			continue
		case digits > 0 && (c == 'e' || c == 'E'):
			exponent = 0
			continue
		}
		digits, exponent = 0, -1
		switch c {
		case '"':
			inString = true
		case '[', '{':
			depth++
			values++
		case ']', '}':
			depth--
		case ',':
			values++
		}
		if depth > jsonDepth || values > jsonValues {
			return fault.Newf(fault.Invalid, "the body is nested deeper than %d or holds more than %d values: send less at once", jsonDepth, jsonValues)
		}
	}
	return nil
}
