import { Admin } from '../index'
import { LibrdkafkaLoad } from './librdkafka'
import { sideBySide } from './clusters'
import { sleep } from './raw-requests'
import { untilComplete } from './partitions'
import type { Table } from './table'

const PARTITIONS = 3
const BYTES = 1024
const ROUNDS = 2
const KINDS = [
  { name: '1,000 records a second', rate: 1000, warmSeconds: 8, seconds: 15 },
  { name: 'one record at a time', rate: 0, warmSeconds: 5, seconds: 8 },
]

/** From the producer's send to the consumer's poll, of records of 1 KiB with acks=all and three replicas. */
export async function latency(table: Table): Promise<void> {
  const program = LibrdkafkaLoad.compile()
  if (program === undefined) return
  try {
    await sideBySide(3, {}, async (subjects) => {
      for (const { name, rate, warmSeconds, seconds } of KINDS) {
        for (let round = 0; round < ROUNDS; round++) {
          for (const subject of subjects) {
            const topic = `latency-${rate}-${round}`
            const admin = new Admin({ 'bootstrap.servers': subject.bootstrap })
            await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 3 }])
            await untilComplete(admin, topic, PARTITIONS, 3)
            await admin.close()
            await sleep(500)
            const found = await program.run('latency', subject.bootstrap, topic, BYTES, PARTITIONS, rate, warmSeconds, seconds)
            const add = (percentile: string, ms: number, expected: number[]): void =>
              table.add(subject.name, `end to end, ${name}: ${percentile}`, ms, {
                unit: 'ms',
                ...(expected.length > 0 ? { expected: expected[0]! } : {}),
              })
            add('p50', found['p50']!, [])
            add('p99', found['p99']!, [1])
            add('p99.9', found['p999']!, [])
          }
        }
      }
    })
  } finally {
    program.close()
  }
}
