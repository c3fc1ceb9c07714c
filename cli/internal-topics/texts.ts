/** Records of the internal topics in the words of Kafka's older formatters, and of kafka-dump-log. */
import { groupKey, groupValue, offsetKey, offsetValue, transactionKey, transactionValue, versionOf } from './records'
import { bucketsOfSet, inScalaOrder, topicPartitionHash } from '../../protocol/rules/hash-order'
import type { MemberMetadata } from '../../protocol/messages/group-metadata-record'
import type { TransactionLogValue } from '../../protocol/messages/transaction-log-record'

const NULL = 'NULL'

/** By the number in the record. */
const STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]

const some = (value: unknown): string => `Some(${String(value)})`

/** `[group,topic,0]::OffsetAndMetadata(...)`; undefined for a record that is no offset. */
export function offsetText(key: Buffer, value: Buffer | null): string | undefined {
  const place = offsetKey(key)
  if (place === undefined) return undefined
  const name = `[${place.group},${place.topic},${place.partition}]`
  if (value === null) return `${name}::${NULL}`
  const commit = offsetValue(value)
  if (commit === undefined) throw new Error(`Unknown offset message version: ${versionOf(value)}`)
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = commit
  return (
    `${name}::OffsetAndMetadata(offset=${offset}, ` +
    `leaderEpoch=${leaderEpoch < 0 ? 'Optional.empty' : `Optional[${leaderEpoch}]`}, ` +
    `metadata=${metadata}, commitTimestamp=${commitTimestamp}, ` +
    `expireTimestamp=${expireTimestamp < 0 ? 'None' : some(expireTimestamp)})`
  )
}

function memberText(member: MemberMetadata, protocol: string | null): string {
  return (
    `MemberMetadata(memberId=${member.memberId}, ` +
    `groupInstanceId=${member.groupInstanceId === null ? 'None' : some(member.groupInstanceId)}, ` +
    `clientId=${member.clientId}, clientHost=${member.clientHost}, sessionTimeoutMs=${member.sessionTimeout}, ` +
    `rebalanceTimeoutMs=${member.rebalanceTimeout < 0 ? member.sessionTimeout : member.rebalanceTimeout}, ` +
    `supportedProtocols=List(${protocol ?? 'null'}))`
  )
}

/** `group::GroupMetadata(...)`; undefined for a record that is no group. */
export function groupText(key: Buffer, value: Buffer | null): string | undefined {
  const name = groupKey(key)?.group
  if (name === undefined) return undefined
  if (value === null) return `${name}::${NULL}`
  const group = groupValue(value)
  if (group === undefined) throw new Error(`Unknown group metadata message version: ${versionOf(value)}`)
  const members = group.members.map((member) => `${member.memberId} -> ${memberText(member, group.protocol)}`)
  return (
    `${name}::GroupMetadata(groupId=${name}, generation=${group.generation}, ` +
    `protocolType=${group.protocolType === '' ? 'None' : some(group.protocolType)}, ` +
    `currentState=${members.length === 0 ? 'Empty' : 'Stable'}, members=HashMap(${members.join(', ')}))`
  )
}

/** In Kafka's order, which is that of a set. */
function partitionsOf(value: TransactionLogValue): string[] {
  const topics = value.transactionPartitions ?? []
  const partitions = topics.flatMap(({ topic, partitionIds }) => partitionIds.map((partition) => ({ topic, partition })))
  const buckets = bucketsOfSet(topics.map(({ partitionIds }) => partitionIds.length))
  const inOrder = inScalaOrder(partitions, ({ topic, partition }) => topicPartitionHash(topic, partition), buckets)
  return inOrder.map(({ topic, partition }) => `${topic}-${partition}`)
}

/** `id::TransactionMetadata(...)`. */
export function transactionText(key: Buffer, value: Buffer | null): string {
  const id = transactionKey(key)?.transactionalId
  if (id === undefined) return `unknown::version=${versionOf(key)}`
  if (value === null) return `${id}::${NULL}`
  const found = opened(value)
  return (
    `${id}::TransactionMetadata(transactionalId=${id}, producerId=${found.producerId}, producerEpoch=${found.producerEpoch}, ` +
    `txnTimeoutMs=${found.transactionTimeoutMs}, state=${STATES[found.transactionStatus] ?? found.transactionStatus}, ` +
    `pendingState=None, ` +
    `topicPartitions=HashSet(${partitionsOf(found).join(', ')}), txnStartTimestamp=${found.transactionStartTimestampMs}, ` +
    `txnLastUpdateTimestamp=${found.transactionLastUpdateTimestampMs})`
  )
}

function opened(value: Buffer): TransactionLogValue {
  const found = transactionValue(value)
  if (found === undefined) throw new Error(`Unknown version ${versionOf(value)} from the transaction log message value`)
  return found
}

/** Key and payload as kafka-dump-log shows them. */
export function dumpedTransaction(key: Buffer, value: Buffer | null): { key: string; payload?: string } {
  const id = transactionKey(key)?.transactionalId
  if (id === undefined) return { key: `unknown::version=${versionOf(key)}` }
  const shown = `transaction_metadata::transactionalId=${id}`
  if (value === null) return { key: shown, payload: '<DELETE>' }
  const found = opened(value)
  const payload =
    `producerId:${found.producerId},producerEpoch:${found.producerEpoch},state=${STATES[found.transactionStatus] ?? found.transactionStatus},` +
    `partitions=[${partitionsOf(found).join(',')}],txnLastUpdateTimestamp=${found.transactionLastUpdateTimestampMs},` +
    `txnTimeoutMs=${found.transactionTimeoutMs}`
  return { key: shown, payload }
}
