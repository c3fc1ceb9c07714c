import type { Logger } from '../runtime/log'
import {
  controllerEpochPath, controllerPath, decodeController, decodeControllerEpoch, encodeController, encodeControllerEpoch,
} from '../zk-schema/controller'
import { isZooKeeperError } from '../zk-schema/session/errors'
import type { NodeData, Op, ZooKeeperSession } from '../zk-schema/session/session'
import { defaultAcl } from '../zk-schema/top-level'
import { ZnodeFormatError } from '../zk-schema/znode-json'

export interface Candidate {
  session: ZooKeeperSession
  brokerId: number
  wallMs(): number
  secureAcls: boolean
  /** The highest controller epoch that this process knows of, for where /controller_epoch cannot be read. */
  knownEpoch: number
  logger: Logger
}

export type ElectionResult =
  | { readonly won: true; readonly epoch: number; readonly epochVersion: number }
  | { readonly won: false; readonly controllerId: number }

export interface Office {
  /** The broker in /controller; -1: nobody, or somebody whose id cannot be read. */
  readonly controllerId: number
  readonly isOwn: boolean
  /** What /controller_epoch says; 0: nothing that can be read. */
  readonly epoch: number
}

/** Who holds the office, and the watch of it. */
export async function readOffice(session: ZooKeeperSession, logger: Logger): Promise<Office> {
  // Arms the watch whether the node is there or not; `get` would not where it is missing.
  await session.exists(controllerPath, true)
  const [node, epoch] = await session.getMany([controllerPath, controllerEpochPath])
  return {
    controllerId: node === undefined ? -1 : controllerId(node, logger),
    isOwn: node !== undefined && isOwn(node, session),
    epoch: /^\d{1,9}$/.test(epoch?.data?.toString() ?? '') ? Number(epoch!.data) : 0,
  }
}

/**
 * Tries to become the controller: /controller and the next epoch in one multi. Loses to whoever holds /controller. It is ours
 * only if our session owns it, whatever broker id it names. Rejects as the session does, when the session is over.
 */
export async function runForController(candidate: Candidate): Promise<ElectionResult> {
  const { session, logger } = candidate
  for (;;) {
    await session.exists(controllerPath, true)
    const holder = await session.get(controllerPath)
    if (holder !== undefined && !isOwn(holder, session)) return { won: false, controllerId: controllerId(holder, logger) }
    if (holder !== undefined) {
      // Ours from a term that is over. A new term needs an epoch of its own.
      await removeStale(session, holder)
      continue
    }
    const seen = await readEpoch(candidate)
    if (seen === undefined) continue
    const epoch = seen.epoch + 1
    const version = await claim(candidate, epoch, seen.version)
    if (version !== undefined) return { won: true, epoch, epochVersion: version }
  }
}

/** Gives /controller back, if it is still ours under this epoch. */
export async function resignController(session: ZooKeeperSession, epochVersion: number, logger: Logger): Promise<void> {
  try {
    const node = await session.get(controllerPath)
    if (node === undefined || !isOwn(node, session)) return
    await session.multi([
      { type: 'check', path: controllerEpochPath, version: epochVersion },
      { type: 'remove', path: controllerPath, version: node.stat.version },
    ])
  } catch (error) {
    logger.warn({ err: String(error) }, 'could not give /controller back')
  }
}

async function claim(candidate: Candidate, epoch: number, version: number): Promise<number | undefined> {
  const { session, brokerId, secureAcls, logger } = candidate
  const create: Op = {
    type: 'create', path: controllerPath, data: encodeController(brokerId, candidate.wallMs()), ephemeral: true,
    ...(secureAcls ? { acl: defaultAcl(controllerPath, true) } : {}),
  }
  try {
    const results = await session.multi(
      [create, { type: 'set', path: controllerEpochPath, data: encodeControllerEpoch(epoch), version }],
    )
    const written = results[1]
    return written?.type === 'set' ? written.stat.version : undefined
  } catch (error) {
    if (isZooKeeperError(error, 'NODE_EXISTS', 'BAD_VERSION', 'NO_NODE')) return undefined
    if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error
    logger.info({}, 'lost the connection during the election, reading back')
    return readBack(session, epoch)
  }
}

/** The answer to our claim was lost: it succeeded if /controller belongs to our session and the epoch is the one we wrote. */
async function readBack(session: ZooKeeperSession, epoch: number): Promise<number | undefined> {
  await session.sync(controllerPath)
  const holder = await session.get(controllerPath)
  const written = await session.get(controllerEpochPath)
  if (holder === undefined || !isOwn(holder, session) || written === undefined) return undefined
  return written.data?.toString() === String(epoch) ? written.stat.version : undefined
}

async function readEpoch(candidate: Candidate): Promise<{ epoch: number; version: number } | undefined> {
  const { session, secureAcls, knownEpoch, logger } = candidate
  const node = await session.get(controllerEpochPath)
  if (node === undefined) {
    const options = secureAcls ? { acl: defaultAcl(controllerEpochPath, true) } : {}
    try {
      await session.create(controllerEpochPath, encodeControllerEpoch(knownEpoch), options)
    } catch (error) {
      if (!isZooKeeperError(error, 'NODE_EXISTS', 'CONNECTION_LOSS')) throw error
    }
    return undefined
  }
  try {
    // A hand that set it back must not make our brokers refuse us.
    return { epoch: Math.max(decodeControllerEpoch(node.data), knownEpoch), version: node.stat.version }
  } catch (error) {
    if (!(error instanceof ZnodeFormatError)) throw error
    const fields = { path: error.path, reason: error.message, epoch: knownEpoch }
    logger.warn(fields, 'the controller epoch cannot be read, going on from the last one known')
    return { epoch: knownEpoch, version: node.stat.version }
  }
}

async function removeStale(session: ZooKeeperSession, node: NodeData): Promise<void> {
  try {
    await session.remove(controllerPath, node.stat.version)
  } catch (error) {
    if (!isZooKeeperError(error, 'NO_NODE', 'BAD_VERSION', 'CONNECTION_LOSS')) throw error
  }
}

function isOwn(node: NodeData, session: ZooKeeperSession): boolean {
  return session.id !== 0n && node.stat.ephemeralOwner === session.id
}

function controllerId(node: NodeData, logger: Logger): number {
  try {
    return decodeController(node.data).brokerId
  } catch (error) {
    if (!(error instanceof ZnodeFormatError)) throw error
    logger.warn({ path: error.path, reason: error.message }, 'cannot read who the controller is')
    return -1
  }
}
