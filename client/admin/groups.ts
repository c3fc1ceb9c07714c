import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { CoordinatorType, perCoordinator, withCoordinator } from '../coordinators'
import { decodeAssignment } from '../group/protocol'
import { byTopic, partitionKey } from '../leaders'
import { NetworkError } from '../../network/kafka-connection'
import type { Cluster, Node } from '../cluster'
import type { ConsumerGroupDescribeResponse } from '../../protocol/messages/consumer-group-describe'
import type { DeleteGroupsResponse } from '../../protocol/messages/delete-groups'
import type { DescribeGroupsResponse, DescribedGroup } from '../../protocol/messages/describe-groups'
import type { LeaveGroupResponse } from '../../protocol/messages/leave-group'
import type { ListGroupsResponse } from '../../protocol/messages/list-groups'
import type { OffsetDeleteResponse } from '../../protocol/messages/offset-delete'
import type { TopicPartition } from '../leaders'

const CONSUMER_PROTOCOL = 'consumer'
const DEAD = 'Dead'

export interface ConsumerGroupListing {
  groupId: string
  /** True for a group without members that subscribe: its offsets were committed by hand. */
  isSimple: boolean
  /** 'Stable', 'Empty' ...; undefined when the broker does not tell (before ListGroups 4). */
  state: string | undefined
  /** 'classic' or 'consumer'; undefined when the broker does not tell (before ListGroups 5). */
  type: string | undefined
}

export interface MemberDescription {
  memberId: string
  groupInstanceId: string | null
  clientId: string
  /** As the broker prints it: `/10.0.0.5`. */
  host: string
  assignment: TopicPartition[]
}

export interface ConsumerGroupDescription {
  groupId: string
  isSimple: boolean
  /** 'Dead' stands for a group that does not exist, too. */
  state: string
  /** The assignor that was voted for; '' while there is none. */
  partitionAssignor: string
  coordinator: Node
  members: MemberDescription[]
}

/** What became of one partition; `error` undefined when it went well. */
export interface PartitionResult extends TopicPartition {
  error: ProtocolError | undefined
}

export interface RemovedMember {
  memberId: string
  groupInstanceId: string | null
  error: ProtocolError | undefined
}

export interface ListGroupsOptions {
  /** Only groups in these states: 'Stable', 'Empty' ... (ListGroups 4). */
  states?: readonly string[] | undefined
  /** Only groups of these types: 'classic', 'consumer' (ListGroups 5). */
  types?: readonly string[] | undefined
}

/** What all brokers tell, and the errors of those that did not. */
export async function listConsumerGroups(
  cluster: Cluster,
  options: ListGroupsOptions,
): Promise<{ groups: ConsumerGroupListing[]; errors: { node: Node; error: Error }[] }> {
  await cluster.retrying('listing the brokers', () => cluster.metadata([]))
  const groups = new Map<string, ConsumerGroupListing>()
  const errors: { node: Node; error: Error }[] = []
  await Promise.all(
    cluster.allNodes().map(async (node) => {
      try {
        const { version, response } = await cluster.retrying(`listing the groups of broker ${node.id}`, () =>
          listGroups(cluster, node, options),
        )
        for (const group of response.groups) {
          if (group.protocolType !== CONSUMER_PROTOCOL && group.protocolType !== '') continue
          groups.set(group.groupId, {
            groupId: group.groupId,
            isSimple: group.protocolType === '',
            state: version >= 4 ? group.groupState : undefined,
            type: version >= 5 ? group.groupType : undefined,
          })
        }
      } catch (error) {
        errors.push({ node, error: error as Error })
      }
    }),
  )
  return { groups: [...groups.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1)), errors }
}

async function listGroups(
  cluster: Cluster,
  node: Node,
  options: ListGroupsOptions,
): Promise<{ version: number; response: ListGroupsResponse }> {
  const statesFilter = [...(options.states ?? [])]
  const typesFilter = [...(options.types ?? [])]
  let version = 0
  const response = await cluster.sendTo<ListGroupsResponse>(node, ApiKey.listGroups, (highest: number) => {
    version = highest
    if (version < 4 && statesFilter.length > 0)
      throw new ProtocolError(
        ErrorCode.UNSUPPORTED_VERSION,
        `The broker only supports ListGroups v${version}, but we need v4 or newer to request groups by states.`,
      )
    if (version < 5 && typesFilter.length > 0)
      throw new ProtocolError(
        ErrorCode.UNSUPPORTED_VERSION,
        `The broker only supports ListGroups v${version}, but we need v5 or newer to request groups by type.`,
      )
    return { statesFilter, typesFilter }
  })
  if (response.errorCode !== 0) throw new ProtocolError(response.errorCode)
  return { version, response }
}

export function describeConsumerGroups(
  cluster: Cluster,
  groupIds: readonly string[],
): Promise<Map<string, ConsumerGroupDescription | Error>> {
  return perCoordinator<ConsumerGroupDescription>(
    cluster,
    'describing consumer groups',
    CoordinatorType.group,
    groupIds,
    async (coordinator, groups) => {
      const response = await cluster.sendTo<DescribeGroupsResponse>(coordinator, ApiKey.describeGroups, { groups })
      const found = new Map(response.groups.map((group) => [group.groupId, descriptionOf(group, coordinator)]))
      const dead = response.groups.filter(({ errorCode, groupState }) => errorCode === 0 && groupState === DEAD)
      const newer = dead.map(({ groupId }) => groupId)
      if (newer.length > 0) for (const [id, group] of await describeNewGroups(cluster, coordinator, newer)) found.set(id, group)
      return found
    },
  )
}

/**
 * Those of the groups that follow the protocol of KIP-848: DescribeGroups takes them for dead. None from a broker that does not
 * know it.
 */
async function describeNewGroups(
  cluster: Cluster,
  coordinator: Node,
  groupIds: readonly string[],
): Promise<Map<string, ConsumerGroupDescription | ProtocolError>> {
  const found = new Map<string, ConsumerGroupDescription | ProtocolError>()
  let response: ConsumerGroupDescribeResponse
  try {
    response = await cluster.sendTo<ConsumerGroupDescribeResponse>(coordinator, ApiKey.consumerGroupDescribe, { groupIds })
  } catch (error) {
    if (error instanceof NetworkError && error.code === 'UNSUPPORTED_VERSION') return found
    throw error
  }
  for (const { errorCode, errorMessage, groupId, groupState, assignorName, members } of response.groups) {
    if (errorCode === ErrorCode.GROUP_ID_NOT_FOUND || errorCode === ErrorCode.UNSUPPORTED_VERSION) continue
    if (errorCode !== 0) {
      found.set(groupId, new ProtocolError(errorCode, errorMessage ?? undefined))
      continue
    }
    found.set(groupId, {
      groupId,
      isSimple: false,
      state: groupState,
      partitionAssignor: assignorName,
      coordinator,
      members: members.map(({ memberId, instanceId, clientId, clientHost, assignment }) => ({
        memberId,
        groupInstanceId: instanceId,
        clientId,
        host: clientHost,
        assignment: assignment.topicPartitions.flatMap(({ topicName: topic, partitions }) =>
          partitions.map((partition) => ({ topic, partition })),
        ),
      })),
    })
  }
  return found
}

function descriptionOf(group: DescribedGroup, coordinator: Node): ConsumerGroupDescription | ProtocolError {
  const { groupId, protocolType, errorCode } = group
  if (errorCode !== 0) return new ProtocolError(errorCode)
  if (protocolType !== CONSUMER_PROTOCOL && protocolType !== '') {
    return new ProtocolError(
      ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
      `GroupId ${groupId} is not a consumer group (${protocolType}).`,
    )
  }
  return {
    groupId,
    isSimple: protocolType === '',
    state: group.groupState,
    partitionAssignor: group.protocolData,
    coordinator,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      host: member.clientHost,
      assignment: member.memberAssignment.length > 0 ? decodeAssignment(member.memberAssignment).partitions : [],
    })),
  }
}

/** Per group its error; undefined when it was deleted. */
export function deleteConsumerGroups(cluster: Cluster, groupIds: readonly string[]): Promise<Map<string, Error | undefined>> {
  return perCoordinator<undefined>(
    cluster,
    'deleting consumer groups',
    CoordinatorType.group,
    groupIds,
    async (coordinator, groupsNames) => {
      const response = await cluster.sendTo<DeleteGroupsResponse>(coordinator, ApiKey.deleteGroups, { groupsNames })
      return new Map(
        response.results.map(({ groupId, errorCode }) => [groupId, errorCode === 0 ? undefined : new ProtocolError(errorCode)]),
      )
    },
  )
}

/** Throws the group's error. */
export function deleteConsumerGroupOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<PartitionResult[]> {
  return withCoordinator(cluster, `deleting offsets of group ${groupId}`, CoordinatorType.group, groupId, async (coordinator) => {
    const response = await cluster.sendTo<OffsetDeleteResponse>(coordinator, ApiKey.offsetDelete, {
      groupId,
      topics: byTopic(partitions).map(({ topic, partitions: list }) => ({
        name: topic,
        partitions: list.map(({ partition }) => ({ partitionIndex: partition })),
      })),
    })
    if (response.errorCode !== 0) return new ProtocolError(response.errorCode)
    const codes = new Map(
      response.topics.flatMap(({ name, partitions: list }) =>
        list.map((each) => [partitionKey(name, each.partitionIndex), each.errorCode] as const),
      ),
    )
    return partitions.map(({ topic, partition }) => {
      const code = codes.get(partitionKey(topic, partition)) ?? ErrorCode.UNKNOWN_SERVER_ERROR
      return { topic, partition, error: code === 0 ? undefined : new ProtocolError(code) }
    })
  })
}

/**
 * Removes static members by instance id; all members, dynamic ones too, when none is named (KIP-571). Throws the group's
 * error.
 */
export async function removeMembersFromConsumerGroup(
  cluster: Cluster,
  groupId: string,
  options: { groupInstanceIds?: readonly string[] | undefined; reason?: string | undefined },
): Promise<RemovedMember[]> {
  const reason =
    options.reason === undefined || options.reason === ''
      ? 'member was removed by an admin'
      : `member was removed by an admin: ${options.reason}`
  let members: { memberId: string; groupInstanceId: string | null }[]
  if (options.groupInstanceIds === undefined) {
    const description = (await describeConsumerGroups(cluster, [groupId])).get(groupId)
    if (description instanceof Error) throw description
    members = description!.members.map(({ memberId, groupInstanceId }) =>
      groupInstanceId === null ? { memberId, groupInstanceId } : { memberId: '', groupInstanceId },
    )
    if (members.length === 0) return []
  } else members = options.groupInstanceIds.map((groupInstanceId) => ({ memberId: '', groupInstanceId }))
  return withCoordinator(cluster, `removing members of group ${groupId}`, CoordinatorType.group, groupId, async (coordinator) => {
    const response = await cluster.sendTo<LeaveGroupResponse>(coordinator, ApiKey.leaveGroup, {
      groupId,
      members: members.map((member) => ({ ...member, reason })),
    })
    if (response.errorCode !== 0) return new ProtocolError(response.errorCode)
    return response.members.map(({ memberId, groupInstanceId, errorCode }) => ({
      memberId,
      groupInstanceId,
      error: errorCode === 0 ? undefined : new ProtocolError(errorCode),
    }))
  })
}
