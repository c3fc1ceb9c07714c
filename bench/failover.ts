import { Admin, Producer } from '../index'
import { apache, prekraft, residentMiB } from './clusters'
import { brokerIdPath } from '../zk-schema/brokers'
import { controllerPath, decodeController } from '../zk-schema/controller'
import { openSession } from '../zk-schema/session/session'
import { realEnvironment } from '../runtime/real'
import type { PartitionMetadata } from '../index'
import type { Subject } from './clusters'
import type { ZooKeeperSession } from '../zk-schema/session/session'

/** Milliseconds, by what was measured. */
export type Figures = Record<string, number>

const TOPIC = 'bench'

async function until(condition: () => Promise<boolean>, limitMs = 120_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await condition().catch(() => false))) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function partitionsOf(admin: Admin): Promise<PartitionMetadata[]> {
  return (await admin.describeTopics([TOPIC]))[0]?.partitions ?? []
}

/** Kills a broker; measures from the end of its znode to every leader moved, and to the first acknowledged record of a partition that it led. */
async function kill(subject: Subject, zookeeper: ZooKeeperSession, victim: number): Promise<{ moved: number; firstAck: number }> {
  const survivors = subject.bootstrap.split(',').filter((_, index) => index !== victim).join(',')
  const admin = new Admin({ 'bootstrap.servers': survivors })
  const led = (await partitionsOf(admin)).filter(({ leader }) => leader === victim).map(({ partition }) => partition)
  const gone = new Promise<void>((resolve) => {
    zookeeper.onNodeChanged(brokerIdPath(victim), (event) => event === 'deleted' && resolve())
  })
  await zookeeper.exists(brokerIdPath(victim), true)
  process.kill(subject.pids.get(victim)!, 'SIGKILL')
  await gone
  const startMs = performance.now()
  const producer = new Producer({ 'bootstrap.servers': survivors, 'retry.backoff.ms': 10, 'retry.backoff.max.ms': 20, 'enable.idempotence': false })
  const firstAck = Promise.any(led.slice(0, 5).map((partition) => producer.send({ topic: TOPIC, partition, value: 'x' }))).then(() => performance.now() - startMs)
  await until(async () => (await partitionsOf(admin)).every(({ leader }) => leader >= 0 && leader !== victim))
  const moved = performance.now() - startMs
  const result = { moved, firstAck: led.length === 0 ? 0 : await firstAck }
  await producer.close()
  await admin.close()
  return result
}

async function measure(subject: Subject, partitions: number): Promise<Figures> {
  const env = realEnvironment()
  const admin = new Admin({ 'bootstrap.servers': subject.bootstrap })
  const zookeeper = await openSession(env, { connect: subject.zookeeper, sessionTimeoutMs: 30_000 })
  const figures: Figures = { 'ready, ms': subject.readyMs }
  figures['resident per idle broker, MiB'] = Math.max(...[...subject.pids.values()].map(residentMiB))
  try {
    const startMs = performance.now()
    await admin.createTopics([{ name: TOPIC, partitions, replicationFactor: 3 }], { timeoutMs: 60_000 })
    await until(async () => {
      const found = await partitionsOf(admin)
      return found.length === partitions && found.every(({ leader, isr }) => leader >= 0 && isr.length === 3)
    })
    figures[`create ${partitions} partitions until leader and full ISR, ms`] = performance.now() - startMs
    const controller = async (): Promise<number> => decodeController((await zookeeper.get(controllerPath))!.data).brokerId
    const active = await controller()
    const leader = [...subject.pids.keys()].find((id) => id !== active)!
    const first = await kill(subject, zookeeper, leader)
    figures['leader killed: every leader moved, ms'] = first.moved
    figures['leader killed: first acknowledged record, ms'] = first.firstAck
    // With a third broker left a topic of three replicas goes on; the controller is killed in a cluster of its own.
  } finally {
    await admin.close()
    await zookeeper.close()
  }
  return figures
}

async function measureController(subject: Subject, partitions: number): Promise<Figures> {
  const admin = new Admin({ 'bootstrap.servers': subject.bootstrap })
  const zookeeper = await openSession(realEnvironment(), { connect: subject.zookeeper, sessionTimeoutMs: 30_000 })
  try {
    await admin.createTopics([{ name: TOPIC, partitions, replicationFactor: 3 }], { timeoutMs: 60_000 })
    await until(async () => {
      const found = await partitionsOf(admin)
      return found.length === partitions && found.every(({ leader, isr }) => leader >= 0 && isr.length === 3)
    })
    const active = decodeController((await zookeeper.get(controllerPath))!.data).brokerId
    const { moved, firstAck } = await kill(subject, zookeeper, active)
    return { 'controller killed: every leader moved, ms': moved, 'controller killed: first acknowledged record, ms': firstAck }
  } finally {
    await admin.close()
    await zookeeper.close()
  }
}

/** Prints a table with the ratio to Apache Kafka, where APACHE_KAFKA names the script that starts it. */
export async function failover(partitions: number): Promise<void> {
  const overrides = { 'zookeeper.session.timeout.ms': '6000' }
  const columns = new Map<string, Figures>()
  for (const start of [() => prekraft(3, overrides), () => Promise.resolve(apache(3, overrides))]) {
    const figures: Figures = {}
    let name: string | undefined
    for (const part of [measure, measureController]) {
      const subject = await start()
      if (subject === undefined) continue
      name = subject.name
      try {
        Object.assign(figures, await part(subject, partitions))
      } finally {
        await subject.stop()
      }
    }
    if (name !== undefined) columns.set(name, figures)
  }
  print(columns)
}

function print(columns: Map<string, Figures>): void {
  const [ours, theirs] = [columns.get('prekraft')!, columns.get('Apache Kafka')]
  for (const [what, value] of Object.entries(ours)) {
    const other = theirs?.[what]
    process.stdout.write(`${what.padEnd(62)} ${value.toFixed(0).padStart(8)}${other === undefined ? '' : ` ${other.toFixed(0).padStart(8)}  ${(other / value).toFixed(1)} times`}\n`)
  }
}
