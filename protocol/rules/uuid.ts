/**
 * Topic ids and cluster ids: 16 bytes, written as 22 characters of URL-safe base64 without padding (Kafka's Uuid).
 */
/** "No id". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
/** Kafka keeps this one for the metadata topic of KRaft. */
export const ONE_UUID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** The 16 bytes of an id. Throws RangeError for text that is not 16 bytes of base64. */
export function uuidToBytes(uuid: string): Buffer {
  const bytes = Buffer.from(uuid, 'base64url')
  if (bytes.length !== 16 || uuid.length > 24) throw new RangeError(`not an id of 16 bytes in base64: ${uuid}`)
  return bytes
}

/** The text of the 16 bytes at `at`. */
export function uuidFromBytes(bytes: Uint8Array, at = 0): string {
  if (bytes.length - at < 16) throw new RangeError(`an id has 16 bytes, not ${bytes.length - at}`)
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, 16).toString('base64url')
}

/** True for text that reads as an id. */
export function isUuid(text: string): boolean {
  return /^[A-Za-z0-9_-]{22}$/.test(text)
}

/** A new random id (version 4), never a reserved one and, as Kafka's, never one that begins with a dash. */
export function randomUuid(random: { bytes(length: number): Buffer }): string {
  for (;;) {
    const bytes = random.bytes(16)
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
    const uuid = bytes.toString('base64url')
    if (uuid !== ZERO_UUID && uuid !== ONE_UUID && !uuid.startsWith('-')) return uuid
  }
}
