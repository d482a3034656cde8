package metric_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Names that look like the language of conditions.
var oddNames = []string{`in (a)`, `a = b`, `O'Neil & "Sons" \ Ltd`, `2026-01`, "`x` <> y", `client in ["a"]`, `AND`, `{client} {value:1} $1`, `100%`, "två\tö", `;--`}

func TestConditionsFindNamesAsTheyAre(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	var rows []string
	for _, n := range oddNames {
		rows = append(rows, warehouse.QuoteText(n))
	}
	put(t, w, map[string]string{"invoices": "SELECT unnest([" + strings.Join(rows, ", ") + "]) AS client_key, DATE '2026-04-15' AS invoice_date, 1.0 AS net_amount"})
	for _, n := range oddNames {
		for _, form := range []string{"client = %", "client in (%, %)", "not (client != %)", "client contains %", "client startsWith %"} {
			where := strings.ReplaceAll(form, "%", strconv.Quote(n))
			got := ask(t, c, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Where: where})
			if len(got) != 1 || got[0] != n+" | 1" {
				t.Errorf("%s: got %q", where, got)
			}
		}
	}
}

func TestConditionsReadWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	c := metric.New(nil, metric.Options{})
	good := map[string][]string{
		``:                                     nil,
		`client="X"`:                           {"client"},
		`client == 'X'`:                        {"client"},
		"client = `X`":                         {"client"},
		`client <> "X"`:                        {"client"},
		`month=2026-01`:                        {"month"},
		`day >= 2026-01-31 AND day<2026-02-10`: {"day"},
		`year = 2026`:                          {"year"},
		`industry IN ("Legal", "Retail") OR client = "X"`:                         {"industry", "client"},
		`industry not in ["Legal"]`:                                               {"industry"},
		`(client = "X" or (team = "Desk")) and not (month in (2026-01, 2026-02))`: {"client", "team", "month"},
		`client not contains "x" && !(staff startsWith "A") || vendor == "v"`:     {"client", "staff", "vendor"},
	}
	for text, want := range good {
		got, err := c.ParseWhere(text)
		if err != nil {
			t.Errorf("%s: %v %v", text, err, fault.FieldsOf(err))
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	bad := map[string]string{
		`client`:                       "not a condition",
		`client = `:                    "cannot be read",
		`client = "X`:                  "cannot be read",
		`"X" = client`:                 "must stand on the left",
		`clint = "X"`:                  `did you mean "client"`,
		`revenue > "5"`:                "not allowed",
		`revenue > 20%`:                "do not go together",
		`revenue > hours_worked`:       "labor_cost_rate",
		`revenue + 1`:                  "not a condition",
		`lag(revenue) > `:              "cannot be read",
		`profit > 5`:                   "not a dimension or measure",
		`segment = "Key"`:              "no segment",
		`segment = "A" or revenue > 1`: "join it by and",
		`client = staff`:               "not a value",
		`client = len("x")`:            "not a value",
		`client matches "^a"`:          "not an operator",
		`client + "a" = "b"`:           "must stand on the left",
		`client > "a"`:                 "works on dates",
		`month contains "2026"`:        "works on text",
		`month = "soon"`:               "is not a date",
		`day = 2026-02-30`:             "is not a date",
		`client in []`:                 "needs a list",
		`client in "X"`:                "needs a list",
		`client = "X" ; DROP TABLE x`:  "cannot be read",
		`true`:                         "not a condition",
		`any(client, # = "x")`:         "not a condition",
		`client = "X" ? true : false`:  "not a condition",
		strings.Repeat("(", 3000):      "cannot be read",
		`day > 0001-01-01`:             "years 1900 to 2200",
		`year in (2026, 9999)`:         "years 1900 to 2200",
		strings.Repeat("not (", 600) + `client = "X"` + strings.Repeat(")", 600):                "deep in each other",
		strings.Repeat("!", 3900) + `(client="X")`:                                              "",
		strings.Repeat(`year=2026||(year=2025&&(`, 60) + "year=2024" + strings.Repeat("))", 60): "deep in each other",
		strings.Repeat(`client = "X" or `, 500) + `client = "X"`:                                "longer than",
	}
	for text, want := range bad {
		_, err := c.ParseWhere(text)
		all := fault.Message(err)
		for _, f := range fault.FieldsOf(err) {
			all += " " + f.Message
		}
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(all, want) {
			t.Errorf("%.60s: got %s %.200q, want %q", text, fault.KindOf(err), all, want)
		}
	}
}

func TestManyConditionsSideBySideAreNotTooDeep(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{"invoices": "SELECT 'Acme' AS client_key, DATE '2026-04-15' AS invoice_date, 1.0 AS net_amount"})
	for _, where := range []string{
		strings.Repeat(`year=2025 or `, 300) + "year=2026",
		strings.Repeat(`year=2026 and `, 280) + "year=2026",
		strings.Repeat(`(year=2025 or `, 40) + "year=2026" + strings.Repeat(")", 40),
		strings.Repeat("not (", 48) + "year=2026" + strings.Repeat(")", 48),
	} {
		if got := ask(t, c, metric.Query{Measures: []string{"revenue"}, Where: where}); len(got) != 1 || got[0] != "1" {
			t.Errorf("%.40s…: got %q", where, got)
		}
	}
}

// Whatever is written, the answer is a list of dimensions or an Invalid fault.
func TestConditionsNeverPanic(t *testing.T) {
	t.Parallel()
	c := metric.New(nil, metric.Options{})
	pieces := []string{"client", "month", "=", "==", "<>", "!=", "in", "not", "(", ")", "[", "]", ",", `"a"`, `'`, "`", `"`, `\`, "2026-01", "2026", "and", "or", "contains", "{", "}", "#", "//", "/*", "?", ":", ".", "..", "|", "nil", "$env", "let x = 1;", " "}
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(pieces), rapid.String())).Draw(rt, "pieces"), rapid.SampledFrom([]string{"", " "}).Draw(rt, "between"))
		if _, err := c.ParseWhere(text); err != nil && fault.KindOf(err) != fault.Invalid {
			rt.Errorf("%q: %v", text, err)
		}
	})
}
