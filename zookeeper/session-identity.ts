import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Environment } from '../runtime/ports'
import { StorageError } from './storage-error'

const FILE = 'session-identity'
const PASSWORD_BYTES = 16
const SECRET_BYTES = 32
/** Ids that one run of the server may give away before it has to look at the clock again. */
const RESERVED_IDS = 2n ** 32n

/**
 * Session ids never repeat, and their passwords cannot be guessed. Apache derives ids from the clock at its start and passwords
 * from a constant; here a file beside the data remembers how far ids went, and a secret.
 */
export class SessionIdentity {
  private nextId: bigint
  private readonly secret: Buffer

  private constructor(nextId: bigint, secret: Buffer) {
    this.nextId = nextId
    this.secret = secret
  }

  /** `usedIds`: sessions that the data knows. Throws StorageError if the file is not ours. */
  static open(env: Environment, dataDir: string | undefined, usedIds: Iterable<bigint>): SessionIdentity {
    // 40 bits of milliseconds, 16 bits of count, the high byte 0: as on Apache, and never a TTL node's owner.
    let nextId = (BigInt(env.clock.wallMs()) & (2n ** 40n - 1n)) << 16n
    for (const id of usedIds) if (id >= nextId) nextId = id + 1n
    if (dataDir === undefined)
      return new SessionIdentity(nextId + BigInt(env.random.below(2 ** 16)) + 1n, env.random.bytes(SECRET_BYTES))
    const path = `${dataDir}/${FILE}`
    const saved = env.disk.exists(path) ? parse(path, env.disk.readFile(path).toString('latin1')) : undefined
    if (saved !== undefined && saved.nextId > nextId) nextId = saved.nextId
    const identity = new SessionIdentity(nextId + 1n, saved?.secret ?? env.random.bytes(SECRET_BYTES))
    const text = `nextSessionId=${(nextId + RESERVED_IDS).toString(16)}\nsecret=${identity.secret.toString('hex')}\n`
    const file = env.disk.open(`${path}.tmp`, 'create')
    try {
      file.write(Buffer.from(text), 0)
      file.syncNow()
    } finally {
      file.close()
    }
    env.disk.rename(`${path}.tmp`, path)
    env.disk.syncDirectory(dataDir)
    return identity
  }

  next(): bigint {
    return this.nextId++
  }

  passwordOf(id: bigint): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(id)
    return createHmac('sha256', this.secret).update(bytes).digest().subarray(0, PASSWORD_BYTES)
  }

  isPassword(id: bigint, password: Buffer): boolean {
    return password.length === PASSWORD_BYTES && timingSafeEqual(password, this.passwordOf(id))
  }
}

function parse(path: string, text: string): { nextId: bigint; secret: Buffer } {
  const match = /^nextSessionId=([0-9a-f]{1,16})\nsecret=([0-9a-f]{64})\n$/.exec(text)
  if (match === null) throw new StorageError(`${path} is not a file of this server.`)
  return { nextId: BigInt(`0x${match[1]}`), secret: Buffer.from(match[2]!, 'hex') }
}
