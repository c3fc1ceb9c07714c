import fc from 'fast-check'
import { decodeLeaderEpochCheckpoint, encodeLeaderEpochCheckpoint } from '../../../../protocol/files/leader-epoch-checkpoint'
import {
  TRANSACTION_INDEX_ENTRY_BYTES, encodeAbortedTransaction, indexPositionAt, indexRelativeOffsetAt, readAbortedTransaction,
  timeIndexRelativeOffsetAt, timeIndexTimestampAt, writeIndexEntry, writeTimeIndexEntry,
} from '../../../../protocol/files/index-entries'
import { decodeMetaProperties, encodeMetaProperties } from '../../../../protocol/files/meta-properties'
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from '../../../../protocol/files/offset-checkpoint'
import { decodePartitionMetadata, encodePartitionMetadata } from '../../../../protocol/files/partition-metadata'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../../../protocol/files/producer-snapshot'

describe('offset checkpoints', () => {
  test('are written line by line', () => {
    expect(encodeOffsetCheckpoint([])).toBe('0\n0\n')
    expect(encodeOffsetCheckpoint([{ topic: 'a.b_c-d', partition: 3, offset: 9007199254740991 }, { topic: 'x', partition: 0, offset: 0 }]))
      .toBe('0\n2\na.b_c-d 3 9007199254740991\nx 0 0\n')
  })

  test('are read back', () => {
    const entry = fc.record({ topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/), partition: fc.nat(), offset: fc.maxSafeNat() })
    fc.assert(fc.property(fc.array(entry), (entries) => {
      expect(decodeOffsetCheckpoint(encodeOffsetCheckpoint(entries))).toEqual(entries)
    }))
    expect(decodeOffsetCheckpoint('')).toEqual([])
  })

  test.each([
    ['1\n0\n', /Unrecognized version/], ['0', /ends before/], ['0\nx\n', /Not a number/], ['0\n2\na 0 1\n', /Expected 2 entries .* found 1/],
    ['0\n1\na 0 1\nb 0 1\n', /Expected 1 entries .* found 2/], ['0\n1\na 0\n', /Malformed line/], ['0\n1\na 0 x\n', /Not a number/], ['\n', /Not a number/],
  ])('%j is refused', (text, message) => {
    expect(() => decodeOffsetCheckpoint(text)).toThrow(expect.objectContaining({ code: 'FILE_FORMAT', message: expect.stringMatching(message) }))
  })
})

test('leader epochs', () => {
  const entries = [{ epoch: 0, startOffset: 0 }, { epoch: 5, startOffset: 123 }]
  expect(encodeLeaderEpochCheckpoint(entries)).toBe('0\n2\n0 0\n5 123\n')
  expect(decodeLeaderEpochCheckpoint('0\n2\n0 0\n5 123\n')).toEqual(entries)
  expect(() => decodeLeaderEpochCheckpoint('0\n1\n0 0 0\n')).toThrow(/Malformed/)
})

describe('partition.metadata', () => {
  const id = '0YFEuJ8xSUaBiT3wXJXLAQ'

  test('is written without a last newline', () => {
    expect(encodePartitionMetadata(id)).toBe(`version: 0\ntopic_id: ${id}`)
    expect(decodePartitionMetadata(`version: 0\ntopic_id: ${id}\n`)).toBe(id)
  })

  test.each([
    ['version: 1\ntopic_id: x', /Unrecognized version/], ['', /Malformed/], ['version: 0', /Malformed/], ['version: 0\ntopic_id: short', /Malformed/],
    ['version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA', /Invalid topic ID/],
  ])('%j is refused', (text, message) => {
    expect(() => decodePartitionMetadata(text)).toThrow(message)
  })
})

describe('meta.properties', () => {
  test('as ZooKeeper mode writes it', () => {
    const text = encodeMetaProperties({ version: 0, brokerId: 3, clusterId: 'abc', directoryId: undefined }, 'Thu Jan 01 00:00:00 UTC 1970')
    expect(text).toBe('#\n#Thu Jan 01 00:00:00 UTC 1970\nbroker.id=3\ncluster.id=abc\nversion=0\n')
    expect(decodeMetaProperties(text)).toEqual({ version: 0, brokerId: 3, clusterId: 'abc', directoryId: undefined })
  })

  test('with the directory of 3.7, and of a broker without ZooKeeper', () => {
    expect(decodeMetaProperties('version=0\nbroker.id=1\ndirectory.id=xyz\n')).toMatchObject({ brokerId: 1, directoryId: 'xyz', clusterId: undefined })
    expect(decodeMetaProperties('version=1\nnode.id=4\ncluster.id=c\n')).toMatchObject({ version: 1, brokerId: 4 })
  })

  test.each([['', /no version/], ['version=2', /version 2/], ['version=0\nbroker.id=x', /not a number: x/]])('%j is refused', (text, message) => {
    expect(() => decodeMetaProperties(text)).toThrow(message)
  })
})

describe('producer snapshots', () => {
  const entry = {
    producerId: 2 ** 40, producerEpoch: 7, lastSequence: 0x7fffffff, lastOffset: 2 ** 45, offsetDelta: 4, timestamp: 1_700_000_000_000,
    coordinatorEpoch: -1, currentTransactionFirstOffset: -1,
  }

  test('one entry, byte for byte', () => {
    const bytes = encodeProducerSnapshot([entry])
    expect(bytes.toString('hex')).toBe(
      `0001${bytes.toString('hex', 2, 6)}00000001` + '0000010000000000' + '0007' + '7fffffff' + '0000200000000000' + '00000004'
      + '0000018bcfe56800' + 'ffffffff' + 'ffffffffffffffff')
    expect(decodeProducerSnapshot(bytes)).toEqual([entry])
    expect(decodeProducerSnapshot(encodeProducerSnapshot([]))).toEqual([])
  })

  test('any damage is noticed', () => {
    const bytes = encodeProducerSnapshot([entry, { ...entry, producerId: 5 }])
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] as number) ^ 4
      expect(() => decodeProducerSnapshot(damaged)).toThrow(/Snapshot/)
      expect(() => decodeProducerSnapshot(bytes.subarray(0, at))).toThrow(/Snapshot/)
    }
  })
})

describe('index entries', () => {
  test('offset and time index', () => {
    const index = Buffer.alloc(16)
    writeIndexEntry(index, 1, 77, 4096)
    expect(index.toString('hex', 8)).toBe('0000004d00001000')
    expect([indexRelativeOffsetAt(index, 1), indexPositionAt(index, 1)]).toEqual([77, 4096])
    const times = Buffer.alloc(24)
    writeTimeIndexEntry(times, 1, 1_700_000_000_000, 9)
    expect(times.toString('hex', 12)).toBe('0000018bcfe5680000000009')
    expect([timeIndexTimestampAt(times, 1), timeIndexRelativeOffsetAt(times, 1)]).toEqual([1_700_000_000_000, 9])
  })

  test('aborted transactions', () => {
    const transaction = { producerId: 9, firstOffset: 10, lastOffset: 20, lastStableOffset: 2 ** 33 }
    const bytes = encodeAbortedTransaction(transaction)
    expect(bytes.length).toBe(TRANSACTION_INDEX_ENTRY_BYTES)
    expect(bytes.toString('hex')).toBe('0000' + '0000000000000009' + '000000000000000a' + '0000000000000014' + '0000000200000000')
    expect(readAbortedTransaction(Buffer.concat([bytes, bytes]), 34)).toEqual(transaction)
    bytes[1] = 1
    expect(() => readAbortedTransaction(bytes, 0)).toThrow(/version 1/)
  })
})
