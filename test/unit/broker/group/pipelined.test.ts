/** What a client sends behind a request that waits for its group is handled when that is answered, and not in the middle of the answering. */
import { joinGroupHandler } from '../../../../broker/api/join-group'
import { heartbeatHandler } from '../../../../broker/api/heartbeat'
import { leaveGroupHandler } from '../../../../broker/api/leave-group'
import { syncGroupHandler } from '../../../../broker/api/sync-group'
import { Connection } from '../../../../broker/server/connection'
import { RequestPipeline } from '../../../../broker/server/request-pipeline'
import { SlabPool } from '../../../../network/slab-pool'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey, apiByKey } from '../../../../protocol/messages/apis'
import { decode } from '../../../../protocol/messages/codec'
import { encodeRequestFrame } from '../../../../protocol/messages/frames'
import { silentLogger } from '../../../../runtime/log'
import { Turn } from '../../../../runtime/turn'
import { Fixture, subscription } from './support/coordinator-fixture'
import type { BrokerServices } from '../../../../broker/api/services'
import type { Handler } from '../../../../broker/server/request-context'
import type { Stream } from '../../../../runtime/ports'

const VERSIONS = new Map<number, number>([[ApiKey.joinGroup, 3], [ApiKey.syncGroup, 3], [ApiKey.leaveGroup, 3], [ApiKey.heartbeat, 3]])

class Server {
  readonly broken: Error[] = []
  readonly turn: Turn
  private readonly pipeline: RequestPipeline
  readonly f: Fixture

  constructor(f: Fixture) {
    this.f = f
    this.turn = new Turn(f.clock)
    const services = { groups: f.coordinator, groupConfig: f.config, clock: f.clock } as unknown as BrokerServices
    const handlers = new Map<number, Handler>([
      [ApiKey.joinGroup, joinGroupHandler(services) as Handler],
      [ApiKey.syncGroup, syncGroupHandler(services) as Handler],
      [ApiKey.leaveGroup, leaveGroupHandler(services) as Handler],
      [ApiKey.heartbeat, heartbeatHandler(services) as Handler],
    ])
    this.pipeline = new RequestPipeline({
      handlers, logger: silentLogger, meter: { isOn: false } as never, onInvariant: (error) => this.broken.push(error),
    })
  }

  connect(): Client {
    return new Client(this, this.pipeline)
  }
}

class Client {
  private readonly connection: Connection
  private received = Buffer.alloc(0)
  private correlationId = 0
  private readonly asked: number[] = []

  constructor(server: Server, pipeline: RequestPipeline) {
    const stream = {
      remoteAddress: '127.0.0.1', pause: () => {}, resume: () => {}, destroy: () => {},
      writev: (parts: Uint8Array[], written?: () => void) => {
        this.received = Buffer.concat([this.received, ...parts])
        written?.()
        return true
      },
    } as unknown as Stream
    this.connection = new Connection(
      stream,
      { listenerName: 'PLAINTEXT', isControlPlane: false, hasControlPlane: false, clientHost: '127.0.0.1' },
      {
        turn: server.turn, pool: new SlabPool(1 << 20), maxFrameBytes: 1 << 20, isPrivileged: false,
        hooks: {
          onRequest: (connection, frame) => pipeline.accept(connection, frame),
          onClosed: () => {}, onUnencodable: (_context, error) => server.broken.push(error), onUnreadBytes: () => {},
          nowMs: () => server.f.clock.monoMs(), timer: (ms, callback) => server.f.clock.timer(ms, callback),
        },
      },
    )
  }

  send(apiKey: number, body: object): void {
    this.asked.push(apiKey)
    const frame = encodeRequestFrame(apiByKey(apiKey)!, VERSIONS.get(apiKey)!, ++this.correlationId, 'client', body)
    this.connection.onData(Buffer.concat(frame))
  }

  /** The answers that have come. */
  answers<T>(): T[] {
    const answers: T[] = []
    while (this.received.length >= 4) {
      const size = this.received.readInt32BE(0)
      const apiKey = this.asked.shift()!
      answers.push(decode(apiByKey(apiKey)!.response, VERSIONS.get(apiKey)!, this.received.subarray(4, 4 + size), 4) as T)
      this.received = this.received.subarray(4 + size)
    }
    return answers
  }

  join(memberId = ''): void {
    const protocols = [{ name: 'range', metadata: subscription('topic') }]
    this.send(ApiKey.joinGroup, {
      groupId: 'group', memberId, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, protocolType: 'consumer', protocols,
    })
  }
}

interface Answered { errorCode: number; memberId: string; generationId: number }

async function joined(server: Server, clients: readonly Client[]): Promise<Answered[]> {
  for (const client of clients) client.join()
  await server.f.clock.advance(100)
  return clients.map((client) => client.answers<Answered>()[0]!)
}

test('a member that leaves while it waits for its assignment, as another one joins', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 50 })
  const server = new Server(f)
  const [a, b, c] = [server.connect(), server.connect(), server.connect()]
  const [, second] = await joined(server, [a, b])
  const { memberId, generationId } = second!
  expect(f.state()).toBe('CompletingRebalance')
  // As Kafka's consumer does when it is closed: it does not wait for the answer to its SyncGroup.
  b.send(ApiKey.syncGroup, { groupId: 'group', generationId, memberId, assignments: [] })
  b.send(ApiKey.leaveGroup, { groupId: 'group', members: [{ memberId }] })
  c.join()
  await f.clock.settle()
  expect(server.broken).toEqual([])
  expect(b.answers<Answered>().map(({ errorCode }) => errorCode)).toEqual([ErrorCode.REBALANCE_IN_PROGRESS, ErrorCode.NONE])
  expect(f.state()).toBe('PreparingRebalance')
})

test('a member that leaves while it waits for its assignment, which cannot be written', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 50 })
  const server = new Server(f)
  const [a, b] = [server.connect(), server.connect()]
  const [first, second] = await joined(server, [a, b])
  const { generationId } = first!
  b.send(ApiKey.syncGroup, { groupId: 'group', generationId, memberId: second!.memberId, assignments: [] })
  b.send(ApiKey.leaveGroup, { groupId: 'group', members: [{ memberId: second!.memberId }] })
  f.log.errorCode = ErrorCode.NOT_ENOUGH_REPLICAS
  a.send(ApiKey.syncGroup, { groupId: 'group', generationId, memberId: first!.memberId, assignments: [] })
  await f.clock.settle()
  expect(server.broken).toEqual([])
  expect(f.state()).toBe('PreparingRebalance')
})

test('a member that leaves while it waits for the others, and is answered together with them', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 50 })
  const server = new Server(f)
  const [a, b, c] = [server.connect(), server.connect(), server.connect()]
  const [first, second] = await joined(server, [a, b])
  b.join(second!.memberId)
  b.answers()
  c.join()
  a.join(first!.memberId)
  a.send(ApiKey.leaveGroup, { groupId: 'group', members: [{ memberId: first!.memberId }] })
  b.join(second!.memberId)
  await f.clock.settle()
  expect(server.broken).toEqual([])
  expect(a.answers<Answered>().map(({ errorCode }) => errorCode)).toEqual([ErrorCode.NONE, ErrorCode.NONE])
  expect([b.answers<Answered>()[0]!.errorCode, c.answers<Answered>()[0]!.errorCode]).toEqual([ErrorCode.NONE, ErrorCode.NONE])
})

test('a group goes on when its leader is removed whose next request waits behind its SyncGroup', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 50 })
  const server = new Server(f)
  const [a, admin] = [server.connect(), server.connect()]
  const [first] = await joined(server, [a])
  const { memberId, generationId } = first!
  f.log.held = []
  a.send(ApiKey.syncGroup, { groupId: 'group', generationId, memberId, assignments: [] })
  a.join()
  admin.send(ApiKey.leaveGroup, { groupId: 'group', members: [{ memberId }] })
  f.log.release()
  await f.clock.advance(60_100)
  expect(server.broken).toEqual([])
  expect(a.answers<Answered>().map(({ errorCode }) => errorCode)).toEqual([ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.NONE])
})
