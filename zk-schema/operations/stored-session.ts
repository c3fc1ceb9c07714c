import { silentLogger } from '../../runtime/log'
import type { Disk, Environment } from '../../runtime/ports'
import { isZooKeeperError } from '../session/errors'
import { openSession } from '../session/session'
import { formatSessionId } from '../session/session-id'
import type { Credentials, SessionOptions } from '../session/session'

/** In the first log directory: a file, since a foreign directory there keeps Apache Kafka from starting. */
export const STORED_SESSION_FILE = 'prekraft-zookeeper-session'

/** Whoever can read the file can act as this session, so it is the owner's alone. */
const OWNER_ONLY = 0o600

export function encodeStoredSession(credentials: Credentials): Buffer {
  const stored = { version: 1, id: formatSessionId(credentials.id), password: credentials.password.toString('hex') }
  return Buffer.from(`${JSON.stringify(stored)}\n`)
}

/** undefined for a file that was torn, or is none of ours: then there is no session to close. */
export function decodeStoredSession(data: Buffer): Credentials | undefined {
  let value: unknown
  try {
    value = JSON.parse(data.toString())
  } catch {
    return undefined
  }
  const { id, password } = (value ?? {}) as { id?: unknown; password?: unknown }
  if (typeof id !== 'string' || !/^0x[0-9a-f]{1,16}$/.test(id)) return undefined
  if (typeof password !== 'string' || !/^[0-9a-f]{32}$/.test(password)) return undefined
  return { id: BigInt.asIntN(64, BigInt(id)), password: Buffer.from(password, 'hex') }
}

/** Keeps the session's credentials for the next start of this broker. Written beside and renamed, synced. */
export function storeSession(disk: Disk, directory: string, session: { id: bigint; password: Buffer }): void {
  const path = `${directory}/${STORED_SESSION_FILE}`
  const draft = `${path}.tmp`
  // An old draft may have been made by somebody else, with other permissions.
  disk.remove(draft)
  const file = disk.open(draft, 'create', OWNER_ONLY)
  try {
    file.write(encodeStoredSession(session), 0)
    file.syncNow()
  } finally {
    file.close()
  }
  disk.rename(draft, path)
  disk.syncDirectory(directory)
}

export function readStoredSession(disk: Disk, directory: string): Credentials | undefined {
  const path = `${directory}/${STORED_SESSION_FILE}`
  return disk.exists(path) ? decodeStoredSession(disk.readFile(path)) : undefined
}

/** After the session was closed in order. */
export function forgetStoredSession(disk: Disk, directory: string): void {
  disk.remove(`${directory}/${STORED_SESSION_FILE}`)
}

/**
 * Ends the session that a killed broker left behind, so that its /brokers/ids and /controller go at once. The caller must hold
 * the lock of the log directory: that proves that the former process is dead. Resolves with whether there was a session to end;
 * rejects as `openSession` does when no server can be reached.
 */
export async function endStoredSession(env: Environment, options: SessionOptions, directory: string): Promise<boolean> {
  let credentials: Credentials | undefined
  try {
    credentials = readStoredSession(env.disk, directory)
  } catch (error) {
    // A broker goes on with the log directories that are left.
    const { logger = silentLogger } = options
    logger.warn({ err: error }, 'the session of the last run cannot be read: if it is still open, its end has to be waited for')
  }
  if (credentials === undefined) return false
  try {
    // That it has expired is what one hopes for, and nothing to warn of.
    const session = await openSession(env, { ...options, credentials, logger: silentLogger })
    await session.close()
    return true
  } catch (error) {
    if (isZooKeeperError(error, 'SESSION_EXPIRED')) return false
    throw error
  }
}
