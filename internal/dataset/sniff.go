package dataset

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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
