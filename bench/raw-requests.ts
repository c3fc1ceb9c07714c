import { ApiKey } from '../protocol/messages/apis'
import { ErrorCode } from '../protocol/errors'
import { KafkaConnection } from '../network/kafka-connection'
import { SlabPool } from '../network/slab-pool'
import { Admin } from '../index'
import { cpuSeconds } from './clusters'
import { realEnvironment } from '../runtime/real'
import type { FindCoordinatorResponse } from '../protocol/messages/find-coordinator'
import type { LiveMemory } from './live-memory'
import type { PartitionMetadata } from '../index'
import type { Subject } from './clusters'

const RETRIABLE = new Set<number>([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.COORDINATOR_NOT_AVAILABLE, ErrorCode.NOT_COORDINATOR,
  ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
])

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Asks again, a millisecond later, as long as the error is one that passes. Throws the others. */
export async function settled<T>(what: string, ask: () => Promise<T>, codeOf: (answer: T) => number): Promise<T> {
  for (const endMs = performance.now() + 60_000; ; await sleep(1)) {
    const answer = await ask()
    const code = codeOf(answer)
    if (code === 0) return answer
    if (!RETRIABLE.has(code) || performance.now() > endMs) throw new Error(`${what} failed with ${code}`)
  }
}

/** One cluster under measurement, and the connections to it. */
export class Bench {
  readonly subject: Subject
  readonly admin: Admin
  readonly memory: LiveMemory
  private readonly env = realEnvironment()
  private readonly pool = new SlabPool(512 * 1024 * 1024, 16 * 1024 * 1024)
  private readonly connections = new Set<KafkaConnection>()

  constructor(subject: Subject, memory: LiveMemory) {
    this.subject = subject
    this.memory = memory
    this.admin = new Admin({ 'bootstrap.servers': subject.bootstrap })
  }

  async connect(address: string): Promise<KafkaConnection> {
    const [host, port] = address.split(':')
    const connection = new KafkaConnection(this.env, {
      host: host!, port: Number(port), clientId: 'bench', requestTimeoutMs: 120_000, connectTimeoutMs: 60_000, pool: this.pool,
    })
    await connection.connect()
    this.connections.add(connection)
    return connection
  }

  async close(): Promise<void> {
    this.closeConnections()
    await this.admin.close()
  }

  closeConnections(): void {
    for (const connection of this.connections) connection.close()
    this.connections.clear()
  }

  /** Of a group (key type 0) or a transactional id (1). */
  async coordinatorOf(key: string, keyType = 0): Promise<{ id: number; address: string }> {
    const connection = await this.connect(this.subject.bootstrap.split(',')[0]!)
    const found = await settled(
      'FindCoordinator',
      () =>
        connection.send<object, FindCoordinatorResponse>(
          ApiKey.findCoordinator,
          { keyType, coordinatorKeys: [key] },
          { version: 4 },
        ),
      ({ coordinators }) => coordinators[0]!.errorCode,
    )
    connection.close()
    this.connections.delete(connection)
    const { nodeId, host, port } = found.coordinators[0]!
    return { id: nodeId, address: `${host}:${port}` }
  }

  async partitionsOf(topic: string): Promise<PartitionMetadata[]> {
    return (await this.admin.describeTopics([topic]))[0]?.partitions ?? []
  }

  /** Waits until the brokers know it: they do not learn at the same moment. */
  async leaderOf(topic: string, partition: number): Promise<number> {
    for (;;) {
      const found = (await this.partitionsOf(topic).catch(() => [])).find((one) => one.partition === partition)
      if (found !== undefined && found.leader >= 0) return found.leader
      await sleep(20)
    }
  }

  async createTopic(name: string, partitions: number, replicationFactor: number): Promise<void> {
    await this.admin.createTopics([{ name, partitions, replicationFactor }])
    let ready: PartitionMetadata[] = []
    while (ready.length < partitions) {
      await sleep(20)
      ready = (await this.partitionsOf(name).catch(() => [])).filter(({ leader }) => leader >= 0)
    }
  }

  liveBytes(broker: number): Promise<number> {
    return this.memory.bytes(this.subject.pids.get(broker)!)
  }

  get brokersCpuSeconds(): number {
    return [...this.subject.pids.values()].reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  }
}
