import { addPartitions, deleteTopics, preferredLeaders } from './requests'
import { endAndStart, endController, reassignLoad, stopAndContinue } from './shared-steps'
import type { Kind } from './mixed-cluster'
import type { Run } from './mixed-run'

/** What is tried with an older Apache Kafka: what a controller of either kind does most. */
export async function olderSteps(run: Run, kind: Kind): Promise<void> {
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
    await addPartitions(run, topic, 4)
  })

  for (const id of [1, 11]) {
    if ((await run.controller()) === id) continue
    await run.step(of(`stop and continue ${id}`), async () => await stopAndContinue(run, id))
  }

  for (const id of [1, 10]) {
    if ((await run.controller()) === id) continue
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await run.step(of(`end ${id} with ${signal}`), async () => void (await endAndStart(run, id, signal)))
    }
  }

  await endController(run, kind, of)
  await run.step(of('preferred leaders'), async () => await preferredLeaders(run))

  await run.step(of('reassign'), async () => await reassignLoad(run))

  await run.step(of('delete topics'), async () => await deleteTopics(run, [`${topic}-auto`, topic]))
}
