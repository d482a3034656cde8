#!/usr/bin/env bash
# A throw-away PostgreSQL server that several test processes share:
#   scripts/postgres.sh start DIR   makes DIR, starts the server, prints its address
#   scripts/postgres.sh stop DIR    stops the server and removes DIR
# Export the address as MOAT_TEST_POSTGRES. Without it each test process starts a server of
# its own (package metadbtest). The server listens on a socket in DIR only, never writes to
# disk for safety (fsync off: it holds nothing that must last) and, when started by root,
# runs as the user postgres, because PostgreSQL refuses root. PostgreSQL 15 is installed
# with apt-get when there is none.
set -euo pipefail

usage() { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
[ $# = 2 ] && [ -n "$2" ] || usage
verb=$1
dir=$2
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_server() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && exec setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
	else
		(cd / && exec "$@")
	fi
}

# find_bin prints the folder of the newest installed server's programs, nothing if none.
find_bin() {
	local newest found
	newest=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 || true)
	found=${newest:-$(command -v initdb || true)}
	[ -z "$found" ] || dirname "$found"
}

start() {
	local bin log
	if [ -e "$dir" ]; then
		echo "postgres.sh: $dir exists already: name a folder that does not" >&2
		exit 1
	fi
	if [ ${#dir} -gt 85 ]; then
		echo "postgres.sh: $dir is too long a path for a socket (85 bytes at most)" >&2
		exit 1
	fi
	bin=$(find_bin)
	if [ -z "$bin" ]; then
		as_root apt-get update -q >&2
		as_root apt-get install -y -q --no-install-recommends postgresql-15 >&2
		bin=$(find_bin)
	fi
	if [ -z "$bin" ]; then
		echo "postgres.sh: there is no initdb in /usr/lib/postgresql/*/bin or on the PATH" >&2
		exit 1
	fi
	mkdir -p -m 0700 "$dir"
	trap 'status=$?; [ $status = 0 ] || { cat "$dir/log" >&2 2>/dev/null || true; rm -rf "$dir"; }' EXIT
	if [ "$(id -u)" = 0 ]; then
		chown postgres:postgres "$dir"
		if ! as_server test -w "$dir"; then
			echo "postgres.sh: the user postgres cannot reach $dir: name a folder below /tmp" >&2
			exit 1
		fi
	fi
	log=$dir/log
	as_server "$bin/initdb" -D "$dir/data" -U moat -A trust -N -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
	as_server "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$log" -o "-c listen_addresses='' -c unix_socket_directories='$dir' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=400 -c shared_buffers=128MB" start >/dev/null
	echo "postgres://moat@/postgres?host=$dir"
}

stop() {
	local bin
	if [ ! -e "$dir" ]; then
		return 0
	fi
	if [ ! -f "$dir/data/PG_VERSION" ]; then
		echo "postgres.sh: $dir holds no server that this script started" >&2
		exit 1
	fi
	bin=$(find_bin)
	if [ -f "$dir/data/postmaster.pid" ]; then
		as_server "$bin/pg_ctl" -D "$dir/data" -w -t 60 -m immediate stop >/dev/null || [ ! -f "$dir/data/postmaster.pid" ]
	fi
	rm -rf "$dir"
}

case $verb in
start) start ;;
stop) stop ;;
*) usage ;;
esac
