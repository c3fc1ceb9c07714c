/** The tools as a user types them, on a cluster of two brokers, and what the watch says of it. */
import { execFile, spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { startCluster } from '../../index'
import type { TestCluster } from '../../index'

const ROOT = resolve(__dirname, '../..')
let cluster: TestCluster
let server: readonly string[]

interface Output {
  code: number
  out: string
  err: string
}

function run(tool: string, args: readonly string[], input = ''): Promise<Output> {
  return new Promise((done) => {
    const child = execFile(join(ROOT, 'bin', `${tool}.sh`), args, (error, out, err) =>
      done({ code: error === null ? 0 : Number(error.code), out, err }),
    )
    child.stdin?.end(input)
  })
}

const topics = (...args: string[]) => run('kafka-topics', [...server, ...args])
const produce = (input: string, ...args: string[]) => run('kafka-console-producer', [...server, ...args], input)
const consume = (...args: string[]) => run('kafka-console-consumer', [...server, ...args])
const ok = (out: string): Output => ({ code: 0, out, err: '' })

beforeAll(async () => {
  cluster = await startCluster({ brokers: 2, firstBrokerId: 1 })
  server = ['--bootstrap-server', cluster.bootstrapServers]
}, 60_000)
afterAll(() => cluster.close(), 30_000)

test('kafka-topics', async () => {
  expect(
    await topics('--create', '--topic', 'orders', '--replica-assignment', '1:2,2:1', '--config', 'retention.ms=1000'),
  ).toEqual(ok('Created topic orders.\n'))
  const warning = /^WARNING: Due to limitations in metric names, .*\nCreated topic a\.b\.\n$/
  expect((await topics('--create', '--topic', 'a.b', '--replication-factor', '1')).out).toMatch(warning)
  expect(await topics('--create', '--topic', 'orders', '--if-not-exists')).toEqual(ok(''))
  expect(await topics('--create', '--topic', 'orders')).toMatchObject({
    code: 1,
    out: "Error while executing topic command : Topic 'orders' already exists.\n",
  })
  expect(await topics('--list')).toEqual(ok('a.b\norders\n'))
  const { out } = await topics('--describe', '--topic', 'orders')
  expect(out.replace(/TopicId: [\w-]{22}/, 'TopicId: ID')).toBe(
    [
      'Topic: orders\tTopicId: ID\tPartitionCount: 2\tReplicationFactor: 2\tConfigs: retention.ms=1000',
      '\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1,2\tIsr: 1,2\tElr: N/A\tLastKnownElr: N/A',
      '\tTopic: orders\tPartition: 1\tLeader: 2\tReplicas: 2,1\tIsr: 2,1\tElr: N/A\tLastKnownElr: N/A',
      '',
    ].join('\n'),
  )
  expect(await topics('--alter', '--topic', 'a.b', '--partitions', '2')).toEqual(ok(''))
  expect(await topics('--alter', '--topic', 'a.b', '--partitions', '2')).toMatchObject({ code: 1 })
  expect(await topics('--describe', '--topic', 'nope')).toMatchObject({
    code: 1,
    out: "Error while executing topic command : Topic 'Optional[nope]' does not exist as expected\n",
  })
  expect(await topics('--delete', '--topic', 'a.b')).toEqual(ok(''))
  expect(await topics('--nosuch')).toEqual({ code: 1, out: '', err: 'nosuch is not a recognized option\n' })
  const missing = await topics('--create')
  expect([missing.code, missing.err.split('\n', 2)]).toEqual([
    1,
    ['Missing required argument "[topic]"', expect.stringMatching(/^Option {2,}Description *$/)],
  ])
})

test('kafka-topics on ZooKeeper', async () => {
  const zookeeper = ['--zookeeper', cluster.zookeeperConnect]
  const byZooKeeper = (...args: string[]) => run('kafka-topics', [...zookeeper, ...args])
  expect(await byZooKeeper('--create', '--topic', 'old', '--partitions', '1', '--replication-factor', '2')).toEqual(
    ok('Created topic old.\n'),
  )
  const altered = await byZooKeeper('--alter', '--topic', 'old', '--partitions', '2')
  expect(altered.out).toMatch(/^WARNING: If partitions are increased .*\nAdding partitions succeeded!\n$/)
  await cluster.waitUntilHealthy()
  expect((await byZooKeeper('--list')).out.split('\n')).toEqual(expect.arrayContaining(['old', 'orders']))
  expect((await byZooKeeper('--delete', '--topic', 'old')).out).toBe(
    'Topic old is marked for deletion.\nNote: This will have no impact if delete.topic.enable is not set to true.\n',
  )
})

test('the console, and what lies in the log', async () => {
  const keyed = ['--topic', 'orders', '--property', 'parse.key=true', '--property', 'key.separator=:']
  expect(await produce('k1:v1\nk2:v2\n', ...keyed, '--compression-codec', 'zstd', '--sync')).toEqual(ok(''))
  expect(await produce('nokey\n', ...keyed)).toEqual({
    code: 1,
    out: '',
    err: "No key separator found on line number 1: 'nokey'\n",
  })
  const shown = ['--property', 'print.key=true', '--property', 'print.partition=true', '--property', 'print.offset=true']
  const read = await consume('--topic', 'orders', '--from-beginning', '--max-messages', '2', ...shown)
  expect([read.code, read.err]).toEqual([0, 'Processed a total of 2 messages\n'])
  const lines = read.out.trimEnd().split('\n').sort()
  expect(lines).toEqual(
    ['Partition:0\tOffset:0\tk1\tv1', 'Partition:0\tOffset:1\tk2\tv2'].map((line) =>
      expect.stringMatching(line.replace(/\d/g, '\\d')),
    ),
  )
  const one = lines[0]!.split(':')[1]![0]!
  expect(await consume('--topic', 'orders', '--partition', one, '--offset', '0', '--max-messages', '1')).toMatchObject({
    out: expect.stringMatching(/^v\d\n$/) as string,
  })
  expect(await consume('--topic', 'orders', '--timeout-ms', '300')).toMatchObject({ code: 0, out: '' })
  const log = join(cluster.logDir(1), `orders-${one}`, '00000000000000000000.log')
  const dumped = await run('kafka-dump-log', ['--print-data-log', '--files', log])
  expect(dumped.out.split('\n').slice(0, 2)).toEqual([`Dumping ${log}`, 'Log starting offset: 0'])
  expect(dumped.out).toMatch(
    /^baseOffset: 0 lastOffset: 0 count: 1 baseSequence: 0 .* compresscodec: zstd crc: \d+ isvalid: true$/m,
  )
  expect(dumped.out).toMatch(
    /^\| offset: 0 CreateTime: \d+ keySize: 2 valueSize: 2 sequence: 0 headerKeys: \[\] key: k\d payload: v\d$/m,
  )
  // What comes before a file that cannot be read is shown.
  const halfway = await run('kafka-dump-log', ['--files', `${log},/no/such/${'0'.repeat(20)}.log`])
  expect(halfway).toMatchObject({ code: 1, out: expect.stringMatching(/^baseOffset: 0 .* isvalid: true$/m) as string })
})

test('the console consumer leaves its group, and commits what was shown, when its reader goes away', async () => {
  const many = 20_000
  await topics('--create', '--topic', 'many', '--partitions', '1')
  await produce(`${'x'.repeat(100)}\n`.repeat(many), '--topic', 'many')
  const consumer = [...server, '--topic', 'many', '--group', 'leavers', '--from-beginning']
  const child = spawn(join(ROOT, 'bin/kafka-console-consumer.sh'), consumer, { stdio: ['ignore', 'pipe', 'pipe'] })
  let err = ''
  child.stderr.on('data', (text) => (err += String(text)))
  child.stdout.once('data', () => child.stdout.destroy())
  expect(await new Promise((done) => child.once('close', done))).toBe(0)
  const count = Number(/^Unable to write to standard out, closing consumer\.\nProcessed a total of (\d+) messages\n$/.exec(err)?.[1])
  expect(count).toBeLessThan(many)
  const described = await run('kafka-consumer-groups', [...server, '--describe', '--group', 'leavers'])
  expect(described.err).toBe("\nConsumer group 'leavers' has no active members.\n")
  expect(described.out).toMatch(new RegExp(`^leavers +many +0 +${count} +${many} `, 'm'))
})

test('kafka-get-offsets and kafka-broker-api-versions', async () => {
  const { out } = await run('kafka-get-offsets', [...server, '--topic', 'orders'])
  expect(out).toMatch(/^orders:0:\d\norders:1:\d\n$/)
  expect((await run('kafka-get-offsets', [...server, '--topic', 'orders', '--time', 'earliest'])).out).toBe(
    'orders:0:0\norders:1:0\n',
  )
  expect(await run('kafka-get-offsets', [...server, '--topic', 'nope'])).toEqual({
    code: 1,
    out: '',
    err: 'Error occurred: Could not match any topic-partitions with the specified filters\n',
  })
  const versions = await run('kafka-broker-api-versions', server)
  expect(versions.out.match(/^127\.0\.0\.1:\d+ \(id: [12] rack: null\) -> \($/gm)).toHaveLength(2)
  expect(versions.out).toMatch(/^\tProduce\(0\): 0 to 11 \[usable: 11\],$/m)
})

test('zookeeper-shell', async () => {
  const shell = await run('zookeeper-shell', [cluster.zookeeperConnect, 'ls', '/brokers/ids'])
  expect(shell).toEqual(
    ok(
      `Connecting to ${cluster.zookeeperConnect}\n\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n[1, 2]\n`,
    ),
  )
  const spoken = await run('zookeeper-shell', [cluster.zookeeperConnect], 'get /controller_epoch\nget /nope\nquit\n')
  expect([spoken.code, spoken.err]).toEqual([1, 'Node does not exist: /nope\n'])
  expect(spoken.out.split('\n').slice(0, 3)).toEqual([
    `Connecting to ${cluster.zookeeperConnect}`,
    'Welcome to ZooKeeper!',
    'JLine support is disabled',
  ])
  expect(spoken.out).toContain('\n1\n')
})

test('prekraft-watch tells a failover in order, the last words of the dead included', async () => {
  await cluster.waitUntilHealthy()
  const watch = spawn(join(ROOT, 'bin/prekraft-watch.sh'), ['--data', cluster.dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  watch.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const lineWith = (...parts: RegExp[]) => text.split('\n').findIndex((line) => parts.every((part) => part.test(line)))
  const told = (...parts: RegExp[]) =>
    cluster.until(`the watch tells ${parts.join(' ')}`, 20_000, () => Promise.resolve(lineWith(...parts) >= 0))
  try {
    await told(/zookeeper/, /watching ZooKeeper/)
    const controller = await cluster.controllerId()
    const other = 3 - controller
    await cluster.kill(controller)
    const dead = new RegExp(`broker-${controller}`)
    const heir = new RegExp(`broker-${other}`)
    const inOrder: RegExp[][] = [
      [dead, /gone: what stands above are its last words/],
      [heir, /election/, new RegExp(`won by broker ${other} epoch 2`)],
      [heir, /wrote/, /\/brokers\/topics\/orders\/partitions\/\d\/state/, new RegExp(`leader=${other} .*isr=\\[${other}\\]`)],
      [heir, /request/, /LeaderAndIsr/, new RegExp(`received from ${other}`)],
      [heir, /state/, new RegExp(`orders-\\d on ${other}`), /follower -> leader/],
    ]
    for (const line of inOrder) await told(...line)
    const places = inOrder.map((line) => lineWith(...line))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    await told(/zookeeper/, new RegExp(`/brokers/ids/${controller} +deleted`))
    const memory = await run('prekraft-watch', ['--data', cluster.dataDir, '--snapshot'])
    expect((JSON.parse(memory.out) as { controllerEpoch: number }).controllerEpoch).toBe(2)
    await cluster.start(controller)
    await told(dead, /life/, /starting/)
    await told(dead, /life/, /started/)
    await told(/isr/, /orders/, /committed/, /caught up|expand/)
  } finally {
    watch.kill('SIGINT')
  }
  await new Promise((done) => watch.once('exit', done))
  expect(watch.exitCode).toBe(0)
}, 60_000)
