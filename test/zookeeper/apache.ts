import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

export interface ApacheZooKeeper {
  port: number
  dataDir: string
  /** kill -9; the data stay. */
  kill(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

/** Jars of Apache ZooKeeper here: $PREKRAFT_ZOOKEEPER_CLASSPATH, those of Kafka's test cluster, or Debian's package. */
export function apacheClasspath(): string | undefined {
  const given = process.env.PREKRAFT_ZOOKEEPER_CLASSPATH
  if (given !== undefined) return given
  const cache = join(homedir(), '.cache')
  const kafka = existsSync(cache) ? readdirSync(cache).find((name) => name.startsWith('apache-kafka-3.9')) : undefined
  if (kafka !== undefined) return `${cache}/${kafka}/*`
  return existsSync('/usr/share/java/zookeeper.jar') ? '/usr/share/java/*' : undefined
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.write('srvr'))
    socket.once('data', (chunk) => {
      socket.destroy()
      resolve(chunk.toString().startsWith('Zookeeper version'))
    })
    socket.once('close', () => resolve(false))
  })
}

/** Starts one standalone server; `properties` are Java system properties. */
export async function startApacheZooKeeper(
  port: number,
  options: { properties?: Record<string, string>; config?: Record<string, string | number>; dataDir?: string } = {},
): Promise<ApacheZooKeeper> {
  const classpath = apacheClasspath()
  if (classpath === undefined) throw new Error('no Apache ZooKeeper on this machine')
  const directory = mkdtempSync(join(tmpdir(), 'apache-zookeeper-'))
  const dataDir = options.dataDir ?? join(directory, 'data')
  const config = {
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    dataDir,
    '4lw.commands.whitelist': '*',
    'admin.enableServer': 'false',
    ...options.config,
  }
  const file = join(directory, 'zoo.cfg')
  writeFileSync(
    file,
    Object.entries(config)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  const properties = Object.entries(options.properties ?? {}).map(([key, value]) => `-D${key}=${value}`)
  const java = spawn(
    'java',
    ['-Xmx256m', ...properties, '-cp', classpath, 'org.apache.zookeeper.server.ZooKeeperServerMain', file],
    { stdio: 'ignore' },
  )
  const exited = new Promise<void>((resolve) => java.once('exit', () => resolve()))
  const kill = async (): Promise<void> => {
    java.kill('SIGKILL')
    await exited
  }
  const deadline = Date.now() + 30_000
  while (!(await answers(port))) {
    if (Date.now() > deadline || java.exitCode !== null) {
      await kill()
      throw new Error(`Apache ZooKeeper did not start (exit code ${java.exitCode})`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    port,
    dataDir,
    kill,
    async stop() {
      await kill()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
