/**
 * Zstandard: Node's own (from 22.15 and 23.8), or the native binding of @cloudpss/zstd on older versions.
 *
 * That package is an ES module with top-level await, which cannot be required; its binding is found the way the package itself
 * finds it, by node-gyp-build in the package's folder.
 */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as zlib from 'node:zlib'
import { CompressionError } from './compression-error'

const DEFAULT_LEVEL = 3
/** Compressed bytes given to the streaming decompressor at once: at most 32 MiB come out of a piece of this size. */
const PIECE_BYTES = 1024

type CompressOptions = { params: { [key: number]: number } }
type Done = (error: Error | null, result: Buffer) => void

/** What Node offers from 22.15 on. */
interface NodeZstd {
  constants: { ZSTD_c_compressionLevel: number }
  zstdCompress(bytes: Uint8Array, options: CompressOptions, done: Done): void
  zstdCompressSync(bytes: Uint8Array, options: CompressOptions): Buffer
  zstdDecompress(bytes: Uint8Array, options: { maxOutputLength: number }, done: Done): void
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer
}

interface Binding {
  compress(bytes: Buffer, level: number): Buffer
  /** Refuses what by its block count could reach `limit`. */
  decompress(bytes: Buffer, limit: number): Buffer
  Decompressor: new () => {
    data(bytes: Buffer, onChunk: (chunk: Buffer) => void): void
    end(onChunk: (chunk: Buffer) => void): void
  }
}

const node: NodeZstd | undefined = 'zstdCompressSync' in zlib ? (zlib as unknown as NodeZstd) : undefined
let loaded: Binding | undefined

function binding(): Binding {
  if (loaded === undefined) {
    const manifest = require.resolve('@cloudpss/zstd/package.json')
    const findBinding = createRequire(manifest)('node-gyp-build') as (directory: string) => Binding
    loaded = findBinding(dirname(manifest))
  }
  return loaded
}

/** Compresses into one frame. */
export function compressZstd(bytes: Uint8Array, level = DEFAULT_LEVEL): Buffer {
  return node === undefined ? binding().compress(asBuffer(bytes), level) : node.zstdCompressSync(bytes, levelOf(node, level))
}

/** The same on the thread pool, where Node has it. */
export function compressZstdLater(bytes: Uint8Array, level = DEFAULT_LEVEL): Promise<Buffer> {
  if (node === undefined) return Promise.resolve(compressZstd(bytes, level))
  return new Promise((resolve, reject) => {
    node.zstdCompress(bytes, levelOf(node, level), (error, result) => (error === null ? resolve(result) : reject(error)))
  })
}

function levelOf(zstd: NodeZstd, level: number): CompressOptions {
  return { params: { [zstd.constants.ZSTD_c_compressionLevel]: level } }
}

/** Decompresses to at most `maxBytes`. Throws CompressionError. */
export function decompressZstd(bytes: Uint8Array, maxBytes: number): Buffer {
  checkFrames(asBuffer(bytes))
  return node === undefined ? decompressByBinding(asBuffer(bytes), maxBytes) : decompressByNode(node, bytes, maxBytes)
}

/** The same on the thread pool, where Node has it. */
export async function decompressZstdLater(bytes: Uint8Array, maxBytes: number): Promise<Buffer> {
  if (node === undefined) return decompressZstd(bytes, maxBytes)
  checkFrames(asBuffer(bytes))
  return new Promise((resolve, reject) => {
    node.zstdDecompress(bytes, { maxOutputLength: Math.max(maxBytes, 1) }, (error, result) => {
      if (error === null) resolve(result)
      else reject(nodeError(error, maxBytes))
    })
  })
}

function decompressByNode(zstd: NodeZstd, bytes: Uint8Array, maxBytes: number): Buffer {
  try {
    return zstd.zstdDecompressSync(bytes, { maxOutputLength: Math.max(maxBytes, 1) })
  } catch (error) {
    throw nodeError(error, maxBytes)
  }
}

function nodeError(error: unknown, maxBytes: number): CompressionError {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_BUFFER_TOO_LARGE' ? CompressionError.tooLarge('zstd', maxBytes) : CompressionError.corrupt('zstd', message)
}

function decompressByBinding(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return binding().decompress(bytes, maxBytes + 1)
  } catch (error) {
    const message = (error as Error).message
    if (message !== 'Content size is too large') throw CompressionError.corrupt('zstd', message)
  }
  // The estimate counts every block as full; a frame that was flushed often may be smaller than it looks.
  return decompressInPieces(bytes, maxBytes)
}

function decompressInPieces(bytes: Buffer, maxBytes: number): Buffer {
  const decompressor = new (binding().Decompressor)()
  const chunks: Buffer[] = []
  let total = 0
  const onChunk = (chunk: Buffer): void => {
    total += chunk.length
    if (total <= maxBytes) chunks.push(chunk)
  }
  try {
    for (let at = 0; at < bytes.length && total <= maxBytes; at += PIECE_BYTES) {
      decompressor.data(bytes.subarray(at, at + PIECE_BYTES), onChunk)
    }
    if (total <= maxBytes) decompressor.end(onChunk)
  } catch (error) {
    throw CompressionError.corrupt('zstd', (error as Error).message)
  }
  if (total > maxBytes) throw CompressionError.tooLarge('zstd', maxBytes)
  return Buffer.concat(chunks, total)
}

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const RLE_BLOCK = 1
const RESERVED_BLOCK = 3

/** Walks frames and blocks to the end: Node takes a frame that is cut off for a short one. */
function checkFrames(bytes: Buffer): void {
  let at = 0
  const skip = (count: number): number => {
    const from = at
    at += count
    if (at > bytes.length) throw CompressionError.corrupt('zstd', 'the stream ended prematurely')
    return from
  }
  do {
    const magic = bytes.readUInt32LE(skip(4))
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      skip(bytes.readUInt32LE(skip(4)))
      continue
    }
    if (magic !== FRAME_MAGIC) throw CompressionError.corrupt('zstd', 'it does not begin with a frame')
    const descriptor = bytes[skip(1)] as number
    const singleSegment = (descriptor & 0x20) !== 0
    skip((singleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number) + contentSizeBytes(descriptor >>> 6, singleSegment))
    for (let last = false; !last;) {
      const header = bytes.readUIntLE(skip(3), 3)
      last = (header & 1) === 1
      const type = (header >>> 1) & 3
      if (type === RESERVED_BLOCK) throw CompressionError.corrupt('zstd', 'a block has a reserved type')
      skip(type === RLE_BLOCK ? 1 : header >>> 3)
    }
    skip(descriptor & 0x04 ? 4 : 0)
  } while (at < bytes.length)
}

function contentSizeBytes(flag: number, singleSegment: boolean): number {
  return flag === 0 ? (singleSegment ? 1 : 0) : 2 ** flag
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
