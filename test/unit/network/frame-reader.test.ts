import * as fc from 'fast-check'
import { FrameReader } from '../../../network/frame-reader'
import { SlabPool } from '../../../network/slab-pool'
import type { FrameReaderOptions } from '../../../network/frame-reader'

const framed = (body: Uint8Array): Buffer => {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeInt32BE(body.length)
  frame.set(body, 4)
  return frame
}

const sized = (size: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(size)
  return bytes
}

const readerOf = (options: Partial<FrameReaderOptions> = {}) => {
  const frames: Buffer[] = []
  const bad: string[] = []
  const pool = options.pool ?? new SlabPool(64 * 1024 * 1024)
  const reader = new FrameReader({
    maxFrameBytes: 100 * 1024 * 1024,
    pool,
    onFrame: (frame) => frames.push(frame),
    onBad: (reason) => bad.push(reason),
    ...options,
  })
  return { reader, frames, bad, pool }
}

/** Delivers as the real port does: into the reader's own buffer where it offers one, else into one shared buffer. */
const pour = (reader: FrameReader, bytes: Buffer, pieces: () => number, direct: boolean): void => {
  const shared = Buffer.alloc(256 * 1024)
  for (let at = 0; at < bytes.length;) {
    const target = (direct ? reader.receiveBuffer() : undefined) ?? shared
    const count = Math.min(pieces(), target.length, bytes.length - at)
    bytes.copy(target, 0, at, at + count)
    reader.onData(target.subarray(0, count))
    at += count
    shared.fill(0xee)
  }
}

test('frames come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(40), fc.nat(5000), fc.nat(300_000)), { minLength: 1, maxLength: 6 }),
      fc.array(
        fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 262_144 })),
        { minLength: 1 },
      ),
      fc.boolean(),
      (sizes, cuts, direct) => {
        const bodies = sizes.map((size, i) => Buffer.alloc(size, i + 1))
        const { reader, frames, pool } = readerOf()
        let turn = 0
        const total = sizes.reduce((sum, size) => sum + size + 4, 0)
        const scale = Math.ceil(total / 20_000)
        pour(reader, Buffer.concat(bodies.map(framed)), () => (cuts[turn++ % cuts.length] as number) * scale, direct)
        expect(frames.length).toBe(bodies.length)
        frames.forEach((frame, i) => expect(frame.equals(bodies[i] as Buffer)).toBe(true))
        expect(reader.pendingBytes).toBe(0)
        expect(pool.usedBytes).toBe(0)
      },
    ),
    { numRuns: 60 },
  )
})

test('a long frame is read straight into its slab', () => {
  const { reader, frames } = readerOf()
  const body = Buffer.alloc(1024 * 1024, 7)
  const bytes = framed(body)
  reader.onData(bytes.subarray(0, 200_000))
  let direct = 0
  for (let at = 200_000; at < bytes.length;) {
    const target = reader.receiveBuffer() as Buffer
    const count = bytes.copy(target, 0, at)
    direct += count
    reader.onData(target.subarray(0, count))
    at += count
  }
  expect(direct).toBe(bytes.length - 200_000)
  expect(frames[0]?.equals(body)).toBe(true)
})

test('1,500 connections that promise 100 MB and send little cost less than 64 MB', () => {
  const pool = new SlabPool(1024 * 1024 * 1024)
  const before = process.memoryUsage()
  const readers = Array.from({ length: 1500 }, () => readerOf({ pool }).reader)
  const start = Buffer.concat([sized(100 * 1024 * 1024), Buffer.alloc(16)])
  for (const reader of readers) {
    reader.onData(start)
    // Asking where the next bytes go must not allocate for what was only promised.
    reader.receiveBuffer()
  }
  const after = process.memoryUsage()
  expect(pool.usedBytes).toBeLessThan(1500 * 4096)
  expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(64 * 1024 * 1024)
  for (const reader of readers) reader.close()
  expect(pool.usedBytes).toBe(0)
})

test('a slab is at most four times what was received', () => {
  const { reader, pool } = readerOf()
  reader.onData(sized(50 * 1024 * 1024))
  let received = 0
  for (let i = 0; i < 3000; i++) {
    const piece = 1 + (i % 4000)
    const target = reader.receiveBuffer() ?? Buffer.alloc(4000)
    const chunk = target.subarray(0, Math.min(piece, target.length))
    reader.onData(chunk)
    received += chunk.length
    // The smallest slab is 2 KiB, and classes are up to five times apart.
    expect(pool.usedBytes).toBeLessThanOrEqual(Math.max(2048, received * 4 * 5))
  }
})

test.each([
  [sized(-1), /-1 bytes/],
  [sized(100 * 1024 * 1024 + 1), /at most/],
  [Buffer.from('GET / HTTP/1.1\r\n'), /HTTP/],
  [Buffer.from([0x16, 0x03, 0x01, 0x02]), /TLS/],
])('what is no Kafka frame ends the stream %#', (bytes, reason) => {
  const { reader, frames, bad } = readerOf()
  reader.onData(bytes)
  reader.onData(framed(Buffer.from('later')))
  expect(bad).toEqual([expect.stringMatching(reason)])
  expect(frames).toEqual([])
})

test('an empty frame is a frame', () => {
  const { reader, frames } = readerOf()
  reader.onData(Buffer.concat([sized(0), framed(Buffer.from('x'))]))
  expect(frames.map((frame) => frame.length)).toEqual([0, 1])
})

test('a receiver may close the reader from within onFrame', () => {
  const frames: Buffer[] = []
  const { reader } = readerOf({
    onFrame: (frame) => {
      frames.push(frame)
      reader.close()
    },
  })
  reader.onData(Buffer.concat([framed(Buffer.from('a')), framed(Buffer.from('b'))]))
  expect(frames.length).toBe(1)
})

test('borrowed frames are not copied, owned ones survive the next read', () => {
  const seen: Buffer[] = []
  const { reader } = readerOf({ onFrame: (frame) => seen.push(frame), mayBorrow: (frame) => frame[0] === 0 })
  const chunk = Buffer.concat([framed(Buffer.from([0, 1])), framed(Buffer.from([1, 1]))])
  reader.onData(chunk)
  expect(seen[0]?.buffer).toBe(chunk.buffer)
  chunk.fill(9)
  expect([...(seen[0] as Buffer)]).toEqual([9, 9])
  expect([...(seen[1] as Buffer)]).toEqual([1, 1])
})

test("when memory is short, the frame that has waited longest goes, and never a peer's", () => {
  const pool = new SlabPool(60 * 1024)
  const part = Buffer.concat([sized(1024 * 1024), Buffer.alloc(4000)])
  const peer = readerOf({ pool, privileged: true })
  const stale = readerOf({ pool })
  const lively = readerOf({ pool })
  for (const each of [peer, stale, lively]) each.reader.onData(part)
  expect(pool.usedBytes).toBe(60 * 1024)
  lively.reader.onData(Buffer.alloc(10))
  const newcomer = readerOf({ pool })
  newcomer.reader.onData(part)
  expect(stale.bad).toEqual([expect.stringMatching(/evicted/)])
  expect([peer.bad, lively.bad, newcomer.bad]).toEqual([[], [], []])
  lively.reader.close()
  newcomer.reader.close()
  // Only peers are left, and the budget is used up: the newcomer is refused.
  const others = [readerOf({ pool, privileged: true }), readerOf({ pool, privileged: true })]
  for (const each of others) each.reader.onData(part)
  const refused = readerOf({ pool })
  refused.reader.onData(part)
  expect(refused.bad).toEqual([expect.stringMatching(/short/)])
  for (const each of [peer, ...others]) each.reader.close()
  expect(pool.usedBytes).toBe(0)
})

test('recycled slabs are used again, last in first out, within a bound', () => {
  const pool = new SlabPool(64 * 1024 * 1024, 3 * 1024 * 1024)
  const recycles: (() => void)[] = []
  const { reader } = readerOf({ pool, onFrame: (_, recycle) => recycles.push(recycle) })
  const bytes = framed(Buffer.alloc(1024 * 1024))
  for (let i = 0; i < 4; i++) {
    reader.onData(bytes.subarray(0, 300_000))
    reader.onData(bytes.subarray(300_000))
  }
  for (const recycle of recycles) {
    recycle()
    recycle()
  }
  expect(pool.keptBytes).toBeGreaterThan(0)
  expect(pool.keptBytes).toBeLessThanOrEqual(3 * 1024 * 1024)
  const kept = pool.keptBytes
  reader.onData(bytes.subarray(0, 300_000))
  expect(pool.keptBytes).toBeLessThan(kept)
})

test('what the receiver does not take yet waits, whole and in order, and costs what was received', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat({ max: 40 }), fc.nat(5000), fc.nat(300_000)), { minLength: 1, maxLength: 30 }),
      fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1000, max: 262_144 })), { minLength: 1 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      (sizes, cuts, takes, direct) => {
        const bodies = sizes.map((size, i) => Buffer.alloc(size + 1, i + 1))
        const frames: Buffer[] = []
        let turn = 0
        let willing = true
        const { reader, bad, pool } = readerOf({
          onFrame: (frame) => {
            frames.push(Buffer.from(frame))
            willing = takes[frames.length % takes.length]!
          },
          mayBorrow: () => true,
          mayDeliver: () => willing,
        })
        const bytes = Buffer.concat(bodies.map(framed))
        pour(reader, bytes, () => Math.max(cuts[turn++ % cuts.length]!, Math.ceil(bytes.length / 2000)), direct)
        while (reader.hasRest) {
          willing = true
          reader.resume()
        }
        expect(bad).toEqual([])
        expect(frames.length).toBe(bodies.length)
        expect(frames.every((frame, i) => frame.equals(bodies[i]!))).toBe(true)
        expect(pool.usedBytes).toBe(0)
      },
    ),
    { numRuns: 30 },
  )
})

test('bytes behind a frame that is not taken are bounded by the pool, and given back at the end', () => {
  const { reader, bad, pool } = readerOf({ mayDeliver: () => false, pool: new SlabPool(1024 * 1024) })
  reader.onData(Buffer.concat(Array.from({ length: 1000 }, () => framed(Buffer.alloc(8)))))
  expect(reader.hasRest).toBe(true)
  expect(pool.usedBytes).toBeLessThan(32 * 1024)
  for (let i = 0; i < 100 && bad.length === 0; i++) reader.onData(Buffer.alloc(64 * 1024, 1))
  expect(bad).toEqual(['memory for requests is short'])
  reader.close()
  expect(pool.usedBytes).toBe(0)
})
