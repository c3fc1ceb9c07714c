/**
 * Snappy as Kafka uses it: blocks of raw snappy in the framing of snappy-java ("xerial"): a header of 16 bytes, then blocks each
 * behind an int32 length. Some clients send one raw block without a frame; both are read, the frame is written.
 */
import { compress as compressBlock, uncompress as uncompressBlock } from 'snappyjs'
import { readInt32, writeInt32 } from './big-endian'
import { CompressionError } from './compression-error'

/** "\x82SNAPPY\0", then version 1 and lowest compatible version 1. */
const HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const MAGIC_BYTES = 8
/** snappy-java's block size. */
const BLOCK_BYTES = 32 * 1024

/** Compresses into the xerial frame. */
export function compressSnappy(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [HEADER]
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = compressBlock(asBuffer(bytes.subarray(at, at + BLOCK_BYTES)))
    const length = Buffer.allocUnsafe(4)
    writeInt32(length, 0, block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** Decompresses a xerial frame or a raw block to at most `maxBytes`. Throws CompressionError. */
export function decompressSnappy(bytes: Uint8Array, maxBytes: number): Buffer {
  if (!startsWithMagic(bytes, 0)) return decompressOne(bytes, maxBytes)
  const blocks: Buffer[] = []
  let total = 0
  let at = 0
  while (at < bytes.length) {
    // Streams that were joined carry the header again.
    if (startsWithMagic(bytes, at)) {
      if (bytes.length - at < HEADER.length) throw CompressionError.corrupt('snappy', 'the header is cut off')
      if (readInt32(bytes, at + MAGIC_BYTES) < 1) throw CompressionError.corrupt('snappy', 'the framing has a version below 1')
      at += HEADER.length
      continue
    }
    if (bytes.length - at < 4) throw CompressionError.corrupt('snappy', 'a block length is cut off')
    const length = readInt32(bytes, at)
    at += 4
    if (length < 0 || length > bytes.length - at) {
      throw CompressionError.corrupt('snappy', `a block of ${length} bytes is not there`)
    }
    const block = decompressOne(bytes.subarray(at, at + length), maxBytes - total)
    total += block.length
    blocks.push(block)
    at += length
  }
  return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks, total)
}

function startsWithMagic(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < MAGIC_BYTES) return false
  for (let i = 0; i < MAGIC_BYTES; i++) if (bytes[at + i] !== HEADER[i]) return false
  return true
}

function decompressOne(block: Uint8Array, maxBytes: number): Buffer {
  const promised = checkBlock(block)
  if (promised > maxBytes) throw CompressionError.tooLarge('snappy', maxBytes)
  return uncompressBlock(asBuffer(block))
}

/**
 * Walks the elements of a raw block: each must lie within the input, copy only what is written already, and all together
 * make as many bytes as the block promises. The package itself trusts them: a literal of negative length sends it into an
 * endless loop, a promise of gigabytes is allocated. Returns the promised length.
 */
function checkBlock(block: Uint8Array): number {
  const bytes = block as unknown as { readonly [index: number]: number }
  const end = block.length
  let at = 0
  let promised = 0
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 28) throw CompressionError.corrupt('snappy', 'the length in front of a block is malformed')
    const byte = bytes[at++]!
    promised += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  let made = 0
  while (at < end) {
    const tag = bytes[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let length = tag >>> 2
      if (length >= 60) {
        const extra = length - 59
        // The package wants four bytes behind the tag, whatever the length needs: no real encoder comes so close to the end.
        if (end - at < 4) throw CompressionError.corrupt('snappy', 'a literal is cut off')
        length = 0
        for (let i = 0; i < extra; i++) length += bytes[at++]! * 2 ** (8 * i)
      }
      length += 1
      if (length > end - at) throw CompressionError.corrupt('snappy', 'a literal is cut off')
      at += length
      made += length
    } else {
      const extra = kind === 3 ? 4 : kind
      if (extra > end - at) throw CompressionError.corrupt('snappy', 'a copy is cut off')
      let offset = bytes[at]!
      if (kind === 1) offset += (tag >>> 5) << 8
      else for (let i = 1; i < extra; i++) offset += bytes[at + i]! * 2 ** (8 * i)
      if (offset === 0 || offset > made) throw CompressionError.corrupt('snappy', 'a copy reaches in front of the block')
      at += extra
      made += kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    }
    if (made > promised) throw CompressionError.corrupt('snappy', 'a block holds more than it promises')
  }
  if (made !== promised) throw CompressionError.corrupt('snappy', 'a block holds less than it promises')
  return promised
}

/** The package makes a Buffer only from a Buffer. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
