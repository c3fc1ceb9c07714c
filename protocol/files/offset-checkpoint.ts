/**
 * Offset checkpoint files of a log directory (`recovery-point-offset-checkpoint`, `log-start-offset-checkpoint`,
 * `replication-offset-checkpoint`, `cleaner-offset-checkpoint`): version, count, then a line `topic partition offset` each.
 */
import { formatCheckpoint, parseCheckpoint, parseWholeNumber } from './checkpoint-text'

export { FileFormatError } from './checkpoint-text'

export interface PartitionOffset {
  topic: string
  partition: number
  offset: number
}

/** The text of a checkpoint file. */
export function encodeOffsetCheckpoint(entries: Iterable<PartitionOffset>): string {
  const lines: string[] = []
  for (const { topic, partition, offset } of entries) lines.push(`${topic} ${partition} ${offset}`)
  return formatCheckpoint(lines)
}

/** The entries of a checkpoint file; an empty file has none. Throws FileFormatError for anything else that is not one. */
export function decodeOffsetCheckpoint(text: string): PartitionOffset[] {
  return parseCheckpoint(text, 3, ([topic, partition, offset]) => ({
    topic: topic as string,
    partition: parseWholeNumber(partition as string),
    offset: parseWholeNumber(offset as string),
  }))
}
