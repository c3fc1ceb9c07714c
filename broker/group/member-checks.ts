import { ErrorCode } from '../../protocol/errors'
import type { Group } from './group'

/** NONE if this id is a member, and the one that the instance id stands for, if there is one. */
export function whyNoMember(group: Group, memberId: string, groupInstanceId: string | null): number {
  if (groupInstanceId !== null) {
    const current = group.staticMemberId(groupInstanceId)
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
  }
  return group.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
}

/** The same for a request of a member in a generation. */
export function whyNotCurrent(group: Group, memberId: string, groupInstanceId: string | null, generationId: number): number {
  if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const errorCode = whyNoMember(group, memberId, groupInstanceId)
  if (errorCode !== ErrorCode.NONE) return errorCode
  return generationId === group.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
}

/**
 * Who may commit offsets: anyone without a generation while the group is empty (admins, standalone consumers), else members of
 * the current generation. Transactions of old clients name no member and are believed.
 */
export function whyNoCommit(
  group: Group,
  memberId: string,
  groupInstanceId: string | null,
  generationId: number,
  isTransactional: boolean,
): number {
  if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE
  if (generationId < 0 && group.is('Empty')) return ErrorCode.NONE
  if (generationId >= 0 || memberId !== '' || groupInstanceId !== null) {
    return whyNotCurrent(group, memberId, groupInstanceId, generationId)
  }
  return isTransactional || group.is('Empty') ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
}
