/**
 * Every method of Java's Admin client, on three Apache brokers and on three of ours: the same results, the same errors.
 *   npm run test:admin [-- part of a call's name ...]
 * ADMIN_VERBOSE=1: every answer of Apache's.
 */
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { differences } from '../errors/normal'
import { besideApache, freePorts } from '../frame'
import { JARS } from '../jars'
import { MixedCluster, TOOL_LOG4J, until } from '../mixed-cluster'
import { onPurpose } from './on-purpose'
import type { Kind } from '../mixed-cluster'

const SETTINGS = {
  'zookeeper.session.timeout.ms': '12000',
  'auto.create.topics.enable': 'false',
  'auto.leader.rebalance.enable': 'false',
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  // The records are old.
  'log.retention.ms': '-1',
}
const BROKERS = [0, 1, 2]
const PATIENCE_MS = 300_000
const run = promisify(execFile)

interface Place {
  kind: Kind
  cluster: MixedCluster
  zooKeeperPort: number
  answers: Map<string, unknown>
}

const logDirs = (dir: string, id: number): string => ['x', 'y'].map((name) => join(dir, `d${id}${name}`)).join(',')

async function place(kind: Kind, dir: string): Promise<Place> {
  const [zooKeeperPort, ...ports] = await freePorts(1 + BROKERS.length)
  const cluster = new MixedCluster(dir, zooKeeperPort!, SETTINGS)
  for (const id of BROKERS) cluster.add(id, kind, ports[id]!, { 'log.dirs': logDirs(dir, id), 'broker.rack': `rack-${id}` })
  return { kind, cluster, zooKeeperPort: zooKeeperPort!, answers: new Map() }
}

/** An answer without the ports and directories of its cluster. */
function normal(line: string, { cluster, zooKeeperPort }: Place): { call: string; answer: unknown } {
  const text = BROKERS.reduce((left, id) => left.replaceAll(`:${cluster.port(id)}`, `:<port ${id}>`), line)
    .replaceAll(`:${zooKeeperPort}`, ':<ZooKeeper>')
    .replaceAll(cluster.dir, '<dir>')
  return JSON.parse(text) as { call: string; answer: unknown }
}

async function ask(one: Place, classes: string, wanted: readonly string[], signal: AbortSignal): Promise<void> {
  const { kind, cluster, answers } = one
  await cluster.startZooKeeper()
  // One after the other: broker 0 is the controller.
  for (const id of BROKERS) await cluster.start(id)
  await until('all brokers are known', 30_000, async () => {
    const known = await Promise.all(BROKERS.map(async (id) => (await cluster.metadata(id)).brokers.length))
    return known.every((count) => count === BROKERS.length)
  })
  const options = ['-Xmx256m', '-XX:TieredStopAtLevel=1', `-Dlog4j.configuration=file:${TOOL_LOG4J}`]
  const words = ['AdminCalls', cluster.bootstrapServers, logDirs(cluster.dir, 0)]
  const args = [...options, '-cp', `${classes}:${JARS}/*`, ...words, ...wanted]
  const { stdout, stderr } = await run('java', args, { signal, timeout: PATIENCE_MS, maxBuffer: 1 << 28 })
  if (stderr !== '') process.stdout.write(`${kind}: ${stderr}`)
  writeFileSync(join(cluster.dir, 'answers'), stdout)
  for (const line of stdout.split('\n').filter((each) => each.startsWith('{'))) {
    const { call, answer } = normal(line, one)
    answers.set(call, answer)
  }
  await cluster.close()
}

besideApache('admin', async ({ dir, args, atEnd }) => {
  if (spawnSync('javac', ['-version'], { stdio: 'ignore' }).status !== 0) {
    process.stdout.write('skipped: there is no Java compiler here\n')
    return 0
  }
  const classes = join(dir, 'classes')
  mkdirSync(classes)
  const sources = readdirSync(__dirname).filter((name) => name.endsWith('.java'))
  await run('javac', ['-d', classes, '-cp', `${JARS}/*`, ...sources.map((name) => join(__dirname, name))])
  const places = [await place('apache', join(dir, 'apache')), await place('prekraft', join(dir, 'prekraft'))] as const
  for (const { cluster } of places) atEnd(() => cluster.close())
  const aborting = new AbortController()
  atEnd(async () => aborting.abort())
  await Promise.all(places.map((one) => ask(one, classes, args, aborting.signal)))
  const [apache, ours] = places
  let equal = 0
  let declared = 0
  const calls = new Set([...apache.answers.keys(), ...ours.answers.keys()])
  for (const call of calls) {
    const [theirs, mine] = [apache.answers.get(call), ours.answers.get(call)]
    if (process.env.ADMIN_VERBOSE !== undefined) process.stdout.write(`${call}\n    ${JSON.stringify(theirs)}\n`)
    const all = differences(theirs, mine)
    const found = all.filter((line) => !onPurpose.some((known) => known.call.test(call) && known.difference.test(line)))
    if (found.length > 0) process.stdout.write(`DIFFERENT ${call}\n${found.map((line) => `    ${line}\n`).join('')}`)
    else {
      equal++
      if (all.length > 0) declared++
    }
  }
  const known = `${declared} of them but for what differs on purpose`
  process.stdout.write(`${equal} calls equal (${known}), ${calls.size - equal} different; logs in ${dir}\n`)
  return equal === calls.size && equal > 0 ? 0 : 1
})
