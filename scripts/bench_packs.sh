#!/usr/bin/env bash
# The quarterly reviews of 300 clients as PDF, made by one run of a schedule (target: 3 minutes
# on 2 cores). $1 is the program.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run() { "$1" --data "$work/data" "${@:2}"; }
run "$1" demo --clients 325 --no-serve >/dev/null
run "$1" report schedule add Packs --template client-qbr --every-client --cron "0 6 1 * *" >/dev/null
id=$(run "$1" report schedule list --json | grep -o '"id": *"[^"]*"' | head -1 | cut -d'"' -f4)
from=$(date +%s.%N)
"$1" --data "$work/data" report schedule run "$id" >/dev/null &
pid=$!
most=0
while kill -0 $pid 2>/dev/null; do
  now=$(awk '/VmHWM/ {print $2}' /proc/$pid/status 2>/dev/null || true)
  most=${now:-$most}
  sleep 0.5
done
wait $pid
made=$(run "$1" report list --limit 1000 --json | grep -c '"state": *"done"')
awk -v n="$made" -v from="$from" -v to="$(date +%s.%N)" -v kb="$most" \
  'BEGIN { s = to - from; printf "%d client packs as PDF: %.0f s, %.2f s each, greatest memory %.0f MB; 300 would take %.0f s\n", n, s, s / n, kb / 1024, 300 * s / n }'
