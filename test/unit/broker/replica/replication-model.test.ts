import { baseOffsetAt, lastOffsetAt } from '../../../../protocol/records/batch'
import { decodeRecords, iterateBatches } from '../../../../protocol/records/records'
import { topicConfig } from '../../../../protocol/rules/topic-config'
import { LogManager } from '../../../../broker/log/log-manager'
import type { ReplicaLog } from '../../../../broker/replica/log-port'
import { ErrorCode } from '../../../../protocol/errors'
import { Turn } from '../../../../runtime/turn'
import { World } from '../../../simulation/world/world'
import { brokers, TOPIC, type BrokerSetup, type TestBroker } from './support/brokers'
import { ModelController } from './support/controller'

/** Batches below `limit`, as bytes. */
function contentOf(log: ReplicaLog, limit = log.endOffset): Buffer[] {
  const batches: Buffer[] = []
  for (let offset = log.startOffset; offset < limit; ) {
    const read = log.read(offset, 1 << 20, { upTo: 'logEnd', minOneMessage: true })
    const records = Buffer.from(read.records)
    read.release()
    for (const each of iterateBatches(records)) if (baseOffsetAt(each, 0) < limit) batches.push(each)
    offset = lastOffsetAt(batches.at(-1)!, 0) + 1
  }
  return batches
}

/**
 * Three brokers with real logs on simulated disks, and a controller that elects. Brokers are killed, lose power, are cut off from
 * one another or from ZooKeeper, leaders move; proposals get lost. What must hold (reliability.md): acknowledged records stay
 * (I1), below a leader's high watermark all members of the ISR are equal (I3), equal offset and epoch are equal bytes (I4).
 */
class Story {
  readonly world: World
  readonly all: TestBroker[]
  readonly controller: ModelController
  readonly acknowledged = new Map<number, string>()
  private produced = 0
  /** With flush.before.ack any number of power cuts at any time is survived. */
  private readonly isDurable: boolean
  private readonly pick: World['random']
  private readonly aloneSinceMs = new Map<number, number>()
  private readonly opening = new Map<number, Promise<void>>()

  constructor(seed: number, setup: BrokerSetup) {
    this.isDurable = setup.topic?.flushBeforeAck === true
    this.world = new World(seed)
    this.all = brokers(this.world, 3, setup)
    this.controller = new ModelController(this.world, new Map(this.all.map((each) => [each.id, each])))
    this.pick = this.world.random.fork('story')
    for (const broker of this.all) {
      broker.isUp = false
      broker.process.disk.makeDirectory('/data')
      broker.process.disk.syncDirectory('/')
    }
    let steps = 0
    this.world.invariant = () => {
      this.noteWhoIsAlone()
      if (steps++ % 8 === 0) this.check()
    }
  }

  async open(broker: TestBroker): Promise<void> {
    const { process } = broker
    const { incarnation } = process
    broker.store = await LogManager.open(process.env, {
      dirs: ['/data/a'],
      defaults: topicConfig({ 'segment.bytes': '2000', 'retention.ms': '-1' }),
      turn: new Turn(process.env.clock),
      processId: 1000 + incarnation,
    })
    if (process.incarnation !== incarnation) return
    broker.start()
    broker.isUp = true
    this.noteLog(broker, 'opened')
    this.controller.register(broker.id)
  }

  begin(broker: TestBroker): void {
    this.opening.set(broker.id, this.open(broker).catch((error) => this.world.fail(error)))
  }

  kill(broker: TestBroker, isPowerCut: boolean): void {
    this.noteLog(broker, isPowerCut ? 'about to lose power' : 'about to be killed')
    broker.isUp = false
    broker.kill()
    if (isPowerCut) {
      broker.process.cutPower()
      // Without flush.before.ack it must be out of the ISR before another one fails: who fails last must have all.
      if (!this.isDurable) this.controller.expire(broker.id)
    }
    // Its session times out, unless it is back before that and ends it itself.
    const czxid = this.controller.live.get(broker.id)
    this.after(200 + this.pick.below(500), () => {
      if (this.controller.live.get(broker.id) === czxid) this.controller.expire(broker.id)
    })
    this.after(50 + this.pick.below(1500), () => this.begin(broker))
  }

  noteLog(broker: TestBroker, what: string): void {
    const log = broker.store.get(TOPIC, 0)
    if (log === undefined) return
    const { startOffset, endOffset, syncedOffset, highWatermark, latestEpoch } = log
    const offsets = `start ${startOffset} end ${endOffset} synced ${syncedOffset} hw ${highWatermark} epoch ${latestEpoch}`
    const { role = '', leaderEpoch = -1, isr = undefined } = broker.replicas.partition(TOPIC, 0) ?? {}
    const state = `${role} in ${leaderEpoch} isr ${JSON.stringify(isr)}`
    this.world.note(broker.process, `${what}: ${offsets}, ${state}, acknowledged ${this.acknowledgedEnd}`)
  }

  private after(ms: number, run: () => void): void {
    this.world.plan(this.world.process('story'), ms, run)
  }

  private any(): TestBroker {
    return this.all[this.pick.below(3)]!
  }

  /**
   * Without flush.before.ack not every power cut can be survived: only while another member of the ISR is up, or when the
   * victim is alone and has had the time to sync (KIP-966).
   */
  private survives(victim: TestBroker): boolean {
    if (this.isDurable) return true
    const { isr } = this.controller.znode
    if (!isr.includes(victim.id)) return true
    if (isr.some((id) => id !== victim.id && this.all[id - 1]!.isUp && this.controller.live.has(id))) return true
    return this.world.nowMs - (this.aloneSinceMs.get(victim.id) ?? Infinity) > 100
  }

  private noteWhoIsAlone(): void {
    for (const { id, isUp, replicas } of this.all) {
      const partition = isUp ? replicas.partition(TOPIC, 0) : undefined
      if (!partition?.isLeader || partition.isr.maximal.length > 1) this.aloneSinceMs.delete(id)
      else if (!this.aloneSinceMs.has(id)) this.aloneSinceMs.set(id, this.world.nowMs)
    }
  }

  private get acknowledgedEnd(): number {
    return Math.max(-1, ...this.acknowledged.keys()) + 1
  }

  act(): void {
    const broker = this.any()
    const dice = this.pick.below(100)
    if (dice < 60) for (let i = this.pick.below(6); i >= 0; i--) this.produce()
    else if (dice < 64 && this.isDurable) {
      // The power of the whole room, while records are under way.
      for (let i = 0; i < 4; i++) this.produce()
      this.after(this.pick.below(12), () => {
        for (const each of this.all) if (each.isUp) this.kill(each, true)
      })
    } else if (dice < 70) this.controller.move(this.pick)
    else if (dice < 78) {
      if (broker.isUp) this.kill(broker, false)
    } else if (dice < 84) {
      if (broker.isUp && this.survives(broker)) this.kill(broker, true)
    } else if (dice < 93) {
      // Cut off from the other brokers for a while.
      broker.isReachable = false
      this.after(this.pick.below(2000), () => (broker.isReachable = true))
    } else if (broker.isUp) this.cutFromZooKeeper(broker)
  }

  /** Its session expires; it may or may not notice in time that it must not act. Later it registers anew. */
  private cutFromZooKeeper(broker: TestBroker): void {
    const { incarnation } = broker.process
    broker.mayAct = this.pick.below(2) === 0
    this.controller.expire(broker.id)
    this.after(this.pick.below(2000), () => {
      if (broker.isUp && broker.process.incarnation === incarnation && !this.controller.live.has(broker.id)) {
        this.controller.register(broker.id)
      }
    })
  }

  produce(): void {
    const believers = this.all.filter((each) => each.isUp && each.replicas.partition(TOPIC, 0)?.isLeader)
    const leader = believers[this.pick.below(Math.max(1, believers.length))]
    if (leader === undefined) return
    const value = `v${this.produced++}`
    const { incarnation } = leader.process
    const acks = this.pick.below(4) === 0 ? 1 : -1
    void leader.produce(value, { acks, timeoutMs: 1000 + this.pick.below(3000) }).then(({ errorCode, baseOffset }) => {
      if (acks === 1 || errorCode !== ErrorCode.NONE || leader.process.incarnation !== incarnation) return
      if (this.acknowledged.has(baseOffset)) this.world.fail(new Error(`offset ${baseOffset} acknowledged twice`))
      this.acknowledged.set(baseOffset, value)
    })
  }

  check(): void {
    const { isr } = this.controller.znode
    const up = this.all.filter((each) => each.isUp && each.replicas.localLog(TOPIC, 0)?.isOnline)
    const contents = new Map(up.map((each) => [each.id, contentOf(each.replicas.localLog(TOPIC, 0)!)]))
    const seen = new Map<string, Buffer>()
    for (const batches of contents.values()) {
      for (const each of batches) {
        const key = each.subarray(0, 16).toString('hex')
        const other = seen.get(key)
        if (other === undefined) seen.set(key, each)
        else if (!other.equals(each)) throw new Error(`I4: two batches at ${baseOffsetAt(each, 0)} of one epoch`)
      }
    }
    for (const leader of up) {
      const partition = leader.replicas.partition(TOPIC, 0)
      if (!partition?.isLeader) continue
      const committed = contents.get(leader.id)!.filter((each) => baseOffsetAt(each, 0) < partition.log!.highWatermark)
      for (const id of isr) {
        const batches = contents.get(id)
        // A replica that is coming back has no role yet, and answers for nothing.
        if (batches === undefined || this.all[id - 1]!.replicas.partition(TOPIC, 0)!.role === 'none') continue
        committed.forEach((each, i) => {
          if (batches[i]?.equals(each) !== true) {
            const where = `${baseOffsetAt(each, 0)}, below the high watermark of ${leader.id}`
            throw new Error(`I3: broker ${id} of the ISR differs at ${where}`)
          }
        })
      }
    }
  }

  async heal(): Promise<void> {
    this.controller.lossRate = 0
    for (const broker of this.all) broker.isReachable = true
    const isWhole = (): boolean => {
      for (const broker of this.all) {
        if (broker.isUp && !this.controller.live.has(broker.id)) this.controller.register(broker.id)
      }
      const logs = this.all.map((each) => (each.isUp ? each.replicas.localLog(TOPIC, 0) : undefined))
      const end = logs[0]?.endOffset
      const areEqual = logs.every((log) => log?.isOnline && log.endOffset === end && log.highWatermark === end)
      return this.controller.znode.isr.length === 3 && areEqual
    }
    await this.world.runUntil(isWhole, 120_000, 'all replicas are in the ISR and equal')
    this.check()
    for (const broker of this.all) this.noteLog(broker, 'in the end')
    const found = new Map<number, string>()
    const log = this.all[0]!.replicas.localLog(TOPIC, 0)!
    for (const each of contentOf(log)) {
      for (const { offset, value } of decodeRecords(each)) found.set(offset, value!.toString())
    }
    const lost = [...this.acknowledged].filter(([offset, value]) => found.get(offset) !== value)
    const bounds = `${log.startOffset} to ${log.endOffset}`
    if (lost.length > 0) throw new Error(`I1: acknowledged and lost: ${lost.join(' ')}; the log holds ${bounds}`)
  }
}

async function tell(seed: number, setup: BrokerSetup): Promise<Story> {
  const story = new Story(seed, setup)
  const { world, all } = story
  try {
    for (const broker of all) story.begin(broker)
    await world.runUntil(() => story.controller.znode.leader > 0, 10_000, 'a leader')
    story.controller.lossRate = 0.2
    for (let i = 0; i < 150; i++) {
      story.act()
      await world.run(world.random.below(120))
    }
    await story.heal()
    return story
  } catch (error) {
    for (const broker of all) story.noteLog(broker, 'in the end')
    throw new Error(`seed ${seed}: ${String(error)}\n${world.lastLines(80).join('\n')}`, { cause: error })
  }
}

const FIRST_SEED = Number(process.env['SEED'] ?? 1)
const SEEDS = Number(process.env['SEEDS'] ?? 6)
// One batch a fetch, so that followers lag.
const config = { replicaLagTimeMaxMs: 600, replicaFetchBackoffMs: 200, replicaFetchMaxBytes: 1 }

test.each([
  ['as configured by default', { config }],
  ['with min.insync.replicas=2', { config, topic: { minInsyncReplicas: 2 } }],
  ['with flush.before.ack', { config, topic: { minInsyncReplicas: 2, flushBeforeAck: true } }],
  ['with IBP 2.3', {
    config, protocol: { fetchVersion: 11, truncationOnFetch: false, offsetForLeaderEpochVersion: 3, listOffsetsVersion: 5 },
  }],
])('nothing that was acknowledged is lost, %s', async (_, setup) => {
  let acknowledged = 0
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) acknowledged += (await tell(seed, setup)).acknowledged.size
  // The stories are about something.
  expect(acknowledged).toBeGreaterThan(SEEDS * 5)
})
