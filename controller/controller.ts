import type { Recorder } from '../recording/events'
import type { Logger } from '../runtime/log'
import type { Metrics } from '../runtime/metrics'
import type { Environment, Timer } from '../runtime/ports'
import type { SessionKeeper } from '../zk-schema/session/keeper'
import type { ZooKeeperSession } from '../zk-schema/session/session'
import { controllerPath } from '../zk-schema/controller'
import type { ControlConnection } from './channel'
import { Completion } from './completion'
import type { ControllerConfig } from './config'
import type { Broker } from './context'
import { readOffice, resignController, runForController } from './election'
import { ControllerMovedError, isSessionLost, StaleEpochError } from './errors'
import { EventQueue } from './event-queue'
import { detailOf } from './events/detail'
import { coalesceKey, isRequest, LANE_OF } from './events/event'
import type {
  AnswerOf, ControllerEvent, MutationAllowance, OfficeEventKind, RequestEvent, RequestKind, RequestTypes,
} from './events/event'
import { HANDLERS } from './events/handlers'
import type { TermEventKind } from './events/handlers'
import { REFUSALS } from './events/refusals'
import { failOver } from './failover'
import { registerMetrics } from './metrics'
import { memorySnapshot } from './snapshot'
import { Term } from './term'

export interface ControllerOptions {
  brokerId: number
  keeper: SessionKeeper
  config: ControllerConfig
  /** A connection to a broker, for control requests: to its control plane listener if there is one, else the inter-broker one. */
  connect(broker: Broker): ControlConnection
  /** Writes this broker's registration under the present session, after the former one expired. */
  registerBroker(): Promise<void>
  logger: Logger
  recorder: Recorder
  metrics?: Metrics
}

const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 30_000
/** A term that lasted so long was a good one: the next failure starts with a short pause again. */
const GOOD_TERM_MS = 60_000
const LONGEST_STOP_MS = 2000

/**
 * Every broker runs one: it stands for election to /controller, and while it holds the office it decides for the cluster
 * (Kafka's KafkaController). All that happens goes through one queue; each request is answered exactly once.
 */
export class Controller {
  private readonly env: Environment
  private readonly options: ControllerOptions
  private readonly logger: Logger
  private readonly queue: EventQueue<ControllerEvent>
  private term: Term | undefined
  private termSinceMs = 0
  private activeId = -1
  private knownEpoch = 0
  private failures = 0
  private notBeforeMs = 0
  private retry: Timer | undefined
  private registrationRetry: Timer | undefined
  private stopped = false
  private watched: ZooKeeperSession | undefined
  private readonly lastEpochVersion = { value: -1 }

  constructor(env: Environment, options: ControllerOptions) {
    this.env = env
    this.options = options
    this.logger = options.logger.child({ component: 'controller' })
    this.queue = new EventQueue<ControllerEvent>({
      clock: env.clock,
      laneOf: (event) => LANE_OF[event.kind],
      coalesceKey,
      isRequest,
      process: (event, waitedMs) => this.process(event, waitedMs),
      refuse: (event) => {
        if (isRequest(event)) event.completion.refuse()
      },
      onFault: (event, error) => this.logger.error({ event: event.kind, err: error }, 'the controller failed where it must not'),
    })
    if (options.metrics !== undefined) registerMetrics(options.metrics, this.queue, () => this.term, () => this.isActive())
  }

  /** Stands for election. Call once, after the broker has registered. */
  start(): void {
    this.options.keeper.onBeforeNewSession(() => this.onSessionLost())
    this.options.keeper.onNewSession(() => {
      this.queue.put({ kind: 'RegisterBrokerAndReelect' })
    })
    this.queue.put({ kind: 'Startup' })
  }

  /**
   * Ends the office, if it is held, and answers all that waits. /controller is left to the end of the session, which the broker
   * closes after this.
   */
  async stop(): Promise<void> {
    this.stopped = true
    this.retry?.cancel()
    this.registrationRetry?.cancel()
    const ended = this.queue.close()
    this.endTerm('the broker stops')
    this.activeId = -1
    // A handler may hang on a ZooKeeper that is away; the broker's stop must not.
    await new Promise<void>((resolve) => {
      const timer = this.env.clock.timer(LONGEST_STOP_MS, resolve)
      void ended.then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  /** Holds the office, and its session cannot have expired yet. */
  isActive(): boolean {
    return this.term !== undefined && !this.term.isOver && this.options.keeper.current.mayAct()
  }

  /** The broker id in /controller, -1 unknown. */
  activeControllerId(): number {
    return this.activeId
  }

  /** The highest controller epoch that this broker knows of: its own while it is active. 0: none. */
  get epoch(): number {
    return this.knownEpoch
  }

  alterPartition(request: RequestTypes['AlterPartition'][0], version: number): Promise<AnswerOf<'AlterPartition'>> {
    return this.ask('AlterPartition', request, version)
  }

  controlledShutdown(request: RequestTypes['ControlledShutdown'][0], version: number): Promise<AnswerOf<'ControlledShutdown'>> {
    return this.ask('ControlledShutdown', request, version)
  }

  allocateProducerIds(request: RequestTypes['AllocateProducerIds'][0], version = 0): Promise<AnswerOf<'AllocateProducerIds'>> {
    return this.ask('AllocateProducerIds', request, version)
  }

  createTopics(
    request: RequestTypes['CreateTopics'][0], version: number, allowance?: MutationAllowance,
  ): Promise<AnswerOf<'CreateTopics'>> {
    return this.ask('CreateTopics', request, version, allowance)
  }

  deleteTopics(
    request: RequestTypes['DeleteTopics'][0], version: number, allowance?: MutationAllowance,
  ): Promise<AnswerOf<'DeleteTopics'>> {
    return this.ask('DeleteTopics', request, version, allowance)
  }

  createPartitions(
    request: RequestTypes['CreatePartitions'][0], version: number, allowance?: MutationAllowance,
  ): Promise<AnswerOf<'CreatePartitions'>> {
    return this.ask('CreatePartitions', request, version, allowance)
  }

  electLeaders(request: RequestTypes['ReplicaLeaderElection'][0], version: number): Promise<AnswerOf<'ReplicaLeaderElection'>> {
    return this.ask('ReplicaLeaderElection', request, version)
  }

  alterPartitionReassignments(
    request: RequestTypes['ApiPartitionReassignment'][0], version = 0,
  ): Promise<AnswerOf<'ApiPartitionReassignment'>> {
    return this.ask('ApiPartitionReassignment', request, version)
  }

  listPartitionReassignments(
    request: RequestTypes['ListPartitionReassignments'][0], version = 0,
  ): Promise<AnswerOf<'ListPartitionReassignments'>> {
    return this.ask('ListPartitionReassignments', request, version)
  }

  updateFeatures(request: RequestTypes['UpdateFeatures'][0], version: number): Promise<AnswerOf<'UpdateFeatures'>> {
    return this.ask('UpdateFeatures', request, version)
  }

  /** unclean.leader.election.enable became true by default, or for one topic: leaderless partitions are looked at again. */
  enableUncleanLeaderElection(topic?: string): void {
    if (topic === undefined) this.queue.put({ kind: 'UncleanLeaderElectionEnable' })
    else this.queue.put({ kind: 'TopicUncleanLeaderElectionEnable', topic })
  }

  /** Compares memory with ZooKeeper now, not only at the next interval. */
  reconcile(): void {
    this.queue.put({ kind: 'Reconcile' })
  }

  /** What the active controller holds in memory, as JSON; undefined where it is not active. */
  snapshot(): string | undefined {
    return this.term === undefined ? undefined : memorySnapshot(this.term)
  }

  private ask<K extends RequestKind>(
    kind: K, request: RequestTypes[K][0], version: number, allowance?: MutationAllowance,
  ): Promise<AnswerOf<K>> {
    const refusal = REFUSALS[kind] as (asked: RequestTypes[K][0]) => AnswerOf<K>
    const completion = new Completion<AnswerOf<K>>(() => refusal(request))
    if (this.term === undefined) completion.refuse()
    else this.queue.put({ kind, request, version, allowance, completion } as unknown as RequestEvent)
    return completion.promise
  }

  private async process(event: ControllerEvent, waitedMs: number): Promise<void> {
    if (this.stopped) {
      if (isRequest(event)) event.completion.refuse()
      return
    }
    const startedMs = this.env.clock.monoMs()
    let failure: unknown
    try {
      if (isOfficeEvent(event)) await this.processOffice(event.kind)
      else await this.processInTerm(event)
    } catch (error) {
      failure = error
    }
    if (isRequest(event) && !event.completion.isDone) event.completion.refuse()
    this.options.recorder.record({
      kind: 'controllerEvent', event: event.kind, controllerEpoch: this.knownEpoch, waitedMs,
      tookMs: this.env.clock.monoMs() - startedMs, detail: detailOf(event) || (this.term?.detail ?? ''),
      ...(failure === undefined ? {} : { error: String(failure) }),
    })
    if (failure !== undefined) await this.onFailure(event, failure)
  }

  private async processInTerm(event: Exclude<ControllerEvent, { kind: OfficeEventKind }>): Promise<void> {
    const { term } = this
    // A request is not kept waiting for a ZooKeeper that is away: its sender finds the controller of the day.
    if (term === undefined || term.isOver || (isRequest(event) && !this.isActive())) return
    term.cause = event.kind
    term.detail = ''
    const handler = HANDLERS[event.kind as TermEventKind] as (term: Term, event: ControllerEvent) => Promise<unknown>
    const answer = await handler(term, event)
    if (isRequest(event)) event.completion.complete(answer as never)
  }

  private async processOffice(kind: OfficeEventKind): Promise<void> {
    switch (kind) {
      case 'Startup':
      case 'Reelect':
        await this.stepDownIfMoved()
        return this.elect()
      case 'ControllerChange':
        await this.stepDownIfMoved()
        // It may have been deleted before this handler armed the watch again: then no event tells of it.
        if (this.activeId < 0) return this.elect()
        return
      case 'RegisterBrokerAndReelect':
        await this.register()
        await this.stepDownIfMoved()
        return this.elect()
      case 'Expire':
        this.activeId = -1
        this.endTerm('the session expired')
    }
  }

  /** A handler threw. What memory holds now may be half of a change, so the term ends, and the next one reads everything anew. */
  private async onFailure(event: ControllerEvent, error: unknown): Promise<void> {
    const { term } = this
    if (isSessionLost(error) || error instanceof ControllerMovedError) {
      this.logger.info({ event: event.kind, err: String(error) }, 'no longer the controller')
      this.endTerm(String(error))
      // After a lost session the next one says when to go on.
      if (error instanceof ControllerMovedError) this.queue.put({ kind: 'Reelect' })
      return
    }
    if (error instanceof StaleEpochError) {
      this.logger.warn({ epoch: this.knownEpoch, seen: error.seenEpoch }, 'the controller epoch was set back, it is raised')
      this.knownEpoch = Math.max(this.knownEpoch, error.seenEpoch)
    } else {
      this.logger.error({ event: event.kind, err: error }, 'the controller failed to handle an event, it resigns and begins anew')
      this.backOff()
    }
    this.endTerm(`failed: ${String(error)}`)
    const session = this.options.keeper.current
    if (term !== undefined) await resignController(session, this.lastEpochVersion.value, this.logger)
    this.electLater()
  }

  private async elect(): Promise<void> {
    const session = this.options.keeper.current
    if (this.stopped || this.term !== undefined) return
    if (this.env.clock.monoMs() < this.notBeforeMs) return this.electLater()
    this.watch(session)
    const { brokerId, config, recorder } = this.options
    const result = await runForController({
      session, brokerId, wallMs: () => this.env.clock.wallMs(), secureAcls: config.zooKeeperSetAcl, knownEpoch: this.knownEpoch,
      logger: this.logger,
    })
    if (!result.won) {
      this.noteController(result.controllerId)
      return
    }
    this.knownEpoch = result.epoch
    this.lastEpochVersion.value = result.epochVersion
    this.activeId = brokerId
    this.logger.info({ epoch: result.epoch }, 'elected as the controller')
    recorder.record({ kind: 'election', outcome: 'won', broker: brokerId, controllerEpoch: result.epoch })
    const term = new Term({
      env: this.env, brokerId, config, session, epoch: result.epoch, epochVersion: result.epochVersion,
      put: (event) => this.queue.put(event), connect: (broker) => this.options.connect(broker), logger: this.logger, recorder,
    })
    this.term = term
    this.termSinceMs = this.env.clock.monoMs()
    term.cause = 'ControllerFailover'
    term.detail = ''
    await failOver(term)
  }

  /** Looks who the controller is, and stops being it if it is somebody else. */
  private async stepDownIfMoved(): Promise<void> {
    const session = this.options.keeper.current
    this.watch(session)
    const office = await readOffice(session, this.logger)
    this.noteController(office.controllerId)
    // Every broker remembers it, so that no epoch is used again should the znode get lost.
    this.knownEpoch = Math.max(this.knownEpoch, office.epoch)
    if (this.term !== undefined && !office.isOwn) this.endTerm('another holds /controller, or nobody')
  }

  private noteController(id: number): void {
    if (id !== this.activeId && id !== this.options.brokerId && id >= 0) {
      this.options.recorder.record({ kind: 'election', outcome: 'lost', broker: id, detail: `broker ${id} is the controller` })
    }
    this.activeId = id
  }

  private watch(session: ZooKeeperSession): void {
    if (this.watched === session) return
    this.watched = session
    session.onNodeChanged(controllerPath, (event) => {
      if (!this.stopped) this.queue.put({ kind: event === 'deleted' ? 'Reelect' : 'ControllerChange' })
    })
  }

  private endTerm(reason: string): void {
    const { term } = this
    if (term === undefined) return
    this.term = undefined
    term.end()
    if (this.env.clock.monoMs() - this.termSinceMs > GOOD_TERM_MS) this.failures = 0
    this.options.recorder.record({
      kind: 'election', outcome: 'resigned', broker: this.options.brokerId, controllerEpoch: term.epoch, detail: reason,
    })
  }

  /** The queue is cleared before the next session begins: whoever waits hears at once that this is not the controller. */
  private onSessionLost(): void {
    this.queue.clear()
    this.queue.put({ kind: 'Expire' })
    // The handler in process may be waiting for the dead session's answers, which come as errors now.
    this.term?.end()
  }

  private async register(): Promise<void> {
    try {
      await this.options.registerBroker()
    } catch (error) {
      this.logger.error({ err: error }, 'cannot register the broker under the new session, trying again')
      // Not the timer of the election, which may be set anew before this one fires.
      this.registrationRetry?.cancel()
      this.registrationRetry = this.putLater(FIRST_BACKOFF_MS * 10, { kind: 'RegisterBrokerAndReelect' })
    }
  }

  private backOff(): void {
    const pauseMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.failures++)
    this.notBeforeMs = this.env.clock.monoMs() + pauseMs
  }

  private electLater(): void {
    this.retry?.cancel()
    this.retry = this.putLater(Math.max(0, this.notBeforeMs - this.env.clock.monoMs()), { kind: 'Reelect' })
  }

  private putLater(delayMs: number, event: ControllerEvent): Timer {
    return this.env.clock.timer(delayMs, () => {
      if (!this.stopped) this.queue.put(event)
    })
  }
}

function isOfficeEvent(event: ControllerEvent): event is Extract<ControllerEvent, { kind: OfficeEventKind }> {
  return LANE_OF[event.kind] === 'session'
}
