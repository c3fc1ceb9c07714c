import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Child } from './child'
import { openDataDirectory, writeServerProperties, writeZooKeeperProperties } from './layout'
import { HOST, choosePorts } from './ports'
import { untilListening, untilServing } from './readiness'
import type { StartOptions } from './options'

/** All of a stop takes less than 10 s: what is left of the brokers after this time is killed. */
const STOP_BROKERS_MS = 8000
const STOP_ZOOKEEPER_MS = 1000
/** How long the next broker waits for the one before it. */
const STAGGER_MS = 1500

/** A process ended before the cluster was ready; the message says which, and what it said. */
export class ClusterStartError extends Error {
  override readonly name = 'ClusterStartError'
}

export interface BrokerProcess {
  id: number
  port: number
  propertiesFile: string
  child: Child
}

export interface ClusterEvents {
  /** A line for the console. */
  say(text: string): void
  /** The last of its processes is over. */
  onAllOver(): void
  /** Before the first process is started: from here on there is something to stop. */
  onCreated(cluster: Cluster): void
}

/** A ZooKeeper and brokers, each a process of its own. */
export class Cluster {
  readonly dataDir: string
  readonly zookeeperConnect: string
  readonly brokers: BrokerProcess[] = []
  zookeeper: Child | undefined
  private readonly isTemporary: boolean
  private readonly isTied: boolean
  private readonly events: ClusterEvents
  private readonly distDir: string
  private isReady = false
  private stopping: Promise<void> | undefined

  private constructor(dataDir: string, options: StartOptions, zookeeperConnect: string, distDir: string, events: ClusterEvents) {
    this.dataDir = dataDir
    this.isTemporary = options.isTemporary
    // What is started for a test or a command has no life beyond it.
    this.isTied = options.isTied ?? (options.isTemporary || options.exec !== undefined)
    this.zookeeperConnect = zookeeperConnect
    this.distDir = distDir
    this.events = events
  }

  /** Resolves when every broker serves. Rejects with PortError, DataDirectoryError or ClusterStartError; then nothing runs. */
  static async start(options: StartOptions, distDir: string, events: ClusterEvents): Promise<Cluster> {
    const dataDir = options.isTemporary ? mkdtempSync(join(tmpdir(), 'prekraft-')) : resolve(options.dataDir)
    openDataDirectory(dataDir)
    const ports = await choosePorts(options.port, options.brokers, '--port')
    let connect = options.zookeeper
    let zookeeperPort = 0
    if (connect === undefined) {
      do {
        zookeeperPort = (await choosePorts(options.zookeeperPort, 1, '--zookeeper-port'))[0]!
      } while (options.zookeeperPort === 0 && ports.includes(zookeeperPort))
      connect = `${HOST}:${zookeeperPort}`
    }
    const cluster = new Cluster(dataDir, options, connect, distDir, events)
    events.onCreated(cluster)
    try {
      if (options.zookeeper === undefined) await cluster.startZooKeeper(zookeeperPort)
      // Asked to stop meanwhile: nobody would stop the brokers any more.
      if (cluster.stopping !== undefined) throw new ClusterStartError('stopped')
      await cluster.startBrokers(options, ports)
    } catch (error) {
      await cluster.stop()
      throw error
    }
    cluster.isReady = true
    return cluster
  }

  get bootstrap(): string {
    return this.brokers.map(({ port }) => `${HOST}:${port}`).join(',')
  }

  /** For machines: where everything is. */
  get readyLine(): string {
    const pids = this.brokers.map(({ id, child }) => `${id}:${child.pid}`)
    if (this.zookeeper !== undefined) pids.unshift(`zookeeper:${this.zookeeper.pid}`)
    return `ready bootstrap=${this.bootstrap} zookeeper=${this.zookeeperConnect} pids=${pids.join(',')}`
  }

  /**
   * Stops the brokers one after another by controlled shutdown, so that each can give its leaderships away, then ZooKeeper.
   * What does not stop in time is killed.
   */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll()
    return this.stopping
  }

  /** At once, without ceremony. */
  kill(): void {
    for (const child of this.children()) {
      child.isStopping = true
      child.signal('SIGKILL')
    }
  }

  /** Starts a broker again that is over, on its own properties; does not wait until it serves. */
  startAgain(brokerId: number): BrokerProcess {
    const broker = this.brokers.find(({ id }) => id === brokerId)
    if (broker === undefined || !broker.child.isOver) throw new ClusterStartError(`there is no broker ${brokerId} that is over`)
    broker.child = this.spawnBroker(broker)
    return broker
  }

  /** Starts the ZooKeeper again that is over; resolves when it listens. */
  async startZooKeeperAgain(): Promise<void> {
    if (this.zookeeper === undefined || !this.zookeeper.isOver)
      throw new ClusterStartError('there is no ZooKeeper of ours that is over')
    await this.startZooKeeper(Number(/:(\d+)/.exec(this.zookeeperConnect)![1]))
  }

  private spawnBroker({ id, propertiesFile }: { id: number; propertiesFile: string }): Child {
    return this.spawn(`broker ${id}`, 'broker.js', propertiesFile, join(this.dataDir, `broker-${id}`, 'broker.log'))
  }

  private async stopAll(): Promise<void> {
    const deadline = Date.now() + STOP_BROKERS_MS
    for (const child of this.children()) child.isStopping = true
    for (const { child } of this.brokers) {
      child.signal('SIGTERM')
      // By then it has given its leaderships away, and is at most closing its logs.
      await child.exited(STAGGER_MS)
    }
    const left = this.brokers.map(async ({ child }) => {
      if (!(await child.exited(Math.max(deadline - Date.now(), 0)))) child.signal('SIGKILL')
      await child.exited(500)
    })
    await Promise.all(left)
    this.zookeeper?.signal('SIGTERM')
    if (this.zookeeper !== undefined && !(await this.zookeeper.exited(STOP_ZOOKEEPER_MS))) {
      this.zookeeper.signal('SIGKILL')
      await this.zookeeper.exited(500)
    }
    if (this.isTemporary) rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 3 })
  }

  private children(): Child[] {
    const children = this.brokers.map(({ child }) => child)
    return this.zookeeper === undefined ? children : [...children, this.zookeeper]
  }

  private async startZooKeeper(port: number): Promise<void> {
    const properties = writeZooKeeperProperties(this.dataDir, port)
    const child = this.spawn('zookeeper', 'zookeeper.js', properties, join(this.dataDir, 'zookeeper', 'zookeeper.log'))
    this.zookeeper = child
    if (!(await untilListening(port, () => child.isOver))) throw startError(child)
  }

  private async startBrokers(options: StartOptions, ports: readonly number[]): Promise<void> {
    const ids = ports.map((_, i) => options.firstId + i)
    for (const [i, id] of ids.entries()) {
      const propertiesFile = writeServerProperties(this.dataDir, {
        brokerId: id,
        port: ports[i]!,
        brokers: options.brokers,
        zookeeper: this.zookeeperConnect,
        overrides: options.overrides,
        logDirs: options.logDirs,
      })
      this.brokers.push({ id, port: ports[i]!, propertiesFile, child: this.spawnBroker({ id, propertiesFile }) })
    }
    const isOver = (): boolean => this.children().some((child) => child.isOver)
    const serving = await Promise.all(this.brokers.map(({ port }) => untilServing(port, ids, isOver)))
    if (serving.every(Boolean)) return
    throw startError(this.children().find((child) => child.isOver)!)
  }

  private spawn(name: string, program: string, properties: string, logFile: string): Child {
    return new Child({
      name,
      args: [join(this.distDir, program), properties],
      logFile,
      isTied: this.isTied,
      onWarning: (line) => {
        if (this.stopping === undefined) this.events.say(`${name}: ${line}`)
      },
      onExit: (child) => this.onExit(child),
    })
  }

  private onExit(child: Child): void {
    if (child.isStopping || !this.isReady) return
    const others = this.children().some((each) => !each.isOver) ? '; the others go on' : ''
    const lines = child.lastLines(5).map((line) => `  ${line}`)
    this.events.say(
      `${child.name} (pid ${child.pid}) died with ${child.end}${others}. The end of ${child.logFile}:\n${lines.join('\n')}`,
    )
    if (others === '') this.events.onAllOver()
  }
}

function startError(child: Child): ClusterStartError {
  const words = child.lastWords()
  return new ClusterStartError(
    words === undefined
      ? `${child.name} ended with ${child.end} before it was ready. The end of ${child.logFile}:\n  ${child.lastLines(5).join('\n  ')}`
      : `${child.name} cannot start: ${words}`,
  )
}
