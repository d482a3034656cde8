package govern

import (
	"regexp"
	"testing"
	"unicode"

	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

func TestNamedQueriesPrepareOnBothEngines(t *testing.T) {
	t.Parallel()
	metadbtest.PrepareAll(t, queries)
}

func TestHowAPersonIsFoundInTexts(t *testing.T) {
	t.Parallel()
	s, err := newSpelling([]string{"Dana Ortiz", "Ana"}, []string{"d.ortiz@msp.example"}, []string{"555-0100"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, clean string }{
		{"Call Dana Ortiz back", "Call [erased] back"},
		{"ORTIZ, DANA", "[erased]"},
		{"from dana.ortiz@other.example", "from [erased]@other.example"},
		{"Dana Ortiz Dana Ortiz was here", "[erased] [erased] was here"},
		{"mail d.ortiz@msp.example, or call 555 0100", "mail [erased], or call [erased]"},
		{"Jordana Ortiz", "Jordana Ortiz"},
		{"d.ortiz@msp.examples", "d.ortiz@msp.examples"},
		{"Ana", ""},
		{"Ana called", "Ana called"},
		{`{"who":"Dana Ortiz"}`, `{"who":"[erased]"}`},
	} {
		got, _ := s.clean(c.text)
		if got != c.clean {
			t.Errorf("%q became %q, want %q", c.text, got, c.clean)
		}
	}
	utf16 := []byte{}
	for _, r := range "x Dana Ortiz y" {
		utf16 = append(utf16, byte(r), 0)
	}
	for name, b := range map[string][]byte{"UTF-16": utf16, "an entity": []byte("<t>Dana&#32;Ortiz</t>")} {
		if !s.in(b) {
			t.Errorf("not found in %s", name)
		}
	}
	if s.in([]byte("Dan Ortiz")) {
		t.Error("somebody else is found")
	}
}

// What stands apart is no letter and no digit, and is all punctuation and space of the
// scripts that names are usually written in.
func TestWhatStandsBetweenWordsIsNoLetter(t *testing.T) {
	t.Parallel()
	class := regexp.MustCompile("(?i)^" + apart + "$")
	for r := rune(0); r <= unicode.MaxRune; r++ {
		between := class.MatchString(string(r))
		switch {
		case r >= 0xd800 && r < 0xe000: // no characters
		case between && (unicode.IsLetter(r) || unicode.IsNumber(r)):
			t.Errorf("%U is taken to stand between words", r)
		case !between && unicode.In(r, unicode.P, unicode.Z, unicode.Cc) && (r < 0x700 || r >= 0x2000 && r < 0x2070 || r >= 0x3000 && r < 0x3100 || r >= 0xff00 && r <= 0xffff):
			t.Errorf("%U is taken for a letter", r)
		}
	}
}
