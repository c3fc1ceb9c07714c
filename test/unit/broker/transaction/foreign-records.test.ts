import { ErrorCode } from '../../../../protocol/errors'
import { encodeTransactionKey, encodeTransactionValue } from '../../../../protocol/files/internal-records'
import { BatchBuilder } from '../../../../protocol/records/records'
import { TransactionState } from '../../../../broker/transaction/transaction-state'
import { Client, TOPIC, World } from './support/world'

/** Anybody who calls himself __admin_client may write to the transaction log. */
function foreign(id: string, state: number, more: object = {}): Buffer {
  const value = encodeTransactionValue({
    producerId: 7, producerEpoch: 1, transactionTimeoutMs: 1000, transactionStatus: state,
    transactionPartitions: [{ topic: TOPIC, partitionIds: [0] }], transactionLastUpdateTimestampMs: 1, transactionStartTimestampMs: 1,
    ...more,
  })
  return new BatchBuilder().append(encodeTransactionKey(id), value, [], 1).build()
}

const { empty, ongoing, prepareCommit, prepareAbort, dead, prepareEpochFence } = TransactionState

test.each([
  ['no producer id', foreign('x', prepareCommit, { producerId: -1 })],
  ['no epoch, and markers to send', foreign('x', prepareAbort, { producerEpoch: -1 })],
  ['no epoch, and open', foreign('x', ongoing, { producerEpoch: -1 })],
  ['no epoch is left to fence it', foreign('x', ongoing, { producerEpoch: 0x7fff })],
  ['no epoch, idle', foreign('x', empty, { producerEpoch: -1 })],
  ['a state that is never written', foreign('x', dead)],
  ['another one', foreign('x', prepareEpochFence)],
  ['an unknown state', foreign('x', 99)],
  ['no key', new BatchBuilder().append(null, Buffer.from('x'), [], 1).build()],
  ['no value of this kind', new BatchBuilder().append(encodeTransactionKey('x'), Buffer.from([0, 9, 9]), [], 1).build()],
])('a record that cannot be true is left out: %s', async (_, batch) => {
  const world = new World()
  const client = new Client(world)
  await world.elect()
  await client.init()
  world.log.batches.push(batch)
  world.log.confirm()
  await world.crash()
  expect(world.coordinator.describe('x').errorCode).toBe(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
  // The scans find nothing to trip over, and the others are served.
  await world.clock.advance(8_000_000)
  expect(await client.init()).toBe(ErrorCode.NONE)
})
