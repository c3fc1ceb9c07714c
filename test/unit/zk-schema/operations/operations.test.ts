/**
 * The operations that span several znodes, against the embedded ZooKeeper; against another one with
 * ZOOKEEPER=host:port npx jest test/unit/zk-schema/operations (each test in a chroot of its own).
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realEnvironment } from '../../../../runtime/real'
import type { BrokerRegistration } from '../../../../zk-schema/brokers'
import { changeConfig, ConfigChangeRefusedError } from '../../../../zk-schema/operations/change-config'
import { getOrCreateClusterId } from '../../../../zk-schema/operations/cluster-id'
import { createChroot } from '../../../../zk-schema/operations/create-chroot'
import { ensureTopLevelPaths } from '../../../../zk-schema/operations/ensure-top-level'
import { generateBrokerId } from '../../../../zk-schema/operations/generate-broker-id'
import { NotificationListener } from '../../../../zk-schema/operations/notification-listener'
import {
  allocateProducerIds,
  nextProducerIdBlock,
  ProducerIdsExhaustedError,
} from '../../../../zk-schema/operations/producer-ids'
import {
  BrokerIdInUseError,
  checkEndpoints,
  EndpointClashError,
  registerBroker,
  updateBroker,
} from '../../../../zk-schema/operations/register-broker'
import {
  decodeStoredSession,
  endStoredSession,
  readStoredSession,
  storeSession,
  STORED_SESSION_FILE,
} from '../../../../zk-schema/operations/stored-session'
import { configChanges, encodeConfigChange } from '../../../../zk-schema/notifications'
import { encodeController } from '../../../../zk-schema/controller'
import { SessionKeeper } from '../../../../zk-schema/session/keeper'
import { openSession } from '../../../../zk-schema/session/session'
import type { ZooKeeperSession } from '../../../../zk-schema/session/session'
import { persistentPaths } from '../../../../zk-schema/top-level'
import { startZooKeeperServer } from '../../../../zookeeper/server'
import { until } from '../session/fake-server'

const env = realEnvironment()
const foreign = process.env['ZOOKEEPER']
let server: { port: number; close(): Promise<void> } | undefined
/** host:port, perhaps with a chroot. */
let zookeeper: string
let session: ZooKeeperSession
const sessions: ZooKeeperSession[] = []

beforeEach(async () => {
  server = foreign === undefined ? await startZooKeeperServer(env, { host: '127.0.0.1', port: 0, tickTimeMs: 100 }) : undefined
  zookeeper = server === undefined ? `${foreign}/prekraft-test-${randomUUID()}` : `127.0.0.1:${server.port}`
  await createChroot(env, { connect: zookeeper })
  session = await open()
})

afterEach(async () => {
  for (const one of sessions.splice(0)) one.abandon()
  await server?.close()
})

async function open(chroot = ''): Promise<ZooKeeperSession> {
  const opened = await openSession(env, { connect: zookeeper + chroot, sessionTimeoutMs: 2000 })
  sessions.push(opened)
  return opened
}

/** Ends a session as its time-out does: the client is told at its next connection. */
async function expire(victim: ZooKeeperSession): Promise<void> {
  const credentials = { id: victim.id, password: victim.password }
  const killer = await openSession(env, { connect: victim.connect, sessionTimeoutMs: 2000, credentials })
  await killer.close()
}

function broker(brokerId: number, port = 9092): BrokerRegistration {
  const endpoints = [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'localhost', port }]
  return { brokerId, endpoints, rack: null, jmxPort: -1, timestampMs: 17, features: {} }
}

test('the chroot is created, and everything lies in it', async () => {
  const options = { connect: `${zookeeper}/deep/chroot`, sessionTimeoutMs: 2000 }
  await Promise.all([createChroot(env, options), createChroot(env, options)])
  const inside = await open('/deep/chroot')
  await ensureTopLevelPaths(inside)
  await ensureTopLevelPaths(inside)
  for (const path of persistentPaths) expect((await inside.get(path))!.data).toBeNull()
  expect((await session.children('/deep/chroot'))!.names.sort()).toEqual((await inside.children('/'))!.names.sort())
  expect(await inside.exists('/deep')).toBeUndefined()
  await createChroot(env, { connect: zookeeper })
})

test('of many first brokers one makes up the cluster id', async () => {
  const ids = await Promise.all(Array.from({ length: 5 }, () => getOrCreateClusterId(session, env.random)))
  expect(new Set(ids).size).toBe(1)
  expect(ids[0]).toMatch(/^[A-Za-z0-9_-]{22}$/)
})

test('generated broker ids are different and above the reserved ones', async () => {
  const ids = await Promise.all(Array.from({ length: 5 }, () => generateBrokerId(session, 1000)))
  expect(ids.sort()).toEqual([1001, 1002, 1003, 1004, 1005])
})

test('producer ids come in blocks that never overlap, and only inside the fence', async () => {
  await ensureTopLevelPaths(session)
  const other = await open()
  const blocks = await Promise.all(Array.from({ length: 10 }, (_, i) => allocateProducerIds(i % 2 === 0 ? session : other, i)))
  const starts = blocks.map((block) => block.firstProducerId).sort((a, b) => a - b)
  expect(starts).toEqual(Array.from({ length: 10 }, (_, i) => i * 1000))
  await session.create('/controller_epoch', Buffer.from('1'))
  const fence = (version: number) => [{ type: 'check', path: '/controller_epoch', version } as const]
  expect((await allocateProducerIds(session, 1, fence(0))).firstProducerId).toBe(10_000)
  await expect(allocateProducerIds(session, 1, fence(3))).rejects.toMatchObject({ code: 'BAD_VERSION', index: 0 })
  const last = { brokerId: 1, firstProducerId: 0, lastProducerId: Number.MAX_SAFE_INTEGER - 5 }
  expect(() => nextProducerIdBlock(last, 1)).toThrow(ProducerIdsExhaustedError)
})

describe('registration', () => {
  test('its czxid is the epoch; registering again in the same session keeps it and brings what is new', async () => {
    const first = await registerBroker(env, session, broker(1))
    expect(first.epoch).toBe((await session.exists('/brokers/ids/1'))!.czxid)
    expect(first.stat).toMatchObject({ version: 1, ephemeralOwner: session.id })
    const again = await registerBroker(env, session, broker(1, 9999))
    expect(again.epoch).toBe(first.epoch)
    expect((await session.get('/brokers/ids/1'))!.data!.toString()).toContain('localhost:9999')
    await updateBroker(session, broker(1, 9998))
    expect((await session.get('/brokers/ids/1'))!.stat.czxid).toBe(first.epoch)
  })

  test('what our previous session left is replaced at once, with a new epoch', async () => {
    const former = await open()
    const first = await registerBroker(env, former, broker(1))
    const second = await registerBroker(env, session, broker(1), { previousSessionId: former.id })
    expect(second.epoch).toBeGreaterThan(first.epoch)
    expect(second.stat.ephemeralOwner).toBe(session.id)
  })

  test('a namesake that is alive is reported when the time is over', async () => {
    const namesake = await open()
    await registerBroker(env, namesake, broker(1, 9393))
    const registering = registerBroker(env, session, broker(1), { ghostTimeoutMs: 50 })
    await expect(registering).rejects.toThrow(BrokerIdInUseError)
    await expect(registering).rejects.toThrow('PLAINTEXT://localhost:9393')
    await expect(registering).rejects.toThrow(`0x${namesake.id.toString(16)}`)
  })

  test('the znode of a dead namesake is waited for', async () => {
    const ghost = await open()
    await registerBroker(env, ghost, broker(1))
    const registering = registerBroker(env, session, broker(1))
    await until(() => session.pending.inFlight + session.pending.queued === 0)
    await ghost.close()
    expect((await registering).stat.ephemeralOwner).toBe(session.id)
  })

  test('a session that ends while it waits ends the waiting', async () => {
    const namesake = await open()
    await registerBroker(env, namesake, broker(1))
    const registering = registerBroker(env, session, broker(1))
    await expire(session)
    await expect(registering).rejects.toMatchObject({ code: 'SESSION_EXPIRED' })
  })

  test('two brokers do not advertise one endpoint', async () => {
    await registerBroker(env, session, broker(1, 9092))
    await session.create('/brokers/ids/3', Buffer.from('malformed'))
    await checkEndpoints(session, broker(1, 9092))
    await checkEndpoints(session, broker(2, 9093))
    await expect(checkEndpoints(session, broker(2, 9092))).rejects.toThrow(EndpointClashError)
    await expect(checkEndpoints(session, broker(2, 9092))).rejects.toThrow('localhost:9092 is already registered by broker 1')
  })
})

describe('configuration', () => {
  beforeEach(() => ensureTopLevelPaths(session))

  const notifications = async (): Promise<string[]> => {
    const { names } = (await session.children('/config/changes'))!
    const nodes = await session.getMany(names.sort().map((name) => `/config/changes/${name}`))
    return nodes.map((node) => (JSON.parse(node!.data!.toString()) as { entity_path: string }).entity_path)
  }

  test('a change and its notification are one write, under the controller that is', async () => {
    await expect(changeConfig(session, 'topics/foo', (config) => config)).rejects.toThrow(ConfigChangeRefusedError)
    await session.create('/controller', encodeController(1, 17), { ephemeral: true })
    await changeConfig(session, 'topics/foo', (config) => config.set('retention.ms', '1'))
    const stored = await changeConfig(session, 'topics/foo', (config) => config.set('cleanup.policy', 'compact'))
    expect(stored).toEqual(
      new Map([
        ['retention.ms', '1'],
        ['cleanup.policy', 'compact'],
      ]),
    )
    expect((await session.get('/config/topics/foo'))!.data!.toString()).toBe(
      '{"version":1,"config":{"retention.ms":"1","cleanup.policy":"compact"}}',
    )
    expect(await changeConfig(session, 'topics/foo', () => undefined)).toEqual(stored)
    expect(await notifications()).toEqual(['topics/foo', 'topics/foo'])
    await changeConfig(session, 'topics/foo', () => new Map())
    expect((await session.get('/config/topics/foo'))!.data!.toString()).toBe('{"version":1,"config":{}}')
  })

  test('changes at the same time are all made', async () => {
    const other = await open()
    const keys = Array.from({ length: 12 }, (_, i) => `key.${i}`)
    await Promise.all(
      keys.map((key, i) =>
        changeConfig(i % 2 === 0 ? session : other, 'topics/foo', (config) => config.set(key, 'x'), { checkController: false }),
      ),
    )
    const stored = await changeConfig(session, 'topics/foo', () => undefined, { checkController: false })
    expect([...stored.keys()].sort()).toEqual([...keys].sort())
    expect(await notifications()).toHaveLength(12)
  })

  test('an empty quota is no node, nor are its parents', async () => {
    const change = (entity: string, config: Map<string, string>) =>
      changeConfig(session, entity, () => config, { checkController: false })
    const quota = new Map([['producer_byte_rate', '1']])
    await change('users/alice/clients/one', quota)
    await change('users/alice/clients/two', quota)
    await change('users/alice/clients/one', new Map())
    expect((await session.children('/config/users/alice/clients'))!.names).toEqual(['two'])
    await change('users/alice/clients/two', new Map())
    expect(await session.exists('/config/users/alice')).toBeUndefined()
    await change('users/alice', quota)
    await change('users/alice/clients/one', quota)
    await change('users/alice', new Map())
    expect((await session.get('/config/users/alice'))!.data!.toString()).toBe('{"version":1,"config":{}}')
    await change('clients/none', new Map())
    expect(await session.exists('/config/clients/none')).toBeUndefined()
    expect(await notifications()).toHaveLength(8)
  })
})

describe('notifications', () => {
  async function keep(): Promise<SessionKeeper> {
    const keeper = new SessionKeeper(env, { connect: zookeeper, sessionTimeoutMs: 2000 })
    sessions.push(await keeper.start())
    return keeper
  }

  const notify = (name: string) =>
    session.create('/config/changes/config_change_', encodeConfigChange(`topics/${name}`), { sequential: true })

  test('each is processed once and in order, also across sessions; a bad one stops nobody', async () => {
    await ensureTopLevelPaths(session)
    await notify('before')
    await session.create('/config/changes/config_change_', Buffer.from('bad'), { sequential: true })
    await session.create('/config/changes/by-hand', null)
    const keeper = await keep()
    const seen: string[] = []
    const listener = new NotificationListener({
      clock: env.clock,
      keeper,
      queue: configChanges,
      process: async (_, data) => {
        await null
        seen.push((JSON.parse(data!.toString()) as { entity_path: string }).entity_path)
      },
    })
    await listener.start()
    expect(seen).toEqual(['topics/before'])
    const names = Array.from({ length: 20 }, (_, i) => String(i))
    for (const name of names) await notify(name)
    await until(() => seen.length === 21)

    await expire(keeper.current)
    const gap = notify('in the gap')
    await until(() => keeper.previousId !== undefined)
    await gap
    await notify('after')
    await until(() => seen.length === 23)
    expect(seen).toEqual(['before', ...names, 'in the gap', 'after'].map((name) => `topics/${name}`))

    // A queue that was made anew counts from 0 again.
    for (const name of (await session.children('/config/changes'))!.names) await session.remove(`/config/changes/${name}`, -1)
    await session.remove('/config/changes', -1)
    await session.create('/config/changes', null)
    await notify('first of the new queue')
    await until(() => seen.length === 24)
    listener.stop()
    await notify('for nobody')
    await keeper.close()
    expect(seen).toHaveLength(24)
  })

  test('old ones are purged by whoever lists them', async () => {
    await ensureTopLevelPaths(session)
    await notify('old')
    let aheadMs = 0
    const clock = { ...env.clock, wallMs: () => env.clock.wallMs() + aheadMs }
    const keeper = await keep()
    const listener = new NotificationListener({ clock, keeper, queue: configChanges, process: () => {} })
    await listener.start()
    expect((await session.children('/config/changes'))!.names).toHaveLength(1)
    aheadMs = 15 * 60_000 + 5000
    await notify('makes them list')
    for (;;) {
      const { names } = (await session.children('/config/changes'))!
      if (names.length === 0) break
    }
    await keeper.close()
  })
})

test('a broker that was killed ends its former session at its next start', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stored-session-'))
  try {
    const options = { connect: zookeeper, sessionTimeoutMs: 2000 }
    expect(await endStoredSession(env, options, directory)).toBe(false)
    const killed = await open()
    await registerBroker(env, killed, broker(1))
    await killed.create('/controller', encodeController(1, 17), { ephemeral: true })
    storeSession(env.disk, directory, killed)
    expect(statSync(join(directory, STORED_SESSION_FILE)).mode & 0o777).toBe(0o600)
    expect(readStoredSession(env.disk, directory)).toEqual({ id: killed.id, password: killed.password })
    killed.abandon()

    expect(await endStoredSession(env, options, directory)).toBe(true)
    expect(await session.exists('/brokers/ids/1')).toBeUndefined()
    expect(await session.exists('/controller')).toBeUndefined()
    expect(await endStoredSession(env, options, directory)).toBe(false)
    storeSession(env.disk, directory, session)
    expect(readStoredSession(env.disk, directory)!.id).toBe(session.id)
    writeFileSync(join(directory, STORED_SESSION_FILE), '{"version":1,"id":"0x1')
    expect(await endStoredSession(env, options, directory)).toBe(false)
    for (const bad of ['null', '{}', '{"id":"1","password":""}', '[]'])
      expect(decodeStoredSession(Buffer.from(bad))).toBeUndefined()
    // As on a disk that fails: the other log directories may do.
    rmSync(join(directory, STORED_SESSION_FILE))
    mkdirSync(join(directory, STORED_SESSION_FILE))
    expect(await endStoredSession(env, options, directory)).toBe(false)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
