import { ApiKey } from '../protocol/messages/apis'
import { BatchBuilder } from '../protocol/records/records'
import { KafkaConnection } from '../network/kafka-connection'
import { APACHE_NAME } from './apache-kafka'
import { Admin } from '../index'
import { apache, cpuSeconds, prekraft, residentMiB } from './clusters'
import { realEnvironment } from '../runtime/real'
import type { FetchResponse } from '../protocol/messages/fetch'
import type { ProduceResponse } from '../protocol/messages/produce'
import type { Subject } from './clusters'

export interface Load {
  name: string
  batchBytes: number
  connections: number
  inFlight: number
  totalBytes: number
}

export const SMALL_RECORDS: Load = {
  name: 'produce 1 KiB, 4 connections, 64 in flight', batchBytes: 1024, connections: 4, inFlight: 64, totalBytes: 300e6,
}

const LOADS: Load[] = [
  SMALL_RECORDS,
  { name: 'produce 1 KiB, 10 connections, 1 in flight', batchBytes: 1024, connections: 10, inFlight: 1, totalBytes: 60e6 },
  { name: 'produce 16 KiB, 4 connections, 8 in flight', batchBytes: 16_384, connections: 4, inFlight: 8, totalBytes: 1e9 },
  { name: 'produce 1 MiB, 2 connections, 2 in flight', batchBytes: 1_000_000, connections: 2, inFlight: 2, totalBytes: 2e9 },
]

function batchOf(bytes: number): Buffer {
  return new BatchBuilder().append(null, Buffer.alloc(bytes - 75, 0x61), [], 1_700_000_000_000).build()
}

async function connect(port: number, maxInFlight: number): Promise<KafkaConnection> {
  const connection = new KafkaConnection(realEnvironment(), { host: '127.0.0.1', port, clientId: 'bench', requestTimeoutMs: 60_000, maxInFlight })
  await connection.connect()
  return connection
}

/** CPU seconds of the broker per 1e9 bytes, and microseconds per request. */
export async function produce(port: number, pid: number, topic: string, load: Load): Promise<{ perGB: number; perRequestUs: number; mbPerSecond: number }> {
  const records = batchOf(load.batchBytes)
  const connections = await Promise.all(Array.from({ length: load.connections }, () => connect(port, load.inFlight)))
  const requests = Math.ceil(load.totalBytes / records.length)
  let left = requests
  const cpu = cpuSeconds(pid)
  const startMs = performance.now()
  await Promise.all(
    connections.flatMap((connection, partition) =>
      Array.from({ length: load.inFlight }, async () => {
        while (left-- > 0) {
          const answer = await connection.send<object, ProduceResponse>(ApiKey.produce, {
            acks: 1,
            timeoutMs: 30_000,
            topicData: [{ name: topic, partitionData: [{ index: partition % 4, records }] }],
          })
          const { errorCode } = answer.responses[0]!.partitionResponses[0]!
          if (errorCode !== 0) throw new Error(`produce failed with ${errorCode}`)
        }
      }),
    ),
  )
  const used = cpuSeconds(pid) - cpu
  const bytes = requests * records.length
  const seconds = (performance.now() - startMs) / 1000
  for (const connection of connections) connection.close()
  return { perGB: used / (bytes / 1e9), perRequestUs: (used / requests) * 1e6, mbPerSecond: bytes / 1e6 / seconds }
}

async function fetch(port: number, pid: number, topic: string, maxBytes: number, totalBytes: number): Promise<{ perGB: number; perRequestUs: number; mbPerSecond: number }> {
  const connection = await connect(port, 1)
  let bytes = 0
  let requests = 0
  let offset = 0
  const cpu = cpuSeconds(pid)
  const startMs = performance.now()
  while (bytes < totalBytes) {
    const answer = await connection.send<object, FetchResponse>(
      ApiKey.fetch,
      { maxWaitMs: 100, minBytes: 1, maxBytes: 50_000_000, topics: [{ topic, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: maxBytes }] }] },
      { version: 12 },
    )
    const part = answer.responses[0]!.partitions[0]!
    if (part.errorCode !== 0) throw new Error(`fetch at ${offset} failed with ${part.errorCode}: ${JSON.stringify({ ...part, records: null })}`)
    const length = part.records?.length ?? 0
    requests++
    bytes += length
    // Every batch holds one record: as many records as batches.
    offset = length === 0 ? 0 : offset + Math.max(Math.floor(length / part.records!.readInt32BE(8)), 1)
  }
  const used = cpuSeconds(pid) - cpu
  const seconds = (performance.now() - startMs) / 1000
  connection.close()
  return { perGB: used / (bytes / 1e9), perRequestUs: (used / requests) * 1e6, mbPerSecond: bytes / 1e6 / seconds }
}

async function measure(subject: Subject): Promise<Map<string, string>> {
  const lines = new Map<string, string>()
  const port = Number(subject.bootstrap.split(',')[0]!.split(':')[1])
  const pid = [...subject.pids.values()][0]!
  lines.set('resident, idle', `${residentMiB(pid).toFixed(0)} MiB`)
  const admin = new Admin({ 'bootstrap.servers': subject.bootstrap })
  for (const [index, load] of LOADS.entries()) {
    const topic = `bench-${index}`
    await admin.createTopics([{ name: topic, partitions: 4, replicationFactor: 1 }])
    const { perGB, perRequestUs, mbPerSecond } = await produce(port, pid, topic, load)
    lines.set(load.name, `${perGB.toFixed(2)} CPU s/GB, ${perRequestUs.toFixed(1)} us a request, ${mbPerSecond.toFixed(0)} MB/s`)
  }
  const { perGB, perRequestUs, mbPerSecond } = await fetch(port, pid, 'bench-3', 1_000_000, 2e9)
  lines.set('fetch 1 MiB, warm', `${perGB.toFixed(2)} CPU s/GB, ${perRequestUs.toFixed(1)} us a request, ${mbPerSecond.toFixed(0)} MB/s`)
  lines.set('resident, after', `${residentMiB(pid).toFixed(0)} MiB`)
  await admin.close()
  return lines
}

/** One broker, raw frames from this process: what the broker costs, whatever the client costs. */
export async function dataPath(): Promise<void> {
  const starts: [string, () => Promise<Subject | undefined>][] = [
    ['prekraft', () => prekraft(1, {})],
    ['prekraft without the recording', () => prekraft(1, { 'recording.dir': '' })],
    [APACHE_NAME, () => apache(1, {})],
  ]
  for (const [name, start] of starts) {
    const subject = await start()
    if (subject === undefined) continue
    try {
      process.stdout.write(`${name}\n`)
      for (const [what, text] of await measure(subject)) process.stdout.write(`  ${what.padEnd(46)} ${text}\n`)
    } finally {
      await subject.stop()
    }
  }
}
