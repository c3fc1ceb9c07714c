/**
 * Compression on Node's thread pool, for what would hold up the event loop: gzip, lz4 and (where Node has it) zstd. Snappy is
 * JavaScript and stays on the loop, as does zstd of the package: their blocks take some 4 and 1 ms a MiB.
 */
import { constants, gunzip, gzip } from 'node:zlib'
import { Codec } from './batch'
import type { CompressionPool } from './compression'
import { compress, decompress, gzipError } from './compression'
import { compressLz4Later, decompressLz4Later } from './lz4'
import { compressZstdLater, decompressZstdLater } from './zstd'

function gzipLater(bytes: Uint8Array, level = constants.Z_DEFAULT_COMPRESSION): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(bytes, { level }, (error, result) => (error === null ? resolve(result) : reject(error)))
  })
}

function gunzipLater(bytes: Uint8Array, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(bytes, { maxOutputLength: Math.max(maxBytes, 1) }, (error, result) => {
      if (error === null) resolve(result)
      else reject(gzipError(error, maxBytes))
    })
  })
}

/** The pool of real processes. At most `UV_THREADPOOL_SIZE` blocks are worked on at once; callers bound how many wait. */
export const threadPoolCompression: CompressionPool = {
  async compress(codec, bytes, level) {
    if (codec === Codec.gzip) return gzipLater(bytes, level)
    if (codec === Codec.lz4) return compressLz4Later(bytes)
    if (codec === Codec.zstd) return compressZstdLater(bytes, level)
    return compress(codec, bytes, level)
  },
  async decompress(codec, bytes, maxBytes) {
    if (codec === Codec.gzip) return gunzipLater(bytes, maxBytes)
    if (codec === Codec.lz4) return decompressLz4Later(bytes, maxBytes)
    if (codec === Codec.zstd) return decompressZstdLater(bytes, maxBytes)
    return decompress(codec, bytes, maxBytes)
  },
}
