package pptx

import (
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// How much of a table slides show.
const (
	columnsMost = 7  // side by side; further ones go on slides of their own, beside the first
	closeMost   = 11 // side by side in smaller type where they fit, so that a table stays whole
	rowsMost    = 12 // on a slide
	plainMost   = 36 // plain rows in all: who wants more takes the workbook
	cellSize    = 12.0
	cellX       = 6.0
	cellY       = 3.0
)

// table writes a table over slides with repeated heads.
func (k *deck) table(kicker string, t *document.Table, notes []string) {
	if len(t.Columns) == 0 {
		return
	}
	shown, above := k.shown(t)
	columns := len(t.Columns)
	for _, r := range shown { // sentences are for the speaker
		if r.Why != "" {
			notes = append(notes, strings.TrimPrefix(cellText(t, r, 0)+": "+r.Why, ": "))
		}
	}
	size, each := k.columnsTogether(t, shown)
	for from := 1; from == 1 || from < columns; from += each {
		which := []int{0}
		for c := from; c < min(columns, from+each); c++ {
			which = append(which, c)
		}
		title := t.Title
		if title == "" {
			title = kicker
		}
		if columns > each+1 {
			title = fmt.Sprintf("%s, columns %d to %d", office.Cut(title, 160), from+1, which[len(which)-1]+1)
		}
		k.tableSlides(kicker, title, t, shown, which, size, above, notes)
	}
}

// columnsTogether returns the size of a table's type and how many columns stand beside the
// first on a slide: all in the largest type in which they fit, or even shares of them.
func (k *deck) columnsTogether(t *document.Table, rows []document.Row) (size float64, each int) {
	n := len(t.Columns)
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	for _, size := range []float64{cellSize, 11, 10} {
		if n <= closeMost && (n <= columnsMost && size == cellSize || narrowest(t, rows, all, size) <= right-left) {
			return size, max(1, n-1)
		}
	}
	parts := (n - 1 + columnsMost - 2) / (columnsMost - 1)
	return cellSize, (n - 1 + parts - 1) / parts
}

// narrowest is the width of columns at a size of type: numbers take what they need, texts at most
// two or three words a line.
func narrowest(t *document.Table, rows []document.Row, which []int, size float64) (all float64) {
	natural := naturals(t, rows, which, size)
	for i, c := range which {
		if !rigid(t, c) {
			natural[i] = min(natural[i], 11*size)
		}
		all += natural[i]
	}
	return all
}

// shown returns the rows that slides have, and what is to be said of the others.
func (k *deck) shown(t *document.Table) ([]document.Row, string) {
	var rows []document.Row
	plain, shown := 0, 0
	for _, r := range t.Rows {
		if r.Kind == document.PlainRow {
			plain++
		}
		if plain <= plainMost || r.Kind == document.Total {
			rows = append(rows, r)
			if r.Kind == document.PlainRow {
				shown++
			}
		}
	}
	all := max(t.Of, plain)
	above := t.Note
	switch {
	case shown < all:
		above = strings.TrimPrefix(fmt.Sprintf("%s. The first %d of %d rows; all are in the workbook.", strings.TrimSuffix(above, "."), shown, all), ". ")
	case all == 0 && len(rows) == 0:
		above = strings.TrimPrefix(strings.TrimSuffix(above, ".")+". There are no rows.", ". ")
	}
	return rows, above
}

// cellText is a text of a table.
func cellText(t *document.Table, r document.Row, column int) string {
	if column >= len(r.Cells) || r.Kind != document.PlainRow && r.Cells[column] == nil {
		return ""
	}
	return t.Cell(r, column)
}

func headText(t *document.Table, column int) string {
	c := t.Columns[column]
	unit := document.SayUnit(c.Unit, c.Currency)
	if unit == "" || c.Unit == quantity.Ratio || c.Unit.HasMoney() && c.Currency == "" {
		return c.Label
	}
	return c.Label + " (" + unit + ")"
}

// rigid cells are not broken into lines.
func rigid(t *document.Table, column int) bool {
	return isNumber(t, column) || column < len(t.Columns) && t.Columns[column].Unit == quantity.Date
}

func isNumber(t *document.Table, column int) bool {
	return column < len(t.Columns) && document.IsNumber(t.Columns[column].Unit)
}

// naturals are the widths that columns would take of themselves at a size of type.
func naturals(t *document.Table, rows []document.Row, which []int, size float64) []float64 {
	natural := make([]float64, len(which))
	for i, c := range which {
		head := headText(t, c)
		wide := min(office.Width(head, size, true), 8*size)
		for _, word := range strings.Fields(head) {
			wide = max(wide, min(office.Width(word, size, true), 110))
		}
		for _, r := range rows {
			if r.Kind != document.Group {
				wide = max(wide, office.Width(cellText(t, r, c), size, r.Kind != document.PlainRow))
			}
		}
		natural[i] = min(wide, 420) + 2*cellX + 2
	}
	return natural
}

// leasts are the widths in which the columns of texts break no word, unless it is very long.
func leasts(t *document.Table, rows []document.Row, which []int, size float64) []float64 {
	least := make([]float64, len(which))
	for i, c := range which {
		wide := 0.0
		fields := func(text string, bold bool) {
			for _, word := range strings.Fields(text) {
				wide = max(wide, min(office.Width(word, size, bold), 110))
			}
		}
		fields(headText(t, c), true)
		for _, r := range rows {
			if r.Kind != document.Group {
				fields(cellText(t, r, c), r.Kind != document.PlainRow)
			}
		}
		least[i] = wide + 2*cellX + 2
	}
	return least
}

// columnWidths shares the width of the slide: numbers and dates get what they need, texts what
// their words need and then a share of the rest by what more they would take.
func columnWidths(t *document.Table, rows []document.Row, which []int, size float64) []float64 {
	widths, least := naturals(t, rows, which, size), leasts(t, rows, which, size)
	room, more, natural := right-left, 0.0, 0.0
	for i, c := range which {
		least[i] = min(least[i], widths[i])
		if rigid(t, c) {
			room -= widths[i]
			continue
		}
		room -= least[i]
		more += widths[i] - least[i]
		natural += widths[i]
	}
	total := 0.0
	for i, c := range which {
		switch {
		case rigid(t, c):
		case room >= more && natural > 0: // all on one line, and what is left by what each takes
			widths[i] += (room - more) * widths[i] / natural
		case room > 0:
			widths[i] = least[i] + (widths[i]-least[i])*room/more
		default:
			widths[i] = least[i]
		}
		total += widths[i]
	}
	if total > right-left { // even the words are too wide: all are set narrower
		for i := range widths {
			widths[i] *= (right - left) / total
		}
	}
	return widths
}

func (k *deck) tableSlides(kicker, name string, t *document.Table, rows []document.Row, which []int, size float64, above string, notes []string) {
	widths := columnWidths(t, rows, which, size)
	head, headHigh := k.headRow(t, which, widths, size)
	top := bodyTop - 8
	if above != "" {
		top += 26
	}
	room := bodyBottom - top
	least := 25.0
	if len(rows) > rowsMost { // a few more than usual are set closer
		least = 22
	}
	made := make([]tableRow, len(rows))
	for i, r := range rows {
		made[i] = k.bodyRow(t, r, which, widths, size, least, room-headHigh)
	}
	pages := paged(made, room-headHigh)
	for i, p := range pages {
		title := name
		if len(pages) > 1 {
			title = fmt.Sprintf("%s (%d of %d)", office.Cut(title, 180), i+1, len(pages))
		}
		s := k.add(tableLayout, kicker, title, notes)
		heights, cells := []float64{headHigh}, [][]gridCell{head}
		for _, r := range p {
			heights, cells = append(heights, r.height), append(cells, r.cells)
		}
		y := bodyTop - 8
		if above != "" {
			s.box(box{name: "Note", x: left, y: y, w: right - left, h: 20}, []para{withColor(fit(above, false, right-left, 18, 13, 12, 11, 10), document.Ink2)})
		}
		s.grid(grid{name: title, alt: fmt.Sprintf("%s: %d rows under %d columns", title, len(p), len(which)), x: left, y: top, widths: widths,
			heights: heights, rows: cells, marginX: cellX, marginY: cellY})
	}
}

// tableRow is a row as it is set.
type tableRow struct {
	kind   document.RowKind
	cells  []gridCell
	height float64
}

// closer is how many sums may stand below the usual rows of a slide, and how few rows are no
// slide of their own.
const closer = 3

// paged spreads rows over slides: a heading stays with the row below it, sums with one above.
func paged(rows []tableRow, room float64) (pages [][]tableRow) {
	var now []tableRow
	used := 0.0
	for i, r := range rows {
		keep := r.height
		if r.kind == document.Group && i+1 < len(rows) {
			keep = min(r.height+rows[i+1].height, room)
		}
		full := len(now) >= rowsMost && (r.kind == document.PlainRow || r.kind == document.Group) && len(rows)-i > closer
		if len(now) > 0 && (full || used+keep > room) {
			pages, now, used = append(pages, now), nil, 0
		}
		now, used = append(now, r), used+r.height
	}
	if n := len(pages); n > 0 && len(now) < closer { // not one sum alone on the last slide
		before := pages[n-1]
		take := min(closer, len(before)/2)
		for take < len(before)-1 && before[len(before)-take-1].kind == document.Group {
			take++
		}
		moved, high := before[len(before)-take:], used
		for _, r := range moved {
			high += r.height
		}
		if high <= room {
			pages[n-1] = before[:len(before)-take]
			now = append(append([]tableRow{}, moved...), now...)
		}
	}
	return append(pages, now)
}

func (k *deck) headRow(t *document.Table, which []int, widths []float64, size float64) ([]gridCell, float64) {
	row, high := make([]gridCell, len(which)), 24.0
	for i, c := range which {
		p := fit(headText(t, c), true, widths[i]-2*cellX, 3*size*lineHigh+1, size, size-1, size-2, 9)
		p.right = isNumber(t, c)
		row[i] = gridCell{para: p, fill: document.Sunken}
		high = max(high, p.high(widths[i]-2*cellX)+2*cellY)
	}
	return row, high
}

// bodyRow is a row with its height, which is at most so much.
func (k *deck) bodyRow(t *document.Table, r document.Row, which []int, widths []float64, size, least, most float64) tableRow {
	row, high := make([]gridCell, len(which)), least
	most = min(most, 140)
	for i, c := range which {
		w := widths[i] - 2*cellX
		one := gridCell{}
		bold := r.Kind != document.PlainRow
		one.para = fit(cellText(t, r, c), bold, w, most-2*cellY, size, size-1, size-2, 8)
		if isNumber(t, c) { // a number stays in one line
			for at := one.size; one.lines(w) > 1 && at > 6; at-- {
				one.para = fit(cellText(t, r, c), bold, w, (at-1)*lineHigh+1, at-1)
			}
		}
		one.right = isNumber(t, c)
		switch r.Kind {
		case document.Group:
			one.color = k.d.Brand.Main()
		case document.Subtotal:
			one.top = document.Ink3
		case document.Total:
			one.top, one.fill = document.Ink, document.Sunken
		}
		row[i] = one
		high = max(high, one.high(w)+2*cellY-1)
	}
	return tableRow{r.Kind, row, high}
}
