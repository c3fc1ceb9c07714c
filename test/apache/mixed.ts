/**
 * prekraft and Apache brokers in one cluster, either kind as controller, and brokers that change from one kind to the other.
 *   node -r ./test/support/register.cjs test/apache/mixed.ts [--all] [part of a step's name ...]
 * Without --all, and without names: under prekraft's controllers only.
 * KAFKA_VERSION=2.8.2: with that as the other kind, and all on inter.broker.protocol.version 2.8; fewer steps.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERSION, whyNoApache } from './jars'
import { coordinatorSteps } from './coordinator-steps'
import { logSteps } from './log-steps'
import { MixedCluster } from './mixed-cluster'
import { Run } from './mixed-run'
import { change, steps } from './mixed-steps'
import { olderSteps } from './older-steps'

const SETTINGS = {
  'zookeeper.session.timeout.ms': '12000',
  'replica.lag.time.max.ms': '4000',
  'offsets.topic.replication.factor': '4',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '4',
  'transaction.state.log.num.partitions': '4',
  'transaction.state.log.min.isr': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
  'group.initial.rebalance.delay.ms': '300',
  'log.cleaner.backoff.ms': '1000',
  'auto.leader.rebalance.enable': 'false',
  'unclean.leader.election.enable': 'false',
}

function isOlder(): boolean {
  const [major, minor] = VERSION.split('.').map(Number)
  return major! * 100 + minor! < 309
}

async function main(): Promise<number> {
  const why = whyNoApache()
  if (why !== undefined) {
    process.stdout.write(`skipped: ${why}\n`)
    return 0
  }
  const wanted = process.argv.slice(2).filter((each) => each !== '--all')
  const controllers = process.argv.length > 2 || isOlder() ? (['apache', 'prekraft'] as const) : (['prekraft'] as const)
  // Below the ports that the system gives to outgoing connections.
  const port = Number(process.env.MIXED_PORT ?? 19192)
  const settings = isOlder() ? { ...SETTINGS, 'inter.broker.protocol.version': VERSION.replace(/\.\d+$/, '') } : SETTINGS
  const cluster = new MixedCluster(process.env.MIXED_DIR ?? mkdtempSync(join(tmpdir(), 'mixed-')), port + 8, settings)
  const run = new Run(cluster, wanted)
  process.on('SIGINT', () => void cluster.close().then(() => process.exit(130)))
  process.on('SIGTERM', () => void cluster.close().then(() => process.exit(143)))
  try {
    await cluster.startZooKeeper()
    for (const [i, kind] of (['apache', 'apache', 'prekraft', 'prekraft'] as const).entries())
      cluster.add([0, 1, 10, 11][i]!, kind, port + i)
    await Promise.all([cluster.start(0), cluster.start(1)])
    await Promise.all([cluster.start(10), cluster.start(11)])
    await run.prepare()
    if (isOlder()) {
      for (const kind of controllers) await olderSteps(run, kind)
    } else {
      await change(run)
      for (const kind of controllers) {
        await steps(run, kind)
        await coordinatorSteps(run, kind)
        await logSteps(run, kind)
      }
    }
  } finally {
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
