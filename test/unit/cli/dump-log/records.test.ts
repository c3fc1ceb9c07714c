import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Complaints, dumpOffsetIndex, dumpSnapshot, dumpTimeIndex } from '../../../../cli/dump-log/indexes'
import { SegmentReader, baseOffsetOf, batchLine, recordLine, recordsOf } from '../../../../cli/dump-log/records'
import { OFFSET_INDEX_ENTRY_BYTES, TIME_INDEX_ENTRY_BYTES } from '../../../../protocol/files/index-entries'
import { encodeProducerSnapshot } from '../../../../protocol/files/producer-snapshot'
import { crcAt } from '../../../../protocol/records/batch'
import { BatchBuilder, ControlType, controlBatch } from '../../../../protocol/records/records'

const T = 1_700_000_000_000
let folder: string
let log: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prekraft-dump-'))
  log = join(folder, '00000000000000000005.log')
})
afterEach(() => rmSync(folder, { recursive: true }))

const plain = () =>
  new BatchBuilder({ baseOffset: 5, producerId: 7, producerEpoch: 1, baseSequence: 10, leaderEpoch: 3 })
    .append(Buffer.from('k'), Buffer.from('v'), [{ key: 'h', value: null }], T)
    .append(null, Buffer.from('w'), [], T + 1)
    .build()

const commit = () =>
  controlBatch({
    type: ControlType.commit,
    coordinatorEpoch: 4,
    producerId: 7,
    producerEpoch: 1,
    timestamp: T,
    baseOffset: 7,
    leaderEpoch: 3,
  })

const text = (bytes: Buffer | null) => bytes?.toString()
const show = (batch: Buffer, contents: boolean, metadata = true) =>
  recordsOf(batch).map((record) =>
    recordLine(batch, record, {
      contents,
      metadata,
      parse: ({ key, value }) => ({ key: text(key as Buffer), payload: text(value as Buffer) }),
    }),
  )

test('a batch and its records', () => {
  const batch = plain()
  expect(batchLine(batch, 100)).toBe(
    'baseOffset: 5 lastOffset: 6 count: 2 baseSequence: 10 lastSequence: 11 producerId: 7 producerEpoch: 1 ' +
      'partitionLeaderEpoch: 3 ' +
      'isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 100 ' +
      `CreateTime: ${T + 1} size: ${batch.length} magic: 2 compresscodec: none crc: ${crcAt(batch, 0)} isvalid: true`,
  )
  expect(show(batch, false)).toEqual([
    `| offset: 5 CreateTime: ${T} keySize: 1 valueSize: 1 sequence: 10 headerKeys: [h]`,
    `| offset: 6 CreateTime: ${T + 1} keySize: -1 valueSize: 1 sequence: 11 headerKeys: []`,
  ])
  expect(show(batch, true).map((line) => line.split('] ')[1])).toEqual(['key: k payload: v', ' payload: w'.trim()])
  expect(show(batch, true, false)).toEqual(['| key: k payload: v', ' payload: w'])
})

test('a marker at the end of a transaction', () => {
  const batch = commit()
  expect(batchLine(batch, 0)).toContain('isTransactional: true isControl: true')
  expect(show(batch, true)).toEqual([
    `| offset: 7 CreateTime: ${T} keySize: 4 valueSize: 6 sequence: -1 headerKeys: [] endTxnMarker: COMMIT coordinatorEpoch: 4`,
  ])
})

test('a segment, batch by batch, up to what is none', () => {
  writeFileSync(log, Buffer.concat([plain(), commit(), Buffer.from('rest')]))
  expect(baseOffsetOf(log)).toBe(5)
  const reader = new SegmentReader(log)
  const positions = [...reader.batches()].map(({ position }) => position)
  reader.close()
  expect(positions).toEqual([0, plain().length])
  expect(() => baseOffsetOf('/x/name.log')).toThrow('For input string: "name"')
})

describe('indexes against their log', () => {
  const offsetEntry = (relative: number, position: number) => {
    const entry = Buffer.alloc(OFFSET_INDEX_ENTRY_BYTES)
    entry.writeInt32BE(relative, 0)
    entry.writeInt32BE(position, 4)
    return entry
  }
  const timeEntry = (timestamp: number, relative: number) => {
    const entry = Buffer.alloc(TIME_INDEX_ENTRY_BYTES)
    entry.writeBigInt64BE(BigInt(timestamp), 0)
    entry.writeInt32BE(relative, 8)
    return entry
  }
  const file = (suffix: string) => log.replace(/log$/, suffix)
  let printed: string[]
  let complaints: Complaints
  const print = (line: string) => void printed.push(line)

  beforeEach(() => {
    writeFileSync(log, Buffer.concat([plain(), commit()]))
    printed = []
    complaints = new Complaints()
  })

  test('as they should be', () => {
    writeFileSync(file('index'), Buffer.concat([offsetEntry(1, 0), offsetEntry(2, plain().length)]))
    writeFileSync(file('timeindex'), timeEntry(T + 1, 1))
    dumpOffsetIndex(file('index'), 'dump', print, complaints)
    dumpTimeIndex(file('timeindex'), 'dump', print, complaints)
    expect(printed).toEqual(['offset: 6 position: 0', `offset: 7 position: ${plain().length}`, `timestamp: ${T + 1} offset: 6`])
    expect(complaints.lines()).toEqual([])
    dumpOffsetIndex(file('index'), 'sanity', print, complaints)
    expect(printed.at(-1)).toBe(`${file('index')} passed sanity check.`)
  })

  test('empty, and wrong', () => {
    writeFileSync(file('index'), '')
    dumpOffsetIndex(file('index'), 'dump', print, complaints)
    expect(printed).toEqual([`${file('index')} is empty.`])
    writeFileSync(file('index'), offsetEntry(0, plain().length))
    dumpOffsetIndex(file('index'), 'verify', print, complaints)
    expect(complaints.lines()).toEqual([`Mismatches in :${file('index')}`, '  Index offset: 5, log offset: 7'])
    expect(printed).toHaveLength(1)
  })

  test('insane', () => {
    const sanity = (dump: typeof dumpTimeIndex, suffix: string, bytes: Buffer) => () => {
      writeFileSync(file(suffix), bytes)
      dump(file(suffix), 'sanity', print, complaints)
    }
    const entry = timeEntry(T, 1)
    expect(sanity(dumpOffsetIndex, 'index', offsetEntry(1, 0).subarray(0, 7))).not.toThrow()
    expect(printed).toEqual([`${file('index')} is empty.`])
    expect(sanity(dumpOffsetIndex, 'index', Buffer.alloc(9))).toThrow('9 bytes which is neither positive nor a multiple of 8')
    expect(sanity(dumpTimeIndex, 'timeindex', Buffer.concat([entry, Buffer.alloc(1)]))).toThrow('found 13 bytes')
    const zeros = Buffer.concat([entry, Buffer.alloc(12)])
    expect(sanity(dumpTimeIndex, 'timeindex', zeros)).toThrow('the last timestamp is 0 which is less')
    expect(sanity(dumpTimeIndex, 'timeindex', Buffer.alloc(0))).not.toThrow()
  })

  test('complaints come by kind, then by file as Kafka has them', () => {
    for (const [kind, name, line] of [
      ['gaps', '/b', '1'],
      ['offsets', '/b', '1'],
      ['gaps', '/a', '2'],
      ['gaps', '/b', '3'],
      ['notFound', '/b', '4'],
      ['notFound', '/a', '5'],
      ['offsets', '/b', '6'],
    ] as const)
      complaints.add(kind, name, line)
    const lost = 'The following indexed offsets are not found in the log.'
    expect(complaints.lines()).toEqual([
      ...['Mismatches in :/b', '  6', '  1', lost, '5', lost, '4'],
      ...['Non-consecutive offsets in /a', '  2', 'Non-consecutive offsets in /b', '  3', '  1'],
    ])
  })

  test('times that are wrong, and offsets that are not there', () => {
    writeFileSync(file('timeindex'), Buffer.concat([timeEntry(T + 5, 1), timeEntry(T + 4, 2), timeEntry(T + 9, 3)]))
    dumpTimeIndex(file('timeindex'), 'verify', print, complaints)
    expect(complaints.lines()).toEqual([
      `Found timestamp mismatch in :${file('timeindex')}`,
      `  Index timestamp: ${T + 5}, log timestamp: ${T + 1}`,
      `  Index timestamp: ${T + 4}, log timestamp: ${T}`,
      `Found out of order timestamp in :${file('timeindex')}`,
      `  Index timestamp: ${T + 4}, Previously indexed timestamp: ${T + 5}`,
      'The following indexed offsets are not found in the log.',
      'Indexed offset: 8, found log offset: -1',
    ])
  })

  test('a snapshot of producers', () => {
    const snapshot = file('snapshot')
    const entry = {
      producerId: 7,
      producerEpoch: 1,
      lastSequence: 11,
      lastOffset: 6,
      offsetDelta: 1,
      timestamp: T,
      coordinatorEpoch: 4,
      currentTransactionFirstOffset: -1,
    }
    writeFileSync(snapshot, encodeProducerSnapshot([entry]))
    dumpSnapshot(snapshot, print)
    expect(printed).toEqual([
      `producerId: 7 producerEpoch: 1 coordinatorEpoch: 4 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: ${T} ` +
        `firstSequence: 10 lastSequence: 11 lastOffset: 6 offsetDelta: 1 timestamp: ${T}`,
    ])
  })
})
