import fc from 'fast-check'
import { baseOffsetAt, batchIsValidAt, lastOffsetAt } from '../../../../../protocol/records/batch'
import type { Codec } from '../../../../../protocol/records/batch'
import type { Log } from '../../../../../broker/log/log'
import type { LogManager } from '../../../../../broker/log/log-manager'
import { batches, CleanerFixture, committed, endOf, recordsOf } from './cleaner-fixture'
import type { Seen } from './cleaner-fixture'

const DELETE_RETENTION_MS = 100_000

type Step =
  | { kind: 'data'; producer: number; codec: Codec; pairs: [key: number, value: number][] }
  | { kind: 'end'; producer: number; commits: boolean }
  | { kind: 'roll' }
  | { kind: 'clean' }
  | { kind: 'wait' }
  | { kind: 'restart' }
  | { kind: 'rebuild' }
  | { kind: 'kill' }
  | { kind: 'powerCut'; afterMs: number }

const codecs = fc.constantFrom<Codec>(0, 0, 1, 2, 3, 4)
// Value 0 is a tombstone.
const pair = fc.tuple(fc.nat(5), fc.nat(4))
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('data' as const),
      // -1 none, 0 and 1 idempotent, 2 to 4 transactional.
      producer: fc.integer({ min: -1, max: 4 }),
      codec: codecs,
      pairs: fc.array(pair, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('end' as const), producer: fc.integer({ min: 2, max: 4 }), commits: fc.boolean() }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'roll' as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'clean' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'wait' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'rebuild' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('powerCut' as const), afterMs: fc.constantFrom(1, 500, 1500) }) },
)

class Model {
  readonly fixture: CleanerFixture
  manager!: LogManager
  log!: Log
  /** Everything that was appended, decided or not. */
  records: (Seen & { producer: number; isOpen: boolean; isAborted: boolean })[] = []
  sequences = new Map<number, number>()
  /** By producer: has a transaction open. */
  open = new Set<number>()
  values = 0
  /** What is below may have been cleaned, also where the checkpoint that says so was lost. */
  everCleaned = 0
  /** Tombstones below it may be gone: they were cleaned, their time went by. */
  tombstonesMayMissBelow = 0
  /** How far the log was clean, at the earliest when the time went by. */
  cleanedBeforeWait = 0

  constructor(seed: number) {
    this.fixture = new CleanerFixture(seed)
  }

  async start(): Promise<void> {
    this.manager = await this.fixture.openCleaning({ 'segment.bytes': '900', 'delete.retention.ms': String(DELETE_RETENTION_MS) })
    this.log = this.manager.getOrCreate('t', 0)
    this.log.updateHighWatermark(this.log.endOffset)
  }

  data({ producer, codec, pairs }: Extract<Step, { kind: 'data' }>): void {
    const isTransactional = producer >= 2
    const timestamp = this.fixture.nowMs
    const named = pairs.map(([key, value]): [string, string | null] => [
      `k${key}`,
      value === 0 ? null : `v${this.values++}-${'x'.repeat(value * 20)}`,
    ])
    const baseSequence = this.sequences.get(producer) ?? 0
    const identity = producer < 0 ? {} : { producerId: 100 + producer, producerEpoch: 0, baseSequence, transactional: isTransactional }
    const first = this.fixture.append(this.log, recordsOf(named, { codec, timestamp, ...identity }))
    if (producer >= 0) this.sequences.set(producer, baseSequence + pairs.length)
    if (isTransactional) this.open.add(producer)
    named.forEach(([key, value], i) => {
      this.records.push({ offset: first + i, key, value, timestamp: timestamp + i, producer, isOpen: isTransactional, isAborted: false })
    })
  }

  end(producer: number, commits: boolean): void {
    if (!this.open.delete(producer)) return
    this.fixture.append(this.log, endOf(commits ? 1 : 0, 100 + producer, 0, this.fixture.nowMs), 'coordinator')
    for (const record of this.records) {
      if (record.producer !== producer || !record.isOpen) continue
      record.isOpen = false
      record.isAborted = !commits
    }
  }

  producers(): unknown[] {
    return this.log.producerState
      .snapshot()
      .filter(({ lastSequence }) => lastSequence >= 0)
      .map(({ producerId, producerEpoch, lastSequence, lastOffset, offsetDelta, currentTransactionFirstOffset }) => {
        return [producerId, producerEpoch, lastSequence, lastOffset, offsetDelta, currentTransactionFirstOffset]
      })
      .sort((a, b) => a[0]! - b[0]!)
  }

  async reopen(): Promise<void> {
    this.manager = await this.fixture.openCleaning({ 'segment.bytes': '900', 'delete.retention.ms': String(DELETE_RETENTION_MS) })
    this.log = this.manager.getOrCreate('t', 0)
    this.log.updateHighWatermark(this.log.endOffset)
  }

  async shutdown(): Promise<void> {
    await this.fixture.run(this.manager.shutdown())
  }

  noteCleaned(): void {
    const beingCleaned = this.manager.cleaner!.running > 0 ? this.log.segments.active.baseOffset : 0
    this.everCleaned = Math.max(this.everCleaned, this.log.cleanedOffset ?? 0, beingCleaned)
  }

  check(): void {
    const { log } = this
    let next = log.startOffset
    for (const batch of batches(log)) {
      expect(batchIsValidAt(batch, 0)).toBe(true)
      expect(baseOffsetAt(batch, 0)).toBeGreaterThanOrEqual(next)
      next = lastOffsetAt(batch, 0) + 1
    }
    const stable = log.lastStableOffset
    const decided = this.records.filter((record) => !record.isAborted && record.offset < stable)
    const expected = new Map(decided.map(({ offset, key, value, timestamp }) => [offset, { offset, key, value, timestamp }]))
    const seen = committed(log)
    for (const each of seen) expect(each).toEqual(expected.get(each.offset))
    expect(seen.map(({ offset }) => offset)).toEqual([...seen].map(({ offset }) => offset).sort((a, b) => a - b))
    const present = new Set(seen.map(({ offset }) => offset))
    this.noteCleaned()
    const cleaned = log.cleanedOffset ?? 0
    const last = new Map(decided.map(({ key, offset }) => [key, offset]))
    const lastClean = new Map(decided.filter(({ offset }) => offset < cleaned).map(({ key, offset }) => [key, offset]))
    for (const { offset, key, value } of decided) {
      const mayMiss = value === null && offset < this.tombstonesMayMissBelow
      if ((last.get(key) === offset || offset >= this.everCleaned) && !mayMiss) expect({ offset, isPresent: present.has(offset) }).toEqual({ offset, isPresent: true })
      if (offset < cleaned && lastClean.get(key) !== offset) expect({ offset, isPresent: present.has(offset) }).toEqual({ offset, isPresent: false })
    }
  }

  async step(step: Step): Promise<void> {
    const { fixture } = this
    switch (step.kind) {
      case 'data':
        return this.data(step)
      case 'end':
        return this.end(step.producer, step.commits)
      case 'roll':
        return fixture.roll(this.log)
      case 'clean':
        this.tombstonesMayMissBelow = Math.max(this.tombstonesMayMissBelow, this.cleanedBeforeWait)
        await fixture.clean(this.manager)
        expect(this.fixture.logger.warnings).toEqual([])
        return this.check()
      case 'wait':
        // What was cleaned by now has its horizon.
        this.tombstonesMayMissBelow = Math.max(this.tombstonesMayMissBelow, this.cleanedBeforeWait)
        await fixture.clean(this.manager)
        this.cleanedBeforeWait = this.log.cleanedOffset ?? 0
        this.tombstonesMayMissBelow = Math.max(this.tombstonesMayMissBelow, this.cleanedBeforeWait)
        await fixture.world.run(DELETE_RETENTION_MS + 1000)
        return
      case 'restart':
        await this.shutdown()
        return this.reopen()
      case 'rebuild': {
        const before = this.producers()
        await this.shutdown()
        const path = '/data/a/t-0'
        for (const name of fixture.disk.list(path)) if (name.endsWith('.snapshot')) fixture.disk.remove(`${path}/${name}`)
        await this.reopen()
        return expect(this.producers()).toEqual(before)
      }
      case 'kill':
        await fixture.world.run(1)
        this.noteCleaned()
        fixture.kill()
        await this.reopen()
        return this.check()
      case 'powerCut': {
        await this.fixture.run(this.log.flush())
        // Before a cleaning, or after it; what is in between, crash.test.ts goes through step by step.
        await fixture.world.run(step.afterMs)
        this.noteCleaned()
        const end = this.log.endOffset
        fixture.process.cutPower()
        await this.reopen()
        expect(this.log.endOffset).toBe(end)
        fixture.logger.warnings.length = 0
        return this.check()
      }
    }
  }
}

test('whatever is written, cleaned, lost and recovered: the last record of each key stays, and what readers saw is true', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(steps, { minLength: 10, maxLength: 60 }), async (seed, all) => {
      const model = new Model(seed)
      await model.start()
      for (const step of all) await model.step(step)
      for (const producer of [...model.open]) model.end(producer, false)
      model.fixture.roll(model.log)
      await model.fixture.clean(model.manager)
      model.check()
      const before = model.producers()
      await model.step({ kind: 'rebuild' })
      expect(model.producers()).toEqual(before)
      model.check()
      await model.shutdown()
    }),
    { numRuns: Number(process.env['RUNS'] ?? 25) },
  )
}, 120_000)
