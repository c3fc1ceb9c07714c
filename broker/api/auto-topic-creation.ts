import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode } from '../../protocol/errors'
import { validateTopicName } from '../../protocol/rules/topic-name'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/create-topics'
import type { Input } from '../../protocol/messages/schema'
import type { Logger } from '../../runtime/log'
import type { KafkaConfig } from '../config/kafka-config'
import type { ToController } from './to-controller'

export const GROUP_METADATA_TOPIC = '__consumer_offsets'
export const TRANSACTION_STATE_TOPIC = '__transaction_state'

/** Topics that are being created at a time; more wait for the client's next attempt. */
const MAX_IN_FLIGHT = 1000

/**
 * Creates topics that somebody asked for: what a client named in Metadata, and the internal topics when their first coordinator is
 * looked for. Kafka's brokers write the znodes themselves, and race; ours ask the controller by CreateTopics (known-problems 2.2, 4.6).
 */
export class AutoTopicCreation {
  private readonly config: KafkaConfig
  private readonly toController: ToController
  private readonly logger: Logger
  private readonly inFlight = new Map<string, Promise<number>>()

  constructor(config: KafkaConfig, toController: ToController, logger: Logger) {
    this.config = config
    this.toController = toController
    this.logger = logger
  }

  /**
   * Resolves with what a Metadata answer says per topic: LEADER_NOT_AVAILABLE when it is being created (the client asks again),
   * INVALID_TOPIC_EXCEPTION, INVALID_REPLICATION_FACTOR and so on when it cannot be. Never rejects.
   */
  async create(names: readonly string[]): Promise<Map<string, number>> {
    const results = new Map<string, number>()
    const fresh: string[] = []
    const pending: [string, Promise<number>][] = []
    for (const name of names) {
      const running = this.inFlight.get(name)
      if (running !== undefined) pending.push([name, running])
      else if (validateTopicName(name) !== undefined) results.set(name, ErrorCode.INVALID_TOPIC_EXCEPTION)
      else if (this.inFlight.size + fresh.length >= MAX_IN_FLIGHT) results.set(name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      else fresh.push(name)
    }
    if (fresh.length > 0) {
      const outcome = this.ask(fresh)
      for (const name of fresh) {
        const result = outcome.then((byName) => byName.get(name) ?? ErrorCode.LEADER_NOT_AVAILABLE)
        this.inFlight.set(name, result)
        pending.push([name, result])
      }
      void outcome.then(() => {
        for (const name of fresh) this.inFlight.delete(name)
      })
    }
    for (const [name, result] of pending) results.set(name, await result)
    return results
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
          errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS || errorCode === ErrorCode.REQUEST_TIMED_OUT
        if (!isThere) this.logger.warn({ topic: name, errorCode, errorMessage }, 'a topic could not be created automatically')
        results.set(name, isThere ? ErrorCode.LEADER_NOT_AVAILABLE : errorCode)
      }
    } catch (error) {
      this.logger.warn({ topics: names, err: error }, 'the controller could not be asked to create topics')
    }
    return results
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
