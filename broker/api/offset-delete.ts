import { ErrorCode } from '../../protocol/errors'
import { errorsByTopic, knownPartitions } from './group-requests'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/offset-delete'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** OffsetDelete 0. What members of the group subscribe to stays (GROUP_SUBSCRIBED_TO_TOPIC). */
export function offsetDeleteHandler({ groups, metadata }: BrokerServices): Handler<OffsetDeleteRequest, OffsetDeleteResponse> {
  return (context) => {
    const { groupId, topics } = context.body
    const known = knownPartitions(topics, metadata)
    const { errorCode, errorCodes } = groups.deleteOffsets(groupId, known)
    if (errorCode !== ErrorCode.NONE) return context.respond({ errorCode })
    context.respond({ errorCode, topics: errorsByTopic(topics, known, errorCodes, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) })
  }
}
