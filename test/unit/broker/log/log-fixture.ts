import { BatchBuilder, controlBatch, iterateBatches } from '../../../../protocol/records/records'
import type { BatchOptions } from '../../../../protocol/records/records'
import { topicConfig } from '../../../../protocol/rules/topic-config'
import type { Logger } from '../../../../runtime/log'
import { silentLogger } from '../../../../runtime/log'
import type { Clock, Environment } from '../../../../runtime/ports'
import { LogManager } from '../../../../broker/log/log-manager'
import type { LogManagerOptions } from '../../../../broker/log/log-manager'
import { MemoryDisk } from './memory-disk'

interface Pending {
  dueMs: number
  callback: () => void
}

/** Time that stands still until it is told to go on. Immediates run by themselves. */
export class FakeClock implements Clock {
  nowMs = 1_700_000_000_000
  private pending: Pending[] = []

  monoMs(): number {
    return this.nowMs
  }

  wallMs(): number {
    return this.nowMs
  }

  timer(delayMs: number, callback: () => void) {
    const entry = { dueMs: this.nowMs + delayMs, callback }
    this.pending.push(entry)
    return {
      cancel: () => {
        this.pending = this.pending.filter((each) => each !== entry)
      },
    }
  }

  immediate(callback: () => void): void {
    setImmediate(callback)
  }

  /** Fires what is due, in order. */
  advance(byMs: number): void {
    const endMs = this.nowMs + byMs
    for (;;) {
      const next = this.pending.filter((each) => each.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
      if (next === undefined) break
      this.pending = this.pending.filter((each) => each !== next)
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      next.callback()
    }
    this.nowMs = endMs
  }
}

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

export class Fixture {
  readonly disk = new MemoryDisk()
  readonly clock = new FakeClock()
  readonly logger = new CollectingLogger()
  readonly env: Environment

  constructor() {
    this.disk.nowMs = () => this.clock.nowMs
    this.disk.makeDirectory('/data')
    let seed = 1
    const random = {
      next: () => (seed = (seed * 16807) % 2147483647) / 2147483647,
      below: (bound: number) => Math.floor(random.next() * bound),
      bytes: (length: number) => Buffer.from(Array.from({ length }, () => random.below(256))),
    }
    this.env = { clock: this.clock, disk: this.disk, random, net: undefined as never }
  }

  open(overrides: Record<string, string> = {}, options: Partial<LogManagerOptions> = {}): Promise<LogManager> {
    return LogManager.open(this.env, {
      dirs: ['/data/a'],
      defaults: topicConfig(overrides),
      transactionVerification: false,
      logger: this.logger,
      ...options,
    })
  }
}

/** A batch of `count` records as a producer sends it. */
export function batch(count: number, options: BatchOptions & { timestamp?: number; valueBytes?: number; key?: string | null } = {}): Buffer {
  const { timestamp = 1_700_000_000_000, valueBytes = 20, key = 'k', ...rest } = options
  const builder = new BatchBuilder(rest)
  for (let i = 0; i < count; i++) {
    builder.append(key === null ? null : Buffer.from(key), Buffer.alloc(valueBytes, 97 + (i % 26)), [], timestamp + i)
  }
  return Buffer.from(builder.build())
}

export function marker(type: 0 | 1, producerId: number, producerEpoch: number, coordinatorEpoch = 0, timestamp = 1_700_000_000_000): Buffer {
  return Buffer.from(controlBatch({ type, coordinatorEpoch, producerId, producerEpoch, timestamp }))
}

export function batchesOf(records: Buffer): Buffer[] {
  return [...iterateBatches(records)]
}

/** Lets everything that was begun come to its end. */
export async function settle(manager: LogManager): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
  await manager.context.background.drained()
}
