#!/bin/sh
# One Apache ZooKeeper of an ensemble, from the environment, by the names of its official image:
# ZOO_MY_ID, ZOO_SERVERS ("server.1=host:2888:3888;2181 server.2=..."), ZOO_DATA_DIR.
set -eu
: "${ZOO_MY_ID:?is not set}" "${ZOO_SERVERS:?is not set}"
data=${ZOO_DATA_DIR:-/data}
classpath=${ZOO_CLASSPATH:-/usr/share/java/*}
mkdir -p "$data"
echo "$ZOO_MY_ID" > "$data/myid"
{
  echo "dataDir=$data"
  echo 'tickTime=2000'
  echo 'initLimit=10'
  echo 'syncLimit=5'
  echo 'admin.enableServer=false'
  echo '4lw.commands.whitelist=srvr,ruok,mntr'
  for server in $ZOO_SERVERS; do echo "$server"; done
} > "$data/zoo.cfg"
exec java -Xmx512m -cp "$classpath" org.apache.zookeeper.server.quorum.QuorumPeerMain "$data/zoo.cfg"
