package insight_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

// inputOf is the driver that a planted cause shows as.
var inputOf = map[sample.Cause]string{
	sample.CauseHours: "hours_worked", sample.CauseRevenue: "revenue", sample.CauseDirectCost: "direct_cost", sample.CauseLaborRate: "labor_cost_rate",
}

// judge compares findings with what is planted: what is missing or wrong, and which
// findings are about clients, licenses or staff that nothing is planted for.
func judge(truth sample.Truth, findings []insight.Finding) (wrong, extra []string) {
	miss := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	equal := func(what string, got *quantity.Decimal, want quantity.Decimal) {
		if got == nil || !got.Round(4).Equal(want.Round(4)) {
			miss("%s: value %v, want %s", what, got, want)
		}
	}
	var planted []string
	for _, c := range truth.LossClients {
		planted = append(planted, c.Client)
		f, ok := find(findings, insight.ClientProfitability, c.Client)
		if !ok {
			miss("loss of %s (%s, %s)", c.Client, c.Cause, c.GrossMargin)
			continue
		}
		equal("margin of "+c.Client, f.Value, c.GrossMargin)
		if !slices.Contains(f.ReviewRules, "negative margin") {
			miss("%s loses money and needs no review: %v", c.Client, f.ReviewRules)
		}
		if want, ok := inputOf[c.Cause]; ok && (len(f.Drivers) == 0 || f.Drivers[0].Name != want) {
			miss("loss of %s: drivers %v, want %s first", c.Client, f.Drivers, want)
		}
		if _, ok := find(findings, insight.AgreementProfitability, "Managed Services ("+c.Client+")"); !ok && c.Cause == sample.CauseUnderprice {
			miss("underpriced agreement of %s", c.Client)
		}
	}
	for _, c := range truth.MarginDrops {
		planted = append(planted, c.Client)
		f, ok := find(findings, insight.MarginDrop, c.Client)
		if !ok {
			if f, ok = find(findings, insight.ClientProfitability, c.Client); !ok {
				miss("drop of %s in %s (%s to %s, %s)", c.Client, c.Month, c.Before.GrossMargin, c.After.GrossMargin, c.Cause)
				continue
			}
		}
		if f.Facts["since"] != c.Month.String() {
			miss("drop of %s since %s, want %s", c.Client, f.Facts["since"], c.Month)
		}
		if len(f.Drivers) == 0 || f.Drivers[0].Name != inputOf[c.Cause] {
			miss("drop of %s: drivers %v, want %s first", c.Client, f.Drivers, inputOf[c.Cause])
		}
	}
	lines := map[string]bool{}
	license := func(kind insight.Kind, uses []sample.LicenseUse) {
		for _, u := range uses {
			lines[u.Product+" at "+u.Client] = true
			i := slices.IndexFunc(findings, func(f insight.Finding) bool {
				return f.Kind == kind && f.Subject.Value == u.Product && f.Subject.Within.Value == u.Client
			})
			if i < 0 {
				miss("%s of %s at %s (%s a month)", kind, u.Product, u.Client, u.MonthlyMoney)
				continue
			}
			equal(fmt.Sprintf("%s of %s at %s", kind, u.Product, u.Client), findings[i].Value, u.MonthlyMoney)
		}
	}
	license(insight.LicenseWaste, truth.WastedLicenses)
	license(insight.LicenseOverdeployment, truth.OverDeployed)
	for _, l := range truth.Leaked {
		lines[l.Product+" at "+l.Client] = true
		i := slices.IndexFunc(findings, func(f insight.Finding) bool {
			return f.Kind == insight.Leakage && f.Subject.Value == l.Product && f.Subject.Within.Value == l.Client
		})
		if i < 0 {
			miss("leakage of %s at %s (%s a month)", l.Product, l.Client, l.MonthlyMoney)
			continue
		}
		equal(fmt.Sprintf("leakage of %s at %s", l.Product, l.Client), findings[i].Value, l.MonthlyMoney)
	}
	for _, w := range truth.Unbilled {
		if f, ok := find(findings, insight.UnbilledWork, w.Client); !ok {
			miss("unbilled work of %s (%s)", w.Client, w.Amount)
		} else {
			equal("unbilled work of "+w.Client, f.Value, w.Amount)
		}
	}
	for _, s := range []sample.StaffLoad{truth.Overloaded, truth.Underused} {
		planted = append(planted, s.Staff)
		if f, ok := find(findings, insight.StaffUtilization, s.Staff); !ok {
			miss("load of %s (%s)", s.Staff, s.Utilization)
		} else {
			equal("load of "+s.Staff, f.Value, s.Utilization)
		}
	}
	if f, ok := find(findings, insight.ClientConcentration, truth.LargestClient.Client); !ok {
		miss("largest client %s", truth.LargestClient.Client)
	} else {
		equal("share of "+truth.LargestClient.Client, f.Value, truth.LargestClient.Share)
	}
	if _, ok := find(findings, insight.SpendTrend, truth.RisingVendor.Vendor); !ok {
		miss("rising vendor %s", truth.RisingVendor.Vendor)
	}
	for _, f := range findings {
		switch f.Kind {
		case insight.LicenseWaste, insight.LicenseOverdeployment, insight.Leakage:
			if !lines[f.Subject.String()] {
				extra = append(extra, f.Headline)
			}
		case insight.ClientProfitability, insight.MarginDrop, insight.StaffUtilization:
			if !slices.Contains(planted, f.Subject.Value) {
				extra = append(extra, f.Headline)
			}
		case insight.AgreementProfitability:
			if !slices.ContainsFunc(planted, func(name string) bool { return strings.Contains(f.Subject.Value, "("+name+")") }) {
				extra = append(extra, f.Headline)
			}
		case insight.SpendTrend:
			if f.Subject.Value != truth.RisingVendor.Vendor {
				extra = append(extra, f.Headline)
			}
		default:
			if f.Kind != insight.ClientConcentration && f.Kind != insight.UnbilledWork {
				extra = append(extra, f.Headline)
			}
		}
	}
	return wrong, extra
}

// Every planted truth is found with its figure, its cause first among the drivers, and at
// most two findings are about something else.
func TestPlantedTruthsAreFound(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]sample.MSPOptions{
		"forty clients, two years":    {},
		"the same with other chances": {Seed: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, truth := msp(t, opt)
			x := newWorld(t)
			x.load(t, dir)
			findings := x.analyze(t)
			wrong, extra := judge(truth, findings)
			for _, w := range wrong {
				t.Error("missing or wrong: " + w)
			}
			if len(extra) > 2 {
				t.Errorf("%d findings that nothing is planted for:\n%s", len(extra), strings.Join(extra, "\n"))
			}
			checkForm(t, findings)
			explainTruths(t, x, truth)
		})
	}
}

// explainTruths checks that the explanation of each planted change names its cause first.
func explainTruths(t *testing.T, x *world, truth sample.Truth) {
	t.Helper()
	top := func(req insight.ExplainRequest) string {
		e := explain(t, x, req)
		if len(e.Drivers) == 0 {
			t.Errorf("%s where %s in %s: no drivers (%s)", req.Measure, req.Where, req.Period, e.Note)
			return ""
		}
		return e.Drivers[0].Name
	}
	quarter := func(from quantity.Day) quantity.Period { return quantity.Period{From: from, To: from.AddMonths(3)} }
	for _, d := range truth.MarginDrops {
		got := top(insight.ExplainRequest{Measure: "gross_margin", Where: fmt.Sprintf("client = %q", d.Client), Period: quarter(d.Month)})
		if strings.ReplaceAll(got, "_", " ") != string(d.Cause) {
			t.Errorf("the drop of %s in %s: first driver %s, planted %s", d.Client, d.Month, got, d.Cause)
		}
	}
	for _, l := range truth.LossClients {
		if !truth.Period.From.Before(l.Since) || l.Cause == sample.CauseUnderprice {
			continue // always so: nothing changed
		}
		got := top(insight.ExplainRequest{Measure: "gross_margin", Where: fmt.Sprintf("client = %q", l.Client), Period: quarter(l.Since)})
		if strings.ReplaceAll(got, "_", " ") != string(l.Cause) {
			t.Errorf("the loss of %s since %s: first driver %s, planted %s", l.Client, l.Since, got, l.Cause)
		}
	}
	spent := explain(t, x, insight.ExplainRequest{Measure: "expense_amount", By: []string{"vendor"}, Period: truth.Period, Versus: insight.YearAgo})
	fastest, growth := "", quantity.Decimal{}
	for _, d := range spent.Drivers {
		if d.From.Sign() > 0 && d.Contribution.DivRound(d.From, 6).GreaterThan(growth) {
			fastest, growth = d.Name, d.Contribution.DivRound(d.From, 6)
		}
	}
	if fastest != truth.RisingVendor.Vendor {
		t.Errorf("spend against a year ago: %s grew fastest, planted %s", fastest, truth.RisingVendor.Vendor)
	}
	sold := explain(t, x, insight.ExplainRequest{Measure: "revenue", By: []string{insight.Factors, "client"}, Period: truth.Period, Versus: insight.YearAgo})
	for factor, names := range map[string][]string{"new_clients": truth.NewClients, "lost_clients": truth.LostClients} {
		at := slices.IndexFunc(sold.Drivers, func(d insight.Driver) bool { return d.Name == factor })
		if at < 0 {
			continue // everybody has revenue in both years
		}
		for _, d := range sold.Drivers[at].Drivers {
			if !slices.Contains(names, d.Name) {
				t.Errorf("%s names %s; planted are %v", factor, d.Name, names)
			}
		}
	}
}

// checkForm checks what holds for every finding.
func checkForm(t *testing.T, findings []insight.Finding) {
	t.Helper()
	ids := map[string]bool{}
	for i, f := range findings {
		if f.ID == "" || ids[f.ID] {
			t.Errorf("%s: id %q is empty or used twice", f.Headline, f.ID)
		}
		ids[f.ID] = true
		if f.Headline == "" || f.Recommendation == "" || f.Snapshot == 0 || len(f.Confidence.Reasons) == 0 || len(f.Confidence.Components) == 0 {
			t.Errorf("%s %s: incomplete: %+v", f.Kind, f.Subject, f)
		}
		if strings.Contains(f.Headline+f.Recommendation, "%!") || f.Confidence.Score < 0 || f.Confidence.Score > 1 {
			t.Errorf("%s %s: %q, score %v", f.Kind, f.Subject, f.Headline+f.Recommendation, f.Confidence.Score)
		}
		if f.RequiresReview != (len(f.ReviewRules) > 0) || f.Confidence.Score < 0.7 && !f.RequiresReview {
			t.Errorf("%s %s: review %v by %v at %v", f.Kind, f.Subject, f.RequiresReview, f.ReviewRules, f.Confidence.Score)
		}
		if i > 0 && f.RequiresReview && !findings[i-1].RequiresReview {
			t.Errorf("%s %s needs review and comes after one that does not", f.Kind, f.Subject)
		}
		if f.Interval != nil && f.Interval.Low.GreaterThan(f.Interval.High) {
			t.Errorf("%s %s: interval %+v", f.Kind, f.Subject, f.Interval)
		}
		if f.Comparison == nil || f.Comparison.Change == nil {
			continue
		}
		sum := quantity.Decimal{}
		for _, d := range f.Drivers {
			sum = sum.Add(d.Contribution)
		}
		if !sum.Equal(*f.Comparison.Change) {
			t.Errorf("%s %s: drivers add up to %s, the change is %s", f.Kind, f.Subject, sum, f.Comparison.Change)
		}
	}
}
