/**
 * The same administrative actions on a cluster of Apache brokers and on one of ours leave the same znodes.
 *   npm run test:tree
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whyNoApache } from '../jars'
import { MixedCluster, pause } from '../mixed-cluster'
import { actions } from './actions'
import { compareTrees, treeOf } from './tree'
import type { Kind } from '../mixed-cluster'

const SETTINGS = {
  'zookeeper.session.timeout.ms': '6000',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'auto.create.topics.enable': 'false',
  'auto.leader.rebalance.enable': 'false',
  'controlled.shutdown.enable': 'true',
}
const SETTLE_MS = 12_000

async function cluster(kind: Kind, dir: string, port: number): Promise<MixedCluster> {
  const made = new MixedCluster(dir, port + 8, SETTINGS)
  for (const id of [0, 1]) made.add(id, kind, port + id)
  await made.startZooKeeper()
  // One after the other: broker 0 is the controller.
  for (const id of [0, 1]) await made.start(id)
  return made
}

async function main(): Promise<number> {
  const why = whyNoApache()
  if (why !== undefined) {
    process.stdout.write(`skipped: ${why}\n`)
    return 0
  }
  const dir = mkdtempSync(join(tmpdir(), 'tree-'))
  const port = Number(process.env.TREE_PORT ?? 19392)
  const clusters: MixedCluster[] = []
  let different = 0
  let known = new Set<string>()
  try {
    clusters.push(await cluster('apache', join(dir, 'apache'), port), await cluster('prekraft', join(dir, 'prekraft'), port + 20))
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
  } finally {
    for (const one of clusters) await one.close()
  }
  process.stdout.write(`${actions.length + 1 - different} of ${actions.length + 1} trees equal; logs in ${dir}\n`)
  return different === 0 ? 0 : 1
}

void main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  },
)
