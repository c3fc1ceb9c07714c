import { Producer } from '../../index'
import { ApiKey } from '../../protocol/messages/apis'
import { brokerIdPath } from '../../zk-schema/brokers'
import { controllerPath } from '../../zk-schema/controller'
import { partitionStatePath, decodePartitionState } from '../../zk-schema/topics'
import { otherKind, until } from './mixed-cluster'
import { deleteTopics, preferredLeaders } from './requests'
import { readCommitted } from './transaction-steps'
import { OF_A_ZOMBIE_CONTROLLER, OF_LEADERLESS } from './usual'
import type { Kind } from './mixed-cluster'
import type { Run } from './mixed-run'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/incremental-alter-configs'

const LEADER_ELECTION = 'org.apache.kafka.tools.LeaderElectionCommand'
const TOPIC = 2
const RECORDS = 50

/** Preferred, offline and unclean elections, and those of controllers; shutdowns and reassignments have steps of their own. */
export async function electionSteps(run: Run, kind: Kind): Promise<void> {
  const of = (name: string): string => `${name} [controller: ${kind}]`
  await run.step(of('preferred leaders'), async () => await preferredLeaders(run))
  await run.step(of('preferred leaders with the tool'), async () => await preferredWithTool(run, kind))
  for (const last of ['apache', 'prekraft'] as const) {
    for (const [how, name] of [
      ['offline', 'offline election'],
      ['asked', 'unclean election asked for'],
      ['configured', 'unclean election configured'],
    ] as const) {
      const act = async (): Promise<void> => await leaderless(run, kind, last, how)
      await run.step(of(`${name}, the last leader is ${last}`), act, OF_LEADERLESS)
    }
  }
  for (const its of ['apache', 'prekraft'] as const)
    await run.step(of(`stop ${its} until its session is over, and continue`), async () => await zombie(run, kind, its))
  const zombieName = of('stop the controller until another is elected, and continue')
  await run.step(zombieName, async () => await zombieController(run, kind), OF_A_ZOMBIE_CONTROLLER)
  await run.moveController(kind)
  await run.step(of('the controller to and fro'), async () => await toAndFro(run, kind))
}

/** The tool of the other kind than the controller. */
async function electWithTool(run: Run, controller: Kind, args: string[]): Promise<void> {
  const { cluster } = run
  const all = ['--bootstrap-server', `127.0.0.1:${cluster.port(cluster.running[0]!)}`, ...args]
  const said =
    controller === 'prekraft'
      ? await cluster.toolBeside(LEADER_ELECTION, all)
      : await cluster.ownTool('kafka-leader-election', all)
  if (!/Successfully completed leader election|Valid replica already elected/.test(said)) throw new Error(said)
}

async function preferredWithTool(run: Run, kind: Kind): Promise<void> {
  const { cluster } = run
  const topic = `preferred-${kind}`
  await run.createTopic(topic, [
    [0, 10, 1, 11],
    [10, 0, 11, 1],
    [1, 11, 0, 10],
    [11, 1, 10, 0],
  ])
  await run.agreed()
  const controller = await run.controller()
  const id = cluster.brokersOf(otherKind(kind)).find((each) => each !== controller)!
  await cluster.stop(id, 'SIGTERM')
  await run.agreed()
  await cluster.start(id)
  await run.agreed()
  if ((await leadersOf(run, topic)).includes(id)) throw new Error(`${id} leads again by itself`)
  await electWithTool(run, kind, ['--election-type', 'preferred', '--all-topic-partitions'])
  await until('all preferred leaders lead', 10_000, async () => (await leadersOf(run, topic)).join() === '0,10,1,11')
}

async function stateOf(run: Run, topic: string, partition = 0): Promise<{ leader: number; isr: string }> {
  return await run.cluster.zookeeper(async (session) => {
    const node = await session.get(partitionStatePath(topic, partition))
    const { leader, isr } = decodePartitionState(topic, partition, node!.data)
    return { leader, isr: isr.join() }
  })
}

async function leadersOf(run: Run, topic: string): Promise<number[]> {
  return await Promise.all([0, 1, 2, 3].map(async (partition) => (await stateOf(run, topic, partition)).leader))
}

async function write(run: Run, topic: string, what: string): Promise<void> {
  const producer = new Producer({ 'bootstrap.servers': run.cluster.bootstrapServers, 'linger.ms': 2 })
  try {
    await Promise.all(Array.from({ length: RECORDS }, (_, n) => producer.send({ topic, partition: 0, value: `${what} ${n}` })))
  } finally {
    await producer.close()
  }
}

/**
 * Two replicas, one of each kind. The follower dies, records are written, the leader dies; the follower comes back, and must not
 * lead by itself. 'offline': the leader comes back, nothing is lost. Otherwise the follower is elected although it lacks records,
 * and the former leader has to forget them.
 */
async function leaderless(run: Run, kind: Kind, last: Kind, how: 'offline' | 'asked' | 'configured'): Promise<void> {
  const { cluster } = run
  const topic = `${how}-${kind}-${last}`
  const controller = await run.controller()
  const one = (its: Kind): number => cluster.brokersOf(its).find((id) => id !== controller)!
  const [leader, follower] = [one(last), one(otherKind(last))]
  const is = async (wanted: { leader: number; isr: string }): Promise<void> =>
    await until(`${topic} is ${JSON.stringify(wanted)}`, 30_000, async () => {
      const found = JSON.stringify(await stateOf(run, topic))
      return found === JSON.stringify(wanted) ? true : found
    })
  await run.createTopic(topic, [[leader, follower]], { 'min.insync.replicas': '1' })
  await run.agreed()
  await write(run, topic, 'both')
  await cluster.stop(follower, 'SIGKILL')
  await is({ leader, isr: `${leader}` })
  await write(run, topic, 'alone')
  await cluster.stop(leader, 'SIGKILL')
  await is({ leader: -1, isr: `${leader}` })
  await cluster.start(follower)
  await until(`${follower} is registered`, 30_000, async () =>
    (await cluster.metadata(controller)).brokers.some(({ nodeId }) => nodeId === follower),
  )
  await is({ leader: -1, isr: `${leader}` })
  if (how === 'asked') await electWithTool(run, kind, ['--election-type', 'unclean', '--topic', topic, '--partition', '0'])
  if (how === 'configured') {
    const configs = [{ name: 'unclean.leader.election.enable', configOperation: 0, value: 'true' }]
    const { responses } = await cluster.ask<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
      follower,
      ApiKey.incrementalAlterConfigs,
      { resources: [{ resourceType: TOPIC, resourceName: topic, configs }], validateOnly: false },
    )
    if (responses[0]!.errorCode !== 0) throw new Error(`${responses[0]!.errorCode} ${responses[0]!.errorMessage}`)
  }
  if (how !== 'offline') {
    await is({ leader: follower, isr: `${follower}` })
    await write(run, topic, 'unclean')
  }
  await cluster.start(leader)
  await run.agreed()
  if (how === 'offline' && (await stateOf(run, topic)).leader !== leader) throw new Error(`${leader} does not lead again`)
  await write(run, topic, 'after')
  const wanted = how === 'offline' ? ['both', 'alone', 'after'] : ['both', 'unclean', 'after']
  const found = ((await readCommitted(run, topic)).get(0) ?? []).map(({ value }) => value)
  const expected = wanted.flatMap((what) => Array.from({ length: RECORDS }, (_, n) => `${what} ${n}`))
  if (found.join() !== expected.join())
    throw new Error(`${topic} has ${found.length} records, not the ${expected.length} of ${wanted}`)
  await deleteTopics(run, [topic])
}

/** A broker that does not know that it was given up. */
async function zombie(run: Run, kind: Kind, its: Kind): Promise<void> {
  const { cluster } = run
  const controller = await run.controller()
  const id = cluster.brokersOf(its).find((each) => each !== controller)!
  const epoch = async (): Promise<number | undefined> =>
    await cluster.zookeeper(async (session) => (await session.exists(brokerIdPath(id)))?.czxid)
  const before = await epoch()
  cluster.signal(id, 'SIGSTOP')
  try {
    await until(`the session of ${id} is over`, 40_000, async () => (await epoch()) === undefined)
    // It wakes up when others lead what it led.
    await until(`${id} leads nothing`, 20_000, async () =>
      (await cluster.metadata(controller)).topics.every(({ partitions }) => partitions.every(({ leaderId }) => leaderId !== id)),
    )
  } finally {
    cluster.signal(id, 'SIGCONT')
  }
  await until(`${id} is registered again`, 30_000, async () => ![undefined, before].includes(await epoch()))
  if ((await run.controller()) !== controller) await run.moveController(kind)
}

async function zombieController(run: Run, kind: Kind): Promise<void> {
  const { cluster } = run
  const id = await run.moveController(kind)
  cluster.signal(id, 'SIGSTOP')
  try {
    await until(`another controller than ${id}`, 40_000, async () => ![-1, id].includes(await run.controller()))
  } finally {
    cluster.signal(id, 'SIGCONT')
  }
  await until(`${id} is registered again`, 30_000, async () =>
    (await cluster.metadata(await run.controller())).brokers.some(({ nodeId }) => nodeId === id),
  )
}

/** From one kind to the other and back, each time with something left to do for the next. */
async function toAndFro(run: Run, kind: Kind): Promise<void> {
  const { cluster } = run
  for (const [i, its] of [otherKind(kind), kind, otherKind(kind), kind].entries()) {
    const id = await run.moveController(its)
    await run.createTopic(`to-and-fro-${kind}-${i}`, { partitions: 4, replicas: 3 })
    // Taken away at once: the next one has to finish it.
    await cluster.zookeeper((session) => session.remove(controllerPath, -1))
    await until(`there is a controller after ${id}`, 20_000, async () => (await run.controller()) >= 0)
    await run.agreed()
  }
  await run.moveController(kind)
}
