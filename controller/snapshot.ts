import type { Term } from './term'

/** The controller's memory as JSON, for the recording and for tests that compare it with ZooKeeper and with the brokers. */
export function memorySnapshot(term: Term): string {
  const { context, epoch } = term
  return JSON.stringify({
    controllerEpoch: epoch,
    brokers: [...context.brokers.values()].map(
      ({ id, epoch: brokerEpoch }) => ({ id, epoch: brokerEpoch, shuttingDown: context.shuttingDown.has(id) }),
    ),
    malformedTopics: [...context.malformedTopics.keys()],
    topics: [...context.topics.values()].map((topic) => ({
      name: topic.name, id: topic.id ?? null, czxid: topic.czxid, deletion: topic.deletion,
      partitions: [...topic.partitions.values()].map((partition) => ({
        partition: partition.index, state: partition.state, ...partition.assignment, leadership: partition.leadership ?? null,
        replicaStates: Object.fromEntries(partition.replicaStates),
      })),
    })),
  })
}
