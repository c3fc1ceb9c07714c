/**
 * LZ4 in its frame format. The package decompresses whatever it is given, so the frame is measured first.
 *
 * Messages of magic 0 carry a header checksum over too many bytes (KAFKA-3160): it is ignored when they are read, and written as
 * old clients expect it.
 */
import { CompressionError } from './compression-error'

interface Lz4Package {
  compressFrame(data: Buffer): Promise<Buffer>
  compressFrameSync(data: Buffer): Buffer
  decompressFrame(data: Buffer): Promise<Buffer>
  decompressFrameSync(data: Buffer): Buffer
}

const FRAME_MAGIC = 0x184d2204
const FLG_AT = 4
const DESCRIPTOR_AT = 4
const BLOCK_CHECKSUM_FLAG = 0x10
const CONTENT_SIZE_FLAG = 0x08
const CONTENT_CHECKSUM_FLAG = 0x04
const DICTIONARY_FLAG = 0x01
const UNCOMPRESSED_BIT = 0x80000000

let loaded: Lz4Package | undefined

/** Loaded when it is needed: native code costs milliseconds at start. */
function lz4(): Lz4Package {
  loaded ??= require('lz4-napi') as Lz4Package
  return loaded
}

/** Compresses into one frame. `magic0`: with the header checksum of messages of magic 0. */
export function compressLz4(bytes: Uint8Array, magic0 = false): Buffer {
  const frame = lz4().compressFrameSync(asBuffer(bytes))
  if (magic0) {
    const checksumAt = headerEnd(frame) - 1
    frame[checksumAt] = headerChecksum(frame, 0, checksumAt)
  }
  return frame
}

/** The same on the thread pool. */
export function compressLz4Later(bytes: Uint8Array): Promise<Buffer> {
  return lz4().compressFrame(asBuffer(bytes))
}

/** Decompresses the first frame to at most `maxBytes`. `magic0`: whatever its header checksum is. Throws CompressionError. */
export function decompressLz4(bytes: Uint8Array, maxBytes: number, magic0 = false): Buffer {
  const frame = checkedFrame(bytes, maxBytes, magic0)
  try {
    return lz4().decompressFrameSync(frame)
  } catch (error) {
    throw CompressionError.corrupt('lz4', (error as Error).message)
  }
}

/** The same on the thread pool; the frame is measured at once. */
export async function decompressLz4Later(bytes: Uint8Array, maxBytes: number): Promise<Buffer> {
  const frame = checkedFrame(bytes, maxBytes, false)
  try {
    return await lz4().decompressFrame(frame)
  } catch (error) {
    throw CompressionError.corrupt('lz4', (error as Error).message)
  }
}

/** The first frame alone, its header right, making no more than `maxBytes`. */
function checkedFrame(bytes: Uint8Array, maxBytes: number, magic0: boolean): Buffer {
  let frame = asBuffer(bytes)
  const end = headerEnd(frame)
  const right = headerChecksum(frame, DESCRIPTOR_AT, end - 1)
  if (frame[end - 1] !== right) {
    if (!magic0) throw CompressionError.corrupt('lz4', 'the frame descriptor has a wrong checksum')
    frame = Buffer.from(frame)
    frame[end - 1] = right
  }
  const measured = measureFrame(frame, end, maxBytes)
  if (measured.size > maxBytes) throw CompressionError.tooLarge('lz4', maxBytes)
  return frame.subarray(0, measured.end)
}

/** Where the frame header ends; the byte before it is its checksum. */
function headerEnd(frame: Buffer): number {
  if (frame.length < 7) throw CompressionError.corrupt('lz4', 'the stream ended prematurely')
  if (frame.readUInt32LE(0) !== FRAME_MAGIC) throw CompressionError.corrupt('lz4', 'it does not begin with a frame')
  const flags = frame[FLG_AT] as number
  if (flags >>> 6 !== 1) throw CompressionError.corrupt('lz4', `frame version ${flags >>> 6}`)
  if (flags & DICTIONARY_FLAG) throw CompressionError.corrupt('lz4', 'the frame needs a dictionary')
  const end = flags & CONTENT_SIZE_FLAG ? 15 : 7
  if (frame.length < end) throw CompressionError.corrupt('lz4', 'the stream ended prematurely')
  return end
}

/** Walks the blocks: where the frame ends, and at most (exactly, if that would be too much) how many bytes it makes. */
function measureFrame(frame: Buffer, start: number, maxBytes: number): { end: number; size: number } {
  const flags = frame[FLG_AT] as number
  const sizeCode = ((frame[FLG_AT + 1] as number) >>> 4) & 7
  if (sizeCode < 4) throw CompressionError.corrupt('lz4', `block size code ${sizeCode}`)
  const maxBlockBytes = 2 ** (8 + 2 * sizeCode)
  let at = start
  let size = 0
  for (;;) {
    if (frame.length - at < 4) throw CompressionError.corrupt('lz4', 'the stream ended prematurely')
    const word = frame.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const length = word >= UNCOMPRESSED_BIT ? word - UNCOMPRESSED_BIT : word
    if (length > maxBlockBytes) throw CompressionError.corrupt('lz4', `block size ${length} exceeded max: ${maxBlockBytes}`)
    if (length > frame.length - at) throw CompressionError.corrupt('lz4', 'the stream ended prematurely')
    // No sequence makes more than 255 bytes of each of its own.
    const most = word >= UNCOMPRESSED_BIT ? length : Math.min(maxBlockBytes, length * 255)
    size += size + most <= maxBytes || word >= UNCOMPRESSED_BIT ? most : blockSize(frame, at, at + length)
    if (size > maxBytes) return { end: frame.length, size }
    at += length + (flags & BLOCK_CHECKSUM_FLAG ? 4 : 0)
  }
  const end = at + (flags & CONTENT_CHECKSUM_FLAG ? 4 : 0)
  if (end > frame.length) throw CompressionError.corrupt('lz4', 'the stream ended prematurely')
  return { end, size }
}

/** The bytes that a compressed block makes, by the lengths of its sequences. */
function blockSize(block: Buffer, start: number, end: number): number {
  let at = start
  let size = 0
  const extend = (length: number): number => {
    for (let byte = 255; byte === 255;) {
      if (at >= end) throw CompressionError.corrupt('lz4', 'a block ends within a length')
      byte = block[at++] as number
      length += byte
    }
    return length
  }
  while (at < end) {
    const token = block[at++] as number
    const literals = token >>> 4 === 15 ? extend(15) : token >>> 4
    if (literals > end - at) throw CompressionError.corrupt('lz4', 'a block ends within its literals')
    at += literals
    size += literals
    if (at === end) break
    at += 2
    size += 4 + ((token & 15) === 15 ? extend(15) : token & 15)
  }
  return size
}

/** The second byte of xxHash32 over `bytes[start, end)`, which is shorter than 16 bytes. */
function headerChecksum(bytes: Buffer, start: number, end: number): number {
  let hash = (374761393 + (end - start)) | 0
  let at = start
  for (; at + 4 <= end; at += 4) {
    hash = (hash + Math.imul(bytes.readInt32LE(at), 3266489917)) | 0
    hash = Math.imul((hash << 17) | (hash >>> 15), 668265263)
  }
  for (; at < end; at++) {
    hash = (hash + Math.imul(bytes[at] as number, 374761393)) | 0
    hash = Math.imul((hash << 11) | (hash >>> 21), 2654435761)
  }
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519)
  hash = Math.imul(hash ^ (hash >>> 13), 3266489917)
  hash ^= hash >>> 16
  return (hash >>> 8) & 0xff
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
