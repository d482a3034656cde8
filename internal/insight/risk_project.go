package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// How a project is billed.
const (
	BillingFixed   = "fixed_fee"  // an overrun is the firm's
	BillingHourly  = "t_and_m"    // an overrun is the client's to agree to
	BillingUnknown = "not_stated" // no billing method
	BillingOther   = "not_billed" // internal work and warranty
	projectMeasure = "project_hours"
)

// ProjectRiskRule says how projects are judged and put in order.
const ProjectRiskRule = "A project is to act on when its burn is more than 10 points beyond its progress, when it is over its budget, when its estimate at completion is more than a tenth over the budget and an overrun is more likely than not, or when it loses money; limits are thresholds that you can edit. " +
	"Projects to act on stand first, then those to watch, unknown, and well; within each by what the overrun costs, the largest first. What is not known is shown as unknown and counts neither way."

// ProjectRiskLeavesOut is what a project's risk does not know.
var ProjectRiskLeavesOut = []string{
	"changes of scope that are agreed and not in the budget",
	"whether the stated percent complete is right: it is taken as it was imported last",
	"vendor bills that name no project: only the cost stated on invoice lines is known",
	"who is available to finish the work",
}

// ProjectRisks are the open projects with their risks, in the order of Rule.
type ProjectRisks struct {
	Kind     string             `json:"kind" enum:"rules"`
	Rule     string             `json:"rule" doc:"how the order comes about"`
	NotInIt  []string           `json:"not_in_it" nullable:"false"`
	AsOf     quantity.Day       `json:"as_of,omitzero" doc:"hours and money until this day; progress is that of the newest import"`
	Projects []ProjectRisk      `json:"projects" nullable:"false"`
	History  ProjectHistory     `json:"history"`
	Missing  []RiskMissing      `json:"missing" nullable:"false"`
	Notes    []string           `json:"notes" nullable:"false"`
	Snapshot warehouse.Snapshot `json:"snapshot"`
	Versions map[string]int     `json:"definition_versions"`
}

// ProjectHistory is how finished projects came out: what the probability is learned from.
type ProjectHistory struct {
	N       int               `json:"n" doc:"finished projects with a budget and hours"`
	Over    int               `json:"over" doc:"of these, over their budget"`
	Typical *quantity.Decimal `json:"typical" doc:"final hours over planned hours, the geometric mean; null from fewer than five"`
	Low     *quantity.Decimal `json:"low" doc:"nine of ten further projects come out from here …"`
	High    *quantity.Decimal `json:"high" doc:"… to here"`
	Method  string            `json:"method"`
	Words   string            `json:"words"`
}

// ProjectRisk is an open project. A figure that is null is not known; the components say why.
type ProjectRisk struct {
	Project      string            `json:"project"`
	Client       string            `json:"client"`
	Status       string            `json:"status" doc:"as it was imported"`
	Billing      string            `json:"billing" enum:"fixed_fee,t_and_m,not_billed,not_stated"`
	Currency     string            `json:"currency,omitempty"`
	State        string            `json:"state" enum:"act,watch,unknown,ok"`
	Budget       *quantity.Decimal `json:"budget_hours"`
	Worked       *quantity.Decimal `json:"worked_hours"`
	Burn         *quantity.Decimal `json:"burn" doc:"worked / budget"`
	Progress     *quantity.Decimal `json:"progress" doc:"percent complete, a ratio"`
	Gap          *quantity.Decimal `json:"gap" doc:"burn - progress; more than 0.1 is at risk"`
	EAC          *quantity.Decimal `json:"eac_hours" doc:"estimate at completion: worked / progress"`
	OverrunHours *quantity.Decimal `json:"overrun_hours" doc:"estimate - budget; negative is room"`
	OverrunCost  *quantity.Decimal `json:"overrun_cost" doc:"the same at what an hour cost so far"`
	OverrunPrice *quantity.Decimal `json:"overrun_price" doc:"the same at the planned price of an hour, else at what an hour brought so far"`
	Overrun      *float64          `json:"overrun_probability" doc:"that the final hours are above the budget"`
	Why          string            `json:"probability_why" doc:"how the probability is made, or why there is none"`
	FinalHours   *Interval         `json:"final_hours" doc:"90 % interval of the final hours"`
	Start        quantity.Day      `json:"start,omitzero"`
	End          quantity.Day      `json:"end,omitzero" doc:"planned last day"`
	Expected     quantity.Day      `json:"expected_end,omitzero" doc:"at the pace of the progress since the start"`
	Slip         *quantity.Decimal `json:"slip_days" doc:"expected end after the planned one"`
	MarginSoFar  *quantity.Decimal `json:"margin_so_far"`
	MarginAtEnd  *quantity.Decimal `json:"margin_at_end" doc:"when the hours come out as estimated"`
	ProfitAtEnd  *quantity.Decimal `json:"profit_at_end"`
	Drivers      []string          `json:"drivers" nullable:"false"`
	Step         string            `json:"step,omitempty"`
	Components   []RiskComponent   `json:"components" nullable:"false"`
}

// ProjectRisks returns the open projects as of the last day before to, the end of the data
// when it is zero.
func (s *Service) ProjectRisks(ctx context.Context, scope tenant.Scope, to quantity.Day) (*ProjectRisks, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("project risks: %w", err)
	}
	r.oneCurrency = true
	out := &ProjectRisks{Kind: "rules", Rule: ProjectRiskRule, NotInIt: ProjectRiskLeavesOut, Projects: []ProjectRisk{}, Missing: []RiskMissing{}, Notes: []string{}, Snapshot: r.snapshot, Versions: map[string]int{}}
	p := &projectRisks{reader: r, out: out, period: quantity.Period{To: to}}
	if err := p.run(ctx); err != nil {
		return nil, fmt.Errorf("project risks: %w", err)
	}
	return out, nil
}

// projectRisks is one run of ProjectRisks.
type projectRisks struct {
	reader
	out    *ProjectRisks
	period quantity.Period
	bands  bands
	house  string
	plans  map[[2]string]row // hours against plans, by client and project
	money  map[[2]string]row // hours and money
	ratios []float64         // final over planned hours of finished projects
}

// What project risks ask for.
var (
	planSums         = []string{"project_budget_hours", "project_hours_to_date", "project_burn", "project_progress", "project_burn_gap", "project_eac_hours", "project_eac_share"}
	projectMoneySums = []string{projectMeasure, "project_labor_cost", "project_revenue", "project_direct_cost", "project_margin"}
)

func (p *projectRisks) run(ctx context.Context) error {
	for _, m := range slices.Concat(planSums, projectMoneySums) {
		if of, err := p.metrics.Measure(m); err == nil {
			p.out.Versions[m] = of.Version
		}
	}
	for _, m := range []RiskMissing{{"projects", "budgets, progress and planned ends"}, {"time_entries", "the hours worked on projects"}, {"invoices", "what projects brought"}} {
		if p.tables[m.Dataset] == 0 {
			p.out.Missing = append(p.out.Missing, m)
		}
	}
	states, err := p.projectStates(ctx)
	if err != nil || len(states) == 0 {
		p.tellHistory()
		return err
	}
	if p.bands, err = bandsOf(ctx, p.reader); err != nil {
		return err
	}
	if p.house, err = p.reader.house(ctx); err != nil {
		return err
	}
	if err := p.readAll(ctx); err != nil {
		return err
	}
	var open []projectState
	canceled, double := 0, 0
	for _, s := range states {
		if s.same > 1 {
			double++
		}
		switch s.stage() {
		case stageFinished:
			plan := p.plans[[2]string{s.client, s.name}].sums
			if v, ok := ratio(plan["project_hours_to_date"], plan["project_budget_hours"]); ok && v.Sign() > 0 {
				p.ratios = append(p.ratios, float(v))
			}
		case stageCanceled:
			canceled++
		default:
			open = append(open, s)
		}
	}
	p.tellHistory()
	for _, s := range open {
		p.out.Projects = append(p.out.Projects, p.project(s))
	}
	if canceled > 0 {
		p.out.Notes = append(p.out.Notes, fmt.Sprintf("canceled projects are left out: %d", canceled))
	}
	if double > 0 {
		p.out.Notes = append(p.out.Notes, fmt.Sprintf("names that several projects of a client share, taken as one project each: %d", double))
	}
	slices.SortStableFunc(p.out.Projects, func(x, y ProjectRisk) int {
		return cmp.Or(cmp.Compare(inRiskOrder(x.State), inRiskOrder(y.State)), value(y.OverrunCost).Cmp(value(x.OverrunCost)), cmp.Compare(x.Client, y.Client), cmp.Compare(x.Project, y.Project))
	})
	return nil
}

// readAll reads the figures of all projects at once.
func (p *projectRisks) readAll(ctx context.Context) error {
	p.plans, p.money = map[[2]string]row{}, map[[2]string]row{}
	into := func(rows map[[2]string]row, measures []string) func() error {
		return func() error {
			all, err := p.read(ctx, p.period, "", []string{"client", "project"}, measures...)
			for _, r := range all {
				rows[[2]string(r.keys)] = r
			}
			return err
		}
	}
	if err := together(into(p.plans, planSums), into(p.money, projectMoneySums)); err != nil {
		return err
	}
	for _, r := range p.money {
		p.period, p.out.AsOf = r.counted, r.counted.To.AddDays(-1) // the open ends, as the data fills them
		break
	}
	return nil
}

// The stages of a project.
const (
	stageOpen     = "open"
	stageFinished = "finished"
	stageCanceled = "canceled"
)

// stage tells by the words of its status, else by its progress, whether a project still runs.
func (s projectState) stage() string {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s.status, w) })
	}
	switch {
	case has("cancel", "abandon", "void", "reject"):
		return stageCanceled
	case has("incomplete", "not complete", "reopen", "re-open"):
		return stageOpen
	case has("complete", "closed", "finished", "done", "delivered", "archive"):
		return stageFinished
	case s.status == "" && s.progress != nil && !s.progress.LessThan(one):
		return stageFinished
	}
	return stageOpen
}

// billedAs tells by the words of its billing method how a project is billed.
func (s projectState) billedAs() string {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s.billing, w) })
	}
	switch {
	case s.billing == "":
		return BillingUnknown
	case slices.Contains(hourlyModels, s.billing), has("actual", "time", "hour", "t&m", "material"):
		return BillingHourly
	case has("fixed", "flat", "lump", "milestone"):
		return BillingFixed
	case has("not bill", "non-bill", "no charge", "internal", "warranty", "not charge"):
		return BillingOther
	}
	return BillingUnknown
}

// query leads to the rows of a project.
func (p *projectRisks) query(s projectState, measure string) metric.Query {
	return metric.Query{Measures: []string{measure}, Where: both(is("client", s.client), is("project", s.name)), Period: p.period, Snapshot: p.snapshot}
}
