import { ErrorCode } from '../../protocol/errors'
import type { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/delete-records'
import type { DeleteRecordsResult } from '../replica/requests'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const NO_LOW_WATERMARK = -1

/** DeleteRecords 0-2. Offset -1 is the high watermark. Answered when every live replica has moved its log start. */
export function deleteRecordsHandler(services: BrokerServices): Handler<DeleteRecordsRequest, DeleteRecordsResponse> {
  return (context) => {
    const { topics, timeoutMs } = context.body
    const partitions = topics.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ partitionIndex }) => services.metadata.partition(name, partitionIndex) !== undefined)
        .map(({ partitionIndex, offset }) => ({ topic: name, partition: partitionIndex, offset })),
    )
    const finish = (results: readonly DeleteRecordsResult[]): void => {
      const byPartition = new Map(results.map((result) => [`${result.topic}-${result.partition}`, result]))
      context.respond({
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => {
            const result = byPartition.get(`${name}-${partitionIndex}`)
            return result === undefined
              ? { partitionIndex, lowWatermark: NO_LOW_WATERMARK, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
              : { partitionIndex, lowWatermark: result.lowWatermark, errorCode: result.errorCode }
          }),
        })),
      })
    }
    if (partitions.length === 0) finish([])
    else services.replicas.deleteRecords({ timeoutMs, partitions }, finish)
  }
}
