#!/usr/bin/env bash
# Runs each fuzz target of the import, or of the packages named after it, for DURATION
# (default 10s). What a target finds is kept in its package's testdata/fuzz: fix it and
# commit the file, which is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
duration=${1:-10s}
shift || true
[ $# -gt 0 ] || set -- ./internal/dataset
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
failed=0
for package in "$@"; do
	go test -c -fuzz=. -o "$bin/fuzz" "$package" # once, with coverage
	for target in $(grep -hoE '^func Fuzz[A-Za-z0-9]+' "$package"/*_test.go | cut -c6- | sort); do
		(cd "$package" && "$bin/fuzz" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$duration" -test.fuzzcachedir "$bin/cache/$package" -test.fuzzminimizetime 5s) >"$bin/log" 2>&1 ||
			{ failed=1; tail -40 "$bin/log"; }
		echo "$target $(grep -E 'fuzz: elapsed' "$bin/log" | tail -1)"
	done
done
exit $failed
