import { ErrorCode } from '../../protocol/errors'
import type { AllocateProducerIdsResponse } from '../../protocol/messages/allocate-producer-ids'
import type { Input } from '../../protocol/messages/schema'
import {
  decodeProducerIdBlock, encodeProducerIdBlock, PRODUCER_ID_BLOCK_SIZE, producerIdBlockPath,
} from '../../zk-schema/cluster'
import { ZnodeFormatError } from '../../zk-schema/znode-json'
import { createOp } from '../leadership-writer'
import type { Term } from '../term'
import type { EventOf } from './event'

const MAX_ATTEMPTS = 100

/** AllocateProducerIds: the next thousand. Written before they are handed out, so that none is ever given twice. */
export async function onAllocateProducerIds(
  term: Term, event: EventOf<'AllocateProducerIds'>,
): Promise<Input<AllocateProducerIdsResponse>> {
  const { context, logger, session, writer } = term
  const { brokerId, brokerEpoch } = event.request
  const broker = context.brokers.get(brokerId)
  if (broker === undefined) return { errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED }
  if (broker.epoch !== brokerEpoch) return { errorCode: ErrorCode.STALE_BROKER_EPOCH }
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const node = await session.get(producerIdBlockPath)
    let firstProducerId = 0
    try {
      const last = decodeProducerIdBlock(node?.data ?? null)
      if (last !== undefined) firstProducerId = last.lastProducerId + 1
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      logger.error({ path: error.path, reason: error.message }, 'cannot read which producer ids were handed out')
      return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR }
    }
    const lastProducerId = firstProducerId + PRODUCER_ID_BLOCK_SIZE - 1
    if (!Number.isSafeInteger(lastProducerId)) {
      logger.error({ firstProducerId }, 'there are no producer ids left')
      return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR }
    }
    const data = encodeProducerIdBlock({ brokerId, firstProducerId, lastProducerId })
    const result = await writer.writeOne(node === undefined
      ? createOp(producerIdBlockPath, data)
      : { type: 'set', path: producerIdBlockPath, data, version: node.stat.version })
    if (result.ok) return { producerIdStart: firstProducerId, producerIdLen: PRODUCER_ID_BLOCK_SIZE }
  }
  return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR }
}
