/** Offsets in transactions, and the end of a producer that has one. */
import { Producer } from '../../../../client/producer'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { scripted } from '../support/scripted-broker'
import type { Loose } from '../support/scripted-broker'

const MEMBER = { groupId: 'g', generationId: 3, memberId: 'm', groupInstanceId: null }

async function transactional() {
  const s = await scripted()
  s.broker.topics.set('t', 1)
  s.broker.on(ApiKey.initProducerId, () => ({ errorCode: 0, producerId: 1000, producerEpoch: 0 }))
  s.broker.on(ApiKey.addOffsetsToTxn, () => ({ errorCode: 0 }))
  s.broker.on(ApiKey.txnOffsetCommit, (body) => ({
    topics: body.topics.map(({ name, partitions }: Loose) => ({
      name, partitions: partitions.map(({ partitionIndex }: Loose) => ({ partitionIndex, errorCode: 0 })),
    })),
  }))
  s.broker.on(ApiKey.endTxn, () => ({ errorCode: 0 }))
  const producer = new Producer(
    { 'bootstrap.servers': s.bootstrap, 'transactional.id': 'x', 'max.block.ms': 2500, 'request.timeout.ms': 1000 }, s.env,
  )
  const settle = <T>(promise: Promise<T>): Promise<T> => s.world.settle(promise, 60_000, 'it ends')
  await settle(producer.initTransactions())
  producer.beginTransaction()
  const committed = (): string[] => s.broker.of(ApiKey.txnOffsetCommit).flatMap(({ body }) =>
    body.topics.map(({ name, partitions }: Loose) => `${body.groupId} ${name} ${partitions[0].committedOffset}`))
  const send = (offset: number): Promise<void> => producer.sendOffsetsToTransaction([{ topic: 'a', partition: 0, offset }], MEMBER)
  return { ...s, producer, settle, send, committed }
}

test('offsets that are sent side by side are all sent', async () => {
  const { producer, settle, committed } = await transactional()
  await settle(Promise.all([
    producer.sendOffsetsToTransaction([{ topic: 'a', partition: 0, offset: 1 }], MEMBER),
    producer.sendOffsetsToTransaction([{ topic: 'b', partition: 0, offset: 2 }], { ...MEMBER, groupId: 'h' }),
  ]))
  await settle(producer.commitTransaction())
  expect(committed().sort()).toEqual(['g a 1', 'h b 2'])
})

test('newer offsets after a time-out are sent', async () => {
  const { producer, settle, send, broker, world, committed } = await transactional()
  broker.on(ApiKey.addOffsetsToTxn, () => ({ errorCode: ErrorCode.CONCURRENT_TRANSACTIONS }))
  await expect(settle(send(1))).rejects.toMatchObject({ code: 'TIMEOUT' })
  broker.on(ApiKey.addOffsetsToTxn, () => ({ errorCode: 0 }))
  await world.run(100)
  await settle(send(9))
  await settle(producer.commitTransaction())
  expect(committed().at(-1)).toBe('g a 9')
})

test('offsets that took too long can be aborted', async () => {
  const { producer, settle, send, broker } = await transactional()
  broker.on(ApiKey.addOffsetsToTxn, () => ({ errorCode: ErrorCode.CONCURRENT_TRANSACTIONS }))
  await expect(settle(send(1))).rejects.toMatchObject({ code: 'TIMEOUT' })
  broker.on(ApiKey.addOffsetsToTxn, () => ({ errorCode: 0 }))
  await settle(producer.abortTransaction())
})

test('close lets a commit finish', async () => {
  const { producer, settle, send, broker } = await transactional()
  await settle(send(1))
  broker.inTurn(ApiKey.endTxn, () => 'hang up', () => ({ errorCode: 0 }))
  const committing = producer.commitTransaction()
  const outcome = committing.then(() => 'committed', String)
  await settle(producer.close())
  expect(await outcome).toBe('committed')
})
