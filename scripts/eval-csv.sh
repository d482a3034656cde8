#!/usr/bin/env bash
# Scores the reading of delimited text on public corpora: e_csv below MOAT_DATA, by default
# ../shared/data beside the repository; docs/import.md describes what is measured.
# MOAT_POLLOCK may name the folder polluted_files of the Pollock benchmark's repository:
# then all of its files are scored, too.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$(realpath -m "${MOAT_DATA:-../shared/data}")
if [ ! -d "$data/e_csv" ]; then
	echo "the public test data is not here: $data/e_csv is missing; set MOAT_DATA to the folder that holds e_csv" >&2
	exit 2
fi
export MOAT_DATA=$data
if [ -n "${MOAT_POLLOCK:-}" ]; then
	MOAT_POLLOCK=$(realpath "$MOAT_POLLOCK")
	export MOAT_POLLOCK
fi
go test -count=1 -v ./internal/dataset -run 'TestEval|TestTheSpectrum|TestNoCharacter' | grep -v '^=== ' | sed -E 's/^ *eval_test.go:[0-9]+: //'
