#!/bin/sh
# Compares the embedded ZooKeeper with Apache's, which it starts: the jars of $PREKRAFT_ZOOKEEPER_CLASSPATH, of Kafka 3.9, or of
# Debian's package. With --record, what Apache answers becomes answers.txt (do that with 3.8.4 only).
cd "$(dirname "$0")/../.." || exit 1
PREKRAFT_LIVE_ZOOKEEPER=1
if [ "$1" = --record ]; then PREKRAFT_LIVE_ZOOKEEPER=record; fi
export PREKRAFT_LIVE_ZOOKEEPER
exec npx jest -w 1 test/zookeeper
