#!/usr/bin/env bash
# The web app: `web.sh build` installs the pinned npm packages when needed and fills
# web/dist/app; `web.sh check` type-checks, lints and runs the unit tests; `web.sh e2e`
# walks through the built program in a real browser.
set -euo pipefail
cd "$(dirname "$0")/../web"

install() {
	# The lock file says when the packages on disk are not those asked for.
	if ! cmp -s package-lock.json node_modules/.moat-lock 2>/dev/null; then
		npm ci --no-audit --no-fund --loglevel=error
		cp package-lock.json node_modules/.moat-lock
	fi
}

# newer says whether any source is newer than the built app.
newer() {
	[ ! -f dist/app/index.html ] || [ -n "$(find src public index.html vite.config.ts package-lock.json -newer dist/app/index.html -print -quit)" ]
}

case "${1:-build}" in
build)
	install
	if newer; then npx vite build --logLevel warn; fi
	;;
check)
	install
	drift=$(mktemp)
	npx openapi-typescript ../docs/openapi.json -o "$drift" >/dev/null 2>&1
	cmp -s "$drift" src/api/schema.d.ts || { echo "src/api/schema.d.ts is not that of docs/openapi.json: run make generate"; exit 1; }
	rm -f "$drift"
	npm run -s check
	npm run -s lint
	npx vitest run
	;;
e2e)
	install
	demo=$(mktemp -d)
	trap 'rm -rf "$demo"' EXIT
	"${MOAT_PROGRAM:-../bin/moatmetrics}" demo --no-serve --data "$demo/data" >/dev/null # copied for each file
	MOAT_E2E_DEMO="$demo/data" node --test --test-concurrency=2 e2e/
	;;
types)
	install
	npm run -s types
	;;
*)
	echo "web.sh build|check|e2e|types" >&2
	exit 2
	;;
esac
