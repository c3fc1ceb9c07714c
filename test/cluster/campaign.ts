/**
 * All faults, many times, in an order that a seed decides: `npm run test:faults -- [--rounds N] [--seed S] [--only TEXT]
 * [--zookeeper embedded|apache|chroot|ensemble] [--combine]`. A round is every fault once; with `--combine` each with a
 * milder one at the same time. Prints its seed. What was broken stays where the message says. Exit code 1 if anything was.
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster } from '../../index'
import { startCoordinator } from './support/coordinators'
import { OVERRIDES, faults } from './support/faults'
import { underLoad } from './support/trial'
import type { Coordinator, CoordinatorKind } from './support/coordinators'
import type { Fault } from './support/trial'
import type { TestCluster } from '../../index'

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, key: random() })).sort((a, b) => a.key - b.key).map(({ item }) => item)
}

interface Bench {
  cluster: TestCluster
  coordinator: Coordinator
  dataDir: string
}

let benches = 0

async function start(kind: CoordinatorKind, seed: number): Promise<Bench> {
  const dataDir = join(tmpdir(), `pk-faults-${seed}-${benches++}`)
  // What an earlier run with this seed left.
  rmSync(dataDir, { recursive: true, force: true })
  const coordinator = await startCoordinator(kind)
  const zookeeper = coordinator.connect === undefined ? {} : { zookeeper: coordinator.connect }
  return { cluster: await startCluster({ dataDir, overrides: OVERRIDES, logDirs: 2, ...zookeeper }), coordinator, dataDir }
}

async function main(): Promise<number> {
  const seed = Number(option('seed') ?? Math.floor(Math.random() * 2 ** 31))
  const rounds = Number(option('rounds') ?? 1)
  const kind = (option('zookeeper') ?? 'embedded') as CoordinatorKind
  const only = option('only') ?? ''
  const random = randomOf(seed)
  const all = Object.entries(faults).filter(([name]) => name.includes(only) && (kind === 'embedded' || !/ZooKeeper|everything/.test(name)))
  // What may happen at any time (or cannot happen just then) beside something else, without one fault spoiling what the other waits for.
  const mild = Object.entries(faults).filter(([name]) => /^(delete|expire|stutter)/.test(name))
  console.log(`seed ${seed}, ${rounds} round(s) of ${all.length} faults, ZooKeeper: ${kind}`)
  let passed = 0
  const failed: string[] = []
  let bench: Bench | undefined
  for (let round = 0; round < rounds; round++) {
    for (const [name, fault] of shuffled(all, random)) {
      bench ??= await start(kind, seed)
      // When all sessions expire, one broker may be the whole ISR for a moment; without its log directory nobody may lead.
      const fitting = name.includes('log directory') ? mild.filter(([each]) => !each.startsWith('expire')) : mild
      const [otherName, other] = process.argv.includes('--combine') ? fitting[Math.floor(random() * fitting.length)]! : ['', undefined]
      const title = other === undefined ? name : `${name} + ${otherName}`
      const both: Fault = other === undefined ? fault : async (trial) => void (await Promise.all([fault(trial), other(trial).catch(() => {})]))
      const before = performance.now()
      try {
        await underLoad(bench.cluster, both, { random, rdkafka: random() < 0.5, requestTimeoutMs: random() < 0.3 ? 15_000 : 3000 })
        passed++
        console.log(`passed  ${title} (${((performance.now() - before) / 1000).toFixed(1)} s)`)
      } catch (error) {
        failed.push(title)
        const { cause } = error as Error
        console.log(`FAILED  ${title}: ${String((error as Error).stack)}${cause === undefined ? '' : `\n  because ${String(cause)}`}\n  data in ${bench.dataDir}`)
        await bench.cluster.close()
        await bench.coordinator.close()
        bench = undefined
      }
    }
  }
  if (bench !== undefined) {
    await bench.cluster.close()
    await bench.coordinator.close()
    rmSync(bench.dataDir, { recursive: true, force: true })
  }
  console.log(`seed ${seed}: ${passed} passed, ${failed.length} failed${failed.map((name) => `\n  ${name}`).join('')}`)
  return failed.length === 0 ? 0 : 1
}

// So that nothing is left running.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
void main().then((code) => process.exit(code))
