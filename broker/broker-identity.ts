import { FileFormatError } from '../protocol/files/checkpoint-text'
import { decodeMetaProperties, encodeMetaProperties } from '../protocol/files/meta-properties'
import { StartError } from './start-error'
import type { MetaProperties } from '../protocol/files/meta-properties'
import type { Disk } from '../runtime/ports'

const FILE = 'meta.properties'

/** What each log directory says of its broker and cluster; undefined where there is nothing yet, or the directory fails. */
export type StoredIdentities = ReadonlyMap<string, MetaProperties | undefined>

/** Throws StartError for a file that cannot be understood. A directory that cannot be read is left to the log manager. */
export function readIdentities(disk: Disk, dirs: readonly string[]): StoredIdentities {
  const identities = new Map<string, MetaProperties | undefined>()
  for (const dir of dirs) {
    const path = `${dir}/${FILE}`
    let text: string | undefined
    try {
      text = disk.exists(path) ? disk.readFile(path).toString() : undefined
    } catch {
      text = undefined
    }
    try {
      identities.set(dir, text === undefined ? undefined : decodeMetaProperties(text))
    } catch (error) {
      if (error instanceof FileFormatError || error instanceof SyntaxError) throw new StartError(`${path}: ${error.message}.`)
      throw error
    }
  }
  return identities
}

/** The broker id that the directories agree on, undefined if they have none. Throws StartError if they do not fit. */
export function checkIdentities(identities: StoredIdentities, clusterId: string, configuredId: number): number | undefined {
  let stored: { dir: string; id: number } | undefined
  for (const [dir, identity] of identities) {
    if (identity === undefined) continue
    if (identity.version !== 0)
      throw new StartError(`${dir} belongs to a broker without ZooKeeper (meta.properties has version 1).`)
    if (identity.clusterId !== undefined && identity.clusterId !== clusterId) {
      throw new StartError(
        `${dir} belongs to the cluster ${identity.clusterId}, but this ZooKeeper has the cluster ${clusterId}: ` +
          'correct zookeeper.connect or log.dirs.',
      )
    }
    const id = identity.brokerId
    if (id === undefined) continue
    if (configuredId >= 0 && id !== configuredId) {
      throw new StartError(
        `${dir} belongs to broker ${id}, but broker.id is ${configuredId}: correct broker.id or log.dirs, ` +
          'or remove the directory to start a new broker.',
      )
    }
    if (stored !== undefined && stored.id !== id) {
      throw new StartError(`${stored.dir} belongs to broker ${stored.id}, but ${dir} to broker ${id}: correct log.dirs.`)
    }
    stored = { dir, id }
  }
  return stored?.id
}

/** Writes meta.properties where it is missing or has other content; returns the directories in which that failed. */
export function writeIdentities(
  disk: Disk,
  identities: StoredIdentities,
  dirs: readonly string[],
  identity: { brokerId: number; clusterId: string },
  wallMs: number,
): string[] {
  const failed: string[] = []
  for (const dir of dirs) {
    const stored = identities.get(dir)
    if (stored?.brokerId === identity.brokerId && stored.clusterId === identity.clusterId) continue
    const next = { version: 0, ...identity, ...(stored?.directoryId === undefined ? {} : { directoryId: stored.directoryId }) }
    const path = `${dir}/${FILE}`
    try {
      const file = disk.open(`${path}.tmp`, 'create')
      try {
        file.write(Buffer.from(encodeMetaProperties(next, new Date(wallMs).toUTCString())), 0)
        file.syncNow()
      } finally {
        file.close()
      }
      disk.rename(`${path}.tmp`, path)
      disk.syncDirectory(dir)
    } catch {
      failed.push(dir)
    }
  }
  return failed
}
