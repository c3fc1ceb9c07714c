import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KafkaConnection } from '../../network/kafka-connection'
import { ApiKey } from '../../protocol/messages/apis'
import { realEnvironment } from '../../runtime/real'
import { openSession } from '../../zk-schema/session/session'
import { silentLogger } from '../../runtime/log'
import { JARS } from './jars'
import type { ChildProcess } from 'node:child_process'
import type { Input } from '../../protocol/messages/codec'
import type { MetadataRequest, MetadataResponse } from '../../protocol/messages/metadata'
import type { ZooKeeperSession } from '../../zk-schema/session/session'

/** Errors of tools and clients of Apache's to the standard output. */
export const TOOL_LOG4J = join(mkdtempSync(join(tmpdir(), 'log4j-')), 'tools.log4j')
writeFileSync(
  TOOL_LOG4J,
  [
    'log4j.rootLogger=ERROR, S',
    'log4j.appender.S=org.apache.log4j.ConsoleAppender',
    'log4j.appender.S.layout=org.apache.log4j.SimpleLayout',
  ].join('\n'),
)

/** The words that run a class of Apache's. */
export function javaTool(name: string, args: readonly string[]): string[] {
  const log4j = `-Dlog4j.configuration=file:${TOOL_LOG4J}`
  return ['java', '-Xmx256m', '-XX:TieredStopAtLevel=1', log4j, '-cp', `${JARS}/*`, name, ...args]
}

/** The words that run a tool of ours, by the name of its script. */
export function ownTool(name: string, args: readonly string[]): string[] {
  return [process.execPath, join(__dirname, '../../dist', `${name}.js`), ...args]
}

export type Kind = 'apache' | 'prekraft'

export const otherKind = (kind: Kind): Kind => (kind === 'apache' ? 'prekraft' : 'apache')

export interface Node {
  readonly id: number
  readonly port: number
  kind: Kind
  child: ChildProcess | undefined
  logFile: string
}

/** Both coordinators on so many brokers, and sooner than by default. */
export function coordinatorSettings(replicas: number, partitions: number): Record<string, string> {
  return {
    'offsets.topic.replication.factor': String(replicas),
    'offsets.topic.num.partitions': String(partitions),
    'transaction.state.log.replication.factor': String(replicas),
    'transaction.state.log.num.partitions': String(partitions),
    'transaction.state.log.min.isr': '2',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
    'group.initial.rebalance.delay.ms': '300',
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Resolves when the condition holds; its errors count as no. */
export async function until(
  what: string,
  timeoutMs: number,
  condition: () => Promise<boolean | string> | boolean | string,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    let why: unknown
    try {
      const held = await condition()
      if (held === true || held === '') return
      why = held
    } catch (error) {
      why = (error as Error).message
    }
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}${typeof why === 'string' ? `; ${why}` : ''}`)
    await pause(150)
  }
}

/** One Apache ZooKeeper and brokers of both kinds, all processes of their own. */
export class MixedCluster {
  readonly dir: string
  readonly nodes = new Map<number, Node>()
  /** Brokers that were started, ended, or stood still; who looks empties it. */
  readonly touched = new Set<number>()
  private readonly zooKeeperPort: number
  private readonly settings: Record<string, string>
  private zooKeeper: ChildProcess | undefined
  private starts = 0
  private isClosed = false
  private readonly read = new Map<string, number>()

  constructor(dir: string, zooKeeperPort: number, settings: Record<string, string>) {
    this.dir = dir
    this.zooKeeperPort = zooKeeperPort
    this.settings = settings
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true })
  }

  get brokerIds(): number[] {
    return [...this.nodes.keys()]
  }

  get running(): number[] {
    return [...this.nodes.values()].filter(({ child }) => child !== undefined).map(({ id }) => id)
  }

  get bootstrapServers(): string {
    return [...this.nodes.values()].map(({ port }) => `127.0.0.1:${port}`).join(',')
  }

  /** Of one kind: to ask through it. */
  brokersOf(kind: Kind): number[] {
    return [...this.nodes.values()].filter((node) => node.kind === kind).map(({ id }) => id)
  }

  /** As a cluster of the other tests has it. */
  until(what: string, timeoutMs: number, condition: () => Promise<boolean>): Promise<void> {
    return until(what, timeoutMs, condition)
  }

  port(id: number): number {
    return this.node(id).port
  }

  node(id: number): Node {
    return this.nodes.get(id)!
  }

  logDirs(id: number): string[] {
    return [join(this.dir, `d${id}`)]
  }

  async startZooKeeper(): Promise<void> {
    const file = join(this.dir, 'zk.properties')
    const lines = [
      `dataDir=${this.dir}/zk`,
      `clientPort=${this.zooKeeperPort}`,
      'clientPortAddress=127.0.0.1',
      'maxClientCnxns=0',
      'admin.enableServer=false',
      'tickTime=1000',
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    this.zooKeeper = this.java('zk', ['-Xmx256m', 'org.apache.zookeeper.server.quorum.QuorumPeerMain', file])
    await until('ZooKeeper takes connections', 30_000, () => takesConnections(this.zooKeeperPort))
  }

  /** `own`: settings of this broker alone. */
  add(id: number, kind: Kind, port: number, own: Record<string, string> = {}): void {
    const settings = {
      'broker.id': id,
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      'log.dirs': this.logDirs(id)[0],
      'zookeeper.connect': `127.0.0.1:${this.zooKeeperPort}`,
      ...this.settings,
      ...own,
    }
    writeFileSync(
      join(this.dir, `${id}.properties`),
      Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    )
    this.nodes.set(id, { id, port, kind, child: undefined, logFile: '' })
  }

  /** What a broker has logged since it was started last. */
  logOf(id: number): string {
    return readFileSync(this.node(id).logFile, 'utf8')
  }

  /** Starts a broker and waits until it says that it has started. */
  async start(id: number, kind: Kind = this.node(id).kind): Promise<void> {
    const node = this.node(id)
    if (node.child !== undefined) throw new Error(`broker ${id} runs already`)
    if (this.isClosed) throw new Error('the cluster is closed')
    this.touched.add(id)
    node.kind = kind
    const name = `b${id}.${++this.starts}.${kind}`
    node.logFile = join(this.dir, `${name}.log`)
    const properties = join(this.dir, `${id}.properties`)
    node.child =
      kind === 'apache'
        ? this.java(name, ['-Xmx512m', '-XX:TieredStopAtLevel=1', 'kafka.Kafka', properties])
        : this.spawn(name, process.execPath, [join(__dirname, '../../dist/broker.js'), properties])
    const child = node.child
    child.once('exit', () => {
      if (node.child === child) node.child = undefined
    })
    const started = kind === 'apache' ? 'started (kafka.server.KafkaServer)' : '"msg":"started"'
    await until(`broker ${id} (${kind}) has started`, 180_000, () => {
      if (node.child !== child) throw new Error(`it ended: see ${node.logFile}`)
      return existsSync(node.logFile) && readFileSync(node.logFile, 'utf8').includes(started)
    })
  }

  /** Ends a broker; TERM: a controlled shutdown. Gives the milliseconds that it took. */
  async stop(id: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    const child = this.node(id).child
    if (child === undefined) return 0
    this.touched.add(id)
    const began = Date.now()
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill(signal)
    const late = setTimeout(() => {
      process.stdout.write(`broker ${id} does not end; kill -9\n`)
      child.kill('SIGKILL')
    }, 60_000)
    await gone
    clearTimeout(late)
    return Date.now() - began
  }

  signal(id: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.touched.add(id)
    this.node(id).child?.kill(signal)
  }

  async close(): Promise<void> {
    this.isClosed = true
    for (const { id, child } of this.nodes.values()) {
      child?.kill('SIGCONT')
      await this.stop(id, 'SIGKILL')
    }
    this.zooKeeper?.kill('SIGKILL')
  }

  async zookeeper<T>(use: (session: ZooKeeperSession) => Promise<T>): Promise<T> {
    const session = await openSession(realEnvironment(), {
      connect: `127.0.0.1:${this.zooKeeperPort}`,
      sessionTimeoutMs: 10_000,
      connectionTimeoutMs: 10_000,
      logger: silentLogger,
    })
    try {
      return await use(session)
    } finally {
      await session.close()
    }
  }

  async connect(id: number, clientId: string, requestTimeoutMs: number): Promise<KafkaConnection> {
    const where = { host: '127.0.0.1', port: this.port(id) }
    const connection = new KafkaConnection(realEnvironment(), { ...where, clientId, requestTimeoutMs })
    await connection.connect()
    return connection
  }

  async ask<Req, Res>(id: number, key: number, body: Input<Req>, version?: number): Promise<Res> {
    const connection = await this.connect(id, 'mixed', 60_000)
    try {
      return await connection.send<Req, Res>(key, body, version === undefined ? {} : { version })
    } finally {
      connection.close()
    }
  }

  async metadata(id: number, topics: string[] | null = null): Promise<MetadataResponse> {
    const named = topics === null ? null : topics.map((name) => ({ name }))
    return await this.ask<MetadataRequest, MetadataResponse>(id, ApiKey.metadata, {
      topics: named,
      allowAutoTopicCreation: false,
    })
  }

  /** Runs a tool of Apache's, and gives all that it said. */
  tool(name: string, args: string[], input = ''): string {
    const [program, ...words] = javaTool(name, args)
    const { stdout, stderr } = spawnSync(program!, words, { input, encoding: 'utf8', timeout: 90_000 })
    return `${stdout}${stderr}`.trim()
  }

  /** The same, while others go on. */
  async toolBeside(name: string, args: string[], timeoutMs = 120_000): Promise<string> {
    const [program, ...words] = javaTool(name, args)
    return await this.said(program!, words, timeoutMs)
  }

  /** A tool of ours, by the name of its script. */
  async ownTool(name: string, args: string[], timeoutMs = 120_000): Promise<string> {
    const [program, ...words] = ownTool(name, args)
    return await this.said(program!, words, timeoutMs)
  }

  private async said(program: string, args: string[], timeoutMs: number): Promise<string> {
    const child = spawn(program, args)
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    await new Promise<void>((resolve) => child.once('close', () => resolve()))
    clearTimeout(late)
    return said.trim()
  }

  /** The warnings and errors that the brokers have logged since the last call; behind each the exception that it tells of. */
  complaints(): string[] {
    const found: string[] = []
    for (const file of readdirSync(this.dir).filter((name) => /^b\d+\.\d+\.(apache|prekraft)\.log$/.test(name))) {
      const text = readFileSync(join(this.dir, file), 'utf8')
      const fresh = text.slice(this.read.get(file) ?? 0)
      const end = fresh.lastIndexOf('\n') + 1
      this.read.set(file, (this.read.get(file) ?? 0) + end)
      const pattern = file.endsWith('apache.log') ? /^\[[^\]]*\] (WARN|ERROR|FATAL) / : /"level":[456]0/
      const lines = fresh.slice(0, end).split('\n')
      for (const [i, line] of lines.entries()) {
        const next = lines[i + 1] ?? ''
        if (pattern.test(line)) found.push(`${file}: ${line}${/^[a-z]+\.\S+/.test(next) ? ` ${next}` : ''}`)
      }
    }
    return found
  }

  private java(name: string, args: string[]): ChildProcess {
    const log = join(this.dir, `${name}.log`)
    writeFileSync(
      `${log}4j`,
      [
        'log4j.rootLogger=INFO, F',
        'log4j.logger.state.change.logger=INFO',
        'log4j.appender.F=org.apache.log4j.FileAppender',
        `log4j.appender.F.File=${log}`,
        'log4j.appender.F.layout=org.apache.log4j.PatternLayout',
        'log4j.appender.F.layout.ConversionPattern=[%d] %p %m (%c)%n',
      ].join('\n'),
    )
    return this.spawn(`${name}.out`, 'java', [`-Dlog4j.configuration=file:${log}4j`, '-cp', `${JARS}/*`, ...args])
  }

  private spawn(name: string, program: string, args: string[]): ChildProcess {
    const log = join(this.dir, `${name}.log`)
    // Nothing of a cluster outlives the program that has it.
    return spawn('bash', ['-c', 'exec setpriv --pdeathsig KILL "$@" > "$0" 2>&1', log, program, ...args], { stdio: 'ignore' })
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
