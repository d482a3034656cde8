package sfnt

import (
	"bytes"
	"os"
	"testing"

	"pgregory.net/rapid"
)

func inter(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("../../fonts/Inter-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// again reads a subset, which has no table of characters.
func again(t fataler, file []byte, cmap []byte) Tables {
	t.Helper()
	head := Tables{"cmap": cmap}
	n := int(file[4])<<8 | int(file[5])
	for i := range n {
		e := file[12+16*i:]
		at, size := int(e[8])<<24|int(e[9])<<16|int(e[10])<<8|int(e[11]), int(e[12])<<24|int(e[13])<<16|int(e[14])<<8|int(e[15])
		head[string(e[:4])] = file[at : at+size]
	}
	out, err := Parse(head.File())
	if err != nil {
		t.Fatalf("the subset cannot be read: %v", err)
	}
	return out
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func TestASubsetKeepsTheGlyphsThatAreUsed(t *testing.T) {
	whole, err := Parse(inter(t))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		used := map[uint16]bool{}
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			used[uint16(rapid.IntRange(0, whole.Glyphs()-1).Draw(t, "glyph"))] = true
		}
		file := whole.Subset(used)
		part := again(t, file, whole["cmap"])
		needed := map[uint16]bool{0: true}
		for g := range used {
			needed[g] = true
			for _, p := range parts(whole.outline(g)) {
				needed[p] = true
			}
		}
		for g := range needed {
			if !bytes.Equal(bytes.TrimRight(part.outline(g), "\x00"), bytes.TrimRight(whole.outline(g), "\x00")) {
				t.Fatalf("glyph %d has another outline", g)
			}
			if part.Width(g) != whole.Width(g) {
				t.Fatalf("glyph %d is %.1f wide, and was %.1f", g, part.Width(g), whole.Width(g))
			}
		}
		if !bytes.Equal(file, whole.Subset(used)) {
			t.Fatalf("the same glyphs gave another file")
		}
	})
	if n := len(whole.Subset(map[uint16]bool{36: true})); n > 25_000 {
		t.Errorf("one glyph takes %d bytes", n)
	}
}

func TestDamagedFilesGiveErrors(t *testing.T) {
	whole := inter(t)
	rapid.Check(t, func(t *rapid.T) {
		bad := bytes.Clone(whole[:rapid.IntRange(0, len(whole)).Draw(t, "length")])
		for range rapid.IntRange(0, 20).Draw(t, "times") {
			if len(bad) > 0 {
				bad[rapid.IntRange(0, min(len(bad)-1, 600)).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
		}
		if tables, err := Parse(bad); err == nil {
			used := map[uint16]bool{}
			for g := range 50 {
				used[uint16(g)] = true
			}
			tables.Subset(used)
			tables.Width(uint16(tables.Glyphs()))
		}
	})
}
