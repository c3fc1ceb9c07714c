/**
 * `npm run test:words [-- [--bootstrap host:port] [--zookeeper host:port] [--log-dir DIR] [tool[=text] ...]]`: types the
 * command lines
 * of tools/ for our tool and for Apache's, over one cluster, and compares what both say. `text` picks the lines that hold it.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startCluster } from '../../../index'
import { whyNoApache } from '../jars'
import { ApacheTools, runProgram } from './apache'
import { MARKS, normalise, words } from './normal'
import type { Command, Output } from './apache'
import type { Line, Step, WordsTable } from './table'

const ROOT = resolve(__dirname, '../../..')
const TIMEOUT_MS = 60_000
/** The lines of kafka-dump-log look into four. */
const FEW_PARTITIONS = { 'offsets.topic.num.partitions': '4', 'transaction.state.log.num.partitions': '4' }
const MOST_LINES_SHOWN = 12

interface Place {
  bootstrap: string
  zookeeper: string
  dir: string
  log: string
}

class Judge {
  private readonly apache = new ApacheTools()
  private readonly place: Place
  private number = 0
  compared = 0
  readonly different: string[] = []

  constructor(place: Place) {
    this.place = place
  }

  async table(table: WordsTable, text: string): Promise<void> {
    for (const mark of Object.values(MARKS)) await this.steps(table.before ?? [], mark)
    for (const line of table.lines) if (line.args.includes(text)) await this.line(table, line)
  }

  close(): void {
    this.apache.close()
  }

  private async steps(steps: readonly Step[], mark: string): Promise<void> {
    for (const step of steps) {
      const { code, out, err } = await this.apache.run(step.class, this.command(step, mark))
      if (code !== 0) console.log(`# ${step.class} ${step.args}: exit code ${code}\n${out}${err}`)
    }
  }

  private command({ args, input }: { args: string; input?: string }, mark: string): Command {
    const { bootstrap, zookeeper, dir, log } = this.place
    const places = { bootstrap, zookeeper, dir, log, me: mark }
    const fill = (text: string): string =>
      Object.entries(places).reduce((filled, [name, value]) => filled.replaceAll(`{${name}}`, value), text)
    return { args: words(args).map(fill), input: fill(input ?? ''), timeoutMs: TIMEOUT_MS }
  }

  private async line(table: WordsTable, line: Line): Promise<void> {
    this.number++
    const answers: Output[] = []
    for (const [who, mark] of Object.entries(MARKS)) {
      const command = this.command(line, mark)
      for (const [name, content] of Object.entries(line.files ?? {}))
        writeFileSync(join(this.place.dir, name), this.command({ args: '', input: content }, mark).input)
      await this.steps(line.before ?? [], mark)
      const answer =
        who === 'apache'
          ? await this.apache[table.apart === true ? 'runApart' : 'run'](table.class, command)
          : await runProgram(join(ROOT, 'bin', `${table.tool}.sh`), command.args, command.input, TIMEOUT_MS)
      answers.push(normalise(answer, mark, { ...line, own: table.own ?? [] }))
    }
    this.compared++
    const [theirs, mine] = answers as [Output, Output]
    const parts = (line.compare ?? ['code', 'out', 'err']).filter((part) => theirs[part] !== mine[part])
    const wrong = line.ours !== undefined && !line.ours.test(mine.out + mine.err)
    if (parts.length === 0 && !wrong) return
    const shown = parts.map((part) => {
      const [a, b] = apart(String(theirs[part]), String(mine[part]))
      return `  ${part}, Apache's:\n${indent(a)}\n  ${part}, ours:\n${indent(b)}`
    })
    if (wrong) shown.push(`  ours is not ${String(line.ours)}:\n${indent(mine.out + mine.err)}`)
    const report = `${table.tool} ${line.args}\n${shown.join('\n')}`
    this.different.push(report)
    console.log(`DIFFERENT ${report}`)
  }
}

/** Of long texts the lines that stand in one of them only. */
function apart(a: string, b: string): [string, string] {
  const [left, right] = [a.split('\n'), b.split('\n')]
  if (Math.max(left.length, right.length) <= MOST_LINES_SHOWN) return [a, b]
  return [left.filter((line) => !right.includes(line)).join('\n'), right.filter((line) => !left.includes(line)).join('\n')]
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    |${line}`)
    .join('\n')
}

async function main(): Promise<number> {
  const why = whyNoApache()
  if (why !== undefined) {
    console.log(`skipped: ${why}`)
    return 0
  }
  const args = process.argv.slice(2)
  const option = (name: string): string | undefined => {
    const at = args.indexOf(name)
    return at < 0 ? undefined : args.splice(at, 2)[1]
  }
  const bootstrap = option('--bootstrap')
  const logDir = option('--log-dir')
  const zookeeper = option('--zookeeper')
  const wanted = new Map(args.map((arg) => [arg.split('=')[0]!, arg.split('=').slice(1).join('=')]))
  const dir = mkdtempSync(join(tmpdir(), 'words-'))
  const cluster =
    bootstrap === undefined
      ? await startCluster({ brokers: 1, dataDir: join(dir, 'data'), overrides: FEW_PARTITIONS })
      : undefined
  const files = join(dir, 'files')
  mkdirSync(files)
  const judge = new Judge({
    bootstrap: bootstrap ?? cluster!.bootstrapServers,
    zookeeper: zookeeper ?? cluster?.zookeeperConnect ?? '',
    dir: files,
    log: logDir ?? cluster?.logDir(0) ?? '',
  })
  const tables = readdirSync(join(__dirname, 'tools'))
    .filter((file) => file.endsWith('.ts'))
    .sort()
  try {
    for (const file of tables) {
      const name = file.slice(0, -3)
      if (wanted.size > 0 && !wanted.has(name)) continue
      const { table } = require(join(__dirname, 'tools', name)) as { table: WordsTable }
      await judge.table(table, wanted.get(name) ?? '')
    }
  } finally {
    judge.close()
    await cluster?.close()
    rmSync(dir, { recursive: true, force: true })
  }
  console.log(`${judge.compared - judge.different.length} lines equal, ${judge.different.length} different`)
  return judge.different.length > 0 ? 1 : 0
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
