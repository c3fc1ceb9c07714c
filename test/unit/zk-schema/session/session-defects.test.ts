/**
 * The thirteen defects of node-zookeeper-client 1.1.3 that were reproduced before this session layer was written, each with the
 * server's side broken in the way that showed it.
 */
import { createLogger } from '../../../../runtime/log'
import { realEnvironment } from '../../../../runtime/real'
import { isZooKeeperError } from '../../../../zk-schema/session/errors'
import { openSession } from '../../../../zk-schema/session/session'
import type { Op, SessionOptions, ZooKeeperSession } from '../../../../zk-schema/session/session'
import { bytes, FakeServer, frame, int, replyFrame, stat, string, until } from './fake-server'
import type { FakeConnection, FakeRequest } from './fake-server'

const env = realEnvironment()
const Type = {
  create: 1,
  remove: 2,
  exists: 3,
  get: 4,
  set: 5,
  children: 12,
  multi: 14,
  auth: 100,
  setWatches: 101,
  setWatches2: 105,
  close: -11,
}

let server: FakeServer
let other: FakeServer | undefined
const sessions: ZooKeeperSession[] = []

beforeEach(async () => {
  server = await FakeServer.start()
})

afterEach(async () => {
  for (const session of sessions.splice(0)) session.abandon()
  await server.stop()
  await other?.stop()
  other = undefined
})

async function open(options: Partial<SessionOptions> = {}): Promise<ZooKeeperSession> {
  const session = await openSession(env, { connect: server.address, sessionTimeoutMs: 3000, ...options })
  sessions.push(session)
  return session
}

/** Answers every request with success. */
function obliging(connection: FakeConnection, request: FakeRequest): void {
  const path = (): Buffer => string(request.body.toString('utf8', 4, 4 + request.body.readInt32BE(0)))
  switch (request.type) {
    case Type.create:
      return connection.reply(request, 5, path())
    case Type.set:
    case Type.exists:
      return connection.reply(request, 5, stat())
    case Type.get:
      return connection.reply(request, 5, Buffer.concat([bytes(Buffer.from('data')), stat()]))
    case Type.children:
      return connection.reply(request, 5, Buffer.concat([int(1), string('child'), stat()]))
    case Type.auth:
      return connection.send(replyFrame(-4, 0, 0))
    default:
      return connection.reply(request, 5)
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'OK'
  } catch (error) {
    return isZooKeeperError(error) ? error.code : String(error)
  }
}

test('1: a condition on version 0 is sent as 0, in a multi and alone', async () => {
  server.onRequest = (connection, request) => {
    if (request.type !== Type.multi) return obliging(connection, request)
    const done = Buffer.concat([int(-1), Buffer.from([1]), int(-1)])
    const ok = (type: number, body: Buffer = Buffer.alloc(0)): Buffer =>
      Buffer.concat([int(type), Buffer.from([0]), int(0), body])
    connection.reply(request, 9, Buffer.concat([ok(13), ok(5, stat()), ok(2), done]))
  }
  const session = await open()
  await session.multi([
    { type: 'check', path: '/c', version: 0 },
    { type: 'set', path: '/s', data: null, version: 0 },
    { type: 'remove', path: '/r', version: 0 },
  ])
  await session.set('/s', Buffer.from('x'), 0)
  await session.remove('/r', 0)
  const [multi, set, remove] = server.last.requests
  const zero = int(0)
  const header = (type: number): Buffer => Buffer.concat([int(type), Buffer.from([0]), int(-1)])
  expect(multi!.body.subarray(0, 9 + 6 + 4)).toEqual(Buffer.concat([header(13), string('/c'), zero]))
  expect(multi!.body.includes(Buffer.concat([header(5), string('/s'), int(-1), zero]))).toBe(true)
  expect(multi!.body.includes(Buffer.concat([header(2), string('/r'), zero]))).toBe(true)
  expect(set!.body.readInt32BE(set!.body.length - 4)).toBe(0)
  expect(remove!.body.readInt32BE(remove!.body.length - 4)).toBe(0)
})

test('2: a connection cut in the middle of a frame is left behind', async () => {
  server.onHandshake = (connection, handshake) => {
    if (server.connections.length > 1) return connection.accept(handshake.timeoutMs, 1n)
    connection.send(frame(Buffer.alloc(37)).subarray(0, 20))
    connection.cut()
  }
  server.onRequest = (connection, request) => {
    if (server.connections.length > 2) return obliging(connection, request)
    connection.send(replyFrame(request.xid, 5, 0, Buffer.concat([bytes(Buffer.from('data')), stat()])).subarray(0, 30))
    connection.cut()
  }
  const session = await open()
  expect((await session.get('/a'))?.data?.toString()).toBe('data')
  expect(server.connections).toHaveLength(3)
})

test('3: a server that does not answer the handshake, or stops answering, is left for another', async () => {
  other = await FakeServer.start()
  const silent = (connection: FakeConnection): void => void connection
  const both = [server, other]
  for (const one of both) one.onHandshake = silent
  const opening = openSession(env, {
    connect: both.map((one) => one.address).join(),
    sessionTimeoutMs: 600,
    connectionTimeoutMs: 10_000,
  })
  await until(
    () => both.every((one) => one.connections.some((connection) => connection.handshake !== undefined)),
    'both were tried',
  )
  for (const one of both) {
    one.onHandshake = (connection, handshake) => connection.accept(handshake.timeoutMs, 5n)
    one.onRequest = obliging
  }
  const session = await opening
  sessions.push(session)
  // The one that serves now falls silent, as a process that is stopped: connected, and no answer.
  const serving = both.find((one) => !one.last.closed && one.last.handshake !== undefined)!
  const rest = both.find((one) => one !== serving)!
  const before = rest.connections.length
  serving.answersPings = false
  serving.onRequest = silent
  serving.onHandshake = silent
  await until(() => rest.connections.length > before, 'the fail-over')
  expect(await codeOf(session.get('/a'))).toBe('OK')
  expect(serving.last.closed).toBe(true)
  expect(rest.last.handshake!.sessionId).toBe(5n)
})

test('4: after expiry every request is answered with SESSION_EXPIRED, those never sent and later ones too', async () => {
  const session = await open({ maxInFlight: 1 })
  const states: string[] = []
  session.onState((state) => states.push(state))
  const sent = codeOf(session.create('/sent', null))
  const unsent = codeOf(session.create('/unsent', null))
  const read = codeOf(session.get('/read'))
  await until(() => server.last.requests.length === 1)
  server.onHandshake = (connection) => connection.refuseExpired()
  server.last.cut()
  expect(await sent).toBe('CONNECTION_LOSS')
  expect(await unsent).toBe('SESSION_EXPIRED')
  expect(await read).toBe('SESSION_EXPIRED')
  expect(await codeOf(session.create('/later', null))).toBe('SESSION_EXPIRED')
  expect(states).toEqual(['suspended', 'expired'])
  expect(session.mayAct(0)).toBe(false)
})

test('4b: a request that is answered with SESSION_EXPIRED ends nothing yet: the next handshake says whether the session is over', async () => {
  let isEnding = true
  server.onRequest = (connection, request) => {
    if (isEnding) connection.reply(request, 5, Buffer.alloc(0), -112)
    else obliging(connection, request)
    isEnding = false
  }
  const session = await open()
  // The leader is another by now, and knows of no end.
  expect((await session.get('/a'))?.data?.toString()).toBe('data')
  expect(session.state).toBe('connected')
  expect(server.last.handshake!.sessionId).toBe(0x77n)
  isEnding = true
  expect(await codeOf(session.set('/a', null, -1))).toBe('CONNECTION_LOSS')
  server.onHandshake = (connection) => connection.refuseExpired()
  isEnding = true
  expect(await codeOf(session.get('/a'))).toBe('SESSION_EXPIRED')
  expect(session.state).toBe('expired')
})

test('4c: the same of a multi, whose first operation is told of the end: the reply itself has no error', async () => {
  server.onRequest = (connection, request) => {
    const error = (code: number): Buffer => Buffer.concat([int(-1), Buffer.from([0]), int(code), int(code)])
    if (request.type !== Type.multi) return obliging(connection, request)
    connection.reply(request, 5, Buffer.concat([error(-112), error(-2), int(-1), Buffer.from([1]), int(-1)]))
  }
  const session = await open()
  const ops: Op[] = [{ type: 'check', path: '/a', version: 1 }, { type: 'set', path: '/b', data: null, version: -1 }]
  expect(await codeOf(session.multi(ops))).toBe('CONNECTION_LOSS')
  expect(await codeOf(session.get('/a'))).toBe('OK')
  expect(session.state).toBe('connected')
  server.onHandshake = (connection) => connection.refuseExpired()
  expect(await codeOf(session.multi(ops))).toBe('CONNECTION_LOSS')
  expect(await codeOf(session.get('/a'))).toBe('SESSION_EXPIRED')
  expect(session.state).toBe('expired')
})

test('5: an unknown error code is an error of its request and nothing more', async () => {
  server.onRequest = (connection, request) => connection.reply(request, 5, undefined, -4711)
  const session = await open()
  const failed = session.get('/a')
  await expect(failed).rejects.toMatchObject({ code: 'UNKNOWN', errno: -4711, path: '/a', operation: 'get' })
  server.onRequest = obliging
  expect(await codeOf(session.exists('/a'))).toBe('OK')
  expect(server.connections).toHaveLength(1)
})

test('6: 25,000 watches come back in packets that a server accepts', async () => {
  server.onRequest = obliging
  const session = await open()
  const paths = Array.from({ length: 25_000 }, (_, i) => `/brokers/topics/a-rather-long-name-of-a-topic-${i}/partitions/${i}`)
  await session.getMany(paths.slice(0, 10_000), true)
  await Promise.all(paths.slice(10_000, 20_000).map((path) => session.children(path, true)))
  server.onRequest = (connection, request) => connection.reply(request, 7, undefined, -101)
  await Promise.all(paths.slice(20_000).map((path) => session.exists(path, true)))
  server.onRequest = obliging
  server.last.cut()
  await until(() => server.connections.length === 2 && server.last.handshake !== undefined)
  await session.get('/after')
  const packets = server.last.requests.filter((request) => request.type === Type.setWatches)
  expect(server.last.requests.at(-1)!.type).toBe(Type.get)
  expect(packets.length).toBeGreaterThan(5)
  for (const packet of packets) {
    expect(packet.xid).toBe(-8)
    expect(packet.body.length).toBeLessThan(129 * 1024)
    expect(packet.body.readBigInt64BE(0)).toBe(7n)
  }
  const armed: string[][] = [[], [], []]
  for (const { body } of packets) {
    let offset = 8
    for (const list of armed) {
      const count = body.readInt32BE(offset)
      offset += 4
      for (let i = 0; i < count; i++) {
        const length = body.readInt32BE(offset)
        list.push(body.toString('utf8', offset + 4, offset + 4 + length))
        offset += 4 + length
      }
    }
  }
  expect(armed[0]).toEqual(paths.slice(0, 10_000))
  expect(armed[1]).toEqual(paths.slice(20_000))
  expect(armed[2]).toEqual(paths.slice(10_000, 20_000))
})

test('7: after a reconnect the session says who it is before what was queued goes out', async () => {
  server.onRequest = obliging
  const session = await open({ auth: [{ scheme: 'digest', auth: Buffer.from('a:b') }] })
  session.addAuth({ scheme: 'digest', auth: Buffer.from('c:d') })
  await session.get('/watched', true)
  server.last.cut()
  await until(() => session.state === 'suspended')
  await session.create('/secret', null)
  await until(() => server.connections.length === 2)
  expect(server.last.requests.map((request) => request.type)).toEqual([Type.auth, Type.auth, Type.setWatches, Type.create])
})

test('7b: refused credentials end the session with AUTH_FAILED', async () => {
  server.onRequest = (connection, request) => {
    if (request.type === Type.auth) connection.send(replyFrame(-4, 0, -115))
  }
  const session = await open({ auth: [{ scheme: 'nobody', auth: Buffer.from('x') }] })
  const code = await codeOf(session.create('/a', null))
  expect(code).toBe('AUTH_FAILED')
  expect(session.state).toBe('closed')
  expect(session.authFailed).toBe(true)
})

test('8: the xid goes on from 1 after 2^31-1', async () => {
  server.onRequest = obliging
  const session = await open({ firstXid: 2 ** 31 - 2 })
  for (let i = 0; i < 4; i++) await session.exists('/a')
  expect(server.last.requests.map((request) => request.xid)).toEqual([2 ** 31 - 2, 2 ** 31 - 1, 1, 2])
})

test('9: close is possible at any time, more than once, and resolves', async () => {
  server.onHandshake = () => {}
  const connecting = openSession(env, { connect: server.address, sessionTimeoutMs: 3000, connectionTimeoutMs: 40 })
  await expect(connecting).rejects.toMatchObject({ code: 'CONNECTION_TIMEOUT' })
  await until(() => server.last.closed)

  server.onHandshake = (connection, handshake) => connection.accept(handshake.timeoutMs, 3n)
  server.onRequest = obliging
  const session = await open()
  const first = session.close()
  await Promise.all([first, session.close()])
  await session.close()
  expect(session.state).toBe('closed')
  expect(server.last.requests.map((request) => request.type)).toEqual([Type.close])
  expect(await codeOf(session.get('/a'))).toBe('CLOSED')
  await until(() => server.last.closed)

  // While the connection is lost there is nobody to tell.
  const suspended = await open()
  server.onHandshake = () => {}
  server.last.cut()
  await until(() => suspended.state === 'suspended')
  await suspended.close()
  expect(suspended.state).toBe('closed')
})

test('9b: close resolves when the server never answers it, and what was in flight is settled', async () => {
  const session = await open({ sessionTimeoutMs: 300, maxInFlight: 1 })
  const sent = codeOf(session.create('/a', null))
  const unsent = codeOf(session.create('/b', null))
  await session.close()
  expect(await sent).toBe('CONNECTION_LOSS')
  expect(await unsent).toBe('CLOSED')
})

test('10: null data, bad paths and packets above the limit reject; nothing else in flight is harmed', async () => {
  server.onRequest = obliging
  const session = await open()
  await session.set('/a', null, 3)
  const nullSet = server.last.requests.at(-1)!
  expect(nullSet.body).toEqual(Buffer.concat([string('/a'), int(-1), int(3)]))

  for (const path of ['', 'a', '/a/', '/a//b', '/a/./b', '/..', '/a\u0000', '/a\ud83d\ude00']) {
    for (const attempt of [
      session.get(path),
      session.create(path, null),
      session.remove(path, -1),
      session.multi([{ type: 'check', path, version: 1 }]),
    ]) {
      expect(await codeOf(attempt)).toBe('BAD_ARGUMENTS')
    }
  }

  server.onRequest = () => {}
  const inFlight = session.create('/in-flight', null)
  await until(() => server.last.requests.at(-1)!.type === Type.create)
  const large = Buffer.alloc(950 * 1024)
  for (const attempt of [
    session.create('/a', large),
    session.set('/a', large, -1),
    session.multi([
      { type: 'set', path: '/a', data: large.subarray(500_000), version: 1 },
      { type: 'set', path: '/b', data: large.subarray(500_000), version: 1 },
    ]),
  ]) {
    expect(await codeOf(attempt)).toBe('TOO_LARGE')
  }
  const request = server.last.requests.at(-1)!
  server.last.reply(request, 44, string('/in-flight'))
  expect(await inFlight).toEqual({ path: '/in-flight', czxid: 44 })
  expect(server.connections).toHaveLength(1)

  const generous = await open({ maxRequestBytes: 4 * 1024 * 1024 })
  server.onRequest = obliging
  expect(await codeOf(generous.set('/a', large, -1))).toBe('OK')
})

test('11: many handlers on a path cause no warning; one that throws is reported and stops nobody', async () => {
  const warnings: unknown[] = []
  const onWarning = (warning: unknown): void => void warnings.push(warning)
  process.on('warning', onWarning)
  const lines: string[] = []
  const logger = createLogger({ level: 'error', name: 'test', stream: { write: (line) => void lines.push(line) } })
  server.onRequest = obliging
  const session = await open({ logger })
  let calls = 0
  session.onNodeChanged('/a', () => {
    throw new Error('a handler that fails')
  })
  for (let i = 0; i < 30; i++) session.onNodeChanged('/a', () => calls++)
  await Promise.all(Array.from({ length: 30 }, () => session.get('/a', true)))
  server.last.event(3, '/a')
  await until(() => calls === 30)
  expect(lines.join()).toContain('a handler that fails')
  expect(await codeOf(session.get('/a'))).toBe('OK')
  process.off('warning', onWarning)
  expect(warnings).toEqual([])
})

test('12: replies by the ten thousands in one piece, and a large one in many pieces, are read without trouble', async () => {
  const session = await open({ maxInFlight: 100_000 })
  const reads = Array.from({ length: 20_000 }, (_, i) => session.exists(`/${i}`))
  await until(() => server.last.requests.length === 20_000)
  const body = stat()
  server.last.send(Buffer.concat(server.last.requests.map((request) => replyFrame(request.xid, 5, 0, body))))
  expect((await Promise.all(reads)).every((found) => found?.czxid === 1)).toBe(true)

  const large = session.get('/large')
  await until(() => server.last.requests.length === 20_001)
  const data = Buffer.alloc(3_000_000, 'x')
  const reply = replyFrame(server.last.requests.at(-1)!.xid, 5, 0, Buffer.concat([bytes(data), body]))
  for (let offset = 0; offset < reply.length; offset += 1000) server.last.send(reply.subarray(offset, offset + 1000))
  expect((await large)!.data!.equals(data)).toBe(true)
})

test('13: errors name operation and path; a write that was sent is never sent again', async () => {
  const session = await open()
  server.onRequest = (connection, request) => {
    if (request.type === Type.get) connection.reply(request, 5, undefined, -102)
    else connection.cut()
  }
  await expect(session.get('/forbidden')).rejects.toMatchObject({
    code: 'NO_AUTH',
    path: '/forbidden',
    operation: 'get',
    message: 'get /forbidden: NO_AUTH',
    ambiguous: false,
  })
  await expect(session.create('/once', null)).rejects.toMatchObject({ code: 'CONNECTION_LOSS', path: '/once', ambiguous: true })
  server.onRequest = obliging
  await session.exists('/other')
  const creates = server.connections
    .flatMap((connection) => connection.requests)
    .filter((request) => request.type === Type.create)
  expect(creates).toHaveLength(1)
})
