import { ErrorCode } from '../../protocol/errors'
import type { ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse } from '../../protocol/messages/consumer-group-describe'
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '../../protocol/messages/consumer-group-heartbeat'
import type { Handler } from '../server/request-context'

/** ConsumerGroupHeartbeat 0: the group protocol of KIP-848 is for KRaft; a ZooKeeper-mode broker lists it and refuses it. */
export const consumerGroupHeartbeatHandler: Handler<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse> = (context) =>
  context.respond({ errorCode: ErrorCode.UNSUPPORTED_VERSION })

/** ConsumerGroupDescribe 0: the same. */
export const consumerGroupDescribeHandler: Handler<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse> = (context) =>
  context.respond({
    groups: context.body.groupIds.map((groupId) => ({ groupId, errorCode: ErrorCode.UNSUPPORTED_VERSION })),
  })
