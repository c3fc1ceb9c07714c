/**
 * Murmur2 as Kafka's clients hash keys with, so that a key meets the same partition from every client.
 */

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** A signed 32-bit hash. */
export function murmur2(bytes: Uint8Array): number {
  const b = bytes as unknown as { readonly [index: number]: number }
  const length = bytes.length
  let hash = SEED ^ length
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    let k = b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    k = Math.imul(k, M)
    hash = Math.imul(hash, M) ^ k
  }
  const rest = length & 3
  if (rest === 3) hash ^= b[whole + 2]! << 16
  if (rest >= 2) hash ^= b[whole + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ b[whole]!, M)
  hash ^= hash >>> 13
  hash = Math.imul(hash, M)
  return hash ^ (hash >>> 15)
}

/** The partition of a key, of `partitions` (Kafka's toPositive, not an absolute value). */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}
