import type { Disk } from '../../../runtime/ports'
import { parentOf } from './file-names'

const TEMPORARY_SUFFIX = '.tmp'

/**
 * Replaces a file by `content`, such that a crash leaves the old or the new one, whole; durable when it returns. Blocks while it
 * syncs: for start, stop, and where nothing may happen before it is done.
 */
export function replaceFileNow(disk: Disk, path: string, content: string | Buffer): void {
  const file = disk.open(path + TEMPORARY_SUFFIX, 'create')
  try {
    file.write(Buffer.from(content), 0)
    file.syncNow()
  } finally {
    file.close()
  }
  disk.rename(path + TEMPORARY_SUFFIX, path)
  disk.syncDirectory(parentOf(path))
}

/**
 * The same without blocking on the content. `stillWanted` is asked after the wait: if the directory was renamed or the log closed
 * meanwhile, the file is left as it was. True if it was replaced.
 */
export async function replaceFile(
  disk: Disk, path: string, content: string | Buffer, stillWanted: () => boolean,
): Promise<boolean> {
  const file = disk.open(path + TEMPORARY_SUFFIX, 'create')
  try {
    file.write(Buffer.from(content), 0)
    await file.sync()
  } finally {
    file.close()
  }
  if (!stillWanted()) return false
  disk.rename(path + TEMPORARY_SUFFIX, path)
  disk.syncDirectory(parentOf(path))
  return true
}

/** The text of a file, undefined if there is none. */
export function readTextFile(disk: Disk, path: string): string | undefined {
  return disk.exists(path) ? disk.readFile(path).toString('utf8') : undefined
}
