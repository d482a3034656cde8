package pptx

import (
	"strings"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
)

// lineHigh is the height of a line in sizes of its font, a little more than fonts say.
const lineHigh = 1.24

// lines returns how many lines a paragraph takes at a width.
func (p para) lines(width float64) int {
	if p.bullet {
		width -= 18
	}
	return len(office.Wrap(document.Clean(p.text), p.size, p.bold, width))
}

// high returns how high a paragraph is at a width.
func (p para) high(width float64) float64 {
	return float64(p.lines(width))*p.size*lineHigh + p.after
}

func highAll(ps []para, width float64) (h float64) {
	for _, p := range ps {
		h += p.high(width)
	}
	return h
}

// fit sets a text in the first of the sizes at which it fits a box; what does not fit the
// last one is cut there.
func fit(text string, bold bool, w, h float64, sizes ...float64) para {
	text = office.OneLine(text)
	for _, size := range sizes {
		p := para{text: text, size: size, bold: bold}
		if p.high(w) <= h {
			return p
		}
	}
	size := sizes[len(sizes)-1]
	return para{text: fitLines(text, size, bold, w, max(1, int(h/(size*lineHigh)))), size: size, bold: bold}
}

// fitLines cuts a text so that it takes at most so many lines.
func fitLines(text string, size float64, bold bool, width float64, most int) string {
	lines := office.Wrap(text, size, bold, width)
	if len(lines) <= most {
		return text
	}
	kept := strings.Join(lines[:most], "")
	for kept != "" {
		if cut := strings.TrimRight(kept, " ") + "…"; len(office.Wrap(cut, size, bold, width)) <= most {
			return cut
		}
		_, n := utf8.DecodeLastRuneInString(kept)
		kept = kept[:len(kept)-n]
	}
	return "…"
}

// fitLine cuts a text to one line.
func fitLine(text string, size float64, bold bool, width float64) string {
	return fitLines(text, size, bold, width, 1)
}

// flow spreads paragraphs over pages of a height. A paragraph that is longer than a page goes
// on in the next.
func flow(ps []para, width, height float64) (pages [][]para) {
	var page []para
	left := height
	turn := func() {
		if len(page) > 0 {
			pages = append(pages, page)
		}
		page, left = nil, height
	}
	for _, p := range ps {
		need := p.high(width)
		if need-p.after > left && len(page) > 0 && need-p.after <= height {
			turn()
		}
		for need-p.after > left {
			inner := width
			if p.bullet {
				inner -= 18
			}
			lines := office.Wrap(document.Clean(p.text), p.size, p.bold, inner)
			fits := int(left / (p.size * lineHigh))
			if fits < 1 {
				turn()
				continue
			}
			first := p
			first.text, first.after = strings.Join(lines[:fits], ""), 0
			page = append(page, first)
			p.text = strings.Join(lines[fits:], "")
			turn()
			need = p.high(width)
		}
		page = append(page, p)
		left -= need
	}
	turn()
	return pages
}
