package report_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/report"
)

func TestEveryTemplateIsMadeFromTheDemo(t *testing.T) {
	t.Parallel()
	x := demo(t)
	list, err := x.Templates(t.Context(), firm)
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range list {
		t.Run(template.Name, func(t *testing.T) {
			if _, err := x.CheckTemplate(t.Context(), firm, template.Text); err != nil {
				t.Errorf("its own check: %v", err)
			}
			d, _, err := x.Document(t.Context(), firm, report.Request{Template: template.Name}, nil)
			if err != nil {
				t.Fatal(err)
			}
			figures := 0
			for range d.Figures() {
				figures++
			}
			if figures < 10 {
				t.Errorf("%d figures", figures)
			}
			for _, s := range d.Sections {
				for _, b := range s.Blocks {
					if c, ok := b.(*document.Chart); ok && c.Empty() {
						t.Errorf("%s: chart %q is empty", s.Title, c.Title)
					}
					if n, ok := b.(*document.Text); ok && n.Tone == document.Note {
						t.Logf("%s: note %q", s.Title, n.Paragraphs)
					}
				}
			}
			text, err := json.MarshalIndent(d, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			if dir := os.Getenv("MOAT_DOCUMENTS"); dir != "" {
				if err := os.WriteFile(dir+"/"+template.Name+".json", text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
