package document_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

func fonts(t testing.TB, b document.Brand) *document.Fonts {
	t.Helper()
	f, err := b.Fonts()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEachCharacterIsWrittenInAFontThatHasIt(t *testing.T) {
	f := fonts(t, document.Brand{})
	for _, c := range []struct {
		name, text, font string
	}{
		{"Latin", "Contoso", "Inter-Regular"},
		{"accents", "Société Générale Łódź", "Inter-Regular"},
		{"an accent as a mark of its own", "Socie\u0301te\u0301", "Inter-Regular"},
		{"Greek", "Ελλάδα", "Inter-Regular"},
		{"Cyrillic", "Москва", "Inter-Regular"},
		{"Vietnamese", "Thành phố Hồ Chí Minh", "Inter-Regular"},
		{"figures and signs", "−3.2\u00a0pp ±4 €12 £3 ¥5 —", "Inter-Regular"},
		{"Hebrew", "חברה", "NotoSansHebrew-Regular"},
		{"Arabic", "شركة", "DejaVuSans"},
		{"Thai", "บริษัท", "NotoSansThai-Regular"},
		{"Hindi", "कंपनी", "NotoSansDevanagari-Regular"},
		{"Georgian", "კომპანია", "DejaVuSans"},
		{"Armenian", "ընկերություն", "DejaVuSans"},
		{"Chinese", "有限公司", "DroidSansFallback"},
		{"Chinese, traditional", "資訊科技", "DroidSansFallback"},
		{"Japanese", "株式会社", "DroidSansFallback"},
		{"Japanese, Katakana", "カブシキ", "DroidSansFallback"},
		{"Korean", "주식회사", "DroidSansFallback"},
		{"emoji", "🚀", "NotoEmoji-Regular"},
		{"a family of emoji", "👨‍👩‍👧", "NotoEmoji-Regular"},
		{"an emoji with a skin tone", "👍🏽", "NotoEmoji-Regular"},
	} {
		t.Run(c.name, func(t *testing.T) {
			runs := f.Split(c.text, false)
			if len(runs) != 1 || runs[0].Font.Name != c.font {
				t.Fatalf("%q is split into %+v, want one run of %s", c.text, runs, c.font)
			}
			for _, g := range f.Shape(runs[0], false) {
				if g.ID == 0 {
					t.Errorf("%q has a glyph that is missing", c.text)
				}
			}
		})
	}
}

func TestWhatNoFontHasIsNamed(t *testing.T) {
	f := fonts(t, document.Brand{})
	for in, want := range map[string]string{
		"A\U00020BB7B":              "A[U+20BB7]B",
		"𐂀":                         "[linear b ideogram b100 man]",
		"plain":                     "plain",
		"a\u0000b\u202Ec\u2066":     "abc",
		"tab\tand\nline":            "tab and line",
		"caf\u0065\u0301":           "café",
		"\U0010FFFD":                "[U+10FFFD]",
		"zero\u200bwidth\u200d":     "zero\u200bwidth\u200d",
		"<script>alert(1)</script>": "<script>alert(1)</script>",
	} {
		if got := f.Legible(in); got != want {
			t.Errorf("Legible(%q) = %q, want %q", in, got, want)
		}
	}
}

// The law behind "no tofu": whatever a text holds, no run of it has the glyph of a character
// that its font lacks, and every letter is there.
func TestNoTextHasAMissingGlyph(t *testing.T) {
	f := fonts(t, document.Brand{})
	letters := rapid.StringOf(rapid.OneOf(
		rapid.RuneFrom(nil, unicode.L, unicode.Nd, unicode.P, unicode.S, unicode.Zs),
		rapid.RuneFrom(nil, unicode.Hebrew, unicode.Arabic, unicode.Han, unicode.Hangul, unicode.Thai, unicode.Devanagari),
		rapid.RuneFrom([]rune("🚀👨\u200d👩🏽\ufe0f🇩🇪é\u0301 123.-(<")),
		rapid.Rune()))
	rapid.Check(t, func(t *rapid.T) {
		text, bold, figures := letters.Draw(t, "text"), rapid.Bool().Draw(t, "bold"), rapid.Bool().Draw(t, "figures")
		legible := f.Legible(text)
		if again := f.Legible(legible); again != legible {
			t.Fatalf("%q is legible as %q, and that as %q", text, legible, again)
		}
		var runes int
		for _, r := range f.Split(text, bold) {
			runes += len([]rune(r.Text))
			var said strings.Builder
			for _, g := range f.Shape(r, figures) {
				if g.ID == 0 {
					t.Fatalf("%q: run %q in %s has a missing glyph", text, r.Text, r.Font.Name)
				}
				said.WriteString(g.Text)
			}
			if said.Len() != len(r.Text) {
				t.Fatalf("%q: the glyphs of %q say %q", text, r.Text, said.String())
			}
		}
		if runes != len([]rune(legible)) {
			t.Fatalf("%q: the runs have %d characters, the text %d", text, runes, len([]rune(legible)))
		}
	})
}

func TestHebrewAndArabicAreOrderedAsSeen(t *testing.T) {
	f := fonts(t, document.Brand{})
	for _, c := range []struct{ name, text, want string }{
		{"a name in an English line", "Client אבג paid", "Client |אבג| paid"},
		{"a number in a Hebrew line", "אבג 123 דהו", "דהו| |123| |אבג"},
		{"two words with a number in an English line", "by אבג 123 דהו now", "by |דהו| |123| |אבג| now"},
		{"a Latin name in an Arabic line", "شركة Acme الاولى", "الاولى| |Acme| |شركة"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, r := range f.Split(c.text, false) {
				got = append(got, r.Text)
			}
			if strings.Join(got, "|") != c.want {
				t.Errorf("runs are %q, want %q", strings.Join(got, "|"), c.want)
			}
		})
	}
	t.Run("Arabic letters join", func(t *testing.T) {
		word, alone := f.Split("بب", false)[0], f.Split("ب", false)[0]
		a, b := f.Shape(word, false), f.Shape(alone, false)
		if a[0].ID == b[0].ID && a[1].ID == b[0].ID {
			t.Error("the letters of a word have the shapes of single letters")
		}
	})
}

func TestLinesKeepEveryLetterAndTheWidth(t *testing.T) {
	f := fonts(t, document.Brand{})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("abcdefgh WWWW iiii.-/אב株式🚀é شركة ब्कि\u0301\u20e3"))).Draw(t, "text")
		width := rapid.Float64Range(30, 300).Draw(t, "width")
		lines := f.Lines(text, 9, false, width)
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if squeeze(strings.Join(lines, "")) != squeeze(f.Legible(text)) {
			t.Fatalf("%q became %q", text, lines)
		}
		for _, l := range lines {
			if w := f.Width(l, 9, false); w > width+0.01 && len([]rune(l)) > 1 {
				t.Fatalf("line %q is %.2f points wide, and %.2f there are", l, w, width)
			}
		}
	})
	if got := f.Lines("", 9, false, 50); len(got) != 1 {
		t.Errorf("an empty text has the lines %q", got)
	}
}

func TestFiguresAreOfEqualWidth(t *testing.T) {
	f := fonts(t, document.Brand{})
	one, eight := f.FiguresWidth("1,111.11", 10, false), f.FiguresWidth("8,888.88", 10, false)
	if math.Abs(one-eight) > 0.001 {
		t.Errorf("1,111.11 is %.3f points wide and 8,888.88 %.3f", one, eight)
	}
	if f.Width("1111", 10, false) == f.FiguresWidth("1111", 10, false) {
		t.Error("the font's figures are of equal width without being asked: the test shows nothing")
	}
}

func TestABrandsOwnFontsAreChecked(t *testing.T) {
	inter, err := os.ReadFile(filepath.Join("fonts", "Inter-Regular.ttf"))
	if err != nil {
		t.Fatal(err)
	}
	emoji, err := os.ReadFile(filepath.Join("fonts", "NotoEmoji-Regular.ttf"))
	if err != nil {
		t.Fatal(err)
	}
	restricted := bytes.Clone(inter)
	for i := 12; ; i += 16 { // set fsType of its table OS/2 to "restricted"
		if string(restricted[i:i+4]) == "OS/2" {
			at := int(restricted[i+9])<<16 | int(restricted[i+10])<<8 | int(restricted[i+11])
			restricted[at+8], restricted[at+9] = 0, 2
			break
		}
	}
	for _, c := range []struct {
		name, path, want string
		brand            document.Brand
	}{
		{"a family that is not bundled", "font", "not bundled", document.Brand{Font: "Comic Sans"}},
		{"bold alone", "regular", "regular TrueType file", document.Brand{Font: "X", Bold: inter}},
		{"no font", "regular", "no TrueType", document.Brand{Font: "X", Regular: []byte("hello, this is no font")}},
		{"nothing", "regular", "no font file", document.Brand{Font: "X", Regular: []byte{}}},
		{"PostScript outlines", "regular", "PostScript", document.Brand{Font: "X", Regular: []byte("OTTO00000000000000")}},
		{"a collection", "regular", "collection", document.Brand{Font: "X", Regular: []byte("ttcf00000000000000")}},
		{"a web font", "bold", "web font", document.Brand{Font: "X", Regular: inter, Bold: []byte("wOF200000000000000")}},
		{"cut off", "regular", "outside", document.Brand{Font: "X", Regular: inter[:len(inter)/2]}},
		{"without Latin letters", "regular", "lacks", document.Brand{Font: "X", Regular: emoji}},
		{"not to be embedded", "regular", "forbid", document.Brand{Font: "X", Regular: restricted}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.brand.Fonts()
			if err == nil || fault.KindOf(err) != fault.Invalid {
				t.Fatalf("error is %v, want an Invalid one", err)
			}
			fields := fault.FieldsOf(err)
			if len(fields) != 1 || fields[0].Path != c.path || !strings.Contains(fields[0].Message, c.want) {
				t.Errorf("fields are %+v, want one at %s that says %q", fields, c.path, c.want)
			}
		})
	}
	t.Run("a good one", func(t *testing.T) {
		f := fonts(t, document.Brand{Font: "House Style", Regular: inter})
		if f.Font(false).Name != "HouseStyle-Regular" || !f.Faux(f.Font(true), true) {
			t.Errorf("fonts are %s and %s", f.Font(false).Name, f.Font(true).Name)
		}
	})
	t.Run("damaged ones never panic", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			bad := bytes.Clone(inter)
			for range rapid.IntRange(1, 40).Draw(t, "times") {
				bad[rapid.IntRange(0, 4000).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
			if f, err := (document.Brand{Font: "X", Regular: bad}).Fonts(); err == nil {
				f.Width("AVATAR 123", 10, false)
			}
		})
	})
}
