/** What happens to a group and to its coordinator. Each heals what it breaks. */
import { Admin } from '../../../index'
import { KafkaConnection } from '../../../network/kafka-connection'
import { ApiKey } from '../../../protocol/messages/apis'
import { realEnvironment } from '../../../runtime/real'
import { SESSION_TIMEOUT_MS } from './group-run'
import type { FindCoordinatorRequest, FindCoordinatorResponse } from '../../../protocol/messages/find-coordinator'
import type { GroupRun } from './group-run'
import type { TestCluster } from '../../../index'

const OFFSETS_TOPIC = '__consumer_offsets'

export interface GroupTrial {
  cluster: TestCluster
  run: GroupRun
  random(): number
}

export type GroupFault = (trial: GroupTrial) => Promise<void>

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** The broker that coordinates a group, as soon as there is one. */
export async function coordinatorOf(cluster: TestCluster, group: string): Promise<number> {
  let found = -1
  await cluster.until(`${group} has a coordinator`, 30_000, async () => {
    const broker = cluster.brokerIds.find((id) => cluster.isRunning(id))!
    const connection = new KafkaConnection(realEnvironment(), { host: '127.0.0.1', port: cluster.port(broker), clientId: 'who', requestTimeoutMs: 5000 })
    try {
      await connection.connect()
      const answer = await connection.send<FindCoordinatorRequest, FindCoordinatorResponse>(ApiKey.findCoordinator, { key: group, keyType: 0 }, { version: 3 })
      if (answer.errorCode === 0) found = answer.nodeId
      return answer.errorCode === 0
    } finally {
      connection.close()
    }
  })
  return found
}

/** java.lang.String.hashCode, its absolute value. */
function partitionOf(group: string, count: number): number {
  let hash = 0
  for (let i = 0; i < group.length; i++) hash = (Math.imul(hash, 31) + group.charCodeAt(i)) | 0
  return hash === -(2 ** 31) ? 0 : Math.abs(hash) % count
}

/** kill -9 of the coordinator's broker. */
export function killCoordinator(downMs: number | 'until all got on'): GroupFault {
  return async ({ cluster, run }) => {
    const broker = await coordinatorOf(cluster, run.plan.group)
    await cluster.kill(broker)
    if (downMs === 'until all got on') await run.catchUp('without its coordinator')
    else await pause(downMs)
    await cluster.start(broker)
  }
}

/** Its broker goes in good order, and comes back. */
export const restartCoordinator: GroupFault = async ({ cluster, run }) => {
  const broker = await coordinatorOf(cluster, run.plan.group)
  await cluster.stop(broker)
  await run.catchUp('while its coordinator is stopped')
  await cluster.start(broker)
}

/** Another replica of the group's partition is made its leader. */
export const moveCoordinator: GroupFault = async ({ cluster, run }) => {
  const before = await coordinatorOf(cluster, run.plan.group)
  const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  try {
    const [topic] = await admin.describeTopics([OFFSETS_TOPIC])
    const partition = partitionOf(run.plan.group, topic!.partitions.length)
    const replicas = [...cluster.brokerIds.filter((id) => id !== before), before]
    await admin.alterPartitionReassignments([{ topic: OFFSETS_TOPIC, partition, replicas }])
    await cluster.until('the reassignment is over', 30_000, async () => (await admin.listPartitionReassignments()).length === 0)
    await admin.electLeaders(0, [{ topic: OFFSETS_TOPIC, partition }])
  } finally {
    await admin.close()
  }
  await cluster.until('the coordinator has moved', 30_000, async () => (await coordinatorOf(cluster, run.plan.group)) !== before)
}

function victim({ run, random }: GroupTrial): GroupRun['members'][number] | undefined {
  const all = run.members.filter(({ kind }) => kind.mayBeKilled)
  return all[Math.floor(random() * all.length)]
}

/** kill -9 of a member; a static one comes back under its name, for another one comes a new one. */
export const killMember: GroupFault = async (trial) => {
  const member = victim(trial)
  if (member === undefined) return
  await trial.run.kill(member)
  if (trial.random() < 0.5) await trial.run.catchUp('without a killed member')
  trial.run.join(member.job.instanceId, member.kind)
}

/** Resolves when the group is stable with those members that run, and all of them have told what they were assigned. */
async function settled({ cluster, run }: GroupTrial): Promise<void> {
  const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  let told = -1
  try {
    await cluster.until('the group is settled', 60_000, async () => {
      const before = told
      told = run.events.filter(({ kind }) => kind === 'assigned').length
      const group = (await admin.describeConsumerGroups([run.plan.group])).get(run.plan.group)
      if (group === undefined || group instanceof Error) throw group ?? new Error('no answer')
      if (group.state === 'Stable' && group.members.length === run.members.length && told === before) return true
      const known = group.members.map(({ clientId, groupInstanceId }) => `${clientId} ${groupInstanceId ?? ''}`)
      const running = run.members.map(({ job }) => `${job.member} ${job.instanceId ?? ''}`)
      throw new Error(`${group.state}, of ${known.join(', ')}; there are ${running.join(', ')}; ${before} and ${told} assignments`)
    })
  } finally {
    await admin.close()
  }
}

/** A static member is killed and comes back at once: nobody else is told of another generation. */
export const bounceStatic: GroupFault = async (trial) => {
  const { cluster, run } = trial
  const member = run.members.find(({ job }) => job.instanceId !== undefined)
  if (member === undefined) return
  await settled(trial)
  const before = run.events.length
  const killedMs = performance.now()
  await run.kill(member)
  const back = run.join(member.job.instanceId, member.kind)
  await cluster.until('the static member is back', 20_000, () => Promise.resolve(run.assigned.has(back.job.member)))
  // On a busy machine a process may take longer to start than its session lasts: then the others get its partitions.
  if (performance.now() - killedMs > member.job.sessionTimeoutMs - 1000) return
  const others = run.events.slice(before).filter(({ kind, member: who }) => kind === 'assigned' && who !== back.job.member && who !== member.job.member)
  if (others.length > 0) throw new Error(`${others[0]!.member} was assigned partitions when the static member came back`)
}

export const leaveAndJoin: GroupFault = async (trial) => {
  const { run, random } = trial
  const member = run.members[Math.floor(random() * run.members.length)]
  if (member === undefined) return
  if (random() < 0.5) run.join(undefined, member.kind)
  await run.leave(member)
  if (random() < 0.5) await run.catchUp('after one left')
  if (run.members.length < 3 || member.job.instanceId !== undefined) run.join(member.job.instanceId, member.kind)
}

/** A member stands still past its session and goes on as if nothing had been. */
export const memberStandsStill: GroupFault = async (trial) => {
  const member = victim(trial)
  if (member === undefined) return
  member.standStill()
  try {
    await pause(SESSION_TIMEOUT_MS + 1500)
    await trial.run.catchUp('while a member stands still')
  } finally {
    member.goOn()
  }
}

export const groupFaults: Readonly<Record<string, GroupFault>> = {
  'kill the coordinator, start after 0.2 s': killCoordinator(200),
  'kill the coordinator, start after 3 s': killCoordinator(3000),
  'kill the coordinator for long': killCoordinator('until all got on'),
  'restart the coordinator': restartCoordinator,
  'move the coordinator': moveCoordinator,
  'kill a member': killMember,
  'bounce a static member': bounceStatic,
  'leave and join': leaveAndJoin,
  'a member stands still': memberStandsStill,
}
