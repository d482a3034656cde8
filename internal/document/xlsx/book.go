// Package xlsx writes documents and plain tables as workbooks for Excel and its like.
//
// A Book is a workbook in the making: Rows streams a table of any length into it, splitting
// it over sheets; Write makes one of a whole document. Cells are typed: decimals keep all
// the digits that a spreadsheet can, dates are dates, and no text is ever a formula.
package xlsx

import (
	"archive/zip"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Options tunes a Book. The zero value is ready to use.
type Options struct {
	// Dir is where large sheets and the file wait until they are written out; "" is the
	// system's own place. Nothing is left there after Close.
	Dir string
	// Title, Firm and At become the file's properties: title, creator, and when it was created.
	// A zero At gives no date.
	Title string
	Firm  string
	At    time.Time
	Brand document.Brand
	// Letter is the paper that sheets are printed on; otherwise it is A4.
	Letter bool
}

// Book is a workbook in the making. Close it in any case.
type Book struct {
	// Notes count the cells that could not be kept as they are.
	Notes Notes

	f        *excelize.File
	opt      Options
	names    map[string]bool // of sheets, in lower case
	reserved map[string]bool // those of sheets still to come
	styles   map[style]int
	first    bool // the sheet that a new file has is still unused
	most     int  // rows of a sheet
	charts   int
}

// Notes count the cells that could not be kept as they are.
type Notes struct {
	Rounded int64 // numbers of more than 15 digits
	Text    int64 // numbers that no spreadsheet has, now texts
	Cut     int64 // texts of more than 32,767 characters
}

// Sentences say what happened to the cells; none when all are as they were.
func (n Notes) Sentences() (out []string) {
	for _, s := range []struct {
		count int64
		what  string
	}{
		{n.Rounded, "more digits than the 15 that a spreadsheet keeps and are rounded to them: CSV has all"},
		{n.Text, "a number that a spreadsheet cannot hold and are text"},
		{n.Cut, "more characters than a spreadsheet keeps: CSV has all"},
	} {
		if s.count > 0 {
			out = append(out, fmt.Sprintf("%d cells have %s", s.count, s.what))
		}
	}
	return out
}

// New starts a workbook.
func New(opt Options) (*Book, error) {
	b := &Book{f: excelize.NewFile(excelize.Options{TmpDir: opt.Dir}), opt: opt, names: map[string]bool{}, reserved: map[string]bool{}, styles: map[style]int{}, first: true, most: excelize.TotalRows}
	b.f.Pkg.Store("docProps/core.xml", []byte(office.Properties(opt.Title, opt.Firm, opt.At)))
	err := b.f.SetAppProps(&excelize.AppProperties{Application: "Microsoft Excel", Company: document.Clean(opt.Firm), AppVersion: "16.0300"})
	if err == nil {
		err = b.f.SetDefaultFont(office.Font(opt.Brand))
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("workbook: %w", err)
	}
	return b, nil
}

// Close frees what the book holds.
func (b *Book) Close() error { return b.f.Close() }

// sheetRunes is how long the name of a sheet may be, in UTF-16 units.
const sheetRunes = 31

// sheet makes an empty sheet. Its name is what is legal and new of the one asked for.
func (b *Book) sheet(asked string) (string, error) {
	name := asked
	if !b.reserved[asked] {
		name = b.reserve(asked)
	}
	delete(b.reserved, name)
	if b.first {
		b.first = false
		return name, b.f.SetSheetName("Sheet1", name)
	}
	_, err := b.f.NewSheet(name)
	return name, err
}

// reserve settles the name of a sheet that comes later.
func (b *Book) reserve(asked string) string {
	name := b.free(asked)
	b.names[strings.ToLower(name)], b.reserved[name] = true, true
	return name
}

// free returns a legal name that no sheet has yet.
func (b *Book) free(asked string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]`, r) {
			return ' '
		}
		return r
	}, strings.Join(strings.Fields(document.Clean(asked)), " "))
	name = strings.Trim(strings.Join(strings.Fields(name), " "), "' ")
	if name == "" || strings.EqualFold(name, "History") { // Excel keeps that name for itself
		name = strings.TrimSpace(name + " Sheet")
	}
	for n := 1; ; n++ {
		tail := ""
		if n > 1 {
			tail = fmt.Sprintf(" (%d)", n)
		}
		short := strings.TrimRight(cutUnits(name, sheetRunes-len(tail)), "' ") + tail
		if !b.names[strings.ToLower(short)] {
			return short
		}
	}
}

// cutUnits shortens a text to so many UTF-16 units.
func cutUnits(s string, most int) string {
	units := 0
	for i, r := range s {
		units += utf16.RuneLen(r)
		if units > most {
			return s[:i]
		}
	}
	return s
}

// headStyle is that of a table's heads.
func (b *Book) headStyle(right bool) (int, error) {
	return b.style(style{bold: true, fill: document.Sunken, bottom: document.Ink3, right: right, wrap: true, mid: true})
}

// style is a cell's look; equal ones share an id.
type style struct {
	format       string
	size         float64
	bold, italic bool
	color, fill  document.Color
	top, bottom  document.Color
	wrap, mid    bool
	right, left  bool
	indent       int
}

func (b *Book) style(s style) (int, error) {
	key := s
	if id, ok := b.styles[key]; ok {
		return id, nil
	}
	if s.size == 0 {
		s.size = 10
	}
	if s.color == "" {
		s.color = document.Ink
	}
	st := &excelize.Style{Font: &excelize.Font{Family: office.Font(b.opt.Brand), Size: s.size, Bold: s.bold, Italic: s.italic, Color: strings.TrimPrefix(string(s.color), "#")}}
	if s.format != "" {
		st.CustomNumFmt = &s.format
	}
	if s.fill != "" {
		st.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{strings.TrimPrefix(string(s.fill), "#")}}
	}
	for _, edge := range []struct {
		side  string
		color document.Color
	}{{"top", s.top}, {"bottom", s.bottom}} {
		if edge.color != "" {
			st.Border = append(st.Border, excelize.Border{Type: edge.side, Color: strings.TrimPrefix(string(edge.color), "#"), Style: 1})
		}
	}
	st.Alignment = &excelize.Alignment{Vertical: "top", WrapText: s.wrap, Indent: s.indent}
	if s.mid {
		st.Alignment.Vertical = "center"
	}
	if s.right {
		st.Alignment.Horizontal = "right"
	}
	if s.left || s.indent > 0 {
		st.Alignment.Horizontal = "left"
	}
	id, err := b.f.NewStyle(st)
	if err != nil {
		return 0, fmt.Errorf("workbook: style: %w", err)
	}
	b.styles[key] = id
	return id, nil
}

// value is what a cell holds: a number, a real date, or a text that is never a formula.
func (b *Book) value(v any, date bool) any {
	switch v := v.(type) {
	case quantity.Decimal:
		x, kept := office.Number(v)
		switch kept {
		case office.Rounded:
			b.Notes.Rounded++
		case office.AsText:
			b.Notes.Text++
			return v.String()
		}
		return x
	case string:
		if date {
			if day, err := quantity.ParseDay(v); err == nil && day.Time().Year() >= 1901 {
				return int(day.Time().Unix()/86400) + 25569 // days since 1899-12-30, as sheets count
			}
		}
		return b.text(v)
	}
	return v
}

// text is a text as a cell can hold it.
func (b *Book) text(s string) string {
	if len(s) > excelize.TotalCellChars && utf8.RuneCountInString(s) > excelize.TotalCellChars { // the library would cut it in silence
		b.Notes.Cut++
	}
	return office.CellText(s)
}

// WriteTo packs the book. The same book gives the same bytes: parts in one order, no times.
func (b *Book) WriteTo(w io.Writer) (int64, error) {
	pack, err := os.CreateTemp(b.opt.Dir, "moat-*.xlsx")
	if err != nil {
		return 0, fmt.Errorf("workbook: %w", err)
	}
	defer os.Remove(pack.Name())
	defer pack.Close()
	b.f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(pack) })
	if err := b.f.Write(io.Discard); err != nil {
		return 0, fmt.Errorf("workbook: %w", err)
	}
	size, err := pack.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, fmt.Errorf("workbook: %w", err)
	}
	parts, err := zip.NewReader(pack, size)
	if err != nil {
		return 0, fmt.Errorf("workbook: %w", err)
	}
	// The library writes its streams in the order of a map.
	byName := map[string]*zip.File{}
	for _, p := range parts.File {
		byName[p.Name] = p
	}
	out := &counter{w: w}
	zw := zip.NewWriter(out)
	names := slices.Sorted(maps.Keys(byName))
	if i := slices.Index(names, contentTypes); i > 0 { // some readers want it first
		names = append([]string{contentTypes}, slices.Delete(names, i, i+1)...)
	}
	for _, name := range names {
		if name == contentTypes {
			err = copyTypes(zw, byName[name])
		} else {
			err = zw.Copy(byName[name])
		}
		if err != nil {
			return out.n, fmt.Errorf("workbook: %w", err)
		}
	}
	return out.n, zw.Close()
}

const contentTypes = "[Content_Types].xml"

var defaultType = regexp.MustCompile(`<Default [^>]*></Default>`)

// copyTypes copies the list of types with the types of endings in one order: the library
// writes those of pictures in the order of a map.
func copyTypes(zw *zip.Writer, part *zip.File) error {
	r, err := part.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	types := defaultType.FindAllString(string(text), -1)
	slices.Sort(types)
	first := defaultType.FindIndex(text)
	rest := defaultType.ReplaceAll(text, nil)
	w, err := zw.Create(contentTypes)
	if err != nil {
		return err
	}
	if first == nil {
		first = []int{0}
	}
	_, err = io.WriteString(w, string(rest[:first[0]])+strings.Join(types, "")+string(rest[first[0]:]))
	return err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
