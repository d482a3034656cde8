package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// TrendInput asks for a measure over time.
type TrendInput struct {
	Measure string `query:"measure" required:"true"`
	Where   string `query:"where" doc:"condition such as client = \"X\""`
	From    string `query:"from" doc:"first month; without a period all complete months count"`
	To      string `query:"to" doc:"first month not included"`
}

// AnomaliesInput asks what stands out.
type AnomaliesInput struct {
	Measures string `query:"measures" doc:"names with commas between; revenue, labor and direct cost, hours and tickets when left out"`
	By       string `query:"by" doc:"dimension: each of its members has a series of its own; the firm as a whole when left out"`
	Where    string `query:"where" doc:"condition such as client = \"X\""`
	From     string `query:"from" doc:"first month; without a period all complete months count"`
	To       string `query:"to" doc:"first month not included"`
	Recent   int    `query:"recent" minimum:"0" maximum:"36" doc:"how many of the last months are judged; 3 when left out"`
}

// CorrelationsInput asks how measures go together.
type CorrelationsInput struct {
	Measures string `query:"measures" required:"true" doc:"2 to 12 names with commas between: every pair of them"`
	By       string `query:"by" required:"true" doc:"dimension whose members are the points; month pairs months in their order"`
	Where    string `query:"where" doc:"condition such as industry = \"Legal\""`
	Controls string `query:"controls" doc:"measures whose influence is taken out, with commas between"`
	From     string `query:"from" doc:"first month; without a period the last twelve complete months count, by month all of them"`
	To       string `query:"to" doc:"first month not included"`
}

func (s *server) trendRoutes(api huma.API) {
	get(api, "get-trend", "/trend", "How a measure moves over time: trend, season, changes of level, months that stand out", func(ctx context.Context, in *TrendInput) (*insight.TrendReport, error) {
		period, err := quantity.ParsePeriod(in.From, in.To)
		if err != nil {
			return nil, err
		}
		return s.Insights.Trend(ctx, s.scope(ctx), insight.TrendRequest{Measure: in.Measure, Where: in.Where, Period: period})
	})
	get(api, "list-anomalies", "/anomalies", "Months that stand out of many series, at a rate of at most one in ten false", func(ctx context.Context, in *AnomaliesInput) (*insight.AnomalyReport, error) {
		period, err := quantity.ParsePeriod(in.From, in.To)
		if err != nil {
			return nil, err
		}
		return s.Insights.Anomalies(ctx, s.scope(ctx), insight.AnomalyRequest{Measures: list(in.Measures), By: in.By, Where: in.Where, Period: period, Recent: in.Recent})
	})
	get(api, "list-correlations", "/correlations", "How measures go together, each coefficient with its interval, adjusted p and warnings", func(ctx context.Context, in *CorrelationsInput) (*insight.Correlations, error) {
		period, err := quantity.ParsePeriod(in.From, in.To)
		if err != nil {
			return nil, err
		}
		return s.Insights.Correlate(ctx, s.scope(ctx), insight.CorrelationRequest{Measures: list(in.Measures), By: in.By, Where: in.Where, Controls: list(in.Controls), Period: period})
	})
}
