package workspace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Dashboard is the content of a dashboard. Its JSON is what is kept and what the API
// speaks. A client writes every field that is not omitted when empty; DecodeDashboard is
// more lenient.
type Dashboard struct {
	Period string `json:"period" doc:"last12 (default), last3, this_year, last_year, all, or two months such as 2026-01..2026-06, both included" pattern:"^(last12|last3|this_year|last_year|all|[0-9]{4}-[0-9]{2}\\.\\.[0-9]{4}-[0-9]{2})$"`
	Where  string `json:"where,omitempty" maxLength:"2000" doc:"condition of every tile, such as client = \"X\""`
	Tiles  []Tile `json:"tiles" maxItems:"60" nullable:"false" doc:"on a grid of 12 columns"`
}

// Tile is one rectangle of a dashboard's grid.
type Tile struct {
	ID       string   `json:"id" pattern:"^[A-Za-z0-9_-]{1,40}$" doc:"unique in its dashboard"`
	X        int      `json:"x" minimum:"0" maximum:"11" doc:"first column; x + w is at most 12"`
	Y        int      `json:"y" minimum:"0" maximum:"500" doc:"first row"`
	W        int      `json:"w" minimum:"1" maximum:"12" doc:"columns"`
	H        int      `json:"h" minimum:"1" maximum:"40" doc:"rows"`
	Kind     string   `json:"kind" enum:"kpi,trend,bar,table,findings,note"`
	Title    string   `json:"title,omitempty" maxLength:"120"`
	Measures []string `json:"measures,omitempty" maxItems:"6" nullable:"false"`
	By       []string `json:"by,omitempty" maxItems:"4" nullable:"false" doc:"dimensions"`
	Where    string   `json:"where,omitempty" maxLength:"2000" doc:"condition of this tile, added to the dashboard's"`
	Period   string   `json:"period,omitempty" doc:"as the dashboard's; absent: the dashboard's" pattern:"^(last12|last3|this_year|last_year|all|[0-9]{4}-[0-9]{2}\\.\\.[0-9]{4}-[0-9]{2})?$"`
	Order    []string `json:"order,omitempty" maxItems:"10" nullable:"false" doc:"columns; - in front is descending"`
	Limit    int      `json:"limit,omitempty" minimum:"0" maximum:"1000" doc:"most rows; 0 shows all"`
	Text     string   `json:"text,omitempty" maxLength:"4000" doc:"of a note"`
}

// Bounds of a dashboard. The struct tags above say them again for the API's document.
const (
	columns      = 12
	mostRows     = 40
	lastRow      = 500
	mostTiles    = 60
	mostMeasures = 6
	mostBy       = 4
	mostOrder    = 10
	mostLimit    = 1000
	titleRunes   = 120
	whereRunes   = 2000
	textRunes    = 4000
	mostFaults   = 100 // more help nobody
)

// defaultPeriod is of a dashboard that names none.
const defaultPeriod = "last12"

var (
	periods    = []string{defaultPeriod, "last3", "this_year", "last_year", "all"}
	tileKinds  = []string{"kpi", "trend", "bar", "table", "findings", "note"}
	tileIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
	nameForm   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,59}$`)
	orderForm  = regexp.MustCompile(`^-?[a-z][a-z0-9_]{0,59}$`)
)

// DecodeDashboard reads a dashboard's content and lists every wrong part, up to 100, with
// paths such as "tiles[3].w". Unknown fields are refused.
func DecodeDashboard(raw json.RawMessage) (Dashboard, error) {
	var d Dashboard
	if len(raw) > contentBytes {
		return d, fault.Newf(fault.TooLarge, "the dashboard is larger than %d KiB: split it in two", contentBytes>>10)
	}
	var tiles []json.RawMessage
	c := checker{}
	if c.object("content", "", raw, map[string]any{"period": &d.Period, "where": &d.Where, "tiles": &tiles}) {
		c.dashboard(&d, tiles)
	}
	return d, c.err("the dashboard is not valid")
}

func (c *checker) dashboard(d *Dashboard, tiles []json.RawMessage) {
	if d.Period == "" {
		d.Period = defaultPeriod
	}
	c.period("period", d.Period)
	c.text("where", d.Where, whereRunes)
	d.Tiles = []Tile{}
	if len(tiles) > mostTiles {
		c.say("tiles", "there are %d: at most %d are kept", len(tiles), mostTiles)
		return
	}
	ids := map[string]int{}
	for i, raw := range tiles {
		at := fmt.Sprintf("tiles[%d]", i)
		var t Tile
		if c.object(at, at+".", raw, map[string]any{
			"id": &t.ID, "x": &t.X, "y": &t.Y, "w": &t.W, "h": &t.H, "kind": &t.Kind, "title": &t.Title, "measures": &t.Measures, "by": &t.By,
			"where": &t.Where, "period": &t.Period, "order": &t.Order, "limit": &t.Limit, "text": &t.Text,
		}) {
			c.tile(at+".", t)
			if first, twice := ids[t.ID]; twice {
				c.say(at+".id", "is the same as that of tiles[%d]", first)
			} else {
				ids[t.ID] = i
			}
			d.Tiles = append(d.Tiles, t)
		}
	}
}

func (c *checker) tile(at string, t Tile) {
	if !tileIDForm.MatchString(t.ID) {
		c.say(at+"id", "must be 1 to 40 letters, digits, - or _")
	}
	c.number(at+"x", t.X, 0, columns-1)
	c.number(at+"y", t.Y, 0, lastRow)
	c.number(at+"w", t.W, 1, columns)
	c.number(at+"h", t.H, 1, mostRows)
	if t.X >= 0 && t.X < columns && t.W >= 1 && t.W <= columns && t.X+t.W > columns {
		c.say(at+"w", "ends at column %d: the grid has %d", t.X+t.W, columns)
	}
	if !slices.Contains(tileKinds, t.Kind) {
		c.add(fault.Field{Path: at + "kind", Message: "is not a kind of tile", Allowed: tileKinds})
	}
	c.text(at+"title", t.Title, titleRunes)
	c.names(at+"measures", t.Measures, mostMeasures, nameForm)
	c.names(at+"by", t.By, mostBy, nameForm)
	c.text(at+"where", t.Where, whereRunes)
	if t.Period != "" {
		c.period(at+"period", t.Period)
	}
	c.names(at+"order", t.Order, mostOrder, orderForm)
	c.number(at+"limit", t.Limit, 0, mostLimit)
	c.text(at+"text", t.Text, textRunes)
}

// Target is the content of a view or a link: a page of this program.
type Target struct {
	Path string `json:"path" minLength:"1" maxLength:"8192" doc:"address without host, such as /explore?measures=revenue"`
}

const pathBytes = 8 << 10

func decodeTarget(raw json.RawMessage) (Target, error) {
	var t Target
	c := checker{}
	if len(raw) > contentBytes {
		return t, fault.Newf(fault.TooLarge, "the content is larger than %d KiB", contentBytes>>10)
	}
	if c.object("content", "content.", raw, map[string]any{"path": &t.Path}) {
		if f := checkPath("content.path", t.Path); f != nil {
			c.add(*f)
		}
	}
	return t, c.err("the address is not valid")
}

// checkPath lets through only addresses that a browser resolves to this program: a
// backslash counts as a slash there, and tabs and line ends are dropped.
func checkPath(at, path string) *fault.Field {
	wrong := func(what string) *fault.Field { return &fault.Field{Path: at, Message: what} }
	switch u, err := url.Parse(path); {
	case len(path) > pathBytes:
		return wrong(fmt.Sprintf("is longer than %d KiB", pathBytes>>10))
	case !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//"):
		return wrong(`must begin with one "/": it names a page of this program, not another site`)
	case strings.Contains(path, `\`) || strings.ContainsFunc(path, unicode.IsControl) || !utf8.ValidString(path):
		return wrong("must not hold a backslash or a control character")
	case err != nil || u.Scheme != "" || u.Host != "":
		return wrong("is not an address of a page")
	}
	return nil
}

// checker collects what is wrong with an input, one fault a path.
type checker struct {
	faults []fault.Field
	seen   map[string]bool
}

func (c *checker) err(message string) error {
	if len(c.faults) == 0 {
		return nil
	}
	return fault.WithFields(message, c.faults...)
}

func (c *checker) add(f fault.Field) {
	if c.seen[f.Path] || len(c.faults) == mostFaults {
		return
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[f.Path] = true
	c.faults = append(c.faults, f)
}

func (c *checker) say(path, format string, args ...any) {
	c.add(fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
}

// object reads the fields of a JSON object into the places of their names; null leaves one
// as it is. It reports whether there was an object.
func (c *checker) object(path, prefix string, raw json.RawMessage, into map[string]any) bool {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		c.say(path, "must be an object")
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		dest, ok := into[name]
		if !ok {
			if short := []rune(name); len(short) > 60 {
				name = string(short[:60]) + "…"
			}
			c.add(fault.Field{Path: prefix + name, Message: "is not known", Allowed: slices.Sorted(maps.Keys(into))})
			continue
		}
		if err := json.Unmarshal(fields[name], dest); err != nil {
			c.say(prefix+name, "must be %s", shape(dest))
		}
	}
	return true
}

func shape(dest any) string {
	switch dest.(type) {
	case *string:
		return "a text"
	case *int:
		return "a whole number"
	case *[]string:
		return "a list of texts"
	default:
		return "a list"
	}
}

func (c *checker) number(path string, n, least, most int) {
	if n < least || n > most {
		c.say(path, "must be %d to %d", least, most)
	}
}

func (c *checker) text(path, s string, most int) {
	if n := utf8.RuneCountInString(s); n > most {
		c.say(path, "has %d characters: at most %d are kept", n, most)
	}
}

func (c *checker) names(path string, list []string, most int, form *regexp.Regexp) {
	if len(list) > most {
		c.say(path, "has %d entries: at most %d are kept", len(list), most)
		return
	}
	for i, name := range list {
		if !form.MatchString(name) {
			c.say(fmt.Sprintf("%s[%d]", path, i), "is not a name such as gross_profit")
		} else if slices.Contains(list[:i], name) {
			c.say(fmt.Sprintf("%s[%d]", path, i), "stands twice")
		}
	}
}

func (c *checker) period(path, p string) {
	if slices.Contains(periods, p) {
		return
	}
	from, to, ok := strings.Cut(p, "..")
	if ok && len(from) == len("2026-01") && len(to) == len(from) {
		first, err := quantity.AskedDay(from)
		last, err2 := quantity.AskedDay(to)
		if err == nil && err2 == nil && !last.Before(first) {
			return
		}
	}
	c.add(fault.Field{Path: path, Message: "is not a period", Allowed: append(slices.Clone(periods), "2026-01..2026-06")})
}

// encode returns v as it is kept.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // otherwise < takes six bytes
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
