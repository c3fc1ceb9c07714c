import { createHash } from 'node:crypto'
import { Code, KeeperError, Perms } from './protocol'
import type { JuteReader, JuteWriter } from './jute'

/** Who somebody is, or may be: `world:anyone`, `ip:10.0.0.0/8`, `digest:user:base64(sha1(user:password))`. */
export interface Id {
  readonly scheme: string | null
  readonly id: string | null
}

export interface Acl {
  readonly perms: number
  readonly scheme: string | null
  readonly id: string | null
}

/** Equal lists are one object, so that a million nodes do not hold a million lists. */
export type AclList = readonly Acl[]

/** ZooDefs.Ids.OPEN_ACL_UNSAFE */
export const OPEN_ACL: AclList = [{ perms: Perms.all, scheme: 'world', id: 'anyone' }]
/** ZooDefs.Ids.READ_ACL_UNSAFE */
export const READ_ACL: AclList = [{ perms: Perms.read, scheme: 'world', id: 'anyone' }]

const OPEN_KEY = aclKey(OPEN_ACL)
const MOST_INTERNED = 1000

export function aclKey(acl: AclList): string {
  return acl.map((entry) => `${entry.perms}\0${entry.scheme}\0${entry.id}`).join('\x01')
}

/** Gives equal lists the same object. Only a cache: forgetting all of it costs memory, not truth. */
export class AclInterner {
  private readonly lists = new Map<string, AclList>()

  intern(acl: AclList): AclList {
    const key = aclKey(acl)
    if (key === OPEN_KEY) return OPEN_ACL
    const known = this.lists.get(key)
    if (known !== undefined) return known
    if (this.lists.size >= MOST_INTERNED) this.lists.clear()
    this.lists.set(key, acl)
    return acl
  }
}

export function readAcl(reader: JuteReader): Acl[] {
  return reader.readVector(12, () => ({ perms: reader.readInt(), scheme: reader.readString(), id: reader.readString() }))
}

export function writeAcl(writer: JuteWriter, acl: AclList): void {
  writer.writeVector(acl, (entry) => {
    writer.writeInt(entry.perms)
    writer.writeString(entry.scheme)
    writer.writeString(entry.id)
  })
}

/** DigestAuthenticationProvider: `user:password` becomes `user:base64(sha1(user:password))`. */
export function digestOf(userAndPassword: string): string {
  const user = userAndPassword.split(':', 1)[0]!
  return `${user}:${createHash('sha1').update(userAndPassword, 'utf8').digest('base64')}`
}

/** The bytes of an IPv4 or IPv6 address, undefined for anything else. */
function addressBytes(text: string): number[] | undefined {
  if (!text.includes(':')) {
    const parts = text.split('.')
    if (parts.length !== 4 || !parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) <= 255)) return undefined
    return parts.map(Number)
  }
  const halves = text.split('%', 1)[0]!.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - groups.flat().length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const all = halves.length === 1 ? groups[0]! : [...groups[0]!, ...Array<string>(missing).fill('0'), ...groups[1]!]
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255])
}

interface Network {
  bytes: number[]
  bits: number
}

function networkOf(expression: string): Network | undefined {
  const slash = expression.indexOf('/')
  const bytes = addressBytes(slash === -1 ? expression : expression.slice(0, slash))
  if (bytes === undefined) return undefined
  if (slash === -1) return { bytes, bits: bytes.length * 8 }
  const bits = expression.slice(slash + 1)
  if (!/^[+-]?\d{1,10}$/.test(bits) || Number(bits) < 0 || Number(bits) > bytes.length * 8) return undefined
  return { bytes, bits: Number(bits) }
}

function ipMatches(address: string, expression: string): boolean {
  const network = networkOf(expression)
  const bytes = addressBytes(address)
  if (network === undefined || bytes === undefined || bytes.length !== network.bytes.length) return false
  for (let bit = 0; bit < network.bits; bit += 8) {
    const mask = network.bits - bit >= 8 ? 0xff : (0xff00 >> (network.bits - bit)) & 0xff
    if (((bytes[bit / 8]! ^ network.bytes[bit / 8]!) & mask) !== 0) return false
  }
  return true
}

function isValidId(scheme: string, id: string | null): boolean {
  if (id === null) return false
  if (scheme === 'ip') return networkOf(id) !== undefined
  if (scheme !== 'digest') return false
  // Java's split drops empty strings at the end.
  const parts = id.split(':')
  while (parts.length > 0 && parts[parts.length - 1] === '') parts.pop()
  return parts.length === 2
}

/**
 * The list that a node gets (PrepRequestProcessor.fixupACL): without duplicates, `auth` replaced by the ids that the client has
 * proved. Throws INVALIDACL.
 */
export function fixupAcl(acl: AclList, authInfo: readonly Id[]): AclList {
  if (acl.length === 1 && isWorld(acl[0]!)) return acl[0]!.perms === Perms.all ? OPEN_ACL : acl
  const result: Acl[] = []
  const seen = new Set<string>()
  for (const entry of acl) {
    const key = aclKey([entry])
    if (seen.has(key)) continue
    seen.add(key)
    if (entry.scheme === null) throw new KeeperError(Code.INVALIDACL)
    if (isWorld(entry)) result.push(entry)
    else if (entry.scheme === 'auth') {
      const proved = authInfo.filter((id) => id.scheme === 'digest')
      if (proved.length === 0) throw new KeeperError(Code.INVALIDACL)
      for (const id of proved) result.push({ perms: entry.perms, scheme: id.scheme, id: id.id })
    } else if (isValidId(entry.scheme, entry.id)) result.push(entry)
    else throw new KeeperError(Code.INVALIDACL)
  }
  if (result.length === 0) throw new KeeperError(Code.INVALIDACL)
  return result
}

function isWorld(entry: Acl): boolean {
  return entry.scheme === 'world' && entry.id === 'anyone'
}

/** ZooKeeperServer.checkACL: may somebody with these ids do one of `perms`? */
export function permits(acl: AclList, perms: number, authInfo: readonly Id[]): boolean {
  if (acl === OPEN_ACL || acl.length === 0) return true
  if (authInfo.some((id) => id.scheme === 'super')) return true
  for (const entry of acl) {
    if ((entry.perms & perms) === 0) continue
    if (isWorld(entry)) return true
    for (const id of authInfo) {
      if (id.scheme !== entry.scheme || id.id === null || entry.id === null) continue
      if (entry.scheme === 'ip' ? ipMatches(id.id, entry.id) : entry.scheme === 'digest' && id.id === entry.id) return true
    }
  }
  return false
}

export function checkAcl(acl: AclList, perms: number, authInfo: readonly Id[]): void {
  if (!permits(acl, perms, authInfo)) throw new KeeperError(Code.NOAUTH)
}
