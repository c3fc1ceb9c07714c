import { notificationPath, sequenceNumberOf } from '../zk-schema/notifications'
import type { NotificationQueue } from '../zk-schema/notifications'
import { ZnodeFormatError } from '../zk-schema/znode-json'
import type { Term } from './term'

/** Reads what waits in a queue of notifications and arms the watch. What cannot be decoded is reported and thrown away. */
export async function readNotifications<T>(
  term: Term, queue: NotificationQueue, decode: (path: string, data: Buffer | null) => T,
): Promise<{ names: string[]; values: T[] }> {
  const children = await term.loader.names(queue.path, true)
  const names = children.filter((name) => sequenceNumberOf(queue, name) !== undefined)
  const nodes = await term.session.getMany(names.map((name) => notificationPath(queue, name)))
  const values: T[] = []
  for (const [index, node] of nodes.entries()) {
    if (node === undefined) continue
    try {
      values.push(decode(notificationPath(queue, names[index]!), node.data))
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      term.logger.warn({ path: error.path, reason: error.message }, 'a notification cannot be read')
    }
  }
  return { names, values }
}

/** Removes notifications that have been acted on; one that is gone already is as good. */
export async function removeNotifications(term: Term, queue: NotificationQueue, names: readonly string[]): Promise<void> {
  await term.writer.write(names.map((name) => ({ ops: [{ type: 'remove', path: notificationPath(queue, name), version: -1 }] })))
}
