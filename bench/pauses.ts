import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Admin } from '../index'
import { prekraft } from './clusters'
import { until, untilComplete } from './partitions'
import { sleep } from './raw-requests'
import { readRecording } from '../cli/watch/recording-files'
import { controllerPath, decodeController } from '../zk-schema/controller'
import { openSession } from '../zk-schema/session/session'
import { realEnvironment } from '../runtime/real'
import type { Prekraft } from './clusters'

const TOPIC = 'bench'
const REPLICAS = 3
const OVERRIDES = { 'zookeeper.session.timeout.ms': '6000' }
/** A broker writes its pauses down every ten seconds. */
const WRITTEN_MS = 11_000

interface Pauses {
  id: number
  longestMs: number
  p99Ms: number
  /** What the thread of the event loop did meanwhile, and how long it could have gone on, but others had the processors. */
  workedMs: number
  waitedMs: number
}

function timesOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ').map((time) => Number(time) / 1e6)
}

/** What the recordings say of the event loops of some brokers while something happened, and shortly after. */
async function during(subject: Prekraft, ids: readonly number[], happen: () => Promise<void>): Promise<Pauses[]> {
  const sinceUs = Date.now() * 1000
  const before = new Map(ids.map((id) => [id, timesOf(subject.pids.get(id)!)]))
  await happen()
  await sleep(WRITTEN_MS)
  return ids.map((id) => {
    const found = readRecording(join(subject.dataDir, `broker-${id}`, 'recording')).flatMap(({ wallUs, event }) =>
      event.kind === 'loopDelay' && wallUs > sinceUs ? [event] : [],
    )
    const [worked, waited] = timesOf(subject.pids.get(id)!).map((time, index) => time - before.get(id)![index]!)
    return {
      id,
      longestMs: Math.max(...found.map(({ longestMs }) => longestMs)),
      p99Ms: Math.max(...found.map(({ p99Ms }) => p99Ms)),
      workedMs: worked!,
      waitedMs: waited!,
    }
  })
}

function print(what: string, pauses: readonly Pauses[]): void {
  for (const { id, longestMs, p99Ms, workedMs, waitedMs } of pauses) {
    const ms = (value: number): string => `${value.toFixed(0)} ms`
    const times = `worked ${ms(workedMs)}, waited ${ms(waitedMs)} for a processor`
    process.stdout.write(`${what}, broker ${id}: longest pause ${ms(longestMs)}, p99 ${ms(p99Ms)}; ${times}\n`)
  }
}

/** The pauses of the event loops of three brokers: at a creation, when a leader is killed, and when the controller is. */
export async function pauses(partitions = 1000): Promise<void> {
  for (const victimIs of ['leader', 'controller'] as const) {
    const subject = await prekraft(3, OVERRIDES)
    const admin = new Admin({ 'bootstrap.servers': subject.bootstrap })
    const zookeeper = await openSession(realEnvironment(), { connect: subject.zookeeper, sessionTimeoutMs: 30_000 })
    try {
      // What the start was.
      await sleep(WRITTEN_MS)
      const ids = [...subject.pids.keys()]
      const created = await during(subject, ids, async () => {
        await admin.createTopics([{ name: TOPIC, partitions, replicationFactor: REPLICAS }], { timeoutMs: 60_000 })
        await untilComplete(admin, TOPIC, partitions, REPLICAS, 50)
      })
      print(`creation of ${partitions} partitions`, created)
      const controller = decodeController((await zookeeper.get(controllerPath))!.data).brokerId
      const victim = victimIs === 'controller' ? controller : ids.find((id) => id !== controller)!
      const survivors = ids.filter((id) => id !== victim)
      const failed = await during(subject, survivors, async () => {
        process.kill(subject.pids.get(victim)!, 'SIGKILL')
        await until('every partition has a living leader', async () => {
          const found = (await admin.describeTopics([TOPIC]))[0]?.partitions ?? []
          return found.length === partitions && found.every(({ leader }) => survivors.includes(leader))
        }, 50)
      })
      print(`${victimIs} killed`, failed)
    } finally {
      await admin.close()
      await zookeeper.close()
      await subject.stop()
    }
  }
}
