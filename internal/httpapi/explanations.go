package httpapi

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func (s *server) explanationRoutes(api huma.API) {
	get(api, "explain", "/explain", "What drove a measure, adding up exactly", s.explain)
	get(api, "rank", "/rankings", "Who is worst at a measure most probably, small ones drawn towards the others", s.rank)
}

func (s *server) explain(ctx context.Context, in *struct {
	Measure    string   `query:"measure"`
	Where      string   `query:"where"`
	From       string   `query:"from"`
	To         string   `query:"to"`
	Versus     string   `query:"versus" doc:"previous (default), year_ago, portfolio, where (the other cell) or snapshot"`
	OtherWhere string   `query:"other_where" doc:"condition of the other cell, with versus=where"`
	OtherFrom  string   `query:"other_from" doc:"first day of the other cell, with versus=where"`
	OtherTo    string   `query:"other_to" doc:"first day not included in the other cell"`
	Snapshot   int64    `query:"versus_snapshot" doc:"the earlier snapshot, with versus=snapshot"`
	Depth      int      `query:"depth" minimum:"0" maximum:"4" doc:"levels of drivers; 0 is 1"`
	By         []string `query:"by" doc:"what the drivers of each level are: dimensions or factors"`
	AsSeen     bool     `query:"as_seen" doc:"compare with the earlier period as it was known then; corrections are a driver"`
	Below      string   `query:"below" doc:"also say how probable a value below this is"`
	Brief      bool     `query:"brief" doc:"without the drivers of a measure that adds up: quicker"`
}) (*insight.Explanation, error) {
	req := insight.ExplainRequest{Measure: in.Measure, Where: in.Where, Versus: in.Versus, Against: insight.Against{Where: in.OtherWhere},
		Snapshot: warehouse.Snapshot(in.Snapshot), Depth: in.Depth, By: in.By, AsSeen: in.AsSeen, Brief: in.Brief}
	var err error
	if req.Period, err = quantity.ParsePeriod(in.From, in.To); err != nil {
		return nil, err
	}
	if req.Against.Period, err = quantity.ParsePeriod(in.OtherFrom, in.OtherTo); err != nil {
		return nil, err
	}
	if req.Below, err = limitParam("below", in.Below); err != nil {
		return nil, err
	}
	return s.Insights.Explain(ctx, s.scope(ctx), req)
}

func (s *server) rank(ctx context.Context, in *struct {
	Measure string `query:"measure"`
	By      string `query:"by" doc:"the dimension whose members are ranked; client by default"`
	Where   string `query:"where" doc:"condition such as industry = \"Legal\""`
	From    string `query:"from" doc:"first month; without a period the last 12 complete months count"`
	To      string `query:"to" doc:"first month not included"`
	Limit   string `query:"limit" doc:"rank by the probability of being worse than this; each measure has its own"`
	Top     int    `query:"top" minimum:"0" maximum:"10000" doc:"the most rows; 0 is all"`
}) (*insight.Ranking, error) {
	req := insight.RankRequest{Measure: in.Measure, By: in.By, Where: in.Where, Top: in.Top}
	var err error
	if req.Period, err = quantity.ParsePeriod(in.From, in.To); err != nil {
		return nil, err
	}
	if req.Limit, err = limitParam("limit", in.Limit); err != nil {
		return nil, err
	}
	return s.Insights.Rank(ctx, s.scope(ctx), req)
}

// limitParam reads a number that may be missing.
func limitParam(name, text string) (*quantity.Decimal, error) {
	if text == "" {
		return nil, nil
	}
	limit, err := quantity.ParseDecimal(text)
	if err != nil {
		return nil, fault.WithFields(fmt.Sprintf("%q is not a number", text), fault.Field{Path: name, Message: "must be a number such as 0 or 0.25"})
	}
	return &limit, nil
}
