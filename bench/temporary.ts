import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What wrote there may be ending just now. */
export function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
}

/** Gone when this process ends, however it was asked to. */
export function temporaryDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `${name}-`))
  process.once('exit', () => remove(directory))
  return directory
}
