/** What happens to copiers, and to the brokers that they depend on. Each heals what it breaks. */
import { Admin } from '../../../index'
import { KafkaConnection } from '../../../network/kafka-connection'
import { ApiKey } from '../../../protocol/messages/apis'
import { realEnvironment } from '../../../runtime/real'
import { faults as clusterFaults } from '../support/faults'
import { TRANSACTION_TIMEOUT_MS, pause } from './trial'
import type { Copier } from './copier'
import type { CopyTrial, Line } from './trial'
import type { FindCoordinatorRequest, FindCoordinatorResponse } from '../../../protocol/messages/find-coordinator'
import type { Load } from '../support/load'
import type { TestCluster } from '../../../index'

export type CopyFault = (trial: CopyTrial) => Promise<void>

function pick<T>(random: () => number, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!
}

async function coordinatorOf(cluster: TestCluster, key: string, keyType: 0 | 1): Promise<number> {
  let found = -1
  await cluster.until(`${key} has a coordinator`, 30_000, async () => {
    const broker = cluster.brokerIds.find((id) => cluster.isRunning(id))!
    const connection = new KafkaConnection(realEnvironment(), { host: '127.0.0.1', port: cluster.port(broker), clientId: 'who', requestTimeoutMs: 5000 })
    try {
      await connection.connect()
      const answer = await connection.send<FindCoordinatorRequest, FindCoordinatorResponse>(ApiKey.findCoordinator, { key, keyType }, { version: 3 })
      if (answer.errorCode === 0) found = answer.nodeId
      return answer.errorCode === 0
    } finally {
      connection.close()
    }
  })
  return found
}

type Victim = (trial: CopyTrial, line: Line, copier: Copier) => Promise<number>

const victims: Readonly<Record<string, Victim>> = {
  'transaction coordinator': ({ cluster }, _, { job }) => coordinatorOf(cluster, job.transactionalId, 1),
  'group coordinator': ({ cluster }, { group }) => coordinatorOf(cluster, group, 0),
  'leader of an output': ({ cluster }, { output }) => cluster.leaderOf(output, 0),
  'leader of an input': ({ cluster }, { input }) => cluster.leaderOf(input, 0),
  controller: ({ cluster }) => cluster.controllerId(),
}

/** kill -9 of a broker, when a copier has just begun a transaction. */
function killBroker(victim: Victim, downMs: number | 'until all got on'): CopyFault {
  return async (trial) => {
    const line = pick(trial.random, trial.lines)
    const copier = pick(trial.random, line.copiers)
    let broker = -1
    await trial.cluster.until('there is a victim', 30_000, async () => (broker = await victim(trial, line, copier)) >= 0)
    await said(trial, copier, 'sent')
    await pause(trial.random() * 80)
    await trial.cluster.kill(broker)
    if (downMs === 'until all got on') await trial.progress('without a killed broker')
    else await pause(downMs)
    await trial.cluster.start(broker)
  }
}

function said(trial: CopyTrial, copier: Copier, what: string): Promise<void> {
  let heard = false
  const stop = copier.listen((line) => {
    if (line.startsWith(what)) heard = true
  })
  return trial.cluster.until(`${copier.job.client} says ${what}`, 60_000, () => Promise.resolve(heard)).finally(stop)
}

export const killCopier: CopyFault = async (trial) => {
  const copier = pick(trial.random, pick(trial.random, trial.lines).copiers)
  await said(trial, copier, 'sent')
  await pause(trial.random() * 100)
  copier.kill()
}

export const killAllCopiers: CopyFault = async (trial) => {
  for (const { copiers } of trial.lines) for (const copier of copiers) copier.kill()
}

/** A copier stands still in a transaction until that must be over, and goes on as if nothing had been: it must not commit it. */
export const zombie: CopyFault = async (trial) => {
  const copier = pick(trial.random, pick(trial.random, trial.lines).copiers)
  const heard: string[] = []
  const stop = copier.listen((line) => {
    heard.push(line)
    // At once: it holds the transaction open for a moment.
    if (heard.length === 1 && line.startsWith('sent')) copier.standStill()
    else if (heard.length === 1) heard.pop()
  })
  try {
    await trial.cluster.until(`${copier.job.client} has sent`, 60_000, () => Promise.resolve(heard.length > 0))
    await pause(TRANSACTION_TIMEOUT_MS + 4000)
    copier.goOn()
    await trial.cluster.until(`${copier.job.client} hears that it was fenced`, 60_000, () => Promise.resolve(heard.length > 1))
  } finally {
    stop()
  }
  const n = heard[0]!.split(' ')[1]
  if (heard[1] === `commit ${n}`) throw new Error(`${copier.job.client} has committed a transaction whose time was over`)
}

/** Leaders of the internal topics move. */
export const moveCoordinators: CopyFault = async ({ cluster, random }) => {
  const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  try {
    const topics = await admin.describeTopics(['__consumer_offsets', '__transaction_state'])
    const moves = topics.flatMap(({ name, partitions }) => partitions.map(({ partition, leader }) => {
      const others = cluster.brokerIds.filter((id) => id !== leader)
      if (random() < 0.5) others.reverse()
      return { topic: name, partition, replicas: [...others, leader] }
    }))
    await admin.alterPartitionReassignments(moves)
    await cluster.until('the reassignment is over', 60_000, async () => (await admin.listPartitionReassignments()).length === 0)
    await admin.electLeaders(0, moves.map(({ topic, partition }) => ({ topic, partition })))
  } finally {
    await admin.close()
  }
}

/** A fault of the cluster's own trials, on the topic of one output. */
function ofCluster(name: string): CopyFault {
  return async (trial) => {
    const { cluster, random } = trial
    const topic = pick(random, trial.lines).output
    const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
    const load = { progress: (why: string) => trial.progress(why) } as unknown as Load
    try {
      await clusterFaults[name]!({ cluster, admin, topic, load, random })
    } finally {
      await admin.close()
    }
  }
}

export const copyFaults: Readonly<Record<string, CopyFault>> = {
  ...Object.fromEntries(Object.entries(victims).flatMap(([name, victim]) => [
    [`kill the ${name}, start after 0.2 s`, killBroker(victim, 200)],
    [`kill the ${name}, start after 2 s`, killBroker(victim, 2000)],
    [`kill the ${name} for long`, killBroker(victim, 'until all got on')],
  ])),
  'kill a copier': killCopier,
  'kill all copiers': killAllCopiers,
  'a copier is a zombie': zombie,
  'the coordinators move': moveCoordinators,
  ...Object.fromEntries(
    [
      'kill all brokers', 'rolling restart', 'zombie leader', 'expire controller', 'expire all', 'delete /controller', 'restart ZooKeeper after 3 s', 'stutter leader',
    ].map((name) => [name, ofCluster(name)])),
}
