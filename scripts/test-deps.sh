#!/usr/bin/env bash
# Installs what only tests need, when it is missing: Chromium and PostgreSQL 15 (Debian) and
# the pinned DuckDB with its official ducklake extension (PyPI) in .cache/venv.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
for tool in strace; do
	command -v "$tool" >/dev/null || { as_root apt-get update -q; as_root apt-get install -y -q --no-install-recommends "$tool"; }
done
if ! [ -x "${MOAT_CHROMIUM:-/usr/bin/chromium}" ]; then
	as_root apt-get update -q
	as_root apt-get install -y -q --no-install-recommends chromium
fi
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
	as_root apt-get update -q
	as_root apt-get install -y -q --no-install-recommends postgresql-15 || as_root apt-get install -y -q --no-install-recommends postgresql
fi
if [ ! -x .cache/venv/bin/python ] || ! .cache/venv/bin/python -c 'import duckdb' 2>/dev/null; then
	if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
		as_root apt-get update -q
		as_root apt-get install -y -q --no-install-recommends python3 python3-venv
	fi
	rm -rf .cache/venv
	python3 -m venv .cache/venv
	.cache/venv/bin/pip install -q -r scripts/requirements.txt
fi
