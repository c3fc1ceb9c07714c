import fc from 'fast-check'
import { baseOffsetAt, batchIsValidAt, lastOffsetAt, leaderEpochAt } from '../../../../protocol/records/batch'
import type { Log } from '../../../../broker/log/log'
import type { LogManager } from '../../../../broker/log/log-manager'
import { batch, batchesOf, contentOf, Fixture, whole } from './log-fixture'

/** A batch as the model remembers it. */
interface Stored {
  first: number
  last: number
  epoch: number
  bytes: string
}

type Step =
  | { kind: 'append'; count: number; valueBytes: number; newEpoch: boolean; producer: number }
  | { kind: 'follow'; counts: number[]; gap: number; newEpoch: boolean }
  | { kind: 'truncate'; back: number }
  | { kind: 'truncateFully'; offset: number }
  | { kind: 'highWatermark'; fraction: number }
  | { kind: 'start'; fraction: number }
  | { kind: 'retention' }
  | { kind: 'turn' }
  | { kind: 'flush' }
  | { kind: 'read'; fraction: number; maxBytes: number }
  | { kind: 'restart' }
  | { kind: 'kill' }
  | { kind: 'powerCut'; afterMs: number }

const fraction = fc.double({ min: 0, max: 1, noNaN: true })

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 5 }),
      valueBytes: fc.constantFrom(0, 10, 100, 300, 20_000),
      newEpoch: fc.boolean(),
      producer: fc.integer({ min: -1, max: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('follow' as const),
      counts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      gap: fc.constantFrom(0, 0, 0, 1, 50),
      newEpoch: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), back: fc.integer({ min: 0, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncateFully' as const), offset: fc.integer({ min: 0, max: 300 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('highWatermark' as const), fraction }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('start' as const), fraction }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'retention' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'turn' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      fraction: fc.double({ min: 0, max: 1, noNaN: true }),
      maxBytes: fc.constantFrom(0, 1, 100, 1000, 100_000),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('powerCut' as const), afterMs: fc.integer({ min: 0, max: 10 }) }) },
)

const config = {
  'segment.bytes': '3000',
  'index.interval.bytes': '200',
  'retention.bytes': '9000',
  'file.delete.delay.ms': '5',
  'max.message.bytes': '200000',
}
const segmentOf20k = { ...config, 'segment.bytes': '150000', 'retention.bytes': '400000' }

/** The naive log: a list. */
class Model {
  batches: Stored[] = []
  start = 0
  end = 0
  highWatermark = 0
  epochs: { epoch: number; startOffset: number }[] = []

  assign(epoch: number, startOffset: number): void {
    const latest = this.epochs.at(-1)
    if (latest !== undefined && latest.epoch === epoch && startOffset >= latest.startOffset) return
    this.epochs = this.epochs.filter((each) => each.epoch < epoch && each.startOffset < startOffset)
    this.epochs.push({ epoch, startOffset })
  }

  add(bytes: Buffer): void {
    const first = baseOffsetAt(bytes, 0)
    const epoch = leaderEpochAt(bytes, 0)
    this.batches.push({ first, last: lastOffsetAt(bytes, 0), epoch, bytes: bytes.toString('base64') })
    this.end = lastOffsetAt(bytes, 0) + 1
    this.assign(epoch, first)
  }

  truncate(offset: number): void {
    if (offset < this.end) {
      this.batches = this.batches.filter((each) => each.last < offset)
      this.end = offset
      this.start = Math.min(this.start, offset)
      this.highWatermark = Math.max(Math.min(this.highWatermark, offset), this.start)
    }
    this.epochs = this.epochs.filter((each) => each.startOffset < this.end)
  }

  clear(offset: number): void {
    this.batches = []
    this.start = offset
    this.end = offset
    this.highWatermark = offset
    this.epochs = []
  }

  moveStart(offset: number): void {
    if (offset <= this.start) return
    this.start = offset
    const before = this.epochs.filter((each) => each.startOffset <= offset)
    const last = before.at(-1)
    if (last !== undefined) {
      this.epochs = [{ epoch: last.epoch, startOffset: offset }, ...this.epochs.filter((each) => each.startOffset > offset)]
    }
    this.highWatermark = Math.max(this.highWatermark, offset)
  }
}

class Run {
  readonly fixture: Fixture
  readonly model = new Model()
  readonly settings: Record<string, string>
  /** Every batch that was ever written, by first offset: after a power cut older ones may be back. */
  readonly everWritten = new Set<string>()
  manager!: LogManager
  log!: Log
  epoch = 0
  sequences = new Map<number, number>()

  constructor(seed: number, large: boolean) {
    this.fixture = new Fixture(seed)
    this.settings = large ? segmentOf20k : config
  }

  async open(): Promise<void> {
    this.manager = await this.fixture.open(this.settings)
    this.log = this.manager.getOrCreate('t', 0, { isNew: true })
  }

  append(step: Extract<Step, { kind: 'append' }>): void {
    if (step.newEpoch) this.epoch++
    const count = step.valueBytes > 1000 ? 1 : step.count
    let options = {}
    if (step.producer >= 0) {
      const known = this.log.producerState.entry(step.producer)
      options = { producerId: step.producer, producerEpoch: 0, baseSequence: known === undefined ? 0 : known.lastSequence + 1 }
    }
    const records = batch(count, { valueBytes: step.valueBytes, timestamp: this.fixture.clock.wallMs(), ...options })
    if (records.length > Number(this.settings['segment.bytes'])) return
    this.log.appendAsLeader(records, { leaderEpoch: this.epoch, origin: 'client' })
    this.remember(records)
  }

  follow(step: Extract<Step, { kind: 'follow' }>): void {
    if (step.newEpoch) this.epoch++
    let offset = this.log.endOffset + step.gap
    const parts = step.counts.map((count) => {
      const timestamp = this.fixture.clock.wallMs()
      const part = batch(count, { baseOffset: offset, leaderEpoch: this.epoch, timestamp, valueBytes: 50 })
      offset += count
      return part
    })
    this.log.appendAsFollower(Buffer.concat(parts), this.epoch)
    for (const part of parts) this.remember(part)
  }

  private remember(records: Buffer): void {
    this.model.add(records)
    this.everWritten.add(records.toString('base64'))
  }

  read(step: Extract<Step, { kind: 'read' }>): void {
    const { log, model } = this
    const offset = model.start + Math.floor(step.fraction * (model.end - model.start))
    for (const upTo of ['logEnd', 'highWatermark'] as const) {
      const limit = upTo === 'logEnd' ? model.end : model.highWatermark
      const result = log.read(offset, step.maxBytes, { upTo, minOneMessage: true })
      const visible = model.batches.filter((each) => each.last >= offset && each.last < limit)
      const got = batchesOf(result.records).map((each) => each.toString('base64'))
      // A reader gets a beginning of what is visible, of one segment, and at least one batch.
      expect(got).toEqual(visible.slice(0, got.length).map((each) => each.bytes))
      if (visible.length > 0 && offset < limit) expect(got.length).toBeGreaterThan(0)
      if (step.maxBytes > 0 && got.length > 1) expect(result.records.length).toBeLessThanOrEqual(step.maxBytes)
      result.release()
    }
    expect(this.manager.context.buffers.inUse).toBeLessThanOrEqual(1)
  }

  /** Everything that can be seen of the log is as the model says. */
  check(): void {
    const { log, model } = this
    expect({ start: log.startOffset, end: log.endOffset, highWatermark: log.highWatermark }).toEqual({
      start: model.start, end: model.end, highWatermark: model.highWatermark,
    })
    expect(log.epochs.entries).toEqual(model.epochs)
    const visible = model.batches.filter((each) => each.last >= model.start)
    expect(batchesOf(contentOf(log)).map((each) => each.toString('base64'))).toEqual(visible.map((each) => each.bytes))
    this.checkProducers()
  }

  private checkProducers(): void {
    for (const producer of [0, 1, 2]) {
      const mine = this.model.batches.filter((each) => Buffer.from(each.bytes, 'base64').readBigInt64BE(43) === BigInt(producer))
      const last = mine.at(-1)
      if (last === undefined || last.first < this.model.start) continue
      expect(this.log.producerState.entry(producer)?.last).toMatchObject({ lastOffset: last.last })
    }
  }

  /**
   * Where a log ends is seen from its last batch only: a gap behind it (a truncation into the middle of a batch) is forgotten.
   */
  private forgetGap(): void {
    const { model } = this
    model.end = Math.max((model.batches.at(-1)?.last ?? -1) + 1, this.log.segments.active.baseOffset, model.start)
    model.highWatermark = Math.min(model.highWatermark, model.end)
    model.epochs = model.epochs.filter((each) => each.startOffset < model.end)
  }

  async restart(): Promise<void> {
    await this.fixture.run(this.manager.shutdown())
    await this.open()
    this.forgetGap()
    expect(this.fixture.logger.warnings).toEqual([])
    this.check()
  }

  /** What was written is in the page cache; the turn has ended. */
  async kill(): Promise<void> {
    await this.fixture.world.run(0)
    this.fixture.kill()
    await this.open()
    this.forgetGap()
    const { end } = this.model
    this.adopt(end)
    expect(this.log.endOffset).toBe(end)
  }

  async powerCut(afterMs: number): Promise<void> {
    await this.fixture.world.run(afterMs)
    const synced = this.log.syncedOffset
    this.fixture.process.cutPower()
    await this.open()
    this.adopt(synced)
  }

  /** After a crash: what was durable is there, the rest was written at some time; the model goes on from there. */
  private adopt(durable: number): void {
    const { log, model } = this
    const found = batchesOf(contentOf(log))
    const below = model.batches.filter((each) => each.last < durable && each.last >= log.startOffset).map((each) => each.bytes)
    expect(found.filter((each) => lastOffsetAt(each, 0) < durable).map((each) => each.toString('base64'))).toEqual(below)
    let next = log.startOffset
    for (const each of found) {
      expect(batchIsValidAt(each, 0)).toBe(true)
      expect(lastOffsetAt(each, 0)).toBeGreaterThanOrEqual(next)
      expect(this.everWritten).toContain(each.toString('base64'))
      next = lastOffsetAt(each, 0) + 1
      expect(log.epochs.epochForOffset(baseOffsetAt(each, 0))).toBe(leaderEpochAt(each, 0))
    }
    expect(next).toBeLessThanOrEqual(log.endOffset)
    model.batches = found.map((each) => ({
      first: baseOffsetAt(each, 0), last: lastOffsetAt(each, 0), epoch: leaderEpochAt(each, 0), bytes: each.toString('base64'),
    }))
    model.start = log.startOffset
    model.end = log.endOffset
    model.highWatermark = log.highWatermark
    model.epochs = [...log.epochs.entries]
    this.fixture.logger.warnings.length = 0
  }
}

async function step(run: Run, each: Step): Promise<void> {
  const { log, model, fixture } = run
  switch (each.kind) {
    case 'append':
      return run.append(each)
    case 'follow':
      return run.follow(each)
    case 'truncate':
      log.truncateTo(Math.max(log.endOffset - each.back, 0))
      if (log.epochs.entries.length === 0 && log.startOffset === log.endOffset && log.size === 0) model.clear(log.endOffset)
      else model.truncate(Math.max(model.end - each.back, 0))
      return
    case 'truncateFully':
      log.truncateFullyAndStartAt(each.offset)
      return model.clear(each.offset)
    case 'highWatermark':
      model.highWatermark = model.start + Math.floor(each.fraction * (model.end - model.start))
      log.updateHighWatermark(model.highWatermark)
      return
    case 'start': {
      const offset = model.start + Math.floor(each.fraction * (model.highWatermark - model.start))
      log.incrementLogStartOffset(offset)
      return model.moveStart(offset)
    }
    case 'retention':
      log.deleteOldSegments()
      return model.moveStart(log.startOffset)
    case 'turn':
      return fixture.world.run(2)
    case 'flush': {
      const end = log.endOffset
      await fixture.run(log.flush())
      expect(log.syncedOffset).toBe(end)
      return
    }
    case 'read':
      return run.read(each)
    case 'restart':
      return run.restart()
    case 'kill':
      return run.kill()
    case 'powerCut':
      return run.powerCut(each.afterMs)
  }
}

async function play(seed: number, large: boolean, list: readonly Step[]): Promise<void> {
  const run = new Run(seed, large)
  await run.open()
  for (const each of list) await step(run, each)
  run.check()
  await run.restart()
  await run.fixture.run(run.manager.shutdown())
}

test('a log is a list, whatever happens to its broker', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), fc.boolean(), fc.array(steps, { minLength: 1, maxLength: 60 }), play),
    { numRuns: Number(process.env.RUNS ?? 150) },
  )
})

export { whole }
