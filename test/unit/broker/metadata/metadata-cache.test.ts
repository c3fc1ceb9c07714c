import fc from 'fast-check'
import { MetadataCache, type MetadataChange } from '../../../../broker/metadata/metadata-cache'
import { decode, encode, type Input } from '../../../../protocol/messages/codec'
import { updateMetadataRequest, type UpdateMetadataRequest } from '../../../../protocol/messages/update-metadata'

const ID_A = 'AAAAAAAAAAAAAAAAAAAAAQ'
const ID_B = 'AAAAAAAAAAAAAAAAAAAAAg'

/** As it arrives: through the bytes of a version. */
function request(input: Input<UpdateMetadataRequest>, version = 8): UpdateMetadataRequest {
  const bytes = encode(updateMetadataRequest, version, { controllerId: 1, controllerEpoch: 1, ...input })
  return decode(updateMetadataRequest, version, bytes)
}

function state(partitionIndex: number, leader: number, leaderEpoch = 0, topicName = '') {
  const epochs = { controllerEpoch: 1, leaderEpoch, zkVersion: leaderEpoch }
  return { topicName, partitionIndex, leader, ...epochs, isr: [leader], replicas: [1, 2] }
}

function broker(id: number, listener = 'PLAINTEXT') {
  return { id, rack: `r${id}`, endpoints: [{ host: `h${id}`, port: 9000 + id, listener, securityProtocol: 0 }] }
}

test('holds topics, ids, brokers and the controller', () => {
  const cache = new MetadataCache()
  cache.update(request({
    liveBrokers: [broker(2), broker(1, 'INTERNAL')],
    topicStates: [{ topicName: 'a', topicId: ID_A, partitionStates: [state(0, 1), state(1, 2)] }],
  }))
  expect(cache.controllerId).toBe(1)
  expect(cache.partition('a', 1)).toMatchObject({ leader: 2, isr: [2], replicas: [1, 2] })
  expect(cache.topicId('a')).toBe(ID_A)
  expect(cache.topicName(ID_A)).toBe('a')
  expect(cache.brokers('PLAINTEXT')).toEqual([{ id: 2, host: 'h2', port: 9002, rack: 'r2' }])
  expect(cache.hasAliveBroker(1)).toBe(true)
  expect(cache.aliveBroker(1, 'PLAINTEXT')).toBeUndefined()
  expect([...cache.allBrokers()].map((each) => each.id)).toEqual([1, 2])
})

test('merges partitions, replaces brokers, forgets what is being deleted', () => {
  const cache = new MetadataCache()
  cache.update(request({
    liveBrokers: [broker(1)],
    topicStates: [{ topicName: 'a', topicId: ID_A, partitionStates: [state(0, 1), state(1, 1)] }],
  }))
  const before = cache.topic('a')!
  const change = cache.update(request({
    liveBrokers: [broker(2)],
    topicStates: [{ topicName: 'a', topicId: ID_A, partitionStates: [state(0, -2), state(1, 2, 1)] }],
  }))
  expect(change.deletedPartitions).toEqual([{ topic: 'a', partition: 0 }])
  expect(cache.partition('a', 0)).toBeUndefined()
  expect(cache.partition('a', 1)!.leader).toBe(2)
  expect(cache.hasAliveBroker(1)).toBe(false)
  // Who held the topic's metadata holds it whole.
  expect([...before.partitions.keys()]).toEqual([0, 1])
  cache.update(request({ topicStates: [{ topicName: 'a', topicId: ID_A, partitionStates: [state(1, -2)] }] }))
  expect(cache.topic('a')).toBeUndefined()
  expect(cache.topicName(ID_A)).toBeUndefined()
})

test('a new registration of this broker forgets nothing: what it is told first need not be everything', () => {
  const cache = new MetadataCache()
  cache.update(request({ brokerEpoch: 5, topicStates: [{ topicName: 'a', topicId: ID_A, partitionStates: [state(0, 1), state(1, 1)] }] }))
  cache.update(request({ brokerEpoch: 9 }))
  cache.update(request({ brokerEpoch: 9, topicStates: [{ topicName: 'a', topicId: ID_A, partitionStates: [state(0, 2)] }] }))
  expect([...cache.topic('a')!.partitions.keys()]).toEqual([0, 1])
})

test('forgets topics that are found to be deleted, and not their namesakes', () => {
  const cache = new MetadataCache()
  const topics = (id: string, ...names: string[]) => names.map((topicName) => ({ topicName, topicId: id, partitionStates: [state(0, 1)] }))
  cache.update(request({ topicStates: [...topics(ID_A, 'a'), ...topics(ID_B, 'b')] }))
  const changes: string[][] = []
  cache.onChange((change) => changes.push([...change.topics]))
  const known = [...cache.topics()]
  cache.update(request({ topicStates: topics('cccccccccccccccccccccA', 'a') }))
  cache.forget(known)
  expect([...cache.topics()].map(({ name }) => name)).toEqual(['a'])
  expect(cache.topicName(ID_B)).toBeUndefined()
  expect(changes).toEqual([['a'], ['b']])
})

test('a topic with another id is another topic', () => {
  const cache = new MetadataCache()
  cache.update(request({ topicStates: [{ topicName: 'a', topicId: ID_A, partitionStates: [state(0, 1), state(1, 1)] }] }))
  cache.update(request({ topicStates: [{ topicName: 'a', topicId: ID_B, partitionStates: [state(0, 2)] }] }))
  expect([...cache.topic('a')!.partitions.keys()]).toEqual([0])
  expect(cache.topicName(ID_A)).toBeUndefined()
  expect(cache.topicName(ID_B)).toBe('a')
})

test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('reads version %i', (version) => {
  const cache = new MetadataCache()
  const states = [state(0, 1, 3, 'a')]
  cache.update(request({
    liveBrokers: [version === 0 ? { id: 1, v0Host: 'h1', v0Port: 9001 } : { ...broker(1), rack: null }],
    ...(version < 5
      ? { ungroupedPartitionStates: states }
      : { topicStates: [{ topicName: 'a', partitionStates: states, ...(version >= 7 && { topicId: ID_A }) }] }),
  }, version))
  expect(cache.partition('a', 0)).toMatchObject({ leader: 1, leaderEpoch: 3 })
  expect(cache.aliveBroker(1, 'PLAINTEXT')).toMatchObject({ host: 'h1', port: 9001 })
  expect(cache.topicId('a')).toBe(version >= 7 ? ID_A : undefined)
})

test('tells of changes, and of nothing when nothing changed', () => {
  const cache = new MetadataCache()
  const seen: MetadataChange[] = []
  const stop = cache.onChange((change) => seen.push(change))
  const same = { liveBrokers: [broker(1)], topicStates: [{ topicName: 'a', topicId: ID_A, partitionStates: [state(0, 1)] }] }
  cache.update(request(same))
  expect(seen).toMatchObject([{ brokersChanged: true }])
  expect([...seen[0]!.topics]).toEqual(['a'])
  const topic = cache.topic('a')
  cache.update(request(same))
  expect(seen).toHaveLength(1)
  expect(cache.topic('a')).toBe(topic)
  cache.update(request({ ...same, topicStates: [{ topicName: 'b', topicId: ID_B, partitionStates: [state(0, 1)] }] }))
  expect([...seen[1]!.topics]).toEqual(['b'])
  // A change elsewhere leaves the topic's object as it is: nothing is copied that did not change.
  expect(cache.topic('a')).toBe(topic)
  stop()
  cache.update(request({ liveBrokers: [] }))
  expect(seen).toHaveLength(2)
})

test('equals a model that keeps every partition in one map', () => {
  const update = fc.record({
    brokers: fc.uniqueArray(fc.integer({ min: 1, max: 4 })),
    topics: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c'),
        id: fc.constantFrom(ID_A, ID_B),
        partitions: fc.uniqueArray(
          fc.record({ index: fc.nat(3), leader: fc.integer({ min: -2, max: 3 }), epoch: fc.nat(3) }),
          { selector: (each) => each.index },
        ),
      }),
      { selector: (each) => each.name },
    ),
  })
  fc.assert(
    fc.property(fc.array(update, { maxLength: 12 }), (updates) => {
      const cache = new MetadataCache()
      const model = new Map<string, { id: string; leaders: Map<number, string> }>()
      for (const { brokers, topics } of updates) {
        cache.update(request({
          liveBrokers: brokers.map((id) => broker(id)),
          // Ids of different topics differ: they are made from the name.
          topicStates: topics.map(({ name, id, partitions }) => ({
            topicName: name,
            topicId: `${name}${id.slice(1)}`,
            partitionStates: partitions.map(({ index, leader, epoch }) => state(index, leader, epoch)),
          })),
        }))
        for (const { name, id, partitions } of topics) {
          let topic = model.get(name)
          if (topic === undefined || topic.id !== id) topic = { id, leaders: new Map() }
          for (const { index, leader, epoch } of partitions) {
            if (leader === -2) topic.leaders.delete(index)
            else topic.leaders.set(index, `${leader}/${epoch}`)
          }
          if (topic.leaders.size > 0) model.set(name, topic)
          else model.delete(name)
        }
        const found = [...cache.topics()].map(({ name, partitions }) => [
          name, [...partitions.values()].map((each) => `${each.partition}:${each.leader}/${each.leaderEpoch}`).sort(),
        ])
        const expected = [...model].map(([name, { leaders }]) => [
          name, [...leaders].map(([index, text]) => `${index}:${text}`).sort(),
        ])
        expect(found.sort()).toEqual(expected.sort())
        expect([...cache.allBrokers()].map((each) => each.id)).toEqual(brokers.toSorted())
        for (const { name, topicId } of cache.topics()) expect(cache.topicName(topicId!)).toBe(name)
      }
    }),
  )
})
