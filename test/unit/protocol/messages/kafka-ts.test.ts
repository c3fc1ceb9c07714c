import * as fc from 'fast-check'
import { apiByKey } from '../../../../protocol/messages/apis'
import { decode, encode } from '../../../../protocol/messages/codec'
import { inVersions } from '../../../../protocol/messages/schema'
import { arbitraryOf } from './arbitrary-message'
import type { Field, Message } from '../../../../protocol/messages/schema'

/** Beside the codec of kafka-ts: what we encode must be what it encodes, and what it decodes of our bytes must be what we do. */

interface TheirApi {
  apiKey: number
  apiVersion: number
  requestHeaderVersion: number
  responseHeaderVersion: number
  request(encoder: unknown, body: unknown): { value(): Buffer }
  response(decoder: { getOffset(): number }): unknown
  fallback?: TheirApi
}

const { API } = require('kafka-ts/dist/api') as { API: Record<string, TheirApi> }
const { Encoder } = require('kafka-ts/dist/utils/encoder') as { Encoder: new () => unknown }
const { Decoder } = require('kafka-ts/dist/utils/decoder') as { Decoder: new (bytes: Buffer) => { getOffset(): number } }

/** Requests that kafka-ts builds from other arguments than Kafka's fields; other-clients.test.ts covers them. */
const ownArguments = new Set([
  'Produce',
  'Fetch',
  'Metadata',
  'OffsetCommit',
  'OffsetFetch',
  'FindCoordinator',
  'JoinGroup',
  'LeaveGroup',
  'SyncGroup',
])
/** Where kafka-ts deviates from Kafka. */
const theirRequests = new Set(['DeleteTopics', 'CreateDelegationToken'])

const cases = Object.values(API).flatMap((latest) => {
  const versions: { name: string; version: number; theirs: TheirApi }[] = []
  for (let theirs: TheirApi | undefined = latest; theirs; theirs = theirs.fallback) {
    const api = apiByKey(theirs.apiKey)
    if (api && theirs.apiVersion <= api.maxVersion) versions.push({ name: api.name, version: theirs.apiVersion, theirs })
  }
  return versions
})

const asTheirs = (field: Field, value: unknown): unknown => {
  if (value === null) return null
  if (field.fields) return translate(field.fields, value as Record<string, unknown>, () => true)
  if (field.element === 'int64') return value === 2 ** 63 ? 2n ** 63n - 1n : BigInt(value as number)
  if (field.element === 'uuid') return Buffer.from(value as string, 'base64url').toString('hex')
  return value
}

const translate = (fields: readonly Field[], value: Record<string, unknown>, keep: (field: Field) => boolean): object =>
  Object.fromEntries([
    ['tags', {}],
    ...fields.filter(keep).map((field) => {
      const one = value[field.name]
      return [
        field.name,
        field.array && one !== null ? (one as unknown[]).map((each) => asTheirs(field, each)) : asTheirs(field, one),
      ]
    }),
  ])

/** Their decoders throw for errors that the answer carries, and want no null in place of an array, and real records. */
const withoutErrors = (fields: readonly Field[], value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    fields.map((field) => {
      const one = value[field.name]
      if (/^(error|partitionError)Code$/.test(field.name)) return [field.name, 0]
      if (field.element === 'records') return [field.name, null]
      if (field.array && one === null) return [field.name, []]
      if (!field.fields || one === null) return [field.name, one]
      const { fields: inner } = field
      return [
        field.name,
        field.array
          ? (one as Record<string, unknown>[]).map((each) => withoutErrors(inner, each))
          : withoutErrors(inner, one as Record<string, unknown>),
      ]
    }),
  )

/** The values on the wire, without names and tags. */
const leaves = (value: unknown, into: unknown[] = []): unknown[] => {
  if (typeof value === 'bigint') into.push(Number(value))
  else if (Buffer.isBuffer(value)) into.push(value.toString('hex'))
  else if (Array.isArray(value)) value.forEach((each) => leaves(each, into))
  else if (typeof value === 'object' && value !== null) {
    for (const [name, each] of Object.entries(value)) if (name !== 'tags') leaves(each, into)
  } else into.push(value)
  return into
}

const ourLeaves = (
  fields: readonly Field[],
  version: number,
  value: Record<string, unknown>,
  into: unknown[] = [],
): unknown[] => {
  for (const field of fields) {
    if (!inVersions(version, field.versions) || inVersions(version, field.tagged) || field.element === 'records') continue
    const one = value[field.name]
    const each = field.array && one !== null ? (one as unknown[]) : [one]
    for (const item of each) {
      if (field.fields && item !== null) ourLeaves(field.fields, version, item as Record<string, unknown>, into)
      else leaves(asTheirs(field, item), into)
    }
  }
  return into
}

const countOf = (values: unknown[]): Map<unknown, number> => {
  const counts = new Map<unknown, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

test('kafka-ts knows enough of the protocol for this to mean something', () => {
  expect(cases.length).toBeGreaterThan(220)
})

const requests = cases.filter(({ name }) => !ownArguments.has(name) && !theirRequests.has(name))
test.each(requests)('$name v$version: the request', ({ theirs, version }) => {
  const message = apiByKey(theirs.apiKey)?.request as Message<unknown>
  fc.assert(
    fc.property(arbitraryOf(message, version), (value) => {
      const bytes = theirs
        .request(
          new Encoder(),
          translate(message.fields, value, () => true),
        )
        .value()
      expect(encode(message, version, value as never).toString('hex')).toBe(bytes.toString('hex'))
      expect(decode(message, version, bytes)).toEqual(value)
    }),
    { numRuns: 20 },
  )
})

// The answer to SyncGroup is taken apart further, as a consumer's assignment.
test.each(cases.filter(({ name }) => name !== 'SyncGroup'))('$name v$version: the response', async ({ theirs, version }) => {
  const message = apiByKey(theirs.apiKey)?.response as Message<unknown>
  for (const random of fc.sample(arbitraryOf(message, version), { numRuns: 20, seed: version })) {
    const value = withoutErrors(message.fields, random)
    const bytes = encode(message, version, value as never)
    const decoder = new Decoder(bytes)
    // kafka-ts gives answers of every version the newest shape, so there may be more than what was on the wire.
    const decoded = countOf(leaves(await theirs.response(decoder)))
    const missing = [...countOf(ourLeaves(message.fields, version, value))].filter(
      ([leaf, count]) => (decoded.get(leaf) ?? 0) < count,
    )
    expect(missing).toEqual([])
    expect(decoder.getOffset()).toBe(bytes.length)
  }
})
