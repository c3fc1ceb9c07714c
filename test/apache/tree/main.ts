/**
 * The same administrative actions on a cluster of Apache brokers and on one of ours leave the same znodes.
 *   npm run test:tree
 */
import { join } from 'node:path'
import { besideApache, freePorts } from '../frame'
import { MixedCluster, pause } from '../mixed-cluster'
import { actions } from './actions'
import { compareTrees, treeOf } from './tree'

const SETTINGS = {
  'zookeeper.session.timeout.ms': '6000',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'auto.create.topics.enable': 'false',
  'auto.leader.rebalance.enable': 'false',
  'controlled.shutdown.enable': 'true',
}
const SETTLE_MS = 12_000

async function start(cluster: MixedCluster): Promise<void> {
  await cluster.startZooKeeper()
  // One after the other: broker 0 is the controller.
  for (const id of [0, 1]) await cluster.start(id)
}

besideApache('tree', async ({ dir, atEnd }) => {
  const clusters: MixedCluster[] = []
  let different = 0
  let known = new Set<string>()
  for (const kind of ['apache', 'prekraft'] as const) {
    const [zooKeeperPort, ...ports] = await freePorts(3)
    const cluster = new MixedCluster(join(dir, kind), zooKeeperPort!, SETTINGS)
    atEnd(() => cluster.close())
    for (const id of [0, 1]) cluster.add(id, kind, ports[id]!)
    await start(cluster)
    clusters.push(cluster)
  }
  const compare = async (name: string): Promise<void> => {
    const deadline = Date.now() + SETTLE_MS
    let found: string[]
    do {
      const [apache, ours] = await Promise.all(clusters.map((one) => treeOf(one)))
      found = compareTrees(apache!, ours!).filter((line) => !known.has(line))
      if (found.length > 0) await pause(300)
    } while (found.length > 0 && Date.now() < deadline)
    // What stays different is told once.
    if (found.length > 0) {
      different++
      known = new Set([...known, ...found])
    }
    process.stdout.write(`${found.length === 0 ? 'equal    ' : 'DIFFERENT'} ${name}\n${found.map((line) => `    ${line}\n`).join('')}`)
  }
  await compare('two new clusters')
  for (const action of actions) {
    const failures = await Promise.all(clusters.map((one) => action.run(one).then(() => undefined, (error: Error) => error.message)))
    if (failures[0] !== failures[1]) {
      different++
      process.stdout.write(`DIFFERENT ${action.name}: Apache ${failures[0] ?? 'did it'}, prekraft ${failures[1] ?? 'did it'}\n`)
    }
    await compare(action.name)
  }
  process.stdout.write(`${actions.length + 1 - different} of ${actions.length + 1} trees equal; logs in ${dir}\n`)
  return different === 0 ? 0 : 1
})
