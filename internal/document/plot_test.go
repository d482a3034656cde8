package document_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// record is a Canvas that keeps what is painted.
type record struct {
	fonts *document.Fonts
	rects []rect // filled ones
	texts []written
	ends  []document.XY // the corners of everything, texts included
	bad   []string      // coordinates that are no numbers
}

type rect struct {
	x, y, w, h float64
	fill       document.Color
}

type written struct {
	rect
	text string
}

func (r *record) see(x, y float64) {
	if math.IsNaN(x) || math.IsInf(x, 0) || math.IsNaN(y) || math.IsInf(y, 0) {
		r.bad = append(r.bad, fmt.Sprint(x, y))
	}
	r.ends = append(r.ends, document.XY{X: x, Y: y})
}

func (r *record) Rect(x, y, w, h float64, fill document.Color, _ document.Stroke) {
	r.see(x, y)
	r.see(x+w, y+h)
	if fill != "" {
		r.rects = append(r.rects, rect{x, y, w, h, fill})
	}
}

func (r *record) Path(points []document.XY, _ bool, _ document.Color, _ document.Stroke) {
	for _, p := range points {
		r.see(p.X, p.Y)
	}
}

func (r *record) Circle(x, y, radius float64, _ document.Color, _ document.Stroke) {
	r.see(x-radius, y-radius)
	r.see(x+radius, y+radius)
}

func (r *record) Text(x, y float64, text string, as document.TextStyle) {
	w := r.Width(text, as)
	switch as.Align {
	case document.Center:
		x -= w / 2
	case document.Right:
		x -= w
	}
	at := rect{x, y - 0.73*as.Size, w, 0.95 * as.Size, as.Color} // Inter's capitals to its descenders
	r.see(at.x, at.y)
	r.see(at.x+at.w, at.y+at.h)
	r.texts = append(r.texts, written{at, text})
}

func (r *record) Width(text string, as document.TextStyle) float64 {
	return r.fonts.Width(text, as.Size, as.Bold)
}

func painted(t testing.TB, c *document.Chart, w, h float64) *record {
	t.Helper()
	r := &record{fonts: fonts(t, document.Brand{})}
	c.Paint(r, 10, 20, w, h, document.Brand{})
	return r
}

func (r *record) says() []string {
	var out []string
	for _, w := range r.texts {
		out = append(out, w.text)
	}
	return out
}

// faults are what no chart may have: something outside of the box, texts over each other,
// texts that cannot be read on what they stand on.
func (r *record) faults(w, h float64) []string {
	out := slices.Clone(r.bad)
	const close = 0.05
	for _, p := range r.ends {
		if p.X < 10-close || p.Y < 20-close || p.X > 10+w+close || p.Y > 20+h+close {
			out = append(out, fmt.Sprintf("(%.2f, %.2f) lies outside of %g × %g", p.X-10, p.Y-20, w, h))
		}
	}
	for i, a := range r.texts {
		for _, b := range r.texts[:i] {
			if a.x < b.x+b.w-close && b.x < a.x+a.w-close && a.y < b.y+b.h-close && b.y < a.y+a.h-close {
				out = append(out, fmt.Sprintf("%q lies over %q", a.text, b.text))
			}
		}
		for _, part := range []float64{0.05, 0.5, 0.95} {
			on := document.Paper
			for _, box := range r.rects {
				if x, y := a.x+a.w*part, a.y+a.h/2; x > box.x && x < box.x+box.w && y > box.y && y < box.y+box.h {
					on = box.fill
				}
			}
			if a.fill.Contrast(on) < 4.5 {
				out = append(out, fmt.Sprintf("%q is written in %s on %s, %.1f:1", a.text, a.fill, on, a.fill.Contrast(on)))
			}
		}
	}
	return out
}

var names = []string{"Contoso", "A client with quite a long name, as they are in practice, and longer", "株式会社ナカムラ", "شركة المثال", `<script>alert("x")</script>`, "😀 Smile Dental", "x", "", "W W W W W W W", "Jan 2026", strings.Repeat("unbroken", 30), "line\nbreak\ttab"}

// anyChart draws a chart of one kind with hostile values and names.
func anyChart(t *rapid.T, kinds ...document.ChartKind) *document.Chart {
	c := &document.Chart{
		Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Title: "Chart", Currency: rapid.SampledFrom([]string{"USD", "CHF", ""}).Draw(t, "currency"),
		Unit: rapid.SampledFrom([]quantity.Unit{quantity.Money, quantity.MoneyPerHour, quantity.Ratio, quantity.Count, quantity.Hours, quantity.Days}).Draw(t, "unit"), XUnit: quantity.Hours, XLabel: "Hours", YLabel: rapid.SampledFrom(names).Draw(t, "y label"),
	}
	least, most := int64(-1_000_000), int64(1_000_000)
	switch rapid.SampledFrom([]string{"any", "zero", "equal", "negative", "positive"}).Draw(t, "values") {
	case "zero":
		least, most = 0, 0
	case "equal":
		least, most = 7, 7
	case "negative":
		most = -1
	case "positive":
		least = 1
	}
	power := int32(rapid.SampledFrom([]int{-12, -6, -2, 0, 3, 9}).Draw(t, "power")) // 1e-12 to 1e15
	number := rapid.Custom(func(t *rapid.T) *quantity.Decimal {
		d := decimal.New(rapid.Int64Range(least, most).Draw(t, "value"), power)
		return &d
	})
	maybe := rapid.OneOf(number, number, number, rapid.Just[*quantity.Decimal](nil))
	name := rapid.SampledFrom(names)
	if c.Kind == document.Scatter {
		for range rapid.SampledFrom([]int{0, 1, 5, 200}).Draw(t, "points") {
			c.Points = append(c.Points, document.Point{Label: name.Draw(t, "label"), X: *number.Draw(t, "x"), Y: *number.Draw(t, "y"), Marked: rapid.Bool().Draw(t, "marked")})
		}
	}
	n := rapid.SampledFrom([]int{0, 1, 2, 5, 12, 120}).Draw(t, "categories")
	for range n {
		c.Categories = append(c.Categories, name.Draw(t, "category"))
		c.Totals = append(c.Totals, rapid.Bool().Draw(t, "total"))
	}
	series := rapid.SampledFrom([]int{1, 2, 4, 20}).Draw(t, "series")
	if c.Kind == document.Waterfall {
		series = 1
	}
	for range series {
		s := document.Series{Name: name.Draw(t, "name"), Dashed: rapid.Bool().Draw(t, "dashed"), Muted: rapid.Bool().Draw(t, "muted"), Values: rapid.SliceOfN(maybe, n, n).Draw(t, "values")}
		if c.Kind != document.Waterfall && rapid.Bool().Draw(t, "band") {
			s.Band = name.Draw(t, "band name")
			for _, v := range s.Values {
				if v == nil {
					s.Low, s.High = append(s.Low, nil), append(s.High, nil)
					continue
				}
				half := v.Abs().Div(decimal.New(2, 0))
				low, high := v.Sub(half), v.Add(half)
				s.Low, s.High = append(s.Low, &low), append(s.High, &high)
			}
		}
		c.Series = append(c.Series, s)
	}
	if rapid.Bool().Draw(t, "target") {
		c.Target, c.TargetLabel = number.Draw(t, "target value"), name.Draw(t, "target label")
	}
	return c
}

var allKinds = []document.ChartKind{document.Line, document.Columns, document.Bars, document.Stacked, document.Waterfall, document.HeatMap, document.Scatter}

func TestTheKeyOfAHeatMapStaysInsideAtEveryWidth(t *testing.T) {
	low, high := decimal.New(-951_234, 9), decimal.New(987_654, 9)
	c := &document.Chart{
		Kind: document.HeatMap, Title: "Chart", Unit: quantity.Ratio, Categories: []string{"Jan", "Feb"},
		Series: []document.Series{{Name: "x", Values: []*quantity.Decimal{&low, &high}}},
	}
	sized, keyed := fonts(t, document.Brand{}), 0
	for w := 1.0; w <= 300; w++ {
		r := &record{fonts: sized}
		c.Paint(r, 10, 20, w, 200, document.Brand{})
		if faults := r.faults(w, 200); len(faults) > 0 {
			t.Fatalf("%g wide: %q", w, faults)
		}
		if slices.ContainsFunc(r.texts, func(s written) bool { return strings.HasPrefix(s.text, "−") && s.y < 30 }) {
			keyed++
		}
	}
	if keyed == 0 || keyed == 300 {
		t.Errorf("%d of 300 have a key", keyed)
	}
}

func TestNothingIsPaintedOutsideOrOverAnotherText(t *testing.T) {
	sized := fonts(t, document.Brand{})
	rapid.Check(t, func(t *rapid.T) {
		c := anyChart(t, allKinds...)
		w, h := float64(rapid.IntRange(1, 800).Draw(t, "width")), float64(rapid.IntRange(1, 500).Draw(t, "height"))
		r := &record{fonts: sized}
		c.Paint(r, 10, 20, w, h, document.Brand{})
		if faults := r.faults(w, h); len(faults) > 0 {
			t.Fatalf("%s %g × %g: %q", c.Kind, w, h, faults[:min(len(faults), 5)])
		}
	})
}

// barsOf are the painted bars of a chart: what was filled last, one for each value.
func barsOf(t failing, c *document.Chart, r *record) (bars []rect, values []quantity.Decimal) {
	for _, s := range c.Series {
		for _, v := range s.Values {
			if v != nil {
				values = append(values, *v)
			}
		}
	}
	if len(r.rects) < len(values) {
		t.Fatalf("%d bars for %d values", len(r.rects), len(values))
	}
	return r.rects[len(r.rects)-len(values):], values
}

type failing interface{ Fatalf(string, ...any) }

// disproportion says where a bar is not as long as its value against the longest.
func disproportion(lengths []float64, values []quantity.Decimal) string {
	longest := 0
	for i, v := range values {
		if v.Abs().GreaterThan(values[longest].Abs()) {
			longest = i
		}
	}
	if len(values) == 0 || values[longest].IsZero() {
		return ""
	}
	for i, v := range values {
		want := quantity.Float(v.Abs()) / quantity.Float(values[longest].Abs()) * lengths[longest]
		if math.Abs(lengths[i]-want) > 1e-6 {
			return fmt.Sprintf("the bar of %s is %g long, want %g", v, lengths[i], want)
		}
	}
	return ""
}

func TestBarsAreAsLongAsTheirValues(t *testing.T) {
	sized := fonts(t, document.Brand{})
	rapid.Check(t, func(t *rapid.T) {
		c := anyChart(t, document.Bars, document.Columns)
		if c.Empty() {
			return
		}
		r := &record{fonts: sized}
		c.Paint(r, 0, 0, 500, 300, document.Brand{})
		// Rows and columns are painted category by category or series by series.
		if c.Kind == document.Bars && len(c.Series) > 1 {
			c.Series = c.Series[:1]
			r = &record{fonts: sized}
			c.Paint(r, 0, 0, 500, 300, document.Brand{})
			if c.Empty() {
				return
			}
		}
		bars, values := barsOf(t, c, r)
		var lengths []float64
		for _, b := range bars {
			if c.Kind == document.Bars {
				lengths = append(lengths, b.w)
			} else {
				lengths = append(lengths, b.h)
			}
		}
		if wrong := disproportion(lengths, values); wrong != "" {
			t.Fatalf("%s: %s", c.Kind, wrong)
		}
		if c.Unit == quantity.Ratio || c.Target != nil {
			return
		}
	})
}

func TestAWrongBarIsFound(t *testing.T) {
	c := gallery()["bars"]
	bars, values := barsOf(t, c, painted(t, c, 520, 260))
	var lengths []float64
	for _, b := range bars {
		lengths = append(lengths, b.w)
	}
	if wrong := disproportion(lengths, values); wrong != "" {
		t.Fatal(wrong)
	}
	lengths[3] += 0.5
	if disproportion(lengths, values) == "" {
		t.Error("a bar half a point too long is not found")
	}
}

func TestBarsBelowZeroLieOnTheOtherSide(t *testing.T) {
	for kind, side := range map[document.ChartKind]func(rect) (float64, float64){
		document.Bars:    func(r rect) (float64, float64) { return r.x, r.x + r.w },
		document.Columns: func(r rect) (float64, float64) { return -r.y - r.h, -r.y },
	} {
		c := *gallery()["columns"]
		c.Kind = kind
		bars, values := barsOf(t, &c, painted(t, &c, 520, 260))
		zero, _ := side(bars[0])
		for i, b := range bars {
			from, to := side(b)
			if values[i].Sign() < 0 && math.Abs(to-zero) > 1e-6 || values[i].Sign() > 0 && math.Abs(from-zero) > 1e-6 {
				t.Errorf("%s: the bar of %s runs from %g to %g, zero is at %g", kind, values[i], from, to, zero)
			}
		}
	}
}

func TestStepsOfAWaterfallMeet(t *testing.T) {
	sized := fonts(t, document.Brand{})
	rapid.Check(t, func(t *rapid.T) {
		c := anyChart(t, document.Waterfall)
		if c.Empty() {
			return
		}
		r := &record{fonts: sized}
		c.Paint(r, 0, 0, 600, 320, document.Brand{})
		steps := c.Steps()
		bars := r.rects[len(r.rects)-len(steps):]
		before := math.NaN()
		var lengths []float64
		var values []quantity.Decimal
		for i, s := range steps {
			from, to := bars[i].y+bars[i].h, bars[i].y // upwards
			if s.To.LessThan(s.From) {
				from, to = to, from
			}
			if i > 0 && !s.Total && math.Abs(from-before) > 1e-6 {
				t.Fatalf("step %d begins at %g, the one before ended at %g", i, from, before)
			}
			before = to
			lengths, values = append(lengths, bars[i].h), append(values, s.Value)
		}
		if wrong := disproportion(lengths, values); wrong != "" {
			t.Fatalf("%s", wrong)
		}
	})
}

func TestStackedPartsAddUp(t *testing.T) {
	c := gallery()["stacked"]
	r := painted(t, c, 520, 260)
	n := 0
	for _, s := range c.Series {
		for _, v := range s.Values {
			if v != nil {
				n++
			}
		}
	}
	bars := r.rects[len(r.rects)-n:]
	var lengths []float64
	var values []quantity.Decimal
	at := 0
	for i := range c.Categories {
		zero, top := 0.0, 0.0
		for k, s := range c.Series {
			v := s.Values[i]
			if v == nil {
				continue
			}
			b := bars[at]
			at++
			switch {
			case k == 0:
				zero, top = b.y+b.h, b.y
			case v.Sign() < 0 && math.Abs(b.y-zero) > 1e-6:
				t.Errorf("%s of %s does not hang below zero", s.Name, c.Categories[i])
			case v.Sign() > 0 && math.Abs(b.y+b.h-top) > 1e-6:
				t.Errorf("%s of %s does not stand on the part below it", s.Name, c.Categories[i])
			}
			if v.Sign() > 0 {
				top = b.y
			}
			lengths, values = append(lengths, b.h), append(values, *v)
		}
	}
	if wrong := disproportion(lengths, values); wrong != "" {
		t.Error(wrong)
	}
}

func TestChartsSayWhatTheyShow(t *testing.T) {
	both := [][2]float64{{300, 180}, {520, 260}}
	for _, c := range []struct {
		chart string
		sizes [][2]float64
		want  []string
	}{
		{"line", both, []string{"Gross margin", "Forecast", "Year before", "Target 40%", "90% interval", "Scale starts at 30%, not at zero", "Jun 2026"}},
		{"line-alone", both, []string{"$480.2k", "$400k", "$500k", "Jun 2026"}},
		{"columns", both[1:], []string{"$12k", "−$2.5k", "−$0.8k", "$18.02k", "$0", "−$5k", "2026"}},
		{"columns", both[:1], []string{"$0", "$20k", "Jun 2026"}},
		{"columns-beside", both, []string{"Actual", "Plan", "Year before", "Capacity 700\u00a0h", "Q1 2026", "600\u00a0h"}},
		{"bars", both, append([]string{"$182k", "$96.5k", "−$4.2k", "−$18.3k"}, clients...)},
		{"stacked", both, []string{"Managed services", "Projects", "Licenses", "Credits", "−$100k"}},
		{"waterfall", both, []string{"$48.2k", "+$12.5k", "+$6.8k", "−$21.4k", "−$3.9k", "−$52k", "−$9.8k", "Q1 2026", "Volume"}},
		{"heat-map", both, []string{"82%", "110%", "45%", "Jan", "Jun", "Chen Wei"}},
		{"heat-map-signs", both, []string{"−$8k", "$15k", "$0", "$5.1k"}},
		{"scatter", both, []string{clients[0], clients[3], clients[5], clients[6], "Target $125", "Hours worked", "Effective hourly rate, USD / h"}},
		{"empty", both, []string{"No values"}},
	} {
		for _, size := range c.sizes {
			r := painted(t, gallery()[c.chart], size[0], size[1])
			for _, want := range c.want {
				if !slices.Contains(r.says(), want) {
					t.Errorf("%s at %g × %g lacks %q: %q", c.chart, size[0], size[1], want, r.says())
				}
			}
			if faults := r.faults(size[0], size[1]); len(faults) > 0 {
				t.Errorf("%s at %g × %g: %q", c.chart, size[0], size[1], faults)
			}
		}
	}
}

func TestManySeriesAreCountedInTheLegend(t *testing.T) {
	c := &document.Chart{Kind: document.Line, Title: "Many", Unit: quantity.Count, Categories: []string{"a", "b"}}
	for i := range 40 {
		c.Series = append(c.Series, document.Series{Name: fmt.Sprintf("Client number %d", i+1), Values: nums("1", fmt.Sprint(i))})
	}
	said := strings.Join(painted(t, c, 400, 200).says(), "|")
	if !strings.Contains(said, "Client number 1|") || !strings.Contains(said, " more") {
		t.Errorf("the legend does not say that it names not all: %q", said)
	}
}
