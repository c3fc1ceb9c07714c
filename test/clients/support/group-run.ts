import { Producer } from '../../../index'
import { groupAnomalies, neverConsumed } from './group-history'
import { Member } from './group-members'
import type { MemberEvent, GroupJob } from './group-job'
import type { MemberKind } from './group-members'
import type { CommitsGoBack, GroupLogEntry } from './group-history'
import type { TestCluster } from '../../../index'

export const SESSION_TIMEOUT_MS = 6000
/**
 * Longer than it takes to find a new coordinator. Where it is not, librdkafka forgets its member id while the coordinator still
 * knows it, says the instance id alone, is fenced for that, as by Kafka, and ends for good.
 */
const STATIC_SESSION_TIMEOUT_MS = 10_000
const EVERY_MS = 400

/** Writes a record to each partition of the topics again and again, and knows how far they were acknowledged. */
export class Trickle {
  /** Offset behind the last acknowledged record, by `topic/partition`. */
  readonly ends = new Map<string, number>()
  /** Records of each partition that were acknowledged. */
  rounds = 0
  private going = true
  private readonly run: Promise<void>

  constructor(bootstrapServers: string, topics: ReadonlyMap<string, number>) {
    const producer = new Producer({ 'bootstrap.servers': bootstrapServers, 'linger.ms': 5, 'request.timeout.ms': 5000 })
    const partitions = [...topics].flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => ({ topic, partition })))
    this.run = (async () => {
      for (let n = 0; this.going; n++) {
        await Promise.all(partitions.map(async ({ topic, partition }) => {
          const { offset } = await producer.send({ topic, partition, key: null, value: `${n}` })
          this.ends.set(`${topic}/${partition}`, (offset >= 0 ? offset : n) + 1)
        }))
        this.rounds++
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
      }
      await producer.close()
    })()
    this.run.catch(() => {})
  }

  async stop(): Promise<void> {
    this.going = false
    await this.run
  }
}

/** What is asked of a cluster here. */
type Cluster = Pick<TestCluster, 'bootstrapServers' | 'until'>

export interface GroupPlan {
  group: string
  kinds: readonly MemberKind[]
  topics: readonly string[]
  assignor?: NonNullable<GroupJob['assignor']>
  /** The first member is a static one. */
  hasStatic?: boolean
  commitsMayGoBack?: CommitsGoBack
}

/** One group under test: its members as processes, and what they said. */
export class GroupRun {
  readonly plan: GroupPlan
  readonly events: MemberEvent[] = []
  /** Those that run, or should. */
  readonly members: Member[] = []
  private readonly cluster: Cluster
  private readonly trickle: Trickle
  /** Members that were told of an assignment. */
  readonly assigned = new Set<string>()
  private readonly readEnds = new Map<string, number>()
  /** What must have been consumed. */
  ends: ReadonlyMap<string, number> = new Map()
  private next = 0

  constructor(cluster: Cluster, trickle: Trickle, plan: GroupPlan) {
    this.cluster = cluster
    this.trickle = trickle
    this.plan = plan
  }

  /** One more member, of the next kind in turn. */
  join(instanceId?: string, kind = this.plan.kinds[this.next % this.plan.kinds.length]!): Member {
    const { group, topics, assignor } = this.plan
    const member = `${group}-${this.next++}`
    const job: GroupJob = {
      bootstrap: this.cluster.bootstrapServers, group, member, topics: [...topics],
      sessionTimeoutMs: instanceId === undefined ? SESSION_TIMEOUT_MS : STATIC_SESSION_TIMEOUT_MS,
      ...(instanceId === undefined ? {} : { instanceId }), ...(assignor === undefined ? {} : { assignor }),
    }
    const made = new Member(kind, job, (event) => this.take(event))
    this.members.push(made)
    return made
  }

  async kill(member: Member): Promise<void> {
    this.remove(member)
    await member.kill()
  }

  async leave(member: Member): Promise<void> {
    this.remove(member)
    await member.leave()
  }

  private remove(member: Member): void {
    this.members.splice(this.members.indexOf(member), 1)
  }

  private take(event: MemberEvent): void {
    this.events.push(event)
    if (event.kind === 'assigned') this.assigned.add(event.member)
    if (event.kind === 'read') this.readEnds.set(event.at, Math.max(this.readEnds.get(event.at) ?? 0, event.offset + 1))
  }

  /** Resolves when all members have an assignment, and something written from now on was consumed from each partition. */
  async catchUp(why: string, timeoutMs = 60_000): Promise<void> {
    const round = this.trickle.rounds + 2
    await this.cluster.until(`records are written ${why}`, timeoutMs, () => Promise.resolve(this.trickle.rounds >= round))
    this.ends = new Map([...this.trickle.ends].filter(([at]) => this.plan.topics.includes(at.slice(0, at.indexOf('/')))))
    const missing = (): string[] =>
      [
        ...this.members.filter(({ kind, job }) => kind.tells && !this.assigned.has(job.member)).map(({ job }) => `${job.member} was assigned nothing`),
        ...[...this.ends].filter(([at, end]) => (this.readEnds.get(at) ?? 0) < end).map(([at, end]) => `${at} to ${end}, read to ${this.readEnds.get(at) ?? 0}`),
      ]
    try {
      await this.cluster.until('', timeoutMs, () => Promise.resolve(missing().length === 0 || this.members.some((member) => !member.isRunning)))
    } catch {
      const left = missing()
      const said = this.members.map(({ job, complaints }) => (complaints === '' ? '' : `\n${job.member}: ${complaints.slice(-600)}`)).join('')
      throw new Error(`${this.plan.group} did not get on within ${timeoutMs} ms ${why}: ${left.length} things missing, ${left.slice(0, 5).join('; ')}${said}`)
    }
    for (const member of this.members) member.check()
  }

  /** Waits until every record was consumed, and ends all members. */
  async end(): Promise<void> {
    await this.catchUp('at the end')
    // What is missing then is told by the anomalies.
    await this.cluster.until('', 30_000, () => Promise.resolve(neverConsumed(this).length === 0)).catch(() => {})
    await Promise.all([...this.members].map((member) => this.leave(member)))
  }

  anomalies(log: readonly GroupLogEntry[]): string[] {
    const { commitsMayGoBack } = this.plan
    return groupAnomalies({ ends: this.ends, events: this.events, log, ...(commitsMayGoBack === undefined ? {} : { commitsMayGoBack }) })
  }

  abandon(): void {
    for (const member of this.members) void member.kill()
  }
}
