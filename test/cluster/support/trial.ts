import { Admin } from '../../../index'
import { disagreements } from './agreement'
import { anomaliesOf } from './history'
import { Load } from './load'
import { replicaDifferences } from './replicas'
import type { TestCluster } from '../../../index'

/** Beside ours a producer of librdkafka, by PREKRAFT_RDKAFKA=1 (the campaign draws it in every second trial). */
export const WITH_RDKAFKA = process.env['PREKRAFT_RDKAFKA'] === '1'

export const PARTITIONS = 4

/** One topic under load, and the cluster to break. */
export interface Trial {
  cluster: TestCluster
  admin: Admin
  topic: string
  load: Load
  /** In [0, 1): from the campaign's seed. */
  random(): number
}

/** Breaks something and heals it. May ask `load` for progress between. */
export type Fault = (trial: Trial) => Promise<void>

let topics = 0

export interface TrialOptions {
  random?: () => number
  rdkafka?: boolean
  requestTimeoutMs?: number
  /** Also of the topic. */
  configs?: Record<string, string>
  /** How long everything may take to be well again. */
  healMs?: number
}

/**
 * Writes and reads while `fault` happens, waits until everything is well again, and checks: every acknowledged record is there once
 * and in order, what was read was true, replicas have the same bytes, ZooKeeper, the controller and the brokers say the same.
 * Throws with all that is wrong.
 */
export async function underLoad(cluster: TestCluster, fault: Fault, options: TrialOptions = {}): Promise<void> {
  const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  const topic = `trial-${++topics}`
  let load: Load | undefined
  try {
    await cluster.waitUntilHealthy()
    const configs = { 'min.insync.replicas': '2', 'segment.bytes': '262144', ...options.configs }
    await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 3, configs }])
    await cluster.waitUntilHealthy()
    load = new Load(cluster, { topic, partitions: PARTITIONS, rdkafka: options.rdkafka ?? false, requestTimeoutMs: options.requestTimeoutMs ?? 5000 })
    await load.progress('before the fault')
    await fault({ cluster, admin, topic, load, random: options.random ?? Math.random })
    await load.progress('after the fault')
    await cluster.waitUntilHealthy({ timeoutMs: options.healMs ?? 60_000 })
    const history = await load.stop()
    await check(cluster, topic, [
      ...anomaliesOf(history).map(({ kind, detail }) => `${kind}: ${detail}`),
      ...history.sent.filter(({ error }) => error !== undefined).map(({ client, n, error }) => `not acknowledged: ${client}:${n}: ${error}`),
    ])
  } finally {
    load?.abandon()
    await admin.close()
  }
}

async function check(cluster: TestCluster, topic: string, anomalies: string[]): Promise<void> {
  if (anomalies.length > 0) throw new Error(complaint('The history has anomalies', anomalies))
  const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  try {
    let differences: string[] = []
    const until = async (what: string, look: () => Promise<string[]>): Promise<void> => {
      try {
        await cluster.until(what, 20_000, async () => {
          differences = ['it could not be looked at']
          differences = await look()
          return differences.length === 0
        })
      } catch (error) {
        throw new Error(complaint(`Not true: ${what}`, differences), { cause: error })
      }
    }
    await until('ZooKeeper, the controller and the brokers agree', () => disagreements(cluster))
    const ends = await admin.listOffsets(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, timestamp: -1 })))
    await until('the replicas are the same', () =>
      Promise.resolve([...ends].flatMap(([key, { offset }]) => replicaDifferences(cluster, topic, Number(key.split('-').at(-1)), cluster.brokerIds, offset))),
    )
  } finally {
    await admin.close()
  }
}

function complaint(what: string, lines: readonly string[]): string {
  const more = lines.length > 12 ? [`and ${lines.length - 12} more`] : []
  return [`${what}:`, ...lines.slice(0, 12), ...more].join('\n  ')
}

/** Which broker leads a partition of the trial's topic, as soon as there is one. */
export async function leaderOf({ cluster, topic }: Trial, partition = 0): Promise<number> {
  let leader = -1
  await cluster.until(`${topic}-${partition} has a leader`, 30_000, async () => (leader = await cluster.leaderOf(topic, partition)) >= 0)
  return leader
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
