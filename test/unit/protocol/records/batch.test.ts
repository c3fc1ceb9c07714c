import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import * as batch from '../../../../protocol/records/batch'
import { crc32c, crc32cRange } from '../../../../protocol/crc32c'
import { readInt64, writeInt64 } from '../../../../protocol/records/big-endian'
import { BatchBuilder } from '../../../../protocol/records/records'

/** One record "k" -> "v" at timestamp 1000, as Kafka's Java producer encodes it; checksum computed by hand with another tool. */
const golden = Buffer.from(
  '0000000000000000' + '0000003a' + 'ffffffff' + '02' + '00000000' + '0000' + '00000000' + '00000000000003e8' + '00000000000003e8'
  + 'ffffffffffffffff' + 'ffff' + 'ffffffff' + '00000001' + '10' + '00' + '00' + '00' + '02' + '6b' + '02' + '76' + '00',
  'hex')

describe('crc32c', () => {
  // RFC 3720, B.4.
  test.each([
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 times 0xff', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    ['"123456789"', Buffer.from('123456789'), 0xe3069283],
  ])('known value of %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected)
  })

  test('script and native code agree at every length, and in pieces', () => {
    const bytes = randomBytes(700)
    for (let length = 0; length < bytes.length; length++) {
      const whole = crc32cRange(bytes, 0, length)
      expect(crc32c(bytes.subarray(0, length))).toBe(whole)
      const cut = Math.floor(length / 3)
      expect(crc32c(bytes.subarray(cut, length), crc32c(bytes.subarray(0, cut)))).toBe(whole)
    }
  })
})

describe('64-bit integers', () => {
  test('what a number holds exactly comes back, negative too', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => {
      const bytes = Buffer.alloc(8)
      writeInt64(bytes, 0, value)
      expect(bytes.readBigInt64BE()).toBe(BigInt(value))
      expect(readInt64(bytes, 0)).toBe(value)
    }))
  })

  test('Long.MAX is written back as itself', () => {
    const bytes = Buffer.from('7fffffffffffffff', 'hex')
    writeInt64(bytes, 0, readInt64(bytes, 0))
    expect(bytes.toString('hex')).toBe('7fffffffffffffff')
  })

  test('Long.MIN reads as -2^63 and is written back', () => {
    const bytes = Buffer.from('8000000000000000', 'hex')
    expect(readInt64(bytes, 0)).toBe(-(2 ** 63))
    writeInt64(bytes, 0, -(2 ** 63))
    expect(bytes.toString('hex')).toBe('8000000000000000')
  })
})

describe('batch header', () => {
  test('a batch is built byte for byte', () => {
    const built = new BatchBuilder().append(Buffer.from('k'), Buffer.from('v'), [], 1000).build()
    golden.writeUInt32BE(crc32c(golden.subarray(21)), 17)
    expect(built.toString('hex')).toBe(golden.toString('hex'))
    expect(batch.batchIsValidAt(built, 0)).toBe(true)
  })

  test('each field is where it belongs, at any position', () => {
    const header = {
      baseOffset: 2 ** 40 + 7, leaderEpoch: 12, attributes: 0x7b, lastOffsetDelta: 9, baseTimestamp: -1, maxTimestamp: 1_700_000_000_123,
      producerId: 2 ** 50 + 1, producerEpoch: 32767, baseSequence: 0x7ffffffe, recordCount: 10,
    }
    const buf = Buffer.alloc(200, 0xee)
    batch.writeBatchHeader(buf, 13, 61 + 20, header)
    expect(batch.readBatchHeader(buf, 13)).toEqual(header)
    expect(batch.batchSizeAt(buf, 13)).toBe(81)
    expect(batch.lastOffsetAt(buf, 13)).toBe(2 ** 40 + 16)
    expect(batch.nextOffsetAt(buf, 13)).toBe(2 ** 40 + 17)
    expect(batch.magicAt(buf, 13)).toBe(2)
    expect(batch.codecAt(buf, 13)).toBe(3)
    expect(batch.timestampTypeAt(buf, 13)).toBe(1)
    expect(batch.isTransactionalAt(buf, 13)).toBe(true)
    expect(batch.isControlAt(buf, 13)).toBe(true)
    expect(batch.hasDeleteHorizonAt(buf, 13)).toBe(true)
    expect(batch.lastSequenceAt(buf, 13)).toBe(7)
    expect(batch.batchIsValidAt(buf, 13)).toBe(true)
    expect(buf[12]).toBe(0xee)
    expect(buf[13 + 81]).toBe(0xee)
  })

  test('offset and epoch are outside the checksum, everything else is inside', () => {
    const buf = new BatchBuilder().append(null, Buffer.from('value'), [], 5).build()
    batch.setBaseOffsetAt(buf, 0, 99)
    batch.setLeaderEpochAt(buf, 0, 3)
    expect(batch.batchIsValidAt(buf, 0)).toBe(true)
    batch.setLastOffsetAt(buf, 0, 1234)
    expect(batch.lastOffsetAt(buf, 0)).toBe(1234)
    for (let at = 17; at < buf.length; at++) {
      const damaged = Buffer.from(buf)
      damaged[at] = (damaged[at] as number) ^ 0x10
      expect(batch.batchIsValidAt(damaged, 0)).toBe(false)
    }
  })

  test('a batch that is cut off, or has an impossible length, is not valid', () => {
    const buf = new BatchBuilder().append(null, Buffer.from('value'), [], 5).build()
    expect(batch.batchIsValidAt(buf.subarray(0, buf.length - 1), 0)).toBe(false)
    expect(batch.batchIsValidAt(buf.subarray(0, 60), 0)).toBe(false)
    for (const length of [-1, 0, 48, 0x7fffffff, -0x80000000]) {
      const damaged = Buffer.from(buf)
      damaged.writeInt32BE(length, 8)
      expect(batch.batchIsValidAt(damaged, 0)).toBe(false)
    }
  })

  test('a new timestamp type is sealed; the same one changes nothing', () => {
    const buf = new BatchBuilder().append(null, Buffer.from('value'), [], 5).build()
    const before = Buffer.from(buf)
    batch.stampTimestampType(buf, 0, 0, 5)
    expect(buf.equals(before)).toBe(true)
    batch.stampTimestampType(buf, 0, 1, 77)
    expect(batch.timestampTypeAt(buf, 0)).toBe(1)
    expect(batch.maxTimestampAt(buf, 0)).toBe(77)
    expect(batch.batchIsValidAt(buf, 0)).toBe(true)
  })

  test('sequences wrap from 2^31-1 to 0', () => {
    expect(batch.incrementSequence(0x7fffffff, 1)).toBe(0)
    expect(batch.incrementSequence(0x7ffffffe, 3)).toBe(1)
    expect(batch.decrementSequence(0, 1)).toBe(0x7fffffff)
    expect(batch.decrementSequence(1, 3)).toBe(0x7ffffffe)
  })
})
