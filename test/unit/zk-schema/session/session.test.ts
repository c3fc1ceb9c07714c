import fc from 'fast-check'
import { InvariantError } from '../../../../runtime/assert'
import { realEnvironment } from '../../../../runtime/real'
import type { Environment } from '../../../../runtime/ports'
import { isZooKeeperError, MultiError } from '../../../../zk-schema/session/errors'
import { FrameAssembler } from '../../../../zk-schema/session/frames'
import { SessionKeeper } from '../../../../zk-schema/session/keeper'
import { JuteReader } from '../../../../zk-schema/session/replies'
import { openSession } from '../../../../zk-schema/session/session'
import type { NodeEvent, PersistentEvent, SessionOptions, ZooKeeperSession } from '../../../../zk-schema/session/session'
import { bytes, FakeServer, frame, int, replyFrame, stat, string, until } from './fake-server'
import type { FakeConnection, FakeRequest } from './fake-server'

const Type = { create: 1, exists: 3, get: 4, set: 5, children: 12, multi: 14, setWatches: 101, setWatches2: 105, addWatch: 106 }

let server: FakeServer
const sessions: ZooKeeperSession[] = []

beforeEach(async () => {
  server = await FakeServer.start()
})

afterEach(async () => {
  for (const session of sessions.splice(0)) session.abandon()
  await server.stop()
})

async function open(options: Partial<SessionOptions> = {}, env: Environment = realEnvironment()): Promise<ZooKeeperSession> {
  const session = await openSession(env, { connect: server.address, sessionTimeoutMs: 3000, ...options })
  sessions.push(session)
  return session
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'OK'
  } catch (error) {
    return isZooKeeperError(error) ? error.code : String(error)
  }
}

function found(connection: FakeConnection, request: FakeRequest): void {
  const body =
    request.type === Type.get
      ? Buffer.concat([bytes(null), stat()])
      : request.type === Type.children
        ? Buffer.concat([int(0), stat()])
        : stat()
  connection.reply(request, 5, body)
}

test('no more than the window is in flight, and the rest follows in order', async () => {
  const session = await open({ maxInFlight: 3, maxQueued: 4 })
  const reads = Array.from({ length: 7 }, (_, i) => session.exists(`/${i}`))
  expect(await codeOf(session.exists('/8'))).toBe('QUEUE_FULL')
  await until(() => server.last.requests.length === 3)
  expect(session.pending).toEqual({ inFlight: 3, queued: 4 })
  server.onRequest = found
  for (const request of [...server.last.requests]) server.last.reply(request, 5, stat())
  await Promise.all(reads)
  expect(server.last.requests.map((request) => request.xid)).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('a reply of another request, or bytes that are none, cost the connection and not the session', async () => {
  let broken = 0
  server.onRequest = (connection, request) => {
    switch (broken++) {
      case 0:
        return connection.send(replyFrame(request.xid + 1, 5, 0, stat()))
      case 1:
        return connection.reply(request, 5, stat().subarray(0, 30))
      case 2:
        return connection.send(frame(Buffer.alloc(3)))
      case 3:
        return connection.send(int(-5))
      default:
        return found(connection, request)
    }
  }
  const session = await open()
  expect(await session.exists('/a')).toBeDefined()
  expect(server.connections).toHaveLength(5)
  expect(server.last.handshake!.sessionId).toBe(0x77n)
})

test('a reply above the limit fails its request for good', async () => {
  server.onRequest = (connection, request) => {
    if (request.type === Type.get) connection.send(int(5_000_000))
    else found(connection, request)
  }
  const session = await open()
  const [large, next] = await Promise.all([codeOf(session.get('/large')), codeOf(session.exists('/a'))])
  expect([large, next]).toEqual(['TOO_LARGE', 'OK'])
})

test('a failed multi names the operation because of which it failed', async () => {
  server.onRequest = (connection, request) => {
    const error = (code: number): Buffer => Buffer.concat([int(-1), Buffer.from([0]), int(code), int(code)])
    connection.reply(request, 9, Buffer.concat([error(0), error(-110), error(-2), int(-1), Buffer.from([1]), int(-1)]))
  }
  const session = await open()
  const failed = session.multi([
    { type: 'check', path: '/a', version: 1 },
    { type: 'create', path: '/b', data: null },
    { type: 'remove', path: '/c', version: -1 },
  ])
  await expect(failed).rejects.toBeInstanceOf(MultiError)
  await expect(failed).rejects.toMatchObject({ code: 'NODE_EXISTS', index: 1, path: '/b', operation: 'create' })
})

test('watches fire once, for the handlers of their kind and path', async () => {
  server.onRequest = (connection, request) => {
    if (request.type === Type.exists) connection.reply(request, 5, undefined, -101)
    else found(connection, request)
  }
  const session = await open()
  const events: string[] = []
  const node = (path: string) => (event: NodeEvent) => events.push(`${path} ${event}`)
  session.onNodeChanged('/missing', node('/missing'))
  const off = session.onNodeChanged('/a', node('/a'))
  session.onChildrenChanged('/a', () => events.push('/a children'))
  expect(await session.exists('/missing', true)).toBeUndefined()
  await session.get('/a', true)
  await session.children('/a', true)
  for (const [type, path] of [
    [1, '/missing'],
    [3, '/a'],
    [3, '/a'],
    [4, '/a'],
    [4, '/a'],
    [1, '/never-watched'],
  ] as const) {
    server.last.event(type, path)
  }
  await until(() => events.length === 3)
  expect(events).toEqual(['/missing created', '/a changed', '/a children'])
  // A deletion fires both kinds.
  await session.get('/a', true)
  await session.children('/a', true)
  server.last.event(2, '/a')
  await until(() => events.length === 5)
  expect(events.slice(3)).toEqual(['/a deleted', '/a children'])
  off()
  await session.get('/a', true)
  server.last.event(3, '/a')
  await session.get('/a')
  expect(events).toHaveLength(5)
})

test('an event is told before the reply that was sent after it', async () => {
  server.onRequest = found
  const session = await open()
  const order: string[] = []
  session.onNodeChanged('/a', () => order.push('event'))
  await session.get('/a', true)
  server.onRequest = (connection, request) => {
    connection.event(3, '/a')
    found(connection, request)
  }
  await session.get('/a').then(() => order.push('reply'))
  expect(order).toEqual(['event', 'reply'])
})

test('persistent watches come back after a reconnect, and say that something may have been missed', async () => {
  server.onRequest = (connection, request) => connection.reply(request, 5, int(0))
  const session = await open()
  const events: PersistentEvent[] = []
  const end = await session.addPersistentWatch('/a', { recursive: true }, (event) => events.push(event))
  await session.addPersistentWatch('/b', { recursive: false }, (event) => events.push(event))
  for (const [type, path] of [
    [1, '/a/x/y'],
    [4, '/a'],
    [3, '/b'],
    [4, '/b'],
    [1, '/b/x'],
    [2, '/ab'],
  ] as const)
    server.last.event(type, path)
  await until(() => events.length === 3)
  expect(events).toEqual([
    { type: 'created', path: '/a/x/y' },
    { type: 'changed', path: '/b' },
    { type: 'childrenChanged', path: '/b' },
  ])
  server.last.cut()
  await until(() => events.length === 5)
  expect(events.slice(3).map((event) => event.type)).toEqual(['missed', 'missed'])
  await session.sync().catch(() => {})
  const again = server.last.requests[0]!
  expect(again.type).toBe(Type.setWatches2)
  expect(again.body.subarray(8)).toEqual(Buffer.concat([int(0), int(0), int(0), int(1), string('/b'), int(1), string('/a')]))
  end()
  server.last.event(1, '/a/z')
  server.last.event(3, '/b')
  await until(() => events.length === 6)
  expect(events[5]).toEqual({ type: 'changed', path: '/b' })
})

test('paths are told and asked for inside the chroot', async () => {
  server.onRequest = (connection, request) => {
    if (request.type === Type.create) connection.reply(request, 6, string('/ch/root/seq-0000000007'))
    else found(connection, request)
  }
  const session = await open({ connect: `${server.address}/ch/root` })
  const events: string[] = []
  session.onChildrenChanged('/', () => events.push('/'))
  expect(await session.create('/seq-', null, { sequential: true })).toEqual({ path: '/seq-0000000007', czxid: 6 })
  await session.children('/', true)
  await session.get('/a')
  const asked = server.last.requests.map(({ body }) => body.toString('utf8', 4, 4 + body.readInt32BE(0)))
  expect(asked).toEqual(['/ch/root/seq-', '/ch/root', '/ch/root/a'])
  server.last.event(4, '/ch/root')
  await until(() => events.length === 1)
})

test('mayAct holds until the time-out after the last request that was answered was sent, by the monotonic clock', async () => {
  const real = realEnvironment()
  let aheadMs = 0
  const env: Environment = { ...real, clock: { ...real.clock, monoMs: () => real.clock.monoMs() + aheadMs } }
  const session = await open({ sessionTimeoutMs: 60_000 }, env)
  expect(session.mayAct()).toBe(true)
  aheadMs = 49_000
  expect(session.mayAct()).toBe(true)
  const waiting = session.exists('/a')
  await until(() => server.last.requests.length === 1)
  aheadMs = 51_000
  expect(session.mayAct()).toBe(false)
  expect(session.mayAct(0)).toBe(true)
  aheadMs = 61_000
  // An answer proves that the session lived when the request was sent, at 49 s, not that it lives now.
  found(server.last, server.last.requests[0]!)
  await waiting
  expect(session.mayAct()).toBe(true)
  aheadMs = 49_000 + 50_001
  expect(session.mayAct()).toBe(false)
})

test('pings go out after a third of the time-out of silence', async () => {
  const session = await open({ sessionTimeoutMs: 300 })
  await until(() => server.last.pings.length >= 4)
  const { pings } = server.last
  for (let i = 1; i < 4; i++) expect(pings[i]! - pings[i - 1]!).toBeGreaterThan(60)
  expect(session.mayAct()).toBe(true)
  expect(server.connections).toHaveLength(1)
})

test('a connection that is not the first begins with a sync, so that what is read back is what was written', async () => {
  server.onRequest = found
  const session = await open()
  await session.exists('/a')
  expect(server.last.syncs).toBe(0)
  server.last.cut()
  await until(() => session.state === 'suspended')
  await session.exists('/a')
  expect(server.last.syncs).toBe(1)
})

test('a session is resumed by its credentials', async () => {
  const password = Buffer.from('0123456789abcdef')
  const session = await open({ credentials: { id: -3n, password } })
  expect(server.last.handshake).toMatchObject({ sessionId: -3n, password })
  expect(session.id).toBe(-3n)
  server.onHandshake = (connection) => connection.refuseExpired()
  await expect(
    openSession(realEnvironment(), { connect: server.address, credentials: { id: 4n, password } }),
  ).rejects.toMatchObject({
    code: 'SESSION_EXPIRED',
  })
})

test('the keeper opens sessions for ever and calls its handlers around each', async () => {
  let sessionId = 0n
  server.onHandshake = (connection, handshake) => {
    if (handshake.sessionId !== 0n) return connection.refuseExpired()
    connection.accept(handshake.timeoutMs, ++sessionId)
  }
  server.onRequest = found
  const keeper = new SessionKeeper(realEnvironment(), { connect: server.address, sessionTimeoutMs: 3000 })
  const log: string[] = []
  keeper.onBeforeNewSession(() => void log.push(`before ${keeper.current.state}`))
  keeper.onBeforeNewSession(() => Promise.reject(new Error('a handler that fails')))
  keeper.onNewSession(async (session) => {
    await session.exists('/a')
    log.push(`after ${session.id} previous ${keeper.previousId}`)
  })
  const first = await keeper.start()
  server.last.cut()
  await until(() => log.length === 2)
  expect(first.state).toBe('expired')
  server.last.cut()
  await until(() => log.length === 4)
  expect(log).toEqual(['before expired', 'after 2 previous 1', 'before expired', 'after 3 previous 2'])
  await keeper.close()
  expect(keeper.current.state).toBe('closed')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(server.connections).toHaveLength(5)
})

test('a zxid that is no exact number is a broken invariant', () => {
  const reader = new JuteReader(Buffer.from('7fffffffffffffff', 'hex'))
  expect(() => reader.long('zxid')).toThrow(InvariantError)
  expect(new JuteReader(Buffer.from('ffffffffffffffff', 'hex')).long('zxid')).toBe(-1)
})

test('frames are the same however the stream is cut', () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 30 }), (bodies, cuts) => {
      const stream = Buffer.concat(bodies.map((body) => frame(Buffer.from(body))))
      const received: Buffer[] = []
      const assembler = new FrameAssembler(
        300,
        (body) => received.push(Buffer.from(body)),
        () => expect('a bad length').toBe('none'),
      )
      for (let offset = 0, i = 0; offset < stream.length; i++) {
        const length = cuts[i % cuts.length]!
        assembler.push(stream.subarray(offset, offset + length))
        offset += length
      }
      expect(received).toEqual(bodies.map((body) => Buffer.from(body)))
    }),
  )
})
