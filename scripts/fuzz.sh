#!/usr/bin/env bash
# Runs each fuzz target there is, or those of the packages named after it, for DURATION (default
# 10s), two at a time. What a target finds is kept in its package's testdata/fuzz:
# fix it and commit the file, which is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
duration=${1:-10s}
shift || true
# shellcheck disable=SC2046 # paths without spaces
[ $# -gt 0 ] || set -- $(grep -rl '^func Fuzz' --include='*_test.go' ./internal | xargs -n 1 dirname | sort -u)
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
workers=$(($(nproc) / 2))
[ "$workers" -gt 0 ] || workers=1

# late says whether LOG's failure is nothing but the end of the time, which Go before 1.27 now and
# then reports as one: nothing was found, and no input was written (go.dev/issue/75804).
late() { # LOG
	! grep -qE 'Failing input written|panic|fatal error|exit status' "$1" &&
		[ "$(sed -n '/^--- FAIL/,$p' "$1" | sed -E '/^--- FAIL: .*\([0-9.]+s\)$/d; /^FAIL$/d; s/^ +//')" = "context deadline exceeded" ]
}

# Making inputs smaller would take most of a short run.
run() { # BIN DURATION WORKERS TARGET
	local log=$1/$4.log
	if "$1/fuzz" -test.run '^$' -test.fuzz "^$4\$" -test.fuzztime "$2" -test.fuzzminimizetime 1s -test.parallel "$3" -test.fuzzcachedir "$1/cache" >"$log" 2>&1; then
		echo "$4 $(grep 'fuzz: elapsed' "$log" | tail -1)"
	elif late "$log"; then
		echo "$4 $(grep 'fuzz: elapsed' "$log" | tail -1) (go.dev/issue/75804)"
	else
		tail -40 "$log"
		echo "$4 FAILED"
		return 1
	fi
}
export -f run late

failed=0
for package in "$@"; do
	go test -c -fuzz=. -o "$bin/fuzz" "$package" # once, with coverage
	targets=$(grep -hoE '^func Fuzz[A-Za-z0-9]+' "$package"/*_test.go | cut -c6- | sort)
	(cd "$package" && xargs -P 2 -I{} bash -c 'run "$@"' run "$bin" "$duration" "$workers" {} <<<"$targets") || failed=1
done
exit $failed
