package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func (s *server) repriceRoutes(api huma.API) {
	get(api, "list-reprices", "/reprices", "What each running agreement should cost a month, by three methods, and from when", s.reprices)
	get(api, "list-reconciliations", "/reconciliations", "Revenue beside the ledger, labor beside payroll, and why other systems differ", s.reconciliations)
}

// RepriceInput says what prices are set for.
type RepriceInput struct {
	AnalysesInput
	Margin     string `query:"margin" doc:"wanted margin as a fraction; 0.45 unless given"`
	Efficiency string `query:"efficiency" doc:"wanted labor revenue over shadow billable value; 1 unless given"`
	Rate       string `query:"rate" doc:"wanted money for an hour; each agreement's target rate unless given, else what its hours are billed at elsewhere"`
	NoticeDays int    `query:"notice_days" minimum:"0" maximum:"3660" doc:"days of notice before a new price; 0 is 30"`
	Cap        string `query:"cap" doc:"most that a price rises at once, as a fraction; 0.25 unless given"`
}

func (s *server) reprices(ctx context.Context, in *RepriceInput) (*insight.RepriceSheet, error) {
	req := insight.RepriceRequest{RepriceSettings: insight.RepriceSettings{NoticeDays: in.NoticeDays}}
	var err error
	if req.Period, err = quantity.ParsePeriod(in.From, in.To); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name, text string
		into       *quantity.Decimal
	}{{"margin", in.Margin, &req.Margin}, {"efficiency", in.Efficiency, &req.Efficiency}, {"rate", in.Rate, &req.Rate}, {"cap", in.Cap, &req.Cap}} {
		if f.text == "" {
			continue
		}
		if *f.into, err = quantity.ParseDecimal(f.text); err != nil {
			return nil, fault.WithFields(f.name+" is not a number", fault.Field{Path: f.name, Message: "write a number such as 0.45"})
		}
	}
	return s.Insights.Reprices(ctx, s.scope(ctx), req)
}

func (s *server) reconciliations(ctx context.Context, in *AnalysesInput) (*insight.Reconciliation, error) {
	period, err := quantity.ParsePeriod(in.From, in.To)
	if err != nil {
		return nil, err
	}
	return s.Insights.Reconcile(ctx, s.scope(ctx), period)
}
