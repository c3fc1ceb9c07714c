import { ErrorCode } from '../../protocol/errors'
import type { AlterPartitionRequestPartitionData, AlterPartitionResponse } from '../../protocol/messages/alter-partition'
import type { Input } from '../../protocol/messages/schema'
import { sameList } from '../assignment'
import type { Leadership, Partition } from '../context'
import { RECOVERED, RECOVERING } from '../leader-election'
import type { LeaderAndIsr, LeaderRecoveryState } from '../leader-election'
import { PartitionReports } from '../partition-reports'
import { completeReassignments } from '../reassignment'
import type { Term } from '../term'
import type { EventOf } from './event'

/** What a leader asks for. */
export interface ProposedIsr extends LeaderAndIsr {
  readonly partitionEpoch: number
  /** Member to the broker epoch under which the leader knows it; -1 or missing: it does not say (KIP-903). */
  readonly brokerEpochs: ReadonlyMap<number, number>
}

export interface IsrFacts {
  readonly current: Leadership | undefined
  readonly isLive: (broker: number) => boolean
  readonly epochOf: (broker: number) => number | undefined
  readonly version: number
}

export type IsrVerdict =
  | { readonly accept: LeaderAndIsr; readonly rule: string }
  /** Answered with the ISR as it is. */
  | { readonly unchanged: true; readonly rule: string }
  | { readonly code: number; readonly rule: string }

/** Judges one partition of an AlterPartition; the order of the checks is Kafka's. */
export function judgeIsr(proposed: ProposedIsr, facts: IsrFacts): IsrVerdict {
  const { current, isLive, epochOf, version } = facts
  if (current === undefined) return { code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, rule: 'the partition has no state' }
  if (proposed.partitionEpoch > current.partitionEpoch || proposed.leaderEpoch > current.leaderEpoch) {
    return { code: ErrorCode.NOT_CONTROLLER, rule: 'the leader knows more than this controller' }
  }
  if (proposed.leaderEpoch < current.leaderEpoch) return { code: ErrorCode.FENCED_LEADER_EPOCH, rule: 'an older leader epoch' }
  if (isSame(proposed, current)) return { unchanged: true, rule: 'it is so already' }
  if (proposed.partitionEpoch < current.partitionEpoch) {
    return { code: ErrorCode.INVALID_UPDATE_VERSION, rule: 'an older partition epoch' }
  }
  // Kafka leaves this to the leader epoch, which a follower may know as well.
  if (proposed.leader !== current.leader) return { code: ErrorCode.INVALID_REQUEST, rule: 'only the leader may change the ISR' }
  if (!proposed.isr.includes(current.leader)) return { code: ErrorCode.INVALID_REQUEST, rule: 'the leader must be in the ISR' }
  if (proposed.recoveryState === RECOVERING && proposed.isr.length > 1) {
    return { code: ErrorCode.INVALID_REQUEST, rule: 'a recovering leader is alone in the ISR' }
  }
  if (current.recoveryState === RECOVERED && proposed.recoveryState === RECOVERING) {
    return { code: ErrorCode.INVALID_REQUEST, rule: 'a recovered leader does not go back to recovering' }
  }
  const ineligible = version > 1 ? ErrorCode.INELIGIBLE_REPLICA : ErrorCode.OPERATION_NOT_ATTEMPTED
  for (const member of proposed.isr) {
    if (!isLive(member)) {
      const rule = `replica ${member} is not alive (KIP-841)`
      // An error of any kind leaves the leader of a 2.7 to 3.1 waiting for the next LeaderAndIsr (2.8.2: Partition.sendAlterIsrRequest).
      return version === 0 ? { unchanged: true, rule } : { code: ineligible, rule }
    }
    const epoch = proposed.brokerEpochs.get(member) ?? -1
    const isRestarted = epoch !== -1 && epoch !== epochOf(member)
    if (isRestarted) return { code: ineligible, rule: `replica ${member} was restarted since (KIP-903)` }
  }
  const { leader, leaderEpoch, isr, recoveryState } = proposed
  return { accept: { leader, leaderEpoch, isr, recoveryState }, rule: isr.length < current.isr.length ? 'shrink' : 'expand' }
}

/** AlterPartition (KIP-497): a leader changes the ISR of its partitions. The leader epoch stays, the partition epoch rises. */
export async function onAlterPartition(term: Term, event: EventOf<'AlterPartition'>): Promise<Input<AlterPartitionResponse>> {
  const { context, changes, leadership, logger, recorder } = term
  const { request, version } = event
  const broker = context.brokers.get(request.brokerId)
  if (broker === undefined || broker.epoch !== request.brokerEpoch) {
    const fields = { broker: request.brokerId, epoch: request.brokerEpoch, known: broker?.epoch ?? null }
    // Apache's brokers ask again every 50 ms until they have registered.
    const isFirst = term.refusedEpoch !== request.brokerEpoch
    term.refusedEpoch = request.brokerEpoch
    logger[isFirst ? 'info' : 'debug'](fields, 'AlterPartition under a stale broker epoch')
    return { errorCode: ErrorCode.STALE_BROKER_EPOCH }
  }
  const verdicts = new Map<Partition, IsrVerdict>()
  const accepted = new Map<Partition, LeaderAndIsr>()
  const topics = request.topics.map((asked) => {
    const topic = version > 1 ? context.topicsById.get(asked.topicId) : context.topics.get(asked.topicName)
    const partitions = asked.partitions.map((data) => {
      const partition = topic?.partitions.get(data.partitionIndex)
      if (partition !== undefined && !verdicts.has(partition)) {
        const verdict = judgeIsr(proposedIsr(request.brokerId, data, version), {
          current: partition.leadership, version,
          isLive: (id) => context.isReplicaOnline(id, partition),
          epochOf: (id) => context.brokers.get(id)?.epoch,
        })
        verdicts.set(partition, verdict)
        if ('accept' in verdict) accepted.set(partition, verdict.accept)
      }
      return { index: data.partitionIndex, partition }
    })
    return { asked, isKnown: topic !== undefined, partitions }
  })
  const before = new Map([...accepted.keys()].map((partition) => [partition, partition.leadership?.isr ?? []]))
  const outcomes = await leadership.update(accepted.keys(), (partition) => ({ write: accepted.get(partition)! }), false)
  const changed: Partition[] = []
  const reports = new PartitionReports(logger)
  for (const [partition, verdict] of verdicts) {
    const outcome = outcomes.get(partition)
    const isChanged = outcome?.ok === true
    if (isChanged) changed.push(partition)
    if ('unchanged' in verdict) continue
    if (!isChanged) reports.add('info', partition, { broker: broker.id, rule: verdict.rule }, 'refused a change of the ISR')
    recorder.record({
      kind: 'isrChange', topic: partition.topic.name, partition: partition.index, phase: isChanged ? 'committed' : 'rejected',
      from: before.get(partition) ?? partition.leadership?.isr ?? [],
      to: accepted.get(partition)?.isr ?? [],
      reason: verdict.rule,
      leaderEpoch: partition.leadership?.leaderEpoch ?? -1, partitionEpoch: partition.leadership?.partitionEpoch ?? -1,
    })
  }
  reports.write()
  if (changed.length > 0) changes.sendMetadata(changed)
  const response = {
    topics: topics.map(({ asked, isKnown, partitions }) => ({
      topicName: asked.topicName, topicId: asked.topicId,
      partitions: partitions.map(({ index, partition }) => {
        const unknown = isKnown || version <= 1 ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID
        if (partition === undefined) return { partitionIndex: index, errorCode: unknown }
        return { partitionIndex: index, ...answerOf(partition, verdicts.get(partition)!, outcomes.get(partition)) }
      }),
    })),
  }
  await completeReassignments(term, changed)
  return response
}

function answerOf(partition: Partition, verdict: IsrVerdict, outcome: { ok: boolean; code?: string } | undefined) {
  if ('code' in verdict) return { errorCode: verdict.code }
  if (outcome !== undefined && !outcome.ok) {
    return { errorCode: outcome.code === 'BAD_VERSION' ? ErrorCode.INVALID_UPDATE_VERSION : ErrorCode.UNKNOWN_SERVER_ERROR }
  }
  const { leader, leaderEpoch, isr, recoveryState, partitionEpoch } = partition.leadership!
  return { leaderId: leader, leaderEpoch, isr, leaderRecoveryState: recoveryState, partitionEpoch }
}

function proposedIsr(leader: number, data: AlterPartitionRequestPartitionData, version: number): ProposedIsr {
  const withEpochs = version >= 3
  return {
    leader, leaderEpoch: data.leaderEpoch, partitionEpoch: data.partitionEpoch,
    isr: withEpochs ? data.newIsrWithEpochs.map(({ brokerId }) => brokerId) : data.newIsr,
    recoveryState: data.leaderRecoveryState as LeaderRecoveryState,
    brokerEpochs: new Map(withEpochs ? data.newIsrWithEpochs.map(({ brokerId, brokerEpoch }) => [brokerId, brokerEpoch]) : []),
  }
}

/** The same state but for the partition epoch, which may be older: a request that was sent again. */
function isSame(proposed: ProposedIsr, current: Leadership): boolean {
  return proposed.leader === current.leader && proposed.leaderEpoch === current.leaderEpoch
    && proposed.recoveryState === current.recoveryState && sameList(proposed.isr, current.isr)
}
