import { partitionName } from '../context'
import type { Partition } from '../context'
import { pastUnknown, recoverLostStates } from '../lost-states'
import { PartitionReports } from '../partition-reports'
import { completeReassignments } from '../reassignment'
import { RequestBatch } from '../request-batch'
import type { Term } from '../term'
import { onBrokerChange } from './broker-change'
import { onTopicChange } from './topic-change'
import { onTopicDeletion } from './topic-deletion'

/** States compared in one go; the next go takes the next ones. */
const PARTITIONS_PER_GO = 2000

/**
 * Compares memory with ZooKeeper and with what brokers said, and repairs each difference: nothing that was missed, failed or
 * edited by hand stays wrong until the next failover.
 */
export async function onReconcile(term: Term): Promise<void> {
  const { changes, context, deletion } = term
  await onBrokerChange(term)
  await onTopicChange(term)
  await onTopicDeletion(term)
  await deletion.collectDebts(context.registeredBrokerIds())
  await compareStates(term)
  await recoverLostStates(term, pastUnknown(term))
  await changes.onlineLeaderless()
  await completeReassignments(term, context.reassigning)
  // A state that was found spoilt meanwhile is looked after sooner.
  if (!term.isWaitingFor('reconcile')) term.putLater('reconcile', term.config.reconcileIntervalMs, { kind: 'Reconcile' })
}

/** Tells the replicas once more that could not take their part. */
export async function onRepairReplicas(term: Term): Promise<void> {
  const { channels, context, repairs } = term
  const batch = new RequestBatch(context)
  for (const [partition, brokers] of repairs.all()) {
    const replicas = [...brokers].filter((broker) => partition.assignment.replicas.includes(broker) && context.brokers.has(broker))
    const isDue = context.isKnown(partition) && partition.topic.deletion === 'none' && replicas.length > 0
    if (isDue) batch.addLeaderAndIsr(replicas, partition, false)
    else repairs.forget(partition)
  }
  channels.send(batch)
}

async function compareStates(term: Term): Promise<void> {
  const { changes, channels, context, leadership, logger } = term
  const all = [...context.allPartitions()].filter(
    (partition) => partition.topic.deletion === 'none' && partition.leadership !== undefined,
  )
  const start = all.length === 0 ? 0 : term.reconcileCursor % all.length
  const some = all.slice(start, start + PARTITIONS_PER_GO)
  term.reconcileCursor = start + some.length
  const states = await leadership.read(some)
  const batch = new RequestBatch(context)
  const leaderless: Partition[] = []
  const lost: Partition[] = []
  const reports = new PartitionReports(logger)
  for (const [index, partition] of some.entries()) {
    const state = states[index]
    if (state === undefined) lost.push(partition)
    else if (state.partitionEpoch !== partition.leadership!.partitionEpoch && state.controllerEpoch <= term.epoch) {
      reports.add('warn', partition, {}, 'the state of a partition changed behind our back')
      logger.debug({ partition: partitionName(partition), known: partition.leadership, found: state }, 'known before, and found')
      partition.leadership = state
      if (context.hasLiveLeader(partition)) batch.addLeaderAndIsr(partition.assignment.replicas, partition, false)
      else leaderless.push(partition)
    }
  }
  reports.write()
  channels.send(batch)
  await changes.movePartitions(leaderless, 'OfflinePartition')
  await restoreStates(term, lost)
}

/**
 * State znodes that were deleted or spoilt by hand are written again from memory, a leader epoch further. (Where there is no memory,
 * after a failover, the brokers were asked: lost-states.ts.)
 */
async function restoreStates(term: Term, partitions: readonly Partition[]): Promise<void> {
  const { changes, leadership, logger } = term
  const restored: Partition[] = []
  const reports = new PartitionReports(logger)
  const versions = await leadership.versionsOfStates(partitions)
  for (const [index, partition] of partitions.entries()) {
    const version = versions[index]
    const known = partition.leadership
    if (known === undefined) continue
    if (version === undefined) {
      reports.add('warn', partition, {}, 'the state of a partition is gone, writing it again')
      partition.former = known
      partition.leadership = undefined
    } else {
      reports.add('warn', partition, {}, 'the state of a partition cannot be read, writing it again')
      partition.leadership = { ...known, partitionEpoch: version }
    }
    restored.push(partition)
  }
  reports.write()
  await changes.movePartitions(restored, 'OfflinePartition')
}
