package dataset

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

const (
	sampleBytes   = 256 << 10
	sampleRecords = 200
	headerWithin  = 50  // records in which the header is looked for
	knownHeader   = 2   // cells that a dataset knows from which on a record is its header
	typicalShare  = 0.8 // share of a column's cells from which on its type is known
)

// priors says how likely a character delimits cells before the file is looked at: those
// that often stand in text weigh less.
var priors = map[byte]float64{',': 1, ';': 1, '\t': 1, '|': 1, '#': 0.75, '^': 0.8, '~': 0.8, '&': 0.6, ':': 0.5, ' ': 0.6, 0x1f: 1}

// delimiters in the order in which they win a draw.
var delimiters = []byte{',', ';', '\t', '|', 0x1f, '^', '~', '#', '&', ' ', ':'}

// reading is a sample of a file read with one grammar, and what speaks for it.
type reading struct {
	grammar
	width   int // cells that the reader was told to expect, 0 when none
	records []record
	modal   int     // cells that most records have, weighed by what they hold
	share   float64 // records that have them
	pattern float64 // how alike the records are in their number of cells
	types   float64 // how many cells are of a known type
	flawed  int
	quoted  int64
	header  int // index of the header's first record, -1 when there is none
	known   int // cells of it that a dataset knows
}

// score of a reading: row pattern times type share, as in the consistency measure of van
// den Burg, Nazábal and Sutton (2019), with priors; known header cells count most.
func (r reading) score() float64 {
	known := float64(r.known)
	if r.known < knownHeader {
		known = 0 // one word alone is chance
	}
	prior := priorOf(r.Delim)
	if r.Quote == '\'' {
		prior *= 0.95 // an apostrophe more often than not
	}
	return r.pattern*r.types*prior*(1-float64(r.flawed)/float64(2*len(r.records)+1)) + known
}

func priorOf(delim byte) float64 {
	if p, ok := priors[delim]; ok {
		return p
	}
	return 0.5
}

// survey finds grammar and header on a sample and looks at the rest once; headerScore
// says how much a row looks like a header: the number of cells that a dataset knows.
func survey(path string, o MappingOptions, headerScore func(cells []string) int) (layout, error) {
	sample, err := readSample(path)
	if err != nil {
		return layout{}, err
	}
	best, skip, err := sniff(sample, o, headerScore)
	if err != nil {
		return layout{}, err
	}
	if best.header < 0 {
		return layout{}, fault.Newf(fault.Invalid, "the file holds no table: no header line was found in its first %d lines", headerWithin)
	}
	l := best.layout(o, headerScore)
	if len(l.Header) > maxColumns {
		return layout{}, fault.Newf(fault.Invalid, "the header has more than %d columns", maxColumns)
	}
	if skip > 0 {
		l.Evidence = append(l.Evidence, "the first line names the delimiter (sep=)")
	}
	return l, l.scan(path)
}

func readSample(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, diskFault(err)
	}
	defer f.Close()
	buf := make([]byte, sampleBytes)
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, diskFault(err)
	}
	return buf[:n], nil
}

// sepLine reads Excel's hint "sep=;".
func sepLine(line string) (byte, bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(strings.Trim(line, "\" ")), "sep=")
	if !ok || len(rest) != 1 {
		return 0, false
	}
	return rest[0], true
}

// sniff reads the sample with every grammar that may fit and returns the best reading;
// the second result is the number of lines to leave out before the header.
func sniff(sample []byte, o MappingOptions, headerScore func([]string) int) (reading, int64, error) {
	skip, delim := int64(0), o.delimiter()
	if first := cutLine(sample); len(first) < 20 {
		if d, ok := sepLine(string(first)); ok {
			skip = 1
			if delim == 0 {
				delim = d
			}
		}
	}
	candidates := delimiters
	if delim != 0 {
		candidates = []byte{delim}
	}
	best, bestScore := reading{header: -1}, -1.0
	var broken error
	for i, d := range candidates {
		if i > 3 && bytes.IndexByte(sample, d) < 0 {
			continue
		}
		for _, g := range grammars(sample, d, o) {
			r, err := readWith(sample, g)
			if err != nil {
				broken = cmp.Or(broken, err)
				continue
			}
			if delim == 0 && !r.plausible() {
				continue
			}
			r.findHeader(skip, o.HeaderLine, headerScore)
			if s := r.score(); r.header >= 0 && s > bestScore {
				best, bestScore = r, s
			}
		}
	}
	if broken != nil && best.known < knownHeader && best.modal < 2 {
		return best, skip, broken // the only delimiter that may fit breaks a bound
	}
	return best, skip, nil
}

// plausible reports whether a character that often stands in text may delimit cells here:
// nearly all records have as many cells, and with a blank or colon most columns hold
// numbers or dates.
func (r *reading) plausible() bool {
	if priorOf(r.Delim) == 1 {
		return true
	}
	if r.modal < 2 || r.share < typicalShare || len(r.records) < 3 {
		return false
	}
	if r.Delim != ' ' && r.Delim != ':' {
		return true
	}
	typed := 0
	for _, p := range profiles(r.records, r.modal) {
		if k, ok := p.typical(); ok && (k == number || k == moment) {
			typed++
		}
	}
	return 2*typed > r.modal
}

// grammars lists the grammars with one delimiter that the sample's bytes allow, the more
// usual first.
func grammars(sample []byte, delim byte, o MappingOptions) []grammar {
	quotes := []byte{quote}
	switch o.Quote {
	case "'":
		quotes = []byte{'\''}
	case "none":
		quotes = []byte{0}
	case "":
		if wraps(sample, delim, '\'') {
			quotes = append(quotes, '\'')
		}
	}
	var list []grammar
	for _, q := range quotes {
		if o.Escape != "backslash" {
			list = append(list, grammar{Delim: delim, Quote: q})
		}
		if q != 0 && (o.Escape == "backslash" || o.Escape == "" && bytes.Contains(sample, []byte{'\\', q})) {
			list = append(list, grammar{Delim: delim, Quote: q, Backslash: true})
		}
	}
	return list
}

// wraps reports whether q stands around whole cells of the sample.
func wraps(sample []byte, delim, q byte) bool {
	opens, closes := 0, 0
	for i, c := range sample {
		if c != q {
			continue
		}
		before, after := byte('\n'), byte('\n')
		if i > 0 {
			before = sample[i-1]
		}
		if i+1 < len(sample) {
			after = sample[i+1]
		}
		edge := func(b byte) bool { return b == delim || b == '\n' || b == '\r' }
		if edge(before) || before == ' ' && i > 1 && edge(sample[i-2]) {
			opens++
		}
		if edge(after) {
			closes++
		}
	}
	return opens > 1 && closes > 1
}

// readWith reads the sample with one grammar, and once more when quotes broke some of its
// records and most have as many cells: then the width helps to mend them.
func readWith(sample []byte, g grammar) (reading, error) {
	out, err := readWide(sample, g, 0)
	if err == nil && out.flawed > 0 && out.modal > 1 && 2*out.share > 1 {
		if mended, err := readWide(sample, g, out.modal); err == nil {
			out = mended
		}
	}
	out.padded()
	return out, err
}

func readWide(sample []byte, g grammar, width int) (reading, error) {
	out := reading{grammar: g, header: -1, width: width}
	in := newRecordReader(bytes.NewReader(sample), g)
	in.width = width
	for len(out.records) < sampleRecords {
		rec, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if len(out.records) < sampleRecords/2 {
				return out, err
			}
			break
		}
		out.records = append(out.records, rec)
	}
	if n := len(out.records); len(sample) == sampleBytes && n > 1 && n < sampleRecords {
		out.records = out.records[:n-1] // cut off by the sample's end
	}
	out.quoted = in.quoted
	out.weigh()
	return out, nil
}

// weigh computes pattern, types and flaws.
func (r *reading) weigh() {
	widths := map[int]int{}
	cells, typed := 0, 0.0
	total := 0
	for i, rec := range r.records {
		if rec.Flaw != sound {
			r.flawed++
		}
		if blank(rec.Fields) {
			continue
		}
		total++
		widths[len(rec.Fields)]++
		if i < 100 {
			for _, c := range rec.Fields[:min(len(rec.Fields), 50)] {
				cells++
				typed += credibility(c)
			}
		}
	}
	if total == 0 {
		return
	}
	most := 0.0
	for w, n := range widths {
		part := float64(n) * (float64(w) - 0.95) / float64(w)
		r.pattern += part
		if w > 1 && part > most || w > 1 && part == most && w > r.modal || r.modal == 0 {
			r.modal, most = w, part
		}
	}
	if widths[r.modal] == 0 {
		return
	}
	r.share = float64(widths[r.modal]) / float64(total)
	r.pattern /= float64(len(widths)) * float64(total)
	if cells > 0 {
		r.types = typed / float64(cells)
	}
}

// padded decides whether one blank after each delimiter belongs to the delimiter.
func (r *reading) padded() {
	if r.Delim == ' ' {
		return
	}
	n, blanks := 0, 0
	for _, rec := range r.records {
		for _, c := range rec.Fields[1:] {
			if c == "" {
				continue
			}
			n++
			if c[0] == ' ' {
				blanks++
			}
		}
	}
	if r.Pad = n > 4 && 2*blanks >= n && n-blanks <= int(r.quoted); !r.Pad {
		return
	}
	for _, rec := range r.records {
		for i := 1; i < len(rec.Fields); i++ {
			rec.Fields[i] = strings.TrimPrefix(rec.Fields[i], " ")
		}
	}
}

// kind is what the text of a cell looks like.
type kind int

const (
	nothing kind = iota
	number
	moment // a date, a time or both
	word
	other
	kinds
)

var (
	numberForm = regexp.MustCompile(`^[-+(]?\s*(?:[A-Z]{3}\s|[$€£¥])?\s*[-+]?(?:\d[\d.,'\x{a0}\x{202f} ]*|[.,]\d+)(?:[eE][-+]?\d+)?\s*(?:[%€$£)-]|CR|DR|[A-Z]{3})?\)?$`)
	momentForm = regexp.MustCompile(`(?i)^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[-/. ](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-/. ,]+\d{2,4}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2},? \d{2,4})(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?(?: ?(?:Z|UTC|[-+]\d{2}:?\d{2}))?)?$|^\d{1,3}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?$`)
	dottedDay  = regexp.MustCompile(`^(?:\d{1,2}\.\d{1,2}\.(?:\d{2}|\d{4})|\d{4}\.\d{1,2}\.\d{1,2})$`) // no number: thousands have three digits
	linkForm   = regexp.MustCompile(`^(?:[a-zA-Z][a-zA-Z0-9+.-]*://\S+|[^\s@,;|]+@[^\s@,;|]+\.[^\s@,;|]+)$`)
)

// kindOf tells what a cell looks like.
func kindOf(cell string) kind {
	cell = strings.TrimSpace(cell)
	switch {
	case cell == "":
		return nothing
	case len(cell) > 64, !strings.ContainsAny(cell, "0123456789@/"):
		return word
	case numberForm.MatchString(cell) && !dottedDay.MatchString(cell):
		return number
	case momentForm.MatchString(cell):
		return moment
	case linkForm.MatchString(cell):
		return other
	}
	return word
}

// credibility says how much a text looks like one cell, from 0 to 1: text that holds what
// delimits cells elsewhere looks like several.
func credibility(cell string) float64 {
	switch kindOf(cell) {
	case nothing:
		return 0.8
	case number, moment, other:
		return 1
	}
	marks, letters := 0, 0
	if t := strings.TrimSpace(cell); len(t) > 1 && t[0] == t[len(t)-1] && (t[0] == quote || t[0] == '\'') {
		marks = 3 // still in its quotes
	}
	for _, c := range cell {
		switch {
		case c == '\t' || c == ';' || c == '|' || c == 0x1f || c == '^' || c == '~' || c == '#':
			marks += 2
		case c == ',' || c == '"':
			marks++
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			letters++
		}
	}
	if letters == 0 {
		return 0.3
	}
	return max(0.1, 0.95-0.15*float64(marks))
}

// findHeader picks the header among the records: the one that a dataset knows best,
// otherwise the first that is as wide as most and is not nearly blank, or the one just
// above it when that reads like the names of its columns.
func (r *reading) findHeader(skip, forced int64, headerScore func([]string) int) {
	first := -1
	for i, rec := range r.records {
		switch {
		case rec.Line <= skip || blank(rec.Fields):
			continue
		case forced > 0 && rec.Line == forced:
			r.header, r.known = i, headerScore(rec.Fields)
			return
		case forced > 0 || i >= headerWithin:
			continue
		}
		if first < 0 {
			first = i
		}
		if n := headerScore(rec.Fields); n >= knownHeader && n > r.known {
			r.header, r.known = i, n
		}
	}
	if r.header >= 0 || first < 0 {
		return
	}
	r.header, r.known = first, min(1, headerScore(r.records[first].Fields))
	for i, rec := range r.records {
		if rec.Line <= skip || len(rec.Fields) != r.modal || 2*filled(rec.Fields) < r.fullest(i+1) {
			continue
		}
		r.header = i
		if i > 0 && r.records[i-1].Line > skip && !rec.Gap && !names(rec.Fields) {
			if above := r.records[i-1].Fields; names(above) && 2*filled(above) > r.modal {
				r.header = i - 1
			}
		}
		return
	}
}

// fullest returns the most filled cells of the next records, blank ones left out.
func (r *reading) fullest(from int) int {
	most, seen := 0, 0
	for _, rec := range r.records[from:] {
		if n := filled(rec.Fields); n > 0 {
			most = max(most, n)
			seen++
		}
		if seen == 3 {
			break
		}
	}
	return most
}

func filled(cells []string) int {
	n := 0
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			n++
		}
	}
	return n
}

// names reports whether every cell is blank or a word.
func names(cells []string) bool {
	for _, c := range cells {
		if k := kindOf(c); k != nothing && k != word {
			return false
		}
	}
	return !blank(cells)
}

// profile counts what the cells of a column look like.
type profile [kinds]int

// fit says how usual a kind is in a column.
func (p profile) fit(k kind) float64 {
	n := 1
	for _, x := range p {
		n += x
	}
	return float64(p[k]) / float64(n)
}

// typical returns the kind that nearly all filled cells of the column have.
func (p profile) typical() (kind, bool) {
	n := 0
	for k := number; k < kinds; k++ {
		n += p[k]
	}
	for k := number; k < kinds; k++ {
		if n > 0 && float64(p[k]) >= typicalShare*float64(n) {
			return k, true
		}
	}
	return nothing, false
}

// layout makes the layout of a reading: the header's records and what its columns hold.
func (r *reading) layout(o MappingOptions, headerScore func([]string) int) layout {
	head := r.records[r.header]
	l := layout{grammar: r.grammar, width: r.width, Header: head.Fields, HeaderLine: head.Line, HeaderEnd: head.Line, HeaderRows: [][]string{head.Fields}}
	body := r.records[r.header+1:]
	width := len(l.Header)
	if n := filled(l.Header); n < width && n > 1 && !o.asIs() {
		// A header with a blank cell too many names the columns of narrower rows.
		narrow, wide := 0, 0
		for _, rec := range body {
			switch len(rec.Fields) {
			case n:
				narrow++
			case width:
				wide++
			}
		}
		if len(rightTrim(l.Header)) > n && wide == 0 && narrow > 0 && float64(narrow) >= typicalShare*float64(len(body)) {
			l.Header = slices.DeleteFunc(slices.Clone(l.Header), func(c string) bool { return strings.TrimSpace(c) == "" })
			width = n
			l.Evidence = append(l.Evidence, "a blank cell of the header that no row has was left out")
		}
	}
	rows := o.HeaderRows
	if rows == 0 && !o.asIs() {
		rows = r.headerRows(body, width)
	}
	for rows = min(rows, 1+len(body)); len(l.HeaderRows) < rows; {
		rec := body[0]
		body = body[1:]
		l.HeaderRows, l.HeaderEnd = append(l.HeaderRows, rec.Fields), rec.Line
	}
	if len(l.HeaderRows) > 1 {
		joined := joinHeader(l.HeaderRows)
		if headerScore(joined) >= headerScore(l.Header) {
			l.Header = joined
		}
	}
	l.Profile = profiles(body, len(l.Header))
	for _, rec := range r.records[:r.header] {
		n := filled(rec.Fields)
		if n > 0 {
			l.Above++
		}
		if n > 1 {
			l.AboveRows++
		}
		if n == 1 {
			if text := strings.Join(rec.Fields, ""); len(strings.Fields(text)) <= 3 {
				l.Titles = append(l.Titles, text)
			}
		}
	}
	l.Evidence = append(l.Evidence, r.evidence(len(l.HeaderRows))...)
	return l
}

// headerRows counts the records that make the header: after the first, those that repeat
// it, those that name the columns below a group's title, and those with words wherever at
// least two columns hold numbers or dates.
func (r *reading) headerRows(body []record, width int) int {
	rows := 1
	for rows <= len(body) && rows < 20 && names(body[rows-1].Fields) && slices.EqualFunc(body[rows-1].Fields, r.records[r.header].Fields, sameName) {
		rows++
	}
	if rows > 1 {
		return rows
	}
	for rows < len(body) && rows < 20 && r.names(body[rows-1].Fields) {
		rows++
	}
	if rows > 1 || r.known >= knownHeader || len(body) < 4 {
		return rows
	}
	for rows <= len(body)-2 && rows < 20 {
		rec := body[rows-1]
		if rec.Gap || len(rec.Fields) != width || !names(rec.Fields) {
			break
		}
		typed, named := 0, 0
		for i, p := range profiles(body[rows:], width) {
			if k, ok := p.typical(); ok && (k == number || k == moment) {
				typed++
				if kindOf(rec.Fields[i]) == word {
					named++
				}
			}
		}
		if typed < 2 || named < typed {
			break
		}
		rows++
	}
	return rows
}

// names reports whether a record names the columns below the titles of groups: words only,
// none in the first column, at least one below a blank cell of the header, and the others
// where a group begins.
func (r *reading) names(cells []string) bool {
	header := r.records[r.header].Fields
	if len(cells) != len(header) || strings.TrimSpace(cells[0]) != "" || strings.TrimSpace(header[0]) == "" || !names(cells) {
		return false
	}
	below := false
	for i, c := range cells {
		if strings.TrimSpace(c) == "" {
			continue
		}
		under := strings.TrimSpace(header[i]) == ""
		if !under && (i+1 == len(header) || strings.TrimSpace(header[i+1]) != "") {
			return false
		}
		below = below || under
	}
	return below
}

func sameName(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// joinHeader makes one name of each column's cells, saying nothing twice.
func joinHeader(rows [][]string) []string {
	rows = spread(rows)
	var out []string
	for i := range rows[0] {
		var parts []string
		for _, row := range rows {
			if i >= len(row) {
				continue
			}
			if part := strings.TrimSpace(row[i]); part != "" && (len(parts) == 0 || !sameName(parts[len(parts)-1], part)) {
				parts = append(parts, part)
			}
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// spread writes the title of a group over each of its columns: a blank cell above a filled
// one takes what stands to its left.
func spread(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	out[len(rows)-1] = rows[len(rows)-1]
	for i := len(rows) - 2; i >= 0; i-- {
		out[i] = slices.Clone(rows[i])
		for c := 1; c < min(len(out[i]), len(out[i+1])); c++ {
			if strings.TrimSpace(out[i][c]) == "" && strings.TrimSpace(out[i+1][c]) != "" {
				out[i][c] = out[i][c-1]
			}
		}
	}
	return out
}

func profiles(body []record, width int) []profile {
	out := make([]profile, width)
	for _, rec := range body {
		if len(rec.Fields) != width || rec.Flaw != sound {
			continue
		}
		for i, c := range rec.Fields {
			out[i][kindOf(c)]++
		}
	}
	return out
}

func rightTrim(cells []string) []string {
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	return cells
}

// evidence says in words what the decisions stand on.
func (r *reading) evidence(rows int) []string {
	list := []string{fmt.Sprintf("%.0f%% of the first %d records have %d cells; %.0f%% of the cells look like one value", 100*r.share, len(r.records), r.modal, 100*r.types)}
	if r.quoted > 0 {
		list = append(list, fmt.Sprintf("%d cells of them are quoted", r.quoted))
	}
	if r.known > 0 {
		list = append(list, fmt.Sprintf("%d cells of the header are known names", r.known))
	}
	if rows > 1 {
		list = append(list, fmt.Sprintf("%d records make the header", rows))
	}
	if r.Pad {
		list = append(list, "a blank stands after each delimiter")
	}
	return list
}
