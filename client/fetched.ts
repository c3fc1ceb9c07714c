import { ErrorCode, ProtocolError } from '../protocol/errors'
import { ControlType, decodeRecords, iterateBatches, parseControlRecord } from '../protocol/records/records'
import {
  TimestampType,
  baseOffsetAt,
  batchIsValidAt,
  isControlAt,
  isTransactionalAt,
  lastOffsetAt,
  leaderEpochAt,
  magicAt,
  producerIdAt,
  timestampTypeAt,
} from '../protocol/records/batch'
import type { RecordHeader } from '../protocol/records/records'

export interface ConsumerRecord {
  topic: string
  partition: number
  offset: number
  timestamp: number
  timestampType: 'CreateTime' | 'LogAppendTime' | 'NoTimestampType'
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
  leaderEpoch: number
}

export interface Fetched {
  topic: string
  partition: number
  /** Where the reader stands: records below it are left out, a compressed batch holds some. */
  position: number
  bytes: Buffer
  checkCrcs: boolean
  /** Sorted by first offset; undefined under read_uncommitted. */
  aborted: readonly { producerId: number; firstOffset: number }[] | undefined
}

/**
 * The records of a Fetch answer from the reader's position on, and the position after them, with the leader epoch of the
 * last. Aborted transactions are left out
 * under read_committed, control batches always (KIP-98). Throws ProtocolError (CORRUPT_MESSAGE) on a bad checksum of the first batch;
 * what comes before a later one that is bad is given first.
 */
export function readFetched(fetched: Fetched): {
  records: ConsumerRecord[]
  nextPosition: number
  leaderEpoch: number | undefined
} {
  const { topic, partition, position } = fetched
  const records: ConsumerRecord[] = []
  const abortedProducers = new Set<number>()
  let abortedSeen = 0
  let nextPosition = position
  let lastEpoch: number | undefined
  try {
    for (const batch of iterateBatches(fetched.bytes)) {
      if (magicAt(batch, 0) < 2)
        throw new ProtocolError(
          ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT,
          `${topic}-${partition} holds records of a format before 0.11`,
        )
      if (fetched.checkCrcs && !batchIsValidAt(batch, 0)) {
        throw new ProtocolError(
          ErrorCode.CORRUPT_MESSAGE,
          `the batch at offset ${baseOffsetAt(batch, 0)} of ${topic}-${partition} has a wrong checksum`,
        )
      }
      const lastOffset = lastOffsetAt(batch, 0)
      if (lastOffset < position) continue
      const leaderEpoch = leaderEpochAt(batch, 0)
      if (fetched.aborted !== undefined) {
        while (abortedSeen < fetched.aborted.length && fetched.aborted[abortedSeen]!.firstOffset <= lastOffset) {
          abortedProducers.add(fetched.aborted[abortedSeen++]!.producerId)
        }
      }
      if (isControlAt(batch, 0)) {
        const [marker] = decodeRecords(batch)
        if (marker !== undefined && parseControlRecord(marker.key, marker.value)?.type === ControlType.abort)
          abortedProducers.delete(producerIdAt(batch, 0))
      } else if (!isTransactionalAt(batch, 0) || !abortedProducers.has(producerIdAt(batch, 0))) {
        const logAppendTime = timestampTypeAt(batch, 0) === TimestampType.logAppendTime
        for (const record of decodeRecords(batch)) {
          if (record.offset < position) continue
          const timestampType = logAppendTime ? 'LogAppendTime' : record.timestamp < 0 ? 'NoTimestampType' : 'CreateTime'
          records.push({ topic, partition, ...record, timestampType, leaderEpoch })
        }
      }
      nextPosition = lastOffset + 1
      lastEpoch = leaderEpoch
    }
  } catch (error) {
    // The next fetch begins with it.
    if (nextPosition === position) throw error
  }
  return { records, nextPosition, leaderEpoch: lastEpoch }
}
