package dataset

import (
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Mapping says what a file holds when its headers do not. The zero Mapping says nothing.
type Mapping struct {
	Dataset string `yaml:"dataset,omitempty" json:"dataset,omitempty"`
	// Columns maps a header of the file to a field; "" leaves the column out.
	Columns map[string]string `yaml:"columns,omitempty" json:"columns,omitempty"`
	// Constants gives a field the same value in every row, written as a cell would be.
	Constants map[string]string `yaml:"constants,omitempty" json:"constants,omitempty"`
	// Units says how a column of hours is measured when its header does not: minutes or seconds.
	Units       map[string]string `yaml:"units,omitempty" json:"units,omitempty"`
	Corrections []Correction      `yaml:"corrections,omitempty" json:"corrections,omitempty"`
	Options     MappingOptions    `yaml:"options,omitempty" json:"options,omitzero"`
}

// MappingOptions decides what the importer would otherwise find out from the file.
type MappingOptions struct {
	DateOrder    string `yaml:"date_order,omitempty" json:"date_order,omitempty"`       // dmy, mdy or ymd
	DecimalMark  string `yaml:"decimal_mark,omitempty" json:"decimal_mark,omitempty"`   // "." or ","
	SourceSystem string `yaml:"source_system,omitempty" json:"source_system,omitempty"` // name kept with every row; default csv
	Encoding     string `yaml:"encoding,omitempty" json:"encoding,omitempty"`           // utf-8, utf-16le, utf-16be, windows-1252, windows-1251 or iso-8859-1
	Delimiter    string `yaml:"delimiter,omitempty" json:"delimiter,omitempty"`         // one character, or "tab" or "space"
	Quote        string `yaml:"quote,omitempty" json:"quote,omitempty"`                 // " or ' or none
	Escape       string `yaml:"escape,omitempty" json:"escape,omitempty"`               // double or backslash: how a quote is written in a quoted cell
	HeaderLine   int64  `yaml:"header_line,omitempty" json:"header_line,omitempty"`     // physical line of the header, 1 is the first
	HeaderRows   int    `yaml:"header_rows,omitempty" json:"header_rows,omitempty"`     // records that make the header; 1 is the usual
	Rows         string `yaml:"rows,omitempty" json:"rows,omitempty"`                   // "as_is" takes every record below the header for a row as it stands
	Sheet        string `yaml:"sheet,omitempty" json:"sheet,omitempty"`                 // sheet of a workbook
	TaxBasis     string `yaml:"tax_basis,omitempty" json:"tax_basis,omitempty"`         // what an invoice total is: net, gross or unknown
	Duplicates   string `yaml:"duplicates,omitempty" json:"duplicates,omitempty"`       // "drop" stores rows without an id that are equal once
	Overlap      string `yaml:"overlap,omitempty" json:"overlap,omitempty"`             // "add" stores rows without an id that equal stored ones of another file, too
}

// ParseMapping reads a mapping file; every key it does not know is an error. An empty
// text is the zero Mapping.
func ParseMapping(text []byte) (Mapping, error) {
	var m Mapping
	if len(strings.TrimSpace(string(text))) == 0 {
		return m, nil
	}
	if err := yaml.UnmarshalWithOptions(text, &m, yaml.Strict()); err != nil {
		return m, fault.Wrapf(fault.Invalid, err, "the mapping file cannot be read: it is YAML with dataset, columns, constants and options\n%s", yaml.FormatError(err, false, true))
	}
	return m, m.check()
}

var sourceForm = regexp.MustCompile(`^[\p{L}\p{N} ._-]{0,64}$`)

func (m Mapping) check() error {
	var wrong []fault.Field
	one := func(path, value string, allowed ...string) {
		for _, a := range append(allowed, "") {
			if value == a {
				return
			}
		}
		wrong = append(wrong, fault.Field{Path: "options." + path, Message: "is " + value, Allowed: allowed})
	}
	one("date_order", m.Options.DateOrder, "dmy", "mdy", "ymd")
	one("decimal_mark", m.Options.DecimalMark, ".", ",")
	one("encoding", m.Options.Encoding, encUTF8, encUTF16LE, encUTF16BE, encWindows1252, encWindows1251, encLatin1)
	one("quote", m.Options.Quote, `"`, "'", "none")
	one("escape", m.Options.Escape, "double", "backslash")
	one("duplicates", m.Options.Duplicates, "drop")
	one("overlap", m.Options.Overlap, "add")
	one("rows", m.Options.Rows, "as_is")
	one("tax_basis", m.Options.TaxBasis, "net", "gross", "unknown")
	if d := m.Options.Delimiter; d != "" && d != "tab" && d != "space" && (len(d) != 1 || strings.ContainsAny(d, "\"\r\n\x00") || d[0] >= 0x80) {
		wrong = append(wrong, fault.Field{Path: "options.delimiter", Message: "must be one character", Allowed: []string{",", ";", "tab", "|", "space"}})
	}
	if !sourceForm.MatchString(m.Options.SourceSystem) {
		wrong = append(wrong, fault.Field{Path: "options.source_system", Message: "must be at most 64 letters, digits, blanks and . _ -"})
	}
	if n := m.Options.HeaderRows; n < 0 || n > 50 {
		wrong = append(wrong, fault.Field{Path: "options.header_rows", Message: "must be 1 to 50"})
	}
	if m.Options.HeaderLine < 0 {
		wrong = append(wrong, fault.Field{Path: "options.header_line", Message: "must be 1 or more"})
	}
	wrong = append(wrong, m.checkCorrections()...)
	d, known := Find(m.Dataset)
	if m.Dataset != "" && !known {
		wrong = append(wrong, fault.Field{Path: "dataset", Message: "there is no dataset " + m.Dataset, Allowed: Names()})
	}
	if known {
		for name := range m.Constants {
			if _, ok := d.Field(name); !ok {
				wrong = append(wrong, fault.Field{Path: "constants." + name, Message: d.Title + " have no such field", Allowed: fieldNames(d)})
			}
		}
	}
	if wrong != nil {
		return fault.WithFields("the mapping file has wrong values", wrong...)
	}
	return nil
}

// delimiter returns the forced delimiter, 0 when the file decides.
func (o MappingOptions) delimiter() byte {
	switch o.Delimiter {
	case "":
		return 0
	case "tab":
		return '\t'
	case "space":
		return ' '
	}
	return o.Delimiter[0]
}

// asIs reports whether records below the header are rows whatever they look like.
func (o MappingOptions) asIs() bool { return o.Rows == "as_is" }

// Names lists the datasets' names.
func Names() []string {
	names := make([]string, len(datasets))
	for i, d := range datasets {
		names[i] = d.Name
	}
	return names
}
