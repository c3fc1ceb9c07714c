import { KafkaConnection } from '../../../network/kafka-connection'
import { ApiKey } from '../../../protocol/messages/apis'
import { realEnvironment } from '../../../runtime/real'
import { brokerIdPath, brokerIdsPath } from '../../../zk-schema/brokers'
import { controllerEpochPath, controllerPath, decodeController, decodeControllerEpoch } from '../../../zk-schema/controller'
import { decodePartitionState, decodeTopic, partitionStatePath, topicPath, topicsPath } from '../../../zk-schema/topics'
import { controllerMemory } from './memory'
import type { ControllerMemory } from './memory'
import type { MetadataRequest, MetadataResponse } from '../../../protocol/messages/metadata'
import type { TestCluster } from '../../../index'
import type { ZooKeeperSession } from '../../../zk-schema/session/session'

/** One partition, as one party sees it. */
export interface View {
  replicas: string
  leader: number
  leaderEpoch: number
  isr: string
}

export interface World {
  controller: number
  brokers: string
  topics: Map<string, { id: string; partitions: Map<number, View> }>
}

function list(ids: readonly number[]): string {
  return ids.join(',')
}

function sorted(ids: readonly number[]): string {
  return list([...ids].sort((a, b) => a - b))
}

/** What ZooKeeper says: the truth. */
export async function inZooKeeper(session: ZooKeeperSession): Promise<{ world: World; epochs: Map<number, number>; controllerEpoch: number }> {
  const controller = decodeController((await session.get(controllerPath))?.data ?? null).brokerId
  const controllerEpoch = decodeControllerEpoch((await session.get(controllerEpochPath))!.data)
  const ids = (await session.children(brokerIdsPath))!.names.map(Number)
  const epochs = new Map<number, number>()
  for (const id of ids) epochs.set(id, (await session.exists(brokerIdPath(id)))!.czxid)
  const topics: World['topics'] = new Map()
  for (const name of (await session.children(topicsPath))!.names) {
    const { topicId, partitions } = decodeTopic(name, (await session.get(topicPath(name)))!.data)
    const views = new Map<number, View>()
    for (const [partition, { replicas }] of partitions) {
      const node = await session.get(partitionStatePath(name, partition))
      if (node === undefined) throw new Error(`${name}-${partition} has no state znode`)
      const state = decodePartitionState(name, partition, node.data)
      views.set(partition, { replicas: list(replicas), leader: state.leader, leaderEpoch: state.leaderEpoch, isr: sorted(state.isr) })
    }
    topics.set(name, { id: topicId ?? '', partitions: views })
  }
  return { world: { controller, brokers: sorted(ids), topics }, epochs, controllerEpoch }
}

/** What one broker answers. */
export async function atBroker(cluster: Pick<TestCluster, 'port'>, broker: number): Promise<World> {
  const env = realEnvironment()
  const connection = new KafkaConnection(env, { host: '127.0.0.1', port: cluster.port(broker), clientId: 'agreement', requestTimeoutMs: 5000 })
  try {
    await connection.connect()
    const answer = await connection.send<MetadataRequest, MetadataResponse>(ApiKey.metadata, { topics: null, allowAutoTopicCreation: false })
    const topics: World['topics'] = new Map()
    for (const topic of answer.topics) {
      const views = new Map<number, View>()
      for (const { partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes } of topic.partitions) {
        views.set(partitionIndex, { replicas: list(replicaNodes), leader: leaderId, leaderEpoch, isr: sorted(isrNodes) })
      }
      topics.set(topic.name!, { id: topic.topicId, partitions: views })
    }
    return { controller: answer.controllerId, brokers: sorted(answer.brokers.map(({ nodeId }) => nodeId)), topics }
  } finally {
    connection.close()
  }
}

function inMemory(memory: ControllerMemory, controller: number): World {
  const topics: World['topics'] = new Map()
  for (const topic of memory.topics) {
    const views = new Map<number, View>()
    for (const { partition, replicas, leadership } of topic.partitions) {
      views.set(partition, {
        replicas: list(replicas),
        leader: leadership?.leader ?? -1,
        leaderEpoch: leadership?.leaderEpoch ?? -1,
        isr: sorted(leadership?.isr ?? []),
      })
    }
    topics.set(topic.name, { id: topic.id ?? '', partitions: views })
  }
  return { controller, brokers: sorted(memory.brokers.map(({ id }) => id)), topics }
}

/** Adds a sentence for each thing that one party sees otherwise than ZooKeeper has it. */
export function compare(who: string, one: World, truth: World, add: (difference: string) => void): void {
  if (one.controller !== truth.controller) add(`${who}: the controller is ${one.controller}, in ZooKeeper ${truth.controller}`)
  if (one.brokers !== truth.brokers) add(`${who}: the brokers are ${one.brokers}, in ZooKeeper ${truth.brokers}`)
  for (const name of one.topics.keys()) if (!truth.topics.has(name)) add(`${who}: topic ${name} is not in ZooKeeper`)
  for (const [name, topic] of truth.topics) {
    const its = one.topics.get(name)
    if (its === undefined) {
      add(`${who}: topic ${name} is missing`)
      continue
    }
    if (its.id !== topic.id) add(`${who}: topic ${name} has the id ${its.id}, in ZooKeeper ${topic.id}`)
    if (its.partitions.size !== topic.partitions.size) add(`${who}: topic ${name} has ${its.partitions.size} partitions, in ZooKeeper ${topic.partitions.size}`)
    for (const [partition, view] of topic.partitions) {
      const other = JSON.stringify(its.partitions.get(partition))
      if (other !== JSON.stringify(view)) add(`${who}: ${name}-${partition} is ${other}, in ZooKeeper ${JSON.stringify(view)}`)
    }
  }
}

/** Where ZooKeeper, the controller's memory and what the running brokers answer differ. Empty at rest. */
export async function disagreements(cluster: TestCluster, running: readonly number[] = cluster.brokerIds): Promise<string[]> {
  const differences: string[] = []
  const add = (difference: string): void => void differences.push(difference)
  const { world, epochs, controllerEpoch } = await cluster.zookeeper(inZooKeeper)
  if (sorted([...epochs.keys()]) !== sorted(running)) add(`in ZooKeeper are the brokers ${sorted([...epochs.keys()])}, running are ${sorted(running)}`)
  for (const broker of running) compare(`broker ${broker}`, await atBroker(cluster, broker), world, add)
  const memory = await controllerMemory(cluster, world.controller)
  compare('the controller', inMemory(memory, world.controller), world, add)
  if (memory.controllerEpoch !== controllerEpoch) add(`the controller: its epoch is ${memory.controllerEpoch}, in ZooKeeper ${controllerEpoch}`)
  for (const { id, epoch } of memory.brokers) {
    if (epochs.get(id) !== epoch) add(`the controller: broker ${id} has the epoch ${epoch}, in ZooKeeper ${epochs.get(id)}`)
  }
  for (const { name, partitions, deletion } of memory.topics) {
    if (deletion !== 'none') add(`the controller: the deletion of ${name} is ${deletion}`)
    for (const { partition, state, replicaStates } of partitions) {
      if (state !== 'OnlinePartition') add(`the controller: ${name}-${partition} is in ${state}`)
      const off = Object.entries(replicaStates).filter(([, each]) => each !== 'OnlineReplica')
      if (off.length > 0) add(`the controller: ${name}-${partition} has replicas ${off.map(([id, each]) => `${id} in ${each}`).join(', ')}`)
    }
  }
  return differences
}
