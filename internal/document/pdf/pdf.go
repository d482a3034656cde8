// Package pdf writes a document as a PDF file: paged, tagged for those who do not see it, and
// the same bytes for the same document.
//
// A document is laid out twice: first to count pages and find where each heading stands, then
// to write them, page by page, so that a table of any length needs little memory. The layout
// layer is flow.go (pieces on pages); the blocks are pieces: front.go, text.go, tiles.go,
// finding.go, table.go, chart.go. The file itself is made by document/internal/pdffile.
package pdf

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/pdffile"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Write writes a document as a PDF file. It returns an Invalid error, by field, for a brand
// that cannot be used (colors, fonts, logo) and for a chart whose parts do not fit, the error
// of the context when it ends first, and w's own. Nothing is written before the first two are
// known; after an error, what was written is no file.
func Write(ctx context.Context, w io.Writer, d *document.Document) error {
	return write(ctx, w, d, nil)
}

func write(ctx context.Context, w io.Writer, d *document.Document, spy *spy) error {
	if err := check(d); err != nil {
		return err
	}
	fonts, err := d.Brand.Fonts()
	if err != nil {
		return err
	}
	draft := newLayout(ctx, d, fonts)
	if err := draft.run(); err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(w, 1<<16)
	file := pdffile.New(buffered)
	final := newLayout(ctx, d, fonts)
	final.spy = spy
	if err := final.onto(file, draft); err != nil {
		return err
	}
	if err := final.run(); err != nil {
		return err
	}
	spy.headings(final)
	if err := file.Finish(final.info()); err != nil {
		return err
	}
	return buffered.Flush()
}

func check(d *document.Document) error {
	if err := d.Brand.Check(); err != nil {
		return err
	}
	switch d.Layout.Paper {
	case "", "a4", "letter":
	default:
		return fault.WithFields("this document cannot be laid out", fault.Field{Path: "paper", Message: `write "a4" or "letter"`})
	}
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			if c, ok := b.(*document.Chart); ok {
				if err := c.Check(); err != nil {
					return fault.Wrapf(fault.Invalid, err, "a chart of this document cannot be drawn: %v", err)
				}
			}
		}
	}
	return nil
}

// onto makes a layout write to a file, with what a draft of it found.
func (l *layout) onto(file *pdffile.File, draft *layout) error {
	l.file, l.total, l.places = file, draft.n, draft.places
	l.top = file.Structure().Top
	for range l.total {
		l.refs = append(l.refs, file.Alloc())
	}
	if l.doc.Brand.Logo != nil {
		logo, err := file.AddImage(l.doc.Brand.Logo)
		if err != nil {
			return fault.WithFields("this brand cannot be used", fault.Field{Path: "logo", Message: "this logo cannot be used: " + err.Error() + ". Give a PNG or JPEG file, or none"})
		}
		l.logo = logo
	}
	return nil
}

// run lays the document out.
func (l *layout) run() error {
	l.flow(l.everything())
	l.endPage()
	if errors.Is(l.err, context.Canceled) || errors.Is(l.err, context.DeadlineExceeded) {
		return l.err
	}
	if l.err == nil && l.file != nil {
		return l.file.Err()
	}
	return l.err
}

// info is what the file says of itself.
func (l *layout) info() pdffile.Info {
	d := l.doc
	about := strings.Join(some(d.Subtitle, d.Client, d.Period), " · ")
	var words []string
	for _, f := range d.Facts {
		words = append(words, f.Label+": "+f.Text)
	}
	clean := func(s string) string {
		return strings.Join(strings.FieldsFunc(document.Clean(s), func(r rune) bool { return r == '\n' || r == '\t' }), " ")
	}
	info := pdffile.Info{Title: clean(l.name()), Author: clean(d.Brand.Firm), Subject: clean(about), Keywords: clean(strings.Join(words, "; ")), Created: d.At}
	for i, e := range l.entries {
		at := l.places[i]
		mark := pdffile.Bookmark{Title: clean(e.title), Page: l.refs[at.page-1], Top: at.fromFoot}
		if e.level > 1 && len(info.Bookmarks) > 0 {
			last := &info.Bookmarks[len(info.Bookmarks)-1]
			last.Under = append(last.Under, mark)
			continue
		}
		info.Bookmarks = append(info.Bookmarks, mark)
	}
	return info
}

// some returns the texts that say something.
func some(texts ...string) []string {
	var out []string
	for _, t := range texts {
		if strings.TrimSpace(document.Clean(t)) != "" {
			out = append(out, t)
		}
	}
	return out
}
