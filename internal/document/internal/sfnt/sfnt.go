// Package sfnt takes TrueType files apart and puts them together again: what a font needs to
// be checked before it is trusted, and to be embedded with only the glyphs that a file uses.
package sfnt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Tables are the tables of a font file by tag.
type Tables map[string][]byte

// Parse returns the tables of a TrueType file: one with outlines in glyf, no collection and
// no web font. The slices are parts of data. Its errors say what the file is instead.
func Parse(data []byte) (Tables, error) {
	if len(data) < 12 {
		return nil, errors.New("it is no font file")
	}
	switch tag := string(data[:4]); tag {
	case "\x00\x01\x00\x00", "true":
	case "OTTO":
		return nil, errors.New("it is an OpenType font with PostScript outlines (.otf), which PDF files of ours cannot hold: take the family's .ttf files")
	case "ttcf":
		return nil, errors.New("it is a collection of fonts (.ttc): take a file that holds one font")
	case "wOFF", "wOF2":
		return nil, errors.New("it is a compressed web font (.woff): take the family's .ttf files")
	default:
		return nil, errors.New("it is no TrueType font file (.ttf)")
	}
	n := int(binary.BigEndian.Uint16(data[4:]))
	if len(data) < 12+16*n {
		return nil, errors.New("the file ends too early")
	}
	t := Tables{}
	for i := range n {
		entry := data[12+16*i:]
		at, size := uint64(binary.BigEndian.Uint32(entry[8:])), uint64(binary.BigEndian.Uint32(entry[12:]))
		if at+size > uint64(len(data)) {
			return nil, fmt.Errorf("its table %q lies outside of the file", entry[:4])
		}
		t[string(entry[:4])] = data[at : at+size : at+size]
	}
	for tag, least := range map[string]int{"head": 54, "hhea": 36, "maxp": 6, "hmtx": 4, "cmap": 4, "loca": 4, "glyf": 0} {
		if b, ok := t[tag]; !ok || len(b) < least {
			return nil, fmt.Errorf("its table %q is missing or too short", tag)
		}
	}
	if u := t.UnitsPerEm(); u < 16 || u > 16384 {
		return nil, fmt.Errorf("it has %d units to the em; 16 to 16384 are allowed", u)
	}
	if m := t.metrics(); m == 0 || m > t.Glyphs() || len(t["hmtx"]) < 4*m {
		return nil, errors.New("its table of widths does not fit its glyphs")
	}
	if len(t["loca"]) < (t.Glyphs()+1)*t.locaSize() {
		return nil, errors.New("its table of outlines does not fit its glyphs")
	}
	return t, nil
}

// UnitsPerEm returns the units of the font's measures to the size of the type.
func (t Tables) UnitsPerEm() int { return int(binary.BigEndian.Uint16(t["head"][18:])) }

// Glyphs returns how many glyphs there are.
func (t Tables) Glyphs() int { return int(binary.BigEndian.Uint16(t["maxp"][4:])) }

// Box returns the box around all glyphs, in thousandths of the size.
func (t Tables) Box() [4]int {
	var box [4]int
	for i := range box {
		box[i] = t.milli(t["head"][36+2*i:])
	}
	return box
}

// Ascent returns how far lines reach above the baseline, in thousandths of the size.
func (t Tables) Ascent() int { return t.milli(t["hhea"][4:]) }

// Descent returns how far they reach below it, as a negative number.
func (t Tables) Descent() int { return t.milli(t["hhea"][6:]) }

// CapHeight returns the height of capital letters, in thousandths of the size.
func (t Tables) CapHeight() int {
	if os2 := t["OS/2"]; len(os2) >= 90 && binary.BigEndian.Uint16(os2) >= 2 {
		return t.milli(os2[88:])
	}
	return t.Ascent()
}

// Embeddable reports whether the font's license bits let documents carry it (OS/2 fsType:
// neither "restricted" alone nor "bitmaps only").
func (t Tables) Embeddable() bool {
	os2 := t["OS/2"]
	if len(os2) < 10 {
		return true
	}
	bits := binary.BigEndian.Uint16(os2[8:])
	return bits&0xF != 2 && bits&0x200 == 0
}

// Width returns the advance of a glyph in thousandths of the size.
func (t Tables) Width(glyph uint16) float64 {
	i := min(int(glyph), t.metrics()-1)
	return float64(binary.BigEndian.Uint16(t["hmtx"][4*i:])) * 1000 / float64(t.UnitsPerEm())
}

// Without returns the tables less those named.
func (t Tables) Without(tags ...string) Tables {
	out := maps.Clone(t)
	for _, tag := range tags {
		delete(out, tag)
	}
	return out
}

func (t Tables) milli(at []byte) int {
	return int(int16(binary.BigEndian.Uint16(at))) * 1000 / t.UnitsPerEm()
}

func (t Tables) metrics() int { return int(binary.BigEndian.Uint16(t["hhea"][34:])) }

func (t Tables) locaSize() int {
	if binary.BigEndian.Uint16(t["head"][50:]) == 0 {
		return 2
	}
	return 4
}

// File writes the tables as a font file.
func (t Tables) File() []byte {
	tags := slices.Sorted(maps.Keys(t))
	size := 12 + 16*len(tags)
	for _, tag := range tags {
		size += (len(t[tag]) + 3) &^ 3
	}
	out := make([]byte, 12+16*len(tags), size)
	search := 1
	power := uint16(0)
	for search*2 <= len(tags) {
		search, power = search*2, power+1
	}
	copy(out, "\x00\x01\x00\x00")
	binary.BigEndian.PutUint16(out[4:], uint16(len(tags)))
	binary.BigEndian.PutUint16(out[6:], uint16(search*16))
	binary.BigEndian.PutUint16(out[8:], power)
	binary.BigEndian.PutUint16(out[10:], uint16(len(tags)*16-search*16))
	headAt := -1
	for i, tag := range tags {
		at := len(out)
		if tag == "head" {
			headAt = at
		}
		out = append(out, t[tag]...)
		if tag == "head" {
			binary.BigEndian.PutUint32(out[at+8:], 0)
		}
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
		entry := out[12+16*i:]
		copy(entry, tag)
		binary.BigEndian.PutUint32(entry[4:], sum(out[at:]))
		binary.BigEndian.PutUint32(entry[8:], uint32(at))
		binary.BigEndian.PutUint32(entry[12:], uint32(len(t[tag])))
	}
	if headAt >= 0 {
		binary.BigEndian.PutUint32(out[headAt+8:], 0xB1B0AFBA-sum(out))
	}
	return out
}

func sum(b []byte) (s uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		s += binary.BigEndian.Uint32(b[i:])
	}
	return s
}

// Subset returns a font file that keeps the numbers of all glyphs up to the last one used,
// and the outlines of the used ones alone, with those that they are composed of.
func (t Tables) Subset(used map[uint16]bool) []byte {
	keep, todo := map[uint16]bool{}, append(slices.Sorted(maps.Keys(used)), 0)
	for len(todo) > 0 {
		g := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !keep[g] && int(g) < t.Glyphs() {
			keep[g] = true
			todo = append(todo, parts(t.outline(g))...)
		}
	}
	last := slices.Max(slices.Collect(maps.Keys(keep)))
	count := int(last) + 1

	glyf, loca := []byte{}, make([]byte, 4*(count+1))
	hmtx := make([]byte, 4*count)
	for g := range count {
		binary.BigEndian.PutUint32(loca[4*g:], uint32(len(glyf)))
		if keep[uint16(g)] {
			glyf = append(glyf, t.outline(uint16(g))...)
			for len(glyf)%4 != 0 {
				glyf = append(glyf, 0)
			}
			i := min(g, t.metrics()-1)
			copy(hmtx[4*g:], t["hmtx"][4*i:4*i+2])
			if at := 4*t.metrics() + 2*(g-t.metrics()); g < t.metrics() {
				copy(hmtx[4*g+2:], t["hmtx"][4*g+2:4*g+4])
			} else if at+2 <= len(t["hmtx"]) {
				copy(hmtx[4*g+2:], t["hmtx"][at:at+2])
			}
		}
	}
	binary.BigEndian.PutUint32(loca[4*count:], uint32(len(glyf)))

	head, hhea, maxp := slices.Clone(t["head"]), slices.Clone(t["hhea"]), slices.Clone(t["maxp"])
	binary.BigEndian.PutUint16(head[50:], 1)
	binary.BigEndian.PutUint16(hhea[34:], uint16(count))
	binary.BigEndian.PutUint16(maxp[4:], uint16(count))
	out := Tables{"head": head, "hhea": hhea, "maxp": maxp, "hmtx": hmtx, "loca": loca, "glyf": glyf}
	for _, tag := range []string{"cvt ", "fpgm", "prep"} {
		if b, ok := t[tag]; ok {
			out[tag] = b
		}
	}
	return out.File()
}

// outline returns the description of a glyph; nil when it has none, such as a space.
func (t Tables) outline(g uint16) []byte {
	var from, to uint64
	if t.locaSize() == 2 {
		from, to = 2*uint64(binary.BigEndian.Uint16(t["loca"][2*int(g):])), 2*uint64(binary.BigEndian.Uint16(t["loca"][2*int(g)+2:]))
	} else {
		from, to = uint64(binary.BigEndian.Uint32(t["loca"][4*int(g):])), uint64(binary.BigEndian.Uint32(t["loca"][4*int(g)+4:]))
	}
	if from >= to || to > uint64(len(t["glyf"])) {
		return nil
	}
	return t["glyf"][from:to]
}

// parts returns the glyphs that a composite glyph is made of.
// https://learn.microsoft.com/en-us/typography/opentype/spec/glyf#composite-glyph-description
func parts(outline []byte) []uint16 {
	if len(outline) < 10 || int16(binary.BigEndian.Uint16(outline)) >= 0 {
		return nil
	}
	var out []uint16
	for at := 10; at+4 <= len(outline); {
		flags := binary.BigEndian.Uint16(outline[at:])
		out = append(out, binary.BigEndian.Uint16(outline[at+2:]))
		at += 6
		if flags&1 != 0 { // offsets are words
			at += 2
		}
		switch {
		case flags&0x8 != 0:
			at += 2
		case flags&0x40 != 0:
			at += 4
		case flags&0x80 != 0:
			at += 8
		}
		if flags&0x20 == 0 {
			return out
		}
	}
	return out
}
