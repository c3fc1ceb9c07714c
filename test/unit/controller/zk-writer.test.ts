import { ControllerMovedError, SessionLostError } from '../../../controller/errors'
import { ZkWriter } from '../../../controller/zk-writer'
import type { WriteItem } from '../../../controller/zk-writer'
import { noRecorder } from '../../../recording/events'
import { silentLogger } from '../../../runtime/log'
import { realEnvironment } from '../../../runtime/real'
import { ZooKeeperError } from '../../../zk-schema/session/errors'
import { openSession } from '../../../zk-schema/session/session'
import type { Op, OpResult, ZooKeeperSession } from '../../../zk-schema/session/session'
import { startZooKeeperServer } from '../../../zookeeper/server'
import type { RunningZooKeeperServer } from '../../../zookeeper/server'

const env = realEnvironment()
let server: RunningZooKeeperServer
let session: ZooKeeperSession
let writer: ZkWriter
/** The multis that reached ZooKeeper, by their number of operations. */
let multis: number[]
let fate: ((number: number) => 'lost before' | 'lost after' | undefined) | undefined

beforeEach(async () => {
  server = await startZooKeeperServer(env, { host: '127.0.0.1', port: 0 })
  session = await openSession(env, { connect: `127.0.0.1:${server.port}`, sessionTimeoutMs: 4000 })
  await session.create('/controller_epoch', Buffer.from('1'))
  multis = []
  fate = undefined
  const real = session.multi.bind(session)
  let number = 0
  session.multi = async (ops: readonly Op[]): Promise<OpResult[]> => {
    const blow = fate?.(++number)
    if (blow === 'lost before') throw new ZooKeeperError('CONNECTION_LOSS', 'multi', '/')
    multis.push(ops.length)
    const results = await real(ops)
    if (blow === 'lost after') throw new ZooKeeperError('CONNECTION_LOSS', 'multi', '/')
    return results
  }
  writer = writerOf()
})

afterEach(async () => {
  await session.close()
  await server.close()
})

function writerOf(more: object = {}): ZkWriter {
  return new ZkWriter(
    { session, clock: env.clock, epochVersion: 0, secureAcls: false, logger: silentLogger, recorder: noRecorder, ...more },
  )
}

const create = (path: string, data = ''): WriteItem => ({ ops: [{ type: 'create', path, data: Buffer.from(data) }] })
const set = (path: string, data: string, version: number): WriteItem => (
  { ops: [{ type: 'set', path, data: Buffer.from(data), version }] }
)

test('puts many items behind one check, within the bounds', async () => {
  const results = await writer.write(Array.from({ length: 250 }, (_, index) => create(`/n${index}`)))
  expect(results.every(({ ok }) => ok)).toBe(true)
  expect(multis).toEqual([101, 101, 51])
  multis.length = 0
  const small = writerOf({ maxBytesPerMulti: 1000 })
  await small.write(Array.from({ length: 5 }, (_, index) => create(`/m${index}`, 'x'.repeat(300))))
  expect(multis).toEqual([3, 3, 2])
})

test('one item that fails costs only itself, wherever it stands', async () => {
  await session.create('/taken', null)
  const items = [create('/a'), create('/taken'), create('/b'), set('/missing', 'x', 0), create('/c')]
  const results = await writer.write(items)
  expect(results.map((result) => (result.ok ? 'ok' : result.code))).toEqual(['ok', 'NODE_EXISTS', 'ok', 'NO_NODE', 'ok'])
  const many = await writer.write(
    Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? create('/taken') : create(`/d${index}`))),
  )
  expect(many.map(({ ok }) => ok)).toEqual(Array.from({ length: 20 }, (_, index) => index % 2 === 1))
})

test('an item is all or nothing, and says which operation failed', async () => {
  await session.create('/taken', null)
  const [result] = await writer.write([{ ops: [...create('/x').ops, ...create('/taken').ops] }])
  expect(result).toEqual({ ok: false, code: 'NODE_EXISTS', failedOp: 1 })
  expect(await session.exists('/x')).toBeUndefined()
})

test('results are those of the item: versions, czxids', async () => {
  await session.create('/v', null)
  const [first, second] = await writer.write([set('/v', 'x', 0), create('/w')])
  expect(first!.ok && first!.results[0]).toMatchObject({ type: 'set', stat: { version: 1 } })
  expect(second!.ok && second!.results[0]).toMatchObject({ type: 'create', czxid: (await session.exists('/w'))!.czxid })
})

test('another controller: everything stops', async () => {
  await session.set('/controller_epoch', Buffer.from('2'), 0)
  await expect(writer.write([create('/a')])).rejects.toBeInstanceOf(ControllerMovedError)
  expect(await session.exists('/a')).toBeUndefined()
})

test.each(
  ['lost before', 'lost after'] as const,
)('an answer that is %s: what was asked is there once, and the result is as if nothing had happened', async (blow) => {
  await session.create('/v', null)
  await session.create('/gone', null)
  fate = (number) => (number === 1 ? blow : undefined)
  const results = await writer.write([
    create('/a', 'x'), set('/v', 'y', 0), { ops: [{ type: 'remove', path: '/gone', version: -1 }] },
  ])
  expect(results.map((result) => result.ok && result.results[0])).toMatchObject(
    [{ type: 'create' }, { type: 'set', stat: { version: 1 } }, { type: 'remove' }],
  )
  expect((await session.get('/v'))!.stat.version).toBe(1)
})

test('a lost answer of a write that had been refused: it is refused again', async () => {
  await session.create('/taken', Buffer.from('by another'))
  fate = (number) => (number === 1 ? 'lost before' : undefined)
  const [result] = await writer.write([create('/taken', 'ours')])
  expect(result).toEqual({ ok: false, code: 'NODE_EXISTS', failedOp: 0 })
})

test('a lost answer, and another controller when we look: everything stops', async () => {
  fate = () => 'lost before'
  const writing = writer.write([create('/a')])
  await session.set('/controller_epoch', Buffer.from('2'), 0)
  await expect(writing).rejects.toBeInstanceOf(ControllerMovedError)
})

test('the session is over: everything stops', async () => {
  await session.close()
  await expect(writer.write([create('/a')])).rejects.toBeInstanceOf(SessionLostError)
})

test('in front of each multi: a session that may be over is asked first', async () => {
  let asked = 0
  const exists = session.exists.bind(session)
  session.exists = (path, watch) => {
    asked++
    return exists(path, watch)
  }
  let sure = false
  session.mayAct = () => sure || (sure = asked > 0)
  await writer.write([create('/a')])
  expect(asked).toBe(1)
})

test('many multis are written down, and their answers taken, over several turns', async () => {
  let nowMs = 0
  let immediates: (() => void)[] = []
  const slow = {
    monoMs: () => nowMs, wallMs: () => 0, timer: () => ({ cancel: () => {} }),
    immediate: (callback: () => void) => void immediates.push(callback),
  }
  let written = 0
  let mayAct = true
  const asked: string[] = []
  const fake = {
    mayAct: () => mayAct,
    exists: async (path: string) => {
      asked.push(path)
      mayAct = true
      return undefined
    },
    multi: async (ops: readonly Op[]) => {
      nowMs += 3
      written++
      return ops.map((op) => (op.type === 'create' ? { type: 'create', path: op.path, czxid: 1 } : { type: 'check' }) as OpResult)
    },
  } as unknown as ZooKeeperSession
  const recorder = { record: () => void (nowMs += 3) }
  const writing = writerOf({ session: fake, clock: slow, recorder, maxOpsPerMulti: 1 }).write(
    Array.from({ length: 10 }, (_, index) => create(`/n${index}`)),
  )
  let results: readonly unknown[] | undefined
  writing.then((all) => (results = all), () => {})
  for (let turns = 0; results === undefined; turns++) {
    expect(turns).toBeLessThan(50)
    const [beforeMs, before] = [nowMs, written]
    const due = immediates
    immediates = []
    for (const callback of [() => {}, ...due]) {
      callback()
      for (let i = 0; i < 20; i++) await undefined
    }
    // And once the session was in doubt after a pause: nothing is written before it is known to be alive.
    if (written > 5 && asked.length === 0) mayAct = false
    expect(nowMs - beforeMs).toBeLessThanOrEqual(9)
    expect(written - before).toBeLessThanOrEqual(2)
  }
  expect(results).toHaveLength(10)
  expect(asked).toEqual(['/controller_epoch'])
})
