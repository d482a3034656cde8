package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/search"
)

func (s *server) searchRoutes(api huma.API) {
	get(api, "search", "/search", "Find clients, staff, agreements, products, findings, KPIs, boards, reports, their templates and questions by a part of their name, also misspelled", func(ctx context.Context, in *struct {
		Text  string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"what is looked for"`
		Limit int    `query:"limit" default:"20" minimum:"1" maximum:"100"`
	}) (*search.Answer, error) {
		return s.Search.Search(ctx, s.scope(ctx), in.Text, in.Limit)
	})
}
