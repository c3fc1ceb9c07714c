import type { Disk } from '../../../runtime/ports'
import { join } from './file-names'

const LOCK_FILE = '.lock'

/** Directories that are held here, per disk, with the process: two brokers of one process must not share one either. */
const held = new WeakMap<Disk, Map<string, number>>()

/** The directory belongs to a running broker. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError'
  readonly code = 'DIRECTORY_IN_USE'

  constructor(directory: string) {
    super(
      `Failed to acquire lock on file .lock in ${directory}. `
        + 'A Kafka instance in another process or thread is using this directory.',
    )
  }
}

/**
 * Makes a log directory ours, or throws DirectoryInUseError. Java holds a record lock (fcntl) on `.lock`, which Node cannot
 * take: it is seen in /proc/locks. We write our process id, and when the process started, into the file; that counts while that
 * process lives.
 */
export function lockDirectory(disk: Disk, directory: string, processId: number): void {
  const mine = held.get(disk) ?? new Map<string, number>()
  held.set(disk, mine)
  const path = join(directory, LOCK_FILE)
  const isOurs = mine.get(directory) === processId
  if (isOurs || isLockedByRecord(disk, path) || isHeldByProcess(disk, path, processId)) throw new DirectoryInUseError(directory)
  const file = disk.open(path, 'create')
  try {
    file.write(Buffer.from(`${processId} ${startOf(disk, processId) ?? ''}\n`), 0)
  } finally {
    file.close()
  }
  mine.set(directory, processId)
}

/** Lets the directory go; the file goes, too. */
export function unlockDirectory(disk: Disk, directory: string): void {
  if (held.get(disk)?.delete(directory) !== true) return
  disk.remove(join(directory, LOCK_FILE))
}

/** Forgets the lock without touching a disk that has failed. */
export function forgetDirectory(disk: Disk, directory: string): void {
  held.get(disk)?.delete(directory)
}

/** True if some process holds a POSIX write lock on the file: a running Apache broker. */
function isLockedByRecord(disk: Disk, path: string): boolean {
  const inode = disk.stat(path)?.inode
  if (inode === undefined || !disk.exists('/proc/locks')) return false
  const locks = disk.readFile('/proc/locks').toString('latin1')
  return locks.split('\n').some((line) => new RegExp(`\\bPOSIX\\b.*\\bWRITE\\b.*:${inode}\\s`).test(line))
}

function isHeldByProcess(disk: Disk, path: string, ownId: number): boolean {
  if (!disk.exists(path)) return false
  const [id = '', started = ''] = disk.readFile(path).toString('latin1').trim().split(' ')
  if (!/^\d{1,10}$/.test(id) || Number(id) === ownId) return false
  const now = startOf(disk, Number(id))
  // Process ids are given again, after a reboot or in a new container: the time of its start tells one from another.
  return now !== undefined && (started === '' || started === now)
}

/** When a process started, in ticks since boot; undefined if it does not live. */
function startOf(disk: Disk, processId: number): string | undefined {
  const path = `/proc/${processId}/stat`
  if (!disk.exists(path)) return undefined
  // Its name, in parentheses, may hold anything; the 20th word after it is the start.
  const stat = disk.readFile(path).toString('latin1')
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A process that was killed and that nobody has waited for (in a container without an init) is dead all the same.
  return words[0] === 'Z' || words[0] === 'X' ? undefined : words[19]
}
