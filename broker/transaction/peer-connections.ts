import { KafkaConnection } from '../../network/kafka-connection'
import type { Input } from '../../protocol/messages/codec'
import type { Logger } from '../../runtime/log'
import type { Environment } from '../../runtime/ports'
import type { MetadataCache } from '../metadata/metadata-cache'

const CONNECT_TIMEOUT_MS = 10_000

export interface PeerConnectionsOptions {
  env: Environment
  metadata: MetadataCache
  /** `inter.broker.listener.name`. */
  listenerName: string
  clientId: string
  requestTimeoutMs: number
  logger: Logger
}

/** One connection to each broker that something is asked of, made when it is needed. */
export class PeerConnections {
  private readonly options: PeerConnectionsOptions
  private readonly byBroker = new Map<number, Promise<KafkaConnection>>()
  private isClosed = false

  constructor(options: PeerConnectionsOptions) {
    this.options = options
  }

  /**
   * Sends a request in `version`, by default the highest that both speak. Rejects with a NetworkError if there is no answer; the
   * next request then gets another connection.
   */
  async send<Req extends object, Res extends object>(
    brokerId: number,
    apiKey: number,
    body: Input<Req>,
    version: (highest: number) => number,
  ): Promise<Res> {
    const opening = this.byBroker.get(brokerId) ?? this.open(brokerId)
    const connection = await opening.catch((error: unknown) => {
      this.drop(brokerId, opening)
      throw error
    })
    // A connection that breaks drops itself.
    return connection.send<Req, Res>(apiKey, body, { version: version(connection.versionOf(apiKey)) })
  }

  close(): void {
    this.isClosed = true
    for (const [brokerId, opening] of [...this.byBroker]) this.drop(brokerId, opening)
  }

  private open(brokerId: number): Promise<KafkaConnection> {
    const { env, metadata, listenerName, clientId, requestTimeoutMs, logger } = this.options
    const opening = (async () => {
      const node = metadata.aliveBroker(brokerId, listenerName)
      if (node === undefined || this.isClosed) throw new Error(`broker ${brokerId} is not known on listener ${listenerName}`)
      const { host, port } = node
      const connection = new KafkaConnection(env, {
        host, port, clientId, requestTimeoutMs, connectTimeoutMs: CONNECT_TIMEOUT_MS, logger,
      })
      connection.onClose = () => this.drop(brokerId, opening)
      await connection.connect()
      return connection
    })()
    this.byBroker.set(brokerId, opening)
    return opening
  }

  private drop(brokerId: number, opening: Promise<KafkaConnection>): void {
    if (this.byBroker.get(brokerId) === opening) this.byBroker.delete(brokerId)
    opening.then((connection) => connection.close()).catch(() => {})
  }
}
