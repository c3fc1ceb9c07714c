/** Java's `String.hashCode()`: over UTF-16 code units, in 32 bits. */
export function javaStringHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/** Which partition of its internal topic holds a group or a transactional id (Kafka's `Utils.abs(id.hashCode) % partitions`). */
export function coordinatorPartition(id: string, partitions: number): number {
  const hash = javaStringHash(id)
  // Utils.abs, which is 0 for the one number that has no positive twin.
  return (hash === -2147483648 ? 0 : Math.abs(hash)) % partitions
}
