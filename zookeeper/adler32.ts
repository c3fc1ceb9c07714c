const MODULUS = 65521
/** The most bytes whose sums stay below 2^31 before a remainder is taken. */
const LONGEST_RUN = 3800

/** RFC 1950's checksum, which ZooKeeper's files carry; `seed` continues an earlier one. */
export function adler32(bytes: Uint8Array, seed = 1): number {
  let a = seed & 0xffff
  let b = seed >>> 16
  for (let start = 0; start < bytes.length;) {
    const end = Math.min(start + LONGEST_RUN, bytes.length)
    for (; start < end; start++) {
      a += bytes[start]!
      b += a
    }
    a %= MODULUS
    b %= MODULUS
  }
  return ((b << 16) | a) >>> 0
}
