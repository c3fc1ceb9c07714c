import { Admin } from '../index'
import { LibrdkafkaLoad } from './librdkafka'
import { brokersCpuSeconds, cpuSeconds, residentMiB, sideBySide } from './clusters'
import { sleep } from './raw-requests'
import { untilComplete } from './partitions'
import type { LoadResult } from './librdkafka'
import type { Subject } from './clusters'
import type { Table } from './table'

interface Load {
  name: string
  bytes: number
  count: number
  acks: number
  replicas: number
}

const LOADS: Load[] = [
  { name: '100 B, acks=1, one replica', bytes: 100, count: 3_000_000, acks: 1, replicas: 1 },
  { name: '1 KiB, acks=1, one replica', bytes: 1024, count: 1_000_000, acks: 1, replicas: 1 },
  { name: '100 B, acks=all, three replicas', bytes: 100, count: 2_000_000, acks: -1, replicas: 3 },
  { name: '1 KiB, acks=all, three replicas', bytes: 1024, count: 500_000, acks: -1, replicas: 3 },
]
const PARTITIONS = 6
const ROUNDS = 3
/** Before that the code of neither is compiled. */
const WARM_UP = 3
/** Deleted segments go soon, so that the disk does not write them. */
const OVERRIDES = { 'log.segment.delete.delay.ms': '1000' }
const SETTLE_MS = 2500

interface Cost {
  /** CPU seconds of the brokers per 1e9 bytes of values. */
  perGB: number
  /** 1e6 such bytes a second. */
  rate: number
}

async function measured(subject: Subject, bytes: number, run: () => Promise<LoadResult>): Promise<Cost> {
  const cpu = brokersCpuSeconds(subject)
  const result = await run()
  return { perGB: (brokersCpuSeconds(subject) - cpu) / (bytes / 1e9), rate: bytes / 1e6 / result['seconds']! }
}

async function round(
  subject: Subject,
  load: Load,
  number: number,
  program: LibrdkafkaLoad,
  table: Table,
): Promise<void> {
  const { name, bootstrap } = subject
  const admin = new Admin({ 'bootstrap.servers': bootstrap })
  const topic = `load-${load.bytes}-${load.replicas}-${number}`
  try {
    await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: load.replicas }])
    await untilComplete(admin, topic, PARTITIONS, load.replicas)
    await sleep(500)
    const total = load.bytes * load.count
    const add = (what: string, { perGB, rate }: Cost): void => {
      if (number < WARM_UP) return
      table.add(name, `${what}: CPU of the brokers`, perGB, { unit: 's/GB', expected: 2 })
      table.add(name, `${what}: throughput`, rate, { unit: 'MB/s', isRate: true })
    }
    const produce = (): Promise<LoadResult> => program.run('produce', bootstrap, topic, load.bytes, load.count, load.acks)
    add(`produce ${load.name}`, await measured(subject, total, produce))
    if (load.replicas === 1) {
      const consume = (): Promise<LoadResult> => program.run('consume', bootstrap, topic, PARTITIONS, load.count)
      add(`consume ${load.bytes === 100 ? '100 B' : '1 KiB'}, warm`, await measured(subject, total, consume))
    }
    await admin.deleteTopics([topic])
    await sleep(SETTLE_MS)
  } finally {
    await admin.close()
  }
}

/** Real clients' load on three brokers, and what the brokers occupy after it. */
export async function clients(table: Table): Promise<void> {
  const program = LibrdkafkaLoad.compile()
  if (program === undefined) return
  try {
    await sideBySide(3, OVERRIDES, async (subjects) => {
      const before = subjects.map(({ zookeeperPid }) => cpuSeconds(zookeeperPid))
      for (const load of LOADS) {
        for (let number = 0; number < WARM_UP + ROUNDS; number++) {
          for (const subject of subjects) await round(subject, load, number, program, table)
        }
      }
      for (const [index, { name, pids, zookeeperPid }] of subjects.entries()) {
        for (const pid of pids.values()) {
          table.add(name, 'resident memory of a broker after these loads', residentMiB(pid), { unit: 'MiB', expected: 5 })
        }
        table.add(name, 'CPU of ZooKeeper during all of these loads', cpuSeconds(zookeeperPid) - before[index]!, { unit: 's' })
      }
    })
  } finally {
    program.close()
  }
}
