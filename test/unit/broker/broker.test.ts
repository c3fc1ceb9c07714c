/** Starting, stopping and coming back (broker.md, 1). */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogManager } from '../../../broker/log/log-manager'
import { ApiKey } from '../../../protocol/messages/apis'
import { decodeRecords } from '../../../protocol/records/records'
import { silentLogger } from '../../../runtime/log'
import { realEnvironment } from '../../../runtime/real'
import { SessionKeeper } from '../../../zk-schema/session/keeper'
import { openSession } from '../../../zk-schema/session/session'
import { startZooKeeperServer } from '../../../zookeeper/server'
import { RunningCluster, batch, fetch, produce } from './support/running-broker'
import type { MetadataRequest, MetadataResponse } from '../../../protocol/messages/metadata'
import type { ZooKeeperSession } from '../../../zk-schema/session/session'

let cluster: RunningCluster

afterEach(() => cluster.close())

async function look<T>(work: (session: ZooKeeperSession) => Promise<T>): Promise<T> {
  const session = await openSession(realEnvironment(), { connect: `127.0.0.1:${cluster.zookeeperPort}` })
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

test('registers, writes what its directory is, and leaves in order', async () => {
  cluster = await RunningCluster.start(1, { 'broker.rack': 'r7' })
  const directory = join(cluster.directory, 'broker-0')
  const meta = readFileSync(join(directory, 'meta.properties'), 'utf8')
  expect(meta).toContain('broker.id=0')
  expect(meta).toContain(`cluster.id=${cluster.brokers[0]!.clusterId}`)
  const sessionFile = join(directory, 'prekraft-zookeeper-session')
  expect(statSync(sessionFile).mode & 0o777).toBe(0o600)
  const registered = await look((session) => session.get('/brokers/ids/0'))
  expect(JSON.parse(registered!.data!.toString())).toMatchObject({
    version: 5,
    rack: 'r7',
    endpoints: [`PLAINTEXT://127.0.0.1:${cluster.port}`],
    features: {},
  })
  expect(cluster.brokers[0]!.brokerEpoch).toBe(registered!.stat.czxid)
  await cluster.brokers[0]!.stop()
  expect(await look((session) => session.exists('/brokers/ids/0'))).toBeUndefined()
  expect(await look((session) => session.exists('/controller'))).toBeUndefined()
  expect(existsSync(sessionFile)).toBe(false)
  expect(existsSync(join(directory, '.kafka_cleanshutdown'))).toBe(true)
})

test('finds its data and its id again', async () => {
  cluster = await RunningCluster.start(0)
  const first = await cluster.startBroker(-1, { 'broker.id': '-1' })
  expect(first.brokerId).toBe(1001)
  await cluster.createTopic('kept')
  const connection = await cluster.connect()
  await produce(connection, 'kept', batch(['still here']))
  await first.stop()
  cluster.brokers.length = 0
  const second = await cluster.startBroker(-1, { 'broker.id': '-1' })
  expect(second.brokerId).toBe(1001)
  await cluster.until(() => second.metadata.partition('kept', 0)?.leader === 1001)
  const again = await cluster.connect()
  expect(decodeRecords((await fetch(again, 'kept', 0)).records!).map(({ value }) => value!.toString())).toEqual(['still here'])
})

test('a directory of another cluster or broker refuses, and is left alone', async () => {
  cluster = await RunningCluster.start(0)
  const directory = join(cluster.directory, 'broker-3')
  mkdirSync(directory)
  const path = join(directory, 'meta.properties')
  writeFileSync(path, 'version=0\nbroker.id=3\ncluster.id=AnotherClustersIdAAAAA\n')
  await expect(cluster.startBroker(3)).rejects.toThrow('belongs to the cluster AnotherClustersIdAAAAA')
  writeFileSync(path, 'version=0\nbroker.id=4\n')
  await expect(cluster.startBroker(3)).rejects.toThrow('belongs to broker 4, but broker.id is 3')
  writeFileSync(path, 'version=1\nnode.id=3\ncluster.id=x\n')
  await expect(cluster.startBroker(3)).rejects.toThrow('without ZooKeeper')
  writeFileSync(path, 'version=soon\n')
  await expect(cluster.startBroker(3)).rejects.toThrow('meta.properties')
  expect(await look((session) => session.exists('/brokers/ids/3'))).toBeUndefined()
  writeFileSync(path, '')
})

test('an id that is alive, an endpoint that is taken, a directory in use', async () => {
  cluster = await RunningCluster.start(1)
  const elsewhere = { 'log.dirs': join(cluster.directory, 'elsewhere'), 'zookeeper.session.timeout.ms': '1000' }
  const port = cluster.port
  await expect(cluster.startBroker(0, elsewhere)).rejects.toThrow('broker id 0 is in use')
  await expect(cluster.startBroker(1, { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` })).rejects.toThrow(
    `127.0.0.1:${port}`,
  )
  await expect(cluster.startBroker(2, { listeners: `PLAINTEXT://127.0.0.1:${port}` })).rejects.toThrow('EADDRINUSE')
  const connection = await cluster.connect()
  expect((await connection.send<MetadataRequest, MetadataResponse>(ApiKey.metadata, { topics: [] })).brokers).toHaveLength(1)
})

test('a killed broker is back at once: it ends the session of its last run', async () => {
  cluster = await RunningCluster.start(0)
  const settings = { 'zookeeper.session.timeout.ms': '30000' }
  const killed = await cluster.startBroker(0, settings)
  await cluster.until(() => killed.controller.isActive())
  const epoch = killed.brokerEpoch
  // As a crash leaves it: the session open, its credentials in the file.
  const directory = join(cluster.directory, 'broker-0')
  const stored = readFileSync(join(directory, 'prekraft-zookeeper-session'))
  killed.keeper.abandon()
  await killed.stop()
  cluster.brokers.length = 0
  writeFileSync(join(directory, 'prekraft-zookeeper-session'), stored)
  expect(await look((session) => session.exists('/brokers/ids/0'))).toBeDefined()
  const startedMs = Date.now()
  const back = await cluster.startBroker(0, settings)
  expect(back.brokerEpoch).toBeGreaterThan(epoch)
  await cluster.until(() => back.controller.isActive())
  expect(Date.now() - startedMs).toBeLessThan(10_000)
})

test('while a dead namesake’s znode is there, its port refuses rather than keeps who comes waiting', async () => {
  cluster = await RunningCluster.start(0)
  // A port that was free a moment ago; nobody else is given it so soon.
  const free = await realEnvironment().net.listen('127.0.0.1', 0, () => {})
  const { port } = free
  free.close()
  const namesake = await openSession(realEnvironment(), { connect: `127.0.0.1:${cluster.zookeeperPort}` })
  await namesake.createRecursive('/brokers/ids')
  await namesake.create('/brokers/ids/0', null, { ephemeral: true })
  const said: string[] = []
  const warn = (_: object, text?: string): void => void said.push(text ?? '')
  const starting = cluster.startBroker(0, { listeners: `PLAINTEXT://127.0.0.1:${port}` }, { ...silentLogger, warn })
  await cluster.until(() => said.includes('waiting for the znode of a namesake to go'))
  await expect(cluster.raw(port)).rejects.toThrow('ECONNREFUSED')
  await namesake.close()
  await starting
  await cluster.connect(port)
})

test('what was stopped while ZooKeeper was away is not waited for when both are back', async () => {
  cluster = await RunningCluster.start(0)
  const zooKeeper = (port: number) =>
    startZooKeeperServer(realEnvironment(), { port, dataDir: join(cluster.directory, 'zookeeper'), tickTimeMs: 500 })
  const first = await zooKeeper(0)
  const settings = { 'zookeeper.connect': `127.0.0.1:${first.port}` }
  const broker = await cluster.startBroker(0, settings)
  await first.close()
  await broker.stop()
  const second = await zooKeeper(first.port)
  try {
    const said: string[] = []
    const warn = (_: object, text?: string): void => void said.push(text ?? '')
    const again = await cluster.startBroker(0, settings, { ...silentLogger, warn })
    expect(said).not.toContain('waiting for the znode of a namesake to go')
    await again.stop()
  } finally {
    await second.close()
  }
})

test('while a broker closes its logs, clients are sent away', async () => {
  cluster = await RunningCluster.start(1)
  const idle = await cluster.raw()
  let goOn: () => void = () => {}
  const close = LogManager.prototype.shutdown
  const closing = jest.spyOn(LogManager.prototype, 'shutdown').mockImplementation(async function (this: LogManager, isClean) {
    await new Promise<void>((resolve) => (goOn = resolve))
    await close.call(this, isClean)
  })
  try {
    const stopping = cluster.brokers[0]!.stop()
    await cluster.until(() => closing.mock.calls.length > 0)
    await cluster.until(() => idle.isClosed)
    goOn()
    await stopping
  } finally {
    closing.mockRestore()
  }
})

test('a session that runs out while logs are recovered does not end the start', async () => {
  cluster = await RunningCluster.start(0)
  const opened = jest.spyOn(SessionKeeper.prototype, 'start')
  const open = LogManager.open.bind(LogManager)
  const recovery = jest.spyOn(LogManager, 'open').mockImplementation(async (...args) => {
    const logs = await open(...args)
    const session = await (opened.mock.results[0]!.value as Promise<ZooKeeperSession>)
    const { connect, id, password } = session
    const namesake = await openSession(realEnvironment(), { connect, credentials: { id, password } })
    await namesake.close()
    await cluster.until(() => session.state === 'expired')
    return logs
  })
  try {
    await cluster.startBroker(0)
  } finally {
    recovery.mockRestore()
    opened.mockRestore()
  }
})

test('logs of topics that were deleted meanwhile are set aside; a wrong ZooKeeper is refused', async () => {
  cluster = await RunningCluster.start(1)
  for (const name of ['kept-1', 'kept-2', 'kept-3', 'gone']) await cluster.createTopic(name)
  await cluster.brokers[0]!.stop()
  cluster.brokers.length = 0
  const remove = (topic: string): Promise<void> =>
    look(async (session) => {
      for (const path of ['/partitions/0/state', '/partitions/0', '/partitions', ''])
        await session.remove(`/brokers/topics/${topic}${path}`, -1)
    })
  await remove('gone')
  const back = await cluster.startBroker(0)
  expect(back.replicas.localLog('gone', 0)).toBeUndefined()
  const names = readdirSync(join(cluster.directory, 'broker-0'))
  expect(names.filter((name) => /^gone-0\.[0-9a-f]{32}-stray$/.test(name))).toHaveLength(1)
  expect(names).toContain('kept-1-0')
  await back.stop()
  cluster.brokers.length = 0
  await remove('kept-1')
  await remove('kept-2')
  await expect(cluster.startBroker(0)).rejects.toThrow('2 of 3 logs belong to topics that this ZooKeeper does not know')
  expect(readdirSync(join(cluster.directory, 'broker-0'))).toContain('kept-1-0')
})

test('leaderships move before a broker stops', async () => {
  cluster = await RunningCluster.start(3)
  await cluster.createTopic('moves', { partitions: 6, replicas: 3 })
  const [first, second] = cluster.brokers
  await first!.stop()
  await cluster.until(() =>
    [...second!.metadata.topic('moves')!.partitions.values()].every(({ leader, isr }) => leader > 0 && !isr.includes(0)),
  )
  const leaders = new Set([...second!.metadata.topic('moves')!.partitions.values()].map(({ leaderEpoch }) => leaderEpoch))
  // By one election each, and not by a failure.
  expect([...leaders].every((epoch) => epoch <= 2)).toBe(true)
  const startedMs = Date.now()
  await cluster.brokers[1]!.stop()
  await cluster.brokers[2]!.stop()
  // The last one has nobody to give anything to, and knows it.
  expect(Date.now() - startedMs).toBeLessThan(5000)
})
