import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { Codec } from '../../../../protocol/records/batch'
import type { CompressionError } from '../../../../protocol/records/compression'
import { codecByName, codecLevels, codecName, compress, decompress } from '../../../../protocol/records/compression'
import { threadPoolCompression } from '../../../../protocol/records/compression-pool'
import { compressLz4, decompressLz4 } from '../../../../protocol/records/lz4'
import { compressSnappy, decompressSnappy } from '../../../../protocol/records/snappy'

const codecs = [Codec.gzip, Codec.snappy, Codec.lz4, Codec.zstd] as const
const problem = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return (error as CompressionError).code
  }
  return 'none'
}
const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) | 0x80, ...varint(Math.floor(value / 128))])

describe.each(codecs)('codec %i', (codec) => {
  test('what goes in comes out', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(40), (bytes, repeat) => {
      const input = Buffer.concat(Array<Uint8Array>(repeat + 1).fill(bytes))
      expect(decompress(codec, compress(codec, input), input.length).equals(input)).toBe(true)
    }), { numRuns: 60 })
    for (const input of [Buffer.alloc(0), Buffer.alloc(1), randomBytes(300_000), Buffer.alloc(5_000_000, 'abc')]) {
      expect(decompress(codec, compress(codec, input), input.length).equals(input)).toBe(true)
    }
  })

  test('a bomb stops at the limit, and one byte less than needed is too little', () => {
    const bomb = compress(codec, Buffer.alloc(20_000_000))
    expect(problem(() => decompress(codec, bomb, 1_000_000))).toBe('TOO_LARGE')
    expect(problem(() => decompress(codec, bomb, 19_999_999))).toBe('TOO_LARGE')
    expect(problem(() => decompress(codec, bomb, 20_000_000))).toBe('none')
  })

  test('the thread pool gives the same', async () => {
    const input = Buffer.from(randomBytes(5000).toString('hex'))
    const packed = await threadPoolCompression.compress(codec, input)
    expect(decompress(codec, packed, input.length).equals(input)).toBe(true)
    expect((await threadPoolCompression.decompress(codec, packed, input.length)).equals(input)).toBe(true)
    await expect(threadPoolCompression.decompress(codec, packed, input.length - 1)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(threadPoolCompression.decompress(codec, packed.subarray(0, 40), 1e6)).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  test('whatever arrives ends in data or in an error that says so, and within the limit', () => {
    const valid = compress(codec, Buffer.from('a text to be damaged, a text to be damaged, a text to be damaged'.repeat(5)))
    fc.assert(fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
        fc.tuple(fc.nat(), fc.nat(255)).map(([where, byte]) => {
          const damaged = Buffer.from(valid)
          damaged[where % damaged.length] = byte
          return damaged
        }),
        fc.nat(valid.length).map((end) => valid.subarray(0, end)),
      ),
      (bytes) => {
        try {
          expect(decompress(codec, bytes, 10_000).length).toBeLessThanOrEqual(10_000)
        } catch (error) {
          expect(['CORRUPT', 'TOO_LARGE']).toContain((error as CompressionError).code)
        }
      }), { numRuns: 1000 })
  })
})

test('names and levels', () => {
  expect([0, 1, 2, 3, 4, 5].map(codecName)).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd', undefined])
  expect(['uncompressed', 'none', 'zstd', 'producer'].map(codecByName)).toEqual([0, 0, 4, undefined])
  expect(codecLevels(Codec.snappy)).toBeUndefined()
  const text = Buffer.from(randomBytes(2000).toString('hex').repeat(20))
  expect(compress(Codec.gzip, text, 9).length).toBeLessThan(compress(Codec.gzip, text, 1).length)
  expect(compress(Codec.zstd, text, -1000).length).toBeGreaterThan(compress(Codec.zstd, text, 19).length)
  expect(problem(() => decompress(5 as Codec, text, 10))).toBe('UNSUPPORTED')
})

describe('snappy', () => {
  const raw = (...elements: number[]): Buffer => Buffer.from(elements)

  test('a raw block without a frame', () => {
    expect(decompressSnappy(raw(5, 4 << 2, 104, 101, 108, 108, 111), 100).toString()).toBe('hello')
  })

  test('copies with one, two and four bytes of offset, overlapping too', () => {
    const literal = [3 << 2, 1, 2, 3, 4]
    expect([...decompressSnappy(raw(8, ...literal, 1, 4), 100)]).toEqual([1, 2, 3, 4, 1, 2, 3, 4])
    expect([...decompressSnappy(raw(8, ...literal, (3 << 2) | 2, 1, 0), 100)]).toEqual([1, 2, 3, 4, 4, 4, 4, 4])
    expect([...decompressSnappy(raw(6, ...literal, (1 << 2) | 3, 2, 0, 0, 0), 100)]).toEqual([1, 2, 3, 4, 3, 4])
  })

  test('frames that were joined', () => {
    const joined = Buffer.concat([compressSnappy(Buffer.from('one ')), compressSnappy(Buffer.from('two'))])
    expect(decompressSnappy(joined, 100).toString()).toBe('one two')
  })

  test.each([
    ['a literal whose length reads as negative (the package would never end)', [...varint(100), 63 << 2, 0xfa, 0xff, 0xff, 0xff, 0, 0, 0]],
    ['a promise of gigabytes', [...varint(0xffffffff), 0, 1]],
    ['a length without end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a copy in front of the block', [8, 3 << 2, 1, 2, 3, 4, 1, 5]],
    ['a copy with offset 0', [8, 3 << 2, 1, 2, 3, 4, 1, 0]],
    ['a copy that is cut off', [8, 3 << 2, 1, 2, 3, 4, 2, 1]],
    ['a literal that is cut off', [8, 3 << 2, 1, 2]],
    ['more than promised', [3, 3 << 2, 1, 2, 3, 4]],
    ['less than promised', [9, 3 << 2, 1, 2, 3, 4]],
  ])('%s is refused', (_, bytes) => {
    expect(problem(() => decompressSnappy(Buffer.from(bytes), 1 << 30))).toBe('CORRUPT')
  })

  test.each([
    ['a header that is cut off', (frame: Buffer) => frame.subarray(0, 12)],
    ['a block length that is cut off', (frame: Buffer) => frame.subarray(0, 18)],
    ['a block that is cut off', (frame: Buffer) => frame.subarray(0, frame.length - 1)],
    ['a negative block length', (frame: Buffer) => {
      frame.writeInt32BE(-1, 16)
      return frame
    }],
    ['version 0', (frame: Buffer) => {
      frame.writeInt32BE(0, 8)
      return frame
    }],
  ])('a frame with %s is refused', (_, damage) => {
    expect(problem(() => decompressSnappy(damage(compressSnappy(Buffer.from('some text here'))), 1000))).toBe('CORRUPT')
  })
})

describe('lz4', () => {
  const frame = compressLz4(Buffer.from('some text to compress, some text to compress'))

  test('is written as Kafka reads it: version 1, independent blocks', () => {
    expect(frame.readUInt32LE(0)).toBe(0x184d2204)
    expect((frame[4] as number) & 0xe0).toBe(0x60)
  })

  test('the header checksum of messages of magic 0 covers the magic number too (KAFKA-3160)', () => {
    const old = compressLz4(Buffer.from('text'), true)
    expect(problem(() => decompressLz4(old, 100))).toBe('CORRUPT')
    expect(decompressLz4(old, 100, true).toString()).toBe('text')
    expect(decompressLz4(compressLz4(Buffer.from('text')), 100, true).toString()).toBe('text')
  })

  test('what follows the frame is left alone', () => {
    expect(decompressLz4(Buffer.concat([frame, Buffer.from('rest')]), 100).toString()).toContain('some text')
  })

  test('a block of long matches is measured, not believed', () => {
    const zeros = compressLz4(Buffer.alloc(3_000_000))
    expect(zeros.length).toBeLessThan(20_000)
    expect(decompressLz4(zeros, 3_000_000).length).toBe(3_000_000)
    expect(problem(() => decompressLz4(zeros, 2_999_999))).toBe('TOO_LARGE')
  })

  test.each([
    ['another magic number', (f: Buffer) => f.fill(1, 0, 1)],
    ['another version', (f: Buffer) => f.fill(0x20, 4, 5)],
    ['a dictionary', (f: Buffer) => f.fill(0x61, 4, 5)],
    ['a wrong header checksum', (f: Buffer) => f.fill((f[6] as number) ^ 1, 6, 7)],
    ['no end', (f: Buffer) => f.subarray(0, f.length - 4)],
    ['half a block', (f: Buffer) => f.subarray(0, 15)],
    ['half a header', (f: Buffer) => f.subarray(0, 5)],
  ])('%s is refused', (_, damage) => {
    expect(problem(() => decompressLz4(damage(Buffer.from(frame)), 1000))).toBe('CORRUPT')
  })
})

test('gzip of several members is read whole', () => {
  const members = Buffer.concat([gzipSync('one '), gzipSync('two')])
  expect(decompress(Codec.gzip, members, 100).toString()).toBe('one two')
})
