import fc from 'fast-check'
import { collides, hasCollisionCharacters, isInternalTopic, validateTopicName } from '../../../../protocol/rules/topic-name'
import { murmur2, partitionOfKey } from '../../../../protocol/rules/murmur2'
import { ONE_UUID, ZERO_UUID, isUuid, randomUuid, uuidFromBytes, uuidToBytes } from '../../../../protocol/rules/uuid'

const kafkajsMurmur2 = require('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number

describe('topic names', () => {
  test.each(['a', 'A.b_c-9', '...', '__consumer_offsets', 'x'.repeat(249)])('%s is one', (name) => {
    expect(validateTopicName(name)).toBeUndefined()
  })

  test.each([
    ['', 'Topic name is invalid: the empty string is not allowed'],
    ['.', 'Topic name is invalid: \'.\' is not allowed'],
    ['..', 'Topic name is invalid: \'..\' is not allowed'],
    ['x'.repeat(250), `Topic name is invalid: the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`],
    ['a/b', 'Topic name is invalid: \'a/b\' contains one or more characters other than ASCII alphanumerics, \'.\', \'_\' and \'-\''],
    ['é', 'Topic name is invalid: \'é\' contains one or more characters other than ASCII alphanumerics, \'.\', \'_\' and \'-\''],
    ['a\n', 'Topic name is invalid: \'a\n\' contains one or more characters other than ASCII alphanumerics, \'.\', \'_\' and \'-\''],
  ])('%j is none', (name, problem) => {
    expect(validateTopicName(name)).toBe(problem)
  })

  test('dots and underscores collide', () => {
    expect(collides('a.b_c', 'a_b.c')).toBe(true)
    expect(collides('a.b', 'a-b')).toBe(false)
    expect(hasCollisionCharacters('a-b')).toBe(false)
    expect(hasCollisionCharacters('a_b') && hasCollisionCharacters('a.b')).toBe(true)
    expect(['__consumer_offsets', '__transaction_state', '__share_group_state', '__cluster_metadata'].map(isInternalTopic)).toEqual([true, true, true, false])
  })
})

describe('murmur2', () => {
  // Values of Kafka's own UtilsTest.
  test.each([
    ['21', -973932308], ['foobar', -790332482], ['a-little-bit-long-string', -985981536], ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971], ['abc', 479470107],
  ])('%s', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash)
  })

  test('kafkajs hashes the same', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(murmur2(bytes)).toBe(kafkajsMurmur2(Buffer.from(bytes)))
    }), { numRuns: 500 })
  })

  test('a negative hash loses its sign bit, not its sign', () => {
    expect(partitionOfKey(Buffer.from('21'), 100)).toBe((-973932308 & 0x7fffffff) % 100)
  })
})

describe('uuids', () => {
  const random = (fill: number[]) => ({ next: () => 0, below: () => 0, bytes: (length: number) => Buffer.alloc(length, fill.shift()) })

  test('bytes and text', () => {
    const bytes = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
    expect(uuidFromBytes(bytes)).toBe('ABEiM0RVZneImaq7zN3u_w')
    expect(uuidToBytes('ABEiM0RVZneImaq7zN3u_w')).toEqual(bytes)
    expect(uuidFromBytes(Buffer.concat([Buffer.alloc(3), bytes]), 3)).toBe('ABEiM0RVZneImaq7zN3u_w')
    expect(uuidToBytes(ZERO_UUID)).toEqual(Buffer.alloc(16))
    expect(uuidToBytes(ONE_UUID)[15]).toBe(1)
  })

  test('what is none is refused', () => {
    expect(() => uuidToBytes('short')).toThrow(RangeError)
    expect(() => uuidFromBytes(Buffer.alloc(15))).toThrow(RangeError)
    expect([isUuid('ABEiM0RVZneImaq7zN3u_w'), isUuid('ABEiM0RVZneImaq7zN3u/w'), isUuid('x')]).toEqual([true, false, false])
  })

  test('a random one is of version 4 and does not begin with a dash', () => {
    const uuid = randomUuid(random([0xfb, 0x33]))
    expect(uuid.startsWith('-')).toBe(false)
    expect(uuidToBytes(uuid).toString('hex')).toBe('3333333333334333b333333333333333')
  })
})
