import { TimestampType } from '../../protocol/records/batch'
import type { StructureRules } from '../../protocol/records/structure'
import type { AppendRules } from '../../protocol/records/validate'
import type { LogConfig } from './log-types'

/** Most that a batch may decompress to, unless the topic takes larger ones uncompressed. */
const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024

/** What is asked of the records that are appended to a partition. */
export type LogAppendRules = AppendRules & StructureRules

/** The rules of a partition for producers and for coordinators; made once per configuration, for an append allocates little. */
export class AppendRulesCache {
  private config: LogConfig | undefined
  private client: LogAppendRules | undefined
  private coordinator: LogAppendRules | undefined

  get(topicPartition: string, config: LogConfig, fromClient: boolean): LogAppendRules {
    if (this.config !== config || this.client === undefined || this.coordinator === undefined) {
      this.config = config
      this.client = make(topicPartition, config, true)
      this.coordinator = make(topicPartition, config, false)
    }
    return fromClient ? this.client : this.coordinator
  }
}

function make(topicPartition: string, config: LogConfig, fromClient: boolean): LogAppendRules {
  return {
    topicPartition,
    fromClient,
    maxMessageBytes: config.maxMessageBytes,
    compressionType: config.compressionType,
    compressionLevel: levelOf(config),
    compacted: config.cleanupPolicy.includes('compact'),
    timestampType: config.messageTimestampType === 'LogAppendTime' ? TimestampType.logAppendTime : TimestampType.createTime,
    timestampBeforeMaxMs: config.messageTimestampBeforeMaxMs,
    timestampAfterMaxMs: config.messageTimestampAfterMaxMs,
    maxDecompressedBytes: Math.max(MAX_DECOMPRESSED_BYTES, config.maxMessageBytes),
  }
}

function levelOf(config: LogConfig): number | undefined {
  switch (config.compressionType) {
    case 'gzip':
      return config.compressionGzipLevel
    case 'lz4':
      return config.compressionLz4Level
    case 'zstd':
      return config.compressionZstdLevel
    default:
      return undefined
  }
}
