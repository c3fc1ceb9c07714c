import { ApiKey } from '../protocol/messages/apis'
import { ErrorCode, ProtocolError, isRetriable, isStaleMetadata } from '../protocol/errors'
import { realEnvironment } from '../runtime/real'
import { ClosedError, Cluster, mayRetry } from './cluster'
import { ConfigReader, clientSettings } from './config'
import { readFetched } from './fetched'
import { byLeader, byTopic, partitionKey } from './leaders'
import { OffsetSpec, READ_COMMITTED, READ_UNCOMMITTED, listOffsets } from './offsets'
import type { ConsumerConfig } from './config'
import type { ConsumerRecord } from './fetched'
import type { Environment } from '../runtime/ports'
import type { FetchResponse } from '../protocol/messages/fetch'
import type { OffsetAndTimestamp } from './offsets'
import type { TopicMetadata } from './cluster'
import type { TopicPartition } from './leaders'

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The last version of Fetch that names topics instead of giving their ids (KIP-516). */
const LAST_FETCH_BY_NAME = 12

interface Assigned extends TopicPartition {
  /** undefined until `auto.offset.reset` has been carried out. */
  position: number | undefined
  reset: 'earliest' | 'latest' | undefined
  paused: boolean
  fetching: boolean
  buffered: ConsumerRecord[]
  /** The position after what is buffered: the next fetch starts there. */
  fetchPosition: number
  highWatermark: number
  retryAtMs: number
  /** Changes when the program seeks: an answer to an older fetch is dropped. */
  generation: number
}

/** There is no position to start from, and `auto.offset.reset` is none. */
export class NoOffsetError extends Error {
  override readonly name = 'NoOffsetError'
  readonly code = 'NO_OFFSET'
}

/** Reads partitions that the program chooses. Not for concurrent use of one consumer. */
export class Consumer {
  private readonly env: Environment
  private readonly cluster: Cluster
  private readonly assigned = new Map<string, Assigned>()
  private readonly isolation: number
  private readonly autoReset: 'earliest' | 'latest' | 'none'
  private readonly maxPollRecords: number
  private readonly maxWaitMs: number
  private readonly minBytes: number
  private readonly maxBytes: number
  private readonly maxPartitionBytes: number
  private readonly checkCrcs: boolean
  private readonly busyNodes = new Set<number>()
  private failure: unknown
  private wake: (() => void) | undefined

  constructor(config: ConsumerConfig, env: Environment = realEnvironment()) {
    const read = new ConfigReader(config)
    this.env = env
    this.cluster = new Cluster(env, clientSettings(config, 'consumer'))
    this.isolation = read.choice('isolation.level', 'read_uncommitted', ['read_uncommitted', 'read_committed']) === 'read_committed' ? READ_COMMITTED : READ_UNCOMMITTED
    this.autoReset = read.choice('auto.offset.reset', 'latest', ['earliest', 'latest', 'none'])
    this.maxPollRecords = read.whole('max.poll.records', 500, 1)
    this.maxWaitMs = read.whole('fetch.max.wait.ms', 500, 0)
    this.minBytes = read.whole('fetch.min.bytes', 1, 0)
    this.maxBytes = read.whole('fetch.max.bytes', 52_428_800, 0)
    this.maxPartitionBytes = read.whole('max.partition.fetch.bytes', 1_048_576, 0)
    this.checkCrcs = read.flag('check.crcs', true)
  }

  /** Replaces the assignment. Partitions that stay keep their position. */
  assign(partitions: readonly TopicPartition[]): void {
    const kept = new Map(this.assigned)
    this.assigned.clear()
    for (const { topic, partition } of partitions) {
      const key = partitionKey(topic, partition)
      this.assigned.set(
        key,
        kept.get(key) ?? {
          topic, partition, position: undefined, reset: this.autoReset === 'none' ? undefined : this.autoReset, paused: false, fetching: false,
          buffered: [], fetchPosition: 0, highWatermark: -1, retryAtMs: 0, generation: 0,
        },
      )
    }
  }

  assignment(): TopicPartition[] {
    return [...this.assigned.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  seek({ topic, partition }: TopicPartition, offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError('seek offset must not be a negative number')
    const state = this.state(topic, partition)
    state.position = offset
    state.fetchPosition = offset
    state.reset = undefined
    state.buffered = []
    state.generation++
  }

  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const each of partitions) this.resetTo(this.state(each.topic, each.partition), 'earliest')
  }

  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const each of partitions) this.resetTo(this.state(each.topic, each.partition), 'latest')
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.state(each.topic, each.partition).paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.state(each.topic, each.partition).paused = false
  }

  /** The offset of the next record that `poll` gives. */
  async position({ topic, partition }: TopicPartition): Promise<number> {
    const state = this.state(topic, partition)
    if (state.position === undefined) await this.cluster.retrying('finding the position', () => this.resetPositions([state]))
    return state.position!
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.offsets(partitions, OffsetSpec.earliest)
  }

  /** High watermarks, or last stable offsets under read_committed. */
  async endOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.offsets(partitions, OffsetSpec.latest)
  }

  /** Per partition the first record at or after `timestamp` (ms). Keyed `topic-partition`. */
  offsetsForTimes(wanted: readonly (TopicPartition & { timestamp: number })[]): Promise<Map<string, OffsetAndTimestamp>> {
    return listOffsets(this.cluster, wanted, this.isolation)
  }

  async partitionsFor(topic: string): Promise<TopicMetadata> {
    return this.cluster.retrying(`finding the partitions of ${topic}`, async () => {
      const [found] = await this.cluster.metadata([topic])
      if (found === undefined || found.errorCode !== 0) throw new ProtocolError(found?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      return found
    })
  }

  async listTopics(): Promise<TopicMetadata[]> {
    return this.cluster.retrying('listing topics', () => this.cluster.metadata(null))
  }

  /** Up to `max.poll.records` records, as soon as there are any; none after `timeoutMs`. Throws what is not worth a retry. */
  async poll(timeoutMs: number): Promise<ConsumerRecord[]> {
    const { clock } = this.env
    const deadline = clock.monoMs() + timeoutMs
    for (;;) {
      if (this.cluster.isClosed) throw new ClosedError('the consumer is closed')
      const records = this.takeBuffered()
      if (this.failure !== undefined && records.length === 0) {
        const failure = this.failure
        this.failure = undefined
        throw failure
      }
      this.startFetches()
      if (records.length > 0) return records
      const leftMs = deadline - clock.monoMs()
      if (leftMs <= 0) return []
      await this.waitForNews(Math.min(leftMs, this.cluster.settings.retryBackoffMs))
    }
  }

  /** Records for ever: `for await (const record of consumer)`. Ends when the consumer is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ConsumerRecord, void, undefined> {
    while (!this.cluster.isClosed) {
      try {
        yield* await this.poll(1000)
      } catch (error) {
        if (error instanceof ClosedError) return
        throw error
      }
    }
  }

  /** Of the newest fetch; -1 before the first. */
  highWatermark({ topic, partition }: TopicPartition): number {
    return this.state(topic, partition).highWatermark
  }

  async close(): Promise<void> {
    this.cluster.close()
    this.wake?.()
    return Promise.resolve()
  }

  private state(topic: string, partition: number): Assigned {
    const state = this.assigned.get(partitionKey(topic, partition))
    if (state === undefined) throw new Error(`You can only check the position for partitions assigned to this consumer: ${partitionKey(topic, partition)}`)
    return state
  }

  private resetTo(state: Assigned, where: 'earliest' | 'latest'): void {
    state.position = undefined
    state.reset = where
    state.buffered = []
    state.generation++
  }

  private async offsets(partitions: readonly TopicPartition[], timestamp: number): Promise<Map<string, number>> {
    const found = await listOffsets(this.cluster, partitions.map((each) => ({ ...each, timestamp })), this.isolation)
    return new Map([...found].map(([key, { offset }]) => [key, offset]))
  }

  private takeBuffered(): ConsumerRecord[] {
    const taken: ConsumerRecord[] = []
    for (const state of this.assigned.values()) {
      if (state.paused || state.buffered.length === 0) continue
      const part = state.buffered.splice(0, this.maxPollRecords - taken.length)
      for (const record of part) taken.push(record)
      state.position = state.buffered[0]?.offset ?? state.fetchPosition
      if (taken.length >= this.maxPollRecords) break
    }
    return taken
  }

  /** One fetch per node at a time, for the partitions whose buffer is empty. */
  private startFetches(): void {
    const nowMs = this.env.clock.monoMs()
    const ready = [...this.assigned.values()].filter((state) => !state.fetching && !state.paused && state.buffered.length === 0 && state.retryAtMs <= nowMs)
    if (ready.length === 0) return
    for (const state of ready) state.fetching = true
    this.fetchAll(ready).catch((error: unknown) => this.fail(error))
  }

  private async fetchAll(ready: Assigned[]): Promise<void> {
    let leaders: Map<number, Assigned[]>
    try {
      await this.resetPositions(ready.filter((state) => state.position === undefined))
      leaders = await byLeader(this.cluster, ready)
    } catch (error) {
      this.release(ready, error)
      return
    }
    await Promise.all(
      [...leaders].map(async ([leader, states]) => {
        if (this.busyNodes.has(leader)) {
          // They are looked at again when that node's fetch ends; waking now would turn in circles without any I/O.
          for (const state of states) state.fetching = false
          return
        }
        this.busyNodes.add(leader)
        let failure: unknown
        try {
          await this.fetchFrom(leader, states)
        } catch (error) {
          for (const state of states) this.cluster.forgetTopic(state.topic)
          failure = error
        }
        this.busyNodes.delete(leader)
        this.release(states, failure)
      }),
    )
  }

  /** Lets partitions be fetched again: at once, or after the back-off if something went wrong. */
  private release(states: readonly Assigned[], error: unknown): void {
    for (const state of states) {
      state.fetching = false
      if (error !== undefined) state.retryAtMs = this.env.clock.monoMs() + this.cluster.settings.retryBackoffMs
    }
    if (error !== undefined && !mayRetry(error)) this.fail(error)
    else this.wake?.()
  }

  private async resetPositions(states: readonly Assigned[]): Promise<void> {
    const wanted = states.map((state) => {
      if (state.reset === undefined) throw new NoOffsetError(`Undefined offset with no reset policy for partitions: [${partitionKey(state.topic, state.partition)}]`)
      return { topic: state.topic, partition: state.partition, timestamp: OffsetSpec[state.reset], generation: state.generation, state }
    })
    if (wanted.length === 0) return
    const found = await listOffsets(this.cluster, wanted, this.isolation)
    for (const { state, generation, topic, partition } of wanted) {
      if (state.generation !== generation) continue
      state.position = found.get(partitionKey(topic, partition))!.offset
      state.fetchPosition = state.position
      state.reset = undefined
    }
  }

  private async fetchFrom(leader: number, states: readonly Assigned[]): Promise<void> {
    const ids = new Map(states.map(({ topic }) => [topic, this.cluster.topic(topic)?.topicId ?? ZERO_UUID]))
    const highest = await this.cluster.versionOf(leader, ApiKey.fetch)
    const version = [...ids.values()].includes(ZERO_UUID) ? Math.min(highest, LAST_FETCH_BY_NAME) : highest
    const names = new Map([...ids].map(([name, id]) => [id, name]))
    const generations = new Map(states.map((state) => [state, state.generation]))
    const response = await this.cluster.send<FetchResponse>(
      leader,
      ApiKey.fetch,
      {
        replicaId: -1,
        maxWaitMs: this.maxWaitMs,
        minBytes: this.minBytes,
        maxBytes: this.maxBytes,
        isolationLevel: this.isolation,
        topics: byTopic(states).map(({ topic, partitions }) => ({
          topic,
          topicId: ids.get(topic)!,
          partitions: partitions.map((state) => ({
            partition: state.partition,
            currentLeaderEpoch: this.cluster.leaderEpoch(state.topic, state.partition),
            fetchOffset: state.fetchPosition,
            partitionMaxBytes: this.maxPartitionBytes,
          })),
        })),
      },
      { version, timeoutMs: this.cluster.settings.requestTimeoutMs + this.maxWaitMs },
    )
    if (response.errorCode !== 0) throw new ProtocolError(response.errorCode)
    for (const topic of response.responses) {
      const name = version > LAST_FETCH_BY_NAME ? names.get(topic.topicId) : topic.topic
      for (const each of topic.partitions) {
        const state = name === undefined ? undefined : this.assigned.get(partitionKey(name, each.partitionIndex))
        if (state === undefined || generations.get(state) !== state.generation) continue
        this.takeIn(state, each)
      }
    }
  }

  private takeIn(state: Assigned, answer: FetchResponse['responses'][number]['partitions'][number]): void {
    if (answer.errorCode !== 0) return this.handleError(state, answer.errorCode)
    state.highWatermark = answer.highWatermark
    const bytes = answer.records
    if (bytes === null || bytes.length === 0) return
    const { records, nextPosition } = readFetched({
      topic: state.topic,
      partition: state.partition,
      position: state.fetchPosition,
      bytes,
      checkCrcs: this.checkCrcs,
      aborted: this.isolation === READ_COMMITTED ? [...(answer.abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset) : undefined,
    })
    state.buffered = records
    state.fetchPosition = nextPosition
    if (records.length === 0) state.position = nextPosition
  }

  private handleError(state: Assigned, code: number): void {
    state.retryAtMs = this.env.clock.monoMs() + this.cluster.settings.retryBackoffMs
    if (code === ErrorCode.OFFSET_OUT_OF_RANGE) {
      if (this.autoReset === 'none') {
        this.fail(new NoOffsetError(`Fetch position ${state.fetchPosition} is out of range for partition ${partitionKey(state.topic, state.partition)}, and no reset policy is configured`))
      } else this.resetTo(state, this.autoReset)
      return
    }
    if (isStaleMetadata(code)) this.cluster.forgetTopic(state.topic)
    else if (!isRetriable(code)) this.fail(new ProtocolError(code))
  }

  private fail(error: unknown): void {
    this.failure ??= error
    this.wake?.()
  }

  private waitForNews(mostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel()
        this.wake = undefined
        resolve()
      }
      const timer = this.env.clock.timer(mostMs, done)
      this.wake = done
    })
  }
}
