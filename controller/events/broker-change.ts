import { brokerIdPath } from '../../zk-schema/brokers'
import { isBeingReassigned } from '../assignment'
import type { Broker, Partition } from '../context'
import { pastUnknown, recoverLostStates } from '../lost-states'
import { resumeReassignments } from '../reassignment'
import { onReplicasOffline } from '../replica-failure'
import { RequestBatch } from '../request-batch'
import type { Term } from '../term'
import type { EventOf } from './event'

/** Brokers came, went, or came back under a new epoch: then they went first. */
export async function onBrokerChange(term: Term): Promise<void> {
  const { channels, context, loader, logger } = term
  const current = await loader.brokers(context.brokers)
  const before = new Map(context.brokers)
  const added = [...current.values()].filter((broker) => !before.has(broker.id))
  const bounced = [...current.values()].filter((broker) => before.has(broker.id) && before.get(broker.id)!.epoch !== broker.epoch)
  const dead = [...before.keys()].filter((id) => !current.has(id))
  if (added.length + bounced.length + dead.length === 0) return
  logger.info({ added: added.map(({ id }) => id), bounced: bounced.map(({ id }) => id), dead }, 'the registered brokers changed')
  term.detail = told({ added: added.map(({ id }) => id), bounced: bounced.map(({ id }) => id), dead })
  // Epochs and channels first: nothing may be sent to what is no more.
  for (const id of [...dead, ...bounced.map((broker) => broker.id)]) {
    channels.remove(id)
    context.removeBroker(id)
    if (!current.has(id)) term.watches.forgetNode(brokerIdPath(id))
  }
  await onBrokersFailed(term, [...dead, ...bounced.map((broker) => broker.id)])
  for (const broker of [...added, ...bounced]) {
    context.putBroker(broker)
    channels.add(broker)
  }
  await onBrokersStarted(term, [...added, ...bounced].map((broker) => broker.id))
}

/** A registered broker wrote its registration again: its end points, for others to know. */
export async function onBrokerModifications(term: Term, event: EventOf<'BrokerModifications'>): Promise<void> {
  const { channels, context, changes, loader } = term
  const known = context.brokers.get(event.broker)
  const broker = await loader.broker(event.broker)
  // Gone or another incarnation: that is for BrokerChange.
  if (known === undefined || broker === undefined || broker.epoch !== known.epoch || isSameRegistration(known, broker)) return
  context.putBroker(broker)
  channels.update(broker)
  changes.sendMetadata([])
}

async function onBrokersFailed(term: Term, brokers: readonly number[]): Promise<void> {
  if (brokers.length === 0) return
  const replicas = brokers.flatMap((broker) => [...term.context.partitionsOn(broker)].map((partition) => ({ partition, broker })))
  await onReplicasOffline(term, replicas)
}

async function onBrokersStarted(term: Term, brokers: readonly number[]): Promise<void> {
  if (brokers.length === 0) return
  const { changes, channels, context, deletion } = term
  for (const broker of brokers) context.forgetOfflineDirs(broker)
  const others = context.registeredBrokerIds().filter((id) => !brokers.includes(id))
  changes.sendMetadata([], others)
  // Old logs go first, then the newcomers learn who leads what, then their own part.
  await deletion.collectDebts(brokers)
  const batch = new RequestBatch(context)
  batch.addUpdateMetadata(brokers, context.allPartitions())
  channels.send(batch)
  const replicas = brokers.flatMap((broker) => {
    const partitions = [...context.partitionsOn(broker)].filter((partition) => {
      return partition.topic.deletion === 'none' && context.isReplicaOnline(broker, partition)
    })
    return partitions.map((partition) => ({ partition, broker }))
  })
  await changes.moveReplicas(replicas, 'OnlineReplica')
  await recoverLostStates(term, pastUnknown(term))
  await changes.onlineLeaderless()
  const waiting = new Set<Partition>()
  for (const partition of context.reassigning) {
    const { assignment } = partition
    if (isBeingReassigned(assignment) && assignment.replicas.some((id) => brokers.includes(id))) waiting.add(partition)
  }
  await resumeReassignments(term, waiting)
  await deletion.resume()
}

function isSameRegistration(a: Broker, b: Broker): boolean {
  return JSON.stringify([a.endpoints, a.rack, a.features]) === JSON.stringify([b.endpoints, b.rack, b.features])
}

/** `dead: 1, added: 2,3`. */
function told(brokers: Readonly<Record<string, readonly number[]>>): string {
  return Object.entries(brokers).flatMap(([what, ids]) => (ids.length === 0 ? [] : [`${what}: ${ids.join()}`])).join(', ')
}
