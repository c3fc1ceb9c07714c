import { ApiKey } from '../../protocol/messages/apis'
import { partitionStatePath, decodePartitionState } from '../../zk-schema/topics'
import { pause, until } from './mixed-cluster'
import { LOAD } from './mixed-run'
import { deleteTopics, preferredLeaders, reassign } from './mixed-steps'
import type { Kind } from './mixed-cluster'
import type { Run } from './mixed-run'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/create-partitions'

/** What is tried with an older Apache Kafka: what a controller of either kind does most. */
export async function olderSteps(run: Run, kind: Kind): Promise<void> {
  const { cluster } = run
  const of = (name: string): string => `${name} [controller: ${kind}]`
  const topic = `t-${kind}`

  await run.step(of('move the controller'), async () => void (await run.moveController(kind)))
  await run.moveController(kind)

  await run.step(of('create topics, add partitions'), async () => {
    await run.createTopic(topic, [
      [0, 10, 1, 11],
      [10, 0, 11, 1],
    ])
    await run.createTopic(`${topic}-auto`, { partitions: 6, replicas: 3 })
    await run.agreed()
    const answer = await run.askController<CreatePartitionsRequest, CreatePartitionsResponse>(ApiKey.createPartitions, {
      topics: [{ name: topic, count: 4, assignments: null }],
      timeoutMs: 30_000,
      validateOnly: false,
    })
    for (const { errorCode, errorMessage } of answer.results) if (errorCode !== 0) throw new Error(`${errorCode} ${errorMessage}`)
  })

  // Followers of leaders of both kinds: the leader shrinks and expands the ISR, through a controller of either kind.
  for (const id of [1, 11]) {
    if ((await run.controller()) === id) continue
    await run.step(of(`stop and continue ${id}`), async () => {
      const isr = async (partition: number): Promise<number[]> =>
        await cluster.zookeeper(async (session) => {
          const node = await session.get(partitionStatePath(LOAD, partition))
          return decodePartitionState(LOAD, partition, node!.data).isr
        })
      // The first is led by Apache, the second by prekraft.
      const partitions = id === 1 ? [0, 1] : [2, 1]
      cluster.signal(id, 'SIGSTOP')
      try {
        await until('the ISR shrinks', 20_000, async () => {
          const all = await Promise.all(partitions.map(isr))
          return all.every((each) => !each.includes(id)) ? true : JSON.stringify(all)
        })
      } finally {
        cluster.signal(id, 'SIGCONT')
      }
      await pause(1000)
    })
  }

  for (const id of [1, 10]) {
    if ((await run.controller()) === id) continue
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await run.step(of(`end ${id} with ${signal}`), async () => {
        await cluster.stop(id, signal)
        await run.agreed()
        await cluster.start(id)
      })
    }
  }

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await run.step(of(`end the controller with ${signal}`), async () => {
      const id = await run.moveController(kind)
      await cluster.stop(id, signal)
      await run.agreed()
      await cluster.start(id)
    })
    await run.moveController(kind)
  }

  await run.step(of('preferred leaders'), async () => await preferredLeaders(run))

  await run.step(of('reassign'), async () => {
    await reassign(run, LOAD, [
      [10, 11, 0],
      [0, 1, 10],
      [11, 10, 1],
      [0, 1, 11],
    ])
    await reassign(run, LOAD, [
      [0, 10, 1],
      [10, 1, 11],
      [1, 11, 0],
      [11, 0, 10],
    ])
  })

  await run.step(of('delete topics'), async () => await deleteTopics(run, [`${topic}-auto`, topic]))
}
