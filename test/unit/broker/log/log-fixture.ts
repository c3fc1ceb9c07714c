import { BatchBuilder, controlBatch, iterateBatches } from '../../../../protocol/records/records'
import type { BatchOptions } from '../../../../protocol/records/records'
import { topicConfig } from '../../../../protocol/rules/topic-config'
import type { Logger } from '../../../../runtime/log'
import { silentLogger } from '../../../../runtime/log'
import { LogManager } from '../../../../broker/log/log-manager'
import type { LogManagerOptions } from '../../../../broker/log/log-manager'
import type { Log } from '../../../../broker/log/log'
import { World } from '../../../simulation/world/world'

export interface Warning {
  fields: Record<string, unknown>
  message: string
}

export class CollectingLogger implements Logger {
  readonly warnings: Warning[] = []
  debug = silentLogger.debug
  info = silentLogger.info

  warn(fields: object, message: string): void {
    this.warnings.push({ fields: fields as Record<string, unknown>, message })
  }

  error(fields: object, message: string): void {
    this.warn(fields, message)
  }

  child(): Logger {
    return this
  }
}

export const whole = { upTo: 'logEnd', minOneMessage: true } as const

/** A broker's disk and clock in the simulated world, and log managers on it. */
export class Fixture {
  readonly world: World
  readonly logger = new CollectingLogger()

  constructor(seed = 1) {
    this.world = new World(seed)
    this.process.disk.makeDirectory('/data')
    this.process.disk.syncDirectory('/')
  }

  get process() {
    return this.world.process('broker')
  }

  get disk() {
    return this.process.disk
  }

  get clock() {
    return this.process.env.clock
  }

  /** Runs the world until `promise` settles. */
  run<T>(promise: Promise<T>): Promise<T> {
    return this.world.settle(promise, 600_000, 'the log is done')
  }

  open(overrides: Record<string, string> = {}, options: Partial<LogManagerOptions> = {}): Promise<LogManager> {
    return this.run(
      LogManager.open(this.process.env, {
        dirs: ['/data/a'],
        defaults: topicConfig(overrides),
        transactionVerification: false,
        logger: this.logger,
        processId: 1000 + this.process.incarnation,
        ...options,
      }),
    )
  }

  /** The turn ends, and everything that was begun comes to its end. */
  async settle(manager: LogManager): Promise<void> {
    await this.world.run(1)
    await this.run(manager.context.background.drained())
  }

  /** kill -9, and a new process. */
  kill(): void {
    this.process.kill()
  }
}

/** A batch of `count` records as a producer sends it. */
export function batch(
  count: number, options: BatchOptions & { timestamp?: number; valueBytes?: number; key?: string | null } = {},
): Buffer {
  const { timestamp = 1_700_000_000_000, valueBytes = 20, key = 'k', ...rest } = options
  const builder = new BatchBuilder(rest)
  for (let i = 0; i < count; i++) {
    builder.append(key === null ? null : Buffer.from(key), Buffer.alloc(valueBytes, 97 + (i % 26)), [], timestamp + i)
  }
  return Buffer.from(builder.build())
}

export function marker(type: 0 | 1, producerId: number, producerEpoch: number, coordinatorEpoch = 0): Buffer {
  return Buffer.from(controlBatch({ type, coordinatorEpoch, producerId, producerEpoch, timestamp: 1_700_000_000_000 }))
}

export function batchesOf(records: Buffer): Buffer[] {
  return [...iterateBatches(records)]
}

/** All that is stored. */
export function contentOf(log: Log): Buffer {
  const parts: Buffer[] = []
  for (let offset = log.startOffset; offset < log.endOffset; ) {
    const result = log.read(offset, 1 << 20, whole)
    const records = Buffer.from(result.records)
    result.release()
    if (records.length === 0) break
    const batches = batchesOf(records)
    parts.push(...batches)
    const last = batches.at(-1)!
    offset = Number(last.readBigInt64BE(0)) + last.readInt32BE(23) + 1
  }
  return Buffer.concat(parts)
}
