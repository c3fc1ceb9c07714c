import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { reasonFor } from './intended'

/** What is no part of logs. */
const ELSEWHERE = new Set(['.lock', 'prekraft-zookeeper-session'])

/** Every file below a directory, by its path from there. */
export function filesIn(directory: string, below = ''): string[] {
  return readdirSync(join(directory, below))
    .flatMap((name) => {
      const path = below === '' ? name : `${below}/${name}`
      return statSync(join(directory, path)).isDirectory() ? filesIn(directory, path) : [path]
    })
    .sort()
}

/** The suffix of a segment's file, else its name. */
export function kindOf(path: string): string {
  const name = path.split('/').at(-1)!
  return /^\d+(\.\w+)$/.exec(name)?.[1] ?? name
}

/** The lines behind the version and the count stand in the order of a hash map. */
function comparable(path: string, bytes: Buffer): Buffer {
  if (!path.endsWith('-offset-checkpoint')) return bytes
  const [version, count, ...lines] = bytes.toString().split('\n')
  return Buffer.from([version, count, ...lines.sort()].join('\n'))
}

export interface Comparison {
  /** Files by kind. */
  compared: Map<string, number>
  found: { path: string; what: string }[]
  /** How many differ on purpose, by reason. */
  intended: Map<string, number>
}

/**
 * What differs between the files of two directories that `isWanted`. `before` is what both have come from, `rebuilt` what Apache
 * makes of the segments alone.
 */
export function compareDirectories(
  name: string,
  directories: { apache: string; ours: string; before: string; rebuilt: string | undefined },
  isWanted: (path: string) => boolean,
): Comparison {
  const [theirs, mine] = [directories.apache, directories.ours].map((each) =>
    filesIn(each).filter((path) => isWanted(path) && !ELSEWHERE.has(kindOf(path))),
  )
  const comparison: Comparison = { compared: new Map(), found: [], intended: new Map() }
  const count = (counts: Map<string, number>, key: string): unknown => counts.set(key, (counts.get(key) ?? 0) + 1)
  const content = (directory: string | undefined, path: string): Buffer | undefined =>
    directory !== undefined && existsSync(join(directory, path)) ? comparable(path, readFileSync(join(directory, path))) : undefined
  for (const path of new Set([...theirs!, ...mine!])) {
    count(comparison.compared, kindOf(path))
    const apache = content(directories.apache, path)
    const ours = content(directories.ours, path)
    if (apache !== undefined && ours !== undefined && apache.equals(ours)) continue
    const [before, rebuilt] = [directories.before, directories.rebuilt].map((each) => content(each, path))
    const reason = reasonFor(name, path, { apache, ours, before, rebuilt })
    if (reason !== undefined) count(comparison.intended, reason)
    else if (ours === undefined) comparison.found.push({ path, what: `only Apache has it (${apache!.length} bytes)` })
    else if (apache === undefined) comparison.found.push({ path, what: `only we have it (${ours.length} bytes)` })
    else comparison.found.push({ path, what: firstDifference(apache, ours) })
  }
  return comparison
}

function firstDifference(apache: Buffer, ours: Buffer): string {
  let at = 0
  while (at < apache.length && apache[at] === ours[at]) at++
  const near = (bytes: Buffer): string => JSON.stringify(bytes.subarray(Math.max(0, at - 8), at + 24).toString('latin1'))
  return `Apache ${apache.length} bytes, prekraft ${ours.length}, from ${at} on: ${near(apache)}, ${near(ours)}`
}
