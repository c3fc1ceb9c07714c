import { ApiKey, apiByKey } from '../../protocol/messages/apis'
import { decode, encode } from '../../protocol/messages/codec'
import { ErrorCode, errorName } from '../../protocol/errors'
import { noRecorder } from '../../recording/events'
import { KafkaConnection } from '../../network/kafka-connection'
import type { Input } from '../../protocol/messages/schema'
import type { Recorder } from '../../recording/events'
import type { Logger } from '../../runtime/log'
import type { Environment } from '../../runtime/ports'
import type { MetadataCache } from '../metadata/metadata-cache'
import type { ControllerGate } from './controller-gate'
import type { SendToControllerOptions, ToController } from './to-controller'

const RETRY_MS = 50

export interface ControllerClientOptions {
  env: Environment
  brokerId: number
  metadata: MetadataCache
  /** The controller of this process, which may be the active one, and which watches `/controller`. */
  gate: ControllerGate
  /** Where controllers listen: control.plane.listener.name, else inter.broker.listener.name. */
  listenerName: string
  requestTimeoutMs: number
  logger: Logger
  recorder?: Recorder
}

/**
 * Connections to the active controller's broker, made when they are needed; this process's own controller is asked directly.
 * One for each kind of request: a broker answers a connection's requests in order, and a change of an ISR shall not wait
 * behind a topic that is being created.
 */
export class ControllerClient implements ToController {
  private readonly options: ControllerClientOptions
  private readonly logger: Logger
  private readonly connections = new Map<number, { brokerId: number; kafka: Promise<KafkaConnection> }>()
  private isClosed = false

  constructor(options: ControllerClientOptions) {
    this.options = options
    this.logger = options.logger
  }

  async send<Request extends object, Response extends object>(
    apiKey: number,
    body: Input<Request> | ((version: number) => Input<Request>),
    { timeoutMs = this.options.requestTimeoutMs, findTimeoutMs = timeoutMs, maxVersion = Infinity }: SendToControllerOptions = {},
  ): Promise<Response> {
    const { clock } = this.options.env
    const deadlineMs = clock.monoMs() + timeoutMs
    const findDeadlineMs = Math.min(clock.monoMs() + findTimeoutMs, deadlineMs)
    let last = 'no controller is known'
    while (!this.isClosed) {
      try {
        const answer = await this.attempt<Request, Response>(apiKey, body, maxVersion, deadlineMs - clock.monoMs())
        if (answer !== undefined && !saysNotController(answer)) return answer
        last = answer === undefined ? 'no controller is known' : 'the broker that was asked is not the controller'
      } catch (error) {
        last = (error as Error).message
        this.logger.debug({ apiKey, err: error }, 'the controller could not be asked')
      }
      this.drop(apiKey)
      if (clock.monoMs() + RETRY_MS >= findDeadlineMs) break
      await new Promise<void>((resolve) => clock.timer(RETRY_MS, resolve))
    }
    throw new Error(`${apiByKey(apiKey)?.name} got no answer from the controller: ${last}`)
  }

  close(): void {
    this.isClosed = true
    for (const apiKey of [...this.connections.keys()]) this.drop(apiKey)
  }

  /** undefined: nobody to ask. */
  private async attempt<Request extends object, Response extends object>(
    apiKey: number,
    body: Input<Request> | ((version: number) => Input<Request>),
    maxVersion: number,
    timeoutMs: number,
  ): Promise<Response | undefined> {
    const { gate, brokerId, metadata } = this.options
    const bodyFor = typeof body === 'function' ? body : () => body
    if (gate.isActive()) {
      const ask = (): Promise<Response> => this.askOwn(apiKey, bodyFor, maxVersion) as Promise<Response>
      return this.recorded(apiKey, brokerId, () => this.inTime(ask(), timeoutMs))
    }
    const active = gate.activeControllerId()
    const controllerId = active >= 0 ? active : metadata.controllerId
    if (controllerId < 0 || controllerId === brokerId) return undefined
    const kafka = await this.connect(apiKey, controllerId)
    if (kafka === undefined) return undefined
    const version = Math.min(kafka.versionOf(apiKey), maxVersion)
    return this.recorded(apiKey, controllerId, () =>
      kafka.send<Request, Response>(apiKey, bodyFor(version), { version, timeoutMs: Math.max(timeoutMs, 1) }),
    )
  }

  /** Our own controller may wait for a ZooKeeper that is away as long as it likes, who asks it does not. */
  private inTime<Response>(answer: Promise<Response>, timeoutMs: number): Promise<Response> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`this broker's controller has not answered within ${timeoutMs} ms`))
      const timer = this.options.env.clock.timer(Math.max(timeoutMs, 1), late)
      answer.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  private async recorded<Response extends object>(
    apiKey: number,
    broker: number,
    ask: () => Promise<Response>,
  ): Promise<Response> {
    const { env, recorder = noRecorder } = this.options
    const about = { kind: 'controlRequest', api: apiByKey(apiKey)?.name ?? String(apiKey), broker } as const
    const startedMs = env.clock.monoMs()
    recorder.record({ ...about, phase: 'sent' })
    const answered = (error: string): void =>
      recorder.record({ ...about, phase: 'answered', tookMs: env.clock.monoMs() - startedMs, error })
    try {
      const answer = await ask()
      const { errorCode = ErrorCode.NONE } = answer as { errorCode?: number }
      answered(errorCode === ErrorCode.NONE ? '' : errorName(errorCode))
      return answer
    } catch (error) {
      answered((error as Error).message)
      throw error
    }
  }

  private async connect(apiKey: number, controllerId: number): Promise<KafkaConnection | undefined> {
    if (this.connections.get(apiKey)?.brokerId !== controllerId) this.drop(apiKey)
    let connection = this.connections.get(apiKey)
    if (connection === undefined) {
      const node = this.options.metadata.aliveBroker(controllerId, this.options.listenerName)
      if (node === undefined) return undefined
      const kafka = new KafkaConnection(this.options.env, {
        host: node.host,
        port: node.port,
        clientId: `broker-${this.options.brokerId}-to-controller`,
        requestTimeoutMs: this.options.requestTimeoutMs,
        logger: this.logger,
      })
      connection = { brokerId: controllerId, kafka: kafka.connect().then(() => kafka) }
      this.connections.set(apiKey, connection)
    }
    const connected = await connection.kafka
    if (!connected.closed) return connected
    if (this.connections.get(apiKey) === connection) this.connections.delete(apiKey)
    return undefined
  }

  private drop(apiKey: number): void {
    const connection = this.connections.get(apiKey)
    this.connections.delete(apiKey)
    void connection?.kafka.then(
      (kafka) => kafka.close(),
      () => {},
    )
  }

  /** Through the codec all the same: what the controller gets, and what comes back, has every field. */
  private async askOwn(apiKey: number, bodyFor: (version: number) => Input<object>, maxVersion: number): Promise<object> {
    const api = apiByKey(apiKey)!
    const version = Math.min(api.maxVersion, maxVersion)
    const request = decode(api.request, version, encode(api.request, version, bodyFor(version) as Input<unknown>))
    const answer = await this.callOwn(apiKey, request as never, version)
    return decode(api.response, version, encode(api.response, version, answer as Input<unknown>)) as object
  }

  private callOwn(apiKey: number, request: never, version: number): Promise<object> {
    const { gate } = this.options
    switch (apiKey) {
      case ApiKey.createTopics:
        return gate.createTopics(request, version)
      case ApiKey.alterPartition:
        return gate.alterPartition(request, version)
      case ApiKey.allocateProducerIds:
        return gate.allocateProducerIds(request)
      case ApiKey.controlledShutdown:
        return gate.controlledShutdown(request, version)
      default:
        return Promise.reject(new Error(`API ${apiKey} is not for the controller`))
    }
  }
}

/** For one item or for all: the answer is of no use. A controlled shutdown is refused with STALE_CONTROLLER_EPOCH instead. */
function saysNotController(answer: unknown): boolean {
  if (Array.isArray(answer)) return answer.some(saysNotController)
  if (typeof answer !== 'object' || answer === null || Buffer.isBuffer(answer)) return false
  return Object.entries(answer).some(([name, value]) =>
    name === 'errorCode' ? value === ErrorCode.NOT_CONTROLLER : saysNotController(value),
  )
}
