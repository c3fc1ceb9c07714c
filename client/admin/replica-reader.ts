import { ApiKey } from '../../protocol/messages/apis'
import { MaintenanceAdmin } from './maintenance'
import { byTopic, partitionKey } from '../leaders'
import type { FetchResponse } from '../../protocol/messages/fetch'
import type { TopicPartition } from '../leaders'

/** Whoever debugs reads from any replica, up to its end. */
const DEBUGGING_CONSUMER = -2
const NO_SESSION = -1

export interface ReplicaWish extends TopicPartition {
  topicId: string
  offset: number
}

export interface ReplicaAnswer {
  highWatermark: number
  records: Buffer
}

/** Reads replicas where they lie, leaders or not. */
export class ReplicaReader extends MaintenanceAdmin {
  /** What a broker has of these partitions, keyed `topic-partition`. */
  async readReplicas(
    brokerId: number, wanted: readonly ReplicaWish[], options: { maxWaitMs: number; maxBytes: number },
  ): Promise<Map<string, ReplicaAnswer>> {
    const version = await this.cluster.versionOf(brokerId, ApiKey.fetch)
    const response = await this.cluster.send<FetchResponse>(brokerId, ApiKey.fetch, {
      ...(version >= 15 ? { replicaState: { replicaId: DEBUGGING_CONSUMER } } : { replicaId: DEBUGGING_CONSUMER }),
      maxWaitMs: options.maxWaitMs,
      minBytes: 1,
      maxBytes: 0x7fffffff,
      sessionId: 0,
      sessionEpoch: NO_SESSION,
      topics: byTopic(wanted).map(({ topic, partitions }) => ({
        ...(version >= 13 ? { topicId: partitions[0]!.topicId } : { topic }),
        partitions: partitions.map(({ partition, offset }) => ({
          partition, fetchOffset: offset, partitionMaxBytes: options.maxBytes, logStartOffset: 0,
        })),
      })),
    })
    const names = new Map(wanted.map(({ topic, topicId }) => [topicId, topic]))
    return new Map(
      response.responses.flatMap((each) =>
        each.partitions.map(({ partitionIndex, highWatermark, records }) => [
          partitionKey(version >= 13 ? (names.get(each.topicId) ?? '') : each.topic, partitionIndex),
          { highWatermark, records: records ?? Buffer.alloc(0) },
        ] as const),
      ),
    )
  }
}
