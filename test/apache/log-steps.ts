import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Producer } from '../../index'
import { ApiKey } from '../../protocol/messages/apis'
import { batchIsCompleteAt, batchSizeAt, isControlAt, isTransactionalAt, producerIdAt } from '../../protocol/records/batch'
import { ControlType, decodeRecords, parseControlRecord } from '../../protocol/records/records'
import { moveCoordinators } from './coordinator-steps'
import { ongoing } from './requests'
import { readCommitted, verificationStep } from './transaction-steps'
import { otherKind, until } from './mixed-cluster'
import type { Kind, MixedCluster } from './mixed-cluster'
import type { Run } from './mixed-run'
import type { Record } from '../../protocol/records/records'
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/describe-configs'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/incremental-alter-configs'

const BROKER = 4
/** DYNAMIC_BROKER_CONFIG, DYNAMIC_DEFAULT_BROKER_CONFIG. */
const OF_BROKER = 2
const OF_ALL = 3
const UNSET = 99

const REASSIGN = 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand'

/** What compaction, throttles, dynamic configuration and verification are between the kinds. */
export async function logSteps(run: Run, kind: Kind): Promise<void> {
  const of = (name: string): string => `${name} [controller: ${kind}]`
  await run.moveController(kind)
  await verificationStep(run, of('verify transactions'))
  await dynamicConfiguration(run, of('change broker configurations through either kind'))
  await run.step(of('compact on either kind'), async () => await compaction(run, `table-${kind}`))
  for (const from of ['apache', 'prekraft'] as const)
    await run.step(
      of(`reassign from ${from} to ${otherKind(from)} with a throttle`),
      async () => await throttled(run, kind, from),
    )
}

async function alter(
  cluster: MixedCluster,
  through: number,
  resourceName: string,
  name: string,
  value: string | null,
): Promise<number> {
  const answer = await cluster.ask<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
    through,
    ApiKey.incrementalAlterConfigs,
    {
      resources: [{ resourceType: BROKER, resourceName, configs: [{ name, configOperation: value === null ? 1 : 0, value }] }],
      validateOnly: false,
    },
  )
  return answer.responses[0]!.errorCode
}

async function configured(cluster: MixedCluster, id: number, name: string): Promise<{ value: string | null; source: number }> {
  const { results } = await cluster.ask<DescribeConfigsRequest, DescribeConfigsResponse>(id, ApiKey.describeConfigs, {
    resources: [{ resourceType: BROKER, resourceName: String(id), configurationKeys: [name] }],
  })
  // Some are told only where they are set.
  const found = results[0]!.configs[0]
  return { value: found?.value ?? null, source: found?.configSource ?? UNSET }
}

async function dynamicConfiguration(run: Run, name: string): Promise<void> {
  const { cluster } = run
  await run.step(name, async () => {
    const expectAll = async (key: string, wanted: (id: number) => string): Promise<void> => {
      for (const id of cluster.running) {
        await until(`broker ${id} has ${key} = ${wanted(id)}`, 10_000, async () => {
          const { value, source } = await configured(cluster, id, key)
          return `${value} ${source}` === wanted(id) ? true : `it has ${value} of ${source}`
        })
      }
    }
    for (const [through, key, value] of [
      [0, 'log.retention.ms', '555555555'],
      [10, 'message.max.bytes', '1234567'],
      [1, 'log.cleaner.threads', '2'],
      [11, 'log.segment.bytes', '77777777'],
    ] as const) {
      const errorCode = await alter(cluster, through, '', key, value)
      if (errorCode !== 0) throw new Error(`${key} through ${through}: error ${errorCode}`)
      await expectAll(key, () => `${value} ${OF_ALL}`)
    }
    // One broker's own goes before what holds for all; only it may be asked for that.
    for (const [id, other] of [
      [0, 10],
      [10, 0],
    ] as const) {
      if ((await alter(cluster, other, String(id), 'message.max.bytes', '1111111')) !== 42)
        throw new Error(`broker ${other} changes what is broker ${id}'s`)
      const errorCode = await alter(cluster, id, String(id), 'message.max.bytes', '1111111')
      if (errorCode !== 0) throw new Error(`message.max.bytes of ${id}: error ${errorCode}`)
      await expectAll('message.max.bytes', (each) => (each === id ? `1111111 ${OF_BROKER}` : `1234567 ${OF_ALL}`))
      await alter(cluster, id, String(id), 'message.max.bytes', null)
    }
    // A restart, on the same znodes.
    for (const id of [1, 11]) {
      await cluster.stop(id, 'SIGTERM')
      await cluster.start(id)
      await run.agreed()
    }
    await expectAll('log.retention.ms', () => `555555555 ${OF_ALL}`)
    for (const [through, key] of [
      [10, 'log.retention.ms'],
      [0, 'message.max.bytes'],
      [11, 'log.cleaner.threads'],
      [1, 'log.segment.bytes'],
    ] as const)
      await alter(cluster, through, '', key, null)
    for (const id of cluster.running) {
      await until(
        `broker ${id} has its defaults again`,
        10_000,
        async () => (await configured(cluster, id, 'log.segment.bytes')).source > OF_ALL,
      )
    }
  })
}

interface Survivors {
  /** Records that are on the disk, without markers. */
  count: number
  /** The last committed value of each key, as a consumer of this replica would read it. */
  latest: Map<string, string>
}

/** What a replica has on its disk. Of one transaction no record follows those of its producer outside of it. */
export function survivorsOf(directory: string): Survivors {
  const latest = new Map<string, string>()
  /** Of each producer with an open transaction: what its marker decides on. */
  const open = new Map<number, Record[]>()
  let count = 0
  let before = -1
  const apply = ({ key, value }: Record): void => {
    if (value === null) latest.delete(key!.toString())
    else latest.set(key!.toString(), value.toString())
  }
  if (!existsSync(directory)) throw new Error(`there is no ${directory}`)
  for (const file of readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort()) {
    const bytes = readFileSync(join(directory, file))
    for (let at = 0; batchIsCompleteAt(bytes, at); at += batchSizeAt(bytes, at)) {
      const batch = bytes.subarray(at, at + batchSizeAt(bytes, at))
      const producer = producerIdAt(batch, 0)
      for (const record of decodeRecords(batch)) {
        const { offset, key, value } = record
        if (offset <= before) throw new Error(`${directory}: offset ${offset} follows ${before}`)
        before = offset
        if (isControlAt(batch, 0)) {
          if (parseControlRecord(key, value)?.type === ControlType.commit) open.get(producer)?.forEach(apply)
          open.delete(producer)
          continue
        }
        count++
        if (isTransactionalAt(batch, 0)) open.set(producer, [...(open.get(producer) ?? []), record])
        else apply(record)
      }
    }
  }
  return { count, latest }
}

/** A compacted topic under writes, some of them in transactions: what each replica keeps, and what a consumer reads. */
async function compaction(run: Run, topic: string): Promise<void> {
  const { cluster } = run
  run.cleaned.add(topic)
  await run.createTopic(
    topic,
    [
      [0, 10, 1, 11],
      [10, 0, 11, 1],
    ],
    {
      'cleanup.policy': 'compact',
      'segment.bytes': '20000',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '100',
      'min.insync.replicas': '2',
    },
  )
  await run.agreed()
  await moveCoordinators(run, 'prekraft')
  const expected = [new Map<string, string>(), new Map<string, string>()]
  let written = 0
  const common = { 'bootstrap.servers': cluster.bootstrapServers, 'request.timeout.ms': 5000, 'linger.ms': 2 }
  const plain = new Producer(common)
  const transactional = new Producer({ ...common, 'transactional.id': topic, 'transaction.timeout.ms': 30_000 })
  await transactional.initTransactions()
  for (let round = 0; round < 24; round++) {
    const inTransaction = round % 3 === 1
    const isToCommit = round % 2 === 1
    const producer = inTransaction ? transactional : plain
    if (inTransaction) transactional.beginTransaction()
    const sent: Promise<unknown>[] = []
    for (let n = 0; n < 60; n++) {
      for (const [partition, map] of expected.entries()) {
        const key = `key-${n}`
        const value = (n + round) % 11 === 0 ? null : `${round}:${n}:${'x'.repeat(80)}`
        sent.push(producer.send({ topic, partition, key, value }))
        if (inTransaction && !isToCommit) continue
        written++
        if (value === null) map.delete(key)
        else map.set(key, value)
      }
    }
    await Promise.all(sent)
    if (inTransaction) await (isToCommit ? transactional.commitTransaction() : transactional.abortTransaction())
    // The leader changes while it is written and cleaned.
    if (round === 12) {
      await cluster.stop(10, 'SIGKILL')
      await cluster.start(10)
    }
  }
  await Promise.all([plain.close(), transactional.close()])
  await run.agreed()
  await compacted(run, topic, expected, written)
}

/** Waits until each replica was cleaned, and compares what is left, there and for a consumer. */
export async function compacted(
  run: Run,
  topic: string,
  expected: readonly ReadonlyMap<string, string>[],
  written: number,
): Promise<void> {
  const { cluster } = run
  await until(`all replicas of ${topic} are cleaned`, 60_000, () => {
    for (const id of cluster.running) {
      const counts = expected.map(
        (_, partition) => survivorsOf(join(cluster.logDirs(id)[0]!, `${topic}-${partition}`)).count,
      )
      const left = counts.reduce((sum, count) => sum + count, 0)
      if (left > written / 2) return `broker ${id} has ${left} of ${written} records`
    }
    return true
  })
  const read = await readCommitted(run, topic)
  for (const [partition, map] of expected.entries()) {
    const consumed = new Map<string, string>()
    for (const { key, value } of read.get(partition) ?? []) {
      if (value === 'null') consumed.delete(key)
      else consumed.set(key, value)
    }
    const wanted = sortedEntries(map)
    if (sortedEntries(consumed) !== wanted)
      throw new Error(
        `${topic}-${partition}: ${consumed.size} keys are consumed, ${map.size} written: ${firstDifference(consumed, map)}`,
      )
    // A marker may be on its way yet, and the cleaner may be putting a segment in the place of others.
    for (const id of cluster.running)
      await until(`broker ${id} has the last values of ${topic}-${partition}`, 30_000, () => {
        const { latest } = survivorsOf(join(cluster.logDirs(id)[0]!, `${topic}-${partition}`))
        return sortedEntries(latest) === wanted ? true : firstDifference(latest, map)
      })
  }
}

const sortedEntries = (map: ReadonlyMap<string, string>): string =>
  JSON.stringify([...map].sort(([one], [other]) => (one < other ? -1 : 1)))

function firstDifference(found: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): string {
  for (const key of new Set([...found.keys(), ...wanted.keys()]))
    if (found.get(key) !== wanted.get(key))
      return `${key} is ${found.get(key)?.slice(0, 10)}, not ${wanted.get(key)?.slice(0, 10)}`
  return 'none'
}

const HEAVY_BYTES = 3_000_000
const RATE = 300_000
/** The copy of it would take a minute and a half. */
const SLOW_RATE = 30_000

/** One partition moves from brokers of one kind to those of the other, not too fast; by the tool of the kind that it leaves. */
async function throttled(run: Run, controller: Kind, from: Kind): Promise<void> {
  const { cluster } = run
  const topic = `heavy-${controller}-${from}`
  const [a, b] = cluster.brokersOf(from)
  const [c, d] = cluster.brokersOf(otherKind(from))
  await run.createTopic(topic, [[a!, b!]])
  await run.agreed()
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 5 })
  const value = Buffer.alloc(10_000, 'v')
  await Promise.all(Array.from({ length: HEAVY_BYTES / value.length }, () => producer.send({ topic, partition: 0, value })))
  await producer.close()
  const file = join(cluster.dir, `${topic}.json`)
  writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, replicas: [c, d] }] }))
  const tool = async (args: string[]): Promise<string> => {
    const all = [
      '--bootstrap-server',
      `127.0.0.1:${cluster.port(cluster.running[0]!)}`,
      '--reassignment-json-file',
      file,
      ...args,
    ]
    return from === 'apache' ? await cluster.toolBeside(REASSIGN, all) : await cluster.ownTool('kafka-reassign-partitions', all)
  }
  // Given up first, while it is under way.
  const begun = await tool(['--execute', '--throttle', String(SLOW_RATE)])
  if (!begun.includes('Successfully started')) throw new Error(begun)
  const isUnderWay = async (): Promise<boolean> => (await ongoing(run)) === 1
  if (!(await isUnderWay())) throw new Error('it is over already')
  const cancelled = await tool(['--cancel'])
  if (!/Successfully cancelled/.test(cancelled) || !/Clearing .*throttles/.test(cancelled)) throw new Error(cancelled)
  await until('nothing is reassigned', 30_000, async () => !(await isUnderWay()))
  await until('the new replicas are gone', 30_000, () =>
    [c!, d!].every((id) => !existsSync(join(cluster.logDirs(id)[0]!, `${topic}-0`))),
  )
  await unthrottled(cluster)
  const began = Date.now()
  const said = await tool(['--execute', '--throttle', String(RATE)])
  if (!said.includes('Successfully started')) throw new Error(said)
  const submitted = Date.now()
  await run.agreed()
  await until('the reassignment is complete', 90_000, async () => {
    const { topics } = await cluster.metadata(c!, [topic])
    return topics[0]!.partitions[0]!.replicaNodes.join() === `${c},${d}` ? true : topics[0]!.partitions[0]!.replicaNodes.join()
  })
  const tookMs = Date.now() - began
  const verified = await tool(['--verify'])
  if (!/is completed/.test(verified) || !/Clearing .*throttles/.test(verified)) throw new Error(verified)
  // Two replicas pull at once from one leader: 6 MB at 300 kB/s; bursts make it shorter.
  if (tookMs < 6000)
    throw new Error(`it took ${tookMs} ms (${Date.now() - submitted} since it was submitted): the throttle did not hold`)
  await unthrottled(cluster)
}

async function unthrottled(cluster: MixedCluster): Promise<void> {
  for (const id of cluster.running) {
    await until(`broker ${id} is no longer throttled`, 10_000, async () => {
      const { value, source } = await configured(cluster, id, 'leader.replication.throttled.rate')
      return source > OF_ALL ? true : `${value} of ${source}`
    })
  }
}
