import { javaStringHash } from '../../protocol/rules/hash-order'

/** Which partition of its internal topic holds a group or a transactional id (Kafka's `Utils.abs(id.hashCode) % partitions`). */
export function coordinatorPartition(id: string, partitions: number): number {
  const hash = javaStringHash(id)
  // Utils.abs, which is 0 for the one number that has no positive twin.
  return (hash === -2147483648 ? 0 : Math.abs(hash)) % partitions
}
