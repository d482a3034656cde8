package document

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
	ot "github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/runenames"
)

// Run is a part of a line that one font writes in one direction.
type Run struct {
	Font        *Font
	Text        string // in the order of reading
	RightToLeft bool
	script      language.Script
}

// Glyph is a glyph of a run. Measures are thousandths of the size of the type.
type Glyph struct {
	ID      uint16
	Advance float64
	X, Y    float64 // how far it is moved from where it would stand
	// Text is what it stands for; "" when the glyph before it speaks for both.
	Text string
}

// setter holds what setting type needs again and again.
type setter struct {
	shaper shaping.HarfbuzzShaper
	bidi   bidi.Paragraph
	seg    segmenter.Segmenter
	widths map[widthKey]float64
}

type widthKey struct {
	text          string
	bold, figures bool
}

// Legible returns the text as it can be written: what no font has is named in brackets,
// such as [U+20BB7] or [linear b syllable b008 a], and what no page can hold is left out
// (Clean). Tabs and line ends are spaces. It is never a box, a gap or a loss without a trace.
func (f *Fonts) Legible(text string) string {
	if plain(text) {
		return text
	}
	var out strings.Builder
	named := false
	f.seg.InitWithString(norm.NFC.String(strings.Map(spaced, Clean(text))))
	for g := f.seg.GraphemeIterator(); g.Next(); {
		cluster := g.Grapheme().Text
		// A mark that stands on nothing would join the bracket that is written before it.
		if f.pick(cluster, false) == nil || named && joins(cluster) {
			out.WriteString(spelled(cluster))
			named = true
			continue
		}
		named = false
		for _, r := range cluster {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func spaced(r rune) rune {
	if r == '\t' || r == '\n' || r == 0x2028 || r == 0x2029 {
		return ' '
	}
	return r
}

// plain reports whether a text is printable ASCII, as most are.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// joins reports whether a grapheme would be one with a bracket before it.
func joins(cluster []rune) bool {
	var seg segmenter.Segmenter
	seg.Init(append([]rune{']'}, cluster...))
	g := seg.GraphemeIterator()
	return g.Next() && len(g.Grapheme().Text) > 1
}

// spelled names what cannot be written.
func spelled(cluster []rune) string {
	var names []string
	for _, r := range cluster {
		if ignorable(r) {
			continue
		}
		name := strings.ToLower(runenames.Name(r))
		if name == "" || strings.HasPrefix(name, "<") || strings.Contains(name, "ideograph") {
			name = fmt.Sprintf("U+%04X", r)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// ignorable reports whether a character is seen only by what it does to others.
func ignorable(r rune) bool {
	return r == 0x00AD || r == 0x034F || r == 0x061C || r >= 0x200B && r <= 0x200F || r >= 0x2060 && r <= 0x2064 ||
		r >= 0xFE00 && r <= 0xFE0F || r == 0xFEFF || r >= 0xE0000 && r <= 0xE0FFF
}

// pick returns the first font that has all of a grapheme, nil when none has.
func (f *Fonts) pick(cluster []rune, bold bool) *Font {
	own := f.Font(bold)
	if len(cluster) == 1 && own.Covers(cluster) {
		return own
	}
	visible := slices.DeleteFunc(slices.Clone(cluster), ignorable)
	if own.Covers(visible) && !slices.Contains(cluster, 0xFE0F) {
		return own
	}
	for i := range fallbacks {
		if other := f.other(i); other.Covers(visible) {
			return other
		}
	}
	if own.Covers(visible) {
		return own
	}
	return nil
}

// Split returns the runs of a line, from left to right as they are seen: each with the first
// font that has all of a character and its marks. Hebrew and Arabic are ordered by the
// Unicode Bidirectional Algorithm (UAX 9). The text is made Legible first.
func (f *Fonts) Split(text string, bold bool) []Run {
	text = f.Legible(text)
	if text == "" {
		return nil
	}
	if plain(text) {
		return []Run{{Font: f.Font(bold), Text: text, script: language.Latin}}
	}
	runes := []rune(text)
	type level struct {
		runs []Run
		n    bidi.Level
	}
	var levels []level
	ordering := f.bidi.Segment(runes, bidi.Neutral)
	for i := 0; i < ordering.NumRuns(); i++ {
		r := ordering.Run(i)
		for i+1 < ordering.NumRuns() && ordering.Run(i+1).Level == r.Level {
			i++
			r.End = ordering.Run(i).End
		}
		l := level{n: r.Level}
		for _, run := range f.byFont(runes[r.Start:r.End], bold) {
			run.RightToLeft = !r.IsLeftToRight()
			l.runs = append(l.runs, run)
		}
		if !r.IsLeftToRight() {
			slices.Reverse(l.runs)
		}
		levels = append(levels, l)
	}
	// Rule L2: from the highest level down to the lowest odd one, reverse what is there.
	var highest bidi.Level
	for _, l := range levels {
		highest = max(highest, l.n)
	}
	for n := highest; n > 0; n-- {
		for from := 0; from < len(levels); from++ {
			to := from
			for to < len(levels) && levels[to].n >= n {
				to++
			}
			if to > from {
				slices.Reverse(levels[from:to])
				from = to
			}
		}
	}
	var out []Run
	for _, l := range levels {
		out = append(out, l.runs...)
	}
	return out
}

// byFont cuts a text of one direction where the font or the script changes.
func (f *Fonts) byFont(runes []rune, bold bool) []Run {
	var out []Run
	var now []rune
	var of *Font
	var script language.Script
	end := func() {
		if len(now) > 0 {
			out = append(out, Run{Font: of, Text: string(now), script: script})
			now = nil
		}
	}
	var seg segmenter.Segmenter
	seg.Init(runes)
	for g := seg.GraphemeIterator(); g.Next(); {
		cluster := g.Grapheme().Text
		to := f.pick(cluster, bold)
		if to == nil {
			to = f.Font(bold)
		}
		s := scriptOf(cluster)
		if to != of || s.Strong() && script.Strong() && s != script {
			end()
			of, script = to, s
		}
		if s.Strong() {
			script = s
		}
		now = append(now, cluster...)
	}
	end()
	return out
}

func scriptOf(cluster []rune) language.Script {
	for _, r := range cluster {
		if s := language.LookupScript(r); s.Strong() {
			return s
		}
	}
	return language.Common
}

// upright sets figures of equal width, so that columns of numbers align.
var upright = []shaping.FontFeature{{Tag: ot.MustNewTag("tnum"), Value: 1}, {Tag: ot.MustNewTag("kern"), Value: 0}, {Tag: ot.MustNewTag("calt"), Value: 0}}

// literal leaves arrows and multiplication signs as they were typed.
var literal = []shaping.FontFeature{{Tag: ot.MustNewTag("calt"), Value: 0}, {Tag: ot.MustNewTag("liga"), Value: 0}}

// Shape returns the glyphs of a run, from left to right. Figures are of equal width when
// figures is set.
func (f *Fonts) Shape(r Run, figures bool) []Glyph { return f.shape(r, figures) }

func (f *setter) shape(r Run, figures bool) []Glyph {
	runes := []rune(r.Text)
	in := shaping.Input{Text: runes, RunEnd: len(runes), Face: r.Font.face, Size: fixed.I(1000), Script: r.script, Language: "en"}
	in.Direction = di.DirectionLTR
	if r.RightToLeft {
		in.Direction = di.DirectionRTL
	}
	switch {
	case figures:
		in.FontFeatures = upright
	case r.Font.Own:
		in.FontFeatures = literal
	}
	out := f.shaper.ShapeNoExtents(in)
	glyphs := make([]Glyph, len(out.Glyphs))
	seen := -1
	for i, g := range out.Glyphs {
		glyphs[i] = Glyph{ID: uint16(g.GlyphID), Advance: points(g.Advance), X: points(g.XOffset), Y: points(g.YOffset)}
		if at := g.TextIndex(); at != seen {
			glyphs[i].Text = string(runes[at : at+g.RunesCount()])
			seen = at
		}
	}
	return glyphs
}

func points(v fixed.Int26_6) float64 { return float64(v) / 64 }

// Width returns how wide a line is, in points.
func (f *Fonts) Width(text string, size float64, bold bool) float64 {
	return f.width(widthKey{text, bold, false}) * size / 1000
}

// FiguresWidth is Width with figures of equal width.
func (f *Fonts) FiguresWidth(text string, size float64, bold bool) float64 {
	return f.width(widthKey{text, bold, true}) * size / 1000
}

// keptWidths bounds the memory of widths: a table names the same things again and again.
const keptWidths = 1 << 14

func (f *Fonts) width(key widthKey) float64 {
	if w, ok := f.widths[key]; ok {
		return w
	}
	var sum float64
	for _, r := range f.Split(key.text, key.bold) {
		for _, g := range f.Shape(r, key.figures) {
			sum += g.Advance
		}
	}
	if len(f.widths) >= keptWidths || f.widths == nil {
		f.widths = make(map[widthKey]float64, 64)
	}
	f.widths[key] = sum
	return sum
}

// Lines breaks a text into lines no wider than width points: at line ends, then where
// Unicode's rules allow it (UAX 14), and inside of words that are too long alone. There is
// at least one line.
func (f *Fonts) Lines(text string, size float64, bold bool, width float64) []string {
	var out []string
	for part := range strings.SplitSeq(strings.ReplaceAll(Clean(text), "\r\n", "\n"), "\n") {
		out = append(out, f.wrapped(f.Legible(part), size, bold, width)...)
	}
	return out
}

func (f *Fonts) wrapped(text string, size float64, bold bool, width float64) []string {
	if f.Width(text, size, bold) <= width {
		return []string{strings.TrimRight(text, " ")}
	}
	var out, line []string // line is the parts of the one that is being filled
	var used float64
	// end ends the line. Parts side by side may be a hair wider than each alone, as letters
	// join and make room for each other: then the last ones go to the next line.
	end := func() {
		n := len(line)
		whole := strings.TrimRight(strings.Join(line, ""), " ")
		for n > 1 && f.Width(whole, size, bold) > width {
			n--
			whole = strings.TrimRight(strings.Join(line[:n], ""), " ")
		}
		if whole != "" {
			out = append(out, whole)
		}
		line, used = slices.Clone(line[n:]), 0
		for _, part := range line {
			used += f.Width(part, size, bold)
		}
	}
	add := func(part string) {
		bare := f.Width(strings.TrimRight(part, " "), size, bold)
		for len(line) > 0 && used+bare > width {
			end()
		}
		line, used = append(line, part), used+f.Width(part, size, bold)
	}
	var seg segmenter.Segmenter
	seg.InitWithString(text)
	for l := seg.LineIterator(); l.Next(); {
		word := string(l.Line().Text)
		if f.Width(strings.TrimRight(word, " "), size, bold) <= width {
			add(word)
			continue
		}
		var inner segmenter.Segmenter
		inner.InitWithString(word)
		for g := inner.GraphemeIterator(); g.Next(); {
			add(string(g.Grapheme().Text))
		}
	}
	for len(line) > 0 {
		end()
	}
	if len(out) == 0 {
		out = []string{""}
	}
	return out
}

// Longest returns the width of the widest word of a text, in points: a column narrower than
// that breaks words.
func (f *Fonts) Longest(text string, size float64, bold bool) float64 {
	var most float64
	text = f.Legible(text)
	if !strings.ContainsFunc(text, unicode.IsSpace) && utf8.RuneCountInString(text) < 12 {
		return f.Width(text, size, bold)
	}
	var seg segmenter.Segmenter
	seg.InitWithString(text)
	for l := seg.LineIterator(); l.Next(); {
		most = max(most, f.Width(strings.TrimRight(string(l.Line().Text), " "), size, bold))
	}
	return most
}
