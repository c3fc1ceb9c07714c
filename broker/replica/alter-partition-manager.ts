import type { Input } from '../../protocol/messages/codec'
import type {
  AlterPartitionRequest, AlterPartitionRequestTopicData, AlterPartitionResponse, AlterPartitionResponsePartitionData,
} from '../../protocol/messages/alter-partition'
import { ErrorCode, errorName } from '../../protocol/errors'
import type { Logger } from '../../runtime/log'
import type { Clock, Timer } from '../../runtime/ports'
import type { IsrProposalRequest } from './partition-context'

const RETRY_BACKOFF_MS = 50
/** In back-offs: a second. */
const LONGEST_PAUSE = 20
const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The controller's answer to one proposal; with NONE the state that ZooKeeper now holds. */
export interface ProposalAnswer {
  errorCode: number
  leaderId: number
  leaderEpoch: number
  isr: readonly number[]
  partitionEpoch: number
}

const NOT_ANSWERED: ProposalAnswer = {
  errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, leaderId: -1, leaderEpoch: -1, isr: [], partitionEpoch: -1,
}

interface Proposal {
  request: IsrProposalRequest
  done: (answer: ProposalAnswer) => void
}

interface AlterPartitionManagerOptions {
  clock: Clock
  logger: Logger
  brokerId: number
  brokerEpoch(): number
  toController(request: Input<AlterPartitionRequest>): Promise<AlterPartitionResponse>
}

/**
 * Brings the leaders' proposals for their ISRs to the controller (KIP-497): one request in flight, which holds all that waited;
 * again after 50 ms for as long as there is no answer. One proposal per partition waits at a time, the newest.
 *
 * A broker that the controller has given up (its session is over, and it does not know; or ZooKeeper is out of its reach) is
 * refused until it has registered again: it asks less and less often, and at once under its next epoch.
 */
export class AlterPartitionManager {
  private readonly options: AlterPartitionManagerOptions
  private waiting = new Map<string, Proposal>()
  private inFlight = false
  private timer: Timer | undefined
  private closed = false
  /** The epoch that was refused last, and how often in a row. */
  private stale = { epoch: -1, refusals: 0 }

  constructor(options: AlterPartitionManagerOptions) {
    this.options = options
  }

  get size(): number {
    return this.waiting.size
  }

  /** `done` is called once with the answer, or never if a newer proposal of the partition takes its place. */
  submit(request: IsrProposalRequest, done: (answer: ProposalAnswer) => void): void {
    if (this.closed) return
    this.waiting.set(keyOf(request.topic, request.partition), { request, done })
    this.send()
  }

  close(): void {
    this.closed = true
    this.timer?.cancel()
    this.waiting.clear()
  }

  private send(): void {
    if (this.inFlight || this.timer !== undefined || this.closed || this.waiting.size === 0) return
    const proposals = this.waiting
    this.waiting = new Map()
    this.inFlight = true
    const epoch = this.options.brokerEpoch()
    const request = requestOf(proposals.values(), this.options.brokerId, epoch)
    this.options.toController(request).then(
      (response) => this.answered(proposals, response, epoch),
      (error: unknown) => {
        this.options.logger.debug({ error: String(error) }, 'no answer to AlterPartition')
        this.repeat(proposals)
      },
    )
  }

  private answered(proposals: Map<string, Proposal>, response: AlterPartitionResponse, epoch: number): void {
    if (this.closed) return
    if (response.errorCode === ErrorCode.STALE_BROKER_EPOCH) {
      this.refusedEpoch(epoch)
      this.repeat(proposals, Math.min(2 ** (this.stale.refusals - 1), LONGEST_PAUSE))
      return
    }
    if (response.errorCode !== ErrorCode.NONE) {
      this.options.logger.warn({ error: errorName(response.errorCode) }, 'the controller refused AlterPartition')
      this.repeat(proposals)
      return
    }
    const answers = answersByPartition(proposals, response)
    const resultOf = (key: string): ProposalAnswer => answers.get(key) ?? NOT_ANSWERED
    this.inFlight = false
    // Who was refused may propose again at once: the controller is not asked faster than the back-off.
    if ([...proposals.keys()].some((key) => resultOf(key).errorCode !== ErrorCode.NONE)) this.pause()
    for (const [key, proposal] of proposals) proposal.done(resultOf(key))
    this.send()
  }

  private refusedEpoch(epoch: number): void {
    const isFirst = this.stale.epoch !== epoch
    this.stale = { epoch, refusals: isFirst ? 1 : Math.min(this.stale.refusals + 1, LONGEST_PAUSE) }
    const error = errorName(ErrorCode.STALE_BROKER_EPOCH)
    this.options.logger[isFirst ? 'warn' : 'debug']({ error, epoch }, 'the controller refused AlterPartition')
  }

  private repeat(proposals: Map<string, Proposal>, backOffs = 1): void {
    this.inFlight = false
    for (const [key, proposal] of proposals) if (!this.waiting.has(key)) this.waiting.set(key, proposal)
    this.pause(backOffs)
  }

  /** As many back-offs; one if this broker registers meanwhile, or has since it was refused. */
  private pause(backOffs = 1): void {
    if (this.closed || this.timer !== undefined) return
    this.timer = this.options.clock.timer(RETRY_BACKOFF_MS, () => {
      this.timer = undefined
      if (backOffs > 1 && this.options.brokerEpoch() === this.stale.epoch) this.pause(backOffs - 1)
      else this.send()
    })
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

function requestOf(proposals: Iterable<Proposal>, brokerId: number, brokerEpoch: number): Input<AlterPartitionRequest> {
  const topics = new Map<string, AlterPartitionRequestTopicData>()
  for (const { request } of proposals) {
    let topic = topics.get(request.topic)
    if (topic === undefined) {
      topic = { topicName: request.topic, topicId: request.topicId ?? ZERO_UUID, partitions: [] }
      topics.set(request.topic, topic)
    }
    topic.partitions.push({
      partitionIndex: request.partition,
      leaderEpoch: request.leaderEpoch,
      newIsr: request.isr.map(({ brokerId: id }) => id),
      newIsrWithEpochs: [...request.isr],
      leaderRecoveryState: 0,
      partitionEpoch: request.partitionEpoch,
    })
  }
  return { brokerId, brokerEpoch, topics: [...topics.values()] }
}

function answersByPartition(
  proposals: Map<string, Proposal>,
  response: AlterPartitionResponse,
): Map<string, AlterPartitionResponsePartitionData> {
  const namesById = new Map<string, string>()
  for (const { request } of proposals.values()) {
    if (request.topicId !== undefined) namesById.set(request.topicId, request.topic)
  }
  const answers = new Map<string, AlterPartitionResponsePartitionData>()
  for (const topic of response.topics) {
    const name = topic.topicName !== '' ? topic.topicName : namesById.get(topic.topicId)
    if (name === undefined) continue
    for (const partition of topic.partitions) answers.set(keyOf(name, partition.partitionIndex), partition)
  }
  return answers
}

/** The highest version that can say all of `request`: topics without an id need names, which end with version 1. */
export function highestAlterPartitionVersion(request: Input<AlterPartitionRequest>): number {
  return (request.topics ?? []).some((topic) => (topic.topicId ?? ZERO_UUID) === ZERO_UUID) ? 1 : 3
}

/** `request` with only what `version` has: the ISR with epochs from 3 on, without before. */
export function alterPartitionForVersion(request: Input<AlterPartitionRequest>, version: number): Input<AlterPartitionRequest> {
  const topics = (request.topics ?? []).map((topic) => ({
    ...topic,
    partitions: (topic.partitions ?? []).map((partition) =>
      version >= 3 ? { ...partition, newIsr: [] } : { ...partition, newIsrWithEpochs: [] },
    ),
  }))
  return { ...request, topics }
}
