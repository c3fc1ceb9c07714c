/**
 * `partition.metadata` of a partition: the id of the topic that the log belongs to (KIP-516).
 */
import { ZERO_UUID, isUuid } from '../rules/uuid'
import { FileFormatError } from './checkpoint-text'

export function encodePartitionMetadata(topicId: string): string {
  return `version: 0\ntopic_id: ${topicId}`
}

/** The topic id. Throws FileFormatError. */
export function decodePartitionMetadata(text: string): string {
  const [first = '', second = ''] = text.split(/\r?\n/)
  const version = /^version:\s*(\S+)$/.exec(first.trim())?.[1]
  if (version === undefined) throw new FileFormatError(`Malformed line in partition.metadata: ${first}`)
  if (version !== '0') throw new FileFormatError(`Unrecognized version of partition.metadata: ${version}`)
  const topicId = /^topic_id:\s*(\S+)$/.exec(second.trim())?.[1]
  if (topicId === undefined || !isUuid(topicId)) throw new FileFormatError(`Malformed line in partition.metadata: ${second}`)
  if (topicId === ZERO_UUID) throw new FileFormatError(`Invalid topic ID in partition.metadata: ${topicId}`)
  return topicId
}
