/**
 * Three Apache brokers become prekraft's, and go back, under load: each in turn, on its id and directory.
 *   node -r ./test/support/register.cjs test/apache/migration.ts [--all] [--apache]
 * --all: each broker both ways after SIGTERM and after SIGKILL. --apache: each stays what it is, to see what is usual there.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whyNoApache } from './jars'
import { MixedCluster } from './mixed-cluster'
import { Run } from './mixed-run'
import { MigrationLoad, spread } from './migration-load'
import type { Kind } from './mixed-cluster'

const SETTINGS = {
  'zookeeper.session.timeout.ms': '12000',
  'replica.lag.time.max.ms': '10000',
  'offsets.topic.replication.factor': '3',
  'offsets.topic.num.partitions': '6',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.num.partitions': '6',
  'transaction.state.log.min.isr': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
  'group.initial.rebalance.delay.ms': '300',
  'log.cleaner.backoff.ms': '1000',
  'unclean.leader.election.enable': 'false',
}

interface Change {
  id: number
  kind: Kind
  signal: 'SIGTERM' | 'SIGKILL'
}

const ONCE: Change[] = [
  { id: 0, kind: 'prekraft', signal: 'SIGTERM' },
  { id: 1, kind: 'prekraft', signal: 'SIGKILL' },
  { id: 2, kind: 'prekraft', signal: 'SIGTERM' },
  { id: 2, kind: 'apache', signal: 'SIGKILL' },
  { id: 1, kind: 'apache', signal: 'SIGTERM' },
  { id: 0, kind: 'apache', signal: 'SIGTERM' },
]

/** The same with the signals exchanged. */
const AGAIN = ONCE.map((change): Change => ({ ...change, signal: change.signal === 'SIGTERM' ? 'SIGKILL' : 'SIGTERM' }))

async function changeKind(run: Run, load: MigrationLoad, { id, kind, signal }: Change, isToCommit: boolean): Promise<void> {
  const { cluster } = run
  await load.open.begin()
  await cluster.stop(id, signal)
  // An Apache broker ends with NODEEXISTS while the session of the one before it lives; ours waits.
  if (signal === 'SIGKILL' && kind === 'apache') await run.agreed()
  await cluster.start(id, kind)
  const clean = kind === 'apache' ? 'since clean shutdown file was found' : '"cleanShutdown":true'
  if (cluster.logOf(id).includes(clean) !== (signal === 'SIGTERM')) throw new Error(`its start is not the one after ${signal}`)
  await run.agreed()
  await load.open.end(isToCommit)
  await load.progress(`with ${id} as ${kind}`)
}

async function main(): Promise<number> {
  const why = whyNoApache()
  if (why !== undefined) {
    process.stdout.write(`skipped: ${why}\n`)
    return 0
  }
  // Below the ports that the system gives to outgoing connections.
  const port = Number(process.env.MIXED_PORT ?? 19212)
  const cluster = new MixedCluster(process.env.MIXED_DIR ?? mkdtempSync(join(tmpdir(), 'migration-')), port + 8, SETTINGS)
  const run = new Run(cluster, [], spread(6))
  process.on('SIGINT', () => void cluster.close().then(() => process.exit(130)))
  process.on('SIGTERM', () => void cluster.close().then(() => process.exit(143)))
  let load: MigrationLoad | undefined
  try {
    await cluster.startZooKeeper()
    for (const id of [0, 1, 2]) cluster.add(id, 'apache', port + id)
    await Promise.all([0, 1, 2].map((id) => cluster.start(id)))
    await run.prepare()
    await run.step('load', async () => void (load = await MigrationLoad.start(run)))
    if (load === undefined) return 1
    const its = load
    const both = process.argv.includes('--all') ? [...ONCE, ...AGAIN] : ONCE
    const changes = process.argv.includes('--apache') ? both.map((change): Change => ({ ...change, kind: 'apache' })) : both
    for (const [i, change] of changes.entries()) {
      const name = `${change.id} to ${change.kind} after ${change.signal}`
      await run.step(name, async () => await changeKind(run, its, change, i % 3 !== 1))
    }
    await run.step('end', async () => {
      const found = await its.finish()
      if (found.length > 0) throw new Error(found.slice(0, 8).join('\n         '))
    })
  } finally {
    await load?.abandon()
    await cluster.close()
  }
  process.stdout.write(`${run.failures === 0 ? 'passed' : `${run.failures} steps failed`}; logs in ${cluster.dir}\n`)
  return run.failures === 0 ? 0 : 1
}

void main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  },
)
