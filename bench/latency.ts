import { Admin } from '../index'
import { LibrdkafkaLoad } from './librdkafka'
import { sideBySide } from './clusters'
import { sleep } from './raw-requests'
import { untilComplete } from './partitions'
import type { LoadResult } from './librdkafka'
import type { RowOptions, Table } from './table'
import type { Subject } from './clusters'

const PARTITIONS = 3
const BYTES = 1024
const ROUNDS = 2
const SETTLE_MS = 5000
const KINDS = [
  { name: '1,000 records a second', rate: 1000, warmSeconds: 8, seconds: 15 },
  { name: 'one record at a time', rate: 0, warmSeconds: 5, seconds: 8 },
]

async function once(
  program: LibrdkafkaLoad,
  subject: Subject,
  topic: string,
  rate: number,
  warmSeconds: number,
  seconds: number,
): Promise<LoadResult> {
  const admin = new Admin({ 'bootstrap.servers': subject.bootstrap })
  await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 3 }])
  await untilComplete(admin, topic, PARTITIONS, 3)
  await admin.close()
  await sleep(500)
  return program.run('latency', subject.bootstrap, topic, BYTES, PARTITIONS, rate, warmSeconds, seconds)
}

/** From the producer's send to the consumer's poll, of records of 1 KiB with acks=all and three replicas. */
export async function latency(table: Table): Promise<void> {
  const program = LibrdkafkaLoad.compile()
  if (program === undefined) return
  try {
    await sideBySide(3, {}, async (subjects) => {
      // Creates what consumers make a cluster create, and lets the code be compiled.
      for (const subject of subjects) await once(program, subject, 'latency-warm', 1000, 1, 5)
      await sleep(SETTLE_MS)
      for (const { name, rate, warmSeconds, seconds } of KINDS) {
        for (let round = 0; round < ROUNDS; round++) {
          for (const subject of subjects) {
            const found = await once(program, subject, `latency-${rate}-${round}`, rate, warmSeconds, seconds)
            const add = (percentile: string, ms: number, options: RowOptions): void =>
              table.add(subject.name, `end to end, ${name}: ${percentile}`, ms, options)
            add('p50', found['p50']!, { unit: 'ms' })
            add('p99', found['p99']!, { unit: 'ms', expected: 1 })
            add('p99.9', found['p999']!, { unit: 'ms' })
          }
        }
      }
    })
  } finally {
    program.close()
  }
}
