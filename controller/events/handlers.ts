import type { Term } from '../term'
import { onAlterPartition } from './alter-partition'
import { onBrokerChange, onBrokerModifications } from './broker-change'
import { onLeaderAndIsrResponse, onStopReplicaResponse, onUpdateMetadataResponse } from './control-responses'
import { onControlledShutdown } from './controlled-shutdown'
import { onCreatePartitions } from './create-partitions'
import { onCreateTopics } from './create-topics'
import {
  onAutoRebalance, onElectLeaders, onTopicUncleanElectionEnabled, onUncleanElectionEnabled, onZkPreferredElection,
} from './elections'
import type { AnswerOf, EventKind, EventOf, OfficeEventKind, RequestKind } from './event'
import { onIsrChangeNotification } from './isr-change'
import { onLogDirEvent } from './log-dirs'
import { onAllocateProducerIds } from './producer-ids'
import { onApiReassignment, onListReassignments, onReassignmentIsrChange, onZkReassignment } from './reassignment'
import { onReconcile, onRepairReplicas } from './reconcile'
import { onPartitionModifications, onTopicChange } from './topic-change'
import { onDeleteTopics, onTopicDeletion } from './topic-deletion'
import { onUpdateFeatures } from './update-features'

/** What the active controller answers to, besides what concerns the office itself (controller.ts). */
export type TermEventKind = Exclude<EventKind, OfficeEventKind>

type ResultOf<K extends TermEventKind> = K extends RequestKind ? AnswerOf<K> : void

/** One handler for each kind of event: a missing one does not compile. A request's handler gives its answer. */
export const HANDLERS: { readonly [K in TermEventKind]: (term: Term, event: EventOf<K>) => Promise<ResultOf<K>> } = {
  BrokerChange: onBrokerChange,
  BrokerModifications: onBrokerModifications,
  TopicChange: onTopicChange,
  PartitionModifications: onPartitionModifications,
  TopicDeletion: onTopicDeletion,
  IsrChangeNotification: onIsrChangeNotification,
  LogDirEventNotification: onLogDirEvent,
  LeaderAndIsrResponseReceived: onLeaderAndIsrResponse,
  UpdateMetadataResponseReceived: onUpdateMetadataResponse,
  StopReplicaResponseReceived: onStopReplicaResponse,
  AutoPreferredReplicaLeaderElection: onAutoRebalance,
  UncleanLeaderElectionEnable: onUncleanElectionEnabled,
  TopicUncleanLeaderElectionEnable: onTopicUncleanElectionEnabled,
  ZkPartitionReassignment: onZkReassignment,
  ZkPreferredReplicaElection: onZkPreferredElection,
  PartitionReassignmentIsrChange: onReassignmentIsrChange,
  Reconcile: onReconcile,
  RepairReplicas: onRepairReplicas,
  AlterPartition: onAlterPartition,
  ControlledShutdown: onControlledShutdown,
  AllocateProducerIds: onAllocateProducerIds,
  CreateTopics: onCreateTopics,
  DeleteTopics: onDeleteTopics,
  CreatePartitions: onCreatePartitions,
  ReplicaLeaderElection: onElectLeaders,
  ApiPartitionReassignment: onApiReassignment,
  ListPartitionReassignments: onListReassignments,
  UpdateFeatures: onUpdateFeatures,
}
