import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { decodePartitionState, partitionStatePath } from '../../../zk-schema/topics'
import { PYTHON, pythonHas } from './rdkafka-producer'
import type { Fault, Trial } from './trial'

export interface Deed {
  deed: 'create' | 'sequence' | 'set' | 'delete'
  path: string
  data?: string
}

/** What hands and foreign programs have left in Kafka's znodes. None of it may harm anybody. */
export function deeds(topic: string, broker: number): Deed[] {
  const garbage = ['', 'garbage', '{', '[]', '{"version":1}', '{"version":99,"what":"ever"}', 'null', '\u0000\u0001']
  const named = (prefix: string): Deed[] => garbage.map((data, i) => ({ deed: 'create', path: `${prefix}-${i}`, data }))
  const sequences = (prefix: string): Deed[] => garbage.map((data) => ({ deed: 'sequence', path: prefix, data }))
  const state = (data: string): Deed => ({ deed: 'set', path: `/brokers/topics/${topic}/partitions/1/state`, data })
  return [
    ...named('/brokers/topics/malformed'),
    { deed: 'create', path: '/brokers/topics/not a name', data: '{"version":1,"partitions":{"0":[0,1,2]}}' },
    { deed: 'create', path: '/brokers/topics/strangers', data: '{"version":3,"partitions":{"0":[77,78]},"adding_replicas":{},"removing_replicas":{}}' },
    { deed: 'create', path: '/brokers/ids/not-a-number', data: '{}' },
    { deed: 'create', path: '/brokers/ids/4711', data: 'garbage' },
    ...named('/config/topics/malformed'),
    { deed: 'create', path: '/config/topics/not a name', data: '{"version":1,"config":{"retention.ms":"x"}}' },
    ...sequences('/config/changes/config_change_'),
    ...sequences('/isr_change_notification/isr_change_'),
    ...sequences('/log_dir_event_notification/log_dir_event_'),
    { deed: 'create', path: '/admin/delete_topics/nowhere' },
    { deed: 'create', path: '/admin/preferred_replica_election', data: 'garbage' },
    { deed: 'create', path: '/admin/reassign_partitions', data: '{"version":1,"partitions":[{"topic":"nowhere","partition":0,"replicas":[0]}]}' },
    { deed: 'create', path: '/brokers/foreign', data: 'garbage' },
    { deed: 'create', path: `/brokers/topics/${topic}/partitions/not-a-number` },
    { deed: 'create', path: `/brokers/topics/${topic}/foreign` },
    state('garbage'),
    { deed: 'delete', path: `/brokers/topics/${topic}/partitions/2/state` },
    { deed: 'delete', path: `/brokers/ids/${broker}` },
  ]
}

function parts(deed: Deed): Buffer {
  return deed.data === undefined ? Buffer.alloc(0) : Buffer.from(deed.data)
}

/** By kazoo where Python has it, so that the znodes are as foreign as can be; else by a session of ours. Nobody minds a node that is there or not. */
async function carryOut({ cluster }: Trial, all: readonly Deed[]): Promise<void> {
  if (pythonHas('kazoo')) {
    const input = JSON.stringify(all)
    const run = spawnSync(PYTHON, [join(__dirname, 'kazoo_meddle.py'), cluster.zookeeperConnect], { input, encoding: 'utf8', timeout: 30_000 })
    if (run.status !== 0) throw new Error(`kazoo failed: ${run.stderr}`)
    return
  }
  await cluster.zookeeper(async (session) => {
    for (const each of all) {
      const done =
        each.deed === 'delete' ? session.remove(each.path, -1)
        : each.deed === 'set' ? session.set(each.path, parts(each), -1)
        : session.create(each.path, parts(each), { sequential: each.deed === 'sequence' })
      await done.catch(() => {})
    }
  })
}

/** Hand-written topics come to life, malformed and deleted znodes do no harm, and when the mess is removed no trace of it is left. */
export const meddle: Fault = async (trial) => {
  const { cluster, load, topic, admin } = trial
  const byHand = `${topic}-by-hand`
  const broker = await cluster.leaderOf(topic, 3)
  const all = deeds(topic, broker)
  await carryOut(trial, all)
  await load.progress('with a mess in ZooKeeper')
  // Once the states are written again from the controller's memory, the next controller comes to the same mess.
  await cluster.until('the spoilt states are written again', 30_000, () => cluster.zookeeper(async (session) => {
    for (const partition of [1, 2]) {
      decodePartitionState(topic, partition, (await session.get(partitionStatePath(topic, partition)))?.data ?? null)
    }
    return true
  }))
  await cluster.moveController()
  await load.progress('with a mess in ZooKeeper, under the next controller')
  await cluster.restart(0)
  await load.progress('with a mess in ZooKeeper, after a restart')
  await carryOut(trial, [
    { deed: 'create', path: `/brokers/topics/${byHand}`, data: '{"version":1,"partitions":{"0":[0,1],"1":[2,0,1]}}' },
  ])
  await cluster.until('the hand-written topic has leaders', 30_000, async () => {
    const [found] = await admin.describeTopics([byHand])
    return found !== undefined && found.partitions.length === 2 && found.partitions.every(({ leader }) => leader >= 0)
  })
  const remains = all.filter(({ deed }) => deed === 'create').map(({ path }): Deed => ({ deed: 'delete', path }))
  await carryOut(trial, remains)
}
