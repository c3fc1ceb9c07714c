import type { ControllerEvent } from './event'

const MOST_NAMES = 5

/** What an event is about, for the recording: as far as it says so itself. */
export function detailOf(event: ControllerEvent): string {
  switch (event.kind) {
    case 'BrokerModifications':
      return `broker ${event.broker}`
    case 'PartitionModifications':
    case 'TopicUncleanLeaderElectionEnable':
      return event.topic
    case 'PartitionReassignmentIsrChange':
      return `${event.topic}-${event.partition}`
    case 'LeaderAndIsrResponseReceived':
    case 'UpdateMetadataResponseReceived':
    case 'StopReplicaResponseReceived':
      return `by broker ${event.broker}`
    case 'AlterPartition':
      return `by broker ${event.request.brokerId} for ${count(event.request.topics.flatMap(({ partitions }) => partitions).length, 'partition')}`
    case 'ControlledShutdown':
    case 'AllocateProducerIds':
      return `by broker ${event.request.brokerId}`
    case 'CreateTopics':
    case 'CreatePartitions':
      return some(event.request.topics.map(({ name }) => name))
    case 'DeleteTopics':
      return some([...event.request.topicNames, ...event.request.topics.map(({ name, topicId }) => name ?? topicId)])
    case 'ApiPartitionReassignment':
      return some(event.request.topics.map(({ name }) => name))
    default:
      return ''
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(' ')
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown
}
