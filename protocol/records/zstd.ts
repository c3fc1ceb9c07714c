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

/** What Node offers from 22.15 on. */
interface NodeZstd {
  constants: { ZSTD_c_compressionLevel: number }
  zstdCompressSync(bytes: Uint8Array, options: { params: { [key: number]: number } }): Buffer
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
  if (node !== undefined) return node.zstdCompressSync(bytes, { params: { [node.constants.ZSTD_c_compressionLevel]: level } })
  return binding().compress(asBuffer(bytes), level)
}

/** Decompresses to at most `maxBytes`. Throws CompressionError. */
export function decompressZstd(bytes: Uint8Array, maxBytes: number): Buffer {
  return node === undefined ? decompressByBinding(asBuffer(bytes), maxBytes) : decompressByNode(node, bytes, maxBytes)
}

function decompressByNode(zstd: NodeZstd, bytes: Uint8Array, maxBytes: number): Buffer {
  try {
    return zstd.zstdDecompressSync(bytes, { maxOutputLength: Math.max(maxBytes, 1) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw CompressionError.tooLarge('zstd', maxBytes)
    throw CompressionError.corrupt('zstd', (error as Error).message)
  }
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

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
