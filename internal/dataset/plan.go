package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// input is one field of the dataset that the file or the mapping fills, and how its cells
// are read: straight by a cast when every cell allows it, otherwise through a table of
// the column's distinct texts.
type input struct {
	field   Field
	header  string // as the file has it, for messages
	text    string // SQL over the raw relation: the trimmed cell, null when it means nothing
	cell    string // SQL over the raw relation: the cell as it is
	value   string // SQL over the raw relation joined with lookups: the value
	lookup  string // name of the table of distinct texts; "" when cast straight
	bind    binding
	filled  int64 // rows with a text
	known   bool  // filled was counted
	invalid int64 // rows whose text is no such value
	marks   bool  // the currency, told by the marks beside amounts
}

// load is the import of one table: the state that its steps share.
type load struct {
	d        Dataset
	t        *table
	m        Mapping
	s        *warehouse.Session
	today    quantity.Day
	source   string // source system
	salt     string
	importID int64
	// suppressed are the hashes of people who were erased; erasedSeen says that the file brings one.
	suppressed []string
	erasedSeen bool

	inputs   map[string]*input
	order    []string // names of inputs in the dataset's order
	unknown  []int    // columns no field takes
	rows     int64
	rawTable bool // the raw rows are in a table with record numbers
	named    bool // the names of people are known from the evidence
	numbered bool // staged rows have a column with their record number
	marks    map[string]string
	dates    map[string]string
	findings []Finding
	temps    []string // TEMP objects to drop, newest last
	rejected bool     // the rejects table exists
	mode     keyMode
	dropped  int64 // records that repeat another one and are not stored again
	found    resolved
	skips    []string // conditions of raw rows that a correction leaves out
	tail     string   // condition that leaves out staged rows
	before   []int64  // earlier imports of the very same file

	ours bool // it is a rejects file or an export

	told        Mapping       // what a person said, now or in a saved mapping, without what was found out
	saved       *SavedMapping // the mapping that was recognized, nil when none was
	columnsSeen []column      // nil when the file's start could not be read
	noticed     []Finding     // by the recognition of columns
}

// name returns the name of a temporary object of this load.
func (l *load) name(what string) string { return fmt.Sprintf("ds%d_%s", l.importID, what) }

// made reports whether the load has made a table of its own of that name.
func (l *load) made(what string) bool { return slices.Contains(l.temps, "TABLE "+l.name(what)) }

// create makes a TEMP table or view that finish drops. Temporary tables stay in memory,
// and spill to the engine's own folder, which is three times as fast as a table on disk.
func (l *load) create(ctx context.Context, kind, what, as string) (string, error) {
	name := l.name(what)
	if err := l.s.Exec(ctx, "CREATE OR REPLACE TEMP "+kind+" "+name+" "+as); err != nil {
		return name, err
	}
	l.temps = append(l.temps, kind+" "+name)
	return name, nil
}

// finish drops what the load made: the session's connection is used again.
func (l *load) finish() {
	ctx := context.Background()
	for _, t := range slices.Backward(l.temps) {
		// A failed drop leaves a temporary table behind; its name is never used again.
		_ = l.s.Exec(ctx, "DROP "+strings.Replace(t, " ", " IF EXISTS ", 1))
	}
}

// csvSQL is the file as a relation with the columns c0, c1, …, after _record and _line
// when the file is a clean copy.
func (l *load) csvSQL() string {
	var columns []string
	delim, skip := string(l.t.Layout.Delim), l.t.Layout.BodyLine-1
	if l.t.Clean {
		delim, skip = ",", 0
		columns = append(columns, "'_record': 'BIGINT'", "'_line': 'BIGINT'")
	}
	for i := range l.t.Layout.Header {
		columns = append(columns, fmt.Sprintf("'c%d': 'VARCHAR'", i))
	}
	return readCSV(l.t.Path, delim, skip, l.t.MaxLine, columns)
}

func readCSV(path, delim string, skip, maxLine int64, columns []string) string {
	sizes := ""
	if maxLine > 1<<20 {
		sizes = fmt.Sprintf(", max_line_size = %d, buffer_size = %d", maxLine+1024, 2*maxLine+4096)
	}
	return fmt.Sprintf(`read_csv(%s, delim = %s, quote = '"', escape = '"', header = false, skip = %d, auto_detect = false, strict_mode = true, null_padding = false%s, columns = {%s})`,
		q(path), q(delim), skip, sizes, strings.Join(columns, ", "))
}

// raw is the relation of raw rows. Before ensureRaw it is the file itself, without record
// numbers.
func (l *load) raw() string {
	if l.rawTable {
		if l.t.Clean {
			return l.name("raw")
		}
		return fmt.Sprintf("(SELECT rowid + 1 AS _record, rowid + %d AS _line, * FROM %s)", l.t.Layout.BodyLine, l.name("raw"))
	}
	return l.csvSQL()
}

// ensureRaw puts the raw rows into a table, so that they have record numbers.
func (l *load) ensureRaw(ctx context.Context) error {
	if l.rawTable {
		return nil
	}
	if _, err := l.create(ctx, "TABLE", "raw", "AS SELECT * FROM "+l.csvSQL()); err != nil {
		return err
	}
	l.rawTable = true
	if err := l.takeQuotesOff(ctx); err != nil {
		return err
	}
	return l.correct(ctx)
}

// bind makes the inputs of what the file's headers and the mapping's constants say.
func (l *load) bind(bound map[string]binding) error {
	l.inputs = map[string]*input{}
	used := map[int]bool{}
	for _, f := range l.d.Fields {
		b, ok := bound[f.Name]
		constant, isConstant := l.m.Constants[f.Name]
		switch {
		case isConstant:
			l.inputs[f.Name] = &input{field: f, header: f.Name, cell: q(constant), text: trimmed(q(constant), false)}
		case ok:
			in := &input{field: f, bind: b, header: strings.TrimSpace(l.t.Layout.Header[b.Columns[0]])}
			if isClock(f) { // of a day and a time, the time is its own
				in.header = strings.TrimSpace(l.t.Layout.Header[b.Columns[len(b.Columns)-1]])
			}
			if in.cell = fmt.Sprintf("c%d", b.Columns[0]); len(b.Columns) > 1 {
				var cells []string
				for _, c := range b.Columns {
					cells = append(cells, trimmed(fmt.Sprintf("c%d", c), l.t.Layout.Tidy))
				}
				in.cell = "nullif(concat_ws(' ', " + strings.Join(cells, ", ") + "), '')"
			}
			for _, c := range b.Columns {
				used[c] = true
			}
			for column, unit := range l.m.Units {
				if f.Kind == Hours && columnOf(l.t.Layout.Header, column) == b.Columns[0] {
					in.bind.Unit = units[unit]
				}
			}
			in.text = trimmed(in.cell, l.t.Layout.Tidy)
			l.inputs[f.Name] = in
		default:
			continue
		}
		l.order = append(l.order, f.Name)
	}
	for i, h := range l.t.Layout.Header {
		if v, mapped := l.m.Columns[strings.TrimSpace(h)]; used[i] || mapped && v == "" {
			continue
		}
		l.unknown = append(l.unknown, i)
	}
	return nil
}

func isDecimal(k Kind) bool { return k == Money || k == Price || k == Hours }

// fastCheck is the condition under which a cell may be cast straight, "" when the kind
// always takes the careful way.
func (in *input) fastCheck(forcedMark string) string {
	switch k := in.field.Kind; {
	case isDecimal(k) && forcedMark != "," && in.bind.Unit <= 1:
		return fmt.Sprintf("TRY_CAST(%s AS %s) IS NOT NULL", in.cell, k.Type())
	case k == Date:
		return fmt.Sprintf("strlen(%[1]s) = 10 AND substr(%[1]s, 5, 1) = '-' AND TRY_CAST(%[1]s AS DATE) BETWEEN DATE '1900-01-01' AND DATE '2199-12-31'", in.cell)
	case k == Timestamp:
		return fmt.Sprintf("strlen(%[1]s) >= 16 AND substr(%[1]s, 5, 1) = '-' AND TRY_CAST(%[1]s AS TIMESTAMPTZ) BETWEEN TIMESTAMPTZ '1900-01-01' AND TIMESTAMPTZ '2199-12-31'", in.cell)
	case k == Boolean:
		return boolValue(in.cell, false) + " IS NOT NULL"
	}
	return ""
}

func (in *input) fastValue() string {
	switch in.field.Kind {
	case Boolean:
		return boolValue(in.cell, in.bind.Invert)
	case Timestamp:
		return fmt.Sprintf("CAST(CAST(%s AS TIMESTAMPTZ) AS TIMESTAMP)", in.cell)
	}
	return fmt.Sprintf("CAST(%s AS %s)", in.cell, in.field.Kind.Type())
}

// decide looks at every column once and chooses how each is read.
func (l *load) decide(ctx context.Context) error {
	if err := l.decideUnits(ctx); err != nil {
		return err
	}
	if err := l.evidence(ctx); err != nil {
		return err
	}
	l.marks, l.dates = map[string]string{}, map[string]string{}
	var slow []*input
	for _, name := range l.order {
		in := l.inputs[name]
		switch {
		case in.value != "":
		case in.bind.Columns == nil: // a constant
			if err := l.constant(ctx, in); err != nil {
				return err
			}
		case isText(in.field.Kind):
			in.value = in.text
		default:
			slow = append(slow, in)
		}
	}
	if len(slow) == 0 {
		return nil
	}
	if err := l.ensureRaw(ctx); err != nil {
		return err
	}
	for _, in := range slow {
		if err := l.distinct(ctx, in); err != nil {
			return err
		}
	}
	if err := l.currencyOfValues(ctx, slow); err != nil {
		return err
	}
	if err := l.decideMarks(ctx, slow); err != nil {
		return err
	}
	if err := l.decideDates(ctx, slow); err != nil {
		return err
	}
	for _, in := range slow {
		if err := l.parse(ctx, in); err != nil {
			return err
		}
		if err := l.dayNumbers(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// dayNumbers tells of dates that are a spreadsheet's count of days.
func (l *load) dayNumbers(ctx context.Context, in *input) error {
	if in.field.Kind != Date && in.field.Kind != Timestamp {
		return nil
	}
	return l.s.Each(ctx, fmt.Sprintf("SELECT sum(n)::BIGINT, arg_min(v, first), arg_min(p, first)::DATE::VARCHAR, min(first) FROM %s WHERE p IS NOT NULL AND regexp_matches(v, %s) HAVING count(*) > 0", in.lookup, q(serial)), func(row []any) error {
		l.add(Finding{Code: "day_numbers", Severity: Info, Column: in.header, Count: row[0].(int64), Records: []int64{row[3].(int64)},
			Message:    fmt.Sprintf("column %q: %s a spreadsheet's count of days, such as %s for %s", in.header, plural(row[0].(int64), "date is", "dates are"), text(row[1]), text(row[2])),
			Suggestion: "nothing when the dates of the preview are right; otherwise export dates as 2026-03-31"})
		return nil
	})
}

func isText(k Kind) bool { return k == Text || k == ID || k == JSON }

// evidence counts in one pass what decides the fast way for each column.
func (l *load) evidence(ctx context.Context) error {
	asked := []string{"count(*)"}
	type place struct {
		in                *input
		count, ok, groups int // indexes into asked
	}
	var places []place
	ask := func(expr string) int {
		asked = append(asked, fmt.Sprintf("%s AS e%d", expr, len(asked)))
		return len(asked) - 1
	}
	for _, name := range l.order {
		in := l.inputs[name]
		if in.bind.Columns == nil {
			continue
		}
		p := place{in: in, ok: -1, groups: -1}
		if isText(in.field.Kind) {
			if !in.field.Required && !slices.ContainsFunc(l.d.Fields, func(f Field) bool { return f.Required && slices.Contains(f.Instead, name) }) {
				continue
			}
			p.count = ask("count(" + in.text + ")")
		} else {
			p.count = ask("count(" + in.cell + ")")
			if check := in.fastCheck(l.m.Options.DecimalMark); check != "" {
				p.ok = ask("count(*) FILTER (" + check + ")")
				if isDecimal(in.field.Kind) {
					p.groups = ask("count(*) FILTER (" + dotOfThousands(in.cell) + ")")
				}
			}
		}
		places = append(places, p)
	}
	text := "SELECT " + strings.Join(asked, ", ")
	if cols := l.nameCells(); len(cols) > 0 && !l.rawTable {
		// The names of people in the same pass: it spares reading the file once more for them.
		if _, err := l.create(ctx, "TABLE", "names", "AS "+text+", list(DISTINCT {"+strings.Join(cols, ", ")+"}) AS names FROM "+l.raw()); err != nil {
			return err
		}
		l.named = true
		text = "SELECT * EXCLUDE (names) FROM " + l.name("names")
	} else {
		text += " FROM " + l.raw()
	}
	rows, err := l.s.Query(ctx, text)
	if err != nil {
		return err
	}
	n := func(i int) int64 { return rows.Rows[0][i].(int64) }
	l.rows = n(0)
	for _, p := range places {
		p.in.filled, p.in.known = n(p.count), true
		if p.ok < 0 || n(p.ok) != n(p.count) {
			continue
		}
		if p.groups >= 0 && n(p.groups) > 0 && l.m.Options.DecimalMark == "" {
			dots, err := l.s.Query(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE contains(%s, '.') AND NOT (%s)", l.raw(), p.in.cell, dotOfThousands(p.in.cell)))
			if err != nil {
				return err
			}
			if dots.Rows[0][0].(int64) == 0 {
				continue // every dot stands before three digits: it may separate thousands
			}
		}
		p.in.value = p.in.fastValue()
	}
	return nil
}

// dotOfThousands is true for a number whose dot may separate thousands.
func dotOfThousands(cell string) string {
	return fmt.Sprintf("substr(%[1]s, -4, 1) = '.' AND NOT starts_with(%[1]s, '0.')", cell)
}

// constant reads a constant of the mapping once.
func (l *load) constant(ctx context.Context, in *input) error {
	mark := l.m.Options.DecimalMark
	if mark == "" {
		mark = "."
	}
	order := l.m.Options.DateOrder
	if order == "" {
		order = "ymd"
	}
	v := l.valueSQL(in, "v", mark, order, false)
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT (%s) IS NULL AND v IS NOT NULL, CAST((%s) AS VARCHAR) FROM (SELECT %s AS v)", v, v, in.text))
	if err != nil {
		return err
	}
	if rows.Rows[0][0].(bool) {
		return fault.Newf(fault.Invalid, "the mapping's constant %s: %s is not a %s", in.field.Name, in.cell, in.field.Kind)
	}
	in.value = "NULL::" + string(in.field.Kind.Type())
	if text, ok := rows.Rows[0][1].(string); ok {
		in.value = fmt.Sprintf("CAST(%s AS %s)", q(text), in.field.Kind.Type())
	}
	in.text, in.filled, in.known = "CAST("+in.value+" AS VARCHAR)", l.rows, true
	return nil
}

// valueSQL is the careful reading of a text v.
func (l *load) valueSQL(in *input, v, mark, order string, percent bool) string {
	switch in.field.Kind {
	case Money, Price:
		return numberValue(v, mark, in.field.Kind.Type())
	case Hours:
		return hoursValue(v, mark, max(in.bind.Unit, 1))
	case Share:
		return shareValue(v, mark, percent)
	case Integer:
		return fmt.Sprintf("TRY_CAST(CASE WHEN %[1]s = floor(%[1]s) THEN %[1]s END AS BIGINT)", "("+numberValue(v, mark, "DECIMAL(18,4)")+")")
	case Boolean:
		return boolValue(v, in.bind.Invert)
	case Date:
		return dateValue(v, order, bool(l.t.Serials))
	case Timestamp:
		return timestampValue(v, order, bool(l.t.Serials))
	}
	return v
}

// distinct makes the table of a column's distinct texts with their counts.
func (l *load) distinct(ctx context.Context, in *input) error {
	_, err := l.create(ctx, "TABLE", "texts_"+in.field.Name, fmt.Sprintf(
		"AS SELECT v, count(*) AS n, min(_record) AS first FROM (SELECT %s AS v, _record FROM %s) WHERE v IS NOT NULL GROUP BY v", in.text, l.raw()))
	return err
}

// parse makes the lookup of a column and counts the rows that are no such value.
func (l *load) parse(ctx context.Context, in *input) error {
	name := in.field.Name
	texts := l.name("texts_" + name)
	percent := false
	if in.field.Kind == Share {
		rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT coalesce(max(%s) > 1.5, false) FROM %s WHERE NOT contains(v, '%%')", numberValue("v", l.marks[name], "DECIMAL(18,8)"), texts))
		if err != nil {
			return err
		}
		percent = rows.Rows[0][0].(bool)
	}
	var err error
	if in.lookup, err = l.create(ctx, "TABLE", "values_"+name, fmt.Sprintf("AS SELECT v, n, first, %s AS p FROM %s", l.valueSQL(in, "v", l.marks[name], l.dates[name], percent), texts)); err != nil {
		return err
	}
	rows, err := l.s.Query(ctx, fmt.Sprintf("SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum(n) FILTER (p IS NULL), 0)::BIGINT FROM %s", in.lookup))
	if err != nil {
		return err
	}
	in.filled, in.known, in.invalid = rows.Rows[0][0].(int64), true, rows.Rows[0][1].(int64)
	in.value = in.lookup + ".p"
	return nil
}
