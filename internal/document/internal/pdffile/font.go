package pdffile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document/internal/sfnt"
)

// Font is a font of the file. It is written last, with the glyphs that were used.
type Font struct {
	name   string // in content: F1
	ps     string
	ref    Ref
	tables sfnt.Tables
	used   map[uint16]string // what each glyph stands for
}

// AddFont takes a TrueType font into the file.
func (f *File) AddFont(name string, data []byte) (*Font, error) {
	tables, err := sfnt.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", name, err)
	}
	font := &Font{name: fmt.Sprintf("F%d", len(f.fonts)+1), ps: name, ref: f.Alloc(), tables: tables, used: map[uint16]string{}}
	f.fonts = append(f.fonts, font)
	return font, nil
}

func (f *Font) width(glyph uint16) float64 { return f.tables.Width(glyph) }

// asRead is what glyphs are said to stand for: a space that does not break shares its glyph
// with one that does, and the two letters of lam-alef are one character (which NFKC makes two
// of again), because readers turn the letters of right-to-left words around one by one.
var asRead = strings.NewReplacer("\u00a0", " ", "\u0644\u0622", "\uFEF5", "\u0644\u0623", "\uFEF7", "\u0644\u0625", "\uFEF9", "\u0644\u0627", "\uFEFB")

// use notes that a glyph stands for a text, and reports whether that is what it always
// stands for: then the text can be read from the glyph.
func (f *Font) use(glyph uint16, text string) bool {
	text = asRead.Replace(text)
	had, ok := f.used[glyph]
	if !ok {
		f.used[glyph] = text
		return text != ""
	}
	return had == text && text != ""
}

// finish writes the font: its glyphs are addressed by number (Identity-H), so that every
// shape of a letter can be painted, and read back by the table of what they stand for.
func (f *Font) finish(file *File) {
	glyphs := slices.Sorted(maps.Keys(f.used))
	used := map[uint16]bool{}
	for _, g := range glyphs {
		used[g] = true
	}
	name := subsetTag(glyphs) + "+" + f.ps
	data, unicode, program, about, child := f.tables.Subset(used), file.Alloc(), file.Alloc(), file.Alloc(), file.Alloc()
	file.Stream(program, fmt.Sprintf("/Length1 %d", len(data)), data)
	file.Stream(unicode, "", f.toUnicode(glyphs))
	box := f.tables.Box()
	file.Object(about, fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%d %d %d %d]/ItalicAngle 0/Ascent %d/Descent %d/CapHeight %d/StemV 80/FontFile2 %s>>",
		name, box[0], box[1], box[2], box[3], f.tables.Ascent(), f.tables.Descent(), f.tables.CapHeight(), program))
	var widths []byte
	for i, g := range glyphs {
		if i == 0 || glyphs[i-1]+1 != g {
			if i > 0 {
				widths = append(widths, ']')
			}
			widths = fmt.Appendf(widths, " %d[", g)
		} else {
			widths = append(widths, ' ')
		}
		widths = number(widths, f.width(g))
	}
	if len(glyphs) > 0 {
		widths = append(widths, ']')
	}
	file.Object(child, fmt.Sprintf("<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor %s/DW 1000/W[%s]/CIDToGIDMap/Identity>>", name, about, widths))
	file.Object(f.ref, fmt.Sprintf("<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%s]/ToUnicode %s>>", name, child, unicode))
}

// subsetTag makes the six letters before the name of a font of which a file has a part, from
// that part.
func subsetTag(glyphs []uint16) string {
	h := uint32(2166136261)
	for _, g := range glyphs {
		h = (h ^ uint32(g)) * 16777619
	}
	tag := make([]byte, 6)
	for i := range tag {
		tag[i], h = byte('A'+h%26), h/26
	}
	return string(tag)
}

// toUnicode writes what glyphs stand for (ISO 32000-1, 9.10.3).
func (f *Font) toUnicode(glyphs []uint16) []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n")
	for part := range slices.Chunk(glyphs, 100) {
		fmt.Fprintf(&b, "%d beginbfchar\n", len(part))
		for _, g := range part {
			text := f.used[g]
			if text == "" {
				text = "\u200b" // it belongs to the glyph before it, and the run's ActualText says so
			}
			fmt.Fprintf(&b, "<%04X><%s>\n", g, utf16Hex(text))
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}
