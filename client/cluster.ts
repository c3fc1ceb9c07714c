import { ApiKey } from '../protocol/messages/apis'
import { ErrorCode, ProtocolError, isRetriable } from '../protocol/errors'
import { KafkaConnection, NetworkError } from '../network/kafka-connection'
import type { ClientSettings } from './config'
import type { Environment } from '../runtime/ports'
import type { Input } from '../protocol/messages/schema'
import type { MetadataRequest, MetadataResponse } from '../protocol/messages/metadata'

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

export interface SendOptions {
  version?: number
  timeoutMs?: number
  /** False where the broker does not answer: Produce with acks=0. */
  expectResponse?: boolean
  /**
   * A connection of its own for what must not stand behind long waits: a broker answers one request of a connection after
   * the other, and a
   * Fetch or a JoinGroup waits long.
   */
  lane?: Lane
}

export type Lane = 'main' | 'coordinator'

/** What is sent, or what makes it for the version that both sides speak. */
export type Body = object | ((version: number) => object)

export interface Node {
  id: number
  host: string
  port: number
  rack: string | null
}

export interface PartitionMetadata {
  partition: number
  errorCode: number
  leader: number
  leaderEpoch: number
  replicas: number[]
  isr: number[]
  offlineReplicas: number[]
}

export interface TopicMetadata {
  name: string
  topicId: string
  errorCode: number
  isInternal: boolean
  partitions: PartitionMetadata[]
}

/** The client was closed while the call was under way. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError'
  readonly code = 'CLOSED'
}

/** A call that did not succeed within its time; `cause` is what went wrong last. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
  readonly code = 'TIMEOUT'
}

function topicOf(topic: MetadataResponse['topics'][number]): TopicMetadata {
  return {
    name: topic.name ?? '',
    topicId: topic.topicId,
    errorCode: topic.errorCode,
    isInternal: topic.isInternal,
    partitions: topic.partitions
      .map((each) => ({
        partition: each.partitionIndex,
        errorCode: each.errorCode,
        leader: each.leaderId,
        leaderEpoch: each.leaderEpoch,
        replicas: each.replicaNodes,
        isr: each.isrNodes,
        offlineReplicas: each.offlineReplicas,
      }))
      .sort((a, b) => a.partition - b.partition),
  }
}

/** A broker that is behind must not undo what another one has told: the leader with the higher epoch is the later one. */
function newestOf(topic: TopicMetadata, known: TopicMetadata | undefined): TopicMetadata {
  if (known === undefined || known.topicId !== topic.topicId || topic.topicId === ZERO_UUID) return topic
  const before = new Map(known.partitions.map((each) => [each.partition, each]))
  const partitions = topic.partitions.map((each) => {
    const other = before.get(each.partition)
    return other !== undefined && other.leaderEpoch > each.leaderEpoch ? other : each
  })
  return { ...topic, partitions }
}

/**
 * The cluster as a client knows it: connections to its nodes, opened when needed, and the newest metadata. Everything that
 * talks to brokers goes through here.
 */
export class Cluster {
  readonly env: Environment
  readonly settings: ClientSettings
  clusterId: string | null = null
  controllerId = -1
  private nodes = new Map<number, Node>()
  private readonly topics = new Map<string, TopicMetadata & { readMs: number }>()
  /** What was last told without an error; a broker that has just started knows no topic. */
  private readonly newest = new Map<string, TopicMetadata>()
  private readonly connections = new Map<string, Promise<KafkaConnection>>()
  private closed = false
  private sleepers = new Set<() => void>()
  private nextBootstrap: number

  constructor(env: Environment, settings: ClientSettings) {
    this.env = env
    this.settings = settings
    this.nextBootstrap = env.random.below(settings.bootstrapServers.length)
  }

  get isClosed(): boolean {
    return this.closed
  }

  allNodes(): Node[] {
    return [...this.nodes.values()].sort((a, b) => a.id - b.id)
  }

  node(id: number): Node | undefined {
    return this.nodes.get(id)
  }

  /** What is known of a topic, however old. */
  topic(name: string): TopicMetadata | undefined {
    return this.topics.get(name)
  }

  /** What is known of it is not to be relied on any more; how many partitions it has is still worth knowing. */
  forgetTopic(name: string): void {
    const topic = this.topics.get(name)
    if (topic !== undefined) topic.readMs = -Infinity
  }

  /** Who ends a connection may say so that it does not lead: with acks=0 there is no other way (Kafka's handleServerDisconnect). */
  private distrust(host: string, port: number): void {
    const ids = new Set([...this.nodes.values()].filter((node) => node.host === host && node.port === port).map(({ id }) => id))
    if (ids.size === 0) return
    for (const [name, { partitions }] of this.topics) if (partitions.some(({ leader }) => ids.has(leader))) this.forgetTopic(name)
  }

  /** Of the leader that is known; -1 if none is. A broker that knows another one says so instead of answering (KIP-320). */
  leaderEpoch(topic: string, partition: number): number {
    return this.newest.get(topic)?.partitions.find((each) => each.partition === partition)?.leaderEpoch ?? -1
  }

  /** True when its partitions are known, fresh or not. */
  isKnown(name: string): boolean {
    const topic = this.topics.get(name)
    return topic !== undefined && topic.errorCode === 0 && topic.partitions.length > 0
  }

  /** True when the topic was asked for within `metadata.max.age.ms`. */
  isFresh(name: string): boolean {
    const topic = this.topics.get(name)
    const { metadataMaxAgeMs, retryBackoffMs } = this.settings
    // What was asked for just now is fresh, even where the age may be 0.
    const maxAgeMs = Math.max(metadataMaxAgeMs, retryBackoffMs, 1)
    return topic !== undefined && topic.errorCode === 0 && this.env.clock.monoMs() - topic.readMs < maxAgeMs
  }

  /** Asks any broker. `topics` null: all of them. Topic-level errors stand in the result. */
  async metadata(topics: readonly string[] | null, options: { create?: boolean } = {}): Promise<TopicMetadata[]> {
    const body: Input<MetadataRequest> = {
      topics: topics === null ? null : topics.map((name) => ({ name })),
      allowAutoTopicCreation: options.create ?? false,
    }
    const response = await this.sendToAny<MetadataResponse>(ApiKey.metadata, body)
    this.clusterId = response.clusterId
    this.controllerId = response.controllerId
    if (response.brokers.length > 0) {
      this.nodes = new Map(
        response.brokers.map((each) => [each.nodeId, { id: each.nodeId, host: each.host, port: each.port, rack: each.rack }]),
      )
    }
    const readMs = this.env.clock.monoMs()
    const found = response.topics.map(topicOf).map((topic) => newestOf(topic, this.newest.get(topic.name)))
    for (const topic of found) if (topic.errorCode === 0) this.newest.set(topic.name, topic)
    for (const topic of found) this.topics.set(topic.name, { ...topic, readMs })
    return found
  }

  /** Sends to one node; connects first if need be. Rejects with NetworkError, never retries. */
  async send<Response>(nodeId: number, apiKey: number, body: Body, options: SendOptions = {}): Promise<Response> {
    const node = this.nodes.get(nodeId)
    if (node === undefined)
      throw new ProtocolError(ErrorCode.BROKER_NOT_AVAILABLE, `node ${nodeId} is not among the live brokers`)
    return this.sendTo<Response>(node, apiKey, body, options)
  }

  /** The same to a node that metadata need not know: a coordinator. */
  async sendTo<Response>(
    node: { host: string; port: number },
    apiKey: number,
    body: Body,
    options: SendOptions = {},
  ): Promise<Response> {
    const connection = await this.connection(node.host, node.port, options.lane).catch(asNotSent)
    return connection.send<object, Response>(apiKey, bodyFor(connection, apiKey, body, options), options)
  }

  /** The highest version of an API that this client and that node both speak. */
  async versionOf(nodeId: number, apiKey: number): Promise<number> {
    const node = this.nodes.get(nodeId)
    if (node === undefined)
      throw new ProtocolError(ErrorCode.BROKER_NOT_AVAILABLE, `node ${nodeId} is not among the live brokers`)
    return (await this.connection(node.host, node.port)).versionOf(apiKey)
  }

  /** Sends to whichever known node answers first in turn; the bootstrap servers when none is known. */
  async sendToAny<Response>(apiKey: number, body: Body, options: SendOptions = {}): Promise<Response> {
    const { bootstrapServers } = this.settings
    const known = [...this.nodes.values()]
    const start = known.length > 0 ? this.env.random.below(known.length) : 0
    const candidates: { host: string; port: number }[] = known.map((_, index) => known[(start + index) % known.length]!)
    for (let i = 0; i < bootstrapServers.length; i++)
      candidates.push(bootstrapServers[(this.nextBootstrap + i) % bootstrapServers.length]!)
    let last: unknown
    for (const { host, port } of candidates) {
      try {
        const connection = await this.connection(host, port)
        return await connection.send<object, Response>(apiKey, bodyFor(connection, apiKey, body, options), options)
      } catch (error) {
        if (this.closed || !(error instanceof NetworkError) || error.code === 'UNSUPPORTED_VERSION') throw error
        last = error
        this.nextBootstrap++
      }
    }
    throw last
  }

  /** An open connection with its handshake done. */
  connection(host: string, port: number, lane: Lane = 'main'): Promise<KafkaConnection> {
    if (this.closed) return Promise.reject(new ClosedError('the client is closed'))
    const key = `${host}:${port}/${lane}`
    const open = this.connections.get(key)
    if (open !== undefined) return open
    const connection = new KafkaConnection(this.env, {
      host,
      port,
      clientId: this.settings.clientId,
      requestTimeoutMs: this.settings.requestTimeoutMs,
      connectTimeoutMs: this.settings.connectTimeoutMs,
    })
    const forget = (): void => {
      if (this.connections.get(key) === ready) this.connections.delete(key)
      this.distrust(host, port)
    }
    connection.onClose = forget
    const ready = connection.connect().then(
      () => {
        if (!this.closed) return connection
        connection.close()
        throw new ClosedError('the client is closed')
      },
      (error: unknown) => {
        forget()
        throw error
      },
    )
    ready.catch(() => {})
    this.connections.set(key, ready)
    return ready
  }

  /**
   * Repeats `attempt` after retriable errors, with a growing pause, until it succeeds or `timeoutMs` is over. Then it throws
   * TimeoutError, with the last error as cause.
   */
  async retrying<T>(what: string, attempt: (leftMs: number) => Promise<T>, timeoutMs = this.settings.apiTimeoutMs): Promise<T> {
    const { clock, random } = this.env
    const deadline = clock.monoMs() + timeoutMs
    let pauseMs = this.settings.retryBackoffMs
    for (;;) {
      try {
        return await attempt(Math.max(deadline - clock.monoMs(), 1))
      } catch (error) {
        if (this.closed) throw new ClosedError('the client is closed')
        if (!mayRetry(error)) throw error
        const leftMs = deadline - clock.monoMs()
        if (leftMs <= 0)
          throw new TimeoutError(`${what} did not succeed within ${timeoutMs} ms: ${messageOf(error)}`, { cause: error })
        await this.sleep(Math.min(pauseMs * (0.8 + 0.4 * random.next()), leftMs))
        pauseMs = Math.min(pauseMs * 2, this.settings.retryBackoffMaxMs)
      }
    }
  }

  /** Resolves after `delayMs`, or at once when the client is closed. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.sleepers.delete(wake)
        resolve()
      }
      const timer = this.env.clock.timer(delayMs, wake)
      this.sleepers.add(wake)
    })
  }

  /** What the promise gives, or undefined if the (monotonic) time is over or the client closed before. */
  within<T>(promise: Promise<T>, deadlineMs: number): Promise<T | undefined> {
    const { clock } = this.env
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        timer.cancel()
        this.sleepers.delete(wake)
        resolve(undefined)
      }
      const timer = clock.timer(Math.max(deadlineMs - clock.monoMs(), 0), wake)
      this.sleepers.add(wake)
      const done = (): void => {
        timer.cancel()
        this.sleepers.delete(wake)
      }
      promise.then(
        (value) => {
          done()
          resolve(value)
        },
        (error: unknown) => {
          done()
          reject(error)
        },
      )
    })
  }

  close(): void {
    this.closed = true
    for (const ready of this.connections.values())
      ready.then(
        (connection) => connection.close(),
        () => {},
      )
    this.connections.clear()
    for (const wake of [...this.sleepers]) wake()
  }
}

function bodyFor(connection: KafkaConnection, apiKey: number, body: Body, options: SendOptions): object {
  return typeof body === 'function'
    ? (body as (version: number) => object)(options.version ?? connection.versionOf(apiKey))
    : body
}

/** There is no connection: whatever ended it, the request was not sent. */
function asNotSent(error: unknown): never {
  if (!(error instanceof NetworkError) || error.code === 'UNSUPPORTED_VERSION') throw error
  throw new NetworkError('CONNECT', error.message, error)
}

export function mayRetry(error: unknown): boolean {
  if (error instanceof NetworkError) return error.code !== 'UNSUPPORTED_VERSION'
  if (!(error instanceof ProtocolError)) return false
  return isRetriable(error.code) || error.code === ErrorCode.BROKER_NOT_AVAILABLE
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
