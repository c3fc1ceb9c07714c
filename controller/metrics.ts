import type { Metrics } from '../runtime/metrics'
import type { EventQueue } from './event-queue'
import type { Term } from './term'

/** Kafka's gauges of the controller. Counted when asked, so that they cost nothing otherwise. */
export function registerMetrics(
  metrics: Metrics,
  queue: Pick<EventQueue<unknown>, 'size' | 'oldestAgeMs' | 'queueTimeMs'>,
  term: () => Term | undefined,
  isActive: () => boolean,
): void {
  const ofTerm = (name: string, read: (active: Term) => number) => {
    metrics.gauge(name, () => {
      const active = term()
      return active === undefined ? 0 : read(active)
    })
  }
  metrics.gauge('ActiveControllerCount', () => (isActive() ? 1 : 0))
  metrics.gauge('EventQueueSize', () => queue.size)
  metrics.gauge('EventQueueOldestAgeMs', () => queue.oldestAgeMs)
  metrics.gauge('EventQueueTimeMs', () => queue.queueTimeMs.quantile(0.99), { quantile: '0.99' })
  ofTerm('OfflinePartitionsCount', ({ context }) => context.offlinePartitionCount())
  ofTerm('PreferredReplicaImbalanceCount', ({ context }) => context.preferredReplicaImbalanceCount())
  ofTerm('GlobalTopicCount', ({ context }) => context.topics.size)
  ofTerm('GlobalPartitionCount', ({ context }) => context.partitionTotal)
  ofTerm('TopicsToDeleteCount', ({ deletion }) => deletion.size)
  ofTerm('ActiveBrokerCount', ({ context }) => context.brokers.size)
  ofTerm('FencedBrokerCount', () => 0)
  ofTerm('MalformedTopicCount', ({ context }) => context.malformedTopics.size)
  ofTerm('TotalQueueSize', ({ channels }) => channels.queueSize)
  ofTerm('OldestControlRequestAgeMs', ({ channels }) => channels.oldestAgeMs)
}
