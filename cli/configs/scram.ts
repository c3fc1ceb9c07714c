import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { UsageError } from '../tool/command-line'
import type { ScramMechanismName, ScramUpsertion } from '../../client/admin/maintenance'

const DEFAULT_ITERATIONS = 4096
const LEAST_ITERATIONS = 4096

function digestOf(mechanism: ScramMechanismName): 'sha256' | 'sha512' {
  return mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
}

/** Of `iterations=8192,password=secret`, the iterations left out or not, the salted password. Throws UsageError. */
export function saltPassword(mechanism: ScramMechanismName, text: string): ScramUpsertion {
  const match = /^(?:iterations=(-?\d*),)?password=(.*)$/.exec(text)
  if (match === null) throw new UsageError(`Invalid credential property ${mechanism.replaceAll('-', '_')}=${text}`, false)
  const iterations = match[1] === undefined || match[1] === '-1' ? DEFAULT_ITERATIONS : Number(match[1])
  if (iterations < LEAST_ITERATIONS) {
    const complaint = `Iterations ${iterations} is less than the minimum ${LEAST_ITERATIONS} required for ${mechanism}`
    throw new UsageError(complaint, false)
  }
  const digest = digestOf(mechanism)
  const salt = Buffer.from(randomBytes(20).toString('base64url'))
  const saltedPassword = pbkdf2Sync(match[2]!, salt, iterations, digest === 'sha256' ? 32 : 64, digest)
  return { mechanism, iterations, salt, saltedPassword }
}

/** As ZooKeeper keeps it: `salt=...,stored_key=...,server_key=...,iterations=...` (RFC 5802). */
export function storedCredential({ mechanism, iterations, salt, saltedPassword }: ScramUpsertion): string {
  const digest = digestOf(mechanism)
  const hmac = (text: string): Buffer => createHmac(digest, saltedPassword).update(text).digest()
  const storedKey = createHash(digest).update(hmac('Client Key')).digest('base64')
  const fields = [`salt=${salt.toString('base64')}`, `stored_key=${storedKey}`, `server_key=${hmac('Server Key').toString('base64')}`]
  return [...fields, `iterations=${iterations}`].join(',')
}
