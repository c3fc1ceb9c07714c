import { ErrorCode } from '../../protocol/errors'
import { downConvert as convert } from '../../protocol/records/conversion'
import { CompressionError } from '../../protocol/records/compression-error'
import { RecordsError } from '../../protocol/records/records-error'
import type { TopicConfig } from '../../protocol/rules/topic-config'

const EMPTY = Buffer.alloc(0)

export interface Converted {
  errorCode: number
  records: Buffer
}

/**
 * Records for a client that knows no more than magic 0 (Fetch 0 and 1) or 1 (2 and 3). Refused with UNSUPPORTED_VERSION where
 * message.downconversion.enable is off (a follower is served all the same), with UNSUPPORTED_COMPRESSION_TYPE for zstd.
 * `maxBytes` bounds what is made: the first batch is converted whole, however large.
 */
export function downConvert(
  records: Buffer,
  apiVersion: number,
  fetchOffset: number,
  maxBytes: number,
  config: TopicConfig,
  isFollower: boolean,
): Converted {
  if (!config.messageDownconversionEnable && !isFollower) return { errorCode: ErrorCode.UNSUPPORTED_VERSION, records: EMPTY }
  try {
    return { errorCode: ErrorCode.NONE, records: convert(records, apiVersion < 2 ? 0 : 1, fetchOffset, maxBytes).records }
  } catch (error) {
    if (error instanceof RecordsError) return { errorCode: error.code, records: EMPTY }
    if (error instanceof CompressionError) {
      const errorCode = error.code === 'TOO_LARGE' ? ErrorCode.MESSAGE_TOO_LARGE : ErrorCode.CORRUPT_MESSAGE
      return { errorCode, records: EMPTY }
    }
    throw error
  }
}
