/**
 * Inter-broker protocol versions (IBP): what `inter.broker.protocol.version` may say, and which version of each request and
 * record a broker writes for it (Kafka's MetadataVersion). A cluster of mixed releases depends on it: what is written follows
 * from the IBP, never from what a peer says it can read.
 */

/** Every version in order; a later one may do what an earlier one may. */
const versions = [
  '0.8.0', '0.8.1', '0.8.2', '0.9.0', '0.10.0-IV0', '0.10.0-IV1', '0.10.1-IV0', '0.10.1-IV1', '0.10.1-IV2', '0.10.2-IV0',
  '0.11.0-IV0', '0.11.0-IV1', '0.11.0-IV2', '1.0-IV0', '1.1-IV0', '2.0-IV0', '2.0-IV1', '2.1-IV0', '2.1-IV1', '2.1-IV2',
  '2.2-IV0', '2.2-IV1', '2.3-IV0', '2.3-IV1', '2.4-IV0', '2.4-IV1', '2.5-IV0', '2.6-IV0', '2.7-IV0', '2.7-IV1', '2.7-IV2',
  '2.8-IV0', '2.8-IV1', '3.0-IV0', '3.0-IV1', '3.1-IV0', '3.2-IV0', '3.3-IV0', '3.3-IV1', '3.3-IV2', '3.3-IV3', '3.4-IV0',
  '3.5-IV0', '3.5-IV1', '3.5-IV2', '3.6-IV0', '3.6-IV1', '3.6-IV2', '3.7-IV0', '3.7-IV1', '3.7-IV2', '3.7-IV3', '3.7-IV4',
  '3.8-IV0', '3.9-IV0', '4.0-IV0', '4.0-IV1',
] as const

export type MetadataVersionName = (typeof versions)[number]

/** A version, by its place in the order. Compare with `atLeast`. */
export interface MetadataVersion {
  readonly name: MetadataVersionName
  readonly order: number
}

const byName = new Map<string, MetadataVersion>()
for (const [order, name] of versions.entries()) {
  const version = { name, order }
  byName.set(name, version)
  // A release alone means its last version; of an unreleased one there is none.
  const release = name.split('-')[0] as string
  if (release !== '4.0') byName.set(release, version)
}

/** What this broker speaks if nothing is configured. */
export const latestMetadataVersion = byName.get('3.9-IV0') as MetadataVersion

/**
 * `3.9`, `2.8-IV1`, `0.10.2`; as in Kafka also `3.9.1` or `1.0.1`: what follows the release is ignored. undefined if it is none.
 */
export function parseMetadataVersion(text: string): MetadataVersion | undefined {
  const segments = text.split('.')
  const significant = text.startsWith('0.') ? 3 : 2
  return byName.get(segments.length <= significant ? text : segments.slice(0, significant).join('.'))
}

export function atLeast(version: MetadataVersion, name: MetadataVersionName): boolean {
  return version.order >= (byName.get(name) as MetadataVersion).order
}

/** First version that has it, and what is written from then on; newest first. */
type Steps = readonly (readonly [MetadataVersionName, number])[]

const fetchSteps: Steps = [
  ['3.9-IV0', 17], ['3.7-IV4', 16], ['3.5-IV1', 15], ['3.5-IV0', 14], ['3.1-IV0', 13], ['2.7-IV1', 12], ['2.3-IV1', 11],
  ['2.1-IV2', 10], ['2.0-IV1', 8], ['1.1-IV0', 7], ['0.11.0-IV1', 5], ['0.11.0-IV0', 4], ['0.10.1-IV1', 3],
  ['0.10.0-IV0', 2], ['0.9.0', 1],
]
const listOffsetsSteps: Steps = [
  ['3.9-IV0', 9], ['3.5-IV0', 8], ['3.0-IV1', 7], ['2.8-IV0', 6], ['2.2-IV1', 5], ['2.1-IV1', 4], ['2.0-IV1', 3],
  ['0.11.0-IV0', 2], ['0.10.1-IV2', 1],
]
const offsetForLeaderEpochSteps: Steps = [['2.8-IV0', 4], ['2.3-IV1', 3], ['2.1-IV1', 2], ['2.0-IV0', 1]]
const leaderAndIsrSteps: Steps = [
  ['3.4-IV0', 7], ['3.2-IV0', 6], ['2.8-IV1', 5], ['2.4-IV1', 4], ['2.4-IV0', 3], ['2.2-IV0', 2], ['1.0-IV0', 1],
]
const updateMetadataSteps: Steps = [
  ['3.4-IV0', 8], ['2.8-IV1', 7], ['2.4-IV1', 6], ['2.2-IV0', 5], ['1.0-IV0', 4], ['0.10.2-IV0', 3], ['0.10.0-IV1', 2],
  ['0.9.0', 1],
]
const stopReplicaSteps: Steps = [['3.4-IV0', 4], ['2.6-IV0', 3], ['2.4-IV1', 2], ['2.2-IV0', 1]]

function stepOf(steps: Steps, version: MetadataVersion): number {
  for (const [from, value] of steps) if (atLeast(version, from)) return value
  return 0
}

/** What one version writes and may do. */
export interface MetadataVersionRules {
  readonly version: MetadataVersion
  /** Versions of requests between brokers. */
  readonly fetch: number
  readonly listOffsets: number
  readonly offsetForLeaderEpoch: number
  readonly writeTxnMarkers: number
  readonly leaderAndIsr: number
  readonly updateMetadata: number
  readonly stopReplica: number
  /** Versions of records in `__consumer_offsets`. */
  readonly groupMetadataValue: number
  readonly offsetCommitValue: number
  /** Highest record format that may be stored. */
  readonly recordVersion: 0 | 1 | 2
  readonly brokerEpochs: boolean
  readonly offsetForLeaderEpochSupported: boolean
  readonly featureZnode: boolean
  readonly truncationOnFetch: boolean
  readonly alterPartition: boolean
  readonly topicIds: boolean
  readonly allocateProducerIds: boolean
  /** `message.format.version` is ignored and the log is always magic 2. */
  readonly ignoresMessageFormatVersion: boolean
  readonly leaderRecoveryState: boolean
}

/** The rules of a version. */
export function metadataVersionRules(version: MetadataVersion): MetadataVersionRules {
  return {
    version,
    fetch: stepOf(fetchSteps, version),
    listOffsets: stepOf(listOffsetsSteps, version),
    offsetForLeaderEpoch: stepOf(offsetForLeaderEpochSteps, version),
    writeTxnMarkers: atLeast(version, '2.8-IV0') ? 1 : 0,
    leaderAndIsr: stepOf(leaderAndIsrSteps, version),
    updateMetadata: stepOf(updateMetadataSteps, version),
    stopReplica: stepOf(stopReplicaSteps, version),
    groupMetadataValue: stepOf([['2.3-IV0', 3], ['2.1-IV0', 2], ['0.10.1-IV0', 1]], version),
    offsetCommitValue: stepOf([['2.1-IV1', 3], ['2.1-IV0', 2], ['0.8.0', 1]], version),
    recordVersion: atLeast(version, '0.11.0-IV0') ? 2 : atLeast(version, '0.10.0-IV0') ? 1 : 0,
    brokerEpochs: atLeast(version, '2.2-IV0'),
    offsetForLeaderEpochSupported: atLeast(version, '0.11.0-IV2'),
    featureZnode: atLeast(version, '2.7-IV0'),
    truncationOnFetch: atLeast(version, '2.7-IV1'),
    alterPartition: atLeast(version, '2.7-IV2'),
    topicIds: atLeast(version, '2.8-IV0'),
    allocateProducerIds: atLeast(version, '3.0-IV0'),
    ignoresMessageFormatVersion: atLeast(version, '3.0-IV1'),
    leaderRecoveryState: atLeast(version, '3.2-IV0'),
  }
}
