import { FileFormatError } from '../../protocol/files/checkpoint-text'
import { decodeMetaProperties, encodeMetaProperties } from '../../protocol/files/meta-properties'
import type { MetaProperties } from '../../protocol/files/meta-properties'
import type { Disk } from '../../runtime/ports'
import { readTextFile, replaceFileNow } from './checkpoint-file'
import { join } from './file-names'
import { isIoError } from './io-error'

const FILE_NAME = 'meta.properties'

/** The log directories do not belong to this broker, or not to each other. */
export class InconsistentMetaPropertiesError extends Error {
  override readonly name = 'InconsistentMetaPropertiesError'
  readonly code = 'INCONSISTENT_META_PROPERTIES'
}

export interface LoadedMetaProperties {
  /** What those directories say that have the file; undefined where none does. */
  brokerId: number | undefined
  clusterId: string | undefined
  /** By directory; undefined: no such file there. Directories that cannot be read are missing. */
  byDirectory: Map<string, MetaProperties | undefined>
}

/** Reads `meta.properties` of all log directories. Throws InconsistentMetaPropertiesError where they contradict each other. */
export function loadMetaProperties(disk: Disk, directories: readonly string[]): LoadedMetaProperties {
  const loaded: LoadedMetaProperties = { brokerId: undefined, clusterId: undefined, byDirectory: new Map() }
  for (const directory of directories) {
    let meta: MetaProperties | undefined
    try {
      meta = readOne(disk, directory)
    } catch (error) {
      if (isIoError(error)) continue
      throw error
    }
    loaded.byDirectory.set(directory, meta)
    if (meta?.brokerId !== undefined) {
      loaded.brokerId ??= meta.brokerId
      if (loaded.brokerId !== meta.brokerId) throw contradiction(directory, 'broker.id', meta.brokerId, loaded.brokerId)
    }
    if (meta?.clusterId !== undefined) {
      loaded.clusterId ??= meta.clusterId
      if (loaded.clusterId !== meta.clusterId) throw contradiction(directory, 'cluster.id', meta.clusterId, loaded.clusterId)
    }
  }
  return loaded
}

function readOne(disk: Disk, directory: string): MetaProperties | undefined {
  const text = readTextFile(disk, join(directory, FILE_NAME))
  if (text === undefined) return undefined
  try {
    return decodeMetaProperties(text)
  } catch (error) {
    if (error instanceof FileFormatError) throw new InconsistentMetaPropertiesError(`${join(directory, FILE_NAME)}: ${error.message}`)
    throw error
  }
}

function contradiction(directory: string, key: string, found: string | number, expected: string | number): InconsistentMetaPropertiesError {
  return new InconsistentMetaPropertiesError(
    `${join(directory, FILE_NAME)} has ${key} ${found}, but another log directory has ${expected}. Each broker needs log directories of its own.`,
  )
}

/**
 * Checks what the directories say against who this broker is, and writes the file where it is missing or incomplete. Throws
 * InconsistentMetaPropertiesError with the way out.
 */
export function writeMetaProperties(
  disk: Disk, loaded: LoadedMetaProperties, identity: { brokerId: number; clusterId: string }, writtenAt: string,
): void {
  const { brokerId, clusterId } = identity
  if (loaded.brokerId !== undefined && loaded.brokerId !== brokerId) {
    throw new InconsistentMetaPropertiesError(
      `Configured broker.id ${brokerId} doesn't match stored broker.id Some(${loaded.brokerId}) in meta.properties. `
        + 'If you moved your data, make sure your configured broker.id matches. '
        + 'If you intend to create a new broker, you should remove all data in your data directories (log.dirs).',
    )
  }
  if (loaded.clusterId !== undefined && loaded.clusterId !== clusterId) {
    throw new InconsistentMetaPropertiesError(
      `The Cluster ID ${clusterId} doesn't match stored clusterId Some(${loaded.clusterId}) in meta.properties. `
        + 'The broker is trying to join the wrong cluster. Configured zookeeper.connect may be wrong.',
    )
  }
  for (const [directory, meta] of loaded.byDirectory) {
    if (meta?.brokerId === brokerId && meta.clusterId === clusterId) continue
    const text = encodeMetaProperties({ version: 0, brokerId, clusterId, directoryId: meta?.directoryId }, writtenAt)
    replaceFileNow(disk, join(directory, FILE_NAME), text)
  }
}
