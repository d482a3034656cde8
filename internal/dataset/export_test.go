package dataset

import (
	"encoding/csv"
	"strings"
)

// Recognized says what the columns of a text are taken for in a dataset, without a tenant.
func Recognized(dataset, text string) []ColumnUse {
	d, _ := Find(dataset)
	headers, columns := parsed(text)
	l := &load{d: d, t: &table{}, columnsSeen: columns}
	l.t.Layout.Header = headers
	bound, err := bindColumns(d, headers, Mapping{}, columns, false)
	if err != nil {
		panic(err)
	}
	if err := l.bind(bound); err != nil {
		panic(err)
	}
	return l.columns()
}

func parsed(text string) ([]string, []column) {
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil {
		panic(err)
	}
	columns := make([]column, len(rows[0]))
	for i := range columns {
		columns[i].count, columns[i].known = map[string]int{}, map[string]int{}
		for _, r := range rows[1:] {
			columns[i].take(r[i])
		}
		columns[i].middle()
	}
	return rows[0], columns
}

// Guessed is the dataset that a text is taken for, "" when that is asked.
func Guessed(text string) string {
	headers, _ := parsed(text)
	d, err := guess("export.csv", nil, headers, Mapping{})
	if err != nil {
		return ""
	}
	return d.Name
}
