import * as fc from 'fast-check'
import { decode, encode, encodeParts } from '../../../../protocol/messages/codec'
import { allMessages, versionsOf } from './all-messages'
import { arbitraryOf } from './arbitrary-message'
import type { Message } from '../../../../protocol/messages/schema'

test('there are tables for every API and record', () => {
  expect(allMessages.length).toBe(62 * 2 + 11)
})

describe.each(allMessages.map((message) => [message.name, message] as const))('%s', (_, message) => {
  test.each(versionsOf(message))('v%i: what is encoded is decoded', (version) => {
    fc.assert(
      fc.property(arbitraryOf(message, version), (value) => {
        const bytes = encode(message, version, value as never)
        expect(decode(message, version, bytes)).toEqual(value)
        expect(Buffer.concat(encodeParts(message, version, value as never)).equals(bytes)).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  test.each(versionsOf(message))('v%i: nothing given is all defaults', (version) => {
    const nothing = decode(message, version, encode(message, version, required(message, version) as never))
    expect(decode(message, version, encode(message, version, nothing as never))).toEqual(nothing)
  })
})

/** Fields whose default is null in a version that does not allow null must be given. */
function required(message: Message<unknown>, version: number): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const field of message.fields) {
    const here = version >= field.versions.first && version <= field.versions.last
    const nullable = version >= field.nullable.first && version <= field.nullable.last
    if (here && field.default === null && !nullable) out[field.name] = field.array ? [] : ''
  }
  return out
}
