import { isControlAt } from '../../../protocol/records/batch'
import { decodeRecords } from '../../../protocol/records/records'
import { copyAnomalies } from '../../cluster/exactly-once/check'
import { groupAnomalies, neverConsumed } from '../../clients/support/group-history'
import { groupLogEntry } from '../../clients/support/group-records'
import { partitionsInZooKeeper } from './final-checks'
import { COPY_MARK, CommittedReader, Copier, GROUP, GroupMember } from './group-actors'
import { batchesOf } from './oracle'
import type { Actor } from './group-actors'
import type { GroupLogEntry } from '../../clients/support/group-history'
import type { MemberEvent } from '../../clients/support/group-job'
import type { ReplicaLog } from '../../../broker/replica/log-port'
import type { SimulatedCluster } from './cluster'
import type { Topic } from './workload'

/** What is copied, and what into. */
export const COPIED = 'a'
export const COPY = 'copy'
const OFFSETS_TOPIC = '__consumer_offsets'

/** What lets both coordinators do in a minute what they do in days. */
export const COORDINATOR_PROPERTIES: Readonly<Record<string, string>> = {
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '2',
  'offsets.topic.segment.bytes': '4000',
  'transaction.state.log.segment.bytes': '4000',
  'group.initial.rebalance.delay.ms': '100',
  'group.min.session.timeout.ms': '1000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
  'log.cleaner.backoff.ms': '300',
  'log.cleaner.min.cleanable.ratio': '0.01',
  'log.cleaner.dedupe.buffer.size': '2097152',
  'log.cleaner.delete.retention.ms': '30000',
}

/** Members of a group that reads all, and copiers of one topic, with what both are held against. */
export class Coordination {
  readonly actors: readonly Actor[]
  private readonly cluster: SimulatedCluster
  private readonly topics: readonly Topic[]
  private readonly events: MemberEvent[] = []
  private readonly copiers: readonly Copier[]
  private readonly reader: CommittedReader

  constructor(cluster: SimulatedCluster, topics: readonly Topic[]) {
    this.cluster = cluster
    this.topics = topics
    const names = topics.map(({ name }) => name)
    const members = ['member-1', 'member-2', 'member-3'].map((name, i) => new GroupMember(cluster, name, names, i === 0, (event) => void this.events.push(event)))
    this.copiers = ['copier-1', 'copier-2'].map((name) => new Copier(cluster, name, COPIED, COPY))
    this.actors = [...members, ...this.copiers]
    this.reader = new CommittedReader(cluster, COPY, topics.find(({ name }) => name === COPIED)!.partitions)
  }

  start(): void {
    for (const actor of this.actors) actor.start()
    this.reader.start()
  }

  get transactions(): number {
    return this.copiers.reduce((sum, { committed }) => sum + committed, 0)
  }

  /** Without load: every record was consumed by the group, and copied. */
  get isDone(): boolean {
    const copied = this.logs(COPIED).reduce((sum, log) => sum + log.highWatermark, 0)
    return this.reader.count >= copied && neverConsumed({ ends: this.ends(), events: this.events }).length === 0
  }

  /** What is not done yet, in words. */
  get left(): string {
    const copied = this.logs(COPIED).map((log) => `${log.partition} to ${log.highWatermark}`).join(', ')
    const stable = this.logs(COPY).map((log) => `${log.partition} stable to ${log.lastStableOffset} of ${log.highWatermark}`).join(', ')
    const unread = neverConsumed({ ends: this.ends(), events: this.events }).slice(0, 3).join('; ')
    return `copied are ${this.reader.seen.map(({ length }) => length).join(', ')} of ${copied}; ${stable}; ${unread}`
  }

  async stop(): Promise<void> {
    await Promise.all(this.actors.map((actor) => actor.stop()))
    this.reader.stop()
  }

  /** I11 to I14. */
  check(): void {
    const anomalies = [...groupAnomalies({ ends: this.ends(), events: this.events, log: this.groupLog() }), ...this.copyAnomalies()]
    if (anomalies.length > 0) throw new Error(anomalies.slice(0, 8).join('\n'))
  }

  private copyAnomalies(): string[] {
    const content = (log: ReplicaLog): { offset: number; value: string }[] =>
      batchesOf(log, 0, log.highWatermark).flatMap(({ bytes }) => decodeRecords(bytes).map(({ offset, value }) => ({ offset, value: value!.toString() })))
    const input = new Map(this.logs(COPIED).map((log) => [log.partition, content(log)]))
    const seen = new Map(this.reader.seen.map((records, partition) => [partition, records]))
    const ends = new Map(this.logs(COPY).map((log) => [log.partition, { stable: log.lastStableOffset, high: log.highWatermark }]))
    return copyAnomalies({ client: 'copy', input, output: seen, seen, mark: COPY_MARK, ends })
  }

  private ends(): Map<string, number> {
    return new Map(this.topics.flatMap(({ name }) => this.logs(name).map((log) => [`${name}/${log.partition}`, log.highWatermark] as const)))
  }

  private groupLog(): GroupLogEntry[] {
    const entries: GroupLogEntry[] = []
    for (const log of this.logs(OFFSETS_TOPIC)) {
      for (const { bytes } of batchesOf(log, 0, log.highWatermark)) {
        if (isControlAt(bytes, 0)) continue
        for (const { key, value } of decodeRecords(bytes)) {
          const found = groupLogEntry(key!, value)
          if (found?.group === GROUP) entries.push(found.entry)
        }
      }
    }
    return entries
  }

  /** At the leaders. */
  private logs(topic: string): ReplicaLog[] {
    return partitionsInZooKeeper(this.cluster).flatMap(({ topic: name, partition, state }) => {
      if (name !== topic || state === undefined) return []
      const log = this.cluster.brokers[state.leader]?.running?.replicas.localLog(topic, partition)
      return log === undefined ? [] : [log]
    })
  }
}
