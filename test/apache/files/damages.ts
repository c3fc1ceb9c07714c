import { existsSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Damage {
  name: string
  /** To one partition's directory. */
  apply(directory: string): void
}

function each(directory: string, suffixes: readonly string[], act: (path: string) => void): void {
  for (const name of readdirSync(directory)) if (suffixes.some((suffix) => name.endsWith(suffix))) act(join(directory, name))
}

const remove = (...suffixes: string[]) => (directory: string): void => each(directory, suffixes, (path) => rmSync(path))

/** All that can be made from the segments. */
const removeDerived = remove('.index', '.timeindex', '.txnindex', '.snapshot', 'leader-epoch-checkpoint')

const cut = (path: string): void => {
  const { size } = statSync(path)
  if (size > 0) truncateSync(path, Math.floor(size / 2) + 1)
}

/** As many as there are partitions: each of a topic's partitions gets another one. */
export const damages: readonly Damage[] = [
  { name: 'as it is', apply: () => {} },
  { name: 'without .index', apply: remove('.index') },
  { name: 'without .timeindex', apply: remove('.timeindex') },
  { name: 'without .txnindex', apply: remove('.txnindex') },
  { name: 'without .snapshot', apply: remove('.snapshot') },
  { name: 'without all of these and the epochs', apply: removeDerived },
  { name: 'truncated indexes', apply: (directory) => each(directory, ['.index', '.timeindex', '.txnindex'], cut) },
  {
    name: 'indexes and snapshots of zeros',
    apply: (directory) =>
      each(directory, ['.index', '.timeindex', '.snapshot'], (path) => writeFileSync(path, Buffer.alloc(statSync(path).size))),
  },
]

/** To each partition what its number says. */
export function damageAll(directory: string): void {
  for (const name of readdirSync(directory)) {
    const partition = Number(/-(\d+)$/.exec(name)?.[1] ?? -1)
    if (partition >= 0) damages[partition]!.apply(join(directory, name))
  }
}

export function removeMarker(directory: string): void {
  rmSync(join(directory, '.kafka_cleanshutdown'))
}

/** As after a crash, with nothing but the segments and the ids. */
export function removeAll(directory: string): void {
  removeMarker(directory)
  for (const name of readdirSync(directory)) {
    if (name.endsWith('-offset-checkpoint')) rmSync(join(directory, name))
    else if (existsSync(join(directory, name, 'partition.metadata'))) removeDerived(join(directory, name))
  }
}
