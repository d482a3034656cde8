#!/usr/bin/env bash
# gofmt, go vet and staticcheck over the whole module; prints what to mend.
set -euo pipefail
cd "$(dirname "$0")/.."
unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	echo "gofmt these files:"; echo "$unformatted"; exit 1
fi
go vet ./...
go tool staticcheck ./...
