import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { compare, inZooKeeper, atBroker } from '../cluster/support/agreement'
import { RdkafkaProducer } from '../cluster/support/rdkafka-producer'
import { replicaDifferences } from '../cluster/support/replicas'
import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode } from '../../protocol/errors'
import { batchIsCompleteAt, batchSizeAt } from '../../protocol/records/batch'
import { decodeRecords } from '../../protocol/records/records'
import { controllerPath, decodeController } from '../../zk-schema/controller'
import { JAVA, JavaProducer, javaNumber } from './java-producer'
import { until } from './mixed-cluster'
import { DESYNCHRONIZED, isUsual } from './usual'
import type { Kind, MixedCluster } from './mixed-cluster'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/create-topics'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/list-offsets'
import type { Input } from '../../protocol/messages/codec'
import type { Sent } from '../cluster/support/history'

/** The topic that is written to all the time: every pair of kinds as leader and follower. */
export const LOAD = 'load'
/** Of its writer, in seconds, after a record to each partition: all of it is read again after each step. */
const PAUSE_S = '0.02'
/** Its replicas. */
export const LOAD_ASSIGNMENT = [
  [0, 10, 1],
  [10, 1, 11],
  [1, 11, 0],
  [11, 0, 10],
]

/** The client and number of a record of the load: the run of librdkafka's producer, or Java's. */
function writtenBy(value: string): string | undefined {
  const java = javaNumber(value)
  if (java !== undefined) return `${JAVA}/${java}`
  const [, n, run] = /^rdkafka:(\d+)\.(\d+)\.$/.exec(value) ?? []
  return n === undefined ? undefined : `${run}/${n}`
}

/** Of a line behind the name of its log file, in the words of either kind. */
function isWarning(line: string): boolean {
  return /^\S+: \[[^\]]*\] WARN /.test(line) || /^\S+: \{"level":40,/.test(line)
}

export class Run {
  readonly cluster: MixedCluster
  failures = 0
  /** Topics whose replicas need not have the same bytes: each cleans for itself. */
  readonly cleaned = new Set<string>()
  private readonly wanted: string[]
  private readonly isStrict: boolean
  private readonly assignment: readonly (readonly number[])[]
  private readonly sent: Sent[] = []
  private runs = 0
  private java: JavaProducer | undefined
  private touched: ReadonlySet<number> = new Set()

  /** `isStrict`: a warning in a log that is not usual fails its step, too; else it is only shown. Errors always do. */
  constructor(
    cluster: MixedCluster,
    wanted: string[],
    isStrict: boolean,
    assignment: readonly (readonly number[])[] = LOAD_ASSIGNMENT,
  ) {
    this.cluster = cluster
    this.wanted = wanted
    this.isStrict = isStrict
    this.assignment = assignment
  }

  /** Whether steps with such names are asked for. */
  wants(...names: string[]): boolean {
    return this.wanted.length === 0 || this.wanted.some((part) => names.some((name) => name.includes(part)))
  }

  async prepare(): Promise<void> {
    const { size } = this.cluster.nodes
    await until('all brokers are known', 30_000, async () => (await this.cluster.metadata(0)).brokers.length === size)
    // Several segments, and indexes with something in them.
    await this.createTopic(LOAD, this.assignment, {
      'min.insync.replicas': '2',
      'segment.bytes': '100000',
      'index.interval.bytes': '1000',
    })
    await this.agreed()
    this.report('start', [...this.differences()])
  }

  /** From now on Apache's own producer writes to the load as well, until it is stopped. */
  startJava(): JavaProducer {
    return (this.java = new JavaProducer(this.cluster.dir, this.cluster.bootstrapServers, LOAD))
  }

  /** It goes on: something that it sends from now on is acknowledged. */
  private async javaGoesOn(): Promise<void> {
    const { java } = this
    if (java === undefined || java.isStopped) return
    const { length } = java.acknowledged
    await until("Java's producer goes on", 60_000, () => java.acknowledged.length > length + 40)
  }

  /** One thing done under load, and everything looked at after it. `usual`: what may stand in the logs after this step. */
  async step(name: string, act: () => Promise<void>, usual: readonly RegExp[] = []): Promise<void> {
    if (this.wants(name)) await this.always(name, act, usual)
  }

  /** A step that others need. */
  async always(name: string, act: () => Promise<void>, usual: readonly RegExp[] = []): Promise<void> {
    const began = Date.now()
    const found: string[] = []
    const begun = new Set<number>()
    const producer = new RdkafkaProducer(
      [this.cluster.bootstrapServers, LOAD, String(this.assignment.length), `.${++this.runs}.`, '15000', PAUSE_S],
      (partition) => begun.add(partition),
    )
    try {
      // Of a producer that it does not know a leader of Apache's takes any sequence: what is refused while it becomes the leader
      // may come behind the next batch, and librdkafka takes it for a duplicate.
      await until('every partition is written to', 60_000, () => begun.size === this.assignment.length)
      await act()
      await this.agreed()
      await this.javaGoesOn()
    } catch (error) {
      found.push((error as Error).message)
    }
    const answers = await producer.stop().catch((error: unknown) => {
      found.push((error as Error).message)
      return []
    })
    this.sent.push(...answers.map((one) => ({ ...one, client: `${this.runs}` })))
    found.push(...(this.java?.errors.splice(0) ?? []).map((error) => `Java's producer: ${error}`))
    const ends = producer.fatal.filter((fatal) => !this.isKnownEnd(fatal))
    found.push(...ends.map((fatal) => `librdkafka's producer ended: ${fatal}`))
    for (const fatal of producer.fatal) process.stdout.write(`shown  librdkafka's producer ended, and another went on: ${fatal}\n`)
    const unknown = answers.filter(({ outcome }) => outcome !== 'acknowledged')
    if (unknown.length > 0 && (producer.fatal.length === 0 || ends.length > 0))
      found.push(`${unknown.length} of ${answers.length} writes without acknowledgement: ${unknown[0]!.error}`)
    try {
      await this.agreed()
    } catch (error) {
      found.push((error as Error).message)
    }
    try {
      found.push(...(await this.differencesOfReplicas()), ...(await this.lostOrRepeated()))
    } catch (error) {
      found.push((error as Error).message)
    }
    found.push(...this.differences(usual))
    this.report(`${name} (${((Date.now() - began) / 1000).toFixed(1)} s, ${answers.length} writes)`, found)
  }

  /** An end that librdkafka comes to by itself, beside a leader of Apache's. One of ours saves it from that. */
  private isKnownEnd(fatal: string): boolean {
    const leader = DESYNCHRONIZED.exec(fatal)?.groups?.['broker']
    return leader !== undefined && this.cluster.node(Number(leader)).kind === 'apache'
  }

  async controller(): Promise<number> {
    return await this.cluster.zookeeper(async (session) => {
      const node = await session.get(controllerPath)
      return node === undefined ? -1 : decodeController(node.data).brokerId
    })
  }

  /** Takes the controller away until one of this kind has it. */
  async moveController(kind: Kind): Promise<number> {
    for (let i = 0; i < 40; i++) {
      const id = await this.controller()
      if (id >= 0 && this.cluster.node(id).kind === kind) return id
      if (id >= 0) await this.cluster.zookeeper((session) => session.remove(controllerPath, -1))
      await until('there is a controller', 20_000, async () => (await this.controller()) >= 0)
    }
    throw new Error(`the controller does not move to ${kind}`)
  }

  /** Asks the controller; the answer's errors are the caller's. */
  async askController<Req, Res>(key: number, body: Input<Req>): Promise<Res> {
    return await this.cluster.ask<Req, Res>(await this.controller(), key, body)
  }

  async createTopic(
    name: string,
    assignment: readonly (readonly number[])[] | { partitions: number; replicas: number },
    configs: Record<string, string> = {},
  ): Promise<void> {
    const body =
      'partitions' in assignment
        ? { numPartitions: assignment.partitions, replicationFactor: assignment.replicas, assignments: [] }
        : {
            numPartitions: -1,
            replicationFactor: -1,
            assignments: assignment.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds: [...brokerIds] })),
          }
    const answer = await this.askController<CreateTopicsRequest, CreateTopicsResponse>(ApiKey.createTopics, {
      topics: [{ name, ...body, configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })) }],
      timeoutMs: 30_000,
      validateOnly: false,
    })
    for (const topic of answer.topics)
      if (topic.errorCode !== 0) throw new Error(`${name} is not created: ${topic.errorCode} ${topic.errorMessage}`)
  }

  /** Waits until every running broker says what ZooKeeper says, and every running replica is in sync. */
  async agreed(timeoutMs = 45_000): Promise<void> {
    await until('all agree', timeoutMs, async () => {
      const { cluster } = this
      const { world } = await cluster.zookeeper(inZooKeeper)
      const found: string[] = []
      const running = new Set(cluster.running)
      if (world.brokers !== [...running].sort((a, b) => a - b).join(',')) found.push(`brokers in ZooKeeper: ${world.brokers}`)
      for (const [name, topic] of world.topics) {
        for (const [partition, view] of topic.partitions) {
          const ids = view.replicas
            .split(',')
            .map(Number)
            .filter((id) => running.has(id))
            .sort((a, b) => a - b)
            .join(',')
          const alone = ids === '' // the last in the ISR stays there
          if (!alone && view.isr !== ids)
            found.push(`${name}-${partition}: replicas ${view.replicas}, running ${ids}, ISR ${view.isr}, leader ${view.leader}`)
        }
      }
      for (const id of running)
        compare(`broker ${id} (${cluster.node(id).kind})`, await atBroker(cluster, id), world, (difference) =>
          found.push(difference),
        )
      return found.slice(0, 4).join('; ')
    })
  }

  /** Looks again when a leader was another one meanwhile: a controller balances leaders some seconds after its election. */
  async differencesOfReplicas(): Promise<string[]> {
    let found: string[] = []
    await until('leaders stay where they are', 45_000, async () => {
      const { differences, moved } = await this.compareReplicas()
      found = differences
      return moved.join('; ')
    })
    return found
  }

  private async compareReplicas(): Promise<{ differences: string[]; moved: string[] }> {
    const { cluster } = this
    const { world } = await cluster.zookeeper(inZooKeeper)
    const differences: string[] = []
    const moved: string[] = []
    for (const [name, topic] of world.topics) {
      if (this.cleaned.has(name)) continue
      for (const [partition, view] of topic.partitions) {
        if (view.leader < 0) continue
        const answer = await cluster.ask<ListOffsetsRequest, ListOffsetsResponse>(view.leader, ApiKey.listOffsets, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: -1 }] }],
        })
        const { errorCode, offset } = answer.topics[0]!.partitions[0]!
        const says = `${name}-${partition}: leader ${view.leader} answers error ${errorCode} for its end`
        if (errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER) moved.push(says)
        else if (errorCode !== ErrorCode.NONE) differences.push(says)
        else differences.push(...replicaDifferences(cluster, name, partition, view.isr.split(',').map(Number), offset))
      }
    }
    return { differences, moved }
  }

  /** Reads the leaders' files: every acknowledged record once, at its offset; none twice. */
  async lostOrRepeated(): Promise<string[]> {
    const { cluster } = this
    const { world } = await cluster.zookeeper(inZooKeeper)
    const found: string[] = []
    const seen = new Map<string, string>()
    // Those that come while it is read need not be found.
    const acknowledged = [...(this.java?.acknowledged ?? [])]
    for (let partition = 0; partition < this.assignment.length; partition++) {
      const directory = join(
        cluster.logDirs(world.topics.get(LOAD)!.partitions.get(partition)!.leader)[0]!,
        `${LOAD}-${partition}`,
      )
      for (const file of readdirSync(directory)
        .filter((name) => name.endsWith('.log'))
        .sort()) {
        const bytes = readFileSync(join(directory, file))
        for (let at = 0; batchIsCompleteAt(bytes, at); at += batchSizeAt(bytes, at)) {
          for (const { offset, value } of decodeRecords(bytes.subarray(at, at + batchSizeAt(bytes, at)))) {
            const key = writtenBy(value?.toString() ?? '')
            if (key === undefined) continue
            if (seen.has(key)) found.push(`record ${key} is twice in the log: at ${seen.get(key)} and at ${partition}/${offset}`)
            seen.set(key, `${partition}/${offset}`)
          }
        }
      }
    }
    // librdkafka does not always know the offset of what it had to send again.
    const isLost = ({ client, n, outcome, partition, offset }: Sent): boolean => {
      const place = seen.get(`${client}/${n}`)
      return outcome === 'acknowledged' && (offset === -1 ? place === undefined : place !== `${partition}/${offset}`)
    }
    const lost = [...this.sent, ...acknowledged].filter(isLost)
    if (lost.length > 0) {
      const { client, n, partition, offset } = lost[0]!
      found.push(
        `${lost.length} acknowledged records are not where they were said to be: ` +
          `first ${client}/${n} at ${partition}/${offset}, is at ${seen.get(`${client}/${n}`)}`,
      )
    }
    return found.slice(0, 5)
  }

  /** What the logs say that is not usual, and fails a step; what does not is shown. */
  differences(usual: readonly RegExp[] = []): string[] {
    const { touched: now } = this.cluster
    // Some lines come late.
    const touched = new Set([...this.touched, ...now])
    this.touched = new Set(now)
    now.clear()
    const found: string[] = []
    for (const line of this.cluster.complaints().filter((one) => !isUsual(one, touched, usual))) {
      const short = line.length <= 400 ? line : `${line.slice(0, 200)} ... ${line.slice(-200)}`
      if (this.isStrict || !isWarning(line)) found.push(short)
      else process.stdout.write(`shown  ${short}\n`)
    }
    return found
  }

  report(name: string, found: string[]): void {
    if (found.length > 0) this.failures++
    process.stdout.write(
      `${found.length === 0 ? 'ok    ' : 'FAILED'} ${name}\n${found
        .slice(0, 12)
        .map((one) => `         ${one}\n`)
        .join('')}`,
    )
  }

  /** Says the last line of a program, and gives its exit code. */
  closing(): number {
    process.stdout.write(`${this.failures === 0 ? 'passed' : `${this.failures} steps failed`}; logs in ${this.cluster.dir}\n`)
    return this.failures === 0 ? 0 : 1
  }
}
