/**
 * Each write of each operation is carried out by the server while its answer is lost with the connection (CONNECTION_LOSS, which
 * may mean either): the operation must come to the same end as if nothing had happened.
 */
import { realEnvironment } from '../../../../runtime/real'
import type { Environment, Stream, StreamHandler } from '../../../../runtime/ports'
import { changeConfig } from '../../../../zk-schema/operations/change-config'
import { getOrCreateClusterId } from '../../../../zk-schema/operations/cluster-id'
import { createChroot } from '../../../../zk-schema/operations/create-chroot'
import { ensureTopLevelPaths } from '../../../../zk-schema/operations/ensure-top-level'
import { generateBrokerId } from '../../../../zk-schema/operations/generate-broker-id'
import { allocateProducerIds } from '../../../../zk-schema/operations/producer-ids'
import { registerBroker } from '../../../../zk-schema/operations/register-broker'
import { openSession } from '../../../../zk-schema/session/session'
import type { ZooKeeperSession } from '../../../../zk-schema/session/session'
import { persistentPaths } from '../../../../zk-schema/top-level'
import { startZooKeeperServer } from '../../../../zookeeper/server'

const WRITES = [1, 2, 5, 14]

/** Loses the answer to the `victim`-th write (0 is the first), and the connection with it. */
class LossyNet {
  readonly env: Environment
  writes = 0
  private readonly victim: number

  constructor(real: Environment, victim: number) {
    this.victim = victim
    this.env = { ...real, net: { ...real.net, connect: (host, port, handler) => this.connect(real, host, port, handler) } }
  }

  private connect(real: Environment, host: string, port: number, handler: StreamHandler): Stream {
    let doomed = false
    const stream = real.net.connect(host, port, {
      onConnect: () => handler.onConnect?.(),
      onClose: (error) => handler.onClose(error),
      onData: (chunk) => {
        if (doomed) stream.destroy()
        else handler.onData(chunk)
      },
    })
    return new Proxy(stream, {
      get: (target, name) => {
        if (name === 'writev') {
          return (parts: Uint8Array[]) => {
            for (const part of parts) {
              if (part.length >= 12 && WRITES.includes(Buffer.from(part).readInt32BE(8)) && this.writes++ === this.victim)
                doomed = true
            }
            return target.writev(parts)
          }
        }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

const broker = {
  brokerId: 1,
  endpoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'localhost', port: 9092 }],
  rack: null,
  jmxPort: -1,
  timestampMs: 17,
  features: {},
}

interface Case {
  name: string
  /** What is there before. */
  prepare?: (session: ZooKeeperSession) => Promise<unknown>
  act: (env: Environment, session: ZooKeeperSession) => Promise<unknown>
  /** `session` is the one that acted. */
  verify: (session: ZooKeeperSession, result: unknown) => Promise<void>
}

const cases: Case[] = [
  {
    name: 'registerBroker',
    prepare: ensureTopLevelPaths,
    act: (env, session) => registerBroker(env, session, broker),
    async verify(session, result) {
      const node = (await session.get('/brokers/ids/1'))!
      expect(node.stat).toMatchObject({ ephemeralOwner: session.id, version: 1 })
      expect(result).toMatchObject({ epoch: node.stat.czxid })
    },
  },
  {
    name: 'registerBroker after our previous session',
    async prepare(session) {
      await ensureTopLevelPaths(session)
      await registerBroker(realEnvironment(), session, broker)
    },
    act: async (env, session) =>
      registerBroker(env, session, broker, { previousSessionId: (await session.exists('/brokers/ids/1'))!.ephemeralOwner }),
    async verify(session, result) {
      const node = (await session.get('/brokers/ids/1'))!
      expect(node.stat.ephemeralOwner).toBe(session.id)
      expect(result).toMatchObject({ epoch: node.stat.czxid })
    },
  },
  {
    name: 'getOrCreateClusterId',
    act: (env, session) => getOrCreateClusterId(session, env.random),
    async verify(session, result) {
      expect(JSON.parse((await session.get('/cluster/id'))!.data!.toString())).toEqual({ version: '1', id: result })
    },
  },
  {
    name: 'changeConfig of a new entity',
    prepare: ensureTopLevelPaths,
    act: (_, session) => changeConfig(session, 'users/a/clients/b', (config) => config.set('k', 'v'), { checkController: false }),
    async verify(session) {
      expect((await session.get('/config/users/a/clients/b'))!.data!.toString()).toBe('{"version":1,"config":{"k":"v"}}')
      expect((await session.children('/config/changes'))!.names.length).toBeGreaterThanOrEqual(1)
    },
  },
  {
    name: 'changeConfig that appends',
    async prepare(session) {
      await ensureTopLevelPaths(session)
      await changeConfig(session, 'topics/a', (config) => config.set('k', 'x'), { checkController: false })
    },
    act: (_, session) =>
      changeConfig(session, 'topics/a', (config) => config.set('k', `${config.get('k')},y`), { checkController: false }),
    async verify(session, result) {
      expect((await session.get('/config/topics/a'))!.data!.toString()).toBe('{"version":1,"config":{"k":"x,y"}}')
      expect(result).toEqual(new Map([['k', 'x,y']]))
    },
  },
  {
    name: 'changeConfig to nothing',
    async prepare(session) {
      await ensureTopLevelPaths(session)
      await changeConfig(session, 'clients/a', (config) => config.set('k', 'v'), { checkController: false })
    },
    act: (_, session) => changeConfig(session, 'clients/a', () => new Map(), { checkController: false }),
    async verify(session) {
      expect(await session.exists('/config/clients/a')).toBeUndefined()
      expect((await session.children('/config/changes'))!.names.length).toBeGreaterThanOrEqual(2)
    },
  },
  {
    name: 'ensureTopLevelPaths',
    act: (_, session) => ensureTopLevelPaths(session),
    async verify(session) {
      for (const path of persistentPaths) expect(await session.exists(path)).toBeDefined()
    },
  },
  {
    name: 'generateBrokerId',
    act: (_, session) => generateBrokerId(session, 1000),
    async verify(session, result) {
      expect(result).toBe(1000 + (await session.exists('/brokers/seqid'))!.version)
    },
  },
  {
    name: 'allocateProducerIds',
    async prepare(session) {
      await allocateProducerIds(session, 1)
    },
    act: (_, session) => allocateProducerIds(session, 1),
    async verify(session, result) {
      const stored = JSON.parse((await session.get('/latest_producer_id_block'))!.data!.toString()) as { block_start: string }
      expect(result).toMatchObject({ firstProducerId: Number(stored.block_start) })
    },
  },
  {
    name: 'createChroot',
    act: (env, session) => createChroot(env, { connect: `${session.connect}/a/b/c` }),
    async verify(session) {
      expect(await session.exists('/a/b/c')).toBeDefined()
    },
  },
]

test.each(cases)('$name', async ({ prepare, act, verify }) => {
  const real = realEnvironment()
  for (let victim = 0; ; victim++) {
    const server = await startZooKeeperServer(real, { tickTimeMs: 500 })
    const connect = `127.0.0.1:${server.port}`
    const before = await openSession(real, { connect })
    await prepare?.(before)
    const lossy = new LossyNet(real, victim)
    const session = await openSession(lossy.env, { connect, connectionTimeoutMs: 10_000 })
    await verify(session, await act(lossy.env, session))
    before.abandon()
    session.abandon()
    await server.close()
    if (victim >= lossy.writes) break
  }
})
