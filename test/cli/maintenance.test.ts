/** What operators type while brokers run: configurations that change at once, moves, elections; two brokers as processes. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Admin, Producer, startCluster } from '../../index'
import type { TestCluster } from '../../index'

const ROOT = resolve(__dirname, '../..')
const directory = mkdtempSync(join(tmpdir(), 'prekraft-maintenance-'))
let cluster: TestCluster
let admin: Admin

interface Output {
  code: number
  out: string
  err: string
}

function run(tool: string, ...args: string[]): Promise<Output> {
  return new Promise((done) => {
    const all = ['--bootstrap-server', cluster.bootstrapServers, ...args]
    execFile(join(ROOT, 'bin', `${tool}.sh`), all, (error, out, err) => done({ code: error === null ? 0 : Number(error.code), out, err }))
  })
}

const configs = (...args: string[]): Promise<Output> => run('kafka-configs', ...args)
const ok = (out: string): Output => ({ code: 0, out, err: '' })

function file(name: string, content: object): string {
  const path = join(directory, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

async function produce(topic: string, bytes: number, count = 1): Promise<void> {
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, acks: 'all' })
  try {
    await Promise.all(Array.from({ length: count }, () => producer.send({ topic, partition: 0, value: Buffer.alloc(bytes, 1) })))
  } finally {
    await producer.close()
  }
}

beforeAll(async () => {
  cluster = await startCluster({ brokers: 2, firstBrokerId: 1 })
  admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  await admin.createTopics([{ name: 'ledger', assignments: [[1], [2]] }])
}, 60_000)

afterAll(async () => {
  await admin?.close()
  await cluster?.close()
  rmSync(directory, { recursive: true, force: true })
}, 30_000)

test('a limit for all brokers holds at once, one of a broker before it, and both after a restart', async () => {
  await produce('ledger', 2000)
  expect(await configs('--broker-defaults', '--alter', '--add-config', 'message.max.bytes=1000')).toEqual(
    ok('Completed updating default config for brokers in the cluster.\n'),
  )
  await cluster.until('the limit holds', 10_000, () => produce('ledger', 2000).then(() => false, () => true))
  expect(await configs('--broker', '1', '--alter', '--add-config', 'message.max.bytes=5000')).toEqual(
    ok('Completed updating config for broker 1.\n'),
  )
  await produce('ledger', 2000)
  await cluster.restart(1)
  await cluster.waitUntilHealthy()
  expect((await configs('--broker', '1', '--describe')).out).toBe(
    'Dynamic configs for broker 1 are:\n  message.max.bytes=5000 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:message.max.bytes=5000, ' +
      'DYNAMIC_DEFAULT_BROKER_CONFIG:message.max.bytes=1000, DEFAULT_CONFIG:message.max.bytes=1048588}\n',
  )
  await produce('ledger', 2000)
  await expect(produce('ledger', 8000)).rejects.toThrow()
  await configs('--broker', '1', '--alter', '--delete-config', 'message.max.bytes')
  await configs('--broker-defaults', '--alter', '--delete-config', 'message.max.bytes')
  await produce('ledger', 8000)
}, 60_000)

test('what cannot be changed is refused, and nothing is written', async () => {
  const { code, err } = await configs('--broker', '2', '--alter', '--add-config', 'num.partitions=3')
  expect([code, err.split('\n')[1]]).toEqual([
    1, 'org.apache.kafka.common.errors.InvalidRequestException: Cannot update these configs dynamically: Set(num.partitions)',
  ])
  expect((await configs('--broker', '2', '--alter', '--add-config', 'num.io.threads=100')).code).toBe(1)
  expect((await configs('--broker', '2', '--describe')).out).toBe('Dynamic configs for broker 2 are:\n')
})

test('another listener, and away with it', async () => {
  const port = cluster.port(2)
  const registered = async (): Promise<string[]> => {
    const node = await cluster.zookeeper((session) => session.get('/brokers/ids/2'))
    return (JSON.parse(String(node?.data)) as { endpoints: string[] }).endpoints.map((each) => each.split(':')[0]!)
  }
  const added = `listeners=[PLAINTEXT://127.0.0.1:${port},EXTRA://127.0.0.1:0],listener.security.protocol.map=[PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT]`
  expect(await configs('--broker', '2', '--alter', '--add-config', added)).toEqual(ok('Completed updating config for broker 2.\n'))
  await cluster.until('it is registered', 10_000, async () => (await registered()).includes('EXTRA'))
  expect((await configs('--broker', '2', '--alter', '--delete-config', 'listeners,listener.security.protocol.map')).code).toBe(0)
  await cluster.until('it is gone', 10_000, async () => !(await registered()).includes('EXTRA'))
  expect(await registered()).toEqual(['PLAINTEXT'])
}, 30_000)

test('levels of loggers', async () => {
  expect(await configs('--broker-logger', '2', '--alter', '--add-config', 'kafka.log=WARN')).toEqual(
    ok('Completed updating config for broker-logger 2.\n'),
  )
  const { out } = await configs('--broker-logger', '2', '--describe')
  expect(out).toContain('\n  kafka.log=WARN sensitive=false synonyms={}\n')
  expect(out).toContain('\n  root=')
  expect((await configs('--broker-logger', '2', '--alter', '--add-config', 'no.such=WARN')).err).toBe('Invalid broker logger(s): no.such\n')
})

test('a throttled move takes its time, and leaves nothing behind', async () => {
  await produce('ledger', 10_000, 200)
  const plan = file('move.json', { version: 1, partitions: [{ topic: 'ledger', partition: 0, replicas: [2] }] })
  const startMs = Date.now()
  const started = await run('kafka-reassign-partitions', '--execute', '--reassignment-json-file', plan, '--throttle', '1000000')
  expect(started.out).toMatch(/The inter-broker throttle limit was set to 1000000 B\/s\nSuccessfully started partition reassignment for ledger-0\n$/)
  expect((await configs('--broker', '2', '--describe')).out).toContain('follower.replication.throttled.rate=1000000')
  expect((await configs('--topic', 'ledger', '--describe')).out).toContain('  leader.replication.throttled.replicas=0:1 ')
  let verified = ''
  await cluster.until('the move is over', 30_000, async () => {
    verified = (await run('kafka-reassign-partitions', '--verify', '--reassignment-json-file', plan)).out
    return verified.includes('is completed')
  })
  expect(Date.now() - startMs).toBeGreaterThan(900)
  expect(verified).toContain('Clearing broker-level throttles on brokers 1,2\nClearing topic-level throttles on topic ledger\n')
  expect((await configs('--broker', '2', '--describe')).out).toBe('Dynamic configs for broker 2 are:\n')
  expect((await configs('--topic', 'ledger', '--describe')).out).toBe('Dynamic configs for topic ledger are:\n')
  expect(await run('kafka-reassign-partitions', '--list')).toEqual(ok('No partition reassignments found.\n'))
}, 60_000)

test('elections, deletions, log directories, the cluster', async () => {
  expect(await run('kafka-leader-election', '--election-type', 'preferred', '--topic', 'ledger', '--partition', '0')).toEqual(
    ok('Valid replica already elected for partitions ledger-0\n'),
  )
  const offsets = file('offsets.json', { version: 1, partitions: [{ topic: 'ledger', partition: 0, offset: 3 }] })
  expect(await run('kafka-delete-records', '--offset-json-file', offsets)).toEqual(
    ok('Executing records delete operation\nRecords delete operation completed:\npartition: ledger-0\tlow_watermark: 3\n'),
  )
  const { out } = await run('kafka-log-dirs', '--describe', '--broker-list', '2', '--topic-list', 'ledger')
  const [asked, received, json] = out.split('\n')
  expect([asked, received]).toEqual([
    'Querying brokers for log directories information', 'Received log directory information from brokers 2',
  ])
  const { brokers } = JSON.parse(json!) as { brokers: { broker: number; logDirs: { partitions: { partition: string }[] }[] }[] }
  expect(brokers.map(({ broker }) => broker)).toEqual([2])
  expect(brokers[0]!.logDirs[0]!.partitions.map(({ partition }) => partition).sort()).toEqual(['ledger-0', 'ledger-1'])
}, 30_000)

test('configuration of a broker that does not run, by ZooKeeper', async () => {
  const byZooKeeper = (...args: string[]): Promise<Output> =>
    new Promise((done) => {
      execFile(join(ROOT, 'bin/kafka-configs.sh'), ['--zookeeper', cluster.zookeeperConnect, ...args], (error, out, err) =>
        done({ code: error === null ? 0 : Number(error.code), out, err }),
      )
    })
  const refused = await byZooKeeper('--alter', '--broker', '1', '--add-config', 'log.retention.ms=5')
  expect(refused.err).toContain('broker 1 is running. Broker configuration operations using ZooKeeper are only supported if')
  expect((await byZooKeeper('--alter', '--broker', '7', '--add-config', 'log.retention.ms=5')).out).toMatch(
    /Completed updating config for entity: brokers '7'\.\n$/,
  )
  expect((await byZooKeeper('--describe', '--broker', '7')).out).toMatch(/Configs for brokers '7' are log\.retention\.ms=5\n$/)
})
