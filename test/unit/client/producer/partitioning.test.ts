import fc from 'fast-check'
import { Producer } from '../../../../client/producer'
import { leastWaiting } from '../../../../client/producer/adaptive'
import { partitionOfKey } from '../../../../protocol/rules/murmur2'
import { ApiKey } from '../../../../protocol/messages/apis'
import { scripted } from '../support/scripted-broker'
import type { Loose } from '../support/scripted-broker'
import type { ProducerConfig } from '../../../../client/config'

async function producing(config: ProducerConfig = {}) {
  const { world, broker, env, bootstrap } = await scripted()
  broker.topics.set('t', 8)
  broker.on(ApiKey.produce, (body) => ({
    responses: body.topicData.map(({ name, partitionData }: Loose) => ({
      name,
      partitionResponses: partitionData.map(({ index }: Loose) => ({ index, errorCode: 0, baseOffset: 0, logAppendTimeMs: -1 })),
    })),
  }))
  const producer = new Producer({ 'bootstrap.servers': bootstrap, 'linger.ms': 5, ...config }, env)
  const send = async (count: number, key: (i: number) => string | null): Promise<number[]> =>
    (
      await world.settle(
        Promise.all(Array.from({ length: count }, (_, i) => producer.send({ topic: 't', key: key(i), value: 'x'.repeat(50) }))),
        60_000,
        'sent',
      )
    ).map(({ partition }) => partition)
  return { send }
}

test('a key goes where murmur2 says', async () => {
  const { send } = await producing()
  expect(await send(50, (i) => `k${i}`)).toEqual(Array.from({ length: 50 }, (_, i) => partitionOfKey(Buffer.from(`k${i}`), 8)))
})

test.each([
  [{}, null],
  [{ 'partitioner.ignore.keys': true }, 'k'],
] as const)('%j, key %p: one partition for batch.size bytes, then another', async (config, key) => {
  const { send } = await producing({ ...config, 'batch.size': 1000 })
  const partitions = await send(400, () => key)
  const runs = partitions.filter((partition, i) => partition !== partitions[i - 1]).length
  expect(new Set(partitions).size).toBeGreaterThan(4)
  expect(runs).toBeLessThan(100)
})

test('who has fewer batches waiting is drawn more often; everybody is drawn', () => {
  const drawn = [0, 0, 0]
  for (let i = 0; i < 1000; i++) drawn[leastWaiting([0, 1, 3], i / 1000)]!++
  expect(drawn).toEqual([500, 375, 125])
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 1 }), fc.double({ min: 0, max: 0.999999, noNaN: true }), (waiting, draw) => {
      const index = leastWaiting(waiting, draw)
      return index >= 0 && index < waiting.length
    }),
  )
})
