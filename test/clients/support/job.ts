import { createHash } from 'node:crypto'

export type CodecName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** What a record is made of; the rest follows from its number. */
export interface RecordShape {
  size: number
  key: boolean
  headers: boolean
}

/**
 * What a client is told, as JSON on its command line. With `records` it produces those, one after the other, with `stream` as many
 * as it can until its standard input ends, with `count` it consumes so many from the beginning; all in partition 0.
 *
 * A producer says `a <number> <offset>` for each record that was acknowledged, and `done <count>` at the end; a consumer says each
 * record as JSON (`ReadRecord`).
 */
export interface Job {
  bootstrap: string
  topic: string
  codec: CodecName
  records?: RecordShape[]
  stream?: RecordShape
  count?: number
}

/** A record as somebody read it. */
export interface ReadRecord {
  offset: number
  key: string | null
  size: number
  sha1: string
  headers: Record<string, string>
}

const UNIT = 'the quick brown fox jumps over the lazy dog '

/** The value of record `i`; the workers make the same. */
export function valueOf(i: number, size: number): string {
  const unit = `${i}:${UNIT}`
  return unit.repeat(Math.ceil(size / unit.length)).slice(0, size)
}

export function sha1(bytes: string | Buffer): string {
  return createHash('sha1').update(bytes).digest('hex')
}

/** What must be read where record `i` is stored. */
export function expectedRecord(i: number, offset: number, { size, key, headers }: RecordShape): ReadRecord {
  return {
    offset,
    key: key ? `key-${i}` : null,
    size,
    sha1: sha1(valueOf(i, size)),
    headers: headers ? { first: `value-${i}`, second: 'x' } : {},
  }
}
