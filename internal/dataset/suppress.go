package dataset

import (
	"context"
	"crypto/md5" //nolint:gosec // the form of keys that are stored already, see load.pseudonym
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// People who were erased are known by keyed hashes of their names and addresses alone. A
// file that brings one of them again is stored under the same pseudonym, without the name.

// WrittenByStaff are the datasets whose free text the row's own staff member wrote.
var WrittenByStaff = map[string]bool{"time_entries": true}

// erasedPerson is the code of the finding that a file brings somebody who was erased.
const erasedPerson = "erased_person"

// PlainPersonal are stored columns beside the private ones that may hold a person's name, by
// dataset.
var PlainPersonal = map[string][]string{"clients": {"account_manager"}}

// Pseudonym is the key under which the rows of a person of that name, e-mail address or id
// are stored: a keyed hash, whatever the case of the text.
func (s *Service) Pseudonym(ctx context.Context, scope tenant.Scope, name string) (string, error) {
	if err := scope.Whole("pseudonyms"); err != nil {
		return "", err
	}
	salt, err := s.salt(ctx, scope)
	if err != nil {
		return "", err
	}
	sum := md5.Sum([]byte(salt + strings.ToLower(name))) //nolint:gosec // as above
	return "p_" + hex.EncodeToString(sum[:])[:16], nil
}

// Suppress remembers hashes, made by Pseudonym, of people who are to stay erased, in the
// caller's transaction.
func (s *Service) Suppress(ctx context.Context, scope tenant.Scope, tx *metadb.Tx, hashes []string) error {
	if err := scope.Whole("erased persons"); err != nil {
		return err
	}
	id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), s.now())
	if err != nil {
		return err
	}
	for _, h := range hashes {
		if _, err := tx.Exec(ctx, queries.Get("suppress_person"), id, h, metadb.Now(s.now())); err != nil {
			return fmt.Errorf("suppress: %w", err)
		}
	}
	return nil
}

// Suppressed lists what Suppress remembers.
func (s *Service) Suppressed(ctx context.Context, scope tenant.Scope) ([]string, error) {
	if err := scope.Whole("erased persons"); err != nil {
		return nil, err
	}
	var out []string
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, queries.Get("suppressed_people"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h string
			if err := rows.Scan(&h); err != nil {
				return err
			}
			out = append(out, h)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("erased people: %w", err)
	}
	return out, nil
}

// isSuppressed is the SQL of whether a text names somebody who was erased.
func (l *load) isSuppressed(text string) string {
	return fmt.Sprintf("coalesce('p_' || substr(md5(%s || lower(trim(%s))), 1, 16) IN (%s), false)", q(l.salt), text, l.suppressedList())
}

func (l *load) suppressedList() string {
	list := make([]string, len(l.suppressed))
	for i, h := range l.suppressed {
		list[i] = q(h)
	}
	return strings.Join(list, ", ")
}

// leaveErasedOut takes the names, addresses and free text of people who were erased out of
// the staged rows. Amounts, hours and keys stay.
func (l *load) leaveErasedOut(ctx context.Context) error {
	if len(l.suppressed) == 0 {
		return nil
	}
	none := "false"
	own := none   // the condition of rows whose private columns such a person wrote or is named in
	whose := none // and of those that are about such a person
	for _, c := range l.d.Columns(false) {
		if (c.Name == ColStaff || c.Name == ColPerson) && !l.constantColumn(c.Name) {
			whose += fmt.Sprintf(" OR coalesce(%s IN (%s), false)", c.Name, l.suppressedList())
		}
		if c.Name == ColStaff && WrittenByStaff[l.d.Name] && !l.constantColumn(c.Name) {
			own += fmt.Sprintf(" OR coalesce(%s IN (%s), false)", c.Name, l.suppressedList())
		}
	}
	set := map[string]string{} // the condition under which a column is emptied, by column
	var private []string
	for _, c := range l.d.Columns(true) {
		if c.Type == "VARCHAR" && !l.constantColumn(c.Name) {
			private = append(private, c.Name)
			own += " OR " + l.isSuppressed(warehouse.QuoteIdent(c.Name))
		}
	}
	for _, c := range private { // a client's contact is one person: name, address and telephone go together
		set[c] = own
	}
	for _, c := range PlainPersonal[l.d.Name] {
		if !l.constantColumn(c) {
			set[c] = l.isSuppressed(c)
		}
	}
	if l.hasAttributes() {
		set[ColAttributes] = fmt.Sprintf("len(list_filter(json_extract_string(attributes, '$.*'), lambda x: %s)) > 0", l.isSuppressed("x"))
	}
	if l.mode != byContent && !l.d.Effective {
		set[ColSourceID] = l.isSuppressed(ColSourceID)
	}
	conditions := append(slices.Collect(maps.Values(set)), own, whose)
	marked, err := l.create(ctx, "TABLE", "erased_rows", fmt.Sprintf("AS SELECT rowid AS r FROM %s WHERE (%s)", l.name("staged"), strings.Join(conditions, ") OR (")))
	if err != nil {
		return err
	}
	rows, err := l.s.Query(ctx, "SELECT count(*) FROM "+marked)
	if err != nil || rows.Rows[0][0].(int64) == 0 {
		return err
	}
	var values []string
	for column, when := range set {
		empty := "NULL"
		if column == ColSourceID { // it identifies the row still
			empty = "'erased-' || substr(md5(row_id::VARCHAR), 1, 12)"
		}
		values = append(values, fmt.Sprintf("%[1]s = CASE WHEN %[2]s THEN %[3]s ELSE %[1]s END", warehouse.QuoteIdent(column), when, empty))
	}
	if len(values) > 0 {
		if err := l.s.Exec(ctx, fmt.Sprintf("UPDATE %s SET %s WHERE rowid IN (SELECT r FROM %s)", l.name("staged"), strings.Join(values, ", "), marked)); err != nil {
			return err
		}
	}
	n := rows.Rows[0][0].(int64)
	l.erasedSeen = true
	l.add(Finding{Code: erasedPerson, Severity: Warning, Count: n, Message: plural(n, "row is", "rows are") + " about somebody whose data was erased: stored under the pseudonym, without name, address and free text",
		Suggestion: "leave this person out of the export; the file itself is not kept"})
	return nil
}
