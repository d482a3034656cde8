package document

// Canvas is what a chart is painted on. Measures are points (1/72 inch); x grows to the
// right and y down from the top left corner. A color "" paints nothing.
type Canvas interface {
	// Rect fills and outlines a rectangle.
	Rect(x, y, w, h float64, fill Color, line Stroke)
	// Path draws through points, closed or open.
	Path(points []XY, closed bool, fill Color, line Stroke)
	// Circle fills and outlines a disk.
	Circle(x, y, r float64, fill Color, line Stroke)
	// Text writes one line; y is its baseline.
	Text(x, y float64, text string, as TextStyle)
	// Width returns how wide a text is.
	Width(text string, as TextStyle) float64
}

// XY is a point.
type XY struct{ X, Y float64 }

// Stroke is how a line is drawn. Opacity of fills is by mixing the color with the paper.
type Stroke struct {
	Color Color
	Width float64
	Dash  []float64 // lengths of line and gap; nil is solid
}

// TextStyle is how a text is written.
type TextStyle struct {
	Size  float64
	Bold  bool
	Color Color
	Align Align
}

// Align says which end of a text stands at its x.
type Align int

// The ends.
const (
	Left Align = iota
	Center
	Right
)
