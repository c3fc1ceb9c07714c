/**
 * Keys and values of the records in `__consumer_offsets` and `__transaction_state`: an int16 version, then the body of it.
 */
import type { Input, Message } from '../messages/codec'
import { decode, encode } from '../messages/codec'
import type { GroupMetadataValue } from '../messages/group-metadata-record'
import { groupMetadataKey, groupMetadataValue } from '../messages/group-metadata-record'
import type { OffsetCommitValue } from '../messages/offset-commit-record'
import { offsetCommitKey, offsetCommitValue } from '../messages/offset-commit-record'
import type { TransactionLogValue } from '../messages/transaction-log-record'
import { transactionLogKey, transactionLogValue } from '../messages/transaction-log-record'
import { FileFormatError } from './checkpoint-text'

const OFFSET_KEY_VERSION = 1
const GROUP_KEY_VERSION = 2
const TRANSACTION_KEY_VERSION = 0
/** Highest versions that are read; the newest are flexible and never written. */
const HIGHEST_OFFSET_VALUE = 4
const HIGHEST_GROUP_VALUE = 4
const HIGHEST_TRANSACTION_VALUE = 1

function withVersion<T>(message: Message<T>, version: number, value: Input<T>): Buffer {
  const body = encode(message, version, value)
  const bytes = Buffer.allocUnsafe(2 + body.length)
  bytes.writeInt16BE(version, 0)
  bytes.set(body, 2)
  return bytes
}

function versionOf(bytes: Buffer, what: string): number {
  if (bytes.length < 2) throw new FileFormatError(`${what} of ${bytes.length} bytes has no version`)
  return bytes.readInt16BE(0)
}

function readValue<T>(message: Message<T>, what: string, highest: number, bytes: Buffer): T {
  const version = versionOf(bytes, what)
  if (version < 0 || version > highest) throw new FileFormatError(`Unknown ${what} version ${version}`)
  return decode(message, version, bytes.subarray(2))
}

/** What a key in `__consumer_offsets` names; `unknown` belongs to a newer protocol and is to be skipped. */
export type GroupRecordKey =
  | { kind: 'offset'; group: string; topic: string; partition: number }
  | { kind: 'group'; group: string }
  | { kind: 'unknown'; version: number }

export function encodeOffsetKey(group: string, topic: string, partition: number): Buffer {
  return withVersion(offsetCommitKey, OFFSET_KEY_VERSION, { group, topic, partition })
}

export function encodeGroupKey(group: string): Buffer {
  return withVersion(groupMetadataKey, GROUP_KEY_VERSION, { group })
}

/** Throws FileFormatError, DecodeError. */
export function decodeGroupRecordKey(bytes: Buffer): GroupRecordKey {
  const version = versionOf(bytes, 'group record key')
  const body = bytes.subarray(2)
  if (version === 0 || version === OFFSET_KEY_VERSION) return { kind: 'offset', ...decode(offsetCommitKey, version, body) }
  if (version === GROUP_KEY_VERSION) return { kind: 'group', ...decode(groupMetadataKey, version, body) }
  return { kind: 'unknown', version }
}

/** `version`: 3, or 1 where an expiry was given explicitly, or what the inter-broker protocol version says. */
export function encodeOffsetValue(value: Input<OffsetCommitValue>, version: number): Buffer {
  return withVersion(offsetCommitValue, version, value)
}

export function decodeOffsetValue(bytes: Buffer): OffsetCommitValue {
  return readValue(offsetCommitValue, 'offset commit value', HIGHEST_OFFSET_VALUE, bytes)
}

export function encodeGroupValue(value: Input<GroupMetadataValue>, version: number): Buffer {
  return withVersion(groupMetadataValue, version, value)
}

export function decodeGroupValue(bytes: Buffer): GroupMetadataValue {
  return readValue(groupMetadataValue, 'group metadata value', HIGHEST_GROUP_VALUE, bytes)
}

export function encodeTransactionKey(transactionalId: string): Buffer {
  return withVersion(transactionLogKey, TRANSACTION_KEY_VERSION, { transactionalId })
}

/** The transactional id; undefined for a version that is not known, which is to be skipped. */
export function decodeTransactionKey(bytes: Buffer): string | undefined {
  const version = versionOf(bytes, 'transaction record key')
  return version === TRANSACTION_KEY_VERSION ? decode(transactionLogKey, version, bytes.subarray(2)).transactionalId : undefined
}

export function encodeTransactionValue(value: Input<TransactionLogValue>, version = 0): Buffer {
  return withVersion(transactionLogValue, version, value)
}

export function decodeTransactionValue(bytes: Buffer): TransactionLogValue {
  return readValue(transactionLogValue, 'transaction log value', HIGHEST_TRANSACTION_VALUE, bytes)
}
