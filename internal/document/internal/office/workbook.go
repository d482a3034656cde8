package office

import (
	"bytes"
	"fmt"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Sheet is the only sheet of a workbook that a chart brings along.
const Sheet = "Data"

// Workbook is a small workbook with the cells of a chart: what a presentation opens to edit
// it. at becomes its date.
func (g Grid) Workbook(at time.Time, firm string) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("workbook of a chart: %w", err) }
	if err := f.SetSheetName("Sheet1", Sheet); err != nil {
		return fail(err)
	}
	f.Pkg.Store("docProps/core.xml", []byte(Properties("", firm, at)))
	for i, c := range g.Columns {
		col := Name(i + 1)
		if err := f.SetCellStr(Sheet, col+"1", CellText(c.Head)); err != nil {
			return fail(err)
		}
		for r, v := range c.Cells {
			cell := fmt.Sprintf("%s%d", col, r+2)
			var err error
			switch v := v.(type) {
			case string:
				err = f.SetCellStr(Sheet, cell, CellText(v))
			case quantity.Decimal:
				if x, kept := Number(v); kept == AsText {
					err = f.SetCellStr(Sheet, cell, v.String())
				} else {
					err = f.SetCellFloat(Sheet, cell, x, -1, 64)
				}
			}
			if err != nil {
				return fail(err)
			}
		}
		if form := Format(c.Unit, c.Currency); form != "" && len(c.Cells) > 0 {
			id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &form})
			if err == nil {
				err = f.SetCellStyle(Sheet, col+"2", fmt.Sprintf("%s%d", col, len(c.Cells)+1), id)
			}
			if err != nil {
				return fail(err)
			}
		}
		if err := f.SetColWidth(Sheet, col, col, 16); err != nil {
			return fail(err)
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		return fail(err)
	}
	return out.Bytes(), nil
}
