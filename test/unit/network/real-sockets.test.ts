import { createHash, randomBytes } from 'node:crypto'
import { FrameReader } from '../../../network/frame-reader'
import { KafkaConnection } from '../../../network/kafka-connection'
import { SlabPool } from '../../../network/slab-pool'
import { apiByKey, apis } from '../../../protocol/messages/apis'
import { decodeRequestBody, decodeRequestHeader, encodeResponseFrame } from '../../../protocol/messages/frames'
import { realEnvironment } from '../../../runtime/real'
import type { FetchRequest } from '../../../protocol/messages/fetch'
import type { ProduceRequest } from '../../../protocol/messages/produce'

const env = realEnvironment()
const digest = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('base64')

/** Answers Produce with the digest of the records, and Fetch with as many bytes as were asked for. */
const serve = (pool: SlabPool, content: Buffer) =>
  env.net.listen('127.0.0.1', 0, (stream) => {
    const reader = new FrameReader({
      maxFrameBytes: 64 * 1024 * 1024,
      pool,
      mayBorrow: () => true,
      onBad: () => stream.destroy(),
      onFrame: (frame) => {
        const { apiKey, apiVersion, correlationId, bodyOffset } = decodeRequestHeader(frame)
        const body = decodeRequestBody(apiByKey(apiKey) ?? apis.produce, apiVersion, frame, bodyOffset)
        if (apiKey === apis.fetch.key) {
          const records = content.subarray(0, (body as FetchRequest).maxBytes)
          stream.writev(
            encodeResponseFrame(apis.fetch, apiVersion, correlationId, { responses: [{ partitions: [{ records }] }] }),
          )
          return
        }
        const [topic] = (body as ProduceRequest).topicData
        const errorMessage = digest(topic?.partitionData[0]?.records ?? Buffer.alloc(0))
        stream.writev(
          encodeResponseFrame(apis.produce, apiVersion, correlationId, {
            responses: [{ partitionResponses: [{ errorMessage }] }],
          }),
        )
      },
    })
    return { onData: (chunk) => reader.onData(chunk), receiveBuffer: () => reader.receiveBuffer(), onClose: () => reader.close() }
  })

test('frames of every size arrive whole through real sockets, in both directions', async () => {
  const pool = new SlabPool(64 * 1024 * 1024)
  const content = randomBytes(5 * 1024 * 1024)
  const listener = await serve(pool, content)
  const versions = new Map([apis.produce, apis.fetch].map((api) => [api.key, { min: 0, max: api.maxVersion }]))
  const connections = Array.from(
    { length: 3 },
    () => new KafkaConnection(env, { host: '127.0.0.1', port: listener.port, clientId: 'c', requestTimeoutMs: 10_000, versions }),
  )
  await Promise.all(connections.map((each) => each.connect()))
  const sizes = [0, 1, 1000, 5000, 70_000, 300_000, 1024 * 1024, 5 * 1024 * 1024]
  await Promise.all(
    connections.flatMap((connection) =>
      [...sizes, ...sizes].map(async (size) => {
        const records = content.subarray(content.length - size)
        const sent = await connection.send(apis.produce, { acks: 1, topicData: [{ partitionData: [{ records }] }] })
        expect(sent.responses[0]?.partitionResponses[0]?.errorMessage).toBe(digest(records))
        const expected = digest(content.subarray(0, size))
        const kept = await connection.send(apis.fetch, { maxBytes: size })
        expect(digest(kept.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0))).toBe(expected)
        const taken = await connection.send(
          apis.fetch,
          { maxBytes: size },
          {
            take: (response) => digest(response.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0)),
          },
        )
        expect(taken).toBe(expected)
      }),
    ),
  )
  for (const connection of connections) connection.close()
  listener.close()
  expect(pool.usedBytes).toBe(0)
})
