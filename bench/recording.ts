import { readdirSync, readFileSync } from 'node:fs'
import { Admin } from '../index'
import { prekraft } from './clusters'
import { produce, SMALL_RECORDS } from './data-path'
import type { Subject } from './clusters'

const PAIRS = 8
const BLOCK_BYTES = 100e6
const TOPIC = 'bench'

/** CPU seconds of all threads of a process, to the nanosecond. */
function cpuOf(pid: number): number {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
  }
  return nanoseconds / 1e9
}

class Broker {
  private readonly subject: Subject
  private readonly pid: number
  private readonly port: number
  /** CPU seconds of its blocks. */
  used = 0

  private constructor(subject: Subject) {
    this.subject = subject
    this.pid = [...subject.pids.values()][0]!
    this.port = Number(subject.bootstrap.split(':')[1])
  }

  static async start(overrides: Record<string, string>): Promise<Broker> {
    const broker = new Broker(await prekraft(1, overrides))
    const admin = new Admin({ 'bootstrap.servers': broker.subject.bootstrap })
    await admin.createTopics([{ name: TOPIC, partitions: 4, replicationFactor: 1 }])
    await admin.close()
    return broker
  }

  async block(): Promise<void> {
    const before = cpuOf(this.pid)
    await produce(this.port, this.pid, TOPIC, { ...SMALL_RECORDS, totalBytes: BLOCK_BYTES })
    this.used += cpuOf(this.pid) - before
  }

  stop(): Promise<void> {
    return this.subject.stop()
  }
}

/**
 * What the recording costs at 1 KiB produce: pairs of new brokers, one with and one without it, that take blocks of the same load in
 * turn. Two processes of one kind differ more than that: so the median of the pairs counts.
 */
export async function recording(): Promise<void> {
  const ratios: number[] = []
  for (let pair = 0; pair < PAIRS; pair++) {
    const brokers = [await Broker.start({}), await Broker.start({ 'recording.dir': '' })] as const
    try {
      for (const broker of brokers) {
        await broker.block()
        broker.used = 0
      }
      const [first, second] = pair % 2 === 0 ? brokers : [brokers[1], brokers[0]]
      for (const broker of [first, second, second, first, first, second, second, first]) await broker.block()
      const [on, off] = brokers
      ratios.push(on.used / off.used)
      process.stdout.write(`with ${on.used.toFixed(3)}, without ${off.used.toFixed(3)} CPU s: ${percent(ratios.at(-1)!)}\n`)
    } finally {
      for (const broker of brokers) await broker.stop()
    }
  }
  const sorted = ratios.sort((a, b) => a - b)
  const median = (sorted[Math.floor((PAIRS - 1) / 2)]! + sorted[Math.ceil((PAIRS - 1) / 2)]!) / 2
  process.stdout.write(`produce of 1 KiB, the recording costs: ${percent(median)} of the CPU (median of ${PAIRS} pairs)\n`)
}

function percent(ratio: number): string {
  return `${((ratio - 1) * 100).toFixed(2)} %`
}
