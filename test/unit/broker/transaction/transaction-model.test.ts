import fc from 'fast-check'
import { ErrorCode } from '../../../../protocol/errors'
import { Client, World } from './support/world'

/**
 * Producers that share one transactional id, whose coordinator crashes, whose log and markers fail: whatever they do, a reader
 * of committed data sees what was committed and nothing else, a producer that was replaced writes nothing any more, and every
 * request is answered exactly once.
 */
type Step =
  | { do: 'init'; client: number }
  | { do: 'add'; client: number; partition: number }
  | { do: 'write'; client: number; partition: number }
  | { do: 'end'; client: number; isCommit: boolean }
  | { do: 'crash'; losesTail: boolean }
  | { do: 'elect' }
  | { do: 'hold' }
  | { do: 'confirm' }
  | { do: 'faultyLog'; errorCode: number; isWritten: boolean }
  | { do: 'faultyMarker'; errorCode: number | undefined; isLost: boolean }
  | { do: 'leaders'; leaders: number[] }
  | { do: 'wait'; ms: number }

const CLIENTS = 3
const PARTITIONS = 3
// One that does most, so that it comes to the end of something.
const client = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(CLIENTS - 1) })
const partition = fc.nat(PARTITIONS - 1)
const logError = fc.constantFrom(ErrorCode.REQUEST_TIMED_OUT, ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.NOT_LEADER_OR_FOLLOWER)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('init' as const), client }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add' as const), client, partition }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('write' as const), client, partition }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('end' as const), client, isCommit: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), losesTail: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'elect' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'hold' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'confirm' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('faultyLog' as const), errorCode: logError, isWritten: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('faultyMarker' as const),
      errorCode: fc.constantFrom(undefined, ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND),
      isLost: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('leaders' as const), leaders: fc.array(fc.integer({ min: -1, max: 1 }), { minLength: PARTITIONS, maxLength: PARTITIONS }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(60, 1000, 20_000) }) },
)

/** What one producer wrote in one transaction, and what it was told of its end. */
interface Transaction {
  values: string[]
  outcome: 'open' | 'committed' | 'aborted' | 'unknown'
}

class Trial {
  readonly world = new World(PARTITIONS)
  readonly clients = Array.from({ length: CLIENTS }, () => new Client(this.world))
  readonly transactions: Transaction[] = []
  private readonly current: (Transaction | undefined)[] = []
  /** The partitions that each client was told are part of its transaction: those it writes to. */
  private readonly added = Array.from({ length: CLIENTS }, () => new Set<number>())
  private readonly answers = new Map<number, number>()
  private asked = 0
  private values = 0
  /** The newest (producer id, epoch) that anybody was given. */
  private newest = { producerId: -1, producerEpoch: -1 }

  async run(steps: readonly Step[]): Promise<void> {
    await this.world.elect()
    for (const each of steps) await this.step(each)
    await this.heal()
    this.check()
  }

  private async step(each: Step): Promise<void> {
    const { world } = this
    switch (each.do) {
      case 'init':
        this.init(each.client)
        break
      case 'add':
        this.add(each.client, each.partition)
        break
      case 'write':
        this.write(each.client, each.partition)
        break
      case 'end':
        this.end(each.client, each.isCommit)
        break
      case 'crash':
        // What was not confirmed may be lost with the leader.
        if (each.losesTail && world.log.isHeld) world.log.batches.splice(world.log.confirmed)
        world.log.confirm()
        await world.crash()
        return
      case 'elect':
        await world.elect()
        return
      case 'hold':
        world.log.isHeld = true
        break
      case 'confirm':
        world.log.confirm()
        break
      case 'faultyLog':
        if (world.log.faults.length < 2) world.log.faults.push({ errorCode: each.errorCode, isWritten: each.isWritten })
        break
      case 'faultyMarker':
        world.markerFaults.push({ ...(each.errorCode === undefined ? {} : { errorCode: each.errorCode }), isLost: each.isLost })
        break
      case 'leaders':
        world.setLeaders(each.leaders)
        break
      case 'wait':
        await world.clock.advance(each.ms)
        return
    }
    await world.clock.settle()
  }

  private producer(index: number): { producerId: number; producerEpoch: number } {
    const { producerId, producerEpoch } = this.clients[index]!
    return { producerId, producerEpoch }
  }

  private ask(question: Promise<number>): void {
    const id = this.asked++
    this.answers.set(id, 0)
    void question.then(() => this.answers.set(id, this.answers.get(id)! + 1))
  }

  private init(index: number): void {
    const asked = this.clients[index]!
    this.leave(index)
    this.ask(
      this.world.coordinator.initProducerId('tx', 15_000, undefined).then(({ errorCode, producerId, producerEpoch }) => {
        if (errorCode !== ErrorCode.NONE) return errorCode
        Object.assign(asked, { producerId, producerEpoch })
        expect(this.isNewer(producerId, producerEpoch)).toBe(true)
        this.newest = { producerId, producerEpoch }
        return errorCode
      }),
    )
  }

  private isNewer(producerId: number, producerEpoch: number): boolean {
    return producerId > this.newest.producerId || (producerId === this.newest.producerId && producerEpoch > this.newest.producerEpoch)
  }

  private add(index: number, partition: number): void {
    const added = this.added[index]!
    const adding = this.world.coordinator.addPartitions('tx', this.producer(index), [{ topic: 'data', partition }])
    this.ask(
      adding.then((errorCode) => {
        if (errorCode === ErrorCode.NONE) added.add(partition)
        return errorCode
      }),
    )
  }

  private write(index: number, to: number): void {
    const value = `v${this.values++}`
    const errorCode = this.clients[index]!.write(to, value)
    if (errorCode !== ErrorCode.NONE) return
    // Whoever was replaced writes nothing any more.
    expect(this.producer(index)).toEqual(this.newest)
    // Not what a client does: it may come into the transaction before, whose end is on its way.
    if (!this.added[index]!.has(to)) return
    let transaction = this.current[index]
    if (transaction === undefined) {
      transaction = { values: [], outcome: 'open' }
      this.current[index] = transaction
      this.transactions.push(transaction)
    }
    transaction.values.push(value)
  }

  private end(index: number, isCommit: boolean): void {
    const transaction = this.current[index]
    // A client does not write while it ends, nor after a failure: it initialises once more.
    this.leave(index)
    const ending = this.world.coordinator.endTransaction('tx', this.producer(index), isCommit)
    this.ask(
      ending.then((errorCode) => {
        if (errorCode === ErrorCode.NONE && transaction !== undefined) transaction.outcome = isCommit ? 'committed' : 'aborted'
        else if (errorCode !== ErrorCode.NONE) this.clients[index]!.producerId = -2
        return errorCode
      }),
    )
  }

  private leave(index: number): void {
    const transaction = this.current[index]
    if (transaction !== undefined) transaction.outcome = 'unknown'
    this.current[index] = undefined
    // What is answered from now on is of no use either.
    this.added[index] = new Set()
  }

  private async heal(): Promise<void> {
    const { world } = this
    world.log.faults.length = 0
    world.markerFaults.length = 0
    world.setLeaders([0, 1, 0])
    world.log.confirm()
    // Everything that is open times out.
    await world.clock.advance(200_000)
  }

  private check(): void {
    const { world } = this
    expect([...this.answers.values()].every((times) => times === 1)).toBe(true)
    for (const each of world.partitions) expect(each.hasOpenTransaction).toBe(false)
    const state = world.coordinator.describe('tx').state
    expect(['', 'Empty', 'CompleteCommit', 'CompleteAbort']).toContain(state)
    const seen = new Set(world.partitions.flatMap((each) => each.committed()))
    for (const { values, outcome } of this.transactions) {
      const visible = values.filter((value) => seen.has(value)).length
      if (outcome === 'committed') expect(visible).toBe(values.length)
      else if (outcome === 'unknown') expect([0, values.length]).toContain(visible)
      else expect(visible).toBe(0)
    }
  }
}

test('committed is seen, whole; a replaced producer is fenced; every request is answered once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => new Trial().run(steps)),
    { numRuns: Number(process.env.RUNS ?? 300), ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}) },
  )
}, 120_000)
