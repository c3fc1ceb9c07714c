import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from '../../../../client/group/protocol'
import { decodeUserData, encodeUserData } from '../../../../client/group/assignors/sticky'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex')

test('a subscription has the bytes of ConsumerProtocol version 3', () => {
  const bytes = encodeSubscription({
    topics: ['b', 'a'],
    userData: Buffer.from([9]),
    ownedPartitions: [
      { topic: 'b', partition: 1 },
      { topic: 'b', partition: 0 },
    ],
    generationId: 7,
    rackId: 'r',
  })
  expect(bytes).toEqual(
    hex(`
    0003 00000002 0001 61 0001 62
    00000001 09
    00000001 0001 62 00000002 00000000 00000001
    00000007 0001 72`),
  )
})

test('older and newer subscriptions are understood', () => {
  const v0 = hex('0000 00000001 0001 61 ffffffff')
  expect(decodeSubscription(v0)).toEqual({ topics: ['a'], userData: null, ownedPartitions: [], generationId: -1, rackId: null })
  const v1 = hex('0001 00000001 0001 61 ffffffff 00000001 0001 61 00000001 00000002')
  expect(decodeSubscription(v1).ownedPartitions).toEqual([{ topic: 'a', partition: 2 }])
  const v9 = hex('0009 00000001 0001 61 ffffffff 00000000 00000005 ffff 1234')
  expect(decodeSubscription(v9)).toEqual({ topics: ['a'], userData: null, ownedPartitions: [], generationId: 5, rackId: null })
})

test('an assignment goes there and back; none at all is empty', () => {
  const assignment = {
    partitions: [
      { topic: 'a', partition: 0 },
      { topic: 'a', partition: 3 },
    ],
    userData: null,
  }
  expect(encodeAssignment(assignment)).toEqual(hex('0003 00000001 0001 61 00000002 00000000 00000003 ffffffff'))
  expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment)
  expect(decodeAssignment(Buffer.alloc(0))).toEqual({ partitions: [], userData: null })
})

test.each(['', '00', '0003 0000', 'ffff 00000000', '0000 7fffffff'])('bytes %p that nobody wrote are refused', (text) => {
  expect(() => decodeSubscription(hex(text))).toThrow()
})

test('sticky user data are those of StickyAssignorUserData V1; V0 has no generation', () => {
  const bytes = hex('00000001 0001 61 00000002 00000000 00000003 00000005')
  const owned = {
    partitions: [
      { topic: 'a', partition: 0 },
      { topic: 'a', partition: 3 },
    ],
    generationId: 5,
  }
  expect(encodeUserData(owned)).toEqual(bytes)
  expect(decodeUserData(bytes)).toEqual(owned)
  expect(decodeUserData(bytes.subarray(0, -4)).generationId).toBe(-1)
  expect(() => decodeUserData(hex('00000001 7fff 61'))).toThrow(RangeError)
})
