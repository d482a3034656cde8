package document_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/document"
)

var update = flag.Bool("update", false, "rewrite testdata: look at the pictures before committing them")

func TestEachKindOfChartIsDrawnAsItWas(t *testing.T) {
	for name, c := range gallery() {
		path := filepath.Join("testdata", "charts", name+".svg")
		got := c.SVG(300, 180, document.Brand{})
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is drawn otherwise than %s: when that is meant, run with -update and look at the picture", name, path)
		}
	}
}

func TestSVGIsWellFormedAndHoldsNothingThatRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyChart(t, allKinds...)
		c.Title = rapid.SampledFrom(names).Draw(t, "title") + "\x00\x1b]]>&<!--"
		text := c.SVG(420, 220, document.Brand{})
		if !bytes.Equal(text, c.SVG(420, 220, document.Brand{})) {
			t.Fatal("the same chart gives other bytes")
		}
		d := xml.NewDecoder(bytes.NewReader(text))
		first := true
		for {
			token, err := d.Token()
			if token == nil {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			switch e.Name.Local {
			case "svg", "title", "desc", "rect", "path", "circle", "text":
			default:
				t.Fatalf("there is a <%s>", e.Name.Local)
			}
			for _, a := range e.Attr {
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") {
					t.Fatalf("<%s> has the attribute %s", e.Name.Local, a.Name.Local)
				}
			}
			if first {
				first = false
				for name, want := range map[string]string{"role": "img", "aria-label": document.Clean(c.Alt())} {
					if got := attribute(e, name); got != want {
						t.Fatalf("%s is %q, want %q", name, got, want)
					}
				}
			}
		}
		if d.InputOffset() != int64(len(text)) {
			t.Fatalf("reading ends at byte %d of %d", d.InputOffset(), len(text))
		}
	})
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func TestAChartIsDrawnInTheBrandsColors(t *testing.T) {
	text := string(gallery()["bars"].SVG(300, 180, document.Brand{Primary: "#335522"}))
	if !strings.Contains(text, `fill="#335522"`) || strings.Contains(text, string(document.OurBlue)) {
		t.Error("the bars are not in the brand's color")
	}
}
