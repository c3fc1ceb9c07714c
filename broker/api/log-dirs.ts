import type { AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse } from '../../protocol/messages/alter-replica-log-dirs'
import type { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/describe-log-dirs'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** DescribeLogDirs 0-4: sizes and lags of this broker's replicas per log directory; the directory's space from 4 on. */
export function describeLogDirsHandler(services: BrokerServices): Handler<DescribeLogDirsRequest, DescribeLogDirsResponse> {
  return (context) => {
    const partitions = context.body.topics?.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    context.respond({ results: services.replicas.describeLogDirs(partitions) })
  }
}

/** AlterReplicaLogDirs 0-2: moves replicas of this broker to another of its log directories. */
export function alterReplicaLogDirsHandler(
  services: BrokerServices,
): Handler<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse> {
  return (context) => {
    const moves = context.body.dirs.flatMap(({ path, topics }) =>
      topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ dir: path, topic: name, partition }))),
    )
    const byTopic = new Map<string, { partitionIndex: number; errorCode: number }[]>()
    for (const { topic, partition, errorCode } of services.replicas.alterReplicaLogDirs(moves)) {
      const results = byTopic.get(topic)
      const result = { partitionIndex: partition, errorCode }
      if (results === undefined) byTopic.set(topic, [result])
      else results.push(result)
    }
    context.respond({ results: [...byTopic].map(([topicName, partitions]) => ({ topicName, partitions })) })
  }
}
