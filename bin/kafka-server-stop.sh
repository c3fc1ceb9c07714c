#!/bin/sh
# Stops every prekraft broker of this user by a controlled shutdown; brokers of other makes are left alone.
signal=${SIGNAL:-TERM}
pids=$(ps -u "$(id -u)" -o pid= -o args= | awk '$2 == "prekraft-broker" { print $1 }')
if [ -z "$pids" ]; then
  echo "No kafka server to stop"
  exit 1
fi
# shellcheck disable=SC2086 # one argument per process
kill -s "$signal" $pids
