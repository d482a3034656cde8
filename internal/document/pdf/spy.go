package pdf

import "github.com/moatmetrics/moatmetrics/internal/document"

// spy is told what stands where: tests hold it against the rules of layout. nil hears
// nothing.
type spy struct {
	texts  []box
	rects  []box
	pieces []box
	runs   []document.Run
	blanks int // glyphs that are missing
	pages  map[int]sheet
	missed int // headings that were listed and not reached
}

// sheet is a page.
type sheet struct {
	w, h       float64
	bareheaded bool
}

// box is something on a page.
type box struct {
	page       int
	x, y, w, h float64
	text       string
	size       float64
}

func (s *spy) at(l *layout) {
	if s.pages == nil {
		s.pages = map[int]sheet{}
	}
	w, h := l.size(l.lying)
	s.pages[l.n] = sheet{w, h, l.bareheaded}
}

func (s *spy) text(l *layout, x, y, w float64, as style, text string) {
	if s == nil {
		return
	}
	s.at(l)
	s.texts = append(s.texts, box{l.n, x, y - 0.73*as.size, w, 0.73 * as.size, text, as.size})
}

func (s *spy) rect(l *layout, x, y, w, h float64) {
	if s != nil {
		s.at(l)
		s.rects = append(s.rects, box{page: l.n, x: x, y: y, w: w, h: h})
	}
}

func (s *spy) piece(l *layout, p piece) {
	if s != nil {
		s.at(l)
		s.pieces = append(s.pieces, box{page: l.n, y: l.y, h: p.h})
	}
}

func (s *spy) run(r document.Run, glyphs []document.Glyph) {
	if s == nil {
		return
	}
	s.runs = append(s.runs, r)
	for _, g := range glyphs {
		if g.ID == 0 {
			s.blanks++
		}
	}
}

func (s *spy) headings(l *layout) {
	if s != nil {
		s.missed = len(l.entries) - l.reached
	}
}
