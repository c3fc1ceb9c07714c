import type { Recorder } from '../recording/events'
import type { Logger } from '../runtime/log'
import type { Clock } from '../runtime/ports'
import { slicesOf } from '../runtime/slices'
import type { Slices } from '../runtime/slices'
import { isZooKeeperError, MultiError } from '../zk-schema/session/errors'
import type { ZooKeeperErrorCode } from '../zk-schema/session/errors'
import type { OpResult, Stat } from '../zk-schema/session/replies'
import type { Op, ZooKeeperSession } from '../zk-schema/session/session'
import { controllerEpochPath } from '../zk-schema/controller'
import { defaultAcl } from '../zk-schema/top-level'
import { ControllerMovedError, isSessionLost, SessionLostError } from './errors'

/** Operations that are applied all or none. */
export interface WriteItem {
  readonly ops: readonly Op[]
}

export type WriteResult =
  | { readonly ok: true; readonly results: readonly OpResult[] }
  /** `failedOp` is the place of the operation that ZooKeeper refused, in the item. Nothing of the item was applied. */
  | { readonly ok: false; readonly code: ZooKeeperErrorCode; readonly failedOp: number }

export interface ZkWriterOptions {
  session: ZooKeeperSession
  clock: Clock
  /** Version of /controller_epoch under which this controller was elected. */
  epochVersion: number
  /** zookeeper.set.acl: what is created belongs to us and can be read by all. */
  secureAcls: boolean
  /** How long before the session's end it stops to write; the session's default if left out. */
  marginMs?: number
  logger: Logger
  recorder: Recorder
  maxOpsPerMulti?: number
  maxBytesPerMulti?: number
}

/** ZooKeeper's default limit of a packet is 1 MiB. */
const MAX_BYTES_PER_MULTI = 900_000
const MAX_OPS_PER_MULTI = 100
/** Beyond the path and the data of an operation: opcode, lengths, version or ACL. */
const BYTES_PER_OP = 64
/** So often a multi is sent again without the item that failed, before its items go one by one. */
const MAX_REDUCTIONS = 3
const RECONNECT_PAUSE_MS = 20

/**
 * Every write of the active controller: many operations behind one check of /controller_epoch, many such multis under way at a
 * time. A multi that fails because of one item is sent again without it. After a lost connection the outcome is unknown: then
 * the znodes are read back, and an item counts as written if they are as it would have left them.
 */
export class ZkWriter {
  private readonly options: ZkWriterOptions
  private readonly maxOps: number
  private readonly maxBytes: number
  private readonly check: Op
  private readonly slices: Slices

  constructor(options: ZkWriterOptions) {
    this.options = options
    this.slices = slicesOf(options.clock)
    this.maxOps = options.maxOpsPerMulti ?? MAX_OPS_PER_MULTI
    this.maxBytes = options.maxBytesPerMulti ?? MAX_BYTES_PER_MULTI
    this.check = { type: 'check', path: controllerEpochPath, version: options.epochVersion }
  }

  /**
   * One result for each item, in their order. The items must not depend on each other.
   * Throws ControllerMovedError or SessionLostError: then it is unknown which items were applied, and this controller is none.
   */
  async write(items: readonly WriteItem[]): Promise<WriteResult[]> {
    const outcomes = await Promise.allSettled(this.pack(items).map((multi) => this.writeMulti(multi, 0)))
    const results: WriteResult[] = []
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason
      results.push(...outcome.value)
    }
    return results
  }

  async writeOne(...ops: Op[]): Promise<WriteResult> {
    const [result] = await this.write([{ ops }])
    return result!
  }

  private pack(items: readonly WriteItem[]): WriteItem[][] {
    const multis: WriteItem[][] = []
    let ops = Infinity
    let bytes = Infinity
    for (const item of items) {
      const size = item.ops.reduce((sum, op) => sum + sizeOf(op), 0)
      if (ops + item.ops.length > this.maxOps || bytes + size > this.maxBytes) {
        multis.push([])
        ops = bytes = 0
      }
      multis.at(-1)!.push(item)
      ops += item.ops.length
      bytes += size
    }
    return multis
  }

  private async writeMulti(items: WriteItem[], reductions: number): Promise<WriteResult[]> {
    if (items.length === 0) return []
    await this.fence()
    // To write one down takes milliseconds, and many may have come here together; so does what follows its answer.
    while (this.slices.isDue()) {
      await this.slices.pause()
      await this.fence()
    }
    try {
      const results = await this.options.session.multi(
        [this.check, ...items.flatMap((item) => item.ops.map((op) => this.withAcl(op)))],
      )
      while (this.slices.isDue()) await this.slices.pause()
      return this.split(items, results)
    } catch (error) {
      return this.afterFailure(items, reductions, error)
    }
  }

  private withAcl(op: Op): Op {
    return op.type === 'create' && this.options.secureAcls ? { ...op, acl: defaultAcl(op.path, true) } : op
  }

  private split(items: WriteItem[], results: OpResult[]): WriteResult[] {
    let next = 1
    return items.map((item) => {
      const own = results.slice(next, (next += item.ops.length))
      item.ops.forEach((op, index) => this.recordWrite(op, own[index]!))
      return { ok: true, results: own }
    })
  }

  private async afterFailure(items: WriteItem[], reductions: number, error: unknown): Promise<WriteResult[]> {
    if (isZooKeeperError(error, 'CONNECTION_LOSS')) return this.readBack(items, reductions)
    if (isSessionLost(error)) throw lost(error)
    if (!(error instanceof MultiError)) {
      if (items.length === 1 && isZooKeeperError(error)) return [{ ok: false, code: error.code, failedOp: 0 }]
      if (isZooKeeperError(error)) return this.writeSingly(items)
      throw error
    }
    if (error.index === 0) throw new ControllerMovedError(`the epoch of the controller is no longer ours (${error.code})`)
    const [failed, failedOp] = locate(items, error.index - 1)
    const failure: WriteResult = { ok: false, code: error.code, failedOp }
    if (items.length === 1) return [failure]
    if (reductions >= MAX_REDUCTIONS) return this.writeSingly(items)
    const rest = await this.writeMulti(items.filter((_, index) => index !== failed), reductions + 1)
    rest.splice(failed, 0, failure)
    return rest
  }

  private async writeSingly(items: WriteItem[]): Promise<WriteResult[]> {
    const outcomes = await Promise.allSettled(items.map((item) => this.writeMulti([item], 0)))
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value[0]!
    })
  }

  /** After an answer that was lost. All of the multi was applied or nothing, so its first telling item says it for all. */
  private async readBack(items: WriteItem[], reductions: number): Promise<WriteResult[]> {
    const { session, logger } = this.options
    logger.info({ items: items.length }, 'lost the connection while writing to ZooKeeper, reading back')
    try {
      // The server that answers next may lag behind the one that took the write.
      await session.sync(controllerEpochPath)
      const epoch = await session.exists(controllerEpochPath)
      if (epoch?.version !== this.options.epochVersion) throw new ControllerMovedError('another controller was elected meanwhile')
      const applied = await Promise.all(items.map((item) => this.appliedResults(item)))
      if (applied.every((results) => results !== undefined)) return applied.map((results) => ({ ok: true, results: results! }))
    } catch (error) {
      if (isZooKeeperError(error, 'CONNECTION_LOSS')) {
        await this.pause()
        return this.readBack(items, reductions)
      }
      if (isZooKeeperError(error)) throw lost(error)
      throw error
    }
    return this.writeMulti(items, reductions)
  }

  /** The results as ZooKeeper would have given them, if all of the item's operations can be seen in the tree. */
  private async appliedResults(item: WriteItem): Promise<OpResult[] | undefined> {
    const nodes = await Promise.all(item.ops.map((op) => this.options.session.get(op.path)))
    const results: OpResult[] = []
    for (const [index, op] of item.ops.entries()) {
      const result = seenResult(op, nodes[index])
      if (result === undefined) return undefined
      results.push(result)
    }
    return results
  }

  /**
   * In front of each multi: is the session surely alive? After a pause of the process the last answer may be old; then one
   * cheap read tells, either way.
   */
  private async fence(): Promise<void> {
    const { session, marginMs } = this.options
    while (!session.mayAct(marginMs)) {
      try {
        await session.exists(controllerEpochPath)
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw lost(error)
        await this.pause()
      }
    }
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => this.options.clock.timer(RECONNECT_PAUSE_MS, resolve))
  }

  private recordWrite(op: Op, result: OpResult): void {
    if (op.type === 'check') return
    const change = op.type === 'create' ? 'created' : op.type === 'set' ? 'changed' : 'deleted'
    this.options.recorder.record({
      kind: 'znodeChange', path: result.type === 'create' ? result.path : op.path, change, written: true,
      ...(op.type === 'remove' || op.data === null ? {} : { content: op.data.toString('utf8') }),
      ...(result.type === 'set' ? { version: result.stat.version } : {}),
    })
  }
}

function lost(error: unknown): SessionLostError {
  return new SessionLostError('the session to ZooKeeper is over', { cause: error })
}

function sizeOf(op: Op): number {
  return BYTES_PER_OP + op.path.length + ('data' in op && op.data !== null ? op.data.length : 0)
}

/** Which item, and which operation in it, is the one at `index` of all. */
function locate(items: WriteItem[], index: number): [number, number] {
  for (const [place, item] of items.entries()) {
    if (index < item.ops.length) return [place, index]
    index -= item.ops.length
  }
  return [items.length - 1, 0]
}

/** undefined: the tree does not show that the operation was applied. */
function seenResult(op: Op, node: { data: Buffer | null; stat: Stat } | undefined): OpResult | undefined {
  switch (op.type) {
    case 'create':
      if (node === undefined || !sameBytes(node.data, op.data)) return undefined
      return { type: 'create', path: op.path, czxid: node.stat.czxid }
    case 'set': {
      const version = op.version < 0 ? node?.stat.version : op.version + 1
      if (node === undefined || node.stat.version !== version || !sameBytes(node.data, op.data)) return undefined
      return { type: 'set', stat: node.stat }
    }
    case 'remove':
      return node === undefined ? { type: 'remove' } : undefined
    case 'check':
      return { type: 'check' }
  }
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return Buffer.compare(a ?? EMPTY, b ?? EMPTY) === 0
}

const EMPTY = Buffer.alloc(0)
