import { brokerIdPath } from '../../zk-schema/brokers'
import { partitionStatePath, decodePartitionState } from '../../zk-schema/topics'
import { until } from './mixed-cluster'
import { LOAD, LOAD_ASSIGNMENT } from './mixed-run'
import { preferredLeaders, reassign } from './requests'
import type { Kind } from './mixed-cluster'
import type { Run } from './mixed-run'

/** Steps that are the same for every version of Apache Kafka. */

/** Every partition to other brokers, of the other kind where there are such; and back. */
export async function reassignLoad(run: Run): Promise<void> {
  await reassign(run, LOAD, [
    [10, 11, 0],
    [0, 1, 10],
    [11, 10, 1],
    [0, 1, 11],
  ])
  await reassign(run, LOAD, LOAD_ASSIGNMENT)
}

/** The others go on without it; it comes back whatever was found: the next steps need it. Gives the milliseconds of its end. */
export async function endAndStart(run: Run, id: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
  const tookMs = await run.cluster.stop(id, signal)
  try {
    await run.agreed()
  } finally {
    await run.cluster.start(id)
  }
  return tookMs
}

/** The controller ends in both ways, and another broker takes its place. */
export async function endController(run: Run, kind: Kind, of: (name: string) => string): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await run.step(of(`end the controller with ${signal}`), async () => {
      await endAndStart(run, await run.moveController(kind), signal)
    })
    await run.moveController(kind)
  }
}

interface State {
  leader: number
  leaderEpoch: number
  isr: number[]
  /** The partition epoch. */
  version: number
}

/** What the state znodes of the load's partitions say. */
async function states(run: Run): Promise<State[]> {
  return await run.cluster.zookeeper((session) =>
    Promise.all(
      LOAD_ASSIGNMENT.map(async (_, partition) => {
        const node = await session.get(partitionStatePath(LOAD, partition))
        const { leader, leaderEpoch, isr } = decodePartitionState(LOAD, partition, node!.data)
        return { leader, leaderEpoch, isr, version: node!.stat.version }
      }),
    ),
  )
}

/**
 * A follower of leaders of both kinds stands still, without losing its session: they take it out of their ISRs by AlterPartition,
 * and in again when it goes on.
 */
export async function stopAndContinue(run: Run, id: number): Promise<void> {
  const { cluster } = run
  let before = await states(run)
  // It would follow nobody.
  if (LOAD_ASSIGNMENT.every((ids, partition) => !ids.includes(id) || before[partition]!.leader === id)) {
    await preferredLeaders(run)
    before = await states(run)
  }
  const isFollowed = (partition: number): boolean => LOAD_ASSIGNMENT[partition]!.includes(id) && before[partition]!.leader !== id
  const followed = LOAD_ASSIGNMENT.flatMap((_, partition) => (isFollowed(partition) ? [partition] : []))
  if (followed.length === 0) throw new Error(`${id} follows nobody`)
  const leaders = followed.map((partition) => before[partition]!.leader)
  const is = async (what: string, holds: (state: State, then: State) => boolean): Promise<void> =>
    await until(what, 25_000, async () => {
      const now = await states(run)
      const others = followed.filter((partition) => !holds(now[partition]!, before[partition]!))
      return others.map((partition) => `${LOAD}-${partition}: ${JSON.stringify(now[partition])}`).join('; ')
    })
  cluster.signal(id, 'SIGSTOP')
  try {
    await is(`${leaders} take ${id} out of the ISR`, ({ isr }) => !isr.includes(id))
    const now = await states(run)
    const isRegistered = await cluster.zookeeper(async (session) => (await session.exists(brokerIdPath(id))) !== undefined)
    const elected = followed.filter((partition) => now[partition]!.leaderEpoch !== before[partition]!.leaderEpoch)
    // On a machine that is too slow its session is over by now.
    if (isRegistered && elected.length > 0) throw new Error(`leaders were elected for ${elected} instead of a smaller ISR`)
  } finally {
    cluster.signal(id, 'SIGCONT')
  }
  await is(`${leaders} take ${id} into the ISR`, ({ isr, version }, then) => isr.includes(id) && version >= then.version + 2)
}
