import {
  ApiKey,
  apiByKey,
  apis,
  requestHeaderVersion,
  responseHeaderVersion,
  supportsVersion,
} from '../../../../protocol/messages/apis'
import { EncodeError, decode, encode, encodeParts } from '../../../../protocol/messages/codec'
import {
  correlationIdOf,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseBody,
  encodeRequestFrame,
  encodeResponseFrame,
} from '../../../../protocol/messages/frames'
import { requestHeader, responseHeader } from '../../../../protocol/messages/headers'
import type { Api } from '../../../../protocol/messages/apis'

const all: Api[] = Object.values(apis)
const versionsOf = (api: { minVersion: number; maxVersion: number }): number[] =>
  Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, i) => api.minVersion + i)

test('the advertised versions are those of a ZooKeeper-mode 3.9 broker', () => {
  const ranges = Object.fromEntries(all.map((api) => [api.key, [api.minVersion, api.maxVersion]]))
  const max = [
    11, 17, 9, 12, 7, 4, 8, 3, 9, 9, 6, 9, 4, 5, 5, 5, 5, 1, 4, 7, 6, 2, 5, 4, 5, 4, 4, 1, 4, 3, 3, 3, 4, 2, 2, 4, 2, 3, 3, 2, 2,
    3, 2, 2, 1, 0, 0, 0, 1, 1, 0, 0,
  ]
  const later = { 56: 3, 57: 1, 58: 0, 60: 1, 61: 0, 65: 0, 66: 1, 67: 0, 68: 0, 69: 0 }
  expect(ranges).toEqual(Object.fromEntries([...max.entries(), ...Object.entries(later)].map(([key, last]) => [key, [0, last]])))
  expect(all.length).toBe(62)
  expect(all.filter((api) => api.flexibleFrom === Infinity).map((api) => api.name)).toEqual(['SaslHandshake', 'OffsetDelete'])
})

test('keys and names find their API', () => {
  for (const [name, api] of Object.entries(apis)) {
    expect(apiByKey(api.key)).toBe(api)
    expect(ApiKey[name as keyof typeof ApiKey]).toBe(api.key)
    expect(api.request.name).toBe(`${api.name}Request`)
    expect(api.response.name).toBe(`${api.name}Response`)
    expect(api.response.versions).toEqual(api.request.versions)
  }
  for (const key of [-1, 52, 59, 64, 70, 1000, 1.5]) expect(apiByKey(key)).toBeUndefined()
  expect(supportsVersion(apis.produce, 12)).toBe(false)
})

test('the headers of every version are those of the table', () => {
  for (const api of all) {
    for (const version of versionsOf(api)) {
      const header = encode(requestHeader, requestHeaderVersion(api, version), {
        requestApiKey: api.key,
        requestApiVersion: version,
        correlationId: 77,
        clientId: 'someone',
      })
      const request = Buffer.concat(encodeRequestFrame(api, version, 77, 'someone', {}))
      expect(request.readInt32BE(0)).toBe(request.length - 4)
      expect(request.subarray(4, 4 + header.length)).toEqual(header)
      const read = decodeRequestHeader(request.subarray(4))
      const clientId = requestHeaderVersion(api, version) === 0 ? '' : 'someone'
      expect(read).toEqual({ apiKey: api.key, apiVersion: version, correlationId: 77, clientId, bodyOffset: header.length })
      expect(decodeRequestBody(api, version, request.subarray(4), read.bodyOffset)).toEqual(
        decode<unknown>(api.request, version, request.subarray(4), read.bodyOffset),
      )
      const response = Buffer.concat(encodeResponseFrame(api, version, 78, {}))
      const answer = encode(responseHeader, responseHeaderVersion(api, version), { correlationId: 78 })
      expect(response.subarray(4, 4 + answer.length)).toEqual(answer)
      expect(correlationIdOf(response.subarray(4))).toBe(78)
      expect(decodeResponseBody(api, version, response.subarray(4))).toEqual(
        decode<unknown>(api.response, version, response.subarray(4), answer.length),
      )
    }
  }
})

test('exceptions among the headers', () => {
  expect(requestHeaderVersion(apis.controlledShutdown, 0)).toBe(0)
  expect(requestHeaderVersion(apis.controlledShutdown, 1)).toBe(1)
  expect(requestHeaderVersion(apis.apiVersions, 3)).toBe(2)
  expect(responseHeaderVersion(apis.apiVersions, 4)).toBe(0)
  expect(responseHeaderVersion(apis.produce, 9)).toBe(1)
  expect(requestHeaderVersion(apis.saslHandshake, 1)).toBe(1)
})

test('the header of an unknown version of ApiVersions is read as far as it is known', () => {
  const frame = Buffer.concat(encodeRequestFrame(apis.apiVersions, 4, 5, 'new', { clientSoftwareName: 'x' })).subarray(4)
  frame.writeInt16BE(99, 2)
  expect(decodeRequestHeader(frame)).toMatchObject({ apiKey: 18, apiVersion: 99, correlationId: 5, clientId: 'new' })
})

test('a null client id reads as none', () => {
  const frame = Buffer.concat(encodeRequestFrame(apis.heartbeat, 1, 5, null, {})).subarray(4)
  expect(decodeRequestHeader(frame).clientId).toBe('')
})

test('large bytes go by reference, small ones are copied', () => {
  const large = Buffer.alloc(1024, 1)
  const small = Buffer.alloc(1023, 2)
  const body = {
    topicData: [
      {
        name: 't',
        partitionData: [
          { index: 0, records: large },
          { index: 1, records: small },
          { index: 2, records: large },
        ],
      },
    ],
  }
  for (const version of versionsOf(apis.produce)) {
    const parts = encodeRequestFrame(apis.produce, version, 1, 'me', body)
    expect(parts.filter((part) => part === large).length).toBe(2)
    const frame = Buffer.concat(parts)
    expect(frame.readInt32BE(0)).toBe(frame.length - 4)
    const header = decodeRequestHeader(frame.subarray(4))
    const [topic] = decodeRequestBody(apis.produce, version, frame.subarray(4), header.bodyOffset).topicData
    expect(topic?.partitionData.map((each) => each.records?.length)).toEqual([1024, 1023, 1024])
    const prefixed = encodeParts(apis.produce.request, version, body, Buffer.from('before'))
    expect(Buffer.concat(prefixed)).toEqual(Buffer.concat([Buffer.from('before'), encode(apis.produce.request, version, body)]))
  }
})

test('messages far beyond the first buffer', () => {
  for (const kibibytes of [63, 64, 65, 300, 3000]) {
    const topics = Array.from({ length: kibibytes * 8 }, (_, i) => ({
      name: `${'n'.repeat(100)}-é-${String(i).padStart(12, '0')}`,
    }))
    for (const version of [8, 12]) {
      const bytes = encode(apis.metadata.request, version, { topics })
      expect(bytes.length).toBeGreaterThan(kibibytes * 900)
      expect(decode(apis.metadata.request, version, bytes).topics?.map((each) => each.name)).toEqual(
        topics.map((each) => each.name),
      )
      expect(encode(apis.metadata.request, version, { topics }).equals(bytes)).toBe(true)
    }
  }
})

test.each([
  ['a value in a field that the version lacks', () => encode(apis.metadata.request, 1, { allowAutoTopicCreation: false })],
  ['null where the version has none', () => encode(apis.metadata.request, 0, { topics: null })],
  ['a version that the message lacks', () => encode(apis.metadata.request, 13, {})],
  ['a number out of range', () => encode(apis.heartbeat.request, 0, { generationId: 2 ** 31 })],
  ['a fraction', () => encode(apis.heartbeat.request, 0, { generationId: 1.5 })],
  [
    'a large number out of range',
    () => encode(apis.listOffsets.response, 1, { topics: [{ partitions: [{ offset: 2 ** 64 }] }] }),
  ],
  ['no number', () => encode(apis.listOffsets.response, 1, { topics: [{ partitions: [{ offset: NaN }] }] })],
  ['a malformed uuid', () => encode(apis.metadata.response, 12, { topics: [{ topicId: 'not-a-uuid' }] })],
  ['a string that is too long', () => encode(apis.heartbeat.request, 4, { groupId: 'x'.repeat(40_000) })],
  ['the same in a fixed version', () => encode(apis.heartbeat.request, 0, { groupId: 'x'.repeat(40_000) })],
])('%s is refused', (_, run) => {
  expect(run).toThrow(EncodeError)
  // The writer is not left in the middle of something.
  expect(encode(apis.heartbeat.request, 0, { groupId: 'g' }).toString('hex')).toBe('00016700000000' + '0000')
})

test('a tagged field of more than 127 bytes', () => {
  const nodeEndpoints = Array.from({ length: 40 }, (_, nodeId) => ({ nodeId, host: `host-${nodeId}`, port: 9092, rack: null }))
  const bytes = encode(apis.fetch.response, 16, { nodeEndpoints })
  expect(decode(apis.fetch.response, 16, bytes).nodeEndpoints).toEqual(nodeEndpoints)
})

test('decoded records alias the frame, other bytes do not', () => {
  const produce = encode(apis.produce.request, 9, { topicData: [{ partitionData: [{ records: Buffer.from('records') }] }] })
  const { records } = decode(apis.produce.request, 9, produce).topicData[0]?.partitionData[0] ?? {}
  const join = encode(apis.joinGroup.request, 5, { protocols: [{ name: 'p', metadata: Buffer.from('metadata') }] })
  const { metadata } = decode(apis.joinGroup.request, 5, join).protocols[0] ?? {}
  produce.fill(0x78)
  join.fill(0x78)
  expect(String(records)).toBe('xxxxxxx')
  expect(String(metadata)).toBe('metadata')
})
