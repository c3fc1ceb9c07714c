import { World } from '../../../simulation/world/world'
import { brokers, elect, type BrokerSetup, type TestBroker } from './support/brokers'

const RECORDS = 40

/** A leader that holds 40 batches, and a follower that is not in the ISR and has none. */
async function behind(setup: BrokerSetup, isr: number[]): Promise<{ world: World; leader: TestBroker; follower: TestBroker }> {
  const world = new World(3)
  const all = brokers(world, 2, { ...setup, config: { replicaFetchMaxBytes: 1, replicaFetchBackoffMs: 200 } }) as [TestBroker, TestBroker]
  const [leader, follower] = all
  follower.isReachable = false
  await elect(world, all, { leader: 1, leaderEpoch: 0, isNew: true, isr, replicas: [1, 2] })
  for (let i = 0; i < RECORDS; i++) await world.settle(leader.produce(`record ${i}`, { acks: 1 }), 100, 'the answer')
  follower.isReachable = true
  return { world, leader, follower }
}

describe.each(['leader', 'follower'])('%s.replication.throttled.rate', (side) => {
  const limits = { [`${side}.replication.throttled.rate`]: '400' }

  test('a replica out of sync catches up as slowly as allowed', async () => {
    const { world, leader, follower } = await behind({ limits }, [1])
    const bytes = leader.log().size
    await world.run(3000)
    expect(follower.log().endOffset).toBeGreaterThan(3)
    expect(follower.log().endOffset).toBeLessThan(RECORDS)
    // In the first second a rate is that of the whole second.
    const leastMs = (bytes / 400) * 1000 - 5000
    await world.run(leastMs - 3000)
    expect(follower.log().endOffset).toBeLessThan(RECORDS)
    await world.runUntil(() => follower.log().endOffset === RECORDS, 60_000, 'the follower')
  })
})

test('the leader does not hold back a replica in sync', async () => {
  const { world, follower } = await behind({ limits: { 'leader.replication.throttled.rate': '1' } }, [1, 2])
  await world.runUntil(() => follower.log().endOffset === RECORDS, 5000, 'the follower')
})
