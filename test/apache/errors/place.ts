import { ApiKey } from '../../../protocol/messages/apis'
import { BatchBuilder } from '../../../protocol/records/records'
import { MixedCluster, until } from '../mixed-cluster'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../../protocol/messages/create-topics'
import type { ProduceRequest, ProduceResponse } from '../../../protocol/messages/produce'
import type { Addressee } from './case'
import type { Kind } from '../mixed-cluster'

const SETTINGS = {
  'zookeeper.session.timeout.ms': '12000',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '1',
  'group.initial.rebalance.delay.ms': '0',
  'auto.create.topics.enable': 'false',
  'auto.leader.rebalance.enable': 'false',
  // The records are old.
  'log.retention.ms': '-1',
}

/** Topic -> replicas of each partition, and its configuration. */
const TOPICS: Record<string, { replicas: number[][]; configs?: Record<string, string> }> = {
  plain: { replicas: [[0, 1], [0, 1]] },
  lone: { replicas: [[0]] },
  far: { replicas: [[1]] },
  strict: { replicas: [[0, 1]], configs: { 'min.insync.replicas': '3' } },
  compacted: { replicas: [[0]], configs: { 'cleanup.policy': 'compact' } },
  small: { replicas: [[0]], configs: { 'max.message.bytes': '1000' } },
  'with.dot': { replicas: [[0]] },
  // On broker 0, so that it coordinates everything.
  __consumer_offsets: { replicas: [[0]], configs: { 'cleanup.policy': 'compact' } },
  __transaction_state: { replicas: [[0]], configs: { 'cleanup.policy': 'compact' } },
}

/** Two brokers of one kind, with the same topics and the same records on both. */
export class Place {
  readonly kind: Kind
  readonly cluster: MixedCluster
  readonly topicIds = new Map<string, string>()
  readonly brokerEpochs = new Map<number, number>()
  controllerId = -1
  controllerEpoch = -1

  /** Three ports: for ZooKeeper and the brokers. */
  constructor(kind: Kind, dir: string, ports: readonly number[]) {
    this.kind = kind
    this.cluster = new MixedCluster(dir, ports[0]!, SETTINGS)
    this.cluster.add(0, kind, ports[1]!)
    this.cluster.add(1, kind, ports[2]!)
  }

  async start(): Promise<void> {
    await this.cluster.startZooKeeper()
    // One after the other: broker 0 is the controller.
    await this.cluster.start(0)
    await this.cluster.start(1)
    for (const [name, { replicas, configs = {} }] of Object.entries(TOPICS)) {
      const answer = await this.cluster.ask<CreateTopicsRequest, CreateTopicsResponse>(0, ApiKey.createTopics, {
        topics: [
          {
            name,
            numPartitions: -1,
            replicationFactor: -1,
            assignments: replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
            configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
          },
        ],
        timeoutMs: 30_000,
      })
      if (answer.topics[0]!.errorCode !== 0) throw new Error(`${name}: ${answer.topics[0]!.errorCode}`)
    }
    await until('every topic has leaders', 30_000, async () => {
      const topics = (await this.cluster.metadata(1)).topics
      for (const { name, topicId } of topics) this.topicIds.set(name!, topicId)
      return topics.length === Object.keys(TOPICS).length
        && topics.every(({ partitions }) => partitions.every(({ leaderId, isrNodes, replicaNodes }) => leaderId >= 0 && isrNodes.length === replicaNodes.length))
    })
    for (const topic of ['plain', 'lone']) await this.produce(topic, 10)
    this.controllerId = (await this.cluster.metadata(0)).controllerId
    await this.cluster.zookeeper(async (session) => {
      this.controllerEpoch = Number((await session.get('/controller_epoch'))!.data!.toString())
      for (const id of this.cluster.brokerIds) {
        const { stat } = (await session.get(`/brokers/ids/${id}`))!
        this.brokerEpochs.set(id, stat.czxid)
      }
    })
    // The first block of producer ids.
    for (const id of [0, 1]) {
      await until('there are producer ids', 30_000, async () => (await this.cluster.ask<unknown, { errorCode: number }>(id, ApiKey.initProducerId, { transactionalId: null, transactionTimeoutMs: 1000 })).errorCode === 0)
    }
    // The internal topics, so that coordinators answer for themselves.
    for (const keyType of [0, 1]) {
      await until('the coordinator is there', 30_000, async () => {
        const answer = await this.cluster.ask<unknown, { coordinators: { errorCode: number }[] }>(0, ApiKey.findCoordinator, { keyType, coordinatorKeys: ['any'] })
        return answer.coordinators[0]!.errorCode === 0
      })
    }
  }

  port(to: Addressee): number {
    if (to === 'controller') return this.cluster.port(this.controllerId)
    if (to === 'other') return this.cluster.port(1 - this.controllerId)
    return this.cluster.port(to === 'leader' ? 0 : 1)
  }

  private async produce(topic: string, count: number): Promise<void> {
    const batch = new BatchBuilder({})
    for (let i = 0; i < count; i++) batch.append(Buffer.from(`key-${i}`), Buffer.from(`value-${i}`), [], 1_700_000_000_000 + i)
    const answer = await this.cluster.ask<ProduceRequest, ProduceResponse>(0, ApiKey.produce, {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: batch.build() }] }],
    })
    const { errorCode } = answer.responses[0]!.partitionResponses[0]!
    if (errorCode !== 0) throw new Error(`produce to ${topic}: ${errorCode}`)
  }
}
