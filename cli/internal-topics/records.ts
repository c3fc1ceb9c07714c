/** Records of `__consumer_offsets` and `__transaction_state` as they stand in the log, with their versions. */
import { decode } from '../../protocol/messages/codec'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../protocol/messages/consumer-protocol'
import { groupMetadataKey, groupMetadataValue } from '../../protocol/messages/group-metadata-record'
import { inVersions } from '../../protocol/messages/schema'
import { offsetCommitKey, offsetCommitValue } from '../../protocol/messages/offset-commit-record'
import { transactionLogKey, transactionLogValue } from '../../protocol/messages/transaction-log-record'
import { messageJson } from './message-json'
import type { GroupMetadataValue } from '../../protocol/messages/group-metadata-record'
import type { Json } from './message-json'
import type { Message } from '../../protocol/messages/schema'

/** The version that a key or a value begins with. Throws RangeError for less than two bytes. */
export function versionOf(bytes: Buffer): number {
  return bytes.readInt16BE(0)
}

function known<T>(message: Message<T>, bytes: Buffer): T | undefined {
  const version = versionOf(bytes)
  return inVersions(version, message.versions) ? decode(message, version, bytes.subarray(2)) : undefined
}

/** As JSON; undefined for a version that is not known. */
function json<T>(message: Message<T>, bytes: Buffer): Json | undefined {
  const value = known(message, bytes)
  return value === undefined ? undefined : messageJson(message, versionOf(bytes), value)
}

export const offsetKey = (bytes: Buffer) =>
  versionOf(bytes) <= offsetCommitKey.versions.last ? known(offsetCommitKey, bytes) : undefined
export const offsetValue = (bytes: Buffer) => known(offsetCommitValue, bytes)
export const groupKey = (bytes: Buffer) => known(groupMetadataKey, bytes)
export const groupValue = (bytes: Buffer) => known(groupMetadataValue, bytes)
export const transactionKey = (bytes: Buffer) => known(transactionLogKey, bytes)
export const transactionValue = (bytes: Buffer) => known(transactionLogValue, bytes)

export const offsetKeyJson = (bytes: Buffer): Json | undefined => json(offsetCommitKey, bytes)
export const offsetValueJson = (bytes: Buffer): Json | undefined => json(offsetCommitValue, bytes)
export const groupKeyJson = (bytes: Buffer): Json | undefined => json(groupMetadataKey, bytes)
export const groupValueJson = (bytes: Buffer): Json | undefined => json(groupMetadataValue, bytes)
export const transactionKeyJson = (bytes: Buffer): Json | undefined => json(transactionLogKey, bytes)
export const transactionValueJson = (bytes: Buffer): Json | undefined => json(transactionLogValue, bytes)

/** Opens what members subscribe to and what they are assigned, where they speak the consumers' protocol. */
export function openedGroupValueJson(bytes: Buffer): Json | undefined {
  const value = known(groupMetadataValue, bytes) as GroupMetadataValue | undefined
  if (value === undefined) return undefined
  const whole = messageJson(groupMetadataValue, versionOf(bytes), value)
  if (value.protocolType !== 'consumer') return whole
  const members = whole['members'] as { [name: string]: Json }[]
  value.members.forEach((member, index) => {
    const opened = members[index]!
    opened['subscription'] = openedOr(consumerProtocolSubscription, member.subscription, opened['subscription']!)
    opened['assignment'] = openedOr(consumerProtocolAssignment, member.assignment, opened['assignment']!)
  })
  return whole
}

function openedOr<T>(message: Message<T>, bytes: Buffer, otherwise: Json): Json {
  try {
    return json(message, bytes) ?? otherwise
  } catch {
    return otherwise
  }
}
