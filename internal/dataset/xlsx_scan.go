package dataset

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// maxMerged bounds the merged cells of a sheet that are kept in mind.
const maxMerged = 100_000

// sheetScan is what the marks of a sheet's XML say that the rows do not.
type sheetScan struct {
	lastRow int64         // the largest row number
	hidden  int64         // rows that are hidden
	merged  []mergedRange // cells merged over several rows, in the order of the file
}

// mergedRange is one value that stands for a column's cells from one row to another.
type mergedRange struct {
	column   int
	from, to int64
}

// scanSheet looks through a sheet's XML in bounded memory. The library stops at damaged
// XML as if the sheet ended there: the last row tells.
func scanSheet(file, sheet string) (sheetScan, error) {
	var s sheetScan
	zr, err := zip.OpenReader(file)
	if err != nil {
		return s, diskFault(err)
	}
	defer zr.Close()
	r, err := openSheetPart(&zr.Reader, sheet)
	if err != nil {
		return s, fault.Wrapf(fault.Invalid, err, "the sheet %s cannot be read", sheet)
	}
	defer r.Close()
	tags := bufio.NewScanner(r)
	tags.Buffer(make([]byte, 1<<16), maxCell+1<<16)
	tags.Split(func(data []byte, end bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, '>'); i >= 0 {
			return i + 1, data[:i], nil
		}
		if end {
			return len(data), nil, nil
		}
		return 0, nil, nil
	})
	row, closed := int64(0), false
	for tags.Scan() {
		tag := tags.Bytes()
		tag = tag[bytes.LastIndexByte(tag, '<')+1:]
		name, _, _ := bytes.Cut(bytes.TrimSuffix(tag, []byte("/")), []byte(" "))
		name = bytes.TrimSpace(name)
		end := bytes.HasPrefix(name, []byte("/"))
		if _, local, ok := bytes.Cut(name, []byte(":")); ok { // without the prefix of the namespace
			name = local
		}
		switch string(bytes.TrimPrefix(name, []byte("/"))) {
		case "row":
			if end {
				continue
			}
			row++
			if n, err := strconv.ParseInt(attribute(tag, "r"), 10, 64); err == nil && n > 0 {
				row = n
			}
			if h := attribute(tag, "hidden"); h == "1" || h == "true" {
				s.hidden++
			}
			s.lastRow = max(s.lastRow, row)
		case "sheetData":
			closed = closed || end || bytes.HasSuffix(tag, []byte("/"))
		case "mergeCell":
			if m, ok := mergedCells(attribute(tag, "ref")); ok {
				if s.merged = append(s.merged, m); len(s.merged) > maxMerged {
					return s, fault.Newf(fault.Invalid, "the sheet %s has more than %d merged cells: save it as CSV", sheet, maxMerged)
				}
			}
		}
	}
	if err := tags.Err(); err != nil {
		return s, fault.Wrapf(fault.Invalid, err, "the sheet %s cannot be read: it is damaged", sheet)
	}
	if !closed {
		return s, fault.Newf(fault.Invalid, "the sheet %s breaks off after row %d: it is damaged; export it again", sheet, s.lastRow)
	}
	return s, nil
}

// mergedCells reads a range of cells of several rows.
func mergedCells(ref string) (mergedRange, bool) {
	a, b, ok := strings.Cut(ref, ":")
	if !ok {
		return mergedRange{}, false
	}
	column, from, err := excelize.CellNameToCoordinates(a)
	if err != nil {
		return mergedRange{}, false
	}
	_, to, err := excelize.CellNameToCoordinates(b)
	return mergedRange{column - 1, int64(from), int64(to)}, err == nil && to > from
}

func attribute(tag []byte, name string) string {
	for rest := tag; ; {
		i := bytes.Index(rest, []byte(name+`=`))
		if i < 0 {
			return ""
		}
		value := rest[i+len(name)+1:]
		if i > 0 && bytes.IndexByte([]byte(" \t\r\n"), rest[i-1]) >= 0 && len(value) > 1 && (value[0] == '"' || value[0] == '\'') {
			if end := bytes.IndexByte(value[1:], value[0]); end >= 0 {
				return string(value[1 : 1+end])
			}
		}
		rest = value
	}
}

// openSheetPart opens the XML of the named sheet.
func openSheetPart(zr *zip.Reader, sheet string) (io.ReadCloser, error) {
	var book struct {
		Sheets []struct {
			Name string     `xml:"name,attr"`
			Any  []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	var links struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := errors.Join(decodePart(zr, "xl/workbook.xml", &book), decodePart(zr, "xl/_rels/workbook.xml.rels", &links)); err != nil {
		return nil, err
	}
	for _, s := range book.Sheets {
		for _, a := range s.Any {
			for _, l := range links.All {
				if s.Name == sheet && a.Name.Local == "id" && a.Value == l.ID {
					target := strings.TrimPrefix(l.Target, "/")
					if !strings.HasPrefix(l.Target, "/") {
						target = path.Join("xl", l.Target)
					}
					return zr.Open(target)
				}
			}
		}
	}
	return nil, errors.New("the workbook does not say where the sheet is")
}

func decodePart(zr *zip.Reader, name string, into any) error {
	r, err := zr.Open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	return xml.NewDecoder(io.LimitReader(r, maxPart)).Decode(into)
}

var errorCell = regexp.MustCompile(`^#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!|GETTING_DATA)$`)

// carry puts the values of merged cells into the rows that they stand for.
func (s *sheet) carry(fields []string) []string {
	if len(s.scan.merged) == 0 || blank(fields) {
		return fields
	}
	for c, v := range s.carried {
		if v.to < s.line {
			delete(s.carried, c)
		} else if len(fields) <= c || fields[c] == "" {
			for len(fields) <= c {
				fields = append(fields, "")
			}
			fields[c] = v.text
			s.filledIn++
		}
	}
	for _, m := range s.starts[s.line] {
		if m.column < len(fields) && fields[m.column] != "" {
			s.carried[m.column] = carried{fields[m.column], m.to}
		}
	}
	return fields
}

// carried is the value of merged cells and the last row that it stands for.
type carried struct {
	text string
	to   int64
}

// sheetFindings tells what was noticed of a workbook's sheet.
func (l *load) sheetFindings() {
	s := l.t.Sheet
	if s == nil {
		return
	}
	if n := s.errors.N; n > 0 {
		l.add(Finding{Code: "error_cell", Severity: Warning, Count: n, Message: plural(n, "cell holds", "cells hold") + " an error such as #REF! instead of a value (first in row " + strconv.FormatInt(s.errors.First[0], 10) + "); they are taken as blank", Suggestion: "correct the formulas in the workbook and import it again"})
	}
	if n := s.filledIn; n > 0 {
		l.add(Finding{Code: "merged_cells", Severity: Info, Count: n, Message: plural(n, "cell takes", "cells take") + " the value of the merged cells that cover it", Suggestion: "look at the sample; split merged cells that do not mean each of their rows"})
	}
	if n := s.scan.hidden; n > 0 {
		l.add(Finding{Code: "hidden_rows", Severity: Info, Count: n, Message: plural(n, "hidden row is", "hidden rows are") + " read like the others", Suggestion: "delete them in the workbook if they do not belong to the table"})
	}
	if n := int64(len(s.others)); n > 0 {
		l.add(Finding{Code: "other_sheet", Severity: Warning, Count: n, Message: plural(n, "more sheet holds", "more sheets hold") + " a table and " + map[bool]string{true: "is", false: "are"}[n == 1] + " not read: " + shown(s.others), Suggestion: "import the workbook once more for each, with options: {sheet: NAME}"})
	}
}
