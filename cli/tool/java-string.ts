/** Leads the encoding of a surrogate, which UTF-8 must not have, when one of A0 to BF follows. It never continues another character. */
const SURROGATE_LEAD = 0xed
const REPLACEMENT = '\ufffd'

/**
 * Bytes as Java's `new String(bytes, UTF_8)` reads them. Where they are not UTF-8 it differs from Node in one thing: a surrogate, also
 * the first two bytes of one, is one U+FFFD, not one for each byte.
 */
export function javaString(bytes: Buffer): string {
  let text = ''
  let done = 0
  for (let at = bytes.indexOf(SURROGATE_LEAD); at >= 0; at = bytes.indexOf(SURROGATE_LEAD, at + 1)) {
    if (!isWithin(bytes[at + 1], 0xa0, 0xbf)) continue
    text += bytes.toString('utf8', done, at) + REPLACEMENT
    done = at + (isWithin(bytes[at + 2], 0x80, 0xbf) ? 3 : 2)
  }
  return text + bytes.toString('utf8', done)
}

function isWithin(byte: number | undefined, least: number, most: number): boolean {
  return byte !== undefined && byte >= least && byte <= most
}
