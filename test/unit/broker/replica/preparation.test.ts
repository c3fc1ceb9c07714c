/** Records that are opened away from the event loop: what may have changed when they come back. */
import { Preparation } from '../../../../broker/replica/preparation'
import { ErrorCode } from '../../../../protocol/errors'
import { World } from '../../../simulation/world/world'
import { brokers, elect } from './support/brokers'
import type { PreparedRecords } from '../../../../broker/log/log-types'
import type { ReplicaLog } from '../../../../broker/replica/log-port'
import type { TestBroker } from './support/brokers'

type Ready = (value: PreparedRecords) => void

/** Every append to this broker's log needs preparation, which ends when the test says so. */
function holdUp(broker: TestBroker): Ready[] {
  const waiting: Ready[] = []
  Object.assign(broker.log(), { needsPreparation: () => true, prepare: () => new Promise<PreparedRecords>((resolve) => waiting.push(resolve)) })
  return waiting
}

const nothing = { rules: undefined, outcome: Buffer.alloc(0) } as unknown as PreparedRecords

async function cluster(): Promise<{ world: World; all: TestBroker[] }> {
  const world = new World(7)
  const all = brokers(world, 3)
  await elect(world, all, { leader: 1, leaderEpoch: 0, isNew: true })
  return { world, all }
}

test('the append comes when the records are ready, in a buffer of their own', async () => {
  const { world, all: [leader] } = await cluster()
  const waiting = holdUp(leader!)
  const produced = leader!.produce('a')
  await world.run(50)
  expect({ held: waiting.length, end: leader!.log().endOffset }).toEqual({ held: 1, end: 0 })
  waiting[0]!(nothing)
  expect(await world.settle(produced, 3000, 'the answer')).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0 })
})

test('a leader that is none any more, or may not act, appends nothing', async () => {
  const { world, all } = await cluster()
  const [leader] = all
  const waiting = holdUp(leader!)
  const fenced = leader!.produce('a')
  await world.run(10)
  leader!.mayAct = false
  waiting[0]!(nothing)
  expect(await world.settle(fenced, 3000, 'the answer')).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  leader!.mayAct = true
  const deposed = leader!.produce('b')
  await world.run(10)
  await elect(world, all, { leader: 2, leaderEpoch: 1 })
  waiting[1]!(nothing)
  expect(await world.settle(deposed, 3000, 'the answer')).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  expect(all.map((broker) => broker.log().endOffset)).toEqual([0, 0, 0])
})

test('a broker that stops meanwhile appends nothing', async () => {
  const { world, all: [leader] } = await cluster()
  const waiting = holdUp(leader!)
  const produced = leader!.produce('a')
  await world.run(10)
  await world.settle(leader!.replicas.shutdown(), 1000, 'the shutdown')
  waiting[0]!(nothing)
  expect(await world.settle(produced, 3000, 'the answer')).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  expect(leader!.log().endOffset).toBe(0)
})

test('two at a time, the others in their order; room is bounded', async () => {
  const preparation = new Preparation()
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const log = {
    prepare: (records: Buffer) => {
      begun.push(records.toString())
      return new Promise<PreparedRecords>((resolve, reject) => {
        ends.set(records.toString(), () => (records.toString() === 'b' ? reject(new Error('b')) : resolve(nothing)))
      })
    },
  } as unknown as ReplicaLog
  const all = ['a', 'b', 'c', 'd'].map((name) => preparation.prepare(log, Buffer.from(name)).catch(() => nothing))
  await new Promise((resolve) => setImmediate(resolve))
  expect(begun).toEqual(['a', 'b'])
  ends.get('b')!()
  await all[1]
  expect(begun).toEqual(['a', 'b', 'c'])
  ends.get('a')!()
  await all[0]
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
  for (const name of ['c', 'd']) ends.get(name)!()
  await Promise.all(all)

  const MB = 1024 * 1024
  expect(preparation.hold(100 * MB)).toBe(true)
  expect(preparation.hold(1)).toBe(false)
  preparation.release(100 * MB)
  expect([preparation.hold(20 * MB), preparation.hold(20 * MB), preparation.hold(10 * MB)]).toEqual([true, false, true])
})
