import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOST, choosePorts } from '../cli/start/ports'
import { remove, temporaryDirectory } from './temporary'
import { JARS, VERSION, whyNoApache } from '../test/apache/jars'
import { untilServing } from '../cli/start/readiness'
import type { ChildProcess } from 'node:child_process'
import type { Subject } from './clusters'

/** The options of the Java machine that Kafka's own start scripts give to everything. */
const JVM = [
  '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent', '-XX:MaxInlineLevel=15', '-Djava.awt.headless=true',
]
const BROKER_HEAP = ['-Xmx1G', '-Xms1G']
const ZOOKEEPER_HEAP = ['-Xmx512M', '-Xms512M']
const TOOL_HEAP = ['-Xmx256M']

export const APACHE_NAME = `Apache Kafka ${VERSION}`

function log4j(file: string, appender: readonly string[], level: string): string {
  const layout = [
    'log4j.appender.A.layout=org.apache.log4j.PatternLayout',
    'log4j.appender.A.layout.ConversionPattern=[%d] %p %m (%c)%n',
  ]
  writeFileSync(file, `${[`log4j.rootLogger=${level}, A`, ...appender, ...layout].join('\n')}\n`)
  return `-Dlog4j.configuration=file:${file}`
}

/** The command line of one of Kafka's tools, by the name of its class, as its script runs it. `directory`: for its log4j. */
export function apacheCommand(directory: string, className: string, args: readonly string[]): string[] {
  const appender = ['log4j.appender.A=org.apache.log4j.ConsoleAppender', 'log4j.appender.A.Target=System.err']
  const logging = log4j(join(directory, 'tools.log4j'), appender, 'WARN')
  return ['java', ...TOOL_HEAP, ...JVM, logging, '-cp', `${JARS}/*`, className, ...args]
}

let whyNot: string | null | undefined

/** Whether there is an Apache Kafka to compare with; says once on stderr why not. */
export function hasApache(): boolean {
  if (process.argv.includes('--alone')) return false
  if (whyNot === undefined) {
    whyNot = whyNoApache() ?? null
    if (whyNot !== null) process.stderr.write(`skipped: Apache Kafka beside (${whyNot})\n`)
  }
  return whyNot === null
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Apache Kafka in ZooKeeper mode on free ports, each process as its own script starts it; gone when this process ends. */
export class ApacheKafka implements Subject {
  readonly name = APACHE_NAME
  readonly bootstrap: string
  readonly zookeeper: string
  readyMs = 0
  readonly directory = temporaryDirectory('bench-apache-kafka')
  private readonly ports: number[]
  private readonly children = new Map<string, ChildProcess>()
  private readonly end = (): void => this.kill()

  private constructor(ports: readonly number[], zookeeperPort: number, overrides: Record<string, string>) {
    this.ports = [...ports]
    this.bootstrap = ports.map((port) => `${HOST}:${port}`).join(',')
    this.zookeeper = `${HOST}:${zookeeperPort}`
    const replicas = String(Math.min(ports.length, 3))
    this.write('zookeeper.properties', {
      dataDir: join(this.directory, 'zookeeper'),
      clientPort: String(zookeeperPort),
      clientPortAddress: HOST,
      maxClientCnxns: '0',
      'admin.enableServer': 'false',
    })
    for (const [id, port] of ports.entries()) {
      this.write(`broker-${id}.properties`, {
        'broker.id': String(id),
        listeners: `PLAINTEXT://${HOST}:${port}`,
        'log.dirs': join(this.directory, `logs-${id}`),
        'zookeeper.connect': this.zookeeper,
        'zookeeper.session.timeout.ms': '6000',
        'offsets.topic.replication.factor': replicas,
        'transaction.state.log.replication.factor': replicas,
        'transaction.state.log.min.isr': ports.length > 1 ? '2' : '1',
        'group.initial.rebalance.delay.ms': '0',
        ...overrides,
      })
    }
    process.prependListener('exit', this.end)
  }

  static async start(brokers: number, overrides: Record<string, string>): Promise<ApacheKafka> {
    const [zookeeperPort, ...ports] = await choosePorts(0, brokers + 1, '')
    const kafka = new ApacheKafka(ports, zookeeperPort!, overrides)
    const startMs = performance.now()
    kafka.run('zookeeper', ZOOKEEPER_HEAP, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', 'zookeeper.properties')
    for (const id of ports.keys()) kafka.restart(id)
    const ids = [...ports.keys()]
    const isOver = (): boolean => [...kafka.children.values()].some(hasEnded)
    const serving = await Promise.all(ports.map((port) => untilServing(port, ids, isOver)))
    kafka.readyMs = performance.now() - startMs
    if (serving.includes(false)) {
      const outputs = [...kafka.children.keys()].map((name) => join(kafka.directory, `${name}.out`))
      const logs = outputs.map((file) => readFileSync(file, 'utf8').slice(-500))
      await kafka.stop()
      throw new Error(`${APACHE_NAME} did not start: ${logs.join('\n')}`)
    }
    return kafka
  }

  get pids(): Map<number, number> {
    return new Map(this.ports.map((_, id) => [id, this.children.get(`broker-${id}`)!.pid!]))
  }

  get zookeeperPid(): number {
    return this.children.get('zookeeper')!.pid!
  }

  /** At once; does not wait until it serves. */
  restart(id: number): void {
    this.run(`broker-${id}`, BROKER_HEAP, 'kafka.Kafka', `broker-${id}.properties`)
  }

  async stop(): Promise<void> {
    process.off('exit', this.end)
    const gone = [...this.children.values()].map((child) =>
      hasEnded(child) ? undefined : new Promise((resolve) => child.once('exit', resolve)),
    )
    this.kill()
    await Promise.all(gone)
    remove(this.directory)
  }

  private kill(): void {
    for (const child of this.children.values()) child.kill('SIGKILL')
  }

  private write(name: string, entries: Record<string, string>): void {
    const lines = Object.entries(entries).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(join(this.directory, name), lines.join(''))
  }

  private run(name: string, heap: readonly string[], className: string, properties: string): void {
    const logFile = join(this.directory, `${name}.log`)
    const appender = ['log4j.appender.A=org.apache.log4j.FileAppender', `log4j.appender.A.File=${logFile}`]
    const logging = log4j(join(this.directory, `${name}.log4j`), appender, 'INFO')
    const output = openSync(join(this.directory, `${name}.out`), 'a')
    const args = [...heap, ...JVM, logging, '-cp', `${JARS}/*`, className, join(this.directory, properties)]
    // A group of its own: whoever interrupts this program does not interrupt it as well.
    this.children.set(name, spawn('java', args, { stdio: ['ignore', output, output], detached: true }))
    closeSync(output)
  }
}

/** What `java -version` says first. */
export function javaVersion(): string {
  return spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr.split('\n')[0]!.replaceAll('"', '')
}
