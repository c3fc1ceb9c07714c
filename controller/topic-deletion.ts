import { ErrorCode } from '../protocol/errors'
import { randomUuid } from '../protocol/rules/uuid'
import { deleteTopicPath } from '../zk-schema/admin'
import { configPath } from '../zk-schema/configs'
import { decodeDeletion, deletionPath, deletionsPath, encodeDeletion, prekraftPath } from '../zk-schema/deletions'
import type { Op } from '../zk-schema/session/session'
import { partitionPath, partitionsPath, topicPath } from '../zk-schema/topics'
import { ZnodeFormatError } from '../zk-schema/znode-json'
import type { Partition, Topic } from './context'
import type { StopReplicaEntry } from './control-entries'
import { createOp } from './leadership-writer'
import { forgetReassignment, strikeFromLegacyRequest } from './reassignment'
import type { Replica } from './replica-state-machine'
import { isLegalReplicaTransition } from './replica-states'
import { RequestBatch } from './request-batch'
import type { Term } from './term'
import type { WriteItem } from './zk-writer'

/** A deleted topic of which brokers still have logs: /prekraft/deletions/<id>. */
interface Debt {
  readonly id: string
  readonly topic: string
  readonly partitions: readonly number[]
  /** Broker to the partitions that it has not confirmed. */
  readonly brokers: Map<number, Set<number>>
  version: number
}

/** So many operations are written as one, so that a crash leaves all or nothing. */
const MAX_ATOMIC_OPS = 200
const MAX_ATTEMPTS = 5

/**
 * Deletes topics (Kafka's TopicDeletionManager), without waiting for the dead: what a dead broker has to delete is written down,
 * and it is told when it returns, before it hears of any new topic of that name.
 */
export class TopicDeletion {
  private readonly term: Term
  private readonly topics = new Set<Topic>()
  private readonly debts = new Map<string, Debt>()

  constructor(term: Term) {
    this.term = term
  }

  /** Topics on their way out. */
  get size(): number {
    return this.topics.size
  }

  /** Reads what brokers owe from earlier deletions. */
  async load(): Promise<void> {
    const { context, session, logger } = this.term
    const ids = (await session.children(deletionsPath))?.names ?? []
    const nodes = await session.getMany(ids.map(deletionPath))
    for (const [index, id] of ids.entries()) {
      const node = nodes[index]
      if (node === undefined) continue
      try {
        const { topic, partitions, brokers } = decodeDeletion(id, node.data)
        const debt: Debt = { id, topic, partitions, brokers: new Map(), version: node.stat.version }
        for (const broker of brokers) debt.brokers.set(broker, new Set(partitions))
        this.debts.set(id, debt)
        for (const broker of brokers) context.addOwedDeletion(broker, topic)
      } catch (error) {
        if (!(error instanceof ZnodeFormatError)) throw error
        logger.warn({ path: error.path, reason: error.message }, 'a pending deletion cannot be read, it is left alone')
      }
    }
  }

  queue(topics: Iterable<Topic>): void {
    for (const topic of topics) {
      if (topic.deletion === 'none') topic.deletion = 'queued'
      this.topics.add(topic)
    }
  }

  /** The topic is gone by another's hand. */
  forget(topic: Topic): void {
    this.topics.delete(topic)
  }

  /** Takes every topic that is to be deleted as far as it can go now. */
  async resume(): Promise<void> {
    for (const topic of [...this.topics]) {
      if (topic.deletion === 'queued') await this.begin(topic)
      await this.advance(topic)
      if (isFinished(this.term, topic)) await this.complete(topic)
    }
  }

  /** Deletion replicas that cannot be deleted now: their broker died, or it said so. */
  fail(replicas: Iterable<Replica>): void {
    for (const replica of replicas) this.term.changes.enterReplica(replica, 'ReplicaDeletionIneligible')
  }

  /** A broker answered a StopReplica. */
  async onStopped(
    broker: number, errorCode: number, entries: readonly StopReplicaEntry[], errors: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { context, changes } = this.term
    // StopReplica knows names alone: whichever topic of a name it was about, there is no log left.
    const owed = this.owedBy(broker)
    const settled = new Set<Debt>()
    let advanced = false
    for (const entry of entries) {
      if (!entry.deletePartition) continue
      const code = errorCode !== ErrorCode.NONE ? errorCode : (errors.get(`${entry.topic}:${entry.index}`) ?? ErrorCode.NONE)
      const partition = context.partition(entry.topic, entry.index)
      if (partition?.topic.deletion === 'started' && partition.topic.id === entry.topicId) {
        if (context.replicaState(partition, broker) !== 'ReplicaDeletionStarted') continue
        const outcome = code === ErrorCode.NONE ? 'ReplicaDeletionSuccessful' : 'ReplicaDeletionIneligible'
        changes.enterReplica({ partition, broker }, outcome)
        advanced = true
      }
      if (code !== ErrorCode.NONE) continue
      for (const { debt, left } of owed.get(entry.topic) ?? []) if (left.delete(entry.index) && left.size === 0) settled.add(debt)
    }
    for (const debt of settled) await this.settle(debt, broker)
    if (advanced) await this.resume()
  }

  /** Its debts by the topic's name, with the partitions that are left of each. */
  private owedBy(broker: number): Map<string, { debt: Debt; left: Set<number> }[]> {
    const owed = new Map<string, { debt: Debt; left: Set<number> }[]>()
    for (const debt of this.debts.values()) {
      const left = debt.brokers.get(broker)
      if (left !== undefined) owed.set(debt.topic, [...(owed.get(debt.topic) ?? []), { debt, left }])
    }
    return owed
  }

  /**
   * Tells these brokers to delete what they owe. To be called before anything else is sent to a broker that has come back: its
   * log of an old topic must go before it hears of a new one.
   */
  async collectDebts(brokers: Iterable<number>): Promise<void> {
    const { context, channels } = this.term
    const batch = new RequestBatch(context)
    for (const broker of brokers) {
      if (!context.brokers.has(broker)) continue
      for (const debt of [...this.debts.values()]) {
        const left = debt.brokers.get(broker)
        if (left === undefined) continue
        // In sync with the topic of today: another controller has seen to it, and the old log cannot be there.
        if (this.isInSyncWithNamesake(debt, broker)) await this.settle(debt, broker)
        else batch.addOwedDeletion(broker, debt.topic, debt.id, left)
      }
    }
    channels.send(batch)
  }

  private isInSyncWithNamesake(debt: Debt, broker: number): boolean {
    const topic = this.term.context.topics.get(debt.topic)
    if (topic === undefined) return false
    return [...topic.partitions.values()].some((partition) => partition.leadership?.isr.includes(broker) ?? false)
  }

  /** First step: nobody serves the topic any more. */
  private async begin(topic: Topic): Promise<void> {
    const { changes, context, logger } = this.term
    logger.info({ topic: topic.name }, 'deleting the topic')
    topic.deletion = 'started'
    const partitions = [...topic.partitions.values()]
    const known = partitions.filter((partition) => partition.state !== 'NonExistentPartition')
    await changes.movePartitions(known, 'OfflinePartition')
    await changes.movePartitions(known, 'NonExistentPartition')
    // A reassignment ends with its topic: every replica, old or new, is told to delete. One whose target is dead would never end.
    const reassigned = partitions.filter((partition) => context.reassigning.has(partition))
    for (const partition of reassigned) forgetReassignment(this.term, partition)
    changes.sendMetadata(partitions)
    if (reassigned.length > 0) {
      await strikeFromLegacyRequest(this.term, (partition) => partition !== undefined && reassigned.includes(partition))
    }
  }

  /** Asks the living replicas to delete; the dead ones owe it. */
  private async advance(topic: Topic): Promise<void> {
    const { changes, context } = this.term
    const alive: Replica[] = []
    for (const partition of topic.partitions.values()) {
      for (const broker of partition.assignment.replicas) {
        const state = context.replicaState(partition, broker)
        if (state === 'ReplicaDeletionSuccessful' || state === 'ReplicaDeletionIneligible') continue
        if (!context.brokers.has(broker) || context.offlineOn(broker).has(partition)) this.fail([{ partition, broker }])
        else if (state !== 'ReplicaDeletionStarted') alive.push({ partition, broker })
      }
    }
    for (const replica of alive) {
      const state = context.replicaState(replica.partition, replica.broker)
      if (!isLegalReplicaTransition(state, 'OfflineReplica')) changes.enterReplica(replica, 'OfflineReplica')
    }
    await changes.moveReplicas(alive, 'OfflineReplica')
    await changes.moveReplicas(alive, 'ReplicaDeletionStarted')
  }

  /** Last step: the znodes go, and what is still owed is written down in the same breath. */
  private async complete(topic: Topic): Promise<void> {
    const { context, logger, watches, writer } = this.term
    // A controller before this one may have written the debt down and come no further.
    const known = topic.id === undefined ? undefined : this.debts.get(topic.id)
    const debt = mergeDebts(known, debtOf(this.term, topic))
    for (let attempt = 1; ; attempt++) {
      const { record, partitions, tail } = await this.removals(topic, debt, attempt > 1)
      const count = record.length + tail.length + partitions.reduce((sum, item) => sum + item.ops.length, 0)
      const results = count <= MAX_ATOMIC_OPS
        ? [await writer.writeOne(...record, ...partitions.flatMap((item) => item.ops), ...tail)]
        : [await writer.writeOne(...record), ...(await writer.write(partitions)), await writer.writeOne(...tail)]
      const refused = results.find((result) => !result.ok)
      if (refused === undefined || refused.ok) break
      // Somebody else removed or added something meanwhile: look again.
      logger.warn({ topic: topic.name, attempt, code: refused.code }, 'cannot remove all znodes of the topic yet')
      if (attempt >= MAX_ATTEMPTS) return
    }
    watches.forgetNode(topicPath(topic.name))
    context.removeTopic(topic)
    this.topics.delete(topic)
    if (debt !== undefined) {
      this.debts.set(debt.id, debt)
      for (const broker of debt.brokers.keys()) if (known?.brokers.has(broker) !== true) context.addOwedDeletion(broker, debt.topic)
      await this.collectDebts(debt.brokers.keys())
    }
    logger.info({ topic: topic.name, owedBy: [...(debt?.brokers.keys() ?? [])] }, 'deleted the topic')
  }

  /** The operations that remove what is there now. `thorough` looks for znodes below the states, too. */
  private async removals(
    topic: Topic, debt: Debt | undefined, thorough: boolean,
  ): Promise<{ record: Op[]; partitions: WriteItem[]; tail: Op[] }> {
    const { session } = this.term
    const config = configPath('topics', topic.name)
    const marker = deleteTopicPath(topic.name)
    const [node, hasConfig, hasMarker, children] = await Promise.all([
      session.exists(topicPath(topic.name)),
      session.exists(config),
      session.exists(marker),
      session.children(partitionsPath(topic.name)),
    ])
    const numbers = children?.names ?? []
    const below = await Promise.all(numbers.map((number) => this.below(partitionPath(topic.name, Number(number)), thorough)))
    const partitions = numbers.map((number, index) => ({
      ops: [...below[index]!, partitionPath(topic.name, Number(number))].map(removeOp),
    }))
    const tail = [
      ...(children === undefined ? [] : [partitionsPath(topic.name)]), ...(node === undefined ? [] : [topicPath(topic.name)]),
      ...(hasConfig === undefined ? [] : [config]), ...(hasMarker === undefined ? [] : [marker]),
    ].map(removeOp)
    return { record: await this.recordOps(debt), partitions, tail }
  }

  private async below(path: string, thorough: boolean): Promise<string[]> {
    const names = (await this.term.session.children(path))?.names ?? []
    const paths: string[] = []
    for (const name of names) {
      const child = `${path}/${name}`
      if (thorough) paths.push(...(await this.below(child, true)))
      paths.push(child)
    }
    return paths
  }

  private async recordOps(debt: Debt | undefined): Promise<Op[]> {
    if (debt === undefined) return []
    const { session } = this.term
    const paths = [prekraftPath, deletionsPath, deletionPath(debt.id)]
    const stats = await Promise.all(paths.map((path) => session.exists(path)))
    if (stats[2] !== undefined) return [{ type: 'set', path: paths[2]!, data: encodeDebt(debt), version: stats[2].version }]
    const data = [null, null, encodeDebt(debt)]
    return paths.map((path, index) => createOp(path, data[index]!)).filter((_, index) => stats[index] === undefined)
  }

  /** A broker has deleted what it owed of one topic: strike it out, then let it have the topic's namesake. */
  private async settle(debt: Debt, broker: number): Promise<void> {
    const { changes, context, logger, session, writer } = this.term
    const brokers = new Map([...debt.brokers].filter(([other]) => other !== broker))
    const path = deletionPath(debt.id)
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      let result = await writer.writeOne(...(brokers.size > 0
        ? [{ type: 'set', path, data: encodeDebt({ ...debt, brokers }), version: debt.version } as const]
        : [path, ...(this.debts.size === 1 ? [deletionsPath, prekraftPath] : [])].map(removeOp)))
      if (!result.ok && result.code === 'NOT_EMPTY') result = await writer.writeOne(removeOp(path))
      if (result.ok || result.code === 'NO_NODE') {
        const written = result.ok ? result.results[0] : undefined
        if (written?.type === 'set') debt.version = written.stat.version
        break
      }
      const stat = await session.exists(path)
      if (stat !== undefined) debt.version = stat.version
    }
    debt.brokers.delete(broker)
    if (debt.brokers.size === 0) this.debts.delete(debt.id)
    context.removeOwedDeletion(broker, debt.topic)
    logger.info({ topic: debt.topic, broker }, 'the broker has deleted what was left of the topic')
    const namesake = context.topics.get(debt.topic)
    if (namesake === undefined || namesake.deletion !== 'none' || context.owesDeletion(broker, debt.topic)) return
    const replicas = [...context.partitionsOn(broker)].filter((partition) => partition.topic === namesake)
    await changes.moveReplicas(replicas.map((partition) => ({ partition, broker })), 'OnlineReplica')
    await changes.onlineLeaderless(namesake.name)
  }
}

function isFinished(term: Term, topic: Topic): boolean {
  return [...topic.partitions.values()].every((partition) => partition.assignment.replicas.every((broker) => {
    const state = term.context.replicaState(partition, broker)
    return state === 'ReplicaDeletionSuccessful' || state === 'ReplicaDeletionIneligible'
  }))
}

/** Who has not deleted which partitions; undefined if all have. */
function debtOf(term: Term, topic: Topic): Debt | undefined {
  const brokers = new Map<number, Set<number>>()
  const owes = (partition: Partition, broker: number) => {
    const indexes = brokers.get(broker)
    if (indexes === undefined) brokers.set(broker, new Set([partition.index]))
    else indexes.add(partition.index)
  }
  for (const partition of topic.partitions.values()) {
    for (const broker of partition.assignment.replicas) {
      if (term.context.replicaState(partition, broker) === 'ReplicaDeletionIneligible') owes(partition, broker)
    }
  }
  if (brokers.size === 0) return undefined
  // Without a topic id (inter.broker.protocol.version < 2.8) any name that nobody else uses will do.
  const id = topic.id ?? randomUuid(term.env.random)
  return { id, topic: topic.name, partitions: [...topic.partitions.keys()], brokers, version: 0 }
}

function mergeDebts(known: Debt | undefined, found: Debt | undefined): Debt | undefined {
  if (known === undefined || found === undefined) return found ?? known
  return { ...found, brokers: new Map([...known.brokers, ...found.brokers]) }
}

function encodeDebt(debt: Pick<Debt, 'topic' | 'partitions' | 'brokers'>): Buffer {
  return encodeDeletion({ topic: debt.topic, partitions: [...debt.partitions], brokers: [...debt.brokers.keys()] })
}

function removeOp(path: string): Op {
  return { type: 'remove', path, version: -1 }
}
