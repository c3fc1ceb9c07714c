/** What no modern client sends: Produce 0-2, Fetch 0-3, ListOffsets 0, with the answers that Apache Kafka 3.9.1 gives. */
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { TimestampType, magicAt } from '../../../../protocol/records/batch'
import { legacyMessages, legacyRecords, writeMessageSet } from '../../../../protocol/records/legacy'
import { decodeRecords } from '../../../../protocol/records/records'
import { RunningCluster, batch, bodyOf, fetch, produce } from '../support/running-broker'
import type { ListOffsetsResponse } from '../../../../protocol/messages/list-offsets'
import type { LegacyMagic } from '../../../../protocol/records/legacy'
import type { KafkaConnection } from '../../../../network/kafka-connection'

let cluster: RunningCluster
let connection: KafkaConnection

beforeAll(async () => {
  cluster = await RunningCluster.start(1)
  connection = await cluster.connect()
})

afterAll(() => cluster.close())

const NAMES = ['zero', 'one', 'two']

function messageSet(magic: LegacyMagic, codec: number): Buffer {
  return writeMessageSet(magic, {
    codec: codec as never,
    timestampType: TimestampType.createTime,
    logAppendTime: -1,
    records: NAMES.map((name, i) => ({
      offset: i,
      timestamp: 1_700_000_000_000 + i,
      key: Buffer.from(`k${i}`),
      value: Buffer.from(name),
    })) as never,
  })
}

function valuesOf(records: Buffer): string[] {
  if (magicAt(records, 0) === 2) return decodeRecords(records).map(({ value }) => value!.toString())
  return legacyMessages(records).flatMap((message) => legacyRecords(message, 1_000_000).map(({ value }) => value!.toString()))
}

describe.each([0, 1] as const)('message sets of magic %i', (magic) => {
  test.each([0, 1, 2])('Produce %i takes them with every codec, and each Fetch gives what it knows', async (version) => {
    const topic = `old-${magic}-${version}`
    await cluster.createTopic(topic)
    for (const codec of [0, 1, 2, 3]) {
      expect(await produce(connection, topic, messageSet(magic, codec), { version })).toMatchObject({
        errorCode: 0,
        baseOffset: codec * 3,
      })
    }
    for (const [fetchVersion, expected] of [
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 1],
      [4, 2],
    ] as const) {
      for (const offset of [0, 3, 6, 9]) {
        const { errorCode, records, highWatermark } = await fetch(connection, topic, offset, { version: fetchVersion })
        expect({ errorCode, highWatermark, magic: magicAt(records!, 0) }).toEqual({
          errorCode: 0,
          highWatermark: 12,
          magic: expected,
        })
        expect(valuesOf(records!).slice(0, 3)).toEqual(NAMES)
      }
    }
  })
})

test('Produce 2 takes a batch of magic 2, Produce 3 no message set', async () => {
  await cluster.createTopic('mixed-up')
  expect((await produce(connection, 'mixed-up', batch(['x']), { version: 2 })).errorCode).toBe(ErrorCode.NONE)
  expect((await produce(connection, 'mixed-up', messageSet(1, 0), { version: 3 })).errorCode).toBe(ErrorCode.INVALID_RECORD)
})

test('ListOffsets 0 lists the beginnings of segments, newest first', async () => {
  await cluster.createTopic('segments', { configs: { 'segment.bytes': '200' } })
  for (let i = 0; i < 4; i++) await produce(connection, 'segments', batch(['x'.repeat(100)]))
  const client = await cluster.raw()
  const ask = async (timestamp: number, maxNumOffsets: number): Promise<number[]> => {
    client.send(ApiKey.listOffsets, 0, 1, {
      replicaId: -1,
      topics: [{ name: 'segments', partitions: [{ partitionIndex: 0, timestamp, maxNumOffsets }] }],
    })
    const { topics } = bodyOf<ListOffsetsResponse>(ApiKey.listOffsets, 0, (await client.next())!)
    expect(topics[0]!.partitions[0]!.errorCode).toBe(0)
    return topics[0]!.partitions[0]!.oldStyleOffsets
  }
  expect(await ask(-1, 10)).toEqual([4, 3, 2, 1, 0])
  expect(await ask(-1, 2)).toEqual([4, 3])
  expect(await ask(-2, 10)).toEqual([0])
  client.close()
})

test('a fetch below version 3 gets a piece of a batch that does not fit', async () => {
  await cluster.createTopic('pieces')
  await produce(connection, 'pieces', batch(['x'.repeat(2000)]))
  const ask = (version: number): Promise<{ responses: { partitions: { records: Buffer | null }[] }[] }> =>
    connection.send(
      ApiKey.fetch,
      {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topic: 'pieces', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }] }],
      } as never,
      { version },
    )
  expect((await ask(2)).responses[0]!.partitions[0]!.records!.length).toBeLessThanOrEqual(100)
  // Later ones get it whole, so that a consumer with a small buffer is not stuck.
  expect((await ask(4)).responses[0]!.partitions[0]!.records!.length).toBeGreaterThan(2000)
})
