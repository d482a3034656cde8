package report

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
)

// Template says what a report holds. Its text is YAML; docs/reports.md describes every part.
type Template struct {
	Name        string `yaml:"name" json:"name"`
	Title       string `yaml:"title" json:"title"`
	Description string `yaml:"description" json:"description"`
	For         string `yaml:"for" json:"for"` // whom it is written for: owner, finance, …
	// Audience "client" says that it is given to the client: it is built with the rights of a
	// client in the portal, whoever asks for it.
	Audience string `yaml:"audience" json:"audience,omitempty"`
	OfClient bool   `yaml:"of_client" json:"of_client"` // about one client
	Period   string `yaml:"period" json:"period"`       // when none is asked for; see periods
	// Pages is the most pages that its PDF may have; 0 is any number.
	Pages    int             `yaml:"pages" json:"pages,omitempty"`
	Layout   document.Layout `yaml:"layout" json:"layout"`
	Letter   []string        `yaml:"letter" json:"letter,omitempty"`
	Sections []SectionSpec   `yaml:"sections" json:"sections"`

	Text    string `yaml:"-" json:"-"`        // as written
	BuiltIn bool   `yaml:"-" json:"built_in"` // comes with the product
}

// SectionSpec is a section of a template.
type SectionSpec struct {
	Title   string      `yaml:"title" json:"title"`
	NewPage bool        `yaml:"new_page" json:"new_page,omitempty"`
	Blocks  []BlockSpec `yaml:"blocks" json:"blocks"`
}

// BlockSpec is a block of a template: one of its fields is set.
type BlockSpec struct {
	Text        *TextSpec        `yaml:"text" json:"text,omitempty"`
	Tiles       *TilesSpec       `yaml:"tiles" json:"tiles,omitempty"`
	Table       *TableSpec       `yaml:"table" json:"table,omitempty"`
	Chart       *ChartSpec       `yaml:"chart" json:"chart,omitempty"`
	Series      *SeriesSpec      `yaml:"series" json:"series,omitempty"`
	Drivers     *DriversSpec     `yaml:"drivers" json:"drivers,omitempty"`
	Answer      *AnswerSpec      `yaml:"answer" json:"answer,omitempty"`
	Findings    *FindingsSpec    `yaml:"findings" json:"findings,omitempty"`
	Quality     *QualitySpec     `yaml:"quality" json:"quality,omitempty"`
	Audit       *AuditSpec       `yaml:"audit" json:"audit,omitempty"`
	Definitions *DefinitionsSpec `yaml:"definitions" json:"definitions,omitempty"`
}

// TextSpec is words. They may hold {{client}}, {{firm}}, {{period}}, {{as_of}}, {{data_through}} and
// {{snapshot}}.
type TextSpec struct {
	Title      string   `yaml:"title" json:"title,omitempty"`
	Tone       string   `yaml:"tone" json:"tone,omitempty"` // lead, note or warning
	Paragraphs []string `yaml:"paragraphs" json:"paragraphs,omitempty"`
	Items      []string `yaml:"items" json:"items,omitempty"`
}

// TilesSpec is key figures with what they were before and how sure they are.
type TilesSpec struct {
	Title    string   `yaml:"title" json:"title,omitempty"`
	Measures []string `yaml:"measures" json:"measures"`
	Where    string   `yaml:"where" json:"where,omitempty"`
	Versus   string   `yaml:"versus" json:"versus,omitempty"` // previous (default), year_ago or none
}

// TableSpec is a table of measures by dimensions.
type TableSpec struct {
	Title    string   `yaml:"title" json:"title"`
	Note     string   `yaml:"note" json:"note,omitempty"`
	Measures []string `yaml:"measures" json:"measures"`
	By       []string `yaml:"by" json:"by"`
	Where    string   `yaml:"where" json:"where,omitempty"`
	Order    []string `yaml:"order" json:"order,omitempty"`
	// Top keeps the first members of the first dimension and puts the others into one row.
	Top   int  `yaml:"top" json:"top,omitempty"`
	Total bool `yaml:"total" json:"total,omitempty"` // a row of the whole
}

// ChartSpec is a chart of measures by a dimension.
type ChartSpec struct {
	Kind     string   `yaml:"kind" json:"kind"` // of document.ChartKind, but for waterfall
	Title    string   `yaml:"title" json:"title"`
	Measures []string `yaml:"measures" json:"measures"`
	By       string   `yaml:"by" json:"by"`
	Split    string   `yaml:"split" json:"split,omitempty"` // a dimension whose members are the series
	Where    string   `yaml:"where" json:"where,omitempty"`
	Order    []string `yaml:"order" json:"order,omitempty"`
	Top      int      `yaml:"top" json:"top,omitempty"`
	Months   int      `yaml:"months" json:"months,omitempty"` // show this many months up to the period's end
	Target   string   `yaml:"target" json:"target,omitempty"` // a decimal to hold the values against
	Label    string   `yaml:"target_label" json:"target_label,omitempty"`
}

// SeriesSpec is a measure by month beside the band in which each month was expected.
type SeriesSpec struct {
	Title   string `yaml:"title" json:"title"`
	Measure string `yaml:"measure" json:"measure"`
	Where   string `yaml:"where" json:"where,omitempty"`
	Months  int    `yaml:"months" json:"months,omitempty"` // 24 unless given
}

// DriversSpec is why a measure changed, as a waterfall.
type DriversSpec struct {
	Title   string `yaml:"title" json:"title"`
	Measure string `yaml:"measure" json:"measure"`
	Where   string `yaml:"where" json:"where,omitempty"`
	Versus  string `yaml:"versus" json:"versus,omitempty"` // previous (default), year_ago or portfolio
}

// AnswerSpec is the answer to a standing question.
type AnswerSpec struct {
	Question string `yaml:"question" json:"question"`
	Title    string `yaml:"title" json:"title,omitempty"`
	Tables   []int  `yaml:"tables" json:"tables,omitempty"` // numbers from 1; all unless given
	Top      int    `yaml:"top" json:"top,omitempty"`
	Show     string `yaml:"show" json:"show,omitempty"` // words: the sentence alone; tables: they alone
}

// FindingsSpec is what deserves attention.
type FindingsSpec struct {
	Title string   `yaml:"title" json:"title,omitempty"`
	Kinds []string `yaml:"kinds" json:"kinds,omitempty"` // all unless given
	Top   int      `yaml:"top" json:"top,omitempty"`
	Brief bool     `yaml:"brief" json:"brief,omitempty"` // as a table
}

// QualitySpec is how fit the data is.
type QualitySpec struct {
	Title  string `yaml:"title" json:"title,omitempty"`
	Issues int    `yaml:"issues" json:"issues,omitempty"` // the most that are listed; 0 is all
}

// AuditSpec is the record of what was done.
type AuditSpec struct {
	Title   string `yaml:"title" json:"title,omitempty"`
	Entries int    `yaml:"entries" json:"entries,omitempty"` // the most, newest first; 0 is all
}

// DefinitionsSpec is what the measures of the report mean.
type DefinitionsSpec struct {
	Title string `yaml:"title" json:"title,omitempty"`
}

//go:embed templates/*.yaml
var templateFiles embed.FS

// The order in which templates are listed.
var builtInOrder = []string{
	"executive-summary", "client-profitability", "agreement-repricing", "license-optimization", "team-utilization",
	"service-desk", "cash-and-receivables", "client-qbr", "data-quality", "audit",
}

// Bounds of a template.
const (
	maxTemplate = 64 << 10
	maxSections = 40
	maxBlocks   = 200
	maxDepth    = 8  // of lists and maps in brackets
	maxIndent   = 60 // spaces before a part
)

var templateName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)

// builtIn returns the templates that come with the product.
func builtIn() ([]*Template, error) {
	var out []*Template
	for _, name := range builtInOrder {
		text, err := fs.ReadFile(templateFiles, path.Join("templates", name+".yaml"))
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
		t, err := ParseTemplate(string(text))
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
		if t.Name != name {
			return nil, fmt.Errorf("template %s calls itself %s", name, t.Name)
		}
		t.BuiltIn = true
		out = append(out, t)
	}
	return out, nil
}

// ParseTemplate reads a template. An Invalid fault names every wrong part with its line.
// Whether measures and questions exist is checked by Service.CheckTemplate.
func ParseTemplate(text string) (*Template, error) {
	if len(text) > maxTemplate {
		return nil, fault.Newf(fault.TooLarge, "a template has at most %d kB", maxTemplate>>10)
	}
	if err := plain(text); err != nil {
		return nil, err
	}
	t := &Template{Text: text}
	dec := yaml.NewDecoder(strings.NewReader(text), yaml.Strict())
	if err := dec.Decode(t); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fault.WithFields("the template is empty", fault.Field{Path: "line 1", Message: "begin with name: and title:"})
		}
		return nil, wrongYAML(err)
	}
	places, err := placesOf(text)
	if err != nil {
		return nil, err
	}
	if wrong := t.check(places); len(wrong) > 0 {
		return nil, fault.WithFields("the template cannot be used: "+wrong[0].Path+": "+wrong[0].Message, wrong...)
	}
	return t, nil
}

// plain refuses what a few lines make much of, before anything is made of it: aliases, which
// the decoder writes out each time, and depth that no template has.
func plain(text string) error {
	depth := 0
	for _, t := range lexer.Tokenize(text) {
		refuse := func(what string) error {
			where := fmt.Sprintf("line %d, column %d", t.Position.Line, t.Position.Column)
			return fault.WithFields("the template cannot be read: "+where+": "+what, fault.Field{Path: where, Message: what})
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return refuse("anchors and aliases have no place in a template: write the part out")
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth > maxDepth || t.Position.IndentNum > maxIndent {
			return refuse("this is nested deeper than any part of a template")
		}
	}
	return nil
}

// wrongYAML is an error of the parser with its line.
func wrongYAML(err error) error {
	where, message := "line 1", strings.TrimSpace(yaml.FormatError(err, false, false))
	var positioned yaml.Error
	if errors.As(err, &positioned) {
		message = positioned.GetMessage()
		if token := positioned.GetToken(); token != nil && token.Position != nil {
			where = fmt.Sprintf("line %d, column %d", token.Position.Line, token.Position.Column)
		}
	} else if line := lineForm.FindStringSubmatch(message); line != nil {
		where = fmt.Sprintf("line %s, column %s", line[1], line[2])
	}
	message, _, _ = strings.Cut(message, "\n")
	return fault.WithFields("the template cannot be read: "+where+": "+message, fault.Field{Path: where, Message: message})
}

var lineForm = regexp.MustCompile(`^\[(\d+):(\d+)\] `)

// places finds the line of a part of a template.
type places struct{ file *ast.File }

func placesOf(text string) (places, error) {
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		return places{}, wrongYAML(err)
	}
	return places{file}, nil
}

// at returns "line 12, sections[0].title" for a path such as $.sections[0].title; the line is
// that of the nearest part that stands there.
func (p places) at(of string) string {
	name := strings.TrimPrefix(strings.TrimPrefix(of, "$"), ".")
	for try := of; try != "$" && try != ""; {
		if at, err := yaml.PathString(try); err == nil && p.file != nil {
			if node, err := at.FilterFile(p.file); err == nil && node != nil && node.GetToken() != nil {
				return fmt.Sprintf("line %d, %s", node.GetToken().Position.Line, name)
			}
		}
		cut := max(strings.LastIndexByte(try, '.'), strings.LastIndexByte(try, '['))
		if cut <= 0 {
			break
		}
		try = try[:cut]
	}
	return "line 1, " + name
}

// check lists what is wrong with a template's own parts.
func (t *Template) check(p places) []fault.Field {
	var wrong []fault.Field
	say := func(at, format string, args ...any) {
		wrong = append(wrong, fault.Field{Path: p.at(at), Message: fmt.Sprintf(format, args...)})
	}
	if !templateName.MatchString(t.Name) {
		say("$.name", "use 2 to 40 of a-z, 0-9 and -, beginning with a letter")
	}
	if t.Title == "" {
		say("$.title", "say what the report is called")
	}
	if t.Audience != "" && t.Audience != audienceClient {
		say("$.audience", "%q is no audience: leave it out, or write client", t.Audience)
	}
	if t.Audience == audienceClient && !t.OfClient {
		say("$.of_client", "a report for a client is about one: write of_client: true")
	}
	if t.Period != "" && !slices.Contains(periodNames, t.Period) {
		say("$.period", "%q is no period: %s", t.Period, strings.Join(periodNames, ", "))
	}
	if t.Layout.Paper != "" && t.Layout.Paper != "a4" && t.Layout.Paper != "letter" {
		say("$.layout.paper", "%q is no paper: a4 or letter", t.Layout.Paper)
	}
	if len(t.Sections) == 0 {
		say("$.sections", "a report needs a section")
	}
	if len(t.Sections) > maxSections {
		say("$.sections", "at most %d sections", maxSections)
	}
	blocks := 0
	for i, s := range t.Sections {
		at := fmt.Sprintf("$.sections[%d]", i)
		if s.Title == "" {
			say(at+".title", "a section needs a title")
		}
		for j, b := range s.Blocks {
			blocks++
			b.check(fmt.Sprintf("%s.blocks[%d]", at, j), say)
		}
	}
	if blocks > maxBlocks {
		say("$.sections", "at most %d blocks in all", maxBlocks)
	}
	for _, w := range t.words() {
		for _, name := range placeholder.FindAllStringSubmatch(w.text, -1) {
			if !slices.Contains(placeholders, name[1]) {
				say(w.at, "{{%s}} is no placeholder: %s", name[1], strings.Join(placeholders, ", "))
			}
		}
	}
	return wrong
}

const audienceClient = "client"

var (
	placeholder  = regexp.MustCompile(`\{\{\s*([a-z_]+)\s*\}\}`)
	placeholders = []string{"client", "firm", "period", "as_of", "data_through", "snapshot"}
)

// word is a text of a template, and where it stands.
type word struct{ at, text string }

// words are all texts that may hold placeholders.
func (t *Template) words() []word {
	out := []word{{"$.title", t.Title}}
	list := func(at string, texts []string) {
		for i, text := range texts {
			out = append(out, word{fmt.Sprintf("%s[%d]", at, i), text})
		}
	}
	list("$.letter", t.Letter)
	for i, s := range t.Sections {
		at := fmt.Sprintf("$.sections[%d]", i)
		out = append(out, word{at + ".title", s.Title})
		for j, b := range s.Blocks {
			if b.Text != nil {
				at := fmt.Sprintf("%s.blocks[%d].text", at, j)
				out = append(out, word{at + ".title", b.Text.Title})
				list(at+".paragraphs", b.Text.Paragraphs)
				list(at+".items", b.Text.Items)
			}
		}
	}
	return out
}

var (
	chartKinds = []string{string(document.Line), string(document.Columns), string(document.Bars), string(document.Stacked), string(document.HeatMap), string(document.Scatter)}
	tones      = []string{"", string(document.Lead), string(document.Note), string(document.Warning)}
	tileVersus = []string{"", insight.Previous, insight.YearAgo, "none"}
	causes     = []string{"", insight.Previous, insight.YearAgo, insight.Portfolio}
)

// check tells what is wrong with a block.
func (b BlockSpec) check(at string, say func(at, format string, args ...any)) {
	set := 0
	for _, there := range []bool{b.Text != nil, b.Tiles != nil, b.Table != nil, b.Chart != nil, b.Series != nil, b.Drivers != nil, b.Answer != nil, b.Findings != nil, b.Quality != nil, b.Audit != nil, b.Definitions != nil} {
		if there {
			set++
		}
	}
	if set != 1 {
		say(at, "a block is one of text, tiles, table, chart, series, drivers, answer, findings, quality, audit, definitions")
		return
	}
	one := func(name, value string, allowed []string) {
		if !slices.Contains(allowed, value) {
			say(at+name, "%q is not one of %s", value, strings.Join(slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" }), ", "))
		}
	}
	switch {
	case b.Text != nil:
		one(".text.tone", b.Text.Tone, tones)
		if len(b.Text.Paragraphs)+len(b.Text.Items) == 0 {
			say(at+".text", "write paragraphs or items")
		}
	case b.Tiles != nil:
		one(".tiles.versus", b.Tiles.Versus, tileVersus)
		if n := len(b.Tiles.Measures); n == 0 || n > 12 {
			say(at+".tiles.measures", "name 1 to 12 measures")
		}
	case b.Table != nil:
		if len(b.Table.Measures) == 0 || len(b.Table.By) == 0 {
			say(at+".table", "name measures, and by what they are cut")
		}
		if b.Table.Top < 0 || b.Table.Top > 1000 {
			say(at+".table.top", "must be 1 to 1000, or left out for all")
		}
	case b.Chart != nil:
		b.Chart.check(at+".chart", one, say)
	case b.Series != nil:
		if b.Series.Measure == "" {
			say(at+".series.measure", "name a measure")
		}
	case b.Drivers != nil:
		one(".drivers.versus", b.Drivers.Versus, causes)
		if b.Drivers.Measure == "" {
			say(at+".drivers.measure", "name a measure")
		}
	case b.Answer != nil:
		one(".answer.show", b.Answer.Show, []string{"", "words", "tables"})
		if b.Answer.Question == "" {
			say(at+".answer.question", "name a question: moatmetrics ask lists them")
		}
	}
}

func (c *ChartSpec) check(at string, one func(name, value string, allowed []string), say func(at, format string, args ...any)) {
	one(".chart.kind", c.Kind, chartKinds)
	switch {
	case len(c.Measures) == 0 || c.By == "":
		say(at, "name measures, and by what they are cut")
	case document.ChartKind(c.Kind) == document.Scatter && len(c.Measures) != 2:
		say(at+".measures", "a scatter chart has two measures: along and up")
	case document.ChartKind(c.Kind) != document.Scatter && c.Split != "" && len(c.Measures) != 1:
		say(at+".measures", "a chart with split has one measure")
	case document.ChartKind(c.Kind) == document.HeatMap && c.Split == "":
		say(at+".split", "a heat map needs a second dimension: its rows")
	}
	if c.Months < 0 || c.Months > 120 || c.Top < 0 || c.Top > 100 {
		say(at, "months must be at most 120 and top at most 100")
	}
}

// fill puts values into placeholders.
func fill(text string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		return values[placeholder.FindStringSubmatch(found)[1]]
	})
}

// Copy returns the text of a template under another name, for somebody to change.
func (t *Template) Copy(name, title string) string {
	var out bytes.Buffer
	for line := range strings.Lines(t.Text) {
		switch {
		case strings.HasPrefix(line, "name:"):
			fmt.Fprintf(&out, "name: %s\n", name)
		case strings.HasPrefix(line, "title:") && title != "":
			text, _ := yaml.Marshal(title)
			fmt.Fprintf(&out, "title: %s", cmp.Or(string(text), title+"\n"))
		default:
			out.WriteString(line)
		}
	}
	return out.String()
}
