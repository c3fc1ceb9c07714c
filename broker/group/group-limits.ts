/** What groups may cost of memory, so that no client can use it up. */
export interface GroupLimits {
  /** The members of one group together. A larger group could not be written to the log either. */
  groupBytes: number
  /** The groups of a broker; beyond it nobody new is taken in, as little as on a broker that is being shut down. */
  memoryBytes: number
  /** The offsets of all groups; beyond it no partition is committed for the first time. */
  offsetBytes: number
}

const MIB = 1024 * 1024

export const GROUP_LIMITS: GroupLimits = { groupBytes: 64 * MIB, memoryBytes: 512 * MIB, offsetBytes: 1024 * MIB }
