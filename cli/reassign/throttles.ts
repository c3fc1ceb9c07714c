import { ResourceType } from '../../client/admin'
import { keyOf } from './plan'
import type { ConfigChange, Reassignment } from '../../client/admin'
import type { MaintenanceAdmin } from '../../client/admin/maintenance'
import type { Target } from './plan'

const LEADER_RATE = 'leader.replication.throttled.rate'
const FOLLOWER_RATE = 'follower.replication.throttled.rate'
const DIRECTORY_RATE = 'replica.alter.log.dirs.io.max.bytes.per.second'
const LEADER_REPLICAS = 'leader.replication.throttled.replicas'
const FOLLOWER_REPLICAS = 'follower.replication.throttled.replicas'

/** From where to where a partition moves. */
export interface PartitionMove {
  sources: number[]
  destinations: number[]
}

/** By topic and partition: of what moves already, and of what is about to. */
export function calculateMoves(
  current: readonly Reassignment[], targets: readonly Target[], replicasOf: ReadonlyMap<string, readonly number[]>,
): Map<string, Map<number, PartitionMove>> {
  const moves = new Map<string, Map<number, PartitionMove>>()
  const ofTopic = (topic: string): Map<number, PartitionMove> => {
    let found = moves.get(topic)
    if (found === undefined) moves.set(topic, (found = new Map()))
    return found
  }
  for (const { topic, partition, replicas, addingReplicas } of current) {
    const sources = replicas.filter((id) => !addingReplicas.includes(id))
    ofTopic(topic).set(partition, { sources, destinations: [...addingReplicas] })
  }
  for (const target of targets) {
    const partitions = ofTopic(target.topic)
    const sources = partitions.get(target.partition)?.sources ?? [...(replicasOf.get(keyOf(target)) ?? [])]
    partitions.set(target.partition, { sources, destinations: target.replicas.filter((id) => !sources.includes(id)) })
  }
  return moves
}

function throttled(partitions: ReadonlyMap<number, PartitionMove>, side: keyof PartitionMove): string {
  return [...new Set([...partitions].flatMap(([partition, move]) => move[side].map((id) => `${partition}:${id}`)))].sort().join(',')
}

function setting(name: string, value: string): ConfigChange {
  return { name, operation: 'set', value }
}

/** Throttles what moves: first the replicas of each topic, then the brokers. */
export async function throttleMoves(
  admin: MaintenanceAdmin, moves: ReadonlyMap<string, ReadonlyMap<number, PartitionMove>>, bytesPerSecond: number,
): Promise<void> {
  await Promise.all(
    [...moves].map(([topic, partitions]) =>
      admin.incrementalAlterConfigs(ResourceType.topic, topic, [
        setting(LEADER_REPLICAS, throttled(partitions, 'sources')),
        setting(FOLLOWER_REPLICAS, throttled(partitions, 'destinations')),
      ]),
    ),
  )
  const every = [...moves.values()].flatMap((partitions) => [...partitions.values()])
  const brokers = new Set(every.flatMap(({ sources, destinations }) => [...sources, ...destinations]))
  const changes = [setting(LEADER_RATE, String(bytesPerSecond)), setting(FOLLOWER_RATE, String(bytesPerSecond))]
  await onBrokers(admin, brokers, changes)
  process.stdout.write(`The inter-broker throttle limit was set to ${bytesPerSecond} B/s\n`)
}

export async function throttleDirectories(admin: MaintenanceAdmin, brokers: Iterable<number>, bytesPerSecond: number): Promise<void> {
  await onBrokers(admin, brokers, [setting(DIRECTORY_RATE, String(bytesPerSecond))])
  process.stdout.write(`The replica-alter-dir throttle limit was set to ${bytesPerSecond} B/s\n`)
}

async function onBrokers(admin: MaintenanceAdmin, brokers: Iterable<number>, changes: readonly ConfigChange[]): Promise<void> {
  await Promise.all([...new Set(brokers)].map((id) => admin.incrementalAlterConfigs(ResourceType.broker, String(id), changes)))
}

/** Ends all throttles: which brokers a former move had to do with is not known. */
export async function clearThrottles(
  admin: MaintenanceAdmin, targets: readonly Target[], say: (line: string) => void,
): Promise<void> {
  const alive = (await admin.describeCluster()).nodes.map(({ id }) => id)
  const brokers = [...new Set([...alive, ...targets.flatMap(({ replicas }) => replicas)])].sort((a, b) => a - b)
  const topics = [...new Set(targets.map(({ topic }) => topic))]
  const removal = (names: readonly string[]): ConfigChange[] => names.map((name) => ({ name, operation: 'delete', value: null }))
  say(`Clearing broker-level throttles on broker${brokers.length === 1 ? '' : 's'} ${brokers.join(',')}`)
  await onBrokers(admin, brokers, removal([LEADER_RATE, FOLLOWER_RATE, DIRECTORY_RATE]))
  say(`Clearing topic-level throttles on topic${topics.length === 1 ? '' : 's'} ${topics.join(',')}`)
  const changes = removal([LEADER_REPLICAS, FOLLOWER_REPLICAS])
  await Promise.all(topics.map((topic) => admin.incrementalAlterConfigs(ResourceType.topic, topic, changes)))
}
