package document

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Brand is how the documents of a firm look. The zero value is the product's own look.
type Brand struct {
	// Firm is who gives the document out.
	Firm string `json:"firm,omitempty"`
	Logo []byte `json:"-"` // PNG or JPEG, nil without one
	// Primary colors titles and the first series, Accent what stands out. "" is the default.
	Primary Color `json:"primary,omitempty"`
	Accent  Color `json:"accent,omitempty"`
	// Font is a bundled family ("Inter" is the default), or the name of the files given here.
	Font    string `json:"font,omitempty"`
	Regular []byte `json:"-"` // a TrueType font of one's own
	Bold    []byte `json:"-"`
	Footer  string `json:"footer,omitempty"` // on every page: "Confidential"
}

// Color is a color as #RRGGBB.
type Color string

// The colors of documents. Good and Bad are teal-blue and burnt orange, told apart by those
// who do not see red from green, and never alone: a sign or an arrow stands with them.
const (
	Ink      Color = "#16202E" // text
	Ink2     Color = "#465366" // second text
	Ink3     Color = "#5F6C80" // small print
	Rule     Color = "#DDE2EA" // thin lines
	Sunken   Color = "#F5F7FA" // below tiles and table heads
	Paper    Color = "#FFFFFF"
	Good     Color = "#0A6B8A"
	Bad      Color = "#B5400A"
	Caution  Color = "#8A5A00"
	OurBlue  Color = "#0B62A8"
	OurAmber Color = "#B5400A"
)

// series are the colors after the first of a chart with several: each is at least 3:1 on
// paper, and they differ in lightness, too.
var series = []Color{"#B5400A", "#0A8F7A", "#7A4FB5", "#8A5A00", "#C2397D", "#3E6E1F", "#5F6C80"}

// Series returns the color of a chart's nth series.
func (b Brand) Series(n int) Color {
	if n == 0 {
		return b.Main()
	}
	return series[(n-1)%len(series)]
}

// Main returns the color of titles and the first series.
func (b Brand) Main() Color {
	if b.Primary == "" {
		return OurBlue
	}
	return b.Primary
}

// Second returns the color of what stands out.
func (b Brand) Second() Color {
	if b.Accent == "" {
		return OurAmber
	}
	return b.Accent
}

// RGB returns the parts of a color; black when it is none.
func (c Color) RGB() (r, g, b uint8) {
	parts, err := hex.DecodeString(strings.TrimPrefix(string(c), "#"))
	if err != nil || len(parts) != 3 {
		return 0, 0, 0
	}
	return parts[0], parts[1], parts[2]
}

// Mix returns the color at a share (0 to 1) of the way to another.
func (c Color) Mix(to Color, share float64) Color {
	r, g, b := c.RGB()
	r2, g2, b2 := to.RGB()
	part := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (float64(b)-float64(a))*share)) }
	return Color(fmt.Sprintf("#%02X%02X%02X", part(r, r2), part(g, g2), part(b, b2)))
}

// Contrast returns the contrast of two colors, 1 to 21, as WCAG 2.2 defines it (relative
// luminance of sRGB, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
func (c Color) Contrast(with Color) float64 {
	a, b := c.luminance(), with.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func (c Color) luminance() float64 {
	r, g, b := c.RGB()
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// Check returns an Invalid error, by field, for colors that cannot be read on paper (under
// 4.5:1, WCAG 1.4.3) or are none.
func (b Brand) Check() error {
	var fields []fault.Field
	for _, c := range []struct {
		path  string
		color Color
	}{{"primary", b.Primary}, {"accent", b.Accent}} {
		if c.color == "" {
			continue
		}
		parts, err := hex.DecodeString(strings.TrimPrefix(string(c.color), "#"))
		switch {
		case err != nil || len(parts) != 3 || c.color[0] != '#':
			fields = append(fields, fault.Field{Path: c.path, Message: "write a color as #RRGGBB, such as " + string(OurBlue)})
		case c.color.Contrast(Paper) < 4.5:
			fields = append(fields, fault.Field{Path: c.path, Message: fmt.Sprintf("%s has a contrast of %.1f:1 on white paper and 4.5:1 is needed to be read: %s would do", c.color, c.color.Contrast(Paper), c.color.readable())})
		}
	}
	if len(fields) > 0 {
		return fault.WithFields("this brand cannot be used", fields...)
	}
	return nil
}

// readable returns the lightest shade of a color that can be read on paper.
func (c Color) readable() Color {
	for share := 0.0; share < 1; share += 0.01 {
		if d := c.Mix("#000000", share); d.Contrast(Paper) >= 4.5 {
			return d
		}
	}
	return "#000000"
}
