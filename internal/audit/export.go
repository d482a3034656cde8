package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// exportPage is how many entries an export reads at a time: whoever takes it slowly holds no
// transaction.
const exportPage = 1000

// each calls fn with the first entries that fit, 0 for all, in the filter's order. What is recorded meanwhile
// comes only when the oldest stand first.
func (l *Log) each(ctx context.Context, scope tenant.Scope, db *metadb.DB, f Filter, most int, fn func(*Entry) error) error {
	for after, n := int64(0), 0; ; {
		limit := exportPage
		if most > 0 {
			limit = min(limit, most-n)
		}
		var found []Entry
		if err := db.Read(ctx, func(tx *metadb.Tx) (err error) {
			found, err = l.Search(ctx, scope, tx, f, Page{After: after, Limit: limit})
			return err
		}); err != nil {
			return err
		}
		for i := range found {
			if err := fn(&found[i]); err != nil {
				return err
			}
			after = found[i].Seq
		}
		if n += len(found); len(found) < exportPage || n == most {
			return nil
		}
	}
}

// exported is an entry as it is exported: with the very text that its hash covers.
type exported struct {
	Entry
	DetailText string `json:"detail_text"`
}

// WriteJSON writes the first entries that fit, 0 for all, as one document. With all entries, the oldest first,
// it holds what docs/audit.md needs to check the chain.
func (l *Log) WriteJSON(ctx context.Context, scope tenant.Scope, db *metadb.DB, f Filter, most int, w io.Writer) error {
	if _, err := fmt.Fprintf(w, "{\"kind\": \"moatmetrics audit export 1\", \"tenant\": %q, \"entries\": [", scope.Tenant); err != nil {
		return err
	}
	first := true
	if err := l.each(ctx, scope, db, f, most, func(e *Entry) error {
		text, err := json.Marshal(exported{*e, string(e.Detail)})
		if err != nil {
			return err
		}
		comma := ",\n"
		if first {
			comma, first = "\n", false
		}
		_, err = w.Write(append([]byte(comma), text...))
		return err
	}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n]}\n")
	return err
}

// csvHead are the columns of an export as CSV.
var csvHead = []string{"seq", "at", "actor", "source", "action", "subject_kind", "subject_id", "reason", "snapshot", "before", "after", "detail", "removed_by", "prev_hash", "hash"}

// WriteCSV writes the first entries that fit, 0 for all, as CSV. Texts that a spreadsheet would run as a
// formula have a ' in front.
func (l *Log) WriteCSV(ctx context.Context, scope tenant.Scope, db *metadb.DB, f Filter, most int, w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHead); err != nil {
		return err
	}
	if err := l.each(ctx, scope, db, f, most, func(e *Entry) error {
		before, after, rest := e.Change()
		removed := ""
		if e.RemovedBy != 0 {
			removed = strconv.FormatInt(e.RemovedBy, 10)
		}
		return out.Write([]string{strconv.FormatInt(e.Seq, 10), e.At, document.Inert(string(e.Actor)), document.Inert(e.Source), document.Inert(e.Action), document.Inert(e.Subject.Kind), document.Inert(e.Subject.ID), document.Inert(e.Reason),
			strconv.FormatInt(e.Snapshot, 10), document.Inert(before), document.Inert(after), document.Inert(rest), removed, e.PrevHash, e.Hash})
	}); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// Change takes an entry's detail apart, as JSON: what was, what is, and the rest; each "" when
// there is none.
func (e *Entry) Change() (before, after, rest string) {
	var parts map[string]json.RawMessage
	if json.Unmarshal(e.Detail, &parts) != nil {
		return "", "", string(e.Detail)
	}
	before, after = string(parts["before"]), string(parts["after"])
	delete(parts, "before")
	delete(parts, "after")
	if len(parts) > 0 {
		text, _ := json.Marshal(parts) // they were JSON
		rest = string(text)
	}
	return before, after, rest
}
