import { Codec, hasDeleteHorizonAt, baseTimestampAt, recordCountAt } from '../../../../../protocol/records/batch'
import { decodeRecords } from '../../../../../protocol/records/records'
import { legacyRecords, readLegacyMessage, writeMessageSet } from '../../../../../protocol/records/legacy'
import { Metrics } from '../../../../../runtime/metrics'
import type { OpenThread, ThreadHandler } from '../../../../../runtime/threads'
import { CleaningThread } from '../../../../../broker/log/cleaner/thread-cleaning'
import { ThreadCleanerPool } from '../../../../../broker/log/cleaner/thread-cleaner-pool'
import type { Log } from '../../../../../broker/log/log'
import { batches, CleanerFixture, committed, endOf, recordsOf } from './cleaner-fixture'

const pairsOf = (log: Log) => committed(log).map(({ offset, key, value }) => `${offset} ${key}=${value}`)

async function opened(overrides: Record<string, string> = {}, configure: (fixture: CleanerFixture) => void = () => {}) {
  const fixture = new CleanerFixture()
  configure(fixture)
  const metrics = new Metrics()
  const manager = await fixture.openCleaning(overrides, { metrics })
  const log = manager.getOrCreate('t', 0)
  const metric = (name: string) => metrics.samples().find((sample) => sample.name.endsWith(`name=${name}`))!.value
  return { fixture, manager, log, metric }
}

test('of each key the last record stays; the active segment is left alone', async () => {
  const { fixture, manager, log } = await opened()
  fixture.put(log, ['a', '1'], ['b', '1'], ['a', '2'])
  fixture.put(log, ['b', '2'], ['c', '1'])
  fixture.roll(log)
  fixture.put(log, ['a', '3'], ['a', '4'])
  await fixture.clean(manager)
  expect(pairsOf(log)).toEqual(['2 a=2', '3 b=2', '4 c=1', '5 a=3', '6 a=4'])
  expect(log.cleanedOffset).toBe(5)
  expect(fixture.disk.readFile('/data/a/cleaner-offset-checkpoint').toString()).toBe('0\n1\nt 0 5\n')
  const [first] = batches(log)
  expect([first!.readInt32BE(23), recordCountAt(first!, 0)]).toEqual([2, 1])
  expect(decodeRecords(first!)[0]!.headers).toEqual([{ key: 'h', value: Buffer.from([2]) }])
})

test('nothing is cleaned at or above the last stable offset, nor what is too young, nor what is hardly dirty', async () => {
  const { fixture, manager, log } = await opened({ 'min.compaction.lag.ms': '50000' })
  fixture.put(log, ['a', '1'], ['a', '2'])
  fixture.roll(log)
  const open = { producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true, timestamp: fixture.nowMs }
  fixture.append(log, recordsOf([['t', '1']], open))
  fixture.roll(log)
  fixture.put(log, ['b', '1'], ['b', '2'])
  fixture.roll(log)
  await fixture.clean(manager)
  expect(log.cleanedOffset).toBeUndefined()
  await fixture.world.run(60_000)
  expect(log.cleanedOffset).toBe(2)
  fixture.append(log, endOf(1, 5, 0, fixture.nowMs), 'coordinator')
  manager.updateTopicConfig('t', { ...log.config, minCleanableDirtyRatio: 0.99 })
  await fixture.clean(manager)
  expect(log.cleanedOffset).toBe(2)
  manager.updateTopicConfig('t', { ...log.config, maxCompactionLagMs: 1000 })
  await fixture.clean(manager)
  expect(pairsOf(log)).toEqual(['1 a=2', '2 t=1', '4 b=2'])
})

test('a tombstone is stamped with the time until which it stays, and goes after that', async () => {
  const { fixture, manager, log, metric } = await opened({ 'delete.retention.ms': '100000' })
  fixture.put(log, ['a', '1'], ['b', '1'])
  fixture.put(log, ['a', null], ['c', '1'])
  fixture.roll(log)
  await fixture.clean(manager)
  const stamped = batches(log).find((batch) => hasDeleteHorizonAt(batch, 0))!
  expect(baseTimestampAt(stamped, 0)).toBeGreaterThan(fixture.nowMs + 90_000)
  expect(pairsOf(log)).toEqual(['1 b=1', '2 a=null', '3 c=1'])
  // Offsets and times are as they were.
  expect(committed(log).map(({ timestamp }) => timestamp - 1_700_000_000_000)).toEqual([1, 0, 1])
  await fixture.world.run(120_000)
  fixture.put(log, ['d', '1'])
  fixture.roll(log)
  await fixture.clean(manager)
  expect(pairsOf(log)).toEqual(['1 b=1', '3 c=1', '4 d=1'])
  expect([metric('uncleanable-partitions-count'), metric('cleaner-recopy-percent')]).toEqual([0, expect.any(Number)])
})

test('small segments become one; codecs stay', async () => {
  const { fixture, manager, log } = await opened()
  for (const codec of [Codec.gzip, Codec.snappy, Codec.lz4, Codec.zstd]) {
    fixture.append(log, recordsOf([['a', `${codec}`], [`k${codec}`, 'x']], { codec, timestamp: fixture.nowMs }))
    fixture.roll(log)
  }
  await fixture.clean(manager)
  expect(log.segments.all().map((segment) => segment.baseOffset)).toEqual([0, 8])
  expect(batches(log).map((batch) => batch[22]! & 7)).toEqual([1, 2, 3, 4])
  expect(pairsOf(log)).toEqual(['1 k1=x', '3 k2=x', '5 k3=x', '6 a=4', '7 k4=x'])
  expect(fixture.disk.list('/data/a/t-0').filter((name) => name.endsWith('.snapshot'))).toEqual(['00000000000000000008.snapshot'])
})

test('a map that is too small takes several rounds, within a batch too', async () => {
  const { fixture, manager, log } = await opened({}, (fixture) => {
    fixture.config = { ...fixture.config, dedupeBufferBytes: 24 * 12, loadFactor: 0.9 }
  })
  const keys = Array.from({ length: 40 }, (_, i): [string, string] => [`k${i % 20}`, `${i}`])
  fixture.append(log, recordsOf(keys, { timestamp: fixture.nowMs }))
  fixture.roll(log)
  for (let i = 0; i < 12; i++) await fixture.clean(manager)
  expect(log.cleanedOffset).toBe(40)
  expect(pairsOf(log)).toEqual(keys.slice(20).map(([key, value], i) => `${20 + i} ${key}=${value}`))
})

test('messages of magic 0 and 1 are cleaned in their own format', async () => {
  const { fixture, manager } = await opened()
  const record = (offset: number, key: string | null, value: string | null) => ({
    offset, timestamp: fixture.nowMs, key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value),
  })
  const set = (magic: 0 | 1, codec: Codec, records: ReturnType<typeof record>[]) =>
    writeMessageSet(magic, { codec, timestampType: 0, logAppendTime: -1, records })
  const old = Buffer.concat([
    set(0, Codec.none, [record(0, 'a', '0'), record(1, 'b', '0'), record(2, null, 'x')]),
    set(1, Codec.gzip, [record(3, 'a', '1'), record(4, 'c', '1'), record(5, 'd', null)]),
    set(1, Codec.none, [record(6, 'c', '2')]),
  ])
  fixture.disk.makeDirectory('/data/a/old-0')
  const file = fixture.disk.open('/data/a/old-0/00000000000000000000.log', 'create')
  file.write(old, 0)
  file.close()
  await fixture.run(manager.shutdown())
  const again = await fixture.openCleaning()
  const log = again.get('old', 0)!
  expect(log.endOffset).toBe(7)
  log.updateHighWatermark(7)
  fixture.roll(log)
  await fixture.clean(again)
  const left = batches(log).flatMap((batch) => legacyRecords(readLegacyMessage(batch, 0), 1e6))
  expect(left.map(({ offset, key, value }) => `${offset} ${key} ${value}`)).toEqual(['1 b 0', '3 a 1', '5 d null', '6 c 2'])
})

describe('a cleaning that runs', () => {
  /** Slow enough that something can happen meanwhile. */
  const slow = (fixture: CleanerFixture) => {
    fixture.config = { ...fixture.config, ioMaxBytesPerSecond: 2000 }
  }
  const dirty = async (overrides: Record<string, string> = {}) => {
    const all = await opened({ 'segment.bytes': '3000', 'delete.retention.ms': '0', ...overrides }, slow)
    for (let i = 0; i < 60; i++) {
      all.fixture.put(all.log, ['a', `${i}`], [`k${i}`, 'x'.repeat(200)])
      if (i % 10 === 9) all.fixture.roll(all.log)
    }
    await all.fixture.world.run(1500)
    expect(all.manager.cleaner!.running).toBe(1)
    return all
  }
  const quiet = (all: Awaited<ReturnType<typeof dirty>>) => {
    expect(all.fixture.logger.warnings).toEqual([])
    expect(all.manager.cleaner!.uncleanable.size).toBe(0)
    expect(all.fixture.disk.list('/data/a').flatMap((name) => (name.startsWith('t-0') ? all.fixture.disk.list(`/data/a/${name}`) : []))
      .filter((name) => /cleaned|swap/.test(name))).toEqual([])
  }

  test('ends when the log is truncated, and begins again below', async () => {
    const all = await dirty()
    const { fixture, manager, log } = all
    log.truncateTo(50)
    log.updateHighWatermark(50)
    await fixture.world.run(2000)
    quiet(all)
    fixture.put(log, ['a', 'new'])
    fixture.roll(log)
    await fixture.world.run(120_000)
    await fixture.clean(manager)
    const seen = pairsOf(log)
    expect(seen.filter((each) => each.includes(' a='))).toEqual(['50 a=new'])
    expect(seen).toHaveLength(26)
  })

  test('ends when the log is deleted; a new one of its name waits for that', async () => {
    const all = await dirty()
    all.manager.delete('t', 0)
    const fresh = all.manager.getOrCreate('t', 0)
    all.fixture.put(fresh, ['a', '1'], ['a', '2'])
    all.fixture.roll(fresh)
    await all.fixture.world.run(3000)
    quiet(all)
    expect(pairsOf(fresh)).toEqual(['1 a=2'])
  })

  test('ends when the topic is not compacted any more', async () => {
    const all = await dirty()
    const before = all.log.size
    all.manager.updateTopicConfig('t', { ...all.log.config, cleanupPolicy: ['delete'] })
    await all.fixture.world.run(100_000)
    quiet(all)
    expect([all.log.cleanedOffset, all.log.size <= before]).toEqual([undefined, true])
  })

  test('ends while the log moves to another directory', async () => {
    const all = await dirty()
    all.manager.getOrCreate('t', 0, { isFuture: true })
    await all.fixture.world.run(2000)
    quiet(all)
    expect(all.manager.cleaner!.running).toBe(0)
  })

  test('ends when its directory fails', async () => {
    const all = await dirty()
    all.log.directory.fail(new Error('broken'), 'testing')
    await all.fixture.world.run(3000)
    expect([all.manager.cleaner!.running, all.manager.cleaner!.uncleanable.size]).toEqual([0, 0])
  })

  test('ends when the broker stops', async () => {
    const all = await dirty()
    await all.fixture.run(all.manager.shutdown())
    quiet(all)
    const again = await all.fixture.openCleaning({ 'segment.bytes': '3000' })
    expect(again.get('t', 0)!.endOffset).toBe(120)
  })

  test('keeps retention from its segments, and lets it work afterwards', async () => {
    const all = await dirty({ 'cleanup.policy': 'compact,delete', 'retention.ms': '2000' })
    await all.fixture.world.run(2000)
    expect(all.log.deleteOldSegments()).toBe(0)
    await all.fixture.world.run(120_000)
    expect(all.log.startOffset).toBe(120)
    quiet(all)
  })

  test('and rolls go on beside it', async () => {
    const all = await dirty()
    for (let i = 0; i < 30; i++) {
      all.fixture.put(all.log, ['a', `more${i}`])
      if (i % 10 === 9) all.fixture.roll(all.log)
      await all.fixture.world.run(500)
    }
    await all.fixture.world.run(200_000)
    quiet(all)
    expect(pairsOf(all.log).filter((each) => each.includes(' a='))).toEqual(['149 a=more29'])
  })
})

test('a damaged log is given up, counted and reported, and nothing of it is changed', async () => {
  const { fixture, manager, log, metric } = await opened()
  fixture.put(log, ['a', '1'], ['a', '2'])
  fixture.roll(log)
  const path = '/data/a/t-0/00000000000000000000.log'
  const file = fixture.disk.open(path, 'update')
  file.write(Buffer.from([0xff]), 70)
  file.close()
  const before = fixture.disk.readFile(path)
  await fixture.clean(manager)
  await fixture.clean(manager)
  expect(fixture.logger.warnings.map(({ fields, message }) => [fields['log'], message])).toEqual([
    ['t-0', 'a log cannot be cleaned, and is left as it is until the broker is restarted'],
  ])
  expect(String(fixture.logger.warnings[0]!.fields['reason'])).toMatch(/checksum/)
  expect([metric('uncleanable-partitions-count'), metric('uncleanable-bytes')]).toEqual([1, log.size])
  expect(fixture.disk.readFile(path)).toEqual(before)
  manager.delete('t', 0)
  await fixture.clean(manager)
  expect(metric('uncleanable-partitions-count')).toBe(0)
})

test('no cleaner without log.cleaner.enable, and none at work without threads', async () => {
  const { manager } = await opened({}, (fixture) => {
    fixture.config = { ...fixture.config, enable: false }
  })
  expect(manager.cleaner).toBeUndefined()
  const { fixture, manager: idle, log } = await opened({}, (fixture) => {
    fixture.config = { ...fixture.config, threads: 0 }
  })
  fixture.put(log, ['a', '1'], ['a', '2'])
  fixture.roll(log)
  await fixture.clean(idle)
  expect(log.cleanedOffset).toBeUndefined()
  idle.cleaner!.reconfigure({ ...fixture.config, threads: 2 })
  await fixture.clean(idle)
  expect(log.cleanedOffset).toBe(2)
})

test('nothing is begun any more once it was stopped, also with so many logs that looking at them takes several turns', async () => {
  const fixture = new CleanerFixture()
  const start = jest.fn()
  const manager = await fixture.openCleaning({}, { cleanerPool: { start, rest() {}, async close() {} } })
  for (let p = 0; p < 600; p++) manager.getOrCreate('t', p)
  const log = manager.get('t', 0)!
  fixture.put(log, ['a', '1'], ['a', '2'])
  fixture.roll(log)
  manager.cleaner!.reconfigure(fixture.config)
  await fixture.run(manager.cleaner!.stop())
  await fixture.world.run(100)
  expect(start).not.toHaveBeenCalled()
})

test('what a thread that died has left goes before a log is cleaned: after a crash it would make a whole swap look unfinished', async () => {
  const { fixture, manager, log } = await opened({ 'segment.bytes': '3000' })
  const left = '/data/a/t-0/00000000000000000001.log.cleaned'
  fixture.put(log, ['a', '1'], ['a', '2'])
  fixture.roll(log)
  fixture.disk.open(left, 'create').close()
  await fixture.clean(manager)
  expect([pairsOf(log), fixture.disk.exists(left)]).toEqual([['1 a=2'], false])
})

test('an index that names an aborted transaction whose marker is gone does not make later ones of its producer look aborted', async () => {
  const { fixture, manager, log } = await opened()
  fixture.put(log, ['b', '1'], ['b', '2'], ['b', '3'])
  const first = log.segments.active
  fixture.roll(log)
  first.txnIndex.append({ producerId: 7, firstOffset: 0, lastOffset: 2, lastStableOffset: 3 })
  const identity = { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true, timestamp: fixture.nowMs }
  fixture.append(log, recordsOf([['a', '1'], ['c', '1']], identity))
  fixture.append(log, endOf(1, 7, 0, fixture.nowMs), 'coordinator')
  fixture.roll(log)
  await fixture.clean(manager)
  expect(pairsOf(log)).toEqual(['2 b=3', '3 a=1', '4 c=1'])
})

describe('in threads', () => {
  /** Threads that are none: messages take a moment, and are copied. */
  const pretended = (fixture: CleanerFixture, handlers: ThreadHandler[] = []): OpenThread => (handler) => {
    handlers.push(handler)
    const later = (work: () => void) => fixture.clock.timer(1, work)
    const thread = new CleaningThread(fixture.disk, fixture.clock, (report) => {
      const copy = structuredClone(report)
      later(() => handler.onMessage(copy))
    })
    return {
      post: (message) => later(() => thread.onOrder(structuredClone(message) as never)),
      async end() {
        handler.onEnd(undefined)
      },
    }
  }

  test('logs are cleaned, several at a time, and threads go when there is nothing to do', async () => {
    const fixture = new CleanerFixture()
    fixture.config = { ...fixture.config, threads: 2 }
    const pool = new ThreadCleanerPool(pretended(fixture))
    const manager = await fixture.openCleaning({}, { cleanerPool: pool })
    for (let p = 0; p < 3; p++) {
      const log = manager.getOrCreate('t', p)
      fixture.put(log, ['a', '1'], ['a', `${p}`])
      fixture.roll(log)
    }
    let most = 0
    for (let i = 0; i < 1500; i++) {
      await fixture.world.run(1)
      most = Math.max(most, pool.size)
    }
    expect([most, pool.size]).toEqual([2, 0])
    for (let p = 0; p < 3; p++) expect(pairsOf(manager.get('t', p)!)).toEqual([`1 a=${p}`])
  })

  test('a thread that cannot be opened gives the log up, and nothing else', async () => {
    const fixture = new CleanerFixture()
    const pool = new ThreadCleanerPool(() => {
      throw new Error('no more threads')
    })
    const manager = await fixture.openCleaning({}, { cleanerPool: pool })
    const log = manager.getOrCreate('t', 0)
    fixture.put(log, ['a', '1'], ['a', '2'])
    fixture.roll(log)
    await fixture.world.run(3000)
    expect(fixture.logger.warnings.map(({ fields }) => fields['reason'])).toEqual(['no more threads'])
    expect([log.isBeingCleaned, manager.cleaner!.running]).toEqual([false, 0])
  })

  test('an error comes over with its code; a thread that dies gives the log up', async () => {
    const fixture = new CleanerFixture()
    const handlers: ThreadHandler[] = []
    const pool = new ThreadCleanerPool(pretended(fixture, handlers))
    const manager = await fixture.openCleaning({}, { cleanerPool: pool })
    const log = manager.getOrCreate('t', 0)
    fixture.put(log, ['a', '1'], ['a', '2'])
    fixture.roll(log)
    for (let i = 0; i < 2000 && handlers.length === 0; i++) await fixture.world.run(1)
    handlers[0]!.onEnd(new Error('out of memory'))
    await fixture.world.run(5000)
    expect(fixture.logger.warnings.map(({ fields }) => fields['reason'])).toEqual(['out of memory'])
    expect(manager.cleaner!.uncleanable).toEqual(new Set([log]))

    const other = manager.getOrCreate('t', 1)
    fixture.put(other, ['a', '1'], ['a', '2'])
    fixture.roll(other)
    fixture.disk.faults.failBelow = { path: '/data/a/t-1', code: 'EIO' }
    await fixture.world.run(3000)
    expect(manager.onlineDirs).toEqual([])
  })

  test('a cleaned segment that came too late and cannot be removed takes its directory offline, and nothing else', async () => {
    const fixture = new CleanerFixture()
    const handlers: ThreadHandler[] = []
    const manager = await fixture.openCleaning({}, { cleanerPool: new ThreadCleanerPool(pretended(fixture, handlers)) })
    const log = manager.getOrCreate('t', 0)
    fixture.put(log, ['a', '1'], ['a', '2'])
    fixture.roll(log)
    await fixture.world.runUntil(() => handlers.length > 0, 5000, 'the thread')
    const handler = handlers[0]!
    const take = handler.onMessage
    handler.onMessage = (message) => {
      manager.updateTopicConfig('t', { ...log.config, cleanupPolicy: ['delete'] })
      fixture.disk.faults.failBelow = { path: '/data/a/t-0', code: 'EROFS' }
      take(message)
    }
    await fixture.world.runUntil(() => manager.onlineDirs.length === 0, 5000, 'the failure')
    await fixture.world.runUntil(() => manager.cleaner!.running === 0, 5000, 'the end')
  })
})
