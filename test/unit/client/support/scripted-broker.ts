import { ErrorCode } from '../../../../protocol/errors'
import { FrameReader } from '../../../../network/frame-reader'
import { SlabPool } from '../../../../network/slab-pool'
import { apiByKey, apis, ApiKey } from '../../../../protocol/messages/apis'
import { decodeRequestBody, decodeRequestHeader, encodeResponseFrame } from '../../../../protocol/messages/frames'
import { World } from '../../../simulation/world/world'
import type { Environment, Stream } from '../../../../runtime/ports'
import type { Process } from '../../../simulation/world/world'

// What a request holds is known to the test that scripts its answer.
export type Loose = any

export interface Asked {
  apiKey: number
  version: number
  body: Loose
  atMs: number
}

/** Gives the answer's body, now or later; 'silence' for none, 'hang up' to end the connection. */
export type Answer = (body: Loose, version: number) => object | Promise<object> | 'silence' | 'hang up'

const HOST = '127.0.0.1'
export const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** One broker on virtual time that says what the test wants; where it has no script, what a quiet broker would say. */
export class ScriptedBroker {
  readonly process: Process
  readonly port: number
  readonly asked: Asked[] = []
  readonly answers = new Map<number, Answer>()
  /** Partitions by topic. */
  readonly topics = new Map<string, number>()
  leaderEpoch = 0
  private readonly streams = new Set<Stream>()

  constructor(world: World, port: number) {
    this.process = world.process(`broker-${port}`)
    this.port = port
  }

  static async start(world: World, port = 9092): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(world, port)
    await world.settle(broker.listen(), 1000, 'the broker listens')
    return broker
  }

  on(apiKey: number, answer: Answer): this {
    this.answers.set(apiKey, answer)
    return this
  }

  /** These answers one after the other; the last one again and again. */
  inTurn(apiKey: number, ...answers: Answer[]): this {
    let turn = 0
    return this.on(apiKey, (body, version) => answers[Math.min(turn++, answers.length - 1)]!(body, version))
  }

  of(apiKey: number): Asked[] {
    return this.asked.filter((each) => each.apiKey === apiKey)
  }

  hangUp(): void {
    for (const stream of this.streams) stream.destroy()
    this.streams.clear()
  }

  private async listen(): Promise<void> {
    const pool = new SlabPool(4 * 1024 * 1024)
    await this.process.env.net.listen(HOST, this.port, (stream) => {
      this.streams.add(stream)
      // As a broker: the next request of a connection waits for the answer to the one before.
      let turn: Promise<void> = Promise.resolve()
      const reader = new FrameReader({
        maxFrameBytes: 4 * 1024 * 1024,
        pool,
        onBad: () => stream.destroy(),
        onFrame: (frame) => {
          const copy = Buffer.from(frame)
          turn = turn.then(() => this.serve(stream, copy))
        },
      })
      return { onData: (chunk) => reader.onData(chunk), onClose: () => reader.close() }
    })
  }

  private async serve(stream: Stream, frame: Buffer): Promise<void> {
    const { apiKey, apiVersion, correlationId, bodyOffset } = decodeRequestHeader(frame)
    const api = apiByKey(apiKey)!
    const body: Loose = decodeRequestBody(api, apiVersion, frame, bodyOffset)
    this.asked.push({ apiKey, version: apiVersion, body, atMs: this.process.env.clock.monoMs() })
    const answer = await (this.answers.get(apiKey) ?? this.usual(apiKey))(body, apiVersion)
    if (answer === 'hang up') stream.destroy()
    else if (answer !== 'silence' && this.streams.has(stream))
      stream.writev(encodeResponseFrame(api, apiVersion, correlationId, answer))
  }

  private usual(apiKey: number): Answer {
    switch (apiKey) {
      case ApiKey.apiVersions:
        return () => ({
          apiKeys: Object.values(apis).map((api) => ({
            apiKey: api.key,
            minVersion: api.minVersion,
            maxVersion: api.maxVersion,
          })),
        })
      case ApiKey.metadata:
        return (body) => this.metadata(body)
      case ApiKey.findCoordinator:
        return (body) => ({
          coordinators: body.coordinatorKeys.map((key: string) => ({
            key,
            nodeId: 0,
            host: HOST,
            port: this.port,
            errorCode: 0,
          })),
        })
      case ApiKey.listOffsets:
        return (body) => ({
          topics: body.topics.map((topic: Loose) => ({
            name: topic.name,
            partitions: topic.partitions.map((each: Loose) => ({
              partitionIndex: each.partitionIndex,
              offset: 0,
              timestamp: -1,
              leaderEpoch: this.leaderEpoch,
            })),
          })),
        })
      case ApiKey.offsetFetch:
        return (body) => ({
          groups: body.groups.map((group: Loose) => ({
            groupId: group.groupId,
            topics: (group.topics ?? []).map((topic: Loose) => ({
              name: topic.name,
              partitions: topic.partitionIndexes.map((partitionIndex: number) => ({
                partitionIndex,
                committedOffset: -1,
                metadata: '',
              })),
            })),
          })),
        })
      case ApiKey.fetch:
        return (body) => this.later(body.maxWaitMs, { responses: [], sessionId: 0 })
      case ApiKey.consumerGroupDescribe:
        // As a broker that ZooKeeper coordinates.
        return (body) => ({
          groups: body.groupIds.map((groupId: string) => ({ groupId, errorCode: ErrorCode.UNSUPPORTED_VERSION })),
        })
      case ApiKey.initProducerId:
        return () => ({ producerId: 1000, producerEpoch: 0 })
      default:
        throw new Error(`no script for ${apiByKey(apiKey)?.name}`)
    }
  }

  later(delayMs: number, answer: object): Promise<object> {
    return new Promise((resolve) => this.process.env.clock.timer(delayMs, () => resolve(answer)))
  }

  private metadata(body: Loose): object {
    const names: string[] = body.topics === null ? [...this.topics.keys()] : body.topics.map(({ name }: { name: string }) => name)
    return {
      brokers: [{ nodeId: 0, host: HOST, port: this.port }],
      clusterId: 'c',
      controllerId: 0,
      topics: names.map((name) => {
        const count = this.topics.get(name)
        if (count === undefined) return { name, errorCode: 3, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: [] }
        return {
          name,
          topicId: TOPIC_ID,
          partitions: Array.from({ length: count }, (_, partitionIndex) => ({
            partitionIndex,
            leaderId: 0,
            leaderEpoch: this.leaderEpoch,
            replicaNodes: [0],
            isrNodes: [0],
          })),
        }
      }),
    }
  }
}

/** A world with one such broker and an environment for a client. */
export async function scripted(): Promise<{ world: World; broker: ScriptedBroker; env: Environment; bootstrap: string }> {
  const world = new World(1)
  const broker = await ScriptedBroker.start(world)
  return { world, broker, env: world.process('client').env, bootstrap: `${HOST}:${broker.port}` }
}
