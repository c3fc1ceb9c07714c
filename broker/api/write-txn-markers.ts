import { ErrorCode } from '../../protocol/errors'
import { apis } from '../../protocol/messages/apis'
import { ControlType, controlBatch } from '../../protocol/records/records'
import type {
  WritableTxnMarker, WritableTxnMarkerResult, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
} from '../../protocol/messages/write-txn-markers'
import type { AppendResult } from '../replica/requests'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/**
 * WriteTxnMarkers 0-1, from transaction coordinators, and from the tool that ends a hanging transaction: one control record in
 * each partition, replicated to all in-sync replicas. What a transaction committed to `__consumer_offsets` counts, or is dropped, as
 * soon as its marker is there.
 */
export function writeTxnMarkersHandler(services: BrokerServices): Handler<WriteTxnMarkersRequest, WriteTxnMarkersResponse> {
  return (context) => {
    const { markers } = context.body
    const results = new Map<number, Map<string, Map<number, number>>>()
    let left = markers.length
    const done = (): void => context.respond({ markers: resultsOf(results) })
    if (left === 0) {
      done()
      return
    }
    for (const marker of markers) {
      write(services, marker, (appended) => {
        offsetsCompleted(services, marker, appended)
        for (const { topic, partition, errorCode } of appended) set(results, marker.producerId, topic, partition, errorCode)
        if (--left === 0) done()
      })
    }
    // They are in the log; only their replication is waited for.
    context.proceed()
  }
}

function write(services: BrokerServices, marker: WritableTxnMarker, done: (results: AppendResult[]) => void): void {
  const { replicas, config, clock } = services
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult } = marker
  const type = transactionResult ? ControlType.commit : ControlType.abort
  const timestamp = clock.wallMs()
  const partitions = marker.topics.flatMap(({ name, partitionIndexes }) =>
    [...new Set(partitionIndexes)].map((partition) => ({
      topic: name,
      partition,
      // Each log stamps its own copy.
      records: controlBatch({ type, coordinatorEpoch, producerId, producerEpoch, timestamp }),
    })),
  )
  void replicas.append(
    {
      timeoutMs: config.requestTimeoutMs,
      acks: -1,
      internalTopicsAllowed: true,
      origin: 'coordinator',
      requestVersion: apis.produce.maxVersion,
      partitions,
    },
    done,
  )
}

function offsetsCompleted(
  { coordinatorLogs, groups }: BrokerServices,
  { producerId, transactionResult }: WritableTxnMarker,
  appended: readonly AppendResult[],
): void {
  const partitions = appended
    .filter(({ topic, errorCode }) => topic === coordinatorLogs.group.topic && errorCode === ErrorCode.NONE)
    .map(({ partition }) => partition)
  if (partitions.length > 0) groups.completeTransaction(producerId, partitions, transactionResult)
}

/** The answer has one place for each producer. */
function set(
  results: Map<number, Map<string, Map<number, number>>>,
  producerId: number,
  topic: string,
  partition: number,
  errorCode: number,
): void {
  let topics = results.get(producerId)
  if (topics === undefined) results.set(producerId, (topics = new Map()))
  let partitions = topics.get(topic)
  if (partitions === undefined) topics.set(topic, (partitions = new Map()))
  partitions.set(partition, errorCode)
}

function resultsOf(results: ReadonlyMap<number, ReadonlyMap<string, ReadonlyMap<number, number>>>): WritableTxnMarkerResult[] {
  return [...results].map(([producerId, topics]) => ({
    producerId,
    topics: [...topics].map(([name, partitions]) => ({
      name,
      partitions: [...partitions].map(([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
    })),
  }))
}
