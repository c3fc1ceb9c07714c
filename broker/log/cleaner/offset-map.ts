import { HASH_WORDS, KeyHash } from './key-hash'

/** A hash of 16 bytes and an offset. */
export const ENTRY_BYTES = 24

export interface OffsetMapOptions {
  /** What the map may take of memory. */
  maxBytes: number
  /** How full it may get, above 0 and at most 1. */
  loadFactor: number
  /** No more keys than this will come: a small log needs no large map. */
  mostKeys: number
  /** 16 bytes, see KeyHash. */
  salt: Uint8Array
}

/**
 * The last offset of each key, of keys that are not kept: a table of hashes with open addressing, of a fixed size. Kafka's
 * SkimpyOffsetMap.
 */
export class OffsetMap {
  /** Entries that it has room for; a prime, so that every step length visits them all. */
  readonly slots: number
  /** Keys that it takes. */
  readonly capacity: number
  /** Keys in it. */
  size = 0
  /** All records up to here are in the map; -1: none. */
  latestOffset = -1
  private readonly hash: KeyHash
  private readonly hashes: Int32Array
  /** Offset + 1; 0 is free. */
  private readonly offsets: Float64Array

  /** Throws RangeError if not even one key would fit. */
  constructor(options: OffsetMapOptions) {
    const wanted = Math.ceil(options.mostKeys / options.loadFactor) + 3
    this.slots = primeUpTo(Math.min(Math.floor(options.maxBytes / ENTRY_BYTES), primeFrom(wanted)))
    this.capacity = Math.min(Math.floor(this.slots * options.loadFactor), this.slots - 1)
    if (this.capacity < 1) throw new RangeError('log.cleaner.dedupe.buffer.size is too small for an offset map of a single key')
    this.hash = new KeyHash(options.salt)
    this.hashes = new Int32Array(this.slots * HASH_WORDS)
    this.offsets = new Float64Array(this.slots)
  }

  get bytes(): number {
    return this.slots * ENTRY_BYTES
  }

  /** From 0 to 1. */
  get utilization(): number {
    return this.size / this.slots
  }

  get isFull(): boolean {
    return this.size >= this.capacity
  }

  /** Sets the offset of the key in `bytes[from, to)`. False, and nothing changed, if the key is new and the map is full. */
  put(bytes: Uint8Array, from: number, to: number, offset: number): boolean {
    const slot = this.find(bytes, from, to)
    if (this.offsets[slot] === 0) {
      if (this.isFull) return false
      this.hashes.set(this.hash.words, slot * HASH_WORDS)
      this.size++
    }
    this.offsets[slot] = offset + 1
    return true
  }

  /** The last offset of the key in `bytes[from, to)`, -1 if it is not here. */
  get(bytes: Uint8Array, from: number, to: number): number {
    return this.offsets[this.find(bytes, from, to)]! - 1
  }

  /** Where the key is, or the free slot where it would be. There is always a free one. */
  private find(bytes: Uint8Array, from: number, to: number): number {
    this.hash.update(bytes, from, to)
    const { hashes, offsets, slots } = this
    const { words } = this.hash
    const a = words[0]!
    const b = words[1]!
    const c = words[2]!
    const d = words[3]!
    let slot = (a >>> 0) % slots
    const step = 1 + ((b >>> 0) % (slots - 1))
    while (offsets[slot] !== 0) {
      const at = slot * HASH_WORDS
      if (hashes[at] === a && hashes[at + 1] === b && hashes[at + 2] === c && hashes[at + 3] === d) return slot
      slot += step
      if (slot >= slots) slot -= slots
    }
    return slot
  }
}

/** The smallest prime from `bound` on. */
function primeFrom(bound: number): number {
  let candidate = bound
  while (!isPrime(candidate)) candidate++
  return candidate
}

/** The largest prime up to `bound`; 0 without one. */
function primeUpTo(bound: number): number {
  for (let candidate = bound; candidate >= 2; candidate--) if (isPrime(candidate)) return candidate
  return 0
}

function isPrime(number: number): boolean {
  if (number < 2) return false
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}
