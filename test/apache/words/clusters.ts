/**
 * `npm run test:tools [-- tool[=text] ...]`: types the command lines of tools/ for Apache's tools, on a cluster of
 * Apache's and on one of ours, and compares what they say.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { besideApache, freePorts } from '../frame'
import { MixedCluster } from '../mixed-cluster'
import { ApacheTools } from './apache'
import { MARKS, normalise, words } from './normal'
import type { Kind } from '../mixed-cluster'
import type { Output } from './apache'
import type { Line, Step, WordsTable } from './table'

const SETTINGS = {
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'group.initial.rebalance.delay.ms': '0',
}
const TIMEOUT_MS = 60_000
/** What clusters have not in common. */
const OTHERWISE = [
  // Apache's broker ends the connection of whoever sends one.
  [/Envelope\(58\): [^,]*/g, 'Envelope(58)'],
  // In what kafka-transactions.sh tells of one id.
  [/^(\d+ *\t\S+ *\t)\d+ *(?=\t\d+ *\t[A-Z])/gm, '$1<producer id>'],
  // The group that a console consumer makes up.
  [/console-consumer-\d+ */g, 'console-consumer-<n> '],
] as const
/** Which groups with a made-up name, and which producer ids, an internal topic holds is left to chance. */
const LEFT_TO_CHANCE = /\{log\}\/__|GroupMetadataMessageFormatter/
/** Answered otherwise on purpose (docs/differences.md). */
const ON_PURPOSE = [/--broker-logger \S+ --describe/, /log\.cleaner\.threads=0/]
const MOST_LINES_SHOWN = 12
const MARK = MARKS.apache

/** A broker of one kind, and Apache's tools beside it. */
class Place {
  readonly cluster: MixedCluster
  readonly tools = new ApacheTools()
  private readonly zooKeeperPort: number
  private readonly files: string
  private clusterId = ''

  constructor(kind: Kind, dir: string, [port, zooKeeperPort]: number[]) {
    this.cluster = new MixedCluster(dir, zooKeeperPort!, SETTINGS)
    this.cluster.add(0, kind, port!)
    this.zooKeeperPort = zooKeeperPort!
    this.files = join(dir, 'files')
    mkdirSync(this.files)
  }

  async start(): Promise<void> {
    await this.cluster.startZooKeeper()
    await this.cluster.start(0)
    const node = await this.cluster.zookeeper((session) => session.get('/cluster/id'))
    this.clusterId = (JSON.parse(node!.data!.toString()) as { id: string }).id
  }

  async close(): Promise<void> {
    this.tools.close()
    await this.cluster.close()
  }

  async steps(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.tools.run(step.class, this.command(step.args, step.input))
  }

  async say(table: WordsTable, line: Line): Promise<Output> {
    for (const [name, content] of Object.entries(line.files ?? {})) writeFileSync(join(this.files, name), this.fill(content))
    await this.steps(line.before ?? [])
    const command = this.command(line.args, line.input)
    const said = await this.tools[table.apart === true ? 'runApart' : 'run'](table.class, command)
    const [port, zooKeeperPort] = [this.cluster.port(0), this.zooKeeperPort]
    const own = [
      [this.clusterId, '<cluster>'],
      [this.cluster.dir, '<dir>'],
      [`:${port}`, ':<port>'],
      [`:${zooKeeperPort}`, ':<ZooKeeper>'],
    ] as const
    const plain = (text: string): string =>
      OTHERWISE.reduce(
        (rest, [pattern, name]) => rest.replace(pattern, name),
        own.reduce((rest, [word, name]) => rest.replaceAll(word, name), text),
      )
    return normalise({ code: said.code, out: plain(said.out), err: plain(said.err) }, MARK, { ...line, shared: true })
  }

  private fill(text: string): string {
    const places = {
      bootstrap: this.cluster.bootstrapServers, zookeeper: `127.0.0.1:${this.zooKeeperPort}`, dir: this.files,
      log: this.cluster.logDirs(0)[0]!, me: MARK,
    }
    return Object.entries(places).reduce((filled, [name, value]) => filled.replaceAll(`{${name}}`, value), text)
  }

  private command(args: string, input = ''): { args: string[]; input: string; timeoutMs: number } {
    return { args: words(args).map((word) => this.fill(word)), input: this.fill(input), timeoutMs: TIMEOUT_MS }
  }
}

/** Of long texts the lines that stand in one of them only. */
function apart(a: string, b: string): [string, string] {
  const [left, right] = [a.split('\n'), b.split('\n')]
  if (Math.max(left.length, right.length) <= MOST_LINES_SHOWN) return [a, b]
  return [left.filter((line) => !right.includes(line)).join('\n'), right.filter((line) => !left.includes(line)).join('\n')]
}

function indent(text: string): string {
  return text.split('\n').map((line) => `    |${line}`).join('\n')
}

besideApache('tools', async ({ dir, args, atEnd }) => {
  const places: Place[] = []
  for (const kind of ['apache', 'prekraft'] as const) {
    const place = new Place(kind, join(dir, kind), await freePorts(2))
    atEnd(() => place.close())
    places.push(place)
    await place.start()
  }
  const wanted = new Map(args.map((arg) => [arg.split('=')[0]!, arg.split('=').slice(1).join('=')]))
  let equal = 0
  let different = 0
  let onPurpose = 0
  for (const file of readdirSync(join(__dirname, 'tools')).sort()) {
    const name = file.slice(0, -'.ts'.length)
    if (wanted.size > 0 && !wanted.has(name)) continue
    const { table } = require(join(__dirname, 'tools', name)) as { table: WordsTable }
    await Promise.all(places.map((place) => place.steps(table.before ?? [])))
    for (const line of table.lines) {
      if (!line.args.includes(wanted.get(name) ?? '') || LEFT_TO_CHANCE.test(line.args)) continue
      const [theirs, mine] = (await Promise.all(places.map((place) => place.say(table, line)))) as [Output, Output]
      const parts = (['code', 'out', 'err'] as const).filter((part) => theirs[part] !== mine[part])
      if (parts.length === 0) equal++
      else if (ON_PURPOSE.some((pattern) => pattern.test(line.args))) onPurpose++
      else {
        different++
        const shown = parts.map((part) => {
          const [a, b] = apart(String(theirs[part]), String(mine[part]))
          return `  ${part}, of Apache's cluster:\n${indent(a)}\n  ${part}, of ours:\n${indent(b)}`
        })
        process.stdout.write(`DIFFERENT ${table.tool} ${line.args}\n${shown.join('\n')}\n`)
      }
    }
  }
  process.stdout.write(`${equal} lines equal, ${onPurpose} different on purpose, ${different} different; logs in ${dir}\n`)
  return different === 0 && equal > 0 ? 0 : 1
})
