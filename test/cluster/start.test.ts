/** `npm start` and the server scripts, as processes (dist/ is built once for all tests). */
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiKey } from '../../protocol/messages/apis'
import { KafkaConnection } from '../../network/kafka-connection'
import { realEnvironment } from '../../runtime/real'
import type { ChildProcess } from 'node:child_process'
import type { MetadataRequest, MetadataResponse } from '../../protocol/messages/metadata'

const root = join(__dirname, '../..')
const directory = mkdtempSync(join(tmpdir(), 'prekraft-start-'))
const children: ChildProcess[] = []

afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  await Promise.all(children.map(exitOf))
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
})

interface Started {
  child: ChildProcess
  out(): string
  err(): string
}

function start(program: string, args: string[], cwd = directory): Started {
  const child = spawn(process.execPath, [join(root, 'dist', program), ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let out = ''
  let err = ''
  child.stdout!.on('data', (chunk) => (out += chunk))
  child.stderr!.on('data', (chunk) => (err += chunk))
  return { child, out: () => out, err: () => err }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)))
}

async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 20_000,
): Promise<T> {
  const end = Date.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > end) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

interface Ready {
  bootstrap: string[]
  zookeeper: string
  pids: Record<string, number>
}

function ready(started: Started): Promise<Ready> {
  return until('ready', () => {
    if (started.child.exitCode !== null) throw new Error(`ended: ${started.err()}`)
    const match = /^ready bootstrap=(\S+) zookeeper=(\S+) pids=(\S+)\n/m.exec(started.out())
    if (match === null) return undefined
    const pids = Object.fromEntries(match[3]!.split(',').map((pair) => [pair.split(':')[0]!, Number(pair.split(':')[1])]))
    return { bootstrap: match[1]!.split(','), zookeeper: match[2]!, pids }
  })
}

async function metadata(address: string, topic?: string): Promise<MetadataResponse> {
  const [host, port] = address.split(':')
  const connection = new KafkaConnection(realEnvironment(), {
    host: host!,
    port: Number(port),
    clientId: 'test',
    requestTimeoutMs: 10_000,
  })
  await connection.connect()
  try {
    return await connection.send<MetadataRequest, MetadataResponse>(ApiKey.metadata, {
      topics: topic === undefined ? [] : [{ name: topic }],
      allowAutoTopicCreation: true,
    })
  } finally {
    connection.close()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('three brokers: a line for machines, three for people; a death is told; a stop is clean; data are found again', async () => {
  const args = ['--port', '0', '--zookeeper-port', '0', '--data', 'three']
  const first = start('start.js', args)
  const cluster = await ready(first)
  expect(first.out().trim().split('\n')).toHaveLength(4)
  expect(first.out()).toContain('kafka-console-consumer')
  expect(Object.keys(cluster.pids).sort()).toEqual(['0', '1', '2', 'zookeeper'])
  const described = await metadata(cluster.bootstrap[1]!, 'kept')
  expect(described.brokers).toHaveLength(3)
  expect(described.topics[0]!.partitions[0]!.replicaNodes).toHaveLength(3)

  process.kill(cluster.pids['1']!, 'SIGKILL')
  await until('the death is told', () => /broker 1 \(pid \d+\) died with signal SIGKILL; the others go on/.test(first.err()))
  expect(first.err().trim().split('\n').length).toBeLessThanOrEqual(6)

  // It comes back by its own file, and then it is nobody's child.
  const back = start('broker.js', [join(directory, 'three', 'broker-1', 'server.properties')])
  await until('broker 1 is back', async () => (await metadata(cluster.bootstrap[0]!)).brokers.length === 3)

  const asked = Date.now()
  first.child.kill('SIGINT')
  expect(await exitOf(first.child)).toBe(0)
  expect(Date.now() - asked).toBeLessThan(10_000)
  for (const name of ['0', '2', 'zookeeper']) expect(isAlive(cluster.pids[name]!)).toBe(false)
  expect(back.child.exitCode).toBeNull()
  back.child.kill('SIGKILL')
  await exitOf(back.child)

  const second = start('start.js', args)
  const again = await ready(second)
  const found = await metadata(again.bootstrap[0]!, 'kept')
  expect(found.topics[0]!.topicId).toBe(described.topics[0]!.topicId)
  second.child.kill('SIGTERM')
  expect(await exitOf(second.child)).toBe(0)
})

test('a command runs beside a cluster of its own, and its exit code is handed on', async () => {
  const command =
    'node -e "process.stdout.write(process.env.KAFKA_BOOTSTRAP_SERVERS + \' \' + process.env.ZOOKEEPER_CONNECT); process.exit(7)"'
  const run = start('start.js', ['--brokers', '1', '--exec', command])
  expect(await exitOf(run.child)).toBe(7)
  expect(run.out()).toMatch(/^127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+$/)
  expect(existsSync(join(directory, 'data'))).toBe(false)
})

test('what is in the way is said in a sentence, exit code 1', async () => {
  const fails = async (args: string[], words: string | RegExp): Promise<void> => {
    const run = start('start.js', args)
    expect(await exitOf(run.child)).toBe(1)
    expect(run.err()).toMatch(words)
    expect(run.err()).not.toMatch(/\n\s+at /)
  }
  const server = createServer()
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
  await fails(
    ['--brokers', '1', '--port', String(port), '--zookeeper-port', '0', '--data', 'p'],
    `Port 127.0.0.1:${port} is in use`,
  )
  await fails(['--brokers', '1', '--port', '0', '--zookeeper-port', String(port), '--data', 'p'], '--zookeeper-port')
  server.close()
  writeFileSync(join(directory, 'file'), '')
  await fails(['--data', 'file', '--port', '0', '--zookeeper-port', '0'], 'is not a directory')
  await fails(['--brokers', 'x'], 'from 1 to 100')
  await fails(
    ['--brokers', '1', '--port', '0', '--zookeeper-port', '0', '--data', 'q', '--override', 'log.segment.bytes=small'],
    /broker 0 cannot start: .*log\.segment\.bytes/,
  )
  // Nothing is left behind.
  expect(existsSync(join(directory, 'q', 'zookeeper', 'data'))).toBe(true)
})

test('the scripts resolve symlinks, and say their usage', async () => {
  const link = join(directory, 'kafka-server-start')
  symlinkSync(join(root, 'bin', 'kafka-server-start.sh'), link)
  const run = (file: string, args: string[]): Promise<{ code: number; err: string }> =>
    new Promise((resolve) =>
      execFile(file, args, (error, _, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, err })),
    )
  expect(await run(link, [])).toEqual({
    code: 1,
    err: `USAGE: ${link} [-daemon] server.properties [--override property=value]*\n`,
  })
  expect((await run(link, ['/no/such/file'])).err).toBe('/no/such/file cannot be read (ENOENT).\n')
  const properties = join(directory, 'wrong.properties')
  writeFileSync(properties, 'zookeeper.connect=127.0.0.1:1\nbroker.id=many\n')
  expect(await run(link, [properties])).toMatchObject({ code: 1, err: expect.stringContaining('broker.id') })
  writeFileSync(
    properties,
    `zookeeper.connect=127.0.0.1:1\nzookeeper.connection.timeout.ms=300\nlog.dirs=${join(directory, 'l')}\n`,
  )
  const unreachable = await run(link, [properties, '--override', 'broker.id=4'])
  expect(unreachable.code).toBe(1)
  expect(unreachable.err.trim().split('\n')).toHaveLength(1)
  expect((await run(join(root, 'bin', 'zookeeper-server-start.sh'), [])).code).toBe(1)
  expect(readFileSync(join(root, 'bin', 'kafka-server-stop.sh'), 'utf8')).toContain('No kafka server to stop')
})

test('a server that loses its terminal stops in order; under nohup, and as a daemon, it goes on', async () => {
  const script = join(root, 'bin', 'zookeeper-server-start.sh')
  const started = async (name: string, command: string, ...args: string[]): Promise<ChildProcess> => {
    const properties = join(directory, `${name}.properties`)
    writeFileSync(properties, `dataDir=${join(directory, name)}\nclientPort=0\nclientPortAddress=127.0.0.1\n`)
    const child = spawn(command, [...args, properties], { stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    let out = ''
    child.stdout.on('data', (text) => (out += String(text)))
    await until('ZooKeeper listens', () => out.includes('ZooKeeper is listening'))
    return child
  }
  const plain = await started('plain', script)
  // The kernel tells of it as well as the shell.
  plain.kill('SIGHUP')
  plain.kill('SIGHUP')
  expect(await exitOf(plain)).toBe(0)
  const kept = await started('kept', 'nohup', script)
  kept.kill('SIGHUP')
  kept.kill('SIGTERM')
  expect(await exitOf(kept)).toBe(0)
  expect(readFileSync(script, 'utf8')).toContain('PREKRAFT_NOHUP=yes nohup node')
})

test('a cluster for tests ends with its program, also with data that stay', async () => {
  const options = JSON.stringify({ brokers: 1, dataDir: join(directory, 'tied') })
  const program = `require(${JSON.stringify(join(root, 'dist'))}).startCluster(${options}).then((c) => console.log('pids', c.pid(0), c.zookeeperPid))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let out = ''
  child.stdout.on('data', (text) => (out += String(text)))
  const [, broker, zookeeper] = await until('it is ready', () => /^pids (\d+) (\d+)$/m.exec(out) ?? undefined)
  child.kill('SIGKILL')
  for (const pid of [Number(broker), Number(zookeeper)]) {
    await until('its processes are over', () => {
      try {
        return !process.kill(pid, 0)
      } catch {
        return true
      }
    })
  }
})
