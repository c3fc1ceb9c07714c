/**
 * Programs that people write and run beside Kafka, from Apache's own jars, on three brokers: Kafka Streams, exactly once, and a
 * distributed Kafka Connect worker; each ended and started again in the middle, once cleanly and once by kill -9.
 *   node -r ./test/support/register.cjs test/apache/programs.ts [--apache] [streams | connect]
 * --apache: on Apache's brokers, to see what is usual.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kafka, Partitioners, logLevel } from 'kafkajs'
import { besideApache, freePorts } from './frame'
import { MixedCluster, coordinatorSettings, pause, until } from './mixed-cluster'
import { Run } from './mixed-run'
import { Program } from './programs/program'
import type { Kind } from './mixed-cluster'

const SETTINGS = {
  'zookeeper.session.timeout.ms': '12000',
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  ...coordinatorSettings(3, 6),
  'auto.create.topics.enable': 'false',
}

/** What the programs log on Apache's brokers, too. */
const USUAL = [
  /Using an OS temp directory in the state\.dir property/,
  // Kafka Streams has just made it.
  /recoverable issue with correlation id \d+ : \{word-count-KSTREAM-\S+-repartition=UNKNOWN_TOPIC_OR_PARTITION\}/,
  /All plugins have ServiceLoader manifests/,
  // It leaves its group and does not wait for the answer.
  /Close timed out with 1 pending requests to coordinator, terminating client connections \(\S+WorkerCoordinator\)$/,
  // A worker that has just started knows no configs yet.
  /Catching up to assignment's config offset/,
]

const WORDS = Array.from({ length: 40 }, (_, i) => `word${i}`)
const PATIENCE_MS = 120_000

function client(cluster: MixedCluster): Kafka {
  return new Kafka({ clientId: 'words', brokers: cluster.bootstrapServers.split(','), logLevel: logLevel.NOTHING })
}

/** All committed records of a topic, as Apache's consumer prints them: key and value. */
async function committed(cluster: MixedCluster, topic: string): Promise<string[]> {
  const said = await cluster.toolBeside('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', cluster.bootstrapServers, '--topic', topic, '--from-beginning', '--timeout-ms', '8000'],
    ...['--isolation-level', 'read_committed', '--property', 'print.key=true', '--property', 'key.separator=|'],
  ])
  return said.split('\n').filter((line) => line.includes('|'))
}

/** Writes lines of words until it is told to stop, and counts the words. */
class Writer {
  readonly counts = new Map<string, number>()
  private readonly done: Promise<void>
  private isGoing = true

  constructor(kafka: Kafka, topic: string) {
    this.done = this.write(kafka, topic)
    this.done.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.isGoing = false
    await this.done
  }

  private async write(kafka: Kafka, topic: string): Promise<void> {
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    for (let n = 0; this.isGoing; ) {
      const messages = Array.from({ length: 10 }, () => {
        const words = Array.from({ length: 5 }, (_, i) => WORDS[(n * (i + 3) + i) % WORDS.length]!)
        for (const word of words) this.counts.set(word, (this.counts.get(word) ?? 0) + 1)
        return { key: String(n++), value: words.join(' ') }
      })
      await producer.send({ topic, messages, acks: -1 })
      await pause(50)
    }
    await producer.disconnect()
  }
}

/** What is wrong with counts that must go 1, 2, 3 ... for each word. */
function wrongCounts(lines: string[], wanted: Map<string, number>): string[] {
  const found: string[] = []
  const seen = new Map<string, number>()
  for (const line of lines) {
    const [word = '', count = ''] = line.split('|')
    const before = seen.get(word) ?? 0
    if (Number(count) !== before + 1) found.push(`${word}: ${count} after ${before}`)
    seen.set(word, Number(count))
  }
  for (const [word, count] of wanted) if (seen.get(word) !== count) found.push(`${word}: ${seen.get(word)} instead of ${count}`)
  for (const word of seen.keys()) if (!wanted.has(word)) found.push(`${word} was never written`)
  return found
}

async function streams(run: Run, programs: Program[]): Promise<string[]> {
  const { cluster } = run
  for (const topic of ['lines', 'counts']) await run.createTopic(topic, { partitions: 3, replicas: 3 })
  await run.agreed()
  const source = join(__dirname, 'programs', 'WordCount.java')
  const state = join(cluster.dir, 'state')
  const program = new Program(cluster.dir, 'streams', [source, cluster.bootstrapServers, state, 'lines', 'counts'])
  programs.push(program)
  const kafka = client(cluster)
  const admin = kafka.admin()
  await admin.connect()
  const written = async (): Promise<number> =>
    (await admin.fetchTopicOffsets('counts')).reduce((sum, { high }) => sum + Number(high), 0)
  const progress = async (why: string): Promise<void> => {
    const goal = (await written()) + 3000
    await until(`counts ${why}`, PATIENCE_MS, async () => {
      if (!program.isRunning) throw new Error('Kafka Streams has ended')
      const now = await written()
      return now >= goal || `${goal - now} to go`
    })
  }
  const found: string[] = []
  const writer = new Writer(kafka, 'lines')
  try {
    program.start()
    await progress('at first')
    const code = await program.end('standard input')
    if (code !== 0) found.push(`it ended with ${code} and not cleanly`)
    program.start()
    await progress('after a clean end')
    await program.end('SIGKILL')
    program.start()
    await progress('after kill -9')
  } finally {
    await writer.stop()
  }
  const total = [...writer.counts.values()].reduce((sum, count) => sum + count, 0)
  let lines: string[] = []
  await until('all words are counted', PATIENCE_MS, async () => {
    lines = await committed(cluster, 'counts')
    return lines.length >= total || `${lines.length} of ${total}`
  })
  const code = await program.end('standard input')
  if (code !== 0) found.push(`it ended with ${code} and not cleanly`)
  // What it did not want to be committed may come at the end.
  lines = await committed(cluster, 'counts')
  await admin.disconnect()
  process.stdout.write(`       ${total} words, ${lines.length} committed counts\n`)
  found.push(...wrongCounts(lines, writer.counts))
  return found
}

/** Lines of a file, without one that is not complete. */
function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
}

function firstDifference(what: string, lines: string[], wanted: string[]): string[] {
  const at = lines.findIndex((line, i) => line !== wanted[i])
  if (at >= 0) return [`${what}: line ${at} is ${lines[at]} instead of ${wanted[at]}`]
  return lines.length === wanted.length ? [] : [`${what}: ${lines.length} lines instead of ${wanted.length}`]
}

async function connect(run: Run, programs: Program[], port: number): Promise<string[]> {
  const { cluster } = run
  await run.createTopic('copied', { partitions: 1, replicas: 3 })
  const [input, output, properties] = ['input.txt', 'output.txt', 'worker.properties'].map((name) => join(cluster.dir, name))
  const settings = {
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': 'workers',
    'config.storage.topic': 'connect-configs',
    'offset.storage.topic': 'connect-offsets',
    'status.storage.topic': 'connect-status',
    'offset.storage.partitions': 5,
    'exactly.once.source.support': 'enabled',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    listeners: `http://127.0.0.1:${port}`,
    'offset.flush.interval.ms': 500,
    'session.timeout.ms': 6000,
    'heartbeat.interval.ms': 1000,
    'scheduled.rebalance.max.delay.ms': 1000,
    'consumer.session.timeout.ms': 6000,
    'consumer.heartbeat.interval.ms': 1000,
    // A worker does not begin before the transactions that are open in its offsets end; that of a killed task ends with its time.
    'producer.transaction.timeout.ms': 6000,
  }
  const text = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(properties!, text.join(''))
  const program = new Program(cluster.dir, 'connect', ['org.apache.kafka.connect.cli.ConnectDistributed', properties!])
  programs.push(program)
  const rest = async (path: string, body?: object): Promise<unknown> => {
    const url = `http://127.0.0.1:${port}${path}`
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url, body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return await answer.json()
  }
  const running = (): Promise<void> =>
    until('connectors and tasks run', PATIENCE_MS, async () => {
      if (!program.isRunning) throw new Error('Kafka Connect has ended')
      for (const name of ['source', 'sink']) {
        const { connector, tasks } = (await rest(`/connectors/${name}/status`)) as {
          connector: { state: string }
          tasks: { state: string; trace?: string }[]
        }
        const states = [connector, ...tasks].map(({ state }) => state)
        if (states.length !== 2 || states.some((state) => state !== 'RUNNING'))
          return `${name}: ${states.join()} ${tasks[0]?.trace?.slice(0, 300) ?? ''}`
      }
      return true
    })
  const wanted: string[] = []
  const append = (count: number): void => {
    const lines = Array.from({ length: count }, (_, i) => `line ${wanted.length + i} of a file`)
    wanted.push(...lines)
    appendFileSync(input!, lines.map((line) => `${line}\n`).join(''))
  }
  const progress = async (why: string): Promise<void> => {
    const goal = linesOf(output!).length + 600
    await until(`lines ${why}`, PATIENCE_MS, () => {
      if (!program.isRunning) throw new Error('Kafka Connect has ended')
      return linesOf(output!).length >= goal
    })
  }
  append(500)
  program.start()
  await until('Connect answers', PATIENCE_MS, async () => Array.isArray(await rest('/connectors')))
  const name = (side: string): string => `org.apache.kafka.connect.file.FileStream${side}Connector`
  const source = { 'connector.class': name('Source'), 'tasks.max': '1', file: input, topic: 'copied' }
  const sink = { 'connector.class': name('Sink'), 'tasks.max': '1', file: output, topics: 'copied' }
  await rest('/connectors', { name: 'source', config: source })
  await rest('/connectors', { name: 'sink', config: sink })
  await running()
  const found: string[] = []
  const pen = setInterval(() => append(10), 50)
  try {
    await progress('at first')
    const code = await program.end('SIGTERM')
    if (code !== 143 && code !== 0) found.push(`it ended with ${code} and not cleanly`)
    program.start()
    await progress('after a clean end')
    await running()
    const soFar = linesOf(output!)
    found.push(...firstDifference('the copy after a clean end', soFar, wanted.slice(0, soFar.length)))
    await program.end('SIGKILL')
    // Half a line: all of it will come again.
    truncateSync(output!, readFileSync(output!).lastIndexOf('\n') + 1)
    program.start()
    await progress('after kill -9')
    await running()
  } finally {
    clearInterval(pen)
  }
  await until('all lines are copied', PATIENCE_MS, () => linesOf(output!).at(-1) === wanted.at(-1))
  const code = await program.end('SIGTERM')
  if (code !== 143 && code !== 0) found.push(`it ended with ${code} and not cleanly`)
  const copied = (await committed(cluster, 'copied')).map((line) => line.slice(line.indexOf('|') + 1))
  const out = linesOf(output!)
  process.stdout.write(`       ${wanted.length} lines, ${copied.length} in the topic, ${out.length} in the copy\n`)
  found.push(...firstDifference('the topic', copied, wanted))
  // A sink may write again what it had not committed when it was killed.
  found.push(...firstDifference('the copy', [...new Set(out)], wanted))
  return found
}

besideApache('programs', async ({ dir, args, atEnd }) => {
  const kind: Kind = args.includes('--apache') ? 'apache' : 'prekraft'
  const named = args.filter((each) => !each.startsWith('--'))
  const [zooKeeperPort, connectPort, ...ports] = await freePorts(5)
  const cluster = new MixedCluster(dir, zooKeeperPort!, SETTINGS)
  const run = new Run(cluster, named, named.length > 0)
  const programs: Program[] = []
  atEnd(async () => {
    for (const program of programs) program.kill()
    await cluster.close()
  })
  const step = async (name: string, act: () => Promise<string[]>): Promise<void> => {
    if (!run.wants(name)) return
    const began = Date.now()
    const found: string[] = []
    try {
      found.push(...(await act()))
    } catch (error) {
      found.push((error as Error).message)
    }
    for (const program of programs.splice(0)) {
      program.kill()
      const unusual = program.complaints().filter((line) => !USUAL.some((pattern) => pattern.test(line)))
      found.push(...[...new Set(unusual)].map((line) => `${program.name}: ${line}`.slice(0, 400)))
    }
    found.push(...run.differences())
    run.report(`${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`, found)
  }
  await cluster.startZooKeeper()
  for (const id of [0, 1, 2]) cluster.add(id, kind, ports[id]!)
  await Promise.all([0, 1, 2].map((id) => cluster.start(id)))
  await until('all brokers are known', 30_000, async () => (await cluster.metadata(0)).brokers.length === 3)
  run.report(`three brokers (${kind})`, run.differences())
  await step('streams', () => streams(run, programs))
  await step('connect', () => connect(run, programs, connectPort!))
  return run.closing()
})
