import { ErrorCode } from '../../../../../protocol/errors'
import { topicConfig } from '../../../../../protocol/rules/topic-config'
import { batch, batchesOf, contentOf, Fixture, marker, whole } from '../log-fixture'
import type { Log } from '../../../../../broker/log/log'
import type { LogManager } from '../../../../../broker/log/log-manager'

const client = { leaderEpoch: 0, origin: 'client' } as const
const config = { 'segment.bytes': '400', 'index.interval.bytes': '100' }
const DIR = '/data/a/t-0'

/** A log of 12 batches of 3 records in several segments, closed or killed; then `damage`, then it is opened again. */
async function reopened(
  how: 'clean' | 'killed', damage: (fixture: Fixture, bases: number[]) => void = () => {}, overrides: Record<string, string> = {},
): Promise<{ fixture: Fixture; manager: LogManager; log: Log; before: Buffer; bases: number[] }> {
  const fixture = new Fixture()
  const settings = { ...config, ...overrides }
  let manager = await fixture.open(settings)
  let log = manager.getOrCreate('t', 0, { isNew: true })
  for (let i = 0; i < 12; i++) log.appendAsLeader(batch(3, { timestamp: 1000 * i }), { leaderEpoch: i >> 2, origin: 'client' })
  await fixture.settle(manager)
  const before = contentOf(log)
  const bases = log.segments.all().map((each) => each.baseOffset)
  if (how === 'clean') await fixture.run(manager.shutdown())
  else fixture.kill()
  damage(fixture, bases)
  manager = await fixture.open(settings)
  log = manager.get('t', 0)!
  return { fixture, manager, log, before, bases }
}

function name(offset: number, suffix: string): string {
  return `${DIR}/${String(offset).padStart(20, '0')}${suffix}`
}

function overwrite(fixture: Fixture, path: string, position: number, bytes: Buffer): void {
  const file = fixture.disk.open(path, 'update')
  file.write(bytes, position)
  file.close()
}

function cut(fixture: Fixture, path: string, bytes: number): void {
  const file = fixture.disk.open(path, 'update')
  file.truncate(file.size() - bytes)
  file.close()
}

describe('after a clean stop', () => {
  test('nothing is scanned or changed', async () => {
    const { log, before, fixture } = await reopened('clean')
    expect(contentOf(log).equals(before)).toBe(true)
    expect(log.recoveryPoint).toBe(36)
    expect(log.syncedOffset).toBe(36)
    expect(log.epochs.entries).toEqual([0, 1, 2].map((epoch) => ({ epoch, startOffset: epoch * 12 })))
    expect(fixture.logger.warnings).toEqual([])
  })

  test.each(['.index', '.timeindex'])('a %s that is gone is built anew', async (suffix) => {
    const { log, before } = await reopened('clean', (fixture, bases) => {
      for (const base of bases) fixture.disk.remove(name(base, suffix))
    })
    expect(contentOf(log).equals(before)).toBe(true)
    for (let offset = 0; offset < 36; offset++) {
      const [first] = batchesOf(log.read(offset, 1, whole).records)
      expect(first!.readBigInt64BE(0)).toBe(BigInt(offset - (offset % 3)))
    }
    for (const base of log.segments.all().slice(0, -1)) expect(log.context.disk.exists(name(base.baseOffset, suffix))).toBe(true)
  })

  test('a damaged index is built anew, and that is told', async () => {
    const { log, before, fixture } = await reopened('clean', (fixture, bases) => {
      for (const base of bases) overwrite(fixture, name(base, '.index'), 0, Buffer.alloc(13, 0x7f))
    })
    expect(contentOf(log).equals(before)).toBe(true)
    expect(log.offsetForTimestamp(5000)).toMatchObject({ offset: 15 })
    expect(fixture.logger.warnings.length).toBeGreaterThan(0)
  })

  test('what lies behind the last batch is cut off', async () => {
    const { log, before, fixture } = await reopened('clean', (fixture, bases) => {
      const path = name(bases.at(-1)!, '.log')
      overwrite(fixture, path, fixture.disk.stat(path)!.size, Buffer.alloc(30, 1))
    })
    expect(log.endOffset).toBe(36)
    expect(fixture.logger.warnings[0])
      .toMatchObject({ message: 'the end of the log is damaged, and is truncated', fields: { bytesCut: 30 } })
    log.appendAsLeader(batch(1), client)
    expect(batchesOf(contentOf(log))).toHaveLength(batchesOf(before).length + 1)
  })

  test('a lost or damaged snapshot costs a scan, not the state', async () => {
    for (const damage of ['lost', 'damaged']) {
      const fixture = new Fixture()
      let manager = await fixture.open(config)
      let log = manager.getOrCreate('t', 0, { isNew: true })
      for (let i = 0; i < 6; i++) log.appendAsLeader(batch(2, { producerId: 3, producerEpoch: 1, baseSequence: i * 2 }), client)
      const { producers } = log
      await fixture.run(manager.shutdown())
      for (const file of fixture.disk.list(DIR).filter((each) => each.endsWith('.snapshot'))) {
        if (damage === 'lost') fixture.disk.remove(`${DIR}/${file}`)
        else overwrite(fixture, `${DIR}/${file}`, 8, Buffer.from([1]))
      }
      manager = await fixture.open(config)
      log = manager.get('t', 0)!
      expect(log.producers).toEqual(producers)
    }
  })

  test('snapshots are there again for the last two segments, and where a segment was scanned for its index', async () => {
    const snapshots = async (suffixes: readonly string[]): Promise<[number[], readonly number[]]> => {
      const { log, bases } = await reopened('clean', (fixture) => {
        const doomed = fixture.disk.list(DIR).filter((each) => suffixes.some((suffix) => each.endsWith(suffix)))
        for (const each of doomed) fixture.disk.remove(`${DIR}/${each}`)
      })
      return [bases, log.snapshots.list]
    }
    const [bases, few] = await snapshots(['.snapshot'])
    expect(bases.length).toBeGreaterThan(3)
    expect(few).toEqual(bases.slice(-2))
    const [, all] = await snapshots(['.snapshot', '.timeindex'])
    expect(all).toEqual(bases.slice(1))
  })

  test('damaged checkpoints count as empty', async () => {
    const { log, before, fixture } = await reopened('clean', (fixture) => {
      for (const file of ['recovery-point-offset-checkpoint', 'log-start-offset-checkpoint', 'replication-offset-checkpoint']) {
        fixture.disk.open(`/data/a/${file}`, 'create').write(Buffer.from('9\nx\n'), 0)
      }
      fixture.disk.open(`${DIR}/partition.metadata`, 'create').close()
    })
    expect(contentOf(log).equals(before)).toBe(true)
    expect(log.highWatermark).toBe(0)
    expect(log.topicId).toBeUndefined()
    expect(fixture.logger.warnings).toHaveLength(4)
  })

  test('a start offset is kept that lies inside a segment', async () => {
    const fixture = new Fixture()
    let manager = await fixture.open(config)
    let log = manager.getOrCreate('t', 0, { isNew: true })
    for (let i = 0; i < 6; i++) log.appendAsLeader(batch(3), client)
    log.updateHighWatermark(18)
    log.incrementLogStartOffset(4)
    await fixture.run(manager.shutdown())
    expect(fixture.disk.readFile('/data/a/log-start-offset-checkpoint').toString()).toBe('0\n1\nt 0 4\n')
    manager = await fixture.open(config)
    log = manager.get('t', 0)!
    expect([log.startOffset, log.highWatermark]).toEqual([4, 18])
    expect(() => log.read(3, 10, whole)).toThrow(expect.objectContaining({ code: ErrorCode.OFFSET_OUT_OF_RANGE }))
  })

  test('a log that ends below its start is emptied and begins there', async () => {
    const { log, fixture } = await reopened('clean', (fixture) => {
      fixture.disk.open('/data/a/log-start-offset-checkpoint', 'create').write(Buffer.from('0\n1\nt 0 100\n'), 0)
    })
    expect([log.startOffset, log.endOffset, log.highWatermark, log.numberOfSegments]).toEqual([100, 100, 100, 1])
    expect(log.epochs.entries).toEqual([])
    expect(fixture.logger.warnings).toHaveLength(1)
    expect(log.appendAsLeader(batch(1), client).firstOffset).toBe(100)
  })
})

describe('after an unclean stop', () => {
  test('what was written is there', async () => {
    const { log, before, fixture } = await reopened('killed')
    expect(contentOf(log).equals(before)).toBe(true)
    expect(log.epochs.entries).toEqual([0, 1, 2].map((epoch) => ({ epoch, startOffset: epoch * 12 })))
    expect(fixture.logger.warnings).toEqual([])
  })

  test('a torn tail is cut off', async () => {
    const { log, before, fixture } = await reopened('killed', (fixture, bases) => cut(fixture, name(bases.at(-1)!, '.log'), 10))
    expect(log.endOffset).toBe(33)
    expect(contentOf(log).equals(before.subarray(0, before.length - batch(3).length))).toBe(true)
    expect(fixture.logger.warnings[0]!.fields).toMatchObject({ damage: 'the last batch is cut off', segmentsDropped: 0 })
    expect(log.appendAsLeader(batch(1), client).firstOffset).toBe(33)
  })

  test.each([
    ['a flipped bit in a record', 70, Buffer.from([0xff])],
    ['a batch of zeros', 0, Buffer.alloc(100)],
    ['a length that is too small', 8, Buffer.from([0, 0, 0, 3])],
    ['a length beyond the file', 8, Buffer.from([0x7f, 0, 0, 3])],
    ['an offset that goes back', 0, Buffer.alloc(8)],
    ['an unknown format', 16, Buffer.from([7])],
  ])('%s: cut there, later segments dropped and reported', async (_name, at, bytes) => {
    const { log, fixture, bases } = await reopened('killed', (fixture, bases) => {
      fixture.disk.remove('/data/a/recovery-point-offset-checkpoint')
      overwrite(fixture, name(bases[1]!, '.log'), batch(3).length + at, bytes)
    })
    expect(log.endOffset).toBe(bases[1]! + 3)
    expect(log.numberOfSegments).toBe(2)
    expect(fixture.logger.warnings).toHaveLength(1)
    expect(fixture.logger.warnings[0]!.fields)
      .toMatchObject({ segment: bases[1], segmentsDropped: bases.length - 2, lastSegmentDropped: bases.at(-1) })
    expect(log.appendAsLeader(batch(2), { leaderEpoch: 9, origin: 'client' }).firstOffset).toBe(log.endOffset - 2)
  })

  test('below the recovery point nothing is scanned', async () => {
    const { log, fixture, bases } = await reopened('killed', (fixture, bases) => {
      const point = `0\n1\nt 0 ${bases.at(-1)}\n`
      fixture.disk.open('/data/a/recovery-point-offset-checkpoint', 'create').write(Buffer.from(point), 0)
      overwrite(fixture, name(bases[1]!, '.log'), 70, Buffer.from([0xff]))
    })
    expect(log.endOffset).toBe(36)
    expect(log.numberOfSegments).toBe(bases.length)
    expect(fixture.logger.warnings).toEqual([])
  })

  test('a segment that begins below the end of the one before is dropped', async () => {
    const { log, fixture } = await reopened('killed', (fixture, bases) => {
      const stale = batch(3, { baseOffset: bases[1]! - 1 })
      fixture.disk.rename(name(bases[1]!, '.log'), `${DIR}/x`)
      fixture.disk.open(name(bases[1]! - 1, '.log'), 'create').write(stale, 0)
      fixture.disk.open(name(bases[1]! - 1, '.index'), 'create').close()
      fixture.disk.remove('/data/a/recovery-point-offset-checkpoint')
    })
    expect(log.numberOfSegments).toBe(1)
    expect(fixture.logger.warnings.at(-1)!.fields.damage).toMatch('the next segment begins at')
  })

  test('an older piece of the file behind a truncation is noticed by its epoch', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open()
    const log = manager.getOrCreate('t', 0, { isNew: true })
    log.appendAsFollower(batch(2, { baseOffset: 0, leaderEpoch: 5 }))
    log.writeStaged()
    fixture.kill()
    const path = name(0, '.log')
    overwrite(fixture, path, fixture.disk.stat(path)!.size, batch(2, { baseOffset: 2, leaderEpoch: 3 }))
    const again = (await fixture.open()).get('t', 0)!
    expect(again.endOffset).toBe(2)
    expect(fixture.logger.warnings[0]!.fields.damage).toBe('epoch 3 follows 5')
  })

  test('where records were compacted away, the checkpoint says when an epoch began', async () => {
    const epochsOf = async (entries: [epoch: number, startOffset: number][]): Promise<[number, number][]> => {
      const fixture = new Fixture()
      const manager = await fixture.open()
      const log = manager.getOrCreate('t', 0, { isNew: true })
      log.appendAsFollower(batch(2, { baseOffset: 10, leaderEpoch: 3 }))
      log.appendAsFollower(batch(2, { baseOffset: 20, leaderEpoch: 5 }))
      await fixture.settle(manager)
      fixture.kill()
      const text = ['0', String(entries.length), ...entries.map((entry) => entry.join(' ')), ''].join('\n')
      fixture.disk.open(`${DIR}/leader-epoch-checkpoint`, 'create').write(Buffer.from(text), 0)
      const again = (await fixture.open()).get('t', 0)!
      expect(again.endOffset).toBe(22)
      return again.epochs.entries.map(({ epoch, startOffset }) => [epoch, startOffset])
    }
    // All records of epochs 1 and 4 are gone, and the first ones of the others.
    const whole: [number, number][] = [[1, 0], [3, 7], [4, 12], [5, 15]]
    expect(await epochsOf(whole)).toEqual(whole)
    // What the records contradict does not count.
    expect(await epochsOf([[1, 11], [3, 7], [4, 21], [5, 25]])).toEqual([[3, 7], [5, 20]])
    expect(await epochsOf([[3, 11], [6, 12]])).toEqual([[3, 10], [5, 20]])
    expect(await epochsOf([])).toEqual([[3, 10], [5, 20]])
  })

  // After a kill the records are looked at again, and say what they were written with.
  test.each([['kill -9', 5], ['a clean stop', -1]])('a message format of before epochs forgets them, after %s', async (end, found) => {
    const fixture = new Fixture()
    const reopen = async (manager: LogManager, format: string): Promise<LogManager> => {
      if (end === 'kill -9') fixture.kill()
      else await fixture.run(manager.shutdown())
      return fixture.open({ 'message.format.version': format }, { ignoresMessageFormatVersion: false })
    }
    let manager = await fixture.open({}, { ignoresMessageFormatVersion: false })
    let log = manager.getOrCreate('t', 0, { isNew: true })
    log.appendAsFollower(batch(2, { baseOffset: 0, leaderEpoch: 3 }))
    expect(log.latestEpoch).toBe(3)
    await fixture.run(log.flush())
    manager = await reopen(manager, '0.10.2')
    log = manager.get('t', 0)!
    expect(log.latestEpoch).toBe(-1)
    log.assignEpochStart(5, 2)
    log.appendAsFollower(batch(2, { baseOffset: 2, leaderEpoch: 5 }))
    expect([log.latestEpoch, log.endOffset, log.endOffsetForEpoch(5).endOffset]).toEqual([-1, 4, -1])
    await fixture.run(log.flush())
    manager = await reopen(manager, '2.8')
    log = manager.get('t', 0)!
    expect([log.latestEpoch, log.endOffset]).toEqual([found, 4])
    log.assignEpochStart(6, 4)
    expect(log.latestEpoch).toBe(6)
    log.updateConfig(topicConfig({ 'message.format.version': '0.10.2' }))
    expect(log.latestEpoch).toBe(-1)
  })

  test('a message format is ignored from IBP 3.0 on', async () => {
    const fixture = new Fixture()
    const log = (await fixture.open({ 'message.format.version': '0.10.2' })).getOrCreate('t', 0, { isNew: true })
    log.appendAsFollower(batch(2, { baseOffset: 0, leaderEpoch: 3 }))
    expect(log.latestEpoch).toBe(3)
  })

  test('aborted transactions are indexed again', async () => {
    const fixture = new Fixture()
    let manager = await fixture.open(config)
    let log = manager.getOrCreate('t', 0, { isNew: true })
    for (let i = 0; i < 6; i++) {
      log.appendAsLeader(batch(2, { producerId: 3, producerEpoch: 1, baseSequence: i * 2, transactional: true }), client)
      log.appendAsLeader(marker(i % 2 === 0 ? 0 : 1, 3, 1), { leaderEpoch: 0, origin: 'coordinator' })
    }
    log.updateHighWatermark(log.endOffset)
    const read = (from: Log) => from.read(0, 1 << 20, { upTo: 'lastStable', minOneMessage: true }).abortedTransactions
    const before = read(log)
    expect(before!.length).toBeGreaterThan(0)
    const { producers } = log
    await fixture.settle(manager)
    fixture.kill()
    for (const file of fixture.disk.list(DIR).filter((each) => each.endsWith('.txnindex'))) fixture.disk.remove(`${DIR}/${file}`)
    fixture.disk.remove('/data/a/recovery-point-offset-checkpoint')
    manager = await fixture.open(config)
    log = manager.get('t', 0)!
    log.updateHighWatermark(log.endOffset)
    expect(read(log)).toEqual(before)
    expect(log.producers).toEqual(producers)
  })

  test('a crash while loading is an unclean stop, too (KAFKA-10471)', async () => {
    const fixture = new Fixture()
    let manager = await fixture.open(config)
    manager.getOrCreate('t', 0, { isNew: true }).appendAsLeader(batch(3), client)
    await fixture.run(manager.shutdown())
    manager = await fixture.open(config)
    fixture.process.cutPower()
    expect(fixture.disk.exists('/data/a/.kafka_cleanshutdown')).toBe(false)
  })

  test('the recovery point moves on without another roll', async () => {
    const { log, fixture, manager, bases } = await reopened('killed', (fixture) => {
      fixture.disk.remove('/data/a/recovery-point-offset-checkpoint')
    })
    await fixture.settle(manager)
    expect(log.recoveryPoint).toBe(bases.at(-1))
  })
})

describe('files that others left', () => {
  test('deleted and cleaned ones go, indexes without a log go', async () => {
    const { fixture, log } = await reopened('clean', (fixture) => {
      const left = [name(0, '.log.deleted'), name(3, '.index.deleted'), name(900, '.log.cleaned'), name(901, '.timeindex')]
      for (const file of left) {
        fixture.disk.open(file, 'create').write(Buffer.from('x'), 0)
      }
    })
    expect(fixture.disk.list(DIR).filter((each) => /deleted|cleaned|90/.test(each))).toEqual([])
    expect(log.endOffset).toBe(36)
  })

  test('a finished swap takes the place of what it was made of', async () => {
    const { log, bases } = await reopened('clean', (fixture, bases) => {
      const merged = batch(1, { baseOffset: bases[1]!, leaderEpoch: 1 })
      const second = batch(1, { baseOffset: bases[3]! - 1, leaderEpoch: 1 })
      fixture.disk.open(name(bases[1]!, '.log.swap'), 'create').write(Buffer.concat([merged, second]), 0)
      fixture.disk.open(name(bases[1]!, '.index.swap'), 'create').close()
      fixture.disk.open(name(bases[1]!, '.timeindex.swap'), 'create').close()
    })
    expect(log.segments.all().map((each) => each.baseOffset)).toEqual(bases.filter((_, index) => index !== 2))
    expect(log.endOffset).toBe(36)
    expect(batchesOf(log.read(bases[1]! + 1, 1 << 20, whole).records).map((each) => Number(each.readBigInt64BE(0))))
      .toEqual([bases[3]! - 1])
  })

  test('an unfinished swap is undone', async () => {
    const { log, before } = await reopened('clean', (fixture, bases) => {
      fixture.disk.open(name(bases[1]!, '.log.swap'), 'create').write(batch(1, { baseOffset: bases[1]! }), 0)
      fixture.disk.open(name(bases[1]!, '.log.cleaned'), 'create').close()
    })
    expect(contentOf(log).equals(before)).toBe(true)
  })

  test('a segment whose offsets span too much is split (KAFKA-6264)', async () => {
    const fixture = new Fixture()
    fixture.disk.makeDirectory(DIR)
    const parts = [0, 10, 2 ** 31 + 5, 2 ** 31 + 6, 2 ** 33].map((offset) => batch(1, { baseOffset: offset }))
    fixture.disk.open(name(0, '.log'), 'create').write(Buffer.concat(parts), 0)
    const manager = await fixture.open()
    const log = manager.get('t', 0)!
    expect(log.segments.all().map((each) => each.baseOffset)).toEqual([0, 2 ** 31 + 5, 2 ** 33])
    expect(contentOf(log).equals(Buffer.concat(parts))).toBe(true)
    expect(log.endOffset).toBe(2 ** 33 + 1)
    expect(fixture.disk.list(DIR).filter((each) => /cleaned|swap/.test(each))).toEqual([])
  })

  test('what Apache Kafka pre-allocated is not taken for entries', async () => {
    const { log, before } = await reopened('killed', (fixture, bases) => {
      for (const suffix of ['.index', '.timeindex']) {
        const file = fixture.disk.open(name(bases.at(-1)!, suffix), 'update')
        file.write(Buffer.alloc(12 * 1024), file.size())
      }
    })
    expect(contentOf(log).equals(before)).toBe(true)
    log.segments.active.settle()
    expect(log.context.disk.stat(name(log.segments.active.baseOffset, '.index'))!.size).toBeLessThan(100)
  })
})
