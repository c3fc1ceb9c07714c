import { openSession } from '../../../zk-schema/session/session'
import { controllerPath } from '../../../zk-schema/controller'
import { heal, partition } from '../world/net'
import { ZOOKEEPER_PORT } from './cluster'
import { unfinished } from './final-checks'
import type { SimulatedBroker, SimulatedCluster } from './cluster'
import type { Actor } from './group-actors'
import type { Reader, Writer } from './workload'
import type { SeededRandom } from '../world/random'
import type { Process } from '../world/world'

type Fault = 'kill' | 'powerCut' | 'blackout' | 'stop' | 'cutBrokers' | 'cutZooKeeper' | 'cutClient' | 'isolate' | 'zookeeper' | 'expire' |
  'moveController' | 'restart' | 'killWriter' | 'killActor' | 'stopActor'

const ALL: Fault[] = [
  'kill', 'powerCut', 'blackout', 'stop', 'cutBrokers', 'cutZooKeeper', 'cutClient', 'isolate', 'zookeeper', 'expire', 'moveController', 'restart', 'killWriter',
]

/** With members of groups and copiers: those die and stand still as often as brokers. */
const OF_ACTORS: Fault[] = ['killActor', 'stopActor']

/** Draws faults from the seed, lets them overlap, and ends each of them. */
export class Faults {
  readonly counts: Record<string, number> = {}
  private readonly cluster: SimulatedCluster
  private readonly writers: readonly Writer[]
  private readonly reader: Reader
  private readonly isDurable: boolean
  private readonly actors: readonly Actor[]
  private readonly random: SeededRandom
  private readonly nemesis: Process
  private readonly chosen: Fault[]
  private readonly cuts = new Map<string, [Process, Process]>()
  /** Faults that have not ended. */
  private open = 0

  constructor(cluster: SimulatedCluster, writers: readonly Writer[], reader: Reader, isDurable: boolean, actors: readonly Actor[]) {
    this.cluster = cluster
    this.writers = writers
    this.reader = reader
    this.isDurable = isDurable
    this.actors = actors
    this.random = cluster.world.random.fork('faults')
    this.nemesis = cluster.world.process('nemesis')
    // Each seed has a mixture of its own: what all do at once hides what some do alone.
    const some = ALL.filter(() => this.random.chance(0.6))
    this.chosen = [...(some.length > 2 ? some : ALL), ...(actors.length > 0 ? OF_ACTORS : [])]
  }

  async happen(rounds: number): Promise<void> {
    const { world } = this.cluster
    for (let round = 0; round < rounds; round++) {
      await world.run(this.random.between(100, this.random.chance(0.3) ? 6000 : 1500))
      const fault = this.random.pick(this.chosen)
      // How many of the rounds did something is told by the counts.
      if (await this.begin(fault)) this.counts[fault] = (this.counts[fault] ?? 0) + 1
    }
    await world.run(this.random.between(100, 5000))
  }

  /** Nothing is cut, stopped or down any more. */
  healAll(): void {
    const { cluster } = this
    for (const [a, b] of this.cuts.values()) heal(a, b)
    this.cuts.clear()
    if (cluster.server === undefined && this.zookeeperIsDown) this.raiseZooKeeper()
    for (const actor of this.actors) {
      if (actor.process.stopped) actor.process.goOn()
      actor.start()
    }
    for (const broker of cluster.brokers) {
      if (broker.process.stopped) broker.process.goOn()
      broker.start()
    }
  }

  private zookeeperIsDown = false

  private after(delayMs: number, run: () => void): void {
    this.open++
    this.cluster.world.plan(this.nemesis, delayMs, () => {
      this.open--
      run()
    })
  }

  private anyBroker(): SimulatedBroker {
    return this.random.pick(this.cluster.brokers)
  }

  /** Mostly short, sometimes longer than every time-out. */
  private duration(): number {
    return this.random.chance(0.6) ? this.random.between(50, 2000) : this.random.between(2000, 9000)
  }

  private async begin(fault: Fault): Promise<boolean> {
    const { cluster, random } = this
    const broker = this.anyBroker()
    switch (fault) {
      case 'kill':
        return this.down(broker, false)
      case 'powerCut':
        return this.isDurable ? this.down(broker, true) : this.calmPowerCut(broker)
      case 'blackout':
        if (!this.isDurable) return false
        for (const each of cluster.brokers) this.down(each, true)
        if (random.chance(0.5)) this.zookeeperDown(true)
        return true
      case 'stop':
        return this.stop(broker)
      case 'cutBrokers':
        return this.cut(broker.process, this.anyBroker().process)
      case 'cutZooKeeper':
        return this.cut(broker.process, cluster.zookeeper)
      case 'cutClient':
        return this.cut(random.pick([...this.writers, this.reader, ...this.actors]).process, broker.process)
      case 'isolate':
        for (const other of [cluster.zookeeper, ...cluster.brokers.map(({ process }) => process)]) this.cut(broker.process, other)
        return true
      case 'zookeeper':
        return this.zookeeperDown(random.chance(0.5))
      case 'expire':
        return this.expire(broker)
      case 'moveController':
        return this.moveController()
      case 'restart':
        if (broker.running === undefined || broker.process.stopped) return false
        void broker.stop()
        this.after(this.duration() + 500, () => broker.start())
        return true
      case 'killWriter': {
        const writer = random.pick(this.writers)
        writer.kill()
        writer.start()
        return true
      }
      case 'killActor':
        return this.killActor(random.pick(this.actors))
      case 'stopActor':
        return this.stopProcess(random.pick(this.actors).process)
    }
  }

  private down(broker: SimulatedBroker, isPowerCut: boolean): boolean {
    if (!broker.isUp) return false
    broker.die(isPowerCut)
    this.after(this.duration(), () => broker.start())
    return true
  }

  /** Without flush.before.ack one power cut at a time is survived, by three brokers that are whole; and the next fault waits. */
  private async calmPowerCut(broker: SimulatedBroker): Promise<boolean> {
    const { world } = this.cluster
    const isWhole = (): boolean => {
      const reason = unfinished(this.cluster)
      return reason === undefined || reason.startsWith('the replicas of')
    }
    if (this.cluster.brokers.length < 3 || this.open > 0 || !isWhole()) return false
    broker.die(true)
    await world.run(this.duration())
    broker.start()
    await world.runUntil(isWhole, 60_000, 'the cluster is whole after a power cut')
    return true
  }

  private stop(broker: SimulatedBroker): boolean {
    return broker.isUp && this.stopProcess(broker.process)
  }

  private killActor(actor: Actor): boolean {
    actor.kill()
    this.after(this.duration() / 2, () => actor.start())
    return true
  }

  private stopProcess(process: Process): boolean {
    if (process.stopped) return false
    const { incarnation } = process
    process.stop()
    this.after(this.duration(), () => {
      if (process.incarnation === incarnation && process.stopped) process.goOn()
    })
    return true
  }

  /** In one direction or both, for a while. */
  private cut(a: Process, b: Process): boolean {
    if (a === b) return false
    const ways = this.random.pick<[Process, Process][]>([[[a, b]], [[b, a]], [[a, b], [b, a]]])
    for (const [from, to] of ways) {
      partition(from, to)
      this.cuts.set(`${from.name}>${to.name}`, [from, to])
    }
    this.after(this.duration(), () => {
      for (const [from, to] of ways) if (this.cuts.delete(`${from.name}>${to.name}`)) heal(from, to)
    })
    return true
  }

  private zookeeperDown(isPowerCut: boolean): boolean {
    if (this.zookeeperIsDown) return false
    this.zookeeperIsDown = true
    this.cluster.killZooKeeper(isPowerCut)
    this.after(this.duration() / 2, () => this.raiseZooKeeper())
    return true
  }

  private raiseZooKeeper(): void {
    if (!this.zookeeperIsDown) return
    this.zookeeperIsDown = false
    this.cluster.startZooKeeper()
  }

  /** A second connection with the session's id and password closes it. */
  private expire(broker: SimulatedBroker): boolean {
    const { running } = broker
    if (running === undefined) return false
    const { id, password } = running.keeper.current
    if (id === 0n) return false
    this.withSession(async () => {
      const options = { connect: `zookeeper:${ZOOKEEPER_PORT}`, sessionTimeoutMs: 3000, connectionTimeoutMs: 3000 }
      const session = await openSession(this.nemesis.env, { ...options, credentials: { id, password } })
      await session.close()
    })
    return true
  }

  private moveController(): boolean {
    this.withSession(async () => {
      const options = { connect: `zookeeper:${ZOOKEEPER_PORT}`, sessionTimeoutMs: 3000, connectionTimeoutMs: 3000 }
      const session = await openSession(this.nemesis.env, options)
      await session.remove(controllerPath, -1)
      await session.close()
    })
    return true
  }

  /** ZooKeeper may be down just now; then nothing happens. */
  private withSession(work: () => Promise<void>): void {
    this.open++
    const over = (): void => void this.open--
    work().then(over, over)
  }
}
