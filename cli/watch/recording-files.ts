import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EventReader } from '../../recording/codec'
import { RECORDING_FILES } from '../../recording/file-recorder'
import type { Recorded } from '../../recording/events'

/** Changes whenever a file does. */
export function filesVersion(directory: string): string {
  return RECORDING_FILES.map((name) => {
    const stat = statSync(join(directory, name), { throwIfNoEntry: false })
    return stat === undefined ? '-' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`
  }).join()
}

/** All that a process's two files hold, the older file first. What is torn at an end, or no recording, is left out. */
export function readRecording(directory: string): Recorded[] {
  const files = RECORDING_FILES.map((name) => readFile(join(directory, name))).filter((events) => events.length > 0)
  return files.sort(([a], [b]) => a!.wallUs - b!.wallUs).flat()
}

function readFile(path: string): Recorded[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return []
  }
  try {
    return new EventReader().push(bytes)
  } catch {
    return []
  }
}

/** What comes behind `last`; everything if it is not there any more. */
export function eventsAfter(events: readonly Recorded[], last: Recorded): Recorded[] {
  const at = events.findLastIndex(({ sequence, wallUs }) => sequence === last.sequence && wallUs === last.wallUs)
  return events.slice(at + 1)
}
