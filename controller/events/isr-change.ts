import { decodeIsrChange, isrChanges } from '../../zk-schema/notifications'
import type { Partition } from '../context'
import { readNotifications, removeNotifications } from '../notification-queue'
import { completeReassignments } from '../reassignment'
import type { Term } from '../term'

/** Leaders with inter.broker.protocol.version before 2.7-IV2 write ISRs themselves and say here which. */
export async function onIsrChangeNotification(term: Term): Promise<void> {
  const { changes, context, leadership } = term
  const { names, values } = await readNotifications(term, isrChanges, decodeIsrChange)
  const partitions = new Set<Partition>()
  for (const { topic, partition } of values.flat()) {
    const known = context.partition(topic, partition)
    if (known !== undefined) partitions.add(known)
  }
  const list = [...partitions]
  const states = await leadership.read(list)
  const changed = list.filter((partition, index) => {
    const state = states[index]
    if (state === undefined || state.partitionEpoch === partition.leadership?.partitionEpoch) return false
    partition.leadership = state
    return true
  })
  if (changed.length > 0) changes.sendMetadata(changed)
  await completeReassignments(term, changed)
  await removeNotifications(term, isrChanges, names)
}
