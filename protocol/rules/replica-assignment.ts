/**
 * Which brokers get the replicas of new partitions (Kafka's AdminUtils): leaders go round the brokers from a random start,
 * followers follow at a distance that grows with every round; with racks, a rack that has a replica already is skipped until all
 * have one.
 */
export interface AssignableBroker {
  id: number
  rack?: string | null
}

export interface AssignmentOptions {
  random: { below(bound: number): number }
  /** Index of the broker that leads partition 0; random if left out. Added partitions go on where partition 0 began. */
  startIndex?: number
  /** First distance of the followers; as `startIndex` if that is given, else random. */
  shift?: number
  /** Number of the first partition to assign: how many there are already. */
  firstPartition?: number
}

export type AssignmentErrorCode = 'INVALID_PARTITIONS' | 'INVALID_REPLICATION_FACTOR' | 'INCOMPLETE_RACKS'

/** An assignment that cannot be made; the message is Kafka's. */
export class AssignmentError extends Error {
  override name = 'AssignmentError'
  readonly code: AssignmentErrorCode

  constructor(code: AssignmentErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * The replicas of `partitions` partitions, from `firstPartition` on; the first of each is its preferred leader.
 * Throws AssignmentError.
 */
export function assignReplicas(
  brokers: readonly AssignableBroker[],
  partitions: number,
  replicationFactor: number,
  options: AssignmentOptions,
): number[][] {
  if (partitions <= 0) throw new AssignmentError('INVALID_PARTITIONS', 'Number of partitions must be larger than 0.')
  if (replicationFactor <= 0) throw new AssignmentError('INVALID_REPLICATION_FACTOR', 'Replication factor must be larger than 0.')
  if (replicationFactor > brokers.length) {
    throw new AssignmentError(
      'INVALID_REPLICATION_FACTOR', `Replication factor: ${replicationFactor} larger than available brokers: ${brokers.length}.`)
  }
  const racks = racksOf(brokers)
  const ids = racks.size === 0 ? brokers.map((each) => each.id).sort((a, b) => a - b) : rackAlternated(racks)
  const startIndex = options.startIndex ?? options.random.below(ids.length)
  let shift = options.shift ?? options.startIndex ?? options.random.below(ids.length)
  const first = options.firstPartition ?? 0
  const assignment: number[][] = []
  for (let partition = first; partition < first + partitions; partition++) {
    if (partition > 0 && partition % ids.length === 0) shift++
    const leader = (partition + startIndex) % ids.length
    assignment.push(
      racks.size === 0
        ? replicasWithoutRacks(ids, leader, shift, replicationFactor)
        : replicasOverRacks(ids, racks, leader, shift, replicationFactor),
    )
  }
  return assignment
}

/** Rack by broker id; empty if no broker names one. */
function racksOf(brokers: readonly AssignableBroker[]): Map<number, string> {
  const racks = new Map<number, string>()
  for (const { id, rack } of brokers) if (rack !== undefined && rack !== null) racks.set(id, rack)
  if (racks.size > 0 && racks.size < brokers.length) {
    throw new AssignmentError('INCOMPLETE_RACKS', 'Not all brokers have rack information for replica rack aware assignment.')
  }
  return racks
}

/** Brokers rack by rack: the lowest id of each rack, then the next of each. */
function rackAlternated(racks: ReadonlyMap<number, string>): number[] {
  const byRack = new Map<string, number[]>()
  for (const [id, rack] of racks) byRack.set(rack, [...(byRack.get(rack) ?? []), id])
  const lists = [...byRack.keys()].sort(byCodeUnit).map((rack) => (byRack.get(rack) as number[]).sort((a, b) => a - b))
  const result: number[] = []
  for (let round = 0; result.length < racks.size; round++) {
    for (const list of lists) if (round < list.length) result.push(list[round] as number)
  }
  return result
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function follower(leader: number, shift: number, replica: number, brokers: number): number {
  return (leader + 1 + ((shift + replica) % (brokers - 1))) % brokers
}

function replicasWithoutRacks(ids: readonly number[], leader: number, shift: number, replicationFactor: number): number[] {
  const replicas = [ids[leader] as number]
  for (let j = 0; j < replicationFactor - 1; j++) replicas.push(ids[follower(leader, shift, j, ids.length)] as number)
  return replicas
}

function replicasOverRacks(
  ids: readonly number[],
  racks: ReadonlyMap<number, string>,
  leader: number,
  shift: number,
  replicationFactor: number,
): number[] {
  const rackCount = new Set(racks.values()).size
  const replicas = new Set([ids[leader] as number])
  const usedRacks = new Set([racks.get(ids[leader] as number)])
  for (let k = 0; replicas.size < replicationFactor; k++) {
    const broker = ids[follower(leader, shift * rackCount, k, ids.length)] as number
    const rack = racks.get(broker)
    if (replicas.has(broker) || (usedRacks.has(rack) && usedRacks.size < rackCount)) continue
    replicas.add(broker)
    usedRacks.add(rack)
  }
  return [...replicas]
}

/** Index at which added partitions start: the place of partition 0's first replica among the brokers, sorted by id. */
export function startIndexForAddedPartitions(brokers: readonly AssignableBroker[], firstReplica: number): number {
  const ids = brokers.map((each) => each.id).sort((a, b) => a - b)
  return Math.max(0, ids.findIndex((id) => id >= firstReplica))
}
