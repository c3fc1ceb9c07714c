import { decodeJson, encodeJson, ZnodeFormatError } from './znode-json'

export const clusterPath = '/cluster'
export const clusterIdPath = '/cluster/id'
export const producerIdBlockPath = '/latest_producer_id_block'
export const featurePath = '/feature'
/** Exists only while a KRaft controller takes the cluster over. */
export const migrationPath = '/migration'

/** The version is a text here. */
export function encodeClusterId(id: string): Buffer {
  return encodeJson({ version: '1', id })
}

/** Throws ZnodeFormatError. */
export function decodeClusterId(data: Buffer | null): string {
  return decodeJson(clusterIdPath, data).string('id')
}

export const PRODUCER_ID_BLOCK_SIZE = 1000

/** The producer ids that were handed out last, first and last included. */
export interface ProducerIdBlock {
  brokerId: number
  firstProducerId: number
  lastProducerId: number
}

export function encodeProducerIdBlock(block: ProducerIdBlock): Buffer {
  return encodeJson({
    version: 1,
    broker: block.brokerId,
    block_start: String(block.firstProducerId),
    block_end: String(block.lastProducerId),
  })
}

/** undefined: none was handed out yet (no data). Throws ZnodeFormatError: guessing would hand out an id twice. */
export function decodeProducerIdBlock(data: Buffer | null): ProducerIdBlock | undefined {
  if (data === null || data.length === 0) return undefined
  const json = decodeJson(producerIdBlockPath, data)
  const block = {
    brokerId: json.int('broker'),
    firstProducerId: json.long('block_start'),
    lastProducerId: json.long('block_end'),
  }
  if (block.firstProducerId < 0 || block.lastProducerId < block.firstProducerId) {
    throw new ZnodeFormatError(producerIdBlockPath, `${block.firstProducerId} to ${block.lastProducerId} is no block`)
  }
  return block
}

export const FeatureStatus = { disabled: 0, enabled: 1 } as const
export type FeatureStatus = (typeof FeatureStatus)[keyof typeof FeatureStatus]

/** The finalized features of the cluster (KIP-584); the version in the Stat is their epoch. */
export interface Features {
  version: 1 | 2
  status: FeatureStatus
  /** Highest finalized version by name. */
  features: Record<string, number>
}

/** Version 1 before inter.broker.protocol.version 3.3-IV0, then 2. */
export function encodeFeatures({ version, status, features }: Features): Buffer {
  const levels = Object.entries(features).map(([name, level]) => [
    name,
    version === 1 ? { max_version_level: level, min_version_level: level } : { max_version_level: level },
  ])
  return encodeJson({ features: Object.fromEntries(levels), version, status })
}

/** Throws ZnodeFormatError. */
export function decodeFeatures(data: Buffer | null): Features {
  const json = decodeJson(featurePath, data)
  const version = json.int('version')
  const status = json.int('status')
  if (version !== 1 && version !== 2) throw json.complaint('version', '1 or 2')
  if (status !== FeatureStatus.disabled && status !== FeatureStatus.enabled) throw json.complaint('status', '0 or 1')
  if (!json.has('features')) throw json.complaint('features', 'an object')
  const levels = json.object('features')
  const features = levels.keys().map((name) => {
    const level = levels.object(name)
    const max = level.int('max_version_level')
    if (max < 1) throw level.complaint('max_version_level', 'at least 1')
    if (version === 1 && (level.int('min_version_level') < 1 || level.int('min_version_level') > max)) {
      throw level.complaint('min_version_level', 'between 1 and max_version_level')
    }
    return [name, max] as const
  })
  return { version, status, features: Object.fromEntries(features) }
}
