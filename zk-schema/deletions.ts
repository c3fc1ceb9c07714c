import { decodeJson, encodeJson } from './znode-json'

/** Ours alone, and there only while a dead broker has still to delete: at rest the tree equals Kafka's (controller.md, 8). */
export const prekraftPath = '/prekraft'
export const deletionsPath = '/prekraft/deletions'

export function deletionPath(topicId: string): string {
  return `${deletionsPath}/${topicId}`
}

/** A deleted topic whose logs lie on brokers that were dead when it was deleted. */
export interface PendingDeletion {
  topic: string
  partitions: number[]
  /** Those that still have to delete. */
  brokers: number[]
}

export function encodeDeletion({ topic, partitions, brokers }: PendingDeletion): Buffer {
  return encodeJson({ version: 1, topic, partitions, brokers })
}

/** Throws ZnodeFormatError. */
export function decodeDeletion(topicId: string, data: Buffer | null): PendingDeletion {
  const json = decodeJson(deletionPath(topicId), data)
  return { topic: json.string('topic'), partitions: json.ints('partitions'), brokers: json.ints('brokers') }
}
