package dataset

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// binding says which columns of a file fill a field.
type binding struct {
	Field      string
	Columns    []int // usually one; first and last name are two, joined by a space
	Invert     bool  // the header means the opposite of the field ("Non-Billable")
	Unit       int64 // hours fields: the column's unit is 1/Unit hours (60: minutes)
	Confidence float64
	Evidence   []string // why, in sentences
	Suggested  bool     // no name says so, only the values or a like name
	Told       bool     // a person's word
}

// headerName is one header cell in the forms that are compared.
type headerName struct {
	full  string // letters and digits only, lower case, bracketed words included
	short string // the same without what stands in brackets
	yesNo bool   // ends in "?": only a yes/no field can be meant
	unit  int64  // 60 for minutes, 3600 for seconds, otherwise 1
	span  bool   // names a unit of time: a length, never a date
}

var bracketed = regexp.MustCompile(`\([^)]*\)|\[[^\]]*\]`)

// normalizeHeader brings a header cell to the forms that are compared: NFKC, lower case,
// only letters and digits.
func normalizeHeader(cell string) headerName {
	text := strings.ToLower(norm.NFKC.String(strings.TrimPrefix(cell, "\ufeff")))
	h := headerName{full: compact(text), short: compact(bracketed.ReplaceAllString(text, " ")), yesNo: strings.HasSuffix(strings.TrimSpace(text), "?"), unit: 1}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		switch word {
		case "minutes", "minute", "mins", "min":
			h.unit, h.span = 60, true
		case "seconds", "second", "secs", "sec":
			h.unit, h.span = 3600, true
		case "hours", "hrs":
			h.span = true
		}
	}
	return h
}

// compact keeps letters and digits only.
func compact(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// alias is one way to name a field; lower rank is preferred.
type alias struct {
	field  int
	rank   int
	invert bool // means the opposite
	doubt  bool // may mean something else
}

// aliasIndex maps compact names to the fields of a dataset.
type aliasIndex map[string][]alias

var aliasIndexes = sync.OnceValue(func() map[string]aliasIndex {
	all := map[string]aliasIndex{}
	for _, d := range datasets {
		index := aliasIndex{}
		for i, f := range d.Fields {
			key := compact(f.Name)
			index[key] = append(index[key], alias{field: i})
			for rank, name := range f.Aliases {
				a := alias{field: i, rank: rank + 1, invert: strings.HasPrefix(name, "!"), doubt: strings.HasPrefix(name, "?")}
				if strings.HasPrefix(name, "+") {
					a.rank = -1
				}
				if key := compact(name); !slices.ContainsFunc(index[key], func(x alias) bool { return x.field == i }) {
					index[key] = append(index[key], a)
				}
			}
		}
		all[d.Name] = index
	}
	return all
})

// candidate is a field that a column's name says, or may say.
type candidate struct {
	binding
	field, rank, column int
	misfit              bool // the column's values contradict it
}

// namedBy is what the names of a file's columns say, the best first. Where a field has
// several, one that the values contradict comes last.
func namedBy(d Dataset, headers []string, columns []column) []candidate {
	index := aliasIndexes()[d.Name]
	var out []candidate
	for i, cell := range headers {
		h := normalizeHeader(cell)
		for n, key := range []string{h.full, h.short} {
			if key == "" || n == 1 && h.short == h.full {
				continue
			}
			for _, a := range index[key] {
				f := d.Fields[a.field]
				if h.yesNo && f.Kind != Boolean || h.span && (f.Kind == Date || f.Kind == Timestamp) {
					continue
				}
				c := candidate{field: a.field, rank: 2*a.rank + n, column: i}
				c.binding = binding{Field: f.Name, Columns: []int{i}, Invert: a.invert, Unit: 1, Confidence: []float64{confidentBy, confidentCut}[n]}
				switch {
				case a.doubt:
					c.Confidence = perhaps
				case a.rank == 0:
					c.Confidence = confident
				}
				if f.Kind == Hours {
					c.Unit = h.unit
				}
				if columns != nil {
					col := &columns[i]
					c.Confidence, c.Evidence = col.judge(f, c.Unit, f.Name == d.IDField && !d.Effective, c.Confidence)
					if share, _, ok := col.fits(f, true); ok && col.filled > 0 && share < misfit {
						c.misfit = true
					}
				}
				out = append(out, c)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b candidate) int {
		if a.misfit != b.misfit {
			return cmp.Compare(btoi(a.misfit), btoi(b.misfit))
		}
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.field, b.field), cmp.Compare(a.column, b.column))
	})
	return out
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bindHeaders assigns the file's columns to the dataset's fields: what the mapping says
// first, then by name, each column and each field once, better-known names first.
func bindHeaders(d Dataset, headers []string, m Mapping) (map[string]binding, error) {
	return bindColumns(d, headers, m, nil, false)
}

// bindColumns is bindHeaders with what is known of the columns' values: they choose among
// several columns of a name, and a column that contradicts its name does not fill a field
// that may be missing.
func bindColumns(d Dataset, headers []string, m Mapping, columns []column, serials bool) (map[string]binding, error) {
	bound := map[string]binding{}
	used := map[int]bool{}
	if err := bindMapped(d, headers, m, bound, used); err != nil {
		return nil, err
	}
	for _, c := range namedBy(d, headers, columns) {
		_, taken := bound[c.Field]
		if _, constant := m.Constants[c.Field]; taken || constant || used[c.column] {
			continue
		}
		if f := d.Fields[c.field]; c.misfit && c.rank > 1 && !f.Required && columns[c.column].filled >= 3 && !isText(f.Kind) {
			continue
		}
		bound[c.Field] = c.binding
		used[c.column] = true
	}
	bindSplitName(d, headers, bound, used)
	bindClock(d, headers, columns, bound, used)
	bindSuggested(d, headers, m, columns, serials, bound, used)
	return bound, nil
}

// bindSuggested fills required fields that nothing names with the one column that its
// values, or a like name, suggest for them.
func bindSuggested(d Dataset, headers []string, m Mapping, columns []column, serials bool, bound map[string]binding, used map[int]bool) {
	if columns == nil {
		return
	}
	for _, f := range missing(d, bound, m) {
		if own, ok := d.Field(f.Name); !ok || !own.Required {
			continue
		}
		at, best, n := -1, 0.0, 0
		var why string
		var days []int
		for i, h := range headers {
			if used[i] || columns[i].filled == 0 {
				continue
			}
			list, reasons := suggestions(d, h, &columns[i], serials)
			for _, a := range list {
				if a.Field == f.Name && a.Confidence >= likely {
					n++
					at, best, why = i, a.Confidence, reasons[a.Field]
				}
			}
			if share, _, _ := columns[i].fits(f, serials); (f.Kind == Date || f.Kind == Timestamp) && share >= sure {
				days = append(days, i)
			}
		}
		if n == 0 && len(days) == 1 {
			n, at, best, why = 1, days[0], likely, "it is the only column of dates"
		}
		if n != 1 {
			continue
		}
		bound[f.Name] = binding{Field: f.Name, Columns: []int{at}, Unit: normalizeHeader(headers[at]).unit, Confidence: best, Evidence: []string{why}, Suggested: true}
		used[at] = true
	}
}

// bindMapped applies a mapping's columns. An empty field name leaves the column out.
func bindMapped(d Dataset, headers []string, m Mapping, bound map[string]binding, used map[int]bool) error {
	for source, field := range m.Columns {
		i := columnOf(headers, source)
		if i < 0 {
			return fault.Newf(fault.Invalid, "the mapping names the column %q, which the file does not have; its columns are: %s", source, shown(headers))
		}
		used[i] = true
		if field == "" {
			continue
		}
		f, ok := d.Field(field)
		if !ok {
			return fault.WithFields("the mapping names a field that "+d.Title+" do not have", fault.Field{Path: "columns." + source, Message: "no field " + field, Allowed: fieldNames(d)})
		}
		if _, twice := bound[field]; twice {
			return fault.Newf(fault.Invalid, "the mapping fills the field %s from two columns", field)
		}
		b := binding{Field: field, Columns: []int{i}, Unit: 1, Confidence: confident, Told: true}
		if f.Kind == Hours {
			b.Unit = normalizeHeader(headers[i]).unit
		}
		bound[field] = b
	}
	return nil
}

// bindSplitName makes a person's name of first and last name when there is no other.
func bindSplitName(d Dataset, headers []string, bound map[string]binding, used map[int]bool) {
	for _, field := range []string{"staff_name", "contact_name", "user_name"} {
		if _, ok := d.Field(field); !ok {
			continue
		}
		if _, taken := bound[field]; taken {
			continue
		}
		first := slices.IndexFunc(headers, func(h string) bool { return normalizeHeader(h).full == "firstname" })
		last := slices.IndexFunc(headers, func(h string) bool { n := normalizeHeader(h).full; return n == "lastname" || n == "surname" })
		if first >= 0 && last >= 0 && !used[first] && !used[last] {
			bound[field] = binding{Field: field, Columns: []int{first, last}, Unit: 1, Confidence: confidentCut, Evidence: []string{"it is made of first and last name"}}
			used[first], used[last] = true, true
			return
		}
	}
}

func fieldNames(d Dataset) []string {
	names := make([]string, len(d.Fields))
	for i, f := range d.Fields {
		names[i] = f.Name
	}
	return names
}

// missing lists required fields that neither columns nor constants fill.
func missing(d Dataset, bound map[string]binding, m Mapping) []Field {
	has := func(name string) bool {
		_, column := bound[name]
		_, constant := m.Constants[name]
		return column || constant
	}
	var out []Field
	for _, f := range d.Fields {
		if f.Required && !has(f.Name) && !slices.ContainsFunc(f.Instead, has) {
			out = append(out, f)
		}
	}
	if d.Name == "invoices" && !has("net_amount") && !has("total_amount") && !has("lines_json") && !(has("quantity") && has("unit_price")) {
		f, _ := d.Field("net_amount")
		f.Aliases = append([]string{"total_amount", "lines_json", "quantity and unit_price"}, f.Aliases...)
		out = append(out, f)
	}
	return out
}

// headerScorer counts the cells of a row that a dataset knows: the best dataset's count,
// or that of the named one.
func headerScorer(dataset string, m Mapping) func([]string) int {
	indexes := aliasIndexes()
	mapped := map[string]bool{}
	for source := range m.Columns {
		mapped[normalizeHeader(source).full] = true
	}
	return func(cells []string) int {
		best := 0
		names := make([]headerName, len(cells))
		for i, c := range cells {
			if len(c) < 200 {
				names[i] = normalizeHeader(c)
			}
		}
		for name, index := range indexes {
			if dataset != "" && name != dataset {
				continue
			}
			n, fields := 0, map[int]bool{}
			for _, h := range names {
				list := index[h.full]
				if list == nil {
					list = index[h.short]
				}
				switch {
				case mapped[h.full] && h.full != "":
					n++
				case len(list) > 0 && !fields[list[0].field]:
					fields[list[0].field] = true
					n++
				}
			}
			best = max(best, n)
		}
		return best
	}
}

// guess decides which dataset a file is: the one whose required fields are all there and
// that knows most of its columns; the file's name and the titles above its table break
// near ties. A dataset that knows more of the columns but lacks one required field is
// reported as what the file should be, not passed over for a lesser fit. Undecided is a
// fault.
func guess(file string, titles, headers []string, m Mapping) (Dataset, error) {
	type scored struct {
		d       Dataset
		score   float64
		bound   int
		lacking []Field
	}
	var fits, near []scored
	for _, d := range datasets {
		bound, err := bindHeaders(d, headers, Mapping{Constants: m.Constants})
		if err != nil {
			return Dataset{}, err
		}
		x := scored{d: d, bound: len(bound), lacking: missing(d, bound, m), score: 1.25 * hinted(file, d.Name)}
		for _, title := range titles {
			x.score += 1.25 * hinted(title, d.Name)
		}
		if d.Name == "contacts" && !slices.ContainsFunc(headers, func(h string) bool { return headerWords(h)["contact"] }) {
			x.score -= 2 // a list of clients has e-mail addresses, too
		}
		for name := range bound {
			x.score++
			if f, _ := d.Field(name); f.Required {
				x.score += 2
			}
		}
		if len(x.lacking) == 0 {
			fits = append(fits, x)
		} else if x.bound > 0 {
			x.score -= 2 * float64(len(x.lacking))
			near = append(near, x)
		}
	}
	best := func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.bound, a.bound)) }
	slices.SortStableFunc(fits, best)
	slices.SortStableFunc(near, best)
	if len(fits) == 0 && len(near) == 0 {
		return Dataset{}, fault.WithFields(fmt.Sprintf("%s: none of its columns is known (%s): say what it holds, and which column is which", filepath.Base(file), shown(headers)), fault.Field{Path: "dataset", Message: undecided, Allowed: Names()})
	}
	if len(fits) > 0 && fits[0].d.Name == "clients" && m.Dataset == "" && (listsVendors(file) || slices.ContainsFunc(titles, listsVendors)) {
		return Dataset{}, fault.WithFields(filepath.Base(file)+" looks like a list of vendors, which are no clients: if they are, say so", fault.Field{Path: "dataset", Message: undecided, Allowed: []string{"clients"}})
	}
	if len(near) > 0 && (len(fits) == 0 || len(near[0].lacking) == 1 && near[0].bound > fits[0].bound) {
		return Dataset{}, missingFault(file, near[0].d, near[0].lacking, headers, true)
	}
	if len(fits) > 1 && best(fits[0], fits[1]) == 0 {
		var names []string
		for _, f := range fits {
			if best(f, fits[0]) == 0 {
				names = append(names, f.d.Name)
			}
		}
		return Dataset{}, fault.WithFields(filepath.Base(file)+" could be any of "+strings.Join(names, ", ")+": say which", fault.Field{Path: "dataset", Message: undecided, Allowed: names})
	}
	return fits[0].d, nil
}

// shown lists headers for a message, not more than a person reads.
func shown(headers []string) string {
	var list []string
	for i, h := range headers {
		if i == 20 {
			list = append(list, "…")
			break
		}
		list = append(list, cutText(strings.TrimSpace(h), 40))
	}
	return strings.Join(list, ", ")
}

func hinted(file, dataset string) float64 {
	if begins(file, nameHints[dataset]...) {
		return 1
	}
	return 0
}

// listsVendors reports whether a file's name or title says that it is about vendors.
func listsVendors(name string) bool { return begins(name, "vendor", "supplier") }

// begins reports whether a word of a file's name or title begins with one of the hints.
func begins(file string, hints ...string) bool {
	words := strings.FieldsFunc(strings.ToLower(filepath.Base(file)), func(r rune) bool { return !unicode.IsLetter(r) })
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.ContainsFunc(hints, func(h string) bool { return strings.HasPrefix(w, h) })
	})
}

// plainAliases are a field's other names that mean it without doubt.
func plainAliases(f Field) []string {
	var out []string
	for _, a := range f.Aliases {
		if !strings.HasPrefix(a, "?") {
			out = append(out, strings.TrimLeft(a, "+ "))
		}
	}
	return out
}

// undecided is the message of a fault's field that a person has to fill in.
const undecided = "undecided"

// missingFault tells which columns are missing and what would be accepted for them.
func missingFault(file string, d Dataset, lacking []Field, headers []string, guessed bool) error {
	fields := make([]fault.Field, len(lacking))
	names := make([]string, len(lacking))
	for i, f := range lacking {
		names[i] = f.Name
		fields[i] = fault.Field{Path: f.Name, Message: "no column for it: " + f.Help, Allowed: append([]string{f.Name}, plainAliases(f)...)}
	}
	text := filepath.Base(file) + ": "
	if guessed {
		text += "this looks most like " + d.Title + ", but "
	}
	text += "there is no column for " + strings.Join(names, ", ") + " (columns found: " + shown(headers) + ")."
	if guessed {
		text += " Say what it holds, or which column is which."
		fields = append([]fault.Field{{Path: "dataset", Message: undecided, Allowed: []string{d.Name}}}, fields...)
	} else {
		text += " Rename the columns, or say which is which."
	}
	return fault.WithFields(text, fields...)
}
