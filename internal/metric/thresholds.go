package metric

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Threshold says what somebody holds values of a measure to be: bands with their source.
// They are advice, not truth: most are statements of vendors and consultants, only some are
// of a panel with a method, and populations differ.
type Threshold struct {
	ID         string `yaml:"id" json:"id"`
	Measure    string `yaml:"measure" json:"measure"`
	Population string `yaml:"population" json:"population" doc:"whom it speaks of, and by which definition"`
	Kind       string `yaml:"kind" json:"kind" enum:"S,A,own" doc:"S: sourced, A: assumed by this product, own: set by the tenant"`
	Source     string `yaml:"source" json:"source" doc:"who says so"`
	Quality    string `yaml:"quality" json:"quality" enum:"panel,vendor,consultant,provider,assumed,own" doc:"panel: figures of many firms, gathered by a method; vendor; consultant: opinion of one; provider: what one firm says of itself; assumed; own"`
	Currency   string `yaml:"currency" json:"currency,omitempty" doc:"of money edges, ISO 4217: figures in another one are not compared"`
	Months     int    `yaml:"months" json:"months,omitempty" doc:"length of the period that it speaks of; absent for any"`
	Date       string `yaml:"date" json:"date" doc:"of the source, or when it was read or set"`
	Bands      []Band `yaml:"bands" json:"bands" nullable:"false" doc:"from low to high"`
	Changed    string `yaml:"-" json:"changed_at,omitempty" doc:"when the tenant set its own edges"`
}

// Band is a range of values up to an edge, which belongs to the next one; the last has none.
type Band struct {
	UpTo    *quantity.Decimal `yaml:"-" json:"up_to,omitempty"`
	Edge    string            `yaml:"up_to" json:"-"`
	Label   string            `yaml:"label" json:"label"`
	Verdict string            `yaml:"verdict" json:"verdict" enum:"good,fair,bad"`
}

// Of returns the band that a value lies in.
func (t Threshold) Of(v quantity.Decimal) Band {
	for _, b := range t.Bands[:len(t.Bands)-1] {
		if v.LessThan(*b.UpTo) {
			return b
		}
	}
	return t.Bands[len(t.Bands)-1]
}

// Words are the bands as a line of text, such as "below 0.7: review (fair), from 0.7: good (good)".
func (t Threshold) Words() string {
	parts := make([]string, len(t.Bands))
	for i, b := range t.Bands {
		switch {
		case b.UpTo != nil:
			parts[i] = fmt.Sprintf("below %s: %s", b.UpTo, b.Label)
		case i > 0:
			parts[i] = fmt.Sprintf("from %s: %s", t.Bands[i-1].UpTo, b.Label)
		default:
			parts[i] = b.Label
		}
		parts[i] += " (" + b.Verdict + ")"
	}
	return strings.Join(parts, ", ")
}

// loadThresholds reads catalog/thresholds.yaml and refuses what contradicts itself.
func loadThresholds(files fs.FS) ([]Threshold, error) {
	var file struct {
		Thresholds []Threshold `yaml:"thresholds"`
	}
	if err := read(files, "thresholds", &file); err != nil {
		return nil, err
	}
	for i, t := range file.Thresholds {
		if t.ID == "" || t.Measure == "" || t.Population == "" || t.Source == "" || t.Date == "" || t.Kind != "S" && t.Kind != "A" || len(t.Bands) < 2 {
			return nil, fmt.Errorf("metric catalog: threshold %q needs an id, measure, population, source, date, kind S or A and bands", t.ID)
		}
		if assumed := t.Kind == "A"; !slices.Contains([]string{"panel", "vendor", "consultant", "provider", "assumed"}, t.Quality) || assumed != (t.Quality == "assumed") {
			return nil, fmt.Errorf("metric catalog: threshold %q: quality must be panel, vendor, consultant or provider, of kind A assumed", t.ID)
		}
		if slices.ContainsFunc(file.Thresholds[:i], func(o Threshold) bool { return o.ID == t.ID }) {
			return nil, fmt.Errorf("metric catalog: threshold %q stands twice", t.ID)
		}
		var edges []quantity.Decimal
		for j := range t.Bands[:len(t.Bands)-1] {
			edge, err := quantity.ParseDecimal(t.Bands[j].Edge)
			if err != nil {
				return nil, fmt.Errorf("metric catalog: threshold %q: %w", t.ID, err)
			}
			t.Bands[j].UpTo = &edge
			edges = append(edges, edge)
		}
		for _, b := range t.Bands {
			if b.Label == "" || !slices.Contains([]string{"good", "fair", "bad"}, b.Verdict) {
				return nil, fmt.Errorf("metric catalog: threshold %q: a band needs a label and a verdict", t.ID)
			}
		}
		if t.Bands[len(t.Bands)-1].Edge != "" || !increasing(edges) {
			return nil, fmt.Errorf("metric catalog: threshold %q: edges must rise, and the last band has none", t.ID)
		}
	}
	return file.Thresholds, nil
}

func increasing(edges []quantity.Decimal) bool {
	for i := range len(edges) - 1 {
		if !edges[i].LessThan(edges[i+1]) {
			return false
		}
	}
	return true
}

// Thresholds lists the built-in bands, in the order of the catalog.
func (c *Catalog) Thresholds() []Threshold { return c.thresholds }

// ownEdges is a tenant's change of a threshold.
type ownEdges struct {
	Edges  []string `json:"edges"`
	Source string   `json:"source"`
}

// Thresholds lists the bands with a tenant's own edges in place of the built-in ones.
func (s *Settings) Thresholds(ctx context.Context, scope tenant.Scope, c *Catalog) ([]Threshold, error) {
	own, err := s.list(ctx, scope, kindThreshold)
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(slices.Clone(c.thresholds), func(t Threshold) bool { return c.mayName(scope, "threshold", t.Measure) != nil })
	for i, t := range out {
		stored, ok := own[t.ID]
		if !ok {
			continue
		}
		var to ownEdges
		if err := json.Unmarshal([]byte(stored.content), &to); err != nil {
			return nil, fmt.Errorf("threshold %s: %w", t.ID, err)
		}
		if edges, err := edgesOf(t, to.Edges); err == nil { // a version with other bands leaves it out
			out[i] = t.with(edges, to.Source, stored.changedAt)
		}
	}
	return out, nil
}

func (t Threshold) with(edges []quantity.Decimal, source, at string) Threshold {
	t.Bands = slices.Clone(t.Bands)
	for i := range edges {
		t.Bands[i].UpTo = &edges[i]
	}
	t.Kind, t.Quality, t.Source, t.Changed = "own", "own", source, at
	if len(at) >= len("2006-01-02") {
		t.Date = at[:len("2006-01-02")]
	}
	return t
}

// edgesOf reads the edges of a threshold's bands.
func edgesOf(t Threshold, texts []string) ([]quantity.Decimal, error) {
	if want := len(t.Bands) - 1; len(texts) != want {
		return nil, fault.WithFields(fmt.Sprintf("%s has %d bands and needs %d edges: %s", t.ID, want+1, want, t.Words()), fault.Field{Path: "edges", Message: fmt.Sprintf("must be %d numbers", want)})
	}
	edges := make([]quantity.Decimal, len(texts))
	for i, text := range texts {
		d, err := quantity.ParseDecimal(text)
		if err != nil {
			return nil, fault.WithFields(fmt.Sprintf("the edges of %s are not valid", t.ID), fault.Field{Path: fmt.Sprintf("edges[%d]", i), Message: fault.Message(err)})
		}
		edges[i] = d
	}
	if !increasing(edges) {
		return nil, fault.WithFields(fmt.Sprintf("the edges of %s are not valid", t.ID), fault.Field{Path: "edges", Message: "must rise from band to band"})
	}
	return edges, nil
}

// SetThreshold gives a tenant its own edges between a threshold's bands; source says where
// they are from. Errors: NotFound for an unknown id, Invalid for edges that do not fit.
func (s *Settings) SetThreshold(ctx context.Context, scope tenant.Scope, c *Catalog, id string, edges []string, source string) (Threshold, error) {
	t, err := c.threshold(id)
	if err != nil {
		return t, err
	}
	if err := c.mayName(scope, "threshold", t.Measure); err != nil {
		return t, err
	}
	if _, err := edgesOf(t, edges); err != nil {
		return t, err
	}
	if len(source) > 500 {
		return t, fault.WithFields("the source is too long", fault.Field{Path: "source", Message: "must have at most 500 characters"})
	}
	if source = strings.TrimSpace(source); source == "" {
		source = "set here"
	}
	if err := s.put(ctx, scope, kindThreshold, id, ownEdges{edges, source}); err != nil {
		return t, err
	}
	return s.thresholdOf(ctx, scope, c, id)
}

// ResetThreshold goes back to the built-in edges. Errors: NotFound for an unknown id.
func (s *Settings) ResetThreshold(ctx context.Context, scope tenant.Scope, c *Catalog, id string) (Threshold, error) {
	t, err := c.threshold(id)
	if err != nil {
		return t, err
	}
	if err := c.mayName(scope, "threshold", t.Measure); err != nil {
		return t, err
	}
	return t, s.put(ctx, scope, kindThreshold, id, nil)
}

func (s *Settings) thresholdOf(ctx context.Context, scope tenant.Scope, c *Catalog, id string) (Threshold, error) {
	all, err := s.Thresholds(ctx, scope, c)
	if err != nil {
		return Threshold{}, err
	}
	at := slices.IndexFunc(all, func(t Threshold) bool { return t.ID == id })
	return all[at], nil // the catalog has it
}

// threshold returns a built-in threshold; an unknown id is a NotFound fault.
func (c *Catalog) threshold(id string) (Threshold, error) {
	var ids []string
	for _, t := range c.thresholds {
		if t.ID == id {
			return t, nil
		}
		ids = append(ids, t.ID)
	}
	return Threshold{}, fault.Newf(fault.NotFound, "there is no threshold %q (list them with thresholds)%s", id, nearest(id, ids))
}

// Bands lists the bands that hold for a tenant: its own edges in place of the built-in ones.
func (c *Catalog) Bands(ctx context.Context, scope tenant.Scope) ([]Threshold, error) {
	return c.settings.Thresholds(ctx, scope, c)
}
