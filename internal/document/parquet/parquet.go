// Package parquet writes tables as Parquet files, exactly: numbers are decimals with as many
// places as the column needs, dates are dates, the columns stand in their order.
package parquet

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/big"

	"github.com/parquet-go/parquet-go"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// digits is the precision of a decimal column: the most that 16 bytes hold.
const digits = 38

// batch is how many rows are handed to the writer at once.
const batch = 1000

// Write writes rows of string, quantity.Decimal or nil under typed columns; rows is gone
// through twice. The same rows give the same bytes.
//
// Errors: TooLarge for a number with more than 38 digits, Canceled when ctx ends.
func Write(ctx context.Context, w io.Writer, columns []document.Column, rows iter.Seq[[]any]) error {
	scales, err := scalesOf(columns, rows)
	if err != nil {
		return err
	}
	root := ordered{Group: parquet.Group{}}
	for i, c := range columns {
		node := parquet.String()
		switch {
		case c.Unit == quantity.Date:
			node = parquet.Date()
		case document.IsNumber(c.Unit):
			node = parquet.Decimal(scales[i], digits, parquet.FixedLenByteArrayType(16))
		}
		if _, twice := root.Group[c.Name]; twice || c.Name == "" {
			return fault.Newf(fault.Invalid, "two columns are called %q", c.Name)
		}
		root.Group[c.Name] = parquet.Optional(node)
		root.names = append(root.names, c.Name)
	}
	out := parquet.NewWriter(w, parquet.NewSchema("rows", root), parquet.Compression(&parquet.Zstd), parquet.CreatedBy("MoatMetrics", "", ""))
	pending := make([]parquet.Row, 0, batch)
	flush := func() error {
		_, err := out.WriteRows(pending)
		pending = pending[:0]
		return err
	}
	for row := range rows {
		values := make(parquet.Row, len(columns))
		for i, c := range columns {
			if values[i], err = valueOf(c, row[i], scales[i]); err != nil {
				return err
			}
			values[i] = values[i].Level(0, defined(row[i]), i)
		}
		if pending = append(pending, values); len(pending) == batch {
			if err := ctx.Err(); err != nil {
				return fault.Wrapf(fault.Canceled, err, "the export was canceled")
			}
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return out.Close()
}

// ordered is a group whose columns stand in the order that they were given.
type ordered struct {
	parquet.Group
	names []string
}

// Fields returns the columns in their order.
func (o ordered) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range o.Group.Fields() {
		byName[f.Name()] = f
	}
	out := make([]parquet.Field, len(o.names))
	for i, name := range o.names {
		out[i] = byName[name]
	}
	return out
}

func defined(cell any) int {
	if cell == nil {
		return 0
	}
	return 1
}

// scalesOf is how many places each number column needs.
func scalesOf(columns []document.Column, rows iter.Seq[[]any]) ([]int, error) {
	scales := make([]int, len(columns))
	for row := range rows {
		for i := range columns {
			d, ok := row[i].(quantity.Decimal)
			if !ok {
				continue
			}
			scales[i] = max(scales[i], -int(d.Exponent()))
		}
	}
	for i, s := range scales {
		if s > digits {
			return nil, fault.Newf(fault.TooLarge, "the column %s has more than %d places, which no Parquet decimal holds", columns[i].Name, digits)
		}
	}
	return scales, nil
}

func valueOf(c document.Column, cell any, scale int) (parquet.Value, error) {
	switch v := cell.(type) {
	case nil:
		return parquet.NullValue(), nil
	case quantity.Decimal:
		return decimalOf(c, v, scale)
	case string:
		if c.Unit == quantity.Date {
			d, err := quantity.ParseDay(v)
			if err != nil {
				return parquet.Value{}, fmt.Errorf("column %s: %w", c.Name, err)
			}
			return parquet.Int32Value(int32(d.Time().Unix() / (24 * 60 * 60))), nil
		}
		return parquet.ByteArrayValue([]byte(v)), nil
	}
	return parquet.Value{}, fmt.Errorf("column %s: a cell of type %T", c.Name, cell)
}

// decimalOf is an unscaled number as 16 bytes, two's complement, high byte first.
func decimalOf(c document.Column, d quantity.Decimal, scale int) (parquet.Value, error) {
	n := new(big.Int).Mul(d.Coefficient(), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)+int64(d.Exponent())), nil))
	if len(new(big.Int).Abs(n).String()) > digits {
		return parquet.Value{}, fault.Newf(fault.TooLarge, "the column %s has a number with more than %d digits, which no Parquet decimal holds", c.Name, digits)
	}
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return parquet.FixedLenByteArrayValue(n.FillBytes(make([]byte, 16))), nil
}
