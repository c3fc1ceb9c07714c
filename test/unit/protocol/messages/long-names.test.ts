import { apis } from '../../../../protocol/messages/apis'
import { DecodeError, decode, encode } from '../../../../protocol/messages/codec'
import { decodeRequestBody, decodeRequestHeader, encodeRequestFrame } from '../../../../protocol/messages/frames'
import { longestNameBytes, longestStringBytes } from '../../../../protocol/messages/reader'
import type { Api } from '../../../../protocol/messages/apis'
import type { Input } from '../../../../protocol/messages/codec'

describe('names in requests, which become keys', () => {
  const bodyOf = <Req>(api: Api<Req, unknown>, version: number, body: Input<Req>): Req =>
    decodeRequestBody(api, version, encode(api.request, version, body), 0)
  const long = 'n'.repeat(longestNameBytes)
  const longer = `${long}n`

  test.each([0, 4, 9, 12])('have a limit (Metadata %d)', (version) => {
    const topics = (name: string) => ({ topics: [{ name: 'first' }, { name }] })
    expect(bodyOf(apis.metadata, version, topics(long)).topics![1]!.name).toBe(long)
    expect(() => bodyOf(apis.metadata, version, topics(longer))).toThrow(DecodeError)
    // Bytes count.
    expect(() => bodyOf(apis.metadata, version, topics('ä'.repeat(4096)))).toThrow(DecodeError)
  })

  test('of every kind', () => {
    expect(() => bodyOf(apis.describeGroups, 0, { groups: [longer] })).toThrow(DecodeError)
    expect(() => bodyOf(apis.deleteTopics, 6, { topics: [{ name: longer }] })).toThrow(DecodeError)
    expect(() => bodyOf(apis.initProducerId, 4, { transactionalId: longer })).toThrow(DecodeError)
    expect(() => bodyOf(apis.incrementalAlterConfigs, 1, { resources: [{ configs: [{ name: longer }] }] })).toThrow(DecodeError)
    const header = (clientId: string) =>
      decodeRequestHeader(Buffer.concat(encodeRequestFrame(apis.metadata, 4, 1, clientId, {})).subarray(4))
    expect(header(long).clientId).toBe(long)
    expect(() => header(longer)).toThrow(DecodeError)
  })

  test('what is set, and what is for people, may be as long as a string can be', () => {
    const text = 't'.repeat(longestStringBytes)
    const resources = [{ resourceName: 'r', configs: [{ name: 'c', value: text }] }]
    for (const version of [0, 2]) expect(bodyOf(apis.alterConfigs, version, { resources }).resources[0]!.configs[0]!.value).toBe(text)
    const topics = [{ name: 't', partitions: [{ committedMetadata: text }] }]
    expect(bodyOf(apis.offsetCommit, 8, { topics }).topics[0]!.partitions[0]!.committedMetadata).toBe(text)
    expect(bodyOf(apis.joinGroup, 9, { reason: text }).reason).toBe(text)
    expect(decode(apis.metadata.response, 4, encode(apis.metadata.response, 4, { clusterId: text })).clusterId).toBe(text)
  })

  test('leave room for keys of two of them (V8 hashes no more than 16,383 characters)', () => {
    expect(2 * longestNameBytes + 1).toBeLessThanOrEqual(16_383)
  })
})
