import { deleteTopicsPath, preferredReplicaElectionPath, reassignPartitionsPath } from '../zk-schema/admin'
import { brokerIdsPath } from '../zk-schema/brokers'
import { decodeIsrChange, decodeLogDirEvent, isrChanges, logDirEvents } from '../zk-schema/notifications'
import { topicsPath } from '../zk-schema/topics'
import type { Partition } from './context'
import { StaleEpochError } from './errors'
import { addLoadedTopics } from './events/topic-change'
import { setUpFeatures } from './features'
import { recoverLostStates } from './lost-states'
import { readNotifications, removeNotifications } from './notification-queue'
import { afterRestarts } from './partition-state-machine'
import { resumeReassignments } from './reassignment'
import { RequestBatch } from './request-batch'
import type { Replica } from './replica-state-machine'
import type { Term } from './term'

const FIRST_REBALANCE_MS = 5000

/**
 * What a broker does once it is elected (Kafka's onControllerFailover). Steps and their order are Kafka's, but for one: leaders
 * are elected before every replica is told its part, so that nothing waits for the bulk of it.
 */
export async function failOver(term: Term): Promise<void> {
  const startedMs = term.env.clock.monoMs()
  await setUpFeatures(term)
  await registerWatches(term)
  await wipeNotifications(term)
  await initializeContext(term)
  const loadedMs = term.env.clock.monoMs()
  await initializeDeletions(term)
  // Brokers must know each other before they hear who leads; and a new one all partitions of a topic before some of them change,
  // for it serves meanwhile, and clients that are shown fewer partitions send keys to others.
  term.changes.sendMetadata([...term.context.allPartitions()])
  await term.deletion.collectDebts(term.context.registeredBrokerIds())
  await recoverLostStates(term, term.context.allPartitions())
  await startStateMachines(term)
  const electedMs = term.env.clock.monoMs()
  await resumeReassignments(term)
  await term.deletion.resume()
  term.put({ kind: 'TopicDeletion' })
  term.put({ kind: 'ZkPartitionReassignment' })
  term.put({ kind: 'ZkPreferredReplicaElection' })
  if (term.config.autoLeaderRebalanceEnable) {
    term.putLater('rebalance', FIRST_REBALANCE_MS, { kind: 'AutoPreferredReplicaLeaderElection' })
  }
  if (!term.isWaitingFor('reconcile')) term.putLater('reconcile', term.config.reconcileIntervalMs, { kind: 'Reconcile' })
  term.detail = `brokers ${term.context.registeredBrokerIds().join()}, ${term.context.topics.size} topics, ${term.context.partitionTotal} partitions`
  term.logger.info({
    brokers: term.context.registeredBrokerIds(), topics: term.context.topics.size, partitions: term.context.partitionTotal,
    loadMs: Math.round(loadedMs - startedMs), electMs: Math.round(electedMs - loadedMs),
    tookMs: Math.round(term.env.clock.monoMs() - startedMs),
  }, 'ready to serve as the controller')
}

/** Before anything is read, so that no change between a read and its watch is lost. */
async function registerWatches(term: Term): Promise<void> {
  const { watches, session } = term
  watches.onChildren(brokerIdsPath, { kind: 'BrokerChange' })
  watches.onChildren(topicsPath, { kind: 'TopicChange' })
  watches.onChildren(deleteTopicsPath, { kind: 'TopicDeletion' })
  watches.onChildren(logDirEvents.path, { kind: 'LogDirEventNotification' })
  watches.onChildren(isrChanges.path, { kind: 'IsrChangeNotification' })
  watches.onNode(preferredReplicaElectionPath, { kind: 'ZkPreferredReplicaElection' })
  watches.onNode(reassignPartitionsPath, { kind: 'ZkPartitionReassignment' })
  await Promise.all([session.exists(preferredReplicaElectionPath, true), session.exists(reassignPartitionsPath, true)])
}

/** Everything is read anew below, so what the notifications point at is known without them. */
async function wipeNotifications(term: Term): Promise<void> {
  const logDirs = await readNotifications(term, logDirEvents, decodeLogDirEvent)
  await removeNotifications(term, logDirEvents, logDirs.names)
  const isrs = await readNotifications(term, isrChanges, decodeIsrChange)
  await removeNotifications(term, isrChanges, isrs.names)
}

async function initializeContext(term: Term): Promise<void> {
  const { context, loader, leadership, channels } = term
  const [brokers, names] = await Promise.all([loader.brokers(), loader.topicNames()])
  for (const broker of brokers.values()) context.putBroker(broker)
  await addLoadedTopics(term, await loader.topics(names))
  const partitions = [...context.allPartitions()]
  for (const partition of partitions) context.noteReassignment(partition)
  const states = await leadership.readWithZxids(partitions)
  for (const [index, partition] of partitions.entries()) partition.leadership = states[index]?.leadership
  const highestEpoch = states.reduce((highest, state) => Math.max(highest, state?.leadership.controllerEpoch ?? 0), 0)
  if (highestEpoch > term.epoch) throw new StaleEpochError(highestEpoch)
  await noticeRestarts(term, new Map(partitions.map((partition, index) => [partition, states[index]?.mzxid ?? Infinity])))
  for (const broker of context.brokers.values()) channels.add(broker)
}

/**
 * A broker that registered after the last write of a state restarted since, and no controller saw it go. What it had not synced may be lost,
 * and so it must neither lead on in the same epoch, in which it could write other records at offsets that followers have, nor stay in
 * the ISR beside members that did not restart (Kafka sees such a bounce only while a controller remembers the former epoch).
 */
async function noticeRestarts(term: Term, mzxids: ReadonlyMap<Partition, number>): Promise<void> {
  const { context, leadership } = term
  const hasRestarted = (broker: number, partition: Partition): boolean => (context.brokers.get(broker)?.epoch ?? -1) > mzxids.get(partition)!
  const affected = [...mzxids.keys()].filter(
    (partition) => partition.leadership?.isr.some((broker) => hasRestarted(broker, partition)) === true && partition.topic.deletion === 'none')
  if (affected.length === 0) return
  term.logger.info({ partitions: affected.length }, 'brokers restarted while there was no controller')
  await leadership.update(affected, (partition, current) => {
    const next = afterRestarts(current, (broker) => context.isLive(broker), (broker) => hasRestarted(broker, partition))
    return next === undefined ? 'keep' : { write: next }
  })
}

async function initializeDeletions(term: Term): Promise<void> {
  const { context, deletion, loader } = term
  const marked = await loader.names(deleteTopicsPath, true)
  await deletion.load()
  if (!term.config.deleteTopicEnable) return
  deletion.queue(marked.map((name) => context.topics.get(name)).filter((topic) => topic !== undefined))
}

/** Kafka's start of the replica and the partition state machine. */
async function startStateMachines(term: Term): Promise<void> {
  const { changes, channels, context } = term
  const offline: Replica[] = []
  const serving: Partition[] = []
  for (const partition of context.allPartitions()) {
    for (const broker of partition.assignment.replicas) {
      const isOnline = context.isReplicaOnline(broker, partition)
      context.setReplicaState(partition, broker, isOnline ? 'OnlineReplica' : 'ReplicaDeletionIneligible')
      if (!isOnline && partition.topic.deletion === 'none') offline.push({ partition, broker })
    }
    if (partition.leadership === undefined) context.setState(partition, 'NewPartition')
    else context.setState(partition, context.hasLiveLeader(partition) ? 'OnlinePartition' : 'OfflinePartition')
    if (partition.topic.deletion === 'none') serving.push(partition)
  }
  await changes.onlineLeaderless()
  await changes.moveReplicas(offline, 'OfflineReplica')
  const batch = new RequestBatch(context)
  for (const partition of serving) {
    const online = partition.assignment.replicas.filter((broker) => context.isReplicaOnline(broker, partition))
    batch.addLeaderAndIsr(online, partition, false)
  }
  batch.addUpdateMetadata(context.registeredBrokerIds(), context.allPartitions())
  channels.send(batch)
}
