package xlsx_test

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document/officetest"
)

var cached = regexp.MustCompile(`<c:f>([^<]*)</c:f><c:(?:num|str)Cache>(.*?)</c:(?:num|str)Cache>`)
var point = regexp.MustCompile(`<c:pt idx="(\d+)"><c:v>([^<]*)</c:v>`)

// TestChartsDrawCellsOfTheWorkbook holds each number and text that a chart has ready against
// the cell that it names.
func TestChartsDrawCellsOfTheWorkbook(t *testing.T) {
	t.Parallel()
	plain := func(s string) (out string) {
		if err := xml.Unmarshal([]byte("<v>"+s+"</v>"), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, d := range officetest.All() {
		file, seen := write(t, d), 0
		f := open(t, file)
		charts := officetest.Parts(t, file, "xl/charts/chart", ".xml")
		for _, part := range charts {
			for _, ref := range cached.FindAllStringSubmatch(officetest.Part(t, file, part), -1) {
				sheet, cells, _ := strings.Cut(plain(ref[1]), "'!")
				sheet = strings.ReplaceAll(strings.TrimPrefix(sheet, "'"), "''", "'")
				from, _, _ := strings.Cut(strings.ReplaceAll(cells, "$", ""), ":")
				col, row, err := excelize.CellNameToCoordinates(from)
				if err != nil {
					t.Fatalf("%s: %v", ref[1], err)
				}
				for _, v := range point.FindAllStringSubmatch(ref[2], -1) {
					var idx int
					fmt.Sscan(v[1], &idx)
					at, _ := excelize.CoordinatesToCellName(col, row+idx)
					cell, err := f.GetCellValue(sheet, at, excelize.Options{RawCellValue: true})
					if err != nil {
						t.Fatal(err)
					}
					if cell = strings.ReplaceAll(cell, "_x005F_", "_"); cell != plain(v[2]) { // the library leaves inline texts marked
						t.Errorf("%s, %s: %s has %q, the chart shows %q", name, part, at, cell, plain(v[2]))
					}
					seen++
				}
			}
		}
		if name == "full" && (seen < 200 || len(charts) != 8) {
			t.Errorf("%d values of %d charts were compared", seen, len(charts))
		}
	}
}

func TestHeatMapsAreColoredCells(t *testing.T) {
	t.Parallel()
	file := write(t, officetest.Full())
	colored := 0
	for _, sheet := range officetest.Parts(t, file, "xl/worksheets/sheet", ".xml") {
		colored += strings.Count(officetest.Part(t, file, sheet), "<colorScale>")
	}
	if colored != 1 {
		t.Errorf("%d colored ranges", colored)
	}
}
