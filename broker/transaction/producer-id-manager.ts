import type { Logger } from '../../runtime/log'
import type { Clock } from '../../runtime/ports'

/** The next block is asked for when this share of the current one is used. */
const PREFETCH_AT = 0.9
const RETRY_MS = 50
/** Requests that wait for a block; what is more is told to come back. */
const MAX_WAITING = 10_000

/** A block of producer ids that belongs to this broker alone, and is written down as such. */
export interface ProducerIdBlock {
  start: number
  length: number
}

interface Block {
  next: number
  end: number
  size: number
}

/**
 * Hands out producer ids from blocks: of the controller (AllocateProducerIds) or, below IBP 3.0, of ZooKeeper (Kafka's
 * RPCProducerIdManager and ZkProducerIdManager). Ids are never given twice: what is left of a block when the broker stops is
 * lost.
 */
export class ProducerIdManager {
  private readonly allocate: () => Promise<ProducerIdBlock>
  private readonly clock: Clock
  private readonly logger: Logger
  private current: Block | undefined
  private following: Block | undefined
  private isAsking = false
  private isClosed = false
  private waiting: ((producerId: number | undefined) => void)[] = []

  /** `allocate` rejects if no block can be had. */
  constructor(options: { allocate(): Promise<ProducerIdBlock>; clock: Clock; logger: Logger }) {
    this.allocate = () => options.allocate()
    this.clock = options.clock
    this.logger = options.logger
  }

  /** The next id; undefined if none can be had now (the client shall try again). */
  next(): Promise<number | undefined> {
    const id = this.take()
    if (id !== undefined) return Promise.resolve(id)
    if (this.isClosed || this.waiting.length >= MAX_WAITING) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.waiting.push(resolve)
      void this.ask()
    })
  }

  close(): void {
    this.isClosed = true
    for (const resolve of this.waiting.splice(0)) resolve(undefined)
  }

  private take(): number | undefined {
    if (this.current === undefined || this.current.next >= this.current.end) {
      this.current = this.following
      this.following = undefined
      if (this.current === undefined) return undefined
    }
    const block = this.current
    const id = block.next++
    if (this.following === undefined && block.end - block.next <= Math.round(block.size * (1 - PREFETCH_AT))) void this.ask()
    return id
  }

  private async ask(): Promise<void> {
    if (this.isAsking || this.isClosed) return
    this.isAsking = true
    try {
      const { start, length } = await this.allocate()
      this.following = { next: start, end: start + length, size: length }
    } catch (error) {
      this.logger.warn({ err: error }, 'no block of producer ids could be had')
      for (const resolve of this.waiting.splice(0)) resolve(undefined)
      this.clock.timer(RETRY_MS, () => {
        this.isAsking = false
        if (this.waiting.length > 0) void this.ask()
      })
      return
    }
    this.isAsking = false
    while (this.waiting.length > 0) {
      const id = this.take()
      if (id === undefined) {
        void this.ask()
        return
      }
      this.waiting.shift()!(id)
    }
  }
}
