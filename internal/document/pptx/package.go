package pptx

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // logos
	_ "image/png"
	"io"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/document/internal/office"
)

const (
	relBase  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	typeBase = "application/vnd.openxmlformats-officedocument."
	xmlHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	spaces   = `xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"`
)

// part is a file of the package.
type part struct {
	name, kind string // kind is its content type; "" for relationships and media
	body       []byte
}

// rel is a relationship of a part.
type rel struct{ id, kind, target string }

// packet collects the parts of a presentation in the order in which they are written.
type packet struct {
	parts []part
	logo  *logo
}

func (p *packet) add(name, kind, body string) {
	p.parts = append(p.parts, part{name, kind, []byte(body)})
}

// rels adds the relationships of a part.
func (p *packet) rels(of string, rels []rel) {
	dir, file := "", of
	if i := strings.LastIndexByte(of, '/'); i >= 0 {
		dir, file = of[:i+1], of[i+1:]
	}
	var b strings.Builder
	b.WriteString(xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	for _, r := range rels {
		kind := r.kind
		if !strings.Contains(kind, "/") {
			kind = relBase + kind
		}
		fmt.Fprintf(&b, `<Relationship Id="%s" Type="%s" Target="%s"/>`, r.id, kind, r.target)
	}
	b.WriteString(`</Relationships>`)
	p.parts = append(p.parts, part{dir + "_rels/" + file + ".rels", "", []byte(b.String())})
}

// write packs the parts: no times, one order.
func (p *packet) write(w io.Writer) error {
	var types strings.Builder
	types.WriteString(xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="xlsx" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"/><Default Extension="png" ContentType="image/png"/><Default Extension="jpeg" ContentType="image/jpeg"/>`)
	for _, part := range p.parts {
		if part.kind != "" {
			fmt.Fprintf(&types, `<Override PartName="/%s" ContentType="%s"/>`, part.name, part.kind)
		}
	}
	types.WriteString(`</Types>`)
	zw := zip.NewWriter(w)
	for _, part := range append([]part{{name: "[Content_Types].xml", body: []byte(types.String())}}, p.parts...) {
		method := zip.Deflate
		if strings.HasSuffix(part.name, ".xlsx") || strings.HasSuffix(part.name, ".png") || strings.HasSuffix(part.name, ".jpeg") {
			method = zip.Store // they are packed already
		}
		out, err := zw.CreateHeader(&zip.FileHeader{Name: part.name, Method: method})
		if err == nil {
			_, err = out.Write(part.body)
		}
		if err != nil {
			return fmt.Errorf("presentation: %s: %w", part.name, err)
		}
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("presentation: %w", err)
	}
	return nil
}

// logo is the picture of a brand.
type logo struct {
	name          string
	body          []byte
	width, height float64 // of pixels, for its shape
}

// logoOf reads a brand's picture; nil without one, or when it is none that Office shows.
func logoOf(b document.Brand) *logo {
	if len(b.Logo) == 0 {
		return nil
	}
	c, kind, err := image.DecodeConfig(bytes.NewReader(b.Logo))
	if err != nil || c.Width == 0 || c.Height == 0 {
		return nil
	}
	return &logo{"logo." + kind, b.Logo, float64(c.Width), float64(c.Height)}
}

// within returns the size of the logo in a box of points.
func (l *logo) within(w, h float64) (float64, float64) {
	scale := min(w/l.width, h/l.height)
	return l.width * scale, l.height * scale
}

// properties are what the file says of itself.
func (p *packet) properties(d *document.Document, slides int) {
	p.add("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml", office.Properties(d.Title, d.Brand.Firm, d.At))
	p.add("docProps/app.xml", typeBase+"extended-properties+xml", xmlHead+fmt.Sprintf(`<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"><Application>Microsoft Office PowerPoint</Application><PresentationFormat>Widescreen</PresentationFormat><Slides>%d</Slides><Notes>%d</Notes><Company>%s</Company><AppVersion>16.0000</AppVersion></Properties>`, slides, slides, office.Escape(d.Brand.Firm)))
}
