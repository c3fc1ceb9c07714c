import type { Environment } from '../../runtime/ports'
import { parseConnectString } from '../session/connect-string'
import { openSession } from '../session/session'
import type { SessionOptions } from '../session/session'

/**
 * Creates the chroot of the connect string, recursively, where it is missing, through a session of its own: without its chroot a
 * session finds nothing and can create nothing. Rejects as `openSession` does.
 */
export async function createChroot(env: Environment, options: SessionOptions): Promise<void> {
  const { chroot } = parseConnectString(options.connect)
  if (chroot === '') return
  const { credentials: _, ...rest } = options
  const session = await openSession(env, { ...rest, connect: options.connect.slice(0, options.connect.indexOf('/')) })
  try {
    await session.createRecursive(chroot)
  } finally {
    await session.close()
  }
}
