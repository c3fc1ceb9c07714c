import { silentLogger } from '../../runtime/log'
import type { Logger } from '../../runtime/log'
import type { Environment } from '../../runtime/ports'
import { brokerIdPath, brokerIdsPath, decodeBroker, encodeBroker, formatEndpoint } from '../brokers'
import type { BrokerRegistration, BrokerVersion } from '../brokers'
import { isZooKeeperError, ZooKeeperError } from '../session/errors'
import { formatSessionId } from '../session/session-id'
import type { NodeData, Op, Stat, ZooKeeperSession } from '../session/session'
import { defaultAcl } from '../top-level'
import { ZnodeFormatError } from '../znode-json'

/** Another broker, alive, has this id. */
export class BrokerIdInUseError extends Error {
  override readonly name = 'BrokerIdInUseError'
  readonly brokerId: number
  readonly owner: bigint

  constructor(brokerId: number, owner: bigint, endpoints: string) {
    super(`broker id ${brokerId} is in use: session ${formatSessionId(owner)} holds ${brokerIdPath(brokerId)} with ${endpoints}`)
    this.brokerId = brokerId
    this.owner = owner
  }
}

/** Another broker advertises one of our endpoints. */
export class EndpointClashError extends Error {
  override readonly name = 'EndpointClashError'
  readonly otherBrokerId: number

  constructor(endpoint: string, otherBrokerId: number) {
    super(`the advertised endpoint ${endpoint} is already registered by broker ${otherBrokerId}`)
    this.otherBrokerId = otherBrokerId
  }
}

export interface RegisterOptions {
  /** By inter.broker.protocol.version; 5 by default. */
  version?: BrokerVersion
  /** The session under which this process was registered before: what that left behind is ours to remove (ZOOKEEPER-2985). */
  previousSessionId?: bigint | undefined
  /** How long to wait for the znode of a dead namesake to go: half as long again as the session time-out, and 1 s, by default. 0 fails at once. */
  ghostTimeoutMs?: number
  /** zookeeper.set.acl. */
  secure?: boolean
  logger?: Logger
}

export interface RegisteredBroker {
  /** The czxid of the znode. */
  epoch: number
  stat: Stat
}

/**
 * Creates the broker's ephemeral znode in this session and returns its epoch. If the znode is there already: the session's own is
 * ours (the answer to a first attempt was lost), that of our previous session is replaced, a stranger's is waited for, since its
 * owner may be dead. Rejects with BrokerIdInUseError when it stays, and with what ends the session.
 */
export async function registerBroker(
  env: Environment,
  session: ZooKeeperSession,
  broker: BrokerRegistration,
  options: RegisterOptions = {},
): Promise<RegisteredBroker> {
  const path = brokerIdPath(broker.brokerId)
  const data = encodeBroker(broker, options.version ?? 5)
  const acl = defaultAcl(path, options.secure === true)
  const create: Op[] = [
    { type: 'create', path, data: null, ephemeral: true, acl },
    { type: 'set', path, data, version: 0 },
  ]
  const deadlineMs = env.clock.monoMs() + ghostTimeoutMs(session, options)
  let former: NodeData | undefined
  for (;;) {
    const replace: Op[] = former === undefined ? [] : [{ type: 'remove', path, version: former.stat.version }]
    former = undefined
    const stat = await tryCreate(session, [...replace, ...create])
    if (stat !== undefined) return { epoch: stat.czxid, stat }

    const found = await session.get(path)
    if (found === undefined) continue
    const owner = found.stat.ephemeralOwner
    if (owner === session.id) return await adopt(session, path, data, found)
    if (owner === options.previousSessionId) {
      former = found
      continue
    }
    await awaitVacancy(env, session, broker.brokerId, { ...options, ghostTimeoutMs: deadlineMs - env.clock.monoMs() })
  }
}

/**
 * Resolves when the id is nobody's but this session's or its previous one's: the znode of a stranger is waited for, since its owner
 * may be dead. Rejects with BrokerIdInUseError when it stays, and with what ends the session.
 */
export async function awaitVacancy(
  env: Environment,
  session: ZooKeeperSession,
  brokerId: number,
  options: Pick<RegisterOptions, 'previousSessionId' | 'ghostTimeoutMs' | 'logger'> = {},
): Promise<void> {
  const path = brokerIdPath(brokerId)
  const logger = options.logger ?? silentLogger
  const deadlineMs = env.clock.monoMs() + ghostTimeoutMs(session, options)
  for (;;) {
    const found = await session.get(path)
    const owner = found?.stat.ephemeralOwner
    if (found === undefined || owner === session.id || owner === options.previousSessionId) return
    const leftMs = deadlineMs - env.clock.monoMs()
    if (leftMs <= 0) throw new BrokerIdInUseError(brokerId, found.stat.ephemeralOwner, endpointsOf(brokerId, found))
    const holder = { path, session: formatSessionId(found.stat.ephemeralOwner), endpoints: endpointsOf(brokerId, found) }
    logger.warn({ ...holder, leftMs: Math.round(leftMs) }, 'waiting for the znode of a namesake to go')
    await untilGone(env, session, path, leftMs)
  }
}

function ghostTimeoutMs(session: ZooKeeperSession, options: RegisterOptions): number {
  // A server rounds the end of a session up to its tick, and grants no time-out below two of them.
  return options.ghostTimeoutMs ?? session.timeoutMs * 1.5 + 1000
}

/** Writes what has changed about a registered broker. The epoch stays. */
export async function updateBroker(session: ZooKeeperSession, broker: BrokerRegistration, version: BrokerVersion = 5): Promise<Stat> {
  const data = encodeBroker(broker, version)
  for (;;) {
    try {
      return await session.set(brokerIdPath(broker.brokerId), data, -1)
    } catch (error) {
      // It says the same however often it is written.
      if (!isZooKeeperError(error, 'CONNECTION_LOSS') || session.state === 'closed') throw error
    }
  }
}

/** Throws EndpointClashError if another broker has registered one of `broker`'s endpoints. Unreadable znodes are passed over. */
export async function checkEndpoints(session: ZooKeeperSession, broker: BrokerRegistration): Promise<void> {
  const ours = new Set(broker.endpoints.map(({ host, port }) => `${host}:${port}`))
  const listed = await session.children(brokerIdsPath)
  const others = (listed?.names ?? []).filter((name) => /^\d+$/.test(name) && Number(name) !== broker.brokerId).map(Number)
  const nodes = await session.getMany(others.map(brokerIdPath))
  nodes.forEach((node, index) => {
    const other = node === undefined ? undefined : readable(others[index]!, node)
    const clash = other?.endpoints.find(({ host, port }) => ours.has(`${host}:${port}`))
    if (clash !== undefined) throw new EndpointClashError(`${clash.host}:${clash.port}`, others[index]!)
  })
}

/** The Stat after the write; undefined if the znode is there, or may be, or if what was to be replaced has gone. */
async function tryCreate(session: ZooKeeperSession, ops: Op[]): Promise<Stat | undefined> {
  try {
    const result = (await session.multi(ops)).at(-1)
    return result?.type === 'set' ? result.stat : undefined
  } catch (error) {
    if (isZooKeeperError(error, 'NODE_EXISTS', 'CONNECTION_LOSS') && session.state !== 'closed') return undefined
    if (ops[0]?.type === 'remove' && isZooKeeperError(error, 'NO_NODE', 'BAD_VERSION')) return undefined
    if (isZooKeeperError(error, 'NO_NODE')) {
      await session.createRecursive(brokerIdsPath)
      return undefined
    }
    throw error
  }
}

/** Our own znode, perhaps with older data. */
async function adopt(session: ZooKeeperSession, path: string, data: Buffer, found: NodeData): Promise<RegisteredBroker> {
  const same = found.data !== null && found.data.equals(data)
  const stat = same ? found.stat : await session.set(path, data, -1)
  return { epoch: stat.czxid, stat }
}

/** Resolves when the node has gone, when `timeoutMs` are over or when the session has ended: its caller looks again. */
async function untilGone(env: Environment, session: ZooKeeperSession, path: string, timeoutMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = env.clock.timer(timeoutMs, () => done())
    const offNode = session.onNodeChanged(path, (event) => (event === 'deleted' ? done() : arm()))
    const offState = session.onState((state) => {
      if (state === 'expired') done(new ZooKeeperError('SESSION_EXPIRED', 'register', path))
      if (state === 'closed') done(new ZooKeeperError('CLOSED', 'register', path))
    })
    const done = (error?: unknown): void => {
      timer.cancel()
      offNode()
      offState()
      if (error === undefined) resolve()
      else reject(error)
    }
    const arm = (): void => {
      session.exists(path, true).then((stat) => (stat === undefined ? done() : undefined), done)
    }
    arm()
  })
}

function readable(brokerId: number, node: NodeData): BrokerRegistration | undefined {
  try {
    return decodeBroker(brokerId, node.data)
  } catch (error) {
    if (error instanceof ZnodeFormatError) return undefined
    throw error
  }
}

function endpointsOf(brokerId: number, node: NodeData): string {
  const broker = readable(brokerId, node)
  return broker === undefined ? 'unreadable data' : broker.endpoints.map(formatEndpoint).join(', ')
}
