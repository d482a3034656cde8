package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// BenchmarksInput asks what figures compare with.
type BenchmarksInput struct {
	Measures string `query:"measures" doc:"names with commas between; those that are usually compared when left out"`
	Client   string `query:"client" maxLength:"400" doc:"one client, among the other clients; the firm as a whole when left out"`
	From     string `query:"from" doc:"first month; without a period the last twelve complete months count"`
	To       string `query:"to" doc:"first month not included"`
}

func (s *server) benchmarkRoutes(api huma.API) {
	get(api, "list-benchmarks", "/benchmarks", "Figures beside published bands, their own history, and peers", func(ctx context.Context, in *BenchmarksInput) (*insight.BenchmarkReport, error) {
		period, err := quantity.ParsePeriod(in.From, in.To)
		if err != nil {
			return nil, err
		}
		return s.Benchmarks.Benchmark(ctx, s.scope(ctx), insight.BenchmarkRequest{Measures: list(in.Measures), Client: in.Client, Period: period})
	})
	get(api, "get-peers", "/peers", "Whether this tenant takes part in the comparison with other tenants, what that shares, what was spent", func(ctx context.Context, _ *none) (insight.PeerStatus, error) {
		return s.Benchmarks.Status(ctx, s.scope(ctx))
	})
	send(api, http.MethodPut, http.StatusOK, "join-peers", "/peers", "Take part in the comparison with other tenants", func(ctx context.Context, _ *none) (insight.PeerStatus, error) {
		return s.Benchmarks.Join(ctx, s.scope(ctx))
	})
	send(api, http.MethodDelete, http.StatusOK, "leave-peers", "/peers", "Take no part any more; what was drawn from this tenant's figures is removed", func(ctx context.Context, _ *none) (insight.PeerStatus, error) {
		return s.Benchmarks.Leave(ctx, s.scope(ctx))
	})
}
