package dataset

import (
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// sheet streams the rows of one worksheet. Each row is read twice, raw and as displayed:
// the display shows which numbers are dates or durations, the raw value is exact.
type sheet struct {
	file       *excelize.File
	name       string
	raw, shown *excelize.Rows
	line       int64
	header     []string
	headerLine int64
	known      int // cells of the header that a dataset knows
	below      int // rows below the header among the first ones
	date1904   bool

	others   []string // sheets that hold a table, too, and are not read
	scan     sheetScan
	starts   map[int64][]mergedRange
	carried  map[int]carried
	filledIn int64 // cells that merged ones stand for
	errors   noted // cells that hold an error, by line
}

// openSheet opens the named sheet, or the one whose header says most (the first that
// holds anything when none does), and leaves it just after its header.
func openSheet(path, dir string, o MappingOptions, score func([]string) int) (*sheet, error) {
	f, err := excelize.OpenFile(path, excelize.Options{TmpDir: dir, UnzipSizeLimit: 8 << 30, UnzipXMLSizeLimit: heldSheet(path), ShortDatePattern: "yyyy-mm-dd", LongDatePattern: "yyyy-mm-dd", LongTimePattern: "hh:mm:ss"})
	if err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "the workbook cannot be opened: it is damaged, protected by a password, or not an .xlsx file")
	}
	names := visible(f)
	if o.Sheet != "" {
		if i, err := f.GetSheetIndex(o.Sheet); err != nil || i < 0 {
			f.Close()
			return nil, fault.WithFields("the workbook has no sheet "+o.Sheet, fault.Field{Path: "options.sheet", Message: "unknown", Allowed: f.GetSheetList()})
		}
		names = []string{o.Sheet}
	}
	props, _ := f.GetWorkbookProps()
	var best *sheet
	var tables []string // sheets that look like tables of ours
	for _, name := range names {
		s := &sheet{file: f, name: name, date1904: props.Date1904 != nil && *props.Date1904}
		err := s.findHeader(o.HeaderLine, score)
		s.closeRows()
		if err != nil {
			f.Close()
			return nil, err
		}
		if s.header != nil && (best == nil || s.known > max(best.known, 1)) {
			best = s
		}
		if s.known >= knownHeader && s.below > 0 {
			tables = append(tables, name)
		}
	}
	if best == nil {
		f.Close()
		return nil, fault.Newf(fault.Invalid, "the workbook holds no table: no sheet has a header line")
	}
	best.others = slices.DeleteFunc(tables, func(name string) bool { return name == best.name })
	if best.scan, err = scanSheet(path, best.name); err == nil {
		err = best.start()
	}
	if err != nil {
		best.close()
		return nil, err
	}
	return best, nil
}

// visible are the sheets that are not hidden; all when none is left.
func visible(f *excelize.File) []string {
	all := f.GetSheetList()
	shown := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		ok, err := f.GetSheetVisible(name)
		return err == nil && !ok
	})
	if len(shown) == 0 {
		return all
	}
	return shown
}

func (s *sheet) rewind() error {
	s.closeRows()
	var err error
	if s.raw, err = s.file.Rows(s.name); err == nil {
		s.shown, err = s.file.Rows(s.name)
	}
	s.line = 0
	if err != nil {
		return fault.Wrapf(fault.Invalid, err, "the sheet %s cannot be read", s.name)
	}
	return nil
}

func (s *sheet) closeRows() {
	if s.raw != nil {
		s.raw.Close()
	}
	if s.shown != nil {
		s.shown.Close()
	}
	s.raw, s.shown = nil, nil
}

func (s *sheet) close() {
	s.closeRows()
	s.file.Close()
}

// findHeader looks for the header in the first rows.
func (s *sheet) findHeader(headerLine int64, score func([]string) int) error {
	if err := s.rewind(); err != nil {
		return err
	}
	for range headerWithin {
		rec, err := s.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if blank(rec.Fields) || headerLine > 0 && rec.Line != headerLine {
			continue
		}
		if n := score(rec.Fields); s.header == nil || n > max(s.known, 1) {
			s.known, s.header, s.headerLine, s.below = n, rec.Fields, rec.Line, 0
		} else {
			s.below++
		}
	}
	return nil
}

// start goes to the row after the header.
func (s *sheet) start() error {
	if err := s.rewind(); err != nil {
		return err
	}
	for s.line < s.headerLine {
		if _, err := s.next(); err != nil {
			return err
		}
	}
	s.errors, s.filledIn = noted{}, 0
	s.carried, s.starts = map[int]carried{}, map[int64][]mergedRange{}
	for _, m := range s.scan.merged {
		if m.from > s.headerLine {
			s.starts[m.from] = append(s.starts[m.from], m)
		}
	}
	return nil
}

func (s *sheet) next() (record, error) {
	if !s.raw.Next() || !s.shown.Next() {
		if err := s.raw.Error(); err != nil {
			return record{}, fault.Wrapf(fault.Invalid, err, "the sheet %s cannot be read to its end", s.name)
		}
		if s.line < s.scan.lastRow {
			return record{}, fault.Newf(fault.Invalid, "the sheet %s has %d rows and breaks off after row %d: it is damaged; export it again", s.name, s.scan.lastRow, s.line)
		}
		return record{}, io.EOF
	}
	s.line++
	raw, err := s.raw.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return record{}, fault.Wrapf(fault.Invalid, err, "the sheet %s cannot be read: row %d", s.name, s.line)
	}
	shown, err := s.shown.Columns()
	if err != nil {
		return record{}, fault.Wrapf(fault.Invalid, err, "the sheet %s cannot be read: row %d", s.name, s.line)
	}
	if len(raw) > maxColumns {
		return record{}, fault.Newf(fault.Invalid, "row %d has more than %d columns", s.line, maxColumns)
	}
	for i := range raw {
		if i < len(shown) {
			raw[i] = cellText(raw[i], shown[i], s.date1904)
		}
		if strings.HasPrefix(raw[i], "#") && errorCell.MatchString(raw[i]) {
			raw[i] = ""
			s.errors.add(s.line)
		}
	}
	return record{Fields: s.carry(raw), Line: s.line}, nil
}

var (
	dateShape = regexp.MustCompile(`(?i)\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}|\d[-/ ,.]*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-/ ,.]*\d`)
	timeShape = regexp.MustCompile(`^\d+:\d{2}(:\d{2})?`)
)

// cellText returns a cell's exact text: a number that is displayed as a date becomes an
// ISO date, one displayed as a time h:mm:ss; any other number stays as stored.
func cellText(raw, shown string, date1904 bool) string {
	if raw == shown {
		return raw
	}
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		switch raw { // booleans are stored as 1 and 0 and shown as TRUE and FALSE
		case "":
			return shown
		}
		return raw
	}
	switch {
	case n >= 1 && n < 2958466 && dateShape.MatchString(shown):
		t, err := excelize.ExcelDateToTime(n, date1904)
		if err != nil {
			return raw
		}
		if t.Hour()+t.Minute()+t.Second() == 0 {
			return t.Format("2006-01-02")
		}
		return t.Format("2006-01-02 15:04:05")
	case n >= 0 && n < 1000 && timeShape.MatchString(shown):
		seconds := int64(math.Round(n * 86400))
		return strconv.FormatInt(seconds/3600, 10) + ":" + pad2(seconds/60%60) + ":" + pad2(seconds%60)
	case shown == "TRUE" || shown == "FALSE":
		return shown
	}
	return raw
}

func pad2(n int64) string {
	if n < 10 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}
