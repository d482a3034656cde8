package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/report"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// late is long after the sample's data ends.
var late = quantity.NewDay(2026, 11, 28)

func documentOf(t *testing.T, x *world, scope tenant.Scope, req report.Request) (*document.Document, *report.Inputs) {
	t.Helper()
	d, in, err := x.Document(t.Context(), scope, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d, in
}

// blocksOf are the blocks of one kind.
func blocksOf[B document.Block](d *document.Document) (out []B) {
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			if b, ok := b.(B); ok {
				out = append(out, b)
			}
		}
	}
	return out
}

// What is billed by the hour loses nothing: its fee is not what pays for the work. And one
// report gives one price for an agreement.
func TestRepricingIsOfAgreementsWithAFee(t *testing.T) {
	t.Parallel()
	d, _ := documentOf(t, demo(t), firm, report.Request{Template: "agreement-repricing", AsOf: late})
	var named []string
	for _, c := range blocksOf[*document.Chart](d) {
		named = append(named, c.Categories...)
		if len(c.Categories) != 12 || !strings.Contains(c.Subtitle, "the first 12 of 36") {
			t.Errorf("%d bars, %s", len(c.Categories), c.Subtitle)
		}
	}
	var margins []string // of an agreement that began three months before the period's end
	for _, table := range blocksOf[*document.Table](d) {
		for _, r := range table.Rows {
			if slices.Contains(r.Cells, any("Managed Services (reduced scope) (Crane Landing Wealth Advisors)")) {
				for i, c := range table.Columns {
					if v, ok := r.Cells[i].(quantity.Decimal); ok && strings.HasSuffix(strings.ToLower(c.Name), "margin") && c.Unit == quantity.Ratio {
						margins = append(margins, v.Round(4).String())
					}
				}
			}
		}
		if table.Title == "All agreements with a fee" {
			for _, r := range table.Rows {
				named = append(named, fmt.Sprint(r.Cells[1]))
			}
		}
	}
	if !slices.Contains(named, "Managed Services (Bayview Point Family Medicine)") || len(named) != 12+36 {
		t.Errorf("%d agreements: %s", len(named), named)
	}
	// 8,805.60 - 4,183.50 - 3 x 800.40, by its own months and by those of the period.
	if !slices.Equal(margins, []string{"0.2522", "0.2522"}) {
		t.Errorf("the margins of one agreement are %v", margins)
	}
	for _, name := range named {
		if strings.HasPrefix(name, "On-Call") || name == "no agreement" || name == "others" {
			t.Errorf("%s is among the losers", name)
		}
	}
	for _, f := range blocksOf[*document.Finding](d) {
		if strings.HasPrefix(f.Subject, "Managed Services") {
			t.Errorf("a finding has another price: %s", f.Headline)
		}
	}
}

// A client is told until when figures run, and nothing of how the firm keeps them.
func TestAClientIsToldNothingOfHowFiguresAreKept(t *testing.T) {
	t.Parallel()
	x := demo(t)
	d, in := documentOf(t, x, firm, report.Request{Template: "client-qbr", AsOf: late})
	if d.Snapshot != 0 || !slices.Equal(d.Warnings, []string{"Figures run to June 30, 2026."}) {
		t.Errorf("snapshot %d, warnings %q", d.Snapshot, d.Warnings)
	}
	letter := strings.Join(d.Letter, " ")
	if !strings.Contains(letter, "run to June 30, 2026.") || strings.Contains(letter, "November") {
		t.Error(letter)
	}
	tiles := blocksOf[*document.Tiles](d)
	if len(tiles) != 1 {
		t.Fatalf("%d", len(tiles))
	}
	for _, tile := range tiles[0].Items {
		if tile.Grade != "" || tile.Interval != nil {
			t.Errorf("%+v", tile)
		}
		if tile.Label == "Tickets closed" && (tile.Change == nil || tile.Change.Good != 0) {
			t.Errorf("fewer closed of fewer that came is no fault: %+v", tile.Change)
		}
	}
	shown := map[string]string{}
	for _, table := range blocksOf[*document.Table](d) {
		var names []string
		for _, c := range table.Columns {
			names = append(names, c.Label)
		}
		for _, r := range table.Rows {
			if len(r.Cells) != len(names) {
				t.Errorf("%s: %v under %v", table.Title, r.Cells, names)
			}
		}
		shown[table.Title] = strings.Join(names, ", ")
	}
	for title, want := range map[string]string{
		"How fast": "Stage, Tickets, Half within, Nine of ten within", "Service level": "Stage, In time, Of, Share",
		"How content people were": "Answers, Positive, Share, Answered, of tickets closed",
	} {
		if shown[title] != want {
			t.Errorf("%s shows %q, want %q", title, shown[title], want)
		}
	}
	for _, format := range []string{"html", "pptx", "csv", "xlsx"} {
		content := x.written(t, report.Request{Template: "client-qbr", AsOf: late}, format)
		text := textOf(t, format, content)
		if !strings.Contains(text, "hours that our people worked for you") {
			t.Errorf("%s explains no hours", format)
		}
		for _, mark := range []string{"Snapshot", "cost basis", "revision 0", in.SettingsHash()[:12], "Finding ", "Reference: ", "% interval", "Wilson"} {
			if strings.Contains(text, mark) {
				t.Errorf("%s says %q", format, mark)
			}
		}
	}
}

// The findings that a report says wait for a person are those that it marks.
func TestWaitingFindingsAreThoseShown(t *testing.T) {
	t.Parallel()
	x := demo(t)
	for _, template := range []string{"executive-summary", "license-optimization", "service-desk"} {
		d, _ := documentOf(t, x, firm, report.Request{Template: template})
		marked := 0
		for _, f := range blocksOf[*document.Finding](d) {
			if f.Review != "" {
				marked++
			}
		}
		for _, table := range blocksOf[*document.Table](d) {
			for _, r := range table.Rows {
				if slices.ContainsFunc(r.Cells, func(c any) bool { return strings.HasSuffix(fmt.Sprint(c), ", to be reviewed") }) {
					marked++
				}
			}
		}
		said := strings.Join(d.Warnings, " ")
		if want := fmt.Sprintf("%d findings here wait for a person's review: they are marked.", marked); marked > 1 && !strings.Contains(said, want) || marked == 0 && strings.Contains(said, "wait") {
			t.Errorf("%s marks %d and says %q", template, marked, said)
		}
		if (template == "service-desk") != (marked == 0) {
			t.Errorf("%s marks %d", template, marked)
		}
	}
}

// A change bears the name of what it is against, or is left out.
func TestATileWithoutAYearAgoHasNoChange(t *testing.T) {
	t.Parallel()
	x := demo(t)
	text := "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - tiles: {measures: [revenue], versus: %s}\n"
	// Nothing is known of the year before the sample's first months.
	req := report.Request{Period: periodOf(t, "2024-12-01", "2025-01-01")}
	for versus, want := range map[string]bool{"year_ago": false, "previous": true, "none": false} {
		req.Text = fmt.Sprintf(text, versus)
		d, _ := documentOf(t, x, firm, req)
		tile := blocksOf[*document.Tiles](d)[0].Items[0]
		if tile.Value.Number == nil || (tile.Change != nil) != want {
			t.Errorf("%s: %+v", versus, tile)
		}
	}
}

// Who may not see findings is not told that there are none.
func TestNothingIsSaidOfFindingsThatMayBeHidden(t *testing.T) {
	t.Parallel()
	x := demo(t)
	text := "name: xy\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - tiles: {measures: [ticket_count]}\n      - findings: {kinds: [%s]}\n"
	rights, err := x.policies.Rights(t.Context(), firm.Tenant, access.Technician, access.Limits{Teams: []string{"Service Desk"}})
	if err != nil {
		t.Fatal(err)
	}
	limited := firm
	limited.Rights = rights
	for _, c := range []struct {
		scope tenant.Scope
		kind  string
		said  bool
	}{{limited, "client_profitability", false}, {firm, "no_such_kind", true}} {
		d, _ := documentOf(t, x, c.scope, report.Request{Text: fmt.Sprintf(text, c.kind)})
		said := false
		for _, b := range blocksOf[*document.Text](d) {
			said = said || strings.Contains(strings.Join(b.Paragraphs, " "), "Nothing of this kind")
		}
		if said != c.said {
			t.Errorf("%s: said is %v", c.kind, said)
		}
	}
	_, _, err = x.Document(t.Context(), limited, report.Request{Text: strings.Replace(fmt.Sprintf(text, "client_profitability"), "      - tiles: {measures: [ticket_count]}\n", "", 1)}, nil)
	if fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a report of nothing: %v", err)
	}
}

// What is about all data says so, and what a score rises by is points.
func TestTheQualityOfDataIsOfAllData(t *testing.T) {
	t.Parallel()
	d, _ := documentOf(t, demo(t), firm, report.Request{Template: "data-quality"})
	for _, table := range blocksOf[*document.Table](d) {
		all := slices.ContainsFunc([]string{"By table", "By month", "By client, the worst first", "What to put right first"}, func(s string) bool { return s == table.Title })
		if all != (table.Period == "all data") {
			t.Errorf("%s is of %s", table.Title, table.Period)
		}
		for i, c := range table.Columns {
			if c.Label == "Gain" || c.Label == "Difference" {
				if got := table.Cell(table.Rows[0], i); !strings.HasSuffix(got, "\u00a0pp") || !strings.HasPrefix(got, "+") {
					t.Errorf("%s of %s is %s", c.Label, table.Title, got)
				}
			}
		}
	}
}

// A plan made from older data says from when its days are counted, and which have passed.
func TestAPlanMarksTheDaysThatPassed(t *testing.T) {
	t.Parallel()
	d, _ := documentOf(t, demo(t), firm, report.Request{Template: "license-optimization", AsOf: late})
	tables := blocksOf[*document.Table](d)
	plan := tables[slices.IndexFunc(tables, func(t *document.Table) bool { return t.Title == "Seats to return" })]
	if !strings.Contains(plan.Note, "days left are from June 30, 2026.") {
		t.Error(plan.Note)
	}
	passed := 0
	for _, r := range plan.Rows {
		day, state := fmt.Sprint(r.Cells[0]), fmt.Sprint(r.Cells[6])
		if is := strings.HasSuffix(state, ", day passed"); is != (day < "2026-11-28") {
			t.Errorf("%s: %s", day, state)
		} else if is {
			passed++
		}
	}
	if passed == 0 || passed == len(plan.Rows) {
		t.Errorf("%d of %d passed", passed, len(plan.Rows))
	}
	for _, text := range blocksOf[*document.Text](d) {
		if said := strings.Join(text.Items, " "); strings.Contains(said, "by July") {
			t.Error(said)
		}
	}
}
