import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ApiKey } from '../../../protocol/messages/apis'
import { JARS } from '../jars'
import { MixedCluster, TOOL_LOG4J, until } from '../mixed-cluster'
import { damages } from './damages'
import type { ListOffsetsResponse } from '../../../protocol/messages/list-offsets'
import type { MetadataResponse } from '../../../protocol/messages/metadata'
import type { ZooKeeperSession } from '../../../zk-schema/session/session'
import type { Kind } from '../mixed-cluster'

/** Of every topic, the internal ones too: each partition is damaged in another way. */
const PARTITIONS = damages.length

const NODES_AT_ONCE = 100
const CONNECTION_ATTEMPTS = 5

const SETTINGS = {
  'zookeeper.session.timeout.ms': '6000',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': String(PARTITIONS),
  'offsets.topic.segment.bytes': '3000',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': String(PARTITIONS),
  'transaction.state.log.segment.bytes': '3000',
  'group.initial.rebalance.delay.ms': '0',
  'auto.create.topics.enable': 'false',
  'auto.leader.rebalance.enable': 'false',
  'controlled.shutdown.enable': 'false',
  // Some records are old.
  'log.retention.ms': '-1',
  'log.segment.delete.delay.ms': '0',
  'log.cleaner.backoff.ms': '200',
  'log.cleaner.dedupe.buffer.size': '10485760',
  'log.index.interval.bytes': '300',
  // Allocated in advance by Apache's, and copied by us.
  'log.index.size.max.bytes': '65536',
}

/** Of what is logged. */
const ABOUT_LOGS = /log\.|Log(Loader|Manager|Segment|Cleaner)|ProducerState|Epoch|"log"|"path"/

/** Writes with Kafka's clients. */
async function write(bootstrap: string, phase: number): Promise<void> {
  const args = ['-Xmx256m', '-XX:TieredStopAtLevel=1', `-Dlog4j.configuration=file:${TOOL_LOG4J}`, '-cp', `${JARS}/*`]
  const child = spawn('java', [...args, join(__dirname, 'Writer.java'), bootstrap, String(PARTITIONS), String(phase)])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const late = setTimeout(() => child.kill('SIGKILL'), 120_000)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(late)
  if (code !== 0) throw new Error(`Writer.java has ended with ${code}:\n${said.slice(-3000)}`)
}

export interface Recovered {
  path: string
  complaints: string[]
}

/** An Apache ZooKeeper, and brokers that come and go, each with a copy of the data and a tree of znodes of its own. */
export class Place {
  private readonly dir: string
  private readonly port: number
  private readonly home: MixedCluster
  private number = 0

  constructor(dir: string, port: number) {
    this.dir = dir
    this.port = port
    this.home = new MixedCluster(join(dir, 'home'), port, {})
  }

  async open(): Promise<void> {
    await this.home.startZooKeeper()
  }

  async close(): Promise<void> {
    await this.home.close()
  }

  /** On a machine that is busy it may take a while to connect. */
  private async zooKeeper(use: (session: ZooKeeperSession) => Promise<unknown>): Promise<void> {
    for (let left = CONNECTION_ATTEMPTS; ; left--) {
      try {
        await this.home.zookeeper(use)
        return
      } catch (error) {
        if ((error as { code?: string }).code !== 'CONNECTION_TIMEOUT' || left === 1) throw error
      }
    }
  }

  /** Each kind has a port of its own. */
  private cluster(name: string, kind: Kind, settings: Record<string, string>): MixedCluster {
    const zookeeper = `127.0.0.1:${this.port}/${name}`
    const all = { ...SETTINGS, 'zookeeper.connect': zookeeper, ...settings }
    const cluster = new MixedCluster(join(this.dir, name), this.port, all)
    cluster.add(0, kind, this.port + (kind === 'apache' ? 2 : 3))
    return cluster
  }

  /** Has a broker of that kind written to in three phases. The directory as it is after a kill -9, and after a clean stop. */
  async written(kind: Kind): Promise<{ killed: string; stopped: string }> {
    const name = `of-${kind}`
    const killed = join(this.dir, `${kind}-killed`)
    const stopped = join(this.dir, `${kind}-stopped`)
    await this.zooKeeper(async (session) => await session.createRecursive(`/${name}`))
    const cluster = this.cluster(name, kind, {})
    try {
      for (const phase of [1, 2, 3]) {
        await cluster.start(0)
        await write(cluster.bootstrapServers, phase)
        await cluster.stop(0, phase === 2 ? 'SIGKILL' : 'SIGTERM')
        if (phase < 3) await this.nextEpochs(name)
        if (phase === 2) await this.keep(cluster, name, killed)
      }
      await this.keep(cluster, name, stopped)
    } finally {
      await cluster.close()
    }
    return { killed, stopped }
  }

  /** Copies the directory, and the znodes into a file beside it. */
  private async keep(cluster: MixedCluster, name: string, path: string): Promise<void> {
    cpSync(cluster.logDirs(0)[0]!, path, { recursive: true, preserveTimestamps: true })
    const nodes: Record<string, string | null> = {}
    await this.zooKeeper(async (session) => {
      for (const each of await pathsUnder(session, `/${name}`)) {
        const node = await session.get(each)
        if (node !== undefined && node.stat.ephemeralOwner === 0n)
          nodes[each.slice(name.length + 1)] = node.data?.toString('base64') ?? null
      }
    })
    writeFileSync(`${path}.znodes.json`, JSON.stringify(nodes))
  }

  /**
   * Has a broker of that kind start on a copy of `from`, to which `damage` was done, and end again. The directory that it
   * leaves, and what it warned of on the way.
   */
  async recovered(from: string, kind: Kind, damage: (directory: string) => void): Promise<Recovered> {
    const name = `${++this.number}-${kind}`
    const cluster = this.cluster(name, kind, { 'log.cleaner.enable': 'false' })
    const path = cluster.logDirs(0)[0]!
    mkdirSync(path, { recursive: true })
    cpSync(from, path, { recursive: true, preserveTimestamps: true })
    damage(path)
    await this.zooKeeper(async (session) => {
      await session.createRecursive(`/${name}`)
      const nodes = JSON.parse(readFileSync(`${from}.znodes.json`, 'utf8')) as Record<string, string | null>
      const creations = Object.entries(nodes).map(([each, data]) => {
        const bytes = data === null ? null : Buffer.from(data, 'base64')
        // Our controller elects leaders anew after a restart that it has not seen.
        const isRaised = kind === 'apache' && each.endsWith('/state')
        return { type: 'create', path: `/${name}${each}`, data: isRaised ? withNextEpoch(bytes!) : bytes } as const
      })
      while (creations.length > 0) await session.multi(creations.splice(0, NODES_AT_ONCE))
    })
    try {
      await cluster.start(0)
      await until('every partition is led', 30_000, async () => {
        const { topics } = await cluster.ask<unknown, MetadataResponse>(0, ApiKey.metadata, { topics: null })
        // It may have been told so before it leads.
        const latest = topics.map(({ name: topic, partitions }) => ({
          name: topic,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp: -1 })),
        }))
        const answer = await cluster.ask<unknown, ListOffsetsResponse>(0, ApiKey.listOffsets, {
          replicaId: -1,
          isolationLevel: 0,
          topics: latest,
        })
        const partitions = answer.topics.flatMap((topic) => topic.partitions)
        return partitions.length > 0 && partitions.every(({ errorCode }) => errorCode === 0)
      })
      await cluster.stop(0, 'SIGTERM')
      return { path, complaints: cluster.complaints().filter((line) => ABOUT_LOGS.test(line)) }
    } finally {
      await cluster.close()
    }
  }

  /** Leaders are elected anew, as if others had led meanwhile. */
  private async nextEpochs(name: string): Promise<void> {
    await this.zooKeeper(async (session) => {
      // The session of one that was killed goes on for a while.
      for (const path of [`/${name}/brokers/ids/0`, `/${name}/controller`])
        if ((await session.exists(path)) !== undefined) await session.remove(path, -1)
      for (const path of await pathsUnder(session, `/${name}/brokers/topics`)) {
        if (!path.endsWith('/state')) continue
        await session.set(path, withNextEpoch((await session.get(path))!.data!), -1)
      }
    })
  }
}

function withNextEpoch(state: Buffer): Buffer {
  const raised = (_: string, epoch: string): string => `"leader_epoch":${Number(epoch) + 1}`
  return Buffer.from(state.toString().replace(/"leader_epoch":(\d+)/, raised))
}

/** Parents before their children. */
async function pathsUnder(session: ZooKeeperSession, root: string): Promise<string[]> {
  const found: string[] = []
  const collect = async (path: string): Promise<void> => {
    for (const name of (await session.children(path))?.names ?? []) {
      found.push(`${path}/${name}`)
      await collect(`${path}/${name}`)
    }
  }
  await collect(root)
  return found
}
