#!/bin/sh
# Runs the program of dist/ that has the name of this file, wherever links to it stand.
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=$(dirname "$self")/$link ;; esac
done
home=$(cd "$(dirname "$self")/.." && pwd -P) || exit 1
program=$home/dist/$(basename "$self" .sh).js
if [ ! -f "$program" ]; then
  echo "$program is missing: run npm ci first (in $home)." >&2
  exit 1
fi
# Node forgets that nohup has told to ignore SIGHUP: what was ignored from the start cannot be trapped, and dist/ is told.
PREKRAFT_NOHUP=yes
trap 'PREKRAFT_NOHUP=' HUP
kill -s HUP $$
trap - HUP
export PREKRAFT_NOHUP
exec node "$program" "$@"
