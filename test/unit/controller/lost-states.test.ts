import { TestCluster } from './support/cluster'

let cluster: TestCluster

afterEach(() => cluster?.stop())

const GARBAGE = Buffer.from('{"leader":')

function statePath(partition: number): string {
  return `/brokers/topics/t/partitions/${partition}/state`
}

/** Partitions 0 and 1 of t, led by 2 in an epoch above 0; broker 1 is not in their ISRs. */
async function withHistory(): Promise<void> {
  await cluster.createTopic('t', [[0, 1, 2], [0, 1, 2]])
  await cluster.converged()
  for (const partition of [0, 1]) {
    const state = { controller_epoch: 1, leader: 2, version: 1, leader_epoch: 7, isr: [2, 0] }
    await cluster.zk.set(statePath(partition), Buffer.from(JSON.stringify(state)), -1)
  }
  ;(await cluster.controller()).reconcile()
  await cluster.until(() => cluster.fake(1).metadata.get('t-1')?.leaderEpoch === 7)
  await cluster.converged()
}

async function lose(): Promise<void> {
  await cluster.zk.set(statePath(0), GARBAGE, -1)
  await cluster.zk.remove(statePath(1), -1)
}

/** Loses the states before the next controller, which is no longer the one that remembers them. */
async function loseAndFailOver(): Promise<void> {
  const { controllerEpoch } = cluster.memory()!
  await lose()
  await cluster.zk.remove('/controller', -1)
  await cluster.until(() => (cluster.memory()?.controllerEpoch ?? 0) > controllerEpoch)
}

test('states deleted or garbled before a failover: the leader goes on in the next epoch, alone in the ISR', async () => {
  cluster = await TestCluster.start([0, 1, 2])
  await withHistory()
  await loseAndFailOver()
  await cluster.until(async () => (await cluster.state('t', 1)) !== undefined)
  await cluster.converged()
  for (const partition of [0, 1]) expect(await cluster.state('t', partition)).toMatchObject({ leader: 2, leaderEpoch: 8, isr: [2] })
})

test('the leader is gone as well: a member of the ISR that brokers knew leads, never one that was out of it', async () => {
  cluster = await TestCluster.start([0, 1, 2])
  await withHistory()
  const controller = cluster.active()!.id
  await lose()
  // At once, so that nobody who remembers sees the leader go, and nobody who asks meets it.
  for (const id of new Set([controller, 2])) cluster.crash(id)
  if (controller === 0) {
    // Of the ISR nobody is left.
    await cluster.until(() => cluster.memory() !== undefined)
    expect(await cluster.state('t', 1)).toBeUndefined()
    await cluster.startBroker(0)
  }
  await cluster.until(async () => (await cluster.state('t', 1)) !== undefined)
  await cluster.converged()
  for (const partition of [0, 1]) {
    const state = (await cluster.state('t', partition))!
    expect(state).toMatchObject({ leader: 0, isr: [0] })
    expect(state.leaderEpoch).toBeGreaterThan(7)
  }
})

test('all restarted: nobody leads before every replica has told how far its log goes', async () => {
  cluster = await TestCluster.start([0, 1, 2])
  await withHistory()
  await lose()
  for (const id of [...cluster.nodes.keys()]) await cluster.killBroker(id)
  const ends = { 0: { leaderEpoch: 6, endOffset: 900 }, 1: { leaderEpoch: 7, endOffset: 40 }, 2: { leaderEpoch: 7, endOffset: 50 } }
  for (const [id, end] of Object.entries(ends)) for (const partition of [0, 1]) cluster.fake(Number(id)).ends.set(`t-${partition}`, end)
  await cluster.startBroker(0)
  await cluster.startBroker(1)
  await cluster.until(() => cluster.memory()?.topics[0]?.partitions[1]?.state === 'NewPartition')
  expect(await cluster.state('t', 1)).toBeUndefined()
  await cluster.startBroker(2)
  await cluster.until(async () => (await cluster.state('t', 1)) !== undefined)
  await cluster.converged()
  for (const partition of [0, 1]) expect(await cluster.state('t', partition)).toMatchObject({ leader: 2, leaderEpoch: 8, isr: [2] })
})

test('a garbled state that no broker knows anything of is written anew; a new topic is not kept waiting by a silent broker', async () => {
  cluster = await TestCluster.start([0, 1], { controllers: [] })
  await cluster.createByHand('t', { 0: [0, 1], 1: [1, 0] })
  await cluster.zk.create('/brokers/topics/t/partitions', null)
  await cluster.zk.create('/brokers/topics/t/partitions/0', null)
  await cluster.zk.create(statePath(0), GARBAGE)
  cluster.fake(1).hung = true
  cluster.nodes.get(0)!.controller.start()
  await cluster.until(async () => (await cluster.state('t', 1)) !== undefined)
  cluster.fake(1).resume()
  await cluster.converged()
  expect(await cluster.state('t', 0)).toMatchObject({ leader: 0, leaderEpoch: 0 })
})

test('a spoilt state is looked after soon, however many partitions there are', async () => {
  cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
  await cluster.createTopic('a', Array.from({ length: 2100 }, () => [0]))
  await cluster.createTopic('z', [[1, 2]])
  await cluster.until(() => cluster.fake(2).replicas.has('z-0'))
  await cluster.zk.remove('/brokers/topics/z/partitions/0/state', -1)
  await cluster.killBroker(1)
  await cluster.until(async () => (await cluster.state('z', 0))?.leader === 2, 'a leader', 6000)
}, 25_000)
