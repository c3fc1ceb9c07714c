import { RecordFormat } from './record-format'
import {
  groupKey,
  groupKeyJson,
  groupValueJson,
  offsetKey,
  offsetKeyJson,
  offsetValueJson,
  transactionKeyJson,
  transactionValueJson,
  versionOf,
} from '../internal-topics/records'
import { groupText, offsetText, transactionText } from '../internal-topics/texts'
import { javaString } from '../tool/java-string'
import type { ConsumerRecord } from '../../client/fetched'
import type { Json } from '../internal-topics/message-json'

/** How the console consumer shows a record; undefined: not at all. */
export type Formatter = (record: ConsumerRecord) => Buffer | undefined

const PACKAGE = 'org.apache.kafka.tools.consumer.'

/** The names of before 3.9, with those that took their place. */
const DEPRECATED: Readonly<Record<string, string>> = {
  'kafka.tools.DefaultMessageFormatter': 'DefaultMessageFormatter',
  'kafka.tools.LoggingMessageFormatter': 'LoggingMessageFormatter',
  'kafka.tools.NoOpMessageFormatter': 'NoOpMessageFormatter',
  'kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter': 'TransactionLogMessageFormatter',
  'kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter': 'OffsetsMessageFormatter',
  'kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter': 'GroupMetadataMessageFormatter',
}

/** What is said of a class that has a new name. */
export function deprecationOf(name: string): string | undefined {
  const successor = DEPRECATED[name]
  return successor === undefined
    ? undefined
    : `WARNING: ${name} is deprecated and will be removed in the next major release. Please use ${PACKAGE}${successor} instead`
}

/** One JSON object a record, nothing between them, as ApiMessageFormatter prints it; `skips` says which keys belong to others. */
function apiFormatter(
  keyJson: (bytes: Buffer) => Json | undefined,
  valueJson: (bytes: Buffer) => Json | undefined,
  skips: (key: Buffer) => boolean,
): Formatter {
  const part = (bytes: Buffer | null, read: (bytes: Buffer) => Json | undefined): Json =>
    bytes === null ? null : { version: versionOf(bytes), data: read(bytes) ?? 'unknown' }
  return ({ key, value }) => {
    if (key !== null && skips(key)) return undefined
    return Buffer.from(JSON.stringify({ key: part(key, keyJson), value: part(value, valueJson) }))
  }
}

/** A line a record, in the older words. */
function textFormatter(text: (key: Buffer, value: Buffer | null) => string | undefined): Formatter {
  return ({ key, value }) => {
    const line = key === null ? undefined : text(key, value)
    return line === undefined ? undefined : Buffer.from(`${line}\n`)
  }
}

/**
 * Throws Error in Java's words for a class that is not there. `log` gets what LoggingMessageFormatter writes into the log,
 * `warn` what is wrong with the properties.
 */
export function formatterOf(
  name: string,
  properties: Readonly<Record<string, string>>,
  log: (line: string) => void,
  warn: (line: string) => void = () => {},
): Formatter {
  switch (name) {
    case 'kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter':
      return textFormatter(offsetText)
    case 'kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter':
      return textFormatter(groupText)
    case 'kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter':
      return textFormatter(transactionText)
  }
  const short = DEPRECATED[name] ?? (name.startsWith(PACKAGE) ? name.slice(PACKAGE.length) : name)
  switch (short) {
    case 'DefaultMessageFormatter': {
      const format = new RecordFormat(properties, warn)
      return (record) => format.format(record)
    }
    case 'LoggingMessageFormatter': {
      const format = new RecordFormat(properties, warn)
      return (record) => {
        const shown = record.timestampType === 'NoTimestampType' ? '' : `${record.timestampType}:${record.timestamp}, `
        log(
          `${shown}key:${record.key === null ? 'null ' : `${javaString(record.key)}, `}value:${record.value === null ? 'null' : javaString(record.value)}`,
        )
        return format.format(record)
      }
    }
    case 'NoOpMessageFormatter':
      return () => undefined
    case 'OffsetsMessageFormatter':
      return apiFormatter(offsetKeyJson, offsetValueJson, (key) => groupKey(key) !== undefined)
    case 'GroupMetadataMessageFormatter':
      return apiFormatter(groupKeyJson, groupValueJson, (key) => offsetKey(key) !== undefined)
    case 'TransactionLogMessageFormatter':
      return apiFormatter(transactionKeyJson, transactionValueJson, () => false)
    default:
      throw new Error(name)
  }
}
