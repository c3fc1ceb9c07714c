import { metadataVersionRules } from '../protocol/rules/metadata-version'
import type { MetadataVersionRules } from '../protocol/rules/metadata-version'
import type { Recorder } from '../recording/events'
import type { Logger } from '../runtime/log'
import type { Environment, Timer } from '../runtime/ports'
import { slicesOf } from '../runtime/slices'
import { configPath, decodeConfig } from '../zk-schema/configs'
import type { ZooKeeperSession } from '../zk-schema/session/session'
import { ZnodeFormatError } from '../zk-schema/znode-json'
import type { ControlConnection, ControlReply } from './channel'
import { ChannelManager } from './channel-manager'
import type { ControllerConfig } from './config'
import { ControllerContext } from './context'
import type { Broker } from './context'
import type { ControllerEvent } from './events/event'
import { LeadershipWriter } from './leadership-writer'
import { Loader } from './load'
import { Repairs } from './repairs'
import { StateChanges } from './state-changes'
import { TopicDeletion } from './topic-deletion'
import { Watches } from './watches'
import { ZkWriter } from './zk-writer'

/** A state that was found spoilt is looked after this soon, and all others with it. */
const SPOILT_STATE_MS = 500

export interface TermParts {
  env: Environment
  brokerId: number
  config: ControllerConfig
  session: ZooKeeperSession
  /** Of this controller. */
  epoch: number
  /** Version of /controller_epoch since its election: the fence of every write. */
  epochVersion: number
  put(event: ControllerEvent): void
  connect(broker: Broker): ControlConnection
  logger: Logger
  recorder: Recorder
}

/**
 * One term of office, from an election won to its end: all that the active controller knows and works with. It is thrown away
 * as a whole, so that nothing of one term can leak into the next.
 */
export class Term {
  readonly env: Environment
  readonly brokerId: number
  readonly config: ControllerConfig
  readonly session: ZooKeeperSession
  readonly epoch: number
  readonly rules: MetadataVersionRules
  readonly logger: Logger
  readonly recorder: Recorder
  readonly context = new ControllerContext()
  readonly watches: Watches
  readonly writer: ZkWriter
  readonly loader: Loader
  readonly leadership: LeadershipWriter
  readonly channels: ChannelManager
  readonly changes: StateChanges
  readonly deletion: TopicDeletion
  readonly repairs = new Repairs()
  /** The event in process, for the recording. */
  cause = ''
  /** What the event that is being handled turned out to be about. */
  detail = ''
  /** The stale broker epoch under which AlterPartition was refused last: epochs are never given twice. */
  refusedEpoch = -1
  /** Where the next comparison of partition states begins. */
  reconcileCursor = 0
  private readonly parts: TermParts
  private readonly timers = new Map<string, Timer>()
  private over = false

  constructor(parts: TermParts) {
    const { env, brokerId, config, session, epoch, epochVersion, logger, recorder } = parts
    this.parts = parts
    this.env = env
    this.brokerId = brokerId
    this.config = config
    this.session = session
    this.epoch = epoch
    this.rules = metadataVersionRules(config.interBrokerVersion)
    this.logger = logger.child({ controllerEpoch: epoch })
    this.recorder = recorder
    this.watches = new Watches(session, (event) => this.put(event))
    this.writer = new ZkWriter(
      { session, clock: env.clock, epochVersion, secureAcls: config.zooKeeperSetAcl, logger: this.logger, recorder },
    )
    this.loader = new Loader(session, this.watches, this.logger)
    this.leadership = new LeadershipWriter(session, this.writer, epoch, this.logger, slicesOf(env.clock), () => {
      this.putLater('reconcile', SPOILT_STATE_MS, { kind: 'Reconcile' })
    })
    this.channels = new ChannelManager({
      clock: env.clock, controllerId: brokerId, controllerEpoch: epoch, level: this.rules,
      interBrokerListener: config.interBrokerListener,
      connect: (broker) => parts.connect(broker),
      mayAct: () => session.mayAct(),
      onReply: (broker, reply) => this.onReply(broker, reply),
      requestTimeoutMs: config.socketTimeoutMs, logger: this.logger, recorder,
    })
    this.changes = new StateChanges({
      context: this.context, leadership: this.leadership, controllerEpoch: epoch, recoveryState: this.rules.leaderRecoveryState,
      uncleanTopics: (topics) => this.uncleanTopics(topics),
      send: (batch) => this.channels.send(batch),
      slices: slicesOf(env.clock),
      cause: () => this.cause,
      logger: this.logger, recorder,
    })
    this.deletion = new TopicDeletion(this)
  }

  /** A connection of its own, for questions. */
  connect(broker: Broker): ControlConnection {
    return this.parts.connect(broker)
  }

  get isOver(): boolean {
    return this.over
  }

  put(event: ControllerEvent): void {
    if (!this.over) this.parts.put(event)
  }

  /** Puts the event after a while, unless the term is over then. A second timer of one name replaces the first. */
  putLater(name: string, delayMs: number, event: ControllerEvent): void {
    this.timers.get(name)?.cancel()
    const timer = this.env.clock.timer(delayMs, () => {
      this.timers.delete(name)
      this.put(event)
    })
    this.timers.set(name, timer)
  }

  isWaitingFor(name: string): boolean {
    return this.timers.has(name)
  }

  /** Ends everything that would go on by itself: watches, timers, channels with what waits in them. */
  end(): void {
    this.over = true
    this.watches.end()
    for (const timer of this.timers.values()) timer.cancel()
    this.timers.clear()
    this.channels.end()
  }

  /** Those of the topics for which unclean.leader.election.enable is true, by their own configuration or by default. */
  private async uncleanTopics(topics: Set<string>): Promise<Set<string>> {
    const names = [...topics]
    const paths = names.map((name) => configPath('topics', name))
    const nodes = await this.session.getMany(paths)
    const byDefault = this.config.topicDefaults().uncleanLeaderElectionEnable
    return new Set(names.filter((_, index) => {
      try {
        const own = decodeConfig(paths[index]!, nodes[index]?.data ?? null).get('unclean.leader.election.enable')
        return own === undefined ? byDefault : own.trim().toLowerCase() === 'true'
      } catch (error) {
        if (!(error instanceof ZnodeFormatError)) throw error
        this.logger.warn(
          { path: error.path, reason: error.message }, 'the configuration of a topic cannot be read, no unclean election for it',
        )
        return false
      }
    }))
  }

  private onReply(broker: Broker, reply: ControlReply): void {
    const from = { broker: broker.id, brokerEpoch: broker.epoch, controllerEpoch: this.epoch }
    switch (reply.api) {
      case 'LeaderAndIsr':
        return this.put({ kind: 'LeaderAndIsrResponseReceived', ...from, reply })
      case 'UpdateMetadata':
        return this.put({ kind: 'UpdateMetadataResponseReceived', ...from, reply })
      case 'StopReplica':
        return this.put({ kind: 'StopReplicaResponseReceived', ...from, reply })
    }
  }
}
