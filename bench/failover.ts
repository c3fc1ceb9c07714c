import { ApiKey } from '../protocol/messages/apis'
import { Admin, ElectionType, Producer } from '../index'
import { brokerIdPath } from '../zk-schema/brokers'
import { controllerPath, decodeController } from '../zk-schema/controller'
import { cpuSeconds, oneAfterTheOther } from './clusters'
import { KafkaConnection } from '../network/kafka-connection'
import { openSession } from '../zk-schema/session/session'
import { partitionsOf, until, untilComplete } from './partitions'
import { realEnvironment } from '../runtime/real'
import { sleep } from './raw-requests'
import { SlabPool } from '../network/slab-pool'
import type { MetadataRequest, MetadataResponse, MetadataResponsePartition } from '../protocol/messages/metadata'
import type { RowOptions, Table } from './table'
import type { Subject } from './clusters'
import type { ZooKeeperSession } from '../zk-schema/session/session'

const TOPIC = 'bench'
const OVERRIDES = { 'zookeeper.session.timeout.ms': '6000' }
const FIVE_TIMES: RowOptions = { unit: 'ms', expected: 5 }
/** What the last step left to be done is done by then. */
const SETTLE_MS = 1500

/** How often leaders are looked for. 12 partitions take milliseconds; asking for 5,000 costs something, too. */
function pollMsFor(partitions: number): number {
  return Math.max(3, partitions / 200)
}

/** A fast look at what some brokers believe. */
class Observer {
  private readonly connections: KafkaConnection[]

  private constructor(connections: KafkaConnection[]) {
    this.connections = connections
  }

  static async of(addresses: readonly string[]): Promise<Observer> {
    const env = realEnvironment()
    const pool = new SlabPool(64 * 1024 * 1024, 16 * 1024 * 1024)
    const connections = addresses.map((address) => {
      const [host, port] = address.split(':')
      return new KafkaConnection(env, { host: host!, port: Number(port), clientId: 'bench', requestTimeoutMs: 30_000, pool })
    })
    await Promise.all(connections.map((connection) => connection.connect()))
    return new Observer(connections)
  }

  /** Whether it holds for each partition, on each broker. */
  async all(holds: (partition: MetadataResponsePartition) => boolean): Promise<boolean> {
    for (const connection of this.connections) {
      const { topics } = await connection.send<MetadataRequest, MetadataResponse>(ApiKey.metadata, {
        topics: [{ name: TOPIC }],
        allowAutoTopicCreation: false,
      })
      if (!topics[0]!.partitions.every(holds)) return false
    }
    return true
  }

  close(): void {
    for (const connection of this.connections) connection.close()
  }
}

class Failover {
  private readonly subject: Subject
  private readonly admin: Admin
  private readonly zookeeper: ZooKeeperSession
  private readonly partitions: number
  private readonly table: Table
  private readonly size: string
  private readonly pollMs: number

  private constructor(subject: Subject, zookeeper: ZooKeeperSession, partitions: number, table: Table) {
    this.subject = subject
    this.zookeeper = zookeeper
    this.partitions = partitions
    this.pollMs = pollMsFor(partitions)
    this.table = table
    this.size = `${partitions.toLocaleString('en')} partitions`
    this.admin = new Admin({ 'bootstrap.servers': subject.bootstrap })
  }

  static async measure(subject: Subject, partitions: number, rounds: number, table: Table): Promise<void> {
    const zookeeper = await openSession(realEnvironment(), { connect: subject.zookeeper, sessionTimeoutMs: 30_000 })
    const failover = new Failover(subject, zookeeper, partitions, table)
    try {
      await failover.create()
      for (let round = 0; round < rounds; round++) {
        const controller = await failover.controller()
        const leader = [...subject.pids.keys()].find((id) => id !== controller)!
        await failover.killed('leader', leader)
        await failover.killed('controller', controller)
      }
      await failover.shutdown()
    } finally {
      await failover.admin.close()
      await zookeeper.close()
    }
  }

  private add(what: string, value: number, options: RowOptions): void {
    this.table.add(this.subject.name, `${this.size}: ${what}`, value, options)
  }

  private async controller(): Promise<number> {
    return decodeController((await this.zookeeper.get(controllerPath))!.data).brokerId
  }

  private addressesBut(id: number): string[] {
    return this.subject.bootstrap.split(',').filter((_, index) => index !== id)
  }

  private async create(): Promise<void> {
    const startMs = performance.now()
    await this.admin.createTopics([{ name: TOPIC, partitions: this.partitions, replicationFactor: 3 }], { timeoutMs: 120_000 })
    await untilComplete(this.admin, TOPIC, this.partitions, 3, this.pollMs)
    this.add('created, until every leader and full ISR', performance.now() - startMs, FIVE_TIMES)
    await sleep(SETTLE_MS)
  }

  /** kill -9, and the way back. */
  private async killed(role: string, victim: number): Promise<void> {
    const survivors = this.addressesBut(victim)
    const all = await partitionsOf(this.admin, TOPIC)
    const led = all.filter(({ leader }) => leader === victim).map(({ partition }) => partition)
    const observer = await Observer.of(survivors)
    try {
      const gone = new Promise<void>((resolve) => {
        this.zookeeper.onNodeChanged(brokerIdPath(victim), (event) => event === 'deleted' && resolve())
      })
      await this.zookeeper.exists(brokerIdPath(victim), true)
      const pid = this.subject.pids.get(victim)!
      process.kill(pid, 'SIGKILL')
      await gone
      const startMs = performance.now()
      const firstAck = this.firstAck(survivors, led.slice(0, 5)).then(() => performance.now() - startMs)
      await until('every leader moved', () => observer.all(({ leaderId }) => leaderId >= 0 && leaderId !== victim), this.pollMs)
      this.add(`${role} killed, every leader moved`, performance.now() - startMs, FIVE_TIMES)
      this.add(`${role} killed, first acknowledged record`, await firstAck, FIVE_TIMES)
      await this.back(role, victim, observer)
    } finally {
      observer.close()
    }
  }

  /** Of any of these partitions. */
  private async firstAck(bootstrap: readonly string[], partitions: readonly number[]): Promise<void> {
    const producer = new Producer({
      'bootstrap.servers': bootstrap.join(','), 'retry.backoff.ms': 5, 'retry.backoff.max.ms': 10, 'enable.idempotence': false,
    })
    await Promise.any(partitions.map((partition) => producer.send({ topic: TOPIC, partition, value: 'x' })))
    void producer.close()
  }

  private async back(role: string, victim: number, observer: Observer): Promise<void> {
    const startMs = performance.now()
    this.subject.restart(victim)
    await until('the restarted broker is in every ISR', () => observer.all(({ isrNodes }) => isrNodes.length === 3), this.pollMs)
    this.add(`the killed ${role} back in every ISR after its restart`, performance.now() - startMs, { unit: 'ms' })
    await sleep(SETTLE_MS)
    await this.admin.electLeaders(ElectionType.preferred, null)
    await until('preferred leaders lead', () => observer.all(({ leaderId, replicaNodes }) => leaderId === replicaNodes[0]))
    await sleep(SETTLE_MS)
  }

  private async shutdown(): Promise<void> {
    const controller = await this.controller()
    const id = [...this.subject.pids.keys()].find((each) => each !== controller)!
    const pid = this.subject.pids.get(id)!
    const startMs = performance.now()
    process.kill(pid, 'SIGTERM')
    await until('the broker has ended', () => Promise.resolve(isOver(pid)), 3)
    this.add('controlled shutdown of a broker', performance.now() - startMs, { unit: 'ms' })
  }
}

/** Its parent is this process, which reads its exit code in its own time. */
function isOver(pid: number): boolean {
  try {
    cpuSeconds(pid)
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}

/** Elections, restarts and shutdowns with so many partitions of three replicas on three brokers. */
export async function failover(table: Table, partitions: number): Promise<void> {
  const rounds = partitions < 100 ? 3 : 1
  await oneAfterTheOther(3, OVERRIDES, (subject) => Failover.measure(subject, partitions, rounds, table))
}
