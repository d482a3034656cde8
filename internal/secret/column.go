package secret

import (
	"cmp"
	"context"
	"fmt"
)

// Column names a column of the control database whose values are sealed, so that rotation
// finds all of them. "" is no value and stays as it is.
type Column struct {
	Table, Column string
	Holds         string // what it is, for people
	Key           string // the column that names a row, beside tenant_id; "" is id
	Global        bool   // the table has no tenant_id
	Bind          string // with what a use begins; "" is Table.Column
	WasClear      bool   // values of earlier versions lie in the clear until a rotation seals them
}

// Use is what a value of the column is bound to: the column and the row. The tenant is the
// slug, "" of a global table.
func (c Column) Use(tenant string, row any) string {
	bind := cmp.Or(c.Bind, c.Table+"."+c.Column)
	if c.Global {
		return fmt.Sprintf("%s/%v", bind, row)
	}
	return fmt.Sprintf("%s/%s/%v", bind, tenant, row)
}

// Seal encrypts a value for its row; "" stays "".
func (c Column) Seal(ctx context.Context, b *Box, plain, tenant string, row any) (string, error) {
	if plain == "" {
		return "", nil
	}
	return b.Seal(ctx, NewText(plain), c.Use(tenant, row))
}

// Open decrypts a value of a row; "" stays "".
func (c Column) Open(ctx context.Context, b *Box, value, tenant string, row any) (string, error) {
	if value == "" || c.WasClear && !IsSealed(value) {
		return value, nil
	}
	t, err := b.Open(ctx, value, c.Use(tenant, row))
	return t.Reveal(), err
}
