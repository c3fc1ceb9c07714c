#!/bin/sh
# Starts a broker: kafka-server-start.sh [-daemon] server.properties [--override property=value]*
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=$(dirname "$self")/$link ;; esac
done
home=$(cd "$(dirname "$self")/.." && pwd -P) || exit 1
program=$home/dist/broker.js
if [ ! -f "$program" ]; then
  echo "$program is missing: run npm ci first (in $home)." >&2
  exit 1
fi
daemon=
if [ "${1:-}" = -daemon ]; then
  daemon=yes
  shift
fi
if [ $# -lt 1 ]; then
  echo "USAGE: $0 [-daemon] server.properties [--override property=value]*" >&2
  exit 1
fi
# glibc gives back what it does not need: it otherwise keeps 5 MiB of what compiling took.
export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_-131072}"
# Node forgets that nohup has told to ignore SIGHUP: what was ignored from the start cannot be trapped, and dist/ is told.
PREKRAFT_NOHUP=yes
trap 'PREKRAFT_NOHUP=' HUP
kill -s HUP $$
trap - HUP
export PREKRAFT_NOHUP
[ -n "$daemon" ] || exec node "$program" "$@"
logs=${LOG_DIR:-$home/logs}
mkdir -p "$logs" || exit 1
PREKRAFT_NOHUP=yes nohup node "$program" "$@" > "$logs/kafkaServer.out" 2>&1 < /dev/null &
