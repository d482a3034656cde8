package dataset

import (
	"regexp"
	"strings"
	"unicode"
)

// This file tells what the text of a cell, and of a column of cells, looks like.

// kind is what the text of a cell looks like.
type kind int

const (
	nothing kind = iota
	number
	moment // a date, a time or both
	word
	other
	kinds
)

var (
	numberForm = regexp.MustCompile(`^[-+(]?\s*(?:[A-Z]{3}\s|[$€£¥])?\s*[-+]?(?:\d[\d.,'\x{a0}\x{202f} ]*|[.,]\d+)(?:[eE][-+]?\d+)?\s*(?:[%€$£)-]|CR|DR|[A-Z]{3})?\)?$`)
	momentForm = regexp.MustCompile(`(?i)^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[-/. ](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-/. ,]+\d{2,4}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2},? \d{2,4})(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?(?: ?(?:Z|UTC|[-+]\d{2}:?\d{2}))?)?$|^\d{1,3}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?$`)
	dottedDay  = regexp.MustCompile(`^(?:\d{1,2}\.\d{1,2}\.(?:\d{2}|\d{4})|\d{4}\.\d{1,2}\.\d{1,2})$`) // no number: thousands have three digits
	linkForm   = regexp.MustCompile(`^(?:[a-zA-Z][a-zA-Z0-9+.-]*://\S+|[^\s@,;|]+@[^\s@,;|]+\.[^\s@,;|]+)$`)
)

// kindOf tells what a cell looks like.
func kindOf(cell string) kind {
	cell = strings.TrimSpace(cell)
	switch {
	case cell == "":
		return nothing
	case len(cell) > 64, !strings.ContainsAny(cell, "0123456789@/"):
		return word
	case numberForm.MatchString(cell) && !dottedDay.MatchString(cell):
		return number
	case momentForm.MatchString(cell):
		return moment
	case linkForm.MatchString(cell):
		return other
	}
	return word
}

// credibility says how much a text looks like one cell, from 0 to 1: text that holds what
// delimits cells elsewhere looks like several.
func credibility(cell string) float64 {
	switch kindOf(cell) {
	case nothing:
		return 0.8
	case number, moment, other:
		return 1
	}
	marks, letters := 0, 0
	if t := strings.TrimSpace(cell); len(t) > 1 && t[0] == t[len(t)-1] && (t[0] == quote || t[0] == '\'') {
		marks = 3 // still in its quotes
	}
	for _, c := range cell {
		switch {
		case c == '\t' || c == ';' || c == '|' || c == 0x1f || c == '^' || c == '~' || c == '#':
			marks += 2
		case c == ',' || c == '"':
			marks++
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			letters++
		}
	}
	if letters == 0 {
		return 0.3
	}
	return max(0.1, 0.95-0.15*float64(marks))
}

func filled(cells []string) int {
	n := 0
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			n++
		}
	}
	return n
}

// names reports whether every cell is blank or a word.
func names(cells []string) bool {
	for _, c := range cells {
		if k := kindOf(c); k != nothing && k != word {
			return false
		}
	}
	return !blank(cells)
}

// profile counts what the cells of a column look like.
type profile [kinds]int

// fit says how usual a kind is in a column.
func (p profile) fit(k kind) float64 {
	n := 1
	for _, x := range p {
		n += x
	}
	return float64(p[k]) / float64(n)
}

// typical returns the kind that nearly all filled cells of the column have.
func (p profile) typical() (kind, bool) {
	n := 0
	for k := number; k < kinds; k++ {
		n += p[k]
	}
	for k := number; k < kinds; k++ {
		if n > 0 && float64(p[k]) >= typicalShare*float64(n) {
			return k, true
		}
	}
	return nothing, false
}

func profiles(body []record, width int) []profile {
	out := make([]profile, width)
	for _, rec := range body {
		if len(rec.Fields) != width || rec.Flaw != sound {
			continue
		}
		for i, c := range rec.Fields {
			out[i][kindOf(c)]++
		}
	}
	return out
}

func rightTrim(cells []string) []string {
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	return cells
}
