/** Small batches that become large ones when they are opened: refused, within bounds, while others are served. */
import { gzipSync } from 'node:zlib'
import { startCluster } from '../../index'
import { ApiKey } from '../../protocol/messages/apis'
import { BATCH_HEADER_BYTES, Codec, readBatchHeader, writeBatchHeader } from '../../protocol/records/batch'
import { compress } from '../../protocol/records/compression'
import { RawClient, batch, bodyOf } from '../unit/broker/support/running-broker'
import { HonestClient, MAX_GROWTH_BYTES, answerOrEnd, createTopic, residentBytes } from './support'
import type { ProduceResponse } from '../../protocol/messages/produce'
import type { TestCluster } from '../../index'

const MB = 1024 * 1024

let cluster: TestCluster
let honest: HonestClient

beforeAll(async () => {
  cluster = await startCluster({ brokers: 1 })
  await createTopic(cluster, 'honest')
  // Every batch must be opened, for each record must have a key.
  await createTopic(cluster, 'compacted', { 'cleanup.policy': 'compact' })
  honest = new HonestClient(cluster, 'honest')
  await honest.served(50)
}, 60_000)

afterAll(async () => {
  await honest.stop()
  await cluster.close()
}, 60_000)

function batchOf(codec: Codec, body: Buffer): Buffer {
  const bomb = Buffer.alloc(BATCH_HEADER_BYTES + body.length)
  body.copy(bomb, BATCH_HEADER_BYTES)
  writeBatchHeader(bomb, 0, bomb.length, { ...readBatchHeader(batch(['x']), 0), attributes: codec })
  return bomb
}

/** 128 KiB for every four bytes. */
function zstdBomb(blocks: number): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])
  const parts = [header]
  for (let i = 0; i < blocks; i++) {
    const block = Buffer.alloc(4)
    block.writeUIntLE(((128 * 1024) << 3) | 2 | (i === blocks - 1 ? 1 : 0), 0, 3)
    parts.push(block)
  }
  return Buffer.concat(parts)
}

/** One block of the xerial framing that claims to be 2^31-1 bytes long. */
function snappyLie(): Buffer {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  const block = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07, 0x00, 0x61])
  const size = Buffer.alloc(4)
  size.writeInt32BE(block.length)
  return Buffer.concat([header, size, block])
}

const zeros = Buffer.alloc(200 * MB)

test.each<[string, Codec, () => Buffer]>([
  ['gzip', Codec.gzip, () => gzipSync(zeros)],
  ['lz4', Codec.lz4, () => compress(Codec.lz4, zeros)],
  ['zstd, 26 GB', Codec.zstd, () => zstdBomb(200_000)],
  ['snappy with a lie', Codec.snappy, snappyLie],
])('%s', async (_, codec, body) => {
  const bomb = batchOf(codec, body())
  expect(bomb.length).toBeLessThan(MB)
  const before = residentBytes(cluster.pid(0))
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, residentBytes(cluster.pid(0)))), 20)
  try {
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        const client = await RawClient.connect(cluster.port(0))
        client.send(ApiKey.produce, 7, 1, { acks: 1, timeoutMs: 5000, topicData: [{ name: 'compacted', partitionData: [{ index: 0, records: bomb }] }] })
        const { responses } = bodyOf<ProduceResponse>(ApiKey.produce, 7, (await answerOrEnd(client, 60_000))!)
        expect([10, 87]).toContain(responses[0]!.partitionResponses[0]!.errorCode)
        client.close()
      }),
    )
    await honest.served()
  } finally {
    clearInterval(timer)
  }
  // At most two are opened at a time, to 64 MiB; as much again may wait for the collector.
  expect(most - before).toBeLessThan(2 * 128 * MB + MAX_GROWTH_BYTES)
  expect(honest.longestMs).toBeLessThan(10_000)
}, 120_000)
