import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { LEAST_SCRAM_ITERATIONS, scramDigest } from '../../protocol/rules/scram-credential'
import { UsageError } from '../tool/command-line'
import type { ScramMechanismName, ScramUpsertion } from '../../client/admin/maintenance'

const DEFAULT_ITERATIONS = 4096

/** Of `iterations=8192,password=secret`, the iterations left out or not, the salted password. Throws UsageError. */
export function saltPassword(mechanism: ScramMechanismName, text: string): ScramUpsertion {
  const match = /^(?:iterations=(-?\d*),)?password=(.*)$/.exec(text)
  if (match === null) throw new UsageError(`Invalid credential property ${mechanism.replaceAll('-', '_')}=${text}`, false)
  const iterations = match[1] === undefined || match[1] === '-1' ? DEFAULT_ITERATIONS : Number(match[1])
  if (iterations < LEAST_SCRAM_ITERATIONS) {
    const complaint = `Iterations ${iterations} is less than the minimum ${LEAST_SCRAM_ITERATIONS} required for ${mechanism}`
    throw new UsageError(complaint, false)
  }
  const digest = scramDigest(mechanism)
  const salt = Buffer.from(randomBytes(20).toString('base64url'))
  const saltedPassword = pbkdf2Sync(match[2]!, salt, iterations, digest === 'sha256' ? 32 : 64, digest)
  return { mechanism, iterations, salt, saltedPassword }
}
