import { World } from '../../../simulation/world/world'
import { brokers, elect } from './support/brokers'
import type { BrokerSetup, TestBroker } from './support/brokers'
import type { FetchResponse } from '../../../../protocol/messages/fetch'

test('partitions that are added one after another do not keep a follower from what it has to fetch', async () => {
  const world = new World(7)
  const all: TestBroker[] = []
  const connectToLeader: NonNullable<NonNullable<BrokerSetup['options']>['connectToLeader']> = async (node) => {
    const follower = all[1]!
    const connection = await follower.connect(node)
    let hangUp!: (error: Error) => void
    const closed = new Promise<never>((_, reject) => (hangUp = reject))
    closed.catch(() => {})
    return {
      ...connection,
      // An answer with records is 150 ms on its way: 10 MiB at half a Gbit a second.
      fetch: async (version, request, take) => {
        let kept!: FetchResponse
        await connection.fetch(version, request, (response) => {
          const topics = response.responses.map((topic) => ({
            ...topic, partitions: topic.partitions.map((each) => ({ ...each, records: each.records === null ? null : Buffer.from(each.records) })),
          }))
          kept = { ...response, responses: topics }
        })
        const hasRecords = kept.responses.some((topic) => topic.partitions.some(({ records }) => (records?.length ?? 0) > 0))
        const arrival = new Promise<void>((resolve) => follower.process.env.clock.timer(150, resolve))
        if (hasRecords) await Promise.race([arrival, closed])
        return take(kept)
      },
      close: () => {
        connection.close()
        hangUp(new Error('closed'))
      },
    }
  }
  all.push(...brokers(world, 2, { config: { numReplicaFetchers: 1 }, options: { connectToLeader } }))
  const [leader, follower] = all as [TestBroker, TestBroker]
  const state = { leader: 1, leaderEpoch: 0, isr: [1, 2], replicas: [1, 2], isNew: true }
  await elect(world, all, state)
  await world.run(1000)
  let most = 0
  for (let i = 1; i <= 100; i++) {
    void leader.produce(`${i}`, { acks: 1 })
    await elect(world, all, { ...state, partition: i })
    await world.run(50)
    most = Math.max(most, leader.log(0).endOffset - follower.log(0).endOffset)
  }
  expect(most).toBeLessThan(60)
})
