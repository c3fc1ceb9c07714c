#!/bin/sh
# Stops every embedded ZooKeeper of this user; servers of other makes are left alone.
signal=${SIGNAL:-TERM}
pids=$(ps -u "$(id -u)" -o pid= -o args= | awk '$2 == "prekraft-zookeeper" { print $1 }')
if [ -z "$pids" ]; then
  echo "No zookeeper server to stop"
  exit 1
fi
# shellcheck disable=SC2086 # one argument per process
kill -s "$signal" $pids
