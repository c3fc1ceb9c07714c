/**
 * `meta.properties` of a log directory: which broker of which cluster it belongs to.
 */
import { FileFormatError } from './checkpoint-text'
import { formatProperties, parseProperties } from './properties'

export interface MetaProperties {
  /** 0 in ZooKeeper mode; 1 was written by a broker without ZooKeeper. */
  version: number
  brokerId: number | undefined
  clusterId: string | undefined
  /** From 3.7 on. */
  directoryId?: string | undefined
}

/** The file's text; `writtenAt` is the comment that Java would write, a date. */
export function encodeMetaProperties(meta: MetaProperties, writtenAt: string): string {
  const entries: Record<string, string> = {}
  if (meta.brokerId !== undefined) entries['broker.id'] = String(meta.brokerId)
  if (meta.clusterId !== undefined) entries['cluster.id'] = meta.clusterId
  if (meta.directoryId !== undefined) entries['directory.id'] = meta.directoryId
  entries['version'] = String(meta.version)
  return formatProperties(entries, ['', writtenAt])
}

/** Throws FileFormatError. */
export function decodeMetaProperties(text: string): MetaProperties {
  const entries = parseProperties(text)
  const version = wholeNumber(entries, 'version')
  if (version === undefined) throw new FileFormatError('meta.properties has no version')
  if (version !== 0 && version !== 1) throw new FileFormatError(`meta.properties has version ${version}; 0 and 1 are known`)
  return {
    version,
    brokerId: wholeNumber(entries, version === 0 ? 'broker.id' : 'node.id'),
    clusterId: entries['cluster.id'],
    directoryId: entries['directory.id'],
  }
}

function wholeNumber(entries: Readonly<Record<string, string>>, key: string): number | undefined {
  const text = entries[key]?.trim()
  if (text === undefined) return undefined
  if (!/^-?\d{1,10}$/.test(text)) throw new FileFormatError(`${key} in meta.properties is not a number: ${text}`)
  return Number(text)
}
