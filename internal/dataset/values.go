package dataset

import (
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// This file holds the SQL that reads cells. Every function takes a SQL expression of a
// cell's text and returns one of its value, null when the text is no such value. Regular
// expressions are RE2. Texts put into SQL here are our own constants, quoted.

var q = warehouse.QuoteText

// sampleSize is how many records a finding names.
const sampleSize = 5

// blanks are the characters trimmed from both ends: space, tab, line breaks, no-break
// spaces, byte order mark.
const blanks = " \t\r\n\u00a0\u202f\u2007\ufeff"

// nullWords are texts that mean "nothing"; 0 is not one of them.
var nullWords = []string{"", "-", "--", "—", "–", "n/a", "na", "null", "none", "nil", "nan", "(blank)", "(none)", "#n/a"}

func textList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = q(w)
	}
	return strings.Join(quoted, ", ")
}

// oneOf is the condition that v is one of the words. A long IN list would become a join.
func oneOf(v string, words []string) string {
	return "list_contains([" + textList(words) + "], " + v + ")"
}

// trimmed is a cell's text without blanks around it, null when it means nothing. In a
// tidy file no cell has blanks around it.
func trimmed(cell string, tidy bool) string {
	t := cell
	if !tidy {
		t = "trim(" + cell + ", " + q(blanks) + ")"
	}
	return fmt.Sprintf("CASE WHEN strlen(%[1]s) <= 7 AND %[2]s THEN NULL ELSE %[1]s END", t, oneOf("lower("+t+")", nullWords))
}

// Yes/no words. Words of several lists of real exporters; an unknown word is a finding.
var (
	yesWords = []string{"true", "t", "yes", "y", "1", "1.0", "x", "✓", "✔", "☑", "checked", "on", "enabled", "active", "billable", "b", "bill", "chargeable", "ja", "oui", "sí", "si", "wahr", "vrai"}
	noWords  = []string{"false", "f", "no", "n", "0", "0.0", "✗", "✘", "☐", "unchecked", "off", "disabled", "inactive", "non-billable", "nonbillable", "non billable", "not billable", "nb", "nc", "do not bill", "donotbill", "no charge", "nocharge", "non-chargeable", "not chargeable", "nein", "non", "falsch", "faux"}
)

// boolValue reads a yes/no word.
func boolValue(v string, invert bool) string {
	yes, no := "true", "false"
	if invert {
		yes, no = no, yes
	}
	low := "lower(" + v + ")"
	// The usual words first: looking through the lists costs as much as reading the file.
	return fmt.Sprintf("CASE %[1]s WHEN 'true' THEN %[2]s WHEN 'false' THEN %[3]s ELSE CASE WHEN %[4]s THEN %[2]s WHEN %[5]s THEN %[3]s END END", low, yes, no, oneOf(low, yesWords), oneOf(low, noWords))
}

// Marks that separate thousands besides dot and comma.
const groupMarks = `[ '’\x{A0}\x{202F}\x{2009}]`

const (
	currencyMark = `(?:US\$|CA\$|AU\$|NZ\$|[AC]\$|R\$|[$€£¥₹₩₽₺]|(?i:USD|EUR|GBP|CAD|AUD|NZD|CHF|SEK|NOK|DKK|PLN|CZK|HUF|JPY|CNY|INR|ZAR|BRL|MXN|SGD|HKD|ILS|TRY|AED|RON|kr|zł|Rs|Fr)\.?)`
	minus        = `[-−–]`
	sign         = `[-−–+]`
	numberShape  = `\(?\s*(?:` + sign + `?\s*` + currencyMark + `?|` + currencyMark + `\s*` + sign + `)\s*(?:\d[\d.,'’ \x{A0}\x{202F}\x{2009}]*|[.,]\d+)\s*` + currencyMark + `?\s*%?\s*` + minus + `?\s*(?i:cr|dr)?\s*\)?`
	bodyShape    = `(\d[\d.,'’ \x{A0}\x{202F}\x{2009}]*|[.,]\d+)`
	negative     = `^\(.*\)$|^\s*` + currencyMark + `?\s*` + minus + `|` + minus + `\s*(?i:cr|dr)?$|(?i:\d\s*cr\)?)$`
)

// numberBody is the digits and marks of a number, without sign, currency and blanks;
// null when the text is no number. Blanks and apostrophes must separate thousands.
func numberBody(v string) string {
	body := fmt.Sprintf("trim(regexp_extract(%s, %s, 1), %s)", v, q(bodyShape), q(blanks))
	return fmt.Sprintf("CASE WHEN NOT regexp_full_match(%s, %s) THEN NULL WHEN NOT regexp_matches(%s, %s) THEN %s WHEN regexp_full_match(%s, %s) THEN regexp_replace(%s, %s, '', 'g') END",
		v, q(numberShape), body, q(groupMarks), body, body, q(`\d{1,3}(`+groupMarks+`\d{3})+([.,]\d*)?`), body, q(groupMarks))
}

// numberValue reads a number whose decimal mark is known, as type t.
func numberValue(v, mark string, t warehouse.Type) string {
	body := numberBody(v)
	plain := fmt.Sprintf("CASE WHEN regexp_full_match(%s, %s) THEN replace(%s, ',', '') END", body, q(`\d+(\.\d*)?|\.\d+|\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?`), body)
	if mark == "," {
		plain = fmt.Sprintf("CASE WHEN regexp_full_match(%s, %s) THEN replace(replace(%s, '.', ''), ',', '.') END", body, q(`\d+(,\d*)?|,\d+|\d{1,3}(\.\d{2,3})*\.\d{3}(,\d*)?`), body)
	}
	return fmt.Sprintf("CASE WHEN regexp_matches(%s, %s) THEN -1 ELSE 1 END * TRY_CAST(%s AS %s)", v, q(negative), plain, t)
}

// shareValue reads a fraction: "45%" is 0.45; plain numbers are fractions unless percent.
func shareValue(v, mark string, percent bool) string {
	n := numberValue(v, mark, "DECIMAL(18,8)")
	hundredth := "contains(" + v + ", '%')"
	if percent {
		hundredth = "true"
	}
	return fmt.Sprintf("TRY_CAST(CASE WHEN %s THEN (%s) / 100 ELSE (%s) END AS DECIMAL(9,6))", hundredth, n, n)
}

const (
	clockShape = `^(-?)(\d{1,4}):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?$`
	wordsShape = `^(?i:(?:(\d+(?:[.,]\d+)?)\s*(?:h|hrs?|hours?|std))?\s*(?:(\d+(?:[.,]\d+)?)\s*(?:m|mins?|minutes?))?\s*(?:(\d+)\s*(?:s|secs?|seconds?))?)$`
	isoShape   = `^P(?:\d+D)?T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+)(?:\.\d+)?S)?$`
)

// hoursValue reads hours: decimal (divided by unit: 60 for a column of minutes), h:mm,
// h:mm:ss, "1h 30m", "90m", PT1H30M.
func hoursValue(v, mark string, unit int64) string {
	part := func(shape string, group int) string {
		return fmt.Sprintf("coalesce(TRY_CAST(replace(regexp_extract(%s, %s, %d), ',', '.') AS DOUBLE), 0)", v, q(shape), group)
	}
	sum := func(shape string, first int) string {
		return fmt.Sprintf("(%s * 3600 + %s * 60 + %s) / 3600", part(shape, first), part(shape, first+1), part(shape, first+2))
	}
	n := numberValue(v, mark, "DECIMAL(18,6)")
	if unit > 1 {
		n = fmt.Sprintf("(%s) / %d", n, unit)
	}
	return fmt.Sprintf(`TRY_CAST(CASE WHEN regexp_matches(%[1]s, %[2]s) THEN CASE WHEN starts_with(%[1]s, '-') THEN -1 ELSE 1 END * %[3]s
 WHEN regexp_matches(%[1]s, '\d.*[A-Za-z]$') AND regexp_matches(%[1]s, %[4]s) THEN %[5]s
 WHEN regexp_matches(%[1]s, '^P.*\d') AND regexp_matches(%[1]s, %[6]s) THEN %[7]s
 ELSE %[8]s END AS DECIMAL(9,4))`, v, q(clockShape), sum(clockShape, 2), q(wordsShape), sum(wordsShape, 1), q(isoShape), sum(isoShape, 1), n)
}

const (
	timeTail  = `(?:[T ,]+\d{1,2}:\d{2}.*)?`
	yearFirst = `^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})` + timeTail + `$`
	packed    = `^((?:19|20)\d{2})(\d{2})(\d{2})$`
	yearLast  = `^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})` + timeTail + `$`
	dayMonth  = `^(?:[A-Za-z]{3,9}\.?,?\s+)?(\d{1,2})(?:st|nd|rd|th)?[-\s/.]+([A-Za-z]{3,9})\.?,?[-\s/.]+(\d{4}|\d{2})` + timeTail + `$`
	monthDay  = `^(?:[A-Za-z]{3,9}\.?,\s+)?([A-Za-z]{3,9})\.?[-\s]+(\d{1,2})(?:st|nd|rd|th)?,?[-\s]+(\d{4}|\d{2})` + timeTail + `$`
	serial    = `^[2-7]\d{4}(\.\d+)?$`
)

var months = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// dateValue reads a date; order ("dmy", "mdy", "ymd") decides numeric dates whose year is
// not first. Two-digit years below 70 are of this century. Numbers of 20000 to 79999 are
// days of a workbook's calendar. Dates outside 1900 to 2199 are none.
func dateValue(v, order string, date1904 bool) string {
	group := func(shape string, n int) string { return fmt.Sprintf("regexp_extract(%s, %s, %d)", v, q(shape), n) }
	year := func(y string) string {
		return fmt.Sprintf("CASE WHEN length(%[1]s) = 4 THEN %[1]s WHEN %[1]s < '70' THEN '20' || %[1]s ELSE '19' || %[1]s END", y)
	}
	date := func(y, m, d string) string {
		return fmt.Sprintf("TRY_CAST((%s) || '-' || (%s) || '-' || (%s) AS DATE)", y, m, d)
	}
	named := func(month string) string {
		return fmt.Sprintf("list_position([%s], lower(substr(%s, 1, 3)))", textList(months), month)
	}
	numeric := "NULL::DATE"
	switch order {
	case "dmy":
		numeric = date(year(group(yearLast, 3)), group(yearLast, 2), group(yearLast, 1))
	case "mdy":
		numeric = date(year(group(yearLast, 3)), group(yearLast, 1), group(yearLast, 2))
	case "ymd":
		numeric = fmt.Sprintf("CASE WHEN length(%s) = 2 THEN %s END", group(yearLast, 3), date(year(group(yearLast, 1)), group(yearLast, 2), group(yearLast, 3)))
	default: // only dates that are the same in both readings come here
		numeric = fmt.Sprintf("CASE WHEN TRY_CAST(%s AS INTEGER) = TRY_CAST(%s AS INTEGER) THEN %s END", group(yearLast, 1), group(yearLast, 2), date(year(group(yearLast, 3)), group(yearLast, 2), group(yearLast, 1)))
	}
	epoch := "1899-12-30"
	if date1904 {
		epoch = "1904-01-01"
	}
	value := fmt.Sprintf(`CASE WHEN regexp_matches(%[1]s, %[2]s) THEN %[3]s WHEN regexp_matches(%[1]s, %[4]s) THEN %[5]s
 WHEN regexp_matches(%[1]s, %[6]s) THEN %[7]s WHEN regexp_matches(%[1]s, %[8]s) THEN %[9]s WHEN regexp_matches(%[1]s, %[10]s) THEN %[11]s
 WHEN regexp_matches(%[1]s, %[12]s) THEN DATE %[13]s + TRY_CAST(regexp_extract(%[1]s, '^\d+') AS INTEGER) END`,
		v, q(yearFirst), date(group(yearFirst, 1), group(yearFirst, 2), group(yearFirst, 3)), q(packed), date(group(packed, 1), group(packed, 2), group(packed, 3)),
		q(yearLast), numeric, q(dayMonth), date(year(group(dayMonth, 3)), named(group(dayMonth, 2)), group(dayMonth, 1)),
		q(monthDay), date(year(group(monthDay, 3)), named(group(monthDay, 1)), group(monthDay, 2)), q(serial), q(epoch))
	return inRange(value)
}

// inRange is the date when it lies in 1900 to 2199, else null.
func inRange(date string) string {
	return fmt.Sprintf("CASE WHEN (%[1]s) BETWEEN DATE '1900-01-01' AND DATE '2199-12-31' THEN (%[1]s) END", date)
}

// timestampValue reads an instant in UTC: ISO 8601 with or without an offset, or a date
// as in dateValue followed by a time of day with or without AM and PM.
func timestampValue(v, order string, date1904 bool) string {
	clock := fmt.Sprintf(`regexp_extract(%s, '(\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?\s*(?i:[ap]\.?m\.?)?)\s*$', 1)`, v)
	return fmt.Sprintf(`coalesce(CASE WHEN regexp_matches(%[1]s, '^\d{4}-\d{2}-\d{2}[T ]') THEN TRY_CAST(TRY_CAST(%[1]s AS TIMESTAMPTZ) AS TIMESTAMP) END,
 (%[2]s) + coalesce(TRY_CAST(try_strptime(upper(replace(replace(%[3]s, ' ', ''), '.', '')), ['%%I:%%M:%%S%%p', '%%I:%%M%%p', '%%H:%%M:%%S', '%%H:%%M']) AS TIME), TIME '00:00'))`, v, dateValue(v, order, date1904), clock)
}
