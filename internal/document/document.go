// Package document is a report before it has a format: sections of text, tiles, tables,
// charts and findings, with where each figure comes from.
//
// It owns the model, how a figure is written for people (say.go), what a chart is made of
// (chart.go) and how one is painted (paint.go). It computes no figure of its own and reads no
// store: whoever builds a Document brings exact values. Children write it: pdf, xlsx, pptx,
// html.
//
// The same Document gives the same bytes: nothing here and in the children asks a clock, a
// random source or the order of a map.
package document

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Document is a report.
type Document struct {
	Template string `json:"template"` // name of the template it was made from
	Title    string `json:"title"`
	Subtitle string `json:"subtitle,omitempty"`
	// Client is whom it is about, "" for the whole firm.
	Client string `json:"client,omitempty"`
	Period string `json:"period"` // in words: "July 2025 to June 2026"
	// At is the instant that the document speaks for; files carry it as their date.
	At       time.Time `json:"at"`
	Snapshot int64     `json:"snapshot"`
	// Facts say what the document was made from: snapshot, definitions, data until, role.
	// They stand on the cover and in the appendix.
	Facts []Fact `json:"facts"`
	// Warnings are what a reader must know before any figure: stale data, open reviews.
	Warnings []string `json:"warnings,omitempty"`
	// Letter is a cover letter, a paragraph each.
	Letter   []string  `json:"letter,omitempty"`
	Sections []Section `json:"sections"`
	Layout   Layout    `json:"layout"`
	Brand    Brand     `json:"-"`
}

// Fact is a label and what holds.
type Fact struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// Layout is how pages are arranged.
type Layout struct {
	Paper     string `json:"paper,omitempty" yaml:"paper"` // "a4" or "letter"; "" is a4
	Landscape bool   `json:"landscape,omitempty" yaml:"landscape"`
	Cover     bool   `json:"cover,omitempty" yaml:"cover"`       // a cover of its own
	Contents  bool   `json:"contents,omitempty" yaml:"contents"` // a table of contents
	// Compact says what fits a few pages: lower charts, how sure a figure is without all of the
	// reasons, and no explanations below the blocks.
	Compact bool `json:"compact,omitempty" yaml:"compact"`
}

// Section is a chapter of a document. In a workbook it is a sheet or several, in a deck a
// slide or several.
type Section struct {
	Title   string  `json:"title"`
	NewPage bool    `json:"new_page,omitempty"` // begins a page
	Blocks  []Block `json:"blocks"`
}

// Block is a part of a section: *Text, *Tiles, *Table, *Chart or *Finding.
type Block interface{ kind() string }

// Origin is where the figures of a block come from.
type Origin struct {
	Period   string `json:"period,omitempty"` // in words; "" is the document's
	Snapshot int64  `json:"snapshot,omitempty"`
	// Grade says how sure the figures are: high, medium, low or no_answer; "" when that is not
	// asked. Reasons say why.
	Grade   string   `json:"grade,omitempty"`
	Reasons []string `json:"reasons,omitempty"`
	Sources []string `json:"sources,omitempty"` // tables and definitions that were read
	// Explain says in sentences how to read the block and what drove it. A deck has it in the
	// speaker's notes.
	Explain []string `json:"explain,omitempty"`
}

// Tone is how a text speaks.
type Tone string

// The tones.
const (
	Plain   Tone = ""
	Lead    Tone = "lead"    // the answer, in a sentence or two
	Note    Tone = "note"    // small print
	Warning Tone = "warning" // what a reader must not miss
)

// Text is paragraphs, and a list below them.
type Text struct {
	Origin
	Title      string   `json:"title,omitempty"`
	Tone       Tone     `json:"tone,omitempty"`
	Paragraphs []string `json:"paragraphs,omitempty"`
	Items      []string `json:"items,omitempty"` // of a bullet list
}

// Value is a figure with its meaning. Number is nil when there is none, and Missing says why.
type Value struct {
	Number   *quantity.Decimal `json:"number"`
	Unit     quantity.Unit     `json:"unit"`
	Currency string            `json:"currency,omitempty"` // ISO 4217, of amounts
	Missing  string            `json:"missing,omitempty"`
}

// Interval is where a value may lie.
type Interval struct {
	Low   quantity.Decimal `json:"low"`
	High  quantity.Decimal `json:"high"`
	Level float64          `json:"level"`        // 0.9 is 90 %; 0 for a sensitivity band
	Of    string           `json:"of,omitempty"` // of what: "expected" of the next such period, "descriptive" of this one
}

// Change is a difference to an earlier value.
type Change struct {
	Value  Value  `json:"value"`  // signed; of a ratio, the difference of fractions
	Versus string `json:"versus"` // "previous 12 months"
	// Good is 1 when the change is welcome, -1 when it is not, 0 when it is neither.
	Good int `json:"good"`
}

// Tiles are the key figures side by side.
type Tiles struct {
	Origin
	Title string `json:"title,omitempty"`
	Items []Tile `json:"items"`
}

// Tile is one key figure.
type Tile struct {
	Label    string    `json:"label"`
	Value    Value     `json:"value"`
	Period   string    `json:"period"`
	Grade    string    `json:"grade,omitempty"`
	Interval *Interval `json:"interval,omitempty"`
	Change   *Change   `json:"change,omitempty"`
	Note     string    `json:"note,omitempty"`
}

// Table is rows under typed columns.
type Table struct {
	Origin
	Title   string   `json:"title"`
	Note    string   `json:"note,omitempty"`
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
	// Of is how many plain rows there are when Rows holds only the first of them; 0 when it
	// holds all.
	Of int `json:"of,omitempty"`
}

// Column is a column of a table.
type Column struct {
	Name     string        `json:"name"`
	Label    string        `json:"label"`
	Unit     quantity.Unit `json:"unit"` // Text and Date for what is no number
	Currency string        `json:"currency,omitempty"`
	// Months says that the dates are first days of months.
	Months bool `json:"months,omitempty"`
	// Change says that the numbers are differences: they are signed, those of ratios are points.
	Change bool `json:"change,omitempty"`
}

// RowKind is what a row is to those around it.
type RowKind string

// The kinds of rows.
const (
	PlainRow RowKind = ""
	Group    RowKind = "group"    // a heading above rows: its first cell is the heading
	Subtotal RowKind = "subtotal" // of the plain rows since the last group
	Total    RowKind = "total"    // of all plain rows
)

// Row is a row of a table.
type Row struct {
	Kind RowKind `json:"kind,omitempty"`
	// Cells are a string, a quantity.Decimal or nil, in the order of the columns; dates are
	// strings such as 2026-03-01.
	Cells    []any  `json:"cells"`
	Currency string `json:"currency,omitempty"` // of its amounts, where the column names none
	Why      string `json:"why,omitempty"`      // what drove it, or why a cell is empty
	// Change says that the row's numbers are differences, as those of a column may be.
	Change bool `json:"change,omitempty"`
}

// Plain returns the rows that are neither headings nor sums.
func (t *Table) Plain() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for _, r := range t.Rows {
			if r.Kind == PlainRow && !yield(r) {
				return
			}
		}
	}
}

// CurrencyAt returns the currency of an amount in a row and column, "" when none is named.
func (t *Table) CurrencyAt(r Row, column int) string {
	c := t.Columns[column]
	switch {
	case !c.Unit.HasMoney():
		return ""
	case c.Currency != "":
		return c.Currency
	}
	return r.Currency
}

// IsChange reports whether the number in a row and column is a difference.
func (t *Table) IsChange(r Row, column int) bool { return r.Change || t.Columns[column].Change }

// Finding is one thing that deserves attention, why, and what to do.
type Finding struct {
	Origin
	Headline string    `json:"headline"`
	Subject  string    `json:"subject"`
	Measure  string    `json:"measure"`
	Value    Value     `json:"value"`
	Interval *Interval `json:"interval,omitempty"`
	Stake    Value     `json:"stake"` // money a year
	// Drivers are what moved the measure against Versus; they add up to the change.
	Drivers        []Driver `json:"drivers,omitempty"`
	Versus         string   `json:"versus,omitempty"`
	Recommendation string   `json:"recommendation,omitempty"`
	Assumptions    []string `json:"assumptions,omitempty"`
	// Review says why a person must look at it first, "" when nobody must.
	Review    string `json:"review,omitempty"`
	Reference string `json:"reference,omitempty"` // id of the finding, "" where the reader has none
}

// Driver is what one input contributes to a change.
type Driver struct {
	Name  string `json:"name"`
	Value Value  `json:"value"` // signed; of a ratio, the difference of fractions
}

func (*Text) kind() string    { return "text" }
func (*Tiles) kind() string   { return "tiles" }
func (*Table) kind() string   { return "table" }
func (*Chart) kind() string   { return "chart" }
func (*Finding) kind() string { return "finding" }

// OriginOf returns where a block's figures come from.
func OriginOf(b Block) Origin {
	switch b := b.(type) {
	case *Text:
		return b.Origin
	case *Tiles:
		return b.Origin
	case *Table:
		return b.Origin
	case *Chart:
		return b.Origin
	case *Finding:
		return b.Origin
	}
	return Origin{}
}

// MarshalJSON writes each block with its kind.
func (s Section) MarshalJSON() ([]byte, error) {
	type block struct {
		Kind string `json:"kind"`
		Is   Block  `json:"is"`
	}
	blocks := make([]block, len(s.Blocks))
	for i, b := range s.Blocks {
		blocks[i] = block{b.kind(), b}
	}
	return json.Marshal(struct {
		Title   string  `json:"title"`
		NewPage bool    `json:"new_page,omitempty"`
		Blocks  []block `json:"blocks"`
	}{s.Title, s.NewPage, blocks})
}

// UnmarshalJSON reads what MarshalJSON writes. Numbers in table cells become decimals where
// the column's unit says that they are numbers.
func (s *Section) UnmarshalJSON(text []byte) error {
	var raw struct {
		Title   string `json:"title"`
		NewPage bool   `json:"new_page"`
		Blocks  []struct {
			Kind string          `json:"kind"`
			Is   json.RawMessage `json:"is"`
		} `json:"blocks"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	s.Title, s.NewPage, s.Blocks = raw.Title, raw.NewPage, make([]Block, len(raw.Blocks))
	for i, b := range raw.Blocks {
		into := map[string]Block{"text": &Text{}, "tiles": &Tiles{}, "table": &Table{}, "chart": &Chart{}, "finding": &Finding{}}[b.Kind]
		if into == nil {
			return fmt.Errorf("document: there is no block %q", b.Kind)
		}
		if err := json.Unmarshal(b.Is, into); err != nil {
			return err
		}
		if t, ok := into.(*Table); ok {
			if err := t.decimals(); err != nil {
				return err
			}
		}
		s.Blocks[i] = into
	}
	return nil
}

// decimals turns the texts of number columns into decimals.
func (t *Table) decimals() error {
	for _, r := range t.Rows {
		for i, cell := range r.Cells {
			text, ok := cell.(string)
			if !ok || i >= len(t.Columns) || !IsNumber(t.Columns[i].Unit) || r.Kind == Group {
				continue
			}
			d, err := quantity.ParseDecimal(text)
			if err != nil {
				return fmt.Errorf("document: table %q: %w", t.Title, err)
			}
			r.Cells[i] = d
		}
	}
	return nil
}

// IsNumber reports whether a column of a unit holds numbers.
func IsNumber(u quantity.Unit) bool { return u != quantity.Text && u != quantity.Date && u != "" }

// Figure is one number that a document shows, and where.
type Figure struct {
	Where string // "Clients / table Margins / row 3 / gross_margin"
	Value Value
}

// Figures yields every figure of the document, section by section, in reading order: what a
// reader, and a test, can hold against the query behind it.
func (d *Document) Figures() iter.Seq[Figure] {
	return func(yield func(Figure) bool) {
		for _, s := range d.Sections {
			for _, b := range s.Blocks {
				for f := range figuresOf(b) {
					f.Where = s.Title + " / " + f.Where
					if !yield(f) {
						return
					}
				}
			}
		}
	}
}

func figuresOf(b Block) iter.Seq[Figure] {
	return func(yield func(Figure) bool) {
		switch b := b.(type) {
		case *Tiles:
			for _, t := range b.Items {
				if !yield(Figure{"tile " + t.Label, t.Value}) || t.Change != nil && !yield(Figure{"tile " + t.Label + " / change", t.Change.Value}) {
					return
				}
			}
		case *Table:
			for i, r := range b.Rows {
				for j, cell := range r.Cells {
					if d, ok := cell.(quantity.Decimal); ok {
						v := Value{Number: &d, Unit: b.Columns[j].Unit, Currency: b.CurrencyAt(r, j)}
						if !yield(Figure{fmt.Sprintf("table %s / row %d / %s", b.Title, i+1, b.Columns[j].Name), v}) {
							return
						}
					}
				}
			}
		case *Chart:
			for f := range b.figures() {
				if !yield(f) {
					return
				}
			}
		case *Finding:
			at := strings.TrimSpace("finding " + b.Reference)
			if !yield(Figure{at + " / value", b.Value}) || !yield(Figure{at + " / stake", b.Stake}) {
				return
			}
			for _, d := range b.Drivers {
				if !yield(Figure{at + " / driver " + d.Name, d.Value}) {
					return
				}
			}
		}
	}
}
