import { ApiKey, apiByKey } from '../../protocol/messages/apis'
import { decodeRequestBody, decodeRequestHeader } from '../../protocol/messages/frames'
import { ErrorCode } from '../../protocol/errors'
import { InvariantError } from '../../runtime/assert'
import { RequestContext } from './request-context'
import { RequestTime } from './request-meter'
import type { Logger } from '../../runtime/log'
import type { Connection } from './connection'
import type { HandlerTable } from './request-context'
import type { RequestMeter } from './request-meter'

export interface PipelineOptions {
  handlers: HandlerTable
  meter: RequestMeter
  logger: Logger
  /** A broken invariant: the process shall end. */
  onInvariant(error: Error): void
}

/** Between brokers: no quota of time holds them up. */
const EXEMPT: ReadonlySet<number> = new Set([
  ApiKey.leaderAndIsr, ApiKey.stopReplica, ApiKey.updateMetadata, ApiKey.controlledShutdown, ApiKey.writeTxnMarkers,
  ApiKey.alterPartition,
])

/**
 * From a frame to its handler: header, api and version, body. What cannot be answered in the protocol ends the connection without
 * an answer, as in Kafka (SocketServer.processCompletedReceives); the one exception is ApiVersions of a version that we do not
 * know, which is answered in version 0 (KIP-511).
 */
export class RequestPipeline {
  private readonly handlers: HandlerTable
  private readonly meter: RequestMeter
  private readonly logger: Logger
  private readonly onInvariant: (error: Error) => void

  constructor(options: PipelineOptions) {
    this.handlers = options.handlers
    this.meter = options.meter
    this.logger = options.logger
    this.onInvariant = options.onInvariant
  }

  accept(connection: Connection, frame: Buffer): void {
    let context: RequestContext
    const startMs = this.meter.isOn ? this.meter.nowMs() : -1
    try {
      const header = decodeRequestHeader(frame)
      const api = apiByKey(header.apiKey)
      const handler = this.handlers.get(header.apiKey)
      if (api === undefined || handler === undefined) {
        this.refuse(connection, `api key ${header.apiKey} is not served`)
        return
      }
      if (header.apiVersion < api.minVersion || header.apiVersion > api.maxVersion) {
        if (header.apiKey === ApiKey.apiVersions) {
          this.answerUnsupportedApiVersions(connection, frame, header)
          return
        }
        this.refuse(connection, `${api.name} has no version ${header.apiVersion}`)
        return
      }
      const body = decodeRequestBody(api, header.apiVersion, frame, header.bodyOffset)
      context = new RequestContext(header, body, frame.length, connection.origin, connection)
    } catch (error) {
      this.refuse(connection, `malformed request: ${(error as Error).message}`)
      return
    }
    const handler = this.handlers.get(context.apiKey)!
    if (startMs >= 0 && !EXEMPT.has(context.apiKey)) context.time = new RequestTime(this.meter, context.clientId, startMs)
    try {
      const pending = handler(context)
      context.time?.handled()
      if (pending !== undefined) pending.catch((error: unknown) => this.failed(context, error as Error))
    } catch (error) {
      this.failed(context, error as Error)
    }
  }

  /** In version 0, naming the range of ApiVersions alone, so that the client can try again. */
  private answerUnsupportedApiVersions(
    connection: Connection,
    frame: Buffer,
    header: { apiKey: number; correlationId: number; clientId: string },
  ): void {
    const context = new RequestContext({ ...header, apiVersion: 0 }, {}, frame.length, connection.origin, connection)
    const { minVersion, maxVersion } = apiByKey(ApiKey.apiVersions)!
    context.respond({
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: ApiKey.apiVersions, minVersion, maxVersion }],
    } as object)
  }

  private refuse(connection: Connection, reason: string): void {
    this.logger.info(
      { client: connection.origin.clientHost, listener: connection.origin.listenerName },
      `connection closed: ${reason}`,
    )
    connection.close(reason)
  }

  private failed(context: RequestContext, error: Error): void {
    if (error instanceof InvariantError) {
      this.onInvariant(error)
      return
    }
    const api = apiByKey(context.apiKey)?.name
    this.logger.error({ api, version: context.apiVersion, client: context.clientHost, err: error }, 'request failed unexpectedly')
    context.close(`${api} failed: ${error.message}`)
  }
}
