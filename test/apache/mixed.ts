/**
 * prekraft and Apache brokers in one cluster, either kind as controller, and brokers that change from one kind to the other.
 *   node -r ./test/support/register.cjs test/apache/mixed.ts [--all] [part of a step's name ...]
 * Without --all, and without names: under prekraft's controllers only, and fewer steps; unusual warnings in logs are only shown.
 * KAFKA_VERSION=2.8.2 (3.3.2, 3.6.2): with that as the other kind, all on its inter.broker.protocol.version; fewer steps.
 */
import { coordinatorSteps } from './coordinator-steps'
import { electionSteps } from './election-steps'
import { besideApache, freePorts } from './frame'
import { groupToolStep } from './group-tool-steps'
import { IS_OLDER, VERSION } from './jars'
import { logSteps } from './log-steps'
import { MixedCluster, coordinatorSettings } from './mixed-cluster'
import { Run } from './mixed-run'
import { change, steps } from './mixed-steps'
import { olderSteps } from './older-steps'

const SETTINGS = {
  'zookeeper.session.timeout.ms': '12000',
  'replica.lag.time.max.ms': '4000',
  ...coordinatorSettings(4, 4),
  'log.cleaner.backoff.ms': '1000',
  'auto.leader.rebalance.enable': 'false',
  'unclean.leader.election.enable': 'false',
}

besideApache('mixed', async ({ dir, args, atEnd }) => {
  const wanted = args.filter((each) => each !== '--all')
  const isWhole = args.length > 0
  const controllers = isWhole || IS_OLDER ? (['apache', 'prekraft'] as const) : (['prekraft'] as const)
  const [zooKeeperPort, ...ports] = await freePorts(5)
  const settings = IS_OLDER ? { ...SETTINGS, 'inter.broker.protocol.version': VERSION.replace(/\.\d+$/, '') } : SETTINGS
  const cluster = new MixedCluster(dir, zooKeeperPort!, settings)
  atEnd(() => cluster.close())
  const run = new Run(cluster, wanted, isWhole)
  await cluster.startZooKeeper()
  for (const [i, kind] of (['apache', 'apache', 'prekraft', 'prekraft'] as const).entries())
    cluster.add([0, 1, 10, 11][i]!, kind, ports[i]!)
  await Promise.all([cluster.start(0), cluster.start(1)])
  await Promise.all([cluster.start(10), cluster.start(11)])
  await run.prepare()
  const java = run.startJava()
  atEnd(() => Promise.resolve(java.kill()))
  if (IS_OLDER) {
    for (const kind of controllers) {
      await olderSteps(run, kind)
      await coordinatorSteps(run, kind, false)
    }
  } else {
    await change(run)
    for (const kind of controllers) {
      await steps(run, kind)
      if (isWhole) await electionSteps(run, kind)
      if (isWhole) await groupToolStep(run, kind)
      await coordinatorSteps(run, kind, isWhole)
      await logSteps(run, kind)
    }
  }
  await run.always("the end of Java's producer", () => java.stop())
  return run.closing()
})
