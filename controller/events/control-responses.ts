import { ErrorCode, errorName } from '../../protocol/errors'
import type { LeaderAndIsrResponse } from '../../protocol/messages/leader-and-isr'
import type { Partition } from '../context'
import { entryKey } from '../control-entries'
import { PartitionReports } from '../partition-reports'
import { onReplicasOffline } from '../replica-failure'
import type { Term } from '../term'
import type { EventOf } from './event'

/** The answer shows which replicas are offline; after other errors the broker is told again. */
export async function onLeaderAndIsrResponse(term: Term, event: EventOf<'LeaderAndIsrResponseReceived'>): Promise<void> {
  const { context, logger, repairs } = term
  const { broker, reply } = event
  if (!isCurrent(term, event)) return
  if (reply.response.errorCode !== ErrorCode.NONE) {
    refused(term, broker, 'LeaderAndIsr', reply.response.errorCode)
    for (const { topic, index } of reply.request.entries) repairs.add(context.partition(topic, index), broker)
    scheduleRepair(term)
    return
  }
  const offline: Partition[] = []
  const reports = new PartitionReports(logger)
  for (const [partition, code] of partitionErrors(term, reply.response)) {
    if (code === ErrorCode.KAFKA_STORAGE_ERROR) {
      if (!context.offlineOn(broker).has(partition)) offline.push(partition)
      context.setOffline(broker, partition, true)
    } else if (code === ErrorCode.NONE) {
      context.setOffline(broker, partition, false)
      repairs.remove(partition, broker)
    } else if (code !== ErrorCode.STALE_CONTROLLER_EPOCH) {
      // STALE_CONTROLLER_EPOCH for a partition means that its leader epoch is nothing new to the broker.
      reports.add('warn', partition, { broker, error: errorName(code) }, 'the broker could not take its part')
      repairs.add(partition, broker)
    }
  }
  for (const partition of offline) reports.add('warn', partition, { broker }, 'the replica is offline with its log directory')
  reports.write()
  if (repairs.size > 0) scheduleRepair(term)
  if (offline.length === 0) return
  await onReplicasOffline(term, offline.map((partition) => ({ partition, broker })))
}

export async function onUpdateMetadataResponse(term: Term, event: EventOf<'UpdateMetadataResponseReceived'>): Promise<void> {
  const { broker, reply } = event
  if (!isCurrent(term, event) || reply.response.errorCode === ErrorCode.NONE) return
  refused(term, broker, 'UpdateMetadata', reply.response.errorCode)
}

export async function onStopReplicaResponse(term: Term, event: EventOf<'StopReplicaResponseReceived'>): Promise<void> {
  if (!isCurrent(term, event)) return
  const { response, request } = event.reply
  const errors = new Map(
    response.partitionErrors.map(({ topicName, partitionIndex, errorCode }) => [entryKey(topicName, partitionIndex), errorCode]),
  )
  const deleted = new Set(request.entries.filter((entry) => entry.deletePartition).map(({ topic, index }) => entryKey(topic, index)))
  // Older brokers do not stop a replica at the leader epoch that they know already (KAFKA-13972).
  const isHarmless = (key: string, code: number): boolean => code === ErrorCode.FENCED_LEADER_EPOCH && !deleted.has(key)
  const failed = [...errors]
    .filter(([key, code]) => code !== ErrorCode.NONE && !isHarmless(key, code))
    .map(([key, code]) => `${key} ${errorName(code)}`)
  if (response.errorCode !== ErrorCode.NONE) refused(term, event.broker, 'StopReplica', response.errorCode)
  if (failed.length > 0) {
    const fields = { broker: event.broker, replicas: failed.length, first: failed.slice(0, 3) }
    term.logger.error(fields, 'the broker could not stop replicas')
  }
  await term.deletion.onStopped(event.broker, response.errorCode, request.entries, errors)
}

function scheduleRepair(term: Term): void {
  if (!term.isWaitingFor('repair')) term.putLater('repair', term.repairs.nextDelayMs(), { kind: 'RepairReplicas' })
}

/** A broker that knows of a younger controller is a reason to look who holds the office. */
function refused(term: Term, broker: number, api: string, errorCode: number): void {
  term.logger.error({ broker, api, error: errorName(errorCode) }, 'the broker refused a control request')
  if (errorCode === ErrorCode.STALE_CONTROLLER_EPOCH) term.put({ kind: 'ControllerChange' })
}

/** Replies to another term's requests, or from an incarnation that is gone, say nothing about now. */
function isCurrent(term: Term, event: { broker: number; brokerEpoch: number; controllerEpoch: number }): boolean {
  return event.controllerEpoch === term.epoch && term.context.brokers.get(event.broker)?.epoch === event.brokerEpoch
}

/** By topic id from version 5 on, by name before. */
function * partitionErrors(term: Term, response: LeaderAndIsrResponse): Generator<[Partition, number]> {
  const { context } = term
  for (const { topicName, partitionIndex, errorCode } of response.partitionErrors) {
    const partition = context.partition(topicName, partitionIndex)
    if (partition !== undefined) yield [partition, errorCode]
  }
  for (const { topicId, partitionErrors: errors } of response.topics) {
    const topic = context.topicsById.get(topicId)
    for (const { partitionIndex, errorCode } of errors) {
      const partition = topic?.partitions.get(partitionIndex)
      if (partition !== undefined) yield [partition, errorCode]
    }
  }
}
