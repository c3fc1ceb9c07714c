import { FetchSession } from '../../../../client/consumer/fetch-session'
import { ErrorCode } from '../../../../protocol/errors'
import type { WantedPartition } from '../../../../client/consumer/fetch-session'

function at(partition: number, fetchOffset: number, topicId = 'A'): WantedPartition {
  return { topic: 't', topicId, partition, currentLeaderEpoch: 0, fetchOffset, partitionMaxBytes: 100 }
}

function partitionsOf(topics: { partitions: object[] }[]): unknown[] {
  return topics.flatMap(({ partitions }) =>
    partitions.map((each) => [(each as WantedPartition).partition, (each as WantedPartition).fetchOffset]),
  )
}

/** A session that has been granted. */
function granted(...wanted: WantedPartition[]): FetchSession {
  const session = new FetchSession()
  expect(session.request(wanted, true)).toMatchObject({ sessionId: 0, sessionEpoch: 0, forgottenTopicsData: [] })
  expect(session.answered({ errorCode: 0, sessionId: 9 })).toBe(true)
  return session
}

test('names only what differs', () => {
  const session = granted(at(0, 5), at(1, 5))
  const request = session.request([at(0, 5), at(1, 6)], true)
  expect(request).toMatchObject({ sessionId: 9, sessionEpoch: 1 })
  expect(partitionsOf(request.topics)).toEqual([[1, 6]])
  session.answered({ errorCode: 0, sessionId: 9 })
  expect(session.request([at(0, 5), at(1, 6)], true)).toMatchObject({ sessionEpoch: 2, topics: [] })
})

test('forgets what is not wanted any more, and a topic that is another one', () => {
  const session = granted(at(0, 5), at(1, 5))
  const request = session.request([at(0, 0, 'B')], true)
  expect(request.forgottenTopicsData).toEqual([{ topic: 't', topicId: 'A', partitions: [0, 1] }])
  expect(partitionsOf(request.topics)).toEqual([[0, 0]])
})

test.each([
  ['FETCH_SESSION_ID_NOT_FOUND', 0],
  ['FETCH_SESSION_TOPIC_ID_ERROR', 0],
  ['INVALID_FETCH_SESSION_EPOCH', 9],
] as const)('begins anew after %s', (name, sessionId) => {
  const session = granted(at(0, 5))
  session.request([at(0, 6)], true)
  expect(session.answered({ errorCode: ErrorCode[name], sessionId: 0 })).toBe(false)
  const request = session.request([at(0, 6)], true)
  expect(request).toMatchObject({ sessionId, sessionEpoch: 0 })
  expect(partitionsOf(request.topics)).toEqual([[0, 6]])
})

test('begins anew when an answer is lost, and closes the former', () => {
  const session = granted(at(0, 5))
  session.request([at(0, 6)], true)
  session.failed()
  expect(session.request([at(0, 6)], true)).toMatchObject({ sessionId: 9, sessionEpoch: 0 })
})

test('a broker without room for it gets everything each time', () => {
  const session = new FetchSession()
  session.request([at(0, 5)], true)
  expect(session.answered({ errorCode: 0, sessionId: 0 })).toBe(true)
  expect(partitionsOf(session.request([at(0, 5)], true).topics)).toEqual([[0, 5]])
})
