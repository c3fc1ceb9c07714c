import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Consumer } from '../../../index'
import { sha1 } from './job'
import type { ReadRecord } from './job'
import type { TestCluster } from '../../../index'

const DUMP_LOG = join(__dirname, '../../../dist/kafka-dump-log.js')

/** The codec of each batch of partition 0 on a broker's disk, as kafka-dump-log shows it. */
export function storedCodecs(cluster: TestCluster, broker: number, topic: string): string[] {
  const directory = join(cluster.logDir(broker), `${topic}-0`)
  const files = readdirSync(directory).filter((name) => name.endsWith('.log')).sort()
  const dump = execFileSync(process.execPath, [DUMP_LOG, '--files', files.map((name) => join(directory, name)).join(',')], { maxBuffer: 1e8 }).toString()
  return [...dump.matchAll(/ compresscodec: (\w+) .*isvalid: true/g)].map(([, codec]) => codec!.toLowerCase())
}

/** Partition 0 from its beginning to its end, as our own consumer reads it. */
export async function readAll(cluster: TestCluster, topic: string): Promise<ReadRecord[]> {
  const consumer = new Consumer({ 'bootstrap.servers': cluster.bootstrapServers, 'auto.offset.reset': 'earliest', 'max.partition.fetch.bytes': 12_582_912 })
  const partition = { topic, partition: 0 }
  consumer.assign([partition])
  const end = (await consumer.endOffsets([partition])).get(`${topic}-0`)!
  const records: ReadRecord[] = []
  while ((await consumer.position(partition)) < end) {
    for (const { offset, key, value, headers } of await consumer.poll(1000)) {
      records.push({
        offset,
        key: key === null ? null : key.toString(),
        size: value!.length,
        sha1: sha1(value!),
        headers: Object.fromEntries(headers.map((header) => [header.key.toString(), (header.value ?? '').toString()])),
      })
    }
  }
  await consumer.close()
  return records
}
