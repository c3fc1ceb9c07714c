import { TestCluster } from './support/cluster'

let cluster: TestCluster
afterEach(() => cluster?.stop())

async function deleteTopic(name: string): Promise<void> {
  await (await cluster.controller()).deleteTopics({ topicNames: [name], topics: [], timeoutMs: 1000 }, 5)
  await cluster.until(async () => (await cluster.zk.exists(`/admin/delete_topics/${name}`)) === undefined)
}

test('of a broker that comes back every old topic of a name goes before it hears of the new one', async () => {
  cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
  await cluster.createTopic('t', [[0, 1, 2]])
  await cluster.converged()
  await cluster.killBroker(2)
  await cluster.converged()
  for (let n = 0; n < 3; n++) {
    await deleteTopic('t')
    await cluster.createTopic('t', [[0, 1, 2]])
  }
  expect((await cluster.zk.children('/prekraft/deletions'))?.names).toHaveLength(3)
  await cluster.startBroker(2)
  await cluster.until(async () => (await cluster.zk.exists('/prekraft')) === undefined)
  await cluster.converged()
})

test('a topic is deleted though a target of its reassignment is dead', async () => {
  cluster = await TestCluster.start([0, 1, 2, 3], { controllers: [0] })
  await cluster.createTopic('t', [[0, 1]])
  await cluster.reassign('t', 0, [2, 3])
  await cluster.until(() => cluster.fake(3).replicas.has('t-0'))
  await cluster.killBroker(3)
  await cluster.until(() => cluster.memory()?.brokers.every(({ id }) => id !== 3) === true)
  await deleteTopic('t')
  expect(cluster.memory()!.topics).toEqual([])
})

test('a controller finds what is owed of a deletion that its predecessor did not finish', async () => {
  cluster = await TestCluster.start([0, 1, 2], { controllers: [0, 1] })
  await cluster.createTopic('t', [[0, 1, 2]])
  await cluster.converged()
  const id = cluster.memory()!.topics[0]!.id!
  const first = cluster.active()!.id
  const second = 1 - first
  await cluster.killBroker(2)
  await cluster.converged()
  // As a controller leaves it that dies between the record and the rest: a topic of 100 partitions takes more than one multi.
  await cluster.killBroker(first)
  await cluster.zk.create('/prekraft', null)
  await cluster.zk.create('/prekraft/deletions', null)
  await cluster.zk.create(`/prekraft/deletions/${id}`, Buffer.from(JSON.stringify({ version: 1, topic: 't', partitions: [0], brokers: [2] })))
  await cluster.zk.create('/admin/delete_topics/t', null)
  await cluster.until(async () => cluster.active()?.id === second && (await cluster.zk.exists('/admin/delete_topics/t')) === undefined)
  await cluster.startBroker(first)
  await cluster.createTopic('t', [[second, 2]])
  await cluster.startBroker(2)
  await cluster.until(async () => (await cluster.zk.exists('/prekraft')) === undefined)
  await cluster.until(() => cluster.fake(2).replicas.has('t-0'))
})
