import type { Logger } from '../runtime/log'
import type { Slices } from '../runtime/slices'
import type { ZooKeeperErrorCode } from '../zk-schema/session/errors'
import type { NodeData, Op, ZooKeeperSession } from '../zk-schema/session/session'
import {
  decodePartitionState, encodePartitionState, partitionPath, partitionsPath, partitionStatePath,
} from '../zk-schema/topics'
import { ZnodeFormatError } from '../zk-schema/znode-json'
import { sameList } from './assignment'
import { partitionName } from './context'
import type { Leadership, Partition, Topic } from './context'
import type { LeaderAndIsr } from './leader-election'
import type { WriteItem, WriteResult, ZkWriter } from './zk-writer'

/** What shall become of a partition's state znode. */
export type LeadershipDecision = { readonly write: LeaderAndIsr } | 'keep' | { readonly failed: string }

export type LeadershipOutcome =
  | { readonly ok: true; readonly written: boolean }
  | { readonly ok: false; readonly reason: string; readonly code?: ZooKeeperErrorCode }

/** So often a write is decided anew because somebody else changed the znode in between. */
const MAX_ATTEMPTS = 20

/**
 * Writes partition states: conditional on the version that the decision was made from, many at a time. `partition.leadership`
 * changes only after ZooKeeper confirmed.
 */
export class LeadershipWriter {
  private readonly session: ZooKeeperSession
  private readonly writer: ZkWriter
  private readonly controllerEpoch: number
  private readonly logger: Logger
  private readonly slices: Slices
  private readonly onSpoilt: () => void

  /** `onSpoilt` is called when a state that memory knows turns out to be gone, or cannot be read any more. */
  constructor(
    session: ZooKeeperSession, writer: ZkWriter, controllerEpoch: number, logger: Logger, slices: Slices, onSpoilt: () => void,
  ) {
    this.session = session
    this.writer = writer
    this.controllerEpoch = controllerEpoch
    this.logger = logger
    this.slices = slices
    this.onSpoilt = onSpoilt
  }

  /**
   * Decides and writes for each partition. Decisions are made from memory; where ZooKeeper holds another version, the state is
   * read and decided again, and so it is once before a failure: a leader of before 2.7-IV2 writes its ISR itself, and says so
   * seconds later. Leave `retry` false where the caller shall hear of it (BAD_VERSION).
   */
  async update(
    partitions: Iterable<Partition>, decide: (partition: Partition, current: Leadership) => LeadershipDecision, retry = true,
  ): Promise<Map<Partition, LeadershipOutcome>> {
    const outcomes = new Map<Partition, LeadershipOutcome>()
    let waiting = [...partitions]
    for (let attempt = 1; waiting.length > 0; attempt++) {
      const doubtful: Partition[] = []
      const changes: { partition: Partition; item: WriteItem; next: LeaderAndIsr; version: number }[] = []
      for (const partition of waiting) {
        if (this.slices.isDue()) await this.slices.pause()
        const current = partition.leadership
        const decision = current === undefined ? { failed: 'it has no state' } : decide(partition, current)
        if (decision === 'keep') outcomes.set(partition, { ok: true, written: false })
        else if ('failed' in decision) {
          outcomes.set(partition, { ok: false, reason: decision.failed })
          if (retry && attempt === 1 && current !== undefined) doubtful.push(partition)
        } else {
          const { write: next } = decision
          const version = current!.partitionEpoch
          const item = { ops: [setStateOp(partition, next, this.controllerEpoch, version)] }
          changes.push({ partition, item, next, version })
        }
      }
      const results = await this.writer.write(changes.map(({ item }) => item))
      const conflicts: Partition[] = []
      for (const [index, { partition, next, version }] of changes.entries()) {
        const result = results[index]!
        if (result.ok) {
          partition.leadership = confirmed(next, setVersion(result, version), this.controllerEpoch)
          outcomes.set(partition, { ok: true, written: true })
        } else if (result.code === 'BAD_VERSION' && retry && attempt < MAX_ATTEMPTS) conflicts.push(partition)
        else {
          if (result.code === 'NO_NODE' || result.code === 'BAD_VERSION') this.onSpoilt()
          outcomes.set(partition, { ok: false, reason: `ZooKeeper refused the state (${result.code})`, code: result.code })
        }
      }
      waiting = await this.refresh([...conflicts, ...doubtful], outcomes)
    }
    return outcomes
  }

  /** Reads the states again; gives back those that are ours to change. */
  private async refresh(partitions: Partition[], outcomes: Map<Partition, LeadershipOutcome>): Promise<Partition[]> {
    if (partitions.length === 0) return []
    const states = await this.read(partitions)
    return partitions.filter((partition, index) => {
      const state = states[index]
      if (state === undefined) {
        this.onSpoilt()
        outcomes.set(partition, { ok: false, reason: 'its state is gone or cannot be read' })
        return false
      }
      partition.leadership = state
      if (state.controllerEpoch > this.controllerEpoch) {
        outcomes.set(partition, { ok: false, reason: `its state was written by a controller of epoch ${state.controllerEpoch}` })
        return false
      }
      return true
    })
  }

  /** The states as ZooKeeper has them; undefined where there is none or none that can be read. */
  async read(partitions: readonly Partition[]): Promise<(Leadership | undefined)[]> {
    return (await this.readWithZxids(partitions)).map((state) => state?.leadership)
  }

  /** The same, with the zxid of the last write. */
  async readWithZxids(partitions: readonly Partition[]): Promise<({ leadership: Leadership; mzxid: number } | undefined)[]> {
    const paths = partitions.map((partition) => partitionStatePath(partition.topic.name, partition.index))
    const nodes = await this.session.getMany(paths)
    return nodes.map((node, index) => {
      if (node === undefined) return undefined
      const leadership = readPartitionState(partitions[index]!, node)
      if (leadership !== undefined) return { leadership, mzxid: node.stat.mzxid }
      this.logger.warn({ path: paths[index] }, 'the state of a partition cannot be read, it is left alone')
      return undefined
    })
  }

  /** Of the state znodes, readable or not; undefined where there is none. */
  async versionsOfStates(partitions: readonly Partition[]): Promise<(number | undefined)[]> {
    const nodes = await this.session.getMany(partitions.map(({ topic, index }) => partitionStatePath(topic.name, index)))
    return nodes.map((node) => node?.stat.version)
  }

  /**
   * Creates the states of partitions that have none, with the parents that are missing. A state that is there already is read:
   * it is our own write whose answer was lost, or an older one, which is taken over as it is.
   */
  async create(plans: ReadonlyMap<Partition, LeaderAndIsr>): Promise<Map<Partition, LeadershipOutcome>> {
    const outcomes = new Map<Partition, LeadershipOutcome>()
    const waiting = await this.createParents([...plans.keys()], outcomes)
    const items: WriteItem[] = []
    for (const partition of waiting) {
      if (this.slices.isDue()) await this.slices.pause()
      items.push({ ops: createStateOps(partition, plans.get(partition)!, this.controllerEpoch) })
    }
    const results = await this.writer.write(items)
    const again = waiting.filter((_, index) => exists(results[index]!) && failedAt(results[index]!) === 0)
    const second = await this.writer.write(again.map((partition) => ({
      ops: createStateOps(partition, plans.get(partition)!, this.controllerEpoch).slice(1),
    })))
    for (const [index, partition] of again.entries()) results[waiting.indexOf(partition)] = second[index]!
    const found: Partition[] = []
    for (const [index, partition] of waiting.entries()) {
      const result = results[index]!
      if (result.ok) {
        partition.leadership = confirmed(plans.get(partition)!, 0, this.controllerEpoch)
        outcomes.set(partition, { ok: true, written: true })
      } else if (exists(result)) found.push(partition)
      else outcomes.set(partition, { ok: false, reason: `ZooKeeper refused the state (${result.code})`, code: result.code })
    }
    await this.adopt(found, plans, outcomes)
    return outcomes
  }

  private async createParents(partitions: Partition[], outcomes: Map<Partition, LeadershipOutcome>): Promise<Partition[]> {
    const topics = [...new Set(partitions.map((partition) => partition.topic))].filter((topic) => !hasStates(topic))
    const results = await this.writer.write(topics.map((topic) => ({ ops: [createOp(partitionsPath(topic.name), null)] })))
    const failed = new Map<Topic, ZooKeeperErrorCode>()
    for (const [index, topic] of topics.entries()) {
      const result = results[index]!
      if (!result.ok && !exists(result)) failed.set(topic, result.code)
    }
    return partitions.filter((partition) => {
      const code = failed.get(partition.topic)
      if (code === undefined) return true
      outcomes.set(partition, { ok: false, reason: `ZooKeeper refused the topic's partitions (${code})`, code })
      return false
    })
  }

  private async adopt(
    partitions: Partition[], plans: ReadonlyMap<Partition, LeaderAndIsr>, outcomes: Map<Partition, LeadershipOutcome>,
  ): Promise<void> {
    const states = partitions.length === 0 ? [] : await this.read(partitions)
    for (const [index, partition] of partitions.entries()) {
      const state = states[index]
      if (state === undefined || state.controllerEpoch > this.controllerEpoch) {
        outcomes.set(partition, { ok: false, reason: 'a state is there that cannot be taken over' })
        continue
      }
      partition.leadership = state
      const plan = plans.get(partition)!
      const own = state.controllerEpoch === this.controllerEpoch && state.leader === plan.leader && sameList(state.isr, plan.isr)
      if (!own) this.logger.info({ partition: partitionName(partition) }, 'found a state where none was expected, taking it over')
      outcomes.set(partition, { ok: true, written: own })
    }
  }
}

/** undefined if it cannot be read. */
function readPartitionState(partition: Partition, node: NodeData): Leadership | undefined {
  try {
    const state = decodePartitionState(partition.topic.name, partition.index, node.data)
    const { leader, leaderEpoch, isr, leaderRecoveryState, controllerEpoch } = state
    return { leader, leaderEpoch, isr, recoveryState: leaderRecoveryState, controllerEpoch, partitionEpoch: node.stat.version }
  } catch (error) {
    if (error instanceof ZnodeFormatError) return undefined
    throw error
  }
}

/** What memory holds once ZooKeeper has it. */
export function confirmed(written: LeaderAndIsr, partitionEpoch: number, controllerEpoch: number): Leadership {
  const { leader, leaderEpoch, isr, recoveryState } = written
  return { leader, leaderEpoch, isr, recoveryState, partitionEpoch, controllerEpoch }
}

function encodeState(next: LeaderAndIsr, controllerEpoch: number): Buffer {
  return encodePartitionState({
    controllerEpoch,
    leader: next.leader,
    leaderEpoch: next.leaderEpoch,
    isr: [...next.isr],
    leaderRecoveryState: next.recoveryState,
  })
}

function setStateOp(partition: Partition, next: LeaderAndIsr, controllerEpoch: number, version: number): Op {
  const path = partitionStatePath(partition.topic.name, partition.index)
  return { type: 'set', path, data: encodeState(next, controllerEpoch), version }
}

/** The partition's node and its state, in this order. */
export function createStateOps(
  partition: { topic: { name: string }; index: number }, next: LeaderAndIsr, controllerEpoch: number,
): Op[] {
  const { topic, index } = partition
  return [
    createOp(partitionPath(topic.name, index), null),
    createOp(partitionStatePath(topic.name, index), encodeState(next, controllerEpoch)),
  ]
}

export function createOp(path: string, data: Buffer | null): Op {
  return { type: 'create', path, data }
}

function hasStates(topic: Topic): boolean {
  for (const partition of topic.partitions.values()) if (partition.leadership !== undefined) return true
  return false
}

function setVersion(result: WriteResult, before: number): number {
  const first = result.ok ? result.results[0] : undefined
  return first?.type === 'set' ? first.stat.version : before + 1
}

function exists(result: WriteResult): boolean {
  return !result.ok && result.code === 'NODE_EXISTS'
}

function failedAt(result: WriteResult): number {
  return result.ok ? -1 : result.failedOp
}
