/**
 * `leader-epoch-checkpoint` of a partition: which leader epoch began at which offset.
 */
import { formatCheckpoint, parseCheckpoint, parseWholeNumber } from './checkpoint-text'

export interface EpochStart {
  epoch: number
  startOffset: number
}

export function encodeLeaderEpochCheckpoint(entries: Iterable<EpochStart>): string {
  const lines: string[] = []
  for (const { epoch, startOffset } of entries) lines.push(`${epoch} ${startOffset}`)
  return formatCheckpoint(lines)
}

/** Throws FileFormatError. */
export function decodeLeaderEpochCheckpoint(text: string): EpochStart[] {
  return parseCheckpoint(text, 2, ([epoch, startOffset]) => ({
    epoch: parseWholeNumber(epoch as string),
    startOffset: parseWholeNumber(startOffset as string),
  }))
}
