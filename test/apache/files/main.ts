/**
 * The files of logs: what Apache's brokers and ours write, how either recovers them, and what DumpLogSegments and our
 * kafka-dump-log.sh print of them.
 *   npm run test:files [-- apache|prekraft]    (whose files; both)
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whyNoApache } from '../jars'
import { ApacheTools } from '../words/apache'
import { compareDirectories } from './compare'
import { damageAll, damages, removeAll, removeMarker } from './damages'
import { compareDumps, complaintsAbout } from './dumps'
import { Place } from './place'
import { Report } from './report'
import type { Recovered } from './place'

/** Both kinds start on the same directory, and end; what they leave is compared. Resolves with where Apache has left it. */
async function compareRecovery(
  tools: ApacheTools,
  place: Place,
  report: Report,
  title: string,
  from: string,
  damage: (directory: string) => void,
  byPartition?: { rebuilt: string },
): Promise<string> {
  const both = await Promise.allSettled([place.recovered(from, 'apache', damage), place.recovered(from, 'prekraft', damage)])
  const [apache, ours] = both.map((one) => {
    if (one.status === 'rejected') throw one.reason as Error
    return one.value
  }) as [Recovered, Recovered]
  const partitionOf = (path: string): number => Number(/-(\d+)\//.exec(path)?.[1] ?? -1)
  const directories = { apache: apache.path, ours: ours.path, before: from, rebuilt: byPartition?.rebuilt }
  const compare = (name: string, isWanted: (path: string) => boolean): void => {
    const full = `${title}${name}`
    report.files(full, compareDirectories(full, directories, isWanted))
  }
  if (byPartition === undefined) {
    report.line(`${title}: neither kind complains`, [...apache.complaints, ...ours.complaints])
    report.line(`${title}: DumpLogSegments finds nothing wrong with what ours has recovered`, await complaintsAbout(tools, ours.path))
    compare('', () => true)
    return apache.path
  }
  compare(', the directory', (path) => partitionOf(path) < 0)
  for (const [number, { name }] of damages.entries()) compare(`, ${name}`, (path) => partitionOf(path) === number)
  return apache.path
}

async function main(): Promise<number> {
  const why = whyNoApache()
  if (why !== undefined) {
    process.stdout.write(`skipped: ${why}\n`)
    return 0
  }
  const dir = mkdtempSync(join(tmpdir(), 'files-'))
  const place = new Place(dir, Number(process.env.FILES_PORT ?? 19592))
  const report = new Report()
  const tools = new ApacheTools()
  try {
    await place.open()
    for (const kind of ['apache', 'prekraft'] as const) {
      if (process.argv[2] !== undefined && process.argv[2] !== kind) continue
      const { killed, stopped } = await place.written(kind)
      const of = `files of ${kind === 'apache' ? 'Apache' : 'prekraft'}`
      await compareDumps(tools, report, of, stopped, kind)
      await compareDumps(tools, report, `${of} after kill -9`, killed, kind, true)
      await compareRecovery(tools, place, report, `${of} after kill -9`, killed, () => {})
      const rebuilt = await compareRecovery(tools, place, report, `${of}, segments only`, stopped, removeAll)
      // What a clean stop leaves is the same, of either kind.
      if (kind === 'apache') await compareRecovery(tools, place, report, `${of} after a clean stop`, stopped, damageAll, { rebuilt })
      const damageUnclean = (directory: string): void => {
        removeMarker(directory)
        damageAll(directory)
      }
      await compareRecovery(tools, place, report, `${of} after an unclean stop`, stopped, damageUnclean, { rebuilt })
    }
  } finally {
    tools.close()
    await place.close()
  }
  const isEqual = report.different === 0
  const where = isEqual ? '' : `; the files are in ${dir}`
  process.stdout.write(`${report.cases - report.different} of ${report.cases} cases equal${where}\n`)
  if (isEqual) rmSync(dir, { recursive: true, force: true })
  return isEqual ? 0 : 1
}

void main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  },
)
