import { Admin } from '../../index'
import { readGroupLogs } from '../clients/support/group-log'
import { memberKinds } from '../clients/support/group-members'
import { GroupRun, Trickle } from '../clients/support/group-run'
import { copierKinds } from '../cluster/exactly-once/copier'
import { Line } from '../cluster/exactly-once/trial'
import { ApiKey } from '../../protocol/messages/apis'
import { consoleConsumer } from './console-member'
import { pause, until } from './mixed-cluster'
import type { Copier } from '../cluster/exactly-once/copier'
import type { Run } from './mixed-run'
import type { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/find-coordinator'

export const GROUP = 0
export const TRANSACTION = 1

/** The broker that coordinates a group or a transactional id, once all running brokers name the same. */
export async function coordinatorOf(run: Run, keyType: number, key: string): Promise<number> {
  const { cluster } = run
  let found = -1
  await until(`all agree who coordinates ${key}`, 30_000, async () => {
    const said = new Set<number>()
    for (const id of cluster.running) {
      const answer = await cluster.ask<FindCoordinatorRequest, FindCoordinatorResponse>(
        id,
        ApiKey.findCoordinator,
        { key, keyType },
        3,
      )
      said.add(answer.errorCode === 0 ? answer.nodeId : -1)
    }
    found = said.size === 1 ? [...said][0]! : -1
    return found >= 0 && cluster.running.includes(found)
  })
  return found
}

/** What ends a copier of these clients at any change: librdkafka ends a transaction whose coordinator loads. */
const USUAL_ENDINGS = [/COORDINATOR_LOAD_IN_PROGRESS|NOT_COORDINATOR/]

/** A transaction that is open while a broker is dead until its session is over, or stands still, may outlive its own time. */
const ABRUPT_ENDINGS = [
  /_TIMED_OUT|TimeoutException/,
  /FENCED|ProducerFenced|InvalidProducerEpoch/,
  // A coordinator that stood still gives up the members that it did not hear meanwhile.
  /CommitFailedException: .*The coordinator is not aware of this member/,
]

/** How the brokers of a step came to an end: told to, or by a signal that leaves them no time. */
export type Ends = 'orderly' | 'abrupt'

/** Topics of one load, by their replicas. */
export interface CoordinatedTopics {
  /** Ends the names of all that it uses. */
  name: string
  orders: readonly (readonly number[])[]
  /** Three partitions. */
  copied: readonly (readonly number[])[]
}

/** Groups with members of several clients, and copiers that do it exactly once, while something happens to their coordinators. */
export class Coordinated {
  readonly orders: string
  readonly groups: GroupRun[]
  readonly lines: Line[]
  private readonly run: Run
  private readonly trickle: Trickle
  /** How many endings of each copier were looked at. */
  private readonly judged = new Map<Copier, number>()

  private constructor(run: Run, { name, orders }: CoordinatedTopics) {
    const { cluster } = run
    this.run = run
    this.orders = `orders-${name}`
    const topics = [this.orders]
    this.trickle = new Trickle(cluster.bootstrapServers, new Map([[this.orders, orders.length]]))
    this.groups = [
      {
        group: `various-${name}`,
        kinds: [memberKinds.confluent, memberKinds.prekraft, consoleConsumer],
        topics,
        // Java's gives a connection up while commits wait in it, beside Apache's coordinator as well.
        commitsMayGoBack: 'a while' as const,
      },
      { group: `kafkajs-${name}`, kinds: [memberKinds.kafkajs], topics },
    ].map((plan) => new GroupRun(cluster, this.trickle, plan))
    this.lines = [copierKinds.confluent, copierKinds.java].map(
      (kind) =>
        new Line(cluster, { ...kind, count: 1 }, `${kind.name}-${name}`, {
          input: `in-${kind.name}-${name}`,
          output: `out-${kind.name}-${name}`,
        }),
    )
  }

  static async start(run: Run, topics: CoordinatedTopics): Promise<Coordinated> {
    const { name, orders, copied } = topics
    const configs = { 'min.insync.replicas': '2' }
    await run.createTopic(`orders-${name}`, orders, configs)
    for (const { name: kind } of [copierKinds.confluent, copierKinds.java])
      for (const direction of ['in', 'out']) await run.createTopic(`${direction}-${kind}-${name}`, copied, configs)
    await run.agreed()
    const load = new Coordinated(run, topics)
    for (const group of load.groups) for (const _ of group.plan.kinds) group.join()
    return load
  }

  /** Resolves when all members and all copiers have got on. */
  async progress(why: string, timeoutMs = 90_000): Promise<void> {
    const goals = this.lines.map((line) => line.seenTotal + 30)
    await Promise.all([
      ...this.groups.map((group) => group.catchUp(why, timeoutMs)),
      until(`copies ${why}`, timeoutMs, () =>
        this.lines
          .filter((line, i) => line.seenTotal < goals[i]!)
          .map(({ kind, seenTotal, writtenTotal }) => `${kind.name} has copied ${seenTotal} of ${writtenTotal}`)
          .join('; '),
      ),
    ])
  }

  /** All topics that it uses; the groups' comes first. */
  get topics(): string[] {
    return [this.orders, ...this.lines.flatMap(({ input, output }) => [input, output])]
  }

  /** Each member is one that its coordinator knows: nobody reads beside the groups. */
  async hasMembersOfAllKinds(): Promise<void> {
    const admin = new Admin({ 'bootstrap.servers': this.run.cluster.bootstrapServers })
    try {
      for (const { plan, members } of this.groups) {
        const wanted = members.map(({ job }) => job.member).sort()
        await until(`${plan.group} has the members ${wanted}`, 30_000, async () => {
          const description = (await admin.describeConsumerGroups([plan.group])).get(plan.group)
          if (description === undefined || description instanceof Error) throw description ?? new Error('no answer')
          const found = description.members.map(({ clientId }) => clientId).sort()
          return found.join() === wanted.join() ? true : `${found}`
        })
      }
    } finally {
      await admin.close()
    }
  }

  /** Throws if a copier has ended since the last look for a reason that is none; shows the others. */
  check(ends: Ends): void {
    const usual = ends === 'abrupt' ? [...USUAL_ENDINGS, ...ABRUPT_ENDINGS] : USUAL_ENDINGS
    const found: string[] = []
    for (const copier of this.lines.flatMap(({ copiers }) => copiers)) {
      const { job, endings } = copier
      for (const each of endings.slice(this.judged.get(copier) ?? 0)) {
        const said = `${job.client} ended: ${each}`
        if (usual.some((pattern) => pattern.test(each))) process.stdout.write(`shown  ${said.replaceAll('\n', ' | ')}\n`)
        else found.push(said)
      }
      this.judged.set(copier, endings.length)
    }
    if (found.length > 0) throw new Error(found.join('; '))
  }

  /** Ends it all, and says what is wrong. */
  async finish(): Promise<string[]> {
    await Promise.all(this.groups.map((group) => group.end()))
    await this.trickle.stop()
    await Promise.all(this.lines.map((line) => line.finish(90_000)))
    const found = (await Promise.all(this.lines.map((line) => line.anomalies()))).flat()
    const logs = await readGroupLogs(this.run.cluster.bootstrapServers)
    for (const group of this.groups) {
      const log = logs.get(group.plan.group) ?? []
      if (!log.some(({ kind }) => kind === 'group')) found.push(`${group.plan.group} has left no generation in __consumer_offsets`)
      found.push(...group.anomalies(log))
    }
    return found
  }

  async abandon(): Promise<void> {
    for (const group of this.groups) group.abandon()
    for (const line of this.lines) line.abandon()
    await Promise.race([this.trickle.stop().catch(() => undefined), pause(5000)])
  }
}
