package xlsx

import (
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// findings writes the findings below each other and returns where each stands.
func (b *Book) findings(sheet string, findings []*document.Finding) ([]string, error) {
	p, err := b.page(sheet, []float64{34, 18, 18, 80})
	if err != nil {
		return nil, err
	}
	p.line(0, cell{v: "Findings", style: style{size: 16, bold: true, color: b.opt.Brand.Main()}, span: p.all()})
	index := make([]string, len(findings))
	for i, f := range findings {
		p.skip(1)
		index[i] = fmt.Sprintf("'%s'!A%d", p.name, p.row+1)
		b.finding(p, f)
	}
	return index, p.end()
}

func (b *Book) finding(p *page, f *document.Finding) {
	p.line(0, cell{v: f.Headline, style: style{size: 12, bold: true, wrap: true, bottom: document.Rule}, span: p.all()})
	label := func(s string) cell { return cell{v: s, style: style{color: document.Ink2}} }
	said := func(name, s string) {
		if s != "" {
			p.line(0, label(name), cell{v: s, style: style{wrap: true}, span: 3})
		}
	}
	said("Subject", f.Subject)
	left := func(c cell) cell {
		c.right, c.left = false, true
		return c
	}
	p.line(0, label(f.Measure), left(figure(f.Value)), cell{}, text(f.Value.Missing))
	if i := f.Interval; i != nil {
		low, high := ends(i, f.Value.Unit, f.Value.Currency)
		p.line(0, label("Interval"), left(low), left(high), note(document.SayInterval(*i, f.Value.Unit, f.Value.Currency)))
	}
	p.line(0, label("At stake a year"), left(figure(f.Stake)), cell{}, text(f.Stake.Missing))
	said("What to do", f.Recommendation)
	said("To be reviewed first", f.Review)
	for _, a := range f.Assumptions {
		said("Assumption", a)
	}
	b.drivers(p, f)
	said("Confidence", document.SayGrade(f.Grade))
	said("", strings.Join(f.Reasons, "; "))
	for _, e := range f.Explain {
		said("How to read it", e)
	}
	said("Period", f.Period)
	if f.Snapshot > 0 {
		p.line(0, label("Snapshot"), cell{v: f.Snapshot, style: style{format: "0", left: true}})
	}
	said("Reference", f.Reference)
}

// drivers writes what moved the measure, and their sum as a formula.
func (b *Book) drivers(p *page, f *document.Finding) {
	if len(f.Drivers) == 0 {
		return
	}
	versus := "Contribution"
	if f.Versus != "" {
		versus = "Versus " + f.Versus
	}
	p.heads("What moved it", ">Contribution", "", versus)
	first, sum, same := p.row+1, quantity.Decimal{}, true
	for _, d := range f.Drivers {
		if d.Value.Number != nil {
			sum = sum.Add(*d.Value.Number)
			_, kept := office.Number(*d.Value.Number)
			same = same && kept == office.Exact
		}
		same = same && d.Value.Unit == f.Drivers[0].Value.Unit && d.Value.Currency == f.Drivers[0].Value.Currency
		p.line(0, text(d.Name), changed(d.Value, 0))
	}
	if _, kept := office.Number(sum); !same || kept != office.Exact {
		return
	}
	v := f.Drivers[0].Value
	v.Number = &sum
	total := changed(v, 0)
	total.formula = fmt.Sprintf("SUM(B%d:B%d)", first, p.row)
	total.bold, total.top = true, document.Ink3
	p.line(0, cell{v: "Change", style: style{bold: true, top: document.Ink3}}, total)
}
