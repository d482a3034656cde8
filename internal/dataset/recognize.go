package dataset

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// This file says how well a column's values fit a field, and so how sure its name is.

// The steps of confidence (docs/import.md). Below sure a person should look.
const (
	confident    = 1    // the field's own name, or a person's word
	confidentBy  = 0.95 // a header known for the field
	confidentCut = 0.9  // the same without what stands in brackets
	sure         = 0.9
	unproven     = 0.85 // the most that a known header gets when there are no values
	perhaps      = 0.7  // a header that only may mean the field
	likely       = 0.6  // the least of a suggestion that fills a required field
	misfit       = 0.5  // below this share of fitting values they contradict the name
)

// sampledRows and sampledCells bound what of a file is looked at to tell its columns.
const (
	sampledRows  = 1000
	sampledCells = 200_000
)

// column is what the first rows of a column hold.
type column struct {
	rows, filled int
	values       []string // distinct, in the order of the file
	count        map[string]int
	known        map[string]int // by kind of name: rows whose value is one of the tenant's
	median       float64        // of plain numbers, 0 when there are none
}

// share is the part of the filled cells for which is holds.
func (c *column) share(is func(string) bool) float64 {
	n := 0
	for _, v := range c.values {
		if is(v) {
			n += c.count[v]
		}
	}
	return float64(n) / float64(max(c.filled, 1))
}

// look reads the first rows of the file and what of them the tenant knows. Files that the
// engine cannot read as they stand are told by their names only.
func (l *load) look(ctx context.Context) []column {
	width := len(l.t.Layout.Header)
	cells := make([]string, width)
	for i := range cells {
		cells[i] = fmt.Sprintf("c%d", i)
	}
	columns := make([]column, width)
	for i := range columns {
		columns[i].count, columns[i].known = map[string]int{}, map[string]int{}
	}
	rows := min(sampledRows, max(50, sampledCells/max(width, 1)))
	err := l.s.Each(ctx, fmt.Sprintf("SELECT %s FROM %s LIMIT %d", strings.Join(cells, ", "), l.csvSQL(), rows), func(row []any) error {
		for i := range columns {
			columns[i].take(text(row[i]))
		}
		return nil
	})
	if err != nil {
		return nil // the careful reader takes the file over; the names have to do
	}
	for i := range columns {
		columns[i].middle()
	}
	if err := l.recognizeNames(ctx, columns); err != nil {
		return nil
	}
	return columns
}

func (c *column) take(cell string) {
	c.rows++
	v := strings.Trim(cell, blanks)
	if len(v) <= 7 && slices.Contains(nullWords, strings.ToLower(v)) {
		return
	}
	c.filled++
	if c.count[v]++; c.count[v] == 1 {
		c.values = append(c.values, v)
	}
}

// middle finds the median of a column of plain numbers.
func (c *column) middle() {
	var all []float64
	for _, v := range c.values {
		var f float64
		if n, err := fmt.Sscanf(v, "%g", &f); n == 1 && err == nil && kindOf(v) == number {
			for range c.count[v] {
				all = append(all, f)
			}
		}
	}
	if slices.Sort(all); len(all) > 0 {
		c.median = all[len(all)/2]
	}
}

// recognizeNames counts, for columns of words, the rows whose value is a known client,
// member of staff or product.
func (l *load) recognizeNames(ctx context.Context, columns []column) error {
	var list []string
	for i, c := range columns {
		if c.share(func(v string) bool { k := kindOf(v); return k == word || k == other }) < misfit {
			continue
		}
		for n, v := range c.values {
			if n == 100 || len(list) > 20_000 {
				break
			}
			if len(v) <= 200 {
				list = append(list, fmt.Sprintf("(%d, %s, %d)", i, q(v), c.count[v]))
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	names := fmt.Sprintf(`SELECT 'client' AS kind, client_key AS name FROM now.clients WHERE client_key IS NOT NULL UNION SELECT 'client', key FROM now.aliases WHERE kind = 'client'
 UNION SELECT 'staff', name FROM now.people WHERE kind = 'staff' UNION SELECT 'staff', email FROM now.people WHERE kind = 'staff' UNION SELECT 'product', product_name FROM (%s)`, storedProducts())
	return l.s.Each(ctx, fmt.Sprintf(`WITH cells(c, v, n) AS (VALUES %s), known AS (SELECT DISTINCT kind, %s AS name FROM (%s))
SELECT c, kind, sum(n)::BIGINT FROM cells JOIN known ON known.name = %s WHERE name <> '' GROUP BY c, kind`, strings.Join(list, ", "), normalName("name"), names, normalName("v")), func(row []any) error {
		i, _ := row[0].(int32)
		n, _ := row[2].(int64)
		columns[i].known[text(row[1])] = int(n)
		return nil
	})
}

var (
	clockForm    = regexp.MustCompile(`^\d{1,5}:\d{2}(:\d{2}(\.\d+)?)?$`)
	spanForm     = regexp.MustCompile(`(?i)^(\d+([.,]\d+)?\s*(h|hrs?|hours?|std)\.?)?\s*(\d+([.,]\d+)?\s*(m|min|mins|minutes?)\.?)?\s*(\d+\s*s(ec)?)?$`)
	currencyForm = regexp.MustCompile(`^(?:[A-Za-z]{3}|[$€£¥₹]|[A-Z]{1,2}\$)$`)
	serialForm   = regexp.MustCompile(`^[2-7]\d{4}(\.\d+)?$`)
	numberText   = regexp.MustCompile(`^(?:` + numberShape + `)$`)
	hashForm     = regexp.MustCompile(`^[0-9A-Fa-f]{32,}$`)
)

func isDay(v string) bool    { return kindOf(v) == moment && !clockForm.MatchString(v) }
func isNumber(v string) bool { return numberText.MatchString(v) }
func isHours(v string) bool {
	return isNumber(v) || clockForm.MatchString(v) || v != "" && spanForm.MatchString(v)
}
func isBool(v string) bool {
	v = strings.ToLower(v)
	return slices.Contains(yesWords, v) || slices.Contains(noWords, v)
}
func isMail(v string) bool  { return strings.Contains(v, "@") || hashForm.MatchString(v) }
func isWords(v string) bool { return !isDay(v) && !isNumber(v) }

// fits is the share of a column's values that can be what the field wants, and what they
// are called; false when the field takes any text.
func (c *column) fits(f Field, serials bool) (share float64, what string, ok bool) {
	switch f.Kind {
	case Date, Timestamp:
		return c.share(func(v string) bool { return isDay(v) || serials && serialForm.MatchString(v) }), "dates", true
	case Money, Price, Share, Integer:
		return c.share(isNumber), "numbers", true
	case Hours:
		return c.share(isHours), "numbers of hours", true
	case Boolean:
		return c.share(isBool), "yes or no", true
	}
	switch name := f.Name; {
	case strings.HasSuffix(name, "_email"):
		return c.share(isMail), "e-mail addresses", true
	case name == "currency" || name == "from_currency" || name == "to_currency":
		return c.share(func(v string) bool { return currencyForm.MatchString(v) }), "currencies", true
	case entityOf(name) != "" && entityOf(name) != KindProduct || name == "contact_name" || name == "user_name":
		return c.share(isWords), "names", true
	case f.Kind == ID || f.Private || name == "country" || name == "name":
		return 0, "", false
	}
	return 1 - c.share(isDay), "words", true
}

// entityOf is the kind of name that a field holds, "" when none.
func entityOf(field string) string {
	switch field {
	case "client_name", "parent_client":
		return KindClient
	case "staff_name", "account_manager":
		return KindStaff
	case "product_name":
		return KindProduct
	}
	return ""
}

var knownAs = map[string]string{KindClient: "known clients", KindStaff: "known members of staff", KindProduct: "known products"}

// judge says how sure a name of that confidence is, given the column's values, and why.
// A column that contradicts is below misfit. Where the name says date, a spreadsheet's day
// number is one in any file.
func (c *column) judge(f Field, unit int64, id bool, name float64) (confidence float64, evidence []string) {
	if c == nil || c.filled == 0 {
		if name < confident {
			name = min(name, unproven)
		}
		return name, []string{"there are no values to compare"}
	}
	share, what, ok := c.fits(f, true)
	if ok {
		evidence = append(evidence, fmt.Sprintf("%s of the values are %s", percent(share), what))
		switch {
		case share < misfit:
			return min(name, 0.1+0.6*share), evidence
		case share < sure:
			name = min(name, 0.89) * share
		}
	}
	if strings.HasPrefix(f.Name, "hours_") && unit <= 1 && c.median > 24 {
		evidence = append(evidence, fmt.Sprintf("half of the values are over 24: their middle is %g", c.median))
		name = min(name, 0.45)
	}
	if different := len(c.values); id && c.filled >= 10 && 2*different < c.filled {
		evidence = append(evidence, fmt.Sprintf("only %d of %d values differ", different, c.filled))
		name = min(name, likely)
	}
	if kind := entityOf(f.Name); kind != "" && c.known[kind] > 0 {
		evidence = append(evidence, fmt.Sprintf("%d of %d values are %s", c.known[kind], c.filled, knownAs[kind]))
		if part := c.knownShare(kind); name >= sure && name < confident {
			name += (0.99 - name) * part
		} else if name >= misfit && name < sure {
			name += (0.89 - name) * part
		}
	}
	return math.Round(100*name) / 100, evidence
}

func (c *column) knownShare(kind string) float64 {
	return min(1, float64(c.known[kind])/float64(max(c.filled, 1)))
}

func percent(share float64) string {
	switch n := math.Floor(100 * share); {
	case share >= 1:
		return "all"
	case share <= 0:
		return "none"
	default:
		return fmt.Sprintf("%g %%", max(n, 1))
	}
}

// Alternative is a field that a column might also mean.
type Alternative struct {
	Field      string  `json:"field"`
	Confidence float64 `json:"confidence"`
}

// suggestions are the fields that a column may mean though no name says so: those with a
// like name, those whose names its values are, and dates for the one day that a row needs.
func suggestions(d Dataset, header string, c *column, serials bool) (out []Alternative, why map[string]string) {
	why = map[string]string{}
	add := func(field string, confidence float64, reason string) {
		confidence = math.Round(100*confidence) / 100
		for i, a := range out {
			if a.Field == field {
				out[i].Confidence = math.Round(100*min(0.89, max(a.Confidence, confidence)+0.1)) / 100
				why[field] += "; " + reason
				return
			}
		}
		out = append(out, Alternative{field, confidence})
		why[field] = reason
	}
	for _, f := range d.Fields {
		if kind := entityOf(f.Name); kind != "" && c != nil && c.filled > 0 && c.knownShare(kind) >= misfit {
			add(f.Name, 0.4+0.45*c.knownShare(kind), fmt.Sprintf("%d of %d values are %s", c.known[kind], c.filled, knownAs[kind]))
		}
		alike, name := 0.0, ""
		for _, a := range append([]string{f.Name}, f.Aliases...) {
			if strings.HasPrefix(a, "!") {
				continue
			}
			if s := tokenSimilarity(header, a); s > alike {
				alike, name = s, strings.TrimLeft(a, "+? ")
			}
		}
		if alike < 0.6 {
			continue
		}
		confidence := 0.75 * alike
		if c != nil && c.filled > 0 {
			if share, _, ok := c.fits(f, serials); ok && share < sure {
				continue
			}
			confidence += 0.1 * alike
		}
		add(f.Name, confidence, fmt.Sprintf("the header is like %q", name))
	}
	slices.SortStableFunc(out, func(a, b Alternative) int {
		switch {
		case a.Confidence > b.Confidence:
			return -1
		case a.Confidence < b.Confidence:
			return 1
		}
		return 0
	})
	return out, why
}

// tokenSimilarity is the Jaccard index of the words of two headers, from 0 to 1.
func tokenSimilarity(a, b string) float64 {
	x, y := headerWords(a), headerWords(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	both := 0
	for w := range x {
		if y[w] {
			both++
		}
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

var camelHump = regexp.MustCompile(`(\p{Ll}|\d)(\p{Lu})`)

func headerWords(header string) map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(camelHump.ReplaceAllString(header, "$1 $2")), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(w) > 3 {
			w = strings.TrimSuffix(w, "s")
		}
		if w != "of" && w != "the" {
			words[w] = true
		}
	}
	return words
}
