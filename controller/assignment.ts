/**
 * Who holds a partition. While a reassignment runs, `replicas` is target then original, and `adding` and `removing` name the
 * difference (KIP-455); at rest both are empty. The head of `replicas` is the preferred leader.
 */
export interface ReplicaAssignment {
  readonly replicas: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
}

export function plainAssignment(replicas: readonly number[]): ReplicaAssignment {
  return { replicas, adding: [], removing: [] }
}

export function isBeingReassigned(assignment: ReplicaAssignment): boolean {
  return assignment.adding.length > 0 || assignment.removing.length > 0
}

/** The replicas from before the reassignment, as far as their order is still known. */
export function originReplicas(assignment: ReplicaAssignment): number[] {
  return assignment.replicas.filter((replica) => !assignment.adding.includes(replica))
}

export function targetReplicas(assignment: ReplicaAssignment): number[] {
  return assignment.replicas.filter((replica) => !assignment.removing.includes(replica))
}

/** The assignment on the way from `assignment`'s original replicas to `target`. A target that is the origin cancels. */
export function reassignTo(assignment: ReplicaAssignment, target: readonly number[]): ReplicaAssignment {
  const origin = originReplicas(assignment)
  return {
    replicas: [...new Set([...target, ...origin])],
    adding: target.filter((replica) => !origin.includes(replica)),
    removing: origin.filter((replica) => !target.includes(replica)),
  }
}

export function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

export function sameAssignment(a: ReplicaAssignment, b: ReplicaAssignment): boolean {
  return sameList(a.replicas, b.replicas) && sameList(a.adding, b.adding) && sameList(a.removing, b.removing)
}
