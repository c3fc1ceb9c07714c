import { baseOffsetAt, baseSequenceAt, leaderEpochAt, producerEpochAt, producerIdAt } from '../../../protocol/records/batch'
import { decodeRecords } from '../../../protocol/records/records'
import { brokerIdsPath } from '../../../zk-schema/brokers'
import { controllerPath, decodeController } from '../../../zk-schema/controller'
import { decodePartitionState, decodeTopic, partitionStatePath, topicPath, topicsPath } from '../../../zk-schema/topics'
import { batchesOf } from './oracle'
import { isInternalTopic } from '../../../protocol/rules/topic-name'
import type { ReplicaLog } from '../../../broker/replica/log-port'
import type { SimulatedCluster } from './cluster'
import type { Acknowledged, Reader } from './workload'

interface PartitionInZooKeeper {
  topic: string
  partition: number
  replicas: number[]
  state: ReturnType<typeof decodePartitionState> | undefined
}

/** Every partition that ZooKeeper knows. */
export function partitionsInZooKeeper(cluster: SimulatedCluster): PartitionInZooKeeper[] {
  return cluster.children(topicsPath).flatMap((topic) => {
    const { partitions } = decodeTopic(topic, cluster.znode(topicPath(topic)) ?? null)
    return [...partitions].map(([partition, { replicas }]) => {
      const data = cluster.znode(partitionStatePath(topic, partition))
      return { topic, partition, replicas, state: data === undefined ? undefined : decodePartitionState(topic, partition, data) }
    })
  })
}

/** I7: the leader is in the ISR, or there is none; the ISR is not empty. */
export function checkPartitionStates(cluster: SimulatedCluster): void {
  if (cluster.server === undefined) return
  for (const { topic, partition, state } of partitionsInZooKeeper(cluster)) {
    if (state === undefined) continue
    const { leader, isr } = state
    if (isr.length === 0) throw new Error(`I7: the ISR of ${topic}-${partition} is empty`)
    if (leader >= 0 && !isr.includes(leader)) throw new Error(`I7: the leader ${leader} of ${topic}-${partition} is not in its ISR ${isr.join(',')}`)
  }
}

/** What still keeps the cluster from being whole: undefined when nothing does (I8, L1, L2, L4). */
export function unfinished(cluster: SimulatedCluster): string | undefined {
  const { brokers } = cluster
  const registered = cluster.children(brokerIdsPath)
  if (registered.length !== brokers.length) return `only the brokers ${registered.join(',')} are registered`
  const controllerNode = cluster.znode(controllerPath)
  if (controllerNode === undefined) return 'there is no controller'
  const controllerId = decodeController(controllerNode).brokerId
  const active = brokers.filter(({ running }) => running?.controller.isActive() === true).map(({ id }) => id)
  if (active.length !== 1 || active[0] !== controllerId) return `the controller is ${controllerId}, active are ${active.join(',') || 'none'}`
  for (const path of ['/isr_change_notification', '/log_dir_event_notification', '/admin/delete_topics']) {
    if (cluster.children(path).length > 0) return `${path} is not empty`
  }
  if (cluster.znode('/admin/reassign_partitions') !== undefined) return 'a reassignment is under way'
  const partitions = partitionsInZooKeeper(cluster)
  const topics = new Set(partitions.map(({ topic }) => topic))
  for (const { topic, partition, replicas, state } of partitions) {
    const name = `${topic}-${partition}`
    if (state === undefined) return `${name} has no state`
    if (state.leader < 0) return `${name} has no leader`
    if (state.isr.length !== replicas.length) return `the ISR of ${name} is ${state.isr.join(',')}`
    for (const broker of brokers) {
      if (broker.running === undefined) return `broker ${broker.id} does not serve`
      const { metadata } = broker.running
      if (metadata.controllerId !== controllerId) return `broker ${broker.id} believes in controller ${metadata.controllerId}`
      if ([...metadata.allBrokers()].length !== brokers.length) return `broker ${broker.id} does not know all brokers`
      const stale = [...metadata.topics()].find((known) => !topics.has(known.name))
      if (stale !== undefined) return `broker ${broker.id} still knows topic ${stale.name}`
      const known = metadata.partition(topic, partition)
      if (known === undefined || known.leader !== state.leader || known.leaderEpoch !== state.leaderEpoch) {
        return `broker ${broker.id} has leader ${known?.leader} in epoch ${known?.leaderEpoch} for ${name}, ZooKeeper ${state.leader} in ${state.leaderEpoch}`
      }
      if (!replicas.includes(broker.id)) continue
      const replica = broker.running.replicas.partition(topic, partition)
      const role = broker.id === state.leader ? 'leader' : 'follower'
      if (replica?.log === undefined || replica.role !== role || replica.leaderEpoch !== state.leaderEpoch) {
        return `broker ${broker.id} is ${replica?.role} of ${name} in epoch ${replica?.leaderEpoch}, and should be ${role} in ${state.leaderEpoch}`
      }
    }
    const logs = replicaLogs(cluster, topic, partition, replicas)
    const end = logs[0]!.endOffset
    if (logs.some(({ endOffset, highWatermark }) => endOffset !== end || highWatermark !== end)) {
      return `the replicas of ${name} end at ${logs.map(({ endOffset, highWatermark }) => `${endOffset} (${highWatermark})`).join(', ')}`
    }
  }
  return undefined
}

function replicaLogs(cluster: SimulatedCluster, topic: string, partition: number, replicas: readonly number[]): ReplicaLog[] {
  return replicas.map((id) => cluster.brokers[id]!.running!.replicas.localLog(topic, partition)!)
}

/** The controller's memory is what ZooKeeper holds (I8). */
export function checkControllerMemory(cluster: SimulatedCluster): void {
  const text = cluster.brokers.map(({ running }) => running?.controller.snapshot()).find((each) => each !== undefined)
  if (text === undefined) throw new Error('I8: no controller has a memory')
  const memory = JSON.parse(text) as {
    brokers: { id: number; epoch: number }[]
    topics: { name: string; partitions: { partition: number; replicas: number[]; leadership: { leader: number; leaderEpoch: number; isr: number[] } | null }[] }[]
  }
  const expected = partitionsInZooKeeper(cluster).map(({ topic, partition, replicas, state }) =>
    JSON.stringify([topic, partition, replicas, state?.leader, state?.leaderEpoch, state?.isr]))
  const found = memory.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partition, replicas, leadership }) =>
      JSON.stringify([name, partition, replicas, leadership?.leader, leadership?.leaderEpoch, leadership?.isr])))
  if (expected.sort().join('\n') !== found.sort().join('\n')) {
    throw new Error(`I8: the controller's memory differs from ZooKeeper:\n${found.join('\n')}\nZooKeeper:\n${expected.join('\n')}`)
  }
  for (const { id, epoch } of memory.brokers) {
    const own = cluster.brokers[id]!.running!.brokerEpoch
    if (epoch !== own) throw new Error(`I8: the controller knows broker ${id} by epoch ${epoch}, its own is ${own}`)
  }
}

/** `12+96 bytes, by 1000/0/17 in 3`: offset and length, producer, its epoch and sequence, leader epoch. */
function toldOf(bytes: Buffer): string {
  const producer = `${producerIdAt(bytes, 0)}/${producerEpochAt(bytes, 0)}/${baseSequenceAt(bytes, 0)}`
  return `${baseOffsetAt(bytes, 0)}+${bytes.length} bytes, by ${producer} in ${leaderEpochAt(bytes, 0)}`
}

interface Stored {
  key: string
  value: string
}

/**
 * I1, I3, I4, I10: replicas are equal; what was acknowledged in `topics` is there, once, in order by key; what was read is still there.
 */
export function checkRecords(cluster: SimulatedCluster, topics: ReadonlySet<string>, acknowledged: readonly Acknowledged[], reader: Reader): void {
  const stored = new Map<string, Stored>()
  const places = new Map<string, string>()
  for (const { topic, partition, replicas } of partitionsInZooKeeper(cluster)) {
    const name = `${topic}-${partition}`
    const logs = replicaLogs(cluster, topic, partition, replicas)
    const contents = logs.map((log) => batchesOf(log, 0, log.highWatermark).map(({ bytes }) => bytes))
    contents.forEach((batches, i) => {
      // Each replica cleans by itself: what stays of them is compared record by record, when one becomes the leader.
      if (isInternalTopic(topic)) return
      const at = batches.findIndex((bytes, index) => contents[0]![index]?.equals(bytes) !== true)
      if (at < 0 && batches.length === contents[0]!.length) return
      const [here, there] = [batches[at], contents[0]![at]].map((bytes) => (bytes === undefined ? 'nothing' : toldOf(bytes)))
      throw new Error(`I3: the replicas ${replicas[i]} and ${replicas[0]} of ${name} differ at batch ${at}: ${here}; ${there}`)
    })
    if (!topics.has(topic)) continue
    for (const bytes of contents[0]!) {
      const by = toldOf(bytes)
      for (const { offset, key, value } of decodeRecords(bytes)) {
        const place = `${name}@${offset}`
        const text = value!.toString()
        const other = places.get(text)
        if (other !== undefined) throw new Error(`I10: ${text} is stored twice, at ${other} and ${place} (${by})`)
        places.set(text, `${place} (${by})`)
        stored.set(place, { key: key!.toString(), value: text })
      }
    }
    for (let offset = logs[0]!.startOffset; offset < logs[0]!.highWatermark; offset++) {
      if (!stored.has(`${name}@${offset}`)) throw new Error(`I15: ${name} has no record at ${offset}`)
    }
  }
  const last = new Map<string, { offset: number; number: number }>()
  const lost: string[] = []
  let disorder: string | undefined
  const ordered = [...acknowledged].sort((a, b) => a.offset - b.offset)
  for (const { topic, partition, offset, key, value } of ordered) {
    // A batch that was acknowledged because a later one was stored: where, the producer was not told.
    if (offset < 0) {
      if (!places.has(value)) lost.push(value)
      continue
    }
    const place = `${topic}-${partition}@${offset}`
    if (stored.get(place)?.value !== value) lost.push(`${value} at ${place}, there is ${stored.get(place)?.value}`)
    const number = Number(value.split(':')[1])
    const byKey = `${topic}-${partition}/${key}`
    const before = last.get(byKey)
    if (before !== undefined && before.number >= number) {
      disorder ??= `I10: ${key} of ${topic}-${partition} has ${before.number} at ${before.offset} and ${number} at ${offset}`
    }
    last.set(byKey, { offset, number })
  }
  if (lost.length > 0) throw new Error(`I1: ${lost.length} acknowledged records are lost: ${lost.slice(0, 10).join('; ')}`)
  if (disorder !== undefined) throw new Error(disorder)
  for (const [place, value] of reader.seen) {
    if (stored.get(place)?.value !== value) throw new Error(`I2: ${value} was read at ${place}, where ${stored.get(place)?.value} is now`)
  }
}
