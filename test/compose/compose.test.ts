/**
 * compose.yaml without Docker: each service's command, with its environment, as a process of this machine. A host of the file becomes an
 * address of the loopback range (every service its own, so that ports may stay as they are written), /data a temporary directory.
 * The ZooKeepers are Apache's where Java and its jars are; else the embedded server stands in for the three of them.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { safeLoad } from 'js-yaml'
import { Admin, Consumer, Producer, startZooKeeper } from '../../index'
import { apacheClasspath } from '../zookeeper/apache'
import type { ChildProcess } from 'node:child_process'
import type { ZooKeeper } from '../../index'

interface Service {
  command: string[]
  environment: Record<string, string>
  ports?: string[]
  volumes?: string[]
}

const root = resolve(__dirname, '../..')
const compose = safeLoad(readFileSync(join(root, 'compose.yaml'), 'utf8')) as { services: Record<string, Service> }
const names = Object.keys(compose.services)
const live = process.env['PREKRAFT_LIVE_ZOOKEEPER'] === '1'

/** 127.7.x.y: one address for each service, others than any other test uses. */
const addresses = new Map(names.map((name, index) => [name, `127.7.${1 + (process.pid % 250)}.${index + 1}`]))

function localize(text: string, name: string, data: string): string {
  let local = text
  for (const [host, address] of addresses) local = local.replaceAll(`${host}:`, `${address}:`)
  return local.replaceAll('/data', data).replaceAll('://:', `://${addresses.get(name)!}:`).replaceAll('localhost:', `${addresses.get(name)!}:`)
}

test('the file names three ZooKeepers and three brokers, each with its data', () => {
  expect(names).toEqual(['zookeeper-1', 'zookeeper-2', 'zookeeper-3', 'broker-1', 'broker-2', 'broker-3'])
  for (const [name, service] of Object.entries(compose.services)) {
    expect(service.volumes).toEqual([`${name}:/data`])
    expect(readFileSync(join(root, service.command[0]!), 'utf8')).toMatch(/^#!\/bin\/sh/)
  }
})

test('its services, started by their commands, are a cluster', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'prekraft-compose-'))
  const children: ChildProcess[] = []
  let embedded: ZooKeeper | undefined
  const withApache = live && apacheClasspath() !== undefined
  if (!withApache) embedded = await startZooKeeper()
  try {
    for (const [name, { command, environment }] of Object.entries(compose.services)) {
      if (!withApache && name.startsWith('zookeeper')) continue
      const data = join(directory, name)
      const local = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, localize(String(value), name, data)]))
      if (embedded !== undefined) local['KAFKA_ZOOKEEPER_CONNECT'] = `${embedded.connect}/kafka`
      if (withApache) {
        local['ZOO_CLASSPATH'] = apacheClasspath()!
        // Each server of the ensemble listens on its own address alone.
        local['ZOO_SERVERS'] = (local['ZOO_SERVERS'] ?? '').replace(/server\.(\d)=([\d.]+):2888:3888;2181/g, 'server.$1=$2:2888:3888;$2:2181')
      }
      const log = openSync(join(directory, `${name}.log`), 'a')
      children.push(spawn(join(root, command[0]!), command.slice(1), { cwd: root, env: { PATH: process.env['PATH'], ...local }, stdio: ['ignore', log, log] }))
    }
    const bootstrap = names.filter((name) => name.startsWith('broker')).map((name, index) => `${addresses.get(name)!}:${9092 + index}`).join(',')
    const config = { 'bootstrap.servers': bootstrap }
    const admin = new Admin({ ...config, 'default.api.timeout.ms': 40_000 })
    const deadline = Date.now() + 40_000
    while ((await admin.describeCluster()).nodes.length < 3) {
      if (Date.now() > deadline) throw new Error(`not three brokers: ${names.map((name) => `${name}: ${tail(join(directory, `${name}.log`))}`).join('\n')}`)
      await new Promise((done) => setTimeout(done, 100))
    }
    await admin.createTopics([{ name: 'composed', partitions: 3 }])
    const producer = new Producer(config)
    const sent = await Promise.all(Array.from({ length: 30 }, (_, value) => producer.send({ topic: 'composed', key: String(value), value: String(value) })))
    expect(sent).toHaveLength(30)
    const [topic] = await admin.describeTopics(['composed'])
    expect(topic!.partitions.map(({ replicas }) => replicas.length)).toEqual([3, 3, 3])
    const consumer = new Consumer({ ...config, 'auto.offset.reset': 'earliest' })
    consumer.assign(topic!.partitions.map(({ partition }) => ({ topic: 'composed', partition })))
    let read = 0
    while (read < 30) read += (await consumer.poll(1000)).length
    await Promise.all([admin.close(), producer.close(), consumer.close()])
  } finally {
    for (const child of children.reverse()) {
      child.kill('SIGKILL')
    }
    await embedded?.close()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}, 90_000)

function tail(path: string): string {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(-3).join(' ')
  } catch {
    return 'not started'
  }
}
