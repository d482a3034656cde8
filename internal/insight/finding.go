package insight

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Kind is a kind of analysis.
type Kind string

// The kinds. What a finding of each has at stake (Finding.MoneyAtStake) is money a year:
//
//   - ClientProfitability and AgreementProfitability: what is missing to the target margin.
//   - MarginDrop: the margin points lost since the drop × the revenue since then.
//   - LicenseWaste: the cost of the wasted seats.
//   - LicenseOverdeployment: the cost of the missing seats.
//   - UnbilledWork: the hours that are on no invoice, at their billing rates, once.
//   - Leakage: the price of the seats that are not billed.
//   - StaffUtilization: the cost of the hours above capacity, or of the hours not recorded.
//   - RevenueTrend and SpendTrend: the change a year along the trend when revenue falls or
//     spending rises, otherwise nothing.
//   - ClientConcentration: the gross profit (or, when unknown, revenue) of the largest client
//     above the share from which a single client counts as a risk.
const (
	ClientProfitability    Kind = "client_profitability"
	MarginDrop             Kind = "margin_drop"
	AgreementProfitability Kind = "agreement_profitability"
	LicenseWaste           Kind = "license_waste"
	LicenseOverdeployment  Kind = "license_overdeployment"
	UnbilledWork           Kind = "unbilled_work"
	Leakage                Kind = "leakage"
	StaffUtilization       Kind = "staff_utilization"
	RevenueTrend           Kind = "revenue_trend"
	SpendTrend             Kind = "spend_trend"
	ClientConcentration    Kind = "client_concentration"
)

// Subject is what a finding is about: the value of a dimension, or of two for a license
// line or an agreement. The whole firm has the dimension "firm" and no value.
type Subject struct {
	Dimension string `json:"dimension"`
	Value     string `json:"value"`
	// Within narrows the subject: the client of a license line or an agreement.
	Within *Subject `json:"within,omitempty"`
}

// String returns the subject for people: "Planner at Harbor Dental Group".
func (s Subject) String() string {
	switch {
	case s.Dimension == firm:
		return "the firm"
	case s.Within != nil:
		return s.Value + " at " + s.Within.Value
	}
	return s.Value
}

// firm is the dimension of a finding about everything.
const firm = "firm"

// Interval is where a value may lie.
type Interval struct {
	Low   quantity.Decimal `json:"low"`
	High  quantity.Decimal `json:"high"`
	Level float64          `json:"level"` // 0.9 is 90 %; 0 for a sensitivity band
	// Method says how it was made, and Of of what it is: "expected" is the coming period,
	// when the months vary as they did; "descriptive" is the past period, whose only doubt
	// is missing data.
	Method string `json:"method"`
	Of     string `json:"of"`
}

// Driver is what one input contributes to a change, in the measure's own unit.
type Driver struct {
	Name         string           `json:"name"`
	Contribution quantity.Decimal `json:"contribution"`
	From         quantity.Decimal `json:"from"` // the input before …
	To           quantity.Decimal `json:"to"`   // … and after
	// Part says that the driver is only a part of a change: From and To are 0 and mean nothing.
	Part bool `json:"part,omitempty"`
	// Of is what the drivers of this level are: a dimension, or Factors. Only where drivers
	// are opened.
	Of string `json:"of,omitempty"`
	// Drivers are what makes up this one; they add up to its contribution.
	Drivers []Driver `json:"drivers,omitempty"`
}

// Moved returns the drivers whose contribution is more than rounding when it is shown: half
// a tenth of a point of a ratio, half a cent of anything else.
func (f Finding) Moved() []Driver {
	least := decimal.New(5, -3)
	if f.Comparison != nil && f.Comparison.Unit == quantity.Ratio {
		least = decimal.New(5, -4)
	}
	return slices.DeleteFunc(slices.Clone(f.Drivers), func(d Driver) bool { return d.Contribution.Abs().LessThan(least) })
}

// Stake writes MoneyAtStake for people, in whole units: "$23,620".
func (f Finding) Stake() string {
	return inCurrency(f.Currency, currencyMark+grouped(f.MoneyAtStake.RoundBank(0).StringFixed(0)))
}

// Comparison is the same measure of the same subject in another period.
type Comparison struct {
	Label   string            `json:"label"` // "previous 12 months"
	Period  quantity.Period   `json:"period"`
	Value   *quantity.Decimal `json:"value"`  // null when it has none
	Change  *quantity.Decimal `json:"change"` // null when either value is missing
	Measure string            `json:"measure"`
	Unit    quantity.Unit     `json:"unit"`
	// Note says why drivers are missing or in money instead of the finding's unit.
	Note string `json:"note,omitempty"`
}

// Component is one visible part of a confidence.
type Component struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`  // 0 to 1, the share that was measured; 0 when nothing is known
	Weight float64 `json:"weight"` // in the geometric mean; 1 unless it matters less
	Reason string  `json:"reason"`
}

// Confidence says how far a value can be trusted.
type Confidence struct {
	Score      float64     `json:"score"` // 0 to 1
	Grade      string      `json:"grade"` // high, medium, low or no_answer
	Reasons    []string    `json:"reasons"`
	Components []Component `json:"components"`
	Quality    float64     `json:"quality"`    // q, the weighted geometric mean of the components
	HalfWidth  float64     `json:"half_width"` // h, relative to the decision scale
}

// Finding is one thing that deserves attention.
type Finding struct {
	ID string `json:"id"` // the same for the same kind, subject and period
	// Identity is the same for the same kind, subject and measure in every period: what people
	// decide and say about a finding stays with it.
	Identity string        `json:"identity"`
	Kind     Kind          `json:"kind"`
	Subject  Subject       `json:"subject"`
	Measure  string        `json:"measure"`
	Unit     quantity.Unit `json:"unit"`
	// Currency is the ISO 4217 code of all its amounts, "" when the data names none.
	Currency string            `json:"currency,omitempty"`
	Period   quantity.Period   `json:"period"`
	Value    *quantity.Decimal `json:"value"`
	// Interval is the 90 % interval of the expected value, null where there is none and the
	// value is exact (Reasons say so).
	Interval *Interval `json:"interval"`
	// Band is the sensitivity of the closed value to missing data.
	Band           *Interval         `json:"band,omitempty"`
	Confidence     Confidence        `json:"confidence"`
	Comparison     *Comparison       `json:"comparison"`
	Drivers        []Driver          `json:"drivers"`
	Recommendation string            `json:"recommendation"`
	RequiresReview bool              `json:"requires_review"`
	ReviewRules    []string          `json:"review_rules"`
	MoneyAtStake   quantity.Decimal  `json:"money_at_stake"` // a year; see Kind
	Headline       string            `json:"headline"`
	Facts          map[string]string `json:"facts"` // further figures by name, exact decimals or dates
	Assumptions    []string          `json:"assumptions"`
	// Query returns the figures behind the finding, and from them the rows.
	Query    metric.Query       `json:"query"`
	Snapshot warehouse.Snapshot `json:"snapshot"`
	// Standing is what people made of it, where that is asked for (Judge.Judged).
	Standing *Standing `json:"standing,omitempty"`
}

// identify gives the finding its stable id and its identity.
func (f *Finding) identify() {
	f.Identity = string(f.Kind) + ": " + f.Measure + " of " + f.Subject.Dimension + " " + strconv.Quote(f.Subject.Value)
	if f.Kind == RuleHolds {
		f.Identity += " by " + strconv.Quote(f.Facts["rule"])
	}
	if w := f.Subject.Within; w != nil {
		f.Identity += " at " + w.Dimension + " " + strconv.Quote(w.Value)
	}
	text := string(f.Kind) + "\x00" + f.Subject.Dimension + "\x00" + f.Subject.Value
	if f.Kind == RuleHolds {
		text += "\x00" + f.Facts["rule"]
	}
	if w := f.Subject.Within; w != nil {
		text += "\x00" + w.Dimension + "\x00" + w.Value
	}
	sum := sha256.Sum256([]byte(text + "\x00" + f.Period.String()))
	f.ID = hex.EncodeToString(sum[:8])
}
