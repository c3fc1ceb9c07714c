/** Compressed records that must be opened, on a running broker: what is stored, what is refused, and in which order. */
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { Codec, codecAt } from '../../../../protocol/records/batch'
import { threadPoolCompression } from '../../../../protocol/records/compression-pool'
import { BatchBuilder, decodeRecords } from '../../../../protocol/records/records'
import { RunningCluster, batch, bodyOf, fetch, produce } from '../support/running-broker'
import type { ProduceResponse } from '../../../../protocol/messages/produce'
import type { KafkaConnection } from '../../../../network/kafka-connection'

let cluster: RunningCluster
let connection: KafkaConnection

beforeAll(async () => {
  cluster = await RunningCluster.start(1, {}, { compression: threadPoolCompression })
  connection = await cluster.connect()
})

afterAll(() => cluster.close())

function keyed(value: string, codec: Codec): Buffer {
  const builder = new BatchBuilder({ codec })
  builder.append(Buffer.from('k'), Buffer.from(value), [], 1_700_000_000_000)
  return builder.build()
}

test.each([['gzip', Codec.gzip], ['snappy', Codec.snappy], ['lz4', Codec.lz4], ['zstd', Codec.zstd], ['uncompressed', Codec.none]] as const)(
  'compression.type=%s stores every codec as that',
  async (name, stored) => {
    const topic = `to-${name}`
    await cluster.createTopic(topic, { configs: { 'compression.type': name } })
    for (const codec of [Codec.none, Codec.gzip, Codec.snappy, Codec.lz4, Codec.zstd]) {
      const { errorCode, baseOffset } = await produce(connection, topic, batch([`by ${codec}`, 'x'.repeat(500)], { codec }))
      expect({ codec, errorCode, baseOffset }).toEqual({ codec, errorCode: 0, baseOffset: 2 * codec })
      const { records } = await fetch(connection, topic, baseOffset)
      expect(codecAt(records!, 0)).toBe(stored)
      expect(decodeRecords(records!).map(({ offset, value }) => [offset, value!.length])).toEqual([[baseOffset, 4], [baseOffset + 1, 500]])
    }
  },
)

test('a compacted topic refuses what has no key, also where it is compressed', async () => {
  await cluster.createTopic('compacted', { configs: { 'cleanup.policy': 'compact' } })
  const refused = await produce(connection, 'compacted', batch(['x'], { codec: Codec.gzip }))
  expect(refused).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD, baseOffset: -1 })
  expect(refused.recordErrors).toHaveLength(1)
  expect(await produce(connection, 'compacted', keyed('y', Codec.lz4))).toMatchObject({ errorCode: 0, baseOffset: 0 })
})

test('requests in flight are appended and answered in their order', async () => {
  await cluster.createTopic('order', { configs: { 'cleanup.policy': 'compact' } })
  const client = await cluster.raw()
  const codecs = [Codec.gzip, Codec.none, Codec.zstd, Codec.none, Codec.none, Codec.lz4, Codec.snappy]
  const count = 70
  for (let i = 0; i < count; i++) {
    const records = keyed(`${i} ${'z'.repeat(i % 3 === 0 ? 50_000 : 10)}`, codecs[i % codecs.length]!)
    client.send(ApiKey.produce, 7, i, { acks: i % 2 === 0 ? 1 : -1, timeoutMs: 5000, topicData: [{ name: 'order', partitionData: [{ index: 0, records }] }] })
  }
  for (let i = 0; i < count; i++) {
    const frame = (await client.next())!
    expect(frame.readInt32BE(0)).toBe(i)
    const { responses } = bodyOf<ProduceResponse>(ApiKey.produce, 7, frame)
    expect(responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: i })
  }
  client.close()
  expect(cluster.fatal).toEqual([])
})
