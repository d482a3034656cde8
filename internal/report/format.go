package report

import (
	"context"
	"io"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/html"
	"github.com/moatmetrics/moatmetrics/internal/document/pdf"
	"github.com/moatmetrics/moatmetrics/internal/document/pptx"
	"github.com/moatmetrics/moatmetrics/internal/document/xlsx"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Format is a kind of file that reports are written as.
type Format struct {
	Name      string `json:"name"`
	Label     string `json:"label"`
	Media     string `json:"media"`
	Extension string `json:"extension"`

	write func(ctx context.Context, w io.Writer, d *document.Document, tmp string) error
}

// Formats lists them.
var Formats = []Format{
	{"pdf", "PDF", "application/pdf", "pdf", func(ctx context.Context, w io.Writer, d *document.Document, _ string) error {
		return pdf.Write(ctx, w, d)
	}},
	{"xlsx", "Excel workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", xlsx.Write},
	{"pptx", "PowerPoint deck", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx", func(ctx context.Context, w io.Writer, d *document.Document, _ string) error {
		return pptx.Write(ctx, w, d)
	}},
	{"html", "Web page", "text/html; charset=utf-8", "html", func(ctx context.Context, w io.Writer, d *document.Document, _ string) error {
		return html.Write(ctx, w, d)
	}},
	{"csv", "CSV", "text/csv; charset=utf-8", "csv", func(ctx context.Context, w io.Writer, d *document.Document, _ string) error {
		return document.WriteCSV(ctx, w, d)
	}},
	{"zip", "CSV files, zipped", "application/zip", "zip", func(ctx context.Context, w io.Writer, d *document.Document, _ string) error {
		return document.WriteTables(ctx, w, d)
	}},
	{"json", "JSON", "application/json", "json", func(_ context.Context, w io.Writer, d *document.Document, _ string) error {
		return document.WriteJSON(w, d)
	}},
}

// FormatOf returns a format by name; an unknown one is an Invalid fault that lists them.
func FormatOf(name string) (Format, error) {
	var names []string
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fault.WithFields("there is no format "+name, fault.Field{Path: "format", Message: "unknown", Allowed: names})
}
