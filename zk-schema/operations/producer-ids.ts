import { decodeProducerIdBlock, encodeProducerIdBlock, PRODUCER_ID_BLOCK_SIZE, producerIdBlockPath } from '../cluster'
import type { ProducerIdBlock } from '../cluster'
import { isZooKeeperError, MultiError } from '../session/errors'
import type { Op, ZooKeeperSession } from '../session/session'

/** No block can be had any more. */
export class ProducerIdsExhaustedError extends Error {
  override readonly name = 'ProducerIdsExhaustedError'
}

/**
 * Takes the next block of producer ids for a broker, by a conditional write. `fence` are checks that must hold with it (the
 * controller's epoch); if one does not, this rejects with its MultiError. A block of which the outcome is unknown is never handed
 * out: ids are plenty, a repeated one is corruption. Throws ProducerIdsExhaustedError.
 */
export async function allocateProducerIds(
  session: ZooKeeperSession,
  brokerId: number,
  fence: readonly Op[] = [],
): Promise<ProducerIdBlock> {
  for (;;) {
    const node = await session.get(producerIdBlockPath)
    if (node === undefined) {
      await session.createRecursive(producerIdBlockPath)
      continue
    }
    const block = nextProducerIdBlock(decodeProducerIdBlock(node.data), brokerId)
    const set: Op = { type: 'set', path: producerIdBlockPath, data: encodeProducerIdBlock(block), version: node.stat.version }
    try {
      await session.multi([...fence, set])
      return block
    } catch (error) {
      // Another was faster. A fence that does not hold is the caller's affair.
      const fenced = error instanceof MultiError && error.index < fence.length
      const outrun = !fenced && isZooKeeperError(error, 'BAD_VERSION', 'NO_NODE')
      if (!outrun && (!isZooKeeperError(error, 'CONNECTION_LOSS') || session.state === 'closed')) throw error
    }
  }
}

/** The block after `last`; the first one starts at 0. */
export function nextProducerIdBlock(last: ProducerIdBlock | undefined, brokerId: number): ProducerIdBlock {
  const firstProducerId = last === undefined ? 0 : last.lastProducerId + 1
  const lastProducerId = firstProducerId + PRODUCER_ID_BLOCK_SIZE - 1
  if (!Number.isSafeInteger(lastProducerId)) {
    throw new ProducerIdsExhaustedError(`no producer ids are left after ${last?.lastProducerId}`)
  }
  return { brokerId, firstProducerId, lastProducerId }
}
