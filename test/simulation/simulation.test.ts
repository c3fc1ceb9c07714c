/**
 * The product's own brokers, ZooKeeper and clients on virtual time, one run from one seed (see cluster/story.ts for what is checked). More of them
 * by hand: SEEDS=500 FROM=1000 npx jest test/simulation/simulation, or `npm run simulate -- --seeds 500 --from 1000`.
 */
import { Admin } from '../../client/admin'
import { BatchBuilder } from '../../protocol/records/records'
import { SimulatedCluster } from './cluster/cluster'
import { StoryError, tell } from './cluster/story'
import { bugs } from './cluster/planted-bugs'
import { World } from './world/world'
import type { SimulatedBroker } from './cluster/cluster'
import type { StoryOptions, StoryResult } from './cluster/story'

const FROM = Number(process.env['FROM'] ?? 1)
const SEEDS = Number(process.env['SEEDS'] ?? 24)

/** The story of a seed; its failure with the seed and the end of its trace. */
async function told(seed: number, options: StoryOptions = {}): Promise<StoryResult> {
  try {
    return await tell(seed, options)
  } catch (error) {
    if (!(error instanceof StoryError)) throw error
    throw new Error(`${error.lines.slice(-60).join('\n')}\n${error.message}`, { cause: error })
  }
}

test('one broker crashes and recovers', async () => {
  for (let seed = FROM; seed < FROM + 3; seed++) await told(seed, { brokers: 1 })
}, 60_000)

test('three brokers lose, repeat and reorder nothing, and become whole', async () => {
  let acknowledged = 0
  let faults = 0
  for (let seed = FROM; seed < FROM + SEEDS; seed++) {
    const result = await told(seed)
    acknowledged += result.acknowledged
    faults += Object.values(result.faults).reduce((sum, count) => sum + count, 0)
  }
  // The stories are about something.
  expect(acknowledged).toBeGreaterThan(SEEDS * 200)
  expect(faults).toBeGreaterThan(SEEDS * 5)
}, 60_000 + SEEDS * 10_000)

test('groups and transactions: every record is consumed, no commit is lost, copies are exact', async () => {
  let transactions = 0
  for (let seed = FROM; seed < FROM + SEEDS / 4; seed++) transactions += (await told(seed, { coordinators: true })).transactions
  expect(transactions).toBeGreaterThan(SEEDS * 3)
}, 60_000 + SEEDS * 10_000)

test('a leader that was stopped for longer than its session acknowledges nothing before it has heard who leads now', async () => {
  let asked = 0
  for (let seed = FROM; seed < FROM + 3; seed++) {
    const world = new World(seed)
    const cluster = new SimulatedCluster(world, 3, { 'min.insync.replicas': '1' })
    await cluster.start()
    const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers, 'request.timeout.ms': 5000 }, world.process('admin').env)
    await world.settle(admin.createTopics([{ name: 'a', partitions: 1, replicationFactor: 3 }]), 30_000, 'the topic is created')
    await world.settle(admin.close(), 1000, 'the admin client closes')
    const leaderEpochOf = (broker: SimulatedBroker): number => {
      const partition = broker.running?.replicas.partition('a', 0)
      return partition?.isLeader === true ? partition.leaderEpoch : -1
    }
    const leads = (): SimulatedBroker | undefined => cluster.brokers.find((each) => leaderEpochOf(each) >= 0)
    await world.runUntil(() => leads() !== undefined, 30_000, 'somebody leads')
    const deposed = leads()!
    const epoch = leaderEpochOf(deposed)
    deposed.process.stop()
    const others = cluster.brokers.filter((each) => each !== deposed)
    await world.runUntil(() => others.some((each) => leaderEpochOf(each) > epoch), 30_000, 'another leads')
    deposed.process.goOn()
    // A client that has not heard of it either, with a record in every millisecond.
    const records = new BatchBuilder().append(null, Buffer.from('x'), [], 1000).build()
    const acknowledged: number[] = []
    const produce = (): void => {
      if (leaderEpochOf(deposed) !== epoch) return
      asked++
      const partitions = [{ topic: 'a', partition: 0, records: Buffer.from(records) }]
      void deposed.running!.replicas.append(
        { timeoutMs: 1000, acks: 1, internalTopicsAllowed: false, origin: 'client', requestVersion: 9, partitions },
        ([result]) => {
          if (result!.errorCode === 0) acknowledged.push(result!.baseOffset)
        },
      )
      world.plan(deposed.process, 1, produce)
    }
    world.plan(deposed.process, 0, produce)
    await world.runUntil(() => leaderEpochOf(deposed) !== epoch, 30_000, 'the former leader has heard of it')
    expect(acknowledged).toEqual([])
  }
  expect(asked).toBeGreaterThan(0)
}, 60_000)

test('the same seed tells the same story', async () => {
  const results = []
  for (const [seed, coordinators] of [[101, false], [101, false], [102, true], [102, true]] as const) results.push(await told(seed, { coordinators }))
  expect(results[1]).toEqual(results[0])
  expect(results[3]).toEqual(results[2])
  expect(results[2]!.hash).not.toBe(results[0]!.hash)
}, 60_000)

test.each(Object.entries(bugs))('a planted bug is found: %s', async (_, bug) => {
  const findings: string[] = []
  for (let seed = 1; seed <= 15 && findings.length === 0; seed++) {
    const undo = bug.plant()
    try {
      await tell(seed, { coordinators: bug.coordinators ?? false })
    } catch (error) {
      findings.push((error as Error).message)
    } finally {
      undo()
    }
  }
  expect(findings[0]).toMatch(bug.foundBy)
}, 120_000)
