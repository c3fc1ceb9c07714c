/** What goes wrong around a broker: its session, its directories, requests on the wrong listener. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ErrorCode } from '../../../protocol/errors'
import { ApiKey } from '../../../protocol/messages/apis'
import { realEnvironment } from '../../../runtime/real'
import { openSession } from '../../../zk-schema/session/session'
import { RunningCluster, batch, produce } from './support/running-broker'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../../protocol/messages/create-topics'

let cluster: RunningCluster

afterEach(() => cluster.close())

test('an expired session is replaced: registered anew, a controller again, leaders again', async () => {
  cluster = await RunningCluster.start(2)
  await cluster.createTopic('survives', { partitions: 4, replicas: 2 })
  const broker = cluster.brokers.find(({ controller }) => controller.isActive())!
  const epoch = broker.brokerEpoch
  // A second connection with id and password of the session ends it.
  const { id, password } = broker.keeper.current
  const thief = await openSession(realEnvironment(), {
    connect: `127.0.0.1:${cluster.zookeeperPort}`,
    credentials: { id, password },
  })
  await thief.close()
  await cluster.until(() => broker.brokerEpoch > epoch)
  await cluster.until(() => cluster.brokers.some(({ controller }) => controller.isActive()))
  await cluster.until(() =>
    cluster.brokers.every(({ metadata }) =>
      [...(metadata.topic('survives')?.partitions.values() ?? [])].every(({ leader, isr }) => leader >= 0 && isr.length === 2),
    ),
  )
  // Each partition takes records, wherever its leader is by now.
  for (const partition of [0, 1, 2, 3]) {
    let errorCode = -1
    while (errorCode !== 0) {
      const leader = broker.metadata.partition('survives', partition)!.leader
      const connection = await cluster.connect(cluster.brokers.find(({ brokerId }) => brokerId === leader)!.portOf('PLAINTEXT'))
      errorCode = (await produce(connection, 'survives', batch(['x']), { partition })).errorCode
      connection.close()
    }
  }
  expect(cluster.fatal).toEqual([])
}, 60_000)

test('with a control plane listener, control requests are believed there alone', async () => {
  const listeners = {
    listeners: 'PLAINTEXT://127.0.0.1:0,CONTROL://127.0.0.1:0',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROL:PLAINTEXT',
    'control.plane.listener.name': 'CONTROL',
  }
  cluster = await RunningCluster.start(2, listeners)
  await cluster.createTopic('controlled', { replicas: 2 })
  const connection = await cluster.connect()
  for (const apiKey of [ApiKey.leaderAndIsr, ApiKey.updateMetadata, ApiKey.stopReplica]) {
    const answer = await connection.send<object, { errorCode: number }>(apiKey, {
      controllerId: 0,
      controllerEpoch: 1,
      brokerEpoch: cluster.brokers[0]!.brokerEpoch,
    })
    expect(answer.errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  }
})

test('one of two log directories fails: the broker goes on with the other; without any it cannot', async () => {
  cluster = await RunningCluster.start(0)
  const directory = (name: string): string => join(cluster.directory, name)
  const broker = await cluster.startBroker(0, { 'log.dirs': `${directory('a')},${directory('b')}` })
  const topics = ['one', 'two', 'three', 'four']
  for (const name of topics) await cluster.createTopic(name)
  const isIn = (name: string, topic: string): boolean => readdirSync(directory(name)).includes(`${topic}-0`)
  const connection = await cluster.connect()
  const codeOf = async (topic: string): Promise<number> => (await produce(connection, topic, batch(['x']))).errorCode
  for (const topic of topics) expect(await codeOf(topic)).toBe(0)

  cluster.failingDirectories.add(directory('b'))
  const lost = topics.filter((topic) => isIn('b', topic))
  expect(lost).toHaveLength(2)
  expect(await codeOf(lost[0]!)).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
  for (const topic of topics) {
    const code = await codeOf(topic)
    if (lost.includes(topic)) expect([ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_LEADER_OR_FOLLOWER]).toContain(code)
    else expect(code).toBe(0)
  }
  // The controller hears of it and takes the leaderships away.
  await cluster.until(() => lost.every((topic) => broker.metadata.partition(topic, 0)?.leader === -1))
  expect(cluster.fatal).toEqual([])

  cluster.failingDirectories.add(directory('a'))
  await codeOf(topics.find((topic) => !lost.includes(topic))!)
  await cluster.until(() => cluster.fatal.length > 0)
  expect(cluster.fatal[0]!.message).toContain('No log directory is left')
})

test('a topic that cannot be created is not asked for again and again', async () => {
  cluster = await RunningCluster.start(1, { 'default.replication.factor': '3' })
  const connection = await cluster.connect()
  for (let i = 0; i < 3; i++) {
    const { topics } = await connection.send<object, { topics: { errorCode: number }[] }>(ApiKey.metadata, {
      topics: [{ name: 'too-wide' }],
      allowAutoTopicCreation: true,
    })
    expect(topics[0]!.errorCode).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
  }
})

test('only the controller creates topics', async () => {
  cluster = await RunningCluster.start(2)
  const other = cluster.brokers.find(({ controller }) => !controller.isActive())!
  const connection = await cluster.connect(other.portOf('PLAINTEXT'))
  const { topics } = await connection.send<CreateTopicsRequest, CreateTopicsResponse>(ApiKey.createTopics, {
    topics: [{ name: 'elsewhere', numPartitions: 1, replicationFactor: 1 }],
    timeoutMs: 1000,
  })
  expect(topics[0]).toMatchObject({ errorCode: ErrorCode.NOT_CONTROLLER })
  // But whoever is asked for a missing topic has the controller make it.
  const { topics: made } = await connection.send<object, { topics: { errorCode: number }[] }>(ApiKey.metadata, {
    topics: [{ name: 'made' }],
    allowAutoTopicCreation: true,
  })
  expect(made[0]!.errorCode).toBe(0)
})
