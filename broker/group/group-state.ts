import { assert } from '../../runtime/assert'

/** By the names that DescribeGroups and ListGroups show. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/**
 * From which states a group may come (Kafka's GroupState.validPreviousStates).
 *
 * Empty: no members; a new group, one that everybody left, or one that only keeps offsets. PreparingRebalance: members are asked
 * to join again. CompletingRebalance: they have joined, the leader's assignment is awaited. Stable: every member may have its
 * part. Dead: removed, or its partition went to another broker; whoever still holds it must not use it.
 */
export const LEGAL_PREVIOUS_STATES: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Empty', 'Dead'],
}

export function isLegalTransition(from: GroupState, to: GroupState): boolean {
  return LEGAL_PREVIOUS_STATES[to].includes(from)
}

/** `to`, if the group may go there. */
export function transition(groupId: string, from: GroupState, to: GroupState): GroupState {
  assert(isLegalTransition(from, to), `group ${groupId} cannot go from ${from} to ${to}`)
  return to
}
