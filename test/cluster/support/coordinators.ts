import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apacheClasspath } from '../../zookeeper/apache'
import type { ChildProcess } from 'node:child_process'
import type { AddressInfo } from 'node:net'

/** The cluster's own embedded one, or Apache ZooKeeper: alone, alone with a chroot, or an ensemble of three. */
export type CoordinatorKind = 'embedded' | 'apache' | 'chroot' | 'ensemble'

export interface Coordinator {
  /** undefined: the cluster starts its own. */
  connect: string | undefined
  servers: ApacheServer[]
  close(): Promise<void>
}

const DEBIAN = '/usr/share/java'

/** $PREKRAFT_ZOOKEEPER_CLASSPATH, Debian's package, or what else there is. */
function classpath(): string | undefined {
  if (process.env.PREKRAFT_ZOOKEEPER_CLASSPATH !== undefined) return process.env.PREKRAFT_ZOOKEEPER_CLASSPATH
  return existsSync(join(DEBIAN, 'zookeeper.jar')) ? `${DEBIAN}/*` : apacheClasspath()
}

/** Why Apache ZooKeeper is not to be used now; undefined if it is. */
export function whyNotApache(): string | undefined {
  if (process.env.PREKRAFT_LIVE_ZOOKEEPER === undefined) return 'PREKRAFT_LIVE_ZOOKEEPER is not set'
  return classpath() === undefined ? 'no Apache ZooKeeper on this machine' : undefined
}

function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  return Promise.all(servers.map((server) => new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  }))).finally(() => {
    for (const server of servers) server.close()
  })
}

/** The answer to a four-letter word; undefined if there is none. */
function ask(port: number, word: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1')
    socket.setTimeout(2000, () => socket.destroy())
    socket.once('error', () => resolve(undefined))
    socket.once('connect', () => socket.write(word))
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.once('close', () => resolve(answer === '' ? undefined : answer))
  })
}

/** One process of Apache ZooKeeper. */
export class ApacheServer {
  readonly port: number
  private readonly configFile: string
  private child: ChildProcess | undefined

  constructor(port: number, configFile: string) {
    this.port = port
    this.configFile = configFile
  }

  start(): void {
    // QuorumPeerMain runs one server as well as one of an ensemble.
    const args = ['-Xmx256m', '-cp', classpath()!, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', this.configFile]
    this.child = spawn('java', args, { stdio: 'ignore' })
  }

  get pid(): number {
    return this.child!.pid!
  }

  /** `leader`, `follower` or `standalone`; undefined while it does not serve. */
  async mode(): Promise<string | undefined> {
    return /Mode: (\w+)/.exec((await ask(this.port, 'srvr')) ?? '')?.[1]
  }

  async untilServing(timeoutMs = 60_000): Promise<void> {
    const deadline = Date.now() + timeoutMs
    while ((await this.mode()) === undefined) {
      if (this.child!.exitCode !== null) throw new Error(`Apache ZooKeeper ended with exit code ${this.child!.exitCode}`)
      if (Date.now() > deadline) throw new Error(`Apache ZooKeeper does not serve after ${timeoutMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const child = this.child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGKILL')
    await gone
  }
}

export async function startCoordinator(kind: CoordinatorKind): Promise<Coordinator> {
  if (kind === 'embedded') return { connect: undefined, servers: [], close: () => Promise.resolve() }
  const directory = mkdtempSync(join(tmpdir(), 'pk-zk-'))
  const count = kind === 'ensemble' ? 3 : 1
  const ports = await freePorts(count * 3)
  const peers = count === 1 ? [] : ports.slice(0, count).map((_, i) => `server.${i + 1}=127.0.0.1:${ports[count + i]}:${ports[2 * count + i]}`)
  const servers = ports.slice(0, count).map((port, i) => {
    const dataDir = join(directory, String(i + 1))
    mkdirSync(dataDir)
    writeFileSync(join(dataDir, 'myid'), String(i + 1))
    const config = [
      `dataDir=${dataDir}`, `clientPort=${port}`, 'clientPortAddress=127.0.0.1', 'tickTime=1000', 'initLimit=10', 'syncLimit=5', 'minSessionTimeout=2000',
      'maxClientCnxns=0', 'admin.enableServer=false', '4lw.commands.whitelist=*', ...peers,
    ]
    const file = join(directory, `zoo-${i + 1}.cfg`)
    writeFileSync(file, `${config.join('\n')}\n`)
    return new ApacheServer(port, file)
  })
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.kill()))
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  }
  try {
    for (const server of servers) server.start()
    await Promise.all(servers.map((server) => server.untilServing()))
  } catch (error) {
    await close()
    throw error
  }
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return { connect: kind === 'chroot' ? `${hosts}/some/where` : hosts, servers, close }
}
