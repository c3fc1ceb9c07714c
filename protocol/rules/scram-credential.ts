/** Credentials of SCRAM as ZooKeeper keeps them (RFC 5802, Kafka's ScramCredentialUtils). */
import { createHash, createHmac } from 'node:crypto'

export type ScramMechanismName = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

/** By the numbers that requests name them by. */
export const scramMechanisms: ReadonlyMap<number, ScramMechanismName> = new Map([[1, 'SCRAM-SHA-256'], [2, 'SCRAM-SHA-512']])

export const LEAST_SCRAM_ITERATIONS = 4096
export const MOST_SCRAM_ITERATIONS = 16_384

export function scramDigest(mechanism: ScramMechanismName): 'sha256' | 'sha512' {
  return mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
}

/** `salt=...,stored_key=...,server_key=...,iterations=...`: nothing from which the password could be told. */
export function formatScramCredential(credential: {
  mechanism: ScramMechanismName
  iterations: number
  salt: Uint8Array
  saltedPassword: Uint8Array
}): string {
  const digest = scramDigest(credential.mechanism)
  const hmac = (text: string): Buffer => createHmac(digest, credential.saltedPassword).update(text).digest()
  const storedKey = createHash(digest).update(hmac('Client Key')).digest('base64')
  const fields = [
    `salt=${Buffer.from(credential.salt).toString('base64')}`,
    `stored_key=${storedKey}`,
    `server_key=${hmac('Server Key').toString('base64')}`,
  ]
  return [...fields, `iterations=${credential.iterations}`].join(',')
}

/** Of a kept credential; undefined where it is none. */
export function scramIterations(text: string): number | undefined {
  const fields = new Map<string, string>()
  for (const field of text.split(',')) {
    const at = field.indexOf('=')
    if (at <= 0) return undefined
    fields.set(field.slice(0, at), field.slice(at + 1))
  }
  const isWhole = fields.size === 4 && ['salt', 'stored_key', 'server_key'].every((name) => isBase64(fields.get(name)))
  const iterations = fields.get('iterations')
  return isWhole && iterations !== undefined && /^[+-]?\d{1,10}$/.test(iterations) ? Number(iterations) : undefined
}

function isBase64(text: string | undefined): boolean {
  return text !== undefined && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}
