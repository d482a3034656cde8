# Targets; `make help` lists them.
GO      ?= go
BIN     := bin/moatmetrics
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
DATA    ?= data

.PHONY: help demo build web e2e test lint eval-csv eval-match eval-import eval-insight bench fuzz soak generate verify test-deps clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | column -t -s '	'

demo: build ## Build all, load the demo MSP into ./data, print the top findings, serve on http://127.0.0.1:8080
	$(BIN) demo --data $(DATA)

build: web ## Build bin/moatmetrics, the web app in it
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/moatmetrics

web: ## Install the npm packages and build the web app, when its sources changed
	scripts/web.sh build

test: ## Everything CI runs: lint, tests on SQLite and PostgreSQL, reference checks
	scripts/test.sh

lint: ## gofmt, go vet, staticcheck; types, style and unit tests of the web app
	scripts/lint.sh
	scripts/web.sh check

bench: build ## Benchmarks against a bare DuckDB script in the same run (docs/benchmarks.md)
	scripts/bench.sh

eval-csv: ## Score the reading of CSV on public corpora (MOAT_DATA, docs/import.md)
	scripts/eval-csv.sh

eval-match: ## Measure name matching on public data (MOAT_DATA, docs/matching.md) and 100,000 names against as many
	$(GO) test -count=1 -v ./internal/match -run 'TestEval|TestAutomatic'
	$(GO) test -count=1 ./internal/match -run '^$$' -bench Match100k -benchtime 1x

eval-import: eval-csv eval-match ## All scores of the import: reading, recognition of columns, matching of names
	$(GO) test -count=1 -v ./internal/dataset -run TestEvalHeaders

eval-insight: ## Measure the statistics: false discoveries, levels and coverage by simulation, NAB (MOAT_DATA)
	MOAT_SOAK=1 $(GO) test -count=1 -timeout 1h -v ./internal/stats -run TestEval

fuzz: ## Run each fuzz target for 10 minutes (FUZZTIME)
	scripts/fuzz.sh $(or $(FUZZTIME),10m)

soak: test-deps ## The full repetitions: kills, simulations, fuzzing, 10M rows
	MOAT_SOAK=1 scripts/test.sh

e2e: build ## Only the walks through the web app in a real browser
	scripts/web.sh e2e

generate: ## Write generated files (docs/metrics.md, docs/openapi.json, web/src/api/schema.d.ts)
	$(GO) test -count=1 ./internal/metric -run TestTheMetricsPageIsCurrent -update
	$(GO) test -count=1 ./internal/httpapi -run TestTheOpenAPIDocumentIsCurrent -update
	scripts/web.sh types

verify: generate ## Fail when a generated file is not up to date
	git diff --exit-code -- docs web/src/api/schema.d.ts

test-deps: ## Install what only tests need (Chromium, PostgreSQL 15, Python packages)
	scripts/test-deps.sh

clean: ## Remove build output (never ./data)
	rm -rf bin .cache web/dist/app web/node_modules
