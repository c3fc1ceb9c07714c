import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../words/apache'
import { filesIn, kindOf } from './compare'
import { COMPACTED } from './intended'
import type { Kind } from '../mixed-cluster'
import type { ApacheTools } from '../words/apache'
import type { Report } from './report'

const ROOT = join(__dirname, '../../..')
const TIMEOUT_MS = 120_000
/** The paths of so many files are one argument. */
const FILES_AT_ONCE = 700
const DECODER = 'org.apache.kafka.tools.api.StringDecoder'

interface Look {
  options: readonly string[]
  /** A suffix, or the topic. */
  files: RegExp
  /** Also of what a killed broker has left. */
  always?: boolean
}

const looks: readonly Look[] = [
  { options: [], files: /./, always: true },
  { options: ['--deep-iteration'], files: /\.log$/ },
  { options: ['--print-data-log'], files: /\.log$/, always: true },
  { options: ['--print-data-log', '--skip-record-metadata'], files: /\.log$/ },
  { options: ['--print-data-log', '--max-bytes', '3000'], files: /\.log$/ },
  { options: ['--key-decoder-class', DECODER, '--value-decoder-class', DECODER], files: /\.log$/ },
  { options: ['--verify-index-only'], files: /index$/ },
  { options: ['--index-sanity-check'], files: /index$/, always: true },
  { options: ['--offsets-decoder'], files: /__consumer_offsets.*log$/ },
  { options: ['--offsets-decoder', '--skip-record-metadata'], files: /__consumer_offsets.*log$/ },
  { options: ['--transaction-log-decoder'], files: /__transaction_state.*log$/ },
  { options: ['--transaction-log-decoder', '--skip-record-metadata'], files: /__transaction_state.*log$/ },
]

/** What Apache's DumpLogSegments and our kafka-dump-log.sh print of the same files, with every option. */
export async function compareDumps(
  tools: ApacheTools,
  report: Report,
  title: string,
  directory: string,
  writer: Kind,
  isKilled = false,
): Promise<void> {
  const all = filesIn(directory).filter((path) => /^\.\w+$/.test(kindOf(path)) && path.includes('/'))
  for (const { options, files, always } of looks) {
    if (isKilled && always !== true) continue
    const isSanityCheck = options.includes('--index-sanity-check')
    const paths = all
      .filter((path) => files.test(path))
      .map((path) => join(directory, path))
      .filter((path) => !isRefused(path, isSanityCheck))
    const differences: string[] = []
    let lines = 0
    for (let from = 0; from < paths.length; from += FILES_AT_ONCE) {
      const args = [...options, '--files', paths.slice(from, from + FILES_AT_ONCE).join(',')]
      const [apache, ours] = await Promise.all([
        tools.run('kafka.tools.DumpLogSegments', { args, input: '', timeoutMs: TIMEOUT_MS }),
        runProgram(process.execPath, [join(ROOT, 'dist/kafka-dump-log.js'), ...args], '', TIMEOUT_MS),
      ])
      for (const part of ['out', 'err', 'code'] as const) {
        const [theirs, mine] = [apache, ours].map((answer) => String(answer[part]).replaceAll(directory, '').split('\n'))
        lines += theirs!.length
        differences.push(...differingLines(theirs!, mine!).map((line) => `${part}: ${line}`))
      }
      if (writer === 'prekraft') differences.push(...complaints(apache.err.replaceAll(`${directory}/`, '')))
    }
    report.line(`${title}: ${['kafka-dump-log.sh', ...options].join(' ')}: ${paths.length} files, ${lines} lines`, differences)
  }
}

/**
 * Indexes that a killed broker of Apache's had allocated in advance end with zeros. Apache's tool ends with an exception at those
 * of an empty segment, and when it is to check them.
 */
function isRefused(path: string, isSanityCheck: boolean): boolean {
  if (!/\.(index|timeindex)$/.test(path)) return false
  const bytes = readFileSync(path)
  if (bytes.length < 16 || bytes.subarray(-8).some((byte) => byte !== 0)) return false
  return isSanityCheck || statSync(path.replace(/\w+$/, 'log')).size === 0
}

/** Gaps, and times of records that are gone, are what compaction leaves. */
const OF_COMPACTION = /^(Non-consecutive offsets|Found timestamp mismatch) in /

/** What Apache's tool says against files of ours. */
function complaints(text: string): string[] {
  const headings = text.split('\n').filter((line) => line !== '' && !line.startsWith('  '))
  return headings
    .filter((line) => !(OF_COMPACTION.test(line) && COMPACTED.test(line.split(/ |:/).at(-1)!)))
    .map((line) => `Apache complains: ${line}`)
}

/** What it finds wrong with the logs and indexes of a directory. */
export async function complaintsAbout(tools: ApacheTools, directory: string): Promise<string[]> {
  const paths = filesIn(directory)
    .filter((path) => path.includes('/') && /\.(log|index|timeindex|txnindex)$/.test(path))
    .map((path) => join(directory, path))
    .filter((path) => !isRefused(path, false))
  const found: string[] = []
  for (let from = 0; from < paths.length; from += FILES_AT_ONCE) {
    const args = ['--files', paths.slice(from, from + FILES_AT_ONCE).join(',')]
    const { err, code } = await tools.run('kafka.tools.DumpLogSegments', { args, input: '', timeoutMs: TIMEOUT_MS })
    found.push(...complaints(err.replaceAll(`${directory}/`, '')), ...(code === 0 ? [] : [`it ends with ${code}`]))
  }
  return paths.length === 0 ? ['there are no files'] : found
}

/** The lines of one side only where the two go apart, by what is dumped. */
function differingLines(apache: readonly string[], ours: readonly string[]): string[] {
  const found: string[] = []
  let file = ''
  for (let i = 0; i < Math.max(apache.length, ours.length); i++) {
    if (apache[i]?.startsWith('Dumping ') === true) file = apache[i]!.slice('Dumping '.length)
    if (apache[i] === ours[i]) continue
    found.push(`${file}: Apache ${JSON.stringify(apache[i] ?? null)}, prekraft ${JSON.stringify(ours[i] ?? null)}`)
    if (apache.length !== ours.length) return found
  }
  return found
}
