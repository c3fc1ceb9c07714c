import type { AllocateProducerIdsRequest, AllocateProducerIdsResponse } from '../../protocol/messages/allocate-producer-ids'
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/alter-partition-reassignments'
import type { AlterPartitionRequest, AlterPartitionResponse } from '../../protocol/messages/alter-partition'
import type { ControlledShutdownRequest, ControlledShutdownResponse } from '../../protocol/messages/controlled-shutdown'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/create-partitions'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/create-topics'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/delete-topics'
import type { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/elect-leaders'
import type { MutationAllowance } from '../quota/mutation-quota'
import type { Input } from '../../protocol/messages/schema'
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../protocol/messages/list-partition-reassignments'
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../../protocol/messages/update-features'

/**
 * What the request handlers know of this process's controller. `Controller` satisfies it structurally: broker and controller
 * never import each other.
 *
 * Each promise settles exactly once, also when the controller resigns or is cleared: then with NOT_CONTROLLER where the request
 * has a place for it (ControlledShutdown: STALE_CONTROLLER_EPOCH). Answers depend on the request's version where Kafka's do.
 */
export interface ControllerGate {
  isActive(): boolean
  /** The broker id in `/controller`, -1 unknown. */
  activeControllerId(): number
  alterPartition(request: AlterPartitionRequest, version: number): Promise<Input<AlterPartitionResponse>>
  allocateProducerIds(request: AllocateProducerIdsRequest): Promise<Input<AllocateProducerIdsResponse>>
  controlledShutdown(request: ControlledShutdownRequest, version: number): Promise<Input<ControlledShutdownResponse>>
  /** What is beyond the allowance is refused with THROTTLING_QUOTA_EXCEEDED, each topic by itself; also of the next two. */
  createTopics(
    request: CreateTopicsRequest, version: number, allowance?: MutationAllowance,
  ): Promise<Input<CreateTopicsResponse>>
  deleteTopics(
    request: DeleteTopicsRequest, version: number, allowance?: MutationAllowance,
  ): Promise<Input<DeleteTopicsResponse>>
  createPartitions(
    request: CreatePartitionsRequest, version: number, allowance?: MutationAllowance,
  ): Promise<Input<CreatePartitionsResponse>>
  electLeaders(request: ElectLeadersRequest, version: number): Promise<Input<ElectLeadersResponse>>
  alterPartitionReassignments(request: AlterPartitionReassignmentsRequest): Promise<Input<AlterPartitionReassignmentsResponse>>
  listPartitionReassignments(request: ListPartitionReassignmentsRequest): Promise<Input<ListPartitionReassignmentsResponse>>
  updateFeatures(request: UpdateFeaturesRequest, version: number): Promise<Input<UpdateFeaturesResponse>>
}
