#!/usr/bin/env bash
# Everything CI runs. MOAT_SOAK=1 runs the full repetitions.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/test-deps.sh
scripts/web.sh build
scripts/lint.sh
scripts/web.sh check
go build -trimpath -o bin/moatmetrics ./cmd/moatmetrics
export MOAT_PYTHON="$PWD/.cache/venv/bin/python"
server=$(mktemp -u /tmp/moat-pg-XXXXXXXX)
trap 'scripts/postgres.sh stop "$server"' EXIT
MOAT_TEST_POSTGRES=$(scripts/postgres.sh start "$server") # one server for all packages
export MOAT_TEST_POSTGRES
timeout=25m
[ -z "${MOAT_SOAK:-}" ] || timeout=12h
go test -vet=off -ldflags="-s -w" -timeout "$timeout" ./... # vet ran with the lint; what a debugger needs takes half of linking
fuzz=${MOAT_FUZZTIME:-10s}
[ -z "${MOAT_SOAK:-}" ] || fuzz=10m
scripts/fuzz.sh "$fuzz"
scripts/web.sh e2e
