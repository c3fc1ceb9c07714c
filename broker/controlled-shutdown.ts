import { ApiKey } from '../protocol/messages/apis'
import { ErrorCode, errorName } from '../protocol/errors'
import type { ControlledShutdownRequest, ControlledShutdownResponse } from '../protocol/messages/controlled-shutdown'
import type { Logger } from '../runtime/log'
import type { Clock } from '../runtime/ports'
import type { ToController } from './api/to-controller'
import type { MetadataCache } from './metadata/metadata-cache'

export interface ControlledShutdownOptions {
  brokerId: number
  /** Of the present registration: the session may end, and be followed by the next, between two attempts. */
  brokerEpoch(): number
  metadata: MetadataCache
  toController: ToController
  clock: Clock
  logger: Logger
  maxRetries: number
  retryBackoffMs: number
  /** Of one attempt. */
  timeoutMs: number
  /** Whether ZooKeeper is there: without it no controller can move anything. */
  isConnected(): boolean
}

/** A cluster without a controller has nobody to ask, and a stop shall not wait for one. */
const FIND_TIMEOUT_MS = 1000
/** Nor for a controller that waits for ZooKeeper: this long twice without it are enough. */
const CONNECTION_CHECK_MS = 1000

/**
 * Asks the controller to move this broker's leaderships away before it stops; up to `maxRetries` times, since a follower may need
 * a moment to catch up. Resolves with whether nothing is left. Where no other replica that is alive could take over, trying again
 * would only take time (with all brokers of a cluster stopping, the last one has nobody), and so it would without ZooKeeper.
 */
export async function controlledShutdown(options: ControlledShutdownOptions): Promise<boolean> {
  const { brokerId, logger, clock } = options
  for (let attempt = 1; attempt <= options.maxRetries; attempt++) {
    try {
      const asked = options.toController.send<ControlledShutdownRequest, ControlledShutdownResponse>(
        ApiKey.controlledShutdown,
        { brokerId, brokerEpoch: options.brokerEpoch() },
        { timeoutMs: options.timeoutMs, findTimeoutMs: FIND_TIMEOUT_MS },
      )
      const { errorCode, remainingPartitions } = await whileConnected(options, asked)
      if (errorCode === ErrorCode.NONE) {
        if (remainingPartitions.length === 0) {
          logger.info({}, 'controlled shutdown succeeded')
          return true
        }
        const remaining = remainingPartitions.length
        logger.info({ attempt, remaining }, 'controlled shutdown: some partitions are still led here')
        const isHopeless = (): boolean =>
          !remainingPartitions.some(({ topicName, partitionIndex }) => hasSuccessor(options, topicName, partitionIndex))
        if (await becomesTrue(options, isHopeless, attempt < options.maxRetries ? options.retryBackoffMs : 0)) {
          logger.info({ remaining }, 'controlled shutdown: no other live replica can lead what is left')
          return false
        }
        continue
      } else {
        logger.warn({ attempt, error: errorName(errorCode) }, 'controlled shutdown was refused')
      }
    } catch (error) {
      logger.warn({ attempt, reason: (error as Error).message }, 'controlled shutdown got no answer')
    }
    if (!options.isConnected()) break
    if (attempt < options.maxRetries) await new Promise<void>((resolve) => clock.timer(options.retryBackoffMs, resolve))
  }
  logger.warn({}, 'stopping without a controlled shutdown')
  return false
}

/** What `asked` gives; rejects as soon as there has been no ZooKeeper for a while: then whoever is asked waits for it. */
function whileConnected<T>({ clock, isConnected }: ControlledShutdownOptions, asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let wasConnected = true
    const check = (): void => {
      const isThere = isConnected()
      if (!isThere && !wasConnected) {
        reject(new Error('ZooKeeper is away'))
        return
      }
      wasConnected = isThere
      timer = clock.timer(CONNECTION_CHECK_MS, check)
    }
    let timer = clock.timer(CONNECTION_CHECK_MS, check)
    asked.then(resolve, reject).finally(() => timer.cancel())
  })
}

/** Resolves with true as soon as metadata makes `condition` true, else with false after `timeoutMs`. */
function becomesTrue(
  { metadata, clock }: ControlledShutdownOptions,
  condition: () => boolean,
  timeoutMs: number,
): Promise<boolean> {
  if (condition()) return Promise.resolve(true)
  return new Promise((resolve) => {
    const finish = (result: boolean): void => {
      off()
      timer.cancel()
      resolve(result)
    }
    const timer = clock.timer(timeoutMs, () => finish(condition()))
    const off = metadata.onChange(() => {
      if (condition()) finish(true)
    })
  })
}

function hasSuccessor({ brokerId, metadata }: ControlledShutdownOptions, topic: string, partition: number): boolean {
  const replicas = metadata.partition(topic, partition)?.replicas ?? []
  return replicas.some((id) => id !== brokerId && metadata.hasAliveBroker(id))
}
