package dataset

import (
	"slices"
	"strings"
)

// This file finds the header in a sample that was read, and makes the layout of it.

// findHeader picks the header among the records: the one that a dataset knows best,
// otherwise the first that is as wide as most and is not nearly blank, or the one just
// above it when that reads like the names of its columns.
func (r *reading) findHeader(skip, forced int64, headerScore func([]string) int) {
	first := -1
	for i, rec := range r.records {
		switch {
		case rec.Line <= skip || blank(rec.Fields):
			continue
		case forced > 0 && rec.Line == forced:
			r.header, r.known = i, headerScore(rec.Fields)
			return
		case forced > 0 || i >= headerWithin:
			continue
		}
		if first < 0 {
			first = i
		}
		if n := headerScore(rec.Fields); n >= knownHeader && n > r.known {
			r.header, r.known = i, n
		}
	}
	if r.header >= 0 || first < 0 {
		return
	}
	r.header, r.known = first, min(1, headerScore(r.records[first].Fields))
	for i, rec := range r.records {
		if rec.Line <= skip || len(rec.Fields) != r.modal || 2*filled(rec.Fields) < r.fullest(i+1) {
			continue
		}
		r.header = i
		if i > 0 && r.records[i-1].Line > skip && !rec.Gap && !names(rec.Fields) {
			if above := r.records[i-1].Fields; names(above) && 2*filled(above) > r.modal {
				r.header = i - 1
			}
		}
		return
	}
}

// fullest returns the most filled cells of the next records, blank ones left out.
func (r *reading) fullest(from int) int {
	most, seen := 0, 0
	for _, rec := range r.records[from:] {
		if n := filled(rec.Fields); n > 0 {
			most = max(most, n)
			seen++
		}
		if seen == 3 {
			break
		}
	}
	return most
}

// layout makes the layout of a reading: the header's records and what its columns hold.
func (r *reading) layout(o MappingOptions, headerScore func([]string) int) layout {
	head := r.records[r.header]
	l := layout{grammar: r.grammar, width: r.width, Header: head.Fields, HeaderLine: head.Line, HeaderEnd: head.Line, HeaderRows: [][]string{head.Fields}}
	body := r.records[r.header+1:]
	width := len(l.Header)
	if n := filled(l.Header); n < width && n > 1 && !o.asIs() {
		// A header with a blank cell too many names the columns of narrower rows.
		narrow, wide := 0, 0
		for _, rec := range body {
			switch len(rec.Fields) {
			case n:
				narrow++
			case width:
				wide++
			}
		}
		if len(rightTrim(l.Header)) > n && wide == 0 && narrow > 0 && float64(narrow) >= typicalShare*float64(len(body)) {
			l.Header = slices.DeleteFunc(slices.Clone(l.Header), func(c string) bool { return strings.TrimSpace(c) == "" })
			width = n
			l.Evidence = append(l.Evidence, "a blank cell of the header that no row has was left out")
		}
	}
	rows := o.HeaderRows
	if rows == 0 && !o.asIs() {
		rows = r.headerRows(body, width)
	}
	for rows = min(rows, 1+len(body)); len(l.HeaderRows) < rows; {
		rec := body[0]
		body = body[1:]
		l.HeaderRows, l.HeaderEnd = append(l.HeaderRows, rec.Fields), rec.Line
	}
	if len(l.HeaderRows) > 1 {
		joined := joinHeader(l.HeaderRows)
		if headerScore(joined) >= headerScore(l.Header) {
			l.Header = joined
		}
	}
	l.Profile = profiles(body, len(l.Header))
	for _, rec := range r.records[:r.header] {
		n := filled(rec.Fields)
		if n > 0 {
			l.Above++
		}
		if n > 1 {
			l.AboveRows++
		}
		if n == 1 {
			if text := strings.Join(rec.Fields, ""); len(strings.Fields(text)) <= 3 {
				l.Titles = append(l.Titles, text)
			}
		}
	}
	l.Evidence = append(l.Evidence, r.evidence(len(l.HeaderRows))...)
	return l
}

// headerRows counts the records that make the header: after the first, those that repeat
// it, those that name the columns below a group's title, and those with words wherever at
// least two columns hold numbers or dates.
func (r *reading) headerRows(body []record, width int) int {
	rows := 1
	for rows <= len(body) && rows < 20 && names(body[rows-1].Fields) && slices.EqualFunc(body[rows-1].Fields, r.records[r.header].Fields, sameName) {
		rows++
	}
	if rows > 1 {
		return rows
	}
	for rows < len(body) && rows < 20 && r.names(body[rows-1].Fields) {
		rows++
	}
	if rows > 1 || r.known >= knownHeader || len(body) < 4 {
		return rows
	}
	for rows <= len(body)-2 && rows < 20 {
		rec := body[rows-1]
		if rec.Gap || len(rec.Fields) != width || !names(rec.Fields) {
			break
		}
		typed, named := 0, 0
		for i, p := range profiles(body[rows:], width) {
			if k, ok := p.typical(); ok && (k == number || k == moment) {
				typed++
				if kindOf(rec.Fields[i]) == word {
					named++
				}
			}
		}
		if typed < 2 || named < typed {
			break
		}
		rows++
	}
	return rows
}

// names reports whether a record names the columns below the titles of groups: words only,
// none in the first column, at least one below a blank cell of the header, and the others
// where a group begins.
func (r *reading) names(cells []string) bool {
	header := r.records[r.header].Fields
	if len(cells) != len(header) || strings.TrimSpace(cells[0]) != "" || strings.TrimSpace(header[0]) == "" || !names(cells) {
		return false
	}
	below := false
	for i, c := range cells {
		if strings.TrimSpace(c) == "" {
			continue
		}
		under := strings.TrimSpace(header[i]) == ""
		if !under && (i+1 == len(header) || strings.TrimSpace(header[i+1]) != "") {
			return false
		}
		below = below || under
	}
	return below
}

func sameName(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// joinHeader makes one name of each column's cells, saying nothing twice.
func joinHeader(rows [][]string) []string {
	rows = spread(rows)
	var out []string
	for i := range rows[0] {
		var parts []string
		for _, row := range rows {
			if i >= len(row) {
				continue
			}
			if part := strings.TrimSpace(row[i]); part != "" && (len(parts) == 0 || !sameName(parts[len(parts)-1], part)) {
				parts = append(parts, part)
			}
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// spread writes the title of a group over each of its columns: a blank cell above a filled
// one takes what stands to its left.
func spread(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	out[len(rows)-1] = rows[len(rows)-1]
	for i := len(rows) - 2; i >= 0; i-- {
		out[i] = slices.Clone(rows[i])
		for c := 1; c < min(len(out[i]), len(out[i+1])); c++ {
			if strings.TrimSpace(out[i][c]) == "" && strings.TrimSpace(out[i+1][c]) != "" {
				out[i][c] = out[i][c-1]
			}
		}
	}
	return out
}
