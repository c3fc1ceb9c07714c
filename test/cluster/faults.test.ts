/**
 * What breaks in a cluster, one after another, under load; `support/trial.ts` says what is checked each time. The whole matrix, as
 * often as you like, is `npm run test:faults`.
 */
import { startCluster } from '../../index'
import {
  OVERRIDES, SESSION_TIMEOUT_MS, deleteControllerOften, expire, killAll, killAndStart, killEverything, loseLogDir, meddle, restartZooKeeper, rollingRestart,
  victims, zombie,
} from './support/faults'
import { epochFileDifferences } from './support/replicas'
import { WITH_RDKAFKA, PARTITIONS, underLoad } from './support/trial'
import type { Fault } from './support/trial'
import type { TestCluster } from '../../index'

let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster({ overrides: OVERRIDES, logDirs: 2 })
}, 60_000)

afterAll(() => cluster.close(), 60_000)

test.each<[string, Fault]>([
  ['a follower is killed and starts after 0.2 s', killAndStart(victims.follower, 200)],
  ['the controller that leads is killed and starts after 0.2 s', killAndStart(victims.controllerThatLeads, 200)],
  ['the controller that leads is killed and starts after 1 s', killAndStart(victims.controllerThatLeads, 1000)],
  ['the controller that leads is killed and starts after 5 s', killAndStart(victims.controllerThatLeads, 5000)],
  ['all brokers are killed', killAll],
  ['brokers and ZooKeeper are killed', killEverything],
  ['a leader stands still past its session and goes on', zombie(victims.leader)],
  ['the controller stands still past its session and goes on', zombie(victims.controller)],
  ['ZooKeeper is killed and starts at once', restartZooKeeper(0)],
  ['ZooKeeper is away past every session', restartZooKeeper(SESSION_TIMEOUT_MS + 3000)],
  ['the session of the controller expires', expire(victims.controllerThatLeads)],
  ['/controller is deleted again and again', deleteControllerOften],
  ['a leader loses a log directory', loseLogDir(victims.leader)],
  ['the brokers are restarted one after another', rollingRestart],
  ['hands meddle with the znodes', meddle],
])('nothing is lost, repeated or reordered, and all agree, when %s', (_, fault) => underLoad(cluster, fault, { rdkafka: WITH_RDKAFKA }), 120_000)

test('after a clean stop, leader-epoch-checkpoint says of every replica what its batches say', async () => {
  const topics = await cluster.zookeeper(async (session) => (await session.children('/brokers/topics'))!.names.filter((name) => /^trial-\d+$/.test(name)))
  for (const broker of cluster.brokerIds) await cluster.stop(broker)
  const differences = topics.flatMap((topic) =>
    Array.from({ length: PARTITIONS }, (_, partition) => epochFileDifferences(cluster, topic, partition, cluster.brokerIds)).flat(),
  )
  expect(differences).toEqual([])
}, 60_000)
