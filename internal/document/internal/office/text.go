package office

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/document"
)

// Font returns the typeface of a brand's files. Office files carry no fonts that all programs
// read, so without a brand's own it is one that every machine has, or has one as wide as.
func Font(b document.Brand) string {
	if b.Font == "" || b.Font == "Inter" {
		return "Arial"
	}
	return b.Font
}

// Properties is the part docProps/core.xml: what a file says of itself. A zero instant gives
// no date, as the library's own would be a false one.
func Properties(title, firm string, at time.Time) string {
	if firm == "" {
		firm = "MoatMetrics"
	}
	dates := ""
	if !at.IsZero() {
		for _, name := range []string{"created", "modified"} {
			dates += fmt.Sprintf(`<dcterms:%[1]s xsi:type="dcterms:W3CDTF">%[2]s</dcterms:%[1]s>`, name, at.UTC().Format(time.RFC3339))
		}
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\n"+`<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>%[1]s</dc:title><dc:creator>%[2]s</dc:creator><cp:lastModifiedBy>%[2]s</cp:lastModifiedBy>%[3]s</cp:coreProperties>`,
		Escape(title), Escape(firm), dates)
}

// widths are of the printable ASCII characters of Arial in thousandths of an em (the AFM of
// Helvetica, whose widths Arial shares).
var widths = [95]uint16{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// Width returns how many points a line is wide at a size. Fonts differ, so it is a little more
// than Arial's; characters beyond ASCII count as what is usual for their kind.
func Width(text string, size float64, bold bool) float64 {
	total := 0.0
	for _, r := range text {
		switch {
		case r >= ' ' && r <= '~':
			total += float64(widths[r-' '])
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case r >= 0x1100 && (r <= 0x115F || r >= 0x2E80 && r <= 0xA4CF || r >= 0xAC00 && r <= 0xD7A3 || r >= 0xF900 && r <= 0xFAFF || r >= 0xFE30 && r <= 0xFE6F || r >= 0xFF00 && r <= 0xFF60), r > 0xFFFF:
			total += 1050
		default:
			total += 650
		}
	}
	if bold {
		total *= 1.08
	}
	return total * size / 1000 * 1.04
}

// Wider returns how much wider a brand's own font is than what Width says, 1 at least: texts
// are set smaller by that, and columns wider.
func Wider(b document.Brand) float64 {
	if b.Regular == nil {
		return 1
	}
	fonts, err := b.Fonts()
	if err != nil { // whoever checks the brand says so; here its name is enough
		return 1
	}
	wider := 1.0
	for _, sample := range []string{"The quick brown fox jumps over the lazy dog", "0123456789,.$%", "HAMBURGEFONSTIV", "illicit mill"} {
		for _, bold := range []bool{false, true} {
			wider = max(wider, fonts.Width(sample, 100, bold)/Width(sample, 100, bold))
		}
	}
	return min(wider, 2)
}

// Wrap breaks a text into lines of at most so many points, at spaces where there are some.
func Wrap(text string, size float64, bold bool, width float64) []string {
	var lines []string
	for para := range strings.SplitSeq(text, "\n") {
		line, used := "", 0.0
		for word := range strings.SplitAfterSeq(para, " ") {
			w := Width(word, size, bold)
			if bare := Width(strings.TrimRight(word, " "), size, bold); used > 0 && used+bare > width {
				lines = append(lines, line)
				line, used = "", 0
			}
			for used == 0 && w > width && utf8.RuneCountInString(word) > 1 { // longer than a line
				n, part := 0, 0.0
				for i, r := range word {
					rw := Width(string(r), size, bold)
					if part+rw > width && i > 0 {
						break
					}
					part += rw
					n = i + utf8.RuneLen(r)
				}
				lines = append(lines, word[:n])
				word = word[n:]
				w = Width(word, size, bold)
			}
			line += word
			used += w
		}
		lines = append(lines, line)
	}
	return lines
}

// OneLine puts a text on one line: spaces, tabs and line ends become one space each. Spaces
// that do not break stay, as they belong to figures.
func OneLine(s string) string {
	return strings.Join(strings.FieldsFunc(document.Clean(s), func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }), " ")
}

// CellText is a text as the part of a sheet or a chart's cache holds it: what reads like the
// code of a character, _x0041_, is marked as none.
func CellText(s string) string {
	s = document.Clean(s)
	for at := 0; ; {
		i := strings.Index(s[at:], "_x")
		if i < 0 {
			return s
		}
		i += at
		if at = i + 2; i+7 <= len(s) && s[i+6] == '_' {
			if _, err := strconv.ParseUint(s[i+2:i+6], 16, 32); err == nil {
				s = s[:i] + "_x005F" + s[i:]
				at = i + 7
			}
		}
	}
}

// Cut shortens a text to so many characters, with … for what is gone.
func Cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	runes := []rune(s)
	return strings.TrimRight(string(runes[:most-1]), " ") + "…"
}
