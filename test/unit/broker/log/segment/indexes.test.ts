import fc from 'fast-check'
import { OffsetIndex } from '../../../../../broker/log/segment/offset-index'
import { TimeIndex } from '../../../../../broker/log/segment/time-index'
import { TransactionIndex } from '../../../../../broker/log/segment/transaction-index'
import { FileCache } from '../../../../../broker/log/storage/file-cache'
import { Fixture } from '../log-fixture'

const BASE = 1000

function cacheOf(fixture = new Fixture()) {
  return new FileCache(fixture.disk, 100)
}

/** More than the entries that an index holds in memory. */
const step = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 99 }))
const manyEntries = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 60 }))
  .map(([some, times]) => Array.from({ length: times }, () => some).flat())

const fraction = fc.double({ min: 0, max: 1.2, noNaN: true })

/** What happens to an index between being written and being asked. */
const ways = fc.constantFrom('as it is' as const, 'settled' as const, 'loaded' as const)

describe('offset index', () => {
  function build(steps: readonly (readonly [number, number])[], way: string) {
    const cache = cacheOf()
    let index = new OffsetIndex(cache, '/data/x.index', BASE, 1 << 20)
    index.create()
    const entries: { offset: number; position: number }[] = []
    let offset = BASE
    let position = 0
    for (const [offsets, bytes] of steps) {
      offset += offsets
      position += bytes
      expect(index.append(offset, position)).toBe(true)
      entries.push({ offset, position })
    }
    if (way !== 'as it is') index.file.settle()
    if (way === 'loaded') {
      index = new OffsetIndex(cache, '/data/x.index', BASE, 1 << 20)
      expect(index.load(position + 1)).toBe(true)
    }
    return { index, entries }
  }

  test('finds what a search through all entries finds', () => {
    fc.assert(
      fc.property(manyEntries, ways, fc.array(fraction, { minLength: 1, maxLength: 20 }), (steps, way, asked) => {
        const { index, entries } = build(steps, way)
        const last = entries.at(-1)!
        expect(index.lastOffset).toBe(last.offset)
        for (const each of asked) {
          const offset = BASE + Math.floor(each * (last.offset - BASE))
          expect(index.lookup(offset)).toBe(entries.filter((entry) => entry.offset <= offset).at(-1)?.position ?? 0)
          const position = Math.floor(each * last.position)
          expect(index.upperBoundOffset(position)).toBe(entries.find((entry) => entry.position >= position)?.offset)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('is cut at an offset, and grows again', () => {
    fc.assert(
      fc.property(manyEntries, ways, fc.double({ min: 0, max: 1.1, noNaN: true }), (steps, way, fraction) => {
        const { index, entries } = build(steps, way)
        const offset = BASE + Math.floor(fraction * (entries.at(-1)!.offset - BASE))
        index.truncateTo(offset)
        const left = entries.filter((each) => each.offset < offset)
        expect(index.entries).toBe(left.length)
        expect(index.lastOffset).toBe(left.at(-1)?.offset ?? BASE)
        index.append(offset + 5000, 1 << 20)
        expect(index.lookup(offset + 5000)).toBe(1 << 20)
        expect(index.lookup(offset + 4999)).toBe(left.at(-1)?.position ?? 0)
        index.file.settle()
        expect(index.lookup(offset + 5000)).toBe(1 << 20)
      }),
      { numRuns: 60 },
    )
  })

  test('refuses offsets that do not ascend, and is full where it is told', () => {
    const index = new OffsetIndex(cacheOf(), '/data/x.index', BASE, 20)
    index.create()
    expect(index.append(BASE + 5, 100)).toBe(true)
    expect(index.append(BASE + 5, 200)).toBe(false)
    expect(index.isFull).toBe(false)
    expect(index.append(BASE + 6, 200)).toBe(true)
    expect(index.isFull).toBe(true)
  })

  test('zeros at the end, which a killed Apache broker leaves, are no entries', () => {
    for (const count of [0, 1, 2, 3, 100]) {
      const fixture = new Fixture()
      const bytes = Buffer.alloc(10 << 10)
      for (let i = 0; i < count; i++) {
        bytes.writeInt32BE(i + 1, i * 8)
        bytes.writeInt32BE(4096 * (i + 1), i * 8 + 4)
      }
      fixture.disk.open('/data/x.index', 'create').write(bytes, 0)
      const index = new OffsetIndex(cacheOf(fixture), '/data/x.index', BASE, 10 << 10)
      // Nothing but zeros may as well be a damaged file.
      expect(index.load(1 << 20)).toBe(count > 0)
      expect(index.entries).toBe(count)
      expect(index.lastOffset).toBe(BASE + count)
      expect(fixture.disk.stat('/data/x.index')!.size).toBe(count === 0 ? bytes.length : count * 8)
    }
  })

  test('a file that cannot be the index of its segment is noticed', () => {
    const damaged = (change: (bytes: Buffer) => Buffer, segmentBytes = 1 << 20) => {
      const fixture = new Fixture()
      const bytes = Buffer.alloc(24)
      for (let i = 0; i < 3; i++) {
        bytes.writeInt32BE(i + 1, i * 8)
        bytes.writeInt32BE(4096 * (i + 1), i * 8 + 4)
      }
      fixture.disk.open('/data/x.index', 'create').write(change(bytes), 0)
      return !new OffsetIndex(cacheOf(fixture), '/data/x.index', BASE, 1 << 20).load(segmentBytes)
    }
    expect(damaged((bytes) => bytes)).toBe(false)
    expect(damaged((bytes) => bytes.subarray(0, 20))).toBe(true)
    expect(damaged((bytes) => bytes, 5000)).toBe(true)
    expect(damaged((bytes) => (bytes.writeInt32BE(-1, 16), bytes))).toBe(true)
    expect(damaged((bytes) => (bytes.writeInt32BE(1, 16), bytes))).toBe(true)
    expect(damaged((bytes) => (bytes.writeInt32BE(4096, 20), bytes))).toBe(true)
  })
})

describe('time index', () => {
  test('finds what a search through all entries finds, also after a cut', () => {
    fc.assert(
      fc.property(manyEntries, ways, fc.double({ min: 0, max: 1.2, noNaN: true }), fc.boolean(), (steps, way, fraction, cut) => {
        const cache = cacheOf()
        let index = new TimeIndex(cache, '/data/x.timeindex', BASE, 1 << 20)
        index.create()
        let entries: { timestamp: number; offset: number }[] = []
        let offset = BASE
        let timestamp = 5000
        for (const [offsets, ms] of steps) {
          offset += offsets
          timestamp += ms
          index.maybeAppend(timestamp, offset)
          entries.push({ timestamp, offset })
        }
        if (way !== 'as it is') index.file.settle()
        if (way === 'loaded') {
          index = new TimeIndex(cache, '/data/x.timeindex', BASE, 1 << 20)
          expect(index.load()).toBe(true)
        }
        if (cut) {
          const at = BASE + Math.floor(fraction * (offset - BASE))
          index.truncateTo(at)
          entries = entries.filter((each) => each.offset < at)
        }
        expect(index.entries).toBe(entries.length)
        expect(index.lastTimestamp).toBe(entries.at(-1)?.timestamp ?? -1)
        const asked = 5000 + Math.floor(fraction * (timestamp - 5000))
        expect(index.lookup(asked)).toBe(entries.filter((each) => each.timestamp <= asked).at(-1)?.offset ?? BASE)
      }),
      { numRuns: 60 },
    )
  })

  test('takes only later timestamps, and keeps a slot for the last entry', () => {
    const index = new TimeIndex(cacheOf(), '/data/x.timeindex', BASE, 36)
    index.create()
    index.maybeAppend(100, BASE)
    index.maybeAppend(100, BASE + 1)
    index.maybeAppend(99, BASE + 2)
    expect(index.entries).toBe(1)
    expect(index.isFull).toBe(false)
    index.maybeAppend(101, BASE + 3)
    expect(index.isFull).toBe(true)
    index.maybeAppend(102, BASE + 4)
    expect(index.entries).toBe(3)
  })

  test('a file that ends before it began is noticed', () => {
    const fixture = new Fixture()
    const bytes = Buffer.alloc(24)
    bytes.writeBigInt64BE(500n, 0)
    bytes.writeInt32BE(3, 8)
    bytes.writeBigInt64BE(400n, 12)
    bytes.writeInt32BE(4, 20)
    fixture.disk.open('/data/x.timeindex', 'create').write(bytes, 0)
    expect(new TimeIndex(cacheOf(fixture), '/data/x.timeindex', BASE, 1 << 20).load()).toBe(false)
  })
})

describe('transaction index', () => {
  const transaction = fc.record({ length: fc.integer({ min: 1, max: 30 }), producerId: fc.integer({ min: 0, max: 5 }) })
  const aborted = fc.array(transaction, { maxLength: 30 })
  const offsets = (max: number) => fc.integer({ min: 0, max })

  test('tells the aborted transactions that overlap what is read', () => {
    fc.assert(
      fc.property(aborted, offsets(400), offsets(100), fc.boolean(), (list, from, count, reload) => {
        const cache = cacheOf()
        let index = new TransactionIndex(cache, '/data/x.txnindex', BASE)
        let next = BASE
        const all = list.map(({ length, producerId }) => {
          const entry = { producerId, firstOffset: next, lastOffset: next + length, lastStableOffset: next + length + 1 }
          next += length + 1
          index.append(entry)
          return entry
        })
        if (reload) {
          index = new TransactionIndex(cache, '/data/x.txnindex', BASE)
          expect(index.load()).toBe(true)
        }
        const fetchOffset = BASE + from
        const upperBound = fetchOffset + count
        const found: { producerId: number; firstOffset: number }[] = []
        const complete = index.collect(fetchOffset, upperBound, found)
        expect(found).toEqual(
          all
            .filter((each) => each.lastOffset >= fetchOffset && each.firstOffset < upperBound)
            .map(({ producerId, firstOffset }) => ({ producerId, firstOffset })),
        )
        expect(complete).toBe(all.some((each) => each.lastStableOffset >= upperBound && each.lastOffset >= fetchOffset))
        index.truncateTo(fetchOffset)
        expect(index.entries).toBe(all.filter((each) => each.lastOffset < fetchOffset).length)
      }),
      { numRuns: 100 },
    )
  })

  test('the file exists only if there was an abort', () => {
    const fixture = new Fixture()
    const index = new TransactionIndex(cacheOf(fixture), '/data/x.txnindex', BASE)
    index.truncateTo(BASE)
    index.file.settle()
    expect(fixture.disk.exists('/data/x.txnindex')).toBe(false)
    index.append({ producerId: 1, firstOffset: BASE, lastOffset: BASE + 1, lastStableOffset: BASE + 2 })
    expect(fixture.disk.stat('/data/x.txnindex')!.size).toBe(34)
  })

  test('an entry of another version, or out of order, is damage', () => {
    for (const change of [(bytes: Buffer) => bytes.writeInt16BE(1, 0), (bytes: Buffer) => bytes.writeBigInt64BE(999n, 18)]) {
      const fixture = new Fixture()
      const index = new TransactionIndex(cacheOf(fixture), '/data/x.txnindex', BASE)
      index.append({ producerId: 1, firstOffset: BASE, lastOffset: BASE + 1, lastStableOffset: BASE + 2 })
      const bytes = fixture.disk.readFile('/data/x.txnindex')
      change(bytes)
      fixture.disk.open('/data/x.txnindex', 'create').write(bytes, 0)
      expect(new TransactionIndex(cacheOf(fixture), '/data/x.txnindex', BASE).load()).toBe(false)
    }
  })
})
