/**
 * A hash of 16 bytes of a record's key: MD5, as Kafka's SkimpyOffsetMap has it, for two keys with one hash would be taken for one
 * key. The four words that it starts from are secret: so nobody prepares two keys that collide.
 *
 * Written here and not taken from node:crypto, whose calls cost more than this whole hash of a usual key.
 */
import { assert } from '../../../runtime/assert'

const SHIFTS = Int32Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21)
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0)
/** MD5's own four words; `salt` is mixed into them. */
const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]

const BLOCK_BYTES = 64
const LENGTH_AT = 56

export const HASH_WORDS = 4

/** Holds the last hash; one for each map. */
export class KeyHash {
  /** The hash of the last key, in words. */
  readonly words = new Int32Array(HASH_WORDS)
  private readonly start = new Int32Array(HASH_WORDS)
  private readonly block = new Int32Array(BLOCK_BYTES / 4)

  /** `salt`: 16 bytes; zeros give MD5 itself. */
  constructor(salt: Uint8Array) {
    assert(salt.length === 16, 'the salt of a key hash has 16 bytes')
    for (let i = 0; i < HASH_WORDS; i++) this.start[i] = START[i]! ^ wordAt(salt, i * 4)
  }

  /** Hashes `bytes[from, to)` into `words`. */
  update(bytes: Uint8Array, from: number, to: number): void {
    const { words, block } = this
    words.set(this.start)
    let at = from
    for (; to - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
      for (let i = 0; i < 16; i++) block[i] = wordAt(bytes, at + i * 4)
      this.mix()
    }
    block.fill(0)
    const rest = to - at
    let i = 0
    for (; i + 4 <= rest; i += 4) block[i >> 2] = wordAt(bytes, at + i)
    for (; i < rest; i++) block[i >> 2]! |= bytes[at + i]! << ((i & 3) * 8)
    block[rest >> 2]! |= 0x80 << ((rest & 3) * 8)
    if (rest >= LENGTH_AT) {
      this.mix()
      block.fill(0)
    }
    const length = to - from
    block[14] = length << 3
    block[15] = length >>> 29
    this.mix()
  }

  private mix(): void {
    const { words, block } = this
    let a = words[0]!
    let b = words[1]!
    let c = words[2]!
    let d = words[3]!
    // Four rounds, written out: one loop that asks which round it is in takes twice as long.
    for (let i = 0; i < 16; i++) {
      const sum = (a + ((b & c) | (~b & d)) + SINES[i]! + block[i]!) | 0
      const shift = SHIFTS[i & 3]!
      a = d
      d = c
      c = b
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0
    }
    for (let i = 16; i < 32; i++) {
      const sum = (a + ((d & b) | (~d & c)) + SINES[i]! + block[(5 * i + 1) & 15]!) | 0
      const shift = SHIFTS[4 | (i & 3)]!
      a = d
      d = c
      c = b
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0
    }
    for (let i = 32; i < 48; i++) {
      const sum = (a + (b ^ c ^ d) + SINES[i]! + block[(3 * i + 5) & 15]!) | 0
      const shift = SHIFTS[8 | (i & 3)]!
      a = d
      d = c
      c = b
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0
    }
    for (let i = 48; i < 64; i++) {
      const sum = (a + (c ^ (b | ~d)) + SINES[i]! + block[(7 * i) & 15]!) | 0
      const shift = SHIFTS[12 | (i & 3)]!
      a = d
      d = c
      c = b
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0
    }
    words[0] = words[0]! + a
    words[1] = words[1]! + b
    words[2] = words[2]! + c
    words[3] = words[3]! + d
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
