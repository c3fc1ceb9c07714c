import { ErrorCode } from '../../protocol/errors'
import type { ControlledShutdownResponse } from '../../protocol/messages/controlled-shutdown'
import type { Input } from '../../protocol/messages/schema'
import { RequestBatch } from '../request-batch'
import type { Term } from '../term'
import type { EventOf } from './event'

const UNKNOWN_EPOCH = -1

/**
 * A broker wants to stop: its leaderships move, and it leaves the ISRs that it follows. The answer names the partitions with
 * several replicas that it still leads; it asks again until there are none, or gives up.
 */
export async function onControlledShutdown(
  term: Term, event: EventOf<'ControlledShutdown'>,
): Promise<Input<ControlledShutdownResponse>> {
  const { context, changes, channels, logger, rules } = term
  const { brokerId, brokerEpoch } = event.request
  const broker = context.brokers.get(brokerId)
  if (broker === undefined) return { errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED }
  // Only the broker itself knows its epoch: anybody else could take it out of all ISRs.
  const isItself = brokerEpoch === broker.epoch || (brokerEpoch === UNKNOWN_EPOCH && !rules.brokerEpochs)
  if (!isItself) {
    logger.info(
      { broker: brokerId, epoch: brokerEpoch, known: broker.epoch }, 'controlled shutdown of an incarnation that is not there',
    )
    return { errorCode: ErrorCode.STALE_BROKER_EPOCH }
  }
  logger.info({ broker: brokerId }, 'controlled shutdown')
  context.shuttingDown.add(brokerId)
  const partitions = [...context.partitionsOn(brokerId)].filter((partition) => {
    return partition.assignment.replicas.length > 1 && partition.leadership !== undefined && partition.topic.deletion === 'none'
  })
  const led = partitions.filter((partition) => partition.leadership?.leader === brokerId)
  const followed = partitions.filter((partition) => partition.leadership?.leader !== brokerId)
  await changes.movePartitions(led, 'OnlinePartition', { kind: 'controlledShutdown' })
  // It stops fetching before it leaves the ISR, so that its leader does not take it back.
  const batch = new RequestBatch(context)
  for (const partition of followed) batch.addStopReplica([brokerId], partition, false)
  channels.send(batch)
  await changes.moveReplicas(followed.map((partition) => ({ partition, broker: brokerId })), 'OfflineReplica')
  const remaining = partitions.filter((partition) => partition.leadership?.leader === brokerId)
  if (remaining.length > 0) logger.info({ broker: brokerId, remaining: remaining.length }, 'the broker still leads partitions')
  return { remainingPartitions: remaining.map(({ topic, index }) => ({ topicName: topic.name, partitionIndex: index })) }
}
