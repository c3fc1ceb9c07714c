import { UsageError } from '../tool/command-line'
import {
  groupKey,
  groupKeyJson,
  offsetKeyJson,
  offsetValueJson,
  openedGroupValueJson,
  versionOf,
} from '../internal-topics/records'
import { dumpedTransaction } from '../internal-topics/texts'
import { javaString } from '../tool/java-string'
import type { CommandLine } from '../tool/command-line'
import type { Record } from '../../protocol/records/records'

export interface Parsed {
  key?: string | undefined
  payload?: string | undefined
}

export type RecordParser = (record: Record) => Parsed

type Decoder = (bytes: Buffer) => string

const BEFORE = 'kafka.serializer.'
const NOW = 'org.apache.kafka.tools.api.'

/** Throws UsageError for a class that is not there. `say` gets Kafka's word on the names of before 3.8. */
export function decoderOf(name: string, say: (line: string) => void): Decoder {
  const short = name.split('.').at(-1)!
  if (name === BEFORE + short) say(`${name} is deprecated. Please use ${NOW}${short} instead`)
  switch (short) {
    case 'StringDecoder':
    // What Java shows of an array of bytes says nothing.
    case 'DefaultDecoder':
      return javaString
    case 'LongDecoder':
      return (bytes) => String(bytes.readBigInt64BE(0))
    case 'IntegerDecoder':
      return (bytes) => String(bytes.readInt32BE(0))
    default:
      throw new UsageError(
        `Could not find the decoder ${name}: there are StringDecoder, DefaultDecoder, LongDecoder, IntegerDecoder`,
        false,
      )
  }
}

/**
 * A record of `__consumer_offsets`: JSON, with what members subscribe to and are assigned. Throws Error for a record without
 * a key.
 */
export function parseOffsetRecord({ offset, key, value }: Pick<Record, 'offset' | 'key' | 'value'>): Parsed {
  if (key === null)
    throw new Error(`Failed to decode message at offset ${offset} using offset topic decoder (message had a missing key)`)
  try {
    const version = versionOf(key)
    const data = groupKeyJson(key) ?? (version <= 1 ? offsetKeyJson(key) : undefined)
    if (data === undefined) return { key: `Unknown record type ${version} at offset ${offset}, skipping.` }
    const shown = JSON.stringify({ type: String(version), data })
    if (value === null) return { key: shown, payload: '<DELETE>' }
    const content = groupKey(key) === undefined ? offsetValueJson(value) : openedGroupValueJson(value)
    if (content === undefined) return { key: `Error at offset ${offset}, skipping. Unknown value version ${versionOf(value)}` }
    return { key: shown, payload: JSON.stringify({ version: String(versionOf(value)), data: content }) }
  } catch (error) {
    return { key: `Error at offset ${offset}, skipping. ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** Options each of which shows the records' contents, too. */
export const DECODER_OPTIONS = ['offsets-decoder', 'transaction-log-decoder', 'key-decoder-class', 'value-decoder-class'] as const

/** What the options ask for. Throws UsageError for what there is no use for in a cluster with ZooKeeper. */
export function recordParser(line: CommandLine, say: (line: string) => void): RecordParser {
  for (const option of ['cluster-metadata-decoder', 'remote-log-metadata-decoder']) {
    if (line.has(option))
      throw new UsageError(`Option "[${option}]" is for KRaft and tiered storage, which are not there with ZooKeeper.`, false)
  }
  if (line.has('offsets-decoder')) return parseOffsetRecord
  if (line.has('transaction-log-decoder'))
    return ({ key, value }) => (key === null ? { payload: value === null ? undefined : javaString(value) } : dumpedTransaction(key, value))
  const decoder = (option: string): Decoder => decoderOf(line.value(option) || `${NOW}StringDecoder`, say)
  const payloadOf = decoder('value-decoder-class')
  const keyOf = decoder('key-decoder-class')
  return ({ key, value }) => ({
    key: key === null ? undefined : keyOf(key),
    payload: value === null ? undefined : payloadOf(value),
  })
}
