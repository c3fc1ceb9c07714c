/**
 * Exactly-once copies under all faults, in an order that a seed decides: `npm run test:exactly-once -- [--rounds N] [--seed S] [--only TEXT]
 * [--clients prekraft,kafkajs,confluent,java]`. A round is every fault once, each while all clients copy. Prints its seed; the data of a
 * trial that failed stay where the message says. Exit code 1 if anything did.
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster } from '../../../index'
import { randomFrom } from '../../hostile/support'
import { copierKinds } from './copier'
import { copyFaults } from './faults'
import { CopyTrial, OVERRIDES } from './trial'
import type { CopierKind } from './copier'
import type { TestCluster } from '../../../index'

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, key: random() })).sort((a, b) => a.key - b.key).map(({ item }) => item)
}

async function main(): Promise<number> {
  const seed = Number(option('seed') ?? Math.floor(Math.random() * 2 ** 31))
  const rounds = Number(option('rounds') ?? 1)
  const only = option('only') ?? ''
  const random = randomFrom(seed)
  const wanted = option('clients')?.split(',')
  const kinds = Object.values<CopierKind>(copierKinds).filter(({ name, isThere }) => (wanted === undefined || wanted.includes(name)) && isThere())
  const all = Object.entries(copyFaults).filter(([name]) => name.includes(only))
  console.log(`seed ${seed}, ${rounds} round(s) of ${all.length} faults, clients: ${kinds.map(({ name }) => name).join(', ')}`)
  const failed: string[] = []
  let passed = 0
  let bench: { cluster: TestCluster; dataDir: string } | undefined
  for (let round = 0; round < rounds; round++) {
    for (const [name, fault] of shuffled(all, random)) {
      const dataDir: string = bench?.dataDir ?? join(tmpdir(), `pk-exactly-once-${seed}-${passed + failed.length}`)
      // What an earlier run with this seed left.
      if (bench === undefined) rmSync(dataDir, { recursive: true, force: true })
      const cluster: TestCluster = bench?.cluster ?? (await startCluster({ dataDir, overrides: OVERRIDES }))
      bench = { cluster, dataDir }
      const before = performance.now()
      let trial: CopyTrial | undefined
      try {
        trial = await CopyTrial.start(cluster, kinds, random)
        await trial.progress('before the fault', 30)
        await fault(trial)
        await cluster.waitUntilHealthy({ timeoutMs: 90_000 })
        await trial.progress('after the fault')
        await trial.finish()
        passed++
        const copied = trial.lines.map(({ kind, seenTotal }) => `${kind.name} ${seenTotal}`).join(', ')
        console.log(`passed  ${name} (${((performance.now() - before) / 1000).toFixed(1)} s; ${copied})`)
      } catch (error) {
        failed.push(name)
        trial?.abandon()
        console.log(`FAILED  ${name}: ${String((error as Error).stack)}\n  data in ${dataDir}`)
        await cluster.close()
        bench = undefined
      }
    }
  }
  if (bench !== undefined) {
    await bench.cluster.close()
    rmSync(bench.dataDir, { recursive: true, force: true })
  }
  console.log(`seed ${seed}: ${passed} passed, ${failed.length} failed${failed.map((name) => `\n  ${name}`).join('')}`)
  return failed.length === 0 ? 0 : 1
}

// So that nothing is left running.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
void main().then((code) => process.exit(code))
