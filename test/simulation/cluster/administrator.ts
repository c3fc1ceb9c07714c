import { Admin, ElectionType, ResourceType } from '../../../client/admin'
import { ErrorCode } from '../../../protocol/errors'
import type { SimulatedCluster } from './cluster'
import type { Topic } from './workload'
import type { SeededRandom } from '../world/random'
import type { Process } from '../world/world'

/** Few names, so that topics are deleted and made again under the same one. */
const NAMES = ['x', 'y', 'z']

/** What became of a topic, as far as the administrator can know: undefined after an answer that did not come. */
type Known = 'exists' | 'gone' | undefined

/** A client process that creates and deletes topics, adds partitions, moves replicas and leaders, while everything fails. */
export class Administrator {
  readonly process: Process
  /** Requests that succeeded. */
  done = 0
  private readonly cluster: SimulatedCluster
  private readonly random: SeededRandom
  private readonly topics: readonly Topic[]
  private readonly known = new Map<string, Known>(NAMES.map((name) => [name, 'gone']))
  private running: Promise<void> = Promise.resolve()
  private stopping = false

  constructor(cluster: SimulatedCluster, topics: readonly Topic[]) {
    this.cluster = cluster
    this.topics = topics
    this.process = cluster.world.process('administrator')
    this.random = cluster.world.random.fork('administrator')
  }

  start(): void {
    this.running = this.administer()
    this.running.catch((error: unknown) => this.process.world.fail(error))
  }

  /** Resolves when the last request has its answer. */
  stop(): Promise<void> {
    this.stopping = true
    return this.running
  }

  /** Throws unless the topics are what was answered (I16). */
  check(existing: ReadonlySet<string>): void {
    for (const [name, known] of this.known) {
      if (known !== undefined && existing.has(name) !== (known === 'exists')) throw new Error(`I16: ${name} ${known}, said the answer, and that is not so`)
      if (existing.has(name)) continue
      for (const { id, running } of this.cluster.brokers) {
        for (let partition = 0; partition < 8; partition++) {
          if (running?.replicas.partition(name, partition) !== undefined) throw new Error(`I16: broker ${id} still has ${name}-${partition}, which was deleted`)
        }
      }
    }
  }

  private async administer(): Promise<void> {
    const { clock } = this.process.env
    const admin = new Admin(
      { 'bootstrap.servers': this.cluster.bootstrapServers, 'request.timeout.ms': 3000, 'default.api.timeout.ms': 8000, 'socket.connection.setup.timeout.ms': 2000 },
      this.process.env,
    )
    while (!this.stopping) {
      await new Promise<void>((resolve) => clock.timer(this.random.between(50, 2500), resolve))
      try {
        await this.act(admin)
        this.done++
      } catch (error) {
        this.process.world.note(this.process, `failed: ${String(error)}`)
        if (error instanceof TypeError || error instanceof RangeError) throw error
      }
    }
    await admin.close()
  }

  private async act(admin: Admin): Promise<void> {
    const { random } = this
    const name = random.pick(NAMES)
    const dice = random.below(10)
    this.process.world.note(this.process, `does ${dice} ${name}`)
    if (dice < 3) return this.create(admin, name)
    if (dice < 5) return this.remove(admin, name)
    if (dice === 5) return admin.createPartitions([{ name, count: 2 + random.below(5) }])
    if (dice === 6) return void (await admin.electLeaders(ElectionType.preferred, null))
    if (dice === 7) {
      return admin.incrementalAlterConfigs(ResourceType.topic, name, [{ name: 'segment.bytes', operation: 'set', value: String(1000 + random.below(5000)) }])
    }
    const topic = random.pick(this.topics)
    const ids = this.cluster.brokers.map(({ id }) => id)
    for (let i = ids.length - 1; i > 0; i--) {
      const j = random.below(i + 1)
      const kept = ids[i]!
      ids[i] = ids[j]!
      ids[j] = kept
    }
    const replicas = random.chance(0.15) ? null : ids.slice(0, Math.min(ids.length, 2 + random.below(2)))
    return admin.alterPartitionReassignments([{ topic: topic.name, partition: random.below(topic.partitions), replicas }])
  }

  private async create(admin: Admin, name: string): Promise<void> {
    const before = this.known.get(name)
    this.known.set(name, undefined)
    const numPartitions = 1 + this.random.below(3)
    const replicationFactor = Math.min(this.cluster.brokers.length, 2 + this.random.below(2))
    try {
      await admin.createTopics([{ name, partitions: numPartitions, replicationFactor }], { timeoutMs: 3000 })
      this.known.set(name, 'exists')
    } catch (error) {
      // It was there already, and nothing was done.
      if ((error as { code?: unknown }).code === ErrorCode.TOPIC_ALREADY_EXISTS && before === 'exists') this.known.set(name, before)
      throw error
    }
  }

  private async remove(admin: Admin, name: string): Promise<void> {
    this.known.set(name, undefined)
    await admin.deleteTopics([name], { timeoutMs: 3000 })
    this.known.set(name, 'gone')
  }
}
