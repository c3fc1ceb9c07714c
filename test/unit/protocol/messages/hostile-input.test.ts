import * as fc from 'fast-check'
import { ApiKey, apiByKey, apis } from '../../../../protocol/messages/apis'
import { DecodeError, decode, encode } from '../../../../protocol/messages/codec'
import { decodeRequestBody, decodeRequestHeader, decodeResponseBody } from '../../../../protocol/messages/frames'
import { allMessages, versionsOf } from './all-messages'
import { arbitraryOf } from './arbitrary-message'
import type { Api } from '../../../../protocol/messages/apis'

/** What decoding did with the bytes: a value, or a DecodeError. Anything else fails the test. */
const attempt = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    if (error instanceof DecodeError) return error
    throw error
  }
}

const bytes = (...parts: (number | string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? Buffer.from(part, 'hex') : part,
    ),
  )

test.each(allMessages.map((message) => [message.name, message] as const))('%s: every truncation is refused', (_, message) => {
  for (const version of versionsOf(message)) {
    const [value] = fc.sample(arbitraryOf(message, version), { numRuns: 1, seed: 7 })
    const whole = encode(message, version, value as never)
    for (let length = 0; length < Math.min(whole.length, 200); length++) {
      // A message that ends in a tagged section may be complete without its last bytes only if those were read as something else.
      expect(attempt(() => decode(message, version, Buffer.from(whole.subarray(0, length))))).toBeInstanceOf(DecodeError)
    }
  }
})

test('flipped, inserted and overwritten bytes give a value or a DecodeError', () => {
  const cases = allMessages.flatMap((message) => versionsOf(message).map((version) => ({ message, version })))
  fc.assert(
    fc.property(
      fc
        .constantFrom(...cases)
        .chain(({ message, version }) =>
          fc.tuple(
            fc.constant({ message, version }),
            arbitraryOf(message, version),
            fc.array(
              fc.tuple(fc.nat(), fc.constantFrom('set', 'insert', 'remove'), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xfe, 0xff)),
              { minLength: 1, maxLength: 6 },
            ),
          ),
        ),
      ([{ message, version }, value, changes]) => {
        let mutated: Buffer = encode(message, version, value as never)
        for (const [where, what, byte] of changes) {
          const at = where % (mutated.length + 1)
          mutated = Buffer.concat([
            mutated.subarray(0, at),
            Buffer.from(what === 'remove' ? [] : [byte]),
            mutated.subarray(what === 'insert' ? at : at + 1),
          ])
        }
        attempt(() => decode(message, version, mutated))
      },
    ),
    { numRuns: 2000 },
  )
})

test('random bytes as frames give a value or a DecodeError', () => {
  const all: Api[] = Object.values(apis)
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.nat(20), fc.uint8Array({ maxLength: 200 }), (api, version, body) => {
      const frame = bytes('0000', '0000', '00000001', 'ffff', body)
      frame.writeInt16BE(api.key)
      frame.writeInt16BE(version, 2)
      const header = attempt(() => decodeRequestHeader(frame))
      if (!(header instanceof DecodeError)) attempt(() => decodeRequestBody(api, version, frame, 10))
      attempt(() => decodeResponseBody(api, version, Buffer.from(body)))
    }),
    { numRuns: 2000 },
  )
})

const heapOf = (run: () => unknown): number => {
  const before = process.memoryUsage().heapUsed
  const kept = run()
  const after = process.memoryUsage().heapUsed
  return kept === undefined ? 0 : after - before
}

test.each([
  ['a count of 2^31-1 elements', ApiKey.metadata, 1, '7fffffff'],
  ['a negative count', ApiKey.produce, 3, 'ffff0001000003e8fffffffe'],
  ['a compact count of 2^32-1', ApiKey.metadata, 9, 'ffffffff0f'],
  ['a varint that does not end', ApiKey.metadata, 9, 'ffffffffffffffffff01'],
  ['a varint of more than 32 bits', ApiKey.metadata, 9, 'ffffffff7f'],
  ['null where it is not allowed', ApiKey.metadata, 0, 'ffffffff'],
  ['a string longer than the frame', ApiKey.metadata, 1, '000000017fff61'],
  ['a negative string length', ApiKey.metadata, 1, '00000001fffe'],
  ['bad UTF-8', ApiKey.metadata, 1, '000000010002c328'],
  ['an overlong UTF-8', ApiKey.metadata, 1, '000000010002c080'],
  ['a surrogate in UTF-8', ApiKey.metadata, 1, '000000010003eda080'],
  ['more tags than there are bytes', ApiKey.metadata, 9, '01010000ffffffff0f'],
  ['a tag longer than the frame', ApiKey.metadata, 9, '01010000010005ff'],
  ['a tagged struct that does not fill its size', ApiKey.fetch, 17, '00000000000000010000000100000000000000000001010001'],
])('%s is refused', (_, key, version, hex) => {
  const api = apiByKey(key) as Api
  expect(attempt(() => decode(api.request, version, Buffer.from(hex, 'hex')))).toBeInstanceOf(DecodeError)
})

test('unknown tagged fields are skipped, in the message, in structs and in the header', () => {
  const plain = { topics: [{ name: 'a' }], allowAutoTopicCreation: true }
  const version = 12
  const id = '00'.repeat(16)
  const body = bytes('02', id, '0261', '01', '6303616263', '0100', '02', '00', '01ff', '6480010000', Buffer.alloc(126))
  const decoded = decode(apis.metadata.request, version, body)
  expect(decoded).toMatchObject(plain)
  const frame = bytes('0003', '000c', '00000007', '0002', '6d65', '01', '05', '02', 'abcd', body)
  const header = decodeRequestHeader(frame)
  expect(header).toEqual({ apiKey: 3, apiVersion: 12, correlationId: 7, clientId: 'me', bodyOffset: 17 })
  expect(decodeRequestBody(apis.metadata, version, frame, header.bodyOffset)).toEqual(decoded)
})

test('bytes behind a message are ignored, as Kafka does', () => {
  const whole = encode(apis.heartbeat.request, 4, { groupId: 'g' })
  expect(decode(apis.heartbeat.request, 4, bytes(whole, 'ffff'))).toMatchObject({ groupId: 'g' })
})

test('many small elements cannot become a large heap', () => {
  // Each element is two bytes on the wire and 80 or more on the heap.
  const count = 20_000_000
  const frame = Buffer.alloc(4 + count * 2 + 1)
  frame.writeInt32BE(count)
  const spent = heapOf(() => attempt(() => decode(apis.metadata.request, 0, frame)))
  expect(spent).toBeLessThan(200 * 1024 * 1024)
  expect(attempt(() => decode(apis.metadata.request, 0, frame))).toBeInstanceOf(DecodeError)
  // The same in nested arrays: a million topics without partitions.
  const topics = Buffer.alloc(4 + 4 + 2 + 1_000_000 * 6)
  topics.writeInt32BE(1_000_000, 6)
  expect(attempt(() => decode(apis.produce.request, 2, topics))).toBeInstanceOf(DecodeError)
})

test('honest large requests are within the budget', () => {
  const topics = Array.from({ length: 1000 }, (_, t) => ({
    topic: `t${t}`,
    partitions: Array.from({ length: 20 }, (_, partition) => ({ partition, fetchOffset: 2 ** 40 })),
  }))
  for (const version of versionsOf(apis.fetch.request)) {
    const frame = encode(apis.fetch.request, version, { topics })
    expect(decode(apis.fetch.request, version, frame).topics.length).toBe(1000)
  }
  const offsets = { topics: topics.map(({ topic }) => ({ name: topic, partitions: [{ partitionIndex: 0 }] })) }
  for (const version of versionsOf(apis.listOffsets.request)) {
    expect(decode(apis.listOffsets.request, version, encode(apis.listOffsets.request, version, offsets)).topics.length).toBe(1000)
  }
  const names = { topics: Array.from({ length: 10_000 }, (_, i) => ({ name: String(i) })) }
  for (const version of versionsOf(apis.metadata.request)) {
    expect(decode(apis.metadata.request, version, encode(apis.metadata.request, version, names)).topics?.length).toBe(10_000)
  }
  const partitions = Array.from({ length: 200_000 }, (_, partitionIndex) => ({
    topicName: 't',
    partitionIndex,
    isr: [1, 2, 3],
    replicas: [1, 2, 3],
  }))
  const update = encode(apis.updateMetadata.request, 4, { ungroupedPartitionStates: partitions })
  expect(decodeRequestBody(apis.updateMetadata, 4, update, 0).ungroupedPartitionStates.length).toBe(200_000)
})

test('Long.MAX_VALUE survives', () => {
  const at = encode(apis.listOffsets.request, 1, { topics: [{ name: 't', partitions: [{ timestamp: 2 ** 63 }] }] })
  expect(at.subarray(-8).toString('hex')).toBe('7fffffffffffffff')
  expect(decode(apis.listOffsets.request, 1, at).topics[0]?.partitions[0]?.timestamp).toBe(2 ** 63)
})
