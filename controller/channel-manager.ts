import type { MetadataVersionRules } from '../protocol/rules/metadata-version'
import type { Recorder } from '../recording/events'
import type { Logger } from '../runtime/log'
import type { Clock } from '../runtime/ports'
import { BrokerChannel } from './channel'
import type { ControlConnection, ControlReply } from './channel'
import type { Broker } from './context'
import type { RequestBatch } from './request-batch'

export interface ChannelManagerOptions {
  clock: Clock
  controllerId: number
  controllerEpoch: number
  level: MetadataVersionRules
  interBrokerListener: string
  connect(broker: Broker): ControlConnection
  mayAct(): boolean
  onReply(broker: Broker, reply: ControlReply): void
  requestTimeoutMs: number
  logger: Logger
  recorder: Recorder
}

const RETRY_MS = 100

/** One channel for each registered broker, by incarnation: one that bounced gets a new channel, and what waited is dropped. */
export class ChannelManager {
  private readonly options: ChannelManagerOptions
  private readonly channels = new Map<number, BrokerChannel>()
  private ended = false

  constructor(options: ChannelManagerOptions) {
    this.options = options
  }

  get queueSize(): number {
    return [...this.channels.values()].reduce((sum, channel) => sum + channel.queueSize, 0)
  }

  /** Age in milliseconds of the oldest thing that some broker has not been told. */
  get oldestAgeMs(): number {
    return Math.max(0, ...[...this.channels.values()].map((channel) => channel.oldestAgeMs))
  }

  add(broker: Broker): void {
    if (this.ended) return
    this.remove(broker.id)
    const { controllerId, controllerEpoch, level, interBrokerListener, onReply, requestTimeoutMs, ...rest } = this.options
    this.channels.set(broker.id, new BrokerChannel({
      ...rest, broker, requestTimeoutMs, retryMs: RETRY_MS,
      sender: { controllerId, controllerEpoch, brokerEpoch: broker.epoch, level, interBrokerListener },
      onReply: (reply) => onReply(broker, reply),
    }))
  }

  /** The end points of a registered broker changed: the next connection goes there. */
  update(broker: Broker): void {
    this.channels.get(broker.id)?.moveTo(broker)
  }

  remove(id: number): void {
    this.channels.get(id)?.close()
    this.channels.delete(id)
  }

  /** Hands the batch to the channels. A broker without one has just gone: nobody is to be told there. */
  send(batch: RequestBatch): void {
    if (this.ended) return
    for (const [id, part] of batch.take()) this.channels.get(id)?.enqueue(part)
  }

  queueSizeOf(id: number): number {
    return this.channels.get(id)?.queueSize ?? 0
  }

  end(): void {
    this.ended = true
    for (const id of [...this.channels.keys()]) this.remove(id)
  }
}
