import type { AllocateProducerIdsRequest, AllocateProducerIdsResponse } from '../../protocol/messages/allocate-producer-ids'
import type {
  AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/alter-partition-reassignments'
import type { AlterPartitionRequest, AlterPartitionResponse } from '../../protocol/messages/alter-partition'
import type { ControlledShutdownRequest, ControlledShutdownResponse } from '../../protocol/messages/controlled-shutdown'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/create-partitions'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/create-topics'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/delete-topics'
import type { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/elect-leaders'
import type {
  ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
} from '../../protocol/messages/list-partition-reassignments'
import type { Input } from '../../protocol/messages/schema'
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../../protocol/messages/update-features'
import type { ControlReply } from '../channel'
import type { Completion } from '../completion'
import type { Lane } from '../event-queue'

/** The requests that wait in the controller's queue, and their answers. */
export interface RequestTypes {
  AlterPartition: [AlterPartitionRequest, AlterPartitionResponse]
  ControlledShutdown: [ControlledShutdownRequest, ControlledShutdownResponse]
  AllocateProducerIds: [AllocateProducerIdsRequest, AllocateProducerIdsResponse]
  CreateTopics: [CreateTopicsRequest, CreateTopicsResponse]
  DeleteTopics: [DeleteTopicsRequest, DeleteTopicsResponse]
  CreatePartitions: [CreatePartitionsRequest, CreatePartitionsResponse]
  ReplicaLeaderElection: [ElectLeadersRequest, ElectLeadersResponse]
  ApiPartitionReassignment: [AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse]
  ListPartitionReassignments: [ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse]
  UpdateFeatures: [UpdateFeaturesRequest, UpdateFeaturesResponse]
}

export type RequestKind = keyof RequestTypes

export type AnswerOf<K extends RequestKind> = Input<RequestTypes[K][1]>

/** What one request may create and delete (KIP-599): counts partitions; false: not now, THROTTLING_QUOTA_EXCEEDED. */
export interface MutationAllowance {
  record(partitions: number): boolean
}

export type RequestEvent<K extends RequestKind = RequestKind> = {
  [Kind in K]: {
    kind: Kind
    request: RequestTypes[Kind][0]
    /** Of the request, where the answer depends on it. */
    version: number
    /** Of what creates and deletes partitions on behalf of a client that has a quota. */
    allowance?: MutationAllowance | undefined
    completion: Completion<AnswerOf<Kind>>
  }
}[K]

/** A broker answered a control request that the controller of `controllerEpoch` sent to its incarnation `brokerEpoch`. */
export interface ReplyEvent<Kind extends string, Api extends ControlReply['api']> {
  kind: Kind
  broker: number
  brokerEpoch: number
  controllerEpoch: number
  reply: Extract<ControlReply, { api: Api }>
}

/** Those that say nothing but that something happened. */
type PlainKind =
  | OfficeEventKind
  | 'BrokerChange' | 'TopicChange' | 'TopicDeletion' | 'IsrChangeNotification' | 'LogDirEventNotification'
  | 'UncleanLeaderElectionEnable' | 'AutoPreferredReplicaLeaderElection' | 'Reconcile' | 'RepairReplicas'
  | 'ZkPartitionReassignment' | 'ZkPreferredReplicaElection'

/** What happens to a controller, by Kafka's names. Those about the office itself are handled also when it is not held. */
export type ControllerEvent =
  | { [Kind in PlainKind]: { kind: Kind } }[PlainKind]
  | { kind: 'BrokerModifications'; broker: number }
  | { kind: 'PartitionModifications'; topic: string }
  | { kind: 'TopicUncleanLeaderElectionEnable'; topic: string }
  | { kind: 'PartitionReassignmentIsrChange'; topic: string; partition: number }
  | ReplyEvent<'LeaderAndIsrResponseReceived', 'LeaderAndIsr'>
  | ReplyEvent<'UpdateMetadataResponseReceived', 'UpdateMetadata'>
  | ReplyEvent<'StopReplicaResponseReceived', 'StopReplica'>
  | RequestEvent

export type EventKind = ControllerEvent['kind']
export type EventOf<K extends EventKind> = Extract<ControllerEvent, { kind: K }>
export type OfficeEventKind = 'Startup' | 'ControllerChange' | 'Reelect' | 'RegisterBrokerAndReelect' | 'Expire'

/** Most urgent first, see event-queue.ts. */
export const LANE_OF: Readonly<Record<EventKind, Lane>> = {
  Startup: 'session',
  ControllerChange: 'session',
  Reelect: 'session',
  RegisterBrokerAndReelect: 'session',
  Expire: 'session',
  BrokerChange: 'brokerFailure',
  LogDirEventNotification: 'brokerFailure',
  LeaderAndIsrResponseReceived: 'isrAndShutdown',
  AlterPartition: 'isrAndShutdown',
  ControlledShutdown: 'isrAndShutdown',
  IsrChangeNotification: 'isrAndShutdown',
  PartitionReassignmentIsrChange: 'isrAndShutdown',
  BrokerModifications: 'isrAndShutdown',
  AllocateProducerIds: 'isrAndShutdown',
  TopicChange: 'administration',
  PartitionModifications: 'administration',
  TopicDeletion: 'administration',
  StopReplicaResponseReceived: 'administration',
  UncleanLeaderElectionEnable: 'administration',
  TopicUncleanLeaderElectionEnable: 'administration',
  CreateTopics: 'administration',
  DeleteTopics: 'administration',
  CreatePartitions: 'administration',
  ReplicaLeaderElection: 'administration',
  ApiPartitionReassignment: 'administration',
  ListPartitionReassignments: 'administration',
  UpdateFeatures: 'administration',
  ZkPartitionReassignment: 'administration',
  ZkPreferredReplicaElection: 'administration',
  UpdateMetadataResponseReceived: 'housekeeping',
  AutoPreferredReplicaLeaderElection: 'housekeeping',
  Reconcile: 'housekeeping',
  RepairReplicas: 'housekeeping',
}

export function isRequest(event: ControllerEvent): event is RequestEvent {
  return 'completion' in event
}

/** One key, one waiting event: the handlers of these re-read what they are about. Requests and replies are never merged. */
export function coalesceKey(event: ControllerEvent): string | undefined {
  if (isRequest(event) || 'reply' in event) return undefined
  if ('topic' in event) return `${event.kind} ${event.topic} ${'partition' in event ? event.partition : ''}`
  return 'broker' in event ? `${event.kind} ${event.broker}` : event.kind
}
