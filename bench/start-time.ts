import { oneAfterTheOther, residentMiB } from './clusters'
import { sleep } from './raw-requests'
import type { Table } from './table'

const ROUNDS = 3
/** What a start leaves to be done is done by then. */
const IDLE_MS = 5000

/** From nothing until every broker serves, and what the processes occupy when they have nothing to do. */
export async function startTime(table: Table): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const brokers of [1, 3]) {
      await oneAfterTheOther(brokers, {}, async (subject) => {
        const who = brokers === 1 ? 'one broker' : `${brokers} brokers`
        table.add(subject.name, `ZooKeeper and ${who} ready`, subject.readyMs, { unit: 'ms', expected: 5 })
        if (brokers === 1 || round > 0) return
        await sleep(IDLE_MS)
        for (const pid of subject.pids.values()) {
          table.add(subject.name, 'resident memory of an idle broker', residentMiB(pid), { unit: 'MiB', expected: 5 })
        }
        const zookeeperMiB = residentMiB(subject.zookeeperPid)
        table.add(subject.name, 'resident memory of the idle ZooKeeper', zookeeperMiB, { unit: 'MiB' })
      })
    }
  }
}
