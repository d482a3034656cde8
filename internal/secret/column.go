package secret

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/fault"
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

// Seal encrypts a value for its row; "" stays "". Without a box nothing else can be kept:
// Unavailable.
func (c Column) Seal(ctx context.Context, b *Box, plain, tenant string, row any) (string, error) {
	if plain == "" {
		return "", nil
	}
	if b == nil {
		return "", errNoBox
	}
	return b.Seal(ctx, NewText(plain), c.Use(tenant, row))
}

// Open decrypts a value of a row; "" stays "". Without a box nothing else can be read:
// Unavailable.
func (c Column) Open(ctx context.Context, b *Box, value, tenant string, row any) (string, error) {
	if value == "" || c.WasClear && !IsSealed(value) {
		return value, nil
	}
	if b == nil {
		return "", errNoBox
	}
	t, err := b.Open(ctx, value, c.Use(tenant, row))
	return t.Reveal(), err
}

// SealJSON encrypts a value as JSON for its row, see Seal.
func (c Column) SealJSON(ctx context.Context, b *Box, value any, tenant string, row any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	return c.Seal(ctx, b, string(text), tenant, row)
}

// OpenJSON decrypts a value of a row into what into points to, see Open.
func (c Column) OpenJSON(ctx context.Context, b *Box, value, tenant string, row, into any) error {
	text, err := c.Open(ctx, b, value, tenant, row)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fault.Wrapf(fault.Internal, err, "a kept value cannot be read (%s): restore it from a backup", c.Holds)
	}
	return nil
}

var errNoBox = fault.Newf(fault.Unavailable, "secrets cannot be kept or read here: the program was started without keys")
