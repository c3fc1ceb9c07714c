import { Admin } from '../../../client/admin'
import { topicsPath } from '../../../zk-schema/topics'
import { World } from '../world/world'
import { Administrator } from './administrator'
import { SimulatedCluster } from './cluster'
import { COORDINATOR_PROPERTIES, COPIED, COPY, Coordination } from './coordination'
import { Faults } from './faults'
import { checkControllerMemory, checkPartitionStates, checkRecords, partitionsInZooKeeper, unfinished } from './final-checks'
import { CommittedOracle } from './oracle'
import { poison } from './poison'
import { Reader, Writer } from './workload'
import type { Topic } from './workload'

export interface StoryOptions {
  brokers?: number
  /** Faults that are begun. */
  rounds?: number
  /** Groups and transactions as well. */
  coordinators?: boolean
}

export interface StoryResult {
  seed: number
  hash: string
  steps: number
  virtualMs: number
  acknowledged: number
  failed: number
  committed: number
  administered: number
  /** Transactions that copiers committed. */
  transactions: number
  faults: Record<string, number>
}

/** The time in which a healed cluster must be whole again. */
const RECOVERY_LIMIT_MS = 60_000

/** The failure of a seed, with the last lines of its trace. */
export class StoryError extends Error {
  override readonly name = 'StoryError'
  readonly seed: number
  readonly lines: readonly string[]

  constructor(seed: number, cause: unknown, lines: readonly string[]) {
    super(`seed ${seed}: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`, { cause })
    this.seed = seed
    this.lines = lines
  }
}

/** One run: a pure function of the seed and the options. Throws StoryError. */
export async function tell(seed: number, options: StoryOptions = {}): Promise<StoryResult> {
  const world = new World(seed)
  const onRejection = (error: unknown): void => world.fail(error)
  process.on('unhandledRejection', onRejection)
  const undo = poison((error) => world.fail(error))
  try {
    return await new Story(world, options).run()
  } catch (error) {
    undo()
    throw new StoryError(seed, error, world.lastLines(2000))
  } finally {
    undo()
    process.off('unhandledRejection', onRejection)
  }
}

function brokersOf(options: StoryOptions): number {
  return options.brokers ?? 3
}

class Story {
  private readonly world: World
  private readonly options: StoryOptions
  private readonly cluster: SimulatedCluster
  private readonly oracle: CommittedOracle
  private readonly isDurable: boolean
  private readonly topics: Topic[]
  private readonly writers: Writer[]
  private readonly reader: Reader
  private readonly administrator: Administrator
  private readonly coordination: Coordination | undefined
  /** I6: who was controller in which epoch. */
  private readonly controllers = new Map<number, number>()

  constructor(world: World, options: StoryOptions) {
    this.world = world
    this.options = options
    const random = world.random.fork('story')
    const brokers = brokersOf(options)
    this.isDurable = random.chance(0.5)
    this.cluster = new SimulatedCluster(world, brokers, {
      ...(brokers < 3 ? { 'min.insync.replicas': '1', 'default.replication.factor': '1' } : {}),
      // The coordinators' own topics must survive what the others survive.
      ...(options.coordinators === true ? { ...COORDINATOR_PROPERTIES, 'flush.before.ack': String(this.isDurable) } : {}),
    })
    this.topics = [
      { name: 'a', partitions: 1 + random.below(3) },
      { name: 'b', partitions: 1 },
    ]
    this.writers = ['writer-1', 'writer-2'].map((name) => new Writer(this.cluster, name, this.topics))
    this.reader = new Reader(this.cluster, 'reader', this.topics)
    this.administrator = new Administrator(this.cluster, this.topics)
    this.coordination = options.coordinators === true ? new Coordination(this.cluster, this.topics) : undefined
    this.oracle = new CommittedOracle(this.cluster)
    this.cluster.onEvent = (broker, event) => {
      if (event.kind !== 'election' || event.outcome !== 'won') return
      const epoch = event.controllerEpoch!
      const other = this.controllers.get(epoch)
      if (other !== undefined) world.fail(new Error(`I6: brokers ${other} and ${broker.id} both won epoch ${epoch}`))
      this.controllers.set(epoch, broker.id)
    }
    let steps = 0
    world.invariant = () => {
      if (++steps % 4 === 0) this.oracle.observe()
      if (steps % 64 === 0) checkPartitionStates(this.cluster)
    }
  }

  async run(): Promise<StoryResult> {
    const { world, cluster, oracle } = this
    await cluster.start()
    await this.createTopics()
    for (const writer of this.writers) writer.start()
    this.reader.start()
    this.coordination?.start()
    const isAdministered = brokersOf(this.options) > 1 && world.random.fork('administration').chance(0.5)
    if (isAdministered) this.administrator.start()
    const faults = new Faults(cluster, this.writers, this.reader, this.isDurable, this.coordination?.actors ?? [])
    await faults.happen(this.options.rounds ?? 12)
    faults.healAll()
    await world.settle(this.administrator.stop(), RECOVERY_LIMIT_MS, 'the administrator has its last answer')
    await this.becomeWhole('after the faults')
    const before = this.acknowledgedTotal
    await world.runUntil(() => this.acknowledgedTotal > before + 20, 30_000, 'records are acknowledged again')
    await world.settle(Promise.all(this.writers.map((writer) => writer.stop())), RECOVERY_LIMIT_MS, 'every record has its answer')
    await this.endCoordination()
    await this.becomeWhole('without load')
    await world.runUntil(() => this.isAllRead(), 30_000, 'all is read')
    this.reader.stop()
    this.administrator.check(new Set(cluster.children(topicsPath)))
    checkControllerMemory(cluster)
    this.coordination?.check()
    checkRecords(cluster, new Set(this.topics.map(({ name }) => name)), this.writers.flatMap(({ acknowledged }) => acknowledged), this.reader)
    const result = {
      seed: world.seed,
      hash: world.traceHash(),
      steps: world.steps,
      virtualMs: Math.round(world.nowMs),
      acknowledged: this.acknowledgedTotal,
      failed: this.writers.reduce((sum, { failed }) => sum + failed, 0),
      committed: oracle.committed,
      administered: this.administrator.done,
      transactions: this.coordination?.transactions ?? 0,
      faults: faults.counts,
    }
    return result
  }

  private get acknowledgedTotal(): number {
    return this.writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)
  }

  private async createTopics(): Promise<void> {
    const { cluster, world } = this
    const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers, 'request.timeout.ms': 5000 }, world.process('admin').env)
    const configs = { 'flush.before.ack': String(this.isDurable) }
    const replicationFactor = Math.min(3, cluster.brokers.length)
    const copied = this.topics.filter(({ name }) => this.coordination !== undefined && name === COPIED)
    const wanted = [...this.topics, ...copied.map(({ partitions }) => ({ name: COPY, partitions }))]
    const created = await world.settle(
      admin.createTopics(wanted.map(({ name, partitions }) => ({ name, partitions, replicationFactor, configs }))), 30_000, 'the topics are created')
    for (const { name, errorCode, errorMessage } of created) if (errorCode !== 0) throw new Error(`${name} is not created: ${errorMessage}`)
    await world.settle(admin.close(), 1000, 'the admin client closes')
  }

  /** Groups and copiers come to the end of everything, and leave. */
  private async endCoordination(): Promise<void> {
    const { coordination, world } = this
    if (coordination === undefined) return
    try {
      await world.runUntil(() => this.mayLook() && coordination.isDone, RECOVERY_LIMIT_MS, 'all is consumed and copied')
    } catch (error) {
      throw new Error(`${(error as Error).message}; ${coordination.left}`, { cause: error })
    }
    await world.settle(coordination.stop(), RECOVERY_LIMIT_MS, 'members and copiers have left')
  }

  private nextLookMs = 0

  private mayLook(): boolean {
    if (this.world.nowMs < this.nextLookMs) return false
    this.nextLookMs = this.world.nowMs + 50
    return true
  }

  private async becomeWhole(when: string): Promise<void> {
    let last: string | undefined = 'nothing was looked at'
    const isWhole = (): boolean => {
      if (!this.mayLook()) return false
      last = unfinished(this.cluster)
      // Under load the ends of the logs are never all the same.
      return last === undefined || (when !== 'without load' && last.startsWith('the replicas of'))
    }
    try {
      await this.world.runUntil(isWhole, RECOVERY_LIMIT_MS, `the cluster is whole ${when}`)
    } catch (error) {
      throw new Error(`${(error as Error).message}; ${last}`, { cause: error })
    }
  }

  private isAllRead(): boolean {
    const topics = new Set(this.topics.map(({ name }) => name))
    return partitionsInZooKeeper(this.cluster).every(({ topic, partition, state }) => {
      if (!topics.has(topic)) return true
      const log = this.cluster.brokers[state!.leader]?.running?.replicas.localLog(topic, partition)
      return log !== undefined && this.reader.position(topic, partition) === log.highWatermark
    })
  }
}
