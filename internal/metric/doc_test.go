package metric_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/metric"
)

// update rewrites what is generated or expected: docs/metrics.md and testdata/*.yaml. Look
// at the difference before you commit it.
var update = flag.Bool("update", false, "rewrite docs/metrics.md and testdata/*.yaml")

func TestTheMetricsPageIsCurrent(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Measures and dimensions\n\nGenerated from `internal/metric/catalog` by `make generate`. Ratios are ratios of sums; a ratio whose denominator is zero or\nnegative is empty, with a reason. Money is net of sales tax, credits are negative. Periods are half-open. Formulas are evaluated in\nexact decimals on sums and rounded (half-even) only for reading. A measure whose tables are not imported is empty with a reason, never 0.\nBands are advice, not truth: S is sourced (the number in brackets is the source's in the domain reference), A is assumed by us; set your own with\n`moatmetrics thresholds set`. What a measure shows (pay, cost, margin) decides who may see it: docs/rights.md.\n\n")
	c := metric.New(nil, metric.Options{})
	topic := ""
	for _, m := range c.Measures() {
		if m.Topic != topic {
			topic = m.Topic
			fmt.Fprintf(&b, "## %s\n\n", topic)
		}
		fmt.Fprintf(&b, "### %s\n\n%s: %s.\n\n| unit | good when | version | definition | computed from | tables | can be cut by | shows |\n|---|---|---|---|---|---|---|---|\n", m.Name, m.Label, m.Formula)
		d, err := c.Definition(m.Name, c.Thresholds())
		if err != nil {
			t.Fatal(err)
		}
		inputs := strings.Join(m.Inputs(), ", ")
		if inputs == "" {
			inputs = "rows"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | %s | %s | %s |\n\n", m.Unit, strings.ReplaceAll(strings.TrimSuffix(m.Direction, "_good"), "_", " "), m.Version, m.Source, inputs, strings.Join(m.Tables, ", "), strings.Join(c.DimensionsOf(m), ", "), showsOf(d))
		for _, caveat := range d.Caveats {
			fmt.Fprintf(&b, "- Caveat: %s.\n", caveat)
		}
		for _, band := range d.Thresholds {
			fmt.Fprintf(&b, "- Band `%s` (%s, %s, %s): %s. %s; %s.\n", band.ID, band.Kind, band.Quality, band.Date, band.Words(), band.Population, band.Source)
		}
		if len(d.Caveats)+len(d.Thresholds) > 0 {
			b.WriteString("\n")
		}
	}
	b.WriteString("## Dimensions\n\n| dimension | what |\n|---|---|\n")
	for _, d := range c.Dimensions() {
		fmt.Fprintf(&b, "| %s | %s |\n", d.Name, d.Help)
	}
	file := filepath.Join("..", "..", "docs", "metrics.md")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != b.String() {
		t.Errorf("docs/metrics.md is not current (%v): run make generate", err)
	}
}
