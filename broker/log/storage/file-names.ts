import type { Random } from '../../../runtime/ports'

export const LOG_SUFFIX = '.log'
export const INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TXN_INDEX_SUFFIX = '.txnindex'
export const SNAPSHOT_SUFFIX = '.snapshot'
export const DELETED_SUFFIX = '.deleted'
export const CLEANED_SUFFIX = '.cleaned'
export const SWAP_SUFFIX = '.swap'

export const DELETE_DIR_SUFFIX = '-delete'
export const FUTURE_DIR_SUFFIX = '-future'
export const STRAY_DIR_SUFFIX = '-stray'

/** A file or directory name must not be longer, in bytes. */
const LONGEST_NAME = 255
/** Shown in hex in the names of directories that are not the current ones. */
const UNIQUE_BYTES = 16

/** `offset` in 20 digits and the suffix. */
export function fileName(offset: number, suffix: string): string {
  return String(offset).padStart(20, '0') + suffix
}

/** The offset that a file's name begins with, -1 if it does not begin with one. */
export function offsetOfName(name: string): number {
  const dot = name.indexOf('.')
  const digits = dot < 0 ? name : name.slice(0, dot)
  return /^\d{1,20}$/.test(digits) ? Number(digits) : -1
}

export function join(directory: string, name: string): string {
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash)
}

export type DirectoryState = 'current' | 'delete' | 'future' | 'stray'

export interface PartitionDirectory {
  topic: string
  partition: number
  state: DirectoryState
}

/** `topic-0`, or `topic-0.<32 hex digits>-delete`, `-future`, `-stray`; undefined for any other name. */
export function parsePartitionDirectory(name: string): PartitionDirectory | undefined {
  const suffixed = /^(.+)-(\d{1,10})\.[^.\s]+-(delete|future|stray)$/.exec(name)
  if (suffixed !== null) {
    return { topic: suffixed[1]!, partition: Number(suffixed[2]), state: suffixed[3] as DirectoryState }
  }
  const plain = /^(\S+)-(\d{1,10})$/.exec(name)
  if (plain === null || /-(delete|future|stray)$/.test(name)) return undefined
  return { topic: plain[1]!, partition: Number(plain[2]), state: 'current' }
}

export function partitionDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** Whether a partition's name leaves room for what the directory of a future replica has behind it. */
export function canHaveFutureDirectory(topic: string, partition: number): boolean {
  return partitionDirectoryName(topic, partition).length + '.'.length + 2 * UNIQUE_BYTES + FUTURE_DIR_SUFFIX.length <= LONGEST_NAME
}

/** The name of the directory of a partition that is being deleted, put aside, or moved here; a topic may have to be cut short. */
export function markedDirectoryName(topic: string, partition: number, suffix: string, random: Random): string {
  const end = `-${partition}.${random.bytes(UNIQUE_BYTES).toString('hex')}${suffix}`
  // A future directory gets its plain name back, so its topic cannot be cut.
  const kept = suffix === FUTURE_DIR_SUFFIX ? topic : topic.slice(0, Math.max(LONGEST_NAME - end.length, 1))
  return kept + end
}
