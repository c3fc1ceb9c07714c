import type { ControlConnection } from '../../../../controller/channel'
import type { Broker } from '../../../../controller/context'
import { apiByKey } from '../../../../protocol/messages/apis'
import { decode, encode } from '../../../../protocol/messages/codec'
import type {
  LeaderAndIsrPartitionState, LeaderAndIsrRequest, LeaderAndIsrResponse,
} from '../../../../protocol/messages/leader-and-isr'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../../../../protocol/messages/list-offsets'
import type { MetadataRequest, MetadataResponse } from '../../../../protocol/messages/metadata'
import type { Input } from '../../../../protocol/messages/schema'
import type { StopReplicaRequest, StopReplicaResponse } from '../../../../protocol/messages/stop-replica'
import type {
  UpdateMetadataPartitionState, UpdateMetadataRequest, UpdateMetadataResponse,
} from '../../../../protocol/messages/update-metadata'

export interface SeenRequest {
  broker: number
  api: 'LeaderAndIsr' | 'UpdateMetadata' | 'StopReplica'
  version: number
  controllerEpoch: number
  request: LeaderAndIsrRequest | UpdateMetadataRequest | StopReplicaRequest
}

/** A broker as the control plane sees it: takes LeaderAndIsr, UpdateMetadata and StopReplica by Kafka's rules, and remembers. */
export class FakeBroker {
  readonly id: number
  /** Epoch of its registration; 0 while it has none. */
  epoch = 0
  /** Does not answer. */
  hung = false
  /** Refuses connections. */
  down = false
  /** `topic-partition` to the error code that LeaderAndIsr answers for it. */
  readonly errors = new Map<string, number>()
  /** The answer to this many StopReplica requests is lost after they were carried out. */
  loseStopReplies = 0
  readonly replicas = new Map<string, LeaderAndIsrPartitionState & { topicId: string }>()
  /** Logs on its disk, by `topic-partition`, with the topic's id: they survive a restart. */
  readonly logs = new Map<string, string>()
  /** How far its logs go, by `topic-partition`. */
  readonly ends = new Map<string, { leaderEpoch: number; endOffset: number }>()
  private readonly topicIds = new Map<string, string>()
  readonly metadata = new Map<string, UpdateMetadataPartitionState>()
  brokers: number[] = []
  readonly seen: SeenRequest[] = []
  private controllerEpoch = 0
  private toldEpoch = -1
  private readonly waiting: (() => void)[] = []

  constructor(id: number) {
    this.id = id
  }

  /** The process ends: what was in memory is gone. */
  restart(): void {
    this.replicas.clear()
    this.metadata.clear()
    this.brokers = []
    this.controllerEpoch = 0
    this.epoch = 0
    this.hung = false
    this.down = false
  }

  resume(): void {
    this.hung = false
    for (const wake of this.waiting.splice(0)) wake()
  }

  connection(broker: Broker): ControlConnection {
    let closed = false
    return {
      connect: async () => {
        if (this.down || this.epoch !== broker.epoch) throw new Error(`broker ${this.id} is not there`)
      },
      send: async <Request, Response>(apiKey: number, body: Request, options: { version: number }): Promise<Response> => {
        const api = apiByKey(apiKey)!
        // Through the wire's form and back, so that what cannot be sent is noticed.
        const request = decode(api.request, options.version, encode(api.request, options.version, body as Input<unknown>))
        if (this.hung) await new Promise<void>((resolve) => this.waiting.push(resolve))
        await new Promise<void>((resolve) => setImmediate(resolve))
        if (closed || this.down || this.epoch !== broker.epoch) throw new Error(`broker ${this.id} is gone`)
        const response = this.handle(api.name as SeenRequest['api'], options.version, request)
        return decode(
          api.response, options.version, encode(api.response, options.version, response as Input<unknown>),
        ) as Response
      },
      close: () => {
        closed = true
      },
    }
  }

  private handle(api: SeenRequest['api'] | 'Metadata' | 'ListOffsets', version: number, request: unknown): unknown {
    if (api === 'Metadata') return this.describe(request as MetadataRequest)
    if (api === 'ListOffsets') return this.listOffsets(request as ListOffsetsRequest)
    const { controllerEpoch, brokerEpoch } = request as { controllerEpoch: number; brokerEpoch: number }
    this.seen.push({ broker: this.id, api, version, controllerEpoch, request: request as SeenRequest['request'] })
    if (controllerEpoch < this.controllerEpoch) return { errorCode: 11 }
    if (brokerEpoch !== -1 && brokerEpoch < this.epoch) return { errorCode: 77 }
    this.controllerEpoch = controllerEpoch
    if (api === 'LeaderAndIsr') return this.leaderAndIsr(request as LeaderAndIsrRequest, version)
    if (api === 'UpdateMetadata') return this.updateMetadata(request as UpdateMetadataRequest)
    const response = this.stopReplica(request as StopReplicaRequest, version)
    if (this.loseStopReplies > 0) {
      this.loseStopReplies--
      throw new Error('the answer is lost')
    }
    return response
  }

  private describe(request: MetadataRequest): Input<MetadataResponse> {
    const known = [...this.metadata.values()]
    return {
      topics: request.topics!.map(({ name }) => {
        const partitions = known.filter((state) => state.topicName === name)
        const topicId = this.topicIds.get(name!)
        return {
          name, errorCode: partitions.length === 0 ? 3 : 0, ...(topicId === undefined ? {} : { topicId }),
          partitions: partitions.map(({ partitionIndex, leader, leaderEpoch, isr }) => ({
            partitionIndex, leaderId: leader, leaderEpoch, isrNodes: isr,
          })),
        }
      }),
    }
  }

  private listOffsets(request: ListOffsetsRequest): Input<ListOffsetsResponse> {
    const asks = (key: string): { errorCode: number; leaderEpoch: number; offset: number } => {
      const part = this.replicas.get(key)
      const end = this.ends.get(key)
      if (request.replicaId !== -2) return { errorCode: part?.leader === this.id ? 0 : 6, leaderEpoch: -1, offset: -1 }
      if (part === undefined && end === undefined) return { errorCode: 3, leaderEpoch: -1, offset: -1 }
      return { errorCode: 0, leaderEpoch: part?.leaderEpoch ?? end!.leaderEpoch, offset: end?.endOffset ?? 0 }
    }
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...asks(`${name}-${partitionIndex}`) })),
      })),
    }
  }

  private leaderAndIsr(request: LeaderAndIsrRequest, version: number): Input<LeaderAndIsrResponse> {
    const topics = version < 2
      ? request.ungroupedPartitionStates.map((state) => ({ topicName: state.topicName, topicId: '', partitionStates: [state] }))
      : request.topicStates
    const answers = topics.map(({ topicName, topicId, partitionStates }) => ({
      topicId, topicName,
      partitionErrors: partitionStates.map((state) => ({
        topicName, partitionIndex: state.partitionIndex, errorCode: this.takePart(topicName, topicId, state),
      })),
    }))
    if (version >= 5) return { topics: answers.map(({ topicId, partitionErrors }) => ({ topicId, partitionErrors })) }
    return { partitionErrors: answers.flatMap(({ partitionErrors }) => partitionErrors) }
  }

  private takePart(topic: string, topicId: string, state: LeaderAndIsrPartitionState): number {
    const key = `${topic}-${state.partitionIndex}`
    const error = this.errors.get(key)
    if (error !== undefined) return error
    const log = this.logs.get(key)
    if (log !== undefined && topicId !== '' && log !== topicId) return 103
    const known = this.replicas.get(key)
    if (known !== undefined && state.leaderEpoch < known.leaderEpoch) return 11
    this.replicas.set(key, { ...state, topicId })
    this.logs.set(key, topicId)
    return 0
  }

  private updateMetadata(request: UpdateMetadataRequest): Input<UpdateMetadataResponse> {
    // As broker/metadata does: a new registration is told everything anew.
    if (request.brokerEpoch > this.toldEpoch) this.metadata.clear()
    this.toldEpoch = request.brokerEpoch
    this.brokers = request.liveBrokers.map(({ id }) => id).sort((a, b) => a - b)
    const states = [
      ...request.ungroupedPartitionStates,
      ...request.topicStates.flatMap(
        ({ topicName, partitionStates }) => partitionStates.map((state) => ({ ...state, topicName })),
      ),
    ]
    for (const { topicName, topicId } of request.topicStates) this.topicIds.set(topicName, topicId)
    for (const state of states) {
      const key = `${state.topicName}-${state.partitionIndex}`
      if (state.leader === -2) this.metadata.delete(key)
      else this.metadata.set(key, state)
    }
    return {}
  }

  private stopReplica(request: StopReplicaRequest, version: number): Input<StopReplicaResponse> {
    const all = version >= 3
      ? request.topicStates.flatMap(({ topicName, partitionStates }) => partitionStates.map((state) => ({ ...state, topicName })))
      : version >= 1
        ? request.topics.flatMap(({ name, partitionIndexes }) => partitionIndexes.map((partitionIndex) => ({
            topicName: name, partitionIndex, deletePartition: request.deletePartitions,
          })))
        : request.ungroupedPartitions.map((state) => ({ ...state, deletePartition: request.deletePartitions }))
    return {
      partitionErrors: all.map(({ topicName, partitionIndex, deletePartition }) => {
        const key = `${topicName}-${partitionIndex}`
        const errorCode = this.errors.get(key) ?? 0
        if (errorCode === 0) {
          this.replicas.delete(key)
          if (deletePartition) this.logs.delete(key)
        }
        return { topicName, partitionIndex, errorCode }
      }),
    }
  }
}
