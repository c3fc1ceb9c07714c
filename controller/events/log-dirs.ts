import { decodeLogDirEvent, logDirEvents } from '../../zk-schema/notifications'
import { readNotifications, removeNotifications } from '../notification-queue'
import type { Term } from '../term'

/**
 * A broker lost a log directory. Which replicas were in it, it says in its answers: all of its replicas are told their part once
 * more, and those that it refuses with KAFKA_STORAGE_ERROR are offline (control-responses.ts).
 */
export async function onLogDirEvent(term: Term): Promise<void> {
  const { changes, context } = term
  const { names, values } = await readNotifications(term, logDirEvents, decodeLogDirEvent)
  for (const broker of new Set(values)) {
    if (!context.brokers.has(broker)) continue
    const partitions = [...context.partitionsOn(broker)].filter((partition) => partition.topic.deletion === 'none')
    await changes.moveReplicas(partitions.map((partition) => ({ partition, broker })), 'OnlineReplica')
  }
  await removeNotifications(term, logDirEvents, names)
}
