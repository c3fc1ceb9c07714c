import { IS_OLDER } from './jars'

/**
 * What either kind logs in an all-Apache cluster, too. Behind the line stands the exception that it tells of, if any. A `broker`
 * that a pattern names is one that was ended, started or stood still lately: of any other the same line is not usual.
 */
const USUAL: readonly RegExp[] = [
  /Connection to node (?<broker>\d+) \(\S+\) could not be established\. (Node|Broker) may not be available\./,
  /\[RequestSendThread .* Controller \d+'s connection to broker \S+ \(id: (?<broker>\d+) rack: null\) was unsuccessful/,
  /\[RequestSendThread .* fails to send request .* to broker \S+ \(id: (?<broker>\d+) rack: null\)\. Reconnecting to broker/,
  /\[RequestSendThread .* fails to send a request to broker \S+ \(id: (?<broker>\d+) rack: null\)/,
  // A controller that has lost its office.
  /\[RequestSendThread .* fails to send a request to broker .*java\.lang\.InterruptedException/,
  /\[RequestSendThread .* fails to send request .* java\.io\.IOException: Client was shutdown before response was read$/,
  /leaderId=(?<broker>\d+), fetcherId=\d+\] Error when sending leader epoch request/,
  /leaderId=(?<broker>\d+), fetcherId=\d+\] Error in response for fetch request/,
  // The follower hears of a new epoch after the leader.
  /Partition \S+ marked as failed \(kafka\.server\.ReplicaFetcherThread\)/,
  // A 2.8 takes the answer to a change of the ISR in two steps, and a follower's fetch may come between.
  /Failed to enqueue ISR change state/,
  /^\S+ \[[^\]]*\] ERROR \[KafkaApi-\d+\] Error when handling request: .* api=FETCH, version=12,(?!.*NullPointerException)/,
  // A controller that was deposed a moment ago.
  /A controller has been elected but just resigned/,
  /"error":"STALE_CONTROLLER_EPOCH","msg":"control request refused"/,
  // For the broker that had this id and these ports before.
  /STALE_BROKER_EPOCH|stale broker epoch/,
  /from an old controller|its controller epoch \d+ is old/,
  /Unexpected error handling request RequestHeader\(apiKey=UPDATE_METADATA.* \S+\.ControllerMovedException/,
  // The coordinator, or a leader that gets markers, was killed.
  /AddPartitionsToTxnRequest failed for node (?<broker>\d+) with a network exception/,
  /"brokerId":(?<broker>\d+),.*a coordinator did not answer/,
  // A new leader learns of the last acknowledged batches a moment after its followers.
  /Non-monotonic update of high watermark from .* \(kafka\.log\.(UnifiedLog|Log)\)/,
  // It stood still, or has not had the time that it needs.
  /Session 0x\w+ for server \S+ Closing socket connection\. Attempting reconnect/,
  /Client session timed out, have not heard from server in \d+ms/,
  /^b(?<broker>\d+)\..*Unable to reconnect to ZooKeeper service, session 0x\w+ has expired/,
  /^b(?<broker>\d+)\..*"msg":"the ZooKeeper session has expired"/,
  /^b(?<broker>\d+)\..*"reason":"the server closed the connection","msg":"lost the connection to ZooKeeper"/,
  /"reason":"nothing heard for \d+ ms","msg":"lost the connection to ZooKeeper"/,
  // ZooKeeper's own client, upon the close of its session.
  /^b(?<broker>\d+)\..*An exception was thrown while closing send thread for session/,
  // A directory that is new, and one from before topics had ids.
  /No meta\.properties file|is expected to exist/,
  // A follower hears of a topic before its leader, or is told later that it is gone.
  /Received UNKNOWN_TOPIC_(ID|OR_PARTITION) from the leader for partition/,
  /Received LeaderAndIsrRequest .* but cannot become follower since the new leader -1 is unavailable/,
  /"broker":(?<broker>\d+),.*cannot send to the broker, trying again/,
  /waiting for the znode of a namesake to go/,
  /"topic":"[^"]*-gone-\d+".*its log is set aside as -stray/,
  // min.insync.replicas refused a batch, and the idempotent producer had sent others behind it.
  /Error processing append operation on partition \S+ .*NotEnoughReplicasException/,
  /Error processing append operation on partition load-\d+ .*OutOfOrderSequenceException/,
  // The last member left while the log of its group moved.
  /Failed to (write empty|persist) metadata for group \S+: .*(rebalanc|coordinator)/,
  // Nobody has heard yet that a replica of that log is dead: REQUEST_TIMED_OUT.
  /"errorCode":7,"msg":"a group could not be written"/,
  // A write to the log of a transaction coordinator that moved.
  /failed to write an epoch fence transition|the fencing of a producer could not be written/,
  /Rollback of ongoing transaction .* failed due to error (NOT_COORDINATOR|COORDINATOR_\w+|CONCURRENT_TRANSACTIONS)/,
  // Of a release before 3.5; said once for each of them.
  ...(IS_OLDER ? [/"msg":"a coordinator cannot verify transactions"/] : []),
]

/** Of a controller that stood still until its session was over, and of those that asked it meanwhile. */
export const OF_A_ZOMBIE_CONTROLLER: readonly RegExp[] = [
  /^b(?<broker>\d+)\..*Failed to update ISR for partition \S+ .*SessionExpiredException/,
  /^b(?<broker>\d+)\..*Failed to update ISR to Pending\w+Isr\(.* due to unexpected UNKNOWN_SERVER_ERROR\. Retrying\./,
  /AllocateProducerIds got no answer from the controller: \S+ no answer to AllocateProducerIds in time/,
  /Timed out when requesting AllocateProducerIds from the controller/,
  /\[RPC ProducerId Manager \d+\]: Received an unexpected error code from the controller: UNKNOWN_SERVER_ERROR/,
]

/** Of topics of which every replica in the ISR is dead. */
export const OF_LEADERLESS: readonly RegExp[] = [
  /failed to change state for partition (offline|asked|configured)-\S+ from OfflinePartition to OnlinePartition/,
  /"(partition":|first":\[)"(offline|asked|configured)-.*"msg":"the partition cannot go online"/,
]

/**
 * How a librdkafka before 2.3.0 ends by itself (mended by its pull request 4438). A batch that was under way when its leader died
 * counts as acknowledged: when the next leader refuses it, because it is not that yet or has too few in sync, and then the one
 * behind it for the gap, librdkafka takes that for a contradiction; a rewound one, if there was more than one such batch.
 */
export const DESYNCHRONIZED =
  /(sequence desynchronization with|rewound sequence number on) broker (?<broker>\d+) .* last (partition )?error NOT_(LEADER_FOR_PARTITION|ENOUGH_REPLICAS)/

/**
 * Whether such a line, behind the name of its log file, is to be expected after these brokers were ended, started or
 * stood still. They may complain of others, too. `more`: what is usual now.
 */
export function isUsual(line: string, touched: ReadonlySet<number>, more: readonly RegExp[] = []): boolean {
  const own = /^b(\d+)\./.exec(line)?.[1]
  return [...USUAL, ...more].some((pattern) => {
    const found = pattern.exec(line)
    if (found === null) return false
    const broker = found.groups?.['broker']
    return broker === undefined || [broker, own].some((id) => touched.has(Number(id)))
  })
}
