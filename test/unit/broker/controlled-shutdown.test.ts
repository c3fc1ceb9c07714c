import { controlledShutdown } from '../../../broker/controlled-shutdown'
import { ErrorCode } from '../../../protocol/errors'
import { silentLogger } from '../../../runtime/log'
import type { ControlledShutdownOptions } from '../../../broker/controlled-shutdown'
import type { MetadataCache } from '../../../broker/metadata/metadata-cache'
import type { ControlledShutdownRequest } from '../../../protocol/messages/controlled-shutdown'
import type { Clock, Timer } from '../../../runtime/ports'

type Answer = { errorCode: number; remainingPartitions: { topicName: string; partitionIndex: number }[] } | Error | 'never'

/** How often it looks whether ZooKeeper is still there, while it waits for an answer. */
const LOOKS_AFTER_MS = 1000

/** Timers fire at once; what they were set to is kept. */
class HastyClock implements Clock {
  readonly delays: number[] = []
  monoMs = (): number => 0
  wallMs = (): number => 0
  immediate = (callback: () => void): void => queueMicrotask(callback)
  timer(delayMs: number, callback: () => void): Timer {
    this.delays.push(delayMs)
    let isCancelled = false
    queueMicrotask(() => isCancelled || callback())
    return { cancel: () => (isCancelled = true) }
  }
}

const left = { errorCode: ErrorCode.NONE, remainingPartitions: [{ topicName: 't', partitionIndex: 0 }] }
const done = { errorCode: ErrorCode.NONE, remainingPartitions: [] }

async function stop(answers: Answer[], { isConnected = true, alive = [1] }: { isConnected?: boolean; alive?: number[] } = {}) {
  const clock = new HastyClock()
  let asked = 0
  const epochs: number[] = []
  const metadata = {
    onChange: () => () => undefined,
    partition: () => ({ replicas: [0, 1] }),
    hasAliveBroker: (id: number) => alive.includes(id),
  }
  const options: ControlledShutdownOptions = {
    brokerId: 0,
    // It registers anew while it waits.
    brokerEpoch: () => 7 + asked,
    metadata: metadata as unknown as MetadataCache,
    toController: {
      send: (_apiKey: number, body: unknown) => {
        epochs.push((body as ControlledShutdownRequest).brokerEpoch)
        const answer = answers[asked++]!
        if (answer === 'never') return new Promise(() => {})
        return answer instanceof Error ? Promise.reject(answer) : (Promise.resolve(answer) as never)
      },
    },
    clock,
    logger: silentLogger,
    maxRetries: 3,
    retryBackoffMs: 5000,
    timeoutMs: 30_000,
    isConnected: () => isConnected,
  }
  return { isDone: await controlledShutdown(options), asked, epochs, delays: clock.delays.filter((ms) => ms !== LOOKS_AFTER_MS) }
}

test('asks again, with a pause, until nothing is left', async () => {
  expect(await stop([new Error('no controller'), left, done])).toMatchObject({ isDone: true, asked: 3, delays: [5000, 5000] })
})

test('asks under the epoch that it has by then', async () => {
  const stale = { errorCode: ErrorCode.STALE_BROKER_EPOCH, remainingPartitions: [] }
  expect(await stop([stale, done])).toMatchObject({ isDone: true, epochs: [7, 8] })
})

test('gives up after as many times as it may', async () => {
  expect(await stop([left, left, left])).toMatchObject({ isDone: false, asked: 3 })
})

test('does not wait where nobody else could lead', async () => {
  expect(await stop([left], { alive: [] })).toMatchObject({ isDone: false, asked: 1, delays: [] })
})

test('does not wait for a controller without ZooKeeper', async () => {
  expect(await stop([new Error('no controller')], { isConnected: false })).toMatchObject({ isDone: false, asked: 1, delays: [] })
})

test('does not wait for a controller that waits for ZooKeeper', async () => {
  expect(await stop(['never'], { isConnected: false })).toMatchObject({ isDone: false, asked: 1, delays: [] })
})
