package pdf

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/pdffile"
)

// The frame of pages, in points.
const (
	side  = 54 // left and right of the text
	above = 76
	below = 64
	bare  = 54 // above and below on pages without running lines
)

// piece is a part of the document that stays on one page.
type piece struct {
	gap  float64 // above it, but not at the head of a page
	h    float64
	keep bool // with the next piece
	// fresh pieces begin a page, soft ones only when half of the last one is used; wide ones
	// stand on a page that lies; bareheaded ones on a page without running lines.
	fresh, soft, wide, bareheaded bool
	// again is painted at the head of a page that begins before this piece: a table's head.
	again *head
	draw  func(top float64)
}

// head is what is repeated on each page.
type head struct {
	h    float64
	draw func(top float64)
}

// layout puts pieces on pages. Without a file it only finds where they stand.
type layout struct {
	ctx   context.Context
	doc   *document.Document
	fonts *document.Fonts
	spy   *spy

	file  *pdffile.File // nil in the draft
	page  *pdffile.Page
	refs  []pdffile.Ref
	total int
	logo  *pdffile.Image
	faces map[*document.Font]*pdffile.Font

	top     *pdffile.Elem
	section *pdffile.Elem // that is being laid out

	n                 int     // number of the page
	y                 float64 // where the next piece comes
	open, fresh       bool    // a page is open; nothing stands on it yet
	lying, bareheaded bool    // how the open page is
	entries           []entry
	places            []place // by entry
	reached           int     // how many entries were reached
	ascii             [2][128]float64
	figures           [2]map[rune]document.Glyph
	kept              map[setKey][]setRun
	err               error
}

// entry is a heading that contents and bookmarks lead to.
type entry struct {
	title string
	level int // 1 is a section, 2 a block, 3 one that only bookmarks lead to
}

// place is where an entry stands.
type place struct {
	page     int
	fromFoot float64
}

func newLayout(ctx context.Context, d *document.Document, fonts *document.Fonts) *layout {
	l := &layout{ctx: ctx, doc: d, fonts: fonts, faces: map[*document.Font]*pdffile.Font{}, entries: entriesOf(d)}
	l.places = make([]place, len(l.entries))
	for i := range l.ascii {
		for r := ' '; r <= '~'; r++ {
			l.ascii[i][r] = fonts.Width(string(r), 1000, i == 1)
		}
		l.figures[i] = map[rune]document.Glyph{}
	}
	return l
}

// entriesOf lists the headings of a document, in order.
func entriesOf(d *document.Document) []entry {
	var out []entry
	for _, s := range d.Sections {
		out = append(out, entry{titled(s.Title), 1})
		for _, b := range s.Blocks {
			if t := titleOf(b); t != "" {
				out = append(out, entry{t, levelOf(b)})
			}
		}
	}
	return out
}

// levelOf says how deep a block stands: findings and lists belong to what is before them.
func levelOf(b document.Block) int {
	switch b := b.(type) {
	case *document.Finding:
		return 3
	case *document.Text:
		if len(some(b.Paragraphs...)) == 0 {
			return 3
		}
	}
	return 2
}

func titled(s string) string {
	if len(some(s)) == 0 {
		return "Section"
	}
	return s
}

// titleOf returns the heading of a block, "" without one.
func titleOf(b document.Block) string {
	title := ""
	switch b := b.(type) {
	case *document.Text:
		title = b.Title
	case *document.Tiles:
		title = b.Title
	case *document.Table:
		title = b.Title
	case *document.Chart:
		title = b.Title
	case *document.Finding:
		if title = b.Headline; len(some(title)) == 0 {
			title = "Finding"
		}
	}
	return strings.Join(some(title), "")
}

// size returns the width and height of a page.
func (l *layout) size(wide bool) (w, h float64) {
	w, h = 595.28, 841.89
	if l.doc.Layout.Paper == "letter" {
		w, h = 612, 792
	}
	if wide || l.doc.Layout.Landscape {
		return h, w
	}
	return w, h
}

// width returns the width of the text.
func (l *layout) width(wide bool) float64 {
	w, _ := l.size(wide)
	return w - 2*side
}

// room returns the height of a page's text.
func (l *layout) room(wide, bareheaded bool) float64 {
	_, h := l.size(wide)
	if bareheaded {
		return h - 2*bare
	}
	return h - above - below
}

// flow puts pieces on pages, those to be kept together on one page.
func (l *layout) flow(pieces iter.Seq[piece]) {
	var chain []piece
	height := 0.0
	for p := range pieces {
		if l.err == nil {
			l.err = l.ctx.Err()
		}
		if l.err != nil {
			return
		}
		chain = append(chain, p)
		height += p.gap + p.h
		if p.keep && height < l.room(p.wide, p.bareheaded) {
			continue
		}
		l.place(chain)
		chain, height = chain[:0], 0
	}
	l.place(chain)
}

// place puts a chain of pieces on this page, or the next one when it does not fit.
func (l *layout) place(chain []piece) {
	var height float64
	wide := false
	for _, p := range chain {
		height += p.gap + p.h
		wide = wide || p.wide && p.gap+p.h > 0
	}
	for i, p := range chain {
		if p.gap+p.h == 0 { // it opens or closes something, and needs no page
			p.draw(l.y)
			continue
		}
		need := p.gap + p.h
		if i == 0 {
			need = height
		}
		_, h := l.size(l.lying)
		foot := h - below
		if l.bareheaded {
			foot = h - bare
		}
		begins := p.fresh || p.soft && l.y > above+l.room(l.lying, false)/2
		if l.open && (begins && !l.fresh || l.lying != wide || l.bareheaded != p.bareheaded || l.y+need > foot+0.01 && !l.fresh) {
			l.endPage()
		}
		if !l.open {
			l.beginPage(wide, p.bareheaded)
			if p.again != nil {
				p.again.draw(l.y)
				l.y += p.again.h
			}
		}
		if !l.fresh {
			l.y += p.gap
		}
		p.draw(l.y)
		l.spy.piece(l, p)
		l.y += p.h
		l.fresh = false
	}
}

func (l *layout) beginPage(wide, bareheaded bool) {
	l.n++
	l.open, l.fresh, l.lying, l.bareheaded, l.y = true, true, wide, bareheaded, above
	if bareheaded {
		l.y = bare
	}
	if l.file == nil {
		return
	}
	w, h := l.size(wide)
	l.page = l.file.NewPage(l.refs[l.n-1], w, h)
	if !bareheaded {
		l.running(w, h)
	}
}

func (l *layout) endPage() {
	if l.open && l.page != nil {
		l.page.Close()
		l.page = nil
	}
	l.open = false
}

// running paints the lines that are on every page: who, what, and which page.
func (l *layout) running(w, h float64) {
	small := style{size: 7.5, color: document.Ink3}
	strong := small
	strong.bold = true
	l.artifact()
	half := (w - 2*side - 20) / 2
	if l.doc.Brand.Firm != "" {
		l.line(side, 42, l.short(l.doc.Brand.Firm, strong, half), strong)
	}
	right := small
	right.align = document.Right
	title := l.name()
	if !strings.Contains(title, l.doc.Client) {
		title += " · " + l.doc.Client
	}
	l.line(w-side, 42, l.short(title, small, half), right)
	l.rect(side, 52, w-2*side, 0.5, document.Rule)

	l.rect(side, h-48, w-2*side, 0.5, document.Rule)
	number := fmt.Sprintf("Page %d of %d", l.n, l.total)
	l.line(w-side, h-34, number, right)
	foot := l.doc.Brand.Footer
	if foot == "" {
		foot = l.doc.Period
	}
	l.line(side, h-34, l.short(foot, small, w-2*side-l.fonts.Width(number, small.size, false)-20), small)
}

// reach notes that the next heading stands here.
func (l *layout) reach(top float64) {
	if l.reached < len(l.places) {
		_, h := l.size(l.lying)
		l.places[l.reached] = place{l.n, h - top + 6}
	}
	l.reached++
}
