import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OpCode } from '../../zookeeper/protocol'
import { RawClient } from './raw-client'
import { OPEN, writeAclSpec } from './transcript'

const PROGRAM = join(__dirname, '../../dist/zookeeper.js')

let directory: string
const running = new Set<ChildProcess>()

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zookeeper-process-'))
})

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...running].map(ended))
  rmSync(directory, { recursive: true, force: true })
})

interface Ending {
  code: number | null
  errors: string
}

const endings = new WeakMap<ChildProcess, Promise<Ending>>()

function ended(child: ChildProcess): Promise<Ending> {
  return endings.get(child)!
}

function launch(config: Record<string, string | number>): { child: ChildProcess; port: Promise<number> } {
  const file = join(directory, `${Math.random()}.properties`)
  writeFileSync(
    file,
    Object.entries({ clientPortAddress: '127.0.0.1', clientPort: 0, ...config })
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  return launchWith([file])
}

function launchWith(parameters: string[]): { child: ChildProcess; port: Promise<number> } {
  const child = spawn(process.execPath, [PROGRAM, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  let errors = ''
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const port = new Promise<number>((resolve) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      for (const line of output.split('\n').slice(0, -1)) {
        const { msg, port } = JSON.parse(line) as { msg: string; port?: number }
        if (msg === 'ZooKeeper is listening') resolve(port!)
      }
    })
  })
  endings.set(
    child,
    new Promise((resolve) =>
      child.once('close', (code) => {
        running.delete(child)
        resolve({ code, errors })
      }),
    ),
  )
  return { child, port }
}

function create(client: RawClient, path: string, flags = 0): Promise<{ code: number } | undefined> {
  return client.request(OpCode.create, (writer) => {
    writer.writeString(path)
    writer.writeBuffer(Buffer.from('data'))
    writeAclSpec(writer, OPEN)
    writer.writeInt(flags)
  })
}

async function codeOf(client: RawClient, path: string): Promise<number | undefined> {
  const reply = await client.request(OpCode.exists, (writer) => {
    writer.writeString(path)
    writer.writeBool(false)
  })
  return reply?.code
}

test('what was answered is there after kill -9, and the session goes on', async () => {
  const dataDir = join(directory, 'data')
  const first = launch({ dataDir })
  const client = await RawClient.start(await first.port, 20_000)
  const { sessionId, password } = client.session!
  await create(client, '/kept')
  await create(client, '/ephemeral', 1)
  // Many that are under way when it dies: those that were answered must be there.
  let answered = 0
  for (let i = 0; i < 2000; i++) void create(client, `/kept/n${i}`).then((reply) => reply?.code === 0 && answered++)
  while (answered < 500) await new Promise((resolve) => setImmediate(resolve))
  first.child.kill('SIGKILL')
  await ended(first.child)
  await client.closed
  const second = launch({ dataDir })
  const again = await RawClient.open(await second.port)
  expect(await again.handshake({ sessionId, password, timeoutMs: 20_000 })).toMatchObject({ sessionId, password })
  expect(await codeOf(again, '/ephemeral')).toBe(0)
  for (let i = 0; i < answered; i++)
    if ((await codeOf(again, `/kept/n${i}`)) !== 0) throw new Error(`/kept/n${i} of ${answered} is gone`)
  await again.endSession()
  const other = await RawClient.start(await second.port)
  expect(await codeOf(other, '/ephemeral')).toBe(-101)
  second.child.kill('SIGTERM')
  expect(await ended(second.child)).toEqual({ code: 0, errors: '' })
})

test('SIGTERM while clients write: clean, and nothing answered is lost', async () => {
  const dataDir = join(directory, 'data')
  const first = launch({ dataDir, snapCount: 100 })
  const client = await RawClient.start(await first.port, 20_000)
  let answered = 0
  for (let i = 0; i < 3000; i++) void create(client, `/n${i}`).then((reply) => reply?.code === 0 && answered++)
  while (answered < 1000) await new Promise((resolve) => setImmediate(resolve))
  first.child.kill('SIGTERM')
  expect((await ended(first.child)).code).toBe(0)
  await client.closed
  expect(readdirSync(join(dataDir, 'version-2')).filter((name) => name.startsWith('snapshot')).length).toBeLessThanOrEqual(4)
  const second = launch({ dataDir })
  const other = await RawClient.start(await second.port)
  for (let i = 0; i < answered; i++) if ((await codeOf(other, `/n${i}`)) !== 0) throw new Error(`/n${i} of ${answered} is gone`)
})

describe('a server that cannot start says why in one sentence', () => {
  async function sentence(config: Record<string, string | number>): Promise<string> {
    const { child } = launch(config)
    const { code, errors } = await ended(child)
    expect(code).toBe(1)
    expect(errors.trim().split('\n')).toHaveLength(1)
    return errors
      .trim()
      .replaceAll(directory, 'DIR')
      .replace(/0\.\d+\.properties/, 'FILE')
  }

  test('the port is in use', async () => {
    const other: Server = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    expect(await sentence({ dataDir: join(directory, 'data'), clientPort: port })).toBe(
      `Port 127.0.0.1:${port} is in use: stop what listens there, or set another clientPort.`,
    )
    other.close()
  })

  test('the directory holds something else', async () => {
    mkdirSync(join(directory, 'logs'))
    writeFileSync(join(directory, 'logs/meta.properties'), '')
    expect(await sentence({ dataDir: join(directory, 'logs') })).toBe(
      'DIR/logs holds something else (meta.properties): set dataDir to an empty directory, or to one of a ZooKeeper.',
    )
  })

  test('the directory cannot be made', async () => {
    writeFileSync(join(directory, 'file'), '')
    expect(await sentence({ dataDir: join(directory, 'file') })).toBe('DIR/file is a file: set dataDir to a directory.')
  })

  test('another server uses the directory', async () => {
    const dataDir = join(directory, 'data')
    await launch({ dataDir }).port
    if (process.platform === 'linux') expect(await sentence({ dataDir })).toBe('Another ZooKeeper is using DIR/data.')
  })

  test('the log is damaged', async () => {
    const dataDir = join(directory, 'data')
    const first = launch({ dataDir })
    const client = await RawClient.start(await first.port)
    for (let i = 0; i < 20; i++) await create(client, `/n${i}`)
    first.child.kill('SIGKILL')
    await ended(first.child)
    const second = launch({ dataDir })
    await create(await RawClient.start(await second.port), '/later')
    second.child.kill('SIGKILL')
    await ended(second.child)
    const log = join(dataDir, 'version-2/log.1')
    const bytes = readFileSync(log)
    bytes[400]! ^= 1
    writeFileSync(log, bytes)
    expect(await sentence({ dataDir })).toMatch(
      /^Transactions 0x5 to 0x15 are missing in front of those in DIR.*\(.*log\.1 is damaged at byte \d+\): restore/,
    )
  })

  test('a key is wrong', async () => {
    expect(await sentence({ dataDir: directory, tickTime: 'fast' })).toBe(
      'DIR/FILE: tickTime=fast is wrong: it takes a whole number from 1 to 2147483647.',
    )
    expect(await sentence({ 'server.1': 'a:1:2', 'server.2': 'b:1:2', dataDir: directory })).toMatch(/stands alone/)
    expect(await sentence({ clientPort: 0 })).toMatch(/dataDir is not set/)
  })

  test('no file', async () => {
    expect((await ended(launchWith([]).child)).errors).toBe('Usage: zookeeper <zookeeper.properties>\n')
    expect((await ended(launchWith(['/nowhere.properties']).child)).errors).toBe('/nowhere.properties cannot be read (ENOENT).\n')
  })
})
