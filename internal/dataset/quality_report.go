package dataset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// QualityReport says how fit the stored data is, where it is not, and what to put right
// first. Shares are of hours or money, not of rows (domain: 5.2); docs/quality.md has the
// formulas.
type QualityReport struct {
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Quality
	Datasets []QualityOf    `json:"datasets"`
	Clients  []QualityOf    `json:"clients"` // the worst first
	Months   []QualityOf    `json:"months"`  // oldest first
	Issues   []QualityIssue `json:"issues"`  // by what repairing them gains
	Trend    []QualityPoint `json:"trend"`   // imports, oldest first
}

// QualityOf is the quality of a part of the data.
type QualityOf struct {
	Name string `json:"name"` // of the dataset or client, or a month as 2026-03-01; a client "" is unassigned
	Rows int64  `json:"rows"`
	Quality
}

// QualityIssue is one thing that is not right with stored rows.
type QualityIssue struct {
	Code       string  `json:"code"`
	Dataset    string  `json:"dataset"`
	Dimension  string  `json:"dimension"`
	Rows       int64   `json:"rows"`
	Share      float64 `json:"share"` // of the dataset's hours or money
	Gain       float64 `json:"gain"`  // what the whole score would rise by without it
	Message    string  `json:"message"`
	Suggestion string  `json:"suggestion"`
}

// QualityPoint is the score of one import.
type QualityPoint struct {
	ImportID int64   `json:"import_id"`
	At       string  `json:"at"`
	Dataset  string  `json:"dataset"`
	Score    float64 `json:"score"`
}

// datasetWeights weigh the datasets in the whole score: what profit is made of counts most.
var datasetWeights = map[string]float64{"invoices": 3, "time_entries": 3, "agreements": 2, "licenses": 2, "staff": 2}

// rowWeights are what a stored row weighs: hours or money; one where there is neither.
var rowWeights = map[string]string{
	"time_entries": "abs(hours_worked)", "invoices": "abs(net_amount)", "expenses": "abs(net_amount)", "payments": "abs(amount)",
	"licenses": "seats_purchased * greatest(coalesce(unit_cost, 1), 0.01)", "agreements": "coalesce(abs(amount), 1)",
}

// check is a way in which a stored row can be deficient.
type check struct {
	code, dimension, when, message, suggestion string
}

// checksOf lists what is looked at in a dataset's stored rows.
func checksOf(d Dataset, clients, rates bool, today quantity.Day) []check {
	var out []check
	add := func(code, dimension, when, message, suggestion string) {
		out = append(out, check{code, dimension, when, message, suggestion})
	}
	if _, ok := d.Field("client_name"); ok && d.Name != "clients" {
		add("no_client_reference", "completeness", "t.client_key IS NULL", "name no client", "fill in the client, or name your own company for internal work")
		if clients {
			add("unknown_client", "coverage", "t.client_key IS NOT NULL AND coalesce(a.canonical, t.client_key) NOT IN (SELECT client_key FROM now.clients WHERE client_key IS NOT NULL)", "name a client that is not in the client list", "import the clients, or decide under Matching what the name means")
		}
	}
	switch d.Name {
	case "time_entries":
		add("no_staff_reference", "completeness", "t.staff_key IS NULL", "name nobody", "export the entries with the name of who did the work")
		if rates {
			add("cost_rate_missing", "coverage", "t.cost_rate IS NULL AND coalesce(p.canonical, t.staff_key) NOT IN (SELECT coalesce(x.canonical, s.staff_key) FROM now.staff s LEFT JOIN now.aliases x ON x.kind = 'staff' AND x.key = s.staff_key WHERE s.cost_rate IS NOT NULL AND s.staff_key IS NOT NULL)", "are by people without a cost rate", "import staff with cost_rate")
		} else {
			add("cost_rate_missing", "coverage", "t.cost_rate IS NULL", "have no cost rate: the billing rate stands in for it", "import staff with cost_rate")
		}
		add("billable_missing", "completeness", "t.billable IS NULL", "do not say whether they are billable", "export the billable column")
	case "invoices":
		add("tax_basis_unknown", "validity", "t.tax_basis IN ('unknown', 'gross')", "have only a total that may include tax", "export net amounts, or say what the total is")
		add("currency_missing", "completeness", "t.currency IS NULL", "have no currency", "export the currency, or say which it is when importing")
	case "licenses":
		add("unit_cost_missing", "completeness", "t.unit_cost IS NULL", "have no cost a seat: waste cannot be put in money", "add what a seat costs")
		add("seats_used_missing", "completeness", "t.seats_used IS NULL", "do not say how many seats are used", "export the assigned seats")
	case "agreements":
		add("amount_missing", "completeness", "t.amount IS NULL", "have no amount", "export what is billed a cycle")
	}
	for _, r := range rules[d.Name] {
		if r.invalid && !strings.Contains(r.when, "_credit") {
			add(r.code, "validity", "("+strings.ReplaceAll(r.when, "TODAY", "DATE "+q(today.String()))+")", r.message, r.suggestion)
		}
	}
	return out
}

// tally of a group of rows: how many, their weight, and how much of it fails each check.
type tally struct {
	rows     int64
	weight   float64
	bad      []float64
	badRows  []int64
	repeated float64
	repeats  int64 // rows
}

func (t *tally) add(o tally) {
	if t.bad == nil {
		t.bad, t.badRows = make([]float64, len(o.bad)), make([]int64, len(o.bad))
	}
	t.rows, t.weight, t.repeated, t.repeats = t.rows+o.rows, t.weight+o.weight, t.repeated+o.repeated, t.repeats+o.repeats
	for i := range o.bad {
		t.bad[i] += o.bad[i]
		t.badRows[i] += o.badRows[i]
	}
}

// repeatedRows is what is told of rows that equal another one; uniqueness counts them.
var repeatedRows = check{"repeated_rows", "uniqueness", "", "repeat another row in everything but the id", "look whether they were entered or exported twice; if so, delete them at the source and undo or replace the import"}

// scored is one dataset with what its rows add up to.
type scored struct {
	d       Dataset
	checks  []check
	all     tally
	clients map[string]tally
	months  map[string]tally
	unique  bool // repeats were looked for
	newest  string
}

// What qualityOf may leave out beside one of the checks.
const (
	nothingOut = -1 - iota
	repeatsOut
)

// qualityOf computes the dimensions of a group of rows; without says which check to leave
// out.
func (s scored) qualityOf(t tally, without int) map[string]float64 {
	d := map[string]float64{}
	if t.weight <= 0 {
		return d
	}
	sums, counts := map[string]float64{}, map[string]float64{}
	for i, c := range s.checks {
		counts[c.dimension]++
		good := 1.0
		if i != without {
			good = 1 - math.Min(1, t.bad[i]/t.weight)
		}
		switch c.dimension {
		case "coverage": // the weakest counts
			if v, ok := d["coverage"]; !ok || good < v {
				d["coverage"] = good
			}
		case "validity": // shares that fail add up
			sums["validity"] += 1 - good
		default:
			sums[c.dimension] += good
		}
	}
	if counts["completeness"] > 0 {
		d["completeness"] = sums["completeness"] / counts["completeness"]
	}
	d["validity"] = math.Max(0, 1-sums["validity"])
	if s.unique {
		d["uniqueness"] = 1.0
		if without != repeatsOut {
			d["uniqueness"] = 1 - math.Min(1, t.repeated/t.weight)
		}
	}
	return d
}

// leastShare stands in for a dimension of 0, so that one of little weight does not decide alone.
const leastShare = 0.01

// combine is the weighted geometric mean of dimensions.
func combine(d map[string]float64) float64 {
	weights, logs := 0.0, 0.0
	for name, v := range d {
		if w := qualityWeights[name]; w > 0 {
			weights += w
			logs += w * math.Log(math.Max(v, leastShare))
		}
	}
	if weights == 0 {
		return 1
	}
	return math.Exp(logs / weights)
}

// repeatRows bounds the search for repeated rows in a stored table.
const repeatRows = 2_000_000

// reports keeps the report of each tenant's newest snapshot: it depends on nothing else but the day.
type reports struct {
	mu   sync.Mutex
	kept map[tenant.Slug]QualityReport
	day  quantity.Day
}

// QualityReport judges the stored data.
func (s *Service) QualityReport(ctx context.Context, scope tenant.Scope) (QualityReport, error) {
	if err := scope.Whole("quality reports"); err != nil {
		return QualityReport{}, err
	}
	today, err := s.today(ctx, scope)
	if err != nil {
		return QualityReport{}, err
	}
	now, err := s.w.Current(ctx, scope)
	if err != nil {
		return QualityReport{}, err
	}
	s.reports.mu.Lock()
	kept, ok := s.reports.kept[scope.Tenant]
	ok = ok && kept.Snapshot == now && s.reports.day == today
	s.reports.mu.Unlock()
	if ok {
		return kept, nil
	}
	session, err := s.w.NewSession(ctx, scope)
	if err != nil {
		return QualityReport{}, err
	}
	defer session.Close()
	var all []scored
	for _, d := range datasets {
		x, err := scoreStored(ctx, session, d, today)
		if err != nil {
			return QualityReport{}, fmt.Errorf("quality of %s: %w", d.Name, err)
		}
		if x.all.rows > 0 {
			all = append(all, x)
		}
	}
	r := report(all, today)
	r.Snapshot = session.Base()
	imports, err := s.Imports(ctx, scope, 200, 0)
	if err != nil {
		return r, err
	}
	for _, i := range slices.Backward(imports) {
		if i.Result.RowsRead > 0 && i.Status != "undone" {
			r.Trend = append(r.Trend, QualityPoint{ImportID: i.ID, At: i.FinishedAt.UTC().Format("2006-01-02T15:04:05Z"), Dataset: i.Result.Dataset, Score: i.Result.Quality.Score})
		}
	}
	s.reports.mu.Lock()
	defer s.reports.mu.Unlock()
	if s.reports.kept == nil || s.reports.day != today {
		s.reports.kept, s.reports.day = map[tenant.Slug]QualityReport{}, today
	}
	s.reports.kept[scope.Tenant] = r
	return r, nil
}

// scoreStored adds up the stored rows of a dataset by client and month.
func scoreStored(ctx context.Context, session *warehouse.Session, d Dataset, today quantity.Day) (scored, error) {
	x := scored{d: d, clients: map[string]tally{}, months: map[string]tally{}}
	rows, err := session.Query(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM now.%s), (SELECT count(*) > 0 FROM now.clients), (SELECT count(*) > 0 FROM now.staff WHERE cost_rate IS NOT NULL)", warehouse.QuoteIdent(d.Name)))
	if err != nil || rows.Rows[0][0].(int64) == 0 {
		return x, err
	}
	n := rows.Rows[0][0].(int64)
	x.checks = checksOf(d, rows.Rows[0][1].(bool), rows.Rows[0][2].(bool), today)
	x.unique = n <= repeatRows && d.Month != ""
	client, month, weight, repeated := "NULL", "NULL::DATE", cmp.Or(rowWeights[d.Name], "1"), "false"
	from := "now." + warehouse.QuoteIdent(d.Name) + " t"
	if _, ok := d.Field("client_name"); ok {
		client = "coalesce(a.canonical, t.client_key, '')"
		from += " LEFT JOIN (SELECT key, min(canonical) AS canonical FROM now.aliases WHERE kind = 'client' GROUP BY 1) a ON a.key = t.client_key"
	}
	if d.Name == "time_entries" {
		from += " LEFT JOIN (SELECT key, min(canonical) AS canonical FROM now.aliases WHERE kind = 'staff' GROUP BY 1) p ON p.key = t.staff_key"
	}
	if d.Month != "" {
		month = "date_trunc('month', t." + warehouse.QuoteIdent(d.Month) + ")::DATE"
	}
	if x.unique {
		var cols []string
		for _, c := range d.Columns(false) {
			if f, _ := d.Field(d.IDField); f.Column != c.Name {
				cols = append(cols, "t."+warehouse.QuoteIdent(c.Name))
			}
		}
		repeated = fmt.Sprintf("row_number() OVER (PARTITION BY hash(%s)) > 1", strings.Join(cols, ", "))
	}
	sel := []string{client + " AS client", month + " AS month", fmt.Sprintf("coalesce((%s)::DOUBLE, 0) AS w", weight), repeated + " AS rep"}
	sums := []string{"client", "month::VARCHAR", "count(*)", "sum(w)", "coalesce(sum(w) FILTER (rep), 0)", "count(*) FILTER (rep)"}
	for i, c := range x.checks {
		sel = append(sel, fmt.Sprintf("coalesce(%s, false) AS b%d", c.when, i))
		sums = append(sums, fmt.Sprintf("coalesce(sum(w) FILTER (b%[1]d), 0), count(*) FILTER (b%[1]d)", i))
	}
	err = session.Each(ctx, fmt.Sprintf("SELECT %s FROM (SELECT %s FROM %s) GROUP BY client, month ORDER BY client, month", strings.Join(sums, ", "), strings.Join(sel, ", "), from), func(row []any) error {
		t := tally{rows: row[2].(int64), weight: row[3].(float64), repeated: row[4].(float64), repeats: row[5].(int64)}
		for i := 6; i < len(row); i += 2 {
			t.bad, t.badRows = append(t.bad, row[i].(float64)), append(t.badRows, row[i+1].(int64))
		}
		x.all.add(t)
		sum := func(to map[string]tally, key string) {
			was := to[key]
			was.add(t)
			to[key] = was
		}
		if _, ok := d.Field("client_name"); ok {
			sum(x.clients, text(row[0]))
		}
		if m := text(row[1]); m != "" {
			sum(x.months, m)
			x.newest = max(x.newest, m)
		}
		return nil
	})
	return x, err
}

// report puts the datasets together.
func report(all []scored, today quantity.Day) QualityReport {
	r := QualityReport{Datasets: []QualityOf{}, Clients: []QualityOf{}, Months: []QualityOf{}, Issues: []QualityIssue{}, Trend: []QualityPoint{}}
	whole := func(changed int, score float64) float64 {
		sum, weights := 0.0, 0.0
		for i, x := range all {
			w := datasetWeight(x.d.Name)
			v := combine(x.qualityOf(x.all, nothingOut))
			if i == changed {
				v = score
			}
			sum, weights = sum+w*v, weights+w
		}
		if weights == 0 {
			return 0
		}
		return sum / weights
	}
	base := whole(-1, 0)
	dims, weights := map[string]float64{}, map[string]float64{}
	clients, months := map[string][]part{}, map[string][]part{}
	for i, x := range all {
		d := x.qualityOf(x.all, nothingOut)
		for name, v := range d {
			dims[name] += datasetWeight(x.d.Name) * v
			weights[name] += datasetWeight(x.d.Name)
		}
		q := QualityOf{Name: x.d.Name, Rows: x.all.rows, Quality: rounded(d)}
		if newest, err := quantity.ParseDay(x.newest); err == nil {
			last := newest.AddMonths(1).AddDays(-1)
			q.Dimensions["timeliness"] = round4(math.Exp(-float64(max(0, last.DaysUntil(today))) / timelinessDays))
		}
		r.Datasets = append(r.Datasets, q)
		for name, t := range x.clients {
			clients[name] = append(clients[name], part{x, t})
		}
		for name, t := range x.months {
			months[name] = append(months[name], part{x, t})
		}
		add := func(c check, without int, rows int64, weight float64) {
			if rows == 0 {
				return
			}
			issue := QualityIssue{Code: c.code, Dataset: x.d.Name, Dimension: c.dimension, Rows: rows, Suggestion: c.suggestion,
				Message: plural(rows, "row of "+x.d.Title, "rows of "+x.d.Title) + ": " + c.message}
			if x.all.weight > 0 {
				issue.Share = round4(weight / x.all.weight)
			}
			issue.Gain = round4(whole(i, combine(x.qualityOf(x.all, without))) - base)
			r.Issues = append(r.Issues, issue)
		}
		for j, c := range x.checks {
			add(c, j, x.all.badRows[j], x.all.bad[j])
		}
		if x.unique {
			add(repeatedRows, repeatsOut, x.all.repeats, x.all.repeated)
		}
	}
	for name := range dims {
		dims[name] /= weights[name]
	}
	r.Quality = rounded(dims)
	r.Score = round4(base)
	slices.SortStableFunc(r.Issues, func(a, b QualityIssue) int {
		return cmp.Or(cmp.Compare(b.Gain, a.Gain), cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Dataset+a.Code, b.Dataset+b.Code))
	})
	r.Clients, r.Months = parts(clients), parts(months)
	slices.SortStableFunc(r.Clients, func(a, b QualityOf) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(b.Rows, a.Rows))
	})
	return r
}

func datasetWeight(name string) float64 { return cmp.Or(datasetWeights[name], 1) }

func rounded(d map[string]float64) Quality {
	q := Quality{Score: round4(combine(d)), Dimensions: map[string]float64{}}
	for name, v := range d {
		q.Dimensions[name] = round4(v)
	}
	return q
}

// part is what one dataset says of a client or month.
type part struct {
	x scored
	t tally
}

// parts scores clients or months by what each dataset says of them, in the order of names.
func parts(of map[string][]part) []QualityOf {
	out := []QualityOf{}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		sum, weights, one := 0.0, 0.0, QualityOf{Name: name}
		dims, counts := map[string]float64{}, map[string]float64{}
		for _, p := range of[name] {
			d, w := p.x.qualityOf(p.t, nothingOut), datasetWeight(p.x.d.Name)
			one.Rows += p.t.rows
			if len(d) == 0 {
				continue
			}
			sum, weights = sum+w*combine(d), weights+w
			for k, v := range d {
				dims[k] += w * v
				counts[k] += w
			}
		}
		if weights == 0 {
			continue
		}
		for k := range dims {
			dims[k] /= counts[k]
		}
		one.Quality = rounded(dims)
		one.Score = round4(sum / weights)
		out = append(out, one)
	}
	return out
}
