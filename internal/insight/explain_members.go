package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// breakdowns are the dimensions that say most about a measure, the best first.
var breakdowns = []string{"client", "revenue_category", "vendor", "product", "staff", "work_type", "ticket_type", "agreement", "priority", "month"}

// byDimension attributes the change of a measure that adds up to the values of the first
// fitting dimension that the filter does not name.
func (x *explanation) byDimension(ctx context.Context, out *Explanation) error {
	can := x.metrics.Cuts(x.scope.Rights, x.measure)
	for _, d := range breakdowns {
		if slices.Contains(can, d) && !strings.Contains(x.req.Where, d) {
			out.By = d
			break
		}
	}
	if out.By == "" || out.By == "month" && x.req.Versus == Previous {
		out.By = ""
		out.Note = "there is no dimension to break it down by"
	}
	if x.req.Versus == Portfolio {
		return x.versusAverage(ctx, out)
	}
	if x.req.Brief {
		out.By, out.Note = "", ""
	}
	dimensions := []string{out.By}
	if out.By == "" {
		dimensions = nil
	}
	var before, after []row
	if err := together(
		func() (err error) {
			before, err = x.read(ctx, x.from.period, x.from.where, dimensions, x.measure.Name)
			return err
		},
		func() (err error) {
			after, err = x.read(ctx, out.To.Period, x.req.Where, dimensions, x.measure.Name)
			return err
		},
	); err != nil {
		return err
	}
	x.fill(out, keyed(before), keyed(after), before, after)
	if x.req.Brief {
		out.Drivers = []Driver{}
	}
	return nil
}

// keyed is byKey for rows that may have no dimension.
func keyed(rows []row) map[string]cell {
	if len(rows) == 1 && len(rows[0].keys) == 0 {
		return map[string]cell{"all": rows[0].sums}
	}
	return byKey(rows)
}

// fill sets both sides and the drivers from figures by the values of a dimension; the rows
// they were read from say their currencies and why some are unknown.
func (x *explanation) fill(out *Explanation, before, after map[string]cell, rowsBefore, rowsAfter []row) {
	codesBefore, codes := codesOf(rowsBefore...), codesOf(rowsAfter...)
	out.Currency = only(merged(codesBefore, codes))
	c := breakDown(x.measure.Name, x.measure.Unit, before, after)
	out.From.Inputs, out.To.Inputs = cell{x.measure.Name: c.from}, cell{x.measure.Name: c.to}
	if !knownIn(before, x.measure.Name) && !knownIn(after, x.measure.Name) {
		none := "no " + spoken(x.measure.Name) + " in the data"
		out.From.Reason, out.To.Reason = cmp.Or(whyNot(rowsBefore, x.measure.Name), none), cmp.Or(whyNot(rowsAfter, x.measure.Name), none)
		out.Note = out.To.Reason
		return
	}
	if why := apart(slices.Concat(codesBefore, codes)...); why != "" {
		out.Note = why
		for _, s := range []struct {
			side  *Side
			value quantity.Decimal
			why   string
		}{{&out.From, c.from, apart(codesBefore...)}, {&out.To, c.to, apart(codes...)}} {
			if s.side.Reason = s.why; s.why == "" {
				s.side.Value = &s.value
			} else {
				s.side.Inputs = cell{}
			}
		}
		return
	}
	out.From.Value, out.To.Value, out.Change, out.Drivers = &c.from, &c.to, &c.change, c.drivers
	if out.Drivers == nil {
		out.Drivers = []Driver{}
	}
}

// whyNot is why the first row that does not know a measure does not.
func whyNot(rows []row, measure string) string {
	for _, r := range rows {
		if why := r.why[measure]; why != "" {
			return why
		}
	}
	return ""
}

func knownIn(cells map[string]cell, measure string) bool {
	for _, c := range cells {
		if _, ok := c[measure]; ok {
			return true
		}
	}
	return false
}

// versusAverage compares a cell with the average client, by a dimension.
func (x *explanation) versusAverage(ctx context.Context, out *Explanation) error {
	if !slices.Contains(x.metrics.DimensionsOf(x.measure), "client_status") || !strings.Contains(x.req.Where, "client") {
		return fault.WithFields(fmt.Sprintf("%s can be compared with the portfolio only for a client", x.measure.Name),
			fault.Field{Path: "where", Message: `name a client, such as client = "Harbor Dental", or compare with the previous period`})
	}
	clients, err := x.read(ctx, x.req.Period, realClients, []string{"client"}, x.measure.Name)
	if err != nil {
		return err
	}
	n := int64(0)
	for _, c := range clients {
		if c.keys[0] != noClient && !c.sums[x.measure.Name].IsZero() {
			n++
		}
	}
	if n == 0 {
		return fault.Newf(fault.NotFound, "no client has %s in %s", spoken(x.measure.Name), x.req.Period)
	}
	out.From.Label = fmt.Sprintf("average of %d clients", n)
	x.from.where = both(realClients, named)
	all, err := x.read(ctx, x.req.Period, x.from.where, []string{out.By}, x.measure.Name)
	if err != nil {
		return err
	}
	own, err := x.read(ctx, x.req.Period, x.req.Where, []string{out.By}, x.measure.Name)
	if err != nil {
		return err
	}
	share := number(1, 0).DivRound(decimal.NewFromInt(n), ratioPlaces)
	x.from.scale = &share
	average := map[string]cell{}
	for name, c := range byKey(all) {
		average[name] = c.scaled(share)
	}
	x.fill(out, average, byKey(own), all, own)
	return nil
}

// named leaves out what belongs to no client.
const named = `client != "unassigned"`
