import { committedIsr, mayJoinIsr, outOfSyncReplicas, pendingExpand, pendingShrink, proposalOutcome, type IsrState } from './isr'
import type { ProposalAnswer } from './alter-partition-manager'
import type { Partition } from './partition'
import { compareEpochs, deposes, type PartitionState } from './partition-state'
import type { ReplicaState } from './replica-state'

/**
 * How a leader's ISR changes: it proposes, the controller writes (KIP-497). One proposal of a partition is under way at a time,
 * and an answer counts only while its proposal still is the partition's state: a LeaderAndIsr may have replaced it.
 */

/** After a follower's fetch: proposes it for the ISR if it has caught up and is alive. */
export function considerExpandingIsr(partition: Partition, follower: ReplicaState): void {
  const { isr, log, epochStartOffset } = partition
  if (isr.proposal !== undefined || isr.committed.includes(follower.brokerId)) return
  if (log === undefined || epochStartOffset === undefined) return
  if (!mayJoinIsr(follower.logEndOffset, log.highWatermark, epochStartOffset)) return
  if (!partition.context.metadata.hasAliveBroker(follower.brokerId)) return
  propose(partition, pendingExpand(isr, follower.brokerId, partition.leaderEpoch, partition.partitionEpoch), 'caught up')
}

/** Every half `replica.lag.time.max.ms`: proposes the ISR without those that lag behind. */
export async function considerShrinkingIsr(partition: Partition): Promise<void> {
  const outOfSync = replicasToRemove(partition)
  if (outOfSync.length === 0) return
  const before = partition.isr
  const left = before.committed.length - outOfSync.length
  if (partition.followers.size > 0 && (left <= 1 || left < partition.minIsr())) {
    // The last replica standing (KIP-966): what only this one will answer for is made durable first.
    try {
      await partition.log?.flush()
    } catch {
      return
    }
    if (partition.isr !== before || !partition.isLeader) return
  }
  const still = replicasToRemove(partition)
  if (still.length === 0) return
  const proposed = pendingShrink(partition.isr, still, partition.leaderEpoch, partition.partitionEpoch)
  propose(partition, proposed, `out of sync: ${still.join()}`)
}

function replicasToRemove(partition: Partition): number[] {
  const { isr, log, context } = partition
  if (!partition.isLeader || isr.proposal !== undefined || log === undefined) return []
  const { brokerId, config, clock, metadata } = context
  return outOfSyncReplicas(
    isr.committed, brokerId, partition.followers, log.endOffset, clock.monoMs(), config.replicaLagTimeMaxMs,
    (id) => metadata.hasAliveBroker(id),
  )
}

function propose(partition: Partition, proposed: IsrState, reason: string): void {
  const proposal = proposed.proposal!
  record(partition, 'proposed', proposal.isr, reason)
  partition.isr = proposed
  submit(partition, proposed)
}

function submit(partition: Partition, proposed: IsrState): void {
  const { isr, leaderEpoch, partitionEpoch } = proposed.proposal!
  const { context, topic, topicId } = partition
  context.proposeIsr(
    {
      topic,
      partition: partition.partition,
      topicId,
      leaderEpoch,
      partitionEpoch,
      isr: isr.map((brokerId) => ({ brokerId, brokerEpoch: brokerEpochOf(partition, brokerId) })),
    },
    (answer) => takeAnswer(partition, proposed, answer),
  )
}

/** KIP-903: which incarnation of the replica this leader saw; -1 for one that has not fetched from it. */
function brokerEpochOf(partition: Partition, brokerId: number): number {
  if (brokerId === partition.context.brokerId) return partition.context.brokerEpoch()
  return partition.followers.get(brokerId)?.brokerEpoch ?? -1
}

function takeAnswer(partition: Partition, proposed: IsrState, answer: ProposalAnswer): void {
  if (partition.isr !== proposed) return
  switch (proposalOutcome(answer.errorCode)) {
    case 'commit':
      // An answer from another epoch is late news: newer state is on its way.
      if (answer.leaderEpoch !== partition.leaderEpoch || answer.partitionEpoch < partition.partitionEpoch) {
        awaitState(partition, proposed)
      } else {
        commit(partition, answer)
      }
      return
    case 'revert':
      record(partition, 'rejected', proposed.proposal!.isr, `error ${answer.errorCode}`)
      partition.isr = committedIsr(proposed.committed)
      partition.advanceHighWatermark()
      return
    case 'await':
      record(partition, 'rejected', proposed.proposal!.isr, `error ${answer.errorCode}`)
      awaitState(partition, proposed)
      return
    case 'retry':
      submit(partition, proposed)
  }
}

function commit(partition: Partition, state: { isr: readonly number[]; partitionEpoch: number }): void {
  record(partition, 'committed', state.isr, '', state.partitionEpoch)
  partition.isr = committedIsr(state.isr)
  partition.takePartitionEpoch(state.partitionEpoch)
  partition.advanceHighWatermark()
}

/**
 * The controller knows another state than this leader. Kafka waits for the LeaderAndIsr that must be on its way, for ever if it
 * is not (KAFKA-2729); this leader reads the state itself, again with each check of the ISR until it can.
 */
function awaitState(partition: Partition, proposed: IsrState): void {
  partition.isr = { ...proposed, isAwaitingState: true }
  void readState(partition)
}

/** With each check of the ISR: goes on with a proposal whose outcome is not known. */
export function retryReadingState(partition: Partition): void {
  if (partition.isLeader && partition.isr.isAwaitingState) void readState(partition)
}

async function readState(partition: Partition): Promise<void> {
  const awaiting = partition.isr
  let state: PartitionState | undefined
  try {
    state = await partition.context.readPartitionState(partition.topic, partition.partition)
  } catch {
    return
  }
  if (state === undefined || partition.isr !== awaiting) return
  const order = compareEpochs(state, partition)
  if (order < 0) return
  if (deposes(state, partition)) {
    // Deposed: serve nothing more in this epoch. The LeaderAndIsr that follows gives the new role.
    partition.stop()
  } else if (order > 0) {
    commit(partition, state)
  } else if (awaiting.proposal!.kind === 'shrink') {
    partition.isr = committedIsr(awaiting.committed)
  } else {
    // A joiner counts until it is sure that no copy of the proposal can still be written: so propose it again.
    partition.isr = { ...awaiting, isAwaitingState: false }
    submit(partition, partition.isr)
  }
}

function record(
  partition: Partition,
  phase: 'proposed' | 'committed' | 'rejected',
  to: readonly number[],
  reason: string,
  partitionEpoch = partition.partitionEpoch,
): void {
  partition.context.recorder.record({
    kind: 'isrChange',
    topic: partition.topic,
    partition: partition.partition,
    from: partition.isr.committed,
    to,
    phase,
    reason,
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch,
    highWatermark: partition.log?.highWatermark ?? -1,
  })
}
