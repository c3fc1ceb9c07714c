/** A difference that stands: docs/differences.md tells why. */
export interface OnPurpose {
  call: RegExp
  /** Of the lines that tell of differences. */
  difference: RegExp
}

export const onPurpose: readonly OnPurpose[] = [
  // The start of a transaction that is over is not told; Apache tells it until the log is loaded again.
  { call: /^describeTransactions: fenced$/, difference: /^\.held\.transactionStartTimeMs: Apache "[^"]*", prekraft null$/ },
  // The order of the replicas outlives several reassignments and their cancellation.
  { call: /^describeTopics: cancelled$/, difference: /\.slow\.partitions\[0\]\.replicas\[[01]\]: / },
  // Partitions that nobody could have are refused.
  {
    call: /^createTopics, validated only: assigned to \[(-1)?\]$/,
    difference: /prekraft .*InvalidReplicaAssignmentException|: Apache .*, prekraft undefined$/,
  },
  // No names of Scala's collections.
  { call: /^createTopics.*: a broker twice$/, difference: /\.errorMessage: Apache "[^"]*HashMap\(.*\)", / },
]
