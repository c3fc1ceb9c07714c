/**
 * Three Apache brokers become prekraft's, and go back, under load: each in turn, on its id and directory.
 *   node -r ./test/support/register.cjs test/apache/migration.ts [--all] [--apache]
 * --all: each broker both ways after SIGTERM and after SIGKILL, and unusual warnings in logs count as failures, too.
 * --apache: each stays what it is, to see what is usual there.
 */
import { besideApache, freePorts } from './frame'
import { MixedCluster, coordinatorSettings } from './mixed-cluster'
import { Run } from './mixed-run'
import { MigrationLoad, spread } from './migration-load'
import type { Kind } from './mixed-cluster'

const SETTINGS = {
  'zookeeper.session.timeout.ms': '12000',
  'replica.lag.time.max.ms': '10000',
  ...coordinatorSettings(3, 6),
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
  await load.progress(`with ${id} as ${kind}`, signal === 'SIGKILL' ? 'abrupt' : 'orderly')
}

besideApache('migration', async ({ dir, args, atEnd }) => {
  const [zooKeeperPort, ...ports] = await freePorts(4)
  const cluster = new MixedCluster(dir, zooKeeperPort!, SETTINGS)
  atEnd(() => cluster.close())
  const isWhole = args.includes('--all')
  const run = new Run(cluster, [], isWhole, spread(6))
  await cluster.startZooKeeper()
  for (const id of [0, 1, 2]) cluster.add(id, 'apache', ports[id]!)
  await Promise.all([0, 1, 2].map((id) => cluster.start(id)))
  await run.prepare()
  let load: MigrationLoad | undefined
  atEnd(async () => await load?.abandon())
  await run.step('load', async () => void (load = await MigrationLoad.start(run)))
  if (load === undefined) return 1
  const its = load as MigrationLoad
  const both = isWhole ? [...ONCE, ...AGAIN] : ONCE
  const changes = args.includes('--apache') ? both.map((change): Change => ({ ...change, kind: 'apache' })) : both
  for (const [i, change] of changes.entries()) {
    const name = `${change.id} to ${change.kind} after ${change.signal}`
    await run.step(name, async () => await changeKind(run, its, change, i % 3 !== 1))
  }
  await run.step('end', async () => {
    const found = await its.finish()
    if (found.length > 0) throw new Error(found.slice(0, 8).join('\n         '))
  })
  return run.closing()
})
