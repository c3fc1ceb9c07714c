import fc from 'fast-check'
import { World } from '../../simulation/world/world'
import type { Process } from '../../simulation/world/world'
import { partition } from '../../simulation/world/net'
import { EventType, OpCode } from '../../../zookeeper/protocol'
import { startZooKeeperServer } from '../../../zookeeper/server'
import type { RunningZooKeeperServer } from '../../../zookeeper/server'
import type { ZooKeeperServerOptions } from '../../../zookeeper/options'
import { OPEN, writeAclSpec } from '../../zookeeper/transcript'
import { SimulatedClient } from './simulated-client'
import type { SimulatedReply } from './simulated-client'

const PORT = 2181
const TICK_MS = 1000

interface Stage {
  world: World
  zk: Process
  user: Process
  server: RunningZooKeeperServer
  open(session?: { sessionId: bigint; password: Buffer }, timeoutMs?: number): Promise<SimulatedClient>
  /** Runs the world until the promise settles. */
  done<T>(promise: Promise<T>): Promise<T>
}

async function stage(options: ZooKeeperServerOptions = {}, seed = 1): Promise<Stage> {
  const world = new World(seed)
  const zk = world.process('zk')
  const user = world.process('user')
  const done = <T>(promise: Promise<T>): Promise<T> => world.settle(promise, 60_000, 'it is done')
  const server = await done(startZooKeeperServer(zk.env, { port: PORT, tickTimeMs: TICK_MS, ...options }))
  return {
    world,
    zk,
    user,
    server,
    done,
    open: (session, timeoutMs) => done(SimulatedClient.open(user.env, PORT, session, timeoutMs)),
  }
}

function create(
  client: SimulatedClient,
  path: string,
  flags = 0,
  type: number = OpCode.create,
  ttlMs?: number,
): Promise<SimulatedReply | undefined> {
  return client.request(type, (writer) => {
    writer.writeString(path)
    writer.writeBuffer(Buffer.alloc(10))
    writeAclSpec(writer, OPEN)
    writer.writeInt(flags)
    if (ttlMs !== undefined) writer.writeLong(ttlMs)
  })
}

function ask(client: SimulatedClient, type: number, path: string, watch = false): Promise<SimulatedReply | undefined> {
  return client.request(type, (writer) => {
    writer.writeString(path)
    writer.writeBool(watch)
  })
}

function remove(client: SimulatedClient, path: string): Promise<SimulatedReply | undefined> {
  return client.request(OpCode.delete, (writer) => {
    writer.writeString(path)
    writer.writeInt(-1)
  })
}

describe('sessions', () => {
  test('silence ends one, its ephemerals go, and watches hear of it; a dropped connection alone ends nothing', async () => {
    const { world, done, open } = await stage()
    const silent = await open(undefined, 4000)
    const watching = await open(undefined, 20_000)
    await done(create(silent, '/e', 1))
    expect((await done(ask(watching, OpCode.exists, '/e', true)))!.code).toBe(0)
    silent.drop()
    await world.run(3500)
    expect((await done(ask(watching, OpCode.exists, '/e')))!.code).toBe(0)
    await world.runUntil(() => watching.events.length > 0, 2 * TICK_MS, 'the watch fires')
    expect(watching.events).toEqual([{ type: EventType.nodeDeleted, path: '/e' }])
    expect((await done(ask(watching, OpCode.exists, '/e')))!.code).toBe(-101)
    expect((await open(silent)).isClosed || (await open(silent)).sessionId === 0n).toBe(true)
  })

  test('any packet keeps one alive', async () => {
    const { world, done, open } = await stage()
    const client = await open(undefined, 4000)
    await done(create(client, '/e', 1))
    for (let i = 0; i < 20; i++) {
      await world.run(1500)
      await done(client.request(OpCode.ping))
    }
    expect((await done(ask(client, OpCode.exists, '/e')))!.code).toBe(0)
  })

  test('resuming one on a second connection closes the first; a wrong password gets and disturbs nothing', async () => {
    const { world, done, open } = await stage()
    const first = await open()
    const thief = await open({ sessionId: first.sessionId, password: Buffer.alloc(16, 7) })
    expect(thief.sessionId).toBe(0n)
    await world.run(100)
    expect(first.isClosed).toBe(false)
    const second = await open(first)
    expect(second.sessionId).toBe(first.sessionId)
    expect(second.password.equals(first.password)).toBe(true)
    await world.runUntil(() => first.isClosed, 1000, 'the first connection closes')
    expect((await done(create(second, '/e', 1)))!.code).toBe(0)
  })

  test('a server that stood still keeps them', async () => {
    const { world, zk, done, open } = await stage()
    const client = await open(undefined, 4000)
    await done(create(client, '/e', 1))
    zk.stop()
    await world.run(30_000)
    zk.goOn()
    // The clients have pinged all the while.
    expect((await done(ask(client, OpCode.exists, '/e')))!.code).toBe(0)
    await world.run(3000)
    expect((await done(ask(client, OpCode.exists, '/e')))!.code).toBe(0)
  })

  test('after a restart they have a whole time-out again, and their ids are not given out a second time', async () => {
    const { world, zk, done, open, server } = await stage({ dataDir: '/zk' })
    const client = await open(undefined, 4000)
    await done(create(client, '/e', 1))
    const ids = new Set([client.sessionId])
    await world.run(3500)
    await done(server.close())
    await world.run(60_000)
    for (let i = 0; i < 3; i++) {
      const again = await done(startZooKeeperServer(zk.env, { port: PORT, tickTimeMs: TICK_MS, dataDir: '/zk' }))
      await world.run(3000)
      const resumed = await open(client, 4000)
      expect((await done(ask(resumed, OpCode.exists, '/e')))!.code).toBe(0)
      const other = await open()
      expect(ids.has(other.sessionId)).toBe(false)
      ids.add(other.sessionId)
      await done(again.close())
    }
  })

  test('who connects and says nothing is sent away', async () => {
    const { world, user, done } = await stage()
    const mute = await done(SimulatedClient.connect(user.env, PORT))
    await world.runUntil(() => mute.isClosed, 25 * TICK_MS, 'it is closed')
  })

  test('one that cannot be reached does not hold up the others', async () => {
    const { world, zk, done, open } = await stage()
    const far = world.process('far')
    const unreachable = await done(SimulatedClient.open(far.env, PORT, undefined, 20_000))
    const near = await open()
    await done(create(near, '/a'))
    await done(ask(unreachable, OpCode.exists, '/a', true))
    partition(zk, far)
    await done(remove(near, '/a'))
    expect((await done(create(near, '/a')))!.code).toBe(0)
  })
})

describe('durability', () => {
  test('nothing is answered that the disk does not have, reads of it included', async () => {
    const { world, zk, done, open } = await stage({ dataDir: '/zk' })
    const [writer, reader] = [await open(), await open()]
    await done(ask(reader, OpCode.exists, '/a', true))
    zk.disk.faults.failBelow = { path: '/zk', code: 'EIO' }
    const answers = [create(writer, '/a'), ask(writer, OpCode.exists, '/a')]
    expect(await done(Promise.all(answers))).toEqual([undefined, undefined])
    await world.runUntil(() => reader.isClosed, 1000, 'the server has stopped')
    expect(reader.events).toEqual([])
  })

  test('the failure is told to whoever started the server', async () => {
    const failures: Error[] = []
    const { zk, done, open } = await stage({ dataDir: '/zk', onFailure: (error) => void failures.push(error) })
    const client = await open()
    zk.disk.faults.failBelow = { path: '/zk', code: 'ENOSPC' }
    expect(await done(create(client, '/a'))).toBeUndefined()
    expect(failures.map((error) => (error as NodeJS.ErrnoException).code)).toEqual(['ENOSPC'])
  })

  test('old snapshots and logs are removed, three snapshots stay', async () => {
    const { world, zk, done, open, server } = await stage({ dataDir: '/zk', snapCount: 20 })
    const client = await open(undefined, 20_000)
    for (let i = 0; i < 300; i++) await done(create(client, `/n${i}`))
    await world.run(1000)
    const names = zk.disk.list('/zk/version-2')
    expect(names.filter((name) => name.startsWith('snapshot'))).toHaveLength(3)
    expect(names.filter((name) => name.startsWith('log')).length).toBeLessThanOrEqual(4)
    await done(server.close())
    const again = await done(startZooKeeperServer(zk.env, { port: PORT, tickTimeMs: TICK_MS, dataDir: '/zk' }))
    const other = await open()
    const reply = await done(ask(other, OpCode.getChildren2, '/'))
    expect(reply!.body.readInt()).toBe(301)
    await done(again.close())
  })
})

describe('watches', () => {
  test('an event comes before the answer to any later request that could show the change', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { world, done, open } = await stage({ dataDir: '/zk' }, seed)
      const [writer, reader] = [await open(), await open()]
      await done(create(writer, '/a'))
      await done(ask(reader, OpCode.exists, '/a', true))
      void remove(writer, '/a')
      let seen = false
      while (!seen) {
        const reply = await done(ask(reader, OpCode.exists, '/a'))
        if (reply!.code !== 0) {
          expect(reader.events).toEqual([{ type: EventType.nodeDeleted, path: '/a' }])
          seen = true
        }
      }
      await world.run(10)
    }
  })

  test('events wait for a client that does not read', async () => {
    const { done, open } = await stage()
    const writer = await open(undefined, 20_000)
    await done(create(writer, '/a'))
    const lazy = await open(undefined, 20_000)
    await done(
      lazy.request(OpCode.addWatch, (body) => {
        body.writeString('/a')
        body.writeInt(0)
      }),
    )
    lazy.stream.pause()
    const data = Buffer.alloc(1)
    const set = (): Promise<SimulatedReply | undefined> =>
      writer.request(OpCode.setData, (body) => {
        body.writeString('/a')
        body.writeBuffer(data)
        body.writeInt(-1)
      })
    for (let i = 0; i < 500; i++) await done(set())
    expect(lazy.isClosed).toBe(false)
    lazy.stream.resume()
    await done(ask(lazy, OpCode.exists, '/a'))
    expect(lazy.events).toHaveLength(500)
  })
})

describe('containers and TTL nodes', () => {
  test('an empty container goes, if it ever had a child', async () => {
    const { world, done, open } = await stage({ containerCheckIntervalMs: 1000 })
    const client = await open(undefined, 20_000)
    for (const path of ['/used', '/unused', '/full']) await done(create(client, path, 4, OpCode.createContainer))
    for (const path of ['/used/x', '/full/x']) await done(create(client, path))
    await done(remove(client, '/used/x'))
    await world.run(2500)
    const codes = await done(
      Promise.all(['/used', '/unused', '/full'].map(async (path) => (await ask(client, OpCode.exists, path))!.code)),
    )
    expect(codes).toEqual([-101, 0, 0])
  })

  test('a TTL node goes when nobody changed it in time and it has no child', async () => {
    const { world, done, open } = await stage({ containerCheckIntervalMs: 1000, extendedTypesEnabled: true })
    const client = await open(undefined, 20_000)
    for (const path of ['/short', '/full']) await done(create(client, path, 5, OpCode.createTTL, 3000))
    await done(create(client, '/long', 5, OpCode.createTTL, 60_000))
    await done(create(client, '/full/x'))
    await world.run(2000)
    expect((await done(ask(client, OpCode.exists, '/short')))!.code).toBe(0)
    await world.run(3000)
    const codes = await done(
      Promise.all(['/short', '/long', '/full'].map(async (path) => (await ask(client, OpCode.exists, path))!.code)),
    )
    expect(codes).toEqual([-101, 0, 0])
  })
})

describe('hostile and clumsy clients', () => {
  test('any bytes: the connection may close, the server goes on', async () => {
    const { world, user, done, open } = await stage()
    const witness = await open(undefined, 20_000)
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      // A frame that may be a request.
      fc
        .record({
          type: fc.constantFrom(...Object.values(OpCode), 999),
          body: fc.uint8Array({ maxLength: 40 }),
          lie: fc.integer({ min: -3, max: 3 }),
        })
        .map(({ type, body, lie }) => {
          const frame = Buffer.alloc(12 + body.length)
          frame.writeInt32BE(8 + body.length + lie, 0)
          frame.writeInt32BE(1, 4)
          frame.writeInt32BE(type, 8)
          frame.set(body, 12)
          return frame
        }),
    )
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(piece, { maxLength: 8 }), async (greets, pieces) => {
        const client = await done(greets ? SimulatedClient.open(user.env, PORT) : SimulatedClient.connect(user.env, PORT))
        client.onData = () => {}
        for (const bytes of pieces) client.stream.write(Buffer.from(bytes))
        await world.run(5)
        client.drop()
        expect((await done(ask(witness, OpCode.exists, '/')))!.code).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  test('a length beyond the limit closes the connection', async () => {
    const { world, open } = await stage({ maxPacketBytes: 2048 })
    const client = await open()
    client.stream.write(Buffer.from([0, 0, 8, 1]))
    await world.runUntil(() => client.isClosed, 1000, 'it is closed')
    const other = await open()
    const ping = Buffer.alloc(4 + 2048)
    ping.writeInt32BE(2048, 0)
    ping.writeInt32BE(OpCode.ping, 8)
    other.stream.write(ping)
    await world.run(100)
    expect(other.isClosed).toBe(false)
  })

  test('one that asks for much and reads nothing is not served on and on', async () => {
    const { world, user, done, open } = await stage()
    const client = await open(undefined, 20_000)
    const big = Buffer.alloc(100_000, 1)
    await done(
      client.request(OpCode.create, (writer) => {
        writer.writeString('/big')
        writer.writeBuffer(big)
        writeAclSpec(writer, OPEN)
        writer.writeInt(0)
      }),
    )
    const greedy = await done(SimulatedClient.open(user.env, PORT, undefined, 20_000))
    greedy.stream.pause()
    const answers = Array.from({ length: 1000 }, () => ask(greedy, OpCode.getData, '/big'))
    await world.run(1000)
    // 100 MB were asked for; others are served meanwhile, and in the end so is this one.
    expect((await done(ask(client, OpCode.exists, '/')))!.code).toBe(0)
    expect(greedy.receivedBytes).toBeLessThan(200_000)
    greedy.stream.resume()
    const replies = await done(Promise.all(answers))
    expect(replies.every((reply) => reply!.code === 0 && reply!.body.readInt() === big.length)).toBe(true)
  })

  test('no more connections from one address than are allowed', async () => {
    const { world, user, done, open } = await stage({ maxClientConnections: 2 })
    const [first, second] = [await open(), await open()]
    const third = await open()
    expect(third.isClosed).toBe(true)
    first.drop()
    await world.run(100)
    expect((await done(SimulatedClient.open(user.env, PORT))).isClosed).toBe(false)
    expect(second.isClosed).toBe(false)
  })
})

test('the same seed tells the same story', async () => {
  async function story(seed: number): Promise<string> {
    const { world, zk, done, open } = await stage({ dataDir: '/zk', snapCount: 10 }, seed)
    const [a, b] = [await open(), await open()]
    await done(ask(b, OpCode.getChildren, '/', true))
    for (let i = 0; i < 30; i++) await done(create(a, `/n${i}`, i % 3))
    a.drop()
    await world.run(20_000)
    world.note(zk, `${zk.disk.digest()} ${JSON.stringify(b.events)}`)
    return world.traceHash()
  }
  for (const seed of [1, 2, 3]) expect(await story(seed)).toBe(await story(seed))
})
