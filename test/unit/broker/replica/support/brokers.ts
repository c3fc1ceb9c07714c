import { MetadataCache, type BrokerNode } from '../../../../../broker/metadata/metadata-cache'
import {
  DEFAULT_REPLICA_CONFIG, NEWEST_REPLICATION_PROTOCOL, type ReplicaConfig, type ReplicaManagerOptions, type ReplicationProtocol,
  type TopicReplication,
} from '../../../../../broker/replica/options'
import type { LeaderConnection } from '../../../../../broker/replica/leader-connection'
import type { LogStore } from '../../../../../broker/replica/log-port'
import { ReplicaManager } from '../../../../../broker/replica/replica-manager'
import type { AppendResult, EpochResult, FetchPartition, FetchPartitionResult } from '../../../../../broker/replica/requests'
import { ErrorCode } from '../../../../../protocol/errors'
import type { AlterPartitionRequest, AlterPartitionResponse } from '../../../../../protocol/messages/alter-partition'
import type { Input } from '../../../../../protocol/messages/codec'
import { decode, encode } from '../../../../../protocol/messages/codec'
import { fetchRequest, fetchResponse, type FetchRequest, type FetchResponse } from '../../../../../protocol/messages/fetch'
import { leaderAndIsrRequest, type LeaderAndIsrRequest } from '../../../../../protocol/messages/leader-and-isr'
import { listOffsetsRequest, listOffsetsResponse } from '../../../../../protocol/messages/list-offsets'
import {
  offsetForLeaderEpochRequest, offsetForLeaderEpochResponse,
} from '../../../../../protocol/messages/offset-for-leader-epoch'
import { updateMetadataRequest, type UpdateMetadataRequest } from '../../../../../protocol/messages/update-metadata'
import type { RecordedEvent } from '../../../../../recording/events'
import { createLogger, silentLogger } from '../../../../../runtime/log'
import { TimerWheel } from '../../../../../runtime/timer-wheel'
import { Turn } from '../../../../../runtime/turn'
import type { Process, World } from '../../../../simulation/world/world'
import { ReplicationQuotas } from '../../../../../broker/quota/replication-quotas'
import { batch, FakeLog, FakeLogs } from './fake-log'

export const TOPIC = 't'
export const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const LISTENER = 'PLAINTEXT'

export interface BrokerSetup {
  config?: Partial<ReplicaConfig>
  protocol?: Partial<ReplicationProtocol>
  topic?: Partial<TopicReplication>
  options?: Partial<ReplicaManagerOptions>
  dirs?: string[]
  /** Limits of replication by their keys; all replicas of the topic are throttled. */
  limits?: Record<string, string>
}

/** One broker's replica manager over logs in memory, and what it did to the outside. */
export class TestBroker {
  readonly id: number
  readonly process: Process
  readonly logs: FakeLogs
  /** What the replica manager works on: `logs`, unless a test opens real ones. */
  store: LogStore
  metadata = new MetadataCache()
  readonly events: RecordedEvent[] = []
  readonly topic: TopicReplication = { minInsyncReplicas: 1, flushBeforeAck: false }
  epoch: number
  mayAct = true
  controllerEpoch = 1
  replicas!: ReplicaManager
  readonly proposals: Input<AlterPartitionRequest>[] = []
  alterPartition: (request: Input<AlterPartitionRequest>) => Promise<AlterPartitionResponse> = () => new Promise(() => {})
  confirm: (id: number, epoch: number) => Promise<boolean> = (_, epoch) => Promise.resolve(epoch === this.controllerEpoch)
  peers: Map<number, TestBroker> = new Map()
  /** False: requests to this broker fail. */
  isReachable = true
  isUp = true
  private readonly inbound = new Set<(error: Error) => void>()
  private readonly setup: BrokerSetup

  constructor(world: World, id: number, setup: BrokerSetup = {}) {
    this.id = id
    this.epoch = 100 + id
    this.setup = setup
    this.process = world.process(`broker-${id}`)
    this.logs = new FakeLogs(setup.dirs)
    this.store = this.logs
    Object.assign(this.topic, setup.topic)
    this.start()
  }

  /** Also after `process.kill()`: a new replica manager over the same logs. */
  start(): void {
    const { env } = this.process
    this.metadata = new MetadataCache()
    const quotas = new ReplicationQuotas(env.clock)
    const everywhere = { leaderReplicationThrottledReplicas: ['*'], followerReplicationThrottledReplicas: ['*'] }
    quotas.setTopic(TOPIC, this.id, everywhere)
    quotas.setLimits((key) => this.setup.limits?.[key])
    this.replicas = new ReplicaManager({
      env,
      turn: new Turn(env.clock),
      timers: new TimerWheel(env.clock),
      logger: process.env['REPLICA_LOG'] ? createLogger({ level: 'debug', name: String(this.id) }) : silentLogger,
      recorder: { record: (event) => void this.events.push(event) },
      brokerId: this.id,
      brokerEpoch: () => this.epoch,
      mayAct: () => this.mayAct,
      logs: this.store,
      metadata: this.metadata,
      config: { ...DEFAULT_REPLICA_CONFIG, ...this.setup.config },
      protocol: { ...NEWEST_REPLICATION_PROTOCOL, ...this.setup.protocol },
      topicReplication: () => this.topic,
      quotas,
      interBrokerListener: LISTENER,
      toController: (request) => {
        this.proposals.push(request)
        return this.alterPartition(request)
      },
      confirmController: (id, epoch) => this.confirm(id, epoch),
      connectToLeader: (node) => this.connect(node),
      ...this.setup.options,
    })
    this.replicas.startup()
  }

  log(partition = 0): FakeLog {
    return this.logs.get(TOPIC, partition)!
  }

  partition(partition = 0): NonNullable<ReturnType<ReplicaManager['partition']>> {
    return this.replicas.partition(TOPIC, partition)!
  }

  /** kill -9: what it asked and what was asked of it is never answered. */
  kill(): void {
    this.process.kill()
    for (const hangUp of [...this.inbound]) hangUp(new Error('connection reset'))
  }

  /** A connection that breaks when either side dies or cannot be reached. */
  async connect(node: BrokerNode): Promise<LeaderConnection> {
    const { incarnation } = this.process
    const peer = this.peers.get(node.id)!
    const pass = async (): Promise<TestBroker> => {
      await this.delay(1)
      // Nothing goes on in a process that was killed.
      if (this.process.incarnation !== incarnation) await new Promise(() => {})
      if (!peer.isUp || !peer.isReachable || !this.isReachable) throw new Error('unreachable')
      return peer
    }
    await pass()
    let close: (error: Error) => void = () => {}
    const closed = new Promise<never>((_, reject) => (close = reject))
    closed.catch(() => {})
    return {
      // Through the codec, so that what a version cannot say is lost here too.
      fetch: async (version, request, take) => {
        const to = await pass()
        const asked = decode(fetchRequest, version, encode(fetchRequest, version, request))
        const answer = await Promise.race([to.whileAlive(to.answerFetch(asked, version)), closed])
        const bytes = encode(fetchResponse, version, answer)
        await pass()
        try {
          return take(decode(fetchResponse, version, bytes))
        } finally {
          // The memory is used again.
          bytes.fill(0xdb)
        }
      },
      listOffsets: async (version, request) => {
        const to = await pass()
        const asked = decode(listOffsetsRequest, version, encode(listOffsetsRequest, version, request))
        const queries = asked.topics.flatMap(({ name, partitions }) =>
          partitions.map((each) => ({
            topic: name, partition: each.partitionIndex, timestamp: each.timestamp, currentLeaderEpoch: each.currentLeaderEpoch,
            maxOffsets: each.maxNumOffsets,
          })),
        )
        const { replicaId } = asked
        const results = to.replicas.listOffsets({ replicaId, isolation: 'logEnd', requestVersion: version }, queries)
        const topics = results.map(({ topic, partition, errorCode, timestamp, offset, leaderEpoch }) => ({
          name: topic,
          partitions: [{ partitionIndex: partition, errorCode, timestamp, offset, ...(version >= 4 && { leaderEpoch }) }],
        }))
        return decode(listOffsetsResponse, version, encode(listOffsetsResponse, version, { topics }))
      },
      offsetForLeaderEpoch: async (version, request) => {
        const to = await pass()
        const asked = decode(offsetForLeaderEpochRequest, version, encode(offsetForLeaderEpochRequest, version, request))
        const queries = asked.topics.flatMap(({ topic, partitions }) => partitions.map((each) => ({ topic, ...each })))
        const results = await new Promise<EpochResult[]>((resolve) => to.replicas.offsetsForLeaderEpoch(queries, resolve))
        const topics = results.map(({ topic, ...each }) => ({ topic, partitions: [each] }))
        return decode(offsetForLeaderEpochResponse, version, encode(offsetForLeaderEpochResponse, version, { topics }))
      },
      close: () => close(new Error('closed')),
    }
  }

  private whileAlive<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.inbound.add(reject)
      answer.then(resolve, reject).finally(() => this.inbound.delete(reject))
    })
  }

  private delay(ms: number): Promise<void> {
    return new Promise((resolve) => this.process.env.clock.timer(ms, resolve))
  }

  /** What broker/api does with a fetch. */
  answerFetch(request: FetchRequest, version: number): Promise<Input<FetchResponse>> {
    const context = this.replicas.fetchSessions.begin(request, version, this.metadata)
    return new Promise((resolve) => {
      if (context.errorCode !== ErrorCode.NONE) {
        resolve({ errorCode: context.errorCode })
        return
      }
      const replicaId = Math.max(request.replicaId, request.replicaState.replicaId)
      const { maxWaitMs, minBytes, maxBytes } = request
      this.replicas.fetch(
        {
          replicaId, replicaEpoch: request.replicaState.replicaEpoch, maxWaitMs, minBytes, maxBytes, hardMaxBytes: false,
          isolation: replicaId >= 0 ? 'logEnd' : 'highWatermark',
        },
        context.partitions,
        (results) => {
          const { errorCode, sessionId, results: changed } = context.finish(results)
          resolve({ errorCode, sessionId, responses: changed.map((each) => fetchAnswer(each)) })
        },
      )
    })
  }

  /** Appends and resolves with the answer. */
  produce(text: string, { acks = -1, timeoutMs = 5000, partition = 0, records = batch(text) } = {}): Promise<AppendResult> {
    return new Promise((resolve) => {
      this.replicas.append(
        {
          timeoutMs, acks, internalTopicsAllowed: false, origin: 'client', requestVersion: 11,
          partitions: [{ topic: TOPIC, partition, records }],
        },
        ([result]) => resolve(result!),
      )
    })
  }

  /** A consumer's fetch of one partition. */
  consume(fetchOffset: number, more: ConsumeInput = {}): Promise<FetchPartitionResult> {
    const { maxWaitMs = 0, minBytes = 1, replicaId = -1, ...request } = more
    return new Promise<FetchPartitionResult>((resolve) => {
      this.replicas.fetch(
        {
          replicaId, replicaEpoch: -1, maxWaitMs, minBytes, maxBytes: 1e6, hardMaxBytes: false,
          isolation: replicaId >= 0 ? 'logEnd' : 'highWatermark',
        },
        [{
          topic: TOPIC, topicId: TOPIC_ID, partition: 0, fetchOffset, logStartOffset: -1, maxBytes: 1e6, currentLeaderEpoch: -1,
          lastFetchedEpoch: -1, ...request,
        }],
        ([result]) => resolve(result!),
      )
    })
  }

  leaderAndIsr(state: StateInput, claim: Claim = {}, version = 7) {
    return this.replicas.becomeLeaderOrFollower(leaderAndIsr(this.epoch, state, claim, version), version)
  }

  /** The live brokers, and that there is a topic. */
  updateMetadata(brokers: number[], claim: Claim = {}) {
    const partitionStates = [{ partitionIndex: 0, leader: 1, leaderEpoch: 0, isr: [1], replicas: [1, 2, 3] }]
    const topicStates = [{ topicName: TOPIC, topicId: TOPIC_ID, partitionStates }]
    return this.replicas.updateMetadata(updateMetadata(this.epoch, brokers, claim, topicStates), 8)
  }
}

function fetchAnswer(result: FetchPartitionResult): NonNullable<Input<FetchResponse>['responses']>[number] {
  const { topic, topicId, partition: partitionIndex, errorCode, highWatermark, lastStableOffset, logStartOffset } = result
  const { divergingEpoch, records } = result
  const partition = { partitionIndex, errorCode, highWatermark, lastStableOffset, logStartOffset, records, divergingEpoch }
  return { topic, topicId, partitions: [partition] }
}

type ConsumeInput = Partial<FetchPartition> & { maxWaitMs?: number; minBytes?: number; replicaId?: number }

export interface StateInput {
  leader: number
  leaderEpoch: number
  partitionEpoch?: number
  isr?: number[]
  replicas?: number[]
  isNew?: boolean
  partition?: number
  topicId?: string
}

export interface Claim {
  controllerId?: number
  controllerEpoch?: number
  brokerEpoch?: number
}

export function leaderAndIsr(brokerEpoch: number, state: StateInput, claim: Claim = {}, version = 7): LeaderAndIsrRequest {
  const { leader, leaderEpoch, partitionEpoch = leaderEpoch, isr = [1, 2, 3], replicas = [1, 2, 3] } = state
  const { isNew = false, partition: partitionIndex = 0 } = state
  const { controllerEpoch = 1 } = claim
  const partitionStates = [
    { topicName: TOPIC, partitionIndex, controllerEpoch, leader, leaderEpoch, isr, partitionEpoch, replicas, isNew },
  ]
  const request: Input<LeaderAndIsrRequest> = {
    controllerId: 1,
    controllerEpoch: 1,
    brokerEpoch,
    ...claim,
    ...(version >= 2
      ? { topicStates: [{ topicName: TOPIC, topicId: state.topicId ?? TOPIC_ID, partitionStates }] }
      : { ungroupedPartitionStates: partitionStates }),
  }
  return decode(leaderAndIsrRequest, version, encode(leaderAndIsrRequest, version, request))
}

export function updateMetadata(
  brokerEpoch: number, brokers: number[], claim: Claim = {}, topicStates: Input<UpdateMetadataRequest>['topicStates'] = [],
): UpdateMetadataRequest {
  const request: Input<UpdateMetadataRequest> = {
    controllerId: 1,
    controllerEpoch: 1,
    brokerEpoch,
    ...claim,
    liveBrokers: brokers.map((id) => {
      const endpoint = { host: `h${id}`, port: 9000 + id, listener: LISTENER, securityProtocol: 0 }
      return { id, endpoints: [endpoint] }
    }),
    topicStates,
  }
  return decode(updateMetadataRequest, 8, encode(updateMetadataRequest, 8, request))
}

/** Brokers 1..n that reach one another. */
export function brokers(world: World, count: number, setup: BrokerSetup = {}): TestBroker[] {
  const all = Array.from({ length: count }, (_, i) => new TestBroker(world, i + 1, setup))
  for (const broker of all) broker.peers = new Map(all.map((each) => [each.id, each]))
  return all
}

/** Tells each of them of all of them, and of the partition's state. */
export async function elect(
  world: World,
  all: readonly TestBroker[],
  state: StateInput,
  live = all.map((each) => each.id),
): Promise<void> {
  for (const broker of all) {
    if (!live.includes(broker.id)) continue
    await world.settle(broker.updateMetadata(live), 1000, 'metadata')
    await world.settle(broker.leaderAndIsr({ replicas: all.map((each) => each.id), ...state }), 1000, 'LeaderAndIsr')
  }
}
