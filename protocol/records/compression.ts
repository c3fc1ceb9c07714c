/**
 * The codecs of Kafka's batches: gzip, snappy (in xerial framing), lz4 (frame format), zstd. Whatever is decompressed has a
 * limit for its output, so that a small hostile batch cannot become a large one.
 */
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { Codec } from './batch'
import { CompressionError } from './compression-error'
import { compressLz4, decompressLz4 } from './lz4'
import { compressSnappy, decompressSnappy } from './snappy'
import { compressZstd, decompressZstd } from './zstd'

export { CompressionError } from './compression-error'

const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CodecName = (typeof names)[number]

/** Kafka's name of a codec; undefined for a number that is none. */
export function codecName(codec: number): CodecName | undefined {
  return names[codec]
}

/** The codec of a name as in `compression.type`; `none` and `uncompressed` are the same. */
export function codecByName(name: string): Codec | undefined {
  if (name === 'uncompressed') return Codec.none
  const index = (names as readonly string[]).indexOf(name)
  return index < 0 ? undefined : (index as Codec)
}

/** The levels that a codec takes; undefined where it has none. */
export function codecLevels(codec: Codec): { min: number; max: number; default: number } | undefined {
  if (codec === Codec.gzip) return { min: 1, max: 9, default: -1 }
  if (codec === Codec.lz4) return { min: 1, max: 17, default: 9 }
  if (codec === Codec.zstd) return { min: -131072, max: 22, default: 3 }
  return undefined
}

/** Compresses on this thread. `level` undefined: the codec's default. lz4 has one level here, whatever is asked. */
export function compress(codec: Codec, bytes: Uint8Array, level?: number): Buffer {
  switch (codec) {
    case Codec.none: return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    case Codec.gzip: return gzipSync(bytes, { level: level ?? constants.Z_DEFAULT_COMPRESSION })
    case Codec.snappy: return compressSnappy(bytes)
    case Codec.lz4: return compressLz4(bytes)
    case Codec.zstd: return compressZstd(bytes, level)
    default: throw unknownCodec(codec)
  }
}

/**
 * Decompresses on this thread, to at most `maxBytes`. Throws CompressionError: CORRUPT for what is not the codec's format,
 * TOO_LARGE beyond the limit, UNSUPPORTED for a number that is no codec.
 */
export function decompress(codec: Codec, bytes: Uint8Array, maxBytes: number): Buffer {
  switch (codec) {
    case Codec.none: return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    case Codec.gzip: return decompressGzip(bytes, maxBytes)
    case Codec.snappy: return decompressSnappy(bytes, maxBytes)
    case Codec.lz4: return decompressLz4(bytes, maxBytes)
    case Codec.zstd: return decompressZstd(bytes, maxBytes)
    default: throw unknownCodec(codec)
  }
}

function decompressGzip(bytes: Uint8Array, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(maxBytes, 1) })
  } catch (error) {
    throw gzipError(error, maxBytes)
  }
}

/** What an error of node:zlib means. */
export function gzipError(error: unknown, maxBytes: number): CompressionError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ERR_BUFFER_TOO_LARGE') return CompressionError.tooLarge('gzip', maxBytes)
  return CompressionError.corrupt('gzip', message)
}

function unknownCodec(codec: never): CompressionError {
  return new CompressionError('UNSUPPORTED', `Unknown compression type id: ${String(codec)}`)
}

/**
 * Compression away from the event loop. The real pool uses Node's thread pool where the codec has an asynchronous form; the
 * simulated one works inline, so that a run stays a function of its seed.
 */
export interface CompressionPool {
  compress(codec: Codec, bytes: Uint8Array, level?: number): Promise<Buffer>
  decompress(codec: Codec, bytes: Uint8Array, maxBytes: number): Promise<Buffer>
}

/** A pool that does the work at once, on the calling thread. */
export const inlineCompression: CompressionPool = {
  async compress(codec, bytes, level) {
    return compress(codec, bytes, level)
  },
  async decompress(codec, bytes, maxBytes) {
    return decompress(codec, bytes, maxBytes)
  },
}
