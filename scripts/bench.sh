#!/usr/bin/env bash
# Benchmarks in one run, as ratios to a bare DuckDB script (docs/benchmarks.md).
# MOAT_BENCH_LOGS: time entries of the import comparison (default 1,000,000).
# MOAT_BENCH_BIG: time entries of the serving benchmark (default the same; 10000000 for the full one).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/test-deps.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
logs=${MOAT_BENCH_LOGS:-1000000}
big=${MOAT_BENCH_BIG:-$logs}
go run ./scripts/workload -out "$work/files" -logs "$logs"
[ "$big" = "$logs" ] || go run ./scripts/workload -out "$work/big" -logs "$big"
.cache/venv/bin/python scripts/bench.py bin/moatmetrics "$work" "$logs" "$big"
# Analyses of 300 clients by every measure, and a bootstrap of a margin (targets 10 s, 1 GB, 20 ms).
go test -run '^$' -bench EveryMeasureOfEveryClient -benchtime 1x ./internal/insight
go test -run '^$' -bench 'BootstrapRatio$' ./internal/stats
dirty=$work/files
[ "$big" = "$logs" ] || dirty=$work/big
.cache/venv/bin/python scripts/bench_import.py bin/moatmetrics "$work" "$work/files/time_logs.csv" "$dirty/time_logs.csv"
# The dashboard under rights, by turns with the owner's (target 1.2 for each of its questions).
MOAT_BENCH_BIG=$big go test -v -run '^$' -bench ScopedDashboard -benchtime 1x -timeout 1h ./internal/metric
# Reports: 20 pages of PDF (targets 1 s, 60 MB), 100,000 rows of 10 columns beside the bare library
# (1.3), a deck of 12 slides (0.3 s), and the quarterly reviews of 300 clients (3 minutes).
go test -run '^$' -bench TwentyPages ./internal/document/pdf
go test -run '^$' -bench 'Rows$|Bare$' -benchtime 5x ./internal/document/xlsx
go test -run '^$' -bench Deck ./internal/document/pptx
scripts/bench_packs.sh bin/moatmetrics
