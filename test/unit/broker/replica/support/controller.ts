import type { AlterPartitionRequest, AlterPartitionResponse, BrokerState } from '../../../../../protocol/messages/alter-partition'
import type { Input } from '../../../../../protocol/messages/codec'
import { ErrorCode } from '../../../../../protocol/errors'
import type { Process, World } from '../../../../simulation/world/world'
import { TOPIC_ID, type TestBroker } from './brokers'

/** The state znode of the one partition. */
export interface Znode {
  leader: number
  leaderEpoch: number
  isr: number[]
  partitionEpoch: number
}

/**
 * A controller and its ZooKeeper, as far as one partition needs them: registrations, elections, AlterPartition. It never fails,
 * but its messages take their time, and proposals or their answers get lost.
 */
export class ModelController {
  readonly znode: Znode
  /** Registered brokers: id to czxid. */
  readonly live = new Map<number, number>()
  lossRate = 0
  private readonly world: World
  private readonly process: Process
  private readonly brokers: ReadonlyMap<number, TestBroker>
  private readonly replicas: number[]
  private czxid = 1000
  /** Per broker: its messages arrive in order. */
  private readonly nextDelivery = new Map<number, number>()

  constructor(world: World, brokers: ReadonlyMap<number, TestBroker>) {
    this.world = world
    this.process = world.process('controller')
    this.brokers = brokers
    this.replicas = [...brokers.keys()]
    this.znode = { leader: -1, leaderEpoch: 0, isr: [...this.replicas], partitionEpoch: 0 }
    for (const broker of brokers.values()) {
      broker.alterPartition = (request) => this.alterPartition(broker, request)
    }
  }

  /** The broker registers, perhaps again: an earlier registration ends at that moment. */
  register(id: number): void {
    if (this.live.has(id)) this.expire(id)
    this.live.set(id, ++this.czxid)
    const broker = this.brokers.get(id)!
    broker.epoch = this.czxid
    broker.mayAct = true
    this.tellMetadata()
    this.electIfNeeded()
    this.tell(id)
  }

  /** The broker's session ends. */
  expire(id: number): void {
    if (!this.live.delete(id)) return
    const { znode } = this
    const left = znode.isr.filter((each) => each !== id)
    if (znode.isr.includes(id) && left.length > 0) {
      znode.isr = left
      this.newEpoch(znode.leader === id ? -1 : znode.leader)
    } else if (znode.leader === id) {
      this.newEpoch(-1)
    }
    this.electIfNeeded()
    this.tellMetadata()
    this.tellAll()
  }

  /** Gives the leadership to another member of the ISR. */
  move(random: { below(bound: number): number }): void {
    const candidates = this.znode.isr.filter((id) => this.live.has(id) && id !== this.znode.leader)
    if (candidates.length === 0) return
    this.newEpoch(candidates[random.below(candidates.length)]!)
    this.tellAll()
  }

  private electIfNeeded(): void {
    if (this.znode.leader !== -1) return
    const leader = this.replicas.find((id) => this.znode.isr.includes(id) && this.live.has(id))
    if (leader === undefined) return
    this.newEpoch(leader)
    this.tellAll()
  }

  private newEpoch(leader: number): void {
    this.znode.leader = leader
    this.znode.leaderEpoch++
    this.znode.partitionEpoch++
    this.world.note(this.process, `leader ${leader} epoch ${this.znode.leaderEpoch} isr ${this.znode.isr.join()}`)
  }

  private tellAll(): void {
    for (const id of this.live.keys()) this.tell(id)
  }

  private tell(id: number): void {
    const { leader, leaderEpoch, isr, partitionEpoch } = this.znode
    const state = { leader, leaderEpoch, isr: [...isr], partitionEpoch, replicas: this.replicas }
    this.deliver(id, (broker) => void broker.leaderAndIsr(state))
  }

  private tellMetadata(): void {
    const live = [...this.live.keys()]
    for (const id of live) this.deliver(id, (broker) => void broker.updateMetadata(live))
  }

  private deliver(id: number, send: (broker: TestBroker) => void): void {
    const czxid = this.live.get(id)
    const atMs = Math.max(this.nextDelivery.get(id) ?? 0, this.world.nowMs + this.delayMs())
    this.nextDelivery.set(id, atMs)
    this.world.plan(this.process, atMs - this.world.nowMs, () => {
      const broker = this.brokers.get(id)!
      if (broker.isUp && this.live.get(id) === czxid) send(broker)
    })
  }

  private delayMs(): number {
    const { random } = this.process.env
    return random.below(3) === 0 ? random.below(600) : random.below(10)
  }

  private isLost(): boolean {
    return this.process.env.random.next() < this.lossRate
  }

  private after<T>(ms: number, give: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.world.plan(this.process, ms, () => {
        try {
          resolve(give())
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  private async alterPartition(broker: TestBroker, request: Input<AlterPartitionRequest>): Promise<AlterPartitionResponse> {
    const { incarnation } = broker.process
    if (this.isLost()) return this.after(100, () => fail('request lost'))
    const response = await this.after(this.delayMs(), () => this.decide(broker.id, request))
    const isAnswerLost = this.isLost()
    return this.after(this.delayMs(), () => {
      if (isAnswerLost) fail('answer lost')
      // A process that was killed gets no answer.
      if (broker.process.incarnation !== incarnation) fail('killed')
      return response
    })
  }

  private decide(brokerId: number, request: Input<AlterPartitionRequest>): AlterPartitionResponse {
    if (request.brokerEpoch !== this.live.get(brokerId)) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.STALE_BROKER_EPOCH, topics: [] }
    }
    const { leaderEpoch = -1, partitionEpoch = -1, newIsrWithEpochs = [] } = request.topics![0]!.partitions![0]!
    const { znode } = this
    const isr = newIsrWithEpochs.map((each) => each.brokerId!)
    const isSame = [...isr].sort().join() === [...znode.isr].sort().join()
    let errorCode: number = ErrorCode.NONE
    if (leaderEpoch > znode.leaderEpoch || partitionEpoch > znode.partitionEpoch) errorCode = ErrorCode.NOT_CONTROLLER
    else if (leaderEpoch < znode.leaderEpoch) errorCode = ErrorCode.FENCED_LEADER_EPOCH
    else if (isSame) errorCode = ErrorCode.NONE
    else if (partitionEpoch < znode.partitionEpoch) errorCode = ErrorCode.INVALID_UPDATE_VERSION
    else if (!newIsrWithEpochs.every((each) => this.isEligible(each))) errorCode = ErrorCode.INELIGIBLE_REPLICA
    else {
      znode.isr = isr
      znode.partitionEpoch++
      this.world.note(this.process, `isr ${isr.join()} partition epoch ${znode.partitionEpoch}`)
    }
    const state = { leaderId: znode.leader, leaderRecoveryState: 0, ...znode, isr: [...znode.isr] }
    const partitions = [{ partitionIndex: 0, errorCode, ...state }]
    return { throttleTimeMs: 0, errorCode: 0, topics: [{ topicName: '', topicId: TOPIC_ID, partitions }] }
  }

  private isEligible({ brokerId = -1, brokerEpoch = -1 }: Input<BrokerState>): boolean {
    const czxid = this.live.get(brokerId)
    return czxid !== undefined && (brokerEpoch === -1 || brokerEpoch === czxid)
  }
}

function fail(message: string): never {
  throw new Error(message)
}
