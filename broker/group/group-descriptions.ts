import { ErrorCode } from '../../protocol/errors'
import { NOTHING } from './member'
import type { Group } from './group'

export interface MemberDescription {
  memberId: string
  groupInstanceId: string | null
  clientId: string
  clientHost: string
  memberMetadata: Buffer
  memberAssignment: Buffer
}

/** As DescribeGroups shows it. */
export interface GroupDescription {
  errorCode: number
  groupId: string
  groupState: string
  protocolType: string
  protocolData: string
  members: MemberDescription[]
}

export interface ListedGroup {
  groupId: string
  protocolType: string
  groupState: string
  groupType: string
}

/** A group that is not known is Dead, without an error. What members assign is shown while it is Stable. */
export function describeGroup(groupId: string, errorCode: number, group: Group | undefined): GroupDescription {
  if (group === undefined) {
    const groupState = errorCode === ErrorCode.NONE ? 'Dead' : ''
    return { errorCode, groupId, groupState, protocolType: '', protocolData: '', members: [] }
  }
  const protocol = group.is('Stable') ? (group.protocolName ?? '') : undefined
  return {
    errorCode,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocol ?? '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: protocol === undefined ? NOTHING : member.metadataOf(protocol),
      memberAssignment: protocol === undefined ? NOTHING : member.assignment,
    })),
  }
}

export function listedGroup(group: Group): ListedGroup {
  return { groupId: group.groupId, protocolType: group.protocolType ?? '', groupState: group.state, groupType: 'classic' }
}
