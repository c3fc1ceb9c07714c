import { ErrorCode, errorName } from '../../protocol/errors'
import { errorsByTopic, isTooNew, knownPartitions } from './group-requests'
import type { OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitResponse } from '../../protocol/messages/offset-commit'
import type { OffsetKey } from '../group/offset-cache'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

type Known = OffsetKey & { asked: OffsetCommitRequestPartition }

/**
 * OffsetCommit 0-9. Version 0 writes to `/consumers` in ZooKeeper; version 1 may give the time of the commit, versions 2 to 4 how
 * long it is kept. Partitions that do not exist are UNKNOWN_TOPIC_OR_PARTITION.
 */
export function offsetCommitHandler(services: BrokerServices): Handler<OffsetCommitRequest, OffsetCommitResponse> {
  return (context) => {
    const { body, apiVersion } = context
    const { topics } = body
    const finish = (known: readonly OffsetKey[], errorCodes: readonly number[], otherwise: number): void =>
      context.respond({ topics: errorsByTopic(topics, known, errorCodes, otherwise) })
    if (isTooNew(body.groupInstanceId, services.groupConfig)) return finish([], [], ErrorCode.UNSUPPORTED_VERSION)
    const known = knownPartitions(topics, services.metadata)
    const done = (errorCodes: readonly number[]): void => finish(known, errorCodes, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    if (known.length === 0) return done([])
    if (apiVersion === 0) return commitToZooKeeper(services, body.groupId, known).then(done)
    const nowMs = services.clock.wallMs()
    const expireTimestamp = body.retentionTimeMs === -1 ? -1 : nowMs + body.retentionTimeMs
    services.groups.commit(
      {
        groupId: body.groupId,
        memberId: body.memberId,
        groupInstanceId: body.groupInstanceId,
        generationId: body.generationIdOrMemberEpoch,
        offsets: known.map(({ topic, partition, asked }) => ({
          topic,
          partition,
          offset: asked.committedOffset,
          leaderEpoch: asked.committedLeaderEpoch,
          metadata: asked.committedMetadata ?? '',
          commitTimestamp: asked.commitTimestamp,
          expireTimestamp,
        })),
      },
      done,
    )
  }
}

function commitToZooKeeper(services: BrokerServices, groupId: string, known: readonly Known[]): Promise<number[]> {
  const { logger, groupConfig, zooKeeperOffsets } = services
  return Promise.all(
    known.map(async ({ topic, partition, asked }) => {
      if ((asked.committedMetadata ?? '').length > groupConfig.offsetMetadataMaxBytes) return ErrorCode.OFFSET_METADATA_TOO_LARGE
      try {
        await zooKeeperOffsets.commit(groupId, topic, partition, asked.committedOffset)
        return ErrorCode.NONE
      } catch (error) {
        const errorCode = ErrorCode.UNKNOWN_SERVER_ERROR
        logger.warn({ groupId, topic, partition, error: errorName(errorCode), err: error }, 'an offset could not be kept in ZooKeeper')
        return errorCode
      }
    }),
  )
}
