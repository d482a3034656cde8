// Package insight says what deserves attention, why, how sure that is, and what to do.
//
// It owns the analyses and their findings, the exact attribution of a change to its
// inputs, confidence, recommendations and the rules by which a person must look. It does
// not own numbers: every figure comes from metric.Catalog.Run. Two things are read from
// the warehouse beside it, because no metric is about them: how complete the input is,
// and what licenses, agreements and projects state.
//
// Nouns. A Finding is one thing that deserves attention. A Driver is what one input
// contributes to a change; the drivers of a change add up to it. An Explanation is the
// attribution of one measure's change on demand (explain.go; explain_open.go opens its
// drivers). A Ranking is who is worst at a measure most probably. A RiskComponent is one part
// of what may go wrong with a client or project, held against its limit. A Benchmark is a figure beside
// bands, its history and peers; other tenants' figures are read by peer_draw.go alone and
// leave it only as differentially private releases.
package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Options tunes a Service. The zero value is ready to use.
type Options struct {
	// Thresholds say what deserves attention. Fields that are zero take their default.
	Thresholds Thresholds
	// Now is the clock that tells which months are over. Nil means time.Now.
	Now func() time.Time
}

// Thresholds say what deserves attention and what a person must review. Ratios are
// fractions. A zero field means its default (see Defaults).
type Thresholds struct {
	// What becomes a finding.
	TargetMargin quantity.Decimal `json:"target_margin"`  // margin that recommendations aim at
	LowMargin    quantity.Decimal `json:"low_margin"`     // clients and agreements below it
	MarginDrop   quantity.Decimal `json:"margin_drop"`    // fall of a client's margin that stays
	LicenseUse   quantity.Decimal `json:"license_use"`    // license lines used less than this …
	LicenseMoney quantity.Decimal `json:"license_money"`  // … and wasting at least this a month
	StaffOver    quantity.Decimal `json:"staff_over"`     // utilization above it
	StaffUnder   quantity.Decimal `json:"staff_under"`    // utilization below it
	Trend        quantity.Decimal `json:"trend"`          // change a year, up or down
	ClientShare  quantity.Decimal `json:"client_share"`   // largest client's share of revenue
	ClientHHI    quantity.Decimal `json:"client_hhi"`     // concentration over all clients
	MoneyAtStake quantity.Decimal `json:"money_at_stake"` // findings below this a year are left out
	// What a person must review.
	ReviewConfidence  quantity.Decimal `json:"review_confidence"`  // score below
	ReviewLicenseUse  quantity.Decimal `json:"review_license_use"` // license utilization below
	ReviewMargin      quantity.Decimal `json:"review_margin"`      // margin below; 0 unless set
	ReviewTrend       quantity.Decimal `json:"review_trend"`       // change a year above, up or down
	ReviewUtilization quantity.Decimal `json:"review_utilization"` // utilization above
}

// Defaults returns the thresholds that hold unless they are set: target margin 45 %, low
// margin 20 %, drop 12 points, licenses used under 70 % and wasting 50 a month, staff over
// 120 % or under 50 %, trend 20 % a year, one client 15 % of revenue, HHI 0.25, 120 a year
// at stake; review under 0.7 confidence, under 30 % license use, negative margin, over 20 %
// trend, over 120 % utilization.
func Defaults() Thresholds {
	return Thresholds{
		TargetMargin: number(45, 2), LowMargin: number(20, 2), MarginDrop: number(12, 2),
		LicenseUse: number(70, 2), LicenseMoney: number(50, 0),
		StaffOver: number(120, 2), StaffUnder: number(50, 2), Trend: number(20, 2),
		ClientShare: number(15, 2), ClientHHI: number(25, 2), MoneyAtStake: number(120, 0),
		ReviewConfidence: number(70, 2), ReviewLicenseUse: number(30, 2), ReviewMargin: number(0, 0),
		ReviewTrend: number(20, 2), ReviewUtilization: number(120, 2),
	}
}

// withDefaults fills the fields that are zero.
func (t Thresholds) withDefaults() Thresholds {
	d := Defaults()
	for _, f := range []struct{ set, standard *quantity.Decimal }{
		{&t.TargetMargin, &d.TargetMargin}, {&t.LowMargin, &d.LowMargin}, {&t.MarginDrop, &d.MarginDrop},
		{&t.LicenseUse, &d.LicenseUse}, {&t.LicenseMoney, &d.LicenseMoney}, {&t.StaffOver, &d.StaffOver},
		{&t.StaffUnder, &d.StaffUnder}, {&t.Trend, &d.Trend}, {&t.ClientShare, &d.ClientShare},
		{&t.ClientHHI, &d.ClientHHI}, {&t.MoneyAtStake, &d.MoneyAtStake}, {&t.ReviewConfidence, &d.ReviewConfidence},
		{&t.ReviewLicenseUse, &d.ReviewLicenseUse}, {&t.ReviewTrend, &d.ReviewTrend}, {&t.ReviewUtilization, &d.ReviewUtilization},
	} {
		if f.set.IsZero() {
			*f.set = *f.standard
		}
	}
	return t
}

// Service runs the analyses. It is safe for concurrent use.
type Service struct {
	metrics    *metric.Catalog
	warehouse  *warehouse.Warehouse
	thresholds Thresholds
	now        func() time.Time
}

// New returns a Service over the metrics of c; w gives the snapshot and data quality.
func New(c *metric.Catalog, w *warehouse.Warehouse, opt Options) *Service {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Service{metrics: c, warehouse: w, thresholds: opt.Thresholds.withDefaults(), now: opt.Now}
}

// Thresholds returns what deserves attention and what a person must review, as it is set.
func (s *Service) Thresholds() Thresholds { return s.thresholds }

// analysis is one run over one snapshot and period.
type analysis struct {
	Thresholds
	reader
	period, previous quantity.Period
	quality          quality
	house            string             // see reader.house
	forms            map[string]formula // by measure
	findings         []Finding
}

// Analyze runs all analyses over period and returns what deserves attention: first what a
// person must review, then by money at stake × confidence. A zero period means the last
// twelve complete months of data, fewer when there are fewer; an open or partial one is
// narrowed to its whole months. What the asker may not see makes no finding.
//
// Errors: Invalid when the period holds no whole month, and what metric.Catalog.Run returns.
func (s *Service) Analyze(ctx context.Context, scope tenant.Scope, period quantity.Period) ([]Finding, error) {
	a, err := s.begin(ctx, scope, period)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return []Finding{}, nil // nothing imported yet
	}
	for _, one := range []struct {
		name string
		run  func(context.Context) error
		// shows is what no finding of it could be without.
		shows tenant.Class
	}{
		{"clients", a.clients, tenant.Margin}, {"agreements", a.agreements, tenant.Margin}, {"licenses", a.licenses, tenant.Cost}, {"unbilled work", a.unbilledWork, ""}, {"leakage", a.leaks, ""},
		{"staff", a.staff, tenant.Personal}, {"trends", a.trends, ""}, {"concentration", a.concentration, ""}, {"own rules", a.rules, ""},
	} {
		if !scope.Rights.Sees(one.shows) {
			continue
		}
		if err := one.run(ctx); err != nil && fault.KindOf(err) != fault.Forbidden {
			return nil, fmt.Errorf("analysis of %s: %w", one.name, err)
		}
	}
	sortFindings(a.findings)
	return a.findings, nil
}

// begin prepares the analyses of a period; it is nil when nothing is imported yet.
func (s *Service) begin(ctx context.Context, scope tenant.Scope, period quantity.Period) (*analysis, error) {
	a, err := s.analysis(ctx, scope)
	if err != nil {
		return nil, err
	}
	complete, err := a.completeMonths(ctx, quantity.DayOf(s.now().UTC()))
	if err != nil {
		return nil, fmt.Errorf("analyses: %w", err)
	}
	if !complete.Bounded() {
		return nil, nil
	}
	if period, err = within(period, complete); err != nil {
		return nil, err
	}
	return a, a.over(ctx, period)
}

// analysis is one of the current snapshot, over no months yet.
func (s *Service) analysis(ctx context.Context, scope tenant.Scope) (*analysis, error) {
	r, err := s.open(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("analyses: %w", err)
	}
	r.oneCurrency, r.lenient = true, true
	a := &analysis{Thresholds: s.thresholds, reader: r}
	if a.forms, err = formulasOf(s.metrics, "gross_profit", "gross_margin", "effective_hourly_rate", "utilization", licenseWaste, overCost); err != nil {
		return nil, fmt.Errorf("analyses: %w", err)
	}
	return a, nil
}

// over has an analysis look at some months.
func (a *analysis) over(ctx context.Context, period quantity.Period) (err error) {
	a.period, a.previous = period, period.Previous()
	if a.house, err = a.reader.house(ctx); err != nil {
		return fmt.Errorf("analyses: %w", err)
	}
	if a.quality, err = a.measureQuality(ctx, a.period); err != nil {
		return fmt.Errorf("analyses: data quality: %w", err)
	}
	return nil
}

// report completes a finding and keeps it. Findings about earnings and waste are left out
// when too little is at stake; the others are about more than money.
func (a *analysis) report(f Finding) {
	switch f.Kind {
	case ClientProfitability, MarginDrop, AgreementProfitability, LicenseWaste, UnbilledWork, Leakage:
		if f.MoneyAtStake.LessThan(a.MoneyAtStake) {
			return
		}
	}
	f.MoneyAtStake = f.MoneyAtStake.RoundBank(2)
	f.Currency = cmp.Or(f.Currency, a.house)
	f.Headline, f.Recommendation = inCurrency(f.Currency, f.Headline), inCurrency(f.Currency, f.Recommendation)
	f.Snapshot = a.snapshot
	f.Query.Snapshot = a.snapshot
	a.review(&f)
	f.identify()
	if f.Drivers == nil {
		f.Drivers = []Driver{}
	}
	if f.Assumptions == nil {
		f.Assumptions = []string{}
	}
	a.findings = append(a.findings, f)
}

// review applies the rules by which a person must look at a finding.
func (a *analysis) review(f *Finding) {
	f.ReviewRules = []string{}
	when := func(hit bool, rule string) {
		if hit {
			f.ReviewRules = append(f.ReviewRules, rule)
		}
	}
	when(f.Confidence.Score < float(a.ReviewConfidence), fmt.Sprintf("confidence below %s", a.ReviewConfidence))
	if f.Value != nil {
		switch f.Kind {
		case LicenseWaste:
			if use, err := quantity.ParseDecimal(f.Facts["license_utilization"]); err == nil {
				when(use.LessThan(a.ReviewLicenseUse), "license utilization under "+percent(a.ReviewLicenseUse))
			}
		case ClientProfitability, MarginDrop, AgreementProfitability:
			if margin, err := quantity.ParseDecimal(f.Facts["margin"]); err == nil {
				when(margin.LessThan(a.ReviewMargin), "negative margin")
			} else {
				when(f.Measure == "gross_profit" && f.Value.Sign() < 0, "negative margin")
			}
		case RuleHolds:
			when(f.Facts["then"] == metric.ThenReview, "rule "+f.Facts["rule"])
		case RevenueTrend, SpendTrend:
			when(f.Value.Abs().GreaterThan(a.ReviewTrend), "trend over "+percent(a.ReviewTrend)+" a year")
		case StaffUtilization:
			when(f.Value.GreaterThan(a.ReviewUtilization), "utilization over "+percent(a.ReviewUtilization))
		}
	}
	f.RequiresReview = len(f.ReviewRules) > 0
}

// sortFindings puts findings that need review first, then the largest money at stake ×
// confidence, then by id so that the order is always the same.
func sortFindings(all []Finding) {
	weight := func(f Finding) float64 { return float(f.MoneyAtStake) * f.Confidence.Score }
	slices.SortStableFunc(all, func(a, b Finding) int {
		if a.RequiresReview != b.RequiresReview {
			if a.RequiresReview {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(weight(b), weight(a)), cmp.Compare(a.ID, b.ID))
	})
}
