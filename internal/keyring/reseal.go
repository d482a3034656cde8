package keyring

import (
	"cmp"
	"context"
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// The statements of this file are composed, unlike all others: a column is named once, in the
// list of its store, and cannot be forgotten by one of three statements. All names are
// constants of this program.

// value is a sealed value and where it stands.
type value struct {
	tenant string
	row    any // text or number
	text   string
}

// prefixLen is how many characters of a sealed value name its key.
var prefixLen = len(secret.PrefixOf("")) + 10

func from(c secret.Column) (tenantSlug, tables string) {
	if c.Global {
		return "''", c.Table + " x"
	}
	return "t.slug", c.Table + " x JOIN tenant t ON t.id = x.tenant_id"
}

// others returns some values that are not sealed under a key, in a fixed order.
func (s *Service) others(ctx context.Context, c secret.Column, key string, skip int64) ([]value, error) {
	slug, tables := from(c)
	row := cmp.Or(c.Key, "id")
	text := fmt.Sprintf("SELECT %s, x.%s, x.%s FROM %s WHERE x.%s <> '' AND substr(x.%s, 1, %d) <> $1 ORDER BY 1, 2 LIMIT $2 OFFSET $3",
		slug, row, c.Column, tables, c.Column, c.Column, prefixLen)
	var out []value
	err := s.db.Read(ctx, func(tx *metadb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, text, secret.PrefixOf(key), s.opt.Batch, skip)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var v value
			if err := rows.Scan(&v.tenant, &v.row, &v.text); err != nil {
				return err
			}
			out = append(out, v)
		}
		return rows.Err()
	})
	return out, err
}

// replace writes a value sealed anew, unless someone has changed it meanwhile.
func (s *Service) replace(ctx context.Context, c secret.Column, v value, sealed string) (bool, error) {
	row := cmp.Or(c.Key, "id")
	text, args := fmt.Sprintf("UPDATE %s SET %s = $1 WHERE %s = $2 AND %s = $3", c.Table, c.Column, row, c.Column), []any{sealed, v.row, v.text}
	if !c.Global {
		text, args = text+" AND tenant_id = (SELECT id FROM tenant WHERE slug = $4)", append(args, v.tenant)
	}
	var n int64
	err := s.db.Transact(ctx, func(tx *metadb.Tx) (err error) {
		n, err = tx.Exec(ctx, text, args...)
		return err
	})
	return n > 0, err
}

// count counts values by the key they are sealed under, "" for those that name none.
func (s *Service) count(ctx context.Context, tx *metadb.Tx) (map[string]int64, error) {
	counts := map[string]int64{}
	for _, c := range s.columns {
		rows, err := tx.Query(ctx, fmt.Sprintf("SELECT substr(%s, 1, %d), count(*) FROM %s WHERE %s <> '' GROUP BY 1", c.Column, prefixLen, c.Table, c.Column))
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var prefix string
			var n int64
			if err := rows.Scan(&prefix, &n); err != nil {
				rows.Close()
				return nil, err
			}
			counts[secret.KeyOf(prefix+"A")] += n // A stands for what follows
		}
		err = rows.Err()
		rows.Close()
		if err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// Progress is how far a rotation is.
type Progress struct {
	Column string // table.column
	Done   int64  // values sealed anew
	Closed int64  // values that no key opens
}

// reseal seals the values of a column under the key that is primary, in small transactions,
// until none is left that it can open.
func (s *Service) reseal(ctx context.Context, c secret.Column, key string, report func(Progress)) (p Progress, err error) {
	p.Column = c.Table + "." + c.Column
	for {
		list, err := s.others(ctx, c, key, p.Closed)
		if err != nil || len(list) == 0 {
			return p, err
		}
		for _, v := range list {
			done, err := s.resealOne(ctx, c, v, key)
			switch {
			case fault.KindOf(err) == fault.Forbidden:
				p.Closed++
			case err != nil:
				return p, fmt.Errorf("%s: %w", p.Column, err)
			case done:
				p.Done++
			}
		}
		report(p)
	}
}

func (s *Service) resealOne(ctx context.Context, c secret.Column, v value, key string) (bool, error) {
	plain, err := c.Open(ctx, s.box, v.text, v.tenant, v.row)
	if err != nil {
		return false, err
	}
	sealed, err := c.Seal(ctx, s.box, plain, v.tenant, v.row)
	if err != nil {
		return false, err
	}
	if secret.KeyOf(sealed) != key {
		return false, fault.Newf(fault.Conflict, "another rotation has begun: its key takes over what is left of this one")
	}
	return s.replace(ctx, c, v, sealed)
}
