package xlsx

import (
	"context"
	"fmt"
	"io"

	"github.com/moatmetrics/moatmetrics/internal/document"
)

// Write writes a document as a workbook: a Summary of what it says, a sheet for each table,
// one for the charts of each section with the cells that they draw, and one for the findings.
// dir is where it waits while it is made; "" is the system's own place.
func Write(ctx context.Context, w io.Writer, d *document.Document, dir string) error {
	b, err := New(Options{Dir: dir, Title: d.Title, Firm: d.Brand.Firm, At: d.At, Brand: d.Brand, Letter: d.Layout.Paper == "letter"})
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.document(ctx, d); err != nil {
		return err
	}
	if _, err := b.WriteTo(w); err != nil {
		return err
	}
	return b.Close()
}

// part is a block with the sheet that it gets.
type part struct {
	section string
	block   document.Block
	sheet   string
	says    string
}

// document writes all sheets. Their names are settled first, as the summary lists them.
func (b *Book) document(ctx context.Context, d *document.Document) error {
	summary, err := b.page("Summary", summaryWidths)
	if err != nil {
		return err
	}
	var parts []part
	var findings []*document.Finding
	for _, s := range d.Sections {
		charts := part{section: s.Title, sheet: ""}
		tables := 0
		for _, block := range s.Blocks {
			if _, ok := block.(*document.Table); ok {
				tables++
			}
		}
		for _, block := range s.Blocks {
			switch block := block.(type) {
			case *document.Table:
				name := block.Title
				if name == "" || tables == 1 && name == s.Title {
					name = s.Title
				}
				parts = append(parts, part{s.Title, block, b.reserve(name), tableSays(block)})
			case *document.Chart:
				if err := block.Check(); err != nil {
					return fmt.Errorf("workbook: %w", err)
				}
				if charts.sheet == "" {
					charts.sheet = b.reserve(s.Title + " charts")
				}
				parts = append(parts, part{s.Title, block, charts.sheet, block.Title})
			case *document.Finding:
				findings = append(findings, block)
			}
		}
	}
	var index []string // where each finding stands
	if len(findings) > 0 {
		if index, err = b.findings(b.reserve("Findings"), findings); err != nil {
			return err
		}
	}
	b.summary(summary, d, parts, findings, index)
	done := map[string]bool{}
	for _, p := range parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if t, ok := p.block.(*document.Table); ok {
			err = b.table(ctx, p.sheet, d, t)
		} else if !done[p.sheet] {
			done[p.sheet] = true
			err = b.chartSheet(p.sheet, p.section, parts)
		}
		if err != nil {
			return err
		}
	}
	for _, s := range b.Notes.Sentences() {
		summary.line(0, cell{v: "Note: " + s + ".", style: style{wrap: true, color: document.Ink2}, span: summary.all()})
	}
	return summary.end()
}
