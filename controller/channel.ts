import type { LeaderAndIsrResponse } from '../protocol/messages/leader-and-isr'
import type { StopReplicaResponse } from '../protocol/messages/stop-replica'
import type { UpdateMetadataResponse } from '../protocol/messages/update-metadata'
import type { Recorder } from '../recording/events'
import type { Logger } from '../runtime/log'
import type { Clock, Timer } from '../runtime/ports'
import { slicesOf } from '../runtime/slices'
import { canMerge, mergeInto } from './control-entries'
import type { ControlBatch } from './control-entries'
import { buildControlRequests } from './control-requests'
import type { ControlRequest, ControlSender } from './control-requests'
import type { Broker } from './context'

/** A connection to one broker; network/kafka-connection has this shape. */
export interface ControlConnection {
  connect(): Promise<void>
  send<Request, Response>(apiKey: number, body: Request, options: { version: number; timeoutMs: number }): Promise<Response>
  close(): void
}

export type ControlReply =
  | { api: 'LeaderAndIsr'; request: Extract<ControlRequest, { api: 'LeaderAndIsr' }>; response: LeaderAndIsrResponse }
  | { api: 'UpdateMetadata'; request: Extract<ControlRequest, { api: 'UpdateMetadata' }>; response: UpdateMetadataResponse }
  | { api: 'StopReplica'; request: Extract<ControlRequest, { api: 'StopReplica' }>; response: StopReplicaResponse }

export interface ChannelOptions {
  clock: Clock
  broker: Broker
  sender: ControlSender
  connect(broker: Broker): ControlConnection
  /** In front of each request: may this controller still act? */
  mayAct(): boolean
  onReply(reply: ControlReply): void
  requestTimeoutMs: number
  /** Pause before the next attempt. */
  retryMs: number
  logger: Logger
  recorder: Recorder
}

interface Pending {
  batch: ControlBatch
  /** The registered brokers changed since what was sent before. */
  announcesBrokers: boolean
  sinceMs: number
}

/**
 * The stream of control requests to one broker, in order, kept up for as long as the broker is registered. While the broker is
 * slow or away what waits is merged partition by partition, so that it is bounded by the number of partitions, not by the
 * number of changes. A batch is on its way until all its requests are answered; a lost connection sends the rest again.
 */
export class BrokerChannel {
  private readonly options: ChannelOptions
  private broker: Broker
  private readonly pending: Pending[] = []
  private sending: { sinceMs: number } | undefined
  private connection: ControlConnection | undefined
  private closed = false
  /** Of the brokers in the newest UpdateMetadata that was sent or waits. */
  private announcedVersion = -1
  private wake: (() => void) | undefined
  private timer: Timer | undefined

  constructor(options: ChannelOptions) {
    this.options = options
    this.broker = options.broker
  }

  /** Batches that wait or are on their way (Kafka's QueueSize). */
  get queueSize(): number {
    return this.pending.length + (this.sending === undefined ? 0 : 1)
  }

  /** Age in milliseconds of the oldest thing that the broker has not been told; 0 if it knows all. */
  get oldestAgeMs(): number {
    const since = this.sending?.sinceMs ?? this.pending[0]?.sinceMs
    return since === undefined ? 0 : this.options.clock.monoMs() - since
  }

  enqueue(batch: ControlBatch): void {
    if (this.closed) return
    let last = this.pending.at(-1)
    if (last !== undefined && canMerge(last.batch, batch, last.announcesBrokers)) {
      mergeInto(last.batch, batch)
    } else {
      last = { batch, announcesBrokers: false, sinceMs: this.options.clock.monoMs() }
      this.pending.push(last)
    }
    // Only UpdateMetadata tells who is registered; what has none must not pass for the announcement.
    const { updateMetadata, brokers } = last.batch
    if (updateMetadata !== undefined && brokers.version !== this.announcedVersion) {
      last.announcesBrokers = true
      this.announcedVersion = brokers.version
    }
    if (this.sending === undefined) void this.run()
  }

  /** The same incarnation of the broker listens elsewhere now. */
  moveTo(broker: Broker): void {
    this.broker = broker
  }

  /** Forgets what waits and drops the connection: the broker is gone, or this controller is. */
  close(): void {
    this.closed = true
    this.pending.length = 0
    this.timer?.cancel()
    this.wake?.()
    this.disconnect()
  }

  private async run(): Promise<void> {
    for (let next = this.pending.shift(); next !== undefined; next = this.pending.shift()) {
      this.sending = { sinceMs: next.sinceMs }
      await this.deliver(next.batch)
      if (this.closed) break
    }
    this.sending = undefined
  }

  private async deliver(batch: ControlBatch): Promise<void> {
    let requests = buildControlRequests(batch, this.options.sender)
    for (let attempt = 1; requests.length > 0 && !this.closed; attempt++) {
      requests = await this.attempt(requests, attempt)
      if (requests.length > 0 && !this.closed) await this.pause()
    }
  }

  /** Sends the requests one behind the other without waiting; returns those without an answer. */
  private async attempt(requests: ControlRequest[], attempt: number): Promise<ControlRequest[]> {
    try {
      const connection = await this.connected()
      if (this.closed || !this.options.mayAct()) return requests
      const slices = slicesOf(this.options.clock)
      const answers: Promise<PromiseSettledResult<void>[]>[] = []
      for (const request of requests) {
        if (slices.isDue()) await slices.pause()
        // Over meanwhile: the rest is for the next attempt, or for nobody.
        if (this.closed || this.connection !== connection || !this.options.mayAct()) break
        answers.push(Promise.allSettled([this.exchange(connection, request)]))
      }
      // All are looked at, so that no rejection goes unheard; the first failure decides where to go on.
      const outcomes = (await Promise.all(answers)).flat()
      const failed = outcomes.findIndex((outcome) => outcome.status === 'rejected')
      if (failed < 0) return requests.slice(outcomes.length)
      this.disconnect()
      this.complain(attempt, (outcomes[failed] as PromiseRejectedResult).reason)
      return requests.slice(failed)
    } catch (error) {
      this.disconnect()
      this.complain(attempt, error)
      return requests
    }
  }

  private complain(attempt: number, error: unknown): void {
    // What was in flight at the end of the term fails because it is over.
    if (this.closed) return
    if (attempt > 1 && attempt % 100 !== 0) return
    const fields = { broker: this.broker.id, attempt, err: String(error), ageMs: Math.round(this.oldestAgeMs) }
    this.options.logger.warn(fields, 'cannot send to the broker, trying again until it answers or is gone')
  }

  private async connected(): Promise<ControlConnection> {
    if (this.connection === undefined) {
      const connection = this.options.connect(this.broker)
      this.connection = connection
      await connection.connect()
    }
    return this.connection
  }

  private async exchange(connection: ControlConnection, request: ControlRequest): Promise<void> {
    const { clock, recorder, sender, requestTimeoutMs } = this.options
    const startedMs = clock.monoMs()
    const about = {
      kind: 'controlRequest', api: request.api, broker: this.broker.id, controllerEpoch: sender.controllerEpoch,
      partitions: request.entries.length,
    } as const
    recorder.record({ ...about, phase: 'sent' })
    const response = await connection.send(
      request.apiKey, request.body, { version: request.version, timeoutMs: requestTimeoutMs },
    )
    if (this.closed) return
    const errorCode = (response as { errorCode: number }).errorCode
    recorder.record({
      ...about, phase: 'answered', tookMs: clock.monoMs() - startedMs, ...(errorCode === 0 ? {} : { error: String(errorCode) }),
    })
    this.options.onReply({ api: request.api, request, response } as ControlReply)
  }

  private disconnect(): void {
    this.connection?.close()
    this.connection = undefined
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.wake = undefined
        resolve()
      }
      this.wake = done
      this.timer = this.options.clock.timer(this.options.retryMs, done)
    })
  }
}
