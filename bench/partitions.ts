import { sleep } from './raw-requests'
import type { Admin, PartitionMetadata } from '../index'

/** Polls; the errors of the condition count as no. Throws when it takes too long. */
export async function until(what: string, condition: () => Promise<boolean>, pollMs = 10, limitMs = 180_000): Promise<void> {
  const endMs = performance.now() + limitMs
  while (!(await condition().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`)
    await sleep(pollMs)
  }
}

export async function partitionsOf(admin: Admin, topic: string): Promise<PartitionMetadata[]> {
  return (await admin.describeTopics([topic]))[0]?.partitions ?? []
}

/** Until every partition has a leader, and all of its replicas in its ISR. */
export async function untilComplete(
  admin: Admin,
  topic: string,
  partitions: number,
  replicas: number,
  pollMs = 10,
): Promise<void> {
  await until(`${topic} is complete`, async () => {
    const found = await partitionsOf(admin, topic)
    return found.length === partitions && found.every(({ leader, isr }) => leader >= 0 && isr.length === replicas)
  }, pollMs)
}
