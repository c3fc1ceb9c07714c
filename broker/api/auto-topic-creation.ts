import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, errorName } from '../../protocol/errors'
import { GROUP_METADATA_TOPIC, TRANSACTION_STATE_TOPIC, validateTopicName } from '../../protocol/rules/topic-name'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/create-topics'
import type { Input } from '../../protocol/messages/schema'
import type { Logger } from '../../runtime/log'
import type { Clock } from '../../runtime/ports'
import type { MutationAllowance } from '../quota/mutation-quota'
import type { KafkaConfig } from '../config/kafka-config'
import type { ToController } from './to-controller'

/** Topics that are being created at a time; more wait for the client's next attempt. */
const MAX_IN_FLIGHT = 1000
/** Clients ask again many times a second; the controller is not, if it has just refused. */
const REFUSAL_MS = 1000

/** What is known of topics at once, and what the controller is still asked. */
export interface Creation {
  known: Map<string, number>
  pending: readonly [name: string, errorCode: Promise<number>][]
}

/**
 * Creates topics that somebody asked for: what a client named in Metadata, and the internal topics when their first
 * coordinator is looked for. Kafka's brokers write the znodes themselves, and race; ours ask the controller by CreateTopics
 * (known-problems 2.2, 4.6).
 */
export class AutoTopicCreation {
  private readonly config: KafkaConfig
  private readonly toController: ToController
  private readonly logger: Logger
  private readonly clock: Clock
  private readonly inFlight = new Map<string, Promise<number>>()
  private readonly refusals = new Map<string, { errorCode: number; untilMs: number }>()

  constructor(options: { config: KafkaConfig; toController: ToController; clock: Clock; logger: Logger }) {
    this.config = options.config
    this.toController = options.toController
    this.clock = options.clock
    this.logger = options.logger
  }

  /**
   * What a Metadata answer says per topic: LEADER_NOT_AVAILABLE when it is being created (the client asks again),
   * INVALID_TOPIC_EXCEPTION, INVALID_REPLICATION_FACTOR and so on when it cannot be. `pending` never reject, and are few.
   * `allowance` is charged with what is asked for now; it is never refused.
   */
  create(names: readonly string[], allowance?: MutationAllowance): Creation {
    const known = new Map<string, number>()
    const fresh: string[] = []
    const pending: [string, Promise<number>][] = []
    for (const name of names) {
      const running = this.inFlight.get(name)
      const refused = this.refusals.get(name)
      if (running !== undefined) pending.push([name, running])
      else if (refused !== undefined && refused.untilMs > this.clock.monoMs()) known.set(name, refused.errorCode)
      else if (validateTopicName(name) !== undefined) known.set(name, ErrorCode.INVALID_TOPIC_EXCEPTION)
      else if (this.inFlight.size + fresh.length >= MAX_IN_FLIGHT) known.set(name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      else fresh.push(name)
    }
    if (fresh.length === 0) return { known, pending }
    for (const name of fresh) allowance?.record(this.creatable(name).numPartitions ?? 0)
    const outcome = this.ask(fresh)
    for (const name of fresh) {
      const result = outcome.then((byName) => byName.get(name) ?? ErrorCode.LEADER_NOT_AVAILABLE)
      this.inFlight.set(name, result)
      pending.push([name, result])
    }
    void outcome.then(() => {
      for (const name of fresh) this.inFlight.delete(name)
    })
    return { known, pending }
  }

  private async ask(names: readonly string[]): Promise<Map<string, number>> {
    const results = new Map<string, number>()
    try {
      const request: Input<CreateTopicsRequest> = {
        topics: names.map((name) => this.creatable(name)),
        timeoutMs: this.config.requestTimeoutMs,
      }
      const answer = await this.toController.send<CreateTopicsRequest, CreateTopicsResponse>(ApiKey.createTopics, request)
      for (const { name, errorCode, errorMessage } of answer.topics) {
        // It exists or it will: a leader comes with the metadata.
        const isThere =
          errorCode === ErrorCode.NONE ||
          errorCode === ErrorCode.TOPIC_ALREADY_EXISTS ||
          errorCode === ErrorCode.REQUEST_TIMED_OUT
        if (!isThere) this.refused(name, errorCode, errorMessage)
        // The clients of this broker are too many for its own quota: those who ask again may succeed.
        const isLater = isThere || errorCode === ErrorCode.THROTTLING_QUOTA_EXCEEDED
        results.set(name, isLater ? ErrorCode.LEADER_NOT_AVAILABLE : errorCode)
      }
    } catch (error) {
      this.logger.warn({ topics: names, err: error }, 'the controller could not be asked to create topics')
    }
    return results
  }

  private refused(topic: string, errorCode: number, errorMessage: string | null): void {
    if (this.refusals.size >= MAX_IN_FLIGHT) this.refusals.clear()
    this.refusals.set(topic, { errorCode, untilMs: this.clock.monoMs() + REFUSAL_MS })
    this.logger.warn({ topic, error: errorName(errorCode), errorMessage }, 'a topic could not be created automatically')
  }

  private creatable(name: string): Input<CreateTopicsRequest['topics'][number]> {
    const { config } = this
    if (name === GROUP_METADATA_TOPIC) {
      return {
        name,
        numPartitions: config.offsetsTopicPartitions,
        replicationFactor: config.offsetsTopicReplicationFactor,
        configs: [
          { name: 'cleanup.policy', value: 'compact' },
          { name: 'segment.bytes', value: String(config.offsetsTopicSegmentBytes) },
          { name: 'compression.type', value: 'producer' },
        ],
      }
    }
    if (name === TRANSACTION_STATE_TOPIC) {
      return {
        name,
        numPartitions: config.transactionTopicPartitions,
        replicationFactor: config.transactionTopicReplicationFactor,
        configs: [
          { name: 'cleanup.policy', value: 'compact' },
          { name: 'compression.type', value: 'uncompressed' },
          { name: 'min.insync.replicas', value: String(config.transactionTopicMinIsr) },
          { name: 'segment.bytes', value: String(config.transactionTopicSegmentBytes) },
          { name: 'unclean.leader.election.enable', value: 'false' },
        ],
      }
    }
    return { name, numPartitions: config.numPartitions, replicationFactor: config.defaultReplicationFactor }
  }
}
