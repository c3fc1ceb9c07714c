import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { realEnvironment } from '../../runtime/real'
import { startZooKeeperServer } from '../../zookeeper/server'
import type { RunningZooKeeperServer } from '../../zookeeper/server'

type Done = (error: Error | null, ...results: never[]) => void

interface Transaction {
  create(path: string, data?: Buffer): Transaction
  setData(path: string, data: Buffer, version: number): Transaction
  remove(path: string, version?: number): Transaction
  commit(done: Done): void
}

/** What is used of the package here; it has no types of its own. */
interface Client {
  connect(): void
  close(): void
  once(event: 'connected', listener: () => void): void
  create(path: string, ...rest: (Buffer | number | Done)[]): void
  remove(path: string, ...rest: (number | Done)[]): void
  getChildren(path: string, done: Done): void
  exists(path: string, watcherOrDone: Done | ((event: { getName(): string }) => void), done?: Done): void
  transaction(): Transaction
}

interface Package {
  createClient(servers: string, options: { sessionTimeout: number; retries: number }): Client
  CreateMode: Record<'EPHEMERAL' | 'EPHEMERAL_SEQUENTIAL' | 'PERSISTENT_SEQUENTIAL', number>
  Exception: Record<'BAD_VERSION' | 'NODE_EXISTS' | 'NO_NODE', number>
}

const { createClient, CreateMode, Exception } = require('node-zookeeper-client') as Package

let server: RunningZooKeeperServer

beforeAll(async () => {
  server = await startZooKeeperServer(realEnvironment(), { tickTimeMs: 1000 })
})

afterAll(() => server.close())

function hasKazoo(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import kazoo'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('kazoo: nodes, transactions, watches, ACLs, recipes', async () => {
  if (!hasKazoo()) {
    process.stderr.write('python3-kazoo is not installed: its test is skipped\n')
    return
  }
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      '/usr/bin/python3',
      [join(__dirname, 'kazoo_client.py'), String(server.port)],
      { timeout: 25_000 },
      (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(stderr))),
    )
  })
  expect(output.trim().split('\n')).toEqual([
    'nodes and transactions',
    'watches',
    'access control',
    'recipes',
    'the end of a session',
  ])
})

function connected(): Promise<Client> {
  return new Promise((resolve) => {
    const client = createClient(`127.0.0.1:${server.port}`, { sessionTimeout: 5000, retries: 0 })
    client.once('connected', () => resolve(client))
    client.connect()
  })
}

/** A call of node-zookeeper-client as a promise of its results. */
function call<T extends unknown[]>(start: (done: Done) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    start((error, ...results) => (error ? reject(error) : resolve(results as unknown as T))),
  )
}

describe('node-zookeeper-client', () => {
  let client: Client

  beforeEach(async () => {
    client = await connected()
  })

  afterEach(() => client.close())

  test('creates, reads, changes and deletes', async () => {
    const [path] = await call<[string]>((done) => client.create('/nzc', Buffer.from('x'), done))
    expect(path).toBe('/nzc')
    const [sequential] = await call<[string]>((done) =>
      client.create('/nzc/s-', Buffer.from('x'), CreateMode.EPHEMERAL_SEQUENTIAL, done),
    )
    expect(sequential).toBe('/nzc/s-0000000000')
    const [names] = await call<[string[]]>((done) => client.getChildren('/nzc', done))
    expect(names).toEqual(['s-0000000000'])
    await expect(call((done) => client.remove('/nzc', 7, done))).rejects.toMatchObject({ code: Exception.BAD_VERSION })
    await expect(call((done) => client.create('/nzc', done))).rejects.toMatchObject({ code: Exception.NODE_EXISTS })
    await call((done) => client.remove(sequential, done))
    await call((done) => client.remove('/nzc', done))
  })

  test('many requests at once are answered in order', async () => {
    await call((done) => client.create('/many', done))
    const paths = await Promise.all(
      Array.from({ length: 500 }, () =>
        call<[string]>((done) => client.create('/many/n-', Buffer.alloc(100), CreateMode.PERSISTENT_SEQUENTIAL, done)),
      ),
    )
    expect(paths.map(([path]) => path)).toEqual(paths.map((_, index) => `/many/n-${String(index).padStart(10, '0')}`))
  })

  test('transactions are all or nothing', async () => {
    const [x, y] = [Buffer.from('x'), Buffer.from('y')]
    const transaction = client.transaction().create('/tx').create('/tx/a', x).setData('/tx/a', y, -1).remove('/tx/a', 1)
    const [results] = await call<[unknown[]]>((done) => transaction.commit(done))
    expect(results).toHaveLength(4)
    await expect(call((done) => client.transaction().create('/tx/b').remove('/tx/nix').commit(done))).rejects.toMatchObject({
      code: Exception.NO_NODE,
    })
    const [stat] = await call<[unknown]>((done) => client.exists('/tx/b', done))
    expect(stat).toBeNull()
  })

  test("a watcher hears of another session's end", async () => {
    const other = await connected()
    await call((done) => other.create('/ephemeral', Buffer.alloc(0), CreateMode.EPHEMERAL, done))
    const event = new Promise<{ getName(): string }>((resolve) => {
      client.exists('/ephemeral', resolve, () => other.close())
    })
    expect((await event).getName()).toBe('NODE_DELETED')
  })
})
