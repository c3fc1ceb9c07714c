/**
 * Groups of our client and of others, on topics of 1 to 200 partitions: members join, leave, die and come back, while the
 * coordinator is killed, restarted and moved. In each generation a partition has one owner, no commit is lost, and every record is
 * consumed by somebody. PREKRAFT_ALL_CLIENTS=1: with all clients of this machine, and all faults; SEED: their order.
 */
import { Admin, startCluster } from '../../index'
import { randomFrom } from '../hostile/support'
import { bounceStatic, groupFaults, killCoordinator, killMember, moveCoordinator } from './support/group-faults'
import { readGroupLogs } from './support/group-log'
import { memberKinds } from './support/group-members'
import { GroupRun, Trickle } from './support/group-run'
import type { GroupFault } from './support/group-faults'
import type { GroupPlan } from './support/group-run'
import type { TestCluster } from '../../index'

const EVERYTHING = process.env['PREKRAFT_ALL_CLIENTS'] === '1'
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const TOPICS = new Map(EVERYTHING ? [['one', 1], ['seven', 7], ['many', 200]] : [['one', 1], ['many', 40]])

const plans: (GroupPlan & { isHere: boolean })[] = [
  { group: 'prekraft', kinds: [memberKinds.prekraft], topics: [...TOPICS.keys()], hasStatic: true, isHere: true },
  { group: 'kafkajs', kinds: [memberKinds.kafkajs], topics: [...TOPICS.keys()], isHere: true },
  // It commits what it had read before, when it has joined the next generation.
  { group: 'platformatic', kinds: [memberKinds.platformatic], topics: [...TOPICS.keys()], hasStatic: true, commitsMayGoBack: 'always', isHere: true },
  {
    group: 'mixed', kinds: [memberKinds.confluent, memberKinds.kafkaPython, memberKinds.prekraft, memberKinds.kcat], topics: [...TOPICS.keys()], hasStatic: true,
    isHere: EVERYTHING && memberKinds.confluent.isThere() && memberKinds.kafkaPython.isThere() && memberKinds.kcat.isThere(),
  },
  {
    group: 'cooperative', kinds: [memberKinds.confluent, memberKinds.prekraft], topics: [...TOPICS.keys()], hasStatic: true, assignor: 'cooperative-sticky',
    isHere: EVERYTHING && memberKinds.confluent.isThere(),
  },
]

const short: [string, GroupFault][] = [
  ['the coordinator is killed', killCoordinator(200)],
  ['a member is killed', killMember],
  ['the coordinator moves', moveCoordinator],
  ['a static member bounces', bounceStatic],
]

let cluster: TestCluster
let trickle: Trickle

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 3,
    overrides: {
      'zookeeper.session.timeout.ms': '4000', 'offsets.topic.num.partitions': '5', 'group.initial.rebalance.delay.ms': '300',
      'group.min.session.timeout.ms': '1000', 'min.insync.replicas': '2',
    },
  })
  const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  await admin.createTopics([...TOPICS].map(([name, partitions]) => ({ name, partitions, replicationFactor: 3 })))
  await admin.close()
  await cluster.waitUntilHealthy()
  trickle = new Trickle(cluster.bootstrapServers, TOPICS)
}, 90_000)

afterAll(async () => {
  await trickle?.stop().catch(() => {})
  await cluster?.close()
}, 60_000)

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, key: random() })).sort((a, b) => a.key - b.key).map(({ item }) => item)
}

test.each(plans.filter(({ isHere }) => isHere).map((plan) => [plan.group, plan] as const))('%s', async (_, plan) => {
  const random = randomFrom(SEED)
  const run = new GroupRun(cluster, trickle, plan)
  const faults = EVERYTHING ? shuffled(Object.entries(groupFaults), random) : short
  let step = 'at the beginning'
  try {
    run.join(plan.hasStatic === true ? `${plan.group}-static` : undefined)
    run.join()
    await run.catchUp(step)
    run.join()
    await run.catchUp('when a third has joined')
    for (const [name, fault] of faults) {
      step = name
      await fault({ cluster, run, random })
      await cluster.waitUntilHealthy({ fullIsr: false })
      await run.catchUp(`after: ${name}`)
    }
    step = 'at the end'
    await run.end()
    const log = (await readGroupLogs(cluster.bootstrapServers)).get(plan.group) ?? []
    expect(log.some(({ kind }) => kind === 'group')).toBe(true)
    expect(run.anomalies(log)).toEqual([])
  } catch (error) {
    throw new Error(`SEED=${SEED}, ${step}: ${(error as Error).message}`, { cause: error })
  } finally {
    run.abandon()
  }
}, EVERYTHING ? 600_000 : 150_000)
