import { ErrorCode } from '../../protocol/errors'
import type { OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse } from '../../protocol/messages/offset-for-leader-epoch'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** OffsetForLeaderEpoch 0-4: where an epoch ends in the leader's log. Asked by followers (KIP-101) and consumers (KIP-320). */
export function offsetForLeaderEpochHandler(
  services: BrokerServices,
): Handler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> {
  return (context) => {
    const queries = context.body.topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => ({ topic, partition, currentLeaderEpoch, leaderEpoch })),
    )
    services.replicas.offsetsForLeaderEpoch(queries, (results) => {
      let at = 0
      context.respond({
        topics: context.body.topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition }) => {
            const { errorCode, leaderEpoch, endOffset } = results[at++]!
            return errorCode === ErrorCode.NONE ? { partition, errorCode, leaderEpoch, endOffset } : { partition, errorCode }
          }),
        })),
      })
    })
  }
}
